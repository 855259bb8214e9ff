"""Tables whose variants stand side by side: a row for each label, and what became of the rate."""

from __future__ import annotations

from collections.abc import Sequence

from minilift.studies.designs.report import REPORT, frozen, steps_until_gone
from minilift.studies.designs.variants import Group
from minilift.studies.results.tables import Column, Records, rows, spread_note, table
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.store import Record


def tabulated(
    group: Group, records: Records, evaluations: Sequence[Evaluation], seeds: Sequence[int], metric: str
) -> str:
    """The table of a group, in the form that its variants have."""
    make = columns_table if group.variants[0].column else table
    return make(group, records, evaluations, seeds, metric)


def columns_table(
    group: Group, records: Records, evaluations: Sequence[Evaluation], seeds: Sequence[int], metric: str
) -> str:
    """A row for each label, and the errors of each column of the group.

    Where a column is the report's: also the last rate and the best epoch, and behind the table, what was
    measured there.
    """
    labels = list(dict.fromkeys(variant.label for variant in group.variants))
    names = list(dict.fromkeys(variant.column for variant in group.variants))
    place = {(variant.label, variant.column): variant for variant in group.variants}
    columns = [Column(part, metric) for part in evaluations]
    rated = REPORT in names
    head = [""]
    for name in names:
        head += [f"{name}: {columns[0].head}", *(column.head for column in columns[1:])]
        head += ["last rate", "best epoch"] if rated else []
    lines = []
    for label in labels:
        cells = [label]
        for name in names:
            variant = place[label, name]
            found = [records.get((variant, seed)) for seed in seeds]
            cells += [column.cell(found, variant, [], None) for column in columns]
            made = [record for record in found if record is not None and record["history"]]
            told = [_span([_rates(record)[-1] for record in made], ".1e"), _span(_best(made), "d")]
            cells += told if rated else []
        lines.append(cells)
    note = spread_note(metric, seeds)
    if not rated:
        return "\n".join([*rows(head, lines), "", f"{note}."])
    note += "; last rate: the learning rate after the last step."
    return "\n".join([*rows(head, lines), "", note, "", _reading(group, records, seeds)])


def _rates(record: Record) -> list[float]:
    return [float(row["lr"]) for row in record["history"]]


def _best(records: Sequence[Record]) -> list[int]:
    return [int(record["best_epoch"]) for record in records]


def _span(values: Sequence[float], digits: str) -> str:
    """A value, or the least and the greatest where the seeds differ."""
    if not values:
        return "-"
    least, most = format(min(values), digits), format(max(values), digits)
    return least if least == most else f"{least} to {most}"


def _reading(group: Group, records: Records, seeds: Sequence[int]) -> str:
    """What the report's column measured, as the learning rates of its runs tell."""
    of_report = [variant for variant in group.variants if variant.column == REPORT]
    made = [(v.settings, r) for v in of_report for seed in seeds if (r := records.get((v, seed)))]
    made = [(settings, record) for settings, record in made if record["history"]]
    if not made:
        return "No run with the report's settings has an epoch yet."
    rates = [(settings, _rates(record)) for settings, record in made]
    if not all(frozen(settings, of_run) for settings, of_run in rates):
        left = min(of_run[-1] / settings.lr for settings, of_run in rates)
        return (
            "Here the report's settings do not freeze in the first epoch: "
            f"{left:.1g} of the rate was left at the end."
        )
    settings, left = made[0][0], max(of_run[0] / settings.lr for settings, of_run in rates)
    moved = max(_moved(record) for _, record in made)
    return (
        "The report's schedule, stepped once per batch, takes 99 % of the rate away in "
        f"{steps_until_gone(settings):,} batches, and leaves {left:.0e} of it after the first epoch; what "
        f"the validation error still changes by ({100 * moved:.1f} % at most) comes with batch norm's "
        f"running statistics. So the report's table compares beginnings. {group.measured}"
    )


def _moved(record: Record) -> float:
    """How far the validation error went from where the first epoch left it, as a share of that."""
    errors = [float(row["val_mpjpe"]) for row in record["history"]]
    return max(abs(error - errors[0]) for error in errors) / errors[0]
