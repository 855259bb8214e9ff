"""The same into a GPU's memory: copied from pinned memory on a stream of its own, while kernels run."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.ops.inlet import Inlet

if TYPE_CHECKING:
    from minilift.ops.base import Array
    from minilift.ops.cuda.cupy_core import CupyCore


class CupyInlet(Inlet):
    """Nobody waits but who fills, until the copy out of the pinned memory of two batches before is done.

    The copy into a slot waits, on the device, for the work that was asked for before `free`; what is asked
    for after `receive` waits for the copy.
    """

    def __init__(self, ops: CupyCore, shape: tuple[int, ...], dtype: str | None = None) -> None:
        super().__init__(ops, shape, dtype)
        self.gpu, kind = ops.gpu, dtype or ops.dtype
        self.pinned = [self.gpu.pinned(prod(shape), kind).reshape(shape) for _ in range(2)]
        self.used: list[Any] = [None, None]
        self.sent: list[Any] = [None, None]
        for slot in range(2):
            self.free(slot)  # behind the zeros that were written

    def fill(self, slot: int, rows: Any) -> None:
        if self.sent[slot] is not None:
            self.gpu.backend.settle(self.sent[slot])
        self.rows[slot] = n = len(rows)
        host = self.pinned[slot][:n]
        np.copyto(host, rows, casting="same_kind")
        with self.gpu.turn():
            self.sent[slot] = self.gpu.backend.send(host, self.rooms[slot][:n], self.used[slot])

    def receive(self, slot: int) -> Array:
        with self.gpu.turn():
            self.gpu.backend.follow(self.sent[slot])
        return super().receive(slot)

    def free(self, slot: int) -> None:
        with self.gpu.turn():
            self.used[slot] = self.gpu.backend.mark()
