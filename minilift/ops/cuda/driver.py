"""What the CUDA driver says of its cards. Without CuPy, whose import takes half a second."""

from __future__ import annotations

import ctypes
import os
from typing import Any, NamedTuple

NO_DEVICE = (0, 100, 101)  # CUDA_SUCCESS with a count of 0, CUDA_ERROR_NO_DEVICE, CUDA_ERROR_INVALID_DEVICE
MISMATCH = 803  # CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
VISIBLE = "CUDA_VISIBLE_DEVICES"


class Found(NamedTuple):
    """How many cards the driver reports, and where that is none, why."""

    cards: int
    why: str = ""


def devices() -> Found:
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        count = ctypes.c_int(0)
        status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
        return Found(count.value) if count.value and not status else Found(0, _why(driver, status))
    return Found(0, "there is no CUDA GPU, or no driver for it")


def hidden() -> str:
    """That the environment shows CUDA no card, or may; '' where it says nothing of cards."""
    value = os.environ.get(VISIBLE)
    if value is None:
        return ""
    return f"{VISIBLE}={value!r} shows it none; unset it, or name one that nvidia-smi -L lists"


def _why(driver: Any, status: int) -> str:
    if status in NO_DEVICE:
        told = hidden()
        return f"the driver finds no GPU{', for ' if told else ''}{told}"
    name = ctypes.c_char_p()
    driver.cuGetErrorName(status, ctypes.byref(name))
    told = (name.value or b"").decode(errors="replace") or f"status {status}"
    remedy = "restart the machine, whose driver was updated" if status == MISMATCH else "see nvidia-smi"
    return f"the GPU's driver does not start ({told}); {remedy}"
