"""Lens distortion after Brown and Conrady, in OpenCV's formulas, and its inverse.

Points (..., 2) are (x, y) = (X/Z, Y/Z) with y DOWN, as OpenCV has them. With s = x^2 + y^2 and coefficients
(k1, k2, p1, p2, k3, k4, k5, k6),

    c  = (1 + k1 s + k2 s^2 + k3 s^3) / (1 + k4 s + k5 s^2 + k6 s^3)
    x' = c x + 2 p1 x y + p2 (s + 2 x^2)
    y' = c y + p1 (s + 2 y^2) + 2 p2 x y

Source: OpenCV, "Camera Calibration and 3D Reconstruction", the model of `projectPoints`. A polynomial that
was fitted inside a picture may turn back outside of it: from there on two points would have one image. `edge`
says where, and whatever lies beyond is NaN in both directions.
"""

from __future__ import annotations

import numpy as np

Coefficients = tuple[float, ...]

_ROUNDS = 50
_CLOSE = 1e-13  # relative: 1e-10 pixels at a focal length of 1000
_INSIDE = 0.999999  # of the edge, where the derivative is 0 and Newton's method has no next step


def edge(k: Coefficients) -> float:
    """The largest s = x^2 + y^2 that the radial part maps uniquely; inf where it never turns back.

    There d(r c)/dr = 0, which with c = N(s) / D(s) is N D + 2 s (N' D - N D') = 0; or D = 0, where c jumps.
    """
    numerator = np.polynomial.Polynomial([1.0, k[0], k[1], k[4]])
    denominator = np.polynomial.Polynomial([1.0, *k[5:8]])
    twice_s = np.polynomial.Polynomial([0.0, 2.0])
    turning = numerator * denominator + twice_s * (
        numerator.deriv() * denominator - numerator * denominator.deriv()
    )
    roots = np.concatenate([turning.trim().roots(), denominator.trim().roots()])
    real = roots[np.abs(roots.imag) <= 1e-9 * np.abs(roots)].real
    return float(min(real[real > 0], default=np.inf))


def distorted(points: np.ndarray, k: Coefficients) -> np.ndarray:
    """Where the lens shows points (..., 2); NaN beyond `edge`."""
    x, y = points[..., 0], points[..., 1]
    square = x * x + y * y
    with np.errstate(all="ignore"):
        radial = _radial(square, k)[0]
        shown = np.stack(
            [
                x * radial + 2 * k[2] * x * y + k[3] * (square + 2 * x * x),
                y * radial + k[2] * (square + 2 * y * y) + 2 * k[3] * x * y,
            ],
            axis=-1,
        )
        return np.where((square < edge(k))[..., None], shown, np.nan)


def undistorted(shown: np.ndarray, k: Coefficients) -> np.ndarray:
    """The points (..., 2) that the lens shows at `shown`, by Newton's method; NaN where there is none."""
    wanted = np.asarray(shown, np.float64).reshape(-1, 2)
    found = np.full_like(wanted, np.nan)
    left = np.flatnonzero(np.isfinite(wanted).all(axis=1))
    guess, limit = _within(wanted[left], edge(k)), edge(k)
    with np.errstate(all="ignore"):
        for _ in range(_ROUNDS):
            if not len(left):
                break
            off = distorted(guess, k) - wanted[left]
            done = np.abs(off).max(axis=1) <= _CLOSE * (1 + np.abs(wanted[left]).max(axis=1))
            hits = left[done]
            found[hits] = np.where(_unfolded(guess[done], k)[:, None], guess[done], np.nan)
            left, guess, off = left[~done], guess[~done], off[~done]
            guess = _within(guess - _solved(guess, off, k), limit)
    return found.reshape(np.shape(shown))


def _within(points: np.ndarray, limit: float) -> np.ndarray:
    """Points moved towards the middle until they lie inside the edge."""
    if not np.isfinite(limit):
        return points
    radius = np.sqrt((points * points).sum(axis=-1, keepdims=True))
    most = _INSIDE * np.sqrt(limit)
    return np.where(radius > most, points * (most / np.maximum(radius, most)), points)


def _radial(square: np.ndarray, k: Coefficients) -> tuple[np.ndarray, np.ndarray]:
    """c and dc/ds."""
    k1, k2, k3, (k4, k5, k6) = k[0], k[1], k[4], k[5:8]
    above = 1 + square * (k1 + square * (k2 + square * k3))
    below = 1 + square * (k4 + square * (k5 + square * k6))
    above_slope = k1 + square * (2 * k2 + square * 3 * k3)
    below_slope = k4 + square * (2 * k5 + square * 3 * k6)
    return above / below, (above_slope - above / below * below_slope) / below


def _jacobian(points: np.ndarray, k: Coefficients) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dx'/dx, dx'/dy = dy'/dx, dy'/dy of the formula above."""
    x, y = points[..., 0], points[..., 1]
    radial, slope = _radial(x * x + y * y, k)
    return (
        radial + 2 * slope * x * x + 2 * k[2] * y + 6 * k[3] * x,
        2 * slope * x * y + 2 * k[2] * x + 2 * k[3] * y,
        radial + 2 * slope * y * y + 6 * k[2] * y + 2 * k[3] * x,
    )


def _solved(points: np.ndarray, off: np.ndarray, k: Coefficients) -> np.ndarray:
    """The step of Newton's method: the Jacobian's inverse times `off`."""
    a, b, d = _jacobian(points, k)
    step = np.stack([d * off[..., 0] - b * off[..., 1], a * off[..., 1] - b * off[..., 0]], axis=-1)
    return np.asarray(step / (a * d - b * b)[..., None])


def _unfolded(points: np.ndarray, k: Coefficients) -> np.ndarray:
    """Where the whole model, with its tangential part, has not turned back: its Jacobian is positive
    definite."""
    a, b, d = _jacobian(points, k)
    return np.asarray((a > 0) & (a * d - b * b > 0))
