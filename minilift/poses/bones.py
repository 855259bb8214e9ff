"""Bones of predicted poses: how far their lengths are off, and how far left and right differ.

A lifter that measures well joint by joint can still stretch and shrink people from pose to pose.
Poses are (N, J, 3) of a layout, the course's unless another is given; lengths are in their unit.
"""

import numpy as np

from minilift.poses.layouts import COURSE15, Layout


def kind(bone: str) -> str:
    """A bone's name without its side: left_hip-left_knee -> hip-knee."""
    return bone.replace("left_", "").replace("right_", "")


def paired(layout: Layout) -> tuple[str, ...]:
    """The kinds of a layout's bones that come in pairs, in the order of `asymmetry`."""
    return tuple(kind(bone) for bone in layout.bones if "-left_" in bone)


PAIRED = paired(COURSE15)


def bone_errors(pred: np.ndarray, truth: np.ndarray, layout: Layout = COURSE15) -> np.ndarray:
    """Predicted minus true length of every bone: (N, J), in the order of `layout.bones`.

    Its mean over poses says which bones come out too long or too short, the mean of its absolute value how
    far off they are in a single pose. Raises ValueError for shapes that differ or hold no pose.
    """
    if np.shape(pred) != np.shape(truth) or not len(truth):
        raise ValueError(f"no pairs of poses in shapes {np.shape(pred)} and {np.shape(truth)}")
    return layout.bone_lengths(pred) - layout.bone_lengths(truth)


def asymmetry(poses: np.ndarray, layout: Layout = COURSE15) -> np.ndarray:
    """How far the left and the right bone of each pair differ: | |left| - |right| |, (N, P), as `paired`.

    People are nearly symmetric, so compare a prediction's with its truth's.
    """
    return sides_differ(layout.bone_lengths(poses), layout)


def sides_differ(lengths: np.ndarray, layout: Layout = COURSE15) -> np.ndarray:
    """The same from the lengths of the bones (N, J)."""
    left = list(layout.left)
    return np.abs(lengths[:, left] - lengths[:, np.take(layout.mirror, left)])
