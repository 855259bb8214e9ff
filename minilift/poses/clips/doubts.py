"""Whether the joints of a clip can be a person's: bones, torso, and the axis that points up."""

from itertools import pairwise

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.layouts import COURSE15
from minilift.poses.read.clip import Clip

LIMB_BONES = (0.03, 1.2)
"""Metres of a bone of arm or leg: from a newborn's forearm to more than a giant's thigh."""

TORSO = 0.29
"""Of the legs' length: below it, the way from spine to neck is short. CMU's people have 0.35 to 0.43 in their
.asf files and 0.24 to 0.27 in conversions that lack the thorax; Bandai-Namco's 0.31."""

_TRAVEL = 0.1  # metres by which a floor does not vary

_LIMBS = [
    row for row, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle", "elbow", "wrist"))
]
_LEGS = [row for row, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]
_SPINE, _NECK = COURSE15.index("spine"), COURSE15.index("neck")


def check_bones(path: PathLike, joints: np.ndarray, metres: float) -> None:
    """Raise InputError, with the bone and its length, where joints (F, 15, 3) in metres are no person's.

    `metres` is what a unit of the file was taken for.
    """
    lengths = COURSE15.bone_lengths(joints - (0, 0, 1)).mean(axis=0)
    low, high = LIMB_BONES
    for row in np.argsort(-np.abs(np.log(np.maximum(lengths, 1e-9)))):  # the strangest first
        if lengths[row] > high or (row in _LIMBS and lengths[row] < low):
            bone = f"{COURSE15.bones[row]} is {_shown(lengths[row])} long where a unit is {metres:.3g} m"
            raise file_error(path, f"{bone}, which is no person's; check the unit, and which joint is which")


def _shown(metres: float) -> str:
    return f"{metres:.3g} m" if metres >= 1 else f"{100 * metres:.2g} cm"


def short_torso(clip: Clip, joints: np.ndarray) -> list[str]:
    """A warning where the neck of joints (F, 15, 3) sits too low above the spine, with the proportion."""
    lengths = COURSE15.bone_lengths(joints - (0, 0, 1)).mean(axis=0)
    torso, legs = lengths[_NECK], lengths[_LEGS].sum() / 2
    if torso >= TORSO * legs:
        return []
    where = f"spine to neck is {torso / legs:.2f} of the legs, other people's 0.31 to 0.43"
    cause = "the torso of the file may be short"
    if lacks_thorax(clip):
        cause = "this conversion of CMU's clips lacks the thorax; take the .asf and .amc of the same take"
    return [f"{where}: neck, head and arms sit too low; {cause}"]


def lacks_thorax(clip: Clip) -> bool:
    """Whether neck and both shoulders hang from one joint without a bone between, as in CMU's .bvh files."""
    rows = [row for row, name in enumerate(clip.names) if name in ("Neck", "LeftShoulder", "RightShoulder")]
    same = all(clip.parents[a] == clip.parents[b] for a, b in pairwise(rows))
    return len(rows) == 3 and same and not clip.offsets[rows].any()


def wrong_up(world: np.ndarray, other: np.ndarray, name: str) -> list[str]:
    """A warning where the clip looks as if the other axis points up. Joints (F, 15, 3), metres, for both.

    Judged over the whole clip: the neck is mostly that way from the hips, and the person does not travel
    along that axis while the lowest joint keeps its height, the floor's, along the one taken. Cartwheels and
    handstands are upside down for a while, which tells nothing of the axes.
    """
    here, there = (_upright(points) for points in (world, other))
    if there < 0.6 or here > there:
        return []
    if _floor(other) > max(_TRAVEL, 2 * _floor(world)):  # on all fours, along that axis
        return []
    return [
        f"the axis {name} seems to point up: along it the neck is {there:.0%} of its distance above the hips"
    ]


def _upright(points: np.ndarray) -> float:
    """How far up the neck is from the hips, on average over the clip: 1 upright, 0 lying, -1 head down."""
    neck = COURSE15.from_root(points)[:, _NECK]
    return float((neck[:, 1] / np.maximum(np.linalg.norm(neck, axis=1), 1e-9)).mean())


def _floor(points: np.ndarray) -> float:
    """How much the height of the lowest joint varies: metres between its 10th and 90th percentile."""
    low, high = np.percentile(points[..., 1].min(axis=1), (10, 90))
    return float(high - low)
