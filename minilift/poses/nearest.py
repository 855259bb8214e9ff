"""Which row of a large array is nearest to each of some others, exactly."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

import numpy as np

from minilift.files.mapped import Points, chunks, shown

# Rows to search for and to search in at a time: 32 MB of distances. With 512 rows they would stay in cache;
# but at every product BLAS's threads wait for each other, and on a machine with as many other programs as
# cores the four times as many products took 7.8 s in place of 2.9.
ROWS, COLUMNS = 2048, 4096
PAIRS = 1 << 16  # whose exact distances are computed at a time: 16 MB for 30 numbers a row
UNIT = 2.0**-24  # half the distance of two neighbouring float32 numbers around 1: the rounding unit


class NearestRows:
    """The rows of `known` (m, ...), an array or MappedRows, among which to search by Euclidean distance.

    |a - b|^2 = |a|^2 - 2ab + |b|^2, and |a|^2 is the same for every b: one matrix product, of (a, 1) and
    (-2b, |b|^2), about the mean of the known rows, orders them, block by block. It is in float32, and its
    rounding differs from one BLAS kernel to the next, even between equal rows of one block. So the product
    only chooses candidates: all that its rounding cannot rule out. Between them the distance decides that
    float64 gives for the difference of the two rows; equal rows have equal ones, and the first is taken.

    With k numbers in a row and u = 2^-24, a product is off by no more than (k + 1) u times the sum of its
    terms' sizes, the square |b|^2 by k u, and float32 and the shift move each number by 2 u of its size: all
    in all (2k + 8) u (2|a| |b| + |b|^2) at most, where |b| <= |a| + distance for any row that can be the
    nearest. Two such errors part the candidates from the rest.

    Source: N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1 (error of an
    inner product, in any order of summation).
    """

    def __init__(self, known: Points) -> None:
        """Keeps the array, not a copy. Raises ValueError where it has no rows."""
        if not len(known):
            raise ValueError("there are no rows to search among; give at least one")
        total = np.zeros(known.shape[1:])
        for rows in shown(known, "reading"):
            total += known[rows].sum(axis=0, dtype=np.float64)
        self.known, self.mean = known, (total / len(known)).astype(np.float32)

    def nearest(self, queries: np.ndarray) -> np.ndarray:
        """The number of the row nearest to each query (n, ...): int64 (n,); of equally near ones the first.

        A query with NaN, or too large for float32 squares, gets 0.
        """
        n, m = len(queries), len(self.known)
        asked = _extended(queries, self.mean)
        sizes = np.sqrt(asked[:, -1].astype(np.float64))
        asked[:, -1] = 1
        best = np.full(n, np.inf, np.float32)  # of the product, whose |a|^2 is missing
        exact, found = np.full(n, np.inf), np.zeros(n, np.int64)
        room = np.empty((min(ROWS, n), min(COLUMNS, m)), np.float32)
        for columns in _bar(m):
            block = self.known[columns]
            known = _extended(block, self.mean)
            largest = math.sqrt(known[:, -1].max())
            known[:, :-1] *= -2
            for rows in chunks(n, ROWS):
                part = asked[rows]
                distance = np.matmul(part, known.T, out=room[: len(part), : len(known)])
                smallest = distance[np.arange(len(part)), distance.argmin(axis=1)]
                np.fmin(best[rows], smallest, out=best[rows])
                limit = best[rows] + self._doubt(sizes[rows], best[rows], largest)
                near = np.flatnonzero(
                    (smallest <= limit) & np.isfinite(limit)
                )  # few, once the first blocks have been seen
                which, there = _below(distance, near, limit.astype(np.float32))
                _decide(queries[rows], block, which, there, columns.start, exact[rows], found[rows])
        return found

    def _doubt(self, sizes: np.ndarray, best: np.ndarray, largest: float) -> np.ndarray:
        """How far apart two products may come out in the wrong order: float64 (n,)."""
        farthest = sizes + np.sqrt(np.maximum(best + sizes**2, 0))
        b = np.minimum(farthest, largest)
        return 2 * (2 * self.mean.size + 8) * UNIT * (2 * sizes + b) * b


def nearest_shapes(known: Points, points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k rows of known poses (m, J, 2), an array or MappedRows, whose picture is most like points (J, 2).

    Pictures are compared at one size, each over the root mean square of its joints' distances from the root,
    and by the joints alone that `points` has (NaN: not seen). Returns row numbers and gaps (k,), nearest
    first, of equally near ones the first row first; a gap is the root mean square distance of the joints, in
    the unit of `points`. Fewer where `known` has fewer rows that have these joints. Raises ValueError where
    no joint was seen.
    """
    seen = np.isfinite(points).all(axis=1)
    if not seen.any():
        raise ValueError("no joint was seen; give at least one")
    shape, size = _shape(points[None, seen].astype(np.float64))
    rows, gaps = np.zeros(0, np.int64), np.zeros(0)
    for block in _bar(len(known)):
        other, _ = _shape(known[block][:, seen].astype(np.float64))
        gap = np.sqrt(np.square(other - shape).sum(axis=(1, 2)) / seen.sum())
        there = np.flatnonzero(np.isfinite(gap))
        rows, gaps = np.concatenate([rows, there + block.start]), np.concatenate([gaps, gap[there]])
        best = np.lexsort((rows, gaps))[:k]
        rows, gaps = rows[best], gaps[best]
    return rows, gaps * float(size[0, 0, 0])


