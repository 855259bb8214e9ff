"""Synthetic people: seeded, in convention, with the sizes and joint limits of the sources, and varied."""

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.poses.camera import project
from minilift.poses.layouts import COURSE15
from minilift.poses.people.activities import ACTIVITIES, draw_angles, draw_free_angles
from minilift.poses.people.body import ANGLES, LIMITS, joint_positions, sample_bodies
from minilift.poses.people.contact import arm_contacts, settle
from minilift.poses.people.gait import gait_angles
from minilift.poses.people.shares import EVERYDAY, VARIED
from minilift.poses.people.synth import CHUNK, FREE, synthesize
from minilift.poses.people.synth import people as metric_people

N = 2 * CHUNK
BONE = {name: i for i, name in enumerate(COURSE15.joints)}


@pytest.fixture(scope="module")
def people():
    return synthesize(N, seed=1)


@pytest.fixture(scope="module")
def crowd():
    """Bodies, final angles, activities and joints (15, 3, n) before mirroring and camera, in metres."""
    rng = np.random.default_rng(2)
    bodies = sample_bodies(rng, N)
    angles, activity = draw_angles(rng, N)
    joints = settle(bodies, angles)
    return bodies, angles, activity, joints


def bend(joints, a, b, c):
    """Return the flexion at joint b in degrees: 0 where a, b, c lie on a line."""
    u, v = joints[b] - joints[a], joints[c] - joints[b]
    cosine = (u * v).sum(axis=0) / np.linalg.norm(u, axis=0) / np.linalg.norm(v, axis=0)
    return np.degrees(np.arccos(cosine.clip(-1, 1)))


def test_same_seed_same_bits_other_seed_other_poses(people):
    again = synthesize(N, seed=1)
    for name in ("joint_3d", "joint_2d", "scale", "activity"):
        assert getattr(people, name).tobytes() == getattr(again, name).tobytes()
    assert not np.array_equal(people.joint_3d, synthesize(N, seed=2).joint_3d)


@pytest.mark.parametrize("n", [0, 1, 100, CHUNK, CHUNK + 7])
def test_fewer_people_are_the_first_of_more(people, n):
    few = synthesize(n, seed=1)
    assert len(few) == n
    assert len(few.activity_names()) == n
    for name in ("joint_3d", "joint_2d", "scale", "activity"):
        np.testing.assert_array_equal(getattr(few, name), getattr(people, name)[:n])


def test_progress_adds_up(people):
    told: list[int] = []
    np.testing.assert_array_equal(
        synthesize(CHUNK + 5, 0, told.append).activity, synthesize(CHUNK + 5).activity
    )
    assert told == [CHUNK, 5]


def test_chunks_differ(people):
    assert not np.array_equal(people.joint_3d[:CHUNK], people.joint_3d[CHUNK:])


@pytest.mark.parametrize(("n", "seed"), [(-1, 0), (5, -2)])
def test_negative_numbers_are_refused(n, seed):
    with pytest.raises(InputError, match="must be 0 or more"):
        synthesize(n, seed)


def test_some_move_freely_and_the_others_stay_who_they_are(people):
    mixed = synthesize(N, seed=1, free=0.3)
    freely = mixed.activity == FREE
    assert abs(freely.mean() - 0.3) < 0.02  # four standard deviations
    assert mixed.activity_names()[int(np.flatnonzero(freely)[0])] == "moving freely"
    np.testing.assert_array_equal(mixed.joint_3d[~freely], people.joint_3d[~freely])
    np.testing.assert_array_equal(mixed.scale, people.scale)
    moved = np.linalg.norm(mixed.joint_3d[freely] - people.joint_3d[freely], axis=-1)
    assert (moved.max(axis=1) > 0.02).mean() > 0.99
    # Bodies stay theirs: only angles are drawn
    ours, theirs = (COURSE15.bone_lengths(poses.joint_3d[freely]) for poses in (mixed, people))
    leg = [BONE["left_knee"], BONE["left_ankle"], BONE["right_elbow"]]
    np.testing.assert_allclose(ours[:, leg], theirs[:, leg], rtol=1e-4)
    np.testing.assert_array_equal(synthesize(N, 1, free=1).activity, FREE)


