"""The forms that JSON of detectors has beside the usual one, what is missing in it, and what is refused."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keypoint_texts import GOLDEN, SCORE, SIZE, camel, flat, objects, place, places, triples

from minilift.errors import ArgumentError, InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import LAYOUTS
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.read.keypoints.rows import clip_of, frame_in_name

COCO = LAYOUTS["coco17"].joints
NORMAL = Asked(size=SIZE)


def load(folder: Path, value: Any, asked: Asked | None = None, name: str = "file.json") -> Keypoints:
    (folder / name).write_text(json.dumps(value))
    return load_keypoints(folder / name, asked)


def instance(frame: int = 0, person: int = 0, **about: Any) -> dict[str, Any]:
    return {"keypoints": places("coco17", frame, person), "keypoint_scores": [SCORE] * 17, **about}


def yolo(frame: int = 0, size: tuple[int, int] = (1, 1), **about: Any) -> dict[str, Any]:
    x, y = np.transpose(np.array(places("coco17", frame)) / size).tolist()
    return {"name": "person", "box": {"x1": 1}, "keypoints": {"x": x, "y": y}, **about}


PROTOBUF = {"landmark": objects("mediapipe33", score="visibility", name=None, size=SIZE)}
POSENET = {
    "score": 0.9,
    "keypoints": [{"part": camel(o["name"]), "score": SCORE, "position": o} for o in objects("coco17")],
}
NAMELESS = [{"x": x, "y": y, "score": SCORE} for x, y in places("coco17")]
NUMBERED = [
    {"landmarkType": row, "position": {"x": o["x"], "y": o["y"]}, "inFrameLikelihood": SCORE}
    for row, o in enumerate(objects("mediapipe33"))
]
FORMS: dict[str, tuple[Any, str, tuple[int, ...], int]] = {
    "demo of one picture": (
        {"meta_info": {}, "instance_info": [instance(), instance(person=1)]},
        "mmpose1",
        (0,),
        2,
    ),
    "an inferencer's result": ({"predictions": [[instance()]], "visualization": []}, "mmpose1", (0,), 1),
    "results of an inferencer": ([{"predictions": [[instance(f)]]} for f in (0, 1)], "mmpose1", (0, 1), 1),
    "lists of instances": ([[instance()], [], [instance(2)]], "mmpose1", (0, 1, 2), 1),
    "0.x, one picture": (
        [{"keypoints": triples("coco17")}, {"keypoints": triples("coco17", 0, 1)}],
        "mmpose0",
        (0,),
        2,
    ),
    "yolo of two frames": ([[], [yolo(1)]], "ultralytics-json", (0, 1), 1),
    "yolo among boxes": ([{"name": "dog", "box": {}}, yolo()], "ultralytics-json", (0,), 1),
    "yolo as texts": ([json.dumps([yolo(f)]) for f in (0, 1)], "ultralytics-json", (0, 1), 1),
    "yolo of fractions": ([yolo(size=SIZE)], "ultralytics-json", (0,), 1),
    "protobuf": ([PROTOBUF, {"pose_landmarks": PROTOBUF}], "mediapipe-json", (0, 1), 1),
    "lists of landmarks": ([PROTOBUF["landmark"], None], "mediapipe-json", (0, 1), 1),
    "python tasks": ({"pose_landmarks": [PROTOBUF["landmark"]]}, "mediapipe-tasks-json", (0,), 1),
    "ML Kit by number": ([{"landmarks": NUMBERED[9:] + NUMBERED[:9]}], "mlkit-json", (0,), 1),
    "one pose": ({"score": 0.5, "keypoints": objects("coco17")}, "tfjs-poses", (0,), 1),
    "poses with times": ([{"time": 9, "poses": [{"keypoints": objects("coco17")}]}], "tfjs-poses", (0,), 1),
    "poses without names": ([[{"keypoints": NAMELESS}]], "tfjs-poses", (0,), 1),
    "ml5's bodyPose": (
        [[{"id": 3, "keypoints": objects("coco17", score="confidence")}]],
        "tfjs-poses",
        (0,),
        1,
    ),
    "ml5's PoseNet": ([[{"pose": POSENET, "skeleton": []}]], "posenet", (0,), 1),
    "early easy_ViTPose": (
        {"keypoints": [[[[y, x, SCORE] for x, y in places("coco17")]]], "skeleton": list(COCO)},
        "easy-vitpose",
        (0,),
        1,
    ),
    "cmu of one picture": (
        {"version": "AlphaPose v0.3", "bodies": [{"joints": flat("openpose_coco18")}]},
        "openpose",
        (0,),
        1,
    ),
    "a list with gaps": ([triples("coco17"), None, [], triples("coco17", 3)], "array-json", (0, 1, 2, 3), 1),
    "a list of people": (
        [[triples("coco17"), triples("coco17", 0, 1)], [triples("coco17", 1)]],
        "array-json",
        (0, 1),
        2,
    ),
    "a flat list": ([flat("coco17", f) for f in (0, 1)], "array-json", (0, 1), 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_a_format_are_read(form: str, tmp_path: Path) -> None:
    value, name, frames, people = FORMS[form]
    found = load(tmp_path, value, NORMAL)
    assert (found.format, tuple(found.frames), found.people) == (name, frames, people)
    assert not found.missing.any()
    wrist = found.layout.joints.index("left_wrist")
    for row in range(len(found)):
        shift = found.frame[row] if name not in ("mediapipe-json",) else 0
        np.testing.assert_allclose(
            found.xy[row, wrist], place("left_wrist", shift, found.person[row]), atol=1e-6
        )
    if found.score is not None:
        np.testing.assert_allclose(found.score, SCORE, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "frame", "clip"),
    [
        ("walk_000000000012_keypoints.json", 12, "walk"),
        ("GOPR0105_1080p_000000000120_keypoints.json", 120, "GOPR0105_1080p"),
        ("Static_cam_01.00000.json", 0, "Static_cam_01"),
        ("000000081988.jpg.predictions.json", 81988, ""),
        ("a/b/COCO_val2014_000000000459.jpg", 459, "COCO_val2014"),
        ("img_7_left.json", 7, "img_left"),
        ("nothing.json", None, "nothing"),
        ("5_pose_2d.json", 5, ""),
        ("1" * 40 + ".png", int("1" * 15), ""),
    ],
)
def test_the_number_of_a_frame_is_the_last_in_its_name(name: str, frame: int | None, clip: str) -> None:
    assert (frame_in_name(name), clip_of(name)) == (frame, clip)


# ---- OpenPose's scales ---------------------------------------------------------------------------------
def openpose(folder: Path, frames: list[list[list[float]]]) -> Path:
    for frame, people in enumerate(frames):
        content = {"version": 1.3, "people": [{"pose_keypoints_2d": person} for person in people]}
        (folder / f"walk_{frame}_keypoints.json").write_text(json.dumps(content))
    return folder


def scaled(frame: int, low: float, missing: tuple[float, float]) -> list[float]:
    """BODY_25 in 0 to 1 or -1 to 1, the nose missing; in frame 0 all of the person is right of the middle."""
    joints = np.array(triples("body25", frame))
    joints[:, :2] = joints[:, :2] / (np.array(SIZE) - 1) * (1 - low) + low
    joints[0] = (*missing, 0)
    return joints.ravel().tolist()


@pytest.mark.parametrize(("low", "missing"), [(0.0, (0.0, 0.0)), (-1.0, (-1.0, -1.0))])
def test_openpose_in_scales_needs_a_size_and_gives_pixels(
    low: float, missing: tuple[float, float], tmp_path: Path
) -> None:
    folder = openpose(tmp_path, [[scaled(f, low, missing)] for f in (0, 1)])
    with pytest.raises(ArgumentError, match="is needed") as told:
        load_keypoints(folder)
    assert told.value.name == "size"
    found = load_keypoints(folder, NORMAL)
    assert found.missing[:, 0].all()
    assert found.missing.sum() == 2
    row = found.layout.joints.index("left_wrist")
    np.testing.assert_allclose(found.xy[1, row], place("left_wrist", 1), atol=1e-6)


def test_the_whole_clip_tells_the_scale_of_openpose(tmp_path: Path) -> None:
    """Who stands in the lower right quarter has positive numbers on both scales."""
    corner = [[0.5 + 0.4 * j / 25, 0.9, SCORE] for j in range(25)]
    first = [number for joint in corner for number in joint]
    found = load_keypoints(openpose(tmp_path, [[first], [scaled(1, -1, (-1, -1))]]), NORMAL)
    np.testing.assert_allclose(found.xy[0, 0], [1.5 / 2 * 1279, 1.9 / 2 * 719])


def test_openpose_people_without_a_joint_are_none_and_their_frames_are_there(tmp_path: Path) -> None:
    folder = openpose(tmp_path, [[flat("body25")], [[]], [[0.0] * 75], [], [[], flat("body25", 4)]])
    found = load_keypoints(folder)
    assert found.frames.tolist() == [0, 1, 2, 3, 4]
    assert found.frame.tolist() == [0, 4]
    assert found.people == 1


# ---- folders -------------------------------------------------------------------------------------------
def test_a_picture_without_people_is_an_empty_frame(tmp_path: Path) -> None:
    for frame, people in enumerate(([], [instance(1)], [])):
        (tmp_path / f"img_{frame}.json").write_text(json.dumps(people))
    found = load_keypoints(tmp_path)
    assert (found.frames.tolist(), found.frame.tolist(), found.bad) == ([0, 1, 2], [1], ())


def test_one_bad_file_of_many_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    openpose(tmp_path, [[flat("body25", f)] for f in range(20)])
    (tmp_path / "walk_7_keypoints.json").write_text('{"version": 1.3, "people": [{"pose_keypoints_2d": [1, ')
    found = load_keypoints(tmp_path)
    assert len(found) == 19
    assert 7 not in found.frames
    (told,) = found.bad
    assert "walk_7_keypoints.json" in told
    assert "line 1" in told


# ---- identities ----------------------------------------------------------------------------------------
def alphapose(*people: tuple[int, int, Any, float]) -> list[dict[str, Any]]:
    return [
        {"image_id": f"{frame}.jpg", "keypoints": flat("coco17", frame, person), "idx": idx, "score": score}
        for frame, person, idx, score in people
    ]


def test_ids_are_kept_as_the_file_writes_them(tmp_path: Path) -> None:
    found = load(tmp_path, alphapose((1, 0, 7, 2), (0, 1, [9.0], 2), (0, 0, 7.0, 2)))
    assert found.track is not None
    assert [found.track_names[t] for t in found.track] == ["9", "7", "7"]
    assert found.frame.tolist() == [0, 0, 1]
    assert found.people == 2


@pytest.mark.parametrize("number", [[0.0], 5])
def test_a_number_that_everyone_has_is_no_id(number: Any, tmp_path: Path) -> None:
    found = load(tmp_path, alphapose(*((f, p, number, 2) for f in range(4) for p in (0, 1))))
    assert found.track is None
    assert len(found) == 8


def test_of_two_with_one_id_in_a_frame_the_surer_is_kept(tmp_path: Path) -> None:
    people = [(f, p, p, 2.0) for f in range(6) for p in (0, 1)]
    found = load(tmp_path, alphapose(*people, (3, 1, 0, 1.0)))
    assert len(found) == 12
    assert found.track is not None
    np.testing.assert_allclose(found.xy[(found.frame == 3) & (found.track == 0), 0], [place("nose", 3)])
    assert any("the id of another" in line for line in found.warnings)


def test_people_who_are_there_twice_are_counted(tmp_path: Path) -> None:
    people = [{"image_id": f, "keypoints": flat("coco17", f, p)} for f in range(9) for p in (0, 1)]
    assert not load(tmp_path, people).warnings
    (told,) = load(tmp_path, people + people[:3]).warnings
    assert told.startswith("3 people are there twice in a frame")


def test_a_place_in_another_universe_is_missing(tmp_path: Path) -> None:
    people = [{"image_id": f, "keypoints": [1e300, 5, 1, *flat("coco17", f)[3:]]} for f in (0, 1)]
    found = load(tmp_path, people)
    assert found.missing[:, 0].all()
    assert np.isnan(found.xy[:, 0]).all()


# ---- COCO ----------------------------------------------------------------------------------------------
def annotations(names: list[str], **about: Any) -> dict[str, Any]:
    images = [
        {"id": 50 - row, "file_name": name, "width": 1280, "height": 720} for row, name in enumerate(names)
    ]
    people = [
        {"id": i, "image_id": image["id"], "category_id": 1, "keypoints": flat("coco17", i, third=2), **about}
        for i, image in enumerate(images)
    ]
    return {"images": images, "annotations": people, "categories": [{"id": 1, "keypoints": list(COCO)}]}


def test_frames_of_annotations_are_counted_in_the_names_of_a_clip(tmp_path: Path) -> None:
    found = load(tmp_path, annotations(["walk/f_0010.png", "walk/f_0002.png"]))
    assert found.frames.tolist() == [2, 10]
    assert (found.stills, found.size) == (False, SIZE)
    assert found.score is None


def test_pictures_of_a_data_set_are_stills_with_their_ids(tmp_path: Path) -> None:
    found = load(tmp_path, annotations(["a1b.jpg", "7c.jpg", "x9.jpg"]))
    assert found.frames.tolist() == [48, 49, 50]
    assert found.stills


def test_one_of_several_clips_in_annotations_is_asked_for(tmp_path: Path) -> None:
    value = annotations([f"{clip}/{frame:04}.png" for clip in ("walkA", "walkB") for frame in range(3)])
    with pytest.raises(InputError, match=r"2 clips in it: walkA \(3\), walkB \(3\)"):
        load(tmp_path, value)
    found = load(tmp_path, value, Asked(clip="walkb"))
    assert found.frames.tolist() == [0, 1, 2]
    assert len(found) == 3


def test_a_flag_is_no_score_and_zero_is_missing(tmp_path: Path) -> None:
    value = annotations(["f_1.png"])
    value["annotations"][0]["keypoints"][:6] = [0, 0, 0, 612, 140, 0]
    found = load(tmp_path, value)
    assert found.score is None
    assert found.missing[0].tolist() == [True, True, *[False] * 15]
    assert any("1 joints have a place but the flag 0" in line for line in found.notes)


def test_results_among_boxes(tmp_path: Path) -> None:
    boxes = [{"image_id": 3, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]
    found = load(tmp_path, [*boxes, {"image_id": 3, "keypoints": flat("coco17"), "score": 0.9}])
    assert len(found) == 1
    assert "1 results are boxes" in " ".join(found.notes)


# ---- what is refused -----------------------------------------------------------------------------------
HUGE = "9" * 400
REFUSED = {
    "people of two layouts": (
        [{"image_id": 1, "keypoints": flat(n)} for n in ("coco17", "halpe26")],
        "two layouts",
    ),
    "text for a number": (
        [{"image_id": 1, "keypoints": ["12.5", *flat("coco17")[1:]]}],
        "frame 1 has no lists of",
    ),
    "50 numbers": ([{"image_id": 1, "keypoints": flat("coco17")[1:]}], "has 50 numbers, not 3 for each"),
    "all NaN": ([{"image_id": 1, "keypoints": [float("nan")] * 51}], "not one joint was found"),
    "nobody": ({"version": 1.3, "people": []}, "no person in any of its one frame"),
    "3D of MMPose": (
        [{"frame_id": 0, "instances": [{"keypoints": triples("coco17"), "keypoint_scores": [1] * 17}]}],
        "3D already",
    ),
    "world landmarks": ([{"worldLandmarks": [objects("mediapipe33")]}], "3D already"),
    "keypoints3D": ([[{"keypoints3D": objects("mediapipe33")}]], "3D already"),
    "SMPL": ({"betas": [0.0] * 10, "poses": [[0.0] * 72]}, "3D already"),
    "boxes of YOLO": ([{"name": "person", "class": 0, "box": {}}], "has boxes"),
    "an animal": (
        {
            **annotations(["f_1.png"]),
            "categories": [{"id": 1, "name": "cat", "keypoints": ["tail", "paw", "ear"]}],
        },
        "'cat'",
    ),
    "package.json": ({"name": "demo", "version": "1.0.0", "dependencies": {}}, "JSON without keypoints"),
    "names without numbers": ([{"image_id": "a.jpg", "keypoints": flat("coco17")}], "'a.jpg'"),
    "two pictures of one number": (
        [{"image_id": f"{n}1.jpg", "keypoints": flat("coco17")} for n in "ab"],
        "both count as frame 1",
    ),
    "19 joints": ([{"image_id": 1, "keypoints": flat("coco17") + [1.0] * 6}], "19 joints"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_lifted_is_told_in_a_line(case: str, tmp_path: Path) -> None:
    value, words = REFUSED[case]
    with pytest.raises(InputError) as told:
        load(tmp_path, value)
    assert words in str(told.value)
    assert "file.json" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '[{"image_id": 1, "keypoints": [' + HUGE, "[1,"]
)
def test_broken_and_deep_json_is_told_in_a_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(InputError, match=r"file\.json: is (broken JSON at line 1|nested too deeply)"):
        load_keypoints(tmp_path / "file.json")


def test_a_layout_that_numbers_do_not_tell_is_asked_for(tmp_path: Path) -> None:
    people = [{"image_id": f, "keypoints": flat("crowdpose14", f)} for f in range(3)]
    found = load(tmp_path, people, Asked(layout="crowdpose14"))
    assert found.layout.name == "crowdpose14"
    with pytest.raises(ArgumentError, match=r"has 17 joints, and .* has 14") as told:
        load(tmp_path, people, Asked(layout="coco17"))
    assert told.value.name == "layout"


def test_a_size_that_the_file_denies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="1280x720") as told:
        load(tmp_path, annotations(["f_1.png"]), Asked(size=(640, 480)))
    assert told.value.name == "size"


@pytest.mark.parametrize(
    ("asked", "words"), [("openpos", "did you mean openpose"), ("openpose", "is no openpose")]
)
def test_a_format_that_is_asked_for_has_to_be_that_of_the_file(
    asked: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        load(tmp_path, [[instance()]], Asked(format=asked))


def test_a_video_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    with pytest.raises(InputError, match="is a video, not keypoints; minilift predict finds"):
        load_keypoints(tmp_path / "clip.mp4")


# ---- size of files -------------------------------------------------------------------------------------
def test_ten_thousand_frames_take_no_more_than_a_few_times_as_long_as_their_json(tmp_path: Path) -> None:
    person = json.loads(GOLDEN["alphapose"].content)[0]
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{**person, "image_id": f"{f}.jpg"} for f in range(10_000)]))
    start = time.process_time()
    json.loads(path.read_bytes())
    parsed = time.process_time()
    assert len(load_keypoints(path)) == 10_000
    assert time.process_time() - parsed < 8 * (parsed - start) + 0.5  # 1.6 to 2 times, seen
