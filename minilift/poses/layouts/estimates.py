"""How a joint of the course's is made of others where a layout, or a detection, lacks it.

Every recipe is a combination of joints with weights of sum 1, so it holds in the image as it does in space,
up to perspective within a person. The weights are least-squares fits to motion capture; `python -m
bench.fit_layouts` makes them again, and docs/layouts.md tells how: 2,531 frames of 12 people, 49 clips of
mocap.cs.cmu.edu. "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created
with funding from NSF EIA-0196217." Its skeletons have no face, so ears, eyes, nose, chin, forehead and top of
the head were placed around the head by anthropometry.
"""

from __future__ import annotations

from collections.abc import Mapping

Weights = Mapping[str, float]

FITTED: dict[str, tuple[Weights, ...]] = {
    "root": (
        {"left_hip": 0.993, "left_shoulder": -0.226, "right_shoulder": 0.233},  # 20 mm
    ),
    "neck": (
        {"shoulders": 1.053, "root": -0.053},  # 28 mm
        {"shoulders": 1.000},  # 40 mm
        {"left_shoulder": 1.033, "left_hip": -0.979, "right_hip": 0.945},  # 53 mm
    ),
    "spine": (
        {"root": 0.602, "neck": 0.398},  # 41 mm
    ),
    "head": (
        {"ears": 1.016, "shoulders": -0.016},  # 11 mm
        {"head_top": 0.636, "shoulders": 0.364},  # 14 mm
        {"ears": 1.000},  # 13 mm
        {"upper_neck": 0.518, "head_top": 0.482},  # 15 mm
        {"eyes": 0.771, "nose": -0.324, "shoulders": 0.758, "root": -0.205},  # 38 mm
        {"chin": -0.603, "forehead": 0.967, "shoulders": 0.636},  # 41 mm
        {"left_ear": 0.325, "nose": 0.206, "shoulders": 0.681, "root": -0.212},  # 43 mm
        {"eyes": 1.562, "nose": -0.802, "shoulders": 0.240},  # 47 mm
        {"left_ear": 0.443, "shoulders": 0.792, "root": -0.236},  # 50 mm
        {"nose": 0.299, "shoulders": 1.013, "root": -0.312},  # 50 mm
        {"left_ear": 0.686, "nose": 0.273, "shoulders": 0.040},  # 64 mm
        {"left_ear": 0.903, "shoulders": 0.097},  # 72 mm
        {"eyes": 1.438, "nose": -0.438},  # 77 mm
        {"chin": 0.387, "forehead": 0.613},  # 85 mm
        {"nose": 0.821, "shoulders": 0.179},  # 115 mm
    ),
}  # fmt: skip
"""The recipes of a joint, best first, and the distance from the measured joint, rms. A part in the plural is
the mean of left and right. A recipe with a left joint stands for its mirror image as well."""

_NO_HEAD: Weights = {"shoulders": 1.415, "root": -0.415}  # 63 mm
"""The head of a layout that has no joint of the head at all. Where a detector only missed them, the head is
missing: the network knows more about it than a straight line does."""

OF_THE_HEAD = ("head", "head_top", "upper_neck", "nose", "eye", "ear", "chin", "forehead", "mouth")

_BOTH = {"shoulders": "shoulder", "ears": "ear", "eyes": "eye"}
_OTHER = {"left": "right", "right": "left"}


def recipes(joint: str, head_known: bool = True) -> tuple[Weights, ...]:
    """The recipes of a joint in single joints, best first; "root" and "neck" are made before.

    `head_known`: whether the layout has a joint of the head.
    """
    rows = FITTED.get(joint, ()) if joint != "head" or head_known else (_NO_HEAD,)
    found: list[Weights] = []
    for row in rows:
        weights = _single(row)
        found.append(weights)
        if any(name.startswith("left_") for name in row):
            found.append({_mirrored(name): weight for name, weight in weights.items()})
    return tuple(found)


def _single(row: Weights) -> Weights:
    """With both joints for each part in the plural, and the sum 1 again that rounding took."""
    found: dict[str, float] = {}
    for part, weight in row.items():
        names = [f"{side}_{_BOTH[part]}" for side in _OTHER] if part in _BOTH else [part]
        found.update(dict.fromkeys(names, weight / len(names)))
    total = sum(found.values())
    return {name: weight / total for name, weight in found.items()}


def _mirrored(name: str) -> str:
    side, _, part = name.partition("_")
    return f"{_OTHER[side]}_{part}" if side in _OTHER else name
