"""Rays for NumPy."""

from __future__ import annotations

import numpy as np

from minilift.ops import Array, Ops


def rays(ops: Ops, points: Array, depth: Array, out: Array) -> None:
    for axis in range(2):
        np.multiply(points[:, axis::2], depth, out=out[:, axis::3])
        np.negative(out[:, axis::3], out=out[:, axis::3])
    np.copyto(out[:, 2::3], depth)


def rays_backward(
    ops: Ops, dy: Array, points: Array, depth: Array, dpoints: Array | None, ddepth: Array
) -> None:
    np.copyto(ddepth, dy[:, 2::3])
    part = ops.scratch("part", depth.shape)
    for axis in range(2):
        np.multiply(dy[:, axis::3], points[:, axis::2], out=part)
        np.subtract(ddepth, part, out=ddepth)
        if dpoints is not None:
            np.multiply(dy[:, axis::3], depth, out=part)
            np.negative(part, out=dpoints[:, axis::2])


def reliability(ops: Ops, x: Array, points: Array | None, out: Array, level: float) -> None:
    joints = out.shape[1]
    if points is not None:
        np.copyto(points, x[:, : 2 * joints])
    if x.shape[1] > 2 * joints:
        np.add(x[:, 2 * joints :], level, out=out)
        np.divide(level, out, out=out)
    else:
        np.copyto(out, 1)
    mask = _mask(ops, out)
    for axis in range(2):
        np.copyto(out, 0, where=np.isnan(x[:, axis : 2 * joints : 2], out=mask))


def reliability_backward(ops: Ops, dr: Array, r: Array, dpoints: Array, out: Array, level: float) -> None:
    joints, part = r.shape[1], ops.scratch("part", r.shape)
    np.copyto(out[:, : 2 * joints], dpoints)
    np.multiply(dr, r, out=part)
    np.multiply(part, r, out=part)
    np.divide(part, -level, out=out[:, 2 * joints :])


def given(ops: Ops, points: Array, r: Array, out: Array, ratio: float) -> None:
    joints, weight, hidden = r.shape[1], _weight(ops, r, ratio), _hidden(ops, r)
    np.copyto(out[:, 2 * joints : 3 * joints], weight)
    if out.shape[1] > 3 * joints:
        np.copyto(out[:, 3 * joints :], r)
    for axis in range(2):
        column = out[:, axis : 2 * joints : 2]
        np.multiply(points[:, axis::2], weight, out=column)
        np.copyto(column, 0, where=hidden)


def given_backward(
    ops: Ops, dy: Array, points: Array, r: Array, dpoints: Array, dr: Array | None, ratio: float
) -> None:
    joints, weight, hidden = r.shape[1], _weight(ops, r, ratio), _hidden(ops, r)
    part = ops.scratch("part", r.shape)
    for axis in range(2):
        np.multiply(dy[:, axis : 2 * joints : 2], weight, out=dpoints[:, axis::2])
        np.copyto(dpoints[:, axis::2], 0, where=hidden)
    if dr is None:
        return
    np.copyto(dr, dy[:, 2 * joints : 3 * joints])
    for axis in range(2):
        np.multiply(dy[:, axis : 2 * joints : 2], points[:, axis::2], out=part)
        np.add(dr, part, out=dr)
    np.multiply(dr, _slope(ops, r, ratio, part), out=dr)
    np.add(dr, dy[:, 3 * joints :], out=dr)
    np.copyto(dr, 0, where=hidden)


def place(ops: Ops, points: Array, r: Array, o: Array, out: Array, ratio: float) -> None:
    weight, gain = _weight(ops, r, ratio), _gain(ops, r, ratio)
    for axis in range(2):
        _moved(ops, points, r, weight, gain, o, axis, out[:, axis::3])
        np.multiply(out[:, axis::3], o[:, 2::3], out=out[:, axis::3])
        np.negative(out[:, axis::3], out=out[:, axis::3])
    np.copyto(out[:, 2::3], o[:, 2::3])


