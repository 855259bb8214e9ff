"""Who is who in a file of keypoints, and the choice of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from minilift.errors import ArgumentError, counted
from minilift.files import one_line
from minilift.poses.keypoints import Keypoints
from minilift.poses.tracks.apart import placed, sizes
from minilift.poses.tracks.duplicates import again, quality, tell_apart, twice
from minilift.poses.tracks.follow import follow

LARGEST, LONGEST = "largest", "longest"


@dataclass(frozen=True)
class Identified:
    """The detections of a file that are kept, and whose they are."""

    rows: np.ndarray
    """(k,) of the detections, ascending: without those that are one too many."""
    person: np.ndarray
    """(k,) int64 from 0, in the order of first appearance: the same number is the same person."""
    names: dict[int, str]
    """What the file calls each person; empty where it gives no ids."""
    notes: tuple[str, ...]
    """What was done, a line each."""


def identify(keypoints: Keypoints) -> Identified:
    """Drop who is there twice, and say who is who: by the file's own ids, else by following.

    In unrelated pictures the person is the place within the picture, and all stay. Of a frame's detections
    with one id the best is kept. Detections without an id, in a file that has ids, are followed among
    themselves. Raises InputError as `follow`.
    """
    if keypoints.stills:
        return Identified(np.arange(len(keypoints)), keypoints.person.copy(), {}, ())
    frame, ids = keypoints.frame, keypoints.track
    missing = keypoints.missing | np.isnan(keypoints.xy[..., 0])
    good = quality(keypoints.weight, keypoints.score, missing)
    several = bool((np.diff(frame) == 0).any())
    # in a clip of one person such a row is a frame, perhaps to be filled
    empty = np.logical_and(missing.all(axis=1), several)
    extra = twice(keypoints.xy, missing, frame, good) & ~empty
    notes = [_left_out(empty, "no joint at all"), _left_out(extra, "a person who is in the frame already")]
    rows = np.flatnonzero(~(empty | extra))
    if ids is not None and not tell_apart(frame[rows], ids[rows]):
        notes.append("the ids in the file do not tell people apart, so people are followed by position")
        ids = None
    if ids is not None:
        extra = again(frame[rows], ids[rows], good[rows])
        notes.append(_left_out(extra, "an id that is in the frame already"))
        rows = rows[~extra]
    kept = keypoints if len(rows) == len(keypoints) else keypoints.take(rows)
    numbers = _numbers(kept, None if ids is None else ids[rows])
    person, names = _ranked(numbers, keypoints.track_names if ids is not None else ())
    return Identified(rows, person, names, tuple(filter(None, notes)))


def _left_out(extra: np.ndarray, of: str) -> str:
    return f"left out {counted(int(extra.sum()), 'detection')} of {of}" if extra.any() else ""


def _numbers(kept: Keypoints, ids: np.ndarray | None) -> np.ndarray:
    """A number for each detection, the same for the same person."""
    if ids is None:
        return follow(kept.xy, kept.missing, kept.frame)
    numbers, without = ids.copy(), np.flatnonzero(ids < 0)
    if len(without):
        others = follow(kept.xy[without], kept.missing[without], kept.frame[without])
        numbers[without] = others + len(kept.track_names)
    return numbers


def _ranked(numbers: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, dict[int, str]]:
    """Numbers by first appearance, and the names of those that are indices of `names`."""
    found, first, where = np.unique(numbers, return_index=True, return_inverse=True)
    rank = np.empty(len(found), np.int64)
    rank[np.argsort(first)] = np.arange(len(found))
    told = {int(r): names[n] for r, n in zip(rank, found, strict=True) if n < len(names)}
    return rank[where.reshape(-1)], told


def choose(
    wanted: str, person: np.ndarray, names: Mapping[int, str], xy: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    """(n,) bool, true for the detections of the person who is wanted.

    `wanted` is what the file calls the person, else a number of `person` (n,); "longest" is who is in most
    frames, "largest" who is largest in the picture, by the median, of those who are in at least a tenth as
    many. xy (n, J, 2), missing (n, J). Raises ArgumentError, which lists who is there, where none is meant.
    """
    ids, count = np.unique(person, return_counts=True)
    if wanted in (LARGEST, LONGEST) and len(ids):
        if wanted == LONGEST:
            return np.asarray(person == ids[count.argmax()])
        size = sizes(placed(xy, missing))
        often = ids[10 * count >= count.max()]
        median = [np.median(np.nan_to_num(size[person == i])) for i in often]
        return np.asarray(person == often[int(np.argmax(median))])
    called = {names.get(int(i), str(i)): int(i) for i in ids}
    if wanted not in called:
        order = np.argsort(-count, kind="stable")[:10]
        frames = {names.get(int(ids[k]), str(ids[k])): counted(int(count[k]), "frame") for k in order}
        listed = [f"person {name} ({often})" for name, often in frames.items()]
        more = f" and {len(ids) - 10:,} more" if len(ids) > 10 else ""
        there = one_line(", ".join(listed), 200) or "no people"
        raise ArgumentError(
            "person", wanted, f"is not there, but {there}{more}; give one of them, {LARGEST} or {LONGEST}"
        )
    return np.asarray(person == called[wanted])
