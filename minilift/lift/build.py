"""A training run put together from its settings, for the train command and for studies alike."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import ArgumentError, InputError
from minilift.files.mapped import Points, crc32
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.blocks import LEAK, BlockMaker
from minilift.lift.model import LiftModel
from minilift.lift.relative import relative_mpjpe
from minilift.lift.settings import TrainSettings
from minilift.lift.training import Training, lift_training
from minilift.lift.weights.begin import begin
from minilift.lift.weights.stored import read_weights
from minilift.nn import Network, losses
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
from minilift.train.batches import batches_per_epoch, hold_out
from minilift.train.step import Loss

LOSSES: dict[str, Loss] = {"mpjpe": losses.mpjpe, "mse": losses.mse, "relative": relative_mpjpe}
SEEN = 16_384  # augmented poses from which the network's units are taken
LABELS = 7  # the stream of random numbers that says which poses have labels
FREE = 0.5  # of the synthetic people that are added to data, how many move freely
APART = CHUNK << 20  # where they begin in the crowd of their seed: not those that a folder without data gets


def build_model(settings: TrainSettings, make_block: BlockMaker | None = None) -> LiftModel:
    """The network of a run, before training. Raises InputError where its device cannot be had."""
    return LiftModel(
        settings.blocks, settings.hidden, settings.dropout, init=settings.init, seed=settings.seed,
        device=settings.device, tf32=settings.tf32, head=settings.head,
        levels=settings.head == "place" and settings.noise_to > 0,
        slope=LEAK if settings.norm == "none" else None, make_block=make_block,
    )  # fmt: skip


def build_trainer(
    settings: TrainSettings, model: LiftModel, data: Poses, test: Poses | None, out: Path | None,
    *, quiet: bool = False, resumed: bool = False,
) -> Training:  # fmt: skip
    """All of a run but its files: `data` split, the model's units set, optimiser, schedule and Trainer.

    `out` is None for a run that writes nothing; `quiet` for one that shows nothing; `resumed` for one whose
    weights are put back afterwards, and which does not read those that it was begun with. Raises InputError
    where there are too few poses, or weights to start from that do not fit.
    """
    train, validation = split_data(data, settings)
    train = with_synthetic(train, settings)
    augmentation = Augmentation(**{f.name: getattr(settings, f.name) for f in fields(Augmentation)})
    if settings.standardise:
        seen = augmentation
        if model.head == "place":  # what is hidden is the mean, and shall not move it
            seen = augmentation.whole
        model.standardise(*_as_seen(train, seen, settings.seed))
    begin_with(settings, model, resumed)
    optimiser = build_optimiser(settings, model)
    steps = settings.epochs * batches_per_epoch(len(train), settings.batch_size)
    return lift_training(
        model, optimiser, build_scheduler(settings, optimiser, steps), train, validation, test,
        epochs=settings.epochs, batch_size=settings.batch_size, out=out, loss=LOSSES[settings.loss],
        augmentation=augmentation, weights=settings.weights, patience=settings.patience,
        min_delta=settings.min_delta,
        settings={**settings.as_stored(), "data": fingerprint(data)},
        show=_nothing if quiet else print, bar=not quiet, checkpoint_every=settings.checkpoint_every,
    )  # fmt: skip


def begin_with(settings: TrainSettings, model: LiftModel, resumed: bool) -> None:
    """Give the model the weights to start from, if there are any and it does not get later ones anyway.

    Raises ArgumentError where they do not fit.
    """
    if not settings.start or resumed:
        return
    try:
        begin(model, read_weights(settings.start)[0])
    except InputError:
        raise
    except ValueError as problem:
        problem_said = f"{problem}; give the shape of those weights"
        raise ArgumentError("start", settings.start, problem_said) from None


def split_data(data: Poses, settings: TrainSettings) -> tuple[Poses, Poses]:
    """Poses of the data to train on, and to validate."""
    rows, held_out = split_rows(len(data), settings)
    return data.take(rows), data.take(held_out)


def split_rows(n: int, settings: TrainSettings) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of the data to train on, and to validate; of both only those that are `labelled` where
    nothing is learned from the others."""
    try:
        rows, held_out = hold_out(n, settings.val_fraction, settings.seed)
    except InputError as problem:
        raise ArgumentError("data", settings.data, str(problem)) from None
    if 0 < settings.poses < len(rows):
        rows = rows[np.linspace(0, len(rows) - 1, settings.poses).astype(int)]
    if settings.labelled and settings.weak == "none":
        return rows[labelled(len(rows), settings)], held_out[labelled(len(held_out), settings)]
    return rows, held_out


