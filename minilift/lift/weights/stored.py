"""Which arrays of a file are the weights of a LiftModel, told by their names and shapes; and reading them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike
from minilift.files.weights import Misfit, find_state_dict
from minilift.lift.weights.starting import weights_file

_OWN = re.compile(r"((hidden1|output|res-block_\d{1,4})\.|slope$)")
_NORM = ("weight", "bias", "running_mean", "running_var")
_COUNTER = "num_batches_tracked"  # torch before 0.4.1 did not count


def weights_of_lifter(arrays: Mapping[str, np.ndarray]) -> list[str]:
    """The names of a LiftModel's weights among `arrays`, in its own order; how wide it is does not matter.

    Raises Misfit for the first that is missing or of another shape, and for an array that is named as a part
    of the network and is none: without it the network would be another one.
    """
    own = [name for name in arrays if _OWN.match(name)]
    blocks = sorted({int(m[1]) for name in own if (m := re.match(r"res-block_(\d+)\.", name))})
    for name in ("hidden1.weight", "output.weight"):
        if name not in arrays or arrays[name].ndim != 2:
            raise Misfit(f"no matrix {name!r}: these are not the weights of a LiftModel", len(own))
    hidden, inputs = arrays["hidden1.weight"].shape
    outputs, width = arrays["output.weight"].shape
    if not hidden or not inputs or not outputs or width != hidden:
        ends = f"'hidden1.weight' {(hidden, inputs)} and 'output.weight' {(outputs, width)}"
        raise Misfit(f"{ends} do not fit together", len(own))
    shapes = _shapes(inputs, hidden, outputs, len(blocks), "slope" in arrays)
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            raise Misfit(f"{name!r} has shape {arrays[name].shape}, expected {shape}", len(own))
        if name not in arrays and not name.endswith(_COUNTER):
            raise Misfit(f"{name!r} is missing", len(own))
    for name in own:
        if name not in shapes:
            raise Misfit(f"{name!r} is no part of a LiftModel", len(own))
    return [name for name in shapes if name in arrays]


def read_weights(path: PathLike) -> tuple[dict[str, np.ndarray], str]:
    """The weights of a lifter in a file, or the starting ones by their name; and `Found.note`.

    Raises InputError for a file without them, and for weights with values that no training gives.
    """
    found = find_state_dict(weights_file(path), weights_of_lifter, "give weights of a lifter")
    state = dict(found.state)
    norms = [key.removesuffix("running_mean") for key in state if key.endswith(".running_mean")]
    for norm in norms:  # torch before 0.4.1 did not count
        state.setdefault(f"{norm}{_COUNTER}", np.array(0))
    for key, value in state.items():
        if not np.all(np.isfinite(value)) or (key.endswith(".running_var") and np.any(value < 0)):
            problem = "has values that no training gives (NaN, infinite or a negative variance)"
            raise InputError(f"{path}: {key!r} {problem}; train again, with a lower learning rate")
    return state, found.note


def made_of(state: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The options of a LiftModel that has these weights. Raises ValueError where no LiftModel has them.

    All large matrices are looked at before a model of their size is made: the file is not trusted.
    """
    blocks = {int(m[1]) for key in state if (m := re.match(r"res-block_(\d{1,4})\.", key))}
    for key in ("hidden1.weight", "output.weight"):
        if key not in state or np.ndim(state[key]) != 2:
            raise ValueError(f"no matrix {key!r}: these are not the weights of a LiftModel")
    hidden, inputs = state["hidden1.weight"].shape
    outputs, width = state["output.weight"].shape
    if not hidden or not inputs or not outputs or width != hidden:
        ends = f"'hidden1.weight' {(hidden, inputs)} and 'output.weight' {(outputs, width)}"
        raise ValueError(f"{ends} do not fit together")
    plain = "slope" in state
    for key in [f"res-block_{i}.{j}.weight" for i in range(len(blocks)) for j in linears(plain)]:
        if key not in state or state[key].shape != (hidden, hidden):
            raise ValueError(f"{key!r} is missing or not of shape {(hidden, hidden)}")
    made = {"n_blocks": len(blocks), "hidden_layer": hidden, "output_nodes": outputs}
    if plain:
        made["slope"] = slope_of(state)
    return {**made, **ends_of(inputs, outputs)}


def linears(plain: bool) -> tuple[int, int]:
    """The numbers of a block's Linear layers; `plain` is a block without normalisation."""
    return (0, 3) if plain else (0, 4)


def slope_of(state: Mapping[str, np.ndarray]) -> float:
    """That of blocks without normalisation, 0 <= slope < 1; 0 for others. Raises ValueError for others."""
    stored = np.asarray(state.get("slope", [0.0]))
    if stored.shape != (1,) or not 0 <= stored[0] < 1:
        raise ValueError(f"'slope' is {stored.tolist()!s:.60}, expected one number from 0 to below 1")
    return float(stored[0])


def ends_of(inputs: int, outputs: int) -> dict[str, Any]:
    """The options of a LiftModel whose first layer has `inputs` columns and whose last has `outputs` rows."""
    if 2 * outputs == inputs:
        return {"head": "ray", "input_nodes": inputs}
    if outputs % 3 == 0 and inputs in (outputs, outputs // 3 * 4 + 1):
        return {"head": "place", "levels": inputs > outputs, "input_nodes": outputs // 3 * 2}
    return {"input_nodes": inputs}


def _shapes(
    inputs: int, hidden: int, outputs: int, blocks: int, plain: bool
) -> dict[str, tuple[int, ...]]:  # fmt: skip
    """Every array of such a model, in its own order."""
    shapes: dict[str, tuple[int, ...]] = {"slope": (1,)} if plain else {}
    shapes |= {"hidden1.weight": (hidden, inputs), "hidden1.bias": (hidden,)}
    for i in range(blocks):
        for linear in linears(plain):
            at, norm = f"res-block_{i}.{linear}", f"res-block_{i}.{linear + 1}"
            shapes |= {f"{at}.weight": (hidden, hidden), f"{at}.bias": (hidden,)}
            if not plain:
                shapes |= {f"{norm}.{part}": (hidden,) for part in _NORM} | {f"{norm}.{_COUNTER}": ()}
    return shapes | {"output.weight": (outputs, hidden), "output.bias": (outputs,)}
