"""The launches of one captured training step, in order: two ways to lay them out.

Both read this step's numbers from row `step` of the table that `minilift.training.captured` describes.
Neither allocates, reads or waits, and of a launch's arguments only that row changes from step to step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minilift.lifter import LiftModel
from minilift.nn import BatchNorm1d, Dropout, Linear
from minilift.ops import Array
from minilift.optim import Adam
from minilift.training.augment import Augmenter


class Work(NamedTuple):
    """What a plan works on; the arrays lie on the device."""

    data_x: Array
    data_y: Array
    order: Array
    numbers: Array  # (steps of a graph, words)
    model: LiftModel
    adam: Adam
    loss: str  # "mpjpe" or "mse"
    totals: list[Array]  # to which a step adds its loss and, if that is another, its MPJPE
    rows: int  # of a batch
    augment: Augmenter | None = None


class Half(NamedTuple):
    """Linear, BatchNorm1d, ReLU, Dropout: half of a residual block."""

    linear: Linear
    norm: BatchNorm1d
    dropout: Dropout


class Plan:
    """What both have: the parts of the model, and where their memory comes from."""

    def __init__(self, work: Work) -> None:
        model = work.model
        self.work, self.model, self.n = work, model, work.rows
        self.ops: Any = model.ops
        self.inputs, self.outputs, self.width = model.input_nodes, model.output_nodes, model.hidden_layer
        self.joints, self.on_rays = model.joint_nodes, model.rays is not None
        stem, *blocks, output = model.children.values()
        assert isinstance(stem, Linear)
        assert isinstance(output, Linear)
        self.stem, self.output, self.blocks = stem, output, len(blocks)
        layers: list[Any] = [layer for block in blocks for layer in block.children.values()]
        self.halves = [Half(layers[i], layers[i + 1], layers[i + 3]) for i in range(0, len(layers), 4)]
        before = model.before
        self.units_in = (None, None) if before is None else (before.scale, before.shift)
        units = model.after
        self.units_out = (None, None) if units is None else (units.scale, units.shift)
        self.decay = work.adam.l2
        self.total = work.totals[0]

        augment, self.source = work.augment, (work.data_x, work.data_y, work.order)
        if augment is not None:  # the batch is made first, and is then all that the stem sees of the data
            x, y = (self.ops.empty((self.n, columns)) for columns in (self.inputs, self.joints))
            self.source = x, y, None

    def make_batch(self, numbers: Array) -> None:
        """Gather and augment, where there is something to augment; otherwise the stem gathers."""
        augment, work = self.work.augment, self.work
        if augment is None:
            return
        for rows, out in zip((work.data_x, work.data_y), augment.sources, strict=True):
            self.ops.gather(rows, work.order, numbers, out)
        x, y, _ = self.source
        self.ops.augment(*augment.sources, augment.plan, numbers[-2:], x, y)

    def key(self, numbers: Array, i: int) -> Array:
        """The two words of half i's dropout key."""
        return numbers[6 + 2 * i : 8 + 2 * i]

    def step(self, step: int) -> None:
        raise NotImplementedError


