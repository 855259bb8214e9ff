"""The charts of a training run: errors and learning rate per epoch, first gradients, layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, one_line
from minilift.show.charts.by_epoch import Panel, epoch_panels, scale
from minilift.show.runs.logs import clean_rows
from minilift.show.style import INK, PAGE, SMALL, from_zero, new_figure, panel, plain, save, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import HashableList

ROW = 2.25  # inches, of a row of panels
MOST_NAMES = 8  # layers that a legend names

Record = Mapping[str, np.ndarray]


def plot_training(rows: Iterable[Mapping[str, Any]], path: PathLike, record: Record | None = None) -> None:
    """Draw the rows of log.csv and, where `record` has what Recorder.arrays gives, gradients and layers.

    Errors are in the poses' units. Raises InputError without rows, without matplotlib, or if the file cannot
    be written.
    """
    save(training_figure(rows, record, path), path)


def training_figure(
    rows: Iterable[Mapping[str, Any]], record: Record | None = None, path: PathLike = "curves"
) -> Figure:
    """The figure that plot_training writes; `path` is what an error names."""
    rows = clean_rows(rows)
    if not rows:
        raise InputError(f"cannot draw {one_line(str(path))}: no epoch was finished; train for at least one")
    panels, wide = epoch_panels(rows)
    recorded = [] if record is None else _record_panels(record)
    if record is not None and record["dead"].size:  # beside the learning rate, where there is room
        recorded.insert(0 if (len(panels) - wide) % 2 else len(recorded), partial(_dead, record=record))
    panels += recorded
    names = [] if record is None or not len(record["epochs"]) else record["weight_names"].tolist()
    cells = _layout(len(panels), wide)
    figure = new_figure(PAGE, ROW * len(cells) + (0.7 if names else 0.0))
    for number, axes in figure.subplot_mosaic(cells).items():
        panels[number](axes)
    if names:
        _layer_legend(figure, names)
    return figure


def _layout(count: int, wide: int) -> list[HashableList[int]]:
    """The numbers of panels in rows of two; those that are wide, and one left alone, take a whole row."""
    whole: list[HashableList[int]] = [[i, i] for i in range(wide)]
    pairs: list[HashableList[int]] = [[i, i + 1] for i in range(wide, count - 1, 2)]
    last: list[HashableList[int]] = [[count - 1, count - 1]] if (count - wide) % 2 else []
    return [*whole, *pairs, *last]


# ---- first steps, and layers -----------------------------------------------------------------------
def _record_panels(record: Record) -> list[Panel]:
    panels: list[Panel] = []
    if len(record["gradient_norm"]):
        norm = record["gradient_norm"], "gradient norm, first steps", "√Σg²"
        mean = record["gradient_mean"], "mean |gradient|, first steps", "mean |g|"
        panels += [lambda axes: _gradient(axes, *norm), lambda axes: _gradient(axes, *mean)]
    if len(record["epochs"]):
        for key, title, y in (
            ("weight_mean", "weights: mean", "mean of w"),
            ("weight_std", "weights: spread", "std. deviation of w"),
            ("activation_mean", "activations: mean", "mean of y"),
            ("activation_std", "activations: spread", "std. deviation of y"),
        ):
            panels.append(partial(_layers, record=record, key=key, title=title, y=y))
    return panels


def _gradient(axes: Axes, values: np.ndarray, title: str, y: str) -> None:
    axes.plot(np.arange(1, len(values) + 1), values, color=INK, linewidth=1.2)
    panel(axes, title, "training step", f"{y} [loss per weight]")
    scale(axes, values)


def _layers(axes: Axes, record: Record, key: str, title: str, y: str) -> None:
    """A curve for each layer over the epochs."""
    count = record[key].shape[1]
    for number in range(count):
        axes.plot(record["epochs"], record[key][:, number], color=_shade(number, count), **_dots(record))
    panel(axes, title, "epoch", y)
    whole_ticks(axes)
    if key.endswith("std"):
        from_zero(axes)


def _dead(axes: Axes, record: Record) -> None:
    """The ReLUs have the colours of the Linear layers before them, the first of which, hidden1, has none."""
    count = len(record["weight_names"])
    for number in range(record["dead"].shape[1]):
        share = 100 * record["dead"][:, number]
        axes.plot(record["epochs"], share, color=_shade(number + 1, count), **_dots(record))
    panel(axes, "ReLUs that give 0 for every pose", "epoch", "share of a layer [%]")
    whole_ticks(axes)
    from_zero(axes)


def _dots(record: Record) -> dict[str, Any]:
    return {"marker": "o" if len(record["epochs"]) <= 30 else "", "markersize": 3.5}


def _shade(number: int, count: int) -> Any:
    """Dark for the first layer, light for the last: an order that shows in grey and to the colour-blind."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * number / max(count - 1, 1))


def _layer_legend(figure: Figure, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    shown = np.unique(np.linspace(0, len(names) - 1, min(len(names), MOST_NAMES)).round().astype(int))
    lines = [Line2D([], [], color=_shade(i, len(names)), linewidth=2) for i in shown]
    figure.legend(
        lines, [plain(names[i]) for i in shown], title="layers (activations: behind their ReLU, if any)",
        loc="outside lower center", ncols=4, frameon=False, fontsize=SMALL, title_fontsize=SMALL,
    )  # fmt: skip
