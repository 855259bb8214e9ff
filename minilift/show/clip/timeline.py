"""Which frames of a clip are shown: all, with their gaps, or evenly fewer where there are too many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minilift.poses.lifted import LiftedPeople

MOST_PEOPLE = 100  # with a colour, a name and a line of the timeline each
SPARSE = 20  # times as many frame numbers as frames: numbers with such holes are not drawn to scale


@dataclass(frozen=True)
class Timeline:
    """The frames that are shown, and the rows of the people in them."""

    frames: np.ndarray
    """(F,) int64: numbers of frames, ascending, those without people too."""
    rows: np.ndarray
    """(m,) int64: rows of the people shown, by frame, then by person."""
    at: np.ndarray
    """(m,) int64: for each of those rows its frame, as an index into `frames`."""
    seconds: float | None
    """From one of the frames to the next; None where the clip does not say, and for stills."""
    notes: tuple[str, ...]
    """What is left out, a line each."""


def timeline(people: LiftedPeople, most: int) -> Timeline:
    """Choose at most `most` people in frames: those seen least are left out first, then frames, evenly."""
    notes = []
    rows = np.lexsort((people.person, people.frame))
    who, count = np.unique(people.person, return_counts=True)
    if len(who) > MOST_PEOPLE:
        kept = who[np.argsort(-count, kind="stable")[:MOST_PEOPLE]]
        rows = rows[np.isin(people.person[rows], kept)]
        notes.append(f"the {MOST_PEOPLE} people seen most are shown, of {len(who):,}")
    frames, step, to_scale = _frames(people.frame[rows], people.stills)
    if not to_scale:
        notes.append("frame numbers have wide holes: the timeline shows the frames with people only")
    total = len(frames)
    at = np.searchsorted(frames, people.frame[rows])
    every = max(1, -(-len(rows) // most))
    while np.count_nonzero(at % every == 0) > most:
        every += 1
    chosen = at % every == 0
    rows, at, frames = rows[chosen], at[chosen] // every, frames[::every]
    if every > 1:
        notes.append(f"every {ordinal(every)} frame is shown: {len(frames):,} of {total:,}")
    known = people.fps and not people.stills and to_scale
    seconds = step * every / people.fps if known and people.fps else None
    return Timeline(frames, rows, at, seconds, tuple(notes))


def _frames(numbers: np.ndarray, stills: bool) -> tuple[np.ndarray, int, bool]:
    """All numbers from the first to the last, in steps of the clip's own; the step; whether to scale."""
    own = np.unique(numbers)
    if stills or len(own) < 2:
        return own, 1, True
    step = int(np.gcd.reduce(np.diff(own)))
    if (int(own[-1]) - int(own[0])) // step + 1 > SPARSE * len(own):
        return own, step, False
    return np.arange(own[0], own[-1] + 1, step), step, True


def ordinal(number: int) -> str:
    """2nd, 3rd, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def spread_over(people: LiftedPeople, count: int) -> np.ndarray:
    """At most `count` frame numbers with people, evenly over the clip, the first and the last among them."""
    own = np.unique(people.frame)
    return own[np.linspace(0, len(own) - 1, min(count, len(own))).round().astype(np.int64)]
