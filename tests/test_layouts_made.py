"""The course's 15 joints made of points of any layout: estimates, what is missing, layouts of one's own."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from layout_people import CENTRE, FOCAL, full_people, in_layout, seen

from bench.fit_layouts import fit, with_face
from minilift.errors import ArgumentError, InputError
from minilift.poses.joint_state import ESTIMATED, MISSING, SEEN
from minilift.poses.layouts import COURSE15, LAYOUTS
from minilift.poses.layouts.estimates import FITTED, recipes
from minilift.poses.layouts.find import columns_of
from minilift.poses.layouts.make import make, ways
from minilift.poses.layouts.own import layout_named

NECK, HEAD, SPINE = (COURSE15.index(name) for name in ("neck", "head", "spine"))

# Millimetres that joints may lie elsewhere than in the layout that has them all, on average over people, and
# the most for one of them, from 4 m away; measured 3 and 22, 27 and 55, 8 and 11, 18 and 45, 42 and 129
CLOSE, SHOULDERS, EARS, CROWN, CHIN = (8, 25), (30, 60), (10, 15), (25, 55), (50, 140)
MOST = {
    "coco17": {"spine": CLOSE, "neck": CLOSE, "head": EARS},
    "openpose_coco18": {"spine": (12, 35), "neck": SHOULDERS, "head": EARS},
    "body25": {"spine": (12, 35), "neck": SHOULDERS, "head": EARS},
    "body25b": {"spine": CLOSE, "neck": CLOSE, "head": EARS},
    "mpi15": {"spine": (8, 30), "head": CROWN},
    "halpe26": {"spine": (12, 35), "neck": SHOULDERS, "head": EARS},
    "halpe136": {"spine": (12, 35), "neck": SHOULDERS, "head": EARS},
    "coco_wholebody133": {"spine": CLOSE, "neck": CLOSE, "head": EARS},
    "mediapipe33": {"spine": CLOSE, "neck": CLOSE, "head": EARS},
    "vitpose25": {"spine": (12, 35), "neck": SHOULDERS, "head": EARS},
    "mpii16": {"spine": (12, 35), "neck": SHOULDERS, "head": CROWN},
    "crowdpose14": {"spine": (8, 30), "head": CROWN},
    "aic14": {"spine": (8, 30), "head": CROWN},
    "posetrack17": {"spine": CLOSE, "neck": CLOSE, "head": CROWN},
    "posetrack18": {"spine": CLOSE, "neck": CLOSE, "head": EARS},
    "sports2d22": {"spine": (12, 35), "neck": SHOULDERS, "head": CROWN},
    "dlc_full_human14": {"spine": CLOSE, "neck": CLOSE, "head": CHIN},
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_person_has_the_same_joints_in_every_layout(name: str) -> None:
    """Within what the layouts themselves call neck and head; what a layout has is there to the bit."""
    people = full_people(200, seed=1)
    truth = seen(np.stack([people[joint] for joint in COURSE15.joints], axis=1))
    xy = seen(in_layout(name, people))
    made = make(LAYOUTS[name], xy, np.zeros(xy.shape[:2], bool))
    off = np.linalg.norm(made.joint_2d - truth, axis=2) * 4000 / FOCAL  # millimetres, where the root is
    for row, joint in enumerate(COURSE15.joints):
        mean, most = MOST.get(name, {}).get(joint, (0, 0))
        assert off[:, row].mean() <= mean, joint
        assert off[:, row].max() <= most, joint
    np.testing.assert_allclose(made.root, np.tile(CENTRE, (200, 1)), atol=2)  # hips are not equally far away
    assert made.root_seen.all()


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_way_to_make_a_joint_is_a_combination_of_joints(name: str) -> None:
    """Weights of sum 1: what is moved, or turned in the picture, is made moved and turned."""
    layout, rng = LAYOUTS[name], np.random.default_rng(0)
    xy = rng.uniform(0, 500, (50, len(layout), 2))
    missing = rng.random((50, len(layout))) < 0.3
    missing[:, [layout.joints.index("left_hip"), layout.joints.index("right_hip")]] = False
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    one, other = make(layout, xy, missing), make(layout, xy @ turn + (300, -20), missing)
    np.testing.assert_allclose(other.joint_2d, one.joint_2d @ turn + (300, -20), atol=1e-9)
    np.testing.assert_array_equal(other.state, one.state)
    np.testing.assert_array_equal(np.isnan(one.joint_2d).any(axis=2), one.state == MISSING)
    for joint in (*COURSE15.joints, "root", "neck"):
        for way in ways(layout, joint):
            assert sum(way.weights.values()) == pytest.approx(1)


@pytest.mark.parametrize("joint", FITTED)
def test_the_fit_finds_a_combination_again(joint: str) -> None:
    """Of points that are one exactly, and far apart against the noise that it allows for."""
    rng = np.random.default_rng(0)
    names = {part for recipe in recipes(joint) for part in recipe}
    for recipe in recipes(joint):
        points = {name: 30 * rng.normal(size=(400, 3)) for name in names}
        points[joint] = np.asarray(sum(weight * points[part] for part, weight in recipe.items()))
        weights, rms = fit(joint, tuple(recipe), [points])
        np.testing.assert_allclose(weights, list(recipe.values()), atol=1e-4)
        assert rms < 0.01


def test_the_face_is_where_a_face_is() -> None:
    """A person who faces the camera: eyes before ears, the nose below the eyes, the crown above all."""
    points = {name: np.zeros((1, 3)) for name in COURSE15.joints} | {"root": np.zeros((1, 3))}
    for name, place in (("neck", (0, 0.53, 0)), ("head", (0, 0.72, 0))):
        points[name] = np.array([place])
    points["left_shoulder"], points["right_shoulder"] = (
        np.array([[0.18, 0.5, 0]]),
        np.array([[-0.18, 0.5, 0]]),
    )
    face = {name: place[0] for name, place in with_face(points).items()}
    np.testing.assert_allclose(face["head_top"], [0, 0.84, 0], atol=1e-9)
    np.testing.assert_allclose(face["left_eye"], [0.031, 0.725, 0.085], atol=1e-9)
    assert face["nose"][1] < face["left_eye"][1] < face["forehead"][1] < face["head_top"][1]
    assert face["nose"][2] > face["right_eye"][2] > face["right_ear"][2] == 0
    assert face["left_ear"][0] == -face["right_ear"][0] > 0


def test_what_a_detector_did_not_see_is_made_of_what_it_saw() -> None:
    layout, people = LAYOUTS["coco17"], full_people(5)
    xy = seen(in_layout("coco17", {name: place[:1].repeat(5, 0) for name, place in people.items()}))
    score = np.full((5, 17), 0.9)
    score[0, 3] = 0.4
    missing = np.zeros((5, 17), bool)
    missing[1, 3] = True  # the left ear: the other one, nose and trunk
    missing[2, [1, 2, 3, 4]] = True  # ears and eyes: nose and trunk
    missing[3, [11, 13]] = True  # the left hip and knee
    missing[4, [0, 1, 2, 3, 4, 5, 6]] = True  # the face and the shoulders
    made = make(layout, xy, missing, score)
    off = np.linalg.norm(made.joint_2d - made.joint_2d[0], axis=2) * 4000 / FOCAL
    assert (off[1:3, HEAD] < 90).all()
    assert (off[1:3, HEAD] > 0).all()
    np.testing.assert_allclose(made.confidence[:4, HEAD], [0.4, 0.9, 0.9, 0.9], rtol=1e-6)
    assert made.state[:, HEAD].tolist() == [ESTIMATED] * 4 + [MISSING]
    assert made.state[4, [NECK, SPINE]].tolist() == [MISSING] * 2
    assert made.state[3, [3, 4]].tolist() == [MISSING] * 2
    assert np.isnan(made.joint_2d[3, 3]).all()
    assert np.isnan(made.confidence[3, 3])
    assert made.root_seen.tolist() == [True, True, True, False, True]
    assert np.linalg.norm(made.root[3] - made.root[0]) * 4000 / FOCAL < 40  # one hip and the shoulders


def test_an_upper_body_has_its_hips_below_it() -> None:
    people, name = full_people(100, seed=2), "coco17"
    upright = np.linalg.norm(people["thorax"][:, :2], axis=1) > 0.45
    xy = seen(in_layout(name, people))[upright]
    missing = np.zeros(xy.shape[:2], bool)
    missing[:, 11:] = True
    missing[0] = True
    made = make(LAYOUTS[name], xy, missing)
    off = np.linalg.norm(made.root - CENTRE, axis=1)[1:] * 4 / FOCAL
    assert np.median(off) < 0.25  # metres; people bend
    assert not made.root_seen.any()
    assert np.isnan(made.root[0]).all()
    assert (made.state[0] == MISSING).all()


def test_a_million_people_take_seconds() -> None:
    layout = LAYOUTS["coco17"]
    xy = np.random.default_rng(0).uniform(0, 500, (100_000, 17, 2))
    missing = np.random.default_rng(1).random((100_000, 17)) < 0.1
    start = time.perf_counter()
    make(layout, xy, missing, missing.astype(np.float64))
    assert time.perf_counter() - start < 4  # 0.5 s on two busy cores


OWN: dict[str, Any] = {
    "name": "suit",
    "joints": ["LHip", *[name for name in COURSE15.joints if name not in ("left_hip", "neck")], "tail"],
    "made_of": {"left_hip": ["LHip"], "neck": {"left_shoulder": 0.6, "right_shoulder": 0.5, "head": -0.1}},
}


def test_a_layout_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "suit.json"
    path.write_text(json.dumps(OWN))
    layout = layout_named(str(path))
    assert (layout.name, len(layout)) == ("suit", 15)
    xy = np.arange(30.0).reshape(1, 15, 2)
    made = make(layout, xy, np.zeros((1, 15), bool))
    np.testing.assert_array_equal(made.joint_2d[0, 3], xy[0, 0])
    at = {name: xy[0, row] for row, name in enumerate(layout.joints)}
    mixed = 0.6 * at["left_shoulder"] + 0.5 * at["right_shoulder"] - 0.1 * at["head"]
    np.testing.assert_allclose(made.joint_2d[0, NECK], mixed)
    assert (made.state[0, 3], made.state[0, NECK]) == (SEEN, ESTIMATED)
    assert [layout.mirror[row] for row in layout.mirror] == list(range(15))


def test_a_map_of_a_files_names(tmp_path: Path) -> None:
    limbs = [name for name in COURSE15.joints if name not in FITTED]
    own = {f"marker{row}": name for row, name in enumerate(limbs)}
    path = tmp_path / "markers.json"
    path.write_text(json.dumps({"map": own}))
    layout = layout_named(str(path))
    assert layout.joints == tuple(limbs)
    names = ["ball", *reversed(own)]
    assert [names[at] for at in columns_of(layout, names)] == list(own)
    assert columns_of(layout, names[:-1]) == (-1, *range(11, 0, -1))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "has no list 'joints'"),
        ('{"joints": 3}', "has no list 'joints'"),
        ('{"joints": ["a", "b"]}', "needs 3 to 1000 names"),
        ('{"joints": ["a", "a", "b"]}', "each once"),
        ('{"joints": ["left_hip", "b", "c"]}', "has no right_hip"),
        ('{"joints": ["a", "b", 3]}', "a name that is none: '3'"),
        ('{"points": ["a", "b"], "joints": []}', "has 'points', which says nothing"),
        ('{"map": {"a": "left_hip", "b": "left_hip", "c": "x"}}', "each once"),
        (json.dumps({**OWN, "map": {"a": "tail", "b": "tail"}}), "'map' has two names for tail"),
        (json.dumps({**OWN, "map": {"a": "wing"}}), "has no joint 'wing'"),
        (json.dumps({**OWN, "made_of": {"left_hip": ["nobody"]}}), "has no joint 'nobody'"),
        (json.dumps({**OWN, "made_of": {"left_hip": []}}), "is no list of joints"),
        (json.dumps({**OWN, "made_of": {"left_hip": {"LHip": 2}}}), "sum to 2; make it 1"),
        (json.dumps({**OWN, "made_of": {"left_hip": {"LHip": "all"}}}), "has the weight 'all'"),
        (json.dumps({**OWN, "parents": {"tail": "tail"}}), "lead back to it"),
        (json.dumps({**OWN, "parents": []}), "'parents' is no object"),
    ],
)
def test_a_layout_file_that_is_none(content: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(problem)) as told:
        layout_named(str(path))
    assert str(told.value).startswith(str(path))


def test_a_layout_that_does_not_exist() -> None:
    with pytest.raises(ArgumentError, match="layout=coc17: unknown; did you mean coco17"):
        layout_named("coc17")


# ---- docs/layouts.md -----------------------------------------------------------------------------------
DOCS = (ROOT / "docs" / "layouts.md").read_text(encoding="utf-8")


def told(layout_name: str) -> str:
    """A row of the page's first table."""
    layout = LAYOUTS[layout_name]
    hips, neck, head = layout.means
    return f"| `{layout.name}` | {len(layout)} | {layout.about} | {hips} | {neck} | {head} |"


