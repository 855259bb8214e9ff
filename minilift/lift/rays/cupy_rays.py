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


def reliability(ops: Any, x: Array, points: Array | None, out: Array, level: float) -> None:
    sizes = np.int64(x.shape[1]), np.int64(out.shape[1]), np.int64(out.size)
    ops.each_of(KERNELS, "reliability", out.size, x, points, out, ops.real(level), *sizes)


def reliability_backward(ops: Any, dr: Array, r: Array, dpoints: Array, out: Array, level: float) -> None:
    sizes = np.int64(r.shape[1]), np.int64(r.size)
    ops.each_of(KERNELS, "reliability_backward", r.size, dr, r, dpoints, out, ops.real(level), *sizes)


def given(ops: Any, points: Array, r: Array, out: Array, ratio: float) -> None:
    sizes = np.int64(out.shape[1]), np.int64(r.shape[1]), np.int64(r.size)
    ops.each_of(KERNELS, "given", r.size, points, r, out, ops.real(ratio), *sizes)


def given_backward(
    ops: Any, dy: Array, points: Array, r: Array, dpoints: Array, dr: Array | None, ratio: float
) -> None:
    sizes = np.int64(dy.shape[1]), np.int64(r.shape[1]), np.int64(r.size)
    arrays = dy, points, r, dpoints, dr
    ops.each_of(KERNELS, "given_backward", r.size, *arrays, ops.real(ratio), *sizes)


def place(ops: Any, points: Array, r: Array, o: Array, out: Array, ratio: float) -> None:
    ops.each_of(KERNELS, "place", r.size, points, r, o, out, ops.real(ratio), np.int64(r.size))


def place_backward(
    ops: Any, dy: Array, points: Array, r: Array, o: Array, dpoints: Array | None, dr: Array | None,
    do: Array, ratio: float,
) -> None:  # fmt: skip
    arrays = dy, points, r, o, dpoints, dr, do
    ops.each_of(KERNELS, "place_backward", r.size, *arrays, ops.real(ratio), np.int64(r.size))
