"""The people of a page: what its scripts must know of them as JSON, and their numbers as bytes in base64."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.poses.joint_state import WORDS
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.page.facts import name_of
from minilift.show.clip.projected import projected
from minilift.show.clip.stage import Stage
from minilift.show.clip.timeline import Timeline
from minilift.show.html.numbers import in_base64, quantised, reach
from minilift.show.people.skeletons import side

MOST = 20_000  # people in frames in one page: 8.5 MB of it
UNEVEN = 0.02  # seconds
BYTE, SHORT = 254, 65_534  # steps of a share; one more stands for NaN


def pack(people: LiftedPeople, stage: Stage, shown: Timeline) -> tuple[dict[str, Any], str]:
    """What the scripts need of the m people in frames that are shown: (a dict fit for JSON, base64).

    `people` and `stage` have the rows of `shown`, in its order. The bytes are little-endian, one array after
    the other; page/data.js lists the same ones:

        int32   at (m,), an index into the frames
        float32 root (m, 3), reach_3d (m,), middle (m, 2), reach_2d (m,), check (m,)
        uint16  person (m,), an index into the people; expected (m, 15)
        int16   joints (m, 15, 3), given (m, 16, 2), back (m, 16, 2)
        uint8   confidence (m, 15), state (m, 15), unlike (m,)

    `joints` are from the root in the axes of the stage, `given` (the keypoints) and `back` (the 3D joints,
    projected) from `middle` in pixels, both as minilift.show.html.numbers says. `expected` and `confidence`
    are steps of their largest value.
    """
    around = stage.joints[:, :-1] - stage.joints[:, -1:]
    given = np.concatenate([people.joint_2d, people.root_2d[:, None]], axis=1).astype(np.float64)
    back = projected(people)
    there = np.isfinite(given).all(axis=2, keepdims=True)
    middle = np.where(there, given, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    given, back = given - middle[:, None], back - middle[:, None]
    reach_3d, reach_2d = reach(around).astype("<f4"), _reach_2d(given, back)
    who, person = np.unique(people.person, return_inverse=True)
    m = len(people)
    nothing = np.full((m, len(COURSE15)), np.nan)
    expected, most_expected = _shares(
        nothing if people.expected_error is None else people.expected_error, SHORT
    )
    confidence, most_confident = _shares(people.confidence, BYTE)
    arrays = (
        shown.at.astype("<i4"),
        np.nan_to_num(stage.joints[:, -1]).astype("<f4"),
        reach_3d,
        middle.astype("<f4"),
        reach_2d,
        (np.full(m, np.nan) if people.check is None else people.check).astype("<f4"),
        person.astype("<u2"),
        expected.astype("<u2"),
        quantised(around, reach_3d),
        quantised(given, reach_2d),
        quantised(back, reach_2d),
        confidence.astype("u1"),
        people.state.astype("u1"),
        (np.zeros(m) if people.unlike is None else people.unlike).astype("u1"),
    )
    most = {"expected": most_expected, "confidence": most_confident}
    return _about(people, stage, shown, who, most), in_base64(arrays)


def _about(
    people: LiftedPeople, stage: Stage, shown: Timeline, who: np.ndarray, most: dict[str, float | None]
) -> dict[str, Any]:
    """What stands next to the numbers; `who` (P,) are those of the people."""
    return {
        "n": len(people),
        "frames": _frames(shown.frames),
        "seconds": shown.seconds,
        "times": _times(people, shown),
        "stills": people.stills,
        "people": [name_of(people, int(number)) for number in who],
        "most": most,
        "joints": [name.replace("_", " ") for name in COURSE15.joints],
        "parents": [len(COURSE15) if parent < 0 else parent for parent in COURSE15.parents],
        "sides": [side(joint) for joint in range(len(COURSE15))],
        "states": list(WORDS),
        "unit": people.unit,
        "axes": people.axes,
        "rays": people.rays,
        "size": None if people.size is None else list(people.size),
        "trusted": people.unlike is not None,
        "floor": stage.floor and list(stage.floor),
        "height": stage.height,
        "low": stage.low.tolist(),
        "high": stage.high.tolist(),
        "camera": stage.camera.tolist(),
    }


def _reach_2d(given: np.ndarray, back: np.ndarray) -> np.ndarray:
    """One reach for both. A wild projection is cut off at four times that of the keypoints."""
    own = reach(given)
    return np.minimum(np.maximum(own, reach(back)), np.where(own > 1e-9, 4 * own, np.inf)).astype("<f4")


def _shares(values: np.ndarray, steps: int) -> tuple[np.ndarray, float | None]:
    """Values as steps of the largest (steps + 1: NaN), and the largest; None where there are none."""
    there = np.isfinite(values)
    if not there.any():
        return np.full(values.shape, steps + 1), None
    most = max(float(values[there].max()), 1e-9)
    return np.where(there, np.clip(np.nan_to_num(values) / most, 0, 1) * steps, steps + 1).round(), most


def _times(people: LiftedPeople, shown: Timeline) -> list[float] | None:
    """Seconds from the first frame to each, where a video's rate varies by more than UNEVEN; or None."""
    if people.times is None or people.stills or len(shown.frames) < 2 or not np.isfinite(people.times).all():
        return None
    known, first = np.unique(shown.at, return_index=True)
    times = np.interp(np.arange(len(shown.frames)), known, people.times[first])
    times = np.maximum.accumulate(times - times[0])
    even = np.linspace(0, times[-1], len(times))
    if np.abs(times - even).max() < UNEVEN or not (np.diff(times) > 0).all():
        return None
    return [round(float(time), 4) for time in times]


def _frames(frames: np.ndarray) -> dict[str, int] | list[int]:
    """The numbers of frames; where they are evenly spaced, the first, the step and how many."""
    steps = np.diff(frames)
    if len(frames) > 2 and (steps == steps[0]).all():
        return {"first": int(frames[0]), "step": int(steps[0]), "count": len(frames)}
    return [int(frame) for frame in frames]
