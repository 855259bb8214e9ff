"""What an evaluation found: one object, of which text, JSON, page and charts are views."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minilift.errors import counted
from minilift.evaluation.errors import PoseErrors
from minilift.files import PathLike, one_line
from minilift.files.mapped import Points
from minilift.lift.trust import MANY_UNLIKE
from minilift.poses.poses import Poses

FEWEST_UNLIKE = 5  # unlike poses that speak of other people or cameras, if they are also MANY_UNLIKE


@dataclass(frozen=True)
class Options:
    """How predictions are made and what is made of them. Raises ValueError for what cannot be."""

    flip: bool = False
    """Average each prediction with that for the mirrored pose."""
    project: bool = False
    """Put the predicted joints onto the rays through their 2D points."""
    hide: float = 0.0
    """The share of 2D keypoints that is hidden from all predictors, the same ones every time; 0 to 1."""
    loss: str = "mpjpe"
    """The loss to average: mpjpe, or mse in units squared."""
    threshold: float | None = None
    """Of PCK and AUC, in mm where metres per unit are known, else in units; None: 150 mm, or 0.03 units."""
    fps: float | None = None
    """Frames per second of the clips; None: movement is per frame."""

    def __post_init__(self) -> None:
        if not 0 <= self.hide <= 1:
            raise ValueError(f"hide={self.hide:g} must be from 0 to 1")
        if self.loss not in ("mpjpe", "mse"):
            raise ValueError(f"loss={self.loss!r} must be 'mpjpe' or 'mse'")
        for name in ("threshold", "fps"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name}={value:g} must be more than 0 and finite")


@dataclass(frozen=True)
class Report:
    """What one pass of a lifter over N poses found; `evaluate_lifter` makes it.

    Views: `json` here; `minilift.show.text.report_text`, `minilift.show.page.write_report`,
    `minilift.show.charts.errors.plot_errors` and `minilift.show.people.extremes.plot_extremes`.
    """

    poses: Poses
    """What was measured on, with its truth and, where known, metres per unit. It may stay in its file."""
    figures: Mapping[str, Any]
    """Every figure under its name in docs/metrics.md, fit for JSON. Those with a unit are in units, and where
    metres per unit are known once more in millimetres, under the name with `_mm` at its end."""
    each: np.ndarray
    """(N,) float32: the MPJPE of every pose, in units."""
    lifted: Callable[[np.ndarray], np.ndarray]
    """For rows (n,) of the poses their predictions (n, 15, 3), in units: made again, not kept."""
    options: Options = field(default_factory=Options)
    """How the predictions were made."""
    trust: Mapping[str, Any] | None = None
    """How well the lifter expected its errors (docs/trust.md); None where it has no trust model."""
    errors: PoseErrors | None = None
    """The errors of each pose by joint and axis, where they were asked for."""
    arrays: Mapping[str, Points] = field(default_factory=dict)
    """What was predicted, where it was to be kept: joint_3d (N, 15, 3) in units and, with trust,
    expected_error (N, 15) in units, distance (N,), percentile (N,)."""
    weights: PathLike | None = None
    """The file of the lifter's weights; None where it has none."""
    device: str = ""
    """What computed the predictions."""
    data: PathLike | None = None
    """The file of the poses; None where they have none."""
    scale_path: PathLike | None = None
    """The file of the metres per unit; None where they have none."""
    train: PathLike | None = None
    """The file of the poses that the baselines were fitted on; None where they have none."""
    train_poses: int | None = None
    """How many those were; None where no baseline was fitted."""
    baselines_note: str = ""
    """Why no baselines were fitted, in a few words."""
    notes: tuple[str, ...] = ()
    """What else to tell: lines of text."""

    @property
    def title(self) -> str:
        """What was measured, in a few words."""
        weights, data = (one_line(str(path)) for path in (self.weights or "lifter", self.data or "poses"))
        return f"{weights} on {data}: {counted(len(self.poses), 'pose')}"

    @property
    def mm(self) -> np.ndarray | None:
        """(N,) float64: the MPJPE of every pose in mm; None where metres per unit are not known."""
        return None if self.poses.scale is None else 1000 * self.poses.scale.astype(np.float64) * self.each

    @property
    def people_are_unlike(self) -> bool:
        """Whether far more poses are unlike the training data than of people and cameras like those in it."""
        share = 0.0 if self.trust is None else self.trust["unlike"]
        return bool(share > MANY_UNLIKE and round(share * len(self.poses)) >= FEWEST_UNLIKE)

    def as_dict(self) -> dict[str, Any]:
        """All that can be said in JSON, under the names of docs/metrics.md."""
        files = {"weights": self.weights, "data": self.data, "train": self.train}
        found: dict[str, Any] = {name: None if path is None else str(path) for name, path in files.items()}
        found["train_poses"] = self.train_poses
        found |= {name: getattr(self.options, name) for name in ("flip", "project", "hide")}
        found |= self.figures
        return found if self.trust is None else found | {"trust": self.trust}

    def json(self) -> str:
        """`as_dict` as one line of JSON."""
        return json.dumps(self.as_dict(), allow_nan=False)
