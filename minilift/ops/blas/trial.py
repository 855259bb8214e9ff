"""A short trial: NumPy's BLAS against another library, on the products of a dense layer."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from minilift.ops.blas.cblas import Cblas

if TYPE_CHECKING:
    from minilift.ops.numpy_core import NumpyCore

SECONDS, LEAST, MOST = 0.15, 3, 15  # of the rounds together, and how many they are


def speed_ratio(ops: NumpyCore, other: Cblas, rows: int, width: int) -> float:
    """The seconds that NumPy's BLAS takes over those of `other`: above 1, the other one is faster.

    Forward and backward of a Linear from `width` to `width` for a batch of so many rows, on the threads and
    by the ways that training takes. The seconds are of processor time, and they take turns, and the medians
    count: on a machine that is busy with other things a clock would tell of those.
    """
    sides = [type(ops)(ops.dtype), type(ops)(ops.dtype)]
    sides[1].gemm = other
    rng = np.random.default_rng(0)
    x, dy, y, dx = (ops.empty((rows, width)) for _ in range(4))
    weight, dweight = (ops.empty((width, width)) for _ in range(2))
    for array in (x, dy, weight):
        array[...] = rng.standard_normal(array.shape, np.float32)

    def seconds(side: NumpyCore) -> float:
        began = time.process_time()
        with side.parallel():
            side.linear(x, weight, None, out=y)
            side.linear_backward(dy, x, weight, dweight, None, out=dx)
        return time.process_time() - began

    for side in sides:  # libraries prepare themselves, and memory is touched
        seconds(side)
    times: list[list[float]] = [[], []]
    end = time.perf_counter() + SECONDS
    while len(times[0]) < LEAST or (time.perf_counter() < end and len(times[0]) < MOST):
        for i in (0, 1) if len(times[0]) % 2 else (1, 0):
            times[i].append(seconds(sides[i]))
    return statistics.median(times[0]) / statistics.median(times[1])
