"""The layouts that are known, one a row: names in file order. To add one, write a row; its tests follow.

Names are the same everywhere for the same place: `hip`, `pelvis` and `root` are the middle of the hips,
`neck` is what the layout calls so, `head_top` is the top of the skull. `made_of` is only for names that
mislead.
"""

from __future__ import annotations

from collections.abc import Mapping

from minilift.poses.layouts.layout import Layout, Means
from minilift.poses.layouts.parents import parents_of

_WIDE = "on the surface of the body, wider apart and higher than the joints' centres"
_CENTRES = "the joints' centres"
_MIDDLE = "midway between the shoulders"
_NO_NECK, _NO_HEAD = "none", "none; nose, eyes and ears"
_CHIN = "in the neck, above the shoulders"
_CROWN = "the top of the skull"
_COCO_MEANS = (_WIDE, _NO_NECK, _NO_HEAD)
_OPENPOSE_MEANS = (_WIDE, _MIDDLE, _NO_HEAD)
_H36M_MEANS = (
    _CENTRES,
    "at the shoulders' level",
    "in the head, 0.24 m above the neck, ten centimetres below the top",
)
_HALPE_MEANS = (_WIDE, _MIDDLE, _CROWN)
_3DHP_MEANS = (_CENTRES, "at the shoulders' level", "in the head; head_top is the top of the skull")
_MPII_HIPS = "near the joints' centres"


def _layout(
    name: str, joints: str, about: str, means: Means, also: Mapping[str, str] | None = None
) -> Layout:
    names = tuple(joints.split())
    made_of = {joint: {own: 1.0} for joint, own in (also or {}).items()}
    return Layout(name, names, parents_of(names), made_of, {}, about, means)


def _both(*parts: str) -> str:
    return " ".join(f"{side}_{part}" for part in parts for side in ("left", "right"))


def _arm(side: str) -> str:
    return f"{side}_shoulder {side}_elbow {side}_wrist"


def _leg(side: str) -> str:
    return f"{side}_hip {side}_knee {side}_ankle"


def _foot(side: str) -> str:
    return f"{side}_big_toe {side}_small_toe {side}_heel"


_COURSE = (
    f"{_leg('right')} {_leg('left')} spine neck head {_arm('left')} {_arm('right')}"  # the order of the files
)
COURSE15 = Layout(
    "course15",
    tuple(_COURSE.split()),
    (-1, 0, 1, -1, 3, 4, -1, 6, 7, 7, 9, 10, 7, 12, 13),
    about="the course's files",
    means=(_CENTRES, "a little above the middle of the shoulders", "in the head, at the ears' level"),
)
"""The one place that knows the joint order of the course's files."""

_H36M = COURSE15.joints
H36M17 = Layout(
    "h36m17",
    ("pelvis", *_H36M[:8], "nose", *_H36M[8:]),
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    about="Human3.6M as papers use it",
    means=_H36M_MEANS,
)
"""Source: common/h36m_dataset.py, github.com/facebookresearch/VideoPose3D; joint 9 is called Neck/Nose
there."""

