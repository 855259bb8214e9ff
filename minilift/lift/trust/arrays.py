"""Dataclasses of arrays as parts of a .npz file, every shape checked on the way in.

A field is of the type Annotated[np.ndarray, ...] with the array's shape after the comma: numbers, or names,
which stand for the same number wherever they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

import numpy as np

Part = TypeVar("Part")


def to_arrays(part: Any, prefix: str) -> dict[str, np.ndarray]:
    """The arrays of a dataclass under the names of its fields."""
    return {f"{prefix}.{f.name}": np.asarray(getattr(part, f.name)) for f in fields(part)}


def from_arrays(
    kind: type[Part], prefix: str, arrays: Mapping[str, np.ndarray | None], sizes: dict[str, int]
) -> Part:
    """The dataclass `kind` again. `sizes` are the numbers behind names; those not in it yet are added.

    Raises ValueError for arrays that are missing, are no numbers, have another shape, or are not finite.
    """
    found = {}
    for field, hint in get_type_hints(kind, include_extras=True).items():
        name, shape = f"{prefix}.{field}", hint.__metadata__
        array = arrays.get(name)
        if array is None or array.dtype.kind not in "fiu" or array.ndim != len(shape):
            raise ValueError(f"{name} is missing, or not an array of {len(shape)} dimensions")
        for size, side in zip(array.shape, shape, strict=True):
            wanted = sizes.setdefault(side, size) if isinstance(side, str) else side
            if size != wanted or not size:
                raise ValueError(f"{name} has shape {array.shape}; {size} should be {wanted or 'more'}")
        array = array.astype(array.dtype.newbyteorder("="))
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite")
        found[field] = array
    return kind(**found)
