"""minilift train: poses in, the weights of a lifter out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from minilift.cli.settings import Asked, flag, read_train
from minilift.cli.train.after import command, no_trust, what_next
from minilift.cli.train.begin import Asking, Begun, begin
from minilift.cli.train.crew import Crew
from minilift.cli.train.files import check_outputs
from minilift.cli.train.memory import Full, full, with_remedy
from minilift.cli.trust import groups_beside, keep_trust
from minilift.distributed import Group, share
from minilift.distributed.cores import card_for
from minilift.errors import ArgumentError, InputError, OutOfMemory, counted, run_program
from minilift.files import only_one
from minilift.files.checkpoint import load_checkpoint
from minilift.lift.build import build_model, split_data, split_rows
from minilift.lift.lifter import Lifter
from minilift.lift.recipe import begun_with
from minilift.lift.resume import began_with, resumed, upgraded
from minilift.lift.settings import ENDING, TrainSettings
from minilift.lift.training import Training
from minilift.lift.trust import trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.ops import choose_device
from minilift.poses.poses import Poses
from minilift.show.runs.curves import Curves
from minilift.show.runs.events import EventFiles
from minilift.train.trainer import Trainer


def main(argv: Sequence[str] | None = None) -> int:
    crew = Crew()
    return crew.run(lambda: run_program("minilift train", lambda words: _train(words, crew), argv))


def _train(argv: Sequence[str] | None, crew: Crew) -> int:
    asked = read_train(argv)
    with crew.joined(asked.distributed) as group:
        return _train_in(group, asked)


def _train_in(group: Group, asked: Asked) -> int:
    checkpoint = Path(asked.settings.out) / "checkpoint.npz"
    arrays, meta = load_checkpoint(checkpoint) if asked.resume else ({}, {})
    stored: Any = meta.get("settings")
    settings = resumed(stored, asked.given, checkpoint) if asked.resume else asked.settings
    if settings.start and not asked.resume:
        settings = begun_with(settings, asked.given)
    if settings.weak != "none" and asked.distributed:
        why = "what a batch teaches depends on all of its people, and the network is small"
        problem = f"learns in one process alone: {why}; leave {{0}} out"
        raise ArgumentError("weak", settings.weak, problem, ("distributed", True))
    if group.first:
        check_outputs(settings)
    else:
        settings = replace(settings, plot="", tensorboard="")
    began, told = time.time(), None
    try:
        return _run(group, settings, asked, arrays, meta)
    except Full as problem:
        told = full(problem, problem.rows)
    saved = checkpoint.exists() and (asked.resume or checkpoint.stat().st_mtime >= began)
    raise with_remedy(told, settings, checkpoint if saved else None)


def _run(
    group: Group, settings: TrainSettings, asked: Asked, arrays: dict[str, Any], meta: dict[str, Any]
) -> int:
    """Everything from the device to the last words. Returns the exit status."""
    events = EventFiles(settings.tensorboard) if settings.tensorboard else None
    device = card_for(group, settings.device) if asked.distributed else settings.device
    model = build_model(replace(settings, device=device))
    reason = f", because {choose_device()[1]}" if device == "auto" else ""
    print(f"device: {model.ops.device}{reason}")
    named = asked.resume or bool({"data", "test"} & asked.given.keys())
    begun = _begin(group, Asking(settings, model, named, "test" in asked.given, asked.resume, group.first))
    training, train = begun.training, begun.poses
    trainer = training.trainer
    if asked.resume and meta["settings"].get("data") != trainer.settings["data"]:
        problem = "not the poses that the run was begun with; give those, or start a new run"
        raise ArgumentError("data", settings.data, problem)
    curves = Curves(settings.plot, model, split_data(train, settings)[1]) if settings.plot else None
    trainer.listeners += filter(None, (events, curves))
    trainer.recorder = curves.recorder if curves else None
    if asked.distributed:
        training.train = share(trainer, training.train, group, settings.sync_batchnorm)
        training.processes, training.agree = group.size, group.all
    alone = only_one(trainer.log_path.parent) if group.first else nullcontext()
    with alone, closing(events) if events else nullcontext():
        if asked.resume:
            trainer.restore(*upgraded(arrays, meta, model))
            training.began_with = began_with(meta["settings"])
            if curves:
                curves.resume(trainer.record_path, trainer.optimiser.steps, trainer.progress.epoch)
            if not _has_more_to_do(trainer, settings, meta):
                return 0
        _announce(training, settings, len(train), begun.watched)
        try:
            finished = training.fit()
        except OutOfMemory as problem:
            raise full(problem, len(training.train)) from None
        if not finished:
            _stopped(trainer, settings)
        elif group.first:
            _finished(trainer, settings, _trust(trainer, settings, train), begun.watched > 0)
            _doubt(training, settings)
        if curves and trainer.progress.history:
            curves.draw(trainer.progress.history)
            print(f"wrote {settings.plot}")
    return 0 if finished else 128 + trainer.signal


def _begin(group: Group, asking: Asking) -> Begun:
    """The run. Where its poses are made first, rank 0 makes them, and the others wait for the files."""
    made = not group.agreed(Path(asking.settings.data).exists())
    if made and not group.first:
        group.wait()
    begun = begin(asking)
    if made and group.first:
        group.wait()
    return begun


def _announce(training: Training, settings: TrainSettings, n: int, watched: int) -> None:
    print(settings.describe())
    used, held_out = len(training.train), len(training.validation)
    made = f" ({used + held_out - n:,} of them synthetic)" if settings.synthetic else ""
    print(f"  {counted(used, 'pose')} to train on{made}, {held_out:,} to validate, {watched:,} to watch\n")


def _has_more_to_do(trainer: Trainer, settings: TrainSettings, meta: dict[str, Any]) -> bool:
    """Say where a resumed run stands, and whether there is anything left to do."""
    done, before = trainer.progress, meta.get("epochs")
    so_far = f"{done.epoch} of {counted(settings.epochs, 'epoch')} done, best {done.best:.5f}"
    print(f"resuming {trainer.checkpoint_path}: {so_far}")
    if done.epoch >= settings.epochs:
        longer = f"{flag('epochs')} {2 * done.epoch}"
        print(f"nothing is left to do; continue with {longer}, or start a new run without --resume")
        return False
    if trainer.given_up:
        off = "--patience 0 --min-delta 0" if settings.min_delta else "--patience 0"
        print(f"{_given_up(settings)}; continue with {off}, or a larger patience")
        return False
    if settings.epochs != before and settings.scheduler in ENDING:
        longer = f"from {before} to {counted(settings.epochs, 'epoch')}"
        print(f"the {settings.scheduler} schedule is stretched {longer}")
    return True


def _trust(trainer: Trainer, settings: TrainSettings, data: Poses) -> str:
    """Learn when to trust the best weights, and keep it with them; what came of it, in a line."""
    path = trust_path(trainer.weights_path)
    if data.joint_3d is None:
        return no_trust(trainer.weights_path, path)
    lifter, poses = Lifter.load(trainer.weights_path, settings.device), split_data(data, settings)
    try:
        rows = split_rows(len(data), settings)[1]
        found = fit_trust(lifter, *poses, settings.seed, groups_beside(settings.data, rows))
    except InputError as problem:
        return f"no {path}: {problem}"
    keep_trust(found, path)
    return f"wrote {path}: when to trust these weights"


def _watched(settings: TrainSettings) -> str:
    return "MPJPE" if settings.weak == "none" else "loss"


def _given_up(settings: TrainSettings) -> str:
    by = f" by more than {settings.min_delta:g} units" if settings.min_delta else ""
    count = counted(settings.patience, "epoch")
    return f"stopped early: no better validation {_watched(settings)}{by} in {count}"


def _stopped(trainer: Trainer, settings: TrainSettings) -> None:
    where = f"epoch {trainer.progress.epoch + 1} of {settings.epochs}"
    print(f"\nstopped in {where}; all is saved in {trainer.checkpoint_path}")
    out = ["--out", settings.out] if settings.out != TrainSettings.out else []
    print(f"continue with: {command('train', '--resume', *out)}")


def _finished(trainer: Trainer, settings: TrainSettings, trust: str, with_test: bool) -> None:
    state = trainer.progress
    if trainer.given_up and state.epoch < settings.epochs:
        print(f"\n{_given_up(settings)}, after epoch {state.epoch} of {settings.epochs}")
    when = f"epoch {state.best_epoch} of {settings.epochs}"
    unit = " units" if settings.weak == "none" else ""  # a loss without 3D is in none
    print(f"\nbest validation {_watched(settings)} {state.best:.5f}{unit}, {when}, {state.seconds:.0f} s")
    print(f"wrote {trainer.weights_path} (those weights), {trainer.log_path}, {trainer.checkpoint_path}")
    print(trust)
    print(f"next: {what_next(settings, trainer.weights_path, with_test)}")


def _doubt(training: Training, settings: TrainSettings) -> None:
    if problem := training.doubt():
        longer = f"train longer ({flag('resume')} {flag('epochs')} {2 * settings.epochs})"
        print(f"warning: these poses may be of no use: {problem}; {longer}, or start again ({flag('seed')})")
