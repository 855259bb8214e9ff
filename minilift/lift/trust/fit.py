"""Learning when to trust a lifter: from held-out poses, and from those put through strong augmentation."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from minilift.errors import InputError
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.lifter import Lifter
from minilift.lift.trust import TrustModel, check_joints, fingerprint
from minilift.lift.trust.expected import FEATURES, FEWEST, ExpectedError, features, interval, standardised
from minilift.lift.trust.familiarity import Familiarity
from minilift.nn import Linear, ReLU, Sequential
from minilift.ops import Ops, get_ops
from minilift.optim import Adam, OneCycleLR
from minilift.poses.layouts import COURSE15
from minilift.poses.metrics import joint_errors
from minilift.poses.poses import Poses
from minilift.train.batches import Batches
from minilift.train.trainer import Trainer

FEWEST_HELD_OUT = 200  # poses; of fewer, too few lie in a tail of 5 per cent
MOST, MOST_HELD_OUT = 8192, 4096  # poses that are looked at
BLOCKS = 20  # of neighbouring held-out poses: three to learn from, then two to calibrate on
PLAIN = 3  # times that the network sees every pose as it is
VARIANTS = (
    Augmentation(body=1.0),
    Augmentation(yaw=180.0, tilt=60.0),
    Augmentation(mix=1.0),
    Augmentation(noise=0.0005),
    Augmentation(noise=0.002),
    Augmentation(noise=0.01),
    Augmentation(mix=0.5, body=1.0, tilt=40.0, distance=0.3, noise=0.002),
)
"""What the errors are learned on, beside the poses as they are; whatever the lifter was trained with."""

HIDDEN, EPOCHS, BATCH, RATE = 64, 16, 256, 1e-2
BINS = 4  # of ordinary poses, and of unlike ones


class Lifted(NamedTuple):
    """n poses as `ExpectedError` needs them: features (n, FEATURES), distance (n,), true errors (n, 15)."""

    features: np.ndarray
    distance: np.ndarray
    errors: np.ndarray


def fit_trust(lifter: Lifter, train: Poses, held_out: Poses, seed: int = 0) -> TrustModel:
    """What says how far to trust a lifter, from its training poses and from others like them.

    No more than MOST and MOST_HELD_OUT poses are read, spread evenly. The same arguments give the same model.
    Raises InputError for too few poses held out, poses without joint_3d, a lifter of other than 15 joints or
    one whose predictions are not finite.
    """
    check_joints(lifter.model.input_nodes, lifter.model.joint_nodes)
    if len(held_out) < FEWEST_HELD_OUT:
        problem = f"{len(held_out):,} poses held out are too few to learn when to trust the lifter"
        remedy = "hold out a larger share (val_fraction), or give more poses"
        raise InputError(f"{problem}; {FEWEST_HELD_OUT} are needed: {remedy}")
    image, _ = _some(train, MOST)
    familiarity = Familiarity.fit(image, _predicted(lifter, image))
    image, truth = _some(held_out, MOST_HELD_OUT)
    familiarity = familiarity.rank(image, _predicted(lifter, image))

    number = np.arange(len(image)) * BLOCKS // len(image) % 5
    parts = []
    for part, rows in enumerate((number < 3, number >= 3)):
        plain = _lift(lifter, familiarity, image[rows], truth[rows])
        varied = [
            _lift(lifter, familiarity, *other) for other in _varied(image[rows], truth[rows], seed + part)
        ]
        parts.append((plain, _joined(varied)))
    taught, kept = parts
    errors = _learned(_joined([taught[0]] * PLAIN + [taught[1]]), seed)
    weights = fingerprint(lifter.model.state_dict())
    return TrustModel(familiarity, _calibrated(errors, *kept, familiarity.limit), weights)


def _predicted(lifter: Lifter, image: np.ndarray) -> np.ndarray:
    found = lifter.predict(image)
    if not np.isfinite(found).all():
        problem = "the lifter's predictions are too large or undefined"
        raise InputError(f"{problem}; train again, with a lower learning rate")
    return found


def _some(poses: Poses, most: int) -> tuple[np.ndarray, np.ndarray]:
    if poses.joint_3d is None:
        raise InputError("the data has no joint_3d; learning when to trust a lifter needs it")
    read = poses.read(np.unique(np.linspace(0, len(poses) - 1, most).astype(int)))
    return np.asarray(read.joint_2d), np.asarray(read.joint_3d)


def _lift(lifter: Lifter, familiarity: Familiarity, image: np.ndarray, truth: np.ndarray) -> Lifted:
    predicted = _predicted(lifter, image)
    measured = familiarity.measure(image, predicted)
    return Lifted(features(image, predicted, measured), measured.distance, joint_errors(predicted, truth))


def _joined(parts: list[Lifted]) -> Lifted:
    return Lifted(*map(np.concatenate, zip(*parts, strict=True)))


def _varied(image: np.ndarray, truth: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The poses in every one of VARIANTS, and with mistakes: (image, truth) of each."""
    found, n = [], len(image)
    for number, settings in enumerate(VARIANTS):
        augment = Augmenter(settings, get_ops("cpu"), n, seed)
        x, y = augment(number, *(augment.ops.asarray(joints.reshape(n, -1)) for joints in (image, truth)))
        found.append((x.reshape(image.shape), y.reshape(truth.shape)))
    return [*found, (_mistaken(image, np.random.default_rng(seed)), truth)]


