"""Bodies: published proportions, joint limits, and the kinematic tree from joint angles to positions.

Arrays are (..., n), one column per person, so that every row is contiguous. Lengths are metres, angles
degrees. A body's frame: X to the person's left, Y up, Z forward, the mid-hip at 0.
"""

from dataclasses import dataclass, fields

import numpy as np

from minilift.poses.layouts import COURSE15

_LEG = ("hip_flex", "hip_abduct", "hip_rotate", "knee_flex")
_ARM = ("shoulder_flex", "shoulder_abduct", "shoulder_rotate", "elbow_flex")
ANGLES = (
    *("pelvis_pitch", "pelvis_roll", "pelvis_turn"),
    *("spine_flex", "spine_side", "spine_twist", "head_flex", "head_side", "head_twist"),
    *(f"{side}_{name}" for name in _LEG for side in ("right", "left")),
    *(f"{side}_{name}" for name in _ARM for side in ("right", "left")),
)
"""Rows of an angle table. Pitch and flex: forward (knee: backward); roll, side, turn and twist: to the
person's left; abduct: away from the midline; rotate: outward. Limb rows alternate right, left."""

LEGS = slice(ANGLES.index("right_hip_flex"), ANGLES.index("left_knee_flex") + 1)
ARMS = slice(ANGLES.index("right_shoulder_flex"), ANGLES.index("left_elbow_flex") + 1)

_RANGES = {
    "spine_flex": (-25, 80),
    "spine_side": (-35, 35),
    "spine_twist": (-45, 45),
    "head_flex": (-45, 45),
    "head_side": (-45, 45),
    "head_twist": (-60, 60),
    "hip_flex": (-30, 120),
    "hip_abduct": (-30, 45),
    "hip_rotate": (-45, 45),
    "knee_flex": (0, 150),
    "shoulder_flex": (-60, 180),
    "shoulder_abduct": (-50, 180),
    "shoulder_rotate": (-70, 90),
    "elbow_flex": (0, 150),
}
LIMITS = np.array(
    [
        _RANGES.get(name, _RANGES.get(name.partition("_")[2], (-180, 180)))  # the pelvis is free in space
        for name in ANGLES
    ],
    dtype=np.float64,
)
"""(angles, 2) lowest and highest degrees: the ranges of the American Academy of Orthopaedic Surgeons
(Joint Motion, 1965; measured again by Boone and Azen, J. Bone Joint Surg. 61-A, 1979). The knee alone
goes past its 135: deep squats and kneeling reach 150 (Hefzy, Kelly and Cooke, Med. Eng. Phys. 20, 1998)."""


@dataclass(frozen=True)
class Bodies:
    """Segment lengths of n people in metres, each an array (n,); left and right are equal."""

    stature: np.ndarray
    thigh: np.ndarray
    shin: np.ndarray
    hip: np.ndarray  # from the mid-hip to a hip centre
    trunk: np.ndarray  # from the mid-hip to the neck; the spine joint halves it
    head: np.ndarray  # from the neck to the top of the head
    shoulder: np.ndarray  # sideways, from the neck to a shoulder centre
    shoulder_drop: np.ndarray  # and downwards
    upper_arm: np.ndarray
    forearm: np.ndarray

    def take(self, people: np.ndarray) -> "Bodies":
        """Return some of the people."""
        return Bodies(*(getattr(self, field.name)[people] for field in fields(self)))


def sample_bodies(rng: np.random.Generator, n: int) -> Bodies:
    """Draw n adults, women and men alike.

    Stature: 1.6285 m (SD 0.0642) for women and 1.7562 m (SD 0.0686) for men, ANSUR II (Gordon et al., 2012
    Anthropometric Survey of U.S. Army Personnel, Natick TR-15/007, 2014). Segments as fractions of stature H:
    Drillis and Contini (1966) as tabulated in Winter, Biomechanics and Motor Control of Human Movement,
    figure 4.1: ankle height 0.039, shin 0.246, thigh 0.245, shoulder height 0.818, upper arm 0.186, forearm
    0.146. The neck is the thorax's top as in Human3.6M, halfway between the shoulders' height and C7 (about
    0.864 H), at 0.84 H; the spine is mid-torso and the head the top of the head. Joint centres lie inside the
    surface breadths of that figure, here at 0.62 of 0.191 H for the hips, 0.75 of 0.259 H for the shoulders
    (our choice, between anatomical centres and those of Human3.6M). For their stature women's hips are 4
    percent wider and shoulders 3 percent narrower, men's the reverse, near what the ANSUR surveys find.
    Around these means each segment varies by 2 to 8 percent, legs against trunk and arms with legs (our
    choice); the heights still add up to the stature.
    """
    male = rng.integers(0, 2, n).astype(np.float64)
    z = rng.standard_normal((10, n)).clip(-2.5, 2.5)
    stature = np.where(male, 1.7562 + 0.0686 * z[0], 1.6285 + 0.0642 * z[0])
    leg, arm = 0.025 * z[1], 0.015 * z[1] + 0.025 * z[2]
    thigh = 0.245 * np.exp(leg + 0.02 * z[3])
    shin = 0.246 * np.exp(leg - 0.02 * z[3])
    trunk = 0.310 * np.exp(-leg + 0.02 * z[4])
    head = 0.160 * np.exp(0.04 * z[5])
    upright = stature / (0.039 + thigh + shin + trunk + head)
    return Bodies(
        stature=stature,
        thigh=thigh * upright,
        shin=shin * upright,
        hip=stature * 0.5 * 0.62 * 0.191 * np.exp(0.08 * z[6]) * (1.04 - 0.08 * male),
        trunk=trunk * upright,
        head=head * upright,
        shoulder=stature * 0.5 * 0.75 * 0.259 * np.exp(0.06 * z[7]) * (0.97 + 0.06 * male),
        shoulder_drop=stature * 0.022 * np.exp(0.2 * z[8]),
        upper_arm=stature * 0.186 * np.exp(arm + 0.02 * z[9]),
        forearm=stature * 0.146 * np.exp(arm - 0.02 * z[9]),
    )