def labelled(n: int, settings: TrainSettings) -> np.ndarray:
    """Which of n poses, in order, have the 3D that is learned from, (n,) bool: the share of them that the
    setting says, drawn by the seed, and one at least."""
    drawn = np.random.default_rng((settings.seed, LABELS)).permutation(n)
    return np.asarray(drawn < max(1, round(settings.labelled * n)))


def with_synthetic(train: Poses, settings: TrainSettings) -> Poses:
    """The training poses and, behind them, the synthetic people that the settings add."""
    added = round(settings.synthetic * len(train))
    if not added:
        return train
    if train.mapped:
        problem = f"{settings.data} is too large to be read, and nothing can be added to it; give {{0}}"
        raise ArgumentError("synthetic", settings.synthetic, problem, ("synthetic", 0))
    people = synthesize(added, settings.seed, start=APART, free=FREE)
    joint_3d = np.concatenate([train.joint_3d, people.joint_3d])
    return Poses(np.concatenate([train.joint_2d, people.joint_2d]), joint_3d)


def _as_seen(train: Poses, augmentation: Augmentation, seed: int) -> tuple[Any, Any]:
    """2D and 3D joints with the statistics of what the network will see: all of them, or some thousands
    augmented. Made on the CPU, so that the units do not depend on the device."""
    if not augmentation.active:
        return train.joint_2d, train.joint_3d
    some = train.read(np.linspace(0, len(train) - 1, SEEN).astype(int))
    augment = Augmenter(augmentation, get_ops("cpu"), SEEN, seed)
    x, y = (augment.ops.asarray(joints).reshape(SEEN, -1) for joints in (some.joint_2d, some.joint_3d))
    return augment(0, x, y)


def build_optimiser(settings: TrainSettings, model: Network) -> Optimiser:
    if settings.optimiser == "sgd":
        return SGD(model.parameters(), settings.lr, settings.momentum, settings.weight_decay, settings.clip)
    make = AdamW if settings.optimiser == "adamw" else Adam
    options = {"weight_decay": settings.weight_decay, "max_norm": settings.clip}
    return make(model.parameters(), settings.lr, settings.betas, **options)


def build_scheduler(settings: TrainSettings, optimiser: Optimiser, steps: int) -> Schedule | None:
    if settings.scheduler == "onecycle":
        return OneCycleLR(optimiser, settings.lr, steps, cycle_momentum=settings.cycle_momentum)
    if settings.scheduler == "cosine":
        return CosineAnnealingLR(optimiser, steps, per="batch")
    if settings.scheduler == "warmup":
        return WarmUpCosineLR(optimiser, steps, settings.warm_up)
    if settings.scheduler == "step":
        return StepLR(optimiser, settings.step_size, settings.gamma, per=settings.step_per)
    if settings.scheduler == "exponential":
        return ExponentialLR(optimiser, settings.gamma, per=settings.step_per)
    return None


def _nothing(text: str) -> None:
    """Where a quiet run's lines go."""


def fingerprint(poses: Poses) -> list[int]:
    """What tells one set of poses from another: their number, and checksums of their joints."""
    return fingerprint_of(poses.joint_2d, poses.joint_3d)


def fingerprint_of(*arrays: Points | None) -> list[int]:
    """The number of rows, and a checksum of each array that is there."""
    there = [array for array in arrays if array is not None]
    return [len(there[0]), *map(crc32, there)]
