"""Layers made of layers."""

from __future__ import annotations

from collections.abc import Iterator

from minilift.nn.module import Module
from minilift.nn.network import Network, number_dropouts
from minilift.ops import Array, Ops


class Sequential(Network):
    """Layers one after the other, numbered from 0: a network, or a part of one.

    forward    y = f_last(... f_1(f_0(x)))
    backward   the chain rule, last layer first
    """

    def __init__(self, *layers: Module, ops: Ops | None = None) -> None:
        super().__init__(ops or (layers[0].ops if layers else None))
        inside = [module for layer in layers for _, module in layer.modules()]
        if len({id(module) for module in inside}) < len(inside):
            raise ValueError("the same layer stands in two places, but keeps only its latest input; make two")
        kinds = {(module.ops.device, module.ops.dtype) for module in (self, *inside)}
        if len(kinds) > 1:
            raise ValueError(f"layers of different devices or dtypes do not mix: {sorted(kinds)}")
        self.children = {str(i): layer for i, layer in enumerate(layers)}
        number_dropouts(self)

    def __len__(self) -> int:
        return len(self.children)

    def __getitem__(self, index: int) -> Module:
        return list(self.children.values())[index]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.children.values())

    def forward(self, x: Array, train: bool = False) -> Array:
        for layer in self:
            x = layer.forward(x, train)
        return x

    def backward(self, dy: Array) -> Array:
        for layer in reversed(self.children.values()):
            dy = layer.backward(dy)
        return dy

    def backward_parameters(self, dy: Array) -> None:
        if type(self).backward is not Sequential.backward:  # a subclass has a way of its own
            self.backward(dy)
            return
        layers = list(self)
        while layers and next(layers[0].named_parameters(), None) is None:
            del layers[0]  # nothing in it is trained
        for layer in reversed(layers[1:]):
            dy = layer.backward(dy)
        if layers:
            layers[0].backward_parameters(dy)


class Residual(Sequential):
    """Layers in sequence around which the input also takes a shortcut.

    forward    y  = x + f(x)         x, y of any shape, which the layers keep
    backward   dx = dy + f'(dy)      the shortcut passes dy on as it is

    Source: He et al., arXiv:1512.03385, eq. 1.
    """

    def __init__(self, *layers: Module, ops: Ops | None = None) -> None:
        super().__init__(*layers, ops=ops)
        self.y: Array | None = None

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._input(x)
        inner = super().forward(x, train)
        if inner.shape != x.shape:
            raise ValueError(f"Residual: the layers turn shape {x.shape} into {inner.shape}; it must stay")
        self.y = self.buffer("y", x.shape)
        return self.ops.add(x, inner, out=self.y)

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.y)
        return self.ops.add(dy, super().backward(dy), out=self.buffer("dx", dy.shape))
