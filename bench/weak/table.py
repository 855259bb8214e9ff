"""The table of what was measured and what is demanded."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import report
from bench.weak.rows import CURVES, ROWS, Row
from bench.weak.run import Record, key_of
from minilift.show.charts.sweeps import plot_sweep

HEAD = ["", "2D noise", "MPJPE", "PA-MPJPE", "of each seed", "at most", "", "minutes"]


@dataclass(frozen=True)
class Results:
    """Records by key, and those of them that are asked for."""

    records: Mapping[str, Record]
    seeds: Sequence[int]
    epochs: int | None = None

    def of(self, name: str) -> list[Record]:
        """The records of a row, seed by seed."""
        keys = dict.fromkeys(key_of(name, seed, self.epochs) for seed in self.seeds)
        return [self.records[key] for key in keys if key in self.records]


def table(results: Results, names: Sequence[str]) -> str:
    """Markdown. Mean and, for several seeds, standard deviation over them; rows without results are left
    out."""
    return report.table([HEAD, *(_line(results, name) for name in names if results.of(name))])


def _line(results: Results, name: str) -> list[str]:
    row, found = ROWS[name], results.of(name)
    errors, pa = ([record[metric] for record in found] for metric in ("mpjpe", "pa_mpjpe"))
    base = [record["mpjpe"] for record in results.of(row.of)] if row.of else []
    most, verdict = _demand(row, statistics.mean(errors), statistics.mean(pa), base)
    each = ", ".join(f"{error:.5f}" for error in errors) if len(errors) > 1 else ""
    minutes = statistics.mean(record["seconds"] for record in found) / 60
    threads = "/".join(sorted({str(record["threads"]) for record in found}))
    took = f"{minutes:.1f} on {threads}" if row.flags else ""
    return [row.told, f"{row.noise:g}", spread(errors), spread(pa), each, most, verdict, took]


def _demand(row: Row, error: float, pa: float, base: Sequence[float]) -> tuple[str, str]:
    """What is demanded, and whether it is met."""
    if row.most is None:
        return "", ""
    if row.of and not base:
        return f"{row.most:g} x {row.of}", ""
    limit = row.most * (statistics.mean(base) if base else 1)
    told = f"{limit:.5f}" + (f" ({row.most:g} x {row.of})" if row.of else "")
    met = error <= limit
    if row.most_pa is not None:
        told, met = f"{told}, PA {row.most_pa:g}", met and pa <= row.most_pa
    return told, "yes" if met else "NO"


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation."""
    mean = f"{statistics.mean(values):.5f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.5f}"


def chart(results: Results, path: Path) -> None:
    """Draw the error over the share of labels, alone and with training without 3D.

    Raises InputError where no row of it has a result, and as `plot_sweep` does.
    """
    curves: dict[str, dict[float, list[float]]] = {}
    for told, names in CURVES.items():
        for share, name in names.items():
            if found := results.of(name):
                curves.setdefault(told, {})[100 * share] = [record["mpjpe"] for record in found]
    plot_sweep(curves, path, setting="poses with labels [%]", quantity="test MPJPE [units]")
