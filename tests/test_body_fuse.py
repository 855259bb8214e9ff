"""Rays, depths and bones made one pose: gradients, descent, recovery; and a body found from a clip."""

from __future__ import annotations

import numpy as np
import pytest

from minilift.lift.body.fit import FEWEST, fit_body
from minilift.lift.body.fuse import _spread, fuse, spread_without
from minilift.lift.body.residuals import HUBER, Residuals, System
from minilift.lift.body.steady import steady
from minilift.lift.body.tree import PARENTS, Eliminated, bones, to_parents
from minilift.ops.threads import Team
from minilift.poses.body.prior import prior
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize

J = len(COURSE15)


def columns(rows: np.ndarray) -> np.ndarray:
    return np.moveaxis(np.asarray(rows, np.float64), 0, -1)


def clip(n: int = 60, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poses (n, 15, 3) of one body in units of their own, their rays, and the lengths (n, 15)."""
    poses = np.asarray(synthesize(n, seed).joint_3d, np.float64)
    whole = COURSE15.with_root(poses)
    bone = whole[:, :-1] - whole[:, list(PARENTS)]
    lengths = np.linalg.norm(bone, axis=2)
    same = lengths.mean(axis=0)
    bone *= (same / lengths)[..., None]
    joints = np.zeros_like(bone)
    for joint, parent in enumerate(PARENTS):
        joints[:, joint] = bone[:, joint] + (joints[:, parent] if parent >= 0 else 0)
    joints += [0, 0, -1]
    return joints, joints[..., :2] / -joints[..., 2:], np.broadcast_to(same, lengths.shape)


def problem(n: int = 7, seed: int = 0) -> tuple[Residuals, np.ndarray, np.ndarray]:
    """Everything that can be known, at a point that is not the answer; some keypoints lie far off."""
    rng = np.random.default_rng(seed)
    joints, rays, lengths = clip(n)
    image = columns(rays) + rng.normal(0, 0.004, (J, 2, n))
    image[3, :, ::2] += 0.2
    at = columns(joints) + rng.normal(0, 0.01, (J, 3, n))
    given = Residuals(
        image=image, sigma=rng.uniform(0.003, 0.01, (J, n)), depth=rng.normal(0, 0.05, (J, n)),
        depth_spread=rng.uniform(0.01, 0.05, (J, n)), length=columns(lengths) * 1.05,
        length_spread=rng.uniform(0.02, 0.08, (J, n)), scale_spread=np.where(np.arange(n) < 4, 0.1, 0.0),
    )  # fmt: skip
    return given, at, np.where(np.arange(n) < 4, 0.02, 0.0)


def test_the_gradient_is_the_slope_of_the_cost() -> None:
    given, at, scale = problem()
    rng = np.random.default_rng(1)
    system = given.system(at, scale)
    away = np.sqrt(given._image(at)[0])
    assert (away > HUBER).any()
    assert (away < HUBER).any()  # both branches of Huber's function
    direction, grown = (
        rng.standard_normal(at.shape),
        np.where(given.scale_spread > 0, rng.standard_normal(7), 0),
    )
    step = 1e-7
    there, back = (given.cost(at + s * direction, scale + s * grown) for s in (step, -step))
    slope = (system.gradient * direction).sum(axis=(0, 1)) + system.slope * grown
    np.testing.assert_allclose((there - back) / (2 * step), slope, rtol=1e-6)


def dense(system: System) -> np.ndarray:
    """The tree's blocks put into 45 by 45, (n, 45, 45)."""
    dense = np.zeros((system.off.shape[3], 3 * J, 3 * J))
    for j, parent in enumerate(PARENTS):
        dense[:, 3 * j : 3 * j + 3, 3 * j : 3 * j + 3] = np.moveaxis(system.diagonal[j], -1, 0)
        if parent >= 0:
            block = np.moveaxis(system.off[j], -1, 0)
            dense[:, 3 * j : 3 * j + 3, 3 * parent : 3 * parent + 3] = block
            dense[:, 3 * parent : 3 * parent + 3, 3 * j : 3 * j + 3] = block.transpose(0, 2, 1)
    return dense


def test_elimination_is_exact() -> None:
    """Against a dense one, and NumPy's own solver."""
    given, at, scale = problem()
    system = given.system(at, scale)
    n = at.shape[2]
    right = np.random.default_rng(2).standard_normal((J, 3, 2, n))  # two right sides
    taken = Eliminated(system.diagonal, system.off)
    rows = np.moveaxis(right, -1, 0).reshape(n, 3 * J, 2)
    expected = np.linalg.solve(dense(system), rows).reshape(n, J, 3, 2)
    np.testing.assert_allclose(taken.solve(right), np.moveaxis(expected, 0, -1), rtol=1e-8, atol=1e-12)


def test_spreads_are_those_of_the_dense_inverse() -> None:
    """The covariances of the joints, those of the scale integrated out where it is unknown."""
    given, at, scale = problem()
    system, n = given.system(at, scale), at.shape[2]
    inverse = np.linalg.inv(dense(system))
    found = Eliminated(system.diagonal, system.off).covariances()
    for j in range(J):
        block = inverse[:, 3 * j : 3 * j + 3, 3 * j : 3 * j + 3]
        np.testing.assert_allclose(np.moveaxis(found[j], -1, 0), block, rtol=1e-7, atol=1e-14)
    whole = np.zeros((n, 3 * J + 1, 3 * J + 1))
    whole[:, :-1, :-1] = dense(system)
    whole[:, -1, :-1] = whole[:, :-1, -1] = np.moveaxis(system.border, -1, 0).reshape(n, 3 * J)
    whole[:, -1, -1] = system.corner
    free = given.scale_spread > 0
    square = np.where(free[:, None, None], np.linalg.inv(whole)[:, :-1, :-1], inverse)
    rms = np.sqrt(np.diagonal(square, axis1=1, axis2=2).reshape(n, J, 3).sum(axis=2))
    spread = _spread(given, at, scale)
    np.testing.assert_allclose(spread.T, rms, rtol=1e-8)
    fixed = np.sqrt(np.diagonal(inverse, axis1=1, axis2=2).reshape(n, J, 3).sum(axis=2))
    assert (spread.T[free] > 1.001 * fixed[free]).any()  # the scale matters


def test_the_spread_without_bones_is_that_of_bones_of_any_length() -> None:
    joints, rays, lengths = clip(40)
    rays = rays.copy()
    rays[:20, 5] = np.nan
    told = np.full((40, J), 0.02), np.full((40, J), 0.004)
    loose = fuse(rays, joints, told[0], lengths, np.full(J, 1e3), told[1], uncertain=True)
    known = fuse(rays, joints, told[0], lengths, np.full(J, 0.02), told[1], uncertain=True)
    alone = spread_without(rays, *told)
    assert loose.spread is not None
    assert known.spread is not None
    np.testing.assert_allclose(loose.spread, alone, rtol=0.15)  # seen 0.12: some are nearer than the root
    assert known.spread.mean() < 0.8 * alone.mean()
    assert fuse(rays, joints, told[0], lengths, np.full(J, 0.02), told[1]).spread is None


def test_bones_and_their_way_back_belong_together() -> None:
    """sum(bones(x) y) and sum(x bones^T(y)) are one number, but for the root that stands still."""
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, J, 3, 4))
    back = y.copy()
    to_parents(back, y, -1)
    still = (bones(np.zeros_like(x)) * y).sum()
    assert (bones(x) * y).sum() - still == pytest.approx((x * back).sum(), rel=1e-12)


