"""The poses of the viewer as bytes: 16 bits a coordinate, in base64."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.poses.layouts import COURSE15, ROOT
from minilift.poses.poses import Poses
from minilift.show.html.numbers import in_base64, quantised, reach
from minilift.show.people.skeletons import side

MOST = 20_000  # poses in one page: 6.9 MB of it


def pack(
    rows: np.ndarray, errors: np.ndarray, predicted: np.ndarray, poses: Poses
) -> tuple[dict[str, Any], str]:
    """What the viewer needs to know of n poses, and the poses: (a dict fit for JSON, base64).

    `rows` (n,) are their places in the file, `errors` (n,) what they are sorted by, in mm where `poses` have
    a scale, else in units; `predicted` is (n, 15, 3). The bytes are little-endian, one array after another:

        int32   rows (n,)
        float32 errors (n,), scale (n,) metres per unit or 1, reach_3d (n,), reach_2d (n,)
        int16   predicted (n, 15, 3), truth (n, 15, 3), joint_2d (n, 15, 2)

    Joints are relative to the root, in units. A coordinate is reach * int16 / 32767, with the reach of its
    own pose, the largest absolute coordinate. So a wild prediction costs no other pose its precision: half a
    step of a pose that reaches 0.3 units is 5e-6 units, 0.02 mm at 4 m.
    """
    truth = np.asarray(poses.joint_3d, np.float64) - ROOT
    guess, flat = predicted.astype(np.float64) - ROOT, np.asarray(poses.joint_2d, np.float64)
    reach_3d = np.maximum(reach(truth), reach(guess)).astype("<f4")
    reach_2d = reach(flat).astype("<f4")
    scale = np.ones(len(rows)) if poses.scale is None else poses.scale
    arrays = (
        rows.astype("<i4"),
        errors.astype("<f4"),
        scale.astype("<f4"),
        reach_3d,
        reach_2d,
        quantised(guess, reach_3d),
        quantised(truth, reach_3d),
        quantised(flat, reach_2d),
    )
    about = {
        "n": len(rows),
        "joints": [name.replace("_", " ") for name in COURSE15.joints],
        "parents": list(COURSE15.parents),
        "sides": [side(joint) for joint in range(len(COURSE15))],
        "metres": poses.scale is not None,
        # how far people reach, and the farthest camera, in the viewer's unit: they frame every pose alike
        "reach": float(np.percentile(reach(truth) * scale, 99)),
        "farthest": float(scale.max()),
        "image": float(np.percentile(reach_2d, 99)),
    }
    return about, in_base64(arrays)
