"""The networks of training from one view, and the angle that may be learned, as one network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minilift.lift.blocks import LEAK
from minilift.lift.fast.folded import FoldedLift, LayeredLift
from minilift.lift.model import LiftModel
from minilift.nn import Affine, Network
from minilift.nn.params import Parameter
from minilift.ops import Array

SWING = math.radians(30)
"""What 1 of the parameter `elevation` stands for: Adam at a learning rate of 0.0002 moves it by up to 0.006
degrees a step."""
PARTS = ("lifter", "guide", "discriminator")


class Adversaries(Network):
    """A lifter and what it learns from, whose parameters are one vector: one optimiser steps all.

    `lifter` is the model to be trained, `guide` a LiftModel from 2D joints to the elevation of their camera
    (`Guide`), `discriminator` one to two numbers, how much an image looks like one of the data and how much
    like that of a turned prediction. With `elevation` None the mean elevation of the camera is a parameter,
    from 0 on; else it is given, in radians.

    Weights and predictions are those of the lifter.
    """

    parameter_names = ("elevation",)

    def __init__(
        self, lifter: LiftModel, guide: LiftModel, discriminator: LiftModel, elevation: float | None
    ) -> None:
        super().__init__(lifter.ops)
        self.lifter, self.guide, self.discriminator = lifter, guide, discriminator
        self.given = elevation
        self.elevation = Parameter(self.ops.zeros((1,)), self.ops) if elevation is None else None
        self.children = {"lifter": lifter, "guide": guide, "discriminator": discriminator}
        self.parameters()
        begin = [getattr(self, part).parameters()[0].start for part in PARTS[1:]]
        ends = zip([0, *begin], [*begin, self.flat.data.size], strict=True)
        self.parts = {part: slice(*both) for part, both in zip(PARTS, ends, strict=True)}
        """Which part of `flat` is whose; the elevation goes with the lifter."""

    @classmethod
    def of(cls, lifter: LiftModel, unit: float, elevation: float | None) -> Adversaries:
        """With a discriminator of the lifter's shape and a smaller guide, all in units of the data: image
        points of a standard deviation of `unit`, depths about the root."""
        ops, points = lifter.ops, lifter.input_nodes
        made: dict[str, Any] = {"input_nodes": points, "slope": LEAK, "tf32": getattr(ops, "tf32", False)}
        made |= {"device": lifter.device, "dtype": lifter.dtype}
        blocks, width, seed = lifter.n_blocks, lifter.hidden_layer, lifter.seed
        guide = LiftModel(1, max(width // 2, 1), 0.0, 1, seed=seed + 2, **made)
        judge = LiftModel(blocks, width, 0.0, 2, seed=seed + 1, **made)
        for model, scale, shift in ((lifter, unit, -1.0), (guide, 1.0, 0.0), (judge, 1.0, 0.0)):
            outputs = model.output_nodes
            model.before = Affine(np.full(points, 1 / unit), np.zeros(points), ops=ops)
            model.after = Affine(np.full(outputs, scale), np.full(outputs, shift), ops=ops)
        return cls(lifter, guide, judge, elevation)

    @property
    def angle(self) -> float:
        """The mean elevation of the camera, in radians, as it is known by now."""
        if self.given is not None:
            return self.given
        assert self.elevation is not None
        return SWING * float(self.ops.to_host(self.elevation.data)[0])

    def forward(self, x: Array, train: bool = False) -> Array:
        return self.lifter.forward(x, train)

    def predictor(self) -> FoldedLift | LayeredLift:
        return self.lifter.predictor()

    def state_dict(self) -> dict[str, np.ndarray]:
        return self.lifter.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.lifter.load_state_dict(state)

    def snapshot(self) -> dict[str, Any]:
        state = {
            f"{part}.{name}": array
            for part in PARTS
            for name, array in getattr(self, part).snapshot().items()
        }
        if self.elevation is not None:
            state["elevation"] = self.ops.to_host(self.elevation.data)
        return state

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        if ("elevation" in snapshot) != (self.elevation is not None):
            raise ValueError("snapshot does not fit the network: one of both learns the elevation")
        for part in PARTS:
            own = {k.removeprefix(f"{part}."): v for k, v in snapshot.items() if k.startswith(f"{part}.")}
            getattr(self, part).restore(own)
        if self.elevation is not None:
            self.elevation.data = np.asarray(snapshot["elevation"])
