"""The array backends. `get_ops(device, dtype)` is the one place that knows which of them exist."""

from __future__ import annotations

import re
from functools import lru_cache

from minilift.errors import ArgumentError, InputError
from minilift.ops.arrays import Portable
from minilift.ops.base import Array, Ops
from minilift.ops.numpy_ops import NumpyOps

__all__ = ["Array", "Ops", "Portable", "choose_device", "get_ops"]

DTYPES = ("float32", "float64")


def get_ops(device: str = "cpu", dtype: str = "float32", tf32: bool = False) -> Ops:
    """The operations of a device: 'cpu' (NumPy), 'gpu' or 'gpu:N' (CuPy), 'auto' (a GPU where one opens).

    Each call makes its own object, with its own scratch memory: one for every model. `tf32` lets a GPU's
    products of float32 take their factors with 10 bits of mantissa (NVIDIA's TF32); a CPU takes no notice.
    Raises InputError where the device cannot be had.
    """
    if dtype not in DTYPES:
        raise InputError(f"dtype {dtype!r} is unknown; use one of {', '.join(DTYPES)}")
    if device == "auto":
        device, _ = choose_device()
    if device == "cpu":
        return NumpyOps(dtype)
    if not (found := re.fullmatch(r"gpu(?::(\d{1,3}))?", device)):
        raise ArgumentError("device", device, "unknown; use cpu, gpu, gpu:1 (the second one) or auto")
    from minilift.ops.cuda.cupy_ops import CupyOps  # here, for it needs an extra

    return CupyOps(dtype, int(found[1] or 0), tf32)


@lru_cache(maxsize=1)
def choose_device() -> tuple[str, str]:
    """What 'auto' means on this machine, and why, in words for the user."""
    from minilift.ops.cuda.choose import choose

    return choose()
