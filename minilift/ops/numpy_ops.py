"""The NumPy backend: the readable reference, and the CPU path.

Every ufunc writes to `out`, so a training step allocates nothing. What would stream a long vector
through several passes works in chunks that stay in the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.ops.base import Array, Ops

CHUNK = 1 << 16  # elements: 256 KB of float32, so that the few arrays of a pass fit in a 1 MB L2 cache


class NumpyOps(Ops):
    """Arrays are `numpy.ndarray`; BLAS does the matrix products on all its threads."""

    def __init__(self, dtype: str = "float32") -> None:
        self.device, self.dtype = "cpu", dtype
        self._scratch: dict[str, np.ndarray] = {}

    def _temporary(self, name: str, size: int, dtype: str) -> np.ndarray:
        """`size` elements of scratch memory under a name; kept, so that only its first use allocates."""
        have = self._scratch.get(name)
        if have is None or have.size < size:
            have = self._scratch[name] = np.empty(size, dtype)
        return have[:size]

    # ---- arrays --------------------------------------------------------------------------------
    def asarray(self, x: Any) -> Array:
        return np.ascontiguousarray(x, dtype=self.dtype)

    def asindex(self, x: Any) -> Array:
        return np.ascontiguousarray(x, dtype=np.intp)

    def empty(self, shape: tuple[int, ...]) -> Array:
        return np.empty(shape, self.dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        return np.zeros(shape, dtype or self.dtype)

    def to_host(self, x: Any) -> np.ndarray:
        return np.array(x)

    def copy(self, source: Any, out: Array) -> None:
        np.copyto(out, source, casting="same_kind")

    def generator(self, seed: int | tuple[int, ...] | None) -> np.random.Generator:
        return np.random.default_rng(seed)

    def take(self, rows: Array, index: Array, out: Array) -> Array:
        # mode="raise" would buffer the whole output first (numpy.take's documentation)
        return np.take(rows, index, axis=0, out=out, mode="clip")

    # ---- elementwise ---------------------------------------------------------------------------
    def add(self, a: Array, b: Array, out: Array) -> Array:
        return np.add(a, b, out=out)

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        return np.multiply(a, b, out=out)

    def affine(self, x: Array, scale: Array, shift: Array, out: Array) -> Array:
        np.multiply(x, scale, out=out)
        return np.add(out, shift, out=out)

    def relu(self, x: Array, out: Array) -> Array:
        return np.maximum(x, 0, out=out)

    def relu_backward(self, dy: Array, y: Array, out: Array) -> Array:
        np.greater(y, 0, out=out)  # 0.0 or 1.0
        return np.multiply(dy, out, out=out)

    def dropout_mask(self, p: float, key: tuple[int, int], out: Array) -> Array:
        flat = out.reshape(-1)
        size = min(CHUNK, flat.size)
        h, t = self._temporary("hash", size, "uint32"), self._temporary("shifted", size, "uint32")
        if "count" not in self._scratch:
            self._scratch["count"] = np.arange(CHUNK, dtype=np.uint32)
        first, second = np.uint32(key[0]), np.uint32(key[1])
        threshold = np.uint64(round(p * 2**32))  # 2^32 itself (p = 1) has no place in 32 bits
        for start in range(0, flat.size, CHUNK):
            part = flat[start : start + CHUNK]
            x, y = h[: part.size], t[: part.size]
            np.add(self._scratch["count"][: part.size], np.uint32(start), out=x)
            np.bitwise_xor(x, first, out=x)
            np.right_shift(x, np.uint32(16), out=y)
            np.bitwise_xor(x, y, out=x)
            np.multiply(x, np.uint32(0x7FEB352D), out=x)
            np.right_shift(x, np.uint32(15), out=y)
            np.bitwise_xor(x, y, out=x)
            np.bitwise_xor(x, second, out=x)
            np.multiply(x, np.uint32(0x846CA68B), out=x)
            # lowbias32's last xor-shift is left out: it would change only the lower 16 bits
            if threshold > 0xFFFFFFFF:
                part.fill(0)
            else:
                np.greater_equal(x, np.uint32(threshold), out=part)
        if p < 1:
            np.multiply(flat, 1 / (1 - p), out=flat)
        return out

    # ---- layers --------------------------------------------------------------------------------
    def linear(self, x: Array, weight: Array, bias: Array | None, out: Array) -> Array:
        np.matmul(x, weight.T, out=out)
        return out if bias is None else np.add(out, bias, out=out)

    def linear_backward(
        self, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, out: Array
    ) -> Array:
        np.matmul(dy.T, x, out=dweight)
        if dbias is not None:
            np.add.reduce(dy, axis=0, out=dbias)
        return np.matmul(dy, weight, out=out)

    def batchnorm(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        n = len(x)
        np.add.reduce(x, axis=0, out=mean)
        np.divide(mean, n, out=mean)
        np.subtract(x, mean, out=xhat)
        np.einsum("ij,ij->j", xhat, xhat, out=var)
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
        n = len(dy)
        np.add.reduce(dy, axis=0, out=dbias)
        np.einsum("ij,ij->j", dy, xhat, out=dweight)
        column = self._temporary("column", weight.size, self.dtype)
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
        column = self._temporary("column", weight.size, self.dtype)
        np.multiply(weight, rstd, out=column)
        return np.multiply(dy, column, out=out)

    def running_average(self, new: Array, factor: float, momentum: float, out: Array) -> None:
        column = self._temporary("column", out.size, self.dtype)
        np.multiply(new, factor, out=column)
        np.subtract(column, out, out=column)
        np.multiply(column, momentum, out=column)
        np.add(out, column, out=out)

    # ---- losses --------------------------------------------------------------------------------
    def mpjpe(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        joints = grad.size // 3
        np.subtract(pred, target, out=grad)
        offset = grad.reshape(joints, 3)
        distance = self._temporary("distance", joints, self.dtype)
        np.einsum("ij,ij->i", offset, offset, out=distance)
        np.sqrt(distance, out=distance)
        total += np.add.reduce(distance, dtype=np.float64) / joints
        # The floor makes 0/0 a 0. It is where squares begin to vanish, so no distance that is told from 0
        # lies below it, and no quotient exceeds 1.
        np.maximum(distance, 1e-22 if self.dtype == "float32" else 1e-161, out=distance)
        np.multiply(distance, joints, out=distance)
        np.divide(offset, distance[:, None], out=offset)

    def mse(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        np.subtract(pred, target, out=grad)
        flat = grad.reshape(-1)
        total += float(np.dot(flat, flat)) / flat.size
        np.multiply(grad, 2 / flat.size, out=grad)

    # ---- optimisers ----------------------------------------------------------------------------
    def adam(
        self, w: Array, g: Array, m: Array, v: Array, step: int, lr: float,
        betas: tuple[float, float], eps: float, weight_decay: float,
    ) -> None:  # fmt: skip
        b1, b2 = betas
        # w -= lr/(1-b1^t) m / (sqrt(v)/root + eps) = (lr root/(1-b1^t)) m / (sqrt(v) + eps root)
        root = (1 - b2**step) ** 0.5
        size, eps_root = lr * root / (1 - b1**step), eps * root
        scratch = self._temporary("update", CHUNK, self.dtype)
        decayed = self._temporary("decayed", CHUNK, self.dtype) if weight_decay else scratch
        for start in range(0, w.size, CHUNK):
            part = slice(start, start + CHUNK)
            wi, gi, mi, vi = w[part], g[part], m[part], v[part]
            t = scratch[: wi.size]
            if weight_decay:
                np.multiply(wi, weight_decay, out=decayed[: wi.size])
                gi = np.add(decayed[: wi.size], gi, out=decayed[: wi.size])
            np.subtract(gi, mi, out=t)
            np.multiply(t, 1 - b1, out=t)
            np.add(mi, t, out=mi)
            np.multiply(gi, gi, out=t)
            np.subtract(t, vi, out=t)
            np.multiply(t, 1 - b2, out=t)
            np.add(vi, t, out=vi)
            np.sqrt(vi, out=t)
            np.add(t, eps_root, out=t)
            np.divide(mi, t, out=t)
            np.multiply(t, size, out=t)
            np.subtract(wi, t, out=wi)

    def sgd(
        self, w: Array, g: Array, velocity: Array | None, lr: float, momentum: float, weight_decay: float
    ) -> None:
        scratch = self._temporary("update", CHUNK, self.dtype)
        for start in range(0, w.size, CHUNK):
            part = slice(start, start + CHUNK)
            wi, gi = w[part], g[part]
            t = scratch[: wi.size]
            np.multiply(wi, weight_decay, out=t)
            np.add(t, gi, out=t)
            if velocity is not None:
                vi = velocity[part]
                np.multiply(vi, momentum, out=vi)
                np.add(vi, t, out=vi)
                np.copyto(t, vi)
            np.multiply(t, lr, out=t)
            np.subtract(wi, t, out=wi)
