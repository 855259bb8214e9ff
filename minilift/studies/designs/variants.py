"""Variants and groups of them: what a study compares."""

from __future__ import annotations

from dataclasses import dataclass

from minilift.lift.settings import TrainSettings
from minilift.studies.designs.block import Block


@dataclass(frozen=True)
class Variant:
    """A row of a table: settings, and how their weights predict (a name of PREDICTIONS).

    Variants of one label and different columns stand side by side in its row. `block` is what the
    network is made of, if not the usual blocks.
    """

    label: str
    settings: TrainSettings
    predictions: str = "plain"
    column: str = ""
    block: Block | None = None


@dataclass(frozen=True)
class Group:
    """Variants under a heading; `compared` where the others are compared with the first.

    `measured` is what is to be said of a table with columns.
    """

    title: str
    variants: tuple[Variant, ...]
    compared: bool = True
    measured: str = ""
