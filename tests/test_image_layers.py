"""What the layers for images promise besides the table of cases.py: definitions, errors, whole networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import Adam, Batches, CrossEntropy, InputError, Trainer, accuracy
from minilift.errors import ArgumentError
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
    fold,
    output_shape,
    unfold,
)
from minilift.images.layers.naive import naive_conv2d, naive_unfold
from minilift.nn import Linear, ReLU, Sequential
from minilift.nn.losses import mse
from minilift.ops import get_ops

# (channels, filters, height, width, kernel, stride, padding): each way of cutting the product is in them
SHAPES = [
    (1, 16, 9, 9, 3, 1, 1),
    (5, 4, 8, 7, 3, 1, 1),
    (4, 5, 7, 9, 5, 1, 2),
    (3, 1, 6, 6, 3, 1, 3),
    (3, 16, 12, 11, 5, 2, 1),
    (2, 3, 10, 9, 3, 2, 0),
    (2, 3, 9, 9, 2, 3, 1),
    (3, 4, 6, 5, 1, 1, 0),
    (2, 2, 7, 7, 1, 2, 1),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_convolution_is_what_its_definition_says(shape: tuple[int, ...]) -> None:
    channels, filters, height, width, kernel, stride, padding = shape
    rng, ops = np.random.default_rng(0), get_ops("cpu", "float64")
    layer = Conv2d(channels, filters, kernel, stride, padding, rng=rng, ops=ops)
    x = rng.standard_normal((3, channels, height, width))
    assert layer.bias is not None
    weight, bias = layer.weight.data, layer.bias.data
    expected = naive_conv2d(x, weight, bias, stride, padding)
    found = layer.forward(x).copy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert found.shape[1:] == layer.output_shape(x.shape[1:])
    columns = unfold(x, kernel, stride, padding)
    np.testing.assert_array_equal(columns, naive_unfold(x, (kernel, kernel), stride, padding))
    matrix = weight.reshape(filters, -1)
    product = (matrix @ columns).reshape(expected.shape) + bias[:, None, None]
    np.testing.assert_allclose(product, expected, rtol=0, atol=1e-13)

    dy = rng.standard_normal(expected.shape)
    dx, rows = layer.backward(dy), dy.reshape(3, filters, -1)
    by_fold = fold(matrix.T @ rows, (height, width), kernel, stride, padding)
    np.testing.assert_allclose(dx, by_fold, rtol=0, atol=1e-13)
    dweight = np.einsum("nop,nkp->ok", rows, columns).reshape(weight.shape)
    np.testing.assert_allclose(layer.weight.grad, dweight, rtol=0, atol=1e-12)
    np.testing.assert_allclose(layer.bias.grad, rows.sum(axis=(0, 2)), rtol=0, atol=1e-12)


def test_unfold_and_fold_are_torchs_and_each_others_transpose() -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    rng = np.random.default_rng(1)
    sizes: dict[str, Any] = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 2)}
    x = rng.standard_normal((2, 3, 7, 8))
    columns = unfold(x, **sizes)
    np.testing.assert_array_equal(columns, torch.nn.functional.unfold(torch.tensor(x), **sizes).numpy())
    other = rng.standard_normal(columns.shape)
    back = fold(other, (7, 8), **sizes)
    expected = torch.nn.functional.fold(torch.tensor(other), (7, 8), **sizes).numpy()
    np.testing.assert_allclose(back, expected, rtol=0, atol=1e-14)
    assert (columns * other).sum() == pytest.approx((x * back).sum(), rel=1e-12)


@pytest.mark.parametrize(("size", "places"), [((1024, 768), (511, 383)), ((1920, 1080), (959, 539))])
def test_output_shapes_of_a_large_kernel(size: tuple[int, int], places: tuple[int, int]) -> None:
    assert output_shape(size, (5, 5), (2, 2), (1, 1)) == places
    assert Conv2d(3, 16, 5, stride=2, padding=1).output_shape((3, *size)) == (16, *places)


def test_output_shapes_are_refused_as_images_are() -> None:
    layers = Conv2d(3, 4, 5), MaxPool2d(9), AvgPool2d(9), GlobalMaxPool2d(), GlobalAvgPool2d(), BatchNorm2d(3)
    for layer in layers:
        for shape in ((3, 40), (1, 3, 40, 40), ()):
            with pytest.raises(ValueError, match=r"expected images of shape \("):
                layer.output_shape(shape)
    for layer, name in ((layers[0], "in_channels"), (layers[5], "num_features")):
        with pytest.raises(ArgumentError, match=rf"^{name}=3: the images have 8 channels; use {name}=8, or "):
            layer.output_shape((8, 40, 40))
    for layer in layers[:3]:
        with pytest.raises(ArgumentError, match=r"^kernel_size=\dx\d: larger than the images, 4x4; "):
            layer.output_shape((3, 4, 4))
    with pytest.raises(ValueError, match=r"^BatchNorm2d: num_features 0"):
        BatchNorm2d(0)


@pytest.mark.parametrize("threads", ["alone", "team"])
def test_blocks_and_threads_change_nothing_but_rounding(
    threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, ops = np.random.default_rng(2), get_ops("cpu", "float64")
    layer = Conv2d(3, 5, 3, padding=1, rng=rng, ops=ops)
    x, dy = rng.standard_normal((11, 3, 6, 6)), rng.standard_normal((11, 5, 6, 6))
    y, dx = layer.forward(x).copy(), layer.backward(dy).copy()
    dweight = layer.weight.grad.copy()
    monkeypatch.setattr("minilift.images.ops.conv_plan.BLOCK", 1)  # an image a block
    if threads == "team":
        with ops.parallel():
            layer.forward(x)
            layer.backward(dy)
    else:
        layer.forward(x)
        layer.backward(dy)
    np.testing.assert_allclose(layer.y, y, rtol=0, atol=1e-14)
    np.testing.assert_allclose(layer.buffer("dx", x.shape), dx, rtol=0, atol=1e-13)
    np.testing.assert_allclose(layer.weight.grad, dweight, rtol=0, atol=1e-12)


def test_equal_values_send_the_gradient_where_torch_does() -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    x = np.maximum(np.random.default_rng(3).integers(-4, 2, (5, 3, 9, 8)), 0).astype(float)  # mostly 0
    for layer, theirs in (
        (MaxPool2d(2), torch.nn.MaxPool2d(2)),
        (MaxPool2d(3, 2), torch.nn.MaxPool2d(3, 2)),
        (GlobalMaxPool2d(), None),
    ):
        ours = Sequential(layer).to("cpu", "float64")
        y = ours.forward(x)
        dy = np.random.default_rng(4).standard_normal(y.shape)
        dx = ours.backward(dy)
        p = torch.tensor(x, requires_grad=True)
        out = p.flatten(2).max(dim=2).values if theirs is None else theirs(p)
        out.backward(torch.tensor(dy))
        if theirs is None:  # torch takes any of equals there, we the first
            assert (dx != 0).sum() == dy.size
            np.testing.assert_allclose(dx.sum(axis=(2, 3)), dy)
        else:
            np.testing.assert_allclose(dx, p.grad.numpy(), rtol=0, atol=1e-14)  # another order of sums


def test_dropout2d_drops_whole_planes() -> None:
    layer = Dropout2d(0.5, seed=1)
    y = layer.forward(np.ones((20, 30, 4, 5)), train=True)
    planes = y.reshape(600, 20)
    assert set(np.unique(planes)) == {0, 2}
    assert (planes == planes[:, :1]).all()
    assert 0.4 < (planes[:, 0] == 0).mean() < 0.6


def test_squeeze_without_an_axis_takes_the_batch_too() -> None:
    x = np.ones((1, 4, 1, 1))
    assert Squeeze().forward(x).shape == (4,)  # what a batch of one image meets
    assert Squeeze((2, 3)).forward(x).shape == (1, 4)
    assert Squeeze().output_shape((4, 1, 1)) == Squeeze((2, 3)).output_shape((4, 1, 1)) == (4,)


@pytest.mark.parametrize("init", ["uniform", "kaiming_normal", "xavier_uniform"])
def test_initial_weights_have_the_published_spread(init: str) -> None:
    weight = Conv2d(20, 60, 3, init=init, rng=np.random.default_rng(0)).weight.data
    variance = {"uniform": 1 / (3 * 180), "kaiming_normal": 2 / 180, "xavier_uniform": 2 / (180 + 540)}[init]
    assert weight.std() == pytest.approx(variance**0.5, rel=0.03)  # 10,800 draws


@pytest.mark.parametrize(
    ("make", "shape", "told"),
    [
        (
            lambda: Conv2d(3, 16, 5),
            (2, 8, 9, 9),
            "in_channels=3: the images have 8 channels; use in_channels=8",
        ),
        (lambda: BatchNorm2d(3), (2, 8, 9, 9), "num_features=3: the images have 8 channels"),
        (
            lambda: Conv2d(3, 16, 5),
            (2, 3, 9, 4),
            r"kernel_size=5x5: larger than the images, 9x4; use a smaller",
        ),
        (lambda: Conv2d(3, 4, 7, padding=1), (2, 3, 4, 9), "kernel_size=7x7: .*, 4x9 with padding=1x1"),
        (lambda: MaxPool2d(4), (2, 3, 3, 9), "kernel_size=4x4: larger than the images, 3x9"),
        (lambda: AvgPool2d(8), (2, 3, 7, 7), "kernel_size=8x8: larger than the images, 7x7"),
    ],
)
def test_images_that_do_not_fit_are_told_in_one_line(make: Any, shape: Any, told: str) -> None:
    layer = make()
    with pytest.raises(InputError, match=told) as caught:
        layer.forward(np.zeros(shape))
    assert "\n" not in str(caught.value)


def test_impossible_layers_are_told() -> None:
    for make, told in (
        (lambda: Conv2d(0, 4, 3), "in_channels=0: must be at least 1"),
        (lambda: Conv2d(3, 4, 0), "kernel_size=0: must be a whole number of at least 1, or two"),
        (lambda: Conv2d(3, 4, 3, stride=0), "stride=0"),
        (
            lambda: Conv2d(3, 4, 3, padding=(1, -1)),
            r"padding=\(1, -1\): must be a whole number of at least 0",
        ),
        (lambda: MaxPool2d(2, stride=(1, 2, 3)), r"stride=\(1, 2, 3\)"),  # type: ignore[arg-type]
        (lambda: Conv2d(3, 4, 3, init="ones"), "initialiser 'ones' is unknown"),
    ):
        with pytest.raises(ValueError, match=told):
            make()
    with pytest.raises(ValueError, match=r"expected images of shape \(n, 3, height, width\), got \(4, 3\)"):
        Conv2d(3, 4, 1).forward(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"there is no axis 2 in \(4, 3\)"):
        Softmax(2).forward(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="have 20 places, columns has 21"):
        fold(np.zeros((1, 8, 21)), (5, 6), 2)


def test_printed_form_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    for ours, theirs in (
        (Conv2d(1, 16, 3, padding=1), torch.nn.Conv2d(1, 16, 3, padding=1)),
        (Conv2d(1, 16, (3, 2), 2, bias=False), torch.nn.Conv2d(1, 16, (3, 2), 2, bias=False)),
        (Softmax(1), torch.nn.Softmax(1)),
    ):
        assert repr(ours) == repr(theirs)


# ---- whole networks --------------------------------------------------------------------------------------
def digits_net(seed: int = 0, dtype: str = "float32") -> Sequential:
    """The course's network, for images of 8x8: convolutions and pooling, normalisation and dropout too."""
    rng, ops = np.random.default_rng(seed), get_ops("cpu", dtype)
    return Sequential(
        Conv2d(1, 6, 3, padding=1, rng=rng, ops=ops), BatchNorm2d(6, ops=ops), ReLU(ops=ops),
        MaxPool2d(2, ops=ops), Conv2d(6, 8, 3, padding=1, bias=False, rng=rng, ops=ops), ReLU(ops=ops),
        Dropout2d(0.2, ops=ops), AvgPool2d(2, ops=ops), Flatten(ops=ops), Linear(32, 3, rng=rng, ops=ops),
    )  # fmt: skip


