"""MPJPE and its Procrustes-aligned form against independent computations."""

import numpy as np
import pytest

from minilift.pose.metrics import cal_mpjpe, pa_mpjpe, per_joint_error

ROOT = np.array([0.0, 0.0, -1.0])


def pair(n=7, seed=0, noise=0.03):
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((n, 15, 3)) * 0.2 + ROOT
    return truth + noise * rng.standard_normal(truth.shape), truth


def random_rotations(rng, n):
    """Uniform rotations from unit quaternions."""
    return np.stack([quaternion_matrix(q / np.linalg.norm(q)) for q in rng.standard_normal((n, 4))])


def quaternion_matrix(q):
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def horn(pred, truth):
    """One pose aligned by Horn's quaternion method (J. Opt. Soc. Am. A 4(4), 1987): no SVD, no sign rule."""
    p, g = pred - pred.mean(axis=0), truth - truth.mean(axis=0)
    m = p.T @ g
    a = [m[1, 2] - m[2, 1], m[2, 0] - m[0, 2], m[0, 1] - m[1, 0]]
    n = np.empty((4, 4))
    n[0, 0], n[0, 1:], n[1:, 0] = np.trace(m), a, a
    n[1:, 1:] = m + m.T - np.trace(m) * np.eye(3)
    rotated = p @ quaternion_matrix(np.linalg.eigh(n)[1][:, -1]).T
    scale = (rotated * g).sum() / (p**2).sum()
    return scale * rotated + truth.mean(axis=0)


def with_root(pose):
    return np.concatenate([pose, ROOT[None]])


def test_mpjpe_is_the_mean_distance():
    pred, truth = pair()
    slow = [[np.linalg.norm(pred[i, j] - truth[i, j]) for j in range(15)] for i in range(7)]
    assert cal_mpjpe(pred, truth) == pytest.approx(np.mean(slow), rel=1e-12)
    np.testing.assert_allclose(cal_mpjpe(pred, truth, avg=False), np.mean(slow, axis=1), rtol=1e-12)
    np.testing.assert_allclose(per_joint_error(pred, truth), np.mean(slow, axis=0), rtol=1e-12)


def test_mpjpe_of_a_3_4_5_triangle():
    assert cal_mpjpe([[3, 4, 0]], [[0, 0, 0]]) == 5


@pytest.mark.parametrize("metric", [cal_mpjpe, pa_mpjpe])
def test_shapes_that_mean_the_same(metric):
    pred, truth = pair()
    expected = metric(pred, truth)
    assert isinstance(expected, float)
    assert metric(pred.reshape(7, 45), truth) == expected
    assert metric(pred.tolist(), truth.reshape(7, 45).tolist()) == expected
    assert metric(pred, truth, avg=False).shape == (7,)
    one = metric(pred, truth, avg=False)[2]
    assert metric(pred[2], truth[2]) == pytest.approx(one, rel=1e-12)
    assert metric(pred[2].ravel(), truth[2]) == pytest.approx(one, rel=1e-12)


@pytest.mark.parametrize("metric", [cal_mpjpe, pa_mpjpe, per_joint_error])
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ((4, 15, 3), (5, 15, 3), r"\(4, 15, 3\) and \(5, 15, 3\)"),
        ((4, 15, 3), (4, 42), r"\(4, 15, 3\) and \(4, 42\)"),
        ((4, 15, 3), (15, 3), r"\(4, 15, 3\) and \(15, 3\)"),
        ((4, 15, 2), (4, 15, 2), r"got \(4, 15, 2\)"),
        ((4, 44), (4, 44), r"got \(4, 44\)"),
        ((0, 15, 3), (0, 15, 3), "no poses"),
    ],
)
def test_shapes_that_do_not_fit(metric, first, second, message):
    with pytest.raises(ValueError, match=message):
        metric(np.zeros(first), np.zeros(second))


def test_float32_poses_are_summed_in_float64():
    pred, truth = np.full((300_000, 1, 3), 0.1, np.float32), np.zeros((300_000, 1, 3), np.float32)
    assert cal_mpjpe(pred, truth) == pytest.approx(float(np.float32(0.1)) * np.sqrt(3), rel=1e-12)


