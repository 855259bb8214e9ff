"""The page that shows people as they come, and a frame of them as it is sent to it."""

from __future__ import annotations

import html
import json
from string import Template
from typing import Any

import numpy as np

from minilift import __version__
from minilift.files import one_line
from minilift.poses.joint_state import WORDS
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.page.facts import AXES, UNITS
from minilift.show.clip.projected import projected
from minilift.show.clip.stage import build, fit_to_draw
from minilift.show.html.document import ROOM, json_text, text
from minilift.show.live.server import LIVE_POLICY
from minilift.show.people.skeletons import side

HERE = "minilift.show.live"
CLIP = "minilift.show.clip.page"
DRAWING = ("eye.js", "skeleton.js", "stage.js", "image.js", "hand.js")
MOST = 50
"""People of a frame that are sent: those the detector gives first."""


def live_page(title: str) -> str:
    """The page, one file but for its frames, which it takes from /events."""
    page = Template(text(HERE, "live.html"))
    scene = {
        "joints": [name.replace("_", " ") for name in COURSE15.joints],
        "parents": [len(COURSE15) if parent < 0 else parent for parent in COURSE15.parents],
        "sides": [side(joint) for joint in range(len(COURSE15))],
        "states": list(WORDS),
        "axes": AXES,
        "units": UNITS,
    }
    return page.substitute(
        title=html.escape(one_line(title, 80)),
        policy=html.escape(LIVE_POLICY.partition("; frame-ancestors")[0]),
        version=html.escape(__version__),
        style=text(ROOM, "base.css") + text(CLIP, "page.css") + text(HERE, "live.css"),
        scene=json_text(scene),
        code=text(ROOM, "bytes.js", "colours.js", "canvas.js") + text(HERE, "rows.js") + text(CLIP, *DRAWING)
        + text(HERE, "live.js"),
    )  # fmt: skip


def frame_text(people: LiftedPeople, frame: int, picture: str | None = None) -> str:
    """What is sent of one frame, as JSON on one line; rows.js reads the same. NaN is null.

    {frame, time, unit, axes, rays, size, trusted, source (how the camera is known), picture (a data URL, null
    for none), people: [{who, joints:
    16 times [x, y, z] on the stage, the mid-hip last, given and back: 16 times [x, y] in the picture, null
    for none, state, expected, unlike, check}], and of the frame as a whole height, floor and camera, as
    `Stage` has them, where somebody is to be seen}
    """
    whole = np.isfinite(people.joint_3d).all(axis=(1, 2)) & np.isfinite(people.root).all(axis=1)
    some = people.take(np.flatnonzero(whole)[:MOST])
    time = None if people.times is None or not len(people.times) else float(people.times[0])
    found: dict[str, Any] = {
        "frame": frame,
        "time": time,
        "unit": people.unit,
        "axes": people.axes,
        "rays": people.rays,
        "size": people.size,
        "trusted": people.unlike is not None,
        "source": people.camera.get("source", ""),
        "picture": picture,
        "people": [],
    }
    if len(some):
        found |= _stage(fit_to_draw(some, "the live page"))
    return json.dumps(found, allow_nan=False, separators=(",", ":"))


def _stage(people: LiftedPeople) -> dict[str, Any]:
    stage = build(people)
    given = np.concatenate([people.joint_2d, people.root_2d[:, None]], axis=1)
    back = projected(people)
    error = people.expected_error
    rows = [
        {
            "who": one_line(people.people.get(number, f"person {number}"), 40),
            "joints": _rounded(stage.joints[row], 4),
            "given": _places(given[row]),
            "back": _places(back[row]),
            "state": people.state[row].tolist(),
            "expected": None if error is None else _rounded(error[row], 4),
            "unlike": people.unlike is not None and bool(people.unlike[row]),
            "check": None if people.check is None else _rounded(people.check[row], 2),
        }
        for row, number in enumerate(people.person.tolist())
    ]
    floor = stage.joints[..., 1].min() if stage.floor is None else stage.floor.height
    return {
        "people": rows,
        "height": round(stage.height, 4),
        "floor": round(float(floor), 4),
        "camera": _rounded(stage.camera, 4),
    }


def _rounded(values: np.ndarray, digits: int) -> Any:
    """Lists of numbers; null for what is not finite."""
    if np.isfinite(values).all():
        return np.round(np.asarray(values, np.float64), digits).tolist()
    return [_rounded(value, digits) for value in values] if np.ndim(values) else None


def _places(points: np.ndarray) -> list[Any]:
    """Pixels (16, 2) as pairs; null for those that are not known."""
    known = np.isfinite(points).all(axis=1)
    rounded = np.round(points.astype(np.float64), 2).tolist()
    return [pair if there else None for pair, there in zip(rounded, known, strict=True)]
