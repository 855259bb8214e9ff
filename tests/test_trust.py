"""When to trust a lifter: distances, expected errors, their calibration, and the files and commands."""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import Adam, InputError, Lifter, LiftModel, Poses, load_poses, run_epoch
from minilift.cli.eval import main as evaluate
from minilift.cli.train import main as train
from minilift.cli.trust import main as learn
from minilift.errors import ArgumentError
from minilift.evaluation import calibration
from minilift.evaluation.calibration import Calibration
from minilift.evaluation.uncertainty import auroc, ranks, spearman
from minilift.files.npz import read_npz, write_npz
from minilift.lift.trust import BodyErrors, Trust, TrustModel, fingerprint, trust_path
from minilift.lift.trust import fit as fit_module
from minilift.lift.trust import learn as learn_module
from minilift.lift.trust.expected import FEATURES, LEVELS, ExpectedError, Seen, intervals, standardised
from minilift.lift.trust.familiarity import Familiarity, Ranks
from minilift.lift.trust.fit import _folds, fit_trust
from minilift.lift.trust.learn import Lifted, calibrated, joined, learned
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15, JOINTS
from minilift.poses.metrics import joint_errors
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import save_poses
from minilift.train.batches import hold_out
from minilift.train.trainer import Trainer

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
MISTAKES = {  # at least: AUROC of distances, of percentiles, the share unlike, times the expected error
    "swapped": (0.62, 0.68, 0.0, 1.2),
    "upside down": (0.91, 0.96, 0.1, 5),
    "pixels": (0.99, 0.99, 0.99, 100),
    "not centred": (0.99, 0.99, 0.99, 4),
    "joint moved": (0.96, 0.85, 0.04, 1.8),
    "noise": (0.95, 0.85, 0.04, 1.7),
}


def people(n: int, seed: int = 0, start: int = 0) -> Poses:
    made = synthesize(n, seed, start=start)
    return Poses(made.joint_2d, made.joint_3d, made.scale)


def mistaken(image: np.ndarray, mistake: str) -> np.ndarray:
    """What users get wrong."""
    points = image.copy()
    if mistake == "swapped":
        return points[:, COURSE15.mirror]
    if mistake == "upside down":
        points[..., 1] *= -1
    elif mistake == "pixels":
        points = points * [1000, -1000] + [960, 540]
    elif mistake == "not centred":
        points += [0.1, 0.05]
    elif mistake == "joint moved":
        points[:, JOINTS.index("left_wrist")] += 0.2
    else:
        points += 0.01 * np.random.default_rng(0).standard_normal(points.shape)
    return points.astype(np.float32)


def seen_as(features: np.ndarray, distance: np.ndarray) -> Seen:
    """Whole poses of mean bones of 1."""
    return Seen(features, distance, np.ones((len(features), 15), bool), np.ones(len(features)))


def trained(data: Poses, head: str = "xyz", device: str = "cpu", epochs: int = 6) -> LiftModel:
    model = LiftModel(1, 64, dropout=0.0, head=head, device=device)
    model.standardise(data.joint_2d, data.joint_3d)
    optimiser = Adam(model.parameters(), lr=3e-3)
    for epoch in range(epochs):
        run_epoch(epoch, data, model, optimiser, batch_size=128, progress=False)
    return model


@pytest.fixture(scope="module")
def data() -> tuple[Poses, Poses, Poses]:
    """People to train on, people held out, and people for the tests."""
    return people(8192), people(2000, start=8192), people(2000, start=12288)


@pytest.fixture(scope="module", params=["xyz", "ray"])
def lifter(request: Any, data: tuple[Poses, Poses, Poses], tmp_path_factory: Any) -> Lifter:
    """A lifter with its trust, both from files."""
    path = tmp_path_factory.mktemp(request.param) / "liftModel"
    Lifter(trained(data[0], request.param)).save(path)
    fit_trust(Lifter.load(path), data[0], data[1]).save(trust_path(path))
    return Lifter.load(path)


# ---- ranks -----------------------------------------------------------------------------------------
def test_auroc_is_the_share_of_pairs() -> None:
    rng = np.random.default_rng(0)
    few, many = rng.integers(9, size=40), 2 + rng.integers(9, size=60)  # with many ties
    pairs = (many[:, None] > few).mean() + 0.5 * (many[:, None] == few).mean()
    assert auroc(few, many) == pytest.approx(pairs, abs=1e-12)
    assert auroc(many, few) == pytest.approx(1 - pairs, abs=1e-12)
    assert auroc([1, 2], [3, np.inf]) == 1
    assert auroc([1, 1], [1]) == 0.5
    with pytest.raises(ValueError, match="one value for each"):
        auroc([], [1])


def test_spearman_is_pearson_of_ranks() -> None:
    assert ranks([30, 10, 20, 10]).tolist() == [4, 1.5, 3, 1.5]
    rng = np.random.default_rng(1)
    a = rng.standard_normal(50)
    b = a + rng.standard_normal(50)
    n, apart = 50, np.argsort(np.argsort(a)) - np.argsort(np.argsort(b))
    textbook = 1 - 6 * (apart**2).sum() / (n * (n**2 - 1))  # without ties
    assert spearman(a, b) == pytest.approx(textbook, abs=1e-12)
    assert spearman(a, np.exp(a)) == pytest.approx(1)
    assert spearman(a, np.zeros(50)) == 0


