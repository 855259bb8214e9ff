"""Losses and accuracy for CuPy: a launch each, which leaves its sum on the device."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.ops.base import Array
from minilift.ops.cuda.cupy_core import BLOCK, CupyCore

KERNELS = "losses.cu"
LOSS_BLOCKS = 256  # at most
ROWS = BLOCK // 32  # of a block that has a warp for each row


class CupyLosses(CupyCore):
    """The part of CupyOps that compares predictions with targets."""

    def mpjpe(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        self.loss_behind("mpjpe", pred, None, None, target, grad, total)

    def mse(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        self.loss_behind("mse", pred, None, None, target, grad, total)

    def cross_entropy(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        n, classes = target.size, pred.shape[-1]
        shape = np.int32(n), np.int32(classes)
        blocks = min(-(-n // ROWS), LOSS_BLOCKS)
        memory = *self.loss_memory(), total
        self.launch_of(KERNELS, "cross_entropy", (blocks,), (BLOCK,), pred, target, grad, *shape, *memory)

    def bce_with_logits(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        given, classes = (target, None) if target.shape == pred.shape else (None, target)
        blocks, shape = (
            min(-(-pred.size // BLOCK), LOSS_BLOCKS),
            (np.int32(pred.size), np.int32(pred.shape[-1])),
        )
        arrays = pred, given, classes, grad, *shape, *self.loss_memory(), total
        self.launch_of(KERNELS, "bce_with_logits", (blocks,), (BLOCK,), *arrays)

    def accuracy(self, pred: Array, target: Array, total: Array) -> None:
        n, classes = target.size, pred.shape[-1]
        blocks, shape = min(-(-n // ROWS), LOSS_BLOCKS), (np.int32(n), np.int32(classes))
        self.launch_of(
            KERNELS, "accuracy", (blocks,), (BLOCK,), pred, target, *shape, *self.loss_memory(), total
        )

    def loss_behind(
        self, name: str, pred: Array, bias: Array | None, units: Any, target: Array, grad: Array, total: Array
    ) -> None:
        """A loss of (pred + bias) scale + shift, where `units` has scale and shift; grad is that of pred."""
        count = pred.size // 3 if name == "mpjpe" else pred.size
        blocks = min(-(-count // BLOCK), LOSS_BLOCKS)
        scale, shift = (None, None) if units is None else (units.scale, units.shift)
        self.launch_of(
            KERNELS, name, (blocks,), (BLOCK,), pred, bias, scale, shift, target, grad, np.int32(count),
            np.int32(pred.shape[-1]), *self.loss_memory(), total,
        )  # fmt: skip

    def loss_memory(self) -> tuple[Array, Array]:
        """What the blocks of a loss leave for the last of them: their sums, and how many are done, which is 0
        between two launches."""
        return self._scratch("partial", LOSS_BLOCKS, "float64"), self._scratch("finished", 1, "uint32")
