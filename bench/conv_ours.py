"""minilift's side of bench.conv, in its own process. The counterpart of bench/conv_torch.py."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from bench.conv_cases import CASES, ConvCase, Dense
from bench.minilift_side import about
from bench.worker import seconds_per_call
from minilift import SGD, CrossEntropy, PlainStep
from minilift.images.layers import BatchNorm2d, Conv2d, MaxPool2d
from minilift.nn import Linear, Module, ReLU, Sequential

__all__ = ["Layer", "about"]


class Layer:
    def __init__(self, variant: str, threads: int) -> None:
        del variant, threads  # the environment has the threads

    def prepare(self, case: str) -> None:
        found = CASES[case]
        self.call = _step(found) if isinstance(found, Dense) else _layer(found)
        self.time(0, 3)

    def time(self, seconds: float, steps: int, cpu: bool = False) -> float:
        return seconds_per_call(self.call, seconds, steps, cpu)


def _layer(case: ConvCase) -> Callable[[], object]:
    channels = case.shape[1]
    made: dict[str, Callable[[], Module]] = {
        "Conv2d": lambda: Conv2d(channels, case.filters, case.kernel, case.stride, case.padding),
        "MaxPool2d": lambda: MaxPool2d(case.kernel, case.stride),
        "BatchNorm2d": lambda: BatchNorm2d(channels),
    }
    layer = made[case.kind]()
    x = layer.ops.asarray(np.random.default_rng(1).standard_normal(case.shape))
    dy = layer.ops.ones(layer.forward(x, True).shape)
    backward = layer.backward_parameters if case.first else layer.backward

    def call() -> None:
        with layer.ops.parallel():
            layer.forward(x, True)
            backward(dy)

    return call


def _step(case: Dense) -> Callable[[], object]:
    rng = np.random.default_rng(1)
    layers: list[Module] = []
    for inputs, outputs in pairwise(case.sizes):
        layers += [Linear(inputs, outputs), ReLU()]
    net = Sequential(*layers[:-1])
    step = PlainStep(net, CrossEntropy(), SGD(net.parameters(), lr=1e-3))
    x = net.ops.asarray(rng.random((case.batch, case.sizes[0])))
    y = net.ops.asindex(rng.integers(case.sizes[-1], size=case.batch))
    return lambda: step(x, y)
