"""Augmented batches: exact geometry, the spreads that are documented, and the same numbers every time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from layout_people import full_people, in_layout

from minilift.errors import InputError
from minilift.lift.augment import tables as table
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.augment.bodies import BONES, SEGMENT, body_factors
from minilift.lift.augment.hashes import Draws, hashes, normals, uniform
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15, LAYOUTS
from minilift.poses.layouts.make import make
from minilift.poses.people.synth import synthesize

ALL = {"mix": 0.5, "flip": 0.5, "body": 0.5, "yaw": 180, "tilt": 10, "distance": 0.2, "noise": 0.003}
GEOMETRY = {name: value for name, value in ALL.items() if name != "noise"}
ROOT = np.array([0.0, 0.0, -1.0])
N = 2000


def people(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """x (n, 15, 2) and y (n, 15, 3) in float64, the root midway between the hips."""
    y = synthesize(n, seed).joint_3d.astype(np.float64)
    off = (y[:, 0] + y[:, 3]) / 2 - ROOT  # of float32's rounding
    y -= off[:, None]
    return y[..., :2] / -y[..., 2:], y


def augmented(
    x: np.ndarray, y: np.ndarray, step: int = 0, seed: int = 1, dtype: str = "float64", **settings: float
) -> tuple[np.ndarray, np.ndarray]:
    ops, n = get_ops("cpu", dtype), len(y)
    augmenter = Augmenter(Augmentation(**settings), ops, n, seed)
    sources = [ops.asarray(data.reshape(n, -1)).copy() for data in (x, y)]
    for array in (augmenter.x, augmenter.y):
        array.fill(np.nan)
    out = augmenter(step, *sources)
    for source, data in zip(sources, (x, y), strict=True):
        np.testing.assert_array_equal(source, data.reshape(n, -1).astype(dtype))  # only read
    return out[0].reshape(n, 15, 2), out[1].reshape(n, 15, 3)


def lengths(y: np.ndarray) -> np.ndarray:
    """(n, 15 + 2): of all bones, and the distances of the hips and of the shoulders."""
    across = np.linalg.norm(y[:, [0, 9]] - y[:, [3, 12]], axis=2)
    return np.concatenate([COURSE15.bone_lengths(y), across], axis=1)


def uniforms(n: int, step: int = 0, seed: int = 1) -> np.ndarray:
    """The pose's uniform numbers, by slot: what `augmented` draws, for questions of who was chosen."""
    key = Augmenter(Augmentation(), get_ops("cpu"), 1, seed).key(step)
    return uniform(hashes(key, n, 0, table.SLOTS), np.dtype("float64"))


def draws(n: int) -> Draws:
    return Draws(Augmenter(Augmentation(), get_ops("cpu"), 1, 1).key(0), n, np.dtype("float64"))


# ---- geometry ----------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("part", ["flip", "yaw", "tilt", "distance", "mix", "everything but body"])
def test_bones_keep_their_lengths(part: str, dtype: str) -> None:
    x, y = people(400)
    settings = {**GEOMETRY, "body": 0.0} if part.startswith("everything") else {part: GEOMETRY[part]}
    _, new = augmented(x, y, dtype=dtype, **settings)
    before, after = lengths(y), lengths(new)
    if "flip" in settings:
        swapped = uniforms(400)[table.FLIP] < settings["flip"]
        both = [*COURSE15.mirror, 15, 16]
        before[swapped] = before[swapped][:, both]
    scale = np.ones(400)
    if "distance" in settings:
        scale = np.exp((2 * uniforms(400)[table.DISTANCE] - 1) * settings["distance"])
        assert scale.min() < 0.85
        assert scale.max() > 1.15
    limit = 1e-12 if dtype == "float64" else 1e-6  # worst seen 2e-16 and 2e-7
    np.testing.assert_allclose(after, before * scale[:, None], rtol=0, atol=limit)
    assert np.abs(new - y).max() > 0.03  # something did happen


@pytest.mark.parametrize("settings", [{name: value} for name, value in GEOMETRY.items()] + [GEOMETRY])
def test_image_root_and_depth_agree(settings: dict[str, float]) -> None:
    for dtype, limit in (("float64", 1e-12), ("float32", 1e-6)):
        x, y = people(N)
        u, new = augmented(x, y, dtype=dtype, **settings)
        new = new.astype(np.float64)
        np.testing.assert_allclose(u, new[..., :2] / -new[..., 2:], rtol=0, atol=limit)
        root = (new[:, 0] + new[:, 3]) / 2
        np.testing.assert_allclose(root, np.broadcast_to(ROOT, root.shape), rtol=0, atol=limit)
        assert new[..., 2].max() <= table.NEAREST + 1e-7


