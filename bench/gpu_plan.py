"""What `bench.gpu` measures in which order, and what it leaves out where time is short."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

OURS = ["minilift", "minilift rows", "minilift columns", "minilift launches"]
COMPILED = ("torch compile", "torch compile-graph")
FIRST = 64  # rows: batches up to here, in fp32, matter most
MARGIN = 5.0  # seconds that compiling may take longer than it did before

Heat = tuple[int, str]  # batch and precision


class Budget:
    """The time that is left, and what things are expected to take."""

    def __init__(self, seconds: float, began: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.end, self.clock = began + seconds, clock
        self.compiled, self.quick = 40.0, 2.5  # seconds for making and timing one contender, at first

    def left(self) -> float:
        return self.end - self.clock()

    def refuses(self, name: str, later: float) -> str:
        """Why `name` is not to be made now, if `later` seconds are to be left; or nothing."""
        needed, left = self.quick, self.left()
        if name in COMPILED:
            needed, left = self.compiled + MARGIN, left - later
        return f"{max(left, 0):.0f} s left for it" if left < needed else ""


def plan(batches: Sequence[int], precisions: Sequence[str]) -> tuple[list[Heat], list[Heat]]:
    """What matters most, and the rest; batch by batch."""
    heats = [(batch, precision) for batch in batches for precision in sorted(precisions)]
    first = [heat for heat in heats if heat[0] <= FIRST and heat[1] == "fp32"]
    return first, [heat for heat in heats if heat not in first]


def checks(batches: Sequence[int], precisions: Sequence[str]) -> list[tuple[int, str, str | None]]:
    """What is compared with NumPy: both paths of the smallest batch, and what minilift chooses for each."""
    paths = [(min(batches), precision, path) for precision in precisions for path in ("rows", "columns")]
    return [*paths, *((batch, precisions[0], None) for batch in batches)]
