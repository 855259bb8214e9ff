"""The residual blocks of a LiftModel: the usual one, and what makes others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minilift.nn import BatchNorm1d, Dropout, Linear, Module, ReLU, Residual
from minilift.ops import Ops

BlockMaker = Callable[[int, float, str, Any, Ops], Module]  # width, dropout, init, generator, operations
LEAK = 0.2
"""The slope of blocks without normalisation, where nothing else is said: that of Radford et al.,
arXiv:1511.06434, section 3."""


def usual_block(width: int, dropout: float, init: str, rng: Any, ops: Ops) -> Residual:
    """Twice (Linear, BatchNorm1d, ReLU, Dropout), and the shortcut around them: Martinez et al., figure 1."""
    layers: list[Module] = []
    for _ in range(2):
        layers += [Linear(width, width, init=init, rng=rng, ops=ops), BatchNorm1d(width, ops=ops)]
        layers += [ReLU(ops=ops), Dropout(dropout, ops=ops)]
    return Residual(*layers, ops=ops)


def plain_block(slope: float) -> BlockMaker:
    """Twice (Linear, ReLU(slope), Dropout), and the shortcut: rows of a batch know nothing of each other."""

    def make(width: int, dropout: float, init: str, rng: Any, ops: Ops) -> Residual:
        layers: list[Module] = []
        for _ in range(2):
            layers += [Linear(width, width, init=init, rng=rng, ops=ops), ReLU(slope, ops=ops)]
            layers.append(Dropout(dropout, ops=ops))
        return Residual(*layers, ops=ops)

    return make
