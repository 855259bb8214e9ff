"""Charts of several runs: a figure against a setting, and curves per epoch, with the spread of the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.errors import InputError, counted
from minilift.files import PathLike, one_line
from minilift.show.style import (
    BLUE,
    INK,
    PAGE,
    SMALL,
    legend_above,
    legend_columns,
    logarithmic,
    new_figure,
    panel,
    plain,
    save,
    series_style,
    whole_ticks,
    wide_range,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = Sequence[float]
SPREAD = "±1 std. deviation of the seeds"
LINE = 0.2  # inches of a legend
FEW = 6  # values of a setting
NARROW = 0.3  # of the distance between two labels: how far the dots of one lie apart


def plot_sweep(
    values: Mapping[str, Values] | Mapping[float, Values] | Mapping[str, Mapping[float, Values]],
    path: PathLike, *, setting: str = "setting", quantity: str = "MPJPE [units]",
) -> None:  # fmt: skip
    """Draw what each value of a setting led to, a dot for every seed, and their mean.

    {label: values}              a column of dots for each label, with a line at the mean
    {number: values}             a curve through the means over a numeric axis, with a band
    {series: {number: values}}   several such curves

    Values are one for each seed, and need not be as many everywhere. The band is the mean and one standard
    deviation (of the sample) to either side, where there are two or more. The axis of a setting whose values
    span more than a factor of 20 is logarithmic, and so is that of errors which span more than one of 5.
    `setting` and `quantity` name the axes, with units. Raises InputError where nothing is given or nothing
    finite, and as the other charts do.
    """
    save(sweep_figure(values, setting, quantity, path), path)


def sweep_figure(
    values: Mapping[Any, Any], setting: str = "setting", quantity: str = "MPJPE [units]",
    path: PathLike = "sweep",
) -> Figure:  # fmt: skip
    """The figure that plot_sweep writes; `path` is what an error names."""
    first = next(iter(values.values()), None)
    series: dict[str, Mapping[Any, Values]] = dict(values) if isinstance(first, Mapping) else {"": values}
    _check(path, [runs for curve in series.values() for runs in curve.values()])
    figure = new_figure(PAGE, 3.6)
    axes = figure.subplots()
    panel(axes, "", setting, quantity)
    if any(isinstance(key, str) for key in series[next(iter(series))]):
        _columns(axes, series[""])
    else:
        _curves_over(axes, series)
    if wide_range(value for curve in series.values() for runs in curve.values() for value in runs):
        logarithmic(axes)
    legend_above(figure, axes)
    return figure


def _columns(axes: Axes, values: Mapping[str, Values]) -> None:
    for place, runs in enumerate(values.values()):
        found = np.asarray(runs, np.float64)
        if len(found) > 1:
            mean, spread = found.mean(), found.std(ddof=1)
            axes.fill_between(
                place + np.array([-1, 1]) * NARROW, mean - spread, mean + spread, color=BLUE, alpha=0.2,
                linewidth=0, label=SPREAD if not place else None,
            )  # fmt: skip
        across = place + (np.linspace(-0.5, 0.5, len(found)) * NARROW if len(found) > 1 else np.zeros(1))
        axes.plot(across, found, "o", color=BLUE, markersize=5, label=None if place else "a run")
        axes.plot(
            place + np.array([-1, 1]) * NARROW, np.full(2, found.mean()), color=INK, linewidth=2,
            label=None if place else "mean",
        )  # fmt: skip
    axes.grid(False, axis="x")
    axes.set_xticks(range(len(values)), [plain(str(label)) for label in values], fontsize=SMALL)
    if sum(len(str(label)) for label in values) > 70:  # they would run into each other
        axes.tick_params(axis="x", rotation=30)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
    axes.set_xlim(-0.6, len(values) - 0.4)


def _curves_over(axes: Axes, series: Mapping[str, Mapping[Any, Values]]) -> None:
    every: list[float] = []
    for number, (name, curve) in enumerate(series.items()):
        style = series_style(number)
        places = np.array(sorted(curve), np.float64)
        runs = [np.asarray(curve[key], np.float64) for key in sorted(curve)]
        every.extend(places)
        _mean_and_band(axes, places, runs, style, plain(name) if name else "mean")
        for place, found in zip(places, runs, strict=True):
            axes.plot(np.full(len(found), place), found, "o", color=style["color"], markersize=4, alpha=0.6)
    if wide_range(every, factor=20):
        axes.set_xscale("log")
    if len(values := sorted(set(every))) <= FEW:  # then the axis can name each
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.set_xticks([], minor=True)
    axes.plot([], [], "o", color=INK, markersize=4, alpha=0.6, label="a run")


def _mean_and_band(
    axes: Axes, places: np.ndarray, runs: Sequence[np.ndarray], style: dict[str, Any], name: str
) -> None:
    means = np.array([found.mean() for found in runs])
    spread = np.array([found.std(ddof=1) if len(found) > 1 else 0.0 for found in runs])
    alone = "o" if len(places) == 1 else None  # a line of one point is none
    axes.plot(places, means, label=name, linewidth=1.8, marker=alone, markersize=4, **style)
    if spread.any():
        axes.fill_between(
            places, means - spread, means + spread, color=style["color"], alpha=0.18, linewidth=0,
            label=SPREAD if not any(text == SPREAD for text in axes.get_legend_handles_labels()[1]) else None,
        )  # fmt: skip


def plot_runs(
    runs: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], path: PathLike, *, column: str = "val_mpjpe",
    quantity: str = "validation MPJPE [units]",
) -> None:  # fmt: skip
    """Draw curves per epoch: {label: the logs of its seeds}, each log a list of rows as log.csv has them.

    A line is the mean of a label's seeds, up to the epoch that all of them reached; the band, one standard
    deviation to either side. Raises InputError where no run has an epoch with that column, and as the other
    charts do.
    """
    save(runs_figure(runs, column, quantity, path), path)


def runs_figure(
    runs: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], column: str = "val_mpjpe",
    quantity: str = "validation MPJPE [units]", path: PathLike = "runs",
) -> Figure:  # fmt: skip
    """The figure that plot_runs writes; `path` is what an error names."""
    curves = {}
    for label, logs in runs.items():
        count = f" ({counted(len(logs), 'run')})" if len(logs) > 1 else ""
        curves[label + count] = [_by_epoch(log, column) for log in logs]
    return epochs_figure({"": {quantity: curves}}, path)


def _by_epoch(log: Sequence[Mapping[str, Any]], column: str) -> dict[float, float]:
    return {float(row["epoch"]): float(row[column]) for row in log if row.get(column) not in (None, "")}


def _check(path: PathLike, values: Sequence[Any]) -> None:
    """Refuse to draw nothing, and what has no place on an axis."""
    if not values or not all(
        len(found) and np.isfinite(np.asarray(found, np.float64)).all() for found in values
    ):
        problem = "a run is missing or has no finite value"
        raise InputError(f"cannot draw {one_line(str(path))}: {problem}; leave it out, or run it again")


Curves = Mapping[str, Sequence[Mapping[float, float]]]  # by label: of each seed, its values by epoch


def plot_epochs(rows: Mapping[str, Mapping[str, Curves]], path: PathLike) -> None:
    """Draw several quantities of several studies: {row of panels: {quantity: {label: curves of its seeds}}}.

    A line is the mean of a label's seeds where all of them have a value, the band one standard deviation to
    either side. Panels below each other have one scale. Raises InputError where a curve is missing or not
    finite, and as the other charts do.
    """
    save(epochs_figure(rows, path), path)


def epochs_figure(rows: Mapping[str, Mapping[str, Curves]], path: PathLike = "epochs") -> Figure:
    """The figure that plot_epochs writes; `path` is what an error names."""
    every = [curves for row in rows.values() for curves in row.values()]
    _check(
        path, [list(curve.values()) for curves in every for of_seeds in curves.values() for curve in of_seeds]
    )
    labels = list(dict.fromkeys(label for curves in every for label in curves))
    across, lines = len(next(iter(rows.values()))), 1 + len(labels) // legend_columns([*labels, SPREAD], PAGE)
    figure = new_figure(PAGE, 0.4 + LINE * lines + (2.2 if across > 1 else 3.0) * len(rows))
    grid = figure.subplots(len(rows), across, squeeze=False, sharex=True, sharey="col")
    for place, (heading, row) in enumerate(rows.items()):
        for axes, (quantity, curves) in zip(grid[place], row.items(), strict=True):
            last = place == len(rows) - 1
            panel(axes, heading if axes is grid[place][0] else "", "epoch" if last else "", quantity)
            for label, of_seeds in curves.items():
                epochs = sorted(set.intersection(*(set(curve) for curve in of_seeds))) if of_seeds else []
                found = [np.array([curve[epoch] for curve in of_seeds]) for epoch in epochs]
                _check(path, found)
                _mean_and_band(axes, np.array(epochs), found, series_style(labels.index(label)), plain(label))
            whole_ticks(axes, most=5 if across > 1 else 7)
    for column in range(across):
        shown = [value for axes in grid[:, column] for line in axes.get_lines() for value in line.get_ydata()]
        if wide_range(shown):
            logarithmic(grid[0, column])
    legend_above(figure, *grid.flat)
    return figure