def test_flip_twice_is_nothing_and_once_is_a_mirror() -> None:
    x, y = people(50)
    u, v = augmented(x, y, flip=1.0)
    mirror = list(COURSE15.mirror)
    np.testing.assert_array_equal(u, x[:, mirror] * [-1, 1])
    np.testing.assert_array_equal(v, y[:, mirror] * [-1, 1, 1])
    back = augmented(u, v, flip=1.0)
    np.testing.assert_array_equal(back[0], x)
    np.testing.assert_array_equal(back[1], y)


def test_detections_stay_while_the_pose_does() -> None:
    """x may be what a detector saw; it is projected anew only with a change of the 3D pose."""
    x, y = people(50)
    seen = x + 0.01
    np.testing.assert_array_equal(augmented(seen, y)[0], seen)
    np.testing.assert_array_equal(augmented(seen, y)[1], y)
    np.testing.assert_array_equal(augmented(seen, y, flip=1.0)[0][:, 8], seen[:, 8] * [-1, 1])
    assert np.abs(augmented(seen, y, yaw=1e-9)[0] - x).max() < 1e-6


def test_a_turn_keeps_heights_along_the_true_vertical() -> None:
    x, y = people(300)
    for elevation in (-10.0, 7.5, 25.0):
        e = np.radians(elevation)
        vertical = np.array([0, np.cos(e), np.sin(e)])
        _, new = augmented(x, y, yaw=180, elevation=elevation)
        q, p = new - ROOT, y - ROOT
        np.testing.assert_allclose(q @ vertical, p @ vertical, rtol=0, atol=1e-12)
        # the angle round the vertical is that of the slot: from side to ahead
        ahead = np.array([0, -np.sin(e), np.cos(e)])
        before, after = ((r @ ahead) + 1j * r[..., 0] for r in (p, q))
        turned = np.angle((after * before.conj()).sum(1))
        expected = (2 * uniforms(300)[table.YAW] - 1) * np.pi
        np.testing.assert_allclose(np.exp(1j * turned), np.exp(1j * expected), rtol=0, atol=1e-9)


def test_a_tilt_is_a_turn_about_the_horizontal_of_the_image() -> None:
    x, y = people(300)
    _, new = augmented(x, y, tilt=10)
    np.testing.assert_array_equal(new[..., 0], y[..., 0])
    before, after = ((r[..., 1] + 1j * (r[..., 2] + 1)) for r in (y, new))
    angle = np.degrees(np.angle((after * before.conj()).sum(1)))
    np.testing.assert_allclose(angle, (2 * uniforms(300)[table.TILT] - 1) * 10, rtol=0, atol=1e-9)


# ---- bodies ------------------------------------------------------------------------------------
def segments(y: np.ndarray) -> np.ndarray:
    """(9, n): own lengths of SEGMENTS without the drop, of left and right the mean."""
    bone = COURSE15.bone_lengths(y)
    bone = (bone + bone[:, list(COURSE15.mirror)]) / 2
    shoulders = np.linalg.norm(y[:, 9] - y[:, 12], axis=1) / 2
    return np.stack([*bone[:, [1, 2, 0, 6, 7, 8]].T, shoulders, *bone[:, [10, 11]].T])


def test_a_body_lies_between_its_own_and_the_one_drawn() -> None:
    x, y = people(N)
    _, new_y = augmented(x, y, body=1.0)
    bone = COURSE15.bone_lengths(new_y)
    difference = np.abs(bone - bone[:, list(COURSE15.mirror)])
    # the way from neck to shoulder is not a segment: as symmetric as it was, in float32
    assert np.delete(difference, [9, 12], axis=1).max() < 1e-12
    assert difference.max() < 1e-6
    own, new = segments(y), segments(new_y)
    u = uniforms(N)
    log_drawn = np.array(table.LOADINGS)[:9] @ body_factors(draws(N)) + np.log(table.MEANS[:9])[:, None]
    legs = np.exp(log_drawn[0]) + np.exp(log_drawn[1])
    drawn = np.exp(log_drawn) / legs * (own[0] + own[1])
    share = np.sqrt(u[table.SHARE])
    np.testing.assert_allclose(new, drawn**share * own ** (1 - share), rtol=1e-11)


