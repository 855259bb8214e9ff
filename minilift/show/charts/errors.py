"""The charts of an evaluation: errors by joint, axis, direction of view and distance, and their spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from minilift.errors import InputError
from minilift.evaluation.errors import FEWEST, PoseErrors
from minilift.evaluation.uncertainty import bootstrap, percentiles
from minilift.files import PathLike, one_line
from minilift.poses.layouts import COURSE15, JOINTS
from minilift.show.style import (
    BLUE,
    INK,
    ORANGE,
    PAGE,
    SKY,
    SMALL,
    TITLE,
    VERMILION,
    legend,
    new_figure,
    panel,
    save,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SECTOR = 30  # degrees of a bin of directions
DISTANCES = 8  # bins
AXES = {"x": "x: right", "y": "y: up", "z": "z: depth"}


def plot_errors(errors: PoseErrors, path: PathLike, title: str = "") -> None:
    """Draw a page of charts: by joint, as a histogram, by axis, by direction and, with metres, by distance.

    `errors` are those of a Report that was made with `details`. Whiskers and bands are 95% intervals of the
    means (minilift.evaluation.uncertainty.bootstrap). Raises InputError where there are no poses, without
    matplotlib, or if the file cannot be written.
    """
    save(errors_figure(errors, title, path), path)


def errors_figure(errors: PoseErrors, title: str = "", path: PathLike = "errors") -> Figure:
    """The figure that plot_errors writes; `path` is what an error names."""
    if not len(errors.joints):
        raise InputError(f"cannot draw {one_line(str(path))}: there are no poses; give at least one")
    last = "distance" if len(errors.distance) else "azimuth"
    figure = new_figure(PAGE, 9.0)
    cells = figure.subplot_mosaic(
        [["joints", "histogram"], ["joints", "axes"], ["azimuth", last]], width_ratios=[1.1, 1]
    )
    if title:
        figure.suptitle(title, fontsize=TITLE, color=INK)
    groups = errors.groups()
    _joints(cells["joints"], errors, groups)
    _histogram(cells["histogram"], errors)
    _axes(cells["axes"], errors, groups)
    _azimuth(cells["azimuth"], errors, groups)
    if len(errors.distance):
        _distance(cells["distance"], errors, groups)
    return figure


def _interval(values: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """A 95% interval of a mean; nothing, as NaN, where too few poses or groups say too little."""
    if len(values) < FEWEST or len(np.unique(groups)) < 2:
        return np.nan, np.nan
    return bootstrap(values, groups)


def _whiskers(columns: Sequence[np.ndarray], groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of columns (k,), and how far below and above them their intervals reach (2, k)."""
    means = np.array([column.mean(dtype=np.float64) for column in columns])
    ends = np.array([_interval(column, groups) for column in columns])
    return means, np.abs(ends.T - means)


def _joints(axes: Axes, errors: PoseErrors, groups: np.ndarray) -> None:
    rows = np.arange(len(JOINTS))
    means, reach = _whiskers(list(errors.joints.T), groups)
    shares = np.array([percentiles(column, [50, 90]) for column in errors.joints.T])
    colours = [BLUE if i in COURSE15.left else VERMILION if i in COURSE15.right else INK for i in rows]
    axes.barh(rows, means, color=colours, alpha=0.55, height=0.7)
    if np.isfinite(reach).all():
        axes.errorbar(
            means, rows, xerr=reach, fmt="none", ecolor=INK, elinewidth=1, capsize=2, label="95% of the mean"
        )
    axes.plot(shares[:, 0], rows, "|", color=INK, markersize=9, markeredgewidth=1.6, label="median")
    axes.plot(
        shares[:, 1], rows, "o", color=INK, markerfacecolor="white", markersize=4.5, label="90% lie below"
    )
    panel(axes, "by joint (bars: mean)", f"error [{errors.unit}]", "", grid="x")
    axes.set_yticks(rows, [joint.replace("_", " ") for joint in JOINTS], fontsize=SMALL)
    axes.set_ylim(len(JOINTS) - 0.4, -0.6)
    axes.set_xlim(left=0)
    legend(axes)


def _histogram(axes: Axes, errors: PoseErrors) -> None:
    each = errors.mpjpe
    marks = {"median": (50, INK, "-"), "90%": (90, VERMILION, "--"), "99%": (99, VERMILION, ":")}
    end = float(percentiles(each, [99.5])[0])
    bins = np.linspace(0, end or 1.0, 41)
    axes.hist(each, bins=bins.tolist(), weights=np.full(len(each), 100 / len(each)), color=SKY)
    for name, (share, colour, dash) in marks.items():
        value = float(percentiles(each, [share])[0])
        text = f"{name}: {_number(value, errors.unit)}"
        axes.axvline(value, color=colour, linestyle=dash, linewidth=1.4, label=text)
    axes.plot([], [], " ", label=f"worst: {_number(float(each.max()), errors.unit)}")
    panel(axes, "poses by their error", f"MPJPE of a pose [{errors.unit}]", "share of poses [%]", grid="y")
    axes.set_xlim(0, bins[-1])
    legend(axes)