@pytest.mark.parametrize("free", [-0.1, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(free):
    with pytest.raises(InputError, match="from 0 to 1"):
        synthesize(5, free=free)


def test_free_angles_fill_the_limits():
    angles = draw_free_angles(np.random.default_rng(4), N)
    assert (angles >= LIMITS[:, :1]).all()
    assert (angles <= LIMITS[:, 1:]).all()
    width = (LIMITS[:, 1] - LIMITS[:, 0])[3:]  # the pelvis is free in space, and mostly upright
    reached = np.ptp(angles, axis=1)[3:]
    assert (reached > 0.9 * width).all()
    straight = np.abs(angles[ANGLES.index("left_knee_flex")]) < 15
    assert 0.2 < straight.mean() < 0.4
    assert 0.6 < (np.abs(angles[ANGLES.index("pelvis_pitch")]) < 45).mean() < 0.9


def test_conventions(people):
    assert people.joint_3d.shape == (N, 15, 3)
    assert people.joint_2d.shape == (N, 15, 2)
    assert {people.joint_3d.dtype, people.joint_2d.dtype, people.scale.dtype} == {np.dtype(np.float32)}
    assert people.joint_3d.flags.c_contiguous
    assert people.joint_3d[..., 2].max() < -0.4  # measured -0.54: nobody comes near the camera
    # The hips are opposite each other across the root at (0, 0, -1); measured 6e-8.
    middle = people.joint_3d[:, [0, 3]].astype(np.float64).mean(axis=1)
    assert np.abs(middle - (0, 0, -1)).max() < 1e-6
    exact = people.joint_3d[..., :2].astype(np.float64) / -people.joint_3d[..., 2:].astype(np.float64)
    assert np.abs(people.joint_2d - exact).max() < 1e-6  # measured 3e-8
    np.testing.assert_array_equal(people.joint_2d, project(people.joint_3d))


def test_cameras_are_uniform(people):
    assert people.scale.min() >= 2.5
    assert people.scale.max() <= 6
    assert abs(people.scale.mean() - 4.25) < 0.05
    # Which way the hips' line points tells the azimuth, but for the few who turn or lie.
    left = people.joint_3d[:, 3] - people.joint_3d[:, 0]
    counts, _ = np.histogram(np.arctan2(left[:, 2], left[:, 0]), bins=8, range=(-np.pi, np.pi))
    assert counts.min() > 0.8 * N / 8


def test_no_side_is_preferred(people):
    one_handed = [ACTIVITIES.index(name) for name in ("reaching", "throwing", "waving")]
    for who, tolerance in ((np.isin(people.activity, one_handed), 0.05), (np.arange(N), 0.02)):
        raised = people.joint_3d[who, BONE["left_wrist"], 1] - people.joint_3d[who, BONE["right_wrist"], 1]
        assert abs((raised > 0).mean() - 0.5) < tolerance  # three standard deviations of a fair coin


def test_mirrored_people_are_people(people):
    """Knees bend backward, where ahead is what left cross up says; a swap without a mirror would turn it."""
    joints = people.joint_3d[np.isin(people.activity, [ACTIVITIES.index(n) for n in ("walking", "running")])]
    ahead = np.cross(
        joints[:, BONE["left_hip"]] - joints[:, BONE["right_hip"]], joints[:, BONE["neck"]] - (0, 0, -1)
    )
    for side in ("left", "right"):
        hip, knee, ankle = (joints[:, BONE[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
        bend_to = (ankle - knee) / np.linalg.norm(ankle - knee, axis=1, keepdims=True)
        bend_to -= (knee - hip) / np.linalg.norm(knee - hip, axis=1, keepdims=True)
        bent = np.linalg.norm(bend_to, axis=1) > 0.3
        assert ((ahead * bend_to).sum(axis=1)[bent] < 0).mean() > 0.99


def test_bones_are_equal_left_and_right_whatever_the_pose(people):
    lengths = COURSE15.bone_lengths(people.joint_3d) * people.scale[:, None]
    for i in COURSE15.left:
        np.testing.assert_allclose(lengths[:, i], lengths[:, COURSE15.mirror[i]], rtol=0, atol=3e-6)


def test_bones_are_those_of_the_body(crowd):
    bodies, _, _, joints = crowd
    length = {
        name: np.linalg.norm(joints[i] - (joints[parent] if parent >= 0 else 0), axis=0)
        for i, (name, parent) in enumerate(zip(COURSE15.joints, COURSE15.parents, strict=True))
    }
    for name, expected in {
        "left_hip": bodies.hip,
        "left_knee": bodies.thigh,
        "right_ankle": bodies.shin,
        "spine": bodies.trunk / 2,
        "neck": bodies.trunk / 2,
        "head": bodies.head,
        "left_shoulder": np.hypot(bodies.shoulder, bodies.shoulder_drop),
        "right_elbow": bodies.upper_arm,
        "left_wrist": bodies.forearm,
    }.items():
        np.testing.assert_allclose(length[name], expected, rtol=1e-12, err_msg=name)


# Mean of women's and men's stature in ANSUR II, and Drillis and Contini's fractions of it.
FRACTIONS = {
    "stature": 1.0,
    "thigh": 0.245,
    "shin": 0.246,
    "upper_arm": 0.186,
    "forearm": 0.146,
    "trunk": 0.310,
    "head": 0.160,
    "hip": 0.5 * 0.62 * 0.191,
    "shoulder": 0.5 * 0.75 * 0.259,
}


@pytest.mark.parametrize("name", FRACTIONS)
def test_mean_sizes_are_the_published_ones(name):
    bodies = sample_bodies(np.random.default_rng(0), 20000)
    mean = 0.5 * (1.6285 + 1.7562)
    values = getattr(bodies, name)
    assert values.mean() == pytest.approx(FRACTIONS[name] * mean, rel=0.01)  # measured within 0.4%
    assert 0.03 < values.std() / values.mean() < 0.12
    heights = bodies.thigh + bodies.shin + bodies.trunk + bodies.head
    assert (
        np.abs(heights / bodies.stature - (1 - 0.039)).max() < 0.004
    )  # the ankle's height makes up the rest


def test_spread_of_stature_is_that_of_two_sexes():
    stature = sample_bodies(np.random.default_rng(0), 50000).stature
    # Two normal groups 12.77 cm apart: variance 0.5 (6.42^2 + 6.86^2) + (12.77 / 2)^2.
    assert stature.std() == pytest.approx(0.0922, rel=0.03)


def test_joint_limits_hold(crowd):
    _, angles, _, joints = crowd
    assert np.all(angles >= LIMITS[:, :1])
    assert np.all(angles <= LIMITS[:, 1:])
    for knee, elbow in (((0, 1, 2), (12, 13, 14)), ((3, 4, 5), (9, 10, 11))):
        assert bend(joints, *knee).max() <= 150 + 1e-6
        assert bend(joints, *elbow).max() <= 150 + 1e-6


@pytest.mark.parametrize(("side", "leg", "arm"), [("right", 0, 12), ("left", 3, 9)])
def test_positions_bend_as_the_angles_say(crowd, side, leg, arm):
    _, angles, _, joints = crowd
    row = {name: angles[i] for i, name in enumerate(ANGLES)}
    np.testing.assert_allclose(bend(joints, leg, leg + 1, leg + 2), row[f"{side}_knee_flex"], atol=1e-5)
    np.testing.assert_allclose(bend(joints, arm, arm + 1, arm + 2), row[f"{side}_elbow_flex"], atol=1e-5)


def one_person(**degrees):
    bodies = sample_bodies(np.random.default_rng(0), 1)
    angles = np.zeros((len(ANGLES), 1))
    for name, value in degrees.items():
        angles[ANGLES.index(name)] = value
    return joint_positions(bodies, angles)[..., 0]


# One angle, a joint, and the direction (to the person's left, up, ahead) in which it moves from attention.
MOVES = [
    ("left_hip_flex", "left_knee", (0, 1, 1)),
    ("right_hip_abduct", "right_ankle", (-1, 1, 0)),
    ("left_knee_flex", "left_ankle", (0, 1, -1)),  # knees bend backward
    ("right_elbow_flex", "right_wrist", (0, 1, 1)),  # elbows bend forward
    ("left_shoulder_abduct", "left_elbow", (1, 1, 0)),
    ("right_shoulder_flex", "right_wrist", (0, 1, 1)),
    ("spine_flex", "head", (0, -1, 1)),
    ("spine_side", "head", (1, -1, 0)),
    ("spine_twist", "right_shoulder", (1, 0, 1)),
    ("pelvis_pitch", "neck", (0, -1, 1)),
    ("pelvis_roll", "neck", (1, -1, 0)),
    ("pelvis_turn", "right_hip", (1, 0, 1)),
]


@pytest.mark.parametrize(("angle", "joint", "direction"), MOVES)
def test_each_angle_moves_the_right_way(angle, joint, direction):
    moved = (one_person(**{angle: 40}) - one_person())[BONE[joint]]
    for got, expected in zip(moved, direction, strict=True):
        if expected:
            assert got * expected > 0.01
        elif angle not in ("right_shoulder_flex", "left_shoulder_abduct"):  # there the girdle moves too
            assert abs(got) < 1e-9


def test_outward_rotation_turns_the_forearm_outward():
    bent = {"left_elbow_flex": 90, "right_elbow_flex": 90}
    turned = one_person(**bent, left_shoulder_rotate=45, right_shoulder_rotate=45) - one_person(**bent)
    assert turned[BONE["left_wrist"], 0] > 0.1
    assert turned[BONE["right_wrist"], 0] < -0.1


def test_shoulders_come_forward_and_rise_with_the_arms():
    reaching = one_person(left_shoulder_flex=90, right_shoulder_flex=90) - one_person()
    raised = one_person(left_shoulder_abduct=150, right_shoulder_abduct=150) - one_person()
    for side in ("left_shoulder", "right_shoulder"):
        assert reaching[BONE[side], 2] > 0.02
        assert raised[BONE[side], 1] > 0.02


def steepness(joints, a, b):
    """Return the median of |vertical| / length of the line from joint a to b: 1 upright, 0 level."""
    line = joints[BONE[b]] - (joints[BONE[a]] if a else 0)
    return float(np.median(np.abs(line[1]) / np.linalg.norm(line, axis=0)))


# Activity, line, lowest and highest median steepness.
LOOKS = [
    ("standing", None, "neck", 0.97, 1.0),
    ("walking", None, "neck", 0.97, 1.0),
    ("sitting", None, "neck", 0.9, 1.0),
    ("lying", None, "neck", 0.0, 0.2),
    ("standing", "left_hip", "left_knee", 0.96, 1.0),
    ("sitting", "left_hip", "left_knee", 0.0, 0.2),
    ("sitting", "left_knee", "left_ankle", 0.85, 1.0),
    ("kneeling", "right_knee", "right_ankle", 0.0, 0.3),
]


@pytest.mark.parametrize(("activity", "start", "end", "lowest", "highest"), LOOKS)
def test_activities_look_as_they_are_called(crowd, activity, start, end, lowest, highest):
    _, _, labels, joints = crowd
    who = labels == ACTIVITIES.index(activity)
    assert who.sum() > 100
    assert lowest <= steepness(joints[..., who], start, end) <= highest


@pytest.mark.parametrize(
    ("activity", "lowest", "highest"), [("standing", 8, 40), ("walking", 45, 75), ("running", 70, 110)]
)
def test_knees_bend_by_activity(crowd, activity, lowest, highest):
    _, _, labels, joints = crowd
    flexion = bend(joints[..., labels == ACTIVITIES.index(activity)], 0, 1, 2)
    assert lowest < np.quantile(flexion, 0.9) < highest


def test_every_activity_comes_as_often_as_planned(people):
    shares = np.bincount(people.activity, minlength=len(ACTIVITIES)) / N
    assert shares[: len(EVERYDAY)].min() > 0.005
    assert not shares[len(EVERYDAY) :].any()
    assert shares[ACTIVITIES.index("standing")] == pytest.approx(0.22, abs=0.02)
    assert shares.sum() == 1


def test_activities_come_in_the_shares_that_are_asked() -> None:
    mixed = synthesize(CHUNK, shares=VARIED)
    common = np.bincount(mixed.activity, minlength=len(ACTIVITIES)) / CHUNK
    np.testing.assert_allclose(common, list(VARIED.values()), atol=0.02)
    only = synthesize(200, shares={"yoga": 2, "crawling": 1}).activity_names()
    assert set(only) == {"yoga", "crawling"}
    assert 110 < only.count("yoga") < 155
    for shares, problem in (
        ({"yoge": 1}, "use yoga"),
        ({"yoga": -1}, "0 or more"),
        ({"yoga": 0}, "all shares"),
    ):
        with pytest.raises(InputError, match=problem):
            synthesize(1, shares=shares)


@pytest.mark.parametrize(
    ("activity", "joint", "highest"),
    [("push-ups and planks", "left_knee", 0.3), ("crawling", "neck", 0.45), ("lying", "neck", 0.5)],
)
def test_people_on_the_floor_are_low(activity: str, joint: str, highest: float) -> None:
    """How far above the hips, as a share of trunk and thigh, a joint is: standing people's neck at 1.1."""
    joints, _ = metric_people(500, shares={activity: 1.0})
    size = np.linalg.norm(joints[:, COURSE15.index("left_knee")], axis=1)
    assert np.median(joints[:, COURSE15.index(joint), 1] / size) < highest


def test_feet_of_standing_people_share_a_floor(crowd):
    _, _, labels, joints = crowd
    who = labels == ACTIVITIES.index("standing")
    apart = np.abs(joints[2, 1, who] - joints[5, 1, who])
    assert np.median(apart) < 0.02  # metres; measured 0.011
    assert np.quantile(apart, 0.95) < 0.05  # measured 0.032


def test_arms_and_legs_swing_against_each_other():
    walk = dict(zip(ANGLES, gait_angles("walking", np.random.default_rng(0), 5000), strict=True))
    assert np.corrcoef(walk["right_hip_flex"], walk["right_shoulder_flex"])[0, 1] < -0.8
    assert np.corrcoef(walk["right_hip_flex"], walk["left_shoulder_flex"])[0, 1] > 0.8
    assert np.corrcoef(walk["right_hip_flex"], walk["left_hip_flex"])[0, 1] < -0.8


@pytest.mark.parametrize(("kind", "lowest", "highest"), [("walking", 50, 85), ("running", 75, 125)])
def test_knees_bend_in_swing_as_published(kind, lowest, highest):
    knee = gait_angles(kind, np.random.default_rng(0), 5000)[ANGLES.index("left_knee_flex")]
    assert lowest < np.quantile(knee, 0.98) < highest


def test_forearms_stay_out_of_the_body(crowd):
    bodies, _, _, joints = crowd
    trunk, head, leg = (
        np.logical_or(one, other)
        for one, other in zip(*(arm_contacts(joints, bodies.stature, arm) for arm in (9, 12)), strict=True)
    )
    assert trunk.mean() < 0.001  # measured 0; 0.1 before settling
    assert head.mean() < 0.001
    assert leg.mean() < 0.02  # measured 0.011: hands on one's knees