def test_a_body_turns_no_bone() -> None:
    x, y = people(100)
    _, new = augmented(x, y, body=1.0)
    for child, parent in ((1, 0), (2, 1), (5, 4), (7, 6), (8, 7), (10, 9), (14, 13), (0, 3), (9, 12)):
        a, b = (p[:, child] - p[:, parent] for p in (y, new))
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        np.testing.assert_allclose(cosine, 1, rtol=0, atol=1e-12)


# Of the legs' length, as docs/augmentation.md has it: median, 2.5 and 97.5 percent
RANGES = {
    "thigh": (0.490, 0.443, 0.534),
    "shin": (0.510, 0.466, 0.557),
    "hip": (0.107, 0.076, 0.152),
    "low": (0.272, 0.189, 0.393),
    "high": (0.346, 0.246, 0.488),
    "head": (0.165, 0.078, 0.350),
    "shoulder": (0.179, 0.122, 0.262),
    "upper_arm": (0.342, 0.296, 0.393),
    "forearm": (0.281, 0.228, 0.348),
}


@cache
def drawn_bodies() -> tuple[np.ndarray, np.ndarray]:
    """The factors (19, n), and the logarithms (10, n) of SEGMENTS."""
    factors = body_factors(draws(100_000))
    return factors, np.array(table.LOADINGS) @ factors + np.log(table.MEANS)[:, None]


def test_the_bodies_drawn_are_those_documented() -> None:
    _, logs = drawn_bodies()
    ratios = np.exp(logs[:9]) / np.exp(logs[:2]).sum(0)
    for name, ratio in zip(table.SEGMENTS, ratios, strict=False):
        found = np.quantile(ratio, [0.5, 0.025, 0.975])
        np.testing.assert_allclose(found, RANGES[name], rtol=0.02, err_msg=name)


# Of 6,068 adults, each length divided by the stature: shared/data/bodies/README.md
TOGETHER = {
    ("thigh", "trunk"): -0.70, ("shin", "trunk"): -0.59, ("upper_arm", "forearm"): 0.33,
    ("shin", "upper_arm"): 0.33, ("forearm", "head"): -0.37,
}  # fmt: skip


def proportions(factors: np.ndarray) -> dict[str, np.ndarray]:
    logs = np.array(table.LOADINGS) @ factors + np.log(table.MEANS)[:, None]
    of = dict(zip(table.SEGMENTS, np.exp(logs), strict=True))
    of["trunk"] = of["low"] + of["high"]
    stature = of["thigh"] + of["shin"] + of["trunk"] + of["head"] + 0.04  # and the foot
    return {name: np.log(length / stature) for name, length in of.items()}


