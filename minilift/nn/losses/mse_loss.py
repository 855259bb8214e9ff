"""Mean squared error."""

from __future__ import annotations

from minilift.nn.losses.base import Loss


class MSE(Loss):
    """The mean squared error over all elements; pred, target of any shape.

    loss = mean (pred - target)^2,   grad = 2 (pred - target) / size
    """

    name = "mse"
