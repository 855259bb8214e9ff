"""Joints by name, in the forms in which people save them; and what is told of columns and numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keypoint_tables import person

from minilift.cli.inspect import main as inspect
from minilift.errors import InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COCO17
from minilift.poses.read.keypoints.load import load_keypoints

NAMES = COCO17.joints
CLIP = np.array([person(frame) for frame in range(4)])


def rows(frame: int, numbers: int = 3) -> dict[str, Any]:
    return {name: CLIP[frame, joint, :numbers].tolist() for joint, name in enumerate(NAMES)}


def points(frame: int, score: str = "confidence") -> dict[str, Any]:
    return {name: dict(zip(("x", "y", score), row, strict=True)) for name, row in rows(frame).items()}


def listed(frame: int) -> list[dict[str, Any]]:
    return [{"name": name, **point} for name, point in points(frame).items()]


FORMS = {
    "rows by name": [rows(frame) for frame in range(4)],
    "points by name": [points(frame) for frame in range(4)],
    "lists of points": [listed(frame) for frame in range(4)],
    "frames by number": {str(frame): rows(frame) for frame in range(4)},
    "frames by picture": {f"img_{frame:03}.jpg": points(frame, "score") for frame in range(4)},
    "under keypoints": [{"frame": frame, "keypoints": rows(frame)} for frame in range(4)],
    "under frames": {"fps": 30, "frames": [{"joints": points(frame)} for frame in range(4)]},
    "people of a frame": [[{"track_id": 5, "keypoints": rows(frame)}] for frame in range(4)],
    "people by word": [{"frame": frame, "people": [{"keypoints": listed(frame)}]} for frame in range(4)],
}


def load(folder: Path, content: Any) -> Keypoints:
    (folder / "clip.json").write_text(json.dumps(content))
    return load_keypoints(folder / "clip.json")


@pytest.mark.parametrize("form", FORMS)
def test_joints_by_name(tmp_path: Path, form: str) -> None:
    found = load(tmp_path, FORMS[form])
    assert (found.layout.name, found.frames.tolist()) == ("coco17", [0, 1, 2, 3])
    np.testing.assert_allclose(found.xy, CLIP[..., :2])
    assert found.score is not None
    np.testing.assert_allclose(found.score, CLIP[..., 2], rtol=1e-6)
    assert (found.track_names == ("5",)) == (form == "people of a frame")


@pytest.mark.parametrize("content", [rows(0), rows(0, 2), points(0), listed(0), {"keypoints": rows(0)}])
def test_one_person(tmp_path: Path, content: Any) -> None:
    found = load(tmp_path, content)
    np.testing.assert_allclose(found.xy, CLIP[:1, :, :2])


def test_frames_keep_their_numbers_and_gaps(tmp_path: Path) -> None:
    shuffled = dict(reversed(list(rows(1).items())))
    found = load(tmp_path, {"frame_12": shuffled, "frame_9": rows(0), "frame_10": None, "frame_11": []})
    assert (found.frame.tolist(), found.frames.tolist()) == ([9, 12], [9, 10, 11, 12])
    np.testing.assert_allclose(found.xy, CLIP[:2, :, :2])


@pytest.mark.parametrize(
    "content", [{"a": [1, 2], "b": [3, 4], "c": [5, 6]}, {"nose": [1, 2]}, {"x": {}}, [[]]]
)
def test_other_objects_are_no_people(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match="without keypoints of a known format"):
        load(tmp_path, content)


@pytest.mark.parametrize("suffix", ["json", "csv", "npy"])
def test_numbers_that_are_no_places_are_told(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    array, path = CLIP.copy(), tmp_path / f"clip.{suffix}"
    array[2, :, :2] = 1e300
    array[3, 4, 0] = -1e9
    if suffix == "json":
        people = [
            {"image_id": i, "category_id": 1, "keypoints": row.ravel().tolist()}
            for i, row in enumerate(array)
        ]
        path.write_text(json.dumps(people))
    elif suffix == "csv":
        lines = [",".join(["frame", *(f"{name}_{part}" for name in NAMES for part in ("x", "y", "score"))])]
        lines += [",".join(map(str, [i, *row.ravel().tolist()])) for i, row in enumerate(array)]
        path.write_text("\n".join(lines))
    else:
        np.save(path, array)
    found = load_keypoints(path)
    (warning,) = [line for line in found.warnings if "1e+09" in line]
    assert "18 joints with coordinates of 1e+09 and more, in frame 2 and others" in warning
    assert inspect([str(path)]) == 0
    assert warning in capsys.readouterr().out


@pytest.mark.parametrize("long", [False, True])
def test_a_column_twice(tmp_path: Path, long: bool) -> None:
    names = [f"{name}_{part}" for name in NAMES for part in "xy"]
    header = ["frame", "joint", "x", "y", "x"] if long else ["frame", *names, "left_knee_x"]
    lines = [",".join(header), ",".join("1" for _ in header), ",".join("2" for _ in header)]
    (tmp_path / "clip.csv").write_text("\n".join(lines))
    column = "x" if long else "left_knee_x"
    with pytest.raises(InputError, match=f"column '{column}' is there twice; keep one of them"):
        load_keypoints(tmp_path / "clip.csv")
