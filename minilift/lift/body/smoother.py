"""The smoothest way through what was measured: random acceleration, solved exactly for many series at once.

A value x and its velocity v change between frames i and i + 1, dt frames apart, as if pushed at random: the
step has the covariance q [[dt^3/3, dt^2/2], [dt^2/2, dt]], and a value y_i was measured with the precision
w_i. The most likely course of x is a cubic smoothing spline (Wahba, J. Royal Stat. Soc. B 40, 1978). Its
normal equations have blocks of 2 x 2 on the diagonal and next to it. Cyclic reduction solves them (Hockney,
J. ACM 12, 1965): every second frame is eliminated, then every second of those that are left, so that no step
runs over frames one by one.
"""

from __future__ import annotations

import numpy as np

from minilift.files.mapped import chunks

_LEAST = 1e-12
_AT_ONCE = 32_768  # frames of all series together: some 40 arrays of them are needed, and fit into a cache


def smoothed(values: np.ndarray, precision: np.ndarray, step: np.ndarray, push: np.ndarray) -> np.ndarray:
    """Series (n, m), smoothed: the minimum of sum w (x - y)^2 + what random acceleration says.

    precision (n, m): 1 / variance of what was measured; 0 where nothing was, whatever the value
    step (n - 1,): frames to the next, more than 0
    push (n - 1, m): q, in squared units a frame^3, more than 0
    """
    n, m = values.shape
    if n < 3:
        return np.where(precision > 0, values, np.nan)
    found = np.empty((n, m))
    for some in chunks(m, max(_AT_ONCE // n, 1)):
        y, w, q = (np.ascontiguousarray(part[:, some].T) for part in (values, precision, push))
        found[:, some] = _smoothed(y, w, q, step).T
    return found


def _smoothed(values: np.ndarray, precision: np.ndarray, push: np.ndarray, dt: np.ndarray) -> np.ndarray:
    """The same with time as the last axis, (m, n): what a step reads lies together."""
    m, n = values.shape
    w = 1 / np.maximum(push, _LEAST)
    a, b, c = 12 * w / dt**3, 6 * w / dt**2, w / dt
    diagonal, next_, right = np.zeros((2, 2, m, n)), np.empty((2, 2, m, n - 1)), np.zeros((2, m, n))
    diagonal[0, 0] = np.maximum(precision, _LEAST)
    diagonal[1, 1] = _LEAST
    for rows, sign in ((slice(0, n - 1), 1), (slice(1, n), -1)):  # as the earlier, and as the later of two
        diagonal[0, 0, :, rows] += a
        diagonal[1, 1, :, rows] += 4 * c
        diagonal[0, 1, :, rows] += sign * b
    diagonal[1, 0] = diagonal[0, 1]
    next_[0, 0], next_[0, 1], next_[1, 0], next_[1, 1] = -a, b, -b, 2 * c
    right[0] = np.where(precision > 0, values, 0.0) * precision
    return _reduced(diagonal, next_, right)[0]


def _reduced(diagonal: np.ndarray, next_: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x (2, m, n) of a block tridiagonal system; blocks (2, 2, m, n), next_ (2, 2, m, n - 1)."""
    n = diagonal.shape[3]
    if n == 1:
        return _apply(_inverse(diagonal), right)
    inverse = _inverse(diagonal[..., 1::2])
    odd, even = n // 2, n - n // 2
    before, after = next_[..., 0::2], next_[..., 1::2]  # of an odd frame: to the one before, and after it
    diagonal_, right_ = diagonal[..., 0::2].copy(), right[..., 0::2].copy()
    left = _times(before, inverse)  # even k with odd k
    diagonal_[..., :odd] -= _times(left, _turned(before))
    right_[..., :odd] -= _apply(left, right[..., 1::2])
    later = even - 1  # odd frames that have an even one after them
    behind = _times(_turned(after), inverse[..., :later])
    diagonal_[..., 1:] -= _times(behind, after)
    right_[..., 1:] -= _apply(behind, right[..., 1::2][..., :later])
    found = _reduced(diagonal_, -_times(left[..., :later], after), right_)
    rest = right[..., 1::2] - _apply(_turned(before), found[..., :odd])
    rest[..., :later] -= _apply(after, found[..., 1:])
    x = np.empty_like(right)
    x[..., 0::2], x[..., 1::2] = found, _apply(inverse, rest)
    return x


def _times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[:, 0, None] * b[None, 0] + a[:, 1, None] * b[None, 1])


def _apply(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.asarray(a[:, 0] * x[0] + a[:, 1] * x[1])


def _turned(a: np.ndarray) -> np.ndarray:
    return np.swapaxes(a, 0, 1)


def _inverse(a: np.ndarray) -> np.ndarray:
    inverse = np.empty_like(a)
    inverse[0, 0], inverse[1, 1] = a[1, 1], a[0, 0]
    inverse[0, 1], inverse[1, 0] = -a[0, 1], -a[1, 0]
    return np.asarray(inverse / (a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]))