def place_backward(
    ops: Ops, dy: Array, points: Array, r: Array, o: Array, dpoints: Array | None, dr: Array | None,
    do: Array, ratio: float,
) -> None:  # fmt: skip
    weight, gain, hidden = _weight(ops, r, ratio), _gain(ops, r, ratio), _hidden(ops, r)
    part, other, dweight = (ops.scratch(name, r.shape) for name in ("part", "own", "dweight"))
    np.copyto(do[:, 2::3], dy[:, 2::3])
    if dr is not None:
        np.copyto(dr, 0)
        np.copyto(dweight, 0)
    for axis in range(2):
        _moved(ops, points, r, weight, gain, o, axis, part)
        np.multiply(part, dy[:, axis::3], out=part)
        np.subtract(do[:, 2::3], part, out=do[:, 2::3])
        np.multiply(dy[:, axis::3], o[:, 2::3], out=part)
        np.negative(part, out=part)
        if dpoints is not None:
            np.multiply(part, weight, out=dpoints[:, axis::2])
        if dr is not None:
            np.multiply(points[:, axis::2], part, out=other)
            np.add(dweight, other, out=dweight)
            np.multiply(o[:, axis::3], part, out=other)
            np.add(dr, other, out=dr)
        np.multiply(part, gain, out=do[:, axis::3])
    if dr is not None:  # g' = -ratio / below^2
        below = ops.scratch("below", r.shape)
        np.divide(dr, below, out=dr)
        np.divide(dr, below, out=dr)
        np.multiply(dr, -ratio, out=dr)
        np.multiply(dweight, _slope(ops, r, ratio, part), out=dweight)
        np.add(dr, dweight, out=dr)
        np.copyto(dr, 0, where=hidden)


def _moved(
    ops: Ops, points: Array, r: Array, weight: Array, gain: Array, o: Array, axis: int, out: Array
) -> None:
    """out (n, J) = w u + g a along an axis, with 0 for a u that was not seen."""
    np.multiply(points[:, axis::2], weight, out=out)
    np.copyto(out, 0, where=_hidden(ops, r))
    own = np.multiply(gain, o[:, axis::3], out=ops.scratch("own", r.shape))
    np.add(out, own, out=out)


def _gain(ops: Ops, r: Array, ratio: float) -> np.ndarray:
    """g = ratio (1 - r) / below, (n, J), with below = ratio (1 - r) + r in scratch memory of that name."""
    gain, below = (ops.scratch(name, r.shape) for name in ("gain", "below"))
    np.subtract(1, r, out=gain)
    np.multiply(gain, ratio, out=gain)
    np.add(gain, r, out=below)
    found: np.ndarray = np.divide(gain, below, out=gain)
    return found


def _weight(ops: Ops, r: Array, ratio: float) -> np.ndarray:
    """w = r^2 / both, (n, J), with both = r^2 + (ratio (1 - r))^2 > 0 in the scratch memory of that name."""
    both, weight = (ops.scratch(name, r.shape) for name in ("both", "weight"))
    np.subtract(1, r, out=both)
    np.multiply(both, ratio, out=both)
    np.multiply(both, both, out=both)
    np.multiply(r, r, out=weight)
    np.add(both, weight, out=both)
    found: np.ndarray = np.divide(weight, both, out=weight)
    return found


def _slope(ops: Ops, r: Array, ratio: float, out: Array) -> np.ndarray:
    """out (n, J) = w'(r) = 2 ratio^2 r (1 - r) / both^2, behind `_weight`, which leaves both."""
    both = ops.scratch("both", r.shape)
    np.subtract(1, r, out=out)
    np.multiply(out, r, out=out)
    np.multiply(out, 2 * ratio * ratio, out=out)
    np.divide(out, both, out=out)
    found: np.ndarray = np.divide(out, both, out=out)
    return found


def _mask(ops: Ops, like: Array) -> np.ndarray:
    """A mask (n, J) in the place of an array that is there."""
    mask: np.ndarray = ops.scratch("hidden", like.shape).view(bool)[:, : like.shape[1]]
    return mask


def _hidden(ops: Ops, r: Array) -> np.ndarray:
    """Which joints were not seen (n, J)."""
    hidden: np.ndarray = np.equal(r, 0, out=_mask(ops, r))
    return hidden
