"""Random search: points drawn from ranges of settings, and the best of them by validation error.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13 (2012): where few of the
settings matter, N random points try N values of each of these, and a grid far fewer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.settings import TrainSettings
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.designs.words import Words, read_word, settings_of

DEFAULT_RANGES = ("lr=1e-4..1e-1:log", "dropout=0..0.5", "hidden=256,512,1024", "blocks=1,2,3")
COMPARED_ON = "val_fraction"  # says which poses points are compared on: the same ones for all
SHOWN = 10
TRIES = 100  # draws for each point that is wanted, before there seem to be no others


@dataclass(frozen=True)
class Range:
    """What a setting is drawn from: words, or numbers from `low` to `high`, both of them included."""

    words: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def draw(self, random: np.random.Generator) -> str:
        """A value as a user writes it, numbers with four digits."""
        if self.words:
            return self.words[random.integers(len(self.words))]
        # Half of a whole number to either side, so that both ends are as likely as the others
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        if self.log:
            low = low if low > 0 else self.low
            value = math.exp(random.uniform(math.log(low), math.log(high)))
        else:
            value = random.uniform(low, high)
        value = min(max(value, self.low), self.high)
        return str(round(value)) if self.whole else f"{value:.4g}"


def read_ranges(texts: Sequence[str]) -> dict[str, Range]:
    """NAME=A..B, NAME=A..B:log and NAME=V,V for each range, checked at their ends. Raises ArgumentError."""
    found: dict[str, Range] = {}
    for text in texts:
        name, _, values = text.partition("=")
        between = re.fullmatch(r"(.+?)\.\.(.+?)(:log)?", values)
        parts = [between[1], between[2]] if between else values.split(",")
        checked = [read_word("range", f"{name}={part.strip()}") for part in parts]
        name, words = checked[0][0], tuple(value for _, value in checked)
        if name in found:
            raise ArgumentError("range", text, f"{name} is given twice; leave one out")
        if name == COMPARED_ON:
            raise ArgumentError("range", text, "points are compared on these poses; give {0}", ("set", text))
        found[name] = _between(text, name, words, bool(between[3])) if between else Range(words)
    return found


def _between(text: str, name: str, words: tuple[str, ...], log: bool) -> Range:
    kind = type(getattr(TrainSettings, name))
    if kind not in (int, float):
        raise ArgumentError("range", text, f"{name} is no number; list its values with commas")
    low, high = map(float, words)
    if not low < high or (log and low <= 0):
        bounds = "A less than B" + (", and more than 0" if log else "")
        raise ArgumentError("range", text, f"give {bounds}")
    return Range((), low, high, log, kind is int)


def random_search(
    preset: str, words: Words, ranges: Mapping[str, Range], number: int, seed: int
) -> list[Group]:
    """So many different points, on top of a preset with some settings.

    Point i depends on `seed`, i and the ranges alone: more points of one seed are the same and others.
    Raises ArgumentError where a setting is given and drawn, or the ranges have fewer points.
    """
    if twice := sorted(words.keys() & ranges.keys()):
        raise ArgumentError(twice[0], words[twice[0]], "is drawn from a range; leave one of them out")
    variants: dict[str, Variant] = {}
    for i in count():
        if len(variants) == number:
            break
        if i == TRIES * number:
            problem = f"the ranges seem to have {len(variants)} points; ask for no more"
            raise ArgumentError("random", number, problem)
        random = np.random.default_rng((seed, i))
        point = {name: found.draw(random) for name, found in ranges.items()}
        label = ", ".join(f"{name} {value}" for name, value in point.items())
        variants[label] = Variant(label, settings_of(preset, {**words, **point}))
    told = ", ".join([f"preset {preset}", *(f"{name} {value}" for name, value in words.items())])
    title = f"{number} points at random (seed {seed}), {told}"
    return [Group(title, tuple(variants.values()), compared=False)]
