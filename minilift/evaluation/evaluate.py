"""One pass of a lifter over poses, part by part, from which everything that is told of it is made."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.evaluation.baselines import Baselines
from minilift.evaluation.errors import PoseErrors, joined, measure
from minilift.evaluation.figures import Figures
from minilift.evaluation.judged import Judged, no_trust
from minilift.evaluation.report import Options, Report
from minilift.files import PathLike, one_line
from minilift.files.mapped import Points, Spool, chunks, shown
from minilift.lift.lifter import Lifter
from minilift.poses.layouts import JOINTS
from minilift.poses.motion import in_pieces
from minilift.poses.poses import Poses


class NotFinite(InputError):
    """A lifter's predictions are infinite or undefined."""


def evaluate_lifter(
    lifter: Lifter, poses: Poses, options: Options | None = None, *, clips: np.ndarray | None = None,
    baselines: Baselines | None = None, details: bool = False, keep: PathLike | None = None,
    data: PathLike | None = None, scale_path: PathLike | None = None, bar: bool = True,
) -> Report:  # fmt: skip
    """Measure a lifter on poses that have their truth, in one pass, a few thousand of them at a time.

    `clips` (N,): whole numbers that say which clip each pose is of, poses in order of time, for velocity and
    jitter. `baselines`: what `fit_baselines` gave; a flat pose is always among them. `details`: keep the
    errors of every pose by joint and axis, 80 bytes each, for charts. `keep`: the file that the
    predictions are for; they wait in its folder, in files without a name, as long as the report lives.
    `data` and `scale_path`: the names of the files that the poses and their metres per unit came from. `bar`:
    let a terminal see how far it is where poses stay in their file. Where the lifter says how far to trust
    it, that is measured, too, unless keypoints are hidden: it was learned on whole poses.

    Raises ValueError for no poses, for clips of another shape or kind, or one in pieces; InputError for poses
    without joint_3d, for hidden keypoints with a lifter that puts joints onto rays, and NotFinite.
    """
    options, baselines = options or Options(), baselines or Baselines()
    _check(poses, clips)
    hidden = hidden_keypoints(options.hide, len(poses)) if options.hide else None
    predict = partial(lifter.predict, flip=options.flip, project=options.project, missing=hidden is not None)
    figures = Figures(options.loss, options.threshold, options.fps, baselines.fitted)
    useless, plain = "" if options.hide else no_trust(lifter), not (options.flip or options.project)
    trust = Judged(lifter, len(poses), plain, keep) if useless is None else None
    gathered = _Gathered(figures, trust, details, keep)
    for rows in shown(poses.joint_2d, "predicting") if bar else chunks(len(poses)):
        part = poses.read(rows)
        joint_2d = _seen(part.joint_2d, hidden, rows)
        joint_3d = _finite(predict(joint_2d), lifter)
        gathered.add(part, joint_2d, joint_3d, None if clips is None else clips[rows])
    return Report(
        poses, figures.result() | ({} if clips is None else {"fps": options.fps}), figures.each,
        lambda rows: predict(_seen(poses.read(rows).joint_2d, hidden, rows)),
        options, trust.result() if trust else None, gathered.errors(), gathered.arrays(),
        weights=lifter.weights, device=lifter.device,
        data=data, scale_path=scale_path,
        train=baselines.source, train_poses=baselines.poses, baselines_note=baselines.note,
        notes=(useless,) if useless else (),
    )  # fmt: skip


class _Gathered:
    """All that is gathered of predictions and their truth, part by part."""

    def __init__(self, figures: Figures, trust: Judged | None, details: bool, keep: PathLike | None) -> None:
        self.figures, self.trust, self.details = figures, trust, details
        self.each: list[PoseErrors] = []
        self.predicted = None if keep is None else Spool(Path(keep).parent, (len(JOINTS), 3), keep)

    def add(self, poses: Poses, joint_2d: np.ndarray, joint_3d: np.ndarray, clips: np.ndarray | None) -> None:
        """A part of the poses, the points of it that were seen, NaN for others, and the predictions."""
        truth = np.asarray(poses.joint_3d)
        self.figures.add(joint_3d, np.nan_to_num(joint_2d), truth, poses.scale, clips)
        if self.details:
            self.each.append(measure(joint_3d, truth, poses.scale, clips))
        if self.predicted is not None:
            self.predicted.append(joint_3d)
        if self.trust is not None:
            self.trust.add(poses, joint_3d)

    def errors(self) -> PoseErrors | None:
        return joined(self.each) if self.details else None

    def arrays(self) -> dict[str, Points]:
        if self.predicted is None:
            return {}
        return {"joint_3d": self.predicted.rows(), **(self.trust.arrays() if self.trust else {})}


def hidden_keypoints(share: float, n: int) -> np.ndarray:
    """Which keypoints of n poses are hidden (n, 15): this share of them, each by itself; always the same."""
    rng = np.random.default_rng(0)
    sizes = (rows.stop - rows.start for rows in chunks(n))
    return np.concatenate([rng.random((size, len(JOINTS)), np.float32) < share for size in sizes])


def _seen(joint_2d: Any, hidden: np.ndarray | None, rows: Any) -> np.ndarray:
    """The points of these rows of the poses, with NaN for those that are hidden."""
    points = np.asarray(joint_2d)
    return points if hidden is None else np.where(hidden[rows][..., None], np.float32(np.nan), points)


def _check(poses: Poses, clips: np.ndarray | None) -> None:
    if not len(poses):
        raise ValueError("there are no poses to measure; give at least one")
    if poses.joint_3d is None:
        raise InputError("the poses have no joint_3d, the truth that predictions are measured by")
    if clips is not None and (problem := problem_of_clips(clips, len(poses))):
        raise ValueError(problem)


def problem_of_clips(clips: np.ndarray, n: int) -> str:
    """What is wrong with numbers of clips for n poses, and the remedy; "" where nothing is."""
    if clips.shape != (n,) or clips.dtype.kind not in "iu":
        shapes = f"clips have shape {clips.shape} of {clips.dtype}, expected ({n},) whole numbers"
        return f"{shapes}; give each pose the number of its clip"
    if in_pieces(clips):
        problem = "a clip comes in pieces, so neighbours are not neighbours in time"
        return f"{problem}; sort the poses by clip and time, or number the pieces apart"
    return ""


def _finite(joint_3d: np.ndarray, lifter: Lifter) -> np.ndarray:
    if not np.isfinite(joint_3d).all():
        name = "the lifter" if lifter.weights is None else one_line(str(lifter.weights))
        raise NotFinite(f"{name}: its predictions are too large or undefined; train again, with a lower lr")
    return joint_3d
