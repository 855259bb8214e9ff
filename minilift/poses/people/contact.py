"""Keep limbs out of the body: an arm that passes through trunk, head or legs is moved until it is free."""

import numpy as np

from minilift.poses.layouts import COURSE15
from minilift.poses.people.body import ANGLES, Bodies, clip_to_limits, joint_positions

# Radii as fractions of stature: about half of a chest's breadth and depth, a head's and a thigh's width, the
# limb's own thickness counted in and what flesh gives way taken off.
_TRUNK_WIDTH, _TRUNK_DEPTH = 0.085, 0.066
_HEAD, _THIGH, _SHIN, _FEET = 0.056, 0.040, 0.030, 0.055
_TRIES = 6
_RIGHT, _LEFT = (
    (COURSE15.index(f"{side}_hip"), COURSE15.index(f"{side}_shoulder")) for side in ("right", "left")
)  # rows of the first joint of leg and arm; the others of the limb follow
_NECK, _HEAD_TOP = COURSE15.index("neck"), COURSE15.index("head")


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the scalar products (n,) of two rows of vectors (3, n)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _inside_trunk(joints: np.ndarray, point: np.ndarray, stature: np.ndarray) -> np.ndarray:
    """Return (n,) whether points (3, n) lie in the elliptic cylinder from the hips to the neck."""
    up = joints[_NECK]
    height = np.sqrt(_dot(up, up))
    up = up / height
    side = joints[_LEFT[1]] + joints[_LEFT[0]] - joints[_RIGHT[1]] - joints[_RIGHT[0]]
    side = side - up * _dot(side, up)
    side /= np.sqrt(_dot(side, side))
    along, across = _dot(point, up), _dot(point, side)
    off = _dot(point, point) - along**2 - across**2
    ellipse = (across / (_TRUNK_WIDTH * stature)) ** 2 + off / (_TRUNK_DEPTH * stature) ** 2
    return np.asarray((ellipse < 1) & (along > 0) & (along < 0.95 * height))


def _near_bone(start: np.ndarray, end: np.ndarray, point: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Return (n,) whether points (3, n) are nearer than `radius` (n,) to the segments from start to end."""
    bone, offset = end - start, point - start
    along = (_dot(bone, offset) / _dot(bone, bone)).clip(0, 1)
    offset = offset - bone * along
    return np.asarray(_dot(offset, offset) < radius * radius)


def arm_contacts(
    joints: np.ndarray, stature: np.ndarray, arm: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (n,) whether the forearm of the arm at joint `arm` is in the trunk, the head, a leg."""
    elbow, wrist = joints[arm + 1], joints[arm + 2]
    trunk, head, leg = (np.zeros(len(stature), dtype=bool) for _ in range(3))
    skull = joints[_NECK] + 0.62 * (joints[_HEAD_TOP] - joints[_NECK])
    for share in (0.0, 0.5, 1.0):
        point = elbow + share * (wrist - elbow)
        trunk |= _inside_trunk(joints, point, stature)
        head |= _dot(point - skull, point - skull) < (_HEAD * stature) ** 2
        for hip in (_RIGHT[0], _LEFT[0]):
            leg |= _near_bone(joints[hip], joints[hip + 1], point, _THIGH * stature)
            leg |= _near_bone(joints[hip + 1], joints[hip + 2], point, _SHIN * stature)
    return trunk, head, leg


def _push(joints: np.ndarray, stature: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Move the angles (A, n) of limbs in contact a step outward, in place; return (n,) who was in contact."""
    row = {name: angles[i] for i, name in enumerate(ANGLES)}
    touched = np.zeros(len(stature), dtype=bool)
    for side, (_, arm) in (("right", _RIGHT), ("left", _LEFT)):
        trunk, head, leg = arm_contacts(joints, stature, arm)
        row[f"{side}_shoulder_rotate"] += 9.0 * trunk
        row[f"{side}_shoulder_abduct"] += 5.0 * (trunk | head)
        row[f"{side}_elbow_flex"] += 9.0 * leg - 9.0 * head
        touched |= trunk | head | leg
    tight = np.zeros_like(touched)
    for after in (1, 2):  # knees, and ankles
        apart = joints[_RIGHT[0] + after] - joints[_LEFT[0] + after]
        tight |= _dot(apart, apart) < (_FEET * stature) ** 2
    for side in ("right", "left"):
        row[f"{side}_hip_abduct"] += 2.5 * tight
    return touched | tight


def settle(bodies: Bodies, angles: np.ndarray) -> np.ndarray:
    """Return the joints (J, 3, n) for `angles` (A, n), changed in place where a limb was in the body."""
    joints = joint_positions(bodies, angles)
    active = np.arange(angles.shape[1])
    for _ in range(_TRIES):
        some, moved = bodies.take(active), angles[:, active]
        active_touched = _push(joints[..., active], some.stature, moved)
        if not active_touched.any():
            break
        active = active[active_touched]
        angles[:, active] = clip_to_limits(moved[:, active_touched])
        joints[..., active] = joint_positions(bodies.take(active), angles[:, active])
    return joints
