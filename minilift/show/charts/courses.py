"""Charts of the examples: one curve each, pictures before and after a change, points on pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from minilift.errors import InputError
from minilift.extras import installed, missing
from minilift.files import PathLike, one_line
from minilift.show.style import BLUE, INK, SMALL, VERMILION, new_figure, panel, plain, save, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BLACK", "BLUE", "RED", "drawable", "plot_before_after", "plot_line", "plot_points"]

RED, BLACK = VERMILION, INK
CELL = 1.3  # inches, of a picture
WIDEST = 60  # letters of a title that go on a line


def drawable(say: Callable[[str], None]) -> bool:
    """Whether charts can be drawn here; if not, `say` is told how they could."""
    if not installed("matplotlib"):
        say(missing("matplotlib", "drawing the curves"))
    return installed("matplotlib")


def plot_line(
    x: Sequence[float], y: Sequence[float] | np.ndarray, path: PathLike, title: str, x_name: str, y_name: str,
    colour: str = BLUE,
) -> None:  # fmt: skip
    """Draw one curve over epochs, steps or batches, which are whole numbers.

    Values that are not finite are gaps. Raises InputError where there is no value.
    """
    values = np.asarray(y, np.float64)
    if not np.isfinite(values).any():
        raise InputError(f"cannot draw {one_line(str(path))}: no finite value; train for longer")
    figure = new_figure(6, 3.6)
    axes = figure.subplots()
    axes.plot(
        list(x), values, color=colour, linewidth=1.4, marker="o" if len(values) <= 30 else "", markersize=3
    )
    whole_ticks(axes)
    panel(axes, textwrap.fill(plain(title, 2 * WIDEST), WIDEST), x_name, y_name)
    save(figure, path)


def plot_before_after(before: np.ndarray, after: dict[str, np.ndarray], path: PathLike) -> None:
    """Draw pictures (N, channels, height, width) from 0 to 1 in a row, and below it what changes made of
    them, a named row each."""
    rows = {"before": before, **after}
    count = len(before)
    figure = new_figure(CELL * count + 1.3, CELL * len(rows))
    for (name, images), line in zip(
        rows.items(), figure.subplots(len(rows), count, squeeze=False), strict=True
    ):
        for image, axes in zip(images, line, strict=True):
            _picture(axes, image)
        line[0].set_ylabel(name, fontsize=SMALL, rotation=0, ha="right", va="center")
    save(figure, path)


def plot_points(
    pixels: np.ndarray, true: np.ndarray, predicted: np.ndarray, titles: Sequence[str], path: PathLike
) -> None:
    """Draw grey pictures (N, 1, height, width) from 0 to 1 with their true points (N, P, 2), in pixels from
    the upper left corner, and those that were predicted."""
    columns = min(4, len(pixels))
    height = -(-len(pixels) // columns)
    figure = new_figure(2.2 * columns, 2.4 * height + 0.4)
    cells = figure.subplots(height, columns, squeeze=False).ravel()
    for axes in cells[len(pixels) :]:
        axes.set_axis_off()
    for image, own, found, title, axes in zip(pixels, true, predicted, titles, cells, strict=False):
        _picture(axes, image)
        axes.plot(*(own.T - 0.5), "o", color=BLUE, markersize=4, markerfacecolor="none", label="true")
        axes.plot(*(found.T - 0.5), "x", color=VERMILION, markersize=4, label="predicted")
        axes.set_title(plain(title), fontsize=SMALL)
    figure.legend(*cells[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    save(figure, path)


def _picture(axes: Axes, image: np.ndarray) -> None:
    shown = np.clip(image, 0, 1).transpose(1, 2, 0)
    axes.imshow(shown[..., 0] if shown.shape[2] == 1 else shown, cmap="gray", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
