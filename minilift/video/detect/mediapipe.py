"""MediaPipe Pose: 33 landmarks a person. Its networks are inside the wheel of MediaPipe 0.10.21, and in the
.task files that Google gives away; LiteRT runs them, so that MediaPipe itself is never imported."""

from __future__ import annotations

import importlib.util
import json
import os
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, read_bytes
from minilift.video.detect.finder import Finder
from minilift.video.detect.landmarks import LAYOUT, Landmarker, Landmarks
from minilift.video.detect.regions import Region
from minilift.video.detect.search import SHARES, SOME, different, look, squares
from minilift.video.frame import Frame
from minilift.video.person import Person

_GLANCES = 1, 4  # squares of the picture looked into at every other frame: with people in sight, and without
_NEW = 0.97  # how sure it must be of one who is seen at a glance: a single square has no others to agree with
_LOST = 0.5  # a person is followed while the network is so sure
_INSIDE = ("modules/pose_detection/pose_detection.tflite", "modules/pose_landmark/pose_landmark_full.tflite")
_TASK = ("pose_detector.tflite", "pose_landmarks_detector.tflite")
_MOST = 1 << 28  # bytes of a network; the largest of MediaPipe's has 28 million


class MediaPipe:
    """Several people a picture; photos are searched finer than videos."""

    layout = LAYOUT

    def __init__(self, model: PathLike | None, still: bool, threads: int | None = None):
        """`model` is a pose_landmarker_*.task; None: the networks of the MediaPipe that is installed.

        Raises InputError, one line with the remedy, where there are none.
        """
        threads = threads or min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
        find, place = networks(model)
        self.finder = Finder(find.name, find.content, threads)
        self.landmarker = Landmarker(place.name, place.content, threads)
        self.name = f"mediapipe {zlib.crc32(place.content, zlib.crc32(find.content)):08x}"
        self.still = still
        self.reset()

    def reset(self) -> None:
        """Forget the frames before: the next one is searched all over."""
        self.people: list[Landmarks] = []  # of the frame before
        self.since = 0  # frames

    def remembered(self) -> bytes:
        """Where everybody was, and how many frames were looked at."""
        places = [(one.region, one.votes) for one in self.people if one.region is not None]
        rows = [(where.x, where.y, where.size, where.angle, votes) for where, votes in places]
        return json.dumps([self.since, rows]).encode()

    def recall(self, remembered: bytes) -> None:
        since, rows = json.loads(remembered)
        nowhere, none = np.zeros((len(LAYOUT), 2)), np.zeros(len(LAYOUT), np.float32)
        world = np.zeros((len(LAYOUT), 3))
        self.since = int(since)
        self.people = [Landmarks(nowhere, none, 0.0, Region(*row[:4]), world, row[4]) for row in rows]

    def __call__(self, frame: Frame) -> list[Person]:
        return [as_person(one) for one in self.look(frame)]

    def look(self, frame: Frame) -> list[Landmarks]:
        """The people with all that the networks say of them."""
        image = frame.image
        first = self.still or self.since == 0
        where = squares(image.shape[1], image.shape[0], SHARES if first else SOME)
        if first:
            self.people = look(image, self.finder, self.landmarker, where)
        else:
            known = self._follow(image)
            several = _GLANCES[not known]
            where = [where[(self.since * several + i) % len(where)] for i in range(several)]
            self.people = look(image, self.finder, self.landmarker, where, known, 1, 1, _NEW)
        self.since += 1
        return self.people

    def _follow(self, image: np.ndarray) -> list[Landmarks]:
        """Who was in the frame before: where is each now?"""
        found = []
        for person in self.people:
            if person.region is not None:
                now = self.landmarker(image, person.region)
                if now.sure >= _LOST:
                    found.append(replace(now, votes=person.votes))
        return different(found)

    def close(self) -> None:
        self.reset()


def as_person(found: Landmarks) -> Person:
    return Person(found.xy, found.score, found.sure, np.zeros(len(found.xy), bool))


@dataclass(frozen=True)
class _Content:
    name: str
    content: bytes


def networks(model: PathLike | None) -> tuple[_Content, _Content]:
    """What finds people, and what places their landmarks."""
    if model is not None:
        return _of_task(Path(model))
    found = importlib.util.find_spec("mediapipe")
    folder = Path(next(iter(found.submodule_search_locations or ()), "")) if found else None
    if folder is None or not all((folder / part).is_file() for part in _INSIDE):
        other = "MediaPipe is not installed" if folder is None else "this MediaPipe has no networks inside"
        raise InputError(
            f"the detector 'mediapipe': {other}; pip install 'minilift[video]' (Python up to 3.12), or give "
            "pose_landmarker_full.task of MediaPipe as model"
        )
    find, place = (_Content(str(folder / part), (folder / part).read_bytes()) for part in _INSIDE)
    return find, place


def _of_task(path: Path) -> tuple[_Content, _Content]:
    read_bytes(path, first=1)  # its own errors, for a file that cannot be read
    try:
        with zipfile.ZipFile(path) as file:
            parts = [_Content(f"{path}: {name}", _unpacked(file, name)) for name in _TASK]
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, EOFError, OSError):
        raise InputError(
            f"{path}: not a pose landmarker of MediaPipe; give pose_landmarker_full.task (or _lite, _heavy)"
        ) from None
    return parts[0], parts[1]


def _unpacked(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > _MOST:
        raise ValueError
    return file.read(name)