# ---- the distance ----------------------------------------------------------------------------------
def test_the_distance_is_what_it_says(data: tuple[Poses, Poses, Poses]) -> None:
    image, joint_3d = (np.asarray(points)[:600] for points in (data[0].joint_2d, data[0].joint_3d))
    found = Familiarity.fit(image, joint_3d)
    found = found.scaled(found.measure(image[:300] + 0.01, joint_3d[:300]).parts)
    other, lifted = image[300:320] * 1.1, joint_3d[300:320] * [1, 1.05, 1]
    measured = found.measure(other, lifted)

    flat = image.reshape(600, 30).astype(np.float64)
    covariance = np.cov(flat.T, ddof=0) + 1e-6 * np.eye(30)
    apart = other.reshape(20, 1, 30) - flat
    nearest = np.sqrt(np.einsum("nmi,ij,nmj->nm", apart, np.linalg.inv(covariance), apart)).min(axis=1)
    np.testing.assert_allclose(measured.parts[:, 0], nearest, rtol=2e-3)  # float16: measured 3e-4
    bones = np.log(COURSE15.bone_lengths(joint_3d))
    off = np.log(COURSE15.bone_lengths(lifted)) - bones.mean(axis=0)
    inverse = np.linalg.inv(np.cov(bones.T, ddof=0) + 9e-6 * np.eye(15))
    mahalanobis = np.sqrt(np.einsum("ni,ij,nj->n", off, inverse, off))
    np.testing.assert_allclose(measured.parts[:, 1], mahalanobis, rtol=1e-6)
    assert np.median(found.measure(image[:300] + 0.01, joint_3d[:300]).parts / found.typical, axis=0) == (
        pytest.approx([1, 1])
    )
    together = np.sqrt(((measured.parts / found.typical) ** 2).mean(axis=1))
    np.testing.assert_allclose(measured.distance, together)


def test_one_in_a_hundred_ordinary_poses_is_unlike() -> None:
    rng = np.random.default_rng(0)
    for n in (99, 100, 999, 1500):
        usual = np.sort(rng.random(n)).astype(np.float32)
        familiar = Ranks(usual, usual)
        score, near = usual.astype(np.float64), np.zeros(n)
        percentile = familiar.percentile(score, near)
        np.testing.assert_allclose(percentile, 100 * np.arange(n) / (n + 1))
        beyond = np.array([2.0, np.inf])
        for place in ((beyond, near[:2]), (near[:2], beyond)):
            expected = n if n > 199 or place[0] is beyond else 0
            assert familiar.percentile(*place) == pytest.approx(100 * expected / (n + 1))
        # above a limit if and only if the conformal p-value is at most half of 1 per cent
        p = 1 - familiar.percentile(np.append(score, 2), np.zeros(n + 1)) / 100
        for place in ((np.append(score, 2), np.zeros(n + 1)), (np.zeros(n + 1), np.append(score, 2))):
            assert (familiar.unlike(*place) == (p <= 0.005 + 1e-9)).all()
    spread = np.linspace(0, 1, 10000)
    thin = Ranks.of(rng.permutation(spread), rng.permutation(spread))
    assert len(thin.scores) == 4096
    assert thin.unlike(spread, 0 * spread).mean() == pytest.approx(0.005, abs=5e-4)


