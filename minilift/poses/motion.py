"""Poses in time: how far a predicted movement is from the true one, and how much it trembles.

Sequences come as poses (N, J, 3) in order of time and `clips` (N,), a number for each pose that says which
clip it is of; nothing is differenced across clips. Lengths of clips become such numbers with
np.repeat(np.arange(len(lengths)), lengths). Results are in the poses' unit per frame (jitter: per frame
squared); times the frames per second, or its square, they are per second.

A pose's own unit, its distance from the camera, changes as the person walks: for millimetres, scale each
pose about its root first.
"""

import numpy as np


def mpjve(pred: np.ndarray, truth: np.ndarray, clips: np.ndarray | None = None) -> float:
    """Mean per-joint velocity error: the mean of |(p[t+1] - p[t]) - (g[t+1] - g[t])|.

    It is the MPJPE of the first differences, over joints and pairs of frames. Raises ValueError where no clip
    has two poses, or where one comes in pieces.

    Source: Pavllo et al., "3D human pose estimation in video with temporal convolutions and semi-supervised
    training", CVPR 2019.
    """
    motion = _whole(pred, truth, clips)
    if not motion.pairs:
        raise ValueError(f"a velocity needs two poses of one clip; these {len(truth)} have none")
    return motion.velocity_error


def jitter(poses: np.ndarray, clips: np.ndarray | None = None) -> float:
    """The mean of |p[t+1] - 2 p[t] + p[t-1]|: acceleration, of which a true movement has some, too.

    Compare a prediction's with its truth's. Some papers call the third difference jitter. Raises ValueError
    where no clip has three poses, or where one comes in pieces.
    """
    motion = _whole(poses, poses, clips)
    if not motion.triples:
        raise ValueError(f"jitter needs three poses of one clip; these {len(poses)} have none")
    return motion.jitter


def in_pieces(clips: np.ndarray) -> bool:
    """Whether a clip stops and begins again: then neighbouring poses are not neighbours in time."""
    runs = 1 + np.count_nonzero(clips[1:] != clips[:-1]) if len(clips) else 0
    return bool(runs > len(np.unique(clips)))


class Motion:
    """The same of sequences that come in parts: add them in order, then read the means (0 of nothing)."""

    def __init__(self) -> None:
        self.pairs = self.triples = 0
        self._sums = np.zeros(3)
        self._last: list[np.ndarray] = []  # the last two poses of what was added, their truth and clips

    def add(self, pred: np.ndarray, truth: np.ndarray, clips: np.ndarray) -> None:
        """Poses (n, J, 3), their truth and their clips (n,), which follow those added before."""
        if pred.shape != truth.shape or clips.shape != pred.shape[:1]:
            shapes = ", ".join(str(array.shape) for array in (pred, truth, clips))
            raise ValueError(f"expected poses (n, J, 3) twice and clips (n,), got shapes {shapes}")
        arrays, known = [pred.astype(np.float64), truth.astype(np.float64), clips], 0
        if self._last:
            known = len(self._last[0])
            arrays = [np.concatenate(both) for both in zip(self._last, arrays, strict=True)]
        self._last = [array[-2:].copy() for array in arrays]
        p, g, ids = arrays
        step_p, step_g, same = np.diff(p, axis=0), np.diff(g, axis=0), ids[1:] == ids[:-1]
        pairs, triples = np.flatnonzero(same), np.flatnonzero(same[1:] & same[:-1])
        pairs = pairs[pairs >= known - 1]  # that of the two poses from before has been counted
        self.pairs, self.triples = self.pairs + len(pairs), self.triples + len(triples)
        bent = [np.diff(step, axis=0)[triples] for step in (step_p, step_g)]
        self._sums += [_sum_of_means((step_p - step_g)[pairs]), *map(_sum_of_means, bent)]

    @property
    def velocity_error(self) -> float:
        return float(self._sums[0] / max(self.pairs, 1))

    @property
    def jitter(self) -> float:
        return float(self._sums[1] / max(self.triples, 1))

    @property
    def true_jitter(self) -> float:
        return float(self._sums[2] / max(self.triples, 1))


def _sum_of_means(offsets: np.ndarray) -> float:
    """The mean length over joints of each (n, J, 3), added up."""
    return float(np.sqrt((offsets**2).sum(axis=2)).mean(axis=1).sum())


def _whole(pred: np.ndarray, truth: np.ndarray, clips: np.ndarray | None) -> Motion:
    pred, truth = np.asarray(pred), np.asarray(truth)
    ids = np.zeros(len(pred), np.int64) if clips is None else np.asarray(clips)
    if in_pieces(ids):
        raise ValueError(
            "a clip comes in pieces; sort the poses by clip and time, or number the pieces apart"
        )
    motion = Motion()
    motion.add(pred, truth, ids)
    return motion
