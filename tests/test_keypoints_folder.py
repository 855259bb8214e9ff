"""Folders of files of one frame each: order, holes, several clips, and one bad file among good ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from keypoint_tables import wide, yolo
from keypoint_texts import flat

from minilift.errors import InputError
from minilift.poses.read.keypoints.clips import clips_of
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked

SIZE = Asked(size=(1000, 800))


def frame_file(folder: Path, name: str, number: int = 0, layout: str = "body25") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    people = [{"person_id": [-1], "pose_keypoints_2d": flat(layout, number)}]
    path.write_text(json.dumps({"version": 1.3, "people": people}))
    return path


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 100, 8):
        frame_file(tmp_path, f"GOPR0105_1080p_{number}_keypoints.json", number)
    (tmp_path / "._GOPR0105_1080p_9_keypoints.json").write_bytes(b"\0\5\26\7")
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    found = load_keypoints(tmp_path)
    assert found.frames.tolist() == found.frame.tolist() == [8, 9, 10, 100]
    assert np.all(np.diff(found.xy[:, 0, 0]) > 0)
    assert found.bad == ()


def test_a_frame_without_a_file_is_one_without_people(tmp_path: Path) -> None:
    for number in (3, 4, 7, 11):
        (tmp_path / f"clip_{number}.txt").write_text(yolo(number))
    (tmp_path / "clip_12.txt").write_bytes(b"")  # a label of a picture without people
    (tmp_path / "classes.txt").write_text("person\n")
    found = load_keypoints(tmp_path, SIZE)
    assert found.frame.tolist() == [3, 4, 7, 11]
    assert found.frames.tolist() == list(range(3, 13))
    assert found.bad == ()
    assert "classes.txt: no frame, as its name has no number; left out" in found.warnings


def test_labels_of_unrelated_pictures_have_no_holes(tmp_path: Path) -> None:
    for number in (139, 285, 581929):
        numbers = yolo().split()
        numbers[7::3] = ["2"] * 17
        (tmp_path / f"{number:012}.txt").write_text(" ".join(numbers))
    found = load_keypoints(tmp_path, SIZE)
    assert found.stills
    assert found.frames.tolist() == [139, 285, 581929]


def test_several_clips_in_a_folder(tmp_path: Path) -> None:
    for clip in ("walkA", "walkB", "walk"):
        for number in range(2):
            frame_file(tmp_path, f"{clip}_{number:012}_keypoints.json", number + ord(clip[-1]))
    with pytest.raises(InputError, match=r"3 clips in it: walkA \(2\), walkB \(2\), walk \(2\)"):
        load_keypoints(tmp_path)
    one, other = (load_keypoints(tmp_path, Asked(clip=clip)) for clip in ("walkB", "walk"))
    assert one.xy[0, 0, 0] != other.xy[0, 0, 0]
    assert len(one) == len(other) == 2
    shell = clips_of(sorted(tmp_path.iterdir()))
    assert sorted(clip.name for clip in shell) == ["walk", "walkA", "walkB"]
    assert [len(clip.load()) for clip in shell] == [2, 2, 2]


def test_one_bad_file_of_many(tmp_path: Path) -> None:
    for number in range(20):
        frame_file(tmp_path, f"walk_{number:012}_keypoints.json", number, "openpose_coco18")
    for number, content in ((7, b'{"version": 1.3, "people": ['), (9, b""), (11, b"\x80\x04]q\0.")):
        (tmp_path / f"walk_{number:012}_keypoints.json").write_bytes(content)
    found = load_keypoints(tmp_path)
    assert len(found) == 17
    assert [line.partition("walk_")[2][:12] for line in found.bad] == [f"{n:012}" for n in (7, 9, 11)]
    assert "line 1, column" in found.bad[0]
    for path in tmp_path.iterdir():
        path.write_bytes(b"{")
    with pytest.raises(InputError, match=r"walk_0{12}_keypoints\.json: is broken JSON"):
        load_keypoints(tmp_path)


def test_two_layouts_in_a_folder(tmp_path: Path) -> None:
    frame_file(tmp_path, "walk_0_keypoints.json")
    frame_file(tmp_path, "walk_1_keypoints.json", layout="openpose_coco18")
    with pytest.raises(
        InputError, match=r"walk_0_keypoints.json has people of 25 joints and walk_1\S+ of 18"
    ):
        load_keypoints(tmp_path)


def test_clips_of_what_is_named(tmp_path: Path) -> None:
    for number in range(3):
        frame_file(tmp_path / "frames", f"walk_{number}_keypoints.json", number)
    tables = tmp_path / "tables"
    tables.mkdir()
    for name in ("a.csv", "b.csv"):
        (tables / name).write_text(wide(2))
    (tables / "notes.md").write_text("what was filmed\n")
    (tables / "broken.csv").write_text("1,2\n")
    clips = clips_of([tmp_path / "frames", tables, tables / "a.csv"])
    assert [clip.name for clip in clips] == ["frames", "a", "b", "broken", "a"]
    assert [len(clip.load()) for clip in clips[:3]] == [3, 2, 2]
    with pytest.raises(InputError, match=r"broken\.csv"):
        clips[3].load()
    with pytest.raises(InputError, match="no such file"):
        clips_of([tmp_path / "nothing.json"])


def test_folders_in_a_folder(tmp_path: Path) -> None:
    for clip in ("b", "a"):
        for number in range(2):
            frame_file(tmp_path / clip, f"{clip}_{number}.json", number)
    assert [clip.name for clip in clips_of([tmp_path])] == ["a", "b"]
    with pytest.raises(InputError, match="no file in it, but folders: a, b"):
        load_keypoints(tmp_path)
