"""The launches of a captured training step of a small batch, poses as columns: columns*.cu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.lift.fast.row_plan import Plan, Work
from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("columns.cu"))
UPDATES = str(Path(__file__).with_name("columns_update.cu"))
OF_UPDATES = ("narrow_gradient", "weight_adam", "rest_adam")


class ColumnPlan(Plan):
    """Poses as columns, every product in one kernel with what follows it: batches of 32 to 128.

    18 launches for two blocks, 11 of which wait for one another. The gradients of the wide weights are used
    by Adam in the registers in which they are made (columns_update.cu).
    """

    ROWS = (32, 64, 96, 128)
    INPUTS = 128

    @classmethod
    def unfit(cls, work: Work) -> str:
        """Why this plan does not fit; '' where it does."""
        model = work.model
        if work.rows not in cls.ROWS:
            return f"a batch of {work.rows}, not {', '.join(map(str, cls.ROWS))}"
        if model.hidden_layer % 64:
            return f"a width of {model.hidden_layer}, not a multiple of 64"
        if not model.n_blocks or model.joint_nodes % 3 or model.input_nodes > cls.INPUTS:
            return "a network without blocks, without joints of three numbers, or of too many inputs"
        if work.loss != "mpjpe":
            return "a loss that is not the MPJPE"
        if work.adam.max_norm:
            return "gradients to be clipped, of which this plan never has all"
        return ""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        n, width, wide = self.n, self.width, (self.width, self.n)
        shape = {"ROWS": n, "WIDTH": width, "INPUTS": self.inputs, "JOINTS": self.joints // 3}
        self.options = tuple(f"-D{name}={value}" for name, value in shape.items())
        self.warps = 16 if n <= 64 else 8
        empty = self.ops.empty
        self.x, self.y = empty((self.inputs, n)), empty((self.joints, n))
        self.points = empty((self.inputs, n)) if self.on_rays else None
        self.dpred, self.dh = empty((self.outputs, n)), empty(wide)
        # What half i reads is act[i]: the blocks' inputs are act[0], act[2], ..., the last is the output's
        self.act = [empty(wide) for _ in range(len(self.halves) + 1)]
        self.xhat, self.dz = ([empty(wide) for _ in self.halves] for _ in range(2))
        self.dblock = [empty(wide) for _ in range(self.blocks)]  # the gradients of the blocks' outputs
        self.loss_memory = self.ops.loss_memory()
        self.starts, self.counts = (self.ops.asindex(np.array(part)) for part in self._rest())

    def _rest(self) -> tuple[list[int], list[int]]:
        """What of the flat vector is not a wide weight, in pieces of at most 1024."""
        starts, counts, done = [], [], 0
        ends = [(half.linear.weight.start, half.linear.weight.size) for half in self.halves]
        for stop, size in [*ends, (self.model.flat.data.size, 0)]:
            for start in range(done, stop, 1024):
                starts.append(start)
                counts.append(min(1024, stop - start))
            done = stop + size
        return starts, counts

    def _launch(self, name: str, blocks: int | tuple[int, int], threads: int, *args: Any) -> None:
        grid = blocks if isinstance(blocks, tuple) else (blocks,)
        file = UPDATES if name in OF_UPDATES else KERNELS
        self.ops.gpu.launch(file, self.options, name, grid, (threads,), args)

    def step(self, step: int) -> None:
        numbers = self.work.numbers[step]
        self.make_batch(numbers)
        self._forward(numbers)
        self._backward(numbers)
        self._update(numbers)

    def _forward(self, numbers: Array) -> None:
        stem, output = self.stem, self.output
        assert stem.bias is not None
        assert output.bias is not None
        blocks, threads = -(-(self.width + self.inputs + self.joints) // 8), 32 * self.warps
        self._launch(
            "stem", blocks, 256, *self.source, numbers, *self.units_in,
            stem.weight.data, stem.bias.data, self.points, self.x, self.y, self.act[0],
        )  # fmt: skip
        for i, (linear, norm, dropout) in enumerate(self.halves):
            assert linear.bias is not None
            skip = self.act[i - 1] if i % 2 else None
            self._launch(
                "half_forward", self.width // 8, threads, linear.weight.data, linear.bias.data, self.act[i],
                norm.weight.data, norm.bias.data, np.float32(norm.eps), *self.ops.dropout(dropout.p),
                self.key(numbers, i), skip, self.act[i + 1], self.xhat[i], norm.rstd,
                norm.running_mean, norm.running_var, np.float32(norm.momentum),
            )  # fmt: skip
        points = (self.points,) if self.on_rays else ()
        self._launch(
            "head_rays" if self.on_rays else "head_mpjpe", self.joints // 3, threads, output.weight.data,
            output.bias.data, self.act[-1], *self.units_out, *points, self.y, self.dpred, *self.loss_memory,
            self.total,
        )  # fmt: skip

    def _backward(self, numbers: Array) -> None:
        above, dz, features = self.output.weight.data, self.dpred, self.outputs
        threads, blocks = 32 * self.warps, self.width // 8
        for i in reversed(range(len(self.halves))):
            linear, norm, dropout = self.halves[i]
            block, second = divmod(i, 2)
            later = self.dblock[block + 1] if second and block + 1 < self.blocks else None
            self._launch(
                "half_backward", blocks, threads, above, dz, np.int32(features), later, norm.weight.data,
                norm.bias.data, self.xhat[i], norm.rstd, *self.ops.dropout(dropout.p), self.key(numbers, i),
                self.dblock[block] if second else None, self.dz[i], norm.weight.grad, norm.bias.grad,
            )  # fmt: skip
            above, dz, features = linear.weight.data, self.dz[i], self.width
        nothing = (None,) * 4
        self._launch(
            "half_backward", blocks, threads, above, dz, np.int32(features), self.dblock[0], *nothing,
            np.uint32(0), np.float32(0), None, self.dh, None, None, None,
        )  # fmt: skip

    def _update(self, numbers: Array) -> None:
        stem, output, adam, flat = self.stem, self.output, self.work.adam, self.flat
        assert stem.bias is not None
        assert output.bias is not None
        for dz, x, linear in ((self.dpred, self.act[-1], output), (self.dh, self.x, stem)):
            features, columns = linear.weight.shape
            blocks = -(-features * (columns + 1) // 256)
            gradients = linear.weight.grad, linear.bias.grad  # type: ignore[union-attr]
            self._launch(
                "narrow_gradient", blocks, 256, dz, x, np.int32(features), np.int32(columns), *gradients
            )
        decay, tiles = np.float32(self.decay), (self.width // 64, self.width // 64)
        for i, half in enumerate(self.halves):
            weight = half.linear.weight
            part = slice(weight.start, weight.start + weight.size)
            moments = adam.m[0][part], adam.v[0][part]
            self._launch(
                "weight_adam", tiles, 256, self.dz[i], self.act[i], weight.data, *moments, numbers, decay
            )
        self._launch(
            "rest_adam", len(self.starts), 256, flat.data, flat.grad, adam.m[0], adam.v[0], self.starts,
            self.counts, numbers, decay,
        )  # fmt: skip
