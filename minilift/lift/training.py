"""A Trainer for a lifter, with its poses as batches and the fastest step that there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from minilift.files import PathLike
from minilift.lift.augment.augmenter import Augmentation
from minilift.lift.fast.choose import fast_step
from minilift.lift.model import LiftModel
from minilift.lift.run_epoch import mpjpe_metric, pose_batches, training_batches
from minilift.nn import Network, losses
from minilift.ops.blas.choose import LIBRARIES, choose, multiplied_by
from minilift.ops.numpy_ops import NumpyOps
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
    processes: int = field(default=1, init=False)
    agree: Callable[[bool], bool] = field(default=bool, init=False)
    """Whether all processes that train together say so. (They choose a library of products alike.)"""
    began_with: str = field(default="", init=False)
    """The library of products that the run to be continued has used."""

    def fit(self) -> bool:
        """As `Trainer.fit`: False if a signal came before the last epoch was done.

        On a CPU the library of products is chosen first (docs/blas.md), and the settings keep it. Raises
        InputError where the environment asks for one that is not here.
        """
        trainer, ops = self.trainer, self.trainer.network.ops
        if not isinstance(ops, NumpyOps):
            return trainer.fit(self.train, self.validation, self.test, epochs=self.epochs)
        rows, width = max(self.train.size // self.processes, 1), widest(trainer.network)
        choice = choose(ops, rows, width, self.began_with)
        took = self.agree(choice.gemm is not None)
        library = "mkl" if took else "openblas"
        if took or self.began_with not in ("", library):
            trainer.show(f"products by {LIBRARIES[library]}: {choice.why}")
        trainer.settings["blas"] = library
        with multiplied_by(ops, choice.gemm if took else None):
            return trainer.fit(self.train, self.validation, self.test, epochs=self.epochs)

    def doubt(self) -> str:
        """What is wrong with the poses of the best weights, the best as they are; '' for nothing known."""
        return ""


def widest(network: Network) -> int:
    """The width of its largest square: of a lifter, of its layers."""
    return max((min(p.shape) for p in network.parameters() if len(p.shape) == 2), default=1)


def lift_training(
    model: LiftModel, optimiser: Optimiser, scheduler: Schedule | None, train: Poses, validation: Poses,
    test: Poses | None = None, *, epochs: int, batch_size: int = 64, loss: Loss = losses.mpjpe,
    augmentation: Augmentation | None = None, out: PathLike | None = None, weights: str = "liftModel",
    patience: int = 0, min_delta: float = 0.0, settings: dict[str, Any] | None = None,
    show: Callable[[str], None] = print, bar: bool = True, recorder: Recorder | None = None,
    listeners: Sequence[Listener] = (), checkpoint_every: str | float = "30s",
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
        checkpoint_every=checkpoint_every,
    )  # fmt: skip
    watched = None if test is None else pose_batches(test, model)
    return Training(trainer, batches, pose_batches(validation, model), watched, epochs)
