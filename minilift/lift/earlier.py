"""Training checkpoints of earlier versions, in the form of this one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minilift.lift.model import LiftModel
from minilift.nn import Dropout


def upgraded(
    arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any], model: LiftModel
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and meta of a checkpoint as Trainer.restore takes them; those of today come back as they are.

    Until version 1 the network was called `model`, the calls of all its dropouts were one array, the sums of
    a begun epoch were two numbers (loss, MPJPE), and the best error was infinite before there was one. What
    is malformed is left so: Trainer.restore says what is wrong with it.
    """
    if not any(name.startswith("model.") for name in arrays):
        return dict(arrays), dict(meta)
    layers = [name for name, module in model.modules() if isinstance(module, Dropout)]
    found: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        if name == "model.dropout.calls":
            calls = zip(layers, value.reshape(-1), strict=False)
            found |= {f"network.{layer}.calls": np.array(count) for layer, count in calls}
        else:
            found["network." + name.removeprefix("model.") if name.startswith("model.") else name] = value
    progress = meta.get("progress")
    if not isinstance(progress, Mapping):
        return found, dict(meta)
    progress = dict(progress)
    sums = progress.get("sums")
    if isinstance(sums, list | tuple) and len(sums) == 2:
        progress["sums"] = dict(zip(("loss", "mpjpe"), sums, strict=True)) if progress.get("batch") else {}
    if progress.get("best") == math.inf:
        progress["best"] = math.nan
    return found, {**meta, "progress": progress}