def bars() -> tuple[Batches, Batches]:
    """A bright bar, lying, standing or slanting, on noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=320)
    x = rng.standard_normal((320, 1, 8, 8)).astype(np.float32) * 0.5
    shift = rng.integers(-2, 3, 320)
    for image, kind, by in zip(x[:, 0], y, shift, strict=True):
        bar = (np.s_[4 + by, :], np.s_[:, 4 + by], (np.arange(8), np.arange(8)))[kind]
        image[bar] += 2
    return Batches(x[:256], y[:256], size=32, seed=1), Batches(x[256:], y[256:], size=50)


def trainer(out: Path | None, **options: Any) -> Trainer:
    net = digits_net()
    options = {"show": lambda line: None, "bar": False, "metrics": {"accuracy": accuracy}, **options}
    return Trainer(net, CrossEntropy(), Adam(net.parameters(), lr=3e-3), out=out, **options)


def test_a_network_on_images_learns_and_resumes_to_the_bit(tmp_path: Path) -> None:
    train, validation = bars()
    whole = trainer(tmp_path / "whole", watch="accuracy", best="max")
    whole.fit(train, validation, epochs=6)
    assert whole.progress.best > 0.9
    first = trainer(tmp_path / "parts", watch="accuracy", best="max")
    first.fit(train, validation, epochs=3)
    second = trainer(tmp_path / "parts", watch="accuracy", best="max")
    assert second.resume()
    second.fit(train, validation, epochs=6)
    np.testing.assert_array_equal(second.network.flat.data, whole.network.flat.data)
    expected = whole.network.snapshot()
    for key, value in second.network.snapshot().items():
        np.testing.assert_array_equal(value, expected[key], err_msg=key)


def test_a_step_without_the_gradient_of_the_input_moves_the_weights_alike() -> None:
    for first in ([], [Flatten()], [Flatten(), ReLU()]):
        rng = np.random.default_rng(5)
        shape = (8, 36) if first else (8, 1, 6, 6)
        begin = [Linear(36, 8, rng=rng)] if first else [Conv2d(1, 2, 3, rng=rng), Flatten()]
        net = Sequential(*first, *begin, ReLU(), Linear(32 if not first else 8, 3, rng=rng))
        x = rng.standard_normal(shape)
        _, dy = mse(net.forward(x, train=True), np.zeros((8, 3)), net.ops)
        net.backward(dy)
        expected = net.flat.grad.copy()
        net.flat.grad.fill(7)
        for _, parameter in net.named_parameters():
            parameter.grad.fill(0)
        net.backward_parameters(dy)
        for (name, parameter), want in zip(net.named_parameters(), gradients(net, expected), strict=True):
            np.testing.assert_array_equal(parameter.grad, want, err_msg=name)


def gradients(net: Sequential, flat: np.ndarray) -> list[np.ndarray]:
    return [flat[p.start : p.start + p.size].reshape(p.shape) for p in net.parameters()]


def test_a_state_dict_goes_to_torch_and_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is the oracle: pip install torch==2.13.0")
    from torch_twin import twin

    net = digits_net(dtype="float64")
    x = np.random.default_rng(6).standard_normal((5, 1, 8, 8))
    net.forward(x, train=True)  # statistics that say something
    net.save(tmp_path / "weights.pt")
    theirs = twin(digits_net(1, "float64")).eval()
    theirs.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    with torch.no_grad():
        np.testing.assert_allclose(theirs(torch.tensor(x)).numpy(), net.forward(x), rtol=0, atol=1e-13)
    torch.save(theirs.state_dict(), tmp_path / "torch.pt")
    back = digits_net(2, "float64")
    back.load(tmp_path / "torch.pt")
    np.testing.assert_array_equal(back.forward(x), net.forward(x))


def test_the_summary_has_the_shapes_of_images() -> None:
    lines = digits_net().summary((1, 8, 8)).splitlines()
    shown = [" ".join(line.split()) for line in lines]
    assert "0 (Conv2d) (n, 6, 8, 8) 60" in shown
    assert "7 (AvgPool2d) (n, 8, 2, 2) 0" in shown
    assert "8 (Flatten) (n, 32) 0" in shown


def test_parameters_of_the_courses_networks() -> None:
    def count(*layers: Any) -> int:
        return sum(p.size for p in Sequential(*layers).parameters())

    def convolutions(last: int) -> list[Any]:
        return [Conv2d(a, b, 3, padding=1) for a, b in ((1, 16), (16, 32), (32, last))]

    assert count(*convolutions(64), Flatten(), Linear(576, 10)) == 29_066
    assert count(*convolutions(81), GlobalAvgPool2d(), Linear(81, 10)) == 29_029
