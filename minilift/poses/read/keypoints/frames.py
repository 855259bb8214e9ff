"""Frames one by one, each a JSON value: what a detector writes of one picture, or our own schema.

    {"frame": 7, "time": 0.233, "size": [1280, 720], "layout": "coco17",
     "people": [{"id": "ann", "keypoints": [x, y, score, ...], "score": 0.9}, ...]}

All but `people` and `keypoints` may be left out, the scores of the joints too where the layout is given;
joints may be lists of their own, and null or NaN is a number that is not known. Coordinates are pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files import file_error
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import LAYOUTS, Layout
from minilift.poses.layouts.own import layout_named
from minilift.poses.read.keypoints.document import JSON, Document
from minilift.poses.read.keypoints.formats import Format
from minilift.poses.read.keypoints.identify import identify
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, number, whole
from minilift.poses.read.keypoints.settle.assemble import assemble

OURS = "minilift-frame"
_NUMBERED = {
    "alphapose", "alphapose-open", "alphapose-cmu", "coco-result", "coco-annotation", "openpifpaf-video",
    "poseflow",
}  # fmt: skip
"""Formats whose people, or the names of whose pictures, have the number of the frame,"""
_NUMBER = ("frame", "frame_id", "frameIndex")  # and what has it in others
_LARGEST_SIDE = 100_000  # pixels


class Given(Document):
    """A JSON value that is there already; `name` is what messages call it."""

    def __init__(self, value: Any, name: str) -> None:
        self.path, self.start, self.kind = Path(name), b"", JSON
        self.__dict__["json"] = value  # where the cached property looks first


@dataclass
class _Settled:
    """What the frames so far were, which those that follow are, too."""

    format: Format | None = None
    wrapped: bool = False
    """A value stands for one frame in a list of them."""


class FrameReader:
    """Reads frames that come one by one. The first one with people settles format and layout.

    `asked` says what is known beforehand. Calls give `Keypoints` of one frame, which may have no people.
    """

    def __init__(self, asked: Asked | None = None) -> None:
        self.asked = asked or Asked()
        self._settled = _Settled()
        self._layouts: dict[int, Layout] = {}
        self._next = 0

    def __call__(self, value: Any, name: str) -> Keypoints:
        """A frame of a JSON value. `name` is what messages call it.

        Raises InputError of one line for what is no frame: of no known format, several frames, numbers that
        are none, another layout than that of the frames before; ArgumentError for what has to be said.
        """
        if is_ours(value):
            raw, time = read_ours(value, name), _time(value, name)
            own = "frame" in value
            found = self._assembled(raw, name, OURS, value.get("layout")) if len(raw.xy) else None
        else:
            raw, format, own = self._detected(value, name)
            time = None
            found = self._assembled(raw, name, format, None) if len(raw.xy) else None
        at = int(raw.frames[0]) if own and raw.frames is not None and len(raw.frames) else self._next
        self._next = at + 1
        found = found or self._nobody(raw)
        return replace(
            found,
            frame=np.full(len(found), at, np.int64),
            frames=np.array([at], np.int64),
            times=None if time is None else np.array([time]),
            stills=False,
        )

    def _detected(self, value: Any, name: str) -> tuple[Raw, str, bool]:
        """What a detector's reader makes of it, the format, and whether it knows the frame's number."""
        if value == [] or value == {"people": []}:
            return Rows(name).raw(), "", False
        problem: InputError | None = None
        order = (self._settled.wrapped, not self._settled.wrapped)
        for wrapped in order:
            document = Given([value] if wrapped else value, name)
            try:
                format = self._format_of(document)
                raw = format.read(document, self.asked)
            except InputError as error:
                problem = problem or error
                continue
            frames = len(np.unique(raw.frame)) if raw.frames is None else len(raw.frames)
            if frames > 1:
                problem = problem or file_error(name, f"has {frames} frames; give one a line")
                continue
            if format.finish is not None:
                raw = format.finish(raw)
            self._settled = _Settled(format, wrapped)
            own = isinstance(value, dict) and any(key in value for key in _NUMBER)
            return raw, format.name, own or format.name in _NUMBERED
        assert problem is not None
        raise problem

    def _format_of(self, document: Document) -> Format:
        last = self._settled.format
        if last is not None and last.fits(document):
            return last
        return identify(document, self.asked)

    def _assembled(self, raw: Raw, name: str, format: str, layout: str | None) -> Keypoints | None:
        """The people; none where not one of them has a joint."""
        joints = raw.xy.shape[1]
        known = self._layouts.get(joints)
        if layout is not None:
            asked = replace(self.asked, layout=layout)
        elif known is not None:
            asked = replace(self.asked, layout=known.name if self.asked.layout is None else self.asked.layout)
        else:
            asked = self.asked
        lost = ~np.isfinite(raw.xy).all(axis=2)
        if (lost if raw.missing is None else lost | raw.missing).all():
            return None
        found = assemble(raw, name, format, asked, doubts=False)
        if known is None and layout is None:
            self._layouts[joints] = found.layout
        return found

    def _nobody(self, raw: Raw) -> Keypoints:
        layout = next(iter(self._layouts.values()), LAYOUTS["coco17"])
        if self.asked.layout is not None:
            layout = layout_named(self.asked.layout)
        nothing = np.zeros((0, len(layout)))
        none = np.zeros(0, np.int64)
        return Keypoints(
            np.zeros((0, len(layout), 2)), None, nothing > 0, none, none, None, (), layout, "", none,
            size=self.asked.size or raw.size, fps=self.asked.fps or raw.fps,
        )  # fmt: skip


def is_ours(value: Any) -> bool:
    """Whether it is our own schema: people with keypoints, or without people but with what it alone has."""
    people = value.get("people") if isinstance(value, dict) else None
    if not isinstance(people, list):
        return False
    if not people:
        return bool(value.keys() & {"frame", "time", "layout", "size"})
    return isinstance(people[0], dict) and isinstance(people[0].get("keypoints"), list)


def read_ours(value: dict[str, Any], name: str) -> Raw:
    """Raises InputError for people that are none, and a frame, layout or size that is none."""
    rows = Rows(name)
    frame = value.get("frame", 0)
    if whole(frame, -1) < 0 or isinstance(frame, bool):
        raise file_error(
            name, f"has a frame that is no number ({str(frame)[:20]}); count from 0, or leave it out"
        )
    layout = value.get("layout")
    if layout is not None and not isinstance(layout, str):
        raise file_error(name, "has a layout that is no name; give one such as coco17")
    width = 3
    for person in value["people"]:
        if not isinstance(person, dict) or not isinstance(person.get("keypoints"), list):
            raise file_error(
                name, "has people without a list of keypoints; give x, y and score of every joint"
            )
        joints = person["keypoints"]
        if layout is not None:
            width = _width(joints, len(layout_named(layout)))
        rows.add(whole(frame, 0), joints, width, track=person.get("id"), weight=person.get("score"))
    rows.frames = [whole(frame, 0)]
    found = rows.raw(size=_size(value.get("size"), name))
    found.trusted = True
    return found


def _width(joints: list[Any], count: int) -> int:
    """Numbers of a joint: x and y alone, where there are so few."""
    flat = len(joints) if not joints or not isinstance(joints[0], list) else len(joints) * len(joints[0])
    return 2 if flat == 2 * count else 3


def _size(given: Any, name: str) -> tuple[int, int] | None:
    if given is None:
        return None
    sides = [whole(side, 0) for side in given] if isinstance(given, list) else []
    if len(sides) != 2 or not all(1 < side <= _LARGEST_SIDE for side in sides):
        raise file_error(
            name, "has a size that is none; give width and height in pixels, such as [1280, 720]"
        )
    return sides[0], sides[1]


def _time(value: dict[str, Any], name: str) -> float | None:
    given = value.get("time")
    if given is None:
        return None
    found = number(given)
    if not math.isfinite(found) or isinstance(given, list):
        raise file_error(name, "has a time that is no number; give seconds, or leave it out")
    return found