def clip_to_limits(angles: np.ndarray) -> np.ndarray:
    """Clip angles (A, n) in place to LIMITS and return them."""
    return np.clip(angles, LIMITS[:, :1], LIMITS[:, 1:], out=angles)


def _turn(frame: np.ndarray, axis: int, degrees: np.ndarray) -> None:
    """Turn frames (3 axes, 3, ...) in place about one of their own axes."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    angle = np.radians(degrees)
    sin, cos = np.sin(angle), np.cos(angle)
    kept = frame[i] * cos
    kept += frame[j] * sin
    frame[j] *= cos
    frame[j] -= frame[i] * sin
    frame[i] = kept


def trunk_frames(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the frames (3 axes, 3, n) of pelvis, lower trunk, upper trunk and head."""
    pitch, roll, turn, flex, side, twist, nod, tilt, look = angles[:9]
    pelvis = np.zeros((3, 3, angles.shape[1]))
    pelvis[[0, 1, 2], [0, 1, 2]] = 1
    _turn(pelvis, 0, pitch)
    _turn(pelvis, 2, -roll)
    _turn(pelvis, 1, turn)
    # The lumbar joint takes 40% of the spine's motion, the mid-torso joint the rest.
    low = pelvis.copy()
    _turn(low, 1, 0.4 * twist)
    _turn(low, 0, 0.4 * flex)
    _turn(low, 2, -0.4 * side)
    high = low.copy()
    _turn(high, 1, 0.6 * twist)
    _turn(high, 0, 0.6 * flex)
    _turn(high, 2, -0.6 * side)
    head = high.copy()
    _turn(head, 1, look)
    _turn(head, 0, nod)
    _turn(head, 2, -tilt)
    return pelvis, low, high, head


def _limb(base: np.ndarray, angles: np.ndarray, bend: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions (3, 2, n) of a limb's two segments, right and left.

    `base` (3 axes, 3, 2, n) is the frame the limb hangs from, turned in place; `angles` (8, n) are its
    rows; `bend` is 1 for a joint that flexes backward (knee), -1 for one that flexes forward (elbow).
    """
    flex, abduct, rotate, hinge = angles.reshape(4, 2, -1)
    outward = np.array([[-1.0], [1.0]])
    _turn(base, 0, -flex)
    _turn(base, 2, outward * abduct)
    _turn(base, 1, outward * rotate)
    upper = -base[1]
    _turn(base, 0, bend * hinge)
    return upper, -base[1]


def _girdle(high: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return frames (3 axes, 3, 2, n) that carry the shoulders: they rise and come forward with the arms.

    A third of an elevation past 30 degrees, at most 30 degrees, is the shoulder girdle's (Inman,
    Saunders and Abbott, J. Bone Joint Surg. 26, 1944).
    """
    flex, abduct = np.radians(angles[ARMS].reshape(4, 2, -1)[:2])
    elevation = np.degrees(np.arccos(np.cos(flex) * np.cos(abduct)))
    outward = np.array([[-1.0], [1.0]])
    frame = np.repeat(high[:, :, None], 2, axis=2)
    _turn(frame, 1, -outward * 15.0 * np.sin(flex) * np.cos(abduct))
    _turn(frame, 2, outward * ((elevation - 30) / 3).clip(0, 30))
    return frame


def joint_positions(bodies: Bodies, angles: np.ndarray) -> np.ndarray:
    """Return the (J, 3, n) joints of COURSE15 in metres from the mid-hip, for angles (A, n) in degrees."""
    pelvis, low, high, head = trunk_frames(angles)
    outward = np.array([[-1.0], [1.0]])
    hips = pelvis[0][:, None] * (outward * bodies.hip)
    thigh, shin = _limb(np.repeat(pelvis[:, :, None], 2, axis=2), angles[LEGS], bend=1.0)
    knees = hips + thigh * bodies.thigh
    ankles = knees + shin * bodies.shin
    spine = low[1] * (0.5 * bodies.trunk)
    neck = spine + high[1] * (0.5 * bodies.trunk)
    girdle = _girdle(high, angles)
    shoulders = neck[:, None] + girdle[0] * (outward * bodies.shoulder) - girdle[1] * bodies.shoulder_drop
    upper_arm, forearm = _limb(np.repeat(high[:, :, None], 2, axis=2), angles[ARMS], bend=-1.0)
    elbows = shoulders + upper_arm * bodies.upper_arm
    wrists = elbows + forearm * bodies.forearm
    placed = {"spine": spine, "neck": neck, "head": neck + head[1] * bodies.head}
    for side, name in enumerate(("right", "left")):
        for part, both in (("hip", hips), ("knee", knees), ("ankle", ankles)):
            placed[f"{name}_{part}"] = both[:, side]
        for part, both in (("shoulder", shoulders), ("elbow", elbows), ("wrist", wrists)):
            placed[f"{name}_{part}"] = both[:, side]
    joints = np.empty((len(COURSE15), 3, angles.shape[1]))
    for row, joint in enumerate(COURSE15.joints):
        joints[row] = placed[joint]
    return joints
