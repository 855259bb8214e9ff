"""Geometry of one and two cameras: what it computes, and that every backward pass is the derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from weak_cases import CASES, PARENTS, J, N, cotangents_of, drawn, passes

from minilift.lift.weak import operations as geometry
from minilift.ops import get_ops
from minilift.poses.camera import to_camera


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CASES)
def test_backward_is_the_derivative(name: str, seed: int) -> None:
    case, (rng, arrays) = CASES[name], drawn(seed)
    cotangents = cotangents_of(case, rng)
    before = {key: array.copy() for key, array in arrays.items()}
    gradients = passes(case, "cpu", arrays, cotangents)[len(case.outputs) :]
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, before[key])
    directions = [rng.standard_normal(arrays[key].shape) for key in case.inputs]

    def value(step: float) -> float:
        pairs = zip(case.inputs, directions, strict=True)
        at = arrays | {key: arrays[key] + step * direction for key, direction in pairs}
        found = passes(case, "cpu", at, cotangents)[: len(case.outputs)]
        return float(sum((y * c).sum() for y, c in zip(found, cotangents, strict=True)))

    numeric = (value(1e-6) - value(-1e-6)) / 2e-6
    analytic = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))
    assert analytic == pytest.approx(numeric, rel=1e-6)


def _torch_forward(torch: Any, name: str, a: Any) -> Any:
    """The same written with torch's own operations; None where its inputs are no points and cameras."""
    rotation = a["rotation"].reshape(N, 3, 3)
    points, t = a["points"].reshape(N, J, 3), a["translation"][:, None]
    if name == "project":
        return points[..., :2] / torch.clamp(-points[..., 2:], min=geometry.NEAREST)
    if name == "move":
        return torch.einsum("nkl,njl->njk", rotation, points) + t
    if name == "bone_lengths":
        root = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64).expand(N, 1, 3)
        return torch.linalg.norm(points - torch.cat([points, root], 1)[:, PARENTS], dim=2)
    if name == "asymmetry":
        share = a["lengths"] / a["lengths"].mean(1, keepdim=True)
        return share[:, [0, 1]] - share[:, [3, 2]]
    if name == "turn":
        e, azimuth, f = a["angles"].unbind(1)
        turned = torch.linalg.matrix_exp
        axis = torch.tensor([[0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
        up = torch.tensor([[0, 0, -1], [0, 0, 0], [1, 0, 0]], dtype=torch.float64)
        about = [turned(x[:, None, None] * g) for x, g in ((f, axis), (azimuth, up), (-e, axis))]
        matrix = about[0] @ about[1] @ about[2]
        root = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64)
        return torch.cat([matrix.reshape(N, 9), root - matrix @ root], 1)
    rays = [torch.cat([a[f"points_{k}"].reshape(N, J, 2), -torch.ones(N, J, 1)], 2) for k in (1, 2)]
    turned = torch.einsum("nkl,njl->njk", rotation, rays[0])
    pair = torch.stack([turned, -rays[1]], 3)  # least squares: k a - l b = -t
    normal = pair.transpose(2, 3) @ pair
    right = -(pair.transpose(2, 3) @ t[..., None].expand(N, J, 3, 1))
    return rays[0] * torch.linalg.solve(normal, right)[..., 0, :]


@pytest.mark.parametrize("name", CASES)
def test_torch_agrees(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the reference of this test")
    case, (rng, arrays) = CASES[name], drawn(2)
    cotangents = cotangents_of(case, rng)
    found = passes(case, "cpu", arrays, cotangents)
    given = {k: torch.tensor(v, requires_grad=k in case.inputs) for k, v in arrays.items()}
    y = _torch_forward(torch, name, given).reshape(N, -1)
    count = len(case.outputs)
    np.testing.assert_allclose(np.concatenate(found[:count], 1), y.detach(), rtol=1e-9, atol=1e-12)
    y.backward(torch.tensor(np.concatenate(cotangents, 1)))
    for key, gradient in zip(case.inputs, found[count:], strict=True):
        np.testing.assert_allclose(gradient, given[key].grad, rtol=1e-9, atol=1e-11, err_msg=key)


def test_a_turn_is_the_camera_going_round() -> None:
    """The same person before a camera elsewhere, by the function that makes the poses of files."""
    rng = np.random.default_rng(5)
    person, metres = 0.4 * rng.standard_normal((N, J, 3)), np.full(N, 3.0)
    azimuth, more, first, last = rng.uniform(-1, 1, (4, N))
    ops = get_ops("cpu", "float64")
    rotation, translation, out = (ops.empty((N, k)) for k in (9, 3, 3 * J))
    geometry.turn(ops, np.stack([first, more, last], axis=1), rotation, translation)
    before = to_camera(person, azimuth, first, metres).reshape(N, -1)
    geometry.move(ops, before, rotation, translation, out)
    after = to_camera(person, azimuth + more, last, metres).reshape(N, -1)
    np.testing.assert_allclose(out, after, atol=1e-12)


def test_two_exact_rays_meet_in_the_joint() -> None:
    _, a = drawn(3)
    a["points"][0, 2] = -0.9
    ops = get_ops("cpu", "float64")
    moved, first, second = (ops.empty((N, k * J)) for k in (3, 2, 2))
    geometry.move(ops, a["points"], a["rotation"], a["translation"], moved)
    geometry.project(ops, a["points"], first)
    geometry.project(ops, moved, second)
    out, sine2 = ops.empty((N, 3 * J)), ops.empty((N, J))
    geometry.triangulate(ops, first, second, a["rotation"], a["translation"], out, sine2)
    np.testing.assert_allclose(out, a["points"], atol=1e-12)  # worst seen 1e-15
    assert (sine2 > 0.1).all()


def test_parallel_rays_and_short_bones_give_finite_numbers() -> None:
    ops = get_ops("cpu", "float64")
    image, still, none = ops.zeros((1, 2)), np.eye(3).reshape(1, 9), ops.zeros((1, 3))
    out, sine2, d1, d2 = (ops.empty((1, k)) for k in (3, 1, 2, 2))
    geometry.triangulate(ops, image, image, still, none, out, sine2)
    geometry.triangulate_backward(ops, np.ones((1, 3)), image, image, still, none, d1, d2)
    assert all(np.isfinite(array).all() for array in (out, d1, d2))
    assert sine2[0, 0] == 0
    root, lengths, d = np.array([[0.0, 0, -1]]), ops.empty((1, 1)), ops.empty((1, 3))
    geometry.bone_lengths(ops, root, ops.asindex([1]), lengths)
    geometry.bone_lengths_backward(ops, np.ones((1, 1)), root, ops.asindex([1]), lengths, d)
    assert (lengths[0, 0], d.tolist()) == (0, [[0, 0, 0]])
