"""Movements put onto other bodies: every bone keeps its direction and takes another length."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.strangers.takes import Take
from minilift.errors import InputError
from minilift.poses.layouts import COURSE15

Lengths = dict[str, float]

CHILD: Lengths = {
    "hip": 0.062, "knee": 0.285, "ankle": 0.275, "spine": 0.155, "neck": 0.225, "head": 0.125,
    "shoulder": 0.128, "elbow": 0.205, "wrist": 0.172,
}  # fmt: skip
"""Metres. A made child of about 1.22 m: next to adults a longer head and trunk, shorter legs."""


def retargeted(take: Take, lengths: np.ndarray, name: str) -> Take:
    """The movement on bones of the given lengths (15,) metres, each from a joint's parent to the joint.

    Both hips need one length, or the mid-hip would not stay where it is. Raises ValueError otherwise, and for
    a bone without a direction.
    """
    left, right = COURSE15.index("left_hip"), COURSE15.index("right_hip")
    if lengths.shape != (len(COURSE15),) or lengths[left] != lengths[right]:
        raise ValueError(f"expected {len(COURSE15)} lengths, of the hips the same, got {lengths}")
    directions = directions_of(take.joints)
    joints = np.zeros_like(take.joints)
    for joint, parent in enumerate(COURSE15.parents):  # a parent comes before its children
        start = joints[:, parent] if parent >= 0 else 0
        joints[:, joint] = start + lengths[joint] * directions[:, joint]
    return replace(take, name=f"{take.name} on {name}", subject=name, joints=joints)


def directions_of(joints: np.ndarray) -> np.ndarray:
    """(F, 15, 3) unit vectors from parent to joint of points from the mid-hip. ValueError for no length."""
    points = np.concatenate([joints, np.zeros((len(joints), 1, 3))], axis=1)
    bones = joints - points[:, list(COURSE15.parents)]
    lengths = np.linalg.norm(bones, axis=2, keepdims=True)
    if lengths.min(initial=np.inf) < 1e-6:
        raise ValueError("a bone of length 0 has no direction to keep")
    return np.asarray(bones / lengths)


def by_joint(lengths: Lengths) -> np.ndarray:
    """(15,) of lengths by part: left and right alike."""
    return np.array([lengths[joint.rpartition("_")[2]] for joint in COURSE15.joints])


def people(shared: Path, seed: int = 5) -> dict[str, np.ndarray]:
    """Bone lengths (15,) of a woman, a man and a child, by name.

    The adults are two rows of ../shared/data/bodies, drawn by the seed: real people, whose proportions belong
    together. No training draws these very bodies: it draws from a distribution.
    """
    path = shared / "data" / "bodies" / "ansur2.csv"
    if not path.is_file():
        raise InputError(f"{path}: is missing; name the folder with the shared data by --shared")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    rng, found = np.random.default_rng(seed), {}
    for sex, name in (("F", "woman"), ("M", "man")):
        some = [row for row in rows if row["sex"] == sex]
        found[name] = by_joint(bones(some[int(rng.integers(len(some)))]))
    return found | {"child": by_joint(CHILD)}


def bones(row: dict[str, str]) -> Lengths:
    """Metres from joint to joint of one row of ANSUR II, whose landmarks lie on the surface (mm).

    Hip centres are 0.6 of the bicristal breadth apart; the shoulder's centre is 3.5 cm below the acromion and
    3.5 cm inward, and 6 cm below the neck, which is at the cervicale; the spine's joint halves the trunk at
    0.4; the head's joint is at 0.6 of the way to the crown.
    """
    mm = {name: float(value) for name, value in row.items() if name not in ("sex", "age")}
    trunk, head = mm["cervicaleheight"] - mm["trochanterionheight"], mm["stature"] - mm["cervicaleheight"]
    found = {
        "hip": 0.3 * mm["bicristalbreadth"],
        "knee": mm["trochanterionheight"] - mm["lateralfemoralepicondyleheight"],
        "ankle": mm["lateralfemoralepicondyleheight"] - mm["lateralmalleolusheight"],
        "spine": 0.4 * trunk,
        "neck": 0.6 * trunk,
        "head": 0.6 * head,
        "shoulder": float(np.hypot(mm["biacromialbreadth"] / 2 - 35, 60)),
        "elbow": mm["acromionradialelength"] - 35,
        "wrist": mm["radialestylionlength"],
    }
    return {name: length / 1000 for name, length in found.items()}
