"""Tables in Markdown: a row for each variant, mean and spread over the seeds."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from minilift.files import file_error, read_bytes, write_atomically
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.store import Record

NAMES = {"mpjpe": "MPJPE", "pa_mpjpe": "PA-MPJPE"}

Records = Mapping[tuple[Variant, int], Record | None]  # by variant and seed; None: not run yet


def table(
    group: Group, records: Records, evaluations: Sequence[Evaluation], seeds: Sequence[int], metric: str
) -> str:
    """One group: mean ± sample standard deviation over the seeds, and how far the mean is from the first row.

    In millimetres where the poses' scale is known, in units otherwise.
    """
    columns = [Column(part, metric) for part in evaluations]
    lines = []
    base = group.variants[0] if group.compared else None
    for variant in group.variants:
        found = [records.get((variant, seed)) for seed in seeds]
        compared = [records.get((base, seed)) for seed in seeds] if base and variant is not base else []
        cells = [column.cell(found, variant, compared, base) for column in columns]
        lines.append([variant.label, *cells])
    head = ["", *(column.head for column in columns)]
    apart = "; in brackets, the difference from the first row" if group.compared else ""
    return "\n".join([*rows(head, lines), "", f"{spread_note(metric, seeds)}{apart}."])


def rows(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    body = ["| " + " | ".join(cells) + " |" for cells in (head, *lines)]
    return [body[0], "|---" * len(head) + "|", *body[1:]]


def spread_note(metric: str, seeds: Sequence[int]) -> str:
    """What the figures of a table are."""
    over = "one seed" if len(seeds) == 1 else f"mean ± sample standard deviation over {len(seeds)} seeds"
    return f"{NAMES[metric]}, {over}"


class Column:
    """One evaluation set: its unit, and what stands in its cells."""

    def __init__(self, evaluation: Evaluation, metric: str) -> None:
        self.key = evaluation.key
        self.figure, self.unit, self.digits = (
            (f"{metric}_mm", "mm", 2) if evaluation.scale else (metric, "units", 5)
        )
        self.head = f"{evaluation.name}, {self.unit}"

    def cell(
        self, found: Sequence[Record | None], variant: Variant,
        compared: Sequence[Record | None], base: Variant | None,
    ) -> str:  # fmt: skip
        made = [record for record in found if record is not None]
        lost = sum(record["diverged"] for record in made)
        if lost:
            return "diverged" if lost == len(found) else f"diverged, {lost} of {len(found)}"
        values = self.values(made, variant)
        if not values:
            return "not run yet"
        text = self._mean(values)
        if len(values) < len(found):
            return f"{text}, {len(values)} of {len(found)} seeds"
        others = self.values([record for record in compared if record is not None], base)
        if len(others) < len(values):
            return text
        return f"{text} ({statistics.fmean(values) - statistics.fmean(others):+.{self.digits}f})"

    def values(self, records: Sequence[Record], variant: Variant | None) -> list[float]:
        """The figure in the records of a variant, without those that diverged."""
        kept = [record["results"] for record in records if not record["diverged"]]
        return [figures[self.key][variant.predictions][self.figure] for figures in kept] if variant else []

    def _mean(self, values: Sequence[float]) -> str:
        mean = f"{statistics.fmean(values):.{self.digits}f}"
        return f"{mean} ± {statistics.stdev(values):.{self.digits}f}" if len(values) > 1 else mean


def check_marked(path: Path, name: str) -> None:
    """Raise InputError unless a Markdown file has the two markers of a table, once and in order."""
    _parts(path, name)


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between the markers of a table in a Markdown file."""
    before, _, after = _parts(path, name)
    content = f"{before}\n\n{text}\n\n{after}".encode()
    write_atomically(path, lambda file: file.write(content))


def _parts(path: Path, name: str) -> list[str]:
    start = f"<!-- table: {name} -->"
    try:
        text = read_bytes(path, f"make it, with the lines {start} and <!-- end --> in it").decode()
    except UnicodeDecodeError:
        raise file_error(path, "not in UTF-8; save it so, or name another file") from None
    found = list(re.finditer(rf"({re.escape(start)})(.*?)(<!-- end -->)", text, re.DOTALL))
    if len(found) != 1:
        problem = f"{len(found)} places for a table"
        raise file_error(path, f"{problem}; it goes between the lines {start} and <!-- end -->, once")
    where = found[0]
    return [text[: where.end(1)], where[2], text[where.start(3) :]]
