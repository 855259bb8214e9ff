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


def given(ops: Any, x: Array, out: Array) -> None:
    joints = x.shape[1] // 2
    ops.each_of(KERNELS, "given", x.size // 2, x, out, np.int64(joints), np.int64(x.size // 2))


def given_backward(ops: Any, dy: Array, x: Array, out: Array) -> None:
    joints = x.shape[1] // 2
    ops.each_of(KERNELS, "given_backward", x.size // 2, dy, x, out, np.int64(joints), np.int64(x.size // 2))


def place(ops: Any, points: Array, o: Array, out: Array) -> None:
    ops.each_of(KERNELS, "place", o.size // 3, points, o, out, np.int64(o.size // 3))


def place_backward(ops: Any, dy: Array, points: Array, o: Array, dpoints: Array | None, do: Array) -> None:
    arrays = dy, points, o, dpoints, do
    ops.each_of(KERNELS, "place_backward", o.size // 3, *arrays, np.int64(o.size // 3))
