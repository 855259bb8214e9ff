"""The evaluation command: how far a lifter's joints lie from the true ones."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minilift.cli.eval_flags import BASELINES, TRAIN, check_flags, eval_parser, same_files
from minilift.cli.judged import judged
from minilift.cli.report import table
from minilift.errors import InputError, run_program
from minilift.evaluation.baselines import Baseline
from minilift.evaluation.figures import Figures
from minilift.files import file_error, write_atomically
from minilift.files.mapped import Spool, chunks, shown
from minilift.files.npz import read_npy, write_npz
from minilift.lift.lifter import Lifter
from minilift.poses.info import warn_of_conventions
from minilift.poses.layouts import JOINTS
from minilift.poses.motion import in_pieces
from minilift.poses.poses import Poses, find_scale, load_poses, load_scale, scale_fits
from minilift.show.charts.errors import Errors, joined, measure, plot_errors
from minilift.show.people.sheets import error_labels, plot_lift

UNASKED = 64 << 20  # bytes of training poses that are read without --train; the course's 18 MB take 0.2 s


def main(argv: Sequence[str] | None = None) -> int:
    return run_program("minilift eval", _evaluate, argv)


def _evaluate(argv: Sequence[str] | None) -> int:
    args = eval_parser().parse_args(argv)
    check_flags(args)
    lifter = Lifter.load(args.weights, device=args.device)
    if args.hide and lifter.model.head == "ray":
        problem = "puts joints onto the rays of their keypoints, and a hidden one has none"
        raise InputError(f"--hide {args.hide:g}: {args.weights} {problem}; train with --head xyz")
    predict = partial(lifter.predict, flip=args.flip, project=args.project, missing=args.hide > 0)
    poses, scale_path = _poses(args)
    hidden = _hidden(args.hide, len(poses)) if args.hide else None
    clips = _clips(args.clips, len(poses)) if args.clips else None

    def lifted(rows: np.ndarray) -> np.ndarray:
        return predict(_as_hidden(poses.read(rows).joint_2d, hidden, rows))

    warn_of_conventions(args.data, poses)
    fitted = _fitted(args)
    figures = Figures(args.loss, args.threshold, args.fps, fitted.baselines)
    charted: list[Errors] = []
    predicted = Spool(Path(args.save).parent, (len(JOINTS), 3)) if args.save else None
    # What to expect was learned on whole poses, so nothing is said where some are hidden
    trust = None if args.hide else judged(lifter, len(poses), not (args.flip or args.project), args.save)
    for rows in shown(poses.joint_2d, "predicting"):
        part = poses.read(rows)
        joint_2d = _as_hidden(part.joint_2d, hidden, rows)
        joint_3d = predict(joint_2d)
        if not np.isfinite(joint_3d).all():
            problem = "its predictions are too large or undefined"
            raise InputError(f"{args.weights}: {problem}; train again, with a lower --lr")
        ids = None if clips is None else clips[rows]
        figures.add(joint_3d, np.nan_to_num(joint_2d), np.asarray(part.joint_3d), part.scale, ids)
        if args.charts:
            charted.append(measure(joint_3d, np.asarray(part.joint_3d), part.scale, ids))
        if predicted is not None:
            predicted.append(joint_3d)
        if trust is not None:
            trust.add(part, joint_3d)
    result = {"weights": args.weights, "data": args.data, "train": fitted.path, "train_poses": fitted.poses}
    result |= {"flip": args.flip, "project": args.project, "hide": args.hide}
    result |= figures.result() | ({"fps": args.fps} if args.clips else {})
    if trust is not None:
        result["trust"] = trust.result()
    if predicted is not None:
        arrays = {"joint_3d": predicted.rows(), **(trust.arrays() if trust else {})}
        write_atomically(args.save, lambda file: write_npz(file, arrays))
    if args.plot:
        plot(lifted, poses, figures.each, args.plot)
    if args.charts:
        plot_errors(joined(charted), args.charts, f"{args.weights} on {args.data}: {len(poses):,} poses")
    if args.report:
        from minilift.show.page.page import write_report

        write_report(args.report, result, poses, figures.each, lifted, scale_path, fitted.note)
    if args.json:
        print(json.dumps(result, allow_nan=False))
        return 0
    hiding = f", {100 * args.hide:.3g}% of the keypoints hidden" if args.hide else ""
    print(f"{args.weights} on {args.data}: {len(poses):,} poses{hiding}, on the {lifter.model.ops.device}")
    if poses.ignored:
        print(f"ignored keys: {', '.join(poses.ignored)}")
    if poses.scale is not None:
        print(f"metres per unit from {scale_path}")
    print(table(result, fitted.note))
    for path in filter(None, (args.save, args.plot, args.charts, args.report)):
        print(f"wrote {path}")
    return 0


@dataclass(frozen=True)
class Fitted:
    """The baselines, what they were fitted on, and what to say where there are none."""

    baselines: dict[str, Baseline] = field(default_factory=dict)
    path: str | None = None
    poses: int | None = None
    note: str = ""


def _fitted(args: argparse.Namespace) -> Fitted:
    """The baselines that were asked for. Training poses that nobody named may be missing, or unfit."""
    path, kinds = args.train or TRAIN, BASELINES[args.baselines]
    if not kinds:
        return Fitted()
    if not args.train:
        if not Path(path).is_file():
            return Fitted(note=f"(no {path} here to fit others on; name one with --train FILE)")
        if same_files(path, args.data):
            return Fitted(note="(these are training poses; name others to fit on with --train FILE)")
        if (size := Path(path).stat().st_size) > UNASKED:
            return Fitted(note=f"({path} has {size >> 20:,} MB; to fit others on it: --train {path})")
    try:
        train = load_poses(path, need_3d=True)
    except InputError as error:
        if args.train:
            raise
        print(f"warning: no baselines fitted ({error})", file=sys.stderr)
        return Fitted()
    assert train.joint_3d is not None
    baselines = {name: kind().fit(train.joint_2d, train.joint_3d) for name, kind in kinds.items()}
    return Fitted(baselines, path, len(train))


def _clips(path: str, n: int) -> np.ndarray:
    """The number of each pose's clip (n,). Raises InputError naming the file."""
    clips = read_npy(path, "name the .npy file of clip numbers")
    if clips.shape != (n,) or clips.dtype.kind not in "iu":
        problem = f"clips have shape {clips.shape} of {clips.dtype}, expected ({n},) whole numbers"
        raise file_error(path, f"{problem}; give each pose the number of its clip")
    if in_pieces(clips):
        problem = "a clip comes in pieces, so neighbours are not neighbours in time"
        raise file_error(path, f"{problem}; sort the poses by clip and time, or number the pieces apart")
    return clips


