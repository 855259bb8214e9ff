"""A table with what was measured and what is demanded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench import report
from bench.strangers.sets import Sets
from minilift import Lifter


@dataclass(frozen=True)
class Run:
    """What is measured: weights on sets."""

    lifter: Lifter
    sets: Sets
    step: Callable[[str], object]
    """Told what is being measured, for a bar."""
    train: str | None = None
    """A file of training poses, for the nearest neighbour."""
    seed: int = 0


@dataclass
class Table:
    """Rows of text; a row's first cell says what it is."""

    title: str
    head: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append([cell if isinstance(cell, str) else mm(cell) for cell in cells])

    def text(self) -> str:
        lines = [f"### {self.title}", "", report.table([list(self.head), *self.rows])] if self.rows else []
        if not self.rows:
            lines = [f"### {self.title}"]
        return "\n".join([*lines, *(["", *self.notes] if self.notes else [])])


def mm(value: object) -> str:
    """A figure, with one digit behind the point; nothing for None."""
    return "" if value is None else f"{value:.1f}"


def verdict(value: float, most: float | None) -> str:
    """The demanded figure, and whether it is met."""
    return "" if most is None else f"{most:g} {'yes' if value <= most else 'NO'}"
