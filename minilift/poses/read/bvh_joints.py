"""Which joints of a BVH file are the fifteen of the course's files, and how long the file's unit is."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from minilift.files import PathLike, file_error, read_bytes
from minilift.poses.layouts import COURSE15

_TABLE = """
                Bandai-Namco  Poser      MotionBuilder  LAFAN1        CMU           Biovision
right_hip       UpperLeg_R    rThigh     RightUpLeg     RightUpLeg    RightUpLeg    RightHip
right_knee      LowerLeg_R    rShin      RightLeg       RightLeg      RightLeg      RightKnee
right_ankle     Foot_R        rFoot      RightFoot      RightFoot     RightFoot     RightAnkle
left_hip        UpperLeg_L    lThigh     LeftUpLeg      LeftUpLeg     LeftUpLeg     LeftHip
left_knee       LowerLeg_L    lShin      LeftLeg        LeftLeg       LeftLeg       LeftKnee
left_ankle      Foot_L        lFoot      LeftFoot       LeftFoot      LeftFoot      LeftAnkle
spine           Spine         abdomen    Spine          Spine1        Spine         Chest
neck            Neck          neck       Neck           Neck          Neck1         Neck
head            Head          head       Head           Head          Head          Head
left_shoulder   UpperArm_L    lShldr     LeftArm        LeftArm       LeftArm       LeftShoulder
left_elbow      LowerArm_L    lForeArm   LeftForeArm    LeftForeArm   LeftForeArm   LeftElbow
left_wrist      Hand_L        lHand      LeftHand       LeftHand      LeftHand      LeftWrist
right_shoulder  UpperArm_R    rShldr     RightArm       RightArm      RightArm      RightShoulder
right_elbow     LowerArm_R    rForeArm   RightForeArm   RightForeArm  RightForeArm  RightElbow
right_wrist     Hand_R        rHand      RightHand      RightHand     RightHand     RightWrist
"""
"""MotionBuilder's names are also Mixamo's. Two skeletons use them otherwise. LAFAN1 has three joints between
hips and neck, the lowest of them 7 cm above the hips. The CMU conversions for MotionBuilder (cgspeed) have a
LowerBack where the hips are, and a Neck where Spine1 is, below the shoulders. Xsens has Biovision's names."""

_ALSO_THERE = {"LAFAN1": {"Spine2", "LeftToe"}, "CMU": {"LowerBack", "Spine1"}}
"""What tells these from MotionBuilder's."""

UNITS = {
    "metres": 1.0,
    "centimetres": 0.01,
    "millimetres": 0.001,
    "inches": 0.0254,
    "CMU units": 0.0254 / 0.45,
}
"""Metres per unit. CMU's is that of its own .asf files (mocap.cs.cmu.edu/faqs.php), which BVH files made from
them keep."""

LEGS = (0.6, 1.1)
"""Metres from hip to knee to ankle that are taken for an adult's; no leg is so long in two of the UNITS."""

_LEG_BONES = [i for i, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]


@dataclass(frozen=True)
class Layout:
    """The names that a kind of file gives to the joints."""

    name: str
    joints: tuple[str, ...]
    """For each joint of COURSE15, in that order."""
    also: frozenset[str] = frozenset()
    """What else is there in such files."""
    metres: float | None = None
    """Per unit of the file, if it is known."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """What of it a file does not have."""
        there = {plain(name) for name in names}
        return [joint for joint in (*self.joints, *sorted(self.also)) if plain(joint) not in there]


def _known() -> tuple[Layout, ...]:
    head, *rows = _TABLE.strip("\n").splitlines()
    columns = list(zip(*(row.split()[1:] for row in rows), strict=True))
    layouts = [
        Layout(name, column, frozenset(_ALSO_THERE.get(name, ())))
        for name, column in zip(head.split(), columns, strict=True)
    ]
    return tuple(sorted(layouts, key=lambda layout: not layout.also))  # the particular before the general


def plain(name: str) -> str:
    """A joint's name without what stands before a colon (mixamorig:Hips), in small letters."""
    return re.sub("^.*:", "", name).strip().lower()


