"""Geometry of cameras for CuPy: launches of geometry.cu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("geometry.cu"))


def project(ops: Any, points: Array, out: Array, nearest: float) -> None:
    joints = out.size // 2
    ops.each_of(KERNELS, "project", joints, points, out, ops.real(nearest), np.int64(joints))


def project_backward(ops: Any, dout: Array, points: Array, dpoints: Array, nearest: float) -> None:
    joints = dout.size // 2
    arrays = dout, points, dpoints
    ops.each_of(KERNELS, "project_backward", joints, *arrays, ops.real(nearest), np.int64(joints))


def move(ops: Any, points: Array, rotation: Array, translation: Array, out: Array) -> None:
    _by_joint(ops, "move", points, rotation, translation, out)


def move_backward(
    ops: Any, dout: Array, points: Array, rotation: Array, dpoints: Array, drotation: Array | None,
    dtranslation: Array | None,
) -> None:  # fmt: skip
    _by_joint(ops, "move_backward", dout, rotation, dpoints)
    if drotation is not None or dtranslation is not None:
        _by_pose(ops, "move_backward_camera", dout, points, drotation, dtranslation)


def turn(ops: Any, angles: Array, rotation: Array, translation: Array) -> None:
    n = len(angles)
    ops.each_of(KERNELS, "turn", n, angles, rotation, translation, np.int64(n))


def turn_backward(ops: Any, drotation: Array, dtranslation: Array, angles: Array, dangles: Array) -> None:
    n = len(angles)
    ops.each_of(KERNELS, "turn_backward", n, drotation, dtranslation, angles, dangles, np.int64(n))


def bone_lengths(ops: Any, points: Array, parents: Array, out: Array) -> None:
    _by_joint(ops, "bone_lengths", points, parents, out)


def bone_lengths_backward(
    ops: Any, dout: Array, points: Array, parents: Array, lengths: Array, dpoints: Array
) -> None:
    _by_pose(ops, "bone_lengths_backward", dout, points, parents, lengths, dpoints)


def asymmetry(ops: Any, lengths: Array, pairs: Array, out: Array) -> None:
    sizes = (np.int64(count) for count in (len(pairs), lengths.shape[1], len(out)))
    ops.each_of(KERNELS, "asymmetry", len(out), lengths, pairs, out, *sizes)


def asymmetry_backward(
    ops: Any, dout: Array, lengths: Array, pairs: Array, values: Array, dlengths: Array
) -> None:
    sizes = (np.int64(count) for count in (len(pairs), lengths.shape[1], len(dout)))
    ops.each_of(KERNELS, "asymmetry_backward", len(dout), dout, lengths, pairs, values, dlengths, *sizes)


def triangulate(
    ops: Any, points_1: Array, points_2: Array, rotation: Array, translation: Array, out: Array,
    sine2: Array, flattest: float,
) -> None:  # fmt: skip
    arrays = points_1, points_2, rotation, translation, out, sine2
    sizes = np.int64(sine2.shape[1]), np.int64(sine2.size)
    ops.each_of(KERNELS, "triangulate", sine2.size, *arrays, ops.real(flattest), *sizes)


def triangulate_backward(
    ops: Any, dout: Array, points_1: Array, points_2: Array, rotation: Array, translation: Array,
    dpoints_1: Array, dpoints_2: Array, flattest: float,
) -> None:  # fmt: skip
    arrays = dout, points_1, points_2, rotation, translation, dpoints_1, dpoints_2
    joints = dout.size // 3
    sizes = np.int64(dout.shape[1] // 3), np.int64(joints)
    ops.each_of(KERNELS, "triangulate_backward", joints, *arrays, ops.real(flattest), *sizes)


def copy_columns(ops: Any, rows: Array, columns: slice, out: Array, first: int) -> None:
    count, size = columns.stop - columns.start, len(rows) * (columns.stop - columns.start)
    sizes = columns.start, rows.shape[1], first, out.shape[1], count, size
    ops.each_of(KERNELS, "copy_columns", size, rows, out, *map(np.int64, sizes))


def _by_joint(ops: Any, kernel: str, points: Array, *arrays: Any) -> None:
    """A thread a joint of points (n, 3J)."""
    sizes = np.int64(points.shape[1] // 3), np.int64(points.size // 3)
    ops.each_of(KERNELS, kernel, points.size // 3, points, *arrays, *sizes)


def _by_pose(ops: Any, kernel: str, points: Array, *arrays: Any) -> None:
    """A thread a pose; the first array has a row for each."""
    per_row = arrays[0].shape[1] // 3
    ops.each_of(KERNELS, kernel, len(points), points, *arrays, np.int64(per_row), np.int64(len(points)))
