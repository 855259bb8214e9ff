"""Augmentation for CuPy: a launch of augment.cu, a thread a pose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minilift.lift.augment.settings import Augmentation
from minilift.lift.augment.tables import LOADINGS, MEANS, PARTS
from minilift.ops import Array

KERNELS = str(Path(__file__).with_name("augment.cu"))
DEFINES = tuple(  # the tables that the kernel is compiled with
    f"-D{name}={','.join(map(repr, numbers))}"
    for name, numbers in {
        "MEANS": MEANS,
        "LOADINGS": [n for row in LOADINGS for n in row],
        "PARTS": [sum(1 << joint for joint in part) for part in PARTS],
    }.items()
)


def augment(
    ops: Any, source_x: Array, source_y: Array, settings: Augmentation, key: tuple[int, int] | Array,
    x: Array, y: Array, hidden_as: float = 0.0,
) -> None:  # fmt: skip
    """As the function of this name for NumPy; `key` may be an array of two words on the device."""
    n = len(source_y)
    rest = settings.distance, settings.body, settings.mix, settings.joint_dropout, settings.part_dropout
    numbers = map(ops.real, (settings.flip, settings.noise, *settings.angles, *rest, hidden_as))
    words = (None, *map(np.uint32, key)) if isinstance(key, tuple) else (key, np.uint32(0), np.uint32(0))
    args = source_x, source_y, np.int32(n), *numbers, *words, x, y
    ops.launch_of(KERNELS, "augment", (-(-n // 32),), (32,), *args, defines=DEFINES)
