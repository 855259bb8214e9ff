"""The network looked into: the Jacobian by the backward pass, and the depths that could be the other way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minilift import Lifter, LiftModel
from minilift.errors import ArgumentError
from minilift.lift.explain import depths, jacobian, smallest_flips
from minilift.lift.explain.depths import depth_of, odds_of
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize

KINDS: dict[str, dict[str, Any]] = {
    "xyz": {}, "ray": {"head": "ray"}, "place": {"head": "place"},
    "levels": {"head": "place", "levels": True},
    "plain": {"head": "place", "levels": True, "slope": 0.2},
}  # fmt: skip


def model_of(kind: str) -> LiftModel:
    model = LiftModel(2, 24, 0.0, seed=4, dtype="float64", **KINDS[kind])
    people = synthesize(500)
    model.standardise(people.joint_2d, people.joint_3d)
    return model


def poses(kind: str, n: int = 3) -> tuple[np.ndarray, np.ndarray | None]:
    """Points (n, 15, 2) and deviations (n, 15), as that kind takes them."""
    rng, image = np.random.default_rng(6), synthesize(n, 5).joint_2d.astype(np.float64)
    if KINDS[kind].get("head") == "place":
        image[1, 4] = np.nan
    return image, rng.uniform(0, 0.02, (n, 15)) if KINDS[kind].get("levels") else None


def answer(model: LiftModel, image: np.ndarray, sigma: np.ndarray | None) -> np.ndarray:
    rows = image.reshape(len(image), -1)
    x = rows if sigma is None else np.concatenate([rows, sigma], axis=1)
    return np.array(model.forward(x)).reshape(len(image), -1, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_jacobian_is_the_derivative(kind: str) -> None:
    model, (image, sigma) = model_of(kind), poses(kind)
    found, step = jacobian(model, image, sigma), 1e-6
    assert found.shape == (3, 15, 3, 15, 2)
    for joint in range(15):
        for axis in range(2):
            there, back = image.copy(), image.copy()
            there[:, joint, axis] += step
            back[:, joint, axis] -= step
            numeric = (answer(model, there, sigma) - answer(model, back, sigma)) / (2 * step)
            np.testing.assert_allclose(found[..., joint, axis], numeric, atol=1e-6)  # 4e-9


def test_a_missing_joint_moves_nothing_and_one_pose_needs_no_first_dimension() -> None:
    model, (image, sigma) = model_of("levels"), poses("levels")
    assert sigma is not None
    found = jacobian(model, image, sigma)
    assert np.abs(found[1, :, :, 4]).max() == 0
    assert np.abs(found[0, :, :, 4]).max() > 0
    np.testing.assert_array_equal(jacobian(model, image[1], sigma[1]), found[1])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError, match="joint_2d"):
        jacobian(model_of("xyz"), np.zeros((2, 14, 2)))
    with pytest.raises(ArgumentError, match="sigma"):
        jacobian(model_of("xyz"), np.zeros((2, 15, 2)), 0.01)


def test_the_depth_of_a_bone_and_its_slope() -> None:
    model, (image, _) = model_of("ray"), poses("ray")
    found, joints = depths(model, image), answer(model, image, None)
    for bone, parent in enumerate(COURSE15.parents):
        behind = joints[:, parent, 2] if parent >= 0 else -1.0
        np.testing.assert_allclose(found.depth[:, bone], joints[:, bone, 2] - behind)
    step, bone = 1e-6, COURSE15.index("left_wrist")
    by_points = np.zeros((15, 2))
    for joint in range(15):
        for axis in range(2):
            there, back = image[:1].copy(), image[:1].copy()
            there[0, joint, axis] += step
            back[0, joint, axis] -= step
            change = depth_of(answer(model, there, None)) - depth_of(answer(model, back, None))
            by_points[joint, axis] = change[0, bone] / (2 * step)
    assert found.slope[0, bone] == pytest.approx(np.linalg.norm(by_points), rel=1e-6)
    np.testing.assert_allclose(found.flip, np.abs(found.depth) / found.slope)
    assert np.isnan(found.odds).all()


def test_the_deviation_of_a_depth_under_noise_is_its_slope_times_that_of_the_noise() -> None:
    model, (image, _) = model_of("xyz"), poses("xyz")
    noise, rng = 1e-5, np.random.default_rng(0)
    many = image[:1] + noise * rng.standard_normal((4000, 15, 2))
    seen = depth_of(answer(model, many, None)).std(axis=0)
    np.testing.assert_allclose(seen, depths(model, image[:1]).slope[0] * noise, rtol=0.06)


def test_odds_of_the_other_sign_are_those_of_normal_errors() -> None:
    rng, n = np.random.default_rng(1), 200_000
    expected, truth = np.zeros((1, 15)), 0.02
    elbow, shoulder = COURSE15.index("left_elbow"), COURSE15.index("left_shoulder")
    expected[0, [elbow, shoulder]] = 0.03, 0.01
    off = rng.standard_normal((2, n)) * np.array([[0.03], [0.01]]) * np.sqrt(np.pi / 2)
    assert np.abs(off[0]).mean() == pytest.approx(0.03, rel=0.01)
    depth = np.full((1, 15), truth)
    found = odds_of(depth, expected)[0]
    assert found[elbow] == pytest.approx((truth + off[0] - off[1] < 0).mean(), abs=0.005)
    assert found[COURSE15.index("left_hip")] == 0


def test_the_smallest_flips_turn_the_sign_and_little_less_does_not() -> None:
    lifter = Lifter.load()
    image = synthesize(1, 99).joint_2d[0]
    found = smallest_flips(lifter.model, image)
    depth = depth_of(lifter.predict(image[None]))[0]
    there = ~np.isnan(found).any(axis=(1, 2))
    assert there.sum() >= 12
    linear = depths(lifter.model, image[None]).flip[0]
    for bone in np.flatnonzero(there):
        turned = depth_of(lifter.predict((image + 1.002 * found[bone])[None]))[0, bone]
        assert turned * depth[bone] < 0
        kept = depth_of(lifter.predict((image + 0.99 * found[bone])[None]))[0, bone]
        assert kept * depth[bone] > 0
        size = np.linalg.norm(found[bone])
        if linear[bone] < 0.01:  # nearby the network is nearly linear
            assert size == pytest.approx(linear[bone], rel=0.4)
