"""Learning when to trust a lifter: from held-out poses, and from those put through strong augmentation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilift.errors import ArgumentError, InputError, counted
from minilift.lift.lifter import Lifter
from minilift.lift.trust import TrustModel, check_joints, fingerprint
from minilift.lift.trust.expected import JOINTS, ExpectedError, Seen, placed
from minilift.lift.trust.familiarity import Familiarity, Ranks
from minilift.lift.trust.learn import Lifted, calibrated, joined, learned
from minilift.lift.trust.variants import View, views, views_of
from minilift.poses.few import evenly
from minilift.poses.metrics import joint_errors
from minilift.poses.poses import Poses

FEWEST_HELD_OUT = 200  # poses; of fewer, too few lie in a tail of 5 per cent
MOST, MOST_HELD_OUT = 8192, 4096  # poses that are looked at
BLOCKS = 20  # of neighbouring held-out poses: three to learn from, then two to calibrate on
FOLDS = 5  # at most, of whole groups
REPEATED = 3  # times that the network sees every pose as it is
USUAL = 1.3  # times the error of plain poses: a view that is lifted so well is an ordinary one


def fit_trust(
    lifter: Lifter, train: Poses | None, held_out: Poses, seed: int = 0, groups: np.ndarray | None = None
) -> TrustModel:
    """What says how far to trust a lifter, from its training poses and from poses held out.

    `groups` (N,) are the people of `held_out`, or its clips, as numbers. What is calibrated is then what
    networks say that never saw those people: of up to FOLDS parts of whole groups each is judged by one that
    was taught on the others (cross-fitting), and the network that is kept is taught on all. Without groups,
    blocks of neighbours are taught on, and others calibrated on. Without `train`, which needs groups, the
    people held out take its place as what is known, those of other groups for each.

    No more than MOST and MOST_HELD_OUT poses are read, spread evenly. The same arguments give the same model.
    Raises InputError for too few poses held out, poses without joint_3d, a lifter of other than 15 joints or
    one whose predictions are not finite; ArgumentError for groups that are not one for each pose, or fewer
    than two.
    """
    check_joints(lifter.model.input_nodes, lifter.model.joint_nodes)
    if len(held_out) < FEWEST_HELD_OUT:
        problem = f"{counted(len(held_out), 'pose')} held out: too few to learn when to trust the lifter"
        remedy = "give more poses, or hold out a larger share of them"
        raise InputError(f"{problem}; {FEWEST_HELD_OUT} are needed: {remedy}")
    rows = evenly(len(held_out), MOST_HELD_OUT)
    fold = _folds(len(held_out), groups)[rows]
    if train is None and groups is None:
        raise ArgumentError(
            "groups", "None", "are needed where there are no training poses; give a number a pose"
        )
    image, truth = _read(held_out, rows)
    seen = [views(lifter, image[fold == i], truth[fold == i], seed + i) for i in range(int(fold.max()) + 1)]
    lifted = [[_lifted(lifter, view) for view in part] for part in seen]
    usual = _usual(lifter, lifted)
    if train is not None:
        image, truth = _read(train, evenly(len(train), MOST))
        known = _familiar([[_lifted(lifter, view) for view in views(lifter, image, truth, seed)]], usual)
        familiar = [known] * len(lifted)
    else:
        known = _familiar(lifted, usual)
        familiar = [_familiar(lifted[:i] + lifted[i + 1 :], usual) for i in range(len(lifted))]
    typical = np.concatenate(
        [
            one.measure(*part[kind].whole()).parts
            for one, part in zip(familiar, lifted, strict=True)
            for kind in usual
        ]
    )
    folds = [
        [view.measured(one.scaled(typical)) for view in part]
        for one, part in zip(familiar, lifted, strict=True)
    ]
    return _fitted(lifter, known.scaled(typical), folds, usual, seed, groups is not None)


def _familiar(folds: list[list[_Lifted]], usual: list[int]) -> Familiarity:
    """Of all usual views as many poses, each another."""
    chosen = [
        [values[i :: len(usual)] for values in part[kind].whole()]
        for part in folds
        for i, kind in enumerate(usual)
    ]
    image, joint_3d = (np.concatenate(values) for values in zip(*chosen, strict=True))
    return Familiarity.fit(image, joint_3d)


def _fitted(
    lifter: Lifter, known: Familiarity, folds: list[list[Lifted]], usual: list[int], seed: int, crossed: bool
) -> TrustModel:
    """From views of each fold: with `crossed` each is judged by the others, or the second by the first."""
    numbers = range(len(folds))
    raw, poses, ordinary = [], [], []
    errors = _taught(folds if crossed else folds[:1], seed)
    for i in numbers if crossed else numbers[1:]:
        others = _taught([folds[j] for j in numbers if j != i], seed) if crossed else errors
        for kind, lifted in enumerate(folds[i]):
            raw.append(others.raw(lifted.seen_as.features, lifted.seen_as.distance))
            poses.append(lifted)
            ordinary.append(np.full(len(raw[-1]), kind in usual))
    everything, said, rows = joined(poses), np.concatenate(raw), np.concatenate(ordinary)
    errors = calibrated(errors, said, everything, rows)
    score = errors.judged(everything.seen_as, said).score
    ranks = Ranks.of(score[rows], everything.seen_as.distance[rows])
    return TrustModel(known, errors, ranks, fingerprint(lifter.model.state_dict()))


def _taught(folds: list[list[Lifted]], seed: int) -> ExpectedError:
    return learned(
        joined([lifted for fold in folds for lifted in (*[fold[0]] * (REPEATED - 1), *fold)]), seed
    )


def _usual(lifter: Lifter, folds: list[list[_Lifted]]) -> list[int]:
    """The views that are ordinary for a lifter: people as they are, what it is told of, and all that it lifts
    about as well. Mistakes never are."""
    kinds = views_of(lifter)
    off = [
        np.nanmean(np.concatenate([part[i].errors()[:, :JOINTS] for part in folds]))
        for i in range(len(kinds))
    ]
    return [i for i, kind in enumerate(kinds) if kind.usual or off[i] <= USUAL * off[0]]


def _folds(n: int, groups: np.ndarray | None) -> np.ndarray:
    """The fold (n,) of each pose: groups in the order of their size, each into the smallest fold so far."""
    if groups is None:
        return (np.arange(n) * BLOCKS // n % 5 >= 3).astype(int)
    if np.shape(groups) != (n,):
        problem = f"are the groups of {n:,} poses; give one number a pose"
        raise ArgumentError("groups", np.shape(groups), problem)
    _, number, count = np.unique(groups, return_inverse=True, return_counts=True)
    if len(count) < 2:
        raise ArgumentError(
            "groups", len(count), "too few: one is judged by the others; give poses of 2 people"
        )
    fold_of, size = np.zeros(len(count), int), np.zeros(min(FOLDS, len(count)), int)
    for group in np.argsort(-count, kind="stable"):
        fold_of[group] = np.argmin(size)
        size[fold_of[group]] += count[group]
    return fold_of[number.reshape(-1)]


def _read(poses: Poses, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if poses.joint_3d is None:
        raise InputError("the data has no joint_3d; learning when to trust a lifter needs it")
    read = poses.read(rows)
    return np.asarray(read.joint_2d), np.asarray(read.joint_3d)


class _Lifted(NamedTuple):
    """A view of n poses, each with a joint that was seen, and what the lifter made of it."""

    view: View
    joint_3d: np.ndarray
    takes_missing: bool

    def whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Points without NaN, and joints."""
        return placed(self.view.image, self.joint_3d), self.joint_3d

    def errors(self) -> np.ndarray:
        """(n, 15) of joints that were seen; or (n, 30), those of the others behind them, NaN elsewhere."""
        off = joint_errors(self.joint_3d, self.view.truth)
        if not self.takes_missing:
            return off
        seen = ~np.isnan(self.view.image).any(axis=2)
        return np.concatenate([np.where(seen, off, np.nan), np.where(seen, np.nan, off)], axis=1)

    def measured(self, familiarity: Familiarity) -> Lifted:
        return Lifted(Seen.of(familiarity, self.view.image, self.joint_3d, self.view.sigma), self.errors())


def _lifted(lifter: Lifter, view: View) -> _Lifted:
    some = ~np.isnan(view.image).all(axis=(1, 2))
    view = View(view.image[some], view.truth[some], None if view.sigma is None else view.sigma[some])
    joint_3d = lifter.predict(view.image, view.sigma)
    if not np.isfinite(joint_3d).all():
        problem = "the lifter's predictions are too large or undefined"
        raise InputError(f"{problem}; train again, with a lower learning rate")
    return _Lifted(view, joint_3d, lifter.takes_missing)
