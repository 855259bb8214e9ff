"""The training command: data in, `liftModel` out."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from minilift.cli.build import build_model, build_trainer, split_data
from minilift.cli.config import TrainConfig, describe, parse_train
from minilift.cli.curves import Curves
from minilift.cli.resume import resumed
from minilift.cli.trust import keep_trust
from minilift.errors import InputError, run_program
from minilift.files import check_writable, only_one
from minilift.files.weights import check_format, load_checkpoint
from minilift.lift.lifter import Lifter
from minilift.lift.trust import trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.ops import choose_device
from minilift.poses.info import warn_of_conventions
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses, load_poses, save_poses, save_scale, scale_name, split_poses
from minilift.poses.read.course import files_of
from minilift.show.style import check_picture
from minilift.train.events import EventFiles
from minilift.train.trainer import Trainer

SYNTHETIC_POSES = 78_047  # as many as the course's data set has


def main(argv: Sequence[str] | None = None) -> int:
    return run_program("minilift train", _train, argv)


def _train(argv: Sequence[str] | None) -> int:
    config, given, resume = parse_train(argv)
    out = Path(config.out)
    checkpoint = out / "checkpoint.npz"
    arrays, meta = load_checkpoint(checkpoint) if resume else ({}, {})
    settings: Any = meta.get("settings")
    if resume:
        config = resumed(settings, given)
    _check_outputs(config, out)
    events = EventFiles(config.tensorboard) if config.tensorboard else None
    model = build_model(config)
    reason = f", because {choose_device()[1]}" if config.device == "auto" else ""
    print(f"device: {model.ops.device}{reason}")

    train, test = _data(config, given, resume)
    trainer = build_trainer(config, model, train, test, out)
    trainer.listeners += [events] if events else []
    if resume and settings.get("data") != trainer.settings["data"]:
        raise InputError(
            f"{config.data}: not the poses that the run was begun with; give those, or start anew"
        )
    curves = Curves(config.plot, model, split_data(train, config)[1]) if config.plot else None
    if curves:
        trainer.recorder = curves.recorder
        trainer.listeners.append(curves)
    with only_one(out), closing(events) if events else nullcontext():
        if resume:
            trainer.restore(arrays, meta)
            if curves:
                curves.resume(trainer.record_path, trainer.optimiser.steps, trainer.progress.epoch)
            if not _goes_on(trainer, config, meta):
                return 0
        print(describe(config))
        used, held_out = len(trainer.rows), len(trainer.watched["val"])
        made = f" ({used + held_out - len(train):,} of them synthetic)" if config.synthetic else ""
        watched = len(test) if test else 0
        print(f"  {used:,} poses to train on{made}, {held_out:,} to validate, {watched:,} to watch\n")
        finished = trainer.fit()
        trust = _trust(trainer, config, train) if finished else ""
        status = _report(trainer, config, finished, trust, test is not None)
        if curves and trainer.progress.history:
            curves.draw(trainer.progress.history)
            print(f"wrote {config.plot}")
        return status


def _trust(trainer: Trainer, config: TrainConfig, data: Poses) -> str:
    """Learn when to trust the best weights, and keep it beside them; what came of it, in a line."""
    path = trust_path(trainer.weights_path)
    lifter, poses = Lifter.load(trainer.weights_path, config.device), split_data(data, config)
    try:
        found = fit_trust(lifter, *poses, config.seed)
    except InputError as problem:
        return f"no {path}: {problem}"
    keep_trust(found, path)
    return f"wrote {path}: when to trust these weights"


def _goes_on(trainer: Trainer, config: TrainConfig, meta: dict[str, Any]) -> bool:
    """Say where a resumed run stands, and whether there is anything left to do."""
    done, before = trainer.progress, meta.get("epochs")
    so_far = f"{done.epoch} of {config.epochs} epochs done, best {done.best:.5f}"
    print(f"resuming {trainer.checkpoint_path}: {so_far}")
    if done.epoch >= config.epochs:
        print(f"nothing is left to do; go on with --epochs {2 * done.epoch}, or start anew without --resume")
        return False
    if trainer.given_up:
        off = "--patience 0 --min-delta 0" if config.min_delta else "--patience 0"
        print(f"{_given_up(config)}; go on with {off}, or a larger patience")
        return False
    if config.epochs != before and config.scheduler in ("onecycle", "cosine", "warmup"):
        print(f"the {config.scheduler} schedule is stretched from {before} to {config.epochs} epochs")
    return True


def _given_up(config: TrainConfig) -> str:
    by = f" by more than {config.min_delta:g} units" if config.min_delta else ""
    count = f"{config.patience} epoch{'s' if config.patience > 1 else ''}"
    return f"stopped early: no better validation MPJPE{by} in {count}"


def _check_outputs(config: TrainConfig, out: Path) -> None:
    """Refuse names that would overwrite something else; before anything is read, made or written."""
    weights, inputs = out / config.weights, [*files_of(config.data), *files_of(config.test)]
    taken = [out / "log.csv", out / "checkpoint.npz", out / "record.npz", *inputs, *map(scale_name, inputs)]
    if trust_path(weights).resolve() in [path.resolve() for path in taken]:
        raise InputError(f"--weights {config.weights!r}: {trust_path(weights).name} is a file that is needed")
    if not config.weights or weights.resolve() in [path.resolve() for path in taken]:
        raise InputError(f"--weights {config.weights!r}: another file needs that name; choose another")
    for path in (weights, trust_path(weights), *taken[:3]):
        if path.is_dir():
            raise InputError(f"{path}: a folder, where a file is to be written; choose another --out")
    check_writable(out)
    check_writable(weights.parent)
    if config.tensorboard:
        check_writable(config.tensorboard)
    check_format(config.weights)
    if config.plot:
        check_picture(config.plot)
        if Path(config.plot).resolve() in [path.resolve() for path in (weights, *taken)]:
            raise InputError(f"--plot {config.plot}: another file needs that name; choose another")


def _report(trainer: Trainer, config: TrainConfig, finished: bool, trust: str, with_test: bool) -> int:
    state = trainer.progress
    program = Path(sys.argv[0] if sys.argv[0].endswith("train.py") else "train.py")
    if not finished:
        where = f"epoch {state.epoch + 1} of {config.epochs}"
        print(f"\nstopped in {where}; all is saved in {trainer.checkpoint_path}")
        out = ["--out", config.out] if config.out != "." else []
        print(f"go on with: {shlex.join(['python', str(program), '--resume', *out])}")
        return 128 + trainer.signal
    when = f"epoch {state.best_epoch} of {config.epochs}"
    if trainer.given_up and state.epoch < config.epochs:
        print(f"\n{_given_up(config)}, after epoch {state.epoch} of {config.epochs}")
    print(f"\nbest validation MPJPE {state.best:.5f} units, {when}, {state.seconds:.0f} s")
    print(f"wrote {trainer.weights_path} (those weights), {trainer.log_path}, {trainer.checkpoint_path}")
    print(trust)
    command = ["python", str(program.with_name("eval.py"))]
    if trainer.weights_path != Path("liftModel"):
        command += ["--weights", str(trainer.weights_path)]
    if config.test != TrainConfig.test:
        command += ["--data", config.test]
    missing = "" if with_test else f", when {config.test} is there (or give other poses with --data)"
    print(f"next: {shlex.join(command)}{missing}")
    return 0


def _data(config: TrainConfig, given: dict[str, Any], resume: bool) -> tuple[Poses, Poses | None]:
    """Training and test poses; made, and kept, where no file is there and none was asked for."""
    path, test_path = Path(config.data), Path(config.test)
    asked = resume or "data" in given or "test" in given
    if not path.exists() and not asked:
        if test_path.exists():
            raise InputError(
                f"{path}: not here, though {test_path} is; give the training poses with --data FILE"
            )
        _make_data(path, test_path, config.seed)
    train = load_poses(path, need_3d=True)
    there = any(file.exists() for file in files_of(test_path))
    test = load_poses(test_path, need_3d=True) if there or "test" in given else None
    for name, poses in ((path, train), (test_path, test)):
        if poses is not None:
            ignored = f" (ignored: {', '.join(poses.ignored)})" if poses.ignored else ""
            print(f"{name}: {len(poses):,} poses{ignored}")
            warn_of_conventions(name, poses)
    return train, test


def _make_data(path: Path, test_path: Path, seed: int) -> None:
    for scale in map(scale_name, (path, test_path)):
        if scale.exists():
            raise InputError(f"{scale}: here without its poses; move it away, and synthetic people are made")
    print(f"no {path} here: making {SYNTHETIC_POSES:,} synthetic people ...")
    made = synthesize(SYNTHETIC_POSES, seed)
    parts = split_poses(Poses(made.joint_2d, made.joint_3d, made.scale), 0.8, seed)
    for name, poses in zip((path, test_path), parts, strict=True):
        assert poses.scale is not None
        save_poses(name, poses)
        save_scale(scale_name(name), poses.scale)
    print(f"kept them in {path} and {test_path}")