# ---- expected errors -------------------------------------------------------------------------------
def test_the_network_learns_means_of_powers() -> None:
    """Errors about their mean as an exponential is: (E e^p)^(1/p) = Gamma(1 + p)^(1/p) E e."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12000, FEATURES)).astype(np.float32)
    scale = 0.01 * np.exp(0.8 * x[:, :1] - 0.5 * np.abs(x[:, 1:2]) + np.linspace(0, 1, 15))
    found = learned(Lifted(seen_as(x, np.ones(12000)), scale * rng.exponential(size=(12000, 15))), seed=0)
    raw = found.raw(x, np.ones(12000))
    share = math.gamma(1 + learn_module.POWER) ** (1 / learn_module.POWER)
    assert spearman(raw.ravel(), scale.ravel()) > 0.97
    for part in np.array_split(np.argsort(scale[:, 0]), 5):
        assert raw[part].mean() / scale[part].mean() == pytest.approx(share, abs=0.08)


def test_the_expected_error_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in ((7, FEATURES), 7, (30, 7), 30)]
    arrays[2:] = [0.1 * array for array in arrays[2:]]
    ends = rng.uniform(0, 3, (6, 2 * len(LEVELS), 30))
    factor = np.arange(1.0, 181).reshape(6, 30)
    bounds = np.full(30, 2.0), np.array([4.0])
    mean, std = np.zeros(FEATURES), np.full(FEATURES, 2.0)
    edges = np.array([[0.0, 0.8], [0.0, 1.0], [0.0, 1.2]])
    errors = ExpectedError(mean, std, *arrays, *bounds, edges, factor, ends)
    x = rng.standard_normal((60, FEATURES))
    x[0] *= 100  # beyond what the network was taught
    seen, size = rng.random((60, 15)) < 0.7, rng.uniform(0.5, 2, 60)
    x[:, -15:] = np.where(seen, np.repeat([1, 0.8, 0.2], 20)[:, None], 0)
    distance = np.array([8.0, 0.5, 1.0, 1.5] * 15)
    found = errors(Seen(x, distance, seen, size))
    low, high = errors.interval(found, seen, 0.8)
    at = 2 * LEVELS.index(0.8)
    for i in range(60):
        hidden = np.maximum(arrays[0] @ np.clip(x[i] / 2, -8, 8) + arrays[1], 0)
        raw = np.minimum(np.exp(arrays[2] @ hidden + arrays[3]), 2) * max(distance[i] / 4, 1)
        columns = np.arange(15) + np.where(seen[i], 0, 15)
        score = raw[columns][seen[i]].mean() / size[i]
        b = 2 * (i // 20) + int((score > edges[i // 20]).sum()) - 1
        assert found.bin[i] == b
        wanted = factor[b, columns] * raw[columns]
        np.testing.assert_allclose(found.error[i], wanted, rtol=1e-5)
        assert found.score[i] == pytest.approx(wanted[seen[i]].mean() / size[i], rel=1e-5)
        np.testing.assert_allclose(low[i], ends[b, at, columns] * wanted, rtol=1e-5)
        np.testing.assert_allclose(high[i], ends[b, at + 1, columns] * wanted, rtol=1e-5)
    assert set(found.bin.tolist()) == set(range(6))
    assert (standardised(x, mean, std)[0] ** 2 <= 64).all()


def test_the_interval_is_the_split_conformal_one() -> None:
    """With n values so far, the next one lies beyond either end with a probability of at most 5 per cent."""
    for n in (40, 99, 100, 1999):
        values = np.random.default_rng(n).permutation(np.arange(1.0, n + 1))[:, None]
        for tail in (1.0, 0.6):
            low, high = intervals(values, [0.9], tail)
            below, above = low[0], n + 1 - high[0]  # of the n + 1 places that the next one may take
            assert max(math.floor(0.05 * tail * (n + 1)), 1) == below == above
    assert intervals(np.ones((3, 2)), [0.9])[0].tolist() == [1, 1]


def test_bins_are_calibrated_each_for_itself() -> None:
    rng, one = np.random.default_rng(0), np.ones((1, 15))
    network = (np.zeros((7, FEATURES)), np.zeros(7), np.zeros((15, 7)), np.zeros(15))
    blank = ExpectedError(
        np.zeros(FEATURES), np.ones(FEATURES), *network, np.ones(15), np.full(1, 9.0), np.zeros((3, 1)), one,
        np.ones((1, 2 * len(LEVELS), 15)),
    )  # fmt: skip
    n, usual = 3000, np.arange(3000) < 450
    raw = np.where(usual, 1, 5)[:, None] * rng.random((n, 1)) * np.ones(15)
    errors = rng.exponential(size=(n, 15)) * np.linspace(1, 2, 15) * (0.1 + raw)
    poses = Lifted(seen_as(np.ones((n, FEATURES)), np.ones(n)), errors)
    found = calibrated(blank, raw, poses, usual)
    score = poses.seen_as.score(raw)
    limit = np.quantile(score[usual], 0.99)
    assert found.edges.shape == (3, 4 + 1)
    np.testing.assert_array_equal(found.edges[1:], found.edges[[0, 0]])  # there are exact points only
    assert found.edges[0, 0] == 0
    assert found.edges[0, 4] == pytest.approx(limit)
    assert (np.diff(found.edges) > 0).all()
    level = np.zeros(n, int)
    assert (found.bin(score, level + 2) == found.bin(score, level) + 10).all()
    sizes = []
    for b in range(5):
        rows = (found.bin(score, level) == b) & (usual | (b >= 4))
        expected = found.judged(poses.take(rows).seen_as, raw[rows])
        true, n = errors[rows], int(rows.sum())
        np.testing.assert_allclose(expected.error.mean(axis=0), true.mean(axis=0), rtol=1e-6)
        for share in (0.5, 0.9):
            low, high = found.interval(expected, np.ones((n, 15), bool), share)
            inside = ((low * (1 - 1e-9) <= true) & (true <= high * (1 + 1e-9))).sum(axis=0)
            assert set(inside.tolist()) == {n + 2 - 2 * math.floor((1 - share) / 2 * (n + 1) + 1e-9)}
        sizes.append(n)
    assert max(sizes[:4]) - min(sizes[:4]) <= 1


def test_what_the_network_sees(lifter: Lifter, data: tuple[Poses, Poses, Poses]) -> None:
    image = np.asarray(data[2].joint_2d)[:5].copy()
    lifted = lifter.predict(image)
    familiarity = lifter.trust_model.familiarity
    measured = familiarity.measure(image, lifted)
    sigma = np.full((5, 15), 0.004)
    found = Seen.of(familiarity, image, lifted, sigma).features
    assert found.shape == (5, FEATURES)
    size = COURSE15.bone_lengths(lifted).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found[:, :30], image.reshape(5, 30) / size, rtol=1e-5)
    np.testing.assert_allclose(found[:, 30:45], (lifted[..., 2] + 1) / size, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.exp(found[:, 45:46]), size, rtol=1e-5)
    np.testing.assert_allclose(np.exp(found[:, 46:48]), measured.parts, rtol=1e-5)
    np.testing.assert_allclose(np.sinh(found[:, 48:63]), measured.bones, rtol=1e-3, atol=1e-4)
    exact = 0.1 * size / (0.1 * size + 0.004)
    np.testing.assert_allclose(found[:, 63:], np.tile(exact, 15), rtol=1e-5)
    image[2, 3] = np.nan
    lacking = Seen.of(familiarity, image, lifted, None)
    assert lacking.features[2, 63:].tolist() == [1] * 3 + [0] + [1] * 11
    where = lifted[2, 3, :2] / -lifted[2, 3, 2] / size[2]
    np.testing.assert_allclose(lacking.features[2, 6:8], where, rtol=1e-5)
    np.testing.assert_allclose(lacking.size, COURSE15.bone_lengths(lifted).mean(axis=1))
    assert lacking.own(np.arange(30) * np.ones((5, 1)))[2].tolist() == [0, 1, 2, 18, *range(4, 15)]
    assert lacking.score(np.ones((5, 15))) == pytest.approx(1 / lacking.size)


# ---- as a whole ------------------------------------------------------------------------------------
def test_errors_are_expected_where_they_come(lifter: Lifter, data: tuple[Poses, Poses, Poses]) -> None:
    """On people that neither the lifter nor its trust has seen."""
    poses = data[2]
    found = lifter.trust(poses.joint_2d)
    errors = joint_errors(lifter.predict(poses.joint_2d), np.asarray(poses.joint_3d))
    inside = (found.low <= errors) & (errors <= found.high)
    assert inside.mean() == pytest.approx(0.9, abs=0.03)  # measured 0.89 to 0.90
    assert (np.abs(inside.mean(axis=0) - 0.9) < 0.06).all()
    assert found.expected_error.mean() == pytest.approx(errors.mean(), rel=0.05)
    assert spearman(found.expected_error.ravel(), errors.ravel()) > 0.6
    assert 0.001 < found.unlike.mean() < 0.015
    assert 30 < np.median(found.percentile) < 45  # they are among the easier of usual poses


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_noticed(mistake: str, lifter: Lifter, data: tuple[Poses, Poses, Poses]) -> None:
    image = np.asarray(data[2].joint_2d)
    usual, wrong = lifter.trust(image), lifter.trust(mistaken(image, mistake))
    distance, percentile, unlike, times = MISTAKES[mistake]
    assert auroc(usual.distance, wrong.distance) > distance
    assert auroc(usual.percentile, wrong.percentile) > percentile
    assert wrong.unlike.mean() >= unlike
    assert np.isfinite(wrong.expected_error).all()
    assert wrong.expected_error.mean() > times * usual.expected_error.mean()


def test_other_bodies_and_more_noise_are_further_away(
    lifter: Lifter, data: tuple[Poses, Poses, Poses]
) -> None:
    image, rng = np.asarray(data[2].joint_2d), np.random.default_rng(3)
    noise = rng.standard_normal(image.shape).astype(np.float32)
    found = [lifter.trust(image + level * noise) for level in (0, 0.003, 0.01, 0.03, 1, 100)]
    for before, after in itertools.pairwise(found):
        assert np.median(after.distance) > 1.2 * np.median(before.distance)  # also beyond the last percentile
        assert after.expected_error.mean() > before.expected_error.mean()


def test_fitting_is_deterministic_and_files_lose_nothing(
    lifter: Lifter, data: tuple[Poses, Poses, Poses], tmp_path: Path
) -> None:
    first, second = (fit_trust(lifter, *data[:2]) for _ in range(2))
    first.save(tmp_path / "a.npz")
    second.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "a.npz").stat().st_size < 400_000
    image = np.asarray(data[2].joint_2d)
    lifted = lifter.predict(image)
    for before, after in zip(first.judge(image, lifted), lifter.trust(image), strict=True):
        np.testing.assert_array_equal(before, after)  # the lifter's trust is from a file
    third = fit_trust(lifter, *data[:2], seed=1)
    assert not np.array_equal(third.errors.weight_1, first.errors.weight_1)


def test_mapped_poses_give_the_same(lifter: Lifter, data: tuple[Poses, Poses, Poses], tmp_path: Path) -> None:
    parts = []
    for number, poses in enumerate(data[:2]):
        save_poses(tmp_path / f"{number}.npz", poses)
        parts.append(load_poses(tmp_path / f"{number}.npz", mapped=True))
    assert parts[0].mapped
    mapped, read = fit_trust(lifter, *parts), lifter.trust_model
    np.testing.assert_array_equal(mapped.errors.weight_2, read.errors.weight_2)
    np.testing.assert_array_equal(mapped.ranks.scores, read.ranks.scores)


def test_what_trust_cannot_be_learned_from(lifter: Lifter, data: tuple[Poses, Poses, Poses]) -> None:
    with pytest.raises(InputError, match=r"199 poses held out: too few.*200 are needed"):
        fit_trust(lifter, data[0], data[1].take(slice(199)))
    with pytest.raises(InputError, match="no joint_3d"):
        fit_trust(lifter, Poses(data[0].joint_2d), data[1])
    with pytest.raises(InputError, match=r"15 joints.*34 to 51"):
        fit_trust(Lifter(LiftModel(1, 8, input_nodes=34, output_nodes=51)), *data[:2])
    model = LiftModel(1, 8)
    model.flat.data[:] = 1e30
    with pytest.raises(InputError, match="too large or undefined"):
        fit_trust(Lifter(model), *data[:2])
    few = fit_trust(lifter, data[0].take(slice(300)), data[1].take(slice(200)))  # enough, if only just
    assert np.isfinite(few.judge(*_lifted(lifter, data[2])).expected_error).all()


def _lifted(lifter: Lifter, poses: Poses) -> tuple[np.ndarray, np.ndarray]:
    image = np.asarray(poses.joint_2d)
    return image, lifter.predict(image)


# ---- Lifter.trust ----------------------------------------------------------------------------------
def test_shapes_of_trust(lifter: Lifter, data: tuple[Poses, Poses, Poses]) -> None:
    image, lifted = _lifted(lifter, data[2])
    whole = lifter.trust(image)
    assert whole.unlike.dtype == bool
    for flat in (image.reshape(-1, 30), image.tolist()):
        np.testing.assert_array_equal(lifter.trust(flat).expected_error, whole.expected_error)
    np.testing.assert_array_equal(lifter.trust(image, lifted).high, whole.high)
    one = lifter.trust(image[3])
    assert [np.shape(field) for field in one] == [(), (), (), (15,), (15,), (15,), ()]
    np.testing.assert_allclose(one.expected_error, whole.expected_error[3], rtol=1e-4)
    assert [len(field) for field in lifter.trust(image[:0])] == [0] * 7
    for wrong in (lifted[:5], lifted[0], lifted[..., :2]):
        with pytest.raises(ValueError, match="expected the prediction for"):
            lifter.trust(image, wrong)
    with pytest.raises(ValueError, match="expected 2D joints"):
        lifter.trust(np.zeros((3, 14, 2)))


def test_a_pose_with_nan_is_unlike_and_says_nothing_else(
    lifter: Lifter, data: tuple[Poses, Poses, Poses]
) -> None:
    image = np.asarray(data[2].joint_2d)[:4].copy()
    image[1, 0, 0], image[2, 3, 1] = np.nan, np.inf
    found = lifter.trust(image)
    assert found.unlike[1:3].all()
    assert found.distance[1:3].tolist() == [np.inf, np.inf]
    assert found.percentile[1] > 99.9
    assert np.isnan(found.expected_error[1]).all()
    usual = lifter.trust(image[[0, 3]])
    np.testing.assert_allclose(found.expected_error[[0, 3]], usual.expected_error, rtol=1e-4)


def test_no_trust_is_one_line_with_a_remedy(
    lifter: Lifter, data: tuple[Poses, Poses, Poses], tmp_path: Path
) -> None:
    image = data[2].joint_2d
    with pytest.raises(InputError, match=r"not read from a file"):
        Lifter(LiftModel(1, 8)).trust(image)
    path = tmp_path / "liftModel"
    lifter.save(path)
    with pytest.raises(InputError, match=r"liftModel.trust.npz: is missing.*minilift trust --weights"):
        Lifter.load(path).trust(image)
    own = lifter.trust_model
    own.save(trust_path(path))
    assert Lifter.load(path).trust(image).unlike.shape == (2000,)
    replace(own, weights=own.weights + 1).save(trust_path(path))
    with pytest.raises(InputError, match=r"made for other weights than .*and is not used"):
        Lifter.load(path).trust(image)
    assert Lifter.load(path).predict(image).shape == (2000, 15, 3)
    held = Lifter(LiftModel(1, 8))
    held.trust_model = own
    assert held.trust(image).unlike.shape == (2000,)


def test_the_fingerprint_is_of_names_and_values(lifter: Lifter) -> None:
    state = lifter.model.state_dict()
    number = fingerprint(state)
    assert number == fingerprint(dict(reversed(state.items())))
    for name, value in state.items():
        if np.size(value) > 1:
            other = value.copy()
            other.reshape(-1)[-1] += 1e-3
            assert fingerprint({**state, name: other}) != number
        else:
            assert fingerprint({**state, name: value + 1}) == number  # batches counted
    renamed = {f"x{name}": value for name, value in state.items()}
    assert fingerprint(renamed) != number


BODY = BodyErrors(np.ones((3, 15)), np.tile([0.2, 1.8], len(LEVELS))[:, None] * np.ones((3, 1, 15)))
BAD: dict[str, Any] = {
    "errors.weight_1": lambda a: a[:, :-1],
    "errors.ends": lambda a: a[:, :-1],
    "errors.bias_2": lambda a: a[:9],
    "errors.edges": lambda a: a[:, ::-1],
    "version": lambda a: a + 1,
    "errors.std": lambda a: a * 0,
    "errors.factor": lambda a: np.full_like(a, np.nan),
    "familiarity.reference": lambda a: a[:0],
    "ranks.scores": lambda a: a.astype("S4"),
    "familiarity.typical": lambda a: -a,
    "errors.furthest": lambda a: a[0],
    "body.factor": lambda a: -a,
    "body.ends": lambda a: a[:, ::-1],
    "weights": lambda a: a.astype(np.float64),
}


@pytest.mark.parametrize("name", [*BAD, "missing", "no ends", "cut", "other"])
def test_bad_files_are_one_line(name: str, lifter: Lifter, tmp_path: Path) -> None:
    path = tmp_path / "w.trust.npz"
    replace(lifter.trust_model, body=BODY).save(path)
    arrays = {k: a for k, a in read_npz(path, path.read_bytes()).items() if a is not None}
    if name in BAD:
        arrays[name] = BAD[name](arrays[name])
    arrays.pop({"missing": "weights", "no ends": "body.ends"}.get(name, ""), None)
    with open(path, "wb") as file:
        write_npz(file, arrays)
    if name == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    if name == "other":
        path.write_bytes(b"what is this")
    with pytest.raises(InputError, match=r"^[^\n]*w\.trust\.npz: [^\n]*$"):
        TrustModel.load(path)


def test_groups_are_kept_whole_and_must_fit(lifter: Lifter, data: tuple[Poses, Poses, Poses]) -> None:
    groups = np.repeat([7, 3, 3, 9, 1, 5, 8], [900, 200, 100, 300, 200, 100, 200])
    fold = _folds(2000, groups)
    assert all(len(set(fold[groups == group])) == 1 for group in groups)
    assert np.bincount(fold).tolist() == [900, 300, 300, 300, 200]
    assert set(_folds(2000, np.array([4, 2] * 1000))) == {0, 1}
    for wrong, told in (
        (groups[:-1], r"groups=1999: are the groups of 2,000"),
        (np.ones(2000), "groups=1: too few"),
    ):
        with pytest.raises(ArgumentError, match=told):
            fit_trust(lifter, data[0], data[1], groups=wrong)
    with pytest.raises(ArgumentError, match="groups=None"):
        fit_trust(lifter, None, data[1])


def test_trust_is_calibrated_on_people_that_no_network_saw() -> None:
    """Errors that depend on who it is, which the points show: what one teaches says nothing of others."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(8), 400)
    x = rng.standard_normal((3200, FEATURES)).astype(np.float32)
    x[:, :10] = rng.standard_normal((8, 10))[who]
    x[:, -15:] = 1
    errors = np.exp(rng.standard_normal(8))[who, None] * rng.exponential(size=(3200, 15))
    poses = Lifted(seen_as(x, np.ones(3200)), errors)
    folds = [[poses.take(who % 4 == i)] * 2 for i in range(4)]
    known = Familiarity.fit(rng.standard_normal((50, 15, 2)), rng.standard_normal((50, 15, 3)))
    found = fit_module._fitted(Lifter(LiftModel(1, 8)), known, folds, [0], 0, True)
    expected = found.errors(poses.seen_as)
    low, high = found.errors.interval(expected, poses.seen_as.seen)
    one = learned(joined([part[0] for part in folds]), 0)
    raw = one.raw(x, np.ones(3200))
    flattered = calibrated(one, raw, poses, np.ones(3200, bool)).interval(expected, poses.seen_as.seen)
    assert (high - low).mean() > 1.2 * (flattered[1] - flattered[0]).mean()


