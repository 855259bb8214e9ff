"""What layers for images check: the axes of what comes in, and that a window fits on it."""

from __future__ import annotations

from typing import Any

from minilift.errors import ArgumentError
from minilift.images.ops.windows import Pair, Windows, output_shape
from minilift.nn.module import Module
from minilift.ops import Array

__all__ = ["Pair", "Windows", "image", "images", "output_shape", "pair", "windows_on"]


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
    _check(layer, x.shape, ("n",), channels, argument)
    return x


def image(
    layer: Module, shape: tuple[int, ...], channels: int | None = None, argument: str = "in_channels"
) -> tuple[int, ...]:
    """The shape of one image, (channels, height, width). Raises as `images`."""
    _check(layer, shape, (), channels, argument)
    return shape


def _check(
    layer: Module, shape: tuple[int, ...], first: tuple[str, ...], channels: int | None, argument: str
) -> None:
    wanted = *first, str(channels or "channels"), "height", "width"
    if len(shape) != len(wanted):
        what = f"images of shape ({', '.join(wanted)})"
        raise ValueError(f"{layer.describe()}: expected {what}, got {tuple(shape)}")
    found = shape[-3]
    if channels not in (None, found):
        problem = f"the images have {found} channels; use {argument}={found}, or other images"
        raise ArgumentError(argument, channels, problem)


def windows_on(channels: int, size: Pair, kernel: Pair, stride: Pair, padding: Pair = (0, 0)) -> Windows:
    """Raises ArgumentError where the kernel is larger than the image with its padding."""
    windows = Windows(channels, size, kernel, stride, padding)
    if min(windows.places) < 1:
        around = f" with padding={padding[0]}x{padding[1]}" if any(padding) else ""
        problem = f"larger than the images, {size[0]}x{size[1]}{around}; use a smaller one, or larger images"
        raise ArgumentError("kernel_size", f"{kernel[0]}x{kernel[1]}", problem)
    return windows
