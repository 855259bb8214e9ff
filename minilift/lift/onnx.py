"""A lifter as an ONNX file, for programs without Python: its whole network in one graph, and what it means.

    joint_2d (batch, 15, 2) float32  ->  joint_3d (batch, 15, 3) float32,   any batch
    sigma (batch, 15) float32, too, for weights that take noise levels; 0 says that points are exact

The weights are those of `FoldedLift`: the change of units and the normalisation are in the Linear layers, and
the first of a block has taken in hidden1. What is left is Gemm, Relu (LeakyRelu) and Add, and the head:

    xyz    joint_3d = the last Gemm
    ray    joint_3d_j = (-u_j z_j, -v_j z_j, z_j), z = the last Gemm
    place  the same with (u, v)_j of the last Gemm where joint_2d_j is NaN: not seen. Its first Gemm gets
           zeros there, and behind the points 1 for each joint that was seen. With noise levels w joint_2d_j +
           g (u, v)_j, and the first Gemm gets (w joint_2d, w, r): `Given`, `Place`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minilift import __version__, extras
from minilift.errors import InputError
from minilift.lift.fast.folded import FoldedLift
from minilift.lift.model import LiftModel
from minilift.lift.rays.operations import LEVEL, SPREAD
from minilift.lift.rays.size_operations import LEAST
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15

JOINTS = len(COURSE15)
OPSET, IR = 13, 7
"""Of 2020 (ONNX 1.8), so that old runtimes read it, too."""
LARGEST = 2_000_000_000
"""Bytes of weights: an ONNX file is a protocol buffer, and these end at 2 GiB."""
PURPOSE = "writing ONNX"
AXES = "x to the right, y up, the camera looks down -z"


def to_onnx(model: LiftModel, licence: str = "") -> bytes:
    """The content of an ONNX file of a model of the course's joints; `licence` is the text of its weights'.

    The metadata have joint_names and parents as JSON, axes, units, head and licence. Raises InputError where
    the library onnx is missing, and for a model with blocks of one's own, of other joints, or too large.
    """
    onnx = extras.load("onnx", PURPOSE)
    if not model.folds:
        raise InputError("a model with blocks of its own cannot be written as ONNX; train one with the usual")
    if model.input_nodes != 2 * JOINTS:
        raise InputError(f"the weights lift {model.input_nodes // 2} joints; give weights for {JOINTS}")
    weights = sum(array.nbytes for array in model.state_dict().values())
    if weights > LARGEST:
        raise InputError(f"{weights:,} bytes of weights, and ONNX takes {LARGEST:,}; use a narrower network")
    graph = _Graph(onnx, FoldedLift(model.state_dict(), get_ops("cpu", "float32")))
    value = onnx.helper.make_tensor_value_info
    inputs = {"joint_2d": ["batch", JOINTS, 2]}
    if model.takes_noise:
        inputs["sigma"] = ["batch", JOINTS]
    made = onnx.helper.make_graph(
        graph.nodes(model.head, model.takes_noise), "minilift",
        [value(name, onnx.TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [value("joint_3d", onnx.TensorProto.FLOAT, ["batch", JOINTS, 3])],
        graph.constants,
    )  # fmt: skip
    file = onnx.helper.make_model(
        made, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR,
        producer_name="minilift", producer_version=__version__, doc_string=_about(model),
    )  # fmt: skip
    onnx.helper.set_model_props(file, _metadata(model, licence))
    onnx.checker.check_model(file, full_check=True)
    content: bytes = file.SerializeToString()
    return content


class _Graph:
    """Nodes and constants of the graph, in the order in which they are computed."""

    def __init__(self, onnx: Any, folded: FoldedLift) -> None:
        self.onnx, self.folded = onnx, folded
        self.constants: list[Any] = []
        self._nodes: list[Any] = []

    def nodes(self, head: str, levels: bool) -> list[Any]:
        x = self._marked(levels) if head == "place" else self._reshaped("joint_2d", (2 * JOINTS,), "points")
        h = self._gemm("hidden1", x, self.folded.first)
        for i, (first, second) in enumerate(self.folded.blocks):
            # the first block's weights have taken in those of hidden1
            y = self._bent(self._gemm(f"block{i}.first", h if i else x, first))
            z = self._bent(self._gemm(f"block{i}.second", y, second))
            h = self._node("Add", [h, z])
        last = self._gemm("output", h, self.folded.last)
        if head == "xyz":
            self._reshaped(last, (JOINTS, 3), "joint_3d")
        elif head == "ray":
            self._on_rays("joint_2d", self._reshaped(last, (JOINTS, 1), "depth"))
        else:
            placed = self._reshaped(last, (JOINTS, 3), "placed")
            image, depth = self._cut(placed, 0, 2), self._cut(placed, 2, 3)
            if levels:
                seen = self._node("Mul", [self._moved(image), "size"])
                depth = self._node("Sub", [self._node("Mul", [depth, "size"]), "whole"])
            else:
                seen = self._node("Where", ["hidden", image, "joint_2d"])
            self._on_rays(seen, depth)
        return self._nodes

    def _bent(self, x: str) -> str:
        if self.folded.slope:
            return self._node("LeakyRelu", [x], alpha=self.folded.slope)
        return self._node("Relu", [x])

    def _moved(self, image: str) -> str:
        """w points + g image, g = sigma / (sigma + SPREAD): how near to its ray each joint lies."""
        wide = self._constant("wide", np.full(1, SPREAD, np.float32))
        gain = self._node("Div", ["doubt", self._node("Add", ["doubt", wide])])
        gain = self._node("Where", ["hidden", "whole", gain])
        return self._node("Add", ["weighted", self._node("Mul", [gain, image])])

    def _weighted(self, points: str, seen: str) -> list[str]:
        """(w points, w, r, log size), each of one row a pose, points and sigma over the size; r (batch, 15,
        1) is called reliability, w points weighted."""
        numbers = {"level": LEVEL, "spread": 1 / SPREAD, "whole": 1.0}
        level, spread, whole = (self._constant(k, np.full(1, v, np.float32)) for k, v in numbers.items())
        # of a joint that was not seen sigma may be anything, NaN, too
        sigma = self._reshaped("sigma", (JOINTS, 1), "told")
        size = self._size(points, seen)
        points = self._node("Div", [points, size])
        told = self._node("Div", [self._node("Where", ["hidden", "zero", sigma]), size], "doubt")
        r = self._node("Div", [level, self._node("Add", [told, level])])
        self._node("Mul", [r, seen], "reliability")
        far = self._node("Mul", [told, spread])
        weight = self._node("Div", [seen, self._node("Add", [self._node("Mul", [far, far]), whole])])
        return [
            self._reshaped(self._node("Mul", [points, weight], "weighted"), (2 * JOINTS,), "points"),
            self._reshaped(weight, (JOINTS,), "weight"),
            self._reshaped("reliability", (JOINTS,), "relied"),
            self._reshaped(self._node("Log", [size]), (1,), "large"),
        ]

    def _size(self, points: str, seen: str) -> str:
        """Root mean square of the points (batch, 15, 2) that were seen (batch, 15, 1): (batch, 1, 1)."""
        axes = self._constant("size.axes", np.array([1, 2]))
        squares = self._node("ReduceSum", [self._node("Mul", [points, points]), axes], keepdims=1)
        count = self._node("Max", [self._node("ReduceSum", [seen, axes], keepdims=1), "whole"])
        mean = self._node("Sqrt", [self._node("Div", [squares, count])])
        return self._node("Max", [mean, self._constant("least", np.full(1, LEAST, np.float32))], "size")

    def _marked(self, levels: bool) -> str:
        """Points with 0 for those that were not seen, and behind them whether they were, (batch, 45); with
        levels what `_weighted` has, (batch, 61)."""
        sums = self._node("ReduceSum", ["joint_2d", self._constant("axes", np.array([2]))], keepdims=1)
        self._node("IsNaN", [sums], "hidden")  # (batch, 15, 1)
        zero = self._constant("zero", np.zeros(1, np.float32))
        points = self._node("Where", ["hidden", zero, "joint_2d"])
        seen = self._node("Cast", [self._node("Not", ["hidden"])], to=self.onnx.TensorProto.FLOAT)
        if levels:
            parts = self._weighted(points, seen)
        else:
            parts = [self._reshaped(points, (2 * JOINTS,), "points"), self._reshaped(seen, (JOINTS,), "seen")]
        return self._node("Concat", parts, axis=1)

    def _on_rays(self, image: str, depth: str) -> None:
        sideways = self._node("Neg", [self._node("Mul", [image, depth])])
        self._node("Concat", [sideways, depth], "joint_3d", axis=2)

    def _gemm(self, name: str, x: str, layer: tuple[Any, Any]) -> str:
        weight, bias = (np.asarray(array, np.float32) for array in layer)
        given = [x, self._constant(f"{name}.weight", weight), self._constant(f"{name}.bias", bias)]
        return self._node("Gemm", given, name, transB=1)

    def _reshaped(self, x: str, shape: tuple[int, ...], name: str) -> str:
        """x as (batch, *shape). 0 stands for the batch, which may be empty: that rules out -1."""
        return self._node("Reshape", [x, self._constant(f"{name}.shape", np.array((0, *shape)))], name)

    def _cut(self, x: str, start: int, stop: int) -> str:
        """x[:, :, start:stop]"""
        ends = {"starts": start, "ends": stop, "axes": 2}
        given = [self._constant(f"{start}.{name}", np.array([end])) for name, end in ends.items()]
        return self._node("Slice", [x, *given])

    def _constant(self, name: str, array: np.ndarray) -> str:
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _node(self, operation: str, inputs: list[str], output: str = "", **attributes: float) -> str:
        output = output or f"{operation.lower()}{len(self._nodes)}"
        self._nodes.append(self.onnx.helper.make_node(operation, inputs, [output], output, **attributes))
        return output


def _metadata(model: LiftModel, licence: str) -> dict[str, str]:
    head = model.head
    about = {
        "joint_names": json.dumps(COURSE15.joints),
        "parents": json.dumps(COURSE15.parents),
        "joint_2d": f"(x / -z, y / -z) of a camera with focal length 1; the root at (0, 0); {AXES}",
        "joint_3d": f"the root at (0, 0, -1); unit: the distance from the camera to the root; {AXES}",
        "root": "midway between the hips; parent -1",
        "head": head,
        "missing": "NaN for a joint that was not seen" if head == "place" else "every joint must be there",
    }
    if model.takes_noise:
        about["sigma"] = "the standard deviation of each coordinate of joint_2d, in its unit; 0 for exact"
    return about | ({"licence": licence} if licence else {})


def _about(model: LiftModel) -> str:
    told = _metadata(model, "")
    return f"A lifter of 2D to 3D joints. joint_2d: {told['joint_2d']}. joint_3d: {told['joint_3d']}."


def difference(content: bytes, model: LiftModel, poses: int = 256, seed: int = 0) -> float:
    """The largest difference between what onnxruntime makes of an ONNX file and what the model does.

    Of so many random poses, in the unit of joint_3d; a fifth of the joints are NaN for a head that takes it.
    Raises InputError where onnxruntime is missing or refuses the file.
    """
    runtime = extras.load("onnxruntime", "checking an ONNX file")
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 0.15, (poses, JOINTS, 2)).astype(np.float32)
    if model.head == "place":
        points[rng.random(points.shape[:2]) < 0.2] = np.nan
    given = {"joint_2d": points}
    if model.takes_noise:
        given["sigma"] = rng.choice([0, 0.002, 0.02], (poses, JOINTS)).astype(np.float32)
    try:
        session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
        (found,) = session.run(["joint_3d"], given)
    except Exception as problem:  # of onnxruntime's own kinds
        raise InputError(f"onnxruntime refuses the file: {str(problem).splitlines()[0]}") from None
    expected = np.empty((poses, 3 * JOINTS), np.float32)
    rows = np.concatenate([array.reshape(poses, -1) for array in given.values()], axis=1)
    model.predictor().lift(rows, expected)
    return float(np.abs(found.reshape(poses, -1) - expected).max())
