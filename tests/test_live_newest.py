"""The newest frame of a camera, and the people that a detector finds in it; both are played here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_frames import LIFTER

from minilift import Live
from minilift.errors import InputError
from minilift.poses.layouts import LAYOUTS
from minilift.video.frame import Frame, Frames
from minilift.video.newest import Newest, seen
from minilift.video.person import Detector, Person, Remembers

SIZE = (64, 48)


class Played:
    """A camera, or a video, of grey pictures that are as bright as their number."""

    path, size, fps, count, still = Path("camera:0"), SIZE, 50.0, None, False
    focal, focal_source = None, ""

    def __init__(self, count: int, every: float, problem: Exception | None = None) -> None:
        self.count, self.every, self.problem = count, every, problem
        self.given, self.closed = 0, False
        self.notes, self.warnings = list[str](), list[str]()

    def frames(self, start: int = 0, after: Any = None) -> Iterator[Frame]:
        for number in range(start, self.count):
            time.sleep(self.every)
            self.given = number + 1
            yield Frame(number, number / 50, np.full((SIZE[1], SIZE[0], 3), number % 256, np.uint8))
        if self.problem is not None:
            raise self.problem

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Finder:
    """Finds as many people as the picture's number modulo 3, who stand beside each other."""

    name, layout = "played", LAYOUTS["coco17"]

    def __init__(self, slow: float = 0.0) -> None:
        self.slow, self.resets = slow, 0

    def reset(self) -> None:
        self.resets += 1

    def remembered(self) -> bytes:
        return b""

    def recall(self, remembered: bytes) -> None: ...

    def __call__(self, frame: Frame) -> list[Person]:
        time.sleep(self.slow)
        body = np.stack([20 + 3.0 * (np.arange(17) % 5), 2 + 2.5 * np.arange(17)], axis=1)
        lost = np.arange(17) == 3
        score = np.full(17, 0.9, np.float32)
        return [Person(body + 20 * who, score, None if who else 0.8, lost) for who in range(frame.number % 3)]

    def close(self) -> None: ...


def test_a_detector_that_is_too_slow_gets_the_newest_frame() -> None:
    camera = Played(40, every=0.01)
    numbers = []
    for frame in Newest(camera, pace=False):
        numbers.append(frame.number)
        assert frame.number >= camera.given - 2
        time.sleep(0.08)
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 20
    assert numbers[-1] == 39  # the last one is not lost


def test_a_file_comes_at_its_own_pace() -> None:
    began = time.monotonic()
    frames = list(Newest(Played(20, every=0.0), pace=True))
    assert time.monotonic() - began > 0.36  # 19 frames of 20 ms
    assert frames[0].number == 0
    began = time.monotonic()
    newest = Newest(Played(3000, every=0.0), pace=True)
    for frame in newest:
        if frame.number > 3:
            newest.close()
            break
    assert time.monotonic() - began < 10
    assert not newest._thread.is_alive()


def test_what_reading_raises_comes_after_the_frames() -> None:
    newest = Newest(Played(3, every=0.05, problem=InputError("the camera was pulled out")), pace=False)
    frames = iter(newest)
    assert [next(frames).number for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputError, match="the camera was pulled out"):
        next(frames)


def test_people_of_every_frame_go_into_live() -> None:
    camera, finder = Played(7, every=0.0), Finder()
    one_by_one: list[Frame] = list(camera.frames())
    live = Live(LIFTER)
    counts = []
    for found, image in seen(one_by_one, finder, SIZE):  # type: ignore[arg-type]
        assert (found.layout.name, found.format, found.size) == ("coco17", "played", SIZE)
        assert found.missing[:, 3].all()
        assert (image == int(found.frames[0]) % 256).all()
        people = live.push(found)
        assert people.frame.tolist() == [int(found.frames[0])] * len(people)
        counts.append(len(people))
    assert counts == [number % 3 for number in range(7)]
    assert finder.resets == 1  # once: what it knows of one frame is for the next
    detector: Detector = finder
    assert isinstance(detector, Remembers)
    assert detector.name == "played"
    assert threading.active_count() < 20
