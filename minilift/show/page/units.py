"""Figures with their unit: the same figure stands in a result in units and, where known, in millimetres."""

from __future__ import annotations

from typing import Any, NamedTuple

Result = dict[str, Any]


class Unit(NamedTuple):
    suffix: str  # what the names of its figures end in
    name: str
    digits: int

    def number(self, value: float | None) -> str:
        return "" if value is None else f"{value:,.{self.digits}f}"

    def of(self, value: float) -> str:
        return f"{self.number(value)}\N{NO-BREAK SPACE}{self.name}"


UNITS, MM = Unit("", "units", 5), Unit("_mm", "mm", 1)


def known(result: Result) -> list[Unit]:
    """The units that a result has, the better known one last."""
    return [UNITS, MM] if "mpjpe_mm" in result else [UNITS]


def times(result: Result, baseline: str) -> float | None:
    """A baseline's MPJPE divided by the lifter's, in units as the report prints it; None where that is 0."""
    error = result["mpjpe"]
    return float(result["baselines"][baseline] / error) if error else None


def best(result: Result) -> Unit:
    return known(result)[-1]
