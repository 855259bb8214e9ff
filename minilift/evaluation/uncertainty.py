"""What a mean leaves out: percentiles, how far it would move with other poses, what a score tells apart."""

import numpy as np
from numpy.typing import ArrayLike

from minilift.files.mapped import chunks

BLOCK = 50
FEWEST, MOST = 30, 2000


def percentiles(values: ArrayLike, shares: ArrayLike) -> np.ndarray:
    """The values below which `shares` per cent of `values` (N,) lie; 100 is the largest.

    Between two values linearly, as numpy.percentile (definition 7 of Hyndman and Fan, "Sample quantiles in
    statistical packages", The American Statistician 50(4), 1996), which would import numpy.ma first.
    """
    ordered = np.sort(_values(values))
    return np.interp(
        np.asarray(shares, np.float64) / 100 * (len(ordered) - 1), np.arange(len(ordered)), ordered
    )


def bootstrap(
    values: ArrayLike, groups: np.ndarray | None = None, block: int | None = None,
    resamples: int = 1000, level: float = 0.95, seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """An interval for the mean of `values` (N,), from resampling them: (low, high).

    Percentile intervals: `resamples` times as many groups as there are are drawn with replacement, and of the
    means of what was drawn the middle `level` is kept. The same seed gives the same interval.

    Poses that follow each other in one recording are alike, and so are their errors: single poses, drawn one
    by one, would give an interval that is several times too narrow. So what is drawn are the `groups` (N,),
    a number for each value, such as its clip; or, without them, blocks of `block` neighbours (`block_size`).
    Of poses that were shuffled, neighbours have nothing in common: then either gives the same interval, and
    it holds for other poses of the same recordings, not for other recordings.

    Raises ValueError without at least two groups: one says nothing about the next.

    Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; blocks: Carlstein,
    Annals of Statistics 14(3), 1986 (side by side, as here), Künsch, 17(3), 1989 (overlapping).
    """
    each = _values(values).astype(np.float64)
    if groups is None:
        begins = np.arange(0, len(each), block or block_size(len(each)))
        sums, counts = np.add.reduceat(each, begins), np.diff(begins, append=len(each))
    else:
        number = np.unique(groups, return_inverse=True)[1].reshape(-1)
        sums, counts = np.bincount(number, each), np.bincount(number)
    if len(sums) < 2:
        raise ValueError(f"an interval needs at least 2 groups of values, these {len(each)} are {len(sums)}")
    rng, means = np.random.default_rng(seed), np.empty(resamples)
    for part in chunks(resamples, max(1, (1 << 20) // len(sums))):
        drawn = rng.integers(len(sums), size=(part.stop - part.start, len(sums)))
        means[part] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = percentiles(means, [50 - 50 * level, 50 + 50 * level])
    return float(low), float(high)


def block_size(n: int) -> int:
    """How many neighbours of n poses make a block: 50, two seconds at 25 frames a second.

    Errors are alike for about a second. Longer blocks than needed only make the interval less steady, which
    is why there are no fewer than 30. Of many poses there are no more than 2,000: they cost time and memory.
    """
    return max(1, min(BLOCK, n // FEWEST), -(-n // MOST))


def ranks(values: ArrayLike) -> np.ndarray:
    """The place of each of `values` (N,) in rising order, from 1; equal ones share the mean of theirs."""
    _, number, count = np.unique(_values(values), return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[number.reshape(-1)]


def auroc(usual: ArrayLike, unusual: ArrayLike) -> float:
    """The area under the ROC curve of a score that is to be higher for `unusual` (M,) than for `usual` (N,).

    The share of pairs in which it is, where a tie counts half: 0.5 says nothing, 1 tells all apart. By ranks,
    (sum of those of `unusual` - M (M + 1) / 2) / (N M).

    Sources: Mann & Whitney, Annals of Mathematical Statistics 18(1), 1947; Hanley & McNeil, Radiology 143(1),
    1982.
    """
    few, many = _values(unusual), _values(usual)
    total = ranks(np.concatenate([many, few]))[len(many) :].sum()
    return float((total - len(few) * (len(few) + 1) / 2) / (len(many) * len(few)))


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's correlation of two series (N,), Pearson's of their ranks; 0 where one never changes."""
    a, b = (ranks(values) - (len(_values(values)) + 1) / 2 for values in (first, second))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else 0.0


def _values(values: ArrayLike) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"expected one value for each of some poses, got shape {array.shape}")
    return array
