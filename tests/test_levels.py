"""How far off the image points are, told to the network: what it takes, its files, and its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minilift import Adam, Lifter, LiftModel
from minilift.errors import ArgumentError
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.rays.operations import LEVEL
from minilift.lift.run_epoch import run_epoch
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses

N = 40


def lived() -> LiftModel:
    """A model with levels in the units of data, whose norms have seen some."""
    people = synthesize(300, seed=5)
    model = LiftModel(1, 64, 0.0, head="place", levels=True, seed=1)
    model.standardise(people.joint_2d, people.joint_3d)
    model.forward(people.joint_2d.reshape(300, 30), train=True)
    return model


def seen(n: int = N, missing: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 15, 2), some of which are missing, and a sigma for each, some of which are 0."""
    rng = np.random.default_rng(0)
    image = np.array(synthesize(n, seed=6).joint_2d)
    image[rng.random((n, 15)) < missing] = np.nan
    return image, rng.choice([0, 0.002, 0.03], (n, 15)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 15, N, 1000])
def test_the_fast_prediction_is_that_of_the_layers(n: int) -> None:
    model, (image, sigma) = lived(), seen(n)
    rows = np.concatenate([image.reshape(n, 30), sigma], axis=1)
    layered = model.forward(rows).reshape(n, 15, 3)
    np.testing.assert_allclose(Lifter(model).predict(image, sigma), layered, atol=5e-6)


def test_weights_come_back_from_a_file(tmp_path: Path) -> None:
    model, (image, sigma) = lived(), seen()
    Lifter(model).save(tmp_path / "w")
    lifter = Lifter.load(tmp_path / "w")
    assert (lifter.takes_noise, lifter.takes_missing, lifter.model.input_nodes) == (True, True, 30)
    assert lifter.model.state_dict()["hidden1.weight"].shape == (64, 61)
    np.testing.assert_allclose(lifter.predict(image, sigma), Lifter(model).predict(image, sigma), atol=2e-5)
    plain = Lifter(LiftModel(1, 8, head="place"))
    assert (plain.takes_noise, plain.takes_missing) == (False, True)


def test_a_joint_lies_between_its_ray_and_the_network_s() -> None:
    """On its ray where it is exact, and the further from it the worse it is known."""
    lifter, (image, _) = Lifter(lived()), seen(missing=0.0)

    def off(sigma: float) -> np.ndarray:
        joints = lifter.predict(image, sigma)
        return np.linalg.norm(joints[..., :2] / -joints[..., 2:] - image, axis=2)

    assert off(0).max() < 2e-6
    np.testing.assert_array_equal(lifter.predict(image, 0), lifter.predict(image))
    means = [off(sigma).mean() for sigma in (0.0004, LEVEL, 0.04)]
    assert 1e-6 < 2 * means[0] < means[1] < means[2]
    np.testing.assert_array_equal(lifter.predict(image, np.inf), lifter.predict(image, 100.0))


def test_every_shape_of_sigma() -> None:
    lifter, (image, sigma) = Lifter(lived()), seen()
    same = lifter.predict(image, np.full((N, 15), 0.01))
    for other in (0.01, np.full(N, 0.01), np.float64(0.01)):
        np.testing.assert_array_equal(lifter.predict(image, other), same)
    np.testing.assert_allclose(lifter.predict(image[3], sigma[3]), lifter.predict(image, sigma)[3], atol=2e-6)
    alone = lifter.predict(image[:1], sigma[:1])
    sigma[np.isnan(image[..., 0])] = np.nan  # of what was not seen nothing need be said
    np.testing.assert_allclose(lifter.predict(image[:1], sigma[:1]), alone, atol=1e-7)
    assert lifter.predict(image[:0], sigma[:0]).shape == (0, 15, 3)


def test_mirrored_and_averaged() -> None:
    lifter, (image, sigma) = Lifter(lived()), seen()
    mirror = COURSE15.mirror
    other = lifter.predict(image[:, mirror] * np.array([-1, 1], np.float32), sigma[:, mirror])
    mirrored = other[:, mirror] * np.array([-1, 1, 1], np.float32)
    found = lifter.predict(image, sigma, flip=True)
    np.testing.assert_allclose(found, (lifter.predict(image, sigma) + mirrored) / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("sigma", "problem"),
    [
        (-0.1, r"sigma=-0.1.*: no standard deviation of a joint that was seen; give at least 0"),
        (np.nan, "sigma=nan: no standard deviation"),
        (np.zeros((N, 2)), r"sigma=40 2: not a number or of shape"),
        (np.zeros(15), r"sigma=15: not a number"),
    ],
)
def test_what_is_no_sigma_is_refused(sigma: object, problem: str) -> None:
    with pytest.raises(ArgumentError, match=problem):
        Lifter(lived()).predict(seen()[0], sigma)


def test_weights_without_levels_refuse_it() -> None:
    for head in ("xyz", "ray", "place"):
        with pytest.raises(ArgumentError, match=r"sigma.*these weights take no noise levels"):
            Lifter(LiftModel(1, 8, head=head)).predict(seen(missing=0.0)[0], 0.01)
    with pytest.raises(ValueError, match="levels=True needs head 'place', got 'ray'"):
        LiftModel(1, 8, head="ray", levels=True)
    with pytest.raises(ValueError, match="expected input of shape"):
        LiftModel(1, 8, head="place").forward(np.zeros((2, 45)))
    with pytest.raises(ValueError, match="Sized: 15 joints and input of shape"):
        LiftModel(1, 8, head="place", levels=True).forward(np.zeros((2, 60)))


def test_training_learns_to_doubt() -> None:
    """Told how noisy the points are, the network is better than one trained with that very noise."""
    test = synthesize(1000, seed=9)
    noise = 0.02 * np.random.default_rng(0).standard_normal(test.joint_2d.shape).astype(np.float32)
    errors = {}
    for name, levels, settings in (("told", True, {"noise_to": 0.03}), ("one", False, {"noise": 0.02})):
        people = synthesize(4000, seed=5)
        model = LiftModel(1, 64, 0.0, head="place", levels=levels, seed=1)
        model.standardise(people.joint_2d, people.joint_3d)
        adam, data = Adam(model.parameters(), lr=3e-3), Poses(people.joint_2d, people.joint_3d)
        changes = Augmentation(**settings)
        for epoch in range(8):
            run_epoch(epoch, data, model, adam, batch_size=128, progress=False, augmentation=changes)
        for sigma in (None, 0.02) if levels else (None,):
            found = Lifter(model).predict(test.joint_2d + noise, sigma)
            errors[name, sigma] = np.linalg.norm(found - test.joint_3d, axis=2).mean()
    assert errors["told", 0.02] < 0.96 * errors["one", None]  # measured: 0.93
    assert errors["told", 0.02] < 0.96 * errors["told", None]
