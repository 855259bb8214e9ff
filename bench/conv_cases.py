"""What bench.conv times, by name: the same on both sides."""

from __future__ import annotations

from typing import NamedTuple


class ConvCase(NamedTuple):
    """Forward and backward of a layer, with the gradient of its input unless `first`."""

    kind: str  # "Conv2d", "MaxPool2d", "BatchNorm2d"
    shape: tuple[int, int, int, int]  # of the images
    filters: int = 0
    kernel: int = 0
    stride: int = 1
    padding: int = 0
    first: bool = False


class Dense(NamedTuple):
    """A training step of a classifier: forward, cross-entropy, backward and SGD."""

    sizes: tuple[int, ...]
    batch: int


CASES: dict[str, ConvCase | Dense] = {
    "Conv2d 16x1x28x28": ConvCase("Conv2d", (16, 1, 28, 28), 16, 3, padding=1),
    "Conv2d 16x1x28x28, first layer": ConvCase("Conv2d", (16, 1, 28, 28), 16, 3, padding=1, first=True),
    "Conv2d 16x16x14x14": ConvCase("Conv2d", (16, 16, 14, 14), 32, 3, padding=1),
    "Conv2d 16x32x7x7": ConvCase("Conv2d", (16, 32, 7, 7), 64, 3, padding=1),
    "Conv2d 256x9x32x32, 5x5": ConvCase("Conv2d", (256, 9, 32, 32), 9, 5, padding=2),
    "Conv2d 256x18x16x16, 5x5, stride 2": ConvCase("Conv2d", (256, 18, 16, 16), 36, 5, 2, 2),
    "Conv2d 256x32x32x32": ConvCase("Conv2d", (256, 32, 32, 32), 32, 3, padding=1),
    "MaxPool2d 256x32x32x32": ConvCase("MaxPool2d", (256, 32, 32, 32), kernel=2, stride=2),
    "BatchNorm2d 256x32x32x32": ConvCase("BatchNorm2d", (256, 32, 32, 32)),
    "MLP 784-256-512-10, batch 64": Dense((784, 256, 512, 10), 64),
    "MLP 784-256-512-10, batch 2048": Dense((784, 256, 512, 10), 2048),
}
