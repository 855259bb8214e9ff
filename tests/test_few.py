"""The statistics of a few numbers are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from minilift.poses.few import distinct, evenly, median_of_known, quantile


@pytest.mark.parametrize("n", [0, 1, 2, 7, 100])
def test_distinct_is_unique(n: int) -> None:
    values = np.random.default_rng(n).integers(0, 20, (n, 3))
    np.testing.assert_array_equal(distinct(values), np.unique(values))


@pytest.mark.parametrize("n", [1, 2, 7, 30])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.95, 1.0])
def test_a_quantile_lies_on_a_straight_line_between_two_numbers(n: int, share: float) -> None:
    values = np.random.default_rng(n).standard_normal((n, 2))
    np.testing.assert_allclose(quantile(values, share), np.quantile(values, share, axis=0), atol=1e-15)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_median_leaves_out_what_is_not_known(axis: int) -> None:
    values = np.random.default_rng(1).standard_normal((6, 7))
    values[np.random.default_rng(2).random(values.shape) < 0.4] = np.nan
    np.testing.assert_array_equal(median_of_known(values, axis), np.nanmedian(values, axis=axis))
    values[2], values[:, 3] = np.nan, np.nan
    assert np.isnan(median_of_known(values, axis)).sum() == 1
    assert median_of_known(values[:0], 0).shape == (7,)


@pytest.mark.parametrize(("n", "most"), [(0, 5), (5, 5), (6, 5), (9999, 500)])
def test_rows_are_spread_from_first_to_last(n: int, most: int) -> None:
    rows = evenly(n, most)
    assert len(rows) == min(n, most)
    assert (np.diff(rows) > 0).all()
    assert not n or (rows[0], rows[-1]) == (0, n - 1)