def _hidden(share: float, n: int) -> np.ndarray:
    """Which keypoints of n poses are hidden (n, 15): this share of them, each by itself."""
    rng = np.random.default_rng(0)
    sizes = (rows.stop - rows.start for rows in chunks(n))
    return np.concatenate([rng.random((size, len(JOINTS)), np.float32) < share for size in sizes])


def _as_hidden(joint_2d: Any, hidden: np.ndarray | None, rows: Any) -> np.ndarray:
    """The points of these rows of the poses, with NaN for those that are hidden."""
    joint_2d = np.asarray(joint_2d)
    return joint_2d if hidden is None else np.where(hidden[rows][..., None], np.float32(np.nan), joint_2d)


def _poses(args: argparse.Namespace) -> tuple[Poses, Path | str | None]:
    """The poses with their scale: the one asked for, or the one beside them if it can be theirs."""
    if args.scale:
        return load_poses(args.data, need_3d=True, scale=args.scale), args.scale
    return with_scale_beside(args.data)


def with_scale_beside(path: str) -> tuple[Poses, Path | None]:
    """Poses, and the file of metres per unit beside them, if it can be theirs; if not, a warning."""
    poses, beside = load_poses(path, need_3d=True), find_scale(path)
    if beside is None or poses.joint_3d is None:
        return poses, None
    try:
        scale = load_scale(beside, len(poses))
        problem = (
            "" if scale_fits(poses.joint_3d, scale) else f"{beside}: legs would differ too much in length"
        )
    except InputError as error:
        problem = str(error)
    if problem:
        print(f"warning: no millimetres, for the scale is of other poses ({problem})", file=sys.stderr)
        return poses, None
    return replace(poses, scale=scale), beside


def plot(lifted: Callable[[np.ndarray], np.ndarray], poses: Poses, errors: np.ndarray, path: str) -> None:
    """Draw the best, the median and the worst pose, by their `errors` in units (N,), or by millimetres."""
    sizes = errors if poses.scale is None else errors * poses.scale
    rows = np.argsort(sizes, kind="stable")[[0, (len(errors) - 1) // 2, -1]]
    drawn = poses.read(rows)
    joint_2d, joint_3d = np.asarray(drawn.joint_2d), np.asarray(drawn.joint_3d)
    labels = error_labels(("best", "median", "worst"), errors[rows], drawn.scale)
    plot_lift(joint_2d, lifted(rows), joint_3d, path, labels)
