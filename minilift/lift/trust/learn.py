"""A small network that learns the error of every joint, and what its answers are worth."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from minilift.lift.trust.expected import EXACT, FEWEST, LEVELS, ExpectedError, Seen, intervals, standardised
from minilift.lift.trust.familiarity import RATE
from minilift.nn import Linear, ReLU, Sequential
from minilift.ops import Ops, get_ops
from minilift.optim import Adam, OneCycleLR
from minilift.train.batches import Batches
from minilift.train.trainer import Trainer

HIDDEN, EPOCHS, BATCH, LEARNING = 64, 16, 256, 1e-2
POWER = 0.5  # of errors, whose mean is learned: mistakes that look like ordinary poses weigh less
INNER = 8  # bins of usual poses; there is one of others


class Lifted(NamedTuple):
    """n poses with their true errors (n, 15); or (n, 30), of joints that were seen and of those that were
    not, NaN for the others."""

    seen_as: Seen
    errors: np.ndarray

    def take(self, rows: np.ndarray) -> Lifted:
        return Lifted(Seen(*(column[rows] for column in self.seen_as)), self.errors[rows])


def joined(parts: list[Lifted]) -> Lifted:
    columns = zip(*(part.seen_as for part in parts), strict=True)
    return Lifted(Seen(*map(np.concatenate, columns)), np.concatenate([part.errors for part in parts]))


class Deviance:
    """Of the exponential distribution: a loss for a network that gives the logarithm u of a mean error.

    loss = mean (e exp(-u) + u)   is least where exp(u) is the mean of e, however e is distributed about it
    dloss/du = (1 - e exp(-u)) / size

    Source: gamma regression with a logarithmic link (McCullagh & Nelder, "Generalized Linear Models", 1989,
    chapter 8). Unlike squares of logarithms it gives the mean, and unlike squares of errors it counts a tenth
    more on a small error like a tenth more on a large one. Errors that are NaN do not count.
    """

    name = "deviance"

    def __call__(
        self, pred: np.ndarray, target: np.ndarray, ops: Ops, grad: np.ndarray, total: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        ratio = target * np.exp(-pred)
        np.divide(1 - ratio, pred.size, out=grad)
        np.copyto(grad, 0, where=np.isnan(target))
        total += np.nanmean(ratio + pred, dtype=np.float64)
        return total, grad


class _Taught(Batches):
    """In the order that the generator gives which has drawn the initial weights."""

    def __init__(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        super().__init__(x, y, BATCH)
        self.orders = [rng.permutation(len(x)) for _ in range(EPOCHS)]

    def order(self, epoch: int, ops: Ops) -> np.ndarray:
        return self.orders[epoch]


def learned(taught: Lifted, seed: int) -> ExpectedError:
    """A network for the logarithm of the mean error of each joint.

    Raises InputError where its training diverges, KeyboardInterrupt where a signal stops it.
    """
    ops, rng = get_ops("cpu"), np.random.default_rng(seed)
    joints = taught.errors.shape[1]
    mean, std = (getattr(taught.seen_as.features, name)(axis=0, dtype=np.float64) for name in ("mean", "std"))
    std = np.where(std > 1e-6, std, 1.0)
    last = Linear(HIDDEN, joints, init="zeros", ops=ops)
    net = Sequential(
        Linear(taught.seen_as.features.shape[1], HIDDEN, rng=rng, ops=ops), ReLU(ops=ops), last, ops=ops
    )
    assert last.bias is not None
    target = taught.errors.astype(np.float32) ** POWER
    last.bias.data = np.log(np.maximum(np.nanmean(target, axis=0), 1e-9)).astype(np.float32)
    optimiser = Adam(net.parameters(), LEARNING)
    batches = _Taught(standardised(taught.seen_as.features, mean, std), target, rng)
    schedule = OneCycleLR(optimiser, LEARNING, EPOCHS * batches.steps)
    with _Shown() as shown:
        trainer = Trainer(
            net, Deviance(), optimiser, schedule, listeners=[shown], show=lambda line: None, bar=False
        )
        if not trainer.fit(batches, epochs=EPOCHS):
            raise KeyboardInterrupt
    state, one = net.state_dict(), np.ones((1, joints))
    ends = np.ones((1, 2 * len(LEVELS), joints))
    out = state["2.weight"] / POWER, state["2.bias"] / POWER
    bounds = np.nanmax(taught.errors, axis=0), taught.seen_as.distance.max()[None]
    return ExpectedError(mean, std, state["0.weight"], state["0.bias"], *out, *bounds, np.zeros(1), one, ends)


class _Shown:
    """A bar over the epochs, on a terminal and where they take more than two seconds."""

    def __enter__(self) -> _Shown:
        from tqdm import tqdm

        off = sys.stderr is None or not sys.stderr.isatty()
        self.bar = tqdm(total=EPOCHS, desc="learning when to trust it", delay=2, leave=False, disable=off)
        return self

    def after_epoch(self, history: list[dict[str, Any]]) -> None:
        self.bar.update()

    def __exit__(self, *_: object) -> None:
        self.bar.close()


def calibrated(
    errors: ExpectedError, raw: np.ndarray, poses: Lifted, usual: np.ndarray, tail: float = 1.0
) -> ExpectedError:
    """Bins of the score: as many usual poses in each up to the limit, as many of all beyond it.

    raw (n, outputs) is what networks that were not taught these very people said of `poses`, usual (n,) bool
    which of them are ordinary: others that the network takes for such are mistakes that it cannot see. Points
    that are less exact than any of the usual poses have the bins of the least exact ones. A `tail` of less
    than 1 makes intervals wider than that.
    """
    level = poses.seen_as.level
    count = np.bincount(level[usual], minlength=len(EXACT))
    found = np.flatnonzero(count >= FEWEST).tolist() or [int(count.argmax())]
    steps = max(min(INNER, *(int(count[i]) // FEWEST for i in found)), 1)
    tables = {i: _table(raw, poses, usual, level == i, steps, tail) for i in found}
    chosen = [tables[max((i for i in found if i <= at), default=found[0])] for at in range(len(EXACT))]
    edges, factor, ends = (np.stack(column) for column in zip(*chosen, strict=True))
    return replace(errors, edges=edges, factor=np.concatenate(factor), ends=np.concatenate(ends))


def held(errors: ExpectedError, raw: np.ndarray, poses: Lifted) -> float:
    """The share of the true errors that lie in their interval of LEVEL."""
    low, high = errors.interval(errors.judged(poses.seen_as, raw), poses.seen_as.seen)
    true = poses.seen_as.own(poses.errors)
    return float(((low <= true) & (true <= high)).mean())


def _table(
    raw: np.ndarray, poses: Lifted, usual: np.ndarray, at: np.ndarray, steps: int, tail: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges, factors and ends of the bins of the poses `at` (n,) one level."""
    score = poses.seen_as.score(poses.seen_as.own(raw))
    inner = np.flatnonzero(usual & at)
    limit = float(np.quantile(score[inner], 1 - RATE))
    inner = inner[score[inner] <= limit]
    ranked = np.argsort(np.where(at, -score, np.inf), kind="stable")
    beyond = ranked[: max(int((at & (score > limit)).sum()), FEWEST)]
    edges: list[float] = []
    parts = []
    for rows, first, count in ((inner, 0.0, steps), (beyond, limit, 1)):
        rows = rows[np.argsort(score[rows], kind="stable")]
        bins = np.array_split(rows, count)
        edges += [first, *(float(score[part[-1]]) for part in bins[:-1])]
        for part in bins:
            expected, true = raw[part], poses.errors[part]
            true = np.where(np.isnan(true).all(axis=0), expected, true)  # none to go by: the network's word
            known = np.where(np.isnan(true), np.nan, expected)
            factor = np.maximum(np.nanmean(true, axis=0), 1e-12) / np.nanmean(known, axis=0)
            ratios = true / (factor * expected)
            parts.append((factor, intervals(ratios, LEVELS, tail)))
    factors, ends = (np.stack(column) for column in zip(*parts, strict=True))
    return np.array(edges), factors, ends
