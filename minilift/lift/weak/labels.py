"""Poses with labels among others without: how often they are seen."""

from __future__ import annotations

import numpy as np

LEAST = 0.25
"""Of an epoch, the share of poses with labels where there are some: they are seen more often than others if
they are fewer. Else a share of 1% would have two or three in a batch."""


def more_often(order: np.ndarray, labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The order of an epoch, row numbers, with labelled ones in the places of some others.

    `labels` (n,) bool. Where they are fewer than LEAST of the order, they come again and again, each as often
    as the others or once more; places are drawn.
    """
    has = labels[order]
    missing = int(np.ceil(LEAST * len(order))) - int(has.sum())
    if missing > 0:
        places = random.permutation(np.flatnonzero(~has))[:missing]
        order[places] = np.resize(order[has], missing)
    return order