def test_no_bodies_that_do_not_exist() -> None:
    """Long legs go with short trunks, and so on as in those who were measured."""
    factors, _ = drawn_bodies()
    people = factors.copy()
    people[8:] = 0  # what data sets call a joint, children
    drawn, adults = proportions(factors), proportions(people)
    for (a, b), measured in TOGETHER.items():
        assert np.corrcoef(adults[a], adults[b])[0, 1] == pytest.approx(measured, abs=0.1), (a, b)
        both = np.corrcoef(drawn[a], drawn[b])[0, 1]
        assert 0.05 < both * np.sign(measured) < abs(measured) + 0.1, (a, b)
    spread = {name: adults[name].std() for name in ("thigh", "shin", "upper_arm", "forearm", "trunk", "head")}
    for name, measured in zip(spread, (0.050, 0.042, 0.032, 0.044, 0.044, 0.054), strict=True):
        assert spread[name] == pytest.approx(table.WIDER * measured, rel=0.2), name
    assert np.abs(factors[: table.NORMAL]).max() == table.CLIP
    assert (factors[-2] == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert (factors[-1] == 0).mean() == pytest.approx(0.5, abs=0.01)


def test_children_have_large_heads_and_short_legs() -> None:
    adult, child = np.zeros((19, 1)), np.zeros((19, 1))
    child[-1] = 1
    grown, small = proportions(adult), proportions(child)
    legs = [np.exp(of["thigh"]) + np.exp(of["shin"]) for of in (grown, small)]
    assert legs[1] < 0.95 * legs[0]
    assert small["head"] > grown["head"] + 0.1
    assert small["trunk"] > grown["trunk"]


@cache
def drawn_ends() -> np.ndarray:
    """(9, 2): of each segment, in shares of the leg, what 99 of 100 bodies lie between."""
    _, logs = drawn_bodies()
    drawn = np.exp(logs[:9]) / np.exp(logs[:2]).sum(0)
    return np.asarray(np.quantile(drawn, [0.005, 0.995], axis=1).T)


PEOPLE_IN_FULL = full_people(200, seed=1)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layouts_own_body_is_drawn(name: str) -> None:
    """Also where its neck, spine and head are made of others: all lies within what 99 of 100 bodies have."""
    people = PEOPLE_IN_FULL
    points = in_layout(name, people)
    missing = np.zeros(points.shape[:2], bool)
    across, ahead = (make(LAYOUTS[name], points[..., axes], missing) for axes in ([0, 1], [2, 2]))
    joints = np.concatenate([across.joint_2d, ahead.joint_2d[..., :1]], axis=2)
    root = np.concatenate([across.root, ahead.root[:, :1]], axis=1)
    own = segments(joints - root[:, None] + ROOT)
    ends = drawn_ends()
    for segment, ratio, (low, high) in zip(table.SEGMENTS, own / own[:2].sum(0), ends, strict=False):
        assert low < np.quantile(ratio, 0.05), segment
        assert np.quantile(ratio, 0.95) < high, segment


# ---- limbs -------------------------------------------------------------------------------------
def angles(y: np.ndarray) -> np.ndarray:
    """Cosines at knees and elbows: they come with a limb, whatever body it is put on."""
    out = []
    for start, middle, end in table.LIMBS:
        a, b = y[:, middle] - y[:, start], y[:, end] - y[:, middle]
        out.append((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))
    return np.array(out)


def test_limbs_come_from_the_donors() -> None:
    x, y = people(N)
    _, new = augmented(x, y, mix=1.0)
    key = Augmenter(Augmentation(), get_ops("cpu"), 1, 1).key(0)
    draws, u = hashes(key, N, 0, table.SLOTS), uniforms(N)
    before, after = angles(y), angles(new)
    share, same = [], []
    for pair, base in enumerate((table.LEGS, table.ARMS)):
        together = u[base] < 0.5
        for side in range(2):
            slot = np.where(together, base + 1, base + 1 + 2 * side)
            taken = u[slot, np.arange(N)] < table.TAKEN
            donor = draws[slot + 1, np.arange(N)].astype(np.int64) * N >> 32
            limb = 2 * pair + side
            expected = np.where(taken, before[limb, donor], before[limb])
            np.testing.assert_allclose(after[limb], expected, rtol=0, atol=1e-9)
            share.append(taken.mean())
        same.append(together.mean())
    np.testing.assert_allclose(share, table.TAKEN, atol=0.04)
    np.testing.assert_allclose(same, 0.5, atol=0.04)
    rest = [0, 3, 6, 7, 8, 9, 12]
    np.testing.assert_allclose(new[:, rest], y[:, rest], rtol=0, atol=1e-15)


def test_a_limb_is_seen_from_its_own_pelvis() -> None:
    """Turned as a whole, a pose lends the same limbs: two poses, one of them the other one turned."""
    x, y = people(1)
    _, turned = augmented(x, y, yaw=180, tilt=30)
    y = np.concatenate([np.repeat(y, 40, 0), np.repeat(turned, 40, 0)])
    _, new = augmented(np.zeros((80, 15, 2)), y, mix=1.0)
    np.testing.assert_allclose(new, y, rtol=0, atol=1e-12)


# ---- noise and random numbers --------------------------------------------------------------------
@pytest.mark.parametrize("others", [{}, GEOMETRY])
def test_noise_moves_the_image_alone(others: dict[str, float]) -> None:
    x, y = people(N)
    clean, noisy = augmented(x, y, **others), augmented(x, y, **others, noise=0.01)
    np.testing.assert_array_equal(noisy[1], clean[1])
    noise = (noisy[0] - clean[0]).reshape(N, 30) / 0.01
    assert noise.mean() == pytest.approx(0, abs=4 / noise.size**0.5)
    assert noise.std() == pytest.approx(1, abs=4 / (2 * noise.size) ** 0.5)
    assert (np.abs(noise) > 2).mean() == pytest.approx(0.0455, abs=0.004)
    correlation = np.corrcoef(noise.T) - np.eye(30)
    assert np.abs(correlation).max() < 5 / N**0.5


def hidden_joints(n: int, share: float) -> np.ndarray:
    """Which joints (n, 15) the slots say that joint dropout hides."""
    key = Augmenter(Augmentation(), get_ops("cpu"), 1, 1).key(0)
    return (uniform(hashes(key, n, table.HIDDEN, 15), np.dtype("float64")) < share).T


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "others", [{}, {"flip": 0.5}, GEOMETRY, ALL], ids=["alone", "flip", "geometry", "all"]
)
def test_hidden_joints_are_the_roots_image_and_nothing_else_changes(
    others: dict[str, float], dtype: str
) -> None:
    x, y = people(N)
    x = x + 0.01  # detections: projecting them anew would be seen
    (u, v), hidden = augmented(x, y, dtype=dtype, **others), hidden_joints(N, 0.3)
    found = augmented(x, y, dtype=dtype, **others, joint_dropout=0.3)
    np.testing.assert_array_equal(found[0], np.where(hidden[..., None], 0, u))
    np.testing.assert_array_equal(found[1], v)


