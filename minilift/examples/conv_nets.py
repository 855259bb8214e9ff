"""The two networks of a course on convolutions: for pictures of one size, and for pictures of any size."""

from __future__ import annotations

from collections.abc import Callable

from minilift.images.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    MaxPool2d,
    Softmax,
    Squeeze,
)
from minilift.nn import Linear, Module, ReLU, Sequential
from minilift.nn.metrics import accuracy
from minilift.ops import Ops
from minilift.train import Batches, Measure
from minilift.train.step import Loss

CLASSES = 10
# Channels in and out, kernel and stride of each convolution; padding keeps the size, but for the stride
SLIDES = (
    (3, 6, 3, 1), (6, 9, 3, 1), (9, 9, 5, 1), (9, 9, 5, 1), (9, 18, 5, 2), (18, 36, 5, 2), (36, 72, 3, 1),
)  # fmt: skip
POOLS = {"max": GlobalMaxPool2d, "mean": GlobalAvgPool2d}


def _stage(inputs: int, outputs: int, pool: bool, ops: Ops, rng: object) -> list[Module]:
    """Convolution 3x3 that keeps the size, ReLU, and every second pixel in both directions."""
    layers: list[Module] = [Conv2d(inputs, outputs, 3, padding=1, rng=rng, ops=ops), ReLU(ops=ops)]
    return [*layers, MaxPool2d(2, ops=ops)] if pool else layers


def fixed_net(side: int, ops: Ops, seed: int) -> Sequential:
    """Three stages 1-16-32-64 and a Linear layer on all that is left of `side` x `side` pixels."""
    rng, left = ops.generator(seed), side // 2 // 2 // 2
    stages = [part for a, b in ((1, 16), (16, 32), (32, 64)) for part in _stage(a, b, True, ops, rng)]
    return Sequential(*stages, Flatten(ops=ops), Linear(64 * left * left, CLASSES, rng=rng, ops=ops))


def variable_net(width: int, pool: str, ops: Ops, seed: int) -> Sequential:
    """Stages 1-16-32-`width`, one number for each map whatever its size, and a Linear layer."""
    rng = ops.generator(seed)
    stages = [part for a, b in ((1, 16), (16, 32)) for part in _stage(a, b, True, ops, rng)]
    last = [*_stage(32, width, True, ops, rng), POOLS[pool](ops=ops)]
    return Sequential(*stages, *last, Linear(width, CLASSES, rng=rng, ops=ops))


def slides_cnn(softmax: bool, ops: Ops, seed: int) -> Sequential:
    """The contest's best network, 49,483 parameters, for 3 x 32 x 32 pixels.

    `softmax` leaves it as it is on the slide, with a Softmax before a loss that has one in it.
    """
    rng, layers = ops.generator(seed), list[Module]()
    for inputs, outputs, kernel, stride in SLIDES:
        layers += [
            Conv2d(inputs, outputs, kernel, stride, kernel // 2, rng=rng, ops=ops),
            BatchNorm2d(outputs, ops=ops), ReLU(ops=ops),
        ]  # fmt: skip
    # Not the slide's squeeze of every axis, which takes the batch of one picture for channels
    end = [AvgPool2d(8, ops=ops), Squeeze((2, 3), ops=ops), Linear(72, CLASSES, rng=rng, ops=ops)]
    return Sequential(*layers, *end, *([Softmax(1, ops=ops)] if softmax else []))


def accuracy_check(network: Sequential, loss: Loss, batches: Batches) -> Callable[[], float]:
    """What gives the accuracy of now on these pictures."""
    measure = Measure(network, loss, {"accuracy": accuracy})
    return lambda: measure(batches)["accuracy"]
