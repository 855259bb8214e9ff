"""Of training without 3D: geometry, an operation a row, for tests on the CPU and on a GPU; and what every way
of learning has to pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilift.lift.weak import operations as geometry
from minilift.ops import get_ops

N, J = 6, 4
PARENTS = [J, 0, 1, J]
PAIRS = [[0, 3], [1, 2]]
Arrays = dict[str, np.ndarray]


def drawn(seed: int) -> tuple[Any, Arrays]:
    """Poses in front of two cameras about 70 degrees apart; one joint of the first is nearer than NEAREST."""
    rng = np.random.default_rng(seed)
    points = np.tile([0, 0, -1], (N, J)) + 0.2 * rng.standard_normal((N, 3 * J))
    points[0, 2] = -0.01
    angles = np.stack([rng.uniform(-0.3, 0.3, N), rng.uniform(1, 1.4, N), rng.uniform(-0.3, 0.3, N)], axis=1)
    rotation, translation = (np.empty((N, k)) for k in (9, 3))
    geometry.turn(get_ops("cpu", "float64"), angles, rotation, translation)
    arrays = {"points": points, "angles": angles, "rotation": rotation, "translation": translation}
    arrays |= {f"points_{k}": 0.2 * rng.standard_normal((N, 2 * J)) for k in (1, 2)}
    return rng, arrays | {"lengths": rng.uniform(0.2, 0.5, (N, J))}


class Case(NamedTuple):
    inputs: tuple[str, ...]  # that have gradients
    outputs: tuple[int, ...]  # columns of what comes out
    forward: Callable[..., Any]  # (ops, arrays by name, *out)
    backward: Callable[..., Any]  # (ops, arrays by name, out and its gradients, *gradients of the inputs)


def _lengths(ops: Any, a: Any, out: Any, dout: Any, *d: Any) -> None:
    geometry.bone_lengths_backward(ops, dout[0], a["points"], ops.asindex(PARENTS), out[0], *d)


def _triangulate(ops: Any, a: Any, *out: Any) -> None:
    cameras = a["rotation"], a["translation"]
    geometry.triangulate(ops, a["points_1"], a["points_2"], *cameras, out[0], ops.empty((N, J)))


def _triangulate_backward(ops: Any, a: Any, out: Any, dout: Any, *d: Any) -> None:
    arrays = (a[name] for name in ("points_1", "points_2", "rotation", "translation"))
    geometry.triangulate_backward(ops, dout[0], *arrays, *d)


CASES = {
    "project": Case(
        ("points",), (2 * J,),
        lambda ops, a, out: geometry.project(ops, a["points"], out),
        lambda ops, a, out, dout, d: geometry.project_backward(ops, dout[0], a["points"], d),
    ),
    "move": Case(
        ("points", "rotation", "translation"), (3 * J,),
        lambda ops, a, out: geometry.move(ops, a["points"], a["rotation"], a["translation"], out),
        lambda ops, a, out, dout, *d: geometry.move_backward(ops, dout[0], a["points"], a["rotation"], *d),
    ),
    "turn": Case(
        ("angles",), (9, 3),
        lambda ops, a, *out: geometry.turn(ops, a["angles"], *out),
        lambda ops, a, out, dout, d: geometry.turn_backward(ops, *dout, a["angles"], d),
    ),
    "bone_lengths": Case(
        ("points",), (J,),
        lambda ops, a, out: geometry.bone_lengths(ops, a["points"], ops.asindex(PARENTS), out),
        _lengths,
    ),
    "asymmetry": Case(
        ("lengths",), (2,),
        lambda ops, a, out: geometry.asymmetry(ops, a["lengths"], ops.asindex(PAIRS), out),
        lambda ops, a, out, dout, d: geometry.asymmetry_backward(
            ops, dout[0], a["lengths"], ops.asindex(PAIRS), out[0], d
        ),
    ),
    "triangulate": Case(("points_1", "points_2"), (3 * J,), _triangulate, _triangulate_backward),
}  # fmt: skip
"""Every operation with a backward pass, a row each."""


def passes(case: Case, device: str, arrays: Arrays, cotangents: list[np.ndarray]) -> list[np.ndarray]:
    """What comes out, and the gradients of the inputs."""
    ops = get_ops(device, "float64")
    given = {name: ops.asarray(array) for name, array in arrays.items()}
    out = [ops.empty((N, columns)) for columns in case.outputs]
    case.forward(ops, given, *out)
    gradients = [ops.empty(arrays[name].shape) for name in case.inputs]
    case.backward(ops, given, out, [ops.asarray(c) for c in cotangents], *gradients)
    return [ops.to_host(array) for array in (*out, *gradients)]


def cotangents_of(case: Case, rng: Any) -> list[np.ndarray]:
    return [rng.standard_normal((N, columns)) for columns in case.outputs]


def check_joint_3d_has_no_part(folder: Path, data: Any, made: Callable[[Path, Any], Any]) -> None:
    """Train on data with joint_3d, without and with wrong ones: everything but the log is the same, to the
    bit. `made(out, data)` is a training of three epochs."""
    wrong = replace(data, joint_3d=np.asarray(data.joint_3d) * np.float32(1.5))
    found = {}
    for name, given in (("with", data), ("without", replace(data, joint_3d=None)), ("wrong", wrong)):
        training = made(folder / name, given)
        assert training.fit()
        found[name] = training.trainer
    for name in ("without", "wrong"):
        for key, value in found["with"].network.snapshot().items():
            np.testing.assert_array_equal(found[name].network.snapshot()[key], value, err_msg=key)
        weights = [(folder / part / "liftModel").read_bytes() for part in ("with", name)]
        assert weights[0] == weights[1]
    assert "val_mpjpe" in found["with"].progress.history[0]
    assert "val_mpjpe" not in found["without"].progress.history[0]
