"""The NumPy backend: the readable reference, and the CPU path.

Every ufunc writes to `out`, so a training step allocates nothing. What would stream a long vector
through several passes works in chunks that stay in the cache; within `parallel()` a team of threads shares
the chunks. Below it: numpy_core.py (memory, threads, products), numpy_fused.py (NormActDrop)
and numpy_losses.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilift.ops.base import Array
from minilift.ops.numpy_core import chunks_of, row_chunks
from minilift.ops.numpy_losses import NumpyLosses


class NumpyOps(NumpyLosses):
    """Arrays are `numpy.ndarray`; BLAS does the matrix products on all its threads."""

    # ---- arrays --------------------------------------------------------------------------------
    def asarray(self, x: Any) -> Array:
        return np.ascontiguousarray(x, dtype=self.dtype)

    def asindex(self, x: Any) -> Array:
        return np.ascontiguousarray(x, dtype=np.intp)

    def to_host(self, x: Any) -> np.ndarray:
        return np.array(x)

    def copy(self, source: Any, out: Array) -> None:
        np.copyto(out, source, casting="same_kind")

    def fill(self, out: Array, value: float) -> None:
        out.fill(value)

    def generator(self, seed: int | tuple[int, ...] | None) -> np.random.Generator:
        return np.random.default_rng(seed)

    def take(self, rows: Array, index: Array, out: Array) -> Array:
        # mode="raise" would buffer the whole output first (numpy.take's documentation)
        return np.take(rows, index, axis=0, out=out, mode="clip")

    # ---- elementwise ---------------------------------------------------------------------------
    def add(self, a: Array, b: Array, out: Array) -> Array:
        one_row = b.shape == a.shape[-1:]
        if a.ndim < 2 or not (one_row or b.shape == a.shape):
            return np.add(a, b, out=out)
        chunks = row_chunks(a)

        def part(i: int) -> None:
            np.add(a[chunks[i]], b if one_row else b[chunks[i]], out=out[chunks[i]])

        self.run(part, len(chunks))
        return out

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        return np.multiply(a, b, out=out)

    def affine(self, x: Array, scale: Array, shift: Array, out: Array) -> Array:
        np.multiply(x, scale, out=out)
        return np.add(out, shift, out=out)

    def relu(self, x: Array, out: Array, slope: float = 0.0) -> Array:
        low = np.multiply(x, slope, out=self.scratch("low", x.shape)) if slope else 0
        return np.maximum(x, low, out=out)

    def relu_backward(self, dy: Array, y: Array, out: Array, slope: float = 0.0) -> Array:
        np.greater(y, 0, out=out)  # 0.0 or 1.0
        if slope:
            np.maximum(out, slope, out=out)
        return np.multiply(dy, out, out=out)

    # ---- layers --------------------------------------------------------------------------------
    def batchnorm(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        np.add.reduce(x, axis=0, out=mean)
        n = self.whole_batch(len(x), mean)
        np.divide(mean, n, out=mean)
        np.subtract(x, mean, out=xhat)
        np.einsum("ij,ij->j", xhat, xhat, out=var)
        self.whole_batch(len(x), var)
        np.divide(var, n, out=var)
        return self._scale_shift(weight, bias, var, rstd, eps, xhat, out)

    def batchnorm_eval(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        np.subtract(x, mean, out=xhat)
        return self._scale_shift(weight, bias, var, rstd, eps, xhat, out)

    def _scale_shift(
        self, weight: Array, bias: Array, var: Array, rstd: Array, eps: float, xhat: Array, out: Array
    ) -> Array:
        np.add(var, eps, out=rstd)
        np.sqrt(rstd, out=rstd)
        np.reciprocal(rstd, out=rstd)
        np.multiply(xhat, rstd, out=xhat)
        return self.affine(xhat, weight, bias, out)

    def batchnorm_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array,
    ) -> Array:  # fmt: skip
        np.add.reduce(dy, axis=0, out=dbias)
        np.einsum("ij,ij->j", dy, xhat, out=dweight)
        n, column = self.whole_batch(len(dy), dweight, dbias), self._temporary("column", weight.size)
        np.divide(dweight, -n, out=column)
        np.multiply(xhat, column, out=out)
        np.add(out, dy, out=out)
        np.divide(dbias, n, out=column)
        np.subtract(out, column, out=out)
        np.multiply(weight, rstd, out=column)
        return np.multiply(out, column, out=out)

    def batchnorm_eval_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array,
    ) -> Array:  # fmt: skip
        np.add.reduce(dy, axis=0, out=dbias)
        np.einsum("ij,ij->j", dy, xhat, out=dweight)
        column = self._temporary("column", weight.size)
        np.multiply(weight, rstd, out=column)
        return np.multiply(dy, column, out=out)

    def running_average(self, new: Array, factor: float, momentum: float, out: Array) -> None:
        column = self._temporary("column", out.size)
        np.multiply(new, factor, out=column)
        np.subtract(column, out, out=column)
        np.multiply(column, momentum, out=column)
        np.add(out, column, out=out)

    # ---- optimisers ----------------------------------------------------------------------------
    def adam(
        self, w: Array, g: Array, m: Array, v: Array, decay: tuple[float, float], size: float,
        eps: float, weight_decay: float, shrink: float = 0.0,
    ) -> None:  # fmt: skip
        parts = chunks_of(w.size)

        def update(i: int) -> None:
            wi, gi, mi, vi = (vector[parts[i]] for vector in (w, g, m, v))
            t = self._temporary("update", wi.size)
            if weight_decay:
                decayed = self._temporary("decayed", wi.size)
                np.multiply(wi, weight_decay, out=decayed)
                gi = np.add(decayed, gi, out=decayed)
            np.multiply(mi, decay[0], out=mi)
            np.add(mi, gi, out=mi)
            np.multiply(vi, decay[1], out=vi)
            np.multiply(gi, gi, out=t)
            np.add(vi, t, out=vi)
            np.sqrt(vi, out=t)
            np.add(t, eps, out=t)
            np.divide(mi, t, out=t)
            np.multiply(t, size, out=t)
            if shrink:
                np.multiply(wi, 1 - shrink, out=wi)
            np.subtract(wi, t, out=wi)

        self.run(update, len(parts))

    def scale_to_norm(self, vectors: list[Array], limit: float) -> None:
        square = sum(float(np.dot(part, part)) for v in vectors for part in (v[i] for i in chunks_of(v.size)))
        factor = limit / (math.sqrt(square) + 1e-6)
        if not factor >= 1:  # NaN goes on, to be seen
            for vector in vectors:
                np.multiply(vector, factor, out=vector)

    def sgd(
        self, w: Array, g: Array, velocity: Array | None, lr: float, momentum: float, weight_decay: float,
        nesterov: bool = False,
    ) -> None:  # fmt: skip
        for part in chunks_of(w.size):
            wi, gi = w[part], g[part]
            step, t = gi, self._temporary("update", wi.size)
            if weight_decay:
                np.multiply(wi, weight_decay, out=t)
                step = np.add(t, gi, out=t)
            if velocity is not None:
                vi = velocity[part]
                np.multiply(vi, momentum, out=vi)
                np.add(vi, step, out=vi)
                ahead = self._temporary("decayed", wi.size)
                step = np.add(step, np.multiply(vi, momentum, out=ahead), out=t) if nesterov else vi
            np.multiply(step, lr, out=t)
            np.subtract(wi, t, out=wi)
