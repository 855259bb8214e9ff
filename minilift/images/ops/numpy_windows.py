"""Unfold, fold and pooling for NumPy: a pass for each element of a window, over all places at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from minilift.files.mapped import chunks
from minilift.images.ops.windows import Windows
from minilift.ops import Array, Ops
from minilift.ops.numpy_core import row_chunks

_AT_ONCE = 1 << 10  # elements to pick: they are picked by an array of their numbers


def unfold(ops: Ops, x: Array, windows: Windows, out: Array) -> None:
    (top, left), (height, width) = windows.padding, windows.size
    padded = ops.scratch("padded", (len(x), windows.channels, height + 2 * top, width + 2 * left))
    padded.fill(0)
    np.copyto(padded[:, :, top : top + height, left : left + width], x)
    columns = out.reshape(len(x), windows.channels, -1, *windows.places)
    for i, tap in enumerate(_taps(padded, windows)):
        np.copyto(columns[:, :, i], tap)


def fold(ops: Ops, columns: Array, windows: Windows, out: Array) -> None:
    (top, left), (height, width) = windows.padding, windows.size
    padded = ops.scratch("padded", (len(out), windows.channels, height + 2 * top, width + 2 * left))
    padded.fill(0)
    columns = columns.reshape(len(out), windows.channels, -1, *windows.places)
    for i, tap in enumerate(_taps(padded, windows)):
        np.add(tap, columns[:, :, i], out=tap)
    np.copyto(out, padded[:, :, top : top + height, left : left + width])


def max_pool(ops: Ops, x: Array, windows: Windows, out: Array) -> None:
    def part(x: Array, y: Array) -> None:
        taps = _taps(x, windows)
        np.copyto(y, next(taps))
        tap = ops.scratch("tap", y.shape)
        for there in taps:
            np.copyto(tap, there)  # what lies apart is copied at twice the speed of computing with it
            np.maximum(y, tap, out=y)

    _by_planes(ops, part, x, out)


def max_pool_backward(ops: Ops, dy: Array, x: Array, y: Array, windows: Windows, out: Array) -> None:
    def part(x: Array, y: Array, dy: Array, dx: Array) -> None:
        tap = ops.scratch("tap", y.shape)
        hit, free = ops.scratch("hit", (2, *y.shape), "bool")
        free.fill(True)
        for there, back in zip(_taps(x, windows), _cleared_taps(dx, windows), strict=True):
            np.copyto(tap, there)
            np.equal(tap, y, out=hit)
            np.logical_and(hit, free, out=hit)
            np.logical_xor(free, hit, out=free)  # the first of equals has it all
            np.multiply(dy, hit, out=tap)
            _add_to(back, tap, windows)

    _by_planes(ops, part, x, y, dy, out)


def avg_pool(ops: Ops, x: Array, windows: Windows, out: Array) -> None:
    def part(x: Array, y: Array) -> None:
        taps = _taps(x, windows)
        np.copyto(y, next(taps))
        for there in taps:
            np.add(y, there, out=y)
        np.multiply(y, 1 / (windows.kernel[0] * windows.kernel[1]), out=y)

    _by_planes(ops, part, x, out)


def avg_pool_backward(ops: Ops, dy: Array, windows: Windows, out: Array) -> None:
    def part(dy: Array, dx: Array) -> None:
        share = ops.scratch("tap", dy.shape)
        np.multiply(dy, 1 / (windows.kernel[0] * windows.kernel[1]), out=share)
        for back in _cleared_taps(dx, windows):
            _add_to(back, share, windows)

    _by_planes(ops, part, dy, out)


def global_max(ops: Ops, x: Array, out: Array) -> None:
    planes = x.reshape(out.size, -1)
    np.maximum.reduce(planes, axis=1, out=out.reshape(-1))


def global_max_backward(ops: Ops, dy: Array, x: Array, out: Array) -> None:
    planes = x.reshape(dy.size, -1)
    place = ops.scratch("first", (dy.size,), "intp")
    np.argmax(planes, axis=1, out=place)
    out.fill(0)
    rows = out.reshape(planes.shape)
    for part in chunks(dy.size, _AT_ONCE):
        rows[part][np.arange(part.stop - part.start), place[part]] = dy.reshape(-1)[part]


def global_mean(ops: Ops, x: Array, out: Array) -> None:
    planes = x.reshape(out.size, -1)
    np.add.reduce(planes, axis=1, out=out.reshape(-1))
    np.multiply(out, 1 / planes.shape[1], out=out)


def global_mean_backward(ops: Ops, dy: Array, out: Array) -> None:
    rows = out.reshape(dy.size, -1)
    share = ops.scratch("share", (dy.size, 1))
    np.multiply(dy.reshape(-1, 1), 1 / rows.shape[1], out=share)
    np.copyto(rows, share)


def _taps(images: np.ndarray, windows: Windows) -> Iterator[np.ndarray]:
    """For each element of a window, row by row: that element of every window, a view (..., *places)."""
    (down, right), (height, width) = windows.stride, windows.places
    for i in range(windows.kernel[0]):
        for j in range(windows.kernel[1]):
            rows = slice(i, i + down * (height - 1) + 1, down)
            yield images[..., rows, j : j + right * (width - 1) + 1 : right]


def _cleared_taps(dx: np.ndarray, windows: Windows) -> Iterator[np.ndarray]:
    """`_taps` of an array into which they are then added, or put where they are all of it."""
    if windows.stride != windows.kernel or any(
        n % k for n, k in zip(windows.size, windows.kernel, strict=True)
    ):
        dx.fill(0)
    return _taps(dx, windows)


def _overlap(windows: Windows) -> bool:
    return any(s < k for s, k in zip(windows.stride, windows.kernel, strict=True))


def _add_to(back: np.ndarray, part: np.ndarray, windows: Windows) -> None:
    if _overlap(windows):
        np.add(back, part, out=back)
    else:
        np.copyto(back, part)


def _by_planes(ops: Ops, part: Callable[..., None], *images: Array) -> None:
    """part(...) of some planes of each array (n, channels, ...) at a time."""
    planes = [array.reshape(-1, *array.shape[2:]) for array in images]
    chunks = row_chunks(max(planes, key=lambda array: array.size))
    ops.run(lambda i: part(*(array[chunks[i]] for array in planes)), len(chunks))
