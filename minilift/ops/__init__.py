"""The array backends. `get_ops(device, dtype)` is the one place that knows which of them exist."""

from __future__ import annotations

from minilift.errors import InputError
from minilift.ops.base import Array, Ops
from minilift.ops.numpy_ops import NumpyOps

__all__ = ["Array", "Ops", "choose_device", "get_ops"]

NO_GPU = "this version of minilift has no GPU backend yet"
DTYPES = ("float32", "float64")


def get_ops(device: str = "cpu", dtype: str = "float32") -> Ops:
    """The operations of a device: 'cpu' (NumPy), 'gpu' (CuPy) or 'auto' (the GPU where there is one).

    Each call makes its own object, with its own scratch memory: one for every model.
    Raises InputError where the device cannot be had.
    """
    if dtype not in DTYPES:
        raise InputError(f"dtype {dtype!r} is unknown; use one of {', '.join(DTYPES)}")
    if device == "auto":
        device, _ = choose_device()
    if device == "cpu":
        return NumpyOps(dtype)
    if device == "gpu":
        raise InputError(f"--device gpu: {NO_GPU} ({_what_is_there()}); use --device cpu")
    raise InputError(f"--device {device}: unknown; use cpu, gpu or auto")


def choose_device() -> tuple[str, str]:
    """What 'auto' means on this machine, and why, in words for the user."""
    return "cpu", NO_GPU


def _what_is_there() -> str:
    try:
        import cupy
    except ImportError:
        return "and CuPy is not installed"
    return "though CuPy finds a GPU" if cupy.cuda.is_available() else "and CuPy finds no CUDA GPU"
