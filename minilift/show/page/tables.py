"""The tables of an evaluation for the page, from the same result; nothing is computed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from minilift.errors import counted
from minilift.evaluation.baselines import NAMES
from minilift.show.page.units import MM, UNITS, Result, Unit, best, known, times

SHARES = (
    "unlike",
    "coverage",
    "rate",
    "level",
    "stated",
    "observed",
    "dropped",
)  # numbers of the trust block from 0 to 1
LENGTHS = ("expected", "error", "gap", "kept", "oracle", "random")  # and those that have a unit
TRUST = {
    "expected": "expected error",
    "error": "real error",
    "gap": "gap of the two, by tenths",
    "spearman": "rank correlation of the two",
    "coverage": "errors within their interval",
    "level": "share that the interval is made for",
    "unlike": "poses called unlike the training data",
    "rate": "share called so of poses that are like it",
    "reliability": "Intervals: what they are made for, and hold",
    "stated": "share that they are made for",
    "observed": "share that they hold",
    "risk": "Error kept when the worst poses are dropped",
    "dropped": "poses dropped",
    "kept": "by expected error",
    "oracle": "by real error",
    "random": "at random",
    "curve": "Calibration, by tenths of the expected error",
    "per_joint": "Expected and real error of each joint",
}


@dataclass(frozen=True)
class Table:
    """Rows whose first cell is their name; `head` names the columns, the first of them included."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def html(self) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.head)
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in self.rows
        )
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return (
            f'<div class="table"><table><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}</div>"
        )


def headline(result: Result) -> Table:
    limit = f"{result['threshold']:g} {result['threshold_unit']}"
    columns = known(result)
    blank = [""] * (len(columns) - 1)
    rows = [
        _figure(result, "average MPJPE", "mpjpe"),
        ["95% interval", *(_interval(result, unit) for unit in columns)],
        _figure(result, f"average loss ({result['loss_name']})", "loss"),
        _figure(result, "MPJPE with the root counted", "mpjpe_with_root"),
        _figure(result, "PA-MPJPE", "pa_mpjpe"),
        _figure(result, "N-MPJPE", "n_mpjpe"),
        [f"PCK, within {limit}", *blank, f"{result['pck']:.1%}"],
        [f"AUC, up to {limit}", *blank, f"{result['auc']:.1%}"],
    ]
    over = f"Interval: 1,000 bootstrap resamples of {result['ci95_over']}." if result["ci95_over"] else ""
    return Table("Error of the joints' positions", ["", *(unit.name for unit in columns)], rows, over)


def _interval(result: Result, unit: Unit) -> str:
    interval = result["mpjpe_ci95" + unit.suffix]
    return " to ".join(map(unit.number, interval)) if interval else "too few poses"


def baselines(result: Result, note: str) -> Table:
    units = known(result)
    rows = [["this lifter", *(unit.number(result["mpjpe" + unit.suffix]) for unit in units), "1.00"]]
    for name in result["baselines"]:
        cells = [unit.number(result["baselines" + unit.suffix][name]) for unit in units]
        factor = times(result, name)
        rows.append([NAMES.get(name, name), *cells, f"{factor:.2f}" if factor else ""])
    if result.get("train"):
        note = f"Fitted on {result['train']}: {counted(result['train_poses'], 'pose')}."
    head = ["", *(unit.name for unit in units), "/ lifter"]
    return Table("MPJPE of simpler predictors", head, rows, note)


def percentiles(result: Result) -> Table:
    names = [f"{share}%" if share.isdigit() else "all (worst)" for share in result["percentiles"]]
    columns = [
        map(unit.number, result["percentiles" + unit.suffix].values()) for unit in known(result)
    ]  # fmt: skip
    rows = [list(row) for row in zip(names, *columns, strict=True)]
    head = ["share of poses", *(f"below, {unit.name}" for unit in known(result))]
    return Table("MPJPE of single poses", head, rows)