def _shape(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, J, 2) at size 1, and their sizes (n, 1, 1)."""
    size = np.sqrt(np.square(points).sum(axis=(1, 2), keepdims=True) / points.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return points / size, size


def _below(values: np.ndarray, rows: np.ndarray, limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where values (n, m) do not exceed limit (n,), among some `rows`: the rows and the columns, in order."""
    found = []
    for part in chunks(len(rows), 64):  # 1 MB, which stays in cache; flat, for numpy skips over zeros there
        some = rows[part]
        row, column = np.divmod(np.flatnonzero(values[some] <= limit[some, None]), values.shape[1])
        found.append((some[row], column))
    which, there = zip(*found, strict=True) if found else ((rows,), (rows,))
    return np.concatenate(which), np.concatenate(there)


def _decide(
    queries: np.ndarray, known: np.ndarray, which: np.ndarray, there: np.ndarray, start: int,
    exact: np.ndarray, found: np.ndarray,
) -> None:  # fmt: skip
    """Put the nearest of the candidates, pairs of a query and a known row in order, where it is nearer than
    what was found before: its distance squared into `exact`, its number, from `start`, into `found`."""
    for pairs in chunks(len(which), PAIRS):
        query, row = which[pairs], there[pairs]
        apart = queries[query].astype(np.float64) - known[row]
        square = np.square(apart).reshape(len(apart), -1).sum(axis=1)
        order = np.lexsort((square, query))  # stable: of equal distances the first row stays the first
        query, row, square = query[order], row[order], square[order]
        first = np.flatnonzero(np.diff(query, prepend=-1))
        query, row, square = query[first], row[first], square[first]
        nearer = square < exact[query]
        exact[query[nearer]], found[query[nearer]] = square[nearer], row[nearer] + start


def _extended(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """float32 (n, k + 1): the numbers of each row less the mean's, and their sum of squares."""
    centred = (rows - mean).reshape(len(rows), mean.size)
    squares = np.einsum("ij,ij->i", centred, centred)[:, None]
    return np.concatenate([centred, squares], axis=1, dtype=np.float32)


def _bar(n: int) -> Iterable[slice]:
    """The blocks of n known rows; where they take more than two seconds, a terminal shows a bar."""
    if sys.stderr is None or not sys.stderr.isatty():
        return chunks(n, COLUMNS)
    from tqdm import tqdm

    options = {"unit": " poses", "unit_scale": COLUMNS, "delay": 2, "leave": False}
    return tqdm(chunks(n, COLUMNS), "nearest neighbours", -(-n // COLUMNS), **options)
