"""`minilift predict` of photos, videos and folders: found, kept, lifted, stopped and gone on with."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import video_files as made
import video_people
from conftest import ROOT

from minilift.cli.predict import main
from minilift.cli.predict.inputs import inputs_of
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.write.people.npz import read_people

pytest.importorskip("av", reason="PyAV is not installed (the extra video)")
pytest.importorskip("PIL", reason="Pillow is not installed (the extra video)")

FAKE = ["--detector", "fake"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[video_people.Fake]:
    return video_people.register(monkeypatch)


def test_a_video_from_its_file_to_people_in_3d(
    here: Path, opened: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    stamps = np.cumsum([1, 1, 2] * 10).tolist()
    made.write_video(here / "clip.mp4", 30, stamps=stamps)
    assert main(["clip.mp4", *FAKE]) == 0
    people = read_people(here / "clip_3d.npz")
    assert people.media == "clip.mp4"
    assert people.times is not None
    np.testing.assert_allclose(people.times, (np.array(stamps) - 1)[people.frame] / 25, atol=1e-3)
    assert len(np.unique(people.person)) == 2
    assert np.isfinite(people.joint_3d).all()
    out = capsys.readouterr().out
    assert "clip: minilift-2d, coco17 (17 joints), 30 frames, 2 people, 64x48 pixels" in out
    assert "detector: fake 1; camera: assumed, focal length" in out
    assert "kept the detections in clip_2d.npz" in out
    assert "frames a second, lifter " in out
    assert sorted(os.listdir()) == ["clip.mp4", "clip_2d.npz", "clip_3d.html", "clip_3d.npz"]
    assert opened[0].seen == list(range(30))


def test_kept_detections_give_the_same_people_without_detecting(here: Path, opened: list[Any]) -> None:
    made.write_video(here / "clip.mp4", 30)
    assert main(["clip.mp4", "-o", "out/", *FAKE]) == 0
    assert main(["out/clip_2d.npz", "-o", "again.npz"]) == 0
    assert len(opened) == 1
    assert (here / "again.npz").read_bytes() == (here / "out" / "clip.npz").read_bytes()


def test_what_was_found_stays_where_it_cannot_be_lifted(here: Path, opened: list[Any]) -> None:
    made.write_video(here / "clip.mp4", 30)
    assert main(["clip.mp4", "--person", "nobody", *FAKE]) == 2
    assert sorted(os.listdir()) == ["clip.mp4", "clip_2d.npz"]
    assert main(["clip.mp4", "--person", "0", "--resume", "--to", "npz", *FAKE]) == 0
    assert len(read_people(here / "clip_3d.npz")) == 30
    assert opened[-1].seen == []


def test_a_photo_with_the_focal_length_that_it_tells(
    here: Path, opened: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_photo(here / "a.jpg", made.picture(4, (640, 480)), exif={0xA405: 30})
    assert main(["a.jpg", "--to", "npz", *FAKE]) == 0
    focal = 30 * 800 / np.hypot(36, 24)
    people = read_people(here / "a_3d.npz")
    assert people.camera["fx"] == pytest.approx(focal)
    assert people.times is None
    assert f"camera: focal length {focal:.0f} px, by EXIF: 30 mm of 35 mm film" in capsys.readouterr().out
    assert main(["a.jpg", "--to", "npz", "--focal", "700", "--force", *FAKE]) == 0
    assert read_people(here / "a_3d.npz").camera["fx"] == 700


def test_every_nth_frame(here: Path, opened: list[Any]) -> None:
    made.write_video(here / "clip.mp4", 30)
    assert main(["clip.mp4", "--to", "npz", "--every", "5", *FAKE]) == 0
    people = read_people(here / "clip_3d.npz")
    assert np.unique(people.frame).tolist() == [0, 5, 10, 15, 20, 25]
    assert people.fps == 5


def test_a_folder_of_mixed_things(here: Path, opened: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    folder = here / "in"
    folder.mkdir()
    made.write_video(folder / "clip.mp4", 10)
    made.write_photo(folder / "photo.jpg", made.picture(2))
    made.write_photo(folder / "clip.jpg", made.picture(2))  # as phones write beside a clip
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / "notes.txt").write_text("a picture of us")
    (folder / ".hidden").write_text("")
    assert main(["in", "--to", "npz", "-o", "out/", *FAKE]) == 1
    told = capsys.readouterr()
    assert "note: in: neither pictures nor videos, so left out: notes.txt" in told.err
    assert "not done: in/broken.mp4: is no video that can be read" in told.err
    names = ["clip_jpg", "clip_mp4", "photo"]
    assert sorted(os.listdir("out")) == sorted(f"{n}{end}" for n in names for end in (".npz", "_2d.npz"))
    assert len(opened) == 2  # one for photos, one for videos
    assert main(["in/broken.mp4", *FAKE]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_files_of_an_earlier_run_in_the_folder_are_no_input(here: Path, opened: list[Any]) -> None:
    made.write_video(here / "clip.mp4", 10)
    assert main([".", *FAKE]) == 0
    assert [clip.path.name for clip in inputs_of(["."], Asked()).clips] == ["clip.mp4"]
    assert inputs_of(["."], Asked()).notes == []


def test_pictures_beside_keypoints_are_left_alone(here: Path) -> None:
    import json

    joints = [value for i in range(17) for value in (300 + 7 * (i % 5), 100 + 17 * i, 0.9)]
    person = {"image_id": 1, "category_id": 1, "keypoints": joints, "score": 0.9}
    (here / "one.json").write_text(json.dumps([person]))
    made.write_photo(here / "one.jpg", made.picture(1))
    found = inputs_of(["."], Asked())
    assert [clip.path.name for clip in found.clips] == ["one.json"]
    assert "1 picture and videos are not looked at" in found.notes[0]


BAD: dict[str, tuple[Any, str]] = {
    "nobody": (lambda path: made.write_video(path, 5), "no person was found in its 5 frames; is anybody"),
    "dark": (lambda path: dark(path), "no person was found in its 5 frames, and they are nearly black"),
    "damaged": (
        lambda path: made.turned(made.write_video(path, 5), (0.8, 0.6, -0.6, 0.8)),
        "turn it upright first",
    ),
    "missing": (lambda path: None, "no such file"),
    "text": (lambda path: path.write_text("no video"), "is no video that can be read"),
    "sound": (made.write_sound, "has no moving pictures"),
}


def dark(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 3, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_done_is_one_line(
    name: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video_people.register(monkeypatch, empty=tuple(range(-10, 25)))
    make, told = BAD[name]
    make(here / "a.mp4")
    assert main(["a.mp4", *FAKE]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert set(os.listdir()) <= {"a.mp4"}


@pytest.mark.parametrize("option", ["--every 0", "--detector nowhere", "--every x"])
def test_wrong_options_are_one_line(option: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.write_video(here / "a.mp4", 3)
    assert main(["a.mp4", *option.split()]) == 2
    assert option.split()[0] in capsys.readouterr().err


def test_a_rate_that_its_times_contradict_is_refused(
    here: Path, opened: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Else `fps` and `times` of the answer would be at odds. A photo has no times."""
    made.write_video(here / "a.mp4", 3)
    made.write_photo(here / "b.png", made.picture(1))
    assert main(["a.mp4", "--fps", "50", *FAKE]) == 2
    told = "--fps 50.0: a.mp4 has times of its own, 25 frames a second; leave it out"
    assert told in capsys.readouterr().err
    assert sorted(os.listdir()) == ["a.mp4", "b.png"]
    assert main([".", "--fps", "50", *FAKE]) == 1
    assert f"not done: a.mp4: {told}" in capsys.readouterr().err
    assert (here / "b_3d.npz").exists()


