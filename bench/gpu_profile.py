"""Microseconds of each launch of a captured step, by the events of CUDA: for `bench.gpu_costs --measure`."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from bench.gpu_costs import Times
from bench.gpu_ours import OurSteps, made_up
from minilift.ops.cuda.gpu import Launch

COPIES = 8  # in a graph, so that the card and not the asking for graphs takes the time
REPLAYS, ROUNDS = 10, 5
WARM = 40  # steps


def measured(batch: int, hidden: int) -> tuple[list[Launch], Times]:
    """The launches of a step of `batch` poses, and of each how long it takes.

    Alone, what a launch reads was read just before; in its place, the launches before it have left in the
    caches what they leave in a step. Both count the little that passes between one launch and the next.
    """
    ours = OurSteps(made_up((WARM + 1) * batch), batch, "fp32", {}, hidden)
    ours.run(WARM)
    ours.wait()
    gpu: Any = ours.model.ops.gpu  # type: ignore[attr-defined]
    with gpu.recording() as found:
        ours.steps.plan.step(0)
    launches = list(found)
    alone = [microseconds(gpu, [launch]) for launch in launches]
    upto = [0.0, *(microseconds(gpu, launches[: i + 1]) for i in range(len(launches)))]
    return launches, Times(alone, [after - before for before, after in pairwise(upto)])


def microseconds(gpu: Any, launches: Sequence[Launch]) -> float:
    """Of these launches one after another: the median of several turns."""

    def several() -> None:
        for _ in range(COPIES):
            for launch in launches:
                launch.run()

    cuda, times = gpu.backend.xp.cuda, []
    replay = gpu.capture(several)
    replay()
    for _ in range(ROUNDS):
        with gpu.backend.active():
            first, last = cuda.Event(), cuda.Event()
            first.record(gpu.stream)
            for _ in range(REPLAYS):
                replay()
            last.record(gpu.stream)
            last.synchronize()
            times.append(1e3 * float(cuda.get_elapsed_time(first, last)) / (REPLAYS * COPIES))
    return statistics.median(times)
