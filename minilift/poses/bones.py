"""Bones of predicted poses: how far their lengths are off, and how far left and right differ.

A lifter that measures well joint by joint can still stretch and shrink people from pose to pose.
Poses are (N, 15, 3), lengths in their unit.
"""

import numpy as np

from minilift.poses.layouts import COURSE15


def kind(bone: str) -> str:
    """A bone's name without its side: left_hip-left_knee -> hip-knee."""
    return bone.replace("left_", "").replace("right_", "")


PAIRED = tuple(kind(bone) for bone in COURSE15.bones if "-left_" in bone)
"""The kinds that come in pairs, in the order of `asymmetry`."""


def bone_errors(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Predicted minus true length of every bone: (N, 15), in the order of COURSE15.bones.

    Its mean over poses says which bones come out too long or too short, the mean of its absolute value how
    far off they are in a single pose. Raises ValueError for shapes that differ or hold no pose.
    """
    if np.shape(pred) != np.shape(truth) or not len(truth):
        raise ValueError(f"no pairs of poses in shapes {np.shape(pred)} and {np.shape(truth)}")
    return COURSE15.bone_lengths(pred) - COURSE15.bone_lengths(truth)


def asymmetry(poses: np.ndarray) -> np.ndarray:
    """How far the left and the right bone of each pair differ: | |left| - |right| |, (N, 6), as PAIRED.

    People are nearly symmetric, so compare a prediction's with its truth's.
    """
    return sides_differ(COURSE15.bone_lengths(poses))


def sides_differ(lengths: np.ndarray) -> np.ndarray:
    """The same from the lengths of the bones (N, 15)."""
    left = list(COURSE15.left)
    return np.abs(lengths[:, left] - lengths[:, np.take(COURSE15.mirror, left)])
