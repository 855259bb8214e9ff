"""People as they are drawn, frame by frame, however many there are in all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from minilift.poses.joint_state import MISSING
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import COLUMNS, People, blocks_of
from minilift.show.clip.projected import projected
from minilift.show.clip.stage import to_stage

SURE, DOUBTFUL = 0.05, 0.15  # of a person's height: expected errors that are drawn in full, and palest
PALEST = 0.35
SAMPLE = 8192  # people, from whom the stage is built


class Rows(NamedTuple):
    """m people, by frame."""

    frame: np.ndarray
    """(m,) int64."""
    person: np.ndarray
    """(m,) int64."""
    joints: np.ndarray
    """(m, 16, 3) on the stage, the mid-hip last; NaN in all where one is not known."""
    flat: np.ndarray
    """(m, 16, 2) pixels: the keypoint, or where there is none the 3D joint, projected; NaN: neither."""
    placed: np.ndarray
    """(m, 16) bool: no detector saw it in this frame."""
    firm: np.ndarray
    """(m, 15): how firmly it is drawn, from PALEST to 1, by its expected error."""
    unlike: np.ndarray
    """(m,) bool."""

    def part(self, rows: slice) -> Rows:
        return Rows(*(array[rows] for array in self))


def rows_of(people: LiftedPeople, height: float) -> Rows:
    """People ready to be drawn; `height` is that of a person."""
    both = np.concatenate([people.joint_3d, people.root[:, None]], axis=1)
    whole = np.isfinite(both).all(axis=(1, 2))
    both = np.where(whole[:, None, None], both, np.nan)
    flat = np.concatenate([people.joint_2d, people.root_2d[:, None]], axis=1).astype(np.float64)
    given = np.asarray(np.isfinite(flat).all(axis=2))
    unseen = np.concatenate([people.state >= MISSING, ~given[:, -1:]], axis=1)
    placed = ~given | unseen
    flat = np.where(given[..., None], flat, projected(people) if placed.any() else np.nan)
    firm = np.ones(people.state.shape)
    if people.expected_error is not None:
        off = np.nan_to_num(np.minimum(people.expected_error, height) / height, nan=SURE)
        firm = 1 - (1 - PALEST) * np.clip((off - SURE) / (DOUBTFUL - SURE), 0, 1)
    return Rows(
        people.frame,
        people.person,
        to_stage(both, people.axes),
        flat,
        placed,
        firm,
        np.zeros(len(people), bool) if people.unlike is None else people.unlike,
    )


def by_frame(people: People, height: float) -> Iterator[tuple[int, Rows]]:
    """Each frame that has people, ascending, with them; a block of people is in memory at a time."""
    kept: Rows | None = None
    for block in blocks_of(people):
        rows = rows_of(block, height)
        if kept is not None:
            rows = Rows(*(np.concatenate(pair) for pair in zip(kept, rows, strict=True)))
        ends = [0, *(np.flatnonzero(np.diff(rows.frame)) + 1)]
        for first, last in itertools.pairwise(ends):
            yield int(rows.frame[first]), rows.part(slice(first, last))
        kept = rows.part(slice(ends[-1], None))  # the next block may begin with more of this frame
    if kept is not None and len(kept.frame):
        yield int(kept.frame[0]), kept


def sample_of(people: People) -> LiftedPeople:
    """At most SAMPLE people and a few, evenly over the clip."""
    if isinstance(people, LiftedPeople) and len(people) <= SAMPLE:
        return people
    every = -(-len(people) // SAMPLE)
    parts = [block.take(slice(None, None, every)) for block in blocks_of(people)]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in COLUMNS
        if getattr(parts[0], name) is not None
    }
    return replace(parts[0], **arrays)
