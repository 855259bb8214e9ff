"""Where a window stands on an image: the sizes that convolution, unfold, fold and pooling share."""

from __future__ import annotations

from typing import NamedTuple

Pair = tuple[int, int]  # along the height, along the width


def output_shape(size: Pair, kernel: Pair, stride: Pair = (1, 1), padding: Pair = (0, 0)) -> Pair:
    """How many places a window has along each axis: floor((n + 2p - k) / s) + 1; below 1 for none."""
    height, width = (
        (n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, kernel, stride, padding, strict=True)
    )
    return height, width


class Windows(NamedTuple):
    """Images (channels, *size) and the windows on them, `padding` zeros around."""

    channels: int
    size: Pair
    kernel: Pair
    stride: Pair
    padding: Pair

    @property
    def places(self) -> Pair:
        return output_shape(self.size, self.kernel, self.stride, self.padding)

    @property
    def taps(self) -> int:
        """Elements of a window, all channels together."""
        return self.channels * self.kernel[0] * self.kernel[1]
