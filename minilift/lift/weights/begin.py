"""Training that begins with the weights of a file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minilift.lift.model import LiftModel
from minilift.nn.module import Module


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
