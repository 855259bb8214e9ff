"""What is suspicious about keypoints, and what to do: a line for each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts.find import implausible

_MOST = 5000  # rows that are looked at
_FEWEST = 5
_SHARE = 0.7  # of the rows that show it


def suspicious(found: Keypoints) -> tuple[str, ...]:
    """The warnings about keypoints whose layout is known; none for what the course's files hold."""
    if found.rays or not len(found):
        return ()
    rows = np.unique(np.linspace(0, len(found) - 1, min(len(found), _MOST)).astype(int))
    return tuple(_all(found.take(rows)))


def _all(found: Keypoints) -> Iterator[str]:
    why = implausible(found.layout, found.xy, found.missing)
    if why:
        yield f"{why}: this is another layout; give layout"
    places = np.where(found.missing[..., None], np.nan, found.xy)
    if _upside_down(found, places):
        yield "heads are below hips: y seems to point up; write y downwards, as pixels are counted"
    if _mirrored(found, places):
        yield "faces and bodies contradict each other: left and right seem exchanged; check the joints' order"
    yield from _sizes(found, places)
    doubles = _doubles(found)
    if doubles:
        yield f"{doubles:,} people are there twice in a frame, to the digit: predict counts them once"


def _middle(found: Keypoints, places: np.ndarray, *parts: str) -> np.ndarray | None:
    rows = [found.layout.joints.index(part) for part in parts if part in found.layout.joints]
    return places[:, rows].mean(axis=1) if len(rows) == len(parts) else None


def _upside_down(found: Keypoints, places: np.ndarray) -> bool:
    shoulders = _middle(found, places, "left_shoulder", "right_shoulder")
    hips = _middle(found, places, "left_hip", "right_hip")
    if shoulders is None or hips is None:
        return False
    below = (shoulders - hips)[:, 1]
    known = below[np.isfinite(below)]
    return len(known) >= _FEWEST and float((known > 0).mean()) > _SHARE


def _mirrored(found: Keypoints, places: np.ndarray) -> bool:
    """Where both eyes and both shoulders are well apart, they are so in the same direction."""
    eyes, shoulders = (
        [_middle(found, places, f"{side}_{part}") for side in ("left", "right")]
        for part in ("eye", "shoulder")
    )
    if any(one is None for one in (*eyes, *shoulders)):
        return False
    face = eyes[0][:, 0] - eyes[1][:, 0]  # type: ignore[index]
    body = shoulders[0][:, 0] - shoulders[1][:, 0]  # type: ignore[index]
    clear = (np.abs(face) > 0.1 * np.abs(body)) & (np.abs(body) > 0)
    against = np.sign(face[clear]) != np.sign(body[clear])
    return len(against) >= _FEWEST and float(against.mean()) > _SHARE


def _sizes(found: Keypoints, places: np.ndarray) -> Iterator[str]:
    known = places[np.isfinite(places).all(axis=2)]
    if not len(known):
        return
    reach = float(np.percentile(np.abs(known), 95))
    if reach <= 2:
        yield f"positions reach {reach:.2g}: fractions of the picture taken for pixels; multiply by its size"
    elif found.size is not None:
        share = (known > np.array(found.size) * 1.5).any(axis=1).mean()
        if share > 0.2:
            width, height = found.size
            yield f"{share:.0%} of the joints lie far outside of {width}x{height}: another size, or rotated?"


def _doubles(found: Keypoints) -> int:
    if not (found.person > 0).any():
        return 0
    shown = np.where(found.missing[..., None], 0, found.xy).reshape(len(found), -1)
    keyed = np.column_stack([found.frame.astype(np.float64), shown])
    return len(keyed) - len(np.unique(keyed, axis=0))
