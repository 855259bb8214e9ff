"""AutoAugment: pairs of changes that were found by search. Source: Cubuk et al., arXiv:1805.09501."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minilift.images.transforms import adjust
from minilift.images.transforms.compose import on_some
from minilift.images.transforms.turns import moved
from minilift.images.transforms.warps import affine_inverse, warp

# Table 7 of the paper, the policy for CIFAR-10: name, probability and strength (0 to 9) of either change
CIFAR10 = """
invert 0.1 0, contrast 0.2 6
rotate 0.7 2, translate_x 0.3 9
sharpness 0.8 1, sharpness 0.9 3
shear_y 0.5 8, translate_y 0.7 9
autocontrast 0.5 0, equalize 0.9 0
shear_y 0.2 7, posterize 0.3 7
colour 0.4 3, brightness 0.6 7
sharpness 0.3 9, brightness 0.7 9
equalize 0.6 0, equalize 0.5 0
contrast 0.6 7, sharpness 0.6 5
colour 0.7 7, translate_x 0.5 8
equalize 0.3 0, autocontrast 0.4 0
translate_y 0.4 3, sharpness 0.2 6
brightness 0.9 6, colour 0.2 8
solarize 0.5 2, invert 0.0 0
equalize 0.2 0, autocontrast 0.6 0
equalize 0.2 0, equalize 0.6 0
colour 0.9 9, equalize 0.6 0
autocontrast 0.8 0, solarize 0.2 8
brightness 0.1 3, colour 0.7 0
solarize 0.4 5, autocontrast 0.9 0
translate_y 0.9 9, translate_y 0.7 9
autocontrast 0.9 0, solarize 0.8 3
equalize 0.8 0, invert 0.1 0
translate_y 0.7 9, autocontrast 0.9 0
"""
STRONGEST = 9
MOVE = 150 / 331  # of the picture's side, by the strongest translation

Change = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _shear(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Each column moved up by `amount` times its distance from the left edge."""
    inverse = np.tile(np.eye(3), (len(images), 1, 1))
    inverse[:, 1, 0] = amount
    inverse[:, 1, 2] = amount * (images.shape[3] - 1) / 2
    return warp(images, inverse)


def _rotate(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    n = len(images)
    return warp(images, affine_inverse(amount, np.zeros((n, 2)), np.ones(n)))


def _translate_x(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    by = (amount * images.shape[3]).astype(int)
    return moved(images, by, np.zeros_like(by), 0.0)


def _translate_y(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    by = (amount * images.shape[2]).astype(int)
    return moved(images, np.zeros_like(by), by, 0.0)


# The amount at strength 0 and at the strongest; whether its sign is drawn; what is added then; the change
CHANGES: dict[str, tuple[float, float, bool, float, Change]] = {
    "shear_y": (0.0, 0.3, True, 0.0, _shear),
    "translate_x": (0.0, MOVE, True, 0.0, _translate_x),
    "translate_y": (0.0, MOVE, True, 0.0, _translate_y),
    "rotate": (0.0, 30.0, True, 0.0, _rotate),
    "brightness": (0.0, 0.9, True, 1.0, adjust.brightness),
    "colour": (0.0, 0.9, True, 1.0, adjust.colour),
    "contrast": (0.0, 0.9, True, 1.0, adjust.contrast),
    "sharpness": (0.0, 0.9, True, 1.0, adjust.sharpness),
    "posterize": (8.0, 4.0, False, 0.0, lambda images, bits: adjust.posterize(images, np.rint(bits))),
    "solarize": (255.0, 0.0, False, 0.0, adjust.solarize),
    "autocontrast": (0.0, 0.0, False, 0.0, adjust.autocontrast),
    "equalize": (0.0, 0.0, False, 0.0, adjust.equalize),
    "invert": (0.0, 0.0, False, 0.0, adjust.invert),
}


def read_policy(text: str) -> list[list[tuple[str, float, int]]]:
    """Pairs of (change, probability, strength), a pair a line. Raises ValueError for what is no policy."""
    pairs = []
    for line in text.strip().splitlines():
        pair = [part.split() for part in line.split(",")]
        if len(pair) != 2 or any(len(words) != 3 or words[0] not in CHANGES for words in pair):
            raise ValueError(
                f"AutoAugment: {line!r} is no pair of changes; write NAME P STRENGTH, NAME P STRENGTH"
            )
        pairs.append([(name, float(p), int(strength)) for name, p, strength in pair])
    return pairs


class AutoAugment:
    """For each picture one of the pairs of a policy, and each of its two changes with its probability.

    Pixels are looked up bilinearly where the paper takes the nearest.
    """

    def __init__(self, policy: str = CIFAR10) -> None:
        self.pairs = read_policy(policy)

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n = len(images)
        pair, draws = rng.integers(len(self.pairs), size=n), rng.random((n, 2))
        signs = rng.choice(np.array([-1.0, 1.0]), (n, 2))
        for which in range(2):
            for number, changes in enumerate(self.pairs):
                name, p, strength = changes[which]
                chosen = (pair == number) & (draws[:, which] < p)
                first, last, signed, add, change = CHANGES[name]
                amount = np.full(n, first + (last - first) * strength / STRONGEST)
                amount = (amount * signs[:, which] if signed else amount) + add
                images = on_some(
                    images, chosen, lambda part, do=change, by=amount[chosen]: do(part, by)  # type: ignore[misc]
                )  # fmt: skip
        return images
