"""The views that trust is learned on: poses as they are, and changed in all the ways that are met."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.lifter import Lifter
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15

NEARLY = Augmentation(distance=1e-6)  # poses as they are: it makes the image anew, which a false root needs
EVERYTHING = Augmentation(mix=0.5, body=1.0, yaw=180.0, tilt=40.0, roll=10.0, distance=0.3)
ANYWHERE = Augmentation(yaw=180.0, tilt=45.0, elevation=15.0, roll=15.0, distance=1.2)
HIDING = {"joint_dropout": 0.1, "part_dropout": 0.5}


RARE = 4


class View(NamedTuple):
    """n poses as a lifter is given them, and as they are."""

    image: np.ndarray  # (n, 15, 2), NaN where not seen
    truth: np.ndarray  # (n, 15, 3)
    sigma: np.ndarray | None  # (n, 15), where the lifter takes it


class Kind(NamedTuple):
    settings: Augmentation
    usual: bool = False  # it is ordinary for the lifter, however well it lifts it


PLAIN = Kind(Augmentation(), True)
ALWAYS = tuple(
    Kind(settings)
    for settings in (
        Augmentation(body=1.0), Augmentation(yaw=180.0, tilt=60.0), Augmentation(mix=1.0),
        Augmentation(distance=1.2), Augmentation(noise=0.0005), Augmentation(noise=0.002),
        Augmentation(noise=0.004), Augmentation(noise=0.01), replace(EVERYTHING, noise=0.002),
    )
)  # fmt: skip
"""What the errors are learned on, beside the poses as they are; whatever the lifter was trained with."""
WITH_MISSING = (
    Kind(replace(NEARLY, **HIDING), True),
    Kind(replace(NEARLY, joint_dropout_to=0.5), True),
    Kind(replace(EVERYTHING, **HIDING)),
)
WITH_NOISE = (
    Kind(Augmentation(noise_to=0.01), True),
    Kind(replace(ANYWHERE, noise_to=0.01), True),
    Kind(replace(ANYWHERE, body=1.0, noise_to=0.01), True),
    Kind(replace(ANYWHERE, mix=0.5, body=1.0, noise_to=0.012, outliers=0.02)),
)
WITH_BOTH = (Kind(replace(ANYWHERE, body=1.0, noise_to=0.01, edge=0.2, joint_dropout_to=0.5), True),)


def views_of(lifter: Lifter) -> list[Kind]:
    """What a lifter is judged on, the poses as they are first. Mistakes come last, and are no kind."""
    found = [PLAIN, *ALWAYS]
    if lifter.takes_missing:
        found += WITH_MISSING
    if lifter.takes_noise:
        found += WITH_NOISE
    if lifter.takes_missing and lifter.takes_noise:
        found += WITH_BOTH
    return found


def views(lifter: Lifter, image: np.ndarray, truth: np.ndarray, seed: int) -> list[View]:
    """Poses (n, 15, 2), (n, 15, 3) in every one of `views_of`, and with mistakes."""
    found, n, told = [View(image, truth, None)], len(image), lifter.takes_noise
    for number, kind in enumerate(views_of(lifter)[1:]):
        hidden_as = math.nan if lifter.takes_missing else 0.0
        augment = Augmenter(kind.settings, get_ops("cpu"), n, seed, hidden_as, levels=told)
        x, y = augment(number, *(augment.ops.asarray(joints.reshape(n, -1)) for joints in (image, truth)))
        points = x[:, : image[0].size].reshape(image.shape)
        sigma = np.maximum(x[:, image[0].size :], kind.settings.noise) if told else None
        found.append(View(points, y.reshape(truth.shape), sigma))
    some = slice(None, None, RARE)
    return [*found, View(_mistaken(image[some], np.random.default_rng(seed)), truth[some], None)]


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
