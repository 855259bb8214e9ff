"""The charts of the page, as figures of plotly.js: plain dicts, drawn in the browser by charts.js.

Colours are names of the page's CSS variables, `var(--accent)`, so that light and dark need no second chart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilift.evaluation.baselines import NAMES
from minilift.poses.layouts import COURSE15
from minilift.show.page.units import Result, best
from minilift.show.runs.logs import Rows

BINS = 60
POINTS = 401  # of the curve over sorted poses: every quarter of a per cent
SIDES = {"left": "var(--left)", "right": "var(--right)"}
LOG_COLUMNS = {
    "train_mpjpe": ("training", "var(--muted)", "dot"),
    "val_mpjpe": ("validation", "var(--left)", "solid"),
    "test_mpjpe": ("test", "var(--right)", "dash"),
}


@dataclass(frozen=True)
class Chart:
    caption: str
    figure: dict[str, Any]  # data and layout


def compared(result: Result) -> Chart:
    """MPJPE and that of the baselines, on an axis from 0."""
    unit = best(result)
    others = result["baselines" + unit.suffix]
    names = ["this lifter", *(NAMES.get(name, name) for name in others)]
    values = [result["mpjpe" + unit.suffix], *others.values()]
    texts = list(map(unit.number, values))
    if interval := result["mpjpe_ci95" + unit.suffix]:
        texts[0] += f" ({unit.number(interval[0])} to {unit.number(interval[1])})"
    bars = {
        "type": "bar", "orientation": "h", "y": names, "x": values, "text": texts,
        "textposition": "outside", "cliponaxis": False,
        "hovertemplate": f"%{{y}}: %{{text}} {unit.name}<extra></extra>",
        "marker": {"color": ["var(--left)", *["var(--muted)"] * len(others)]},
    }  # fmt: skip
    layout = _bar_layout(f"MPJPE, {unit.name}", values)
    return Chart("The lifter and simpler predictors", figure([bars], layout))


def per_joint(result: Result) -> Chart:
    unit = best(result)
    errors = result["per_joint" + unit.suffix]
    sides = [next((s for s in SIDES if name.startswith(s)), "") for name in COURSE15.joints]
    bars = {
        "type": "bar", "orientation": "h", "x": list(errors.values()),
        "y": [name.replace("_", " ") for name in errors], "text": list(map(unit.number, errors.values())),
        "textposition": "outside", "cliponaxis": False,
        "hovertemplate": f"%{{y}}: %{{text}} {unit.name}<extra></extra>",
        "marker": {"color": [SIDES.get(side, "var(--muted)") for side in sides]},
    }  # fmt: skip
    layout = _bar_layout(f"mean distance, {unit.name}", list(errors.values())) | {"height": 440}
    return Chart("Error of each joint; the person's left is blue, right is orange", figure([bars], layout))


def histogram(result: Result, ordered: np.ndarray) -> Chart:
    """How many poses have which error. Beyond the 99.5th percentile all are in the last bar."""
    unit = best(result)
    end = float(np.percentile(ordered, 99.5)) or 1.0
    counts, edges = np.histogram(np.minimum(ordered, end), BINS, (0, end))
    middles, width = (edges[1:] + edges[:-1]) / 2, edges[1]
    bars = {
        "type": "bar", "x": middles.tolist(), "y": counts.tolist(), "width": float(width),
        "hovertemplate": f"%{{x}} {unit.name}: %{{y:,}} poses<extra></extra>",
        "marker": {"color": "var(--left)", "line": {"width": 0}},
    }  # fmt: skip
    marks = {share: result["percentiles" + unit.suffix][share] for share in ("50", "90", "99")}
    lines = [
        {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper",
         "line": {"color": "var(--ink)", "width": 1.2, "dash": "dot"}}
        for x in marks.values()
    ]  # fmt: skip
    notes = [
        {"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "text": f"{share}%", "showarrow": False}
        for share, x in marks.items()
    ]
    layout = {
        "xaxis": axis(f"MPJPE of a pose, {unit.name}", zero=True), "yaxis": axis("poses", zero=True),
        "shapes": lines, "annotations": notes, "bargap": 0, "margin": {"t": 24},
    }  # fmt: skip
    return Chart(
        f"Errors of single poses; the last bar: all above {unit.of(end)}",
        figure([bars], layout),
    )


def sorted_errors(result: Result, ordered: np.ndarray) -> Chart:
    """The error below which each share of the poses lies. A click on it shows that pose."""
    unit, shares = best(result), np.linspace(0, 100, POINTS)
    values = np.percentile(ordered, shares).tolist()
    curve = {
        "type": "scatter", "mode": "lines", "x": shares.tolist(), "y": values,
        "line": {"color": "var(--left)", "width": 2.5},
        "hovertemplate": f"%{{x:.1f}}% of the poses: below %{{y:.4~g}} {unit.name}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": axis("share of the poses, %") | {"range": [0, 100], "dtick": 10},
        "yaxis": _log_axis(f"MPJPE of a pose, {unit.name}", values), "meta": "poses", "hovermode": "x",
    }  # fmt: skip
    return Chart("Poses sorted by error; click to see one above", figure([curve], layout))


def training(log: Rows) -> Chart | None:
    """MPJPE by epoch, where a log has it for two or more: one makes no curve."""
    epochs = [row["epoch"] for row in log]
    curves: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": epochs,
         "y": [_finite(row.get(column)) for row in log],
         "line": {"color": colour, "dash": dash, "width": 2}, "marker": {"size": 5}}
        for column, (name, colour, dash) in LOG_COLUMNS.items()
        if any(_finite(row.get(column)) is not None for row in log)
    ]  # fmt: skip
    if not curves or len(log) < 2:
        return None
    values = [value for curve in curves for value in curve["y"]]
    layout = {
        "xaxis": axis("epoch") | {"tick0": 0, "dtick": -(-len(log) // 12)},
        "yaxis": _log_axis("MPJPE, units", values), "showlegend": True, "hovermode": "x unified",
    }  # fmt: skip
    return Chart("MPJPE by epoch, from the log.csv next to the weights", figure(curves, layout))


def _finite(value: float | None) -> float | None:
    """A cell of a log, fit for JSON."""
    return value if value is not None and math.isfinite(value) else None


def figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> dict[str, Any]:
    return {"data": data, "layout": layout}


def _bar_layout(title: str, values: list[float]) -> dict[str, Any]:
    """Horizontal bars in the order given, from 0, with room for the numbers at their ends."""
    along = axis(title) | {"range": [0, 1.15 * max(values) or 1]}
    return {"xaxis": along, "yaxis": {"autorange": "reversed", "showgrid": False}}


def axis(title: str, zero: bool = False) -> dict[str, Any]:
    return {"title": {"text": title}, **({"rangemode": "tozero"} if zero else {})}


def _log_axis(title: str, values: Iterable[float | None]) -> dict[str, Any]:
    """A logarithmic axis with whole numbers at its ticks, 1, 2 and 5 of each power of ten."""
    decades = [math.floor(math.log10(value)) for value in values if value]
    powers = range(min(decades, default=0), max(decades, default=0) + 1)
    ticks = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    return axis(title) | {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
