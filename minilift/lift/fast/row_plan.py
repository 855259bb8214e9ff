"""The launches of one captured training step, in order: what every plan has, and the one with poses as rows.

A plan reads this step's numbers from row `step` of the table that `minilift.lift.fast.captured` describes.
It neither allocates, reads nor waits, and of a launch's arguments only that row changes from step to step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilift.lift.augment.augmenter import Augmenter
from minilift.lift.model import LiftModel
from minilift.lift.rays.operations import rays, rays_backward
from minilift.nn import BatchNorm1d, Dropout, Linear
from minilift.ops import Array
from minilift.optim import Adam

STEM = str(Path(__file__).with_name("stem.cu"))  # the beginning of a step
# Words of a step's numbers: the first row, those that Adam takes, and where the keys begin
ADAM_WORDS = slice(1, 6)
KEYS = 6


class Work(NamedTuple):
    """What a plan works on; the arrays lie on the device."""

    data_x: Array
    data_y: Array
    order: Array
    numbers: Array  # (steps of a graph, words)
    model: LiftModel
    adam: Adam
    loss: str  # "mpjpe" or "mse"
    totals: tuple[Array, Array]  # to which a step adds its loss and, if that is another, its MPJPE
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
        self.work, self.model, self.n, self.flat = work, model, work.rows, model.flat
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
            self.gathered = [self.ops.empty((self.n, columns)) for columns in (self.inputs, self.joints)]
            self.source = augment.x, augment.y, None

    def make_batch(self, numbers: Array) -> None:
        """Gather and augment, where there is something to augment; otherwise the stem gathers."""
        augment, work = self.work.augment, self.work
        if augment is None:
            return
        for rows, out in zip((work.data_x, work.data_y), self.gathered, strict=True):
            self.ops.gather(rows, work.order, numbers, out)
        x, y, _ = self.source
        augment.apply(self.key(numbers, len(self.halves)), self.gathered[0], self.gathered[1], x, y)

    def key(self, numbers: Array, i: int) -> Array:
        """The two words of half i's dropout key; behind the last of them, the augmentation's."""
        return numbers[KEYS + 2 * i : KEYS + 2 * i + 2]

    def step(self, step: int) -> None:
        raise NotImplementedError


class RowPlan(Plan):
    """Poses as rows, products by cuBLAS: any batch. About 30 launches.

    With a large batch hidden1 and the first Linear are composed: `minilift.lift.fast.step.FirstHalf` has the
    algebra. Of the nine wide products that are left, three are forward and six backward.
    """

    INPUTS = 128  # what the kernel `stem` has room for
    BLOCKS = 65_535  # CUDA's limit along the second axis of a grid
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
        flat, adam = self.flat, self.work.adam
        adam.clip()
        self.ops.adam_of(flat.data, flat.grad, adam.m[0], adam.v[0], numbers[ADAM_WORDS], self.decay)

    def _forward(self, numbers: Array) -> None:
        ops, stem, n = self.ops, self.stem, self.n
        assert stem.bias is not None
        shape = (np.int32(size) for size in (n, self.inputs, self.joints, self.width))
        weights = *self.units_in, stem.weight.data, stem.bias.data
        grid = -(-self.width // 128), min(-(-n // 16), self.BLOCKS)
        ops.launch_of(
            STEM, "stem", grid, (128,), *self.source, numbers, *shape, *weights,
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
        """The same behind `Rays`, in the layers' own steps."""
        ops, after, bias, depth = self.ops, self.model.after, self.output.bias, self.pred
        assert bias is not None
        ops.add(self.pred, bias.data, out=depth)
        if after is not None:
            depth = ops.affine(self.pred, after.scale, after.shift, out=self.depth)
        rays(ops, self.points, depth, out=self.seen)
        if self.work.loss != "mpjpe":
            ops.mpjpe(self.seen, self.y, self.djoints, self.work.totals[1])
        getattr(ops, self.work.loss)(self.seen, self.y, self.djoints, self.total)
        rays_backward(ops, self.djoints, self.points, depth, None, self.dpred)
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
