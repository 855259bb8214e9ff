"""`minilift predict`: 2D keypoints of a file in, 3D joints in a file out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minilift.cli.parser import Parser
from minilift.errors import InputError, run_program
from minilift.evaluation.report import MANY_UNLIKE
from minilift.files import check_writable, file_error, write_atomically
from minilift.files.mapped import Points, Spool, chunks
from minilift.files.npz import write_npy, write_npz
from minilift.lift.lifter import Lifter
from minilift.lift.trust import trust_path
from minilift.poses.layouts import COURSE15
from minilift.poses.points import check_camera, check_complete, load_points
from minilift.poses.poses import Poses, save_poses
from minilift.poses.read.course import files_of
from minilift.poses.write.formats import SUFFIXES

PROGRAM = "minilift predict"

DESCRIPTION = """\
Lift 2D keypoints to 3D joints.

INPUT is a pose file (.pkl, .npz) with joint_2d_1, or a .npy with an array of shape (N, 15, 2), (N, 30) or
(15, 2). The points are those of a camera with focal length 1, with the middle of the hips at (0, 0) and y
pointing up. The unit of the 3D joints is the distance from the camera to the middle of the hips. The README
describes both under "Data".

OUT gets the joints as its name says. A .npz holds joint_2d_1, joint_3d (N, 15, 3) and, where the weights have
a trust file, expected_error (N, 15) and unlike (N); a .npy holds joint_3d; a .pkl is a pose file.
"""

EXAMPLES = """\
examples:
  minilift predict keypoints.npy -o joints.npz
  minilift predict data_test_lift.pkl -o joints.pkl --weights runs/liftModel
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _predict, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    parser.add_argument("input", metavar="INPUT", help="2D keypoints: .pkl, .npz or .npy")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help=".npz, .npy or .pkl")
    parser.add_argument("--weights", default="liftModel", metavar="FILE", help="trained weights [liftModel]")
    parser.add_argument("--device", default="auto", help="cpu, gpu, gpu:1 or auto [auto]")
    parser.add_argument(
        "--flip", action="store_true", help="average with the mirrored pose: a little better, half as fast"
    )
    parser.add_argument(
        "--project", action="store_true", help="move the joints onto the rays through their 2D points"
    )
    parser.add_argument("--missing", action="store_true", help="NaN marks a keypoint that was not seen")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    return parser


