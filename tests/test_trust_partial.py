"""How far to trust poses with joints that were not seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minilift import Adam, Lifter, LiftModel
from minilift.evaluation.uncertainty import auroc
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.run_epoch import run_epoch
from minilift.lift.trust import TrustModel
from minilift.lift.trust.fit import fit_trust
from minilift.poses.metrics import joint_errors
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses


def hidden(image: np.ndarray, seed: int = 0) -> np.ndarray:
    image = np.array(image)
    image[np.random.default_rng(seed).random(image.shape[:2]) < 0.15] = np.nan
    return image


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    people = synthesize(6000, seed=3)
    data = Poses(people.joint_2d, people.joint_3d)
    train, held_out = data.take(slice(4000)), data.take(slice(4000, 6000))
    model = LiftModel(1, 64, 0.0, head="place", seed=1)
    model.standardise(train.joint_2d, train.joint_3d)
    adam = Adam(model.parameters(), lr=3e-3)
    for epoch in range(5):
        run_epoch(
            epoch, train, model, adam, batch_size=128, progress=False,
            augmentation=Augmentation(joint_dropout=0.1, part_dropout=0.3),
        )  # fmt: skip
    found = Lifter(model)
    found.trust_model = fit_trust(found, train, held_out)
    return found


@pytest.fixture(scope="module")
def new() -> Poses:
    people = synthesize(2000, seed=11)
    return Poses(people.joint_2d, people.joint_3d)


def test_an_interval_holds_as_many_errors_as_it_says(lifter: Lifter, new: Poses) -> None:
    image = hidden(np.asarray(new.joint_2d))
    lacking = np.isnan(image[..., 0]).any(axis=1)
    image, truth = image[lacking], np.asarray(new.joint_3d)[lacking]
    seen, joint_3d = ~np.isnan(image[..., 0]), lifter.predict(image)
    trust, errors = lifter.trust(image, joint_3d), joint_errors(joint_3d, truth)
    assert all(np.isfinite(field).all() for field in trust)
    inside = (trust.low <= errors) & (errors <= trust.high)
    for which, least, rel in ((seen, 0.86, 0.05), (~seen, 0.83, 0.12)):
        assert least < inside[which].mean() < 0.93
        assert trust.expected_error[which].mean() == pytest.approx(errors[which].mean(), rel=rel)
    assert trust.expected_error[~seen].mean() > 1.5 * trust.expected_error[seen].mean()
    assert trust.unlike.mean() < 0.02


def test_poses_that_are_whole_are_judged_as_ever(lifter: Lifter, new: Poses) -> None:
    image = np.asarray(new.joint_2d)[:200]
    mixed = np.concatenate([image, hidden(image)])
    whole = ~np.isnan(mixed).any(axis=(1, 2))
    for found, expected in zip(lifter.trust(mixed), lifter.trust(mixed[whole]), strict=True):
        np.testing.assert_allclose(found[whole], expected, rtol=1e-5)


def test_a_pose_without_any_joint_is_unlike(lifter: Lifter) -> None:
    trust = lifter.trust(np.full((2, 15, 2), np.nan))
    assert trust.unlike.all()
    assert np.isinf(trust.distance).all()


def test_what_is_seen_out_of_place_is_unlike_even_where_others_are_missing(
    lifter: Lifter, new: Poses
) -> None:
    image = hidden(np.asarray(new.joint_2d))
    upside_down = lifter.trust(image * np.array([1, -1], np.float32))
    usual = lifter.trust(image)
    assert auroc(usual.distance, upside_down.distance) > 0.88
    assert upside_down.unlike.mean() > 20 * usual.unlike.mean()
    assert upside_down.expected_error.mean() > 3.5 * usual.expected_error.mean()


def test_it_comes_back_from_its_file(lifter: Lifter, new: Poses, tmp_path: Path) -> None:
    image = hidden(np.asarray(new.joint_2d))[:50]
    lifter.trust_model.save(tmp_path / "t.npz")
    found, joint_3d = TrustModel.load(tmp_path / "t.npz"), lifter.predict(image)
    for a, b in zip(found.judge(image, joint_3d), lifter.trust(image), strict=True):
        np.testing.assert_array_equal(a, b)
