# ruff: noqa: E501
"""Skeletons of every family, made by hand on one known body, as trees of names.

A line is a joint, indented below its parent: its name and where it lies in BODY, or `tN`, N percent of the way
from"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# cm, standing; the person looks along +Z, so the left is at +X
BODY = {
    "pelvis": (0, 98, 0), "hips": (0, 93, 0), "hip": (9, 92, 1), "buttock": (4, 94, 0), "knee": (10, 51, 2),
    "ankle": (10, 9, -2), "toe": (11, 2, 12), "neck": (0, 145, -2), "neck2": (0, 150, -1), "head": (0, 154, 1),
    "top": (0, 174, 2), "collar": (3, 139, 0), "shoulder": (18, 140, -1), "elbow": (20, 112, -2),
    "twist": (19, 126, -1), "thigh": (9.5, 72, 1), "shin": (10, 30, 0), "wrist": (21, 87, 1), "hand": (22, 79, 3),
}  # fmt: skip

_LEGS = """
 {} hip
  {} knee
   {} ankle
    {} toe"""
_ARMS = """
{0}{1} collar
{0} {2} shoulder
{0}  {3} elbow
{0}   {4} wrist
{0}    {5} hand"""


def _tree(root: str, legs: str, trunk: str, arms_at: int, arms: str) -> str:
    """The tree of a root, of legs below it, of a trunk from it upwards, and of arms at a joint of the trunk."""
    lines = [f"{root} pelvis", *_LEGS.format(*legs.split()).strip("\n").splitlines()]
    for depth, joint in enumerate(trunk.split(", ")):
        lines.append(" " * (depth + 1) + joint)
        if depth == arms_at:
            lines += _ARMS.format(" " * (depth + 2), *arms.split()).strip("\n").splitlines()
    return "\n".join(lines)


_LEG = "*UpLeg *Leg *Foot *ToeBase"
_ARM = "*Shoulder *Arm *ForeArm *Hand *HandIndex1"


def _prefixed(tree: str, prefix: str) -> str:
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + prefix + line.lstrip() for line in tree.splitlines()
    )


_HUMANIK = _tree(
    "Hips", _LEG, "Spine t31, Spine1 t50, Spine2 t68, Neck neck, Head head, HeadTop_End top", 2, _ARM
)


@dataclass(frozen=True)
class Row:
    """A skeleton and what has to be found in it."""

    tree: str
    sides: tuple[str, str] = ("Left", "Right")
    spine: str = ""
    """The joint that is the spine; nothing: it is estimated."""
    neck: str = "Neck"
    head: str = "Head"
    family: str = ""
    """Nothing: the name of the row."""
    bone_ends: bool = False


ROWS = {
    "Mixamo": Row(_prefixed(_HUMANIK, "mixamorig:"), neck="mixamorig:Neck", head="mixamorig:Head"),
    "Mixamo, a second time": Row(
        _prefixed(_HUMANIK, "mixamorig1_"), neck="mixamorig1_Neck", head="mixamorig1_Head",
        family="Mixamo",
    ),
    "Mixamo in Blender": Row(
        _prefixed(_HUMANIK, "Armature|mixamorig"), neck="Armature|mixamorigNeck",
        head="Armature|mixamorigHead", family="Mixamo",
    ),
    "MotionBuilder Character1": Row(
        _prefixed(_HUMANIK, "Character1_"), neck="Character1_Neck", head="Character1_Head",
    ),
    "MotionBuilder": Row(_HUMANIK),
    "Hero": Row(_prefixed(_HUMANIK, "Hero_"), neck="Hero_Neck", head="Hero_Head", family="of unknown origin"),
    "3ds Max Biped": Row(
        "Bip01 pelvis\n" + "\n".join(" " + line for line in _tree(
            "Bip01 Pelvis", "Bip01~*~Thigh Bip01~*~Calf Bip01~*~Foot Bip01~*~Toe0",
            "Bip01 Spine t20, Bip01 Spine1 t40, Bip01 Spine2 t62, Bip01 Neck neck, Bip01 Head head", 3,
            "Bip01~*~Clavicle Bip01~*~UpperArm Bip01~*~Forearm Bip01~*~Hand Bip01~*~Finger1",
        ).splitlines()),
        ("L", "R"), "Bip01 Spine1", "Bip01 Neck", "Bip01 Head",
    ),
    "Auto-Rig Pro": Row(
        _tree("root.x", "thigh_stretch.* leg_stretch.* foot.* toes_01.*",
              "spine_01.x t20, spine_02.x t42, spine_03.x t64, neck.x neck, head.x head", 2,
              "shoulder.* arm_stretch.* forearm_stretch.* hand.* index1.*"),
        ("l", "r"), "spine_02.x", "neck.x", "head.x",
    ),
    "Rigify, first": Row(
        _tree("hips", "thigh.* shin.* foot.* toe.*", "spine t19, ribs t46, neck neck, head head", 1,
              "shoulder.* upper_arm.* forearm.* hand.* f_index.01.*"),
        ("L", "R"), "", "neck", "head", "Rigify",
    ),
    "Unreal": Row(
        "root pelvis\n" + "\n".join(" " + line for line in _tree(
            "pelvis", "thigh_* calf_* foot_* ball_*", "spine_01 t22, spine_02 t40, spine_03 t62, neck_01 neck, head head", 2,
            "clavicle_* upperarm_* lowerarm_* hand_* index_01_*",
        ).splitlines()),
        ("l", "r"), "spine_02", "neck_01", "head",
    ),
    "Rigify": Row(
        _tree("DEF-spine", "DEF-thigh.* DEF-shin.* DEF-foot.* DEF-toe.*",
              "DEF-spine.001 t20, DEF-spine.002 t42, DEF-spine.003 t70, DEF-spine.004 neck, DEF-spine.005 neck2, DEF-spine.006 head",
              2, "DEF-shoulder.* DEF-upper_arm.* DEF-forearm.* DEF-hand.* DEF-f_index.01.*"),
        ("L", "R"), "DEF-spine.002", "DEF-spine.004", "DEF-spine.006",
    ),
    "VRM": Row(
        _tree("J_Bip_C_Hips", "J_Bip_*_UpperLeg J_Bip_*_LowerLeg J_Bip_*_Foot J_Bip_*_ToeBase",
              "J_Bip_C_Spine t18, J_Bip_C_Chest t42, J_Bip_C_UpperChest t66, J_Bip_C_Neck neck, J_Bip_C_Head head", 2,
              "J_Bip_*_Shoulder J_Bip_*_UpperArm J_Bip_*_LowerArm J_Bip_*_Hand J_Bip_*_Index1"),
        ("L", "R"), "J_Bip_C_Chest", "J_Bip_C_Neck", "J_Bip_C_Head",
    ),
    "Character Creator": Row(
        "CC_Base_BoneRoot pelvis\n" + "\n".join(" " + line for line in _tree(
            "CC_Base_Hip", "CC_Base_*_Thigh CC_Base_*_Calf CC_Base_*_Foot CC_Base_*_ToeBase",
            "CC_Base_Waist t22, CC_Base_Spine01 t42, CC_Base_Spine02 t66, CC_Base_NeckTwist01 neck, CC_Base_NeckTwist02 neck2, CC_Base_Head head",
            2, "CC_Base_*_Clavicle CC_Base_*_Upperarm CC_Base_*_Forearm CC_Base_*_Hand CC_Base_*_Index1",
        ).splitlines()),
        ("L", "R"), "CC_Base_Spine01", "CC_Base_NeckTwist01", "CC_Base_Head",
    ),
    "MakeHuman": Row(
        """root pelvis
 pelvis.* buttock
  upperleg01.* hip
   upperleg02.* thigh
    lowerleg01.* knee
     lowerleg02.* shin
      foot.* ankle
       toe1-1.* toe
 spine05 t6
  spine04 t20
   spine03 t40
    spine02 t60
     spine01 t80
      clavicle.* collar
       shoulder01.* collar
        upperarm01.* shoulder
         upperarm02.* twist
          lowerarm01.* elbow
           lowerarm02.* elbow
            wrist.* wrist
             metacarpal1.* hand
      neck01 neck
       neck02 neck2
        head head""",
        ("L", "R"), "spine03", "neck01", "head",
    ),
    "CMU by cgspeed": Row(
        """Hips pelvis
 +HipJoint pelvis
  *UpLeg hip
   *Leg knee
    *Foot ankle
     *ToeBase toe
 LowerBack pelvis
  Spine t40
   Spine1 t65
    Neck t80
     Neck1 neck
      Head head
    *Shoulder t80
     *Arm shoulder
      *ForeArm elbow
       *Hand wrist
        *FingerBase wrist
         *HandIndex1 hand
        +Thumb wrist""",
        spine="Spine", neck="Neck1",
    ),
    "CMU": Row(
        """root pelvis
 *hipjoint pelvis
  *femur hip
   *tibia knee
    *foot ankle
     *toes toe
 lowerback pelvis
  upperback t40
   thorax t60
    lowerneck t80
     upperneck neck
      head head
    *clavicle t80
     *humerus shoulder
      *radius elbow
       *wrist wrist
        *hand wrist
         *fingers hand
        *thumb wrist""",
        ("l", "r"), "upperback", "upperneck", "head",
    ),
    "CMU, ends of bones": Row(
        """root pelvis
 *hipjoint hip
  *femur knee
   *tibia ankle
    *foot toe
     *toes toe
 lowerback t40
  upperback t62
   thorax t82
    lowerneck neck
     upperneck neck2
      head head
    *clavicle shoulder
     *humerus elbow
      *radius wrist
       *wrist hand
        *hand hand
         *fingers hand""",
        ("l", "r"), "lowerback", "lowerneck", "head", "CMU", bone_ends=True,
    ),
    "SMPL": Row(
        _tree("Pelvis", "*_Hip *_Knee *_Ankle *_Foot", "Spine1 t20, Spine2 t44, Spine3 t56, Neck neck, Head head", 2,
              "*_Collar *_Shoulder *_Elbow *_Wrist *_Hand"),
        ("L", "R"),
    ),
    "SMPL-X": Row(
        _tree("pelvis", "*_hip *_knee *_ankle *_foot", "spine1 t20, spine2 t44, spine3 t56, neck neck, head head", 2,
              "*_collar *_shoulder *_elbow *_wrist *_index1"),
        ("left", "right"), "", "neck", "head", "SMPL",
    ),
    "MocapNET": Row(
        """hip pelvis
 abdomen t35
  chest t57
   neck neck
    head head
     *eye top
   *collar collar
    *shoulder shoulder
     *elbow elbow
      *hand wrist
       *thumb1 hand
 *buttock buttock
  *hip hip
   *knee knee
    *foot ankle
     *toe1-1 toe""",
        ("l", "r"), "abdomen", "neck", "head",
    ),
    "Poser and DAZ": Row(
        """hip pelvis
 abdomen t35
  chest t57
   neck neck
    head head
     *Eye top
   *Collar collar
    *Shldr shoulder
     *ForeArm elbow
      *Hand wrist
       *Thumb1 hand
 *Buttock buttock
  *Thigh hip
   *Shin knee
    *Foot ankle
     *Toe toe""",
        ("l", "r"), "abdomen", "neck", "head",
    ),
    "DAZ Genesis": Row(
        """hip pelvis
 pelvis hips
  *ThighBend hip
   *ThighTwist thigh
    *Shin knee
     *Foot ankle
      *Toe toe
 abdomenLower t20
  abdomenUpper t40
   chestLower t60
    chestUpper t78
     neckLower neck
      neckUpper neck2
       head head
     *Collar collar
      *ShldrBend shoulder
       *ShldrTwist twist
        *ForearmBend elbow
         *ForearmTwist elbow
          *Hand wrist
           *Thumb1 hand""",
        ("l", "r"), "abdomenUpper", "neckLower", "head", "Poser and DAZ",
    ),
    "Rokoko": Row(
        _tree("Hips", "*Thigh *Shin *Foot *Toe", "Spine1 t18, Spine2 t36, Spine3 t55, Spine4 t75, Neck neck, Head head", 3,
              "*Shoulder *Arm *ForeArm *Hand *HandIndex1"),
        spine="Spine2",
    ),
    "SOMA": Row(
        _tree("Hips", "*Leg *Shin *Foot *ToeBase", "Spine1 t18, Spine2 t40, Chest t62, Neck1 neck, Neck2 neck2, Head head", 2,
              "*Shoulder *Arm *ForeArm *Hand *HandMiddleEnd"),
        spine="Spine2", neck="Neck1",
    ),
    "Xsens": Row(
        _tree("Hips", "*Hip *Knee *Ankle *Toe", "Chest t18, Chest2 t38, Chest3 t57, Chest4 t76, Neck neck, Head head", 3,
              "*Collar *Shoulder *Elbow *Wrist *Finger"),
        spine="Chest2",
    ),
    "Xsens MVN": Row(
        _tree("Pelvis", "*UpperLeg *LowerLeg *Foot *Toe", "L5 t18, L3 t38, T12 t57, T8 t76, Neck neck, Head head", 3,
              "*Shoulder *UpperArm *Forearm *Hand *Carpus"),
        spine="L3",
    ),
    "Kinect": Row(
        """SpineBase pelvis
 SpineMid t50
  SpineShoulder t95
   Neck neck
    Head head
   Shoulder* shoulder
    Elbow* elbow
     Wrist* wrist
      Hand* hand
       HandTip* hand
 Hip* hip
  Knee* knee
   Ankle* ankle
    Foot* toe""",
    ),
    "Azure Kinect": Row(
        """PELVIS pelvis
 SPINE_NAVEL t36
  SPINE_CHEST t64
   NECK neck
    HEAD head
   CLAVICLE_* collar
    SHOULDER_* shoulder
     ELBOW_* elbow
      WRIST_* wrist
       HAND_* hand
 HIP_* hip
  KNEE_* knee
   ANKLE_* ankle
    FOOT_* toe""",
        ("LEFT", "RIGHT"), "SPINE_NAVEL", "NECK", "HEAD",
    ),
    "OptiTrack Motive": Row(
        _tree("Hip", "*Thigh *Shin *Foot *Toe", "Ab t20, Chest t60, Neck neck, Head head", 1,
              "*Shoulder *UArm *FArm *Hand *Index1"),
        ("L", "R"),
    ),
    "DeepMotion": Row(
        _tree("hips_JNT", "*_upleg_JNT *_leg_JNT *_foot_JNT *_toebase_JNT",
              "spine_JNT t20, spine1_JNT t40, spine2_JNT t60, neck_JNT neck, head_JNT head", 2,
              "*_shoulder_JNT *_arm_JNT *_forearm_JNT *_hand_JNT *_handIndex1_JNT"),
        ("l", "r"), "spine1_JNT", "neck_JNT", "head_JNT",
    ),
    "Second Life": Row(
        _tree("mPelvis", "mHip* mKnee* mAnkle* mFoot*", "mTorso t24, mChest t60, mNeck neck, mHead head", 1,
              "mCollar* mShoulder* mElbow* mWrist* mHandIndex1*"),
        neck="mNeck", head="mHead",
    ),
    "Unity": Row(
        _tree("Hips", "*UpperLeg *LowerLeg *Foot *Toes", "Spine t20, Chest t40, UpperChest t64, Neck neck, Head head", 2,
              "*Shoulder *UpperArm *LowerArm *Hand *IndexProximal"),
        spine="Chest",
    ),
    "Biovision": Row(
        _tree("Hips", "*Hip *Knee *Ankle *Toe", "Chest t40, Neck neck, Head head", 0, "*Collar *Shoulder *Elbow *Wrist *Finger"),
        spine="Chest",
    ),
    "Biovision, first": Row(
        _tree("Hips", "*UpLeg *LowLeg *Foot *Toe", "Chest t40, Neck neck, Head head", 0, "*Collar *UpArm *LowArm *Hand *Finger"),
        spine="Chest", family="Biovision",
    ),
    "Bandai-Namco": Row(
        "joint_Root pelvis\n" + "\n".join(" " + line for line in _tree(
            "Hips", "UpperLeg_* LowerLeg_* Foot_* Toes_*", "Spine t42, Chest t62, Neck neck, Head head", 1,
            "Shoulder_* UpperArm_* LowerArm_* Hand_* Finger_*").splitlines()),
        ("L", "R"), "Spine",
    ),
    "MotionBuilder, four of the spine": Row(
        _tree("Hips", _LEG, "Spine t18, Spine1 t37, Spine2 t56, Spine3 t76, Neck neck, Neck1 neck2, Head head", 3, _ARM),
        spine="Spine1", family="MotionBuilder",
    ),
    "LAFAN1": Row(
        _tree("Hips", "*UpLeg *Leg *Foot *Toe", "Spine t12, Spine1 t34, Spine2 t55, Neck neck, Head head", 2, _ARM),
        spine="Spine1",
    ),
    "Noitom Axis Studio": Row(
        _tree("Hips", "*UpLeg *Leg *Foot *Toes", "Spine t24, Spine1 t44, Spine2 t68, Neck neck, Neck1 neck2, Head head", 2,
              "*Shoulder *Arm *ForeArm *Hand *InHandIndex"),
    ),
    "Perception Neuron": Row(
        _tree("Hips", "*UpLeg *Leg *Foot *Toes", "Spine t30, Spine1 t47, Spine2 t65, Spine3 t82, Neck neck, Head head", 3,
              "*Shoulder *Arm *ForeArm *Hand *InHandIndex"),
    ),
    "MHX": Row(
        _tree("Root", "UpLeg_* LoLeg_* Foot_* Toe_*", "Spine1 t20, Spine2 t40, Spine3 t66, Neck neck, Head head", 2,
              "Clavicle_* UpArm_* LoArm_* Hand_* Finger_*"),
        ("L", "R"), "Spine2", family="of unknown origin",
    ),
}  # fmt: skip
"""Percentages are those of real hierarchies for Xsens, Perception Neuron, CMU, Poser and Bandai-Namco, rounded, and
likely ones elsewhere."""


def place(where: str, side: int) -> np.ndarray:
    """A place of BODY, on the left (1), the right (-1), or in the middle (0)."""
    hips = np.array([0, *BODY["hip"][1:]], np.float64)
    if where[0] == "t" and where[1:].isdecimal():
        return hips + int(where[1:]) / 100 * (np.array(BODY["neck"]) - hips)
    return np.array(BODY[where], np.float64) * ((side or 1), 1, 1)


def built(row: Row) -> tuple[list[str], list[int], np.ndarray]:
    """Names, parents and offsets (J, 3) of a row's skeleton, in the order of the file."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in row.tree.splitlines()]
    names: list[str] = []
    parents: list[int] = []
    places: list[np.ndarray] = []

    def add(first: int, parent: int, side: int) -> None:
        depth, line = lines[first]
        name, where = line.rsplit(" ", 1)
        if not side and ("*" in name or "+" in name):
            for hand in (1, -1):
                add(first, parent, hand)
            return
        word = row.sides[0 if side > 0 else 1]
        name = name.replace("*", word).replace("+", word[0]).replace("~", " ")
        names.append(name)
        parents.append(parent)
        places.append(place(where, side))
        here = len(names) - 1
        for other in range(first + 1, len(lines)):
            if lines[other][0] <= depth:
                break
            if lines[other][0] == depth + 1:
                add(other, here, side)

    add(0, -1, 0)
    at = np.array(places)
    origin = np.vstack([at, np.zeros(3)])
    return names, parents, at - origin[parents]
