"""The chart of a calibration: how often the truth lies within intervals that claim to hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, one_line
from minilift.show.style import INK, SMALL, VERMILION, legend, new_figure, panel, plain, save, series_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_calibration(expected: Any, real: Any, path: PathLike) -> None:
    """Draw how often the truth lay within intervals of confidence `expected` (k,): the shares `real` (k,).

    Both from 0 to 1. On the diagonal confidence is deserved; below it there is too much of it. `real` may
    also be a dict of such arrays by name. Raises InputError for other shapes or shares, and as plot_errors.
    """
    save(calibration_figure(expected, real, path), path)


def calibration_figure(expected: Any, real: Any, path: PathLike = "calibration") -> Figure:
    """The figure that plot_calibration writes; `path` is what an error names."""
    levels = np.asarray(expected, np.float64)
    named = real if isinstance(real, dict) else {"found": real}
    curves = {name: np.asarray(curve, np.float64) for name, curve in named.items()}
    for name, curve in {"expected": levels, **curves}.items():
        if curve.shape != levels.shape or curve.ndim != 1 or not ((curve >= 0) & (curve <= 1)).all():
            shares = f"'{name}' has shape {curve.shape}, expected {levels.shape}, all from 0 to 1"
            raise InputError(f"cannot draw {one_line(str(path))}: {shares}; give shares, not per cent")
    figure = new_figure(4.6, 4.6)
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color=INK, linestyle="--", linewidth=1, label="as sure as right")
    for number, (name, curve) in enumerate(curves.items()):
        axes.plot(
            100 * levels, 100 * curve, marker="o", markersize=4, label=plain(name), **series_style(number)
        )
    axes.fill_between([0, 100], [0, 100], 0, color=VERMILION, alpha=0.06, linewidth=0)
    axes.text(97, 5, "too sure", ha="right", fontsize=SMALL, color=INK)
    axes.text(4, 60, "too cautious", ha="left", fontsize=SMALL, color=INK)
    panel(axes, "calibration", "expected within the interval [%]", "found within it [%]")
    axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    legend(axes)
    return figure
