"""Every layer, a row each: the tests of test_layers.py and test_torch_parity.py run over all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

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
from minilift.lift.model import LiftModel
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
from minilift.ops import Ops


class Case(NamedTuple):
    make: Callable[[Ops, Any], Module]  # from the operations and a numpy.random.Generator
    columns: int = 7  # of the input, its last axis
    middle: tuple[int, ...] = ()  # the axes between the batch and the columns

    def shape(self, n: int) -> tuple[int, ...]:
        """Of an input of n rows."""
        return (n, *self.middle, self.columns)


def _batchnorm(ops: Ops, rng: Any, layer: BatchNorm1d | None = None) -> BatchNorm1d:
    layer = layer or BatchNorm1d(7, ops=ops)  # not in its initial state, in which weight and bias do nothing
    columns = layer.num_features
    for array in (layer.weight.data, layer.bias.data, layer.running_mean):
        ops.copy(rng.standard_normal(columns), out=array)
    ops.copy(rng.uniform(0.5, 2, columns), out=layer.running_var)
    return layer


def _images(make: Callable[[Ops, Any], Module]) -> Case:
    return Case(make, middle=(3, 6))  # (n, 3, 6, 7)


def _conv_net(ops: Ops, rng: Any) -> Sequential:
    return Sequential(
        Conv2d(3, 4, 3, padding=1, rng=rng, ops=ops), _batchnorm(ops, rng, BatchNorm2d(4, ops=ops)),
        ReLU(ops=ops), MaxPool2d(2, ops=ops), Dropout2d(0.3, ops=ops), Conv2d(4, 6, 2, rng=rng, ops=ops),
        ReLU(0.1, ops=ops), Flatten(ops=ops), Linear(24, 5, rng=rng, ops=ops),
    )  # fmt: skip


def _norm_act_drop(p: float) -> Case:
    return Case(
        lambda ops, rng: NormActDrop(_batchnorm(ops, rng), ReLU(ops=ops), Dropout(p, seed=5, ops=ops))
    )


def _pointwise(ops: Ops, rng: Any) -> Residual:
    return Residual(
        Linear(7, 9, rng=rng, ops=ops), ReLU(ops=ops), Dropout(0.3, ops=ops), Linear(9, 7, rng=rng, ops=ops)
    )


def _block(ops: Ops, rng: Any) -> Residual:
    half = Linear(7, 7, rng=rng, ops=ops), _batchnorm(ops, rng), ReLU(ops=ops), Dropout(0.3, ops=ops)
    return Residual(
        *half, Linear(7, 7, rng=rng, ops=ops), _batchnorm(ops, rng), ReLU(ops=ops), Dropout(0.3, ops=ops)
    )


def _lifter(ops: Ops, rng: Any) -> LiftModel:
    model = LiftModel(
        2, 16, 0.3, 9, input_nodes=6, seed=int(rng.integers(1000)), dtype=ops.dtype, device=ops.device
    )
    model.standardise(rng.standard_normal((50, 6)) * 3 + 1, rng.standard_normal((50, 9)) * 0.2 - 1)
    return model


def _ray_lifter(ops: Ops, rng: Any, head: str = "ray", slope: float | None = None) -> LiftModel:
    options: Any = {"head": head, "seed": int(rng.integers(1000)), "dtype": ops.dtype, "device": ops.device}
    model = LiftModel(1, 16, 0.3, input_nodes=6, slope=slope, **options)
    model.standardise(rng.standard_normal((50, 6)) * 0.1, rng.standard_normal((50, 9)) * 0.2 - 1)
    return model


def _plain_lifter(ops: Ops, rng: Any) -> LiftModel:
    return _ray_lifter(ops, rng, slope=0.2)


def _placing_lifter(ops: Ops, rng: Any) -> LiftModel:
    return _ray_lifter(ops, rng, "place")


LAYERS = {
    "Linear": Case(lambda ops, rng: Linear(7, 5, rng=rng, ops=ops)),
    "Linear without bias": Case(lambda ops, rng: Linear(7, 5, bias=False, rng=rng, ops=ops)),
    "BatchNorm1d": Case(_batchnorm),
    "ReLU": Case(lambda ops, rng: ReLU(ops=ops)),
    "ReLU with a slope": Case(lambda ops, rng: ReLU(0.2, ops=ops)),
    "Dropout": Case(lambda ops, rng: Dropout(0.4, seed=5, ops=ops)),
    "Dropout of nothing": Case(lambda ops, rng: Dropout(0.0, ops=ops)),
    "Dropout of all": Case(lambda ops, rng: Dropout(1.0, ops=ops)),
    "NormActDrop": _norm_act_drop(0.4),
    "NormActDrop, dropping nothing": _norm_act_drop(0.0),
    "NormActDrop, dropping all": _norm_act_drop(1.0),
    "Affine": Case(lambda ops, rng: Affine(rng.standard_normal(7), rng.standard_normal(7), ops=ops)),
    "Sequential": Case(
        lambda ops, rng: Sequential(
            Linear(7, 4, rng=rng, ops=ops), ReLU(ops=ops), Linear(4, 3, rng=rng, ops=ops)
        )
    ),
    "Residual": Case(_block),
    # The same of three and four axes, such as the points of a cloud or the frames of a film
    "Linear, three axes": Case(lambda ops, rng: Linear(7, 5, rng=rng, ops=ops), middle=(3,)),
    "Linear, four axes": Case(lambda ops, rng: Linear(7, 5, rng=rng, ops=ops), middle=(2, 3)),
    "ReLU, three axes": Case(lambda ops, rng: ReLU(ops=ops), middle=(3,)),
    "Dropout, three axes": Case(lambda ops, rng: Dropout(0.4, seed=5, ops=ops), middle=(3,)),
    "Affine, three axes": Case(
        lambda ops, rng: Affine(rng.standard_normal(7), rng.standard_normal(7), ops=ops), middle=(3,)
    ),
    "Sequential, three axes": Case(
        lambda ops, rng: Sequential(
            Linear(7, 4, rng=rng, ops=ops), ReLU(ops=ops), Linear(4, 3, rng=rng, ops=ops)
        ),
        middle=(3,),
    ),
    "Residual, four axes": Case(_pointwise, middle=(2, 3)),
    # Images: (n, channels, height, width)
    "Flatten": Case(lambda ops, rng: Flatten(ops=ops), middle=(3, 6)),
    "Conv2d": _images(lambda ops, rng: Conv2d(3, 5, 3, padding=1, rng=rng, ops=ops)),
    "Conv2d without bias": _images(lambda ops, rng: Conv2d(3, 2, 2, bias=False, rng=rng, ops=ops)),
    "Conv2d with strides": _images(lambda ops, rng: Conv2d(3, 4, (3, 2), (2, 3), (2, 0), rng=rng, ops=ops)),
    "Conv2d of a pixel": _images(lambda ops, rng: Conv2d(3, 4, 1, 2, rng=rng, ops=ops)),
    "Conv2d of the image": _images(lambda ops, rng: Conv2d(3, 4, (6, 7), rng=rng, ops=ops)),
    "Conv2d to few": _images(lambda ops, rng: Conv2d(3, 1, 5, padding=4, rng=rng, ops=ops)),
    "MaxPool2d": _images(lambda ops, rng: MaxPool2d(2, ops=ops)),
    "MaxPool2d that overlaps": _images(lambda ops, rng: MaxPool2d((3, 2), (2, 1), ops=ops)),
    "MaxPool2d with gaps": _images(lambda ops, rng: MaxPool2d(1, (2, 3), ops=ops)),
    "AvgPool2d": _images(lambda ops, rng: AvgPool2d(3, ops=ops)),
    "AvgPool2d that overlaps": _images(lambda ops, rng: AvgPool2d((3, 4), (1, 2), ops=ops)),
    "GlobalMaxPool2d": _images(lambda ops, rng: GlobalMaxPool2d(ops=ops)),
    "GlobalAvgPool2d": _images(lambda ops, rng: GlobalAvgPool2d(ops=ops)),
    "BatchNorm2d": _images(lambda ops, rng: _batchnorm(ops, rng, BatchNorm2d(3, ops=ops))),
    "Dropout2d": _images(lambda ops, rng: Dropout2d(0.4, seed=5, ops=ops)),
    "Softmax": Case(lambda ops, rng: Softmax(ops=ops)),
    "Softmax of channels": _images(lambda ops, rng: Softmax(1, ops=ops)),
    "Squeeze": Case(lambda ops, rng: Squeeze((2, 3), ops=ops), middle=(40, 1), columns=1),
    "a network on images": _images(_conv_net),
    "LiftModel": Case(_lifter, columns=6),
    "LiftModel on rays": Case(_ray_lifter, columns=6),
    "LiftModel on rays, without normalisation": Case(_plain_lifter, columns=6),
    "LiftModel that places joints": Case(_placing_lifter, columns=6),
}
