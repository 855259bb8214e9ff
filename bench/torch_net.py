"""The lifter in torch, as people write it, with the names of minilift's weights; and its training step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class LiftNet(nn.Module):
    def __init__(self, blocks: int = 2, hidden: int = 1024, dropout: float = 0.1) -> None:
        super().__init__()
        self.blocks = blocks
        self.hidden1 = nn.Linear(30, hidden)

        def half() -> list[nn.Module]:
            return [nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(dropout)]

        for i in range(blocks):
            self.add_module(f"res-block_{i}", nn.Sequential(*half(), *half()))
        self.output = nn.Linear(hidden, 45)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.hidden1(x)
        for i in range(self.blocks):
            x = x + getattr(self, f"res-block_{i}")(x)
        return self.output(x)


def load_net(path: str) -> LiftNet:
    """The network of a weights file, ready to predict."""
    state = torch.load(path, weights_only=True)
    blocks = sum(key.endswith(".0.weight") for key in state)
    net = LiftNet(blocks, len(state["hidden1.bias"]))
    net.load_state_dict(state)
    return net.eval()


def mpjpe(pred: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return (pred - truth).reshape(len(pred), -1, 3).norm(dim=2).mean()


Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def loss_of(predict: Callable[[torch.Tensor], torch.Tensor], variant: str) -> Loss:
    """The loss of (x, y); compiled as a whole for the variant 'compile'."""

    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return mpjpe(predict(x), y)

    if variant != "compile":
        return loss
    torch.compiler.reset()  # code for these shapes alone: no recompiling, no limit to run into
    return torch.compile(loss, dynamic=False)


def adam_of(net: nn.Module, variant: str, lr: float, **options: Any) -> torch.optim.Adam:
    foreach, fused = variant == "foreach", variant in ("fused", "compile")
    return torch.optim.Adam(net.parameters(), lr, foreach=foreach, fused=fused, **options)


def train_step(loss: Loss, adam: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> None:
    adam.zero_grad()
    loss(x, y).backward()
    adam.step()


def train_epoch(
    loss: Loss, adam: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor, order: torch.Tensor,
    batch_size: int, after_step: Callable[[], object] = lambda: None,
) -> None:  # fmt: skip
    """Full batches only, as minilift has them."""
    batch_size = min(batch_size, len(order))
    for batch in order[: len(order) // batch_size * batch_size].split(batch_size):
        train_step(loss, adam, x[batch], y[batch])
        after_step()