def _axes(axes: Axes, errors: PoseErrors, groups: np.ndarray) -> None:
    means, reach = _whiskers(list(errors.axes.T), groups)
    places = np.arange(3)
    axes.bar(places, means, color=[SKY, SKY, ORANGE], width=0.6)
    if np.isfinite(reach).all():
        axes.errorbar(places, means, yerr=reach, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
    for place, mean in zip(places, means, strict=True):
        axes.annotate(
            _number(mean, errors.unit), (place, mean), (0, 7), textcoords="offset points", ha="center",
            fontsize=SMALL, color=INK,
        )  # fmt: skip
    panel(axes, "along each axis of the camera", "", f"mean |error| [{errors.unit}]", grid="y")
    axes.set_xticks(places, list(AXES.values()), fontsize=SMALL)
    axes.set_ylim(0, 1.2 * float(means.max()) or 1.0)


def binned(
    values: np.ndarray, by: np.ndarray, edges: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of `values` (n,) in bins of `by` (n,): middles (k,), means (k,), ends of intervals (k, 2).

    The last bin has its right edge, too. NaN stands where a bin has fewer than 20 poses.
    """
    number = np.clip(np.searchsorted(edges, by, side="right") - 1, -1, len(edges) - 1)
    number[by == edges[-1]] = len(edges) - 2
    means, ends = np.full(len(edges) - 1, np.nan), np.full((len(edges) - 1, 2), np.nan)
    for i in range(len(means)):
        inside = number == i
        if inside.sum() >= FEWEST:
            means[i] = values[inside].mean(dtype=np.float64)
            ends[i] = _interval(values[inside], groups[inside])
    return 0.5 * (edges[1:] + edges[:-1]), means, ends


def _against(
    axes: Axes, middles: np.ndarray, means: np.ndarray, ends: np.ndarray, errors: PoseErrors
) -> None:
    if np.isfinite(ends).any():
        axes.fill_between(
            middles, ends[:, 0], ends[:, 1], color=BLUE, alpha=0.22, linewidth=0, label="95% of the mean"
        )
    axes.plot(middles, means, "o-", color=BLUE, markersize=4, label="mean of a bin")
    axes.axhline(float(errors.mpjpe.mean()), color=INK, linestyle="--", linewidth=1, label="all poses")
    top = np.nanmax(np.append(ends[:, 1], [errors.mpjpe.mean(), np.nanmax(np.append(means, 0))]))
    axes.set_ylim(0, 1.1 * float(top) or 1.0)
    legend(axes)


def _azimuth(axes: Axes, errors: PoseErrors, groups: np.ndarray) -> None:
    """The circle is closed: half a turn to the left is half a turn to the right."""
    turned = (errors.azimuth + SECTOR / 2) % 360 - SECTOR / 2  # the first bin lies around 0
    edges = np.arange(-SECTOR / 2, 360, SECTOR)
    middles, means, ends = binned(errors.mpjpe, turned, edges, groups)
    order = np.argsort((middles + 180) % 360)
    shown = np.append(order, order[0])
    places = np.append((middles[order] + 180) % 360 - 180, 180)
    panel(axes, "by the side that the camera sees", "camera's azimuth [°]", f"MPJPE [{errors.unit}]")
    _against(axes, places, means[shown], ends[shown], errors)
    names = {-180: "back", -90: "right", 0: "front", 90: "left", 180: "back"}
    axes.set_xticks(list(names), [f"{angle}\n{name}" for angle, name in names.items()], fontsize=SMALL)
    axes.set_xlim(-185, 185)


def _distance(axes: Axes, errors: PoseErrors, groups: np.ndarray) -> None:
    low, high = (float(value) for value in percentiles(errors.distance, [0, 100]))
    edges = np.linspace(low, max(high, low + 1e-3), DISTANCES + 1)
    panel(axes, "by distance", "camera to mid-hip [m]", f"MPJPE [{errors.unit}]")
    _against(axes, *binned(errors.mpjpe, errors.distance, edges, groups), errors)


def _number(value: float, unit: str) -> str:
    return f"{value:.1f} mm" if unit == "mm" else f"{value:.4f}"
