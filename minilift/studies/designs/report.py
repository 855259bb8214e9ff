"""The four studies of the original course report, each next to the same with a sound schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minilift.errors import ArgumentError, counted
from minilift.lift.recipe import DEFAULT
from minilift.lift.settings import TrainSettings
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.designs.words import Words, settings_of

REPORT = "report's settings"
# On top of the default preset. Like the report it mirrors no poses and has one network for all of them. It
# differs in what the report lacked: standardised data, batches of 256, and a one-cycle that ends with the run
SOUND = "sound schedule"
SOUND_WORDS = {"lr": "0.002", "dropout": "0.1", "flip": "0"}
EPOCHS = "5"  # the report's
GONE = 0.01  # of the first learning rate: what is left of it moves next to nothing


@dataclass(frozen=True)
class Factor:
    """What one study varies: a setting and its values; `measured` is what the report's table tells of it."""

    title: str
    setting: str
    values: tuple[str, ...]
    measured: str


FACTORS = {
    "dropout": Factor(
        "Dropout", "dropout", ("0", "0.5", "0.9999"),
        "It tells which dropout lets a network start fastest, not which one generalises; and 0.9999 keeps "
        "one unit in ten thousand in a step.",
    ),
    "lr": Factor(
        "Learning rate", "lr", ("0.001", "0.1", "1"),
        "It tells how far each rate gets before it is taken away, not which one trains best. "
        "Of the sound schedule the rate is the highest of its one-cycle.",
    ),
    "width": Factor(
        "Hidden width", "hidden", ("256", "512", "1024"),
        "It tells which width starts fastest, not which one can learn more.",
    ),
    "blocks": Factor(
        "Residual blocks", "blocks", ("1", "2", "3"),
        "It tells which depth starts fastest, not which one can learn more.",
    ),
}  # fmt: skip
STUDIES = ("report", *FACTORS)


def report(study: str, words: Words, epochs: Words) -> list[Group]:
    """All four studies, or one of them by its name, with some settings changed in all runs.

    `epochs` is {"epochs": ...} where these were given for all runs. Raises ArgumentError for a setting
    that the only study varies itself.
    """
    factors = list(FACTORS.values()) if study == "report" else [FACTORS[study]]
    if len(factors) == 1 and factors[0].setting in words:
        name = factors[0].setting
        raise ArgumentError(name, words[name], f"the study {study} varies it; leave it out")
    return [_group(factor, {"epochs": EPOCHS, **words, **epochs}) for factor in factors]


def _group(factor: Factor, words: Words) -> Group:
    columns: list[tuple[str, str, Words]] = [(REPORT, "course", {}), (SOUND, DEFAULT, SOUND_WORDS)]
    variants = [
        Variant(
            f"{factor.setting} {value}",
            settings_of(preset, {**base, **words, factor.setting: value}),
            column=name,
        )
        for value in factor.values
        for name, preset, base in columns
    ]
    epochs = counted(int(words["epochs"]), "epoch")
    title = f"{factor.title}: the report's settings and a sound schedule, {epochs}"
    return Group(title, tuple(variants), compared=False, measured=factor.measured)


def frozen(settings: TrainSettings, rates: list[float]) -> bool:
    """Whether a StepLR per batch had taken the rate away in the first of several epochs.

    `rates` as they were after each epoch.
    """
    stepped = (settings.scheduler, settings.step_per) == ("step", "batch")
    return stepped and len(rates) > 1 and rates[0] < GONE * settings.lr


def steps_until_gone(settings: TrainSettings) -> int:
    """Steps of the optimiser until such a schedule leaves less than GONE of the rate."""
    return settings.step_size * math.ceil(math.log(GONE) / math.log(settings.gamma))