def test_joints_are_hidden_one_by_one() -> None:
    n, share = 20_000, 0.3
    hidden = hidden_joints(n, share)
    np.testing.assert_allclose(
        hidden.mean(axis=0), share, rtol=0, atol=4.5 * (share * (1 - share) / n) ** 0.5
    )
    assert hidden.mean() == pytest.approx(share, abs=4 * (share * (1 - share) / hidden.size) ** 0.5)
    of_a_pose = hidden.sum(axis=1)  # binomial: 15 of them at 0.3
    assert of_a_pose.var() == pytest.approx(15 * share * (1 - share), rel=0.05)
    others = np.concatenate([hidden.T, uniforms(n)])  # nor do they know of mirrors, bodies or cameras
    correlation = np.corrcoef(others)[:15] - np.eye(15, len(others))
    assert np.abs(correlation).max() < 5 / n**0.5


@pytest.mark.parametrize("share", [0.0, 1e-7, 1.0])
def test_no_joint_and_every_joint_hidden(share: float) -> None:
    x, y = people(50)
    found, _ = augmented(x, y, dtype="float32", joint_dropout=share)
    np.testing.assert_array_equal(found, x.astype("f4") if share < 0.5 else np.zeros_like(x))


def test_a_hidden_joint_hides_nan() -> None:
    x, y = people(50)
    x[:] = np.nan
    found, _ = augmented(x, y, joint_dropout=0.5)
    np.testing.assert_array_equal(np.isnan(found).any(axis=2), ~hidden_joints(50, 0.5))
    assert not found[hidden_joints(50, 0.5)].any()


def test_the_same_key_the_same_batch() -> None:
    x, y = people(64)
    first = augmented(x, y, step=7, **ALL)
    for a, b in zip(first, augmented(x, y, step=7, **ALL), strict=True):
        np.testing.assert_array_equal(a, b)
    for other in ({"step": 8}, {"seed": 2}):
        for a, b in zip(first, augmented(x, y, **{"step": 7, **other}, **ALL), strict=True):
            assert (a != b).any(axis=(1, 2)).mean() > 0.9
    for a, b in zip(first, augmented(x, y, step=7, dtype="float32", **ALL), strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5)  # worst seen 3e-7


def test_hashes_are_frozen() -> None:
    """A change here changes every seeded run, and parts the backends."""

    def lowbias32(i: int, key: tuple[int, int]) -> int:
        h = i ^ key[0]
        h ^= h >> 16
        h = h * 0x7FEB352D & 0xFFFFFFFF
        h ^= h >> 15 ^ key[1]
        h = h * 0x846CA68B & 0xFFFFFFFF
        return h ^ h >> 16

    key = 0x12345678, 0x9ABCDEF0
    found = hashes(key, 70, 3, 5)
    expected = [[lowbias32(pose * 64 + slot, key) for pose in range(70)] for slot in range(3, 8)]
    np.testing.assert_array_equal(found, expected)
    found = hashes(key, 70, table.HIDDEN, 15)
    expected = [[lowbias32(2**30 + pose * 64 + joint, key) for pose in range(70)] for joint in range(15)]
    np.testing.assert_array_equal(found, expected)


def test_extreme_uniform_numbers_give_finite_normal_ones() -> None:
    h = np.array([[0], [0xFFFFFFFF], [0xFFFFFFFF], [0]], np.uint32)
    for dtype in (np.dtype("float32"), np.dtype("float64")):
        u = uniform(h, dtype)
        assert u.dtype == dtype
        assert (u > 0).all()
        assert (u <= 1).all()
        assert np.isfinite(normals(u)).all()


