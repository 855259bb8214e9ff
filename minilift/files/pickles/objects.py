"""Arrays of Python objects, as NumPy pickles them into .npy and .npz, as plain lists and dicts of arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minilift.files import PathLike, read_bytes
from minilift.files.npz import read_npz
from minilift.files.pickles.arrays import ArrayUnpickler
from minilift.files.pickles.opaque import Opaque
from minilift.files.pickles.safe import unpickle

_SAVE_AGAIN = "save it again as plain arrays of numbers"


class _ObjectUnpickler(ArrayUnpickler):
    """Reads an array of objects as nested lists of what it holds; one without axes as the object itself.

    What is no plain value or array among them is an Opaque, and none of them is ever made.
    """

    def _objects(self, items: list[Any], shape: object, problem: str) -> Any:
        found = super()._objects(items, shape, problem)
        if not isinstance(found, Opaque):
            return found
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("array with an impossible shape")
        if math.prod(shape) != len(items):
            raise ValueError(f"array of shape {shape} with {len(items)} objects")
        self.spend(8 * len(items))
        return _nested(items, shape)


def _nested(items: list[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return items[0]
    if len(shape) == 1:
        return list(items)
    step = math.prod(shape[1:])
    return [_nested(items[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def read_objects(path: PathLike, content: bytes | None = None) -> dict[str, Any]:
    """What a .npz file holds by name: arrays, and arrays of objects as lists, dicts and arrays.

    No code of the file is run. Raises InputError naming the file, as read_npz does and for a harmful pickle.
    """
    content = read_bytes(path) if content is None else content
    return read_npz(path, content, objects=lambda raw: unpickle(_ObjectUnpickler(raw), path, _SAVE_AGAIN))


def plain(value: Any) -> np.ndarray | None:
    """A value of such a file as an array of numbers, None where it is none."""
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind in "iuf" else None
    if not isinstance(value, (list, tuple)):
        return None
    try:
        found = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return found
