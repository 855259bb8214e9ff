"""How good a lifter is, told without 3D: by what its poses look like from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minilift.lift.weak import operations as geometry
from minilift.lift.weak.one_view.guide import SPREAD, Guide
from minilift.lift.weak.one_view.network import Adversaries
from minilift.lift.weak.one_view.rows import LABEL, TRUTH, OneViewBatches
from minilift.lift.weak.one_view.step import metrics_of, truth_loss
from minilift.nn import losses
from minilift.ops import Array, get_ops
from minilift.poses.few import evenly
from minilift.poses.metrics import joint_errors
from minilift.train.batches import Batches
from minilift.train.measure import Measure

MOST = 4096
"""Poses, evenly picked, that are looked at from elsewhere; errors are of all."""
SEED = 7  # of the ways around them, the same in every epoch and every run


def unlikeness(images: np.ndarray, others: np.ndarray) -> float:
    """How differently two sets of points (n, C) are spread: the distance of normal distributions with their
    means m and covariances S,

        |m - m'|^2 + tr(S + S' - 2 (S^1/2 S' S^1/2)^1/2)

    (Frechet's; Dowson & Landau, J. Multivariate Analysis 12, 1982, eq. 16). 0 where they agree in both; not a
    number where some are not. Of a single row nothing is spread.
    """
    a, b = (np.asarray(rows, np.float64) for rows in (images, others))
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.nan
    first, second = (np.cov(rows, rowvar=False, ddof=min(1, len(rows) - 1)) for rows in (a, b))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    apart = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return float(apart + np.trace(first) + np.trace(second) - 2 * shared)


class OneViewMeasure(Measure):
    """`Measure` by images alone. Of a lifter's poses seen from ways around them, in units of the data:

        gap       the `unlikeness` of their images to those of the data, as the poses are
        flat      as if all joints were as far away as the hips: what a lifter has learned nothing from
        flipped   with front and back exchanged, each joint on its ray
        cycle     mean ((u'' - u) / unit)^2: lifted again there and brought back
        elevation of the mean camera, in degrees, as it is known by then
        labelled  where some poses have labels, their mean error, in units of the data
        loss      gap + cycle, and that, by which epochs are chosen

    and `mpjpe` where `truth` asks for it, on which nothing depends. Batches that have `others` are seen from
    elsewhere together with those.
    """

    def __init__(self, network: Adversaries, unit: float, truth: bool) -> None:
        super().__init__(network, losses.mse, metrics_of(truth))
        self.pair, self.unit, self.truth = network, unit, truth
        self.errors = Measure(network, truth_loss)

    def __call__(self, batches: Batches) -> dict[str, float]:
        x, y = batches.on(self.network.ops)
        images = np.asarray(self.network.ops.to_host(x))[evenly(len(batches), MOST)]
        if isinstance(batches, OneViewBatches) and batches.others is not None:
            images = np.concatenate([images, batches.others.astype(images.dtype)])
        found = self.seen_from_elsewhere(images)
        if y.shape[1] == LABEL.stop:
            found["labelled"] = self._labelled(x, y)
            found["loss"] += found["labelled"]
        if self.truth:
            found["mpjpe"] = self.errors(batches)["loss"]
        return found

    def _labelled(self, x: Array, y: Array) -> float:
        host = self.network.ops.to_host
        images, known = np.asarray(host(x)), np.asarray(host(y))
        has = known[:, LABEL.start] > 0
        return float(joint_errors(self._lift()(images[has]), known[has, TRUTH]).mean() / self.unit)

    def seen_from_elsewhere(self, images: np.ndarray) -> dict[str, float]:
        """Of images (n, 2J) on the host, with the mean elevation in degrees."""
        mean, rng, n = self.pair.angle, np.random.default_rng(SEED), len(images)
        own = mean + Guide(self.pair.guide)(self.network.ops.asarray(images))
        ways = [own, rng.uniform(-math.pi, math.pi, n), rng.normal(mean, SPREAD, n)]
        way = np.stack(ways, axis=1).astype(images.dtype)
        lift = self._lift()
        joints = lift(images)
        depth = joints[:, 2::3]
        found = {}
        for name, at in (("flat", -np.ones_like(depth)), ("flipped", -2 - depth), ("gap", depth)):
            seen = _seen(_on_rays(images, at), way)
            found[name] = unlikeness(images / self.unit, seen / self.unit)
        again = _seen(lift(seen), way[:, ::-1] * np.array([1, -1, 1], way.dtype))
        found["cycle"] = float((((again - images) / self.unit) ** 2).mean())
        return {"loss": found["gap"] + found["cycle"], **found, "elevation": math.degrees(mean)}

    def _lift(self) -> Callable[[np.ndarray], np.ndarray]:
        predictor, joints = self.pair.predictor(), self.pair.lifter.joint_nodes

        def lift(images: np.ndarray) -> np.ndarray:
            out = np.empty((len(images), joints), images.dtype)
            predictor.lift(images, out)
            return out

        return lift


def _on_rays(images: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Joints (n, 3J) at depths (n, J) on the rays of images (n, 2J)."""
    joints = np.empty((len(images), 3 * depth.shape[1]), images.dtype)
    joints[:, 0::3], joints[:, 1::3] = -images[:, 0::2] * depth, -images[:, 1::2] * depth
    joints[:, 2::3] = depth
    return joints


def _seen(joints: np.ndarray, way: np.ndarray) -> np.ndarray:
    """The images of joints (n, 3J) after a way (n, 3) around them."""
    ops, n = get_ops("cpu", joints.dtype.name), len(joints)
    rotation, translation, moved = (ops.empty((n, k)) for k in (9, 3, joints.shape[1]))
    geometry.turn(ops, np.ascontiguousarray(way), rotation, translation)
    geometry.move(ops, joints, rotation, translation, moved)
    return np.asarray(geometry.project(ops, moved, ops.empty((n, joints.shape[1] // 3 * 2))))
