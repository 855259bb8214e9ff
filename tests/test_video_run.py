"""People found in a video, kept frame by frame, gone on with, and read again as keypoints."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import video_files as made
from video_people import Fake, Remembering

from minilift.errors import InputError
from minilift.poses.read.keypoints.blocks import kept_keypoints
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.numeric.kept import KEYS
from minilift.poses.read.keypoints.raw import Raw
from minilift.poses.tracks.over_blocks import followed
from minilift.video.ahead import DEPTH, Ahead
from minilift.video.frame import Frame
from minilift.video.frames import open_frames
from minilift.video.frames.video import Video
from minilift.video.kept.about import about
from minilift.video.kept.arrays import is_complete
from minilift.video.kept.records import Record, RecordFile
from minilift.video.run import Detection, record_of

pytest.importorskip("av", reason="PyAV is not installed (the extra video)")


def record(number: int, n: int = 2) -> Record:
    people = np.arange(n * 51, dtype=np.float32).reshape(n, 17, 3) + number
    known = b"known" * (number % 3)
    return Record(number, 0.04 * number, number + 7, 100.0, people, np.full(n, 0.5, np.float32), known)


def same(a: Record, b: Record) -> None:
    assert (a.number, a.time, a.print, a.light) == (b.number, b.time, b.print, b.light)
    assert a.remembered == b.remembered
    np.testing.assert_array_equal(a.weight, b.weight)
    assert a.people.size == b.people.size
    np.testing.assert_array_equal(a.people.ravel(), b.people.ravel())


ABOUT: dict[str, Any] = {"of": {"joints": ["a"] * 17, "detector": "x"}, "size": [64, 48]}

# ---- the file of records -----------------------------------------------------------------------------------


def filled(path: Path, counts: list[int]) -> list[Record]:
    file = RecordFile.begin(path, ABOUT)
    records = [record(number, n) for number, n in enumerate(counts)]
    for one in records:
        file.append(one)
    file.close()
    return records


def test_records_come_back_and_more_are_added(tmp_path: Path) -> None:
    records = filled(tmp_path / "a.part", [2, 0, 1, 3])
    file = RecordFile.resume(tmp_path / "a.part", ABOUT)
    assert file.count == 4
    assert file.last is not None
    same(file.last, records[-1])
    file.append(record(4))
    found = list(file.records())
    file.close()
    for a, b in zip(found, [*records, record(4)], strict=True):
        same(a, b)


@pytest.mark.parametrize("seed", range(20))
def test_what_was_written_half_is_cut_off(seed: int, tmp_path: Path) -> None:
    """At any byte: the records before it are there, and others go behind them."""
    path, rng = tmp_path / "a.part", np.random.default_rng(seed)
    records = filled(path, [1, 2, 0, 1, 2])
    whole = path.read_bytes()
    begin = len(whole) - sum(8 + len(one.packed()) for one in records)
    cut = int(rng.integers(begin, len(whole)))
    damaged = bytearray(whole[:cut])
    if seed % 2:
        damaged += b"\xff" * int(rng.integers(1, 30))
    path.write_bytes(damaged)
    file = RecordFile.resume(path, ABOUT)
    assert file.count < len(records)
    for one in records[file.count :]:
        file.append(one)
    file.close()
    assert path.read_bytes() == whole


def test_the_file_of_another_run_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "a.part", [1])
    other = {**ABOUT, "of": {**ABOUT["of"], "detector": "y"}}
    with pytest.raises(InputError, match=r"a\.part: holds what was found in another run: detector differ"):
        RecordFile.resume(tmp_path / "a.part", other)
    for content in (b"", b"rubbish" * 30, b"\5\0\0\0" + bytes(50)):
        (tmp_path / "b.part").write_bytes(content)
        with pytest.raises(InputError, match="is no file of kept detections"):
            RecordFile.resume(tmp_path / "b.part", ABOUT)


# ---- reading ahead -----------------------------------------------------------------------------------------


def numbered(n: int, read: list[int], problem: Exception | None = None) -> Iterator[Frame]:
    for number in range(n):
        read.append(number)
        yield Frame(number, 0.0, np.zeros((2, 2, 3), np.uint8))
    if problem is not None:
        raise problem


def test_frames_are_read_ahead_and_no_more_than_a_few() -> None:
    read: list[int] = []
    ahead = Ahead(numbered(50, read))
    taken = iter(ahead)
    assert next(taken).number == 0
    deadline = time.monotonic() + 5
    while len(read) < DEPTH + 1 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert DEPTH <= len(read) - 1 <= DEPTH + 1  # those that wait, and one in the reader's hand
    assert [frame.number for frame in taken] == list(range(1, 50))
    ahead.close()


def test_an_error_of_reading_comes_behind_the_frames_before_it() -> None:
    ahead = iter(Ahead(numbered(6, [], InputError("broken"))))
    assert [next(ahead).number for _ in range(6)] == list(range(6))
    with pytest.raises(InputError, match="broken"):
        next(ahead)


def test_closing_stops_the_reader() -> None:
    read: list[int] = []
    ahead = Ahead(numbered(10**9, read))
    next(iter(ahead))
    ahead.close()
    assert not [one for one in threading.enumerate() if one.name == "minilift-frames" and one.is_alive()]


# ---- detection ---------------------------------------------------------------------------------------------


def detect(
    path: Path, part: Path, detector: Any, every: int = 1, resume: bool = False, stop_at: int | None = None
) -> tuple[Detection, list[Raw]]:
    """Run to the end; or, with `stop_at`, until so many frames were looked at."""
    frames = open_frames(path)
    known = about(frames, detector, every)
    file = RecordFile.resume(part, known) if resume else RecordFile.begin(part, known)
    done = 0

    def progress(n: int) -> None:
        nonlocal done
        done += n
        if done == stop_at:
            ready.wait(5)
            detection.stop()

    ready = threading.Event()
    detection = Detection(frames, detector, file, every, progress)
    ready.set()
    try:
        return detection, list(detection.parts())
    finally:
        detection.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stamps = np.cumsum(np.random.default_rng(1).integers(1, 4, 60)).tolist()
    return made.write_video(tmp_path_factory.mktemp("clip") / "a.mp4", 60, stamps=stamps)


def test_everybody_in_every_frame_with_its_time(clip: Path, tmp_path: Path) -> None:
    detector = Fake(empty=(5, 6))
    detection, (raw,) = detect(clip, tmp_path / "a.part", detector)
    assert detection.complete
    assert detector.seen == list(range(60))
    assert detection.speed.frames == 60
    assert raw.frames is not None
    assert raw.frames.tolist() == list(range(60))
    assert raw.frame.tolist() == [n for n in range(60) if n % 25 not in (5, 6) for _ in range(2)]
    with open_frames(clip) as frames:
        times = [frame.time for frame in frames.frames()]
    assert raw.times is not None
    assert raw.times.tolist() == times
    assert np.isnan(raw.xy[:, 3]).all()  # the joint that the detector does not find
    assert (raw.size, raw.media, raw.layout) == ((64, 48), str(clip), None)


def test_every_nth_frame(clip: Path, tmp_path: Path) -> None:
    detector = Fake()
    _, (raw,) = detect(clip, tmp_path / "a.part", detector, every=7)
    assert detector.seen == list(range(0, 60, 7))
    assert raw.fps is not None
    with open_frames(clip) as frames:
        assert raw.fps == pytest.approx((frames.fps or 0) / 7)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("stop_at", [1, 7, 19])
def test_a_run_that_goes_on_gives_the_same_file(clip: Path, tmp_path: Path, every: int, stop_at: int) -> None:
    detect(clip, tmp_path / "whole.part", Fake(), every)
    first, _ = detect(clip, tmp_path / "a.part", Fake(), every, stop_at=stop_at)
    assert not first.complete
    assert first.file.count == stop_at
    detector = Fake()
    second, _ = detect(clip, tmp_path / "a.part", detector, every, resume=True)
    assert second.complete
    assert detector.seen[0] == stop_at * every
    assert (tmp_path / "a.part").read_bytes() == (tmp_path / "whole.part").read_bytes()


def test_a_detector_that_remembers_is_told_what_it_knew(clip: Path, tmp_path: Path) -> None:
    whole = Remembering()
    whole.since = 7  # of the video before
    detect(clip, tmp_path / "whole.part", whole)
    detect(clip, tmp_path / "a.part", Remembering(), stop_at=41)
    again = Remembering()
    detect(clip, tmp_path / "a.part", again, resume=True)
    assert again.seen == list(range(41, 60))
    assert whole.since == again.since == 60
    assert (tmp_path / "a.part").read_bytes() == (tmp_path / "whole.part").read_bytes()


def test_places_in_a_smaller_copy_are_places_in_the_picture() -> None:
    frame = Frame(0, None, np.zeros((48, 64, 3), np.uint8))
    person = Fake()(Frame(0, None, made.picture(0)))[0]
    found = record_of(frame, [person], (640, 960)).people[0]
    expected = np.where(person.missing[:, None], np.nan, person.xy * (10, 20))
    np.testing.assert_allclose(found[:, :2], expected.astype(np.float32))


def test_what_cannot_be_kept_is_no_end_of_the_video(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = RecordFile.append

    def full(self: RecordFile, one: Record) -> None:
        if one.number == 9:
            raise InputError("a.part: No space left on device; free some space")
        inner(self, one)

    monkeypatch.setattr(RecordFile, "append", full)
    with pytest.raises(InputError, match="No space left"):
        detect(clip, tmp_path / "a.part", Fake())
    monkeypatch.undo()
    detection, _ = detect(clip, tmp_path / "a.part", Fake(), resume=True)
    assert (detection.complete, detection.file.count) == (True, 60)


def test_frames_before_one_that_cannot_be_read_are_used(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Video.frames

    def short(self: Video, *given: Any) -> Iterator[Frame]:
        for frame in inner(self, *given):
            if frame.number == 9:
                raise InputError("a.mp4: the disk is gone")
            yield frame

    monkeypatch.setattr(Video, "frames", short)
    detection, (raw,) = detect(clip, tmp_path / "a.part", Fake())
    assert (detection.complete, detection.file.count) == (True, 9)
    assert detection.frames.warnings == raw.warnings == ["a.mp4: the disk is gone"]


class Broken(Fake):
    def __call__(self, frame: Frame) -> Any:
        if frame.number == 9:
            raise RuntimeError("the detector is broken")
        return super().__call__(frame)


def test_what_the_detector_raises_reaches_the_caller(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the detector is broken"):
        detect(clip, tmp_path / "a.part", Broken())


def test_finding_goes_on_while_the_first_part_is_worked_on(clip: Path, tmp_path: Path) -> None:
    """Lifting and finding overlap: the first part is handed out while later frames are still to be read."""
    frames, detector = open_frames(clip), Fake(slow=0.005)
    file = RecordFile.begin(tmp_path / "a.part", about(frames, detector, 1))
    detection = Detection(frames, detector, file)
    parts = detection.parts(20)
    first = next(parts)
    count = file.count
    assert len(first.xy) == 20
    assert 10 <= count < 60
    deadline = time.monotonic() + 10
    while file.count < 60 and time.monotonic() < deadline:
        time.sleep(0.01)  # nobody asks for parts
    assert file.count == 60
    assert sum(len(part.xy) for part in parts) == 100
    detection.close()


# ---- NAME_2d.npz -------------------------------------------------------------------------------------------


@pytest.fixture
def kept(clip: Path, tmp_path: Path) -> Path:
    detection, _ = detect(clip, tmp_path / "a.part", Fake(empty=(5,)))
    detection.keep(tmp_path / "a_2d.npz")
    return tmp_path / "a_2d.npz"


def test_the_kept_file_is_keypoints(kept: Path, clip: Path) -> None:
    found = load_keypoints(kept)
    assert (found.format, found.layout.name, found.media) == ("minilift-2d", "coco17", str(clip))
    assert (len(found), found.people, len(found.frames), found.size) == (114, 2, 60, (64, 48))
    assert found.times is not None
    assert len(found.times) == 60
    assert "detector: fake 1" in found.notes
    with np.load(kept, allow_pickle=False) as arrays:
        assert set(arrays) == set(KEYS)
        assert json.loads(str(arrays["kept"]))["complete"] is True


def test_the_kept_file_in_blocks_is_the_same(kept: Path) -> None:
    whole = load_keypoints(kept)
    blocks = list(kept_keypoints(kept, rows=17) or [])
    assert [len(block) for block in blocks[:3]] == [18, 18, 18]
    np.testing.assert_array_equal(np.concatenate([block.xy for block in blocks]), whole.xy)
    np.testing.assert_array_equal(np.concatenate([block.frame for block in blocks]), whole.frame)
    frames = np.concatenate([block.frames for block in blocks])
    np.testing.assert_array_equal(frames, whole.frames)
    assert kept_keypoints(kept.with_name("a.part")) is None


def test_people_are_followed_through_blocks(kept: Path) -> None:
    blocks = list(followed(iter(kept_keypoints(kept, rows=17) or [])))
    assert len(blocks) > 5
    for block in blocks:
        right = np.nanmean(block.xy[..., 0], axis=1)
        others = right[np.arange(len(block)) ^ 1]  # two in a frame, one behind the other
        np.testing.assert_array_equal(block.person, (right > others).astype(int))


def test_whether_a_kept_file_is_all_that_would_be_found(kept: Path, clip: Path) -> None:
    known = about(open_frames(clip), Fake(), 1)
    assert is_complete(kept, known)
    assert not is_complete(kept, {"of": {**known["of"], "every": 2}})
    assert not is_complete(kept, {"of": {**known["of"], "bytes": 1}})


DAMAGE: dict[str, Any] = {
    "media": np.array(["a", "b"]),
    "keypoints": np.zeros((114, 17, 3), np.float32),
    "frame": np.zeros(114, np.int32),
    "frames": np.arange(60)[::-1].copy(),
    "times": np.zeros(59),
    "scores": np.zeros((3, 17), np.float32),
    "size": np.array([64, 0]),
    "joint_names": np.array("nose"),
    "fps": np.zeros(3),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_kept_file_is_one_line(name: str, kept: Path) -> None:
    with np.load(kept) as arrays:
        content = {**arrays, name: DAMAGE[name]}
    np.savez(kept, **content)
    with pytest.raises(InputError, match="detect once more"):
        load_keypoints(kept)
    assert kept_keypoints(kept) is None
