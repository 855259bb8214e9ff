"""The errors of every single pose, for charts: by joint and axis, with direction of view and distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from minilift.evaluation.uncertainty import block_size
from minilift.poses.lens.orientation import azimuth
from minilift.poses.metrics import joint_errors

FEWEST = 20  # poses in a bin, or clips in all, that make an interval worth drawing


@dataclass(frozen=True)
class PoseErrors:
    """The errors of n poses, in mm where metres per unit are known, otherwise in units: 80 bytes for each."""

    joints: np.ndarray
    """(n, J) float32: distances of joints from their truth."""
    axes: np.ndarray
    """(n, 3) float32: the absolute error along x, y and z, on average over the joints."""
    azimuth: np.ndarray
    """(n,) float32 degrees: where the camera stands, 0 in front of the person, 90 on their left."""
    distance: np.ndarray
    """(n,) float32 metres from camera to root; empty where they are unknown."""
    clips: np.ndarray
    """(n,) the number of each pose's clip; empty where they are unknown."""

    @property
    def unit(self) -> str:
        return "mm" if len(self.distance) else "units"

    @property
    def mpjpe(self) -> np.ndarray:
        """(n,) the mean over the joints."""
        return np.asarray(self.joints.mean(axis=1))

    def groups(self) -> np.ndarray:
        """What is resampled for intervals (n,): clips where there are enough, else blocks of neighbours."""
        if len(self.clips) and len(np.unique(self.clips)) >= FEWEST:
            return self.clips
        return np.arange(len(self.joints)) // block_size(len(self.joints))


def measure(
    predicted: np.ndarray, truth: np.ndarray, scale: np.ndarray | None = None, clips: np.ndarray | None = None
) -> PoseErrors:
    """The errors of predictions (n, J, 3); in mm with metres per unit `scale` (n,), otherwise in units."""
    size = np.ones(len(truth)) if scale is None else 1000 * scale.astype(np.float64)
    along = np.abs(np.asarray(predicted, np.float64) - truth).mean(axis=1)
    return PoseErrors(
        joints=(size[:, None] * joint_errors(predicted, truth)).astype(np.float32),
        axes=(size[:, None] * along).astype(np.float32),
        azimuth=azimuth(truth).astype(np.float32),
        distance=np.empty(0, np.float32) if scale is None else scale.astype(np.float32),
        clips=np.empty(0, np.int64) if clips is None else clips,
    )


def joined(parts: Sequence[PoseErrors]) -> PoseErrors:
    """The errors of poses that came in parts."""
    return PoseErrors(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(PoseErrors))
    )
