"""Augmentation for CuPy: a launch of augment.cu and one of detector.cu, a thread a pose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minilift.lift.augment import tables as table
from minilift.lift.augment.settings import Augmentation
from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("augment.cu"))
DETECTOR = str(Path(__file__).with_name("detector.cu"))


def _defines(numbers: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    return tuple(f"-D{name}={','.join(map(repr, row))}" for name, row in numbers.items())


# The tables and numbers that the kernels are compiled with
DEFINES = _defines({"MEANS": table.MEANS, "LOADINGS": [n for row in table.LOADINGS for n in row]})
DETECTOR_DEFINES = _defines(
    {
        "PARTS": [sum(1 << joint for joint in part) for part in table.PARTS],
        "SWAPS": [sum(1 << joint for joint in part) for part in table.SWAPS],
        "EDGES": [n for way in table.EDGES for n in way],
        "NEAR": [table.FAR[0]],
        "FURTHER": [math.log(table.FAR[1] / table.FAR[0])],
        **{
            name: [getattr(table, name)] for name in ("EXACT", "UNLIKE", "ALIKE", "HEARD", "CUT", "AIM_ERROR")
        },
    }
)


def augment(
    ops: Any, source_x: Array, source_y: Array, settings: Augmentation, key: tuple[int, int] | Array,
    x: Array, y: Array, hidden_as: float = 0.0,
) -> None:  # fmt: skip
    """As the function of this name for NumPy; `key` may be an array of two words on the device."""
    n, s = len(source_y), settings
    grid = (-(-n // 32),), (32,)
    words = (None, *map(np.uint32, key)) if isinstance(key, tuple) else (key, np.uint32(0), np.uint32(0))
    columns = np.int32(x.shape[1])
    numbers = s.flip, *s.angles, math.radians(s.roll), s.tumble, s.distance, s.body, s.mix
    sources = source_x, source_y, np.int32(n)
    args = *sources, *map(ops.real, numbers), *words, columns, x, y
    ops.launch_of(KERNELS, "augment", *grid, *args, defines=DEFINES)
    errors = s.noise, s.noise_to, s.outliers, s.swap
    hides = s.joint_dropout, s.joint_dropout_to, s.part_dropout, s.edge
    if not (s.reshapes or any(errors) or any(hides) or x.shape[1] > source_x.shape[1]):
        return
    args = np.int32(n), *map(ops.real, (*errors, *hides, hidden_as)), *words
    args = *args, np.int32(s.reshapes), columns, x, y
    ops.launch_of(DETECTOR, "detect", *grid, *args, defines=DETECTOR_DEFINES)
