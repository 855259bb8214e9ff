"""The least that a training step costs on this machine's BLAS and memory; measured with NumPy alone.

floor = the products of the network, and nothing between them, + Adam's bytes over the copy bandwidth

The products run as NumPy's BLAS runs them, on its own threads. Adam reads w, g, m, v and writes w, m, v:
28 bytes a parameter, taken to come from memory. Neither part is a law: where the last cache holds the 16
bytes a parameter that Adam keeps, it is faster than that; other load slows threads that wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numpy as np

from bench.worker import random_rows, seconds_per_call

N_IN, N_OUT = 30, 45
COMPOSED_ABOVE = 2 * N_IN  # rows, about: below, composing two Linears costs more than it saves
ADAM_BYTES = 28
COPIED = 1 << 27  # bytes, and as many written: far more than a cache holds

Product = tuple[np.ndarray, np.ndarray, np.ndarray]  # a @ b, into out


def _array(rows: int, columns: int) -> np.ndarray:
    return random_rows(rows, columns, seed=0)


def _product(a: np.ndarray, b: np.ndarray) -> Product:
    return a, b, np.empty((a.shape[0], b.shape[1]), np.float32)


def _linear(n: int, n_in: int, n_out: int, dx: bool = True) -> tuple[list[Product], list[Product]]:
    """Of one Linear, forward x W^T, and backward dW = dy^T x, dx = dy W."""
    x, dy, weight = _array(n, n_in), _array(n, n_out), _array(n_out, n_in)
    backward = [_product(dy.T, x), *([_product(dy, weight)] if dx else [])]
    return [_product(x, weight.T)], backward


def _pair(n: int, hidden: int) -> tuple[list[Product], list[Product]]:
    """Of the first two Linears as minilift does them: with nothing between them, W2 (W1 x) = (W2 W1) x.

    h1 = x W1^T goes on to the block's end, h2 = x (W2 W1)^T into the block. Back come dh1 and dh2:
    P = dh2^T x,  dW2 = P W1^T,  dW1 = dh1^T x + W2^T P. All have N_IN columns or inner terms.
    """
    x, first, second = _array(n, N_IN), _array(hidden, N_IN), _array(hidden, hidden)
    dh1, dh2 = _array(n, hidden), _array(n, hidden)
    both, outer = _product(second, first), _product(dh2.T, x)
    forward = [both, _product(x, first.T), _product(x, both[2].T)]
    return forward, [outer, _product(dh1.T, x), _product(outer[2], first.T), _product(second.T, outer[2])]


def _step(layers: Sequence[tuple[list[Product], list[Product]]]) -> list[Product]:
    forwards = [product for forward, _ in layers for product in forward]
    return forwards + [product for _, backward in reversed(layers) for product in backward]


class Roofline:
    """The floors of one batch size."""

    def __init__(self, batch: int, hidden: int, blocks: int, parameters: int, threads: int) -> None:
        inner = [_linear(batch, hidden, hidden) for _ in range(2 * blocks)]
        last = _linear(batch, hidden, N_OUT)
        self.written = _step([_linear(batch, N_IN, hidden, dx=False), *inner, last])
        self.done = self.written
        if blocks and batch > COMPOSED_ABOVE:
            self.done = _step([_pair(batch, hidden), *inner[1:], last])
        self.adam_bytes = ADAM_BYTES * parameters
        self.source, self.target = np.ones(COPIED // 4, np.float32), np.zeros(COPIED // 4, np.float32)
        self.pool = ThreadPoolExecutor(threads)
        bounds = [len(self.source) * i // threads for i in range(threads + 1)]
        self.parts = [slice(*ends) for ends in pairwise(bounds)]

    def _copy(self) -> None:
        list(self.pool.map(lambda part: np.copyto(self.target[part], self.source[part]), self.parts))

    def floors(self, seconds: float, steps: int) -> dict[str, float]:
        """Seconds of the products as written, of those that minilift does, and of Adam's bytes."""
        written = done = seconds_per_call(partial(_multiply, self.written), seconds / 3, steps)
        if self.done is not self.written:
            done = seconds_per_call(partial(_multiply, self.done), seconds / 3, steps)
        bandwidth = 2 * COPIED / seconds_per_call(self._copy, seconds / 3, steps)
        return {"written": written, "done": done, "adam": self.adam_bytes / bandwidth, "bandwidth": bandwidth}


def _multiply(products: Sequence[Product]) -> None:
    for a, b, out in products:
        np.matmul(a, b, out=out)
