"""Charts of a study: errors against what is varied, and curves per epoch, with the spread of the seeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minilift.lift.build import build_optimiser, build_scheduler
from minilift.lift.model import LiftModel
from minilift.lift.settings import TrainSettings
from minilift.show.charts.sweeps import Curves, plot_epochs, plot_sweep
from minilift.show.style import check_picture
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.results.tables import NAMES, Column, Records
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.store import Record

CURVES = {"train_mpjpe": "training MPJPE [units]", "val_mpjpe": "validation MPJPE [units]"}
RATES_SHOWN = 100  # of a run's learning rates, or one for each epoch


def check_charts(folder: Path) -> None:
    """Raise InputError unless charts can be drawn there; before long work."""
    check_picture(folder / "x.png")


def draw_charts(
    groups: Sequence[Group], records: Records, evaluations: Sequence[Evaluation], seeds: Sequence[int],
    metric: str, folder: Path, kind: str = "png",
) -> list[Path]:  # fmt: skip
    """Draw each group's errors on every evaluation, and its curves per epoch. Returns the files.

    Runs that diverged are left out, and what has no run at all. Raises InputError as plot_sweep does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []

    def draw(name: str, plot: Callable[..., None], data: Mapping[Any, Any], **options: str) -> None:
        if data:
            drawn.append(folder / f"{name}.{kind}")
            plot(data, drawn[-1], **options)

    for group in groups:
        name = _slug(re.split("[:,]", group.title)[0])
        made = {variant: _made(records, variant, seeds) for variant in group.variants}
        made = {variant: found for variant, found in made.items() if found}
        for part in evaluations:
            column = Column(part, metric)
            errors = {variant: column.values(found, variant) for variant, found in made.items()}
            data, setting = _by_setting(errors) if group.variants[0].column else _by_label(errors)
            quantity = f"{NAMES[metric]} [{column.unit}], {part.name}"
            draw(f"{name}-{_slug(part.name)}", plot_sweep, data, setting=setting, quantity=quantity)
        draw(f"{name}-epochs", plot_epochs, _by_epoch(made))
    return drawn


def _made(records: Records, variant: Variant, seeds: Sequence[int]) -> list[Record]:
    found = [records.get((variant, seed)) for seed in seeds]
    return [record for record in found if record is not None and not record["diverged"]]


def _by_label(errors: Mapping[Variant, Sequence[float]]) -> tuple[dict[str, Any], str]:
    return {variant.label: values for variant, values in errors.items()}, ""


def _by_setting(errors: Mapping[Variant, Sequence[float]]) -> tuple[dict[str, Any], str]:
    """A curve for each column, over the value at the end of the labels."""
    curves: dict[str, Any] = {}
    for variant, values in errors.items():
        setting, value = variant.label.rsplit(" ", 1)
        curves.setdefault(variant.column, {})[float(value)] = values
    return curves, setting if errors else ""


def _by_epoch(made: Mapping[Variant, Sequence[Record]]) -> Mapping[str, Mapping[str, Curves]]:
    """For each column of a group, the curves of its variants: learning rate, and what CURVES says."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for variant, found in made.items():
        if variant.predictions != "plain":  # the same training as another
            continue
        row = rows.setdefault(variant.column, {"learning rate": {}, **{told: {} for told in CURVES.values()}})
        histories = [record["history"] for record in found]
        row["learning rate"][variant.label] = [_rates(variant.settings, history) for history in histories]
        for column, told in CURVES.items():
            row[told][variant.label] = [{line["epoch"]: line[column] for line in log} for log in histories]
    return rows


def _rates(settings: TrainSettings, history: Sequence[Mapping[str, Any]]) -> dict[float, float]:
    """The learning rate on the way through the epochs: what the schedule says, for logs have their ends."""
    of_epoch, epochs = history[0]["steps"], len(history)
    schedule = build_scheduler(
        settings, build_optimiser(settings, LiftModel(0, 1)), of_epoch * settings.epochs
    )
    in_an_epoch, rates = max(RATES_SHOWN // epochs, 1), {}
    for i in range(in_an_epoch * epochs + 1):
        step = round(of_epoch * i / in_an_epoch)
        stepped = step if schedule and schedule.per == "batch" else step // of_epoch
        rates[step / of_epoch] = schedule.lr_at(stepped) if schedule else settings.lr
    return rates


def _slug(text: str) -> str:
    """A name for a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")
