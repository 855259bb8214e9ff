"""What `minilift train` says where the memory of its device does not suffice."""

from __future__ import annotations

import gc
from pathlib import Path

from minilift.errors import OutOfMemory
from minilift.lift.build import build_model
from minilift.lift.fast.memory import fitting_batch, try_with_3d
from minilift.lift.settings import TrainSettings
from minilift.lift.weak.memory import try_without_3d

SMALLER = "use smaller batches, a smaller network or less data"


class Full(OutOfMemory):
    """The same while so many `rows` are trained on."""

    rows = 0


def full(problem: OutOfMemory, rows: int) -> Full:
    """Without the frames of the run, whose arrays they would keep."""
    found = Full(problem.name, problem.value, problem.problem, *problem.others)
    found.rows = rows
    return found


def with_remedy(problem: Full, settings: TrainSettings, kept: Path | None) -> OutOfMemory:
    """The same with the batch size that would fit, and what of the run is `kept`. The run must be over."""
    gc.collect()
    others = list(problem.others)

    def attempt(batch: int) -> None:
        if settings.weak == "none":
            try_with_3d(lambda: build_model(settings), problem.rows, batch)
        else:
            try_without_3d(settings, problem.rows, batch)

    fits = fitting_batch(attempt, settings.batch_size)
    others.append(("batch_size", fits))
    remedy = f"a new run with {{{len(others) - 1}}} fits" if fits else "use a smaller network or less data"
    if kept:
        others.append(("resume", True))
        remedy += f"; {kept} is whole, and {{{len(others) - 1}}} goes on from it, where there is more memory"
    told = problem.problem.replace(SMALLER, remedy)
    return OutOfMemory(problem.name, problem.value, told, *others)
