"""Places for keypoints that were not seen, for weights that must be given all of them."""

from __future__ import annotations

import numpy as np

from minilift.poses.layouts import COURSE15

_STANDING = {
    "hip": (0.10, 0.0), "knee": (0.11, -0.42), "ankle": (0.11, -0.84), "spine": (0.0, 0.20),
    "neck": (0.0, 0.52), "head": (0.0, 0.74), "shoulder": (0.17, 0.48), "elbow": (0.22, 0.20),
    "wrist": (0.25, -0.04),
}  # fmt: skip
"""A person who stands and faces the camera, arms hanging, metres to the left and up from the mid-hip: average
lengths of docs/augmentation.md at a stature of 1.7 m."""


def _standing() -> np.ndarray:
    rows = []
    for joint in COURSE15.joints:
        side, _, part = joint.rpartition("_")
        left, up = _STANDING[part]
        rows.append((-left if side == "right" else left, up))
    return np.array(rows)


def stand_in(rays: np.ndarray) -> np.ndarray:
    """Rays (n, 15, 2) with NaN filled in: a standing person, of the size that the seen joints have.

    The size is the root mean square distance of the seen joints from the mid-hip, at (0, 0), divided by that
    of the same joints of the standing person. Rows without a seen joint stay NaN.
    """
    seen = ~np.isnan(rays).any(axis=2)
    standing = _standing()
    reach = np.where(seen, (np.nan_to_num(rays) ** 2).sum(axis=2), 0).sum(axis=1)
    usual = np.where(seen, (standing**2).sum(axis=1), 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.sqrt(reach / usual)
    filled = size[:, None, None] * standing
    return np.where(seen[:, :, None], rays, filled).astype(rays.dtype)
