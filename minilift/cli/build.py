"""A training run put together from its settings, for train.py and for sweeps alike."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from minilift.cli.config import TrainConfig
from minilift.errors import InputError
from minilift.files.mapped import crc32
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.model import BlockMaker, LiftModel
from minilift.nn import losses
from minilift.ops import get_ops
from minilift.optim import (
    SGD,
    Adam,
    AdamW,
    CosineAnnealingLR,
    ExponentialLR,
    OneCycleLR,
    Optimiser,
    Schedule,
    StepLR,
    WarmUpCosineLR,
)
from minilift.poses.people.synth import CHUNK, synthesize
from minilift.poses.poses import Poses
from minilift.train.epoch import batches_per_epoch, hold_out
from minilift.train.trainer import Trainer

SEEN = 16_384  # augmented poses from which the network's units are taken
FREE = 0.5  # of the synthetic people that are added to data, how many move freely
APART = CHUNK << 20  # where they begin in the crowd of their seed: not those that a folder without data gets


def build_model(config: TrainConfig, make_block: BlockMaker | None = None) -> LiftModel:
    """The network of a run, before training. Raises InputError where its device cannot be had."""
    return LiftModel(
        config.blocks, config.hidden, config.dropout, init=config.init, seed=config.seed,
        device=config.device, tf32=config.tf32, head=config.head, make_block=make_block,
    )  # fmt: skip


def build_trainer(
    config: TrainConfig, model: LiftModel, data: Poses, test: Poses | None, out: Path | None,
    *, quiet: bool = False,
) -> Trainer:  # fmt: skip
    """All of a run but its files: `data` split, the model's units set, optimiser, schedule and Trainer.

    `out` is None for a run that writes nothing; `quiet` for one that shows nothing. Raises InputError where
    there are too few poses.
    """
    train, validation = split_data(data, config)
    train = with_synthetic(train, config)
    names = (f.name for f in fields(Augmentation))
    augmentation = Augmentation(**{name: getattr(config, name) for name in names if hasattr(config, name)})
    if config.standardise:
        model.standardise(*_as_seen(train, augmentation, config.seed))
    optimiser = build_optimiser(config, model)
    steps = config.epochs * batches_per_epoch(len(train), config.batch_size)
    return Trainer(
        model, optimiser, build_scheduler(config, optimiser, steps), train, validation, test,
        epochs=config.epochs, batch_size=config.batch_size, out=out, loss=getattr(losses, config.loss),
        augmentation=augmentation, weights=config.weights, patience=config.patience,
        min_delta=config.min_delta,
        settings={"config": asdict(config), "data": fingerprint(data)},
        show=_nothing if quiet else print, bar=not quiet,
    )  # fmt: skip


def split_data(data: Poses, config: TrainConfig) -> tuple[Poses, Poses]:
    """Poses of the data to train on, and to validate."""
    rows, held_out = hold_out(len(data), config.val_fraction, config.seed)
    if 0 < config.poses < len(rows):
        rows = rows[np.linspace(0, len(rows) - 1, config.poses).astype(int)]
    return data.take(rows), data.take(held_out)


def with_synthetic(train: Poses, config: TrainConfig) -> Poses:
    """The training poses and, behind them, the synthetic people that the settings add."""
    added = round(config.synthetic * len(train))
    if not added:
        return train
    if train.mapped:
        raise InputError(
            f"--synthetic {config.synthetic:g}: {config.data} is too large to be read, and nothing "
            "can be added to it; give --synthetic 0, or a file that has synthetic people in it"
        )
    people = synthesize(added, config.seed, start=APART, free=FREE)
    joint_3d = np.concatenate([train.joint_3d, people.joint_3d])
    return Poses(np.concatenate([train.joint_2d, people.joint_2d]), joint_3d)


def _as_seen(train: Poses, augmentation: Augmentation, seed: int) -> tuple[Any, Any]:
    """2D and 3D joints with the statistics of what the network will see: all of them, or some thousands
    augmented. Made on the CPU, so that the units do not depend on the device."""
    if not augmentation.active:
        return train.joint_2d, train.joint_3d
    some = train.read(np.linspace(0, len(train) - 1, SEEN).astype(int))
    augment = Augmenter(augmentation, get_ops("cpu"), SEEN, seed)
    found = [np.empty_like(source) for source in augment.sources]
    for source, joints in zip(augment.sources, (some.joint_2d, some.joint_3d), strict=True):
        source[:] = np.asarray(joints).reshape(SEEN, -1)
    augment(0, *found)
    return found[0], found[1]


def build_optimiser(config: TrainConfig, model: LiftModel) -> Optimiser:
    if config.optimiser == "sgd":
        return SGD(model.parameters(), config.lr, config.momentum, config.weight_decay, config.clip)
    make = AdamW if config.optimiser == "adamw" else Adam
    options = {"weight_decay": config.weight_decay, "max_norm": config.clip}
    return make(model.parameters(), config.lr, config.betas, **options)


def build_scheduler(config: TrainConfig, optimiser: Optimiser, steps: int) -> Schedule | None:
    if config.scheduler == "onecycle":
        return OneCycleLR(optimiser, config.lr, steps, cycle_momentum=config.cycle_momentum)
    if config.scheduler == "cosine":
        return CosineAnnealingLR(optimiser, steps, per="batch")
    if config.scheduler == "warmup":
        return WarmUpCosineLR(optimiser, steps, config.warm_up)
    if config.scheduler == "step":
        return StepLR(optimiser, config.step_size, config.gamma, per=config.step_per)
    if config.scheduler == "exponential":
        return ExponentialLR(optimiser, config.gamma, per=config.step_per)
    return None


def _nothing(text: str) -> None:
    """Where a quiet run's lines go."""


def fingerprint(poses: Poses) -> list[int]:
    """What tells one set of poses from another: their number, and checksums of their joints."""
    assert poses.joint_3d is not None
    return [len(poses), crc32(poses.joint_2d), crc32(poses.joint_3d)]
