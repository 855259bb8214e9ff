"""Detections that are one too many: a person twice in a frame; and ids that do not tell people apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minilift.poses.tracks.apart import middles, placed, sizes

SAME = 0.15
"""Two detections of a frame are of one person where half of their joints are within this share of the size: 7
cm. AlphaPose's doubles in a real clip were 0.10 and 0.11 apart, and differed in their legs alone."""
_CROWD = 50  # detections of a frame that are compared with each other; larger crowds stay as they are
_ROWS = 1 << 14


def quality(weight: np.ndarray | None, score: np.ndarray | None, missing: np.ndarray) -> np.ndarray:
    """(n,) how good each detection is: the detector's score of the person, else the mean of the joints'
    scores, else the number of joints."""
    there = ~missing
    if weight is not None and np.isfinite(weight).all():
        return np.asarray(weight, np.float64)
    if score is not None:
        sums = np.where(there & np.isfinite(score), score, 0).sum(axis=1)
        return np.asarray(sums / np.maximum(there.sum(axis=1), 1), np.float64)
    return there.sum(axis=1).astype(np.float64)


def twice(xy: np.ndarray, missing: np.ndarray, frame: np.ndarray, good: np.ndarray) -> np.ndarray:
    """(n,) bool, true for detections of a person whom a better one of the same frame shows already.

    The points may be equal (YOLO's save_txt appends: a second run doubles every line) or nearly so (SAME).
    xy (n, J, 2), missing (n, J) bool, frame (n,) ascending, good (n,) `quality`.
    """
    extra = np.zeros(len(frame), bool)
    crowded = _crowded(frame)
    if not len(crowded):
        return extra
    points = placed(xy[crowded], missing[crowded])
    found = np.zeros(len(crowded), bool)
    where, good = frame[crowded], good[crowded]
    for i, j in _near(points, where):
        i, j = (side[~found[i] & ~found[j]] for side in (i, j))
        close = _same_place(points[i], points[j])
        worse = np.where(good[i] >= good[j], j, i)  # on equal terms the first one stays
        found[worse[close]] = True
    extra[crowded[found]] = True
    return extra


def again(frame: np.ndarray, ids: np.ndarray, good: np.ndarray) -> np.ndarray:
    """(n,) bool, true where a better detection of the same frame has the same id; -1 is no id."""
    order = np.lexsort((-good, ids, frame))  # stable: on equal terms the first one stays
    same = (np.diff(frame[order]) == 0) & (np.diff(ids[order]) == 0) & (ids[order][1:] >= 0)
    extra = np.zeros(len(frame), bool)
    extra[order[1:][same]] = True
    return extra


def tell_apart(frame: np.ndarray, ids: np.ndarray) -> bool:
    """Whether ids tell people apart. AlphaPose without tracking gives everyone the same one."""
    known = ids >= 0
    count = np.unique(frame[known], return_counts=True)[1]
    more = int((count - 1).sum())
    shared = int(again(frame, ids, np.zeros(len(frame))).sum())
    return bool(known.any()) and 2 * shared <= more


def _crowded(frame: np.ndarray) -> np.ndarray:
    """Rows of frames with several detections, but no crowd."""
    count = np.unique(frame, return_inverse=True, return_counts=True)
    of_row = count[2][count[1].reshape(-1)]
    return np.flatnonzero((of_row > 1) & (of_row <= _CROWD))


def _near(points: np.ndarray, frame: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of rows (i, j), i < j, of one frame whose middles are less than a size apart."""
    middle, size = middles(points), sizes(points)
    for ahead in range(1, _CROWD):
        i = np.flatnonzero(frame[:-ahead] == frame[ahead:])
        if not len(i):
            return
        apart = np.sqrt(((middle[i] - middle[i + ahead]) ** 2).sum(axis=1))
        i = i[apart <= np.fmax(size[i], size[i + ahead])]
        for start in range(0, len(i), _ROWS):
            part = i[start : start + _ROWS]
            yield part, part + ahead


def _same_place(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) bool: the median joint is less than SAME sizes apart, of at least half of either's joints."""
    lengths = np.sqrt(((a - b) ** 2).sum(axis=2))
    common = (~np.isnan(lengths)).sum(axis=1)
    most = np.maximum((~np.isnan(a[..., 0])).sum(axis=1), (~np.isnan(b[..., 0])).sum(axis=1))
    lengths.sort(axis=1)  # NaN comes last
    rows = np.arange(len(a))
    median = lengths[rows, np.maximum(common - 1, 0) // 2]
    enough = (common >= 3) & (2 * common >= most)
    return np.asarray(enough & (median <= SAME * np.fmax(sizes(a), sizes(b))))
