"""Files of many detectors, real and made: each is read as its description says, or refused for what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from minilift.cli.inspect import as_dict
from minilift.cli.predict import main as predict
from minilift.errors import ArgumentError, InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.read.keypoints.formats import FORMATS
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked

FOLDER = ROOT.parent / "shared" / "data" / "keypoints"
EXPECTED = FOLDER / "expect.json"
ENTRIES: list[dict[str, Any]] = json.loads(EXPECTED.read_text())["entries"] if EXPECTED.is_file() else []

pytestmark = pytest.mark.skipif(not ENTRIES, reason="../shared/data/keypoints is not there")

# What the descriptions call these, and what they are here
LAYOUTS = {
    "dlc full_human (14, by name)": "dlc_full_human14",
    "vitpose coco_25": "vitpose25",
    "metadata says h36m; numbers are in COCO order": "coco17",
    "sports2d 22 (Halpe-26 without eyes and ears, by name)": "sports2d22",
}
HOLES = {"mediapipe/long_no_score_real.csv": [*range(15), *range(16, 21)]}  # there is no frame 15 in it
HEAT = {  # scores are heights of heat maps, no probabilities
    "videopose3d/data_2d_detections_real.npz",
    "videopose3d/infer_video_d2_test_10fps.mp4_real.npz",
}
CLIPS = {"videopose3d/data_2d_h36m_cpn_like_made.npz": "S9 Walking 1 0"}


def asked_of(entry: dict[str, Any], with_size: bool = True) -> Asked:
    options = dict(entry.get("options", {}))
    usual = entry.get("size", [1280, 720]) if "image size" in entry.get("needs", ()) else None
    size = entry.get("size_to_give", usual)
    return Asked(
        size=tuple(size) if with_size and isinstance(size, list) else None,
        layout=options.get("layout"),
        format=options.get("format"),
        padded=bool(options.get("padded")),
        clip=CLIPS.get(entry["path"]),
    )


def numbers(entry: dict[str, Any], found: Keypoints) -> list[int] | None:
    if entry["path"] in HOLES:
        return HOLES[entry["path"]]
    told = entry["frame_numbers"]
    if isinstance(told, dict):
        step, absent = told.get("step", 1), told.get("absent", ())
        return [n for n in range(told["first"], told["last"] + 1, step) if n not in absent]
    if isinstance(told, str):
        return sorted(int(n) for n in told.rsplit(":", 1)[1].split(","))
    return sorted(frame_of(n) for n in told)


def frame_of(name: Any) -> int:
    return name if isinstance(name, int) else int("".join(c for c in str(name) if c.isdigit()))


NAMES = {known.name for known in FORMATS}
READ = [entry for entry in ENTRIES if "refuse" not in entry and entry["format"] in NAMES]


@pytest.mark.parametrize("entry", READ, ids=[entry["path"] for entry in READ])
def test_a_file_is_read_as_it_is_described(entry: dict[str, Any]) -> None:
    if entry.get("may_refuse"):
        try:
            load_keypoints(FOLDER / entry["path"], asked_of(entry))
        except InputError:
            return
    found = load_keypoints(FOLDER / entry["path"], asked_of(entry))
    shown = as_dict(found, values=True)
    assert shown["format"] == entry["format"]
    layout = entry["layout"]
    assert shown["layout"] == LAYOUTS.get(layout, layout.split(" ")[0])
    assert shown["frames"] == entry["frames"]
    assert shown["people"] == entry["people"]
    assert shown["frame_numbers"] == numbers(entry, found)
    if isinstance(entry.get("size"), list) and "size_to_give" not in entry and "needs" not in entry:
        assert shown["size"] in (entry["size"], None)
    if entry.get("still_images"):
        assert shown["stills"] or entry["format"] == "npy"
    if "empty_frames" in entry:
        assert (
            sorted(set(shown["frame_numbers"]) - {row["frame"] for row in shown["values"]})
            == entry["empty_frames"]
        )
    if entry.get("ambiguous"):  # two scales of OpenPose have the same numbers; the usual one is taken
        return
    for value in entry["values"]:
        if "camera" in value:
            clip = f"{value['subject']} {value['action']} {value['camera']}"
            one = load_keypoints(FOLDER / entry["path"], replace(asked_of(entry), clip=clip))
            value = {"person": 0, "joint": one.layout.joints[value.get("joint_index", 0)], **value}
            check(value, as_dict(one, values=True)["values"], entry)
        else:
            check(value, shown["values"], entry)


def check(value: dict[str, Any], rows: list[dict[str, Any]], entry: dict[str, Any]) -> None:
    here = [
        row
        for row in rows
        if row["frame"] == frame_of(value["frame"])
        and row["joint"] == value["joint"]
        and ("track" not in value or str(row["track"]) == str(value["track"]))
        and ("track" in value or row["person"] == value["person"])
    ]
    assert len(here) == 1, value
    (row,) = here
    assert row["missing"] == bool(value.get("missing"))
    if value.get("missing"):
        return
    most = value.get("tolerance_px", entry.get("tolerance_px", 1e-3))
    if "x" in value:
        np.testing.assert_allclose([row["x"], row["y"]], [value["x"], value["y"]], atol=most)
    if "x_normalised" in value:
        width, height = entry.get("size", (1280, 720))
        place = [row["x"] / width, row["y"] / height]
        np.testing.assert_allclose(place, [value["x_normalised"], value["y_normalised"]], atol=1e-6)
    if value.get("score") is None:
        assert row["score"] is None
    else:
        assert abs(row["score"] - value["score"]) < 1e-5


@pytest.mark.parametrize("entry", READ, ids=[entry["path"] for entry in READ])
def test_predict_lifts_who_is_in_a_file(entry: dict[str, Any], tmp_path: Path) -> None:
    """The same file by the command: the same format, layout, people and frames, each with 3D joints."""
    asked = asked_of(entry)
    words = [str(FOLDER / entry["path"]), "-o", str(tmp_path / "out.npz"), "--to", "npz", "--body", "none"]
    words += ["--size", "{}x{}".format(*asked.size)] if asked.size else []
    for name in ("layout", "format", "clip"):
        words += [f"--{name}", getattr(asked, name)] if getattr(asked, name) else []
    words += ["--padded"] if asked.padded else []
    words += ["--confidence", "0"] if entry["path"] in HEAT else []
    if predict(words):
        assert entry.get("may_refuse"), words
        return
    found = load_keypoints(FOLDER / entry["path"], asked)
    with np.load(tmp_path / "out.npz") as made:
        assert (str(made["format"]), str(made["layout"])) == (found.format, found.layout.name)
        assert set(made["frame"].tolist()) <= set(numbers(entry, found) or [])
        rows = np.stack([made["frame"], made["person"]], axis=1)
        assert len(np.unique(rows, axis=0)) == len(rows)
        assert np.unique(made["frame"], return_counts=True)[1].max() <= entry["people"]
        assert made["joint_3d"].shape == (len(made["frame"]), len(COURSE15), 3)
        lifted = np.isfinite(made["joint_3d"]).all(axis=(1, 2))
        assert lifted.any()
        assert np.isnan(made["joint_3d"][~lifted]).all()  # too few joints of them were seen


NEED_SIZE = [entry for entry in READ if "image size" in entry.get("needs", ())]


@pytest.mark.parametrize("entry", NEED_SIZE, ids=[entry["path"] for entry in NEED_SIZE])
def test_fractions_without_a_size_are_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=r"is needed: .* has fractions") as told:
        load_keypoints(FOLDER / entry["path"], asked_of(entry, with_size=False))
    assert told.value.name == "size"


REFUSED = [entry for entry in ENTRIES if "refuse" in entry]


@pytest.mark.parametrize("entry", REFUSED, ids=[entry["path"] for entry in REFUSED])
def test_what_is_no_input_is_refused_in_a_line(
    entry: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as told:
        load_keypoints(FOLDER / entry["path"])
    assert "\n" not in str(told.value)
    assert Path(entry["path"]).name.split(".")[0] in str(told.value)
    if "already 3D" in entry["refuse"]:
        assert "3D already" in str(told.value)
    assert not list(tmp_path.iterdir())  # the pickle that would have made a folder


@pytest.mark.skipif("videopose3d-npz" not in NAMES, reason="this format is not read yet")
def test_several_clips_are_listed() -> None:
    with pytest.raises(InputError, match="S9") as told:
        load_keypoints(FOLDER / "videopose3d/data_2d_h36m_cpn_like_made.npz")
    assert "clip" in str(told.value)
