"""The lifter's network for prediction alone: fewer products, no state, any number of threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.lift.rays.operations import given, place, rays, reliability
from minilift.lift.rays.size_operations import sized, unsized, with_size
from minilift.lift.weights.stored import linears, slope_of
from minilift.ops import Array, Ops, Portable
from minilift.ops.numpy_ops import NumpyOps

if TYPE_CHECKING:
    from minilift.nn import Module


MANY = 1 << 37  # multiplications of a wide layer: a trial of another library takes 0.3 s, once on a machine


class Predictor(Portable):
    """A network for prediction."""

    ops: Ops
    columns: int  # of what it predicts

    def for_many(self, count: int) -> Predictor:
        """Itself, or one that is faster for so many poses: that is worth looking for."""
        return self

    def __call__(self, x: Array, out: Array | None = None) -> Array:
        """out (n, 3J) from x as the network takes it; without `out` memory that the next call uses again."""
        out = self.ops.scratch("predicted", (len(x), self.columns)) if out is None else out
        self._predict(x, out)
        return out

    def _predict(self, x: Array, out: Array) -> None:
        raise NotImplementedError

    def lift(self, rows: np.ndarray, out: np.ndarray) -> None:
        """The same for arrays on the host, wherever the network is."""
        ops, step = self.ops, 8 * self.ops.rows_at_once
        if ops.device == "cpu":
            self(ops.asarray(rows), out)
            return
        for start in range(0, len(rows), step):
            x = ops.asarray(rows[start : start + step])
            y = ops.scratch("lifted", (len(x), out.shape[1]))
            self(x, y)
            out[start : start + step] = ops.to_host(y)


class LayeredLift(Predictor):
    """A model of any layers, which nobody else uses: some poses after the other, one thread at a time."""

    def __init__(self, model: Module, columns: int) -> None:
        self.model, self.ops, self.columns, self._lock = model, model.ops, columns, threading.Lock()

    def _predict(self, x: Array, out: Array) -> None:
        step = self.ops.rows_at_once
        with self._lock, self.ops.parallel(), np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(x), step):
                rows = slice(start, start + step)
                self.ops.copy(self.model.forward(x[rows]), out=out[rows])


def normalising(
    state: Mapping[str, Any], norm: str, bias: Any, eps: float = 1e-5
) -> tuple[np.ndarray, np.ndarray]:
    """What a normalisation with fixed statistics makes of the rows of the Linear before it: scale and bias
    (n,), float64; `norm` names it in `state`."""
    mean, var, gain, beta = (
        np.asarray(state[f"{norm}.{key}"], np.float64)
        for key in ("running_mean", "running_var", "weight", "bias")
    )
    scale = gain / np.sqrt(var + eps)
    return scale, scale * (bias - mean) + beta


class FoldedLift(Predictor):
    """A LiftModel in evaluation, made from its `state_dict`, whose weights it takes as they are now.

    - Normalisation with fixed statistics is a scale and a shift of each column, which the Linear before it
      can do: with s = weight/sqrt(running_var + eps), W <- diag(s) W,  b <- s (b - running_mean) + bias.
    - hidden1 has no nonlinearity behind it, so the first Linear of the first block takes in a copy of it:
      W (W0 x + b0) + b = (W W0) x + (W b0 + b). Of the four wide products three are left.

    What is kept is never written again, and scratch memory belongs to the calling thread, so any number of
    threads may predict at once. How the work is cut depends on the number of poses and of cores alone, and
    so do the bits of the answer. (Of a single pose, as far as BLAS adds in the same order on one thread as on
    all: the OpenBLAS of NumPy 2 does.)
    """

    def __init__(self, state: Mapping[str, Any], ops: Ops, eps: float = 1e-5) -> None:
        self.ops = ops
        self._of_many: FoldedLift | None = None
        # What untrained or damaged weights lead to is for the caller to look at, without warnings
        with np.errstate(over="ignore", invalid="ignore"):
            self._fold(state, eps)

    def _fold(self, state: Mapping[str, Any], eps: float) -> None:
        stem, bias = state["hidden1.weight"], state["hidden1.bias"]
        self.first = self._layer(stem, bias)
        self.blocks: list[list[tuple[Array, Array]]] = []
        self.slope, plain = slope_of(state), "slope" in state
        while (name := f"res-block_{len(self.blocks)}") + ".0.weight" in state:
            halves: list[tuple[Array, Array]] = []
            for linear in linears(plain):
                weight, shift = state[f"{name}.{linear}.weight"], state[f"{name}.{linear}.bias"]
                if not plain:
                    scale, shift = normalising(state, f"{name}.{linear + 1}", shift, eps)
                    weight = weight * scale.astype(weight.dtype)[:, None]
                if not self.blocks and not halves:
                    shift = weight @ bias + shift
                    weight = weight @ stem
                halves.append(self._layer(weight, shift))
            self.blocks.append(halves)
        self.last = self._layer(state["output.weight"], state["output.bias"])
        self.width = len(stem)
        outputs = len(state["output.bias"])
        self.on_rays = 2 * outputs == stem.shape[1]
        self.first_inputs = stem.shape[1]
        self.places = outputs % 3 == 0 and self.first_inputs in (outputs, outputs // 3 * 4 + 1)
        self.sizes = self.places and self.first_inputs > outputs
        self.columns = 3 * outputs if self.on_rays else outputs

    def for_many(self, count: int) -> Predictor:
        """For what takes seconds, one with the same weights and the library of products that is faster here.

        Raises InputError where the environment asks for one that is not here.
        """
        if not isinstance(self.ops, NumpyOps) or count * self.width**2 < MANY:
            return self
        if self._of_many is None:
            from minilift.ops.blas.choose import choose

            many, ops = copy.copy(self), NumpyOps(self.ops.dtype)
            ops.gemm = choose(ops, ops.rows_at_once, self.width).gemm
            many.ops, self._of_many = ops, many
        return self._of_many

    def _layer(self, weight: Any, bias: Any) -> tuple[Array, Array]:
        weight_here, bias_here = self.ops.empty(weight.shape), self.ops.empty(bias.shape)
        self.ops.copy(weight, out=weight_here)
        self.ops.copy(bias, out=bias_here)
        return weight_here, bias_here

    def _predict(self, x: Array, out: Array) -> None:
        if not len(x):
            return
        with np.errstate(over="ignore", invalid="ignore"):
            if len(x) == 1 and self.ops.narrow:
                # its products are over before our own threads would have woken up
                self._by_features(x, out)
                return
            with self.ops.parallel():
                if len(x) < self.ops.narrow:
                    self._by_features(x, out, self.ops.cores)
                    return
                rows = min(-(-len(x) // self.ops.cores // 16) * 16, self.ops.rows_at_once)
                parts = [slice(start, start + rows) for start in range(0, len(x), rows)]
                self.ops.run(lambda i: self._by_poses(x[parts[i]], out[parts[i]]), len(parts))

    def _by_poses(self, x: Array, out: Array) -> None:
        """Poses as rows, through the whole network on one thread."""
        ops, shape, (x, points, r, size) = self.ops, (len(x), self.width), self._given(x)
        h, y, z = (ops.scratch(name, shape) for name in ("h", "y", "z"))
        ops.linear(x, *self.first, out=h)
        for i, (first, second) in enumerate(self.blocks):
            ops.relu(ops.linear(h if i else x, *first, out=y), out=y, slope=self.slope)
            ops.relu(ops.linear(y, *second, out=z), out=z, slope=self.slope)
            ops.add(h, z, out=h)
        self._finish(h, points, r, size, out)

    def _given(self, x: Array) -> tuple[Array, Array, Array | None, Array | None]:
        """What the network sees; the points; how far each is relied on, and how large the person is, for
        networks that go by that."""
        if not self.places:
            return x, x, None, None
        ops, n, joints = self.ops, len(x), self.columns // 3
        r = ops.scratch("reliability", (n, joints))
        if not self.sizes:
            reliability(ops, x, None, out=r)
            return given(ops, x, r, out=ops.scratch("given", (n, 3 * joints))), x, r, None
        size = ops.scratch("size", (n, 1))
        points, scaled = (ops.scratch(name, (n, 2 * joints)) for name in ("points", "scaled"))
        own = sized(ops, x, joints, size, points, out=ops.scratch("sized", x.shape))
        reliability(ops, own, scaled, out=r)
        relied = given(ops, scaled, r, out=ops.scratch("given", (n, 4 * joints)))
        seen = with_size(ops, relied, size, 1.0, 0.0, out=ops.scratch("seen", (n, self.first_inputs)))
        return seen, points, r, size

    def _finish(self, h: Array, points: Array, r: Array | None, size: Array | None, out: Array) -> None:
        """The last Linear and, of a network that gives depths, the joints on their rays or placed."""
        if not self.on_rays and not self.places:
            self.ops.linear(h, *self.last, out=out)
            return
        answer = self.ops.scratch("answer", (len(points), len(self.last[1])))
        self.ops.linear(h, *self.last, out=answer)
        if self.on_rays:
            rays(self.ops, points, answer, out=out)
        else:
            if size is not None:
                answer = unsized(self.ops, answer, size, out=answer)
            place(self.ops, points, r, answer, out=out)

    def _by_features(self, x: Array, out: Array, count: int = 1) -> None:
        """Few poses, as columns: reading the weights is what takes time, and each thread reads its part.

        BLAS is faster, too, with the smaller factor on this side.
        """
        ops, shape, (x, points, r, size) = self.ops, (self.width, len(x)), self._given(x)
        h, y, z = (ops.scratch(name, shape) for name in ("h", "y", "z"))
        self._columns(self.first, x.T, h)
        for i, (first, second) in enumerate(self.blocks):
            self._columns(first, h if i else x.T, y, count if i else 1, relu=True)
            self._columns(second, y, z, count, relu=True)
            ops.add(h, z, out=h)
        self._finish(h.T, points, r, size, out)

    def _columns(
        self, layer: tuple[Array, Array], x: Array, out: Array, count: int = 1, relu: bool = False
    ) -> None:
        """out = W x + b and perhaps relu of that, in `count` parts."""
        (weight, bias), ops = layer, self.ops
        step = -(-self.width // count)

        def part(i: int) -> None:
            rows = slice(i * step, (i + 1) * step)
            y = ops.matmul(weight[rows], x, out=out[rows])
            ops.add(y, bias[rows, None], out=y)
            if relu:
                ops.relu(y, out=y, slope=self.slope)

        ops.run(part, count)