_FACE5 = "nose left_eye right_eye left_ear right_ear"
_BODY12 = _both("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_COCO = f"{_FACE5} {_BODY12}"
COCO17 = _layout("coco17", _COCO, "most detectors, COCO", _COCO_MEANS)
"""Source: Lin et al., "Microsoft COCO", arXiv:1405.0312; the order is that of cocodataset.org's
annotations."""

_FEET6 = f"{_foot('left')} {_foot('right')}"
_HALPE = f"{_COCO} head neck hip {_both('big_toe', 'small_toe', 'heel')}"
_FACE68 = " ".join(f"face_{i}" for i in range(68))
_FINGERS = ["thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger"]
_HANDS = " ".join(
    f"{side}_hand_root {' '.join(f'{side}_{finger}{i}' for finger in _FINGERS for i in range(1, 5))}"
    for side in ("left", "right")
)
_TOP = {"head_top": "head"}

_ROWS = (
    COURSE15,
    COCO17,
    # poseParametersRender.hpp and poseParameters.cpp of github.com/CMU-Perceptual-Computing-Lab/openpose
    _layout(
        "openpose_coco18",
        f"nose neck {_arm('right')} {_arm('left')} {_leg('right')} {_leg('left')} "
        "right_eye left_eye right_ear left_ear",
        "OpenPose, COCO model", _OPENPOSE_MEANS,
    ),
    _layout(
        "body25",
        f"nose neck {_arm('right')} {_arm('left')} mid_hip {_leg('right')} {_leg('left')} "
        f"right_eye left_eye right_ear left_ear {_FEET6}",
        "OpenPose, BODY_25", _OPENPOSE_MEANS,
    ),
    _layout(
        "body25b", f"{_COCO} upper_neck head_top {_FEET6}",
        "OpenPose, BODY_25B", (_WIDE, "none; upper_neck, in the neck at the chin's level", _CROWN),
    ),
    _layout(
        "mpi15", f"head neck {_arm('right')} {_arm('left')} {_leg('right')} {_leg('left')} chest",
        "OpenPose, MPI", (_MPII_HIPS, _CHIN, _CROWN), _TOP,
    ),
    # dataset.py of github.com/Fang-Haoshu/Halpe-FullBody
    _layout("halpe26", _HALPE, "AlphaPose, RTMPose, Pose2Sim; Halpe", _HALPE_MEANS, _TOP),
    _layout("halpe136", f"{_HALPE} {_FACE68} {_HANDS}", "AlphaPose; Halpe", _HALPE_MEANS, _TOP),
    # configs/_base_/datasets/coco_wholebody.py of github.com/open-mmlab/mmpose
    _layout("coco_wholebody133", f"{_COCO} {_FEET6} {_FACE68} {_HANDS}", "MMPose, RTMW", _COCO_MEANS),
    # solutions/pose.py of github.com/google-ai-edge/mediapipe
    _layout(
        "mediapipe33",
        "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear "
        f"right_ear left_mouth right_mouth {_both('shoulder', 'elbow', 'wrist', 'pinky', 'index', 'thumb')} "
        f"{_both('hip', 'knee', 'ankle', 'heel', 'foot_index')}",
        "MediaPipe, BlazePose, ML Kit", (_MPII_HIPS, _NO_NECK, _NO_HEAD),
    ),
    # easy_ViTPose/vit_utils/visualization.py of github.com/JunkyByte/easy_ViTPose
    _layout(
        "vitpose25",
        f"{_FACE5} neck {_both('shoulder', 'elbow', 'wrist', 'hip')} hip {_both('knee', 'ankle')} {_FEET6}",
        "easy_ViTPose, coco_25", _OPENPOSE_MEANS,
    ),
    H36M17,
    _layout(
        "h36m16", " ".join(("pelvis", *_H36M)), "Human3.6M of 3d-pose-baseline and SemGCN", _H36M_MEANS
    ),
    # common/h36m_dataset.py of VideoPose3D: the 32 of the raw recordings
    _layout(
        "h36m32",
        "pelvis right_hip right_knee right_ankle right_toe right_toe_end left_hip left_knee left_ankle "
        "left_toe left_toe_end spine1 spine neck nose head left_clavicle left_shoulder left_elbow left_wrist "
        "left_thumb left_thumb_end left_fingers left_fingers_end right_clavicle right_shoulder right_elbow "
        "right_wrist right_thumb right_thumb_end right_fingers right_fingers_end",
        "Human3.6M's raw recordings", _H36M_MEANS,
    ),
    # human-pose.mpi-inf.mpg.de: the order of joints in its annotations
    _layout(
        "mpii16",
        "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck head_top "
        "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist",
        "MPII, Stacked Hourglass, HRNet",
        (_MPII_HIPS, "thorax, midway between the shoulders; upper_neck is at the chin's level", _CROWN),
        {"neck": "thorax"},
    ),
    # configs/_base_/datasets of MMPose: crowdpose.py, aic.py, posetrack18.py, mpi_inf_3dhp.py
    _layout(
        "crowdpose14", f"{_BODY12} head_top neck", "CrowdPose",
        (_WIDE, _CHIN, _CROWN),
    ),
    _layout(
        "aic14", f"{_arm('right')} {_arm('left')} {_leg('right')} {_leg('left')} head_top neck",
        "AI Challenger", (_WIDE, _CHIN, _CROWN),
    ),
    # get_posetrack_kpt_ordering of github.com/facebookresearch/DetectAndTrack
    _layout(
        "posetrack17",
        "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist right_elbow "
        "right_shoulder left_shoulder left_elbow left_wrist head_bottom nose head_top",
        "PoseTrack 2017", (_WIDE, "head_bottom, in the neck at the chin's level", _CROWN),
        {"upper_neck": "head_bottom"},
    ),
    _layout(
        "posetrack18", f"nose head_bottom head_top left_ear right_ear {_BODY12}",
        "PoseTrack 2018", (_WIDE, "head_bottom, in the neck at the chin's level", _CROWN),
        {"upper_neck": "head_bottom"},
    ),
    _layout(
        "mpi_inf_3dhp17",
        f"head_top neck {_arm('right')} {_arm('left')} {_leg('right')} {_leg('left')} root spine head",
        "MPI-INF-3DHP as papers use it",
        _3DHP_MEANS,
    ),
    # util/mpii_get_joint_set.m of the data set's own files
    _layout(
        "mpi_inf_3dhp28",
        "spine3 spine4 spine2 spine pelvis neck head head_top left_clavicle left_shoulder left_elbow "
        "left_wrist left_hand right_clavicle right_shoulder right_elbow right_wrist right_hand left_hip "
        "left_knee left_ankle left_foot left_toe right_hip right_knee right_ankle right_foot right_toe",
        "MPI-INF-3DHP, all joints", _3DHP_MEANS,
    ),
    # smplx/joint_names.py of github.com/vchoutas/smplx
    _layout(
        "smpl24",
        "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 "
        "left_foot right_foot neck left_collar right_collar head left_shoulder right_shoulder left_elbow "
        "right_elbow left_wrist right_wrist left_hand right_hand",
        "SMPL", ("the joints' centres", "at the base of the neck", "in the head, at the base of the skull"),
        {"spine": "spine2"},
    ),
    _layout(
        "sports2d22", f"nose {_BODY12} head neck hip {_both('big_toe', 'small_toe', 'heel')}",
        "Sports2D: Halpe-26 without eyes and ears", _HALPE_MEANS, _TOP,
    ),
    # dlclibrary's model zoo, full_human: ankle1 to wrist2 in MPII's order, 1 is the right side
    _layout(
        "dlc_full_human14",
        "right_ankle right_knee right_hip left_hip left_knee left_ankle right_wrist right_elbow "
        "right_shoulder left_shoulder left_elbow left_wrist chin forehead",
        "DeepLabCut's model zoo, full_human", (_MPII_HIPS, _NO_NECK, "none; chin and forehead"),
    ),
)  # fmt: skip

LAYOUTS = {layout.name: layout for layout in _ROWS}
JOINTS = COURSE15.joints
