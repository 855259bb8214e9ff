"""A network that moves from device to device."""

from __future__ import annotations

from typing import Any

import numpy as np
from test_network import Deep, train

from minilift import SGD, Adam


def test_to_the_gpu_and_back(gpu: Any) -> None:
    """Trained here, there and here again: what a network that never moved has learned."""
    nets = [Deep(), Deep()]
    for net in nets:
        train(net, Adam(net.parameters(), 0.01), 3)
    for device in ("gpu", "cpu"):
        nets[1].to(device)
        assert nets[1].device == device
        for net in nets:
            sgd = SGD(net.parameters(), 0.01)
            x = np.random.default_rng(1).standard_normal((8, 5)).astype(np.float32)
            net.backward(net.forward(net.ops.asarray(x), train=True))
            sgd.step()
    for key, value in nets[0].snapshot().items():
        np.testing.assert_allclose(nets[1].snapshot()[key], value, rtol=0, atol=1e-5, err_msg=key)
