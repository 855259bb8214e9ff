"""Where the rays of two cameras meet: the closed form, as a baseline and to look at files with."""

from typing import NamedTuple

import numpy as np

from minilift.files.mapped import chunks
from minilift.poses.views.two_views import TwoViews

LEAST_SINE = 0.02
"""Sine of the angle between two rays, below which they say nothing of depth: 1.1 degrees. An error of 0.003
in an image is one of 15% in depth there."""


class Met(NamedTuple):
    """Of n people with J joints, (n, J) float64 each."""

    depth: np.ndarray
    """Of the joint in view 1, -z; not positive where the rays meet behind the camera."""
    depth_2: np.ndarray
    """Of the joint in view 2."""
    miss: np.ndarray
    """Between the rays where they pass nearest to each other, over depth: an image error; inf behind."""
    sine: np.ndarray
    """Of the angle between the rays."""

    @property
    def known(self) -> np.ndarray:
        """Which joints the two rays place."""
        return self.sine >= LEAST_SINE


def meet(image_1: np.ndarray, image_2: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> Met:
    """How rays through image points (n, J, 2) of two views meet; rotation (n, 3, 3), translation (n, 3).

    With a = R (u, v, -1) of view 1 and b = (u, v, -1) of view 2, k a + t is nearest to l b at

        k = ((a.b)(b.t) - (a.t)(b.b)) / D,   l = ((a.a)(b.t) - (a.b)(a.t)) / D,   D = |a x b|^2

    and they are |t . (a x b)| / |a x b| apart there. Where D is 0, depth is too.
    """
    a, b = (np.concatenate([x, np.full((*x.shape[:2], 1), -1.0)], axis=2) for x in (image_1, image_2))
    a, t = a @ rotation.astype(np.float64).transpose(0, 2, 1), translation.astype(np.float64)[:, None]
    across = np.cross(a, b)
    (aa, bb, ab, at, bt, dd, td) = (
        (x * y).sum(axis=2)
        for x, y in ((a, a), (b, b), (a, b), (a, t), (b, t), (across, across), (t, across))
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = (
            (ab * bt - at * bb) / dd,
            (aa * bt - ab * at) / dd,
            np.abs(td) / np.sqrt(dd),
        )
        depth, other, gap = (np.where(dd > 0, x, 0) for x in found)
        miss = np.where(depth > 0, gap / depth, np.inf)
    return Met(depth, other, miss, np.sqrt(dd / (aa * bb)))


def person_miss(met: Met, image_1: np.ndarray, image_2: np.ndarray) -> np.ndarray:
    """By how much the rays of each person miss (n,), over the person's size in the smaller of both images:
    the mean over the joints that they place; NaN where they place none.

    A joint behind a camera misses by all of the size. Without the size, smaller images would fit better.
    """
    behind = (met.depth <= 0) | (met.depth_2 <= 0)
    squares = [(image.astype(np.float64) ** 2).sum(axis=2).mean(axis=1) for image in (image_1, image_2)]
    size = np.maximum(np.sqrt(np.minimum(*squares)), 1e-9)[:, None]
    missed = np.where(behind, 1, np.minimum(np.where(behind, 1, met.miss) / size, 1)) * met.known
    with np.errstate(invalid="ignore"):
        return np.asarray(missed.sum(axis=1) / met.known.sum(axis=1))


def image_miss(
    image_1: np.ndarray, image_2: np.ndarray, rotation: np.ndarray, translation: np.ndarray
) -> np.ndarray:  # fmt: skip
    """By how much image points (n, J, 2) of both views would have to move at least for their rays to meet,
    to first order (n, J): Sampson's distance (Hartley and Zisserman, Multiple View Geometry, 11.4.3).

    With F = t . (a x b) of `meet`, F over the length of its gradient by the four image coordinates. Unlike
    `Met.miss` it is the same for the same error in either image, however the cameras stand, so that its mean
    is least for the cameras that images with noise were taken by. Neither depths nor the length of t enter.
    """
    one, other = (np.concatenate([x, np.full((*x.shape[:2], 1), -1.0)], axis=2) for x in (image_1, image_2))
    essential = np.cross(translation[:, :, None], rotation, axis=1).astype(np.float64)  # F = b E r
    lines = one @ essential.transpose(0, 2, 1), other @ essential
    steep = np.sqrt(sum((line[..., :2] ** 2).sum(axis=2) for line in lines))
    missed = np.abs((other * lines[0]).sum(axis=2))
    return np.asarray(missed / np.where(steep > 0, steep, 1))


def triangulated(views: TwoViews) -> np.ndarray:
    """joint_3d (N, 15, 3) float32 of view 1, each joint on its ray there, nearest to its ray in view 2.

    A baseline that is shown both views, where a lifter is shown one. A joint whose rays are nearly parallel
    (LEAST_SINE), or meet behind the camera, is placed at the depth of the mid-hip.
    """
    joints = np.empty((len(views), *views.joint_2d_1.shape[1:2], 3), np.float32)
    for rows in chunks(len(views)):
        image = views.joint_2d_1[rows]
        met = meet(image, views.joint_2d_2[rows], views.rotation[rows], views.translation[rows])
        depth = np.where(met.known & (met.depth > 0), met.depth, 1)
        joints[rows, :, :2], joints[rows, :, 2] = image * depth[:, :, None], -depth
    return joints
