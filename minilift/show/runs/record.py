"""What a run leaves behind for its charts: the gradients of its first steps, its layers after every epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minilift.nn import Linear, ReLU
from minilift.nn.module import Module
from minilift.nn.network import Network
from minilift.ops import Array

FIRST_STEPS = 100
SAMPLE = 512  # rows from whose activations the statistics are taken
BLOCK = 1 << 18  # elements of the gradient that are added up at once


class Recorder:
    """Looks at a network while it is trained, and changes nothing: the weights are, to the bit, the same.

    `step` after each training step and `epoch` after each epoch; `arrays` is what they have found:

        gradient_mean, gradient_norm       (steps,) of the first 100: the mean of |g| over all parameters, and
                                           the square root of the sum of g^2. As the optimiser took them:
                                           after clipping, before its weight decay
        epochs                             (e,) epochs finished; 0 is the network as it was at the beginning
        weight_names                       (k,) the Linear layers, in order
        weight_mean, weight_std            (e, k) of the elements of their weights
        activation_names                   (a,) the Linear layers at both ends, and all ReLUs
        activation_mean, activation_std    (e, a) of what they give, for `sample`, as in evaluation
        relu_names, dead                   (r,), (e, r) share of a ReLU's units that are 0 for all of `sample`

    All float64. `sample` (n, ...) are rows of input on the network's device. On a GPU, where many steps
    are one launch, there are no gradients to look at in between: `why` says so, and they stay empty.
    """

    def __init__(self, network: Network, sample: Array) -> None:
        self.network, self.sample = network, sample
        on_cpu = network.device == "cpu"
        self.why = "" if on_cpu else "the gradients of the first steps are recorded on the CPU only"
        self.count = sum(p.size for p in network.parameters())  # the flat vector has some padding, too
        layers = [(name, layer) for name, layer in network.modules() if not layer.children]
        self.linears: list[tuple[str, Any]] = [(n, m) for n, m in layers if isinstance(m, Linear)]
        self.relus: list[tuple[str, Any]] = [(n, m) for n, m in layers if isinstance(m, ReLU)]
        self.seen = [*self.linears[:1], *self.relus, *self.linears[-1:]]
        self.gradients: list[tuple[float, float]] = []
        self.layers: dict[int, dict[str, list[float]]] = {}

    def step(self, done: int) -> None:
        """After step number `done`, counted from 1. Those behind the first 100 cost nothing."""
        if self.why or done > FIRST_STEPS or done != len(self.gradients) + 1:
            return
        size, square = 0.0, 0.0
        for part in _parts(self.network.flat.grad):
            size += float(np.abs(part).sum())
            square += float(np.dot(part, part))
        self.gradients.append((size / self.count, math.sqrt(square)))

    def epoch(self, done: int) -> None:
        """After so many epochs. Runs `sample` through the plain layers, whose arrays training writes anew."""
        self.network.forward(self.sample)
        found: dict[str, list[float]] = {"dead": [self._dead(relu) for _, relu in self.relus]}
        for kind, values in (
            ("weight", [layer.weight.data for _, layer in self.linears]),
            ("activation", [layer.y for _, layer in self.seen]),
        ):
            wide = [self.network.ops.to_host(value).astype(np.float64) for value in values]
            found[f"{kind}_mean"] = [float(value.mean()) for value in wide]
            found[f"{kind}_std"] = [float(value.std()) for value in wide]
        self.layers[done] = found

    def _dead(self, relu: Module) -> float:
        y = self.network.ops.to_host(relu.y)  # type: ignore[attr-defined]
        return float((y == 0).all(axis=0).mean())

    def arrays(self) -> dict[str, np.ndarray]:
        """All that has been found so far, by the names above."""
        gradients = np.array(self.gradients, np.float64).reshape(-1, 2)
        found: dict[str, np.ndarray] = {"gradient_mean": gradients[:, 0], "gradient_norm": gradients[:, 1]}
        found["epochs"] = np.array(list(self.layers), np.int64)
        named = (("weight", self.linears), ("activation", self.seen), ("relu", self.relus))
        for kind, layers in named:
            found[f"{kind}_names"] = np.array([name for name, _ in layers], np.str_)
        for key, layers in (
            ("weight_mean", self.linears), ("weight_std", self.linears), ("activation_mean", self.seen),
            ("activation_std", self.seen), ("dead", self.relus),
        ):  # fmt: skip
            rows = [row[key] for row in self.layers.values()]
            found[key] = np.array(rows, np.float64).reshape(len(rows), len(layers))
        return found

    def restore(self, arrays: Mapping[str, np.ndarray], steps: int, epochs: int) -> None:
        """Go on from `arrays` of this network, of which what lies behind so many steps and epochs is dropped.

        Of another network's they are left alone: a chart that lacks its beginning is better than a wrong one.
        """
        own = self.arrays()
        if any(arrays[name].tolist() != own[name].tolist() for name in own if name.endswith("_names")):
            return
        both = np.stack([arrays["gradient_mean"], arrays["gradient_norm"]], axis=1)[:steps]
        self.gradients = [(float(mean), float(norm)) for mean, norm in both]
        keys = ("weight_mean", "weight_std", "activation_mean", "activation_std", "dead")
        self.layers = {
            int(epoch): {key: arrays[key][row].tolist() for key in keys}
            for row, epoch in enumerate(arrays["epochs"])
            if epoch <= epochs
        }


def _parts(vector: np.ndarray) -> Iterator[np.ndarray]:
    """A vector's elements, some at a time, in float64."""
    for start in range(0, len(vector), BLOCK):
        yield vector[start : start + BLOCK].astype(np.float64)
