"""What train.py does, in PyTorch: the same settings, data, held-out rows and order of rows.

    python -m bench.torch_train --preset course --data data_train_lift.pkl --test data_test_lift.pkl

Takes the flags of train.py, on top of --epochs 26 --lr 0.002 --dropout 0.1 --flip 0, writes nothing, and
prints the validation and test MPJPE after every epoch. Initial weights and dropout masks are torch's own, so
the figures compare recipes, not bits.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch

from bench.flags import recipe, unknown_to_torch
from bench.torch_net import LiftNet, adam_of, loss_of, mpjpe, train_epoch
from minilift.cli.settings import read_train
from minilift.lift.settings import TrainSettings
from minilift.poses.poses import Poses, load_poses
from minilift.train.batches import batches_per_epoch, hold_out


def schedule(config: TrainSettings, adam: torch.optim.Optimizer, steps: int) -> Any:
    kinds = torch.optim.lr_scheduler
    if config.scheduler == "onecycle":
        return kinds.OneCycleLR(adam, config.lr, steps, cycle_momentum=config.cycle_momentum)
    return kinds.StepLR(adam, config.step_size, config.gamma)


def rows(poses: Poses) -> tuple[torch.Tensor, torch.Tensor]:
    n = len(poses)
    assert poses.joint_3d is not None
    return torch.from_numpy(poses.joint_2d.reshape(n, 30)), torch.from_numpy(poses.joint_3d.reshape(n, 45))


class Run:
    """A training run with train.py's settings. `variant` is that of bench.torch_net.adam_of."""

    def __init__(self, config: TrainSettings, variant: str = "fused") -> None:
        self.config = config
        torch.manual_seed(config.seed)
        every, test = load_poses(config.data, need_3d=True), load_poses(config.test, need_3d=True)
        train_rows, held_out = hold_out(len(every), config.val_fraction, config.seed)
        self.x, self.y = x, y = rows(every.take(train_rows))
        self.watched = {"val": rows(every.take(held_out)), "test": rows(test)}
        self.units = [torch.zeros(30), torch.ones(30), torch.zeros(45), torch.ones(45)]
        if config.standardise:
            self.units = [x.mean(0), x.std(0), y.mean(0), y.std(0)]
        self.net = LiftNet(config.blocks, config.hidden, config.dropout)
        more = {"betas": config.betas, "weight_decay": config.weight_decay}
        self.adam = adam_of(self.net, variant, config.lr, **more)
        self.loss = loss_of(self.predict, variant)
        self.rate = schedule(config, self.adam, config.epochs * batches_per_epoch(len(x), config.batch_size))

    def predict(self, points: torch.Tensor) -> torch.Tensor:
        return self.net((points - self.units[0]) / self.units[1]) * self.units[3] + self.units[2]

    def epoch(self, number: int) -> None:
        """Train for the epoch `number`, from 0."""
        c = self.config
        order = torch.from_numpy(np.random.default_rng((c.seed, number)).permutation(len(self.x)))
        per_batch = c.scheduler == "onecycle" or c.step_per == "batch"
        after_step = self.rate.step if per_batch else lambda: None
        self.net.train()
        train_epoch(self.loss, self.adam, self.x, self.y, order, c.batch_size, after_step)
        if not per_batch:
            self.rate.step()

    def error(self, name: str) -> float:
        """The MPJPE of the poses 'val' or 'test'."""
        self.net.eval()
        with torch.no_grad():
            x, y = self.watched[name]
            return mpjpe(self.predict(x), y).item()


def main() -> None:
    config = read_train(recipe(sys.argv[1:])).settings
    if problem := unknown_to_torch(config):
        raise SystemExit(problem)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads\n{config.describe()}")
    run = Run(config)
    began = time.monotonic()
    for epoch in range(config.epochs):
        run.epoch(epoch)
        val, found = run.error("val"), run.error("test")
        seconds = time.monotonic() - began
        print(
            f"epoch {epoch + 1}/{config.epochs}  val {val:.5f}  test {found:.5f}  {seconds:.0f} s", flush=True
        )


if __name__ == "__main__":
    main()
