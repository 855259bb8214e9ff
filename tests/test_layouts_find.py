"""Which layout a file has: by names, by number, by the look of people; sides exchanged, y upside down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from layout_people import full_people, in_layout, seen

from minilift.errors import ArgumentError, InputError
from minilift.poses.layouts import LAYOUTS
from minilift.poses.layouts.find import by_count, by_names, decide, doubts, implausible
from minilift.poses.layouts.make import make
from minilift.poses.layouts.names import plain
from minilift.poses.layouts.sides import upside_down
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked

NAMES = {
    "coco17": ["Nose", "leftEye", "rightEye", "l.ear", "r.ear", "LShoulder", "RShoulder", "left elbow",
               "Right Elbow", "l_wrist", "r_wrist", "LHip", "RHip", "left-knee", "right-knee",
               "LANK", "RANK"],
    "dlc_full_human14": ["ankle1", "knee1", "hip1", "hip2", "knee2", "ankle2", "wrist1", "elbow1",
                         "shoulder1",
                         "shoulder2", "elbow2", "wrist2", "chin", "forehead"],
    "aic14": ["Right Shoulder", "Right Elbow", "Right Wrist", "Left Shoulder", "Left Elbow", "Left Wrist",
              "Right Hip", "Right Knee", "Right Ankle", "Left Hip", "Left Knee", "Left Ankle", "Head top",
              "Neck"],
    "mediapipe33": [name.upper() for name in LAYOUTS["mediapipe33"].joints],
    "body25": ["Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip",
               "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
               "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"],
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_as_files_write_them(name):
    found = by_names(NAMES[name])
    assert found is not None
    assert found.layout.name == name
    assert found.columns == tuple(range(len(found.layout)))
    shuffled = NAMES[name][::-1]
    again = by_names(shuffled)
    assert again is not None
    named = [plain(shuffled[i]) for i in again.columns]
    if name != "dlc_full_human14":  # whose sides are numbers
        assert named == [plain(joint) for joint in again.layout.joints]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layouts_own_names_lead_to_it(name):
    found = by_names(LAYOUTS[name].joints)
    assert found is not None
    assert found.layout is LAYOUTS[name]
    assert found.columns == tuple(range(len(found.layout)))


def test_names_of_no_known_layout():
    assert by_names(["bodypart1", "bodypart2", "objectA"]) is None
    assert by_names(["L_Eye", "R_Eye", "Nose", "Neck", "Root of tail", "L_Shoulder", "L_Elbow"]) is None
    some = [name for name in LAYOUTS["coco17"].joints if "ankle" not in name]
    found = by_names(some)
    assert found is not None
    assert (found.layout.name, found.layout.joints) == ("named", tuple(some))
    more = by_names([*LAYOUTS["coco17"].joints, "ball"])
    assert more is not None
    assert more.layout.name == "coco17"


def test_how_many_joints_say_which_layouts():
    assert [layout.name for layout in by_count(17)][:2] == ["coco17", "h36m17"]
    assert [layout.name for layout in by_count(25)] == ["body25", "body25b", "vitpose25"]
    assert by_count(19) == ()


MMPOSE_H36M = [
    "root", "right_hip", "right_knee", "right_foot", "left_hip", "left_knee", "left_foot", "spine", "thorax",
    "neck_base", "head", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow",
    "right_wrist",
]  # fmt: skip


def test_names_that_a_layout_goes_by_elsewhere() -> None:
    found = by_names(MMPOSE_H36M)
    assert found is not None
    assert (found.layout.name, found.columns) == ("h36m17", tuple(range(17)))
    for name in ("halpe136", "coco_wholebody133"):
        joints = [joint.replace("face_", "face-") for joint in LAYOUTS[name].joints]
        start = joints.index("left_hand_root")
        joints[start:] = [f"{side}_hand_{i}" for side in ("left", "right") for i in range(21)]
        found = by_names(joints)
        assert found is not None
        assert (found.layout.name, found.columns) == (name, tuple(range(len(joints))))


ANIMAL = [
    f"{side}_{part}"
    for side in "LR"
    for part in ("Eye", "Shoulder", "Elbow", "F_Paw", "Hip", "Knee", "B_Paw")
]


def test_an_animal_is_no_person() -> None:
    assert by_names([*ANIMAL, "Nose", "Neck", "Root of tail"]) is None
    assert by_names([name for name in ANIMAL if "Paw" not in name]) is not None  # it is the paws that tell


# ---- the look of people --------------------------------------------------------------------------------
AMBIGUOUS = [
    name
    for name, layout in LAYOUTS.items()
    if len(by_count(len(layout))) > 1 and layout in by_count(len(layout))
]


def noisy(name: str, n: int = 60, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """People in pixels, each point off by 3 pixels, and what is missing of them: nothing."""
    xy = seen(in_layout(name, full_people(n, seed)))
    xy = xy + np.random.default_rng(seed).normal(0, 3, xy.shape)
    return xy, np.zeros(xy.shape[:2], bool)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_the_look_of_people_tells_layouts_apart(name: str) -> None:
    xy, missing = noisy(name)
    assert decide(by_count(len(LAYOUTS[name])), xy, missing) is LAYOUTS[name]
    assert not implausible(LAYOUTS[name], xy, missing)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_one_person_is_hardly_ever_taken_for_another_layout(name: str) -> None:
    """Asking is fine, a wrong answer is not: none of 60, but 3 and 1 where layouts are alike."""
    xy, missing = noisy(name)
    found = [decide(by_count(len(LAYOUTS[name])), xy[i : i + 1], missing[i : i + 1]) for i in range(60)]
    wrong = [layout.name for layout in found if layout is not None and layout is not LAYOUTS[name]]
    assert len(wrong) <= {"posetrack18": 4, "aic14": 1}.get(name, 0)
    assert sum(layout is LAYOUTS[name] for layout in found) >= 20


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("coco17", "h36m17"), ("h36m17", "coco17"), ("body25b", "body25"), ("body25", "vitpose25"),
     ("mpii16", "h36m16"), ("crowdpose14", "aic14"), ("coco17", "mpi_inf_3dhp17")],
)  # fmt: skip
def test_people_in_the_wrong_layout_are_not_believed(right: str, wrong: str) -> None:
    xy, missing = noisy(right)
    told = implausible(LAYOUTS[wrong], xy, missing)
    assert told.startswith(f"taken for {wrong}, the joints make no person (")
    assert told.endswith(f"; they look like {right}")


def test_points_that_say_nothing() -> None:
    """No rows, nothing seen, all in one place, far away: no layout is called wrong, and none is chosen."""
    layout, candidates = LAYOUTS["coco17"], by_count(17)
    for xy in (
        np.zeros((0, 17, 2)),
        np.zeros((3, 17, 2)),
        1e200 * np.random.default_rng(0).normal(size=(3, 17, 2)),
        np.full((3, 17, 2), np.nan),
    ):
        missing = np.zeros(xy.shape[:2], bool)
        for gone in (missing, ~missing):
            assert decide(candidates, xy, gone) is None
            assert not implausible(layout, xy, gone)
            assert not doubts(layout, xy, gone, np.ones(xy.shape[:2]))
            assert make(layout, 1.79e308 * np.sign(xy), gone).joint_2d.shape == (len(xy), 15, 2)
    assert decide((), np.zeros((1, 19, 2)), np.zeros((1, 19), bool)) is None


@pytest.mark.parametrize("name", ["coco17", "body25", "halpe26", "mediapipe33", "h36m17", "mpii16", "aic14"])
def test_y_that_points_up_is_seen(name: str) -> None:
    xy, missing = noisy(name)
    assert doubts(LAYOUTS[name], xy, missing) == ()
    (told,) = doubts(LAYOUTS[name], xy * (1, -1), missing)
    assert "y seems to point up" in told
    assert doubts(LAYOUTS[name], xy[:5] * (1, -1), missing[:5]) == ()  # five may be doing gymnastics
    assert upside_down(LAYOUTS[name], xy * (1, -1), missing)
    for share in (0.3, 0.7):  # some handstands, and a file of acrobats that is turned
        turned = np.where(np.arange(60)[:, None, None] < 60 * share, xy * (1, -1), xy)
        assert upside_down(LAYOUTS[name], turned, missing) == (share > 0.5)


def standing(name: str, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """People who stand, or walk, on both feet."""
    xy, missing = noisy(name, 300)
    layout = LAYOUTS[name]
    height = [layout.joints.index(f"{side}_ankle") for side in ("left", "right")]
    hips = [layout.joints.index(f"{side}_hip") for side in ("left", "right")]
    legs = (xy[:, height] - xy[:, hips])[..., 1].min(axis=1)
    rows = np.argsort(-legs)[:n]
    return xy[rows], missing[rows]


@pytest.mark.parametrize("name", ["body25", "halpe26", "mediapipe33", "body25b"])
def test_sides_that_are_exchanged_are_seen_by_the_toes(name: str) -> None:
    xy, missing = standing(name)
    layout = LAYOUTS[name]
    assert doubts(layout, xy, missing) == ()
    (told,) = doubts(layout, xy[:, list(layout.mirror)], missing)
    assert "has the left shoulder on the left: left and right seem exchanged" in told


def test_sides_that_are_exchanged_are_seen_by_the_face() -> None:
    """A detector that gives no face from behind; with scores it may give a doubtful one."""
    people, layout = full_people(200, 5), LAYOUTS["coco17"]
    xy = seen(in_layout("coco17", people))
    behind = people["nose"][:, 2] < people["head"][:, 2]
    missing = np.zeros(xy.shape[:2], bool)
    missing[behind, :3] = True
    score = np.where(missing, 0.3, 0.9)
    mirrored = xy[:, list(layout.mirror)]
    for gone, sure in ((missing, None), (missing, score), (np.zeros_like(missing), score)):
        assert doubts(layout, xy, gone, sure) == ()
        assert len(doubts(layout, mirrored, gone, sure)) == 1
    everywhere = np.zeros_like(missing)[behind]  # a face on the back of every head: it cannot be told
    assert doubts(layout, xy[behind], everywhere) == doubts(layout, mirrored[behind], everywhere) == ()


def test_a_face_with_its_sides_exchanged_is_seen() -> None:
    xy, missing = noisy("coco17")
    (told,) = doubts(LAYOUTS["coco17"], xy[:, [0, 2, 1, 4, 3, *range(5, 17)]], missing)
    assert told.startswith("ears and shoulders contradict each other")


# ---- files of detectors --------------------------------------------------------------------------------
FOLDER = ROOT.parent / "shared" / "data" / "keypoints"


def annotated(path: str) -> tuple[np.ndarray, np.ndarray]:
    rows = [
        np.reshape(one["keypoints"], (-1, 3)).astype(np.float64)
        for one in json.loads((FOLDER / path).read_text())["annotations"]
    ]
    xyv = np.stack(rows)
    return xyv[..., :2], xyv[..., 2] == 0


def openpose(path: str) -> tuple[np.ndarray, np.ndarray]:
    rows: list[Any] = []
    for file in sorted((FOLDER / path).glob("*.json")):
        rows += [one["pose_keypoints_2d"] for one in json.loads(file.read_text())["people"]]
    xy = np.array(rows, np.float64).reshape(len(rows), -1, 3)[..., :2]
    return xy, (xy == 0).all(axis=2)


def array(path: str) -> tuple[np.ndarray, np.ndarray]:
    xy = np.atleast_3d(np.load(FOLDER / path)).reshape(-1, 17, 3)[..., :2].astype(np.float64)
    return xy, np.zeros(xy.shape[:2], bool)


REAL = {
    "coco/aic_real.json": (annotated, "aic14"),
    "coco/crowdpose_real.json": (annotated, "crowdpose14"),
    "coco/coco_real.json": (annotated, "coco17"),
    "coco/posetrack18_val_real.json": (annotated, "posetrack18"),
    "openpose/body25_v12_real": (openpose, "body25"),
    "openpose/body25_face_hands_real": (openpose, "body25"),
    "openpose/body25b_static_real": (openpose, "body25b"),
    "openpose/body25b_made": (openpose, "body25b"),
    "openpose/mpi15_start105_made": (openpose, "mpi15"),
    "openpose/coco17_rtmlib_made": (openpose, "coco17"),
    "numpy/h36m17_detection_real.npy": (array, "h36m17"),
    "numpy/coco17_xys_made.npy": (array, "coco17"),
    "numpy/one_frame_made.npy": (array, "coco17"),
}


@pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/keypoints is not there")
@pytest.mark.parametrize("path", REAL)
def test_real_people_tell_their_layout(path: str) -> None:
    """Without the names that a file may have, by their look alone."""
    read, name = REAL[path]
    xy, missing = read(path)
    candidates = by_count(xy.shape[1])
    assert decide(candidates, xy, missing) is LAYOUTS[name]
    assert not implausible(LAYOUTS[name], xy, missing)
    assert doubts(LAYOUTS[name], xy, missing) == ()
    known = [layout for layout in candidates if implausible(layout, xy, missing)]
    assert LAYOUTS[name] not in known


def test_a_map_of_names_meets_a_file(tmp_path: Path) -> None:
    """A table of DeepLabCut's whose body parts have names that say nothing."""
    joints = [joint for joint in LAYOUTS["coco17"].joints if "eye" not in joint]
    names = [f"bodypart{i}" for i in range(len(joints))]
    xy = seen(in_layout("coco17", full_people(4)))[
        :, [LAYOUTS["coco17"].joints.index(joint) for joint in joints]
    ]
    rows = [["scorer", *["me"] * 3 * len(names)], ["bodyparts", *[name for name in names for _ in range(3)]]]
    rows += [["coords", *["x", "y", "likelihood"] * len(names)]]
    rows += [[str(i), *[f"{v:.3f}" for x, y in people for v in (x, y, 0.9)]] for i, people in enumerate(xy)]
    table = tmp_path / "clip.csv"
    table.write_text("\n".join(",".join(row) for row in rows))
    with pytest.raises(InputError, match=r"say which is which in a \.json file"):
        load_keypoints(table)
    own = dict(zip(names[::-1], joints[::-1], strict=True))
    (tmp_path / "map.json").write_text(json.dumps({"map": own}))
    found = load_keypoints(table, Asked(layout=str(tmp_path / "map.json")))
    assert found.layout.joints == tuple(joints[::-1])
    np.testing.assert_allclose(found.xy, xy[:, ::-1], atol=1e-3)
    (tmp_path / "map.json").write_text(
        json.dumps({"map": {f"{name}x": joint for name, joint in own.items()}})
    )
    with pytest.raises(ArgumentError, match=r"no joint of .*clip\.csv is its right_ankle; correct its map"):
        load_keypoints(table, Asked(layout=str(tmp_path / "map.json")))
    np.save(tmp_path / "clip.npy", xy)
    with pytest.raises(
        ArgumentError, match=r"is a map of names, and .*clip\.npy has none; list its 'joints'"
    ):
        load_keypoints(tmp_path / "clip.npy", Asked(layout=str(tmp_path / "map.json")))
