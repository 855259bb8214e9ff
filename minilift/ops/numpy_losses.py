"""Losses and accuracy for NumPy."""

from __future__ import annotations

import numpy as np

from minilift.ops.base import Array
from minilift.ops.numpy_fused import NumpyFused


class NumpyLosses(NumpyFused):
    """The part of NumpyOps that compares predictions with targets."""

    def mpjpe(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        points = grad.size // 3
        np.subtract(pred, target, out=grad)
        offset = grad.reshape(points, 3)
        distance = self._temporary("distance", points)
        np.einsum("ij,ij->i", offset, offset, out=distance)
        np.sqrt(distance, out=distance)
        total += np.add.reduce(distance, dtype=np.float64) / points
        # The floor makes 0/0 a 0. It is where squares begin to vanish, so no distance that is told from 0
        # lies below it, and no quotient exceeds 1.
        np.maximum(distance, 1e-22 if self.dtype == "float32" else 1e-161, out=distance)
        np.multiply(distance, points, out=distance)
        np.divide(offset, distance[:, None], out=offset)

    def mse(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        np.subtract(pred, target, out=grad)
        flat = grad.reshape(-1)
        total += float(np.dot(flat, flat)) / flat.size
        np.multiply(grad, 2 / flat.size, out=grad)

    def cross_entropy(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        classes = pred.shape[-1]
        rows, scores = grad.reshape(-1, classes), pred.reshape(-1, classes)
        n = len(rows)
        column, at_target = self._temporary("column", n), self._temporary("target", n)
        place = self._places(target.reshape(-1), classes)
        np.maximum.reduce(scores, axis=1, out=column)
        np.subtract(scores, column[:, None], out=rows)
        np.take(rows, place, out=at_target, mode="clip")
        np.exp(rows, out=rows)
        np.add.reduce(rows, axis=1, out=column)
        np.divide(rows, column[:, None], out=rows)
        np.log(column, out=column)
        np.subtract(column, at_target, out=column)
        total += np.add.reduce(column, dtype=np.float64) / n
        np.take(rows, place, out=at_target, mode="clip")
        np.subtract(at_target, 1, out=at_target)
        np.put(rows, place, at_target)
        np.divide(rows, n, out=rows)

    def bce_with_logits(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        spare, wanted = self.scratch("spare", pred.shape), target
        if target.shape != pred.shape:
            wanted = self.scratch("wanted", pred.shape)
            wanted.fill(0)
            np.put(wanted, self._places(target.reshape(-1), pred.shape[-1]), 1)
        np.absolute(pred, out=spare)
        np.negative(spare, out=spare)
        np.exp(spare, out=spare)
        np.log1p(spare, out=spare)
        np.maximum(pred, 0, out=grad)
        np.add(spare, grad, out=spare)
        np.multiply(pred, wanted, out=grad)
        np.subtract(spare, grad, out=spare)
        total += np.add.reduce(spare.reshape(-1), dtype=np.float64) / spare.size
        np.multiply(pred, 0.5, out=grad)  # 1/(1 + exp(-x)) = (1 + tanh(x/2)) / 2
        np.tanh(grad, out=grad)
        np.add(grad, 1, out=grad)
        np.multiply(grad, 0.5, out=grad)
        np.subtract(grad, wanted, out=grad)
        np.divide(grad, grad.size, out=grad)

    def accuracy(self, pred: Array, target: Array, total: Array) -> None:
        scores, wanted = pred.reshape(-1, pred.shape[-1]), target.reshape(-1)
        best = self._temporary("best", len(scores), "intp")
        right = self._temporary("right", len(scores), "bool")
        np.argmax(scores, axis=1, out=best)
        np.equal(best, wanted, out=right)
        total += np.count_nonzero(right) / right.size

    def _places(self, target: Array, classes: int) -> np.ndarray:
        """Where in a flat (n, classes) array the element of each row's target lies."""
        n, have = target.size, self._thread.arrays.get("number")
        if have is None or have.size < n:
            self._temporary("number", n, "intp")[:] = np.arange(n)
        place = self._temporary("place", n, "intp")
        np.multiply(self._temporary("number", n, "intp"), classes, out=place)
        return np.add(place, target, out=place)
