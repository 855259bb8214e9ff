"""The NumPy backend: the readable reference, and the CPU path.

Every ufunc writes to `out`, so a training step allocates nothing. What would stream a long vector
through several passes works in chunks that stay in the cache; within `parallel()` a team of threads shares
the chunks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.ops.base import Array
from minilift.ops.numpy_core import FEW, WORTH_SPLITTING, NumpyCore
from minilift.ops.threads import blas

# Elements of a pass: the few arrays of one should stay in a cache of 1 or 2 MB. With half as many, the
# threads of a team come back for the interpreter's lock so often that they wait for each other.
CHUNK = 1 << 17


class NumpyOps(NumpyCore):
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

    def generator(self, seed: int | tuple[int, ...] | None) -> np.random.Generator:
        return np.random.default_rng(seed)

    def take(self, rows: Array, index: Array, out: Array) -> Array:
        # mode="raise" would buffer the whole output first (numpy.take's documentation)
        return np.take(rows, index, axis=0, out=out, mode="clip")

    # ---- elementwise ---------------------------------------------------------------------------
    def add(self, a: Array, b: Array, out: Array) -> Array:
        one_row = b.ndim == 1
        if self._thread.team is None or a.size <= CHUNK or not (one_row or b.shape == a.shape):
            return np.add(a, b, out=out)
        chunks = _row_chunks(a)
        self.run(
            lambda i: np.add(a[chunks[i]], b if one_row else b[chunks[i]], out=out[chunks[i]]), len(chunks)
        )
        return out

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
        for start in range(0, flat.size, CHUNK):
            self._keep(p, key, start, flat[start : start + CHUNK])
        if p < 1:
            np.multiply(flat, 1 / (1 - p), out=flat)
        return out

    def _keep(self, p: float, key: tuple[int, int], start: int, out: np.ndarray) -> None:
        """out[i] = 1 where dropout keeps element start + i, else 0."""
        threshold = round(p * 2**32)
        if threshold > 0xFFFFFFFF:  # p = 1: it has no place in 32 bits
            out.fill(0)
            return
        if "count" not in self._thread.arrays:
            self._temporary("count", 1 << 16, "uint32")[:] = np.arange(1 << 16, dtype=np.uint32)
        done = 0
        while done < out.size:
            high, low = divmod(start + done, 1 << 16)
            part = out[done : done + (1 << 16) - low]
            done += part.size
            x, y = (
                self._temporary("hash", part.size, "uint32"),
                self._temporary("shifted", part.size, "uint32"),
            )
            # lowbias32 begins with x = number ^ key[0],  x ^= x >> 16. For 2^16 numbers with the same upper
            # half that is one xor. Its last xor-shift is left out: it would change only the lower 16 bits.
            first = (high << 16 & 0xFFFFFFFF) ^ key[0]
            count = self._temporary("count", 1 << 16, "uint32")[low : low + part.size]
            np.bitwise_xor(count, np.uint32(first ^ first >> 16), out=x)
            np.multiply(x, np.uint32(0x7FEB352D), out=x)
            np.right_shift(x, np.uint32(15), out=y)
            np.bitwise_xor(x, y, out=x)
            np.bitwise_xor(x, np.uint32(key[1]), out=x)
            np.multiply(x, np.uint32(0x846CA68B), out=x)
            np.greater_equal(x, np.uint32(threshold), out=part)

    # ---- layers --------------------------------------------------------------------------------
    def linear(self, x: Array, weight: Array, bias: Array | None, out: Array) -> Array:
        n, (m, k) = len(x), weight.shape
        if n <= FEW and n * m * k >= WORTH_SPLITTING and blas().unpacked and self.dtype == "float32":
            self._linear_of_few(x, weight, out)
        else:
            self.matmul(x, weight.T, out=out)
        return out if bias is None else self.add(out, bias, out=out)

    def linear_backward(
        self, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, out: Array
    ) -> Array:
        self.matmul(dy.T, x, out=dweight)
        if dbias is not None:
            self.sum_rows(dy, out=dbias)
        return self.matmul(dy, weight, out=out)

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
        column = self._temporary("column", weight.size)
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

    def norm_act_drop(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        p: float, key: tuple[int, int], centred: Array, out: Array,
    ) -> Array:  # fmt: skip
        n, columns = x.shape
        chunks = _row_chunks(x)
        means, squares = self.scratch("sums", (2, len(chunks), columns))
        column = self._temporary("column", columns)

        def gather(i: int) -> None:
            part = x[chunks[i]]
            off = self.scratch("off", part.shape)
            self.sum_rows(part, out=means[i])
            np.divide(means[i], len(part), out=means[i])
            np.subtract(part, means[i], out=off)
            np.einsum("ij,ij->j", off, off, out=squares[i])

        def finish(i: int) -> None:
            y, part = out[chunks[i]], centred[chunks[i]]
            np.subtract(x[chunks[i]], mean, out=part)
            np.multiply(part, scale, out=y)
            np.add(y, shift, out=y)
            np.maximum(y, 0, out=y)
            if p > 0:
                keep = self.scratch("off", y.shape)
                self._keep(p, key, chunks[i].start * columns, keep.reshape(-1))
                np.multiply(y, keep, out=y)

        # Each chunk is read once for its own mean and squares about it; sums of squares about the mean of all
        # follow from those (Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm", 1979).
        self.run(gather, len(chunks))
        mean.fill(0)
        for i, chunk in enumerate(chunks):
            np.multiply(means[i], (chunk.stop - chunk.start) / n, out=column)
            np.add(mean, column, out=mean)
        np.add.reduce(squares, axis=0, out=var)
        for i, chunk in enumerate(chunks if len(chunks) > 1 else ()):
            np.subtract(means[i], mean, out=column)
            np.multiply(column, column, out=column)
            np.multiply(column, chunk.stop - chunk.start, out=column)
            np.add(var, column, out=var)
        np.divide(var, n, out=var)
        np.add(var, eps, out=rstd)
        np.sqrt(rstd, out=rstd)
        np.reciprocal(rstd, out=rstd)
        # dropout's 1/(1-p) goes into the scale and shift of the normalisation: relu(s x) = s relu(x)
        scale, shift = self._temporary("scale", columns), self._temporary("shift", columns)
        kept = 1 / (1 - p) if p < 1 else 0.0
        np.multiply(weight, rstd, out=scale)
        np.multiply(scale, kept, out=scale)
        np.multiply(bias, kept, out=shift)
        self.run(finish, len(chunks))
        return out

    def norm_act_drop_backward(
        self, dy: Array, centred: Array, y: Array, rstd: Array, weight: Array, p: float, dweight: Array,
        dbias: Array, out: Array,
    ) -> Array:  # fmt: skip
        n, chunks = len(dy), _row_chunks(dy)
        sums = self.scratch("sums", (2, len(chunks), dy.shape[1]))

        def gate(i: int) -> None:
            part = out[chunks[i]]
            np.greater(y[chunks[i]], 0, out=part)  # 0.0 or 1.0: y is 0 too where dropout did not keep
            np.multiply(part, dy[chunks[i]], out=part)
            self.sum_rows(part, out=sums[0, i])
            np.einsum("ij,ij->j", part, centred[chunks[i]], out=sums[1, i])

        def finish(i: int) -> None:
            part = out[chunks[i]]
            along = self.scratch("off", part.shape)
            np.multiply(centred[chunks[i]], slope, out=along)
            np.subtract(part, along, out=part)
            np.subtract(part, offset, out=part)
            np.multiply(part, scale, out=part)

        self.run(gate, len(chunks))
        slope, offset = self._temporary("slope", rstd.size), self._temporary("offset", rstd.size)
        scale, kept = self._temporary("scale", rstd.size), 1 / (1 - p) if p < 1 else 0.0
        np.add.reduce(sums[0], axis=0, out=offset)
        np.multiply(offset, kept, out=dbias)
        np.divide(offset, n, out=offset)
        np.add.reduce(sums[1], axis=0, out=slope)
        np.multiply(slope, rstd, out=slope)
        np.multiply(slope, kept, out=dweight)
        np.multiply(slope, rstd, out=slope)
        np.divide(slope, n, out=slope)
        np.multiply(weight, rstd, out=scale)
        np.multiply(scale, kept, out=scale)
        self.run(finish, len(chunks))
        return out

    def running_average(self, new: Array, factor: float, momentum: float, out: Array) -> None:
        column = self._temporary("column", out.size)
        np.multiply(new, factor, out=column)
        np.subtract(column, out, out=column)
        np.multiply(column, momentum, out=column)
        np.add(out, column, out=out)

    # ---- losses --------------------------------------------------------------------------------
    def mpjpe(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        joints = grad.size // 3
        np.subtract(pred, target, out=grad)
        offset = grad.reshape(joints, 3)
        distance = self._temporary("distance", joints)
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
        self, w: Array, g: Array, m: Array, v: Array, decay: tuple[float, float], size: float,
        eps: float, weight_decay: float,
    ) -> None:  # fmt: skip
        def update(i: int) -> None:
            part = slice(i * CHUNK, (i + 1) * CHUNK)
            wi, gi, mi, vi = w[part], g[part], m[part], v[part]
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
            np.subtract(wi, t, out=wi)

        self.run(update, -(-w.size // CHUNK))

    def sgd(
        self, w: Array, g: Array, velocity: Array | None, lr: float, momentum: float, weight_decay: float
    ) -> None:
        scratch = self._temporary("update", CHUNK)
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


def _row_chunks(x: np.ndarray) -> list[slice]:
    """The rows of x in chunks of about CHUNK elements."""
    rows = max(CHUNK // x.shape[1], 1)
    return [slice(start, min(start + rows, len(x))) for start in range(0, len(x), rows)]
