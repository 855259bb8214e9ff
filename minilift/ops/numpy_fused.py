"""NormActDrop for NumPy: batch normalisation, ReLU and dropout in one visit to each chunk, or two."""

from __future__ import annotations

import numpy as np

from minilift.ops.base import Array
from minilift.ops.numpy_core import NumpyCore, row_chunks


class NumpyFused(NumpyCore):
    """The part of NumpyOps that knows dropout's hash, and what is fused with it."""

    def dropout_mask(self, p: float, key: tuple[int, int], out: Array) -> Array:
        flat = out.reshape(-1)
        self._keep(p, key, 0, flat)
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
            x, y = (self._temporary(name, part.size, "uint32") for name in ("hash", "shifted"))
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

    def norm_act_drop(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        p: float, key: tuple[int, int], centred: Array, out: Array,
    ) -> Array:  # fmt: skip
        columns, chunks = x.shape[1], row_chunks(x)
        self._statistics(x, chunks, mean, var)
        np.add(var, eps, out=rstd)
        np.sqrt(rstd, out=rstd)
        np.reciprocal(rstd, out=rstd)
        # dropout's 1/(1-p) goes into the scale and shift of the normalisation: relu(s x) = s relu(x)
        scale, shift = self._temporary("scale", columns), self._temporary("shift", columns)
        kept = 1 / (1 - p) if p < 1 else 0.0
        np.multiply(weight, rstd, out=scale)
        np.multiply(scale, kept, out=scale)
        np.multiply(bias, kept, out=shift)

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

        self.run(finish, len(chunks))
        return out

    def _statistics(self, x: Array, chunks: list[slice], mean: Array, var: Array) -> None:
        """Mean and biased variance of each column.

        Each chunk is read once for its own mean and squares about it; sums of squares about the mean of all
        follow from those (Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm", 1979).
        """
        here, columns = x.shape
        n = self.whole_batch(here)
        means, squares = self.scratch("sums", (2, len(chunks), columns))
        column = self._temporary("column", columns)

        def gather(i: int) -> None:
            part = x[chunks[i]]
            off = self.scratch("off", part.shape)
            self.sum_rows(part, out=means[i])
            np.divide(means[i], len(part), out=means[i])
            np.subtract(part, means[i], out=off)
            np.einsum("ij,ij->j", off, off, out=squares[i])

        self.run(gather, len(chunks))
        mean.fill(0)
        for i, chunk in enumerate(chunks):
            np.multiply(means[i], (chunk.stop - chunk.start) / n, out=column)
            np.add(mean, column, out=mean)
        self.whole_batch(here, mean)
        np.add.reduce(squares, axis=0, out=var)
        for i, chunk in enumerate(chunks if len(chunks) > 1 or n > here else ()):
            np.subtract(means[i], mean, out=column)
            np.multiply(column, column, out=column)
            np.multiply(column, chunk.stop - chunk.start, out=column)
            np.add(var, column, out=var)
        self.whole_batch(here, var)
        np.divide(var, n, out=var)

    def norm_act_drop_backward(
        self, dy: Array, centred: Array, y: Array, rstd: Array, weight: Array, p: float, dweight: Array,
        dbias: Array, out: Array,
    ) -> Array:  # fmt: skip
        chunks = row_chunks(dy)
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
        np.add.reduce(sums[1], axis=0, out=slope)
        n = self.whole_batch(len(dy), offset, slope)
        np.multiply(offset, kept, out=dbias)
        np.divide(offset, n, out=offset)
        np.multiply(slope, rstd, out=slope)
        np.multiply(slope, kept, out=dweight)
        np.multiply(slope, rstd, out=slope)
        np.divide(slope, n, out=slope)
        np.multiply(weight, rstd, out=scale)
        np.multiply(scale, kept, out=scale)
        self.run(finish, len(chunks))
        return out
