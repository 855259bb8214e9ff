"""What train.py does, in PyTorch: the same settings, data, held-out rows and order of rows.

    python -m bench.torch_train --preset report --data data_train_lift.pkl --test data_test_lift.pkl

Takes the flags of train.py, writes nothing, and prints the validation and test MPJPE after every epoch.
Initial weights and dropout masks are torch's own, so the figures compare recipes, not bits.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import nn

from minilift.cli.config import TrainConfig, describe, parse_train
from minilift.data import Poses, load_poses
from minilift.training import hold_out


def network(config: TrainConfig) -> nn.ModuleDict:
    width = config.hidden

    def half() -> list[nn.Module]:
        return [nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(config.dropout)]

    blocks = nn.ModuleList(nn.Sequential(*half(), *half()) for _ in range(config.blocks))
    return nn.ModuleDict({"hidden1": nn.Linear(30, width), "blocks": blocks, "output": nn.Linear(width, 45)})


def forward(net: nn.ModuleDict, x: torch.Tensor) -> torch.Tensor:
    x = net["hidden1"](x)
    for block in net["blocks"]:
        x = x + block(x)
    return net["output"](x)


def mpjpe(pred: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    return (pred - truth).reshape(len(pred), -1, 3).norm(dim=2).mean()


def schedule(config: TrainConfig, adam: torch.optim.Optimizer, steps: int) -> Any:
    kinds = torch.optim.lr_scheduler
    if config.scheduler == "onecycle":
        return kinds.OneCycleLR(adam, config.lr, steps, cycle_momentum=config.cycle_momentum)
    if config.scheduler == "step":
        return kinds.StepLR(adam, config.step_size, config.gamma)
    raise SystemExit(f"--scheduler {config.scheduler}: this comparison knows onecycle and step")


def rows(poses: Poses) -> tuple[torch.Tensor, torch.Tensor]:
    n = len(poses)
    return torch.from_numpy(poses.joint_2d.reshape(n, 30)), torch.from_numpy(poses.joint_3d.reshape(n, 45))


def main() -> None:
    config, _, _ = parse_train(None)
    if (config.optimiser, config.loss, config.init) != ("adam", "mpjpe", "uniform"):
        raise SystemExit("this comparison knows --optimiser adam, --loss mpjpe and --init uniform")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n{describe(config)}")
    torch.manual_seed(config.seed)
    every, test = load_poses(config.data, need_3d=True), load_poses(config.test, need_3d=True)
    train_rows, held_out = hold_out(len(every), config.val_fraction, config.seed)
    (x, y), (x_val, y_val), (x_test, y_test) = map(rows, (every.take(train_rows), every.take(held_out), test))
    units = [torch.zeros(30), torch.ones(30), torch.zeros(45), torch.ones(45)]
    if config.standardise:
        units = [x.mean(0), x.std(0), y.mean(0), y.std(0)]
    net = network(config)
    adam = torch.optim.Adam(
        net.parameters(), config.lr, config.betas, weight_decay=config.weight_decay, fused=True
    )
    per_epoch = len(x) // config.batch_size
    rate = schedule(config, adam, per_epoch * config.epochs)

    def predict(points: torch.Tensor) -> torch.Tensor:
        return forward(net, (points - units[0]) / units[1]) * units[3] + units[2]

    began = time.monotonic()
    for epoch in range(config.epochs):
        order = torch.from_numpy(np.random.default_rng((config.seed, epoch)).permutation(len(x)))
        net.train()
        for batch in order[: per_epoch * config.batch_size].split(config.batch_size):
            loss = mpjpe(predict(x[batch]), y[batch])
            adam.zero_grad()
            loss.backward()
            adam.step()
            if config.scheduler == "onecycle" or config.step_per == "batch":
                rate.step()
        if config.scheduler == "step" and config.step_per == "epoch":
            rate.step()
        net.eval()
        with torch.no_grad():
            val, found = (mpjpe(predict(a), b).item() for a, b in ((x_val, y_val), (x_test, y_test)))
        seconds = time.monotonic() - began
        print(
            f"epoch {epoch + 1}/{config.epochs}  val {val:.5f}  test {found:.5f}  {seconds:.0f} s", flush=True
        )


if __name__ == "__main__":
    main()
