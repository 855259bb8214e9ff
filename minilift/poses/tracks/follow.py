"""People followed from frame to frame by where they are, for files that do not say who is who."""

from __future__ import annotations

import numpy as np

from minilift.errors import InputError, counted
from minilift.poses.few import median_of_known
from minilift.poses.tracks.apart import mean_apart, middles, placed, sizes
from minilift.poses.tracks.assign import assign
from minilift.poses.tracks.step import step_of

MOST = 500
"""People in a frame that are followed; a picture of more is not of people."""
REACH = 2.0
"""How far, in sizes (about torsos), a person may be from where the movement so far leads in the next frame.
In a real clip of a dancer at 30 frames a second 1.7 was the most, and half of the frames were below 0.3."""
REACH_ALONE = 3.0
"""The same in a clip that has one person a frame, where the only alternative is a cut to another one."""
WIDER = 0.1  # reach that each further frame without the person adds,
WIDEST = 4.0  # up to this
LOST = 30
"""Frames after which a person who was not seen is no longer waited for."""
_WAIT = 0.02  # what each frame without the person costs, so that those just seen come first
_AHEAD = 8  # frames for which a movement is expected to go on
_KEEN = 0.6  # weight of the newest step in the velocity
_FRAMES = 1 << 15  # of one person that are looked at together


