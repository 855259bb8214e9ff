"""Outputs, gradients and running statistics against torch."""

from __future__ import annotations

import numpy as np
import pytest
from cases import LAYERS
from test_layers import make
from torch_twin import torch, twin

from minilift.lift.model import LiftModel
from minilift.nn import Module, losses
from minilift.optim import Adam

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}  # absolute; worst seen 4e-15 and 2.9e-6


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", LAYERS)
def test_layer_equals_torch(name: str, train: bool, dtype: str) -> None:
    layer, x, rng = make(name, dtype=dtype)
    theirs = twin(layer).train(train)
    y = layer.forward(x, train).copy()
    dy = rng.standard_normal(y.shape).astype(dtype)
    dx = layer.backward(dy)

    x_torch = torch.tensor(x, requires_grad=True)
    y_torch = theirs(x_torch)
    y_torch.backward(torch.from_numpy(dy))
    large = 0.1 * TOLERANCE[dtype] if x.ndim == 4 else 0  # of images: sums over all pixels
    close = {"rtol": large, "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(y, y_torch.detach().numpy(), **close)
    np.testing.assert_allclose(dx, x_torch.grad.numpy(), **close)
    gradients = {key: p.grad.numpy() for key, p in theirs.named_parameters()}
    assert list(gradients) == [key for key, _ in layer.named_parameters()]
    for key, p in layer.named_parameters():
        np.testing.assert_allclose(p.grad, gradients[key], **close, err_msg=key)
    state = Module.state_dict(layer)
    assert list(state) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(state[key], value.numpy(), **close, err_msg=key)


def test_fifty_training_steps_equal_torchs() -> None:
    """The same model, data order, initial weights and masks in float64, through loss and Adam."""
    rng = np.random.default_rng(0)
    x_all, y_all = rng.standard_normal((640, 30)), rng.standard_normal((640, 45)) * 0.1
    model = LiftModel(2, 64, 0.3, seed=3, dtype="float64")
    model.standardise(x_all, y_all)
    theirs = twin(model).train()
    ours_adam = Adam(model.parameters(), lr=1e-3)
    their_adam = torch.optim.Adam(theirs.parameters(), lr=1e-3)
    for _ in range(50):
        index = rng.permutation(640)[:64]
        x, y = x_all[index], y_all[index]
        loss, grad = losses.mpjpe(model.forward(x, train=True), y, model.ops)
        model.backward(grad)
        their_loss = (theirs(torch.from_numpy(x)) - torch.from_numpy(y)).reshape(64, 15, 3).norm(dim=2).mean()
        their_adam.zero_grad()
        their_loss.backward()
        assert loss == pytest.approx(their_loss.item(), rel=1e-11)
        ours_adam.step()
        their_adam.step()
    # Worst seen 6e-13, on the biases before BatchNorm: their gradient is 0, so Adam follows rounding noise
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(
            Module.state_dict(model)[key], value.numpy(), rtol=0, atol=1e-9, err_msg=key
        )
    assert ours_adam.steps == 50
