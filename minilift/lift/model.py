"""The network of the assignment: its layers, its units, and its weights as a file has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minilift.lift.blocks import BlockMaker, plain_block, usual_block
from minilift.lift.fast.folded import FoldedLift, LayeredLift
from minilift.lift.rays.layer import Rays
from minilift.lift.rays.placing import Placing
from minilift.lift.statistics import mean_std
from minilift.lift.weights.stored import made_of
from minilift.nn import Affine, Linear, Network, ReLU
from minilift.nn.network import number_dropouts
from minilift.ops import Array, get_ops

HEADS = ("xyz", "ray", "place")


class LiftModel(Network):
    """From 15 joints in the image, x (n, 30), to 15 joints in space, y (n, 45).

    Linear(30, hidden), `n_blocks` residual blocks of twice (Linear, BatchNorm1d, ReLU, Dropout),
    Linear(hidden, 45): Martinez et al., arXiv:1705.03098, with the assignment's names and stem.

    With `head="ray"` the last layer gives 15 depths instead, and the joints lie on the rays through their
    image points (`Rays`): what comes out projects onto what went in. `head="place"` is that for image points
    some of which were not seen, NaN in x: the first layer is told which (45 inputs), the last gives image
    point and depth (45), and a joint that was not seen lies where the network puts it (`Given`, `Place`).
    With `levels` x may be (n, 45), the standard deviation of each point behind the 30 coordinates, in their
    units; there are 60 inputs then, and a joint lies the nearer to its ray the more that is relied on.
    With a `slope` blocks are twice (Linear, ReLU(slope), Dropout), without BatchNorm1d; weights keep it.

    `make_block(width, dropout, init, rng, ops)` makes blocks of your own in place of `usual_block`, from any
    layers that keep the width (docs/add-a-layer.md). Such a model trains, is measured and predicts like
    others, layer by layer and so more slowly; a weights file does not say what its blocks are.

    All parameters are views of one flat vector, `flat.data`, and their gradients of `flat.grad`. Same `seed`,
    same weights and same dropout masks. `device` is 'cpu', 'gpu', 'gpu:1' or 'auto'; `tf32` lets a GPU
    multiply with 10 bits of mantissa, which is faster for large batches.
    """

    state_names = ("slope",)

    def __init__(
        self, n_blocks: int = 2, hidden_layer: int = 1024, dropout: float = 0.1, output_nodes: int = 15 * 3,
        *, input_nodes: int = 15 * 2, init: str = "uniform", seed: int = 0, device: str = "cpu",
        dtype: str = "float32", tf32: bool = False, head: str = "xyz", levels: bool = False,
        slope: float | None = None, make_block: BlockMaker | None = None,
    ) -> None:  # fmt: skip
        if n_blocks < 0 or hidden_layer < 1:
            sizes = f"{n_blocks} blocks of width {hidden_layer}"
            raise ValueError(f"LiftModel: {sizes}; give 0 or more, 1 or more")
        if head not in HEADS:
            raise ValueError(f"LiftModel: head {head!r} is unknown; use one of {', '.join(HEADS)}")
        if levels and head != "place":
            raise ValueError(f"LiftModel: levels={levels} needs head 'place', got {head!r}")
        self._made_of: dict[str, Any] = {
            "n_blocks": n_blocks, "hidden_layer": hidden_layer, "dropout": dropout, "seed": seed,
            "dtype": dtype, "output_nodes": output_nodes, "input_nodes": input_nodes, "device": device,
            "tf32": tf32, "head": head, "levels": levels, "slope": slope, "make_block": make_block,
        }  # fmt: skip
        super().__init__(get_ops(device, dtype, tf32))
        ops, self.seed, rng = self.ops, seed, self.ops.generator(seed)
        self.n_blocks, self.hidden_layer = n_blocks, hidden_layer
        self.slope = None if slope is None else self.ops.asarray([slope])
        self.folds = make_block in (None, usual_block)
        make_block = make_block or (usual_block if slope is None else plain_block(slope))
        self.usual = make_block is usual_block
        self.head, self.rays = head, Rays(ops=ops) if head == "ray" else None
        self.takes_noise = levels
        self.placing = Placing(input_nodes // 2, levels, ops) if head == "place" else None
        output_nodes = {"ray": input_nodes // 2, "place": input_nodes // 2 * 3}.get(head, output_nodes)
        self.input_nodes, self.output_nodes = input_nodes, output_nodes
        self.joint_nodes = 3 * output_nodes if self.rays else output_nodes  # what `forward` gives

        first = self.placing.inputs if self.placing else input_nodes
        self.children["hidden1"] = Linear(first, hidden_layer, init=init, rng=rng, ops=ops)
        for i in range(n_blocks):
            self.children[f"res-block_{i}"] = make_block(hidden_layer, dropout, init, rng, ops)
        self.children["output"] = Linear(hidden_layer, output_nodes, init=init, rng=rng, ops=ops)

        self.dropouts = number_dropouts(self)
        for layer in self.dropouts:
            layer.seed = seed
        self.parameters()  # one vector from the beginning
        self.before: Affine | None = None  # the change of units of the input, and of the output
        self.after: Affine | None = None

    def standardise(self, joint_2d: Any, joint_3d: Any) -> None:
        """Let the layers see every column of the training data with mean 0 and standard deviation 1.

        The model still maps raw 2D to raw 3D; the two changes of units become part of it, and
        `state_dict` takes them into the first and the last Linear. Call it before training, with joint_2d
        (N, 15, 2) and joint_3d (N, 15, 3) in the data's units. Raises ValueError for other shapes.
        """
        if len(joint_2d) != len(joint_3d):
            raise ValueError(f"standardise: {len(joint_2d)} poses in 2D, {len(joint_3d)} in 3D")
        if self.placing is not None and self.takes_noise:
            points, joints = (np.asarray(self.ops.to_host(data)) for data in (joint_2d, joint_3d))
            joint_2d, joint_3d, size = self.placing.of_size_1(points, joints)
            mean, std = mean_std(np.log(size), 1)
            self.placing.set_units(1 / std[0], -mean[0] / std[0])
        mean, std = mean_std(joint_2d, self.input_nodes)
        self.before = Affine(1 / std, -mean / std, ops=self.ops)
        image = mean, std
        mean, std = mean_std(joint_3d, self.joint_nodes)
        if self.rays is not None:
            mean, std = mean[2::3], std[2::3]
        if self.placing is not None:  # image points and depths, joint after joint
            for axis in range(2):
                mean[axis::3], std[axis::3] = image[0][axis::2] * (not self.takes_noise), image[1][axis::2]
        self.after = Affine(std, mean, ops=self.ops)

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self.enter(x)
        for child in self.children.values():
            x = child.forward(x, train)
        return self.leave(x)

    def backward(self, dy: Array) -> Array:
        direct = self.buffer("direct", (len(dy), self.input_nodes)) if self.rays else None
        dy = self.to_last(dy, direct)  # the image points also set the rays
        for child in reversed(self.children.values()):
            dy = child.backward(dy)
        if self.placing is not None:
            dy = self.placing.to_points(dy)
        dx = dy if self.before is None else self.before.backward(dy)
        if self.placing is not None:
            return self.placing.to_input(dx)
        return dx if direct is None else self.ops.add(dx, direct, out=direct)

    def enter(self, x: Array) -> Array:
        """What the first layer takes of x: (n, 30), or other columns with head "place"."""
        self._points = x = self._input(x, None if self.takes_noise else self.input_nodes, axes=2)
        x = self.placing.points(x) if self.placing else x
        x = self.before.forward(x) if self.before else x
        return self.placing.columns(x) if self.placing else x

    def leave(self, x: Array) -> Array:
        """Joints (n, 45) from what the last layer gives for what has entered last."""
        x = self.after.forward(x) if self.after else x
        if self.placing is not None:
            return self.placing.placed(x)
        return x if self.rays is None else self.rays.forward(self._points, x)

    def to_last(self, dy: Array, direct: Array | None = None) -> Array:
        """The gradient of what the last layer gives; `direct` takes that of the points that set the rays."""
        dy = self.rays.backward(dy, direct) if self.rays else dy
        dy = self.placing.to_last(dy) if self.placing else dy
        return self.after.backward(dy) if self.after else dy

    def predictor(self) -> FoldedLift | LayeredLift:
        """The network with its weights as they are now, for prediction alone."""
        if self.folds:
            return FoldedLift(self.state_dict(), self.ops)
        return LayeredLift(self.copied(), self.joint_nodes)

    def copied(self) -> LiftModel:
        """Another model with the same weights and units: a deep copy has no device arrays of its own."""
        here = {"device": self.device, "dtype": self.dtype, "tf32": getattr(self.ops, "tf32", False)}
        other = LiftModel(**{**self._made_of, **here}, init="zeros")
        other.restore(self.snapshot())
        return other

    # ---- saving and loading --------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray]:
        """The weights as torch's model of this shape has them, complete by themselves.

        With x' = x s + t before hidden1 and y = y' s + t after output, the changes of units go into
        hidden1.weight = W s,  hidden1.bias = W t + b,  output.weight = s W,  output.bias = s b + t. With head
        "place" a joint adds both times its w, so that W t of a joint goes to the weight of its w (`Given`).
        """
        state = super().state_dict()
        if self.before is not None and self.after is not None:
            scale, shift = self._units(self.before)
            weight = state["hidden1.weight"].astype(np.float64)
            points = weight[:, : self.input_nodes]
            if self.placing is not None:
                weight[:, self.input_nodes :][:, : self.input_nodes // 2] += (
                    (points * shift).reshape(len(weight), -1, 2).sum(axis=2)
                )
            else:
                state["hidden1.bias"] = (points @ shift + state["hidden1.bias"]).astype(self.ops.dtype)
            points *= scale
            if self.placing is not None and self.takes_noise:
                by, on = self.placing.units()
                state["hidden1.bias"] = (state["hidden1.bias"] + weight[:, -1] * on).astype(self.ops.dtype)
                weight[:, -1] *= by
            state["hidden1.weight"] = weight.astype(self.ops.dtype)
            scale, shift = self._units(self.after)
            weight = state["output.weight"].astype(np.float64)
            state["output.bias"] = (scale * state["output.bias"] + shift).astype(self.ops.dtype)
            state["output.weight"] = (scale[:, None] * weight).astype(self.ops.dtype)
        return state

    def _units(self, layer: Affine) -> tuple[np.ndarray, np.ndarray]:
        host = self.ops.to_host
        return host(layer.scale).astype(np.float64), host(layer.shift).astype(np.float64)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.use_slope()
        self.before = self.after = None
        if self.placing is not None:
            self.placing.set_units(1, 0)

    def use_slope(self) -> None:
        """Let the layers have the `slope` that was loaded."""
        for _, layer in self.modules():
            if self.slope is not None and isinstance(layer, ReLU):
                layer.slope = float(self.ops.to_host(self.slope)[0])

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any], **options: Any) -> LiftModel:
        """A model of the shape that the weights have: any width and any number of blocks.

        Raises ValueError if they are not the weights of a LiftModel.
        """
        model = cls(**{"init": "zeros", **made_of(state), **options})
        model.load_state_dict(state)
        return model

    def snapshot(self) -> dict[str, np.ndarray]:
        state = super().snapshot()
        for name, layer in (("before", self.before), ("after", self.after)):
            if layer is not None:
                state[f"{name}.scale"] = self.ops.to_host(layer.scale)
                state[f"{name}.shift"] = self.ops.to_host(layer.shift)
        if self.before is not None and self.placing is not None:
            state["before.size"] = np.array(self.placing.units())
        return state

    def restore(self, snapshot: Mapping[str, np.ndarray]) -> None:
        state = dict(snapshot)
        units = {k: state.pop(k) for k in list(state) if k.startswith(("before.", "after."))}
        super().restore(state)
        self.use_slope()
        self.before = self.after = None
        if units:
            self.before = Affine(units["before.scale"], units["before.shift"], ops=self.ops)
            self.after = Affine(units["after.scale"], units["after.shift"], ops=self.ops)
        if self.placing is not None:
            self.placing.set_units(*units.get("before.size", (1, 0)))

    def summary(self, shape: tuple[int, ...] | None = None) -> str:
        return super().summary(shape or (self.input_nodes,))