def follow(xy: np.ndarray, missing: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """The person of every detection: (n,) int64 from 0, in the order of their first appearance.

    xy (n, J, 2) in pixels, missing (n, J) bool, frame (n,) int64 ascending. A frame's detections and the
    people so far, each moved on by its own velocity, are assigned to each other with the least sum of mean
    joint distances; who is farther than REACH from all is new. In a clip with at most one person a frame,
    everyone is the same person but for jumps over REACH_ALONE, however long the pause (`_alone`). Numbers of
    frames count in the clip's own step (of every tenth frame, 10). Detections without a joint belong, in
    such a clip, to the person before; elsewhere each is a person of its own.

    Raises InputError for more than MOST people in one of several frames.
    """
    numbers, first, count = np.unique(frame, return_index=True, return_counts=True)
    if len(count) and count.max() == 1:
        return _alone(xy, missing)
    if len(count) <= 1:
        return np.arange(len(frame))
    most = int(count.argmax())
    if count[most] > MOST:
        what = f"{counted(int(count[most]), 'detection')} in frame {numbers[most]}"
        raise InputError(f"{what}, and {MOST:,} can be followed from frame to frame; leave out the weak ones")
    points = placed(xy, missing)
    size = known_sizes(points)
    step = step_of(numbers)
    people, found = Followed(points.shape[1]), np.empty(len(points), np.int64)
    for i, start in enumerate(first):
        rows = slice(start, start + count[i])
        found[rows] = people.match(points[rows], size[rows], numbers[i] / step)
    return found


def known_sizes(points: np.ndarray) -> np.ndarray:
    """The size of every detection; those that show none get the usual one."""
    found = sizes(points)
    some = found[found > 0]
    usual = float(median_of_known(some, 0)) if len(some) else 1.0
    return np.where(found > 0, found, usual)


def _alone(xy: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """The same of one detection a frame: many frames at once, in constant memory.

    Who comes after a jump is the person from before the last jump, if that one was near: detectors look away
    for a moment, and pictures are cut to and fro. Else it is someone new.
    """
    cuts, ends, found = [0], list[int](), np.zeros(len(xy), np.int64)
    last, at = np.empty((0, *xy.shape[1:])), -1  # the last pose of the frames before, and its row
    for start in range(0, len(xy), _FRAMES):
        points = placed(xy[start : start + _FRAMES], missing[start : start + _FRAMES])
        rows = np.flatnonzero(~np.isnan(points[..., 0]).all(axis=1))
        chain = np.concatenate([last, points[rows]])
        where = np.append(np.full(len(last), at), start + rows)
        jumps = np.flatnonzero(_far(chain[:-1], chain[1:]))
        ends += where[jumps].tolist()
        cuts += where[jumps + 1].tolist()
        last, at = chain[-1:], int(where[-1]) if len(where) else -1
    person = [0, 1]
    for k in range(2, len(cuts), _FRAMES):
        new, old = cuts[k : k + _FRAMES], ends[k - 2 : k - 2 + _FRAMES][: len(cuts) - k]
        far = _far(placed(xy[old], missing[old]), placed(xy[new], missing[new]))
        for is_new in far.tolist():
            person.append(max(person[-2:]) + 1 if is_new else person[-2])
    found[cuts[1:]] = np.diff(person[: len(cuts)])
    return np.cumsum(found)


def _far(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n,) bool: more than REACH_ALONE apart; not where neither shows its size."""
    return np.asarray(mean_apart(a, b) > REACH_ALONE * np.fmax(sizes(a), sizes(b)))


class Followed:
    """Those followed so far: ids (T,), last pose (T, J, 2), velocity (T, 2) a frame, size (T,), time (T,).

    It looks at the past alone, and keeps no more than 2 MOST people: so it serves frames as they come, too.
    """

    def __init__(self, joints: int, total: int = 0) -> None:
        """`total` is the first id: so many people were followed before."""
        self.ids, self.total = np.empty(0, np.int64), total
        self.pose, self.velocity = np.empty((0, joints, 2)), np.empty((0, 2))
        self.size, self.time = np.empty(0), np.empty(0)

    def match(self, points: np.ndarray, size: np.ndarray, now: float) -> np.ndarray:
        """The ids (D,) of a frame's detections (D, J, 2) of `size` (D,): each goes on with a person so far or
        is a new one. `now` counts frames; it is later than that of the frame before."""
        waited = now - self.time
        self._keep(waited <= LOST)
        found = np.full(len(points), -1, np.int64)
        if len(self.ids):
            rows, columns = assign(self._costs(points, size, now), 1.0)
            self._move(rows, points[columns], size[columns], now)
            found[columns] = self.ids[rows]
        new = np.flatnonzero(found < 0)
        if len(new):
            found[new] = self._add(points[new], size[new], now)
        return found

    def _costs(self, points: np.ndarray, size: np.ndarray, now: float) -> np.ndarray:
        """(T, D) distances as shares of what each person can reach; infinite beyond it."""
        waited = now - self.time
        ahead = self.pose + (self.velocity * np.minimum(waited, _AHEAD)[:, None])[:, None]
        reach = np.minimum(REACH + WIDER * (waited - 1), WIDEST)
        scale = np.maximum(self.size[:, None], size)
        # A look at the middles first: few pairs are near, and a crowd has many
        offsets = middles(ahead)[:, None] - middles(points)
        near = np.sqrt((offsets**2).sum(axis=2)) < (reach[:, None] + 1.5) * scale
        i, j = np.nonzero(near)
        cost = np.full(near.shape, np.inf)
        lengths = mean_apart(ahead[i], points[j]) / scale[i, j]
        cost[i, j] = lengths / reach[i] + _WAIT * (waited[i] - 1) * (lengths < reach[i])
        cost[i, j] = np.where(lengths < reach[i], np.minimum(cost[i, j], 0.999), np.inf)
        return cost

    def _move(self, rows: np.ndarray, points: np.ndarray, size: np.ndarray, now: float) -> None:
        there = ~np.isnan(points[..., 0])
        both = there & ~np.isnan(self.pose[rows, :, 0])
        steps = np.where(both[..., None], points - self.pose[rows], 0).sum(axis=1)
        steps /= np.maximum(both.sum(axis=1), 1)[:, None] * (now - self.time[rows])[:, None]
        self.velocity[rows] += _KEEN * (steps - self.velocity[rows])
        # A joint that is not seen now moves along with the others
        shifted = self.pose[rows] + (steps * (now - self.time[rows])[:, None])[:, None]
        self.pose[rows] = np.where(there[..., None], points, shifted)
        self.size[rows] = np.maximum(size, 0.9 * self.size[rows])
        self.time[rows] = now

    def _add(self, points: np.ndarray, size: np.ndarray, now: float) -> np.ndarray:
        ids = np.arange(self.total, self.total + len(points))
        self.total += len(points)
        seen = ~np.isnan(points[..., 0]).all(axis=1)
        self.ids = np.concatenate([self.ids, ids[seen]])
        self.pose = np.concatenate([self.pose, points[seen]])
        self.velocity = np.concatenate([self.velocity, np.zeros((int(seen.sum()), 2))])
        self.size = np.concatenate([self.size, size[seen]])
        self.time = np.concatenate([self.time, np.full(int(seen.sum()), now)])
        self._keep(np.arange(len(self.ids)) >= len(self.ids) - 2 * MOST)  # the latest: costs stay bounded
        return ids

    def _keep(self, those: np.ndarray) -> None:
        if not those.all():
            for name in ("ids", "pose", "velocity", "size", "time"):
                setattr(self, name, getattr(self, name)[those])
