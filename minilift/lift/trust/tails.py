"""How wide an interval must be to hold on a person who is not among those that it was found on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from minilift.lift.trust.expected import LEVEL

TAILS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""What may be left of the two tails."""

Found = TypeVar("Found")


def tail_that_holds(
    fit: Callable[[np.ndarray, float], Found], holds: Callable[[Found, np.ndarray], float], groups: np.ndarray
) -> float:
    """The share of the tails outside of an interval that may stay outside, for people of other groups.

    Errors of one person are alike: quantiles of a few people's hold too little of another's, for they know
    how errors differ within these people, and less of how people differ. So every group (n,) is left out in
    turn: fit(rows, tail) is what is found on the others, holds(found, rows) the share of its errors within
    their intervals. The largest of TAILS is taken with which they hold LEVEL on average over the groups, each
    counting as much; the smallest where none does, and 1 where there is one group only.

    Source: the jackknife of prediction intervals (Barber et al., "Predictive inference with the jackknife+",
    Annals of Statistics 49(1), 2021), by groups.
    """
    numbers = np.unique(groups)
    if len(numbers) < 2:
        return TAILS[0]
    for tail in TAILS:
        held = [holds(fit(groups != one, tail), groups == one) for one in numbers]
        if np.mean(held) >= LEVEL:
            return tail
    return TAILS[-1]
