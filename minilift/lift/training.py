"""A Trainer for a lifter, with its poses as batches and the fastest step that there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from minilift.files import PathLike
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.fast.choose import fast_step
from minilift.lift.model import LiftModel
from minilift.lift.run_epoch import mpjpe_metric, pose_batches, training_batches
from minilift.nn import losses
from minilift.optim import Optimiser, Schedule
from minilift.poses.poses import Poses
from minilift.train.batches import Batches
from minilift.train.progress import Listener, Recorder
from minilift.train.step import Loss
from minilift.train.trainer import Trainer


@dataclass
class Training:
    """A Trainer and what it trains on, validates on and, if there is something, watches."""

    trainer: Trainer
    train: Batches
    validation: Batches
    test: Batches | None
    epochs: int

    def fit(self) -> bool:
        """As `Trainer.fit`: False if a signal came before the last epoch was done."""
        return self.trainer.fit(self.train, self.validation, self.test, epochs=self.epochs)

    def doubt(self) -> str:
        """What is wrong with the poses of the best weights, the best as they are; '' for nothing known."""
        return ""


def lift_training(
    model: LiftModel, optimiser: Optimiser, scheduler: Schedule | None, train: Poses, validation: Poses,
    test: Poses | None = None, *, epochs: int, batch_size: int = 64, loss: Loss = losses.mpjpe,
    augmentation: Augmentation | None = None, out: PathLike | None = None, weights: str = "liftModel",
    patience: int = 0, min_delta: float = 0.0, settings: dict[str, Any] | None = None,
    show: Callable[[str], None] = print, bar: bool = True, recorder: Recorder | None = None,
    listeners: Sequence[Listener] = (),
) -> Training:  # fmt: skip
    """Training of a lifter that watches the validation MPJPE. Options as of `Trainer`.

    Raises InputError as `training_batches` does.
    """
    batches = training_batches(train, model, batch_size, augmentation)
    metrics = mpjpe_metric()
    trainer = Trainer(
        model, loss, optimiser, scheduler, metrics=metrics, watch="mpjpe", out=out, weights=weights,
        step=fast_step(model, loss, optimiser, metrics), patience=patience, min_delta=min_delta,
        settings=settings, show=show, bar=bar, recorder=recorder, listeners=listeners,
    )  # fmt: skip
    watched = None if test is None else pose_batches(test, model)
    return Training(trainer, batches, pose_batches(validation, model), watched, epochs)
