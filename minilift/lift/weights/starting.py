"""The starting weights, which come with the package; and what weights a word means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import minilift
from minilift.files import PathLike, file_error

STARTING = "starting"
"""What they are called wherever weights may be named. A file of that name is "./starting", or a Path."""
USUAL = "liftModel"
"""What training calls its weights."""


def starting_weights() -> Path:
    """The file of the starting weights. Raises InputError where this installation is without it."""
    path = Path(minilift.__file__).parent / STARTING / USUAL
    if not path.is_file():
        problem = "the starting weights are not in this installation"
        raise file_error(path, f"{problem}; install minilift again from its wheel, or name other weights")
    return path


def weights_file(name: PathLike) -> PathLike:
    """The file that is meant by a name: its own, or that of the starting weights. Raises InputError."""
    return starting_weights() if is_starting(name) else name


def is_starting(name: PathLike | None) -> bool:
    """Whether a name of weights means the starting ones."""
    return isinstance(name, str) and name == STARTING


def weights_here() -> str:
    """The weights that are meant where none are named: liftModel of the working folder, or the starting
    ones."""
    return USUAL if os.path.lexists(USUAL) else STARTING


def half(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A state dict with its matrices in float16, which are all of its size: half the bytes.

    Biases and statistics stay as they are: float16 has no numbers below 6e-8, and a variance may be smaller.
    Raises ValueError for a matrix with numbers that float16 has not, from 65,520 on.
    """
    found = dict(state)
    for name, array in state.items():
        if array.ndim == 2:
            with np.errstate(over="ignore"):
                found[name] = array.astype(np.float16)
            if not np.isfinite(found[name]).all():
                raise ValueError(f"{name!r} has numbers that are too large for float16")
    return found