LAYOUTS = _known()


def read_layouts(path: PathLike) -> tuple[Layout, ...]:
    """Layouts from a JSON file: {"right_hip": "RightUpLeg", ...}, or several under "maps", each by its name.

    A "metres_per_file_unit" beside them, if there is one, holds for all. Raises InputError naming the file
    and what is wrong with it.
    """
    remedy = 'write {"right_hip": "RightUpLeg", ...} with all fifteen joints'
    try:
        content = json.loads(read_bytes(path, remedy, first=1 << 20).decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        problem = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise file_error(path, f"not JSON ({problem}); {remedy}") from None
    if not isinstance(content, dict) or not isinstance(content.get("maps", {}), dict):
        raise file_error(path, f"no map of joints; {remedy}")
    metres = content.get("metres_per_file_unit")
    if metres is not None and (type(metres) not in (int, float) or not 0 < metres <= 1000):
        raise file_error(path, "metres_per_file_unit must be above 0, up to 1000; 0.01 for centimetres")
    maps = content.get("maps") or {os.path.basename(path): content}
    return tuple(_layout(path, str(name), joints, metres) for name, joints in maps.items())


def _layout(path: PathLike, name: str, joints: object, metres: float | None) -> Layout:
    if not isinstance(joints, Mapping):
        raise file_error(path, f"'{name}' is no map of joints; name a BVH joint for each of the fifteen")
    found = [joints.get(joint) for joint in COURSE15.joints]
    wrong = [j for j, bvh in zip(COURSE15.joints, found, strict=True) if not isinstance(bvh, str) or not bvh]
    if wrong:
        raise file_error(path, f"'{name}' names no BVH joint for {', '.join(wrong)}; name one for each")
    return Layout(name, tuple(map(str, found)), metres=metres)


def find_joints(
    path: PathLike, names: Sequence[str], layouts: Sequence[Layout] = LAYOUTS
) -> tuple[Layout, list[int]]:
    """The first layout that the joints of the file `path` fit, and the rows of `names` for COURSE15's joints.

    Raises InputError where none fits, with the names of the joints, or where two joints have one name.
    """
    layout = next((known for known in layouts if not known.missing(names)), None)
    if layout is None:
        nearest = min(layouts, key=lambda known: len(known.missing(names)))
        lacks = ", ".join(nearest.missing(names)[:3])
        problem = f"no known skeleton; {nearest.name} is nearest, but lacks {lacks}"
        shown = ", ".join(names)
        raise file_error(path, f"{problem}; say which is which with --map FILE.json; its joints: {shown}")
    plains = [plain(name) for name in names]
    for joint in layout.joints:
        if plains.count(plain(joint)) > 1:
            raise file_error(path, f"two joints are named {joint}; rename one of them")
    return layout, [plains.index(plain(joint)) for joint in layout.joints]


def guess_unit(path: PathLike, joints: np.ndarray) -> str:
    """The name in UNITS of the unit in which these joints (F, 15, 3) have an adult's legs.

    Raises InputError where none gives LEGS, with their length.
    """
    legs = float(COURSE15.bone_lengths(joints)[:, _LEG_BONES].sum(axis=1).mean()) / 2
    for name, metres in UNITS.items():
        if LEGS[0] <= legs * metres <= LEGS[1]:
            return name
    example = f", for example {0.8 / legs:.3g}" if legs > 1e-6 else ""
    problem = f"legs of {legs:.3g} units are no adult's in {', '.join(UNITS)}"
    raise file_error(path, f"{problem}; give the metres per unit with --unit{example}")


def from_hips(joints: np.ndarray) -> np.ndarray:
    """Joints (F, 15, 3) as seen from the middle of their hips, the root of COURSE15."""
    hips = [COURSE15.index("right_hip"), COURSE15.index("left_hip")]
    return np.asarray(joints - joints[:, hips].mean(axis=1, keepdims=True))
