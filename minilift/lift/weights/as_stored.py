"""The weights of a LiftModel as a file has them: what predicts is made of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from minilift.lift.fast.folded import FoldedLift
from minilift.lift.weights.stored import made_of
from minilift.ops import get_ops

if TYPE_CHECKING:
    from minilift.lift.model import LiftModel


class AsStored:
    """A state dict and the shape of the model that it is of.

    To predict takes no layers, no gradients and no random numbers: only a fifth of the time that a LiftModel
    takes to be made. `state` is one that `read_weights` gave. Raises ValueError where no LiftModel has these
    weights.
    """

    def __init__(self, state: Mapping[str, np.ndarray], device: str = "cpu") -> None:
        self.ops = get_ops(device)
        self._state = {
            name: value if value.dtype.kind in "iu" else np.asarray(value, self.ops.dtype)
            for name, value in state.items()
        }
        made = made_of(self._state)
        self.input_nodes, self.output_nodes = int(made["input_nodes"]), int(made["output_nodes"])
        self.head = str(made.get("head", "xyz"))
        self.takes_noise = bool(made.get("levels", False))
        self.joint_nodes = 3 * self.output_nodes if self.head == "ray" else self.output_nodes

    def state_dict(self) -> dict[str, np.ndarray]:
        return self._state

    def predictor(self) -> FoldedLift:
        return FoldedLift(self._state, self.ops)

    def model(self) -> LiftModel:
        """The model of these weights, on the same device."""
        from minilift.lift.model import LiftModel  # the layers, which to predict takes none of

        return LiftModel.from_state_dict(self._state, device=self.ops.device)
