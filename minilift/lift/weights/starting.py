"""The starting weights, which come with the package; what weights a word means, and training from weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import minilift
from minilift.files import PathLike, file_error
from minilift.nn.module import Module

if TYPE_CHECKING:
    from minilift.lift.model import LiftModel

STARTING = "starting"
"""What they are called wherever weights may be named. A file of that name is "./starting", or a Path."""
USUAL = "liftModel"
"""What training calls its weights."""


def starting_weights() -> Path:
    """The file of the starting weights. Raises InputError where this installation is without it."""
    path = Path(minilift.__file__).parent / STARTING / USUAL
    if not path.is_file():
        problem = "the starting weights are not in this installation"
        raise file_error(path, f"{problem}; install minilift again from its wheel, or name other weights")
    return path


def weights_file(name: PathLike) -> PathLike:
    """The file that is meant by a name: its own, or that of the starting weights. Raises InputError."""
    return starting_weights() if is_starting(name) else name


def is_starting(name: PathLike | None) -> bool:
    """Whether a name of weights means the starting ones."""
    return isinstance(name, str) and name == STARTING


def weights_here() -> str:
    """The weights that are meant where none are named: liftModel of the working folder, or the starting
    ones."""
    return USUAL if os.path.lexists(USUAL) else STARTING


def half(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A state dict with its matrices in float16, which are all of its size: half the bytes.

    Biases and statistics stay as they are: float16 has no numbers below 6e-8, and a variance may be smaller.
    Raises ValueError for a matrix with numbers that float16 has not, from 65,520 on.
    """
    found = dict(state)
    for name, array in state.items():
        if array.ndim == 2:
            with np.errstate(over="ignore"):
                found[name] = array.astype(np.float16)
            if not np.isfinite(found[name]).all():
                raise ValueError(f"{name!r} has numbers that are too large for float16")
    return found


def begin(model: LiftModel, state: Mapping[str, np.ndarray]) -> None:
    """Give a model the weights of a `state_dict`, and let it keep its own change of units.

    The weights in a file have the change of units of their training in them (`LiftModel.state_dict`), so
    that of the model is taken out of them: with x' = x s + t before hidden1 and y = y' s + t after output,
    W = hidden1.weight / s,  b = hidden1.bias - W t,  and W = output.weight / s,  b = (output.bias - t) / s.
    What the model predicts is what the weights predict. Raises ValueError for weights of another shape.
    """
    before, after, own = model.before, model.after, dict(state)
    if before is not None and after is not None:
        weight, bias = (np.array(state[f"hidden1.{name}"], np.float64) for name in ("weight", "bias"))
        points = weight[:, : model.input_nodes]
        if model.placing is not None and model.takes_noise:
            by, on = model.placing.units()
            weight[:, -1] /= by
            bias -= weight[:, -1] * on
        scale, shift = (model.ops.to_host(part).astype(np.float64) for part in (before.scale, before.shift))
        points /= scale
        if model.placing is None:
            bias -= points @ shift
        else:  # t of a joint is in the weight of its flag
            flags = weight[:, model.input_nodes :][:, : model.input_nodes // 2]
            flags -= (points * shift).reshape(len(weight), -1, 2).sum(axis=2)
        own["hidden1.weight"], own["hidden1.bias"] = weight, bias
        scale, shift = (model.ops.to_host(part).astype(np.float64) for part in (after.scale, after.shift))
        own["output.weight"] = state["output.weight"] / scale[:, None]
        own["output.bias"] = (state["output.bias"] - shift) / scale
    Module.load_state_dict(model, {name: _as(model.dtype, array) for name, array in own.items()})
    model.use_slope()


def _as(dtype: str, array: np.ndarray) -> np.ndarray:
    return array.astype(dtype) if array.dtype.kind == "f" else array
