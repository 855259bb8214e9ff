"""torch's side of bench.conv, in its own process. The counterpart of bench/conv_ours.py."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from bench.conv_cases import CASES, ConvCase, Dense
from bench.torch_side import about
from bench.worker import seconds_per_call

__all__ = ["Layer", "about"]


class Layer:
    """`variant` is how many threads torch takes, or "all"."""

    def __init__(self, variant: str, threads: int) -> None:
        torch.set_num_threads(threads if variant == "all" else int(variant))

    def prepare(self, case: str) -> None:
        found = CASES[case]
        self.call = _step(found) if isinstance(found, Dense) else _layer(found)
        self.time(0, 3)

    def time(self, seconds: float, steps: int, cpu: bool = False) -> float:
        return seconds_per_call(self.call, seconds, steps, cpu)


def _layer(case: ConvCase) -> Callable[[], object]:
    channels, nn = case.shape[1], torch.nn
    made: dict[str, Callable[[], Any]] = {
        "Conv2d": lambda: nn.Conv2d(channels, case.filters, case.kernel, case.stride, case.padding),
        "MaxPool2d": lambda: nn.MaxPool2d(case.kernel, case.stride),
        "BatchNorm2d": lambda: nn.BatchNorm2d(channels),
    }
    layer = made[case.kind]()
    x = torch.from_numpy(np.random.default_rng(1).standard_normal(case.shape, dtype=np.float32))
    x.requires_grad_(not case.first)
    dy = torch.ones_like(layer(x))

    def call() -> None:
        x.grad = None
        layer.zero_grad()
        layer(x).backward(dy)

    return call


def _step(case: Dense) -> Callable[[], object]:
    rng = np.random.default_rng(1)
    layers: list[Any] = []
    for inputs, outputs in pairwise(case.sizes):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    sgd, loss = torch.optim.SGD(net.parameters(), lr=1e-3), torch.nn.CrossEntropyLoss()
    x = torch.from_numpy(rng.random((case.batch, case.sizes[0]), dtype=np.float32))
    y = torch.from_numpy(rng.integers(case.sizes[-1], size=case.batch))

    def call() -> None:
        sgd.zero_grad()
        loss(net(x), y).backward()
        sgd.step()

    return call