def _mistaken(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Points as people and detectors get them wrong: of four poses one has left and right exchanged, one
    stands on its head (y downwards), and two have one joint in another place."""
    found, n = image.copy(), len(image)
    kind, joint = rng.integers(4, size=n), rng.integers(len(COURSE15), size=n)
    found[kind == 0] = image[kind == 0][:, COURSE15.mirror]
    found[kind == 1, :, 1] *= -1
    away = 0.1 * rng.standard_normal((n, 2)).astype(image.dtype)
    moved = np.flatnonzero(kind >= 2)
    found[moved, joint[moved]] += away[moved]
    return found


class Deviance:
    """Of the exponential distribution: a loss for a network that gives the logarithm u of a mean error.

    loss = mean (e exp(-u) + u)   is least where exp(u) is the mean of e, however e is distributed about it
    dloss/du = (1 - e exp(-u)) / size

    Source: gamma regression with a logarithmic link (McCullagh & Nelder, "Generalized Linear Models", 1989,
    chapter 8). Unlike squares of logarithms it gives the mean, and unlike squares of errors it counts a tenth
    more on a small error like a tenth more on a large one.
    """

    name = "deviance"

    def __call__(
        self, pred: np.ndarray, target: np.ndarray, ops: Ops, grad: np.ndarray, total: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        ratio = target * np.exp(-pred)
        np.divide(1 - ratio, pred.size, out=grad)
        total += (ratio + pred).mean(dtype=np.float64)
        return total, grad


class _Taught(Batches):
    """In the order that the generator gives which has drawn the initial weights."""

    def __init__(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        super().__init__(x, y, BATCH)
        self.orders = [rng.permutation(len(x)) for _ in range(EPOCHS)]

    def order(self, epoch: int, ops: Ops) -> np.ndarray:
        return self.orders[epoch]


def _learned(taught: Lifted, seed: int) -> ExpectedError:
    """A network for the logarithm of the mean error of each joint.

    Raises InputError where its training diverges, KeyboardInterrupt where a signal stops it.
    """
    ops, rng = get_ops("cpu"), np.random.default_rng(seed)
    joints = taught.errors.shape[1]
    mean, std = (getattr(taught.features, name)(axis=0, dtype=np.float64) for name in ("mean", "std"))
    std = np.where(std > 1e-6, std, 1.0)
    last = Linear(HIDDEN, joints, init="zeros", ops=ops)
    net = Sequential(Linear(FEATURES, HIDDEN, rng=rng, ops=ops), ReLU(ops=ops), last, ops=ops)
    assert last.bias is not None
    last.bias.data = np.log(np.maximum(taught.errors.mean(axis=0), 1e-9)).astype(np.float32)
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
    bounds = taught.errors.max(axis=0), taught.distance.max()[None]
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


def _calibrated(errors: ExpectedError, plain: Lifted, varied: Lifted, limit: float) -> ExpectedError:
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
            factor = np.maximum(true.mean(axis=0), 1e-12) / expected.mean(axis=0)
            parts.append((factor, *interval(true / (factor * expected))))
    factor, low, high = (np.stack(column) for column in zip(*parts, strict=True))
    kept = {**vars(errors), "edges": np.array(edges), "factor": factor, "low": low, "high": high}
    return ExpectedError(**kept)