def test_the_number_of_threads_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """In no bit of fused poses, nor of a clip that is steadied."""
    monkeypatch.setattr("minilift.lift.body.fuse.BLOCK", 16)
    monkeypatch.setattr("minilift.lift.body.steady._AT_ONCE", 2)
    joints, rays, lengths = clip(70)
    rng = np.random.default_rng(6)
    net = joints + rng.normal(0, 0.02, joints.shape)
    sigma = rng.uniform(0.002, 0.006, (len(net), J))
    found = []
    for threads in (1, 3):
        for room in ("fuse", "steady"):
            monkeypatch.setattr(f"minilift.lift.body.{room}.team", lambda size=threads: Team(size))
        fitted = fuse(rays, net, np.full(J, 0.03), lengths, np.full(J, 0.02), sigma, 0.03)
        calm = steady(rays, sigma, np.arange(len(rays)))
        found.append([fitted.joint_3d, fitted.scale, calm.values, calm.sigma])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(found[0][0]).all()
    assert (found[0][0] != net).any()
    assert (found[0][2] != rays).any()


def test_true_bones_bring_wrong_depths_back() -> None:
    joints, rays, lengths = clip()
    rng = np.random.default_rng(4)
    net = joints.copy()
    net[..., 2] += rng.normal(0, 0.02, net.shape[:2])
    net[..., :2] = rays * -net[..., 2:]
    found = fuse(rays, net, np.full(J, 0.03), lengths, np.full(J, 0.005))

    def error(poses: np.ndarray) -> float:
        return float(np.linalg.norm(poses - joints, axis=2).mean())

    assert error(found.joint_3d) < 0.85 * error(
        net
    )  # seen 0.75: which way a bone leans stays as the net has it
    # told that the bones may have any length, nothing is moved
    loose = fuse(rays, net, np.full(J, 0.03), lengths, np.full(J, 100.0))
    np.testing.assert_allclose(loose.joint_3d, net, atol=1e-5)


