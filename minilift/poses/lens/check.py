"""The answer seen through the camera again: how far it lies from the keypoints that were given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilift.poses.lens.camera import Camera


def distances(camera: Camera, joint_3d: np.ndarray, joint_2d: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Pixels (n, 15) between given joints (n, 15, 2) and projected ones; NaN for those that were not seen.

    `joint_3d` (n, 15, 3) is in the camera's axes, of any unit.
    """
    off = np.linalg.norm(camera.pixels(joint_3d) - joint_2d, axis=2)
    return np.asarray(np.where(seen, off, np.nan))


def reprojection(camera: Camera, joint_3d: np.ndarray, joint_2d: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The mean of `distances` of every row, (n,); NaN for a row without a seen joint."""
    off = distances(camera, joint_3d, joint_2d, seen)
    counted = np.isfinite(off)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counted, off, 0).sum(axis=1) / counted.sum(axis=1))


@dataclass(frozen=True)
class Check:
    """What `distances` come to, over all seen joints, in pixels; NaN where none was seen."""

    median: float
    percentile_95: float
    largest: float
    share: float
    """The median as a share of a person's size in the picture: the diagonal of the box of the seen joints."""
    joints: int
    """How many were compared."""

    @classmethod
    def of(cls, off: np.ndarray, joint_2d: np.ndarray) -> Check:
        """From `distances` (n, 15) and the given joints (n, 15, 2)."""
        known = np.isfinite(off)
        if not known.any():
            return cls(*(float("nan"),) * 4, 0)
        median, high = (float(value) for value in np.quantile(off[known], [0.5, 0.95]))
        some = known.any(axis=1)
        place = np.where(known[some, :, None], joint_2d[some], np.nan)
        size = np.linalg.norm(np.nanmax(place, axis=1) - np.nanmin(place, axis=1), axis=1)
        share = median / max(float(np.median(size)), 1e-12)
        return cls(median, high, float(off[known].max()), share, int(known.sum()))

    def __str__(self) -> str:
        if not self.joints:
            return "no joint was seen, so nothing can be compared"
        digits = ".2f" if self.largest < 1e6 else ".2e"
        return (
            f"projected again, {self.joints:,} joints are {self.median:{digits}} px (median), "
            f"{self.percentile_95:{digits}} px (95 of 100) and at most {self.largest:{digits}} px "
            f"from where they were seen; the median is {self.share:.2%} of a person's size"
        )
