"""The CuPy backend: the operations of base.py as launches of our kernels (cuda/kernels.cu) and of cuBLAS.

CuPy gives memory, the stream and the compiler; no operation is one of CuPy's own, so nothing allocates and
all of it can be captured into a CUDA graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.ops.base import Array
from minilift.ops.cuda.cupy_core import BLOCK, TALL
from minilift.ops.cuda.cupy_losses import LOSS_BLOCKS, CupyLosses

KEPT = (1, 4, 16, 64)  # rows of a thread for which there are kernels that keep them in registers
UPDATES = "updates.cu"  # the kernels of the optimisers
WHOLE_MASK = 0xFFFFFFFF


class CupyOps(CupyLosses):
    """Arrays are `cupy.ndarray`, of one GPU and in the order of one stream."""

    # ---- elementwise ---------------------------------------------------------------------------
    def add(self, a: Array, b: Array, out: Array) -> Array:
        return self._pairwise("add", a, b, out)

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        return self._pairwise("multiply", a, b, out)

    def affine(self, x: Array, scale: Array, shift: Array, out: Array) -> Array:
        self._each("affine", x.size, x, scale, shift, out, np.int64(x.size), np.int32(scale.size))
        return out

    def relu(self, x: Array, out: Array, slope: float = 0.0) -> Array:
        self._each("relu", x.size, x, out, self.real(slope), np.int64(x.size))
        return out

    def relu_backward(self, dy: Array, y: Array, out: Array, slope: float = 0.0) -> Array:
        self._each("relu_backward", dy.size, dy, y, out, self.real(slope), np.int64(dy.size))
        return out

    def dropout_mask(self, p: float, key: tuple[int, int], out: Array, first: int = 0) -> Array:
        """As in base.py, of the elements from `first` on."""
        numbers = np.uint32(first), *self.dropout(p), np.uint32(key[0]), np.uint32(key[1])
        self._each("dropout_mask", out.size, out, *numbers, np.int64(out.size))
        return out

    def dropout(self, p: float) -> tuple[Any, Any]:
        """As the kernels take it: the threshold of the hash, and what a kept element is multiplied by."""
        return np.uint32(min(round(p * 2**32), WHOLE_MASK)), self.real(1 / (1 - p) if p < 1 else 0)

    # ---- products and sums ---------------------------------------------------------------------
    def matmul(self, a: Array, b: Array, out: Array, accumulate: bool = False) -> Array:
        self.gpu.gemm(a, b, out, accumulate, self.tf32)
        return out

    def sum_rows(self, x: Array, out: Array) -> Array:
        n, columns = x.shape
        self._columns("sum_rows", n, columns, x, np.int32(n), np.int32(columns), out)
        return out

    def linear(self, x: Array, weight: Array, bias: Array | None, out: Array) -> Array:
        self.matmul(x, weight.T, out)
        return out if bias is None else self.add(out, bias, out)

    def linear_backward(
        self, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, out: Array | None
    ) -> None:
        self.matmul(dy.T, x, dweight)
        if dbias is not None:
            self.sum_rows(dy, dbias)
        if out is not None:
            self.matmul(dy, weight, out)

    # ---- layers --------------------------------------------------------------------------------
    def batchnorm(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        return self._normalise("batchnorm", x, weight, bias, mean, var, rstd, eps, xhat, out)

    def batchnorm_eval(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        return self._normalise("batchnorm_eval", x, weight, bias, mean, var, rstd, eps, xhat, out)

    def _normalise(
        self, kernel: str, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array,
        eps: float, xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        n, columns = x.shape
        shape = np.int32(n), np.int32(columns)
        arrays = mean, var, rstd, xhat, out
        self._columns(kernel, n, columns, x, *shape, weight, bias, self.real(eps), *arrays)
        return out

    def batchnorm_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array, train: bool = True,
    ) -> Array:  # fmt: skip
        n, columns = dy.shape
        shape = np.int32(n), np.int32(columns)
        arrays = rstd, weight, dweight, dbias, out
        self._columns("batchnorm_backward", n, columns, dy, xhat, *shape, *arrays, np.int32(train))
        return out

    def batchnorm_eval_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array,
    ) -> Array:  # fmt: skip
        return self.batchnorm_backward(dy, xhat, rstd, weight, dweight, dbias, out, train=False)

    def running_average(self, new: Array, factor: float, momentum: float, out: Array) -> None:
        numbers = self.real(factor), self.real(momentum)
        self._each("running_average", out.size, new, *numbers, out, np.int32(out.size))

    def norm_act_drop(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        p: float, key: tuple[int, int], centred: Array, out: Array,
    ) -> Array:  # fmt: skip
        n, columns = x.shape
        words = None, np.uint32(key[0]), np.uint32(key[1])
        self._columns(
            f"norm_act_drop_{_kept(n)}", n, columns, x, np.int32(n), np.int32(columns), weight, bias,
            self.real(eps), *self.dropout(p), *words, None, None, centred, out, mean, var, rstd,
            None, None, None, None, self.real(0),
        )  # fmt: skip
        return out

    def norm_act_drop_whole(
        self, x: Array, norm: Any, p: float, key: Array, skip: Array | None, total: Array | None,
        y: Array, shifts: tuple[Array | None, Array | None],
    ) -> None:  # fmt: skip
        """`norm_act_drop` with what is around it in a step: total = skip + y, and the running statistics of
        `norm`, a BatchNorm1d, as if `shifts` had been added to x. Centred goes over x; `key` is an array.
        """
        n, columns = x.shape
        self._columns(
            f"norm_act_drop_{_kept(n)}", n, columns, x, np.int32(n), np.int32(columns), norm.weight.data,
            norm.bias.data, self.real(norm.eps), *self.dropout(p), key, np.uint32(0), np.uint32(0),
            skip, total, x, y, norm.mean, norm.var, norm.rstd, *shifts, norm.running_mean,
            norm.running_var, self.real(norm.momentum),
        )  # fmt: skip

    def norm_act_drop_backward(
        self, dy: Array, centred: Array, y: Array, rstd: Array, weight: Array, p: float, dweight: Array,
        dbias: Array, out: Array,
    ) -> Array:  # fmt: skip
        n, columns = dy.shape
        shape = np.int32(n), np.int32(columns)
        arrays = rstd, weight, self.dropout(p)[1], dweight, dbias, out
        self._columns(f"norm_act_drop_backward_{_kept(n)}", n, columns, dy, centred, y, *shape, *arrays)
        return out

    # ---- optimisers ----------------------------------------------------------------------------
    def adam(
        self, w: Array, g: Array, m: Array, v: Array, decay: tuple[float, float], size: float,
        eps: float, weight_decay: float, shrink: float = 0.0,
    ) -> None:  # fmt: skip
        numbers = (None, *(self.real(value) for value in (*decay, size, eps, shrink, weight_decay)))
        self._adam((w, g, m, v), numbers)

    def adam_of(self, w: Array, g: Array, m: Array, v: Array, numbers: Array, weight_decay: float) -> None:
        """`adam` with decay, size, eps and shrink in `numbers`, five float32 on the device."""
        self._adam((w, g, m, v), (numbers, *(self.real(0) for _ in range(5)), self.real(weight_decay)))

    def _adam(self, vectors: tuple[Array, ...], numbers: tuple[Any, ...]) -> None:
        size, item = vectors[0].size, vectors[0].itemsize
        if size % 4 == 0 and all(vector.data.ptr % (4 * item) == 0 for vector in vectors):
            self.each_of(UPDATES, "adam", size // 4, *vectors, *numbers, np.int64(size // 4))
        else:
            self.each_of(UPDATES, "adam_ragged", size, *vectors, *numbers, np.int64(size))

    def scale_to_norm(self, vectors: list[Array], limit: float) -> None:
        sums = self._scratch("squares", len(vectors) * LOSS_BLOCKS, "float64")
        sums = sums[: len(vectors) * LOSS_BLOCKS]
        for i, vector in enumerate(vectors):
            part = sums[i * LOSS_BLOCKS : (i + 1) * LOSS_BLOCKS]
            self.launch_of(UPDATES, "squares", (LOSS_BLOCKS,), (BLOCK,), vector, np.int64(vector.size), part)
        numbers = np.int32(sums.size), self.real(limit)
        for vector in vectors:
            self.each_of(UPDATES, "scale_to_norm", vector.size, vector, np.int64(vector.size), sums, *numbers)

    def sgd(
        self, w: Array, g: Array, velocity: Array | None, lr: float, momentum: float, weight_decay: float,
        nesterov: bool = False,
    ) -> None:  # fmt: skip
        numbers = (self.real(value) for value in (lr, momentum, weight_decay))
        self.each_of(UPDATES, "sgd", w.size, w, g, velocity, *numbers, np.int32(nesterov), np.int64(w.size))


def _kept(n: int) -> int:
    """Which of the kernels that keep rows in registers fits n rows; 0 for the one that keeps none."""
    return next((kept for kept in KEPT if n <= kept * TALL), 0)
