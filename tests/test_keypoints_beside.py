"""What lies next to keypoints, and what counts their frames: other files, links to nothing, times."""

from __future__ import annotations

import json
from pathlib import Path

import keypoint_tables as texts
import pytest
from keypoint_texts import flat

from minilift.errors import ArgumentError, InputError
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked


def walk(folder: Path) -> Path:
    for number in range(4):
        people = [{"pose_keypoints_2d": flat("body25", number)}]
        text = json.dumps({"version": 1.3, "people": people})
        (folder / f"walk_{number:012}_keypoints.json").write_text(text)
    return folder


def test_pictures_and_notes_are_no_clips(tmp_path: Path) -> None:
    walk(tmp_path)
    for name in ("walk_000000000001_rendered.png", "walk.mp4", "notes.txt", "config.yaml"):
        (tmp_path / name).write_text("1 2 3\n")
    for asked in (None, Asked(clip="walk")):
        found = load_keypoints(tmp_path, asked)
        assert (found.frames.tolist(), found.bad) == ([0, 1, 2, 3], ())
    (tmp_path / "meta.json").write_text('{"camera": 1}')
    found = load_keypoints(tmp_path)
    assert (found.frames.tolist(), found.bad) == ([0, 1, 2, 3], ())
    assert any(line.startswith("meta.json: no frame") for line in found.warnings)


def test_several_clips_ask_for_one(tmp_path: Path) -> None:
    for number in range(4):
        (walk(tmp_path) / f"run_{number:012}_keypoints.json").write_text('{"people": []}')
    with pytest.raises(ArgumentError, match="2 clips in it") as caught:
        load_keypoints(tmp_path)
    assert caught.value.name == "clip"


def test_links_to_nothing_and_folders_are_told(tmp_path: Path) -> None:
    (walk(tmp_path) / "walk_000000000004_keypoints.json").symlink_to(tmp_path / "nothing")
    (tmp_path / "walk_000000000005_keypoints.json").mkdir()
    link, folder = load_keypoints(tmp_path).bad
    assert "000000000004" in link
    assert "is a folder" in folder


def test_fractions_are_no_frames(tmp_path: Path) -> None:
    header, *rows = texts.wide(3).splitlines()
    path = tmp_path / "clip.csv"
    path.write_text("\n".join([header, *(f"{i}.5,{row.partition(',')[2]}" for i, row in enumerate(rows))]))
    with pytest.raises(InputError, match=r"row 2, column 1: '0\.5' is no whole number"):
        load_keypoints(path)


@pytest.mark.parametrize(("name", "step"), [("time", 0.04), ("timestamp_ms", 40), ("time", 40)])
@pytest.mark.parametrize("alone", [True, False])
def test_times_tell_the_rate(tmp_path: Path, name: str, step: float, alone: bool) -> None:
    header, *rows = texts.wide(3).splitlines()
    lines = [f"{name},{header.partition(',')[2] if alone else header}"]
    lines += [f"{i * step},{row.partition(',')[2] if alone else row}" for i, row in enumerate(rows)]
    (tmp_path / "clip.csv").write_text("\n".join(lines))
    found = load_keypoints(tmp_path / "clip.csv")
    assert (found.fps, found.frames.tolist()) == (25, [0, 1, 2])


def test_a_number_too_long_to_be_read(tmp_path: Path) -> None:
    (tmp_path / "clip.json").write_text("[" + "9" * 5000 + "]")
    with pytest.raises(InputError, match="more than 4,300 digits") as caught:
        load_keypoints(tmp_path / "clip.json")
    assert "sys." not in str(caught.value)