class RowPlan(Plan):
    """Poses as rows, products by cuBLAS: any batch. About 30 launches.

    With a large batch hidden1 and the first Linear are composed: `minilift.training.step.FirstHalf` has the
    algebra. Of the nine wide products that are left, three are forward and six backward.
    """

    INPUTS = 128  # what the kernel `stem` has room for
    # The composition costs five products of weights and saves three of n x width x width. The number of rows
    # for each input from which that pays is an estimate, not measured yet.
    COMPOSE = 8

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        n, width, wide = self.n, self.width, (self.n, self.width)
        empty = self.ops.empty
        self.x, self.y = empty((n, self.inputs)), empty((n, self.joints))
        self.pred, self.dpred = empty((n, self.outputs)), empty((n, self.outputs))
        self.points: Array | None = None
        if self.on_rays:
            self.points, self.depth = empty((n, self.inputs)), empty((n, self.outputs))
            self.seen, self.djoints = empty((n, self.joints)), empty((n, self.joints))
        self.h = [empty(wide) for _ in range(self.blocks + 1)]
        self.z, self.act = ([empty(wide) for _ in self.halves] for _ in range(2))
        self.dh, self.dmid, self.dz = (empty(wide) for _ in range(3))
        self.composed = bool(self.halves) and n >= self.COMPOSE * self.inputs
        if self.composed:
            self.product, self.p = empty((width, self.inputs)), empty((width, self.inputs))
            self.shift = empty((width, 1))

    def step(self, step: int) -> None:
        numbers = self.work.numbers[step]
        self.make_batch(numbers)
        self._forward(numbers)
        if self.on_rays:
            self._loss_on_rays()
        else:
            self._loss()
        self._backward()
        flat, adam = self.model.flat, self.work.adam
        adam.clip()
        self.ops.adam_of(flat.data, flat.grad, adam.m[0], adam.v[0], numbers[1:6], self.decay)

    def _forward(self, numbers: Array) -> None:
        ops, stem, n = self.ops, self.stem, self.n
        assert stem.bias is not None
        shape = (np.int32(size) for size in (n, self.inputs, self.joints, self.width))
        weights = *self.units_in, stem.weight.data, stem.bias.data
        grid = -(-self.width // 128), -(-n // 16)
        ops.launch(
            "stem", grid, (128,), *self.source, numbers, *shape, *weights,
            self.points, self.x, self.y, self.h[0],
        )  # fmt: skip
        for i, (linear, norm, dropout) in enumerate(self.halves):
            assert linear.bias is not None
            block, second = divmod(i, 2)
            z, shifts = self.z[i], (linear.bias.data, None)
            if i == 0 and self.composed:
                ops.matmul(linear.weight.data, stem.weight.data, self.product)
                ops.matmul(linear.weight.data, stem.bias.data.reshape(-1, 1), self.shift)
                ops.matmul(self.x, self.product.T, z)
                shifts = (linear.bias.data, self.shift)
            else:
                ops.matmul(self.act[i - 1] if second else self.h[block], linear.weight.data.T, z)
            around = (self.h[block], self.h[block + 1]) if second else (None, None)
            ops.norm_act_drop_whole(z, norm, dropout.p, self.key(numbers, i), *around, self.act[i], shifts)
        ops.matmul(self.h[-1], self.output.weight.data.T, self.pred)

    def _loss(self) -> None:
        bias, arguments = self.output.bias, (self.model.after, self.y)
        assert bias is not None
        if self.work.loss != "mpjpe":  # first, for it leaves a gradient that nobody wants
            self.ops.loss_behind("mpjpe", self.pred, bias.data, *arguments, self.dpred, self.work.totals[1])
        self.ops.loss_behind(self.work.loss, self.pred, bias.data, *arguments, self.dpred, self.total)

    def _loss_on_rays(self) -> None:
        """The same behind `nn.Rays`, in the layers' own steps."""
        ops, after, bias, depth = self.ops, self.model.after, self.output.bias, self.pred
        assert bias is not None
        ops.add(self.pred, bias.data, out=depth)
        if after is not None:
            depth = ops.affine(self.pred, after.scale, after.shift, out=self.depth)
        ops.rays(self.points, depth, out=self.seen)
        if self.work.loss != "mpjpe":
            ops.mpjpe(self.seen, self.y, self.djoints, self.work.totals[1])
        getattr(ops, self.work.loss)(self.seen, self.y, self.djoints, self.total)
        ops.rays_backward(self.djoints, self.points, depth, None, self.dpred)
        if after is not None:
            ops.multiply(self.dpred, after.scale, out=self.dpred)

    def _backward(self) -> None:
        ops, output, stem = self.ops, self.output, self.stem
        assert output.bias is not None
        assert stem.bias is not None
        ops.matmul(self.dpred.T, self.h[-1], output.weight.grad)
        ops.sum_rows(self.dpred, output.bias.grad)
        ops.matmul(self.dpred, output.weight.data, self.dh)
        for block in reversed(range(self.blocks)):
            first, second = 2 * block, 2 * block + 1
            self._norm_backward(second, self.dh)
            ops.matmul(self.dz.T, self.act[first], self.halves[second].linear.weight.grad)
            ops.matmul(self.dz, self.halves[second].linear.weight.data, self.dmid)
            self._norm_backward(first, self.dmid)
            weight = self.halves[first].linear.weight
            if block == 0 and self.composed:
                ops.matmul(self.dz.T, self.x, self.p)
                ops.matmul(self.p, stem.weight.data.T, weight.grad)
            else:
                ops.matmul(self.dz.T, self.h[block], weight.grad)
                ops.matmul(self.dz, weight.data, self.dh, accumulate=True)
        ops.matmul(self.dh.T, self.x, stem.weight.grad)
        if self.composed:
            ops.matmul(self.halves[0].linear.weight.data.T, self.p, stem.weight.grad, accumulate=True)
        ops.sum_rows(self.dh, stem.bias.grad)

    def _norm_backward(self, i: int, dy: Array) -> None:
        _, norm, dropout = self.halves[i]
        gradients = norm.weight.grad, norm.bias.grad
        arrays = dy, self.z[i], self.act[i], norm.rstd, norm.weight.data
        self.ops.norm_act_drop_backward(*arrays, dropout.p, *gradients, out=self.dz)


class ColumnPlan(Plan):
    """Poses as columns, every product in one kernel with what follows it: batches of 32 to 128.

    18 launches for two blocks, 11 of which wait for one another. The gradients of the wide weights are used
    by Adam in the registers in which they are made (cuda/columns.cu).
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
        self.ops.gpu.launch("columns.cu", self.options, name, grid, (threads,), args)

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
        stem, output, adam, flat = self.stem, self.output, self.work.adam, self.model.flat
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
