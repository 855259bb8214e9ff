"""A Trainer for one view, put together from its settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minilift.errors import ArgumentError, counted
from minilift.lift.build import (
    SEEN,
    begin_with,
    build_optimiser,
    build_scheduler,
    fingerprint_of,
    labelled,
    split_data,
)
from minilift.lift.model import LiftModel
from minilift.lift.run_epoch import EVALUATION_ROWS
from minilift.lift.setting import known_elevation
from minilift.lift.settings import TrainSettings
from minilift.lift.training import Training
from minilift.lift.weak.one_view.cycle import Weights
from minilift.lift.weak.one_view.guard import ENOUGH, Collapsed, Guard, useless
from minilift.lift.weak.one_view.measure import MOST, OneViewMeasure
from minilift.lift.weak.one_view.network import Adversaries
from minilift.lift.weak.one_view.rows import OneViewBatches
from minilift.lift.weak.one_view.step import OneViewStep
from minilift.poses.few import evenly
from minilift.poses.poses import Poses
from minilift.train.batches import batches_per_epoch
from minilift.train.trainer import Trainer

LEAST, MOST_SPREAD = 1e-6, 1.0
"""Of the spread of 2D joints, in image units: a person at 1,000 km, and one as wide as 127 degrees."""


@dataclass
class OneViewTraining(Training):
    """A `Training` that leaves no weights behind from which it collapsed, and says so."""

    judged: int = 0
    """The number of poses by which it is told whether the lifter's are of use."""

    def fit(self) -> bool:
        """As `Training.fit`. Raises Collapsed, with the weights of this run removed if they are of no use."""
        try:
            return super().fit()
        except Collapsed as problem:
            raise Collapsed(f"{problem}; {self._what_is_left()}") from None

    def _what_is_left(self) -> str:
        trainer, again = self.trainer, "to resume would go on with what has collapsed"
        if not trainer.files.writes:
            return again
        path, best = trainer.weights_path, f"epoch {trainer.progress.best_epoch}"
        if self._problem_of_best():
            path.unlink(missing_ok=True)
            return f"{path}, of {best}, was as useless and is removed; {again}"
        return f"{path} is that of {best}, before the collapse; {again}"

    def _problem_of_best(self) -> str:
        state = self.trainer.progress
        return "".join(useless(row) for row in state.history if row["epoch"] == state.best_epoch)

    def doubt(self) -> str:
        return self._problem_of_best() if self.judged >= ENOUGH else ""


def unit_of(poses: Poses) -> float:
    """The standard deviation of all coordinates of the 2D joints together, of some thousands of poses evenly
    picked."""
    some = poses.read(evenly(len(poses), SEEN))
    return float(np.std(np.asarray(some.joint_2d, np.float64)))


def build_one_view(
    settings: TrainSettings, model: LiftModel, data: Poses, test: Poses | None, out: Path | None, *,
    resumed: bool = False, weights: Weights | None = None, show: Callable[[str], None] = print,
    bar: bool = True,
) -> OneViewTraining:  # fmt: skip
    """As `build_trainer`, of 2D joints alone: where `data` and `test` have joint_3d, errors are in the log.

    `weights` are those of the parts of the loss. Raises InputError likewise.
    """
    if settings.labelled and data.joint_3d is None:
        problem = f"{settings.data} has no joint_3d to learn from; leave it out"
        raise ArgumentError("labelled", settings.labelled, problem)
    train, validation = split_data(data, settings)
    unit = unit_of(train)
    if not unit > LEAST:
        problem = "all 2D joints are in one place; give poses of people"
        raise ArgumentError("data", settings.data, problem)
    if unit > MOST_SPREAD:
        problem = f"2D joints are spread by {unit:.3g}, as pixels are; subtract the middle of the hips and "
        raise ArgumentError("data", settings.data, f"{problem}divide by the focal length")
    known = known_elevation(settings)
    network = Adversaries.of(model, unit, None if known is None else math.radians(known))
    begin_with(settings, model, resumed)
    optimiser = build_optimiser(settings, network)
    steps = settings.epochs * batches_per_epoch(len(train), settings.batch_size)
    sets = [poses for poses in (train, validation, test) if poses is not None]
    truth = all(poses.joint_3d is not None for poses in sets)
    own, held_out = (
        labelled(len(poses), settings) if settings.labelled else None for poses in (train, validation)
    )
    batches = OneViewBatches(train, model, settings.batch_size, truth=truth, flip=settings.flip, labels=own)
    others = [
        OneViewBatches(poses, model, EVALUATION_ROWS, truth=truth, labels=labels)
        for poses, labels in zip(sets[1:], (held_out, None), strict=False)
    ]
    judged = _judged(others[0], train, show)
    print_of = fingerprint_of(data.joint_2d, data.joint_3d if settings.labelled else None)
    step = OneViewStep(network, optimiser, unit, weights or Weights(), truth)
    trainer = Trainer(
        network, step.sums.loss, optimiser, build_scheduler(settings, optimiser, steps),
        metrics=step.sums.metrics, watch="loss", step=step, measure=OneViewMeasure(network, unit, truth),
        out=out, weights=settings.weights, patience=settings.patience, min_delta=settings.min_delta,
        settings={**settings.as_stored(), "data": print_of},
        show=show, bar=bar, listeners=[Guard()] if judged >= ENOUGH else [],
        checkpoint_every=settings.checkpoint_every,
    )  # fmt: skip
    watched = others[1] if test else None
    return OneViewTraining(trainer, batches, others[0], watched, settings.epochs, judged)


def _judged(held_out: OneViewBatches, train: Poses, show: Callable[[str], None]) -> int:
    """The number of poses that validation looks at from elsewhere. Where too few are held out, poses that are
    trained on are among them: no depth is compared, so they serve nearly as well."""
    if len(held_out) >= ENOUGH:
        return min(len(held_out), MOST)
    some = np.asarray(train.read(evenly(len(train), MOST)).joint_2d)
    held_out.others = some.reshape(len(some), -1)
    judged = len(held_out) + len(some)
    if judged < ENOUGH:
        show(
            f"warning: {counted(judged, 'pose')}: too few to tell right ones from flat ones and from front "
            f"and back exchanged; give {ENOUGH} or more"
        )
    return judged
