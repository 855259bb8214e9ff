"""People seen by two cameras as rows for training: each view with what the other one shows of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.lift.model import LiftModel
from minilift.lift.weak.batches import WeakBatches, check_people, mirrored
from minilift.ops import Array
from minilift.poses.layouts import COURSE15, ROOT
from minilift.poses.views import TwoViews

JOINTS = len(COURSE15)
IMAGE = slice(0, 2 * JOINTS)
ROTATION = slice(IMAGE.stop, IMAGE.stop + 9)
TRANSLATION = slice(ROTATION.stop, ROTATION.stop + 3)
SCALE = slice(TRANSLATION.stop, TRANSLATION.stop + 1)
TRUTH = slice(SCALE.stop, SCALE.stop + 3 * JOINTS)
LABEL = slice(TRUTH.stop, TRUTH.stop + 1)
NOISE = 1  # a stream of random numbers


class Rows(NamedTuple):
    """Of n people, for each of both views: float32.

    x (n, 2, 2J)     the image
    y (n, 2, C)      IMAGE of the other view; ROTATION R, row by row, and TRANSLATION t from this view to the
                     other, in the unit of this view, in which its own mid-hip is at (0, 0, -1); SCALE s, the
                     unit of the other view in that of this one; TRUTH, the joints, where they are known:
                     to report errors by; and LABEL, where some people have labels, 1 for them and 0 for
                     others: only for them a loss looks at TRUTH
    """

    x: np.ndarray
    y: np.ndarray


def rows_of(views: TwoViews, truth: bool, labels: np.ndarray | None = None) -> Rows:
    """The rows of training, with joint_3d in them only where `truth` asks for it, and `labels` (n,) bool.

    From view 1 to 2 it is P2 = R P1 + t in the unit of view 1, s = |R (0, 0, -1) + t|; from 2 to 1, in the
    unit of view 2, P1 = R^T P2 - R^T t / s, and view 1 has the unit 1 / s.
    """
    n, turn, moved = len(views), views.rotation.astype(np.float64), views.translation.astype(np.float64)
    images = [np.asarray(image).reshape(n, -1) for image in (views.joint_2d_1, views.joint_2d_2)]
    scale = np.linalg.norm(turn @ np.array(ROOT) + moved, axis=1)[:, None]
    back = turn.transpose(0, 2, 1)
    columns = SCALE.stop if not truth else TRUTH.stop if labels is None else LABEL.stop
    y = np.empty((n, 2, columns), np.float32)
    y[:, 0, IMAGE], y[:, 1, IMAGE] = images[1], images[0]
    y[:, 0, ROTATION], y[:, 1, ROTATION] = turn.reshape(n, 9), back.reshape(n, 9)
    y[:, 0, TRANSLATION], y[:, 1, TRANSLATION] = moved, -np.einsum("nkl,nl->nk", back, moved) / scale
    y[:, 0, SCALE], y[:, 1, SCALE] = scale, 1 / scale
    if truth:
        joints = np.asarray(views.joint_3d)
        y[:, 0, TRUTH] = joints.reshape(n, -1)
        y[:, 1, TRUTH] = in_second_view(joints, views).reshape(n, -1)
    if labels is not None:
        y[..., LABEL] = labels[:, None, None]
    return Rows(np.stack(images, axis=1).astype(np.float32), y)


def in_second_view(joints: np.ndarray, views: TwoViews) -> np.ndarray:
    """Joints (n, J, 3) of view 1 as view 2 has them, in its own unit."""
    turn, moved = views.rotation.astype(np.float64), views.translation.astype(np.float64)
    scale = np.linalg.norm(turn @ np.array(ROOT) + moved, axis=1)
    seen = joints.astype(np.float64) @ turn.transpose(0, 2, 1) + moved[:, None]
    return np.asarray(seen / scale[:, None, None], np.float32)


def mirror_image(views: TwoViews) -> TwoViews:
    """The same people in a mirror: `mirrored`, R <- M R M, t <- M t with M = diag(-1, 1, 1)."""
    sign = np.array([-1, 1, 1], np.float32)
    joints = None if views.joint_3d is None else mirrored(views.joint_3d)
    rotation = views.rotation * sign[:, None] * sign
    images = mirrored(views.joint_2d_1), mirrored(views.joint_2d_2)
    return TwoViews(*images, rotation, views.translation * sign, joints)


class TwoViewBatches(WeakBatches):
    """Batches of people in two views, `Rows` of them. In training each is mirrored with the probability
    `flip`, and what the network sees, not what it is compared with, gets Gaussian `noise` of this standard
    deviation. `labels` (n,) bool are the people whose joint_3d is learned from; of the people of an epoch
    they are a share of LEAST at least.

    Raises InputError for no people, a model that does not put the course's joints on rays, and labels without
    joint_3d.
    """

    def __init__(
        self, views: TwoViews, model: LiftModel, size: int, *, truth: bool, flip: float = 0.0,
        noise: float = 0.0, labels: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        check_people(len(views), model, truth, labels)
        rows = rows_of(views, truth, labels)
        if flip:
            other = rows_of(mirror_image(views), truth, labels)
            rows = Rows(*(np.concatenate(pair) for pair in zip(rows, other, strict=True)))
        self.noise, self._made_for = noise, model.ops
        augment = self._noisy if noise else None
        super().__init__(len(views), rows.x, rows.y, size, model.seed, augment, flip=flip, labels=labels)

    def _noisy(self, step: int, x: Array, y: Array) -> tuple[Array, Array]:
        ops = self._made_for
        drawn = ops.generator((self.seed, step, NOISE)).standard_normal(x.shape)
        noise = ops.scratch("image noise", x.shape)
        ops.copy((self.noise * drawn).astype(ops.dtype), out=noise)
        return ops.add(x, noise, out=x), y