@pytest.mark.parametrize("name", ["flip", "body", "mix"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_as_many_poses_as_asked(name: str, share: float) -> None:
    x, y = people(N)
    _, new = augmented(x, y, **{name: share})
    changed = (np.abs(new - y) > 1e-9).any(axis=(1, 2)).mean()
    if name == "mix":  # with all four limbs one's own, nothing is seen of it
        share *= 1 - (0.5 * (0.25 + 0.25**2)) ** 2
    assert changed == pytest.approx(share, abs=4 * (share * (1 - share) / N) ** 0.5 + 1e-3)


# ---- the ends of the range -----------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 3, 17])
def test_any_number_of_poses(n: int) -> None:
    x, y = people(n)
    u, v = augmented(x, y, **ALL)
    assert np.isfinite(u).all()
    assert np.isfinite(v).all()


def test_a_smaller_batch_than_there_is_room_for() -> None:
    x, y = people(20)
    ops = get_ops("cpu", "float64")
    augmenter = Augmenter(Augmentation(**ALL), ops, 20, 1)
    _, v = augmenter(0, *(ops.asarray(data[:6].reshape(6, -1)) for data in (x, y)))
    np.testing.assert_array_equal(v, augmented(x[:6], y[:6], **ALL)[1].reshape(6, 45))


def degenerate() -> dict[str, np.ndarray]:
    _, y = people(1)
    point = np.broadcast_to(ROOT, (15, 3))
    no_shoulders, line, near = y[0].copy(), y[0].copy(), (y[0] - ROOT) * 30 + ROOT
    no_shoulders[[9, 12]] = no_shoulders[7]
    line[:] = point + np.arange(15)[:, None] * [0.01, 0, 0]  # the spine along the hips: no frame
    return {"a point": point, "no shoulders": no_shoulders, "a line": line, "too near": near}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", degenerate())
def test_degenerate_poses_stay_finite_and_in_front_of_the_camera(name: str, dtype: str) -> None:
    y = np.concatenate([people(30)[1], np.repeat(degenerate()[name][None], 30, 0)])
    with np.errstate(all="raise", under="ignore"):
        u, new = augmented(np.zeros((60, 15, 2)), y, dtype=dtype, **{**ALL, "mix": 1.0, "body": 1.0})
    assert np.isfinite(u).all()
    assert np.isfinite(new).all()
    assert new[..., 2].max() < -0.19


def test_nan_is_not_swallowed() -> None:
    x, y = people(10)
    y[3, 2, 2] = np.nan
    _, new = augmented(x, y, yaw=30, body=1.0)
    assert np.isnan(new[3, 2, 2])


# ---- settings ----------------------------------------------------------------------------------
def test_all_is_off_by_default() -> None:
    assert not Augmentation().active
    assert not Augmentation(elevation=20).active
    for name, value in {**ALL, "joint_dropout": 0.1}.items():
        assert Augmentation(**{name: value}).active, name


ENDS = {
    "thigh": "hip knee", "shin": "knee ankle", "hip": "hip hip", "low": "root spine", "high": "spine neck",
    "head": "neck head", "shoulder": "shoulder shoulder", "upper_arm": "shoulder elbow",
    "forearm": "elbow wrist",
}  # fmt: skip


def test_limbs_and_bones_are_those_of_the_layout() -> None:
    names = [" ".join(COURSE15.joints[i] for i in limb) for limb in table.LIMBS]
    legs = [f"{side}_hip {side}_knee {side}_ankle" for side in ("right", "left")]
    arms = [f"{side}_shoulder {side}_elbow {side}_wrist" for side in ("left", "right")]
    assert names == legs + arms
    for bone, segment in zip(BONES, SEGMENT, strict=True):
        ends = (
            " ".join((*COURSE15.joints, "root")[i] for i in bone).replace("left_", "").replace("right_", "")
        )
        assert ends == ENDS[table.SEGMENTS[segment]]


@pytest.mark.parametrize(
    ("name", "value"),
    [("flip", 1.5), ("body", -0.1), ("mix", np.nan), ("yaw", 181), ("tilt", 91), ("noise", -1),
     ("noise", np.inf), ("joint_dropout", 1.1), ("joint_dropout", np.nan), ("distance", 2),
     ("elevation", 100), ("elevation", np.nan)],
)  # fmt: skip
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"augmentation: {name} must be .*, got {value}"):
        Augmentation(**{name: value})
