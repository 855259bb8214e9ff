"""Panels of what a log.csv has for each epoch: errors, losses, the learning rate, and what one view tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from minilift.lift.weak.one_view.step import TOO_GOOD
from minilift.show.runs.logs import Rows
from minilift.show.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    from_zero,
    legend,
    logarithmic,
    panel,
    whole_ticks,
    wide_range,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Panel = Callable[["Axes"], None]
"""Draws one panel."""
Curves = Mapping[str, tuple[str, str, str]]
"""Of columns: the name that a curve has, its colour, its dash."""
UNITS = "units"  # of the poses: distances from camera to root; log.csv knows no millimetres
SPLITS = {
    "train": ("training", INK, "--"),
    "val": ("validation", BLUE, "-"),
    "test": ("test", VERMILION, "-."),
}
# Of training from one view (docs/weak.md, "Which epoch, without labels")
SEEN: Curves = {
    "val_loss": ("loss", BLUE, "-"),
    "val_gap": ("gap", GREEN, "-"),
    "val_flat": ("gap if flat", INK, ":"),
    "val_flipped": ("gap if flipped", VERMILION, "-."),
    "val_cycle": ("cycle", ORANGE, "--"),
    "val_labelled": ("labelled", PURPLE, "--"),
}
LEARNED: Curves = {
    "train_loss": ("lifter", INK, "--"),
    "train_cycle": ("its cycle", ORANGE, "--"),
    "train_discriminator": ("discriminator", PURPLE, "-"),
    "train_guide": ("guide", GREEN, "-"),
}


def epoch_panels(rows: Rows) -> tuple[list[Panel], int]:
    """What there is to draw of a log, the most important first, and how many panels take a whole row."""
    measured = any("train_mpjpe" in row for row in rows)  # else nothing is known to measure it against
    same = measured and all(row.get("train_loss") == row.get("train_mpjpe") for row in rows)
    one_view = any("val_gap" in row for row in rows)
    panels: list[Panel] = []
    if measured:
        title = "MPJPE, which is the loss" if same else "MPJPE"
        panels.append(partial(_splits, rows=rows, metric="mpjpe", title=title, unit=f"MPJPE [{UNITS}]"))
    if one_view:
        panels += [partial(draw, rows=rows) for draw in (_seen, _elevation, _learned, _told)]
    elif not same:
        panels.append(
            partial(_splits, rows=rows, metric="loss", title="loss", unit="loss", named=not measured)
        )
    return [*panels, partial(_rate, rows=rows)], 1 + (measured and one_view)


def column(rows: Rows, name: str) -> np.ndarray:
    """A column of a log; NaN where a row has nothing."""
    return np.array([row.get(name, np.nan) for row in rows])


def _curves(axes: Axes, rows: Rows, curves: Curves) -> list[float]:
    """Draw columns, where they are there; returns their values."""
    drawn: list[float] = []
    for name, (label, colour, dash) in curves.items():
        values = column(rows, name)
        if np.isfinite(values).any():
            axes.plot(
                column(rows, "epoch"),
                values,
                dash,
                color=colour,
                label=label,
                marker=mark(rows),
                markersize=3.5,
            )
            drawn.extend(values[np.isfinite(values)])
    return drawn


def _mark_kept(axes: Axes, rows: Rows, name: str) -> None:
    """A ring on the epoch whose weights were kept. Where a log does not say which, on the least value."""
    epochs, values, kept = (column(rows, key) for key in ("epoch", name, "kept"))
    there = np.flatnonzero((kept > 0) & np.isfinite(values))
    told, row = "weights", there[-1] if len(there) else -1
    if np.isnan(kept).all() and np.isfinite(values).any():
        told, row = "least", int(np.nanargmin(values))
    if row >= 0:
        label = f"{told}: {values[row]:.5f}, epoch {epochs[row]:.0f}"
        axes.plot(
            epochs[row], values[row], "o", color=BLUE, markerfacecolor="white", markersize=7, label=label
        )


def _splits(axes: Axes, rows: Rows, metric: str, title: str, unit: str, named: bool = True) -> None:
    """Of all sets; without names, which another panel above has, there is more room."""
    drawn = _curves(axes, rows, {f"{split}_{metric}": style for split, style in SPLITS.items()})
    panel(axes, title if named else f"{title}, lines as above", "epoch", unit)
    _mark_kept(axes, rows, f"val_{metric}")
    scale(axes, drawn)
    if named:
        legend(axes)


def _seen(axes: Axes, rows: Rows) -> None:
    drawn = _curves(axes, rows, SEEN)
    panel(axes, "validation, seen from elsewhere", "epoch", "unlike people [σ²]")
    _mark_kept(axes, rows, "val_loss")
    scale(axes, drawn)
    legend(axes)


def _elevation(axes: Axes, rows: Rows) -> None:
    _curves(axes, rows, {"val_elevation": ("", SKY, "-")})
    panel(axes, "mean elevation of the cameras", "epoch", "looking down by [°]")
    whole_ticks(axes)


def _learned(axes: Axes, rows: Rows) -> None:
    drawn = _curves(axes, rows, LEARNED)
    panel(axes, "losses in training", "epoch", "loss")
    scale(axes, drawn)
    legend(axes)


def _told(axes: Axes, rows: Rows) -> None:
    """What the discriminator tells."""
    shares = 100 * column(rows, "train_accuracy")
    axes.plot(column(rows, "epoch"), shares, color=PURPLE, marker=mark(rows), markersize=3.5)
    axes.axhline(50, color=INK, linestyle=":", linewidth=1.2, label="by chance")
    axes.axhline(100 * TOO_GOOD, color=INK, linestyle="--", linewidth=1.2, label="waits above")
    panel(axes, "images that the discriminator tells", "epoch", "told right [%]")
    whole_ticks(axes)
    axes.set_ylim(0, 100)
    legend(axes)


def _rate(axes: Axes, rows: Rows) -> None:
    axes.plot(column(rows, "epoch"), column(rows, "lr"), color=GREEN, marker=mark(rows), markersize=3.5)
    panel(axes, "learning rate after each epoch", "epoch", "learning rate")
    whole_ticks(axes)
    from_zero(axes)


def mark(rows: Rows) -> str:
    """A dot on every epoch where there are few; one epoch would be no line at all."""
    return "o" if len(rows) <= 30 else ""


def scale(axes: Axes, values: Iterable[float]) -> None:
    """A y axis from 0, or a logarithmic one where the values span much."""
    whole_ticks(axes)
    if wide_range(values):
        logarithmic(axes)
    else:
        from_zero(axes)
