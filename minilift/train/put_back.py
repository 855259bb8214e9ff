"""A network and its optimiser as a checkpoint has them: both, or neither."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minilift.nn.network import Network
from minilift.optim import Optimiser


def put_back(
    network: Network, optimiser: Optimiser, arrays: Mapping[str, np.ndarray], kind: str | None
) -> None:
    """Copy in the arrays "network.NAME" and "optimiser.NAME", of an optimiser of that class (None: unknown).

    Raises KeyError, TypeError or ValueError for what does not fit; then both are as they were before.
    """
    parts: dict[str, dict[str, np.ndarray]] = {"network": {}, "optimiser": {}}
    for name, value in arrays.items():
        part, key = name.split(".", 1)
        parts[part][key] = value
    own = optimiser.state_dict()
    if kind not in (None, type(optimiser).__name__):
        raise ValueError(f"it is of {kind}, the optimiser is {type(optimiser).__name__}")
    if unknown := sorted(parts["optimiser"].keys() - own.keys()):
        raise ValueError(f"it is of another optimiser, with {unknown[0]!r}")
    before = network.snapshot()
    try:
        network.restore(parts["network"])
        optimiser.load_state_dict(parts["optimiser"])
    except (KeyError, TypeError, ValueError):
        network.restore(before)
        optimiser.load_state_dict(own)
        raise
