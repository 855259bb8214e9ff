"""BatchNorm and Dropout on GPUs over batches that several processes share: the maths is in layers.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.distributed.whole import WholeBatch
from minilift.ops import Array
from minilift.ops.cuda.cupy_ops import CupyOps


class SharedCupyOps(WholeBatch, CupyOps):
    """As SharedNumpyOps, for the layers of a network whose steps go layer by layer.

    Memory, stream and scratch are those of `ops`.
    """

    def _begin(self, ops: Any) -> None:
        CupyOps.__init__(self, ops.dtype, ops.index, ops.tf32, ops.gpu)
        self._thread = ops._thread

    def __reduce__(self) -> Any:
        return CupyOps, (self.dtype, self.index, self.tf32)  # a copy is in no group

    def dropout_mask(self, p: float, key: tuple[int, int], out: Array, first: int = 0) -> Array:
        return super().dropout_mask(p, key, out, first + self.place.first * (out.size // len(out)))

    def batchnorm(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        if not self.sync:
            return super().batchnorm(x, weight, bias, mean, var, rstd, eps, xhat, out)
        n, columns = x.shape
        self.sum_rows(x, mean)
        whole = self.whole_batch(n, mean)
        shape = np.int32(n), np.int32(columns), np.int32(whole)
        self._columns("batchnorm_squares", n, columns, x, *shape, mean, var)
        self.whole_batch(n, var)
        self._shrink(var, 1 / whole)
        return self.batchnorm_eval(x, weight, bias, mean, var, rstd, eps, xhat, out)

    def _shrink(self, sums: Array, factor: float) -> None:
        factors = self.scratch("factors", sums.shape)
        self.fill(factors, factor)
        self.multiply(sums, factors, out=sums)

    def batchnorm_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array, train: bool = True,
    ) -> Array:  # fmt: skip
        if not (self.sync and train):
            return super().batchnorm_backward(dy, xhat, rstd, weight, dweight, dbias, out, train)
        n, columns = dy.shape
        super().batchnorm_backward(dy, xhat, rstd, weight, dweight, dbias, out, train=False)  # for the sums
        numbers = np.int32(n), np.int32(columns), np.int32(self.whole_batch(n, dweight, dbias))
        arrays = rstd, weight, dweight, dbias, out
        self._columns("batchnorm_dx", n, columns, dy, xhat, *numbers, *arrays)
        self.count_once(dweight, dbias)
        return out
