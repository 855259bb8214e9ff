"""From points that a hand can feel on the skin to the 15 bones of the course, which end in joints' centres.

What is assumed, in metres (an average adult; docs/body.md says what each of it is worth):

    hip centre       HIP above the trochanterion: that is felt through muscle, below the bone's upper edge,
                     with which the femur's head is level. It makes men's thighs 0.239 of the stature; de Leva
                     (J. Biomech. 29, 1996) has 0.2425.
    hips apart       HIPS of the bicristal breadth
    knee, ankle      level with the lateral epicondyle and the lateral malleolus
    shoulder centre  SHOULDER below the acromion and as much inward
    elbow centre     ELBOW above the radiale; wrist: the stylion
    neck             halfway between the heights of acromion and cervicale (C7), as in poses/lens/stature.py
    spine            SPINE of the way from the mid-hip to the neck, as in docs/augmentation.md
    head             level with the tragion, the ear's front

De Leva's men have an upper arm of 0.162 and a forearm of 0.154 of the stature; these come to 0.165 and
0.158.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minilift.poses.layouts import COURSE15

HIP, HIPS, SHOULDER, ELBOW, SPINE = 0.010, 0.6, 0.035, 0.010, 0.44

KINDS = ("hip", "knee", "ankle", "spine", "neck", "head", "shoulder", "elbow", "wrist")
"""The bones of one side, each named by the joint in which it ends."""
KIND_OF = np.array([KINDS.index(joint.rpartition("_")[2]) for joint in COURSE15.joints])
"""(15,) the kind of every bone of COURSE15."""
COLUMNS = (
    "stature", "cervicaleheight", "acromialheight", "trochanterionheight", "lateralfemoralepicondyleheight",
    "lateralmalleolusheight", "acromionradialelength", "radialestylionlength", "biacromialbreadth",
    "bicristalbreadth", "tragiontopofhead",
)  # fmt: skip
"""The measurements of ANSUR II that bones are made of."""


def bones(body: Mapping[str, np.ndarray]) -> np.ndarray:
    """Bones (n, 9) of people, in the order of KINDS, of measurements (n,) in metres: those of COLUMNS."""
    acromion, cervicale = body["acromialheight"], body["cervicaleheight"]
    knee, neck = body["lateralfemoralepicondyleheight"], 0.5 * (acromion + cervicale)
    hip = body["trochanterionheight"] + HIP
    trunk, drop = neck - hip, neck - acromion + SHOULDER
    columns = (
        0.5 * HIPS * body["bicristalbreadth"],
        hip - knee,
        knee - body["lateralmalleolusheight"],
        SPINE * trunk,
        (1 - SPINE) * trunk,
        body["stature"] - body["tragiontopofhead"] - neck,
        np.hypot(0.5 * body["biacromialbreadth"] - SHOULDER, drop),
        body["acromionradialelength"] - SHOULDER - ELBOW,
        body["radialestylionlength"] + ELBOW,
    )
    return np.stack(columns, axis=-1)
