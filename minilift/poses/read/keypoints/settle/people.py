"""Who is in which row: rows by frame, places in their frame, identities, and doubles of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.raw import Raw


def order(raw: Raw, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows with a joint, by frame, and each one's place in its frame, as the file counts."""
    order = np.argsort(raw.frame, kind="stable")
    frame = raw.frame[order]
    first = np.flatnonzero(np.diff(frame, prepend=frame[0] - 1))
    person = np.arange(len(frame)) - np.repeat(first, np.diff(first, append=len(frame)))
    kept = ~missing[order].all(axis=1)
    return order[kept], person[kept].astype(np.int64)


def tracks(raw: Raw, rows: np.ndarray) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Identities as numbers, and their names; none where people of a frame mostly have the same one.

    Detectors that follow no one write one number, often 0, for everybody.
    """
    if raw.track is None:
        return None, ()
    named = [raw.track[row] for row in rows]
    names = tuple(dict.fromkeys(name for name in named if name is not None))
    if not names or (names == ("0",) and not raw.trusted):
        return None, ()
    numbers = {name: number for number, name in enumerate(names)}
    track = np.array([-1 if name is None else numbers[name] for name in named], np.int64)
    frames, frame = np.unique(raw.frame[rows], return_inverse=True)
    known = track >= 0
    same = known.sum() - len(np.unique(frame[known] * len(names) + track[known]))
    if same > (len(track) - len(frames)) / 2:
        return None, ()
    return track, names


def without_doubles(found: Keypoints) -> Keypoints:
    """Of two people with one identity in a frame, the one that the detector is surer of."""
    if found.track is None:
        return found
    sure = found.weight
    if sure is None or not np.isfinite(sure).any():
        scores = np.ones(found.missing.shape) if found.score is None else np.nan_to_num(found.score)
        sure = np.where(found.missing, 0, scores).mean(axis=1)
    order = np.lexsort((-np.nan_to_num(sure, nan=-np.inf), found.track, found.frame))
    same = (
        (np.diff(found.frame[order]) == 0)
        & (np.diff(found.track[order]) == 0)
        & (found.track[order][1:] >= 0)
    )
    doubles = order[1:][same]
    if not len(doubles):
        return found
    keep = np.setdiff1d(np.arange(len(found)), doubles)
    several = "people have" if len(doubles) > 1 else "person has"
    told = f"{len(doubles):,} {several} the id of another one in the same frame: left out, the surer is kept"
    return replace(found.take(keep), warnings=(*found.warnings, told))