def motion(result: Result) -> Table:
    per = "second" if result.get("fps") else "frame"
    rows = [_figure(result, "velocity error (MPJVE)", "velocity_error")]
    if "jitter" in result:
        rows.append(_figure(result, f"jitter, per {per}²", "jitter"))
        rows.append(_figure(result, f"the truth's jitter, per {per}²", "true_jitter"))
    return Table(f"Movement, per {per}", ["", *(unit.name for unit in known(result))], rows)


def joints(result: Result) -> Table:
    unit, columns = best(result), known(result)
    rows = []
    for joint, axes in result["per_joint_axis" + unit.suffix].items():
        means = (column.number(result["per_joint" + column.suffix][joint]) for column in columns)
        rows.append([joint.replace("_", " "), *means, *map(unit.number, axes.values())])
    means = (column.number(result["mpjpe" + column.suffix]) for column in columns)
    rows.append(["all", *means, *map(unit.number, result["per_axis" + unit.suffix].values())])
    axes_head = (f"|{axis}|, {unit.name}" for axis in "xyz")
    head = ["joint", *(column.name for column in columns), *axes_head]
    return Table(
        "Mean distance of each joint, and along each axis",
        head,
        rows,
        "x: to the right of the image, y: up, z: towards the camera.",
    )


def bones(result: Result) -> Table:
    unit = best(result)
    rows = [
        [bone.replace("_", " ").replace("-", " – "), *map(unit.number, row.values())]
        for bone, row in result["per_bone" + unit.suffix].items()
    ]
    head = ["bone", f"length, {unit.name}", f"error, {unit.name}", f"|error|, {unit.name}"]
    note = "Predicted less true length: its mean, and the mean of its absolute value."
    return Table("Length of the bones", head, rows, note)


def asymmetry(result: Result) -> Table:
    unit = best(result)
    rows = [
        [bone.replace("-", " – "), *map(unit.number, row.values())]
        for bone, row in result["asymmetry" + unit.suffix].items()
    ]
    head = ["pair of bones", f"predicted, {unit.name}", f"true, {unit.name}"]
    return Table("How far left and right differ in length", head, rows)


def trust(found: dict[str, Any]) -> list[Table]:
    """What the trust block holds: its numbers in one table, and one for each dict of rows or of columns.

    A name that is new here stands for itself, last, so that the page shows all that the evaluation found.
    """
    unit = MM if any(name.endswith(MM.suffix) for name in found) else UNITS
    simple, nested = [], []
    for name in dict.fromkeys([*(name for name in TRUST if name in found), *found]):
        if name.endswith(MM.suffix):
            continue
        shown = found.get(name + unit.suffix, found[name])
        if isinstance(shown, dict):
            nested.append(_grid(name, shown, found[name], unit))
        else:
            simple.append([_label(name, unit), _plain(name, shown, unit)])
    return [Table("What it knew about its errors", ["", ""], simple), *nested]


def _grid(name: str, shown: dict[str, Any], units: dict[str, Any], unit: Unit) -> Table:
    """A dict of rows, or of columns of the same length, as a table; `units` is the same in units, which may
    also have columns without a unit."""
    if all(isinstance(column, list) for column in shown.values()):
        tenths = enumerate(zip(*shown.values(), strict=True), start=1)
        rows = {str(i): dict(zip(shown, row, strict=True)) for i, row in tenths}
    else:
        rows = {joint: units[joint] | row for joint, row in shown.items()}
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    cells = [
        [label.replace("_", " "), *(_plain(column, row.get(column), unit) for column in columns)]
        for label, row in rows.items()
    ]
    return Table(_label(name, unit), ["", *(_label(column, unit) for column in columns)], cells)


def _label(name: str, unit: Unit) -> str:
    label = TRUST.get(name, name.replace("_", " "))
    return f"{label}, {unit.name}" if name in LENGTHS else label


def _plain(name: str, value: Any, unit: Unit) -> str:
    """A number of the trust block as text, with digits as fit it."""
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if name in LENGTHS:
        return unit.number(value)
    return f"{value:.1%}" if name in SHARES else f"{value:.3f}"


def _figure(result: Result, label: str, name: str) -> list[str]:
    return [label, *(unit.number(result.get(name + unit.suffix)) for unit in known(result))]
