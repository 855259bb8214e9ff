"""Small ONNX networks in the form of RTMO, YOLOX and RTMPose, that answer for what they see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

_OPSET, _IR = 13, 8


def network(
    side: tuple[int, int | str],
    nodes: Sequence[tuple],  # type: ignore[type-arg]
    given: dict[str, np.ndarray],
    answers: Sequence[str],
    colours: int = 3,
) -> bytes:
    """A network that takes [1, 3, height, width]. A node is (kind, inputs, output, attributes)."""
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", colours, *side])
    shapes = {"simcc_x": 3, "simcc_y": 3, "dets": 3, "keypoints": 4, "labels": 2, "raw": 3}
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output], **more) for kind, inputs, output, more in nodes],
        "people",
        [picture],
        [
            helper.make_tensor_value_info(
                name, TensorProto.INT64 if name == "labels" else TensorProto.FLOAT, [None] * shapes[name]
            )
            for name in answers
        ],
        [numpy_helper.from_array(array, name) for name, array in given.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    checker.check_model(model)
    return bytes(model.SerializeToString())


def rtmpose(count: int = 17, height: int = 64, width: int = 48) -> bytes:
    """RTMPose: the peaks of all joints lie in the column and the row with the brightest red spot, each column
    and row twice as long as the picture, and are as high as its red, of 255, before it was normalised."""
    nodes = [
        ("Slice", ["input", "zero", "one", "channel"], "red", {}),
        ("Mul", ["red", "scale"], "scaled", {}),
        ("Add", ["scaled", "shift"], "bright", {}),
    ]
    for name, axis in (("x", 2), ("y", 3)):
        nodes += [
            ("ReduceMax", ["bright"], f"most_{name}", {"axes": [axis], "keepdims": 0}),  # (1, 1, n)
            ("Reshape", [f"most_{name}", f"long_{name}"], f"column_{name}", {}),  # (1, 1, n, 1)
            ("Mul", [f"column_{name}", "pair"], f"pairs_{name}", {}),  # (1, 1, n, 2)
            ("Reshape", [f"pairs_{name}", f"row_{name}"], f"single_{name}", {}),  # (1, 1, 2 n)
            ("Tile", [f"single_{name}", "joints"], f"simcc_{name}", {}),
        ]
    whole = {"zero": [0], "one": [1], "channel": [1], "joints": [1, count, 1]}
    whole |= {"long_x": [1, 1, width, 1], "row_x": [1, 1, 2 * width]}
    whole |= {"long_y": [1, 1, height, 1], "row_y": [1, 1, 2 * height]}
    given = {name: np.array(value, np.int64) for name, value in whole.items()}
    given["scale"] = np.array(58.395 / 255, np.float32)
    given["shift"] = np.array(123.675 / 255, np.float32)
    given["pair"] = np.array([1.0, 0.5], np.float32)  # the peak is the first of the two
    return network((height, width), nodes, given, ("simcc_x", "simcc_y"))


def constant(
    answers: dict[str, np.ndarray], side: tuple[int, int | str] = (64, 64), colours: int = 3
) -> bytes:
    """A network that answers the same to every picture."""
    nodes, given = [], {"none": np.zeros(1, np.float32)}
    nodes.append(("ReduceMean", ["input"], "mean", {"keepdims": 0}))
    nodes.append(("Mul", ["mean", "none"], "nothing", {}))
    for name, array in answers.items():
        given[f"own_{name}"] = array if array.dtype == np.int64 else array.astype(np.float32)
        if array.dtype == np.int64:
            nodes.append(("Identity", [f"own_{name}"], name, {}))
        else:
            nodes.append(("Add", [f"own_{name}", "nothing"], name, {}))
    return network(side, nodes, given, tuple(answers), colours)


def rtmo(dets: np.ndarray, height: int = 64, width: int = 64, count: int = 17) -> bytes:
    """RTMO with these boxes (n, 5). The joints of all of them are where the picture is bluest, the first of
    the colours of BGR, each with a score of 0.75."""
    nodes = [("Slice", ["input", "zero", "one", "channel"], "blue", {})]
    for name, axis in (("x", 2), ("y", 3)):
        nodes += [
            ("ReduceMax", ["blue"], f"most_{name}", {"axes": [axis], "keepdims": 0}),
            ("ArgMax", [f"most_{name}"], f"at_{name}", {"axis": 2, "keepdims": 1}),  # (1, 1, 1)
            ("Cast", [f"at_{name}"], f"float_{name}", {"to": TensorProto.FLOAT}),
        ]
    nodes += [
        ("Concat", ["float_x", "float_y", "sure"], "point", {"axis": 2}),
        ("Reshape", ["point", "shape"], "single", {}),
        ("Tile", ["single", "many"], "keypoints", {}),
        ("Identity", ["own_dets"], "dets", {}),
    ]
    whole = {"zero": [0], "one": [1], "channel": [1], "shape": [1, 1, 1, 3], "many": [1, len(dets), count, 1]}
    given = {name: np.array(value, np.int64) for name, value in whole.items()}
    given["sure"] = np.full((1, 1, 1), 0.75, np.float32)
    given["own_dets"] = np.asarray(dets, np.float32)[None]
    return network((height, width), nodes, given, ("dets", "keypoints"))
