"""Convolution and unfold as their definitions read, loop by loop: to understand, and to check the fast ones.

On NumPy arrays, a few thousand times slower than the layers.
"""

from __future__ import annotations

import numpy as np

from minilift.images.layers.sizes import Pair, output_shape


def naive_conv2d(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, stride: int = 1, padding: int = 0
) -> np.ndarray:
    """x (n, in, height, width), weight (out, in, kernel height, kernel width), bias (out,)."""
    n, channels, height, width = x.shape
    filters, _, *kernel = weight.shape
    high, wide = output_shape((height, width), (kernel[0], kernel[1]), (stride, stride), (padding, padding))
    y = np.zeros((n, filters, high, wide), x.dtype)
    for b in range(n):
        for o in range(filters):
            for p in range(high):
                for q in range(wide):
                    for c in range(channels):
                        for i in range(kernel[0]):
                            for j in range(kernel[1]):
                                row, column = stride * p + i - padding, stride * q + j - padding
                                if 0 <= row < height and 0 <= column < width:
                                    y[b, o, p, q] += weight[o, c, i, j] * x[b, c, row, column]
                    if bias is not None:
                        y[b, o, p, q] += bias[o]
    return y


def naive_unfold(x: np.ndarray, kernel: Pair, stride: int = 1, padding: int = 0) -> np.ndarray:
    """x (n, c, height, width) as columns (n, c times kernel area, places)."""
    n, channels, height, width = x.shape
    high, wide = output_shape((height, width), kernel, (stride, stride), (padding, padding))
    out = np.zeros((n, channels * kernel[0] * kernel[1], high * wide), x.dtype)
    for b in range(n):
        for p in range(high):
            for q in range(wide):
                for c in range(channels):
                    for i in range(kernel[0]):
                        for j in range(kernel[1]):
                            row, column = stride * p + i - padding, stride * q + j - padding
                            if 0 <= row < height and 0 <= column < width:
                                tap = (c * kernel[0] + i) * kernel[1] + j
                                out[b, tap, p * wide + q] = x[b, c, row, column]
    return out
