"""The best of many points by validation error, and the errors elsewhere of the first alone."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from minilift.studies.designs.variants import Group, Variant
from minilift.studies.results.tables import NAMES, Column, Records, rows, spread_note
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.store import Record

SHOWN = 10


def best_of(
    group: Group, records: Records, evaluations: Sequence[Evaluation], seeds: Sequence[int], metric: str
) -> str:
    """The points with the least validation error, least first, and the errors elsewhere of the first alone.

    Points of which a seed diverged, or is not there, are not compared with others.
    """
    errors: dict[Variant, list[float]] = {}
    for variant in group.variants:
        found = [_validation(records.get((variant, seed))) for seed in seeds]
        whole = [error for error in found if error is not None]
        if len(whole) == len(seeds):
            errors[variant] = whole
    lost = len(group.variants) - len(errors)
    left_out = f" {lost} of {len(group.variants)} points diverged or have not been run." if lost else ""
    if not errors:
        return f"No point to choose.{left_out}"
    order = sorted(errors, key=lambda variant: statistics.fmean(errors[variant]))
    lines = [[variant.label, _mean(errors[variant])] for variant in order[:SHOWN]]
    best = [records[order[0], seed] for seed in seeds]
    elsewhere = ", ".join(
        f"{c.head} {c.cell(best, order[0], [], None)}" for c in (Column(e, metric) for e in evaluations)
    )
    return "\n".join([
        *rows(["", "validation MPJPE, units"], lines), "",
        f"The best {len(lines)} of {len(errors)} points by the validation error of their best epoch; "
        f"{spread_note('mpjpe', seeds)}.{left_out}", "",
        f"{NAMES[metric]} of the first: {elsewhere}. Nothing was chosen by that, and of the others it is not "
        "shown: the best of many points on a test set is worse on the next set.",
    ])  # fmt: skip


def _validation(record: Record | None) -> float | None:
    if record is None or record["diverged"]:
        return None
    return min(float(row["val_mpjpe"]) for row in record["history"])


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.5f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.5f}{spread}"
