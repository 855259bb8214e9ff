"""A small network that learns the error of every joint, and what its answers are worth."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from minilift.lift.trust.expected import FEWEST, ExpectedError, interval, standardised
from minilift.nn import Linear, ReLU, Sequential
from minilift.ops import Ops, get_ops
from minilift.optim import Adam, OneCycleLR
from minilift.train.batches import Batches
from minilift.train.trainer import Trainer

HIDDEN, EPOCHS, BATCH, RATE = 64, 16, 256, 1e-2
BINS = 4  # of ordinary poses, and of unlike ones


class Lifted(NamedTuple):
    """n poses as `ExpectedError` needs them: features (n, k), distance (n,), true errors (n, 15).

    With joints that were not seen the errors are (n, 30), of those seen and of those not: NaN for the others.
    """

    features: np.ndarray
    distance: np.ndarray
    errors: np.ndarray


def joined(parts: list[Lifted]) -> Lifted:
    return Lifted(*map(np.concatenate, zip(*parts, strict=True)))


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
    mean, std = (getattr(taught.features, name)(axis=0, dtype=np.float64) for name in ("mean", "std"))
    std = np.where(std > 1e-6, std, 1.0)
    last = Linear(HIDDEN, joints, init="zeros", ops=ops)
    net = Sequential(Linear(taught.features.shape[1], HIDDEN, rng=rng, ops=ops), ReLU(ops=ops), last, ops=ops)
    assert last.bias is not None
    last.bias.data = np.log(np.maximum(np.nanmean(taught.errors, axis=0), 1e-9)).astype(np.float32)
    optimiser = Adam(net.parameters(), RATE)
    batches = _Taught(standardised(taught.features, mean, std), taught.errors.astype(np.float32), rng)
    schedule = OneCycleLR(optimiser, RATE, EPOCHS * batches.steps)
    with _Shown() as shown:
        trainer = Trainer(
            net, Deviance(), optimiser, schedule, listeners=[shown], show=lambda line: None, bar=False
        )
        if not trainer.fit(batches, epochs=EPOCHS):
            raise KeyboardInterrupt
    state, one = net.state_dict(), np.ones((1, joints))
    weights = state["0.weight"], state["0.bias"], state["2.weight"], state["2.bias"]
    bounds = np.nanmax(taught.errors, axis=0), taught.distance.max()[None]
    return ExpectedError(mean, std, *weights, *bounds, np.zeros(1), one, one, one)


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


def calibrated(errors: ExpectedError, plain: Lifted, varied: Lifted, limit: float) -> ExpectedError:
    """Bins of distance: as many plain poses in each up to the limit, as many varied ones beyond."""
    inner = np.flatnonzero(plain.distance <= limit)
    outer = np.argsort(-varied.distance, kind="stable")[: max(int((varied.distance > limit).sum()), FEWEST)]
    edges: list[float] = []
    parts = []
    for poses, rows, first in ((plain, inner, 0.0), (varied, outer, limit)):
        rows = rows[np.argsort(poses.distance[rows], kind="stable")]
        bins = np.array_split(rows, max(1, min(BINS, len(rows) // FEWEST)))
        edges += [first, *(float(poses.distance[part[-1]]) for part in bins[:-1])]
        for part in bins:
            expected, true = errors.raw(poses.features[part], poses.distance[part]), poses.errors[part]
            true = np.where(np.isnan(true).all(axis=0), expected, true)  # none to go by: the network's word
            known = np.where(np.isnan(true), np.nan, expected)
            factor = np.maximum(np.nanmean(true, axis=0), 1e-12) / np.nanmean(known, axis=0)
            parts.append((factor, *interval(true / (factor * expected))))
    factor, low, high = (np.stack(column) for column in zip(*parts, strict=True))
    kept = {**vars(errors), "edges": np.array(edges), "factor": factor, "low": low, "high": high}
    return ExpectedError(**kept)