def test_noise_of_the_image_is_not_turned_into_depth() -> None:
    """Rays that are taken for exact are followed; told of their noise, the answer is better."""
    joints, rays, lengths = clip(100)
    rng = np.random.default_rng(5)
    noisy = rays + rng.normal(0, 0.006, rays.shape)
    net = joints.copy()
    net[..., 2] += rng.normal(0, 0.01, net.shape[:2])
    net[..., :2] = noisy * -net[..., 2:]
    depth, spread = np.full(J, 0.015), np.full(J, 0.01)
    told, untold = (fuse(noisy, net, depth, lengths, spread, sigma).joint_3d for sigma in (0.006, 0.0))
    errors = [np.linalg.norm(found - joints, axis=2).mean() for found in (told, untold)]
    assert errors[0] < 0.8 * errors[1]  # seen 0.62


def test_the_scale_of_a_frame_is_found_where_it_may_be() -> None:
    joints, rays, lengths = clip()
    found = fuse(rays, joints, np.full(J, 0.01), lengths * 1.1, np.full(J, 0.01), 0.0, 0.3)
    np.testing.assert_allclose(found.scale, -np.log(1.1), atol=0.02)
    assert fuse(rays, joints, np.full(J, 0.01), lengths, np.full(J, 0.01)).scale.max() == 0


def test_joints_that_were_not_seen_and_rows_that_were_not_lifted() -> None:
    joints, rays, lengths = clip(20)
    rays, net = rays.copy(), joints.copy()
    rays[:, 5] = np.nan
    net[3] = np.nan
    found = fuse(rays, net, np.full(J, 0.03), lengths, np.full(J, 0.02)).joint_3d
    assert np.isnan(found[3]).all()
    others = np.arange(20) != 3
    assert np.linalg.norm(found[others] - joints[others], axis=2).max() < 0.05


