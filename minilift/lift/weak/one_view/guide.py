"""How high each camera stands, told from its image alone.

How high the cameras of the data stand is not known. But of a turned image it is: it was turned there. And
where the lifter and the discriminator do their work, turned images look like those of the data. So a small
network learns from the first what it tells of the second.

What that is for: a way around a person is about the true vertical. Let a camera stand 10 degrees above the
mean one. Its pose, turned about the mean camera's vertical, leans to one side afterwards, as no image of the
data does. So the lifter would rather tilt it than have it lean.
"""

from __future__ import annotations

import math

import numpy as np

from minilift.lift.model import LiftModel
from minilift.ops import Array

TURN = math.radians(10)
"""What 1 of the network's answer stands for."""
SPREAD = math.radians(10)
"""The standard deviation of the elevations to which cameras are turned."""


class Guide:
    """A network from images (n, 2J) to how far their cameras stand above the mean one."""

    def __init__(self, network: LiftModel) -> None:
        self.network, self.ops = network, network.ops

    def __call__(self, images: Array) -> np.ndarray:
        """Radians (n,) on the host, 0 on average: the mean is known otherwise. Waits for the device."""
        told = np.asarray(self.ops.to_host(self.network.forward(images, True))[:, 0], np.float64)
        return TURN * (told - told.mean())

    def learn(self, images: Array, above: np.ndarray, total: Array) -> None:
        """Gradients of mean (answer - above / TURN)^2, which is added to `total`; `above` (n,) in radians."""
        ops = self.ops
        told = self.network.forward(images, True)
        wanted, grad = ops.scratch("above", told.shape), ops.scratch("dabove", told.shape)
        ops.copy((above / TURN).astype(ops.dtype)[:, None], out=wanted)
        ops.mse(told, wanted, grad, total)
        self.network.backward(grad)
