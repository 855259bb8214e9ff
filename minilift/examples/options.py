"""What an example is told: its data, its folder, and the settings of its training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """data         the folder or file of a real set; empty stands for the example's own synthetic pictures
    out             the folder of all files
    net             one of the example's networks
    epochs, lr, batch_size, seed, device, patience   of the training; patience 0 trains for all epochs
    trials          points of a random search, for a study that has one
    resume          whether to go on from the checkpoints in `out`
    say             gets every line that a person reads
    """

    net: str
    epochs: int
    lr: float
    batch_size: int
    data: str = ""
    out: Path = Path("example")
    seed: int = 0
    device: str = "auto"
    patience: int = 0
    trials: int = 8
    resume: bool = False
    say: Callable[[str], None] = print

    def settings(self) -> dict[str, Any]:
        """What the checkpoint keeps: a run can be resumed with these alone."""
        names = ("data", "net", "lr", "batch_size", "seed")
        return {name: getattr(self, name) for name in names}
