"""Charts of a study: errors against what is varied, and curves per epoch, with the spread of the seeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minilift.errors import InputError
from minilift.experiments.evaluations import Evaluation
from minilift.experiments.store import Record
from minilift.experiments.studies import Group, Variant
from minilift.experiments.tables import NAMES, Column, Records
from minilift.plots.style import check_picture
from minilift.plots.sweeps import plot_runs, plot_sweep

CURVES = {
    "val_mpjpe": "validation MPJPE [units]",
    "train_mpjpe": "training MPJPE [units]",
    "lr": "learning rate after the epoch",
}
ENDING = ".svg"


def check_charts(folder: Path) -> None:
    """Raise InputError unless charts can be drawn there; before long work."""
    check_picture(folder / f"x{ENDING}")


def draw_charts(
    groups: Sequence[Group], records: Records, evaluations: Sequence[Evaluation], seeds: Sequence[int],
    metric: str, folder: Path,
) -> list[Path]:  # fmt: skip
    """Draw each group's errors on every evaluation, and its curves per epoch. Returns the files.

    Runs that diverged are left out, and what has no run at all. Raises InputError as plot_sweep does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []

    def draw(name: str, plot: Callable[..., None], data: Mapping[Any, Any], **options: str) -> None:
        if data:
            drawn.append(folder / f"{name}{ENDING}")
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
        for heading in dict.fromkeys(variant.column for variant in made):  # all in one: too long a legend
            of_column = {v: found for v, found in made.items() if v.column == heading}
            logs = {v.label: _logs(found) for v, found in of_column.items() if v.predictions == "plain"}
            for row, quantity in CURVES.items():
                parts = name, _slug(heading), "epochs", _slug(row)
                draw("-".join(filter(None, parts)), plot_runs, logs, column=row, quantity=quantity)
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


def _logs(found: Sequence[Record]) -> list[list[dict[str, Any]]]:
    return [record["history"] for record in found]


def _slug(text: str) -> str:
    """A name for a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")


def check_together(charts: str | None, random: int | None) -> None:
    """Raise InputError where charts are asked for of points at random, which lie on no axis."""
    if charts and random:
        raise InputError(f"--charts {charts}: draws studies and grids; leave it or --random {random} out")
