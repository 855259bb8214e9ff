"""The same network in torch: the oracle. Masks are shared, everything else is torch's own code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minilift.images.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout2d,
    Flatten,
    GlobalAvgPool2d,
    GlobalMaxPool2d,
    MaxPool2d,
    Softmax,
    Squeeze,
)
from minilift.lift.fast.norm_act_drop import NormActDrop
from minilift.nn import (
    Affine,
    BatchNorm1d,
    Dropout,
    Linear,
    Module,
    ReLU,
    Residual,
    Sequential,
)
from minilift.ops.keys import dropout_key

torch = pytest.importorskip("torch", reason="torch is the oracle of these tests: pip install torch==2.13.0")
nn = torch.nn


class SharedMask(nn.Module):
    """torch.nn.Dropout but for the draw: it takes the mask that our layer drew in its latest forward.

    That mask is drawn again, from its definition: a NormActDrop does not keep one.
    """

    def __init__(self, ours: Dropout) -> None:
        super().__init__()
        self.ours = [ours]

    def forward(self, x: Any) -> Any:
        ours = self.ours[0]
        if not self.training:
            return x
        key = dropout_key(ours.seed, ours.stream, ours.calls - 1)
        shape = tuple(x.shape)[:2] if isinstance(ours, Dropout2d) else tuple(x.shape)
        mask = torch.from_numpy(ours.ops.dropout_mask(ours.p, key, out=ours.ops.empty(shape)))
        return x * (mask[..., None, None] if isinstance(ours, Dropout2d) else mask)


class Function(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x)


class Skip(nn.Sequential):
    def forward(self, x: Any) -> Any:
        return x + super().forward(x)


class Units(nn.Module):
    def __init__(self, ours: Affine) -> None:
        super().__init__()
        self.register_buffer("scale", torch.from_numpy(ours.scale.copy()), persistent=False)
        self.register_buffer("shift", torch.from_numpy(ours.shift.copy()), persistent=False)

    def forward(self, x: Any) -> Any:
        return x * self.scale + self.shift


class OnRays(nn.Sequential):
    """Layers that give depths; joints on the rays through the points of the input."""

    def forward(self, x: Any) -> Any:
        z = super().forward(x)
        points = x.reshape(len(x), -1, 2)
        return torch.cat([-points * z[..., None], z[..., None]], dim=2).reshape(len(x), -1)


class Placed(nn.Sequential):
    """Layers that give an image point and a depth: joints on their rays, or on these where x has NaN."""

    def forward(self, x: Any) -> Any:
        seen, layers = ~torch.isnan(x), dict(self.named_children())
        filled = torch.where(seen, x, torch.zeros_like(x))
        h = layers.pop("before")(filled) if "before" in layers else filled
        h = torch.cat([torch.where(seen, h, torch.zeros_like(h)), seen[:, ::2].to(h.dtype)], dim=1)
        for layer in layers.values():
            h = layer(h)
        o, seen = h.reshape(len(x), -1, 3), seen.reshape(len(x), -1, 2)
        at = torch.where(seen, filled.reshape(seen.shape), o[..., :2])
        return torch.cat([-at * o[..., 2:], o[..., 2:]], dim=2).reshape(len(x), -1)


def twin(ours: Module) -> Any:
    """A torch module with the structure and the weights of one of ours."""
    module = _build(ours)
    module.to(getattr(torch, ours.ops.dtype))
    state = {key: torch.from_numpy(np.array(value)) for key, value in Module.state_dict(ours).items()}
    module.load_state_dict(state)
    return module


def _image_layer(ours: Module) -> Any:
    if isinstance(ours, Conv2d):
        sizes = ours.kernel_size, ours.stride, ours.padding
        return nn.Conv2d(ours.in_channels, ours.out_channels, *sizes, bias=ours.bias is not None)
    if isinstance(ours, BatchNorm2d):
        return nn.BatchNorm2d(ours.num_features, eps=ours.eps, momentum=ours.momentum)
    if isinstance(ours, MaxPool2d | AvgPool2d):
        return getattr(nn, type(ours).__name__)(ours.kernel_size, ours.stride)
    if isinstance(ours, GlobalMaxPool2d):
        return Function(lambda x: x.amax(dim=(2, 3)))
    if isinstance(ours, GlobalAvgPool2d):
        return Function(lambda x: x.mean(dim=(2, 3)))
    if isinstance(ours, Squeeze):
        return Function(lambda x: x.squeeze(ours.dim))
    if isinstance(ours, Softmax):
        return nn.Softmax(ours.dim)
    return nn.Flatten() if isinstance(ours, Flatten) else None


def _build(ours: Module) -> Any:
    if (image := _image_layer(ours)) is not None:
        return image
    if isinstance(ours, Linear):
        return nn.Linear(ours.in_features, ours.out_features, bias=ours.bias is not None)
    if isinstance(ours, BatchNorm1d):
        return nn.BatchNorm1d(ours.num_features, eps=ours.eps, momentum=ours.momentum)
    if isinstance(ours, ReLU):
        return nn.LeakyReLU(ours.slope) if ours.slope else nn.ReLU()
    if isinstance(ours, Dropout):
        return SharedMask(ours)
    if isinstance(ours, Affine):
        return Units(ours)
    if isinstance(ours, Residual):
        return Skip(*(_build(layer) for layer in ours))
    if isinstance(ours, NormActDrop):
        return nn.Sequential(_build(ours.norm), _build(ours.relu), _build(ours.dropout))
    if isinstance(ours, Sequential):
        return nn.Sequential(*(_build(layer) for layer in ours))
    kinds = {"ray": OnRays, "place": Placed}  # a LiftModel: named children in a row
    module = kinds.get(getattr(ours, "head", ""), nn.Sequential)()
    parts = {"before": getattr(ours, "before", None), **ours.children, "after": getattr(ours, "after", None)}
    for name, child in parts.items():
        if child is not None:
            module.add_module(name, _build(child))
    if getattr(ours, "slope", None) is not None:  # a number that says what the layers are
        module.register_buffer("slope", torch.zeros(1))
    return module


class OriginalLiftModel(nn.Module):
    """The course's network as a student writes it in torch, from the description in the assignment."""

    def __init__(
        self, n_blocks: int = 2, hidden_layer: int = 1024, dropout: float = 0.1, output_nodes: int = 15 * 3
    ):
        super().__init__()
        self.n_blocks = n_blocks
        self.hidden1 = nn.Linear(15 * 2, hidden_layer)
        for i in range(n_blocks):
            layers: list[Any] = []
            for _ in range(2):
                layers += [nn.Linear(hidden_layer, hidden_layer), nn.BatchNorm1d(hidden_layer), nn.ReLU()]
                layers += [nn.Dropout(dropout)]
            self.add_module(f"res-block_{i}", nn.Sequential(*layers))
        self.output = nn.Linear(hidden_layer, output_nodes)

    def forward(self, x: Any) -> Any:
        x = self.hidden1(x)
        for i in range(self.n_blocks):
            x = x + getattr(self, f"res-block_{i}")(x)
        return self.output(x)
