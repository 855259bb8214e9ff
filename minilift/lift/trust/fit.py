"""Learning when to trust a lifter: from held-out poses, and from those put through strong augmentation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from minilift.errors import InputError
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.lifter import Lifter
from minilift.lift.trust import TrustModel, check_joints, fingerprint
from minilift.lift.trust.expected import features
from minilift.lift.trust.familiarity import RATE as UNLIKE
from minilift.lift.trust.familiarity import Familiarity
from minilift.lift.trust.learn import Lifted, calibrated, joined, learned
from minilift.lift.trust.partial import LEVELS, Partial, Ranks, levels, looked_at
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15
from minilift.poses.metrics import joint_errors
from minilift.poses.poses import Poses

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

NEARLY = Augmentation(distance=1e-6)  # poses as they are: it makes the image anew, which a false root needs
HIDING = {"joint_dropout": 0.1, "part_dropout": 0.5}
"""What a lifter that takes missing joints is judged on besides: the varied poses, with these hidden."""


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
        parts.append((plain, joined(varied)))
    taught, kept = parts
    errors = learned(joined([taught[0]] * PLAIN + [taught[1]]), seed)
    weights = fingerprint(lifter.model.state_dict())
    errors = calibrated(errors, *kept, familiarity.limit)
    partial = None
    if lifter.takes_missing:
        halves = (number < 3, number >= 3)
        partial = _partial(lifter, familiarity, [(image[rows], truth[rows]) for rows in halves], seed)
    return TrustModel(familiarity, errors, weights, partial)


def _partial(
    lifter: Lifter, familiarity: Familiarity, halves: list[tuple[np.ndarray, np.ndarray]], seed: int
) -> Partial:
    """The same for poses with joints hidden: learned from one half, calibrated and ranked on the other."""
    taught, kept = (
        [_lacking(lifter, familiarity, *other) for other in _varied(*half, seed + part, HIDING)]
        for part, half in enumerate(halves)
    )
    poses = [lifted for lifted, _ in taught]
    errors = learned(joined([poses[0]] * PLAIN + poses[1:]), seed)
    plain, seen = kept[0]
    level = levels(seen)
    usual = [np.sort(plain.distance[level == i]) for i in range(len(LEVELS))]
    fewest = min(map(len, usual))
    if not fewest:
        problem = "too few poses held out to learn how unusual poses with hidden joints are"
        raise InputError(f"{problem}; hold out a larger share (val_fraction), or give more poses")
    spread = [row[np.linspace(0, len(row) - 1, fewest).round().astype(int)] for row in usual]
    limit = float(np.quantile(plain.distance, 1 - UNLIKE))
    errors = calibrated(errors, plain, joined([lifted for lifted, _ in kept[1:]]), limit)
    return Partial(Ranks(np.stack(spread).astype(np.float32)), errors)


def _lacking(
    lifter: Lifter, familiarity: Familiarity, image: np.ndarray, truth: np.ndarray
) -> tuple[Lifted, np.ndarray]:
    """Of the poses that lack joints but not all; and which joints were seen."""
    seen = ~np.isnan(image).any(axis=2)
    rows = ~seen.all(axis=1) & seen.any(axis=1)
    image, truth, seen = image[rows], truth[rows], seen[rows]
    predicted = _predicted(lifter, image)
    columns, measured = looked_at(familiarity, image, predicted, seen)
    off = joint_errors(predicted, truth)
    both = np.concatenate([np.where(seen, off, np.nan), np.where(seen, np.nan, off)], axis=1)
    return Lifted(columns, measured.distance, both), seen


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


def _varied(
    image: np.ndarray, truth: np.ndarray, seed: int, hiding: Mapping[str, float] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The poses in every one of VARIANTS, and with mistakes: (image, truth) of each.

    With `hiding` also as they are, before all others, and joints are NaN in every one.
    """
    found, n = [], len(image)
    kinds = VARIANTS if hiding is None else [replace(kind, **hiding) for kind in (NEARLY, *VARIANTS)]
    for number, settings in enumerate(kinds):
        augment = Augmenter(settings, get_ops("cpu"), n, seed, 0.0 if hiding is None else math.nan)
        x, y = augment(number, *(augment.ops.asarray(joints.reshape(n, -1)) for joints in (image, truth)))
        found.append((x.reshape(image.shape), y.reshape(truth.shape)))
    mistaken = _mistaken(image, np.random.default_rng(seed))
    if hiding is not None:
        mistaken[np.isnan(found[0][0])] = np.nan
    return [*found, (mistaken, truth)]


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
