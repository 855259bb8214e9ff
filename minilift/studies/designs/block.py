"""Residual blocks of other layers than the usual ones, in a word for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minilift.nn import BatchNorm1d, Dropout, Linear, Module, ReLU, Residual, Sequential
from minilift.ops import Ops

USUAL = "linear norm relu dropout"  # twice


@dataclass(frozen=True)
class Block:
    """Layers in order, with spaces between their names, and whether the input goes around them.

    It is a `make_block` of LiftModel. Raises KeyError for the name of no layer.
    """

    layers: str
    shortcut: bool = True

    def __str__(self) -> str:
        return self.layers if self.shortcut else f"{self.layers}, without shortcut"

    def __call__(self, width: int, dropout: float, init: str, rng: Any, ops: Ops) -> Module:
        make = {
            "linear": lambda: Linear(width, width, init=init, rng=rng, ops=ops),
            "norm": lambda: BatchNorm1d(width, ops=ops),
            "relu": lambda: ReLU(ops=ops),
            "dropout": lambda: Dropout(dropout, ops=ops),
        }
        made = [make[name]() for name in self.layers.split()]
        return Residual(*made, ops=ops) if self.shortcut else Sequential(*made, ops=ops)