# ---- eval.py's figures -----------------------------------------------------------------------------
def _calibration(cuts: Any, scale: np.ndarray | None, n: int = 400) -> Any:
    rng = np.random.default_rng(0)
    expected = rng.gamma(2, 0.01, (n, 15)).astype(np.float32)
    errors = expected * rng.exponential(size=(n, 15)).astype(np.float32)
    unlike = rng.random(n) < 0.2
    found = Calibration(n)
    for rows in np.split(np.arange(n), cuts):
        metres = None if scale is None else scale[rows]
        one = expected[rows]
        inside = (errors[rows] >= 0.5 * one) & (errors[rows] <= 2 * one)
        held = {0.5: int(inside.sum()), 0.9: len(one)}
        found.add(one, 0.5 * one, 2 * one, unlike[rows], errors[rows], metres, held)
    return found.result(), expected, errors, unlike


def test_calibration_against_its_definition() -> None:
    scale = np.linspace(2, 6, 400)
    found, expected, errors, unlike = _calibration([], scale)
    inside = (errors >= 0.5 * expected) & (errors <= 2 * expected)
    assert found["coverage"] == pytest.approx(inside.mean())
    assert found["unlike"] == unlike.mean()
    mm = 1000 * scale[:, None]
    for unit, (a, b) in {"": (expected, errors), "_mm": (mm * expected, mm * errors)}.items():
        order = np.argsort(a.ravel())
        groups = [order[600 * i : 600 * (i + 1)] for i in range(10)]
        wanted = [[values.ravel()[g].mean() for g in groups] for values in (a, b)]
        np.testing.assert_allclose(found["curve" + unit]["expected"], wanted[0], rtol=1e-5)
        np.testing.assert_allclose(found["curve" + unit]["error"], wanted[1], rtol=1e-5)
        gap = np.abs(np.subtract(*wanted)).mean()
        assert found["gap" + unit] == pytest.approx(gap, rel=1e-4)
        assert found["error" + unit] == pytest.approx(b.mean(), rel=1e-5)
        row = found["per_joint" + unit]["left_elbow"]
        assert row["expected"] == pytest.approx(a[:, JOINTS.index("left_elbow")].mean(), rel=1e-5)
    assert found["per_joint"]["head"]["coverage"] == inside[:, JOINTS.index("head")].mean()
    assert found["reliability"] == {"stated": [0.5, 0.9], "observed": [inside.mean(), pytest.approx(1 / 15)]}
    pose, by = (mm * errors).mean(axis=1), (mm * expected).mean(axis=1)
    risk = found["risk_mm"]
    for share, kept, best, any in zip(
        risk["dropped"], *map(risk.get, ("kept", "oracle", "random")), strict=True
    ):
        n = round(400 * (1 - share))
        assert kept == pytest.approx(pose[np.argsort(by)[:n]].mean(), rel=1e-5)
        assert best == pytest.approx(np.sort(pose)[:n].mean(), rel=1e-5)
        assert any == pytest.approx(pose.mean(), rel=1e-5)
    assert risk["dropped"][2] == 0.1
    assert found["spearman"] == pytest.approx(spearman(expected.ravel(), errors.ravel()))


