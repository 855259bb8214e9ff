"""The operations of one view for CuPy: launches of one_view.cu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("one_view.cu"))


def turned_against(
    ops: Any, scores: Array, dimages: Array, weight: float, total: Array, out: Array, farthest: float
) -> None:
    n, columns = dimages.shape
    numbers = ops.real(weight), ops.real(farthest)
    sizes = np.int64(columns), np.int64(out.size)
    ops.each_of(KERNELS, "turned_against", out.size, scores, dimages, out, *numbers, *sizes)
    ops.launch_of(KERNELS, "generator_loss", (1,), (256,), scores, total, *numbers, np.int64(n))
