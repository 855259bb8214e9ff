"""Random search: points drawn from ranges of settings, and the best of them by validation error.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13 (2012): where few of the
settings matter, N random points try N values of each of these, and a grid far fewer.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from minilift.cli.config import TrainConfig
from minilift.errors import InputError
from minilift.studies.designs.grids import Group, Variant
from minilift.studies.evaluations import Evaluation
from minilift.studies.settings import Words, make_config, read_setting
from minilift.studies.store import Record
from minilift.studies.tables import NAMES, Column, Records, rows, spread_note

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
        """A value in the words of train.py, numbers with four digits."""
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
    """NAME=A..B, NAME=A..B:log and NAME=V,V of every --range, checked at their ends. Raises InputError."""
    found: dict[str, Range] = {}
    for text in texts:
        name, _, values = text.partition("=")
        between = re.fullmatch(r"(.+?)\.\.(.+?)(:log)?", values)
        parts = [between[1], between[2]] if between else values.split(",")
        checked = [read_setting("--range", f"{name}={part.strip()}") for part in parts]
        name, words = checked[0][0], tuple(value for _, value in checked)
        if name in found:
            raise InputError(f"--range {text}: {name} is given twice; leave one out")
        if name == COMPARED_ON:
            raise InputError(f"--range {text}: points are compared on these poses; give --set {text}")
        found[name] = _between(text, name, words, bool(between[3])) if between else Range(words)
    return found


def _between(text: str, name: str, words: tuple[str, ...], log: bool) -> Range:
    kind = type(getattr(TrainConfig, name))
    if kind not in (int, float):
        raise InputError(f"--range {text}: {name} is no number; list its values with commas")
    low, high = map(float, words)
    if not low < high or (log and low <= 0):
        bounds = "A less than B" + (", and more than 0" if log else "")
        raise InputError(f"--range {text}: give {bounds}")
    return Range((), low, high, log, kind is int)


def random_search(
    preset: str, words: Words, ranges: Mapping[str, Range], number: int, seed: int
) -> list[Group]:
    """So many different points, on top of a preset with some settings.

    Point i depends on `seed`, i and the ranges alone: more points of one seed are the same and others.
    Raises InputError where a setting is given and drawn, or the ranges have not so many points.
    """
    if twice := sorted(words.keys() & ranges.keys()):
        raise InputError(f"--set {twice[0]}: is drawn from --range; leave one of them out")
    variants: dict[str, Variant] = {}
    for i in count():
        if len(variants) == number:
            break
        if i == TRIES * number:
            raise InputError(
                f"--random {number}: the ranges seem to have {len(variants)} points; ask for so many"
            )
        random = np.random.default_rng((seed, i))
        point = {name: found.draw(random) for name, found in ranges.items()}
        label = ", ".join(f"{name} {value}" for name, value in point.items())
        variants[label] = Variant(label, make_config(preset, {**words, **point}))
    told = ", ".join([f"preset {preset}", *(f"{name} {value}" for name, value in words.items())])
    title = f"{number} points at random (seed {seed}), {told}"
    return [Group(title, tuple(variants.values()), compared=False)]


def best_of(
    group: Group, records: Records, evaluations: Sequence[Evaluation], seeds: Sequence[int], metric: str
) -> str:
    """The points with the least validation error, least first, and the errors elsewhere of the first alone.

    Points of which a seed diverged, or is not there, are not compared with others.
    """
    errors: dict[Variant, list[float]] = {}
    for variant in group.variants:
        found = [_validation(records.get((variant, seed))) for seed in seeds]
        whole = [error for error in found if error is not None]
        if len(whole) == len(seeds):
            errors[variant] = whole
    lost = len(group.variants) - len(errors)
    left_out = f" {lost} of {len(group.variants)} points diverged or have not been run." if lost else ""
    if not errors:
        return f"No point to choose.{left_out}"
    order = sorted(errors, key=lambda variant: statistics.fmean(errors[variant]))
    lines = [[variant.label, _mean(errors[variant])] for variant in order[:SHOWN]]
    best = [records[order[0], seed] for seed in seeds]
    elsewhere = ", ".join(
        f"{c.head} {c.cell(best, order[0], [], None)}" for c in (Column(e, metric) for e in evaluations)
    )
    return "\n".join([
        *rows(["", "validation MPJPE, units"], lines), "",
        f"The best {len(lines)} of {len(errors)} points by the validation error of their best epoch; "
        f"{spread_note('mpjpe', seeds)}.{left_out}", "",
        f"{NAMES[metric]} of the first: {elsewhere}. Nothing was chosen by that, and of the others it is not "
        "shown: the best of many points on a test set is worse on the next set.",
    ])  # fmt: skip


def _validation(record: Record | None) -> float | None:
    if record is None or record["diverged"]:
        return None
    return min(float(row["val_mpjpe"]) for row in record["history"])


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.5f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.5f}{spread}"
