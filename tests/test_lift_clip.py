"""From keypoints in pixels to people in space: layouts, formats, cameras, gaps and units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import clip_files
import numpy as np
import pytest

from minilift import Lifter, LiftModel
from minilift.errors import ArgumentError, InputError
from minilift.lift.clip.lift import lift_blocks, lift_keypoints
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.stand_in import stand_in
from minilift.poses.body.body import Body
from minilift.poses.body.prior import prior
from minilift.poses.joint_state import ESTIMATED, MISSING, SEEN
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15, LAYOUTS
from minilift.poses.lens.camera import Camera
from minilift.poses.lifted import LiftedPeople
from minilift.poses.people.synth import synthesize
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked

N = 40


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    """Depths on rays; untrained, so that it is a smooth function of its input, and any will do here."""
    model, poses = LiftModel(1, 32, head="ray", seed=1), synthesize(500)
    model.standardise(poses.joint_2d, poses.joint_3d)
    return Lifter(model)


def keypoints(name: str = "coco17", n: int = N) -> Keypoints:
    """A person in n frames, in a layout."""
    xy = clip_files.in_layout(name, clip_files.people(n))
    shape = xy.shape[:2]
    return Keypoints(
        xy, np.full(shape, 0.9, np.float32), np.zeros(shape, bool), np.arange(n), np.zeros(n, np.int64), None,
        (), LAYOUTS[name], "made", np.arange(n), size=clip_files.SIZE,
    )  # fmt: skip


@pytest.mark.parametrize("name", list(clip_files.WRITERS))
def test_every_format_of_one_layout_gives_the_same_bits(name: str, lifter: Lifter, tmp_path: Path) -> None:
    file, write = clip_files.WRITERS[name]
    xy = clip_files.in_layout("coco17", clip_files.people(N))
    write(tmp_path / file, xy, np.full(xy.shape[:2], 0.9))
    found = load_keypoints(tmp_path / file, Asked(size=clip_files.SIZE))
    assert (found.format, found.layout.name, len(found)) == (name, "coco17", N)
    np.testing.assert_array_equal(found.xy, xy)
    people = lift_keypoints(found, lifter)
    expected = lift_keypoints(keypoints(), lifter)
    for field in ("joint_3d", "root", "joint_2d", "frame", "person", "confidence", "state"):
        np.testing.assert_array_equal(getattr(people, field), getattr(expected, field))


def test_media_and_times_go_with_the_rows(lifter: Lifter) -> None:
    """Of a clip in which frames lack, and whose rate varies."""
    found = keypoints()
    times = np.cumsum(np.linspace(0.02, 0.06, N))
    found = replace(found, times=times, media="walk.mp4").take(np.delete(np.arange(N), [3, 4, 17]))
    for people in (lift_keypoints(found, lifter), *lift_blocks(found, iter([found]), lifter, LiftOptions())):
        assert people.media == "walk.mp4"
        assert people.times is not None
        np.testing.assert_array_equal(people.times, times[people.frame])
        np.testing.assert_array_equal(people.take(slice(5, 9)).times, times[people.frame[5:9]])
    assert lift_keypoints(keypoints(), lifter).times is None


LIMBS = [row for row, joint in enumerate(COURSE15.joints) if "_" in joint]
OF_DETECTORS = [name for name in LAYOUTS if name != "course15"]


@pytest.mark.parametrize("name", OF_DETECTORS)
def test_every_layout_gives_the_same_people(name: str, lifter: Lifter) -> None:
    """Joints that a layout has lie where they lie in others; what it lacks is estimated."""
    people = lift_keypoints(keypoints(name), lifter)
    course = lift_keypoints(replace(keypoints("h36m17")), lifter)
    np.testing.assert_allclose(people.joint_2d[:, LIMBS], course.joint_2d[:, LIMBS], atol=1e-3)
    off = np.linalg.norm(people.joint_2d - course.joint_2d, axis=2)
    assert np.median(off) < 2  # pixels, where a person is 650 high
    estimated = people.state == ESTIMATED
    assert off[~estimated].max() < 25  # the perspective between neck, head and its top
    apart = np.linalg.norm(people.joint_3d - course.joint_3d, axis=2)
    assert np.median(apart) < 0.02, np.median(apart)


def test_the_answer_projects_onto_the_keypoints(lifter: Lifter) -> None:
    people = lift_keypoints(keypoints(), lifter, LiftOptions(body="none"))
    assert people.check is not None
    assert people.check.max() < 1e-3  # pixels; measured: 9e-5
    again = Camera.assumed(clip_files.SIZE).pixels(people.joint_3d)
    np.testing.assert_allclose(again, people.joint_2d, atol=1e-2)


def test_project_ends_on_the_keypoints_with_a_body_too(lifter: Lifter) -> None:
    found = keypoints()
    noise = np.random.default_rng(0).normal(0, 2, found.xy.shape)
    found = replace(found, xy=found.xy + noise)
    with_body = lift_keypoints(found, lifter)
    assert with_body.body
    assert np.nanmax(with_body.check) > 0.1
    on_rays = lift_keypoints(found, lifter, LiftOptions(project=True))
    assert np.nanmax(on_rays.check) < 1e-3


def test_where_nobody_can_be_lifted_the_cause_is_named(lifter: Lifter) -> None:
    found = keypoints()
    with pytest.raises(ArgumentError, match=r"confidence=0.95: no joint scores above 0.9; lower it"):
        lift_keypoints(found, lifter, LiftOptions(confidence=0.95))
    elsewhere = Camera(1000, 1000, 5e6, 360, size=clip_files.SIZE, source="wild.json")
    with pytest.raises(InputError, match=r"camera \(wild.json\): no joint is where it could see one"):
        lift_keypoints(found, lifter, LiftOptions(camera=elsewhere))
    found.missing[:, 1:] = True
    with pytest.raises(ArgumentError, match="too few joints to lift anybody: 1 of 17 at most"):
        lift_keypoints(found, lifter)


@pytest.mark.parametrize("axes", ["y-up", "z-up"])
def test_axes_can_be_turned_back(axes: str, lifter: Lifter) -> None:
    plain = lift_keypoints(keypoints(), lifter)
    people = lift_keypoints(keypoints(), lifter, LiftOptions(axes=axes))
    back = people.joint_3d @ people.to_camera[:, :3].T + people.to_camera[:, 3]
    np.testing.assert_allclose(back, plain.joint_3d, atol=1e-5)
    assert people.axes == axes


def test_a_distance_says_how_tall_people_come_out(lifter: Lifter) -> None:
    """Where the focal length is wrong it is no height of a person: that is how one sees it."""
    tall = []
    for distance in (3.0, 6.0):
        people = lift_keypoints(keypoints(), lifter, LiftOptions(distance=distance, body="none"))
        (note,) = (note for note in people.notes if note.startswith("scale: "))
        assert f"the first person {distance:g} m away (median), " in note
        tall.append(float(note.partition("(median), ")[2].partition(" m tall")[0]))
    assert tall[1] == pytest.approx(2 * tall[0], abs=0.02)


def test_a_height_gives_metres(lifter: Lifter) -> None:
    people = lift_keypoints(keypoints(), lifter, LiftOptions(height=1.8, body="none"))
    units = lift_keypoints(keypoints(), lifter, LiftOptions(body="none"))
    assert (people.unit, units.unit) == ("m", "root-depth")
    ratio = np.linalg.norm(people.root, axis=1) / np.linalg.norm(units.root, axis=1)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    assert abs(np.median(np.linalg.norm(units.root, axis=1)) - 1) < 0.1  # poses jump, distances are steadied
    far = lift_keypoints(keypoints(), lifter, LiftOptions(distance=3.5))
    assert abs(np.median(np.linalg.norm(far.root, axis=1)) - 3.5) < 0.35


def test_bones_agree_over_a_clip(lifter: Lifter) -> None:
    people = lift_keypoints(keypoints(), lifter)
    still = lift_keypoints(replace(keypoints(), stills=True), lifter)

    def spread(found: np.ndarray, root: np.ndarray) -> float:
        length = np.linalg.norm(found[:, 1] - found[:, 0], axis=1) + np.linalg.norm(
            found[:, 4] - found[:, 3], axis=1
        )
        return float(np.std(length) / np.mean(length))

    assert spread(people.joint_3d, people.root) < spread(still.joint_3d, still.root)


def test_what_is_below_the_confidence_is_not_seen(lifter: Lifter) -> None:
    found = keypoints()
    assert found.score is not None
    score = found.score.copy()
    score[3, 9] = 0.1  # the left wrist
    people = lift_keypoints(replace(found, score=score), lifter)
    wrist = COURSE15.index("left_wrist")
    assert people.state[3, wrist] == MISSING
    assert people.mask[3, wrist]
    assert np.isnan(people.joint_2d[3, wrist]).all()
    assert np.isfinite(people.joint_3d[3, wrist]).all()
    assert (people.state[4] != MISSING).all()
    low = lift_keypoints(replace(found, score=score), lifter, LiftOptions(confidence=0.05))
    assert low.state[3, wrist] == SEEN


def test_a_person_without_joints_is_nan_and_the_rest_are_not(lifter: Lifter) -> None:
    found = keypoints()
    missing = found.missing.copy()
    missing[5] = True
    missing[5, 0] = False  # a nose alone
    missing[6, 11:] = True  # an upper body
    people = lift_keypoints(replace(found, missing=missing), lifter)
    assert np.isnan(people.joint_3d[5]).all()
    assert np.isfinite(people.joint_3d[np.arange(N) != 5]).all()


def test_several_people_keep_their_numbers(lifter: Lifter) -> None:
    one, other = keypoints(), keypoints()
    xy = np.stack([one.xy, other.xy + np.array([400.0, 0.0])], axis=1)
    xy[1::2] = xy[1::2, ::-1]  # the file exchanges them in every other frame
    both = replace(
        one, xy=xy.reshape(2 * N, -1, 2), score=np.repeat(one.score, 2, axis=0),
        missing=np.zeros((2 * N, 17), bool),
        frame=np.repeat(np.arange(N), 2), person=np.tile([0, 1], N),
    )  # fmt: skip
    people = lift_keypoints(both, lifter)
    for person in (0, 1):
        path = people.root_2d[people.person == person, 0]
        assert len(path) == N
        assert np.ptp(path) < 200
    alone = lift_keypoints(both, lifter, LiftOptions(person="1"))
    np.testing.assert_array_equal(alone.person, 1)


def test_the_courses_rays_are_lifted_as_they_are(lifter: Lifter) -> None:
    poses = synthesize(20)
    image = np.asarray(poses.joint_2d)
    found = Keypoints(
        image.astype(np.float64), None, np.zeros((20, 15), bool), np.arange(20), np.zeros(20, np.int64),
        None, (), COURSE15, "course", np.arange(20), stills=True, rays=True,
    )  # fmt: skip
    people = lift_keypoints(found, lifter)
    np.testing.assert_array_equal(people.joint_3d, lifter.predict(image))


def test_a_camera_of_another_size_is_refused_or_scaled(lifter: Lifter) -> None:
    half = Camera(768, 768, 320, 180, size=(640, 360))
    scaled = lift_keypoints(keypoints(), lifter, LiftOptions(camera=half))
    assumed = lift_keypoints(keypoints(), lifter)
    np.testing.assert_allclose(scaled.joint_3d, assumed.joint_3d, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"height": 17.0}, "height"),
        ({"height": 1.7, "distance": 3.0}, "height"),
        ({"axes": "up"}, "axes"),
        ({"smooth": "much"}, "smooth"),
        ({"fill": -1}, "fill"),
        ({"level": True}, "level"),
        ({"focal": 1000.0, "fov": 60.0}, "fov"),
    ],
)
def test_options_that_cannot_be(wrong: dict[str, object], name: str) -> None:
    with pytest.raises(ArgumentError) as told:
        LiftOptions(**wrong)  # type: ignore[arg-type]
    assert told.value.name == name


def test_a_stand_in_has_the_size_of_what_was_seen() -> None:
    whole = np.asarray(synthesize(50).joint_2d, np.float64)
    some = whole.copy()
    some[:, [5, 11]] = np.nan
    filled = stand_in(some)
    np.testing.assert_array_equal(filled[:, :5], whole[:, :5])
    off = np.linalg.norm(filled - whole, axis=2)[:, [5, 11]]
    assert np.median(off) < np.median(np.linalg.norm(whole[:, [5, 11]], axis=2))
    assert np.isnan(stand_in(np.full((1, 15, 2), np.nan))).all()


def test_a_clip_gets_one_body_and_keeps_to_it(lifter: Lifter) -> None:
    """Found or given; bones vary less with it, and a body in metres gives metres."""
    plain = lift_keypoints(keypoints(), lifter, LiftOptions(body="none"))
    found = lift_keypoints(keypoints(), lifter)
    given = Body.of(prior(1.75))
    known = lift_keypoints(keypoints(), lifter, LiftOptions(body=given))
    assert plain.body == {}
    assert Body.from_dict(found.body[0]).unit == "relative"
    assert (known.unit, found.unit) == ("m", "root-depth")
    assert any("body: found from 40 frames, limbs +/- " in note for note in found.notes)
    spreads = [_spread(people) for people in (plain, found, known)]
    assert spreads[1] < 0.5 * spreads[0]
    assert spreads[2] < 0.5 * spreads[0]
    lengths = np.median(COURSE15.bone_lengths(known.joint_3d - known.root[:, None] + [0, 0, -1]), axis=0)
    np.testing.assert_allclose(lengths[LEGS], given.lengths[LEGS], rtol=0.1)
    tall = lift_keypoints(keypoints(), lifter, LiftOptions(body=given, height=1.5))
    assert Body.from_dict(tall.body[0]).height == pytest.approx(1.5)
    still = lift_keypoints(replace(keypoints(), stills=True), lifter)
    assert still.body == {}
    with pytest.raises(ArgumentError, match="needs a clip"):
        lift_keypoints(replace(keypoints(), stills=True), lifter, LiftOptions(body=given))


LEGS = [row for row, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]


def _spread(people: LiftedPeople) -> float:
    """How much the legs' bones vary over the frames, relative."""
    whole = people.joint_3d - people.root[:, None] + np.array([0, 0, -1])
    lengths = COURSE15.bone_lengths(whole)[:, LEGS]
    return float((lengths.std(axis=0) / lengths.mean(axis=0)).mean())