@pytest.mark.parametrize("root", [tuple(ROOT), None])
def test_alignment_equals_horns_method(root):
    pred, truth = pair(50, noise=0.3)  # so much noise that some fit a reflection better
    extend = (lambda pose: pose) if root is None else with_root
    aligned = [horn(extend(p), extend(t))[:15] for p, t in zip(pred, truth, strict=True)]
    slow = np.linalg.norm(aligned - truth, axis=2).mean(axis=1)
    np.testing.assert_allclose(pa_mpjpe(pred, truth, avg=False, root=root), slow, rtol=1e-9)


def test_alignment_is_the_least_squares_one():
    """No small turn, growth or shift of the aligned points brings them nearer (sum of squares)."""
    pred, truth = pair(1, noise=0.1)
    rng = np.random.default_rng(3)
    aligned = horn(pred[0], truth[0])
    best = ((aligned - truth[0]) ** 2).sum()
    distance = np.linalg.norm(aligned - truth[0], axis=1).mean()
    assert pa_mpjpe(pred, truth, root=None) == pytest.approx(distance)
    for _ in range(200):
        q = np.append(1, 0.01 * rng.standard_normal(3))
        turn = quaternion_matrix(q / np.linalg.norm(q))
        moved = (1 + 0.01 * rng.standard_normal()) * aligned @ turn + 0.001 * rng.standard_normal(3)
        assert ((moved - truth[0]) ** 2).sum() > best


def test_a_similarity_about_the_root_is_undone():
    _, truth = pair(30)
    rng = np.random.default_rng(1)
    turned = np.einsum("nij,nkj->nki", random_rotations(rng, 30), truth - ROOT)
    pred = rng.uniform(0.2, 5, (30, 1, 1)) * turned + ROOT
    assert pa_mpjpe(pred, truth) < 1e-12


def test_any_similarity_changes_nothing_without_the_root():
    pred, truth = pair(30)
    rng = np.random.default_rng(2)
    turned = np.einsum("nij,nkj->nki", random_rotations(rng, 30), pred)
    moved = rng.uniform(0.2, 5, (30, 1, 1)) * turned + rng.standard_normal((30, 1, 3))
    expected = pa_mpjpe(pred, truth, avg=False, root=None)
    np.testing.assert_allclose(pa_mpjpe(moved, truth, avg=False, root=None), expected, rtol=1e-9)


def test_a_mirrored_pose_is_not_made_right():
    _, truth = pair(5)
    mirrored = (truth - ROOT) * (-1, 1, 1) + ROOT
    assert pa_mpjpe(mirrored, truth, avg=False).min() > 0.02


def flat(points):
    return np.where([True, True, False], points, -1.0)


DEGENERATE = {
    "both flat": (flat(pair()[0]), flat(pair()[1])),
    "prediction flat": (flat(pair()[0]), pair()[1]),
    "prediction one point": (np.tile(ROOT, (7, 15, 1)), pair()[1]),
    "truth one point": (pair()[0], np.tile(ROOT, (7, 15, 1))),
    "both one point": (np.tile(ROOT, (7, 15, 1)), np.tile(ROOT, (7, 15, 1))),
    "on a line": (ROOT + np.arange(15.0)[:, None] * (1, 2, 3), pair()[1][0]),
    "tiny": (ROOT + 1e-150 * (pair()[1] - ROOT), pair()[1]),
}


@pytest.mark.parametrize("root", [tuple(ROOT), None])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_poses_give_a_number(name, root):
    pred, truth = DEGENERATE[name]
    error = pa_mpjpe(pred, truth, avg=False, root=root)
    spread = np.linalg.norm(truth - truth.mean(axis=-2, keepdims=True), axis=-1).mean()
    assert np.isfinite(error).all()
    assert error.max() <= 3 * spread + 1e-12


def test_one_nan_spoils_only_its_own_pose():
    pred, truth = pair()
    expected = pa_mpjpe(pred, truth, avg=False)
    pred[2, 3, 1] = np.nan
    error = pa_mpjpe(pred, truth, avg=False)
    assert np.flatnonzero(np.isnan(error)).tolist() == [2]
    np.testing.assert_array_equal(np.delete(error, 2), np.delete(expected, 2))
