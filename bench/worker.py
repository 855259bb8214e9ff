"""A contender's process: it waits for a task on a line of JSON, does it, and answers with a line of JSON.

    python -m bench.worker bench.torch_side Step '{"variant": "fused", ...}'

`bench.contenders` starts these. Between tasks the process blocks in a read and uses no CPU.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

DROPOUT = 0.1
LR = 1e-4  # low, so that thousands of steps on one batch leave no unit dead and no moment denormal


def seconds_per_call(call: Callable[[], object], seconds: float, steps: int, cpu: bool = False) -> float:
    """Median seconds of one call: calls go on until `seconds` have passed, and number at least `steps`.

    With `cpu` they are the process's own, of all its threads: what others do on the machine counts less.
    """
    times: list[float] = []
    clock = time.process_time if cpu else time.perf_counter
    end = clock() + seconds
    while len(times) < steps or clock() < end:
        began = clock()
        call()
        times.append(clock() - began)
    return statistics.median(times)


def random_rows(n: int, columns: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, columns), dtype=np.float32)


def peak_memory() -> int:
    """Bytes: the most that this process has had in memory since it began."""
    import resource  # not on Windows, and only bench.memory needs it

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    name, kind, settings = sys.argv[1:]
    side = importlib.import_module(name)
    contender = getattr(side, kind)(**json.loads(settings))
    print("null", file=answers, flush=True)  # ready
    for line in sys.stdin:
        task, arguments = json.loads(line)
        answer = getattr(side if task == "about" else contender, task)(**arguments)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
