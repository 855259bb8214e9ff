"""minilift trust: learn when to trust weights that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minilift.cli.data.clips import clips_name
from minilift.cli.parser import Parser
from minilift.cli.settings import add_setting
from minilift.errors import ArgumentError, InputError, counted, run_program
from minilift.files import PathLike, file_error, keep_old, only_one, read_bytes, write_atomically
from minilift.files.npz import read_npy
from minilift.lift.lifter import Lifter
from minilift.lift.settings import TrainSettings
from minilift.lift.trust import TrustModel, trust_path
from minilift.lift.trust.clips import errors_with_body
from minilift.lift.trust.fit import fit_trust
from minilift.lift.weak.two_view.build import with_triangulated
from minilift.lift.weights.starting import STARTING, USUAL, starting_weights
from minilift.poses.poses import Poses, load_poses
from minilift.poses.read.course import SECOND
from minilift.poses.views import load_two_views
from minilift.train.batches import hold_out

NAME = "minilift trust"
DESCRIPTION = """\
Learn when to trust a trained lifter, and keep it with the weights, in
liftModel.trust.npz. Training does so by itself at its end; this is for weights
that are there already.

The poses must be those that the weights were trained on, and
--seed and --val-fraction those of the training, so that the same poses are held
out: errors on poses that the network knows by heart are too small. Better are
people that the network never saw: --groups says who is who in such poses, and all
of --data are learned from. With --clips of theirs, the errors of poses that were
made to fit a body are learned, too; with val_clips.npz go val_clips_clips.npy and
val_clips_subjects.npy, the clip and the person of each pose. From then on
Lifter.load("liftModel").trust(joint_2d) answers, and minilift eval has a block on
it. docs/trust.md explains it. Of the weights called starting, a copy is made in
this folder, for them to go with.
"""
EXAMPLES = """\
examples:
  minilift trust                 for liftModel, trained on data_train_lift.pkl
  minilift trust --weights old/liftModel --data poses.npz --seed 1
  minilift trust --data val.npz --groups val_subjects.npy
                                 people left out of the training
  minilift trust --data val.npz --groups val_subjects.npy --clips val_clips.npz
                                 and their clips: what a body is worth
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(NAME, _trust, argv)


def _trust(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    weights = USUAL if args.weights == STARTING else args.weights
    if args.weights == STARTING and Path(weights).exists():
        problem = f"would be copied here as {weights}, which exists"
        raise InputError(f"--weights {STARTING}: {problem}; do it in another folder")
    path = trust_path(weights)
    lifter, poses = Lifter.load(args.weights, device=args.device), _with_3d(args.data)
    clips = Clips.read(args.clips) if args.clips else None
    if args.groups:
        people = read_groups(args.groups, len(poses))
        found = fit_trust(lifter, None, poses, args.seed, people)
        learned = (
            f"{counted(len(poses), 'pose')} of {counted(len(np.unique(people)), 'person')} in {args.data}"
        )
    else:
        rows, others = hold_out(len(poses), args.val_fraction, args.seed)
        found = fit_trust(
            lifter, poses.take(rows), poses.take(others), args.seed, groups_beside(args.data, others)
        )
        learned = f"{counted(len(others), 'pose')} held out of {args.data}"
    if clips:
        found = with_clips(found, lifter, clips, args.seed)
        learned += f", with a body of clips in {args.clips}"
    with only_one(path.parent):
        if args.weights == STARTING:
            content = read_bytes(starting_weights())
            write_atomically(weights, lambda file: file.write(content))
            print(f"wrote {weights}: a copy of the starting weights")
        keep_trust(found, path)
    print(f"wrote {path}, from {learned}")
    return 0


def _with_3d(data: str) -> Poses:
    """Poses to measure errors of; of both views, where joint_3d is missing, as training triangulates them.

    Raises InputError naming the file.
    """
    poses = load_poses(data)
    if poses.joint_3d is not None:
        return poses
    if SECOND not in poses.ignored:
        remedy = "give others whose 3D is known, or both views of these"
        raise file_error(data, f"no key joint_3d, against which errors are measured; {remedy}")
    views = load_two_views(data)
    print(f"{data}: no joint_3d; triangulated from both views\n  {views.convention}")
    return with_triangulated(views)


class Clips(NamedTuple):
    """A file of clips, at 30 frames a second."""

    path: PathLike
    poses: Poses
    numbers: np.ndarray
    """(n,): which clip each pose is of."""
    people: np.ndarray
    """(n,): and whose it is."""

    @classmethod
    def read(cls, path: PathLike) -> Clips:
        """The numbers and people lie beside it. Raises InputError naming the file."""
        poses, beside = load_poses(path, need_3d=True), clips_name(path)
        subjects = beside.with_name(beside.name.removesuffix("_clips.npy") + "_subjects.npy")
        return cls(path, poses, *(read_groups(name, len(poses)) for name in (beside, subjects)))


def with_clips(found: TrustModel, lifter: Lifter, clips: Clips, seed: int) -> TrustModel:
    """The same, with the errors of poses that are made to fit a body. Raises InputError naming the file."""
    lifter.trust_model = found
    try:
        return replace(found, body=errors_with_body(lifter, clips.poses, clips.numbers, clips.people, seed))
    except ArgumentError as problem:
        raise file_error(clips.path, f"{problem.value} {problem.problem}") from None


def read_groups(path: PathLike, n: int) -> np.ndarray:
    """Whose each of n poses is: the whole numbers of a .npy file. Raises InputError naming the file."""
    remedy = "give a .npy file with a whole number a pose, as minilift data writes"
    groups = read_npy(path, remedy)
    if groups.dtype.kind not in "iu" or groups.shape != (n,):
        problem = f"holds {groups.dtype} of shape {groups.shape}, not a whole number for each of {n:,} poses"
        raise file_error(path, f"{problem}; {remedy}")
    return groups


def groups_beside(data: str, rows: np.ndarray) -> np.ndarray | None:
    """Whose the poses `rows` of a file are, if a file _subjects.npy lies beside it and they are several."""
    path = Path(data).with_name(f"{Path(data).stem.removesuffix('_lift')}_subjects.npy")
    if not path.exists():
        return None
    groups = read_npy(path)
    if groups.dtype.kind not in "iu" or groups.ndim != 1 or not len(rows) or len(groups) <= rows.max():
        raise file_error(path, "does not hold a whole number for each pose; mend or remove it")
    return groups[rows] if len(np.unique(groups[rows])) > 1 else None


def keep_trust(found: TrustModel, path: Path) -> None:
    """Write what was learned; what an earlier run left there is kept with the ending .old, .old2, ..."""
    if path.exists():
        print(f"the {path.name} of an earlier run is kept as {keep_old(path).name}")
    found.save(path)


def _parser() -> Parser:
    parser = Parser(NAME, DESCRIPTION, EXAMPLES)
    told = {
        "weights": "weights file", "data": "poses that they were trained on",
        "val_fraction": "share that was held out in the training", "seed": "the seed of that training",
        "device": "cpu, gpu, gpu:1 (the second), auto",
    }  # fmt: skip
    for name, help in told.items():
        add_setting(parser, name, help, default=getattr(TrainSettings, name))
    groups = "whole numbers of people left out of the training, one for each pose of --data"
    parser.add_argument("--groups", metavar="FILE", help=groups)
    clips = "and clips of theirs, 30 frames a second: what to expect of poses that fit a body"
    parser.add_argument("--clips", metavar="FILE", help=clips)
    return parser