def test_calibration_in_parts_is_that_of_the_whole(monkeypatch: Patch) -> None:
    whole = _calibration([], None)[0]
    assert not [name for name in whole if name.endswith("_mm")]
    assert _calibration([1, 7, 200], None)[0] == whole
    monkeypatch.setattr(calibration, "MOST", 100)  # every fourth pose makes the curve, all the shares
    thin = _calibration([], None)[0]
    assert thin == _calibration([1, 7, 200], None)[0]
    assert thin["coverage"] == whole["coverage"]
    assert thin["curve"] != whole["curve"]
    with pytest.raises(ValueError, match="no poses"):
        Calibration(0).result()


# ---- the commands ----------------------------------------------------------------------------------
SMALL = ["--hidden", "32", "--blocks", "1", "--epochs", "1", "--batch-size", "64", "--device", "cpu"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.chdir(tmp_path)
    poses = people(3000)
    save_poses("data_train_lift.pkl", poses.take(slice(2400)))
    save_poses("data_test_lift.pkl", poses.take(slice(2400, 3000)))
    return tmp_path


def test_train_writes_it_and_eval_uses_it(folder: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--val-fraction", "0.1"]) == 0
    assert "wrote liftModel.trust.npz: when to trust these weights\n" in capsys.readouterr().out
    content = Path("liftModel.trust.npz").read_bytes()
    assert evaluate(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    trust, lifter = found.pop("trust"), Lifter.load("liftModel")
    assert evaluate(["--save", "p.npz"]) == 0
    told = capsys.readouterr().out
    poses = load_poses("data_test_lift.pkl")
    judged = lifter.trust(poses.joint_2d)
    saved = np.load("p.npz")
    np.testing.assert_array_equal(saved["expected_error"], judged.expected_error.astype(np.float32))
    np.testing.assert_array_equal(saved["distance"], judged.distance.astype(np.float32))
    assert saved["percentile"].shape == (600,)
    errors = joint_errors(saved["joint_3d"], np.asarray(poses.joint_3d))
    inside = (judged.low <= errors) & (errors <= judged.high)
    assert trust["coverage"] == pytest.approx(inside.mean())
    assert trust["error"] == pytest.approx(found["mpjpe"], rel=1e-5)
    assert trust["unlike"] == judged.unlike.mean()
    assert f"{trust['coverage']:10.1%}\n" in told
    assert max(map(len, told.splitlines())) <= 80
    observed = dict(zip(*map(trust["reliability"].get, ("stated", "observed")), strict=True))
    assert observed[0.9] == pytest.approx(trust["coverage"])
    assert list(observed.values()) == sorted(observed.values())
    for line in (
        "trust  ",
        "  intervals: the share",
        "    the worst 30%  ",
        "  expected error",
        "  poses called unlike",
        "    left_wrist ",
    ):
        assert line in told

    # the command makes the same file again, and keeps the one that was there
    assert learn(["--val-fraction", "0.1", "--device", "cpu"]) == 0
    assert "kept as liftModel.trust.npz.old" in capsys.readouterr().out
    assert Path("liftModel.trust.npz").read_bytes() == Path("liftModel.trust.npz.old").read_bytes() == content

    # what it expects are the errors of whole poses
    assert evaluate(["--json", "--hide", "0.1"]) == 0
    assert "trust" not in json.loads(capsys.readouterr().out)

    # without the file, all else is as it was
    Path("liftModel.trust.npz").unlink()
    assert evaluate(["--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == found
    assert err == ""
    assert evaluate(["--save", "q.npz"]) == 0
    assert list(np.load("q.npz")) == ["joint_3d"]
    assert "trust" not in capsys.readouterr().out


def test_trust_of_other_weights_is_a_warning(folder: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--val-fraction", "0.1"]) == 0
    Path("first").write_bytes(Path("liftModel.trust.npz").read_bytes())
    assert train([*SMALL, "--val-fraction", "0.1", "--seed", "1"]) == 0
    assert (
        "liftModel.trust.npz of an earlier run is kept as liftModel.trust.npz.old" in capsys.readouterr().out
    )
    assert Path("liftModel.trust.npz.old").read_bytes() == Path("first").read_bytes()
    Path("liftModel.trust.npz").write_bytes(Path("first").read_bytes())
    assert evaluate([]) == 0
    out, err = capsys.readouterr()
    assert "trust" not in out
    assert err.count("\n") == 1
    assert err.startswith("warning: liftModel.trust.npz: was made for other weights than liftModel")
    assert evaluate(["--save", "liftModel.trust.npz"]) == 2
    assert "would overwrite what is read" in capsys.readouterr().err


def test_flipped_predictions_are_judged_as_plain_ones(folder: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--val-fraction", "0.1"]) == 0
    capsys.readouterr()
    results = []
    for flags in ([], ["--flip"], ["--project"]):
        assert evaluate(["--json", *flags]) == 0
        results.append(json.loads(capsys.readouterr().out)["trust"])
    assert results[0]["expected"] == results[1]["expected"] == results[2]["expected"]
    assert len({result["error"] for result in results}) == 3


def test_too_few_held_out_poses_leave_a_line_and_no_file(folder: Path, capsys: Capture) -> None:
    assert train(SMALL) == 0
    out = capsys.readouterr().out
    assert "no liftModel.trust.npz: 120 poses held out: too few" in out
    assert not Path("liftModel.trust.npz").exists()
    assert learn(["--device", "cpu"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("minilift trust: error: 120 poses held out: too few")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--val-fraction", "0.9"], "--val-fraction 0.9: must be at least 0.001 and at most 0.5"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--weight", "x"], "--weight: no such option; did you mean --weights?"),
        (["--weights", "missing"], "missing: no such file"),
        (["liftModel"], "'liftModel': not expected here"),
    ],
)
def test_bad_calls_are_one_line_and_exit_2(
    flags: list[str], expected: str, folder: Path, capsys: Capture
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    assert learn(flags) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"minilift trust: error: {expected}")
    assert told.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before


def test_real_people_are_told_from_synthetic_ones(mocap: Path) -> None:
    """A lifter of real motion capture: its own poses, held out, against other bodies."""
    poses = load_poses(mocap / "data_train_lift.pkl").take(slice(20000))
    rows, held_out = hold_out(len(poses), 0.1, 0)
    lifter = Lifter(trained(poses.take(rows), "ray"))
    lifter.trust_model = fit_trust(lifter, poses.take(rows), poses.take(held_out))
    test = load_poses(mocap / "data_test_lift.pkl")
    usual, other = lifter.trust(test.joint_2d), lifter.trust(people(2000).joint_2d)
    assert auroc(usual.distance, other.distance) > 0.95
    errors = joint_errors(lifter.predict(test.joint_2d), np.asarray(test.joint_3d))
    inside = (usual.low <= errors) & (errors <= usual.high)
    assert 0.85 <= inside.mean() <= 0.95
    assert isinstance(usual, Trust)


def test_it_is_learned_by_the_trainer_of_every_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no loop of its own: the epochs that the Trainer is asked for are all that there is."""
    asked: list[int] = []
    real = Trainer.fit

    def fit(self: Trainer, *arguments: Any, epochs: int) -> bool:
        asked.append(epochs)
        return real(self, *arguments, epochs=epochs)

    monkeypatch.setattr(Trainer, "fit", fit)
    rng = np.random.default_rng(0)
    x, distance = rng.standard_normal((600, FEATURES)).astype(np.float32), rng.uniform(1, 2, 600)
    taught = Lifted(seen_as(x, distance), rng.uniform(0.01, 0.02, (600, 15)))
    found = learned(taught, seed=0)
    assert asked == [learn_module.EPOCHS]
    expected = found.raw(x, distance).mean(axis=0)
    np.testing.assert_allclose(expected, taught.errors.mean(axis=0), rtol=0.2)
    source = Path(learn_module.__file__).read_text()
    assert not {".backward(", ".forward(", "optimiser.step("} & set(re.findall(r"[.\w]+\(", source))


def test_errors_that_are_unknown_do_not_teach() -> None:
    u, e = np.zeros((2, 2)), np.array([[2.0, np.nan], [0.5, 1.0]])
    grad, total = np.empty((2, 2)), np.zeros(1)
    learn_module.Deviance()(u, e, get_ops("cpu", "float64"), grad, total)
    np.testing.assert_allclose(grad, [[-0.25, 0], [0.125, 0]])
    assert total == pytest.approx(3.5 / 3)


def test_the_loss_of_trust_is_the_deviance_and_its_gradient_the_derivative() -> None:
    rng, loss = np.random.default_rng(0), learn_module.Deviance()
    u, e, grad = rng.standard_normal((4, 3)), rng.exponential(size=(4, 3)), np.empty((4, 3))

    def value(at: np.ndarray) -> float:
        total = np.zeros(1)
        loss(at, e, get_ops("cpu", "float64"), grad, total)
        return float(total[0])

    assert value(u) == pytest.approx((e * np.exp(-u) + u).mean(), rel=1e-12)
    direction = rng.standard_normal((4, 3))
    numeric = (value(u + 1e-6 * direction) - value(u - 1e-6 * direction)) / 2e-6
    value(u)
    assert (grad * direction).sum() == pytest.approx(numeric, rel=1e-7)  # seen 2e-10


def test_trust_of_people_left_out(folder: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--val-fraction", "0.1"]) == 0
    save_poses("val.npz", people(900, start=4096))
    np.save("val_subjects.npy", np.repeat([8, 49, 55], 300))
    capsys.readouterr()
    call = ["--data", "val.npz", "--device", "cpu", "--groups"]
    assert learn([*call, "val_subjects.npy"]) == 0
    assert "wrote liftModel.trust.npz, from 900 poses of 3 people in val.npz\n" in capsys.readouterr().out
    poses, lifter = load_poses("val.npz"), Lifter.load("liftModel")
    found = fit_trust(lifter, None, poses, groups=np.load("val_subjects.npy"))
    np.testing.assert_array_equal(found.errors.factor, lifter.trust_model.errors.factor)

    np.save("short.npy", np.arange(5))
    np.save("names.npy", np.full(900, "anna"))
    for name in ("short.npy", "names.npy", "missing.npy"):
        assert learn([*call, name]) == 2
        told = capsys.readouterr().err
        assert told.startswith(f"minilift trust: error: {name}")
        assert told.count("\n") == 1

    # beside the training data the file is found, and people that are held out are kept apart
    np.save("data_train_subjects.npy", np.arange(2400) // 30)
    assert learn(["--val-fraction", "0.1", "--device", "cpu"]) == 0
    rows, others = hold_out(2400, 0.1, 0)
    data = load_poses("data_train_lift.pkl")
    apart = fit_trust(lifter, data.take(rows), data.take(others), groups=others // 30)
    kept = TrustModel.load("liftModel.trust.npz")
    np.testing.assert_array_equal(apart.errors.factor, kept.errors.factor)
    np.save("data_train_subjects.npy", np.arange(7))
    assert learn(["--val-fraction", "0.1", "--device", "cpu"]) == 2
    assert capsys.readouterr().err.startswith("minilift trust: error: data_train_subjects.npy: does not hold")
