"""Skeletons on a picture: the left side blue, the right vermilion; broken where no detector saw a joint, pale
where the expected error is large."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.poses.layouts import COURSE15
from minilift.show.clip.overlay.strokes import Dash, dot, rgb, stroke
from minilift.show.people.skeletons import bone_colour
from minilift.show.style import INK

PARENTS = np.array([len(COURSE15) if parent < 0 else parent for parent in COURSE15.parents])
HEAD = COURSE15.index("head")
COLOURS = [rgb(bone_colour(joint)) for joint in range(len(COURSE15))]
MIDDLE, WHITE = rgb(INK), (255, 255, 255)
RIM = 0.28  # of a bone's width, to each side of it
HEAD_SIZE = 1.5  # bones wide


class Person(NamedTuple):
    """One person in a picture."""

    flat: np.ndarray
    """(16, 2 or 3) pixels, and where known how near; the mid-hip last; NaN is not drawn."""
    placed: np.ndarray
    """(16,) bool."""
    firm: np.ndarray
    """(15,) 0 to 1."""
    width: float
    """Of a bone, in pixels."""


def dashes(width: float) -> Dash:
    return Dash(1.3 * width, 2.5 * width)


def draw_person(picture: np.ndarray, person: Person) -> None:
    """Draw somebody over a photo: first a white rim around all, which stands out from any ground."""
    flat, width = person.flat, person.width
    bones = [joint for joint in range(len(PARENTS)) if np.isfinite(flat[[joint, PARENTS[joint]]]).all()]
    rim = 2 * RIM * width
    for joint in bones:
        _bone(picture, person, joint, width + rim, WHITE)
    for joint in range(len(PARENTS)):
        _joint(picture, person, joint, rim)
    for joint in bones:
        _bone(picture, person, joint, width)
    for joint in range(len(PARENTS)):
        _joint(picture, person, joint)


def draw_people(picture: np.ndarray, people: list[Person]) -> None:
    """Draw people whose depth is known, far limbs first: each has a rim that tells it from what is behind."""
    parts: list[tuple[float, int, int]] = []
    for k, person in enumerate(people):
        near = person.flat[:, 2]
        for joint, parent in enumerate(PARENTS):
            parts.append((float(near[joint] + near[parent]) / 2, k, joint))
        parts.append((float(near[HEAD]) + 1e-9, k, -1))
    for _, k, joint in sorted(parts):
        person = people[k]
        if joint < 0:
            _joint(picture, person, HEAD)
            continue
        ends = person.flat[[PARENTS[joint], joint], :2]
        # Short of the joints: there it would cut others off
        part = ends[0] + np.array([[0.2], [0.8]]) * (ends[1] - ends[0])
        stroke(picture, part, person.width * (1 + 2 * RIM), WHITE)
        _bone(picture, person, joint, person.width)
        if person.placed[joint]:
            _joint(picture, person, joint)


def _bone(
    picture: np.ndarray, person: Person, joint: int, width: float, colour: tuple[int, int, int] | None = None
) -> None:
    parent = int(PARENTS[joint])
    broken = dashes(person.width) if person.placed[joint] or person.placed[parent] else None
    ends = person.flat[[parent, joint], :2]
    stroke(picture, ends, width, colour or COLOURS[joint], float(person.firm[joint]), broken)


def _joint(picture: np.ndarray, person: Person, joint: int, rim: float = 0.0) -> None:
    """The head, and joints that were placed, as rings; with `rim` the white around them."""
    at, firm = person.flat[joint, :2], float(person.firm[joint])
    size = HEAD_SIZE if joint == HEAD else 0.8
    if not np.isfinite(at).all() or not (person.placed[joint] or joint == HEAD):
        return
    radius = size * person.width
    if rim:
        dot(picture, at, radius + 0.5 * rim, WHITE, firm)
        return
    dot(picture, at, radius, MIDDLE if joint == HEAD else COLOURS[joint], firm)
    if person.placed[joint]:
        dot(picture, at, radius - max(1.0, 0.32 * person.width), WHITE)
