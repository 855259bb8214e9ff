"""One training step of a LiftModel, made of fewer and larger pieces than its layers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minilift.lift.fast.norm_act_drop import NormActDrop
from minilift.lift.model import LiftModel
from minilift.nn import Linear
from minilift.nn.module import Module
from minilift.ops import Array
from minilift.optim import Optimiser
from minilift.train.step import Loss, Metric, Step


class Half:
    """Linear and NormActDrop: half the layers of a residual block.

    A bias in front of a normalisation has no effect on what comes after it, and its gradient is 0.
    """

    def __init__(self, linear: Module, *rest: Any) -> None:
        assert isinstance(linear, Linear)
        assert linear.bias is not None
        self.linear, self.bias, self.rest, self.ops = linear, linear.bias, NormActDrop(*rest), linear.ops

    def forward(self, x: Array) -> Array:
        self.x = x
        z = self.linear.buffer("y", (len(x), self.linear.out_features))
        self.ops.linear(x, self.linear.weight.data, None, out=z)
        return self.rest.forward(z, train=True, shift=self.bias.data, reuse=True)

    def backward(self, dy: Array) -> Array | None:
        self.dz = self.rest.backward(dy)
        self.ops.fill(self.bias.grad, 0.0)
        dx = self.linear.buffer("dx", (len(dy), self.linear.in_features))
        return self.ops.matmul(self.dz, self.linear.weight.data, out=dx)

    def weight_gradient(self, rows: slice) -> None:
        self.ops.matmul(self.dz[:, rows].T, self.x, out=self.linear.weight.grad[rows])


class FirstHalf(Half):
    """The half behind `stem`, another Linear: two matrices with nothing between them are one.

    forward    U = W [W0 b0],  z = x U^T            x (n, k), W0 (m, k), W (m, m): n k m multiplications
    backward   P  = dz^T x                          where x W0^T W^T takes n m m, here and twice in backward
               dW = dz^T (x W0^T + b0) = P W0^T     for the columns of dz add up to 0 behind a normalisation
               what dz W adds to dh adds W^T P to dW0 = dh^T x, and 0 to db0

    The three products of weights cost m m k each, which pays for batches of more than 2k rows. All that is k
    wide is stored as rows, so that a product with it is like one of a small batch.
    """

    def __init__(self, stem: Module, *layers: Any) -> None:
        super().__init__(*layers)
        assert isinstance(stem, Linear)
        assert stem.bias is not None
        self.stem, self.stem_bias, self.composed = stem, stem.bias, False
        m, k = stem.weight.shape
        self.both, self.product = self.ops.empty((k + 1, m)), self.ops.empty((k + 1, m))
        self.shift, self.p, self.extra = self.ops.empty((m,)), self.ops.empty((k, m)), self.ops.empty((k, m))

    def forward(self, x: Array) -> Array:
        """`x` is what the stem has made of its own input."""
        k, stem, linear = self.stem.in_features, self.stem, self.linear
        self.composed = len(x) > 2 * k
        if not self.composed:
            return super().forward(x)
        self.ops.copy(stem.weight.data.T, out=self.both[:k])
        self.ops.copy(self.stem_bias.data, out=self.both[k])
        self.ops.linear(self.both, linear.weight.data, None, out=self.product)
        self.ops.add(self.product[k], self.bias.data, out=self.shift)
        z = linear.buffer("y", (len(x), linear.out_features))
        assert stem.x is not None
        self.ops.matmul(stem.x, self.product[:k], out=z)
        return self.rest.forward(z, train=True, shift=self.shift, reuse=True)

    def backward(self, dy: Array) -> Array | None:
        if not self.composed:
            return super().backward(dy)
        self.dz = self.rest.backward(dy)
        self.ops.fill(self.bias.grad, 0.0)
        assert self.stem.x is not None
        self.ops.matmul(self.stem.x.T, self.dz, out=self.p)
        self.ops.matmul(self.p, self.linear.weight.data, out=self.extra)
        return None

    def weight_gradient(self, rows: slice) -> None:
        if self.composed:
            weight = self.both[: self.stem.in_features]  # a copy: the optimiser may be done with the original
            self.ops.matmul(self.p[:, rows].T, weight, out=self.linear.weight.grad[rows])
        else:
            super().weight_gradient(rows)

    def finish_stem(self, dh: Array) -> None:
        stem = self.stem
        self.ops.matmul(dh.T, stem.x, out=stem.weight.grad)
        self.ops.sum_rows(dh, out=self.stem_bias.grad)
        if self.composed:
            self.ops.add(stem.weight.grad, self.extra.T, out=stem.weight.grad)


Job = tuple[Half | None, slice, slice]  # whose weight, which rows of it, which part of the flat vector


class TrainStep(Step):
    """Forward, loss, backward and a step of the optimiser: step(x, y) for x (n, 30), y (n, 45).

    What the layers of the model and `optimiser.step()` do one by one, with the same weights, statistics,
    masks, gradients and counters as a result, but for rounding:

    - BatchNorm1d, ReLU and Dropout are one `NormActDrop`; no bias is added in front of it (`Half`).
    - hidden1 and the first Linear behind it are one where the batch is large (`FirstHalf`).
    - The gradients of the wide weights wait until all dx are there. Then each thread takes a block of rows,
      makes their gradients, and lets the optimiser use them while they are at hand.

    An optimiser of other parameters than all of the model's, or with a `step` of its own, takes it by itself.
    """

    def __init__(
        self, model: LiftModel, loss: Loss, optimiser: Optimiser, metrics: Mapping[str, Metric] | None = None
    ) -> None:
        super().__init__(model, loss, optimiser, metrics)
        self.model, self.ops = model, model.ops
        self.stem, *self.blocks, self.output = model.children.values()
        layers = [layer for block in self.blocks for layer in block.children.values()]
        quads = [layers[i : i + 4] for i in range(0, len(layers), 4)]
        self.halves: list[Half] = [Half(*quad) for quad in quads]
        self.first: FirstHalf | None = None
        if quads:
            self.first = self.halves[0] = FirstHalf(self.stem, *quads[0])
        self.whole = optimiser.parameters == model.parameters()
        self.jobs: list[Job] = []
        done = 0
        for half in self.halves:
            weight = half.linear.weight
            self.jobs.append((None, slice(0), slice(done, weight.start)))
            rows, columns = weight.shape
            step = -(-rows // self.ops.cores)  # BLAS prepares the batch anew for every block: no smaller ones
            for first in range(0, rows, step):
                last = min(first + step, rows)
                part = slice(weight.start + first * columns, weight.start + last * columns)
                self.jobs.append((half, slice(first, last), part))
            done = weight.start + weight.size
        self.jobs.append((None, slice(0), slice(done, model.flat.data.size)))

    def __call__(self, x: Array, y: Array) -> None:
        with self.ops.parallel():
            self._backward(self.sums.add(self._forward(x), y))
            together = self.whole and getattr(self.optimiser.step, "__func__", None) is Optimiser.step
            at_once = together and not self.optimiser.max_norm  # the norm is known when all is there
            if at_once:
                self.optimiser.begin()
            self.ops.run(self._job_and_update if at_once else self._job, len(self.jobs))
            if not together:
                self.optimiser.step()
            elif not at_once:
                self.optimiser.clip()
                self.optimiser.begin()
                self.ops.run(self._update, len(self.jobs))

    def _forward(self, x: Array) -> Array:
        model = self.model
        h = self.stem.forward(model.enter(x))
        for i, block in enumerate(self.blocks):
            inner = self.halves[2 * i + 1].forward(self.halves[2 * i].forward(h))
            h = self.ops.add(h, inner, out=block.buffer("y", h.shape))
        return model.leave(self.output.forward(h))

    def _backward(self, dy: Array) -> None:
        dh = self.output.backward(self.model.to_last(dy))
        for i, block in reversed(list(enumerate(self.blocks))):
            inner = self.halves[2 * i].backward(self.halves[2 * i + 1].backward(dh))
            if inner is not None:
                dh = self.ops.add(dh, inner, out=block.buffer("dx", dh.shape))
        if self.first is None:
            self.stem.backward(dh)
        else:
            self.first.finish_stem(dh)

    def _job(self, i: int) -> None:
        half, rows, _ = self.jobs[i]
        if half is not None:
            half.weight_gradient(rows)

    def _update(self, i: int) -> None:
        self.optimiser.update(0, self.jobs[i][2])

    def _job_and_update(self, i: int) -> None:
        self._job(i)
        self._update(i)
