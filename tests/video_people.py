"""A detector for the tests that tells what it sees: people who move as the grey of `video_files` grows."""

from __future__ import annotations

import time
from typing import Any

import clip_files
import numpy as np
import pytest
import video_files

from minilift.poses.layouts import LAYOUTS
from minilift.video.detect.open import DETECTORS, Row
from minilift.video.frame import Frame
from minilift.video.person import Person

PEOPLE = clip_files.in_layout("coco17", clip_files.people(25)) / np.array(clip_files.SIZE)
"""(25, 17, 2) shares of the picture: where the first person is by the number that a picture shows."""


class Fake:
    """Two people in every picture but those whose number is in `empty`; the one who is farther right comes
    first in every other one."""

    layout = LAYOUTS["coco17"]

    def __init__(self, empty: tuple[int, ...] = (), slow: float = 0.0, remembers: bool = False) -> None:
        self.name, self.empty, self.slow = "fake 1", empty, slow
        self.seen: list[int] = []
        self.since = 0
        self.remembers = remembers

    def __call__(self, frame: Frame) -> list[Person]:
        time.sleep(self.slow)
        self.seen.append(frame.number)
        self.since += 1
        number = video_files.number_of(frame.image)
        if number in self.empty:
            return []
        height, width = frame.image.shape[:2]
        first = PEOPLE[number % 25] * (width, height)
        first = first + 1e-3 * (self.since if self.remembers else 0)
        score = np.full(17, 0.9, np.float32)
        missing = np.arange(17) == 3
        second = Person(first * (0.5, 1) + (width / 2, 0), score, 0.7, missing)
        return [Person(first, score, 0.8, missing), second][:: -1 if number % 2 else 1]

    def close(self) -> None:
        """Nothing to close."""


class Remembering(Fake):
    """Its people move on with every frame that it has seen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(remembers=True, **options)

    def reset(self) -> None:
        self.since = 0

    def remembered(self) -> bytes:
        return str(self.since).encode()

    def recall(self, remembered: bytes) -> None:
        self.since = int(remembered)


def register(
    monkeypatch: pytest.MonkeyPatch | None = None, kind: type[Fake] = Fake, **options: Any
) -> list[Fake]:
    """Let `--detector fake` open one; the list is filled with those that were opened."""
    opened: list[Fake] = []

    def make(model: Any, still: bool) -> Fake:
        opened.append(kind(**options))
        return opened[-1]

    row = Row(make, "for the tests", "none")
    if monkeypatch is None:
        DETECTORS["fake"] = row
    else:
        monkeypatch.setitem(DETECTORS, "fake", row)
    return opened
