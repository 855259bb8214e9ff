"""Savitzky and Golay's smoothing: in every window of time the value of a polynomial that fits it best.

Savitzky, Golay: "Smoothing and differentiation of data by simplified least squares procedures", Analytical
Chemistry 36(8), 1964. In evenly spaced frames the fit is one set of weights; in others it is solved for
every frame with its own times. At the ends the polynomial of the first and of the last window goes on.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def savgol(values: np.ndarray, time: np.ndarray, window: int, order: int) -> np.ndarray:
    """Values (n, ...) at `time` (n,) ascending, smoothed: `window` frames (odd), a polynomial of `order`.

    A clip shorter than the window takes the largest odd one that fits; too short for the order, it stays.
    Raises ValueError for a window that is even or not larger than the order.
    """
    if window % 2 == 0 or window <= order or order < 0:
        raise ValueError(f"savgol: window {window} of order {order}; give an odd window above the order")
    n = len(values)
    width = min(window, n - 1 + n % 2)
    flat = np.asarray(values, np.float64).reshape(n, -1)
    if width <= order or n < 3:
        return np.array(values, np.float64)
    half, out = width // 2, np.empty_like(flat)
    steps = np.diff(time)
    if np.allclose(steps, steps[0], rtol=1e-3):
        weights = _weights(np.arange(width) - half, np.zeros(1), order)[0]
        inside = n - width + 1
        out[half : half + inside] = 0
        for k, weight in enumerate(weights):
            out[half : half + inside] += weight * flat[k : k + inside]
    else:
        windows = sliding_window_view(np.asarray(time, np.float64), width)
        for i, times in enumerate(windows):
            weights = _weights(times, times[half : half + 1], order)
            out[half + i] = (weights @ flat[i : i + width])[0]
    out[:half] = _weights(time[:width], time[:half], order) @ flat[:width]
    out[n - half :] = _weights(time[n - width :], time[n - half :], order) @ flat[n - width :]
    return out.reshape(values.shape)


def _weights(time: np.ndarray, wanted: np.ndarray, order: int) -> np.ndarray:
    """(k, w): of w values at `time`, what the polynomial that fits them best has at `wanted` (k,)."""
    middle, half = (time[0] + time[-1]) / 2, max((time[-1] - time[0]) / 2, 1e-12)  # for the conditioning
    fit = np.linalg.pinv(np.vander((time - middle) / half, order + 1))
    return np.asarray(np.vander((wanted - middle) / half, order + 1) @ fit)
