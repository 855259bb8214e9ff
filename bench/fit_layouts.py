"""Fit the recipes of minilift/poses/layouts/estimates.py to motion capture.

    for s in 09 13 16 17 29 55 86 87 88 91 104 131; do
        minilift data clips cmu/$s/*.amc --out people/$s.npz --every 24; done
    python -m bench.fit_layouts people/??.npz people/???.npz

cmu/ holds the .asf and .amc files of mocap.cs.cmu.edu. A file is one person, and all people count the same.
The clips have joints' centres and the head, but no face: ears, eyes, nose, chin, forehead and top of the head
are placed around the head by anthropometry, straight ahead of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import numpy as np

from minilift.poses.layouts import COURSE15, ROOT
from minilift.poses.layouts.estimates import FITTED

TOP = 0.340
"""Metres from the middle of the shoulders' centres to the top of the head: stature less acromial height,
plus 3.5 cm from acromion to the joint's centre. ANSUR II, mean of women (1628.5 - 1335.1 mm) and men
(1756.2 - 1440.7 mm), Natick TR-15/007."""
TRUNK = 0.53  # metres from hips to neck of these people, to scale a head's sizes
FACE = {
    "left_ear": (0.129, 0.0, 0.072),
    "right_ear": (0.129, 0.0, -0.072),
    "left_eye": (0.115, 0.085, 0.031),
    "right_eye": (0.115, 0.085, -0.031),
    "nose": (0.150, 0.115, 0.0),
    "chin": (0.232, 0.080, 0.0),
    "forehead": (0.060, 0.085, 0.0),
    "head_top": (0.0, 0.0, 0.0),
    "upper_neck": (0.235, 0.02, 0.0),
}
"""Metres below the top of the head, ahead of the ears, and to the person's left. Ears: tragion to top of
head of ANSUR II (129 mm). The rest is round numbers of the kind that Natick TR-89/044 tabulates:
bitragion breadth, interpupillary distance, and the places of ectoorbitale, pronasale and menton. The
upper neck is MPII's, in the neck at the chin's level."""
NOISE = 0.02
"""Metres that a detector is off: without it, weights of points close to one another grow large."""


def people(path: str) -> dict[str, np.ndarray]:
    """Points (n, 3) in metres from the mid-hip, by name."""
    poses = np.load(path)["joint_3d"].astype(np.float64) - np.array(ROOT)
    scale = np.load(path.removesuffix(".npz") + "_scale.npy").astype(np.float64)
    joints = (poses * scale[:, None, None]).swapaxes(0, 1)
    return with_face({**dict(zip(COURSE15.joints, joints, strict=True)), "root": np.zeros_like(joints[0])})


def with_face(points: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same, and FACE."""
    middle = (points["left_shoulder"] + points["right_shoulder"]) / 2
    up = _unit(points["head"] - points["neck"])
    left = points["left_shoulder"] - points["right_shoulder"]
    left = _unit(left - (left * up).sum(axis=1, keepdims=True) * up)
    ahead = np.cross(left, up)
    size = np.median(np.linalg.norm(points["neck"], axis=1)) / TRUNK
    rise = TOP * size - np.median(((points["head"] - middle) * up).sum(axis=1))
    top = points["head"] + rise * up
    face = {
        name: top + size * (-below * up + before * ahead + beside * left)
        for name, (below, before, beside) in FACE.items()
    }
    return {**points, **face}


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def fit(
    target: str, parts: Sequence[str], sets: Sequence[Mapping[str, np.ndarray]]
) -> tuple[np.ndarray, float]:
    """The weights of the parts, sum 1, nearest to the target with noise on each part; and the rms without it.

    A part is a joint, or `shoulders`: the mean of left and right, half as noisy.
    """
    base, directions, spreads = _columns(target, parts, sets)
    first, others = spreads[0], spreads[1:]
    # the first weight is 1 less the sum of the others; the noise of all of them is the ridge
    count = len(base)
    normal = directions.T @ directions + count * NOISE**2 * (np.diag(others) + first)
    weights = np.linalg.solve(normal, directions.T @ base + count * NOISE**2 * first)
    rest = (base - directions @ weights).reshape(-1, 3)
    return np.array([1 - weights.sum(), *weights]), float(np.sqrt((rest**2).sum(axis=1).mean()))


def _columns(
    target: str, parts: Sequence[str], sets: Sequence[Mapping[str, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, columns = [], []
    for points in sets:
        weight = (1 / len(points[target])) ** 0.5
        places = [_place(part, points) for part in parts]
        rows.append(weight * (points[target] - places[0]).ravel())
        columns.append(weight * np.array([(other - places[0]).ravel() for other in places]).T[:, 1:])
    scale = (sum(map(len, rows)) / 3 / len(sets)) ** 0.5  # so that rows count as many as there are frames
    spreads = np.array([0.5 if part.endswith("s") else 1.0 for part in parts])
    return scale * np.concatenate(rows), scale * np.concatenate(columns), spreads


def _place(part: str, points: Mapping[str, np.ndarray]) -> np.ndarray:
    if part.endswith("s"):
        return (points[f"left_{part[:-1]}"] + points[f"right_{part[:-1]}"]) / 2
    return points[part]


def main(paths: Sequence[str]) -> None:
    sets = [people(path) for path in paths]
    print(f"{sum(len(points['root']) for points in sets):,} frames of {len(sets)} people")
    for target, recipes in FITTED.items():
        for recipe in recipes:
            weights, rms = fit(target, tuple(recipe), sets)
            row = ", ".join(f'"{part}": {weight:.3f}' for part, weight in zip(recipe, weights, strict=True))
            print(f"    {target}: {{{row}}},  # {1000 * rms:.0f} mm")


if __name__ == "__main__":
    main(sys.argv[1:])
