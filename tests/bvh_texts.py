"""BVH files for tests: small ones, written out, and whole people in any known layout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minilift.poses.layouts import COURSE15
from minilift.poses.read.joints.maps import JointMap

TWO = """\
HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Chest
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 5 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
1 2 3 0 0 0 0 0 0
1 2 3 90 0 0 0 0 -1.5e-14
"""
"""A hip and a chest: upright, then turned a quarter to the left about Z."""


def named(name: str, legs: str, trunk: str, arms: str) -> JointMap:
    """The names of a skeleton: hip, knee and ankle; spine, neck and head; shoulder, elbow and wrist."""
    sided = [[names.replace("*", side).split() for side in "RL"] for names in (legs, arms)]
    (right_leg, left_leg), (right_arm, left_arm) = sided
    own = (*right_leg, *left_leg, *trunk.split(), *left_arm, *right_arm)
    return JointMap(name, dict(zip(COURSE15.joints, own, strict=True)))


BANDAI = named(
    "Bandai-Namco", "UpperLeg_* LowerLeg_* Foot_*", "Spine Neck Head", "UpperArm_* LowerArm_* Hand_*"
)
POSER = named("Poser and DAZ", "*Thigh *Shin *Foot", "abdomen neck head", "*Shldr *ForeArm *Hand")
POSER = replace(POSER, joints={joint: own[0].lower() + own[1:] for joint, own in POSER.joints.items()})

# cm from the parent, standing with arms hanging; the person looks along +Z, so the left is at +X
_BODY = {
    "right_hip": ("root", (-9, -8, 0)), "right_knee": ("right_hip", (0, -40, 0)),
    "right_ankle": ("right_knee", (0, -40, 0)), "left_hip": ("root", (9, -8, 0)),
    "left_knee": ("left_hip", (0, -40, 0)), "left_ankle": ("left_knee", (0, -40, 0)),
    "spine": ("root", (0, 10, 0)), "neck": ("spine", (0, 35, 0)), "head": ("neck", (0, 8, 2)),
    "left_shoulder": ("neck", (18, -3, 0)), "left_elbow": ("left_shoulder", (0, -28, 0)),
    "left_wrist": ("left_elbow", (0, -25, 1)), "right_shoulder": ("neck", (-18, -3, 0)),
    "right_elbow": ("right_shoulder", (0, -28, 0)), "right_wrist": ("right_elbow", (0, -25, 1)),
}  # fmt: skip


def person(
    names: JointMap, frames: int = 12, seed: int = 0, cm: float = 1.0, prefix: str = "", first: float = 0.0,
    step: float = 1.0, fps: float = 30,
) -> str:  # fmt: skip
    """A person who moves smoothly, `step` degrees at most per frame and joint; `cm` are the units of a cm.

    In frame 0 all joints are turned by `first` degrees more.
    """
    named = names.joints
    children: dict[str, list[str]] = {"root": []}
    for joint, (parent, _) in _BODY.items():
        children.setdefault(parent, []).append(joint)

    def block(joint: str) -> str:
        offset = " ".join(f"{cm * value:.9g}" for value in _BODY[joint][1])
        inner = "".join(map(block, children.get(joint, [])))
        head = (
            f"JOINT {prefix}{named[joint]}\n{{\nOFFSET {offset}\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
        )
        return head + (inner or "End Site\n{\nOFFSET 0 0 0\n}\n") + "}\n"

    channels = "CHANNELS 6 Xposition Yposition Zposition Yrotation Xrotation Zrotation\n"
    tree = f"ROOT {prefix}root\n{{\nOFFSET 0 0 0\n{channels}{''.join(map(block, children['root']))}}}\n"
    rng, time = np.random.default_rng(seed), np.arange(frames)[:, None]
    width = 3 + 3 * len(_BODY)
    angles = step / 0.3 * np.sin(0.3 * time + rng.uniform(0, 6, width))  # the sine's slope is 0.3 a frame
    angles[0] += first
    where = np.stack([cm * 2 * np.arange(frames), np.full(frames, 90 * cm), np.zeros(frames)], axis=1)
    rows = (" ".join(f"{value:.9g}" for value in row) for row in np.concatenate([where, angles], axis=1))
    motion = f"MOTION\nFrames: {frames}\nFrame Time: {1 / fps:.7f}\n" + "\n".join(rows) + "\n"
    return "HIERARCHY\n" + tree + motion
