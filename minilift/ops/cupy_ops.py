"""The CuPy backend: the operations of base.py as launches of our kernels (cuda/kernels.cu) and of cuBLAS.

CuPy gives memory, the stream and the compiler; no operation is one of CuPy's own, so nothing allocates and
all of it can be captured into a CUDA graph.
"""

from __future__ import annotations

import math
import sys
import threading
from functools import cache
from typing import Any

import numpy as np

from minilift.ops.augment_plan import LOADINGS, MEANS, AugmentPlan
from minilift.ops.base import Array, Ops
from minilift.ops.cuda.gpu import Gpu, open_gpu

BLOCK = 256  # threads of an elementwise kernel
BLOCKS = 2048  # of them at most: each then does several elements
WIDE, TALL = 8, 64  # columns and, at most, rows of a block of the kernels that work by columns
KEPT = (1, 4, 16, 64)  # rows of a thread for which there are kernels that keep them in registers
LOSS_BLOCKS = 256
WHOLE_MASK = 0xFFFFFFFF


class CupyOps(Ops):
    """Arrays are `cupy.ndarray`, of one GPU and in the order of one stream."""

    rows_at_once = 8192
    narrow = 0

    def __init__(
        self, dtype: str = "float32", index: int = 0, tf32: bool = False, gpu: Gpu | None = None
    ) -> None:
        self.gpu = gpu or open_gpu(index)
        self.index, self.tf32 = self.gpu.index, tf32
        self.device, self.dtype = f"gpu:{self.index}" if self.index else "gpu", dtype
        self._options = (f"-DREAL={'float' if dtype == 'float32' else 'double'}",)
        self._real: Any = np.dtype(dtype).type
        self._thread = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "index": self.index, "tf32": self.tf32}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    # ---- arrays --------------------------------------------------------------------------------
    def asarray(self, x: Any) -> Array:
        if not isinstance(x, self.gpu.array_type):
            return self._upload(np.asarray(x, self.dtype))
        if x.dtype != self.dtype:
            raise TypeError(f"an array of {x.dtype} on the GPU, where the model works in {self.dtype}")
        if x.flags.c_contiguous:
            return x
        out = self.empty(x.shape)
        self.copy(x, out)
        return out

    def _upload(self, host: np.ndarray) -> Array:
        out = self.gpu.empty(host.shape, str(host.dtype))
        if host.size:
            self.gpu.upload(np.ascontiguousarray(host), out)
        return out

    def asindex(self, x: Any) -> Array:
        if isinstance(x, self.gpu.array_type):
            return x
        return self._upload(np.asarray(x).astype(np.int32, casting="same_kind"))

    def empty(self, shape: tuple[int, ...]) -> Array:
        return self.gpu.empty(shape, self.dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str | None = None) -> Array:
        return self.gpu.zeros(shape, dtype or self.dtype)

    def to_host(self, x: Any) -> np.ndarray:
        return self.gpu.download(x) if isinstance(x, self.gpu.array_type) else np.array(x)

    def copy(self, source: Any, out: Array) -> None:
        if not isinstance(source, self.gpu.array_type):
            host = np.asarray(source)
            if host.shape != out.shape:
                host = np.broadcast_to(host, out.shape)
            host = np.ascontiguousarray(host.astype(out.dtype, casting="same_kind", copy=False))
            if out.flags.c_contiguous:
                self.gpu.upload(host, out)
                return
            source = self._upload(host)
        if source.dtype != self.dtype or out.dtype != self.dtype or source.shape != out.shape:
            raise TypeError(f"copy: {source.dtype} {source.shape} into {out.dtype} {out.shape}")
        columns = np.int32(max(out.shape[-1], 1) if out.ndim else 1)
        views = *_view(source), *_view(out)
        self._each("copy", out.size, *views, np.int64(out.size), columns)

    def fill(self, out: Array, value: float) -> None:
        self._each("fill", out.size, out, self._real(value), np.int64(out.size))

    def generator(self, seed: int | tuple[int, ...] | None) -> np.random.Generator:
        return np.random.default_rng(seed)

    def take(self, rows: Array, index: Array, out: Array) -> Array:
        columns = math.prod(out.shape[1:])
        self._each("take", out.size, rows, index, out, np.int64(out.size), np.int32(columns))
        return out

    def gather(self, rows: Array, order: Array, numbers: Array, out: Array) -> None:
        """out[i] = rows[order[numbers[0] + i]]: a batch whose first number lies on the device."""
        size, columns = np.int64(out.size), np.int32(out.shape[1])
        self._each("gather", out.size, rows, order, numbers, out, size, columns)

    def scratch(self, name: str, shape: tuple[int, ...]) -> Array:
        return self._scratch(name, math.prod(shape), self.dtype).reshape(shape)

    def _scratch(self, name: str, size: int, dtype: str) -> Array:
        arrays = self._thread.__dict__.setdefault("arrays", {})
        have = arrays.get(name)
        if have is None or have.size < size:
            have = arrays[name] = self.gpu.zeros((size,), dtype)
        return have[:size]

    def note(self, line: str) -> None:
        if line not in self.gpu.notes and sys.stderr is not None:
            print(f"note: {line}", file=sys.stderr)
        self.gpu.notes.add(line)

    def thread_scratch(self) -> list[Array]:
        """The scratch memory of the calling thread, which is gone when the thread is."""
        return list(self._thread.__dict__.get("arrays", {}).values())

    def synchronize(self) -> None:
        self.gpu.synchronize()

    # ---- launches ------------------------------------------------------------------------------
    def launch(self, name: str, grid: tuple[int, ...], block: tuple[int, ...], *args: Any) -> None:
        """Run a kernel of kernels.cu; `args` as `Gpu.launch` takes them."""
        self.gpu.launch("kernels.cu", self._options, name, grid, block, args)

    def _each(self, name: str, size: int, *args: Any) -> None:
        """A kernel with a thread an element."""
        if size:
            self.launch(name, (min(-(-size // BLOCK), BLOCKS),), (BLOCK,), *args)

    def _columns(self, name: str, n: int, columns: int, *args: Any) -> None:
        """A kernel with a block for every 8 columns."""
        self.launch(name, (-(-columns // WIDE),), (WIDE, TALL if n > TALL // 2 else TALL // 2), *args)

    def _pairwise(self, name: str, a: Array, b: Array, out: Array) -> Array:
        """add or multiply: b has the shape of a, or is a row or a column that serves all of a."""
        view, row, column = _view(b)
        if a.ndim == 2 and b.shape == a.shape[1:]:
            row = np.int64(0)
        elif a.ndim == 2 and b.shape == (len(a), 1):
            column = np.int64(0)
        elif b.shape != a.shape:
            raise ValueError(f"shapes {a.shape} and {b.shape} do not go together")
        columns = np.int32(max(a.shape[-1], 1) if a.ndim else 1)
        self._each(name, a.size, a, view, row, column, out, np.int64(a.size), columns)
        return out

    # ---- elementwise ---------------------------------------------------------------------------
    def add(self, a: Array, b: Array, out: Array) -> Array:
        return self._pairwise("add", a, b, out)

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        return self._pairwise("multiply", a, b, out)

    def affine(self, x: Array, scale: Array, shift: Array, out: Array) -> Array:
        self._each("affine", x.size, x, scale, shift, out, np.int64(x.size), np.int32(x.shape[1]))
        return out

    def relu(self, x: Array, out: Array) -> Array:
        self._each("relu", x.size, x, out, np.int64(x.size))
        return out

    def relu_backward(self, dy: Array, y: Array, out: Array) -> Array:
        self._each("relu_backward", dy.size, dy, y, out, np.int64(dy.size))
        return out

    def dropout_mask(self, p: float, key: tuple[int, int], out: Array) -> Array:
        threshold, kept = self.dropout(p)
        words = np.uint32(key[0]), np.uint32(key[1])
        self._each("dropout_mask", out.size, out, threshold, kept, *words, np.int64(out.size))
        return out

    def dropout(self, p: float) -> tuple[Any, Any]:
        """As the kernels take it: the threshold of the hash, and what a kept element is multiplied by."""
        return np.uint32(min(round(p * 2**32), WHOLE_MASK)), self._real(1 / (1 - p) if p < 1 else 0)

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
        self, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, out: Array
    ) -> Array:
        self.matmul(dy.T, x, dweight)
        if dbias is not None:
            self.sum_rows(dy, dbias)
        return self.matmul(dy, weight, out)

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
        self._columns(kernel, n, columns, x, *shape, weight, bias, self._real(eps), *arrays)
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
        numbers = self._real(factor), self._real(momentum)
        self._each("running_average", out.size, new, *numbers, out, np.int32(out.size))

    def norm_act_drop(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        p: float, key: tuple[int, int], centred: Array, out: Array,
    ) -> Array:  # fmt: skip
        n, columns = x.shape
        words = None, np.uint32(key[0]), np.uint32(key[1])
        self._columns(
            f"norm_act_drop_{_kept(n)}", n, columns, x, np.int32(n), np.int32(columns), weight, bias,
            self._real(eps), *self.dropout(p), *words, None, None, centred, out, mean, var, rstd,
            None, None, None, None, self._real(0),
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
            norm.bias.data, self._real(norm.eps), *self.dropout(p), key, np.uint32(0), np.uint32(0),
            skip, total, x, y, norm.mean, norm.var, norm.rstd, *shifts, norm.running_mean,
            norm.running_var, self._real(norm.momentum),
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

    def rays(self, points: Array, depth: Array, out: Array) -> Array:
        self._each("rays", depth.size, points, depth, out, np.int64(depth.size))
        return out

    def rays_backward(
        self, dy: Array, points: Array, depth: Array, dpoints: Array | None, ddepth: Array
    ) -> None:
        arrays = dy, points, depth, dpoints, ddepth
        self._each("rays_backward", depth.size, *arrays, np.int64(depth.size))

    # ---- augmentation --------------------------------------------------------------------------
    def augment(
        self, source_x: Array, source_y: Array, plan: AugmentPlan, key: tuple[int, int] | Array, x: Array,
        y: Array,
    ) -> None:  # fmt: skip
        """`key` may be an array of two words on the device, as a captured step has it."""
        n = len(source_y)
        names = "flip", "noise", "yaw", "tilt", "elevation", "distance", "body", "mix"
        numbers = (self._real(getattr(plan, name)) for name in names)
        words = (None, *map(np.uint32, key)) if isinstance(key, tuple) else (key, np.uint32(0), np.uint32(0))
        options = self._options + augment_options(plan)
        args = source_x, source_y, np.int32(n), *numbers, *words, x, y
        self.gpu.launch("augment.cu", options, "augment", (-(-n // 32),), (32,), args)

    # ---- losses --------------------------------------------------------------------------------
    def mpjpe(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        self.loss_behind("mpjpe", pred, None, None, target, grad, total)

    def mse(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        self.loss_behind("mse", pred, None, None, target, grad, total)

    def loss_behind(
        self, name: str, pred: Array, bias: Array | None, units: Any, target: Array, grad: Array, total: Array
    ) -> None:
        """A loss of (pred + bias) scale + shift, where `units` has scale and shift; grad is that of pred."""
        count = pred.size // 3 if name == "mpjpe" else pred.size
        blocks = min(-(-count // BLOCK), LOSS_BLOCKS)
        scale, shift = (None, None) if units is None else (units.scale, units.shift)
        self.launch(
            name, (blocks,), (BLOCK,), pred, bias, scale, shift, target, grad, np.int32(count),
            np.int32(pred.shape[1]), *self.loss_memory(), total,
        )  # fmt: skip

    def loss_memory(self) -> tuple[Array, Array]:
        """What the blocks of a loss leave for the last of them: their sums, and how many are done, which is 0
        between two launches."""
        return self._scratch("partial", LOSS_BLOCKS, "float64"), self._scratch("finished", 1, "uint32")

    # ---- optimisers ----------------------------------------------------------------------------
    def adam(
        self, w: Array, g: Array, m: Array, v: Array, decay: tuple[float, float], size: float,
        eps: float, weight_decay: float, shrink: float = 0.0,
    ) -> None:  # fmt: skip
        numbers = (None, *(self._real(value) for value in (*decay, size, eps, shrink, weight_decay)))
        self._adam((w, g, m, v), numbers)

    def adam_of(self, w: Array, g: Array, m: Array, v: Array, numbers: Array, weight_decay: float) -> None:
        """`adam` with decay, size, eps and shrink in `numbers`, five float32 on the device."""
        self._adam((w, g, m, v), (numbers, *(self._real(0) for _ in range(5)), self._real(weight_decay)))

    def _adam(self, vectors: tuple[Array, ...], numbers: tuple[Any, ...]) -> None:
        size, item = vectors[0].size, vectors[0].itemsize
        if size % 4 == 0 and all(vector.data.ptr % (4 * item) == 0 for vector in vectors):
            self._each("adam", size // 4, *vectors, *numbers, np.int64(size // 4))
        else:
            self._each("adam_ragged", size, *vectors, *numbers, np.int64(size))

    def scale_to_norm(self, vectors: list[Array], limit: float) -> None:
        sums = self._scratch("squares", len(vectors) * LOSS_BLOCKS, "float64")
        sums = sums[: len(vectors) * LOSS_BLOCKS]
        for i, vector in enumerate(vectors):
            part = sums[i * LOSS_BLOCKS : (i + 1) * LOSS_BLOCKS]
            self.launch("squares", (LOSS_BLOCKS,), (BLOCK,), vector, np.int64(vector.size), part)
        numbers = np.int32(sums.size), self._real(limit)
        for vector in vectors:
            self._each("scale_to_norm", vector.size, vector, np.int64(vector.size), sums, *numbers)

    def sgd(
        self, w: Array, g: Array, velocity: Array | None, lr: float, momentum: float, weight_decay: float
    ) -> None:
        numbers = (self._real(value) for value in (lr, momentum, weight_decay))
        self._each("sgd", w.size, w, g, velocity, *numbers, np.int64(w.size))


@cache
def augment_options(plan: AugmentPlan) -> tuple[str, ...]:
    """The tables that augment.cu is compiled with."""
    loadings = (number for row in LOADINGS for number in row)
    tables = {"ORDER": plan.order, "MEANS": MEANS, "LOADINGS": loadings}
    return tuple(f"-D{name}={','.join(map(repr, numbers))}" for name, numbers in tables.items())


def _view(x: Array) -> tuple[Array, Any, Any]:
    """x for a kernel, which sees an address: the array, its steps from row to row and column to column."""
    columns = x.shape[-1] if x.ndim else 1
    if x.flags.c_contiguous:
        return x, np.int64(columns), np.int64(1)
    if x.ndim == 2 and x.T.flags.c_contiguous:
        return x.T, np.int64(1), np.int64(len(x))
    raise ValueError(f"a view of shape {x.shape} with strides {x.strides}; only transposed ones are taken")


def _kept(n: int) -> int:
    """Which of the kernels that keep rows in registers fits n rows; 0 for the one that keeps none."""
    return next((kept for kept in KEPT if n <= kept * TALL), 0)