@pytest.mark.parametrize("live", [[], ["--live"]])
@pytest.mark.parametrize(
    ("option", "told"),
    [
        (
            "--detector rtmlib",
            "--detector rtmlib: has no networks of its own; give --detector-model FILE: RTMO",
        ),
        ("--detector rtmlib --detector-model .", "--detector-model .: a folder with 0 .onnx or .zip files"),
    ],
)
def test_a_detector_without_its_network_names_the_flag(
    option: str, told: str, live: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_video(here / "a.mp4", 3)
    assert main(["a.mp4", *option.split(), *live]) == 2
    assert f"error: {told}" in capsys.readouterr().err


def test_what_was_found_before_is_not_thrown_away(
    here: Path, opened: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_video(here / "clip.mp4", 10)
    assert main(["clip.mp4", "-o", "out/", *FAKE]) == 0
    for name in ("clip.npz", "clip.html"):  # with the drawn files there, and without
        assert main(["clip.mp4", "-o", "out/", *FAKE]) == 2
        assert "--resume takes it and goes on from there, --force begins anew" in capsys.readouterr().err
        (here / "out" / name).unlink()
    assert main(["clip.mp4", "-o", "out/", "--resume", *FAKE]) == 0
    assert "the detections that were kept in out/clip_2d.npz" in capsys.readouterr().out
    assert opened[-1].seen == []
    assert main(["clip.mp4", "-o", "out/", "--resume", "--every", "2", *FAKE]) == 0
    assert opened[-1].seen == [0, 2, 4, 6, 8]  # other frames: found anew


# ---- stopped and gone on with ------------------------------------------------------------------------------

PROGRAM = """
import sys
import video_people
from minilift.cli.predict import main
video_people.register(kind=video_people.Remembering, slow=0.02)
raise SystemExit(main(sys.argv[1:]))
"""


PATHS = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])


