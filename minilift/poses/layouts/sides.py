"""Left and right exchanged, and y pointing up: what points say about it over many rows."""

from __future__ import annotations

import numpy as np

from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.look import FAR

_ROWS = 10  # that have to speak
_MOSTLY = 0.75  # of them
# Of rows, those that stand on their heads: 0 to 21% of 22 people of CMU's, acrobats among them; 64 to 100% of
# theirs with y the wrong way round.
_TURNED = 0.5
_CLEAR = 0.15  # of a trunk: shorter distances say nothing about a direction
_CLEAR_OF_SMALL = 0.06  # of a face or a foot
_SURE = 0.6  # of the shoulders' score: a face with less was not seen
_TOES = ("big_toe", "foot_index", "toe")


def doubts(
    layout: Layout, xy: np.ndarray, missing: np.ndarray, score: np.ndarray | None = None
) -> tuple[str, ...]:
    """What is suspicious about the directions of points (n, J, 2), y down, a line each with the remedy.

    That needs 10 rows or more that speak of it, and 3 of 4 of them; of y, half of them. A person and a mirror
    image with the names exchanged look the same, so what contradicts is looked for: face and toes say where
    someone looks.
    """
    points = _Points(layout, xy, missing)
    if _stands_on_its_head(points):
        return ("heads are below hips: y seems to point up; write y downwards, as pixels are counted",)
    part = _exchanged_face(points)
    if part:
        return (f"{part}s and shoulders contradict each other: left and right seem exchanged in one of them",)
    if any(_disagree(ahead, points.across("shoulder"), points) for ahead in _facing(points, score)):
        told = "who faces the camera has the left shoulder on the left: left and right seem exchanged"
        return (f"{told}; check the joints' order, or whether the picture was mirrored",)
    return ()


class _Points:
    """Places by name, NaN where there are none."""

    def __init__(self, layout: Layout, xy: np.ndarray, missing: np.ndarray) -> None:
        self.layout, self.missing = layout, missing
        self._xy = np.where(missing[..., None] | ~(np.abs(xy) < FAR), np.nan, xy)
        self.trunk = np.linalg.norm(self.middle("shoulder") - self.middle("hip"), axis=1)

    def at(self, name: str) -> np.ndarray:
        """(n, 2) places of a joint."""
        if name not in self.layout.joints:
            return np.full((len(self._xy), 2), np.nan)
        return self._xy[:, self.layout.joints.index(name)]

    def middle(self, part: str) -> np.ndarray:
        return (self.at(f"left_{part}") + self.at(f"right_{part}")) / 2

    def across(self, part: str) -> np.ndarray:
        """How far the left one is to the right of the right one in the picture (n,): positive for a person
        who faces the camera."""
        return np.asarray((self.at(f"left_{part}") - self.at(f"right_{part}"))[:, 0])


def upside_down(layout: Layout, xy: np.ndarray, missing: np.ndarray) -> bool:
    """Whether points (n, J, 2), y down, are of people who stand on their heads in more than half of the rows.
    One row does not tell: it may be a handstand."""
    return _stands_on_its_head(_Points(layout, xy, missing))


def _stands_on_its_head(points: _Points) -> bool:
    """Whether shoulders are below hips, and hips not above knees where they are known, mostly."""
    shoulder, hip, knee = (points.middle(part)[:, 1] for part in ("shoulder", "hip", "knee"))
    known = np.isfinite(shoulder - hip)
    turned = (shoulder > hip) & ~(hip < knee)
    return bool(known.sum() >= _ROWS and turned[known].mean() > _TURNED)


def _disagree(first: np.ndarray, second: np.ndarray, points: _Points) -> bool:
    """Whether signed lengths of something small and of shoulders have other signs, where both are clear."""
    known = (np.abs(first) > _CLEAR_OF_SMALL * points.trunk) & (np.abs(second) > _CLEAR * points.trunk)
    return bool(known.sum() >= _ROWS and ((first > 0) != (second > 0))[known].mean() > _MOSTLY)


def _exchanged_face(points: _Points) -> str:
    """The part of the face whose sides are not those of the shoulders: a head does not turn so far."""
    shoulders = points.across("shoulder")
    for part in ("ear", "eye"):
        if _disagree(points.across(part), shoulders, points):
            return part
    return ""


def _facing(points: _Points, score: np.ndarray | None) -> list[np.ndarray]:
    """Signed lengths that are positive for people who face the camera: toes lower than heels in the picture,
    as a camera sees them that is not below the feet, and a face that the detector saw."""
    found = [(points.middle(toe) - points.middle("heel"))[:, 1] for toe in _TOES]
    joints, missing = points.layout.joints, points.missing
    face = [joints.index(name) for name in ("nose", "left_eye", "right_eye") if name in joints]
    shoulders = [
        joints.index(f"{side}_shoulder") for side in ("left", "right") if f"{side}_shoulder" in joints
    ]
    if len(face) < 3 or len(shoulders) < 2 or (score is None and not missing[:, face].any()):
        return found  # a detector that places a face on the back of every head says nothing
    seen = ~missing[:, face].any(axis=1)
    if score is not None:
        seen &= score[:, face].min(axis=1) > _SURE * score[:, shoulders].mean(axis=1)
    return [*found, np.where(seen, np.inf, np.nan)]
