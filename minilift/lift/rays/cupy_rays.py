"""Rays for CuPy: launches of rays.cu, a thread a joint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("rays.cu"))


def rays(ops: Any, points: Array, depth: Array, out: Array) -> None:
    ops.each_of(KERNELS, "rays", depth.size, points, depth, out, np.int64(depth.size))


def rays_backward(
    ops: Any, dy: Array, points: Array, depth: Array, dpoints: Array | None, ddepth: Array
) -> None:
    arrays = dy, points, depth, dpoints, ddepth
    ops.each_of(KERNELS, "rays_backward", depth.size, *arrays, np.int64(depth.size))
