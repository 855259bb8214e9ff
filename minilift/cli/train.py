"""The training command: data in, `liftModel` out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minilift import losses
from minilift.checkpoint import check_format, load_checkpoint
from minilift.cli import run
from minilift.cli.config import TrainConfig, describe, parse_train, resumed
from minilift.data.poses import Poses, load_poses, save_poses, save_scale, scale_name, split_poses
from minilift.errors import InputError
from minilift.files import check_writable
from minilift.lifter import LiftModel
from minilift.ops import choose_device
from minilift.optim import (
    SGD,
    Adam,
    CosineAnnealingLR,
    ExponentialLR,
    OneCycleLR,
    Optimiser,
    Schedule,
    StepLR,
)
from minilift.training import Trainer, batches_per_epoch, hold_out

SYNTHETIC_POSES = 78_047  # as many as the course's data set has


def main(argv: Sequence[str] | None = None) -> int:
    return run("train.py", _train, argv)


def _train(argv: Sequence[str] | None) -> int:
    config, given, resume = parse_train(argv)
    out = Path(config.out)
    checkpoint = out / "checkpoint.npz"
    arrays, meta = load_checkpoint(checkpoint) if resume else ({}, {})
    if resume:
        config = resumed(meta.get("settings", {}).get("config"), given)
    check_writable(out)
    check_format(config.weights)
    device, reason = choose_device() if config.device == "auto" else (config.device, "")
    model = LiftModel(
        config.blocks, config.hidden, config.dropout, init=config.init, seed=config.seed, device=device
    )
    print(f"device: {device}" + (f", because {reason}" if reason else ""))

    train, test = _data(config, given)
    rows, held_out = hold_out(len(train), config.val_fraction, config.seed)
    fingerprint = _fingerprint(train)
    if resume and meta["settings"].get("data") != fingerprint:
        raise InputError(
            f"{config.data}: not the poses that the run was begun with; give those, or start anew"
        )
    validation, train = train.take(held_out), train.take(rows)
    if config.standardise:
        model.standardise(train.joint_2d, train.joint_3d)
    optimiser = _optimiser(config, model)
    steps = config.epochs * batches_per_epoch(len(train), config.batch_size)
    trainer = Trainer(
        model, optimiser, _scheduler(config, optimiser, steps), train, validation, test,
        epochs=config.epochs, batch_size=config.batch_size, out=out, loss=getattr(losses, config.loss),
        weights=config.weights, settings={"config": asdict(config), "data": fingerprint},
    )  # fmt: skip
    if resume:
        trainer.restore(arrays, meta)
        done = trainer.progress
        print(f"resuming {checkpoint}: {done.epoch} of {config.epochs} epochs done, best {done.best:.5f}")
    else:
        _keep_old(out, config.weights)
    print(describe(config))
    watched = len(test) if test else 0
    print(f"  {len(train):,} poses to train on, {len(validation):,} to validate, {watched:,} to watch\n")
    return _report(trainer, config, trainer.fit())


def _report(trainer: Trainer, config: TrainConfig, finished: bool) -> int:
    state = trainer.progress
    if not finished:
        where = f"epoch {state.epoch + 1} of {config.epochs}"
        print(f"\nstopped in {where}; all is saved in {trainer.checkpoint_path}")
        print(f"go on with: python train.py --resume{_out_flag(config)}")
        return 128 + trainer.signal
    when = f"epoch {state.best_epoch} of {config.epochs}"
    print(f"\nbest validation MPJPE {state.best:.5f} units, {when}, {state.seconds:.0f} s")
    print(f"wrote {trainer.weights_path} (those weights), {trainer.log_path}, {trainer.checkpoint_path}")
    weights = f" --weights {trainer.weights_path}" if trainer.weights_path != Path("liftModel") else ""
    data = f" --data {config.test}" if config.test != TrainConfig.test else ""
    print(f"next: python eval.py{weights}{data}")
    return 0


def _out_flag(config: TrainConfig) -> str:
    return f" --out {config.out}" if config.out != "." else ""


def _data(config: TrainConfig, given: dict[str, Any]) -> tuple[Poses, Poses | None]:
    """Training and test poses; made, and kept, where no file is there and none was asked for."""
    path, test_path = Path(config.data), Path(config.test)
    if not path.exists() and "data" not in given:
        if test_path.exists():
            raise InputError(
                f"{path}: not here, though {test_path} is; give the training poses with --data FILE"
            )
        if "test" in given:
            raise InputError(f"{path}: not here; give the training poses with --data FILE")
        _make_data(path, test_path, config.seed)
    train = load_poses(path, need_3d=True)
    test = load_poses(test_path, need_3d=True) if test_path.exists() or "test" in given else None
    for name, poses in ((path, train), (test_path, test)):
        if poses is not None:
            ignored = f" (ignored: {', '.join(poses.ignored)})" if poses.ignored else ""
            print(f"{name}: {len(poses):,} poses{ignored}")
    return train, test


def _make_data(path: Path, test_path: Path, seed: int) -> None:
    from minilift.pose.synth import synthesize

    print(f"no {path} here: making {SYNTHETIC_POSES:,} synthetic people ...")
    made = synthesize(SYNTHETIC_POSES, seed)
    parts = split_poses(Poses(made.joint_2d, made.joint_3d, made.scale), 0.8, seed)
    for name, poses in zip((path, test_path), parts, strict=True):
        assert poses.scale is not None
        save_poses(name, poses)
        save_scale(scale_name(name), poses.scale)
    print(f"kept them in {path} and {test_path}")


def _fingerprint(poses: Poses) -> list[int]:
    assert poses.joint_3d is not None
    return [len(poses), zlib.crc32(poses.joint_2d.data), zlib.crc32(poses.joint_3d.data)]


def _keep_old(out: Path, weights: str) -> None:
    """A new run must not destroy an older one: its files get the ending .old."""
    old = [path for name in (weights, "log.csv", "checkpoint.npz") if (path := out / name).exists()]
    for path in old:
        path.replace(path.with_name(path.name + ".old"))
    if old:
        print(f"an earlier run's files are kept as {', '.join(path.name + '.old' for path in old)}")


def _optimiser(config: TrainConfig, model: LiftModel) -> Optimiser:
    if config.optimiser == "sgd":
        return SGD(model.parameters(), config.lr, config.momentum, config.weight_decay)
    return Adam(model.parameters(), config.lr, config.betas, weight_decay=config.weight_decay)


def _scheduler(config: TrainConfig, optimiser: Optimiser, steps: int) -> Schedule | None:
    if config.scheduler == "onecycle":
        return OneCycleLR(optimiser, config.lr, steps)
    if config.scheduler == "cosine":
        return CosineAnnealingLR(optimiser, steps, per="batch")
    if config.scheduler == "step":
        return StepLR(optimiser, config.step_size, config.gamma, per=config.step_per)
    if config.scheduler == "exponential":
        return ExponentialLR(optimiser, config.gamma, per=config.step_per)
    return None