def test_a_body_is_found_from_a_clip() -> None:
    """Bones that no prior has: the frames decide. Depths are wrong by an error that shrinks bones."""
    joints, _, lengths = clip(200)
    rng = np.random.default_rng(6)
    distance = rng.uniform(3, 5, 200)
    metres = lengths[0] * 4
    metres[[1, 4]] *= 1.15
    bone = bones(columns(joints))
    bone *= (metres / np.linalg.norm(bone, axis=1).T)[..., None].transpose(1, 2, 0)
    own = np.zeros_like(bone)
    for joint, parent in enumerate(PARENTS):
        own[joint] = bone[joint] + (own[parent] if parent >= 0 else 0)
    own = np.moveaxis(own, -1, 0) / distance[:, None, None] + [0, 0, -1]
    own[..., 2] += rng.normal(0, 0.004, own.shape[:2])
    spread, seen = np.full((200, J), 0.006), np.ones((200, J), bool)
    found = fit_body(own, spread, seen, prior())
    assert found is not None
    off = np.log(found.lengths / metres)
    together = off - off.mean()  # how tall the person is, no frame says
    assert abs(together).max() < 0.08
    assert (abs(together) < 4 * np.hypot(found.spread, 0.02)).all()


ELBOWS = [row for row, name in enumerate(COURSE15.joints) if name.endswith("elbow")]


def habitual(turn: float, noise: float, habit: float) -> tuple[np.ndarray, np.ndarray]:
    """400 frames of a usual person whose bones point anywhere, the elbows' at most `turn` (sine) from the
    line of sight, as a network lifts them that makes elbows' bones longer by exp(habit) along the view; and
    the true lengths."""
    rng = np.random.default_rng(4)
    lengths = prior(1.75).lengths
    sine = np.where(np.isin(np.arange(J), ELBOWS), turn, 1.0) * rng.uniform(0, 1, (400, J)) ** 0.5
    angle, sign = rng.uniform(0, 2 * np.pi, (400, J)), rng.choice([-1, 1], (400, J))
    bone = np.stack([sine * np.cos(angle), sine * np.sin(angle), sign * np.sqrt(1 - sine**2)], axis=2)
    bone *= lengths[:, None] / 4
    wanted = lengths[ELBOWS] / 4 * np.exp(habit)
    across = (bone[:, ELBOWS, :2] ** 2).sum(axis=2)
    along = np.sqrt(np.maximum(wanted**2 - across, 0))
    bone[:, ELBOWS, 2] = np.where(bone[:, ELBOWS, 2] < 0, -along, along)
    joints = np.zeros_like(bone)
    for joint, parent in enumerate(PARENTS):
        joints[:, joint] = bone[:, joint] + (joints[:, parent] if parent >= 0 else 0)
    joints[..., :2] += rng.normal(0, noise, joints[..., :2].shape) if noise else 0
    joints[..., 2] -= 1
    return joints, lengths


def elbows_off(turn: float, noise: float, habit: float, told: float | None = None) -> np.ndarray:
    """Logarithms: by how much the bones to the elbows come out too long."""
    joints, lengths = habitual(turn, noise, habit)
    spread, seen = np.full(joints.shape[:2], 0.01), np.ones(joints.shape[:2], bool)
    found = fit_body(joints, spread, seen, prior(1.75), noise if told is None else told)
    assert found is not None
    return np.asarray(np.log(found.lengths / lengths)[ELBOWS])


@pytest.mark.parametrize("habit", [-0.1, 0.1])
def test_what_is_seen_across_mends_a_habit(habit: float) -> None:
    assert abs(elbows_off(1.0, 0.0, habit)).max() < 0.035  # without: 0.050 and 0.076


def test_noise_makes_no_limb_longer() -> None:
    """0.003 and 0.006 are what is left of 4 and 8 px at f = 1000 in steadied points."""
    for noise in (0.003, 0.006):
        assert abs(elbows_off(1.0, noise, 0.0)).max() < 0.02
    assert elbows_off(1.0, 0.006, 0.0, told=0.0).min() > 0.04
    assert abs(elbows_off(1.0, 0.003, 0.1)).max() < 0.05  # without: 0.075


def test_a_limb_never_across_the_view_is_not_made_short() -> None:
    assert abs(elbows_off(0.6, 0.0, 0.0)).max() < 0.03


def test_too_few_frames_make_no_body() -> None:
    joints, _, _ = clip(FEWEST - 1)
    assert fit_body(joints, np.full(joints.shape[:2], 0.01), np.ones(joints.shape[:2], bool), prior()) is None