def start(*words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": PATHS}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words, *FAKE], env=env, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for(path: Path, size: int) -> None:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size > size):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_to_the_same_bits(how: signal.Signals, here: Path) -> None:
    """Of a detector that remembers the frames before, killed in the middle, or stopped with Ctrl-C."""
    made.write_video(here / "clip.mp4", 300)
    with start("clip.mp4", "-o", "whole/") as whole:
        with start("clip.mp4", "-o", "parts/") as process:
            wait_for(here / "parts" / "clip_2d.part", 60_000)
            process.send_signal(how)
            out, err = process.communicate(timeout=60)
        assert whole.wait(60) == 0
    assert (here / "parts" / "clip_2d.part").exists()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "--resume goes on from there" in err
        done = read_people(here / "parts" / "clip.npz")
        assert 100 < len(np.unique(done.frame)) < 300
        assert len(np.load(here / "parts" / "clip_2d.npz")["frames"]) < 300
    else:
        assert process.returncode == -signal.SIGKILL
        assert not (here / "parts" / "clip.npz").exists()
    with start("clip.mp4", "-o", "parts/", "--resume") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert re.search(r"going on behind 1\d\d frames of", out), out
    for name in ("clip.npz", "clip.html", "clip_2d.npz"):
        assert (here / "parts" / name).read_bytes() == (here / "whole" / name).read_bytes(), name
    assert not (here / "parts" / "clip_2d.part").exists()


def test_another_video_of_the_same_name_is_not_gone_on_with(
    here: Path, opened: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made.write_video(here / "clip.mp4", 300)
    with start("clip.mp4", "--to", "npz") as process:
        wait_for(here / "clip_2d.part", 5_000)
        process.kill()
        process.communicate(timeout=60)
    made.write_video(here / "clip.mp4", 50)
    assert main(["clip.mp4", "--resume", *FAKE]) == 2
    assert "holds what was found in another run: " in capsys.readouterr().err
    assert main(["clip.mp4", *FAKE]) == 2
    assert "clip_2d.part: exists already" in capsys.readouterr().err
    assert main(["clip.mp4", "--force", *FAKE]) == 0


# ---- long clips --------------------------------------------------------------------------------------------


def test_a_long_clip_is_lifted_in_blocks_while_it_is_read(
    here: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same people, followed; and the kept file gives the same bits as the video."""
    made.write_video(here / "clip.mp4", 60)
    monkeypatch.setattr("minilift.cli.predict.clips.kept.ROWS", 30)
    assert main(["clip.mp4", "-o", "out/", "--to", "npz", *FAKE]) == 0
    people = read_people(here / "out" / "clip.npz")
    assert len(people) == 120
    assert people.frame.tolist() == np.repeat(np.arange(60), 2).tolist()
    assert set(people.person.tolist()) == {0, 1}
    places = people.root_2d[:, 0]
    others = places[np.arange(120) ^ 1]
    np.testing.assert_array_equal(people.person, (places > others).astype(int))
    assert main(["out/clip_2d.npz", "-o", "again.npz"]) == 0
    assert (here / "again.npz").read_bytes() == (here / "out" / "clip.npz").read_bytes()


def test_memory_does_not_grow_with_the_length(here: Path) -> None:
    """Of a video of ten times as many frames, the same peak but for what the rows of a clip take."""
    peaks = []
    for frames in (100, 1000):
        made.write_video(here / f"{frames}.mp4", frames, size=(320, 240))
        program = PROGRAM.replace(", slow=0.02", "").replace(
            "raise SystemExit(main(sys.argv[1:]))",
            "from minilift.cli.predict import clips\nclips.kept.ROWS = 64\n"
            "assert main(sys.argv[1:]) == 0\nimport resource\n"
            "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)",
        )
        env = {**os.environ, "PYTHONPATH": PATHS}
        words = [sys.executable, "-c", program, f"{frames}.mp4", "--to", "npz", *FAKE]
        done = subprocess.run(words, env=env, text=True, capture_output=True, check=True)
        peaks.append(int(done.stdout.split("peak ")[1]) / 1024)
    assert peaks[1] < peaks[0] + 12, peaks  # MB; 1000 frames of 320x240 are 230 MB
