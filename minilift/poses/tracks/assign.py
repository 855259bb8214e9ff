"""The assignment problem: which row belongs to which column, so that the sum of the costs is least."""

from __future__ import annotations

import numpy as np

_SMALL = 24  # rows and columns up to which a matrix is not taken apart first


def assign(cost: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (rows, columns) of a matrix (n, m) with the least sum of costs, where a row or a column without a
    partner costs `limit`: so no pair at or above it is made. Rows ascend; NaN is as good as infinite.

    The optimum: the Hungarian method with potentials (Kuhn 1955; Jonker & Volgenant 1987), O(n^2 m), on each
    group of rows and columns that have candidates in common.
    """
    cost = np.where(cost < limit, cost, limit)  # NaN is not less
    rows = np.flatnonzero((cost < limit).any(axis=1))
    columns = np.flatnonzero((cost < limit).any(axis=0))
    if not len(rows):
        return rows, rows.copy()
    small = cost[np.ix_(rows, columns)]
    nearest = small.argmin(axis=1)
    if len(set(nearest.tolist())) == len(rows):  # each has its best: nothing is less
        return rows, columns[nearest]
    i, j = _groups(small, limit) if max(small.shape) > _SMALL else _hungarian(small)
    kept = small[i, j] < limit
    order = np.argsort(i[kept])
    return rows[i[kept][order]], columns[j[kept][order]]


def _groups(cost: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The same for a matrix that falls apart: rows and columns that share no candidates are solved alone."""
    i, j = np.nonzero(cost < limit)
    row, column = np.arange(len(cost)), np.full(cost.shape[1], len(cost))
    while True:  # every group ends with the number of its first row
        before = row.copy()
        np.minimum.at(column, j, row[i])
        np.minimum.at(row, i, column[j])
        if np.array_equal(before, row):
            break
    pairs = []
    for label in np.unique(row):
        r, c = np.flatnonzero(row == label), np.flatnonzero(column == label)
        a, b = _hungarian(cost[np.ix_(r, c)])
        pairs.append((r[a], c[b]))
    return np.concatenate([r for r, _ in pairs]), np.concatenate([c for _, c in pairs])


def _hungarian(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A partner for every row, or for every column where these are fewer. Row 0 and column 0 are no real
    ones: a row waits in column 0 until its path to a free column is found."""
    n, m = cost.shape
    if n > m:
        j, i = _hungarian(cost.T)
        return i, j
    u, v = np.zeros(n + 1), np.zeros(m + 1)
    partner, way = np.zeros(m + 1, np.int64), np.zeros(m + 1, np.int64)
    for row in range(1, n + 1):
        partner[0], column = row, 0
        least, used = np.full(m + 1, np.inf), np.zeros(m + 1, bool)
        while partner[column] or not column:
            used[column] = True
            now = partner[column]
            reduced = cost[now - 1] - u[now] - v[1:]
            better = ~used[1:] & (reduced < least[1:])
            least[1:][better], way[1:][better] = reduced[better], column
            open_ones = np.where(used, np.inf, least)
            delta = open_ones.min()
            equal = np.flatnonzero(open_ones == delta)  # among equals a free one: many are, where it ties
            column = int(equal[(partner[equal] == 0).argmax()])
            u[partner[used]] += delta
            v[used] -= delta
            least[~used] -= delta
        while column:
            partner[column] = partner[way[column]]
            column = int(way[column])
    found = np.flatnonzero(partner[1:])
    return partner[1:][found] - 1, found