def made_of(layout_name: str) -> str:
    """A row of its second table: what the first way to make root, spine, neck and head takes."""
    layout = LAYOUTS[layout_name]
    cells = []
    for joint in ("root", "spine", "neck", "head"):
        way = ways(layout, joint)[0]
        named = " + ".join(part.replace("_", " ") for part in way.weights)
        for part in ("shoulder", "ear", "hip"):
            named = named.replace(f"left {part} + right {part}", f"{part}s")
        cells.append(named if way.state == SEEN else f"*{named}*")
    return f"| `{layout_name}` | {' | '.join(cells)} |"


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_page_has_every_layout(name: str) -> None:
    assert told(name) in DOCS
    assert made_of(name) in DOCS
    listed = f"`{name}`: {' '.join(LAYOUTS[name].joints)}"
    assert name in ("halpe136", "coco_wholebody133") or listed in " ".join(DOCS.split())


def test_the_page_has_the_numbers_of_every_recipe() -> None:
    for joint, rows in FITTED.items():
        for row in rows:
            shares = " + ".join(f"{weight:g} {part}" for part, weight in row.items()).replace("+ -", "- ")
            assert f"| {joint} | {shares} |" in DOCS


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    for number, example in enumerate(re.findall(r"```json\n(.*?)```", DOCS, flags=re.DOTALL)):
        path = tmp_path / f"{number}.json"
        path.write_text(example)
        layout = layout_named(str(path))
        xy = np.random.default_rng(0).uniform(0, 9, (1, len(layout), 2))
        assert (make(layout, xy, np.zeros((1, len(layout)), bool)).state != MISSING).all()
    assert number == 1
