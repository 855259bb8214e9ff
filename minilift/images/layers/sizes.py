"""What layers for images check: the axes of what comes in, and that a window fits on it."""

from __future__ import annotations

from typing import Any

from minilift.errors import ArgumentError
from minilift.images.ops.windows import Pair, Windows, output_shape
from minilift.nn.module import Module
from minilift.ops import Array

__all__ = ["Pair", "Windows", "images", "output_shape", "pair", "windows_on"]


def pair(name: str, value: int | Pair, least: int = 1) -> Pair:
    """One number for both axes, or one for each: (along the height, along the width)."""
    found = value if isinstance(value, tuple) else (value, value)
    if len(found) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or n < least for n in found):
        raise ArgumentError(name, str(value), f"must be a whole number of at least {least}, or two")
    return found


def images(layer: Module, x: Any, channels: int | None = None, argument: str = "in_channels") -> Array:
    """x on the layer's device, (n, channels, height, width). Raises ValueError where it has other axes, and
    ArgumentError, by the layer's argument, where it has other channels."""
    x = layer.ops.asarray(x)
    if x.ndim != 4:
        raise ValueError(
            f"{layer.describe()}: expected images of shape (n, {channels or 'channels'}, height, width), "
            f"got {tuple(x.shape)}"
        )
    if channels not in (None, x.shape[1]):
        problem = f"the images have {x.shape[1]} channels; use {argument}={x.shape[1]}, or other images"
        raise ArgumentError(argument, channels, problem)
    return x


def windows_on(channels: int, size: Pair, kernel: Pair, stride: Pair, padding: Pair = (0, 0)) -> Windows:
    """Raises ArgumentError where the kernel is larger than the image with its padding."""
    windows = Windows(channels, size, kernel, stride, padding)
    if min(windows.places) < 1:
        around = f" with padding={padding[0]}x{padding[1]}" if any(padding) else ""
        problem = f"larger than the images, {size[0]}x{size[1]}{around}; use a smaller one, or larger images"
        raise ArgumentError("kernel_size", f"{kernel[0]}x{kernel[1]}", problem)
    return windows
