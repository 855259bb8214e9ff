"""A training step from one view: that its gradients are derivatives, and that passes add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, LiftModel
from minilift.lift.weak import operations as geometry
from minilift.lift.weak.batches import mirrored
from minilift.lift.weak.one_view.cycle import Weights, backwards
from minilift.lift.weak.one_view.network import Adversaries
from minilift.lift.weak.one_view.operations import turned_against
from minilift.lift.weak.one_view.step import OneViewStep
from minilift.lift.weak.symmetry import Symmetry
from minilift.ops import get_ops

N, UNIT = 6, 0.1


def made(elevation: float | None = None, seed: int = 0, **options: Any) -> OneViewStep:
    lifter = LiftModel(1, 12, 0.0, seed=seed, head="ray", slope=0.2, dtype="float64")
    network = Adversaries.of(lifter, UNIT, elevation)
    return OneViewStep(network, Adam(network.parameters()), UNIT, Weights(**options), truth=False)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images, and ways around the people but for the mean elevation."""
    rng = np.random.default_rng(seed)
    ways = np.stack([np.zeros(N), rng.uniform(-3, 3, N), 0.1 * rng.standard_normal(N)], axis=1)
    return UNIT * rng.standard_normal((N, 30)), ways


def losses_of(step: OneViewStep, x: np.ndarray, ways: np.ndarray) -> dict[str, float]:
    step.sums.restore()
    mean = step.pair.angle
    step.gradients(x, ways + np.array([mean, 0, mean]), ways[:, 2])
    return step.sums.read()


@pytest.mark.parametrize("seed", range(3))
def test_the_whole_step_has_the_gradients_of_both_losses(seed: int) -> None:
    """Of the lifter and the elevation those of its loss; of guide and discriminator those of their own."""
    step, (x, ways) = made(seed=seed), drawn(seed)
    flat, parts, rng = step.pair.flat, step.pair.parts, np.random.default_rng(seed)
    assert step.pair.elevation is not None
    step.pair.elevation.data = np.array([0.8])
    losses_of(step, x, ways)
    grad, start = flat.grad.copy(), flat.data.copy()
    own = {"loss": "lifter", "guide": "guide", "discriminator": "discriminator"}
    for name, part in ((name, parts[part]) for name, part in own.items()):
        direction = np.zeros(flat.data.size)
        direction[part] = rng.standard_normal(direction[part].size)
        found = []
        for size in (1e-6, -1e-6):
            flat.data[:] = start + size * direction
            found.append(losses_of(step, x, ways)[name])
        flat.data[:] = start
        numeric = (found[0] - found[1]) / 2e-6
        assert float((grad * direction).sum()) == pytest.approx(numeric, rel=2e-6), name
    elevation = []
    for size in (1e-6, -1e-6):
        step.pair.elevation.data = np.array([0.8 + size])
        elevation.append(losses_of(step, x, ways)["loss"])
    step.pair.elevation.data = np.array([0.8])
    assert grad[0] == pytest.approx((elevation[0] - elevation[1]) / 2e-6, rel=2e-6)


def test_both_passes_of_the_lifter_have_a_part_in_its_gradient() -> None:
    step, (x, ways) = made(0.1), drawn(4)
    losses_of(step, x, ways)
    both, second = step.pair.flat.grad.copy(), step.cycle.again.flat.grad
    lifter = step.pair.parts["lifter"]
    first = both[lifter] - second
    assert min(np.abs(second).max(), np.abs(first).max()) > 1e-3


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_torch_agrees_on_the_losses_of_the_discriminator(weight: float) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the reference of this test")
    from torch_twin import twin

    step, (x, _), rng = made(0.0, adversarial=weight), drawn(1), np.random.default_rng(1)
    judge, ops = step.judge, step.ops
    judge.noise = 0.0
    fake = UNIT * rng.standard_normal((N, 30))
    total, own, right = (ops.zeros((1,), "float64") for _ in range(3))
    dfake = judge(0, x, fake, total, own, right)
    network = twin(step.pair.discriminator)
    at = torch.tensor(fake, requires_grad=True)
    apart = torch.tensor([1.0, -1.0], dtype=torch.float64)
    real, scores = (network(rows) @ apart for rows in (torch.tensor(x), at))
    softplus = torch.nn.functional.softplus
    loss = weight * softplus(-scores).mean()
    (expected,) = torch.autograd.grad(loss, at, retain_graph=True)
    np.testing.assert_allclose(dfake, expected, rtol=1e-9)
    assert total[0] == pytest.approx(loss.item(), rel=1e-12)
    both = (softplus(-real).mean() + softplus(scores).mean()) / 2
    assert own[0] == pytest.approx(both.item(), rel=1e-12)
    both.backward()
    grads = {name: p.grad.numpy() for name, p in network.named_parameters()}
    for name, parameter in step.pair.discriminator.named_parameters():
        np.testing.assert_allclose(parameter.grad, grads[name], rtol=1e-9, atol=1e-14, err_msg=name)
    told = ((real > 0).double().mean() + (scores <= 0).double().mean()) / 2
    assert right[0] == judge.share == pytest.approx(told.item())


def test_a_discriminator_that_is_sure_leaves_finite_gradients() -> None:
    ops = get_ops("cpu", "float32")
    scores = ops.asarray([[-200.0, 200.0], [200.0, -200.0]])
    total, out = ops.zeros((1,), "float64"), ops.empty((2, 3))
    turned_against(ops, scores, ops.ones((2, 3)), 1.0, total, out)
    assert np.isfinite(out).all()
    assert total[0] == pytest.approx(15, rel=1e-6)  # of FARTHEST, over two rows


def test_a_discriminator_that_is_too_good_stands_still() -> None:
    step, (x, ways) = made(0.1), drawn(2)
    parts = step.pair.parts
    for share, moves in ((0.95, False), (0.85, True)):
        before = step.pair.flat.data.copy()
        step.gradients(x, ways, ways[:, 2])
        step.judge.share = share
        step.update()
        moved = step.pair.flat.data != before
        found = {name: moved[part].any() for name, part in parts.items()}
        assert found == {"lifter": True, "guide": True, "discriminator": moves}
    assert step.optimiser.steps == 2


def test_the_way_back_is_the_inverse() -> None:
    """Joints go round and come back; from where the lifter puts them there, so do images."""
    step, (x, ways) = made(0.3), drawn(3)
    cycle, ops = step.cycle, step.ops
    ways = ways + np.array([0.3, 0, 0.3])
    cycle.forward(x, ways)
    back = backwards(ops, ways, ops.empty(ways.shape))
    rotation, translation, found = (ops.empty((N, k)) for k in (9, 3, 45))
    geometry.turn(ops, back, rotation, translation)
    geometry.move(ops, cycle.q, rotation, translation, found)
    np.testing.assert_allclose(found, cycle.p, atol=1e-12)


def test_bones_that_are_alike_cost_nothing() -> None:
    ops = get_ops("cpu", "float64")
    joints = make_poses(1).joint_3d.astype(np.float64)
    both = (joints + mirrored(joints)) / 2  # a pose that is its own mirror image
    for pose, alike in ((both, True), (joints, False)):
        grad, total = ops.zeros((1, 45)), ops.zeros((1,), "float64")
        Symmetry(ops)(ops.asarray(pose.reshape(1, -1)), ops.ones((1, 1)), grad, total)
        assert (total[0] < 1e-12, np.abs(grad).max() < 1e-6) == (alike, alike)
