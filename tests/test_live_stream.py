"""`minilift predict --stream`: a line for every line, whatever is in it, at once and from the past alone."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from live_frames import LIFTER, TALL, camera, frames, joints, line, people

from minilift import LiftOptions
from minilift.cli.main import main
from minilift.lift.live import Live
from minilift.lift.live.stream import LONGEST_LINE, answered
from minilift.poses.read.keypoints.frames import FrameReader
from minilift.poses.read.keypoints.raw import Asked

TRUTH = people(30)
FRAMES = frames(TRUTH)
LINES = [line(one) for one in FRAMES]
OPTIONS = LiftOptions(height=TALL, camera=camera(TRUTH), smooth="one-euro")
Answer = dict[str, Any]


def serve(
    lines: Sequence[str | bytes], asked: Asked | None = None, options: LiftOptions = OPTIONS
) -> list[Answer]:
    content = b"\n".join(one if isinstance(one, bytes) else one.encode() for one in lines)
    got = answered(io.BytesIO(content), Live(LIFTER, options), FrameReader(asked))
    return [json.loads(json.dumps(one.value, allow_nan=False)) for one in got]


def test_every_line_is_answered_and_the_numbers_are_those_of_the_library() -> None:
    found = serve(LINES)
    assert [one["frame"] for one in found] == list(range(100, 130))
    first = found[0]
    assert list(first) == ["frame", "time", "unit", "axes", "people"]
    assert (first["time"], first["unit"], first["axes"]) == (4.0, "m", "camera")
    assert list(first["people"][0]) == ["id", "joint_3d", "root", "expected_error", "unlike", "seen"]
    again = list(Live(LIFTER, OPTIONS).run(FRAMES))
    for one, two in zip(found, again, strict=True):
        assert [who["id"] for who in one["people"]] == two.person.tolist()
        np.testing.assert_allclose([who["joint_3d"] for who in one["people"]], two.joint_3d, atol=2e-2)
        assert [who["seen"] for who in one["people"]] == (~np.isnan(two.joint_2d).any(axis=2)).tolist()


def test_an_answer_does_not_depend_on_later_lines() -> None:
    whole, cut = serve(LINES), serve([*LINES[:10], "rubbish", *reversed(LINES[11:])])
    assert whole[:10] == cut[:10]
    assert "error" in cut[10]


SEVENTEEN = np.stack([300 + 7.0 * (np.arange(17) % 5), 100 + 17.0 * np.arange(17)], axis=1)
COCO = [value for x, y in SEVENTEEN.tolist() for value in (x, y, 0.9)]
POINTS = [{"x": x, "y": y, "score": 0.9} for x, y in SEVENTEEN.tolist()]
MARKS = [{"x": 0.3 + 0.01 * (i % 5), "y": 0.1 + 0.02 * i, "z": 0, "visibility": 0.9} for i in range(33)]
DETECTORS: dict[str, Any] = {
    "openpose": {"version": 1.3, "people": [{"pose_keypoints_2d": COCO}]},
    "coco": [{"image_id": 7, "category_id": 1, "keypoints": COCO, "score": 0.9}],
    "coco, one person": {"image_id": 7, "category_id": 1, "keypoints": COCO, "score": 0.9},
    "alphapose": [{"image_id": "7.jpg", "category_id": 1, "keypoints": COCO, "score": 2.9, "idx": 1}],
    "mmpose": [{"keypoints": SEVENTEEN.tolist(), "keypoint_scores": [0.9] * 17}],
    "ultralytics": [{"keypoints": {"x": SEVENTEEN[:, 0].tolist(), "y": SEVENTEEN[:, 1].tolist()}}],
    "movenet": [{"keypoints": POINTS}],
    "mediapipe": {"landmarks": MARKS},
    "mediapipe, bare": MARKS,
    "ours, bare": {"people": [{"keypoints": COCO}]},
}


@pytest.mark.parametrize("name", DETECTORS)
def test_frames_of_detectors(name: str) -> None:
    """The first line settles the format; lines without anybody, and a lost one, change nothing."""
    one = json.dumps(DETECTORS[name])
    found = serve(
        [one, "[]", one.replace("7", "8") if "7" in one and "image_id" in one else one],
        Asked(size=(1280, 720)),
    )
    assert [len(answer.get("people", "?")) for answer in found] == [1, 0, 1] or "image_id" in one
    assert found[0]["people"][0]["joint_3d"] is not None
    numbers = [answer["frame"] for answer in found if "frame" in answer]
    assert numbers == sorted(set(numbers))


def test_two_of_a_kind_in_a_line_are_two_people() -> None:
    other = [{**joint, "x": joint["x"] + 400} for joint in POINTS]
    found = serve([json.dumps([{"keypoints": POINTS}, {"keypoints": other}])] * 3)
    assert [[who["id"] for who in one["people"]] for one in found] == [[0, 1]] * 3


def test_ids_are_given_back_and_others_are_followed() -> None:
    value = json.loads(LINES[0])
    for name in ("ann", 0):
        value["people"][0]["id"] = name
        one, two = serve([json.dumps(value)])[0]["people"]
        assert (one["id"], two["id"]) == (str(name), 1)


def test_x_and_y_alone_null_and_another_size() -> None:
    value = json.loads(LINES[0])
    del value["size"], value["frame"], value["time"]
    value["people"] = [{"keypoints": [number for joint in joints(FRAMES[0], 0) for number in joint[:2]]}]
    value["people"][0]["keypoints"][12:14] = [None, float("nan")]
    found = serve([json.dumps(value)] * 2, options=LiftOptions(fov=60.0))
    assert [one["frame"] for one in found] == [0, 1]
    assert found[1]["people"][0]["seen"][6] is False
    assert "time" not in found[0]


def changed(old: str, new: str) -> str:
    """The third line with something else in it."""
    assert old in LINES[2]
    return LINES[2].replace(old, new)


def crowd(count: int) -> str:
    value = json.loads(LINES[2])
    here = np.array(value["people"][0]["keypoints"], np.float64)
    value["people"] = [{"keypoints": np.nan_to_num(here + 0.1 * i).tolist()} for i in range(count)]
    return json.dumps(value)


NO_TIME = "has a time that is no number"
BAD: dict[str, tuple[str | bytes, str]] = {
    "no JSON": ("{people", "line 3: is broken JSON at column 2"),
    "half a line": (LINES[2][:200], "line 3: is broken JSON"),
    "a number": ("7", "line 3: is JSON without keypoints of a known format"),
    "null": ("null", "line 3: is empty"),
    "text": ('"people"', "is JSON without keypoints"),
    "an object": ("{}", "line 3: is empty"),
    "invalid UTF-8": (b'{"people": "\xff\xfe"}', "line 3: is no UTF-8 at byte 12"),
    "zero bytes": (b"\0\0\0", "line 3: is broken JSON"),
    "deep": ("[" * 200_000, "line 3: is nested too deeply"),
    "deep, closed": ("[" * 900 + "]" * 900, "line 3: "),
    "huge number": ('{"frame": 1' + "0" * 5000 + ', "people": []}', "has a number of too many digits"),
    "too long": (b'{"people": "' + b"x" * LONGEST_LINE + b'"}', "line 3: is longer than 4 MB"),
    "people of text": ('{"people": ["ann"]}', "line 3: "),
    "keypoints of text": ('{"people": [{"keypoints": ["a", "b", "c"]}]}', "no lists of numbers"),
    "keypoints of objects": ('{"people": [{"keypoints": {"x": 3}}]}', "line 3: "),
    "others among people": ('{"people": [{"keypoints": [1, 2, 3]}, {"pose": 3}]}', "people without a list"),
    "a few numbers": ('{"people": [{"keypoints": [1, 2]}]}', "has 2 numbers, not 3 for each joint"),
    "too few joints": ('{"people": [{"keypoints": [100, 200, 1]}]}', "no layout has so many"),
    "a layout that is none": (changed("course15", "coc17"), "layout=coc17: unknown"),
    "another layout": (changed("course15", "coco17"), "has 17 joints, and line 3 has 15"),
    "a layout of numbers": (changed('"course15"', "15"), "has a layout that is no name"),
    "a time that is none": (changed('"time": ', '"time": "soon", "was": '), NO_TIME),
    "NaN as time": (changed('"time": ', '"time": NaN, "was": '), NO_TIME),
    "infinite time": (changed('"time": ', '"time": 1e999, "was": '), NO_TIME),
    "a time before": (LINES[0], "time=4.0: is not after that of the frame before, 4.04 s"),
    "a frame that is none": (changed('"frame": 102', '"frame": -3'), "has a frame that is no number"),
    "a size that is none": (changed('"size": [', '"size": [-'), "has a size that is none"),
    "a size of text": (changed('"size": [1280', '"size": ["a"'), "has a size that is none"),
    "several frames": (
        json.dumps([{"image_id": i, "keypoints": COCO} for i in (1, 2)]),
        "has 2 frames; give one a line",
    ),
    "a crowd": (crowd(501), "people=501 people: and 500 can be followed"),
    "3D": ('{"people": [{"pose_keypoints_2d": [], "pose_keypoints_3d": [1, 2, 3, 1]}]}', "are 3D already"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_answered_by_an_error_and_the_next_is_served(name: str) -> None:
    bad, told = BAD[name]
    found = serve([*LINES[:2], bad, *LINES[3:6]])
    assert set(found[2]) == {"error", "line"}
    assert found[2]["line"] == 3
    assert told in found[2]["error"]
    assert "\n" not in found[2]["error"]
    assert len(found[2]["error"]) < 420
    rest = serve([*LINES[:2], *LINES[3:6]])
    assert found[3:] == rest[2:]


def test_a_person_of_too_few_joints_is_answered_by_null() -> None:
    value = json.loads(LINES[0])
    value["people"][0]["keypoints"][:14] = [[None, None, 0]] * 14  # a wrist says nothing of the hips
    one, two = serve([json.dumps(value)])[0]["people"]
    assert one["joint_3d"] is one["root"] is None
    assert one["seen"] == [False] * 15
    assert two["joint_3d"] is not None


def test_places_that_are_none_are_joints_that_were_not_seen() -> None:
    for wild in ("NaN", "Infinity", "1e300", "-1e308", "null"):
        value = json.loads(LINES[0])
        value["people"][0]["keypoints"][4] = [0.123454321, 2, 0.9]
        text = json.dumps(value).replace("0.123454321", wild)
        found = serve([text, LINES[1]])
        assert found[0]["people"][0]["seen"][4] is False
        assert np.isfinite(found[0]["people"][0]["joint_3d"]).all()
        assert np.isfinite(found[1]["people"][0]["joint_3d"]).all()


def test_rubbish_of_all_kinds_never_stops_the_stream() -> None:
    rng = np.random.default_rng(0)
    texts = [LINES[0], *(json.dumps(value) for value in DETECTORS.values())]
    words = ["null", "-1", '"a"', "[]", "{}", "1e999", "true", "[[]]", "0", '"people"', "NaN"]
    lines = []
    for _ in range(1500):
        text = texts[rng.integers(len(texts))]
        start, end = sorted(rng.integers(0, len(text), 2))
        tokens = json.dumps(json.loads(text)).replace(",", " , ").replace(":", " : ").split()
        for _ in range(rng.integers(1, 3)):
            tokens[rng.integers(len(tokens))] = words[rng.integers(len(words))]
        lines.append(" ".join(tokens) if rng.random() < 0.8 else text[start:end] or "x")
    lines = [text for text in lines if text.strip()]
    found = serve(lines, Asked(size=(1280, 720)))
    assert len(found) == len(lines)
    assert sum("error" in one for one in found) > 300
    assert sum("people" in one for one in found) > 20


# ---- the command ---------------------------------------------------------------------------------------
WORDS = ["predict", "-", "--stream", "--height", "1.75", "--weights", "starting"]


def started(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "minilift", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_each_line_is_answered_before_the_next_is_given_and_as_in_a_pipe(tmp_path: Path) -> None:
    """One by one, in a pipe, and from a file: the same bytes."""
    one_by_one = b""
    with started(*WORDS) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in [*LINES[:5], "rubbish", "", *LINES[5:10]]:
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
            if text:
                one_by_one += process.stdout.readline()
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.stderr is not None
        told = process.stderr.read().decode()
        assert process.wait(60) == 0
    assert told.startswith("stream: minilift-frame; course15; camera: assumed, focal length 1536 px")
    content = "\n".join([*LINES[:5], "rubbish", "", *LINES[5:10]]).encode()
    with started(*WORDS) as process:
        assert process.communicate(content)[0] == one_by_one
    (tmp_path / "frames.jsonl").write_bytes(content)
    with started("predict", str(tmp_path / "frames.jsonl"), *WORDS[2:]) as process:
        assert process.communicate()[0] == one_by_one
    assert len(one_by_one.splitlines()) == 11


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a time before", "line 3: time 4.0: is not after that of the frame before"),
        ("a crowd", "line 3: 501 people: and 500 can be followed"),
        ("a layout that is none", "line 3: layout coc17: unknown"),
    ],
)
def test_what_is_wrong_with_a_line_blames_no_flag(
    name: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join([*LINES[:2], str(BAD[name][0])]))
    assert main(["predict", str(tmp_path / "a.jsonl"), "--stream"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[2])
    assert answer["error"].startswith(told)


def test_a_reader_that_has_gone_and_ctrl_c_end_quietly() -> None:
    with started(*WORDS) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LINES[0].encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdout.close()
        try:
            for text in LINES[1:]:
                process.stdin.write(text.encode() + b"\n")
                process.stdin.flush()
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.stderr is not None
        told = process.stderr.read().decode()
        assert process.wait(60) == 141
        assert told.count("\n") == 1
    with started(*WORDS) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LINES[0].encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert process.stderr.read().decode().count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-"], "-: the standard input is read frame by frame; add --stream"),
        (["none.jsonl", "--stream"], "none.jsonl: No such file"),
        (["-", "-", "--stream"], "--stream: has 2 inputs"),
        (["-", "--stream", "-o", "a.npz"], "--out a.npz: a stream writes no files"),
        (["-", "--stream", "--to", "npz"], "--to"),
        (["-", "--stream", "--fill", "3"], "--fill 3: looks at frames that are still to come"),
        (["-", "--stream", "--smooth", "savgol"], "--smooth savgol: looks at frames"),
        (["-", "--stream", "--person", "longest"], "--person longest: looks at frames"),
        (["-", "--stream", "--body", "none.json"], "none.json"),
    ],
)  # fmt: skip
def test_a_bad_call_is_one_line(
    words: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["predict", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1 or "weights" in err
