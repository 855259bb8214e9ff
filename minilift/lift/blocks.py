"""The residual blocks of a LiftModel: the usual one, and what makes others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minilift.nn import BatchNorm1d, Dropout, Linear, Module, ReLU, Residual
from minilift.ops import Ops

BlockMaker = Callable[[int, float, str, Any, Ops], Module]  # width, dropout, init, generator, operations


def usual_block(width: int, dropout: float, init: str, rng: Any, ops: Ops) -> Residual:
    """Twice (Linear, BatchNorm1d, ReLU, Dropout), and the shortcut around them: Martinez et al., figure 1."""
    layers: list[Module] = []
    for _ in range(2):
        layers += [Linear(width, width, init=init, rng=rng, ops=ops), BatchNorm1d(width, ops=ops)]
        layers += [ReLU(ops=ops), Dropout(dropout, ops=ops)]
    return Residual(*layers, ops=ops)
