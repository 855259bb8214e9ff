"""Where the joints of a motion-capture clip are: forward kinematics."""

from collections.abc import Mapping, Sequence

import numpy as np

from minilift.poses.read.clip import Clip

_AT_ONCE = 4096  # frames


def joint_positions(clip: Clip, joints: Sequence[int] | None = None) -> np.ndarray:
    """Where joints are in each frame: (F, len(joints), 3) float64, in file units.

    `joints` are rows of `clip.names`; None: all. With R and p a joint's global rotation and position:

        R = R_parent R_1 R_2 ...      R_i: by the i-th rotation channel, about its axis, as they are written
        p = p_parent + R_parent t     t: OFFSET, a component replaced by its position channel where one is

    Files with position channels on every joint repeat the OFFSET in them: to add both doubles every bone.

    Where the clip has `axes`, C for each joint, and where its joints are ends of `bones` (ASF):

        R = R_parent C R_1 R_2 ... C^-1
        p = p_parent + R t     but for the root, which nothing turns
    """
    wanted = range(len(clip.names)) if joints is None else joints
    needed, starts = set(), np.cumsum([0, *map(len, clip.channels)])
    for joint in wanted:
        while joint >= 0 and joint not in needed:
            needed.add(joint)
            joint = clip.parents[joint]
    out = np.empty((len(clip), len(wanted), 3))
    for first in range(0, len(clip), _AT_ONCE):
        rows = clip.motion[first : first + _AT_ONCE]
        turned: dict[int, np.ndarray] = {-1: np.broadcast_to(np.eye(3), (len(rows), 3, 3))}
        placed: dict[int, np.ndarray] = {-1: np.zeros((len(rows), 3))}
        for joint in sorted(needed):
            parent, offset = clip.parents[joint], np.tile(clip.offsets[joint], (len(rows), 1))
            turn = turned[parent].copy() if clip.axes is None else turned[parent] @ clip.axes[joint]
            for kind, values in zip(clip.channels[joint], rows[:, starts[joint] :].T, strict=False):
                axis = "xyz".index(kind[0])
                if kind.endswith("position"):
                    offset[:, axis] = values
                else:
                    _turn(turn, axis, np.radians(values))
            turned[joint] = turn if clip.axes is None else turn @ clip.axes[joint].T
            moved_by = turned[joint if clip.bones and parent >= 0 else parent]
            placed[joint] = placed[parent] + np.einsum("fij,fj->fi", moved_by, offset)
        for column, joint in enumerate(wanted):
            out[first : first + len(rows), column] = placed[joint]
    return out


def rotation(angles: Mapping[str, float], order: str) -> np.ndarray:
    """(3, 3): rotations by angles in degrees about the fixed axes x, y and z, one after the other in `order`.

    "xyz" is Rz Ry Rx: the first one made stands on the right.
    """
    out = np.eye(3)[None]
    for axis in reversed(order):
        _turn(out, "xyz".index(axis), np.radians([angles[axis]]))
    return out[0]


def _turn(rotation: np.ndarray, axis: int, angle: np.ndarray) -> None:
    """rotation (F, 3, 3) times the rotation by angle (F,) about an axis: two of its columns change."""
    b, c = (axis + 1) % 3, (axis + 2) % 3
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    second, third = rotation[..., b].copy(), rotation[..., c].copy()
    rotation[..., b] = cos * second + sin * third
    rotation[..., c] = cos * third - sin * second
