"""Which side of a person the camera sees."""

import numpy as np

from minilift.poses.layouts import COURSE15, Layout

PAIRS = (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"))


def azimuth(joint_3d: np.ndarray, layout: Layout = COURSE15) -> np.ndarray:
    """The camera's azimuth (N,) in degrees, from -180 to 180, for poses (N, J, 3) of a layout.

    0: the person faces the camera; 90: it sees their left side; 180: their back. That is the azimuth of
    `camera.to_camera`, found again from the line across hips and shoulders, left minus right, which at
    azimuth a and elevation 0 is (cos a, 0, sin a) times its length. A camera that looks down, or a person who
    leans, moves it by a few degrees. Poses without such a line, seen from straight above, give 0.
    """
    points = np.asarray(joint_3d, np.float64)
    if points.ndim != 3 or points.shape[1:] != (len(layout), 3):
        raise ValueError(f"expected poses of shape (N, {len(layout)}, 3), got {points.shape}")
    left, right = ([layout.index(pair[side]) for pair in PAIRS] for side in (0, 1))
    across = (points[:, left] - points[:, right]).sum(axis=1)
    return np.asarray(np.degrees(np.arctan2(across[:, 2], across[:, 0])))