def _predict(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    out = Path(args.out)
    _check_out(args, out)
    lifter = Lifter.load(args.weights, device=args.device)
    if lifter.note:
        print(f"note: {args.weights}: {lifter.note}", file=sys.stderr)
    _check_lifter(args, lifter)
    points = load_points(args.input)
    found = _Found(out, _has_trust(args, lifter))
    from tqdm import tqdm

    with tqdm(total=len(points), unit="poses", desc="predicting", delay=1, leave=False, disable=None) as bar:
        for rows in chunks(len(points)):
            found.add(lifter, args, np.asarray(points[rows]), rows.start)
            bar.update(rows.stop - rows.start)
    found.write(points)
    _warn(found, args)
    print(f"wrote {len(points):,} poses to {out}: {', '.join(found.names)}")
    if found.expected is not None:
        _tell(found.unlike_share, found.mean_expected, lifter.model.head)
    return 0


class _Found:
    """What is predicted, on its way to the file: on disk, so that memory does not grow with the poses."""

    def __init__(self, out: Path, with_trust: bool) -> None:
        joints = len(COURSE15)
        self.out = out
        self.joint_3d = Spool(out.parent, (joints, 3), out)
        self.expected = Spool(out.parent, (joints,), out) if with_trust else None
        self.unlike: list[np.ndarray] = []
        self.total = 0.0
        self.empty = self.alike = 0  # poses without a keypoint, and with all of them in one place

    def add(self, lifter: Lifter, args: argparse.Namespace, points: np.ndarray, first: int) -> None:
        if not args.missing:
            check_complete(args.input, points, first, "repair it, or give --missing to lift without it")
        check_camera(args.input, points)
        joint_3d = lifter.predict(points, flip=args.flip, project=args.project, missing=args.missing)
        if not np.isfinite(joint_3d).all():
            raise file_error(args.weights, "its predictions are too large or undefined; use other weights")
        nothing = np.isnan(points).any(axis=2).all(axis=1)  # anything else would be made up
        joint_3d[nothing] = np.nan
        self.empty += int(nothing.sum())
        self.alike += int((np.ptp(points, axis=1) == 0).all(axis=1).sum())
        self.joint_3d.append(joint_3d)
        if self.expected is not None:
            trust = lifter.trust(points, None if args.flip or args.project else joint_3d)
            self.expected.append(trust.expected_error)
            self.unlike.append(trust.unlike)
            self.total += float(trust.expected_error.sum())

    @property
    def names(self) -> list[str]:
        kind = self.out.suffix.lower()
        if kind == ".npy":
            return ["joint_3d"]
        trust = ["expected_error", "unlike"] if self.expected is not None and kind == ".npz" else []
        return ["joint_2d_1", "joint_3d", *trust]

    @property
    def unlike_share(self) -> float:
        return float(np.concatenate(self.unlike).mean())

    @property
    def mean_expected(self) -> float:
        return self.total / (self.joint_3d.n * len(COURSE15))

    def write(self, points: Points) -> None:
        joint_3d, kind = self.joint_3d.rows(), self.out.suffix.lower()
        if kind == ".npy":
            write_atomically(self.out, lambda file: write_npy(file, joint_3d))
        elif kind == ".npz":
            arrays: dict[str, Points] = {"joint_2d_1": points, "joint_3d": joint_3d}
            if self.expected is not None:
                arrays |= {"expected_error": self.expected.rows(), "unlike": np.concatenate(self.unlike)}
            write_atomically(self.out, lambda file: write_npz(file, arrays))
        else:
            save_poses(self.out, Poses(points, joint_3d))


def _check_out(args: argparse.Namespace, out: Path) -> None:
    """Refuse a name that cannot be written, or would overwrite what is read, before anything is read."""
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(f"--out {args.out}: the name must end in {', '.join(SUFFIXES)}")
    read = [args.input, args.weights, trust_path(args.weights), *files_of(args.input)]
    if out.resolve() in [Path(name).resolve() for name in read]:
        raise InputError(f"--out {args.out}: would overwrite what is read; choose another name")
    if out.is_dir():
        raise file_error(out, "a folder, where a file is to be written; choose another name")
    if out.exists() and not args.force:
        raise file_error(out, "exists already; choose another --out, or --force to replace it")
    check_writable(out.parent, f"--out {out}")


def _check_lifter(args: argparse.Namespace, lifter: Lifter) -> None:
    inputs, joints = lifter.model.input_nodes, len(COURSE15)
    if inputs != 2 * joints:
        raise file_error(args.weights, f"lifts {inputs // 2} joints, not {joints}; give weights for {joints}")
    if args.missing and lifter.model.head == "ray":
        problem = "puts joints onto the rays of their keypoints, and a missing one has none"
        raise InputError(f"--missing: {args.weights} {problem}; use weights of minilift train --head xyz")


def _has_trust(args: argparse.Namespace, lifter: Lifter) -> bool:
    """Whether the weights say how far to trust them. A trust file that is of no use gets a warning."""
    if args.missing or not trust_path(args.weights).exists():
        return False  # the expected errors were learned on whole poses
    try:
        _ = lifter.trust_model
    except InputError as problem:
        print(f"warning: {problem}", file=sys.stderr)
        return False
    return True


def _warn(found: _Found, args: argparse.Namespace) -> None:
    """What is no reason to stop, and yet to be known, on stderr."""
    known = trust_path(args.weights).exists()
    warnings = {
        f"poses without any keypoint: {found.empty:,}; their joints are NaN": found.empty,
        f"poses with all keypoints in one place: {found.alike:,}; mark what was not seen by NaN": found.alike,
        "with --missing there is no expected_error and no unlike": args.missing and known,
    }
    for text, told in warnings.items():
        if told:
            print(f"warning: {text}", file=sys.stderr)


def _tell(unlike: float, expected: float, head: str) -> None:
    print(f"expected error {expected:.4f} units; {unlike:.1%} of the poses are unlike the training data")
    if unlike > MANY_UNLIKE:
        unless = ", unless these weights come from it" if head == "ray" else ""  # that preset's head
        print(f"for people and cameras of all kinds, train with: minilift train --preset anyone{unless}")
