"""What a sweep comes to: the runs that its studies mean, and which of them are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from minilift.errors import counted
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.runs.evaluations import Evaluation
from minilift.studies.runs.key import Run
from minilift.studies.runs.store import Record, Store


@dataclass(frozen=True)
class Plan:
    """Groups of variants, with seeds 0, 1, ..., on one set of training poses."""

    groups: Sequence[Group]
    seeds: Sequence[int]
    data: str
    fingerprint: tuple[int, ...]
    evaluations: Sequence[Evaluation]
    store: Store

    @cached_property
    def by_row(self) -> dict[tuple[Variant, int], Run]:
        """The run behind each row and seed; all rows of one seed first. Some rows share a run."""
        rows = [(variant, seed) for seed in self.seeds for group in self.groups for variant in group.variants]
        return {row: self._run(*row) for row in rows}

    def _run(self, variant: Variant, seed: int) -> Run:
        return Run(replace(variant.settings, seed=seed, data=self.data), self.fingerprint, variant.block)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Each run once, by its key."""
        return {run.key: run for run in self.by_row.values()}

    def record(self, run: Run) -> Record | None:
        return self.store.done(run.key, [part.key for part in self.evaluations])

    def pending(self) -> list[Run]:
        return [run for run in self.runs.values() if self.record(run) is None]

    def records(self) -> dict[tuple[Variant, int], Record | None]:
        found = {key: self.record(run) for key, run in self.runs.items()}
        return {row: found[run.key] for row, run in self.by_row.items()}

    def name(self, key: str) -> str:
        """Of a run, in words: that of the first row that it is behind, and the seed."""
        variant, seed = next(row for row, run in self.by_row.items() if run.key == key)
        return f"{_told(variant)}, seed {seed}"

    def listing(self) -> str:
        """The runs in words, a line for each row, with a mark for each seed that is done."""
        records, lines = self.records(), []
        for group in self.groups:
            lines.append(group.title)
            for variant in group.variants:
                states = [records[variant, seed] for seed in self.seeds]
                marks = "".join("-" if one is None else "D" if one["diverged"] else "x" for one in states)
                key = self.by_row[variant, self.seeds[0]].key
                epochs = counted(variant.settings.epochs, "epoch")
                lines.append(f"  {marks}  {key}  {epochs:>11s}  {_told(variant)}")
        return "\n".join(
            [*lines, "x: done, D: diverged, -: to do; a mark for each seed, the file of the first"]
        )


def _told(variant: Variant) -> str:
    return f"{variant.label}, {variant.column}" if variant.column else variant.label
