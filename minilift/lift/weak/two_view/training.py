"""Training from two views: one epoch of it, and a Trainer for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minilift.files import PathLike
from minilift.lift.model import LiftModel
from minilift.lift.run_epoch import EVALUATION_ROWS, SPLITS, Averages
from minilift.lift.training import Training
from minilift.lift.weak.two_view.loss import TruthMetric, TwoViewLoss
from minilift.lift.weak.two_view.rows import TwoViewBatches
from minilift.lift.weak.two_view.step import TwoViewMeasure, TwoViewStep
from minilift.optim import Optimiser, Schedule
from minilift.poses.views import TwoViews
from minilift.train.epoch import train_epoch
from minilift.train.progress import Listener, Recorder
from minilift.train.step import Loss, Metric
from minilift.train.trainer import Trainer


def run_epoch_weak(
    epoch_no: int, data: TwoViews, model: LiftModel, optimiser: Optimiser | None = None,
    scheduler: Schedule | None = None, batch_size: int = 64, split: str = "train", *,
    loss: Loss | None = None, progress: bool = True, flip: float = 0.0, noise: float = 0.0,
    labels: np.ndarray | None = None, recorder: Recorder | None = None,
) -> Averages:  # fmt: skip
    """`run_epoch` without 3D: people seen by two cameras train a model of head "ray".

    Returns the averages of the loss and of the MPJPE of both views, which is NaN for `data` without joint_3d:
    that has no part in training. A batch is of so many people, and so of twice as many images. `flip` is the
    share of people that are mirrored, `noise` the standard deviation of what is added to what the network
    sees, `labels` (n,) bool who learns from joint_3d in place of the other view. Other arguments as of
    `run_epoch`. Raises TypeError for other data, ValueError for another split or a batch_size below 1, and
    InputError for another head, no people or labels without joint_3d.
    """
    _check_views("data", data)
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is unknown; use one of {', '.join(SPLITS)}")
    truth, loss = data.joint_3d is not None, loss or TwoViewLoss()
    metrics = _metrics(truth)
    if split != "train":
        batches = TwoViewBatches(data, model, EVALUATION_ROWS, truth=truth, labels=labels)
        found = TwoViewMeasure(model, loss, metrics)(batches)
    elif optimiser is None:
        raise ValueError("run_epoch_weak(split='train') needs an optimiser")
    else:
        batches = TwoViewBatches(data, model, batch_size, truth=truth, flip=flip, noise=noise, labels=labels)
        step = TwoViewStep(model, loss, optimiser, metrics)
        found = train_epoch(epoch_no, batches, step, scheduler, bar=progress, recorder=recorder)
    return Averages(found["loss"], found.get("mpjpe", math.nan))


def two_view_training(
    model: LiftModel, optimiser: Optimiser, scheduler: Schedule | None, train: TwoViews,
    validation: TwoViews, test: TwoViews | None = None, *, epochs: int, batch_size: int = 64,
    loss: Loss | None = None, flip: float = 0.0, noise: float = 0.0,
    labels: Sequence[np.ndarray] | None = None, out: PathLike | None = None,
    weights: str = "liftModel", patience: int = 0, min_delta: float = 0.0,
    settings: dict[str, Any] | None = None, show: Callable[[str], None] = print, bar: bool = True,
    recorder: Recorder | None = None, listeners: Sequence[Listener] = (),
    checkpoint_every: str | float = "30s",
) -> Training:  # fmt: skip
    """Training of a lifter that watches the validation loss, which needs no 3D. Options as of `Trainer`.

    The MPJPE is in the log where all three have joint_3d. `labels` are those of `train` and of `validation`,
    as of `run_epoch_weak`. Raises TypeError for other data, and InputError as `TwoViewBatches`.
    """
    for name, views in (("train", train), ("validation", validation), ("test", test)):
        if views is not None:
            _check_views(name, views)
    truth = all(views.joint_3d is not None for views in (train, validation, test) if views is not None)
    metrics, loss = _metrics(truth), loss or TwoViewLoss()  # one of its own: it keeps memory of its device
    trainer = Trainer(
        model, loss, optimiser, scheduler, metrics=metrics, watch="loss", out=out, weights=weights,
        step=TwoViewStep(model, loss, optimiser, metrics), measure=TwoViewMeasure(model, loss, metrics),
        patience=patience, min_delta=min_delta, settings=settings, show=show, bar=bar, recorder=recorder,
        listeners=listeners, checkpoint_every=checkpoint_every,
    )  # fmt: skip
    own, others = labels or (None, None)
    batches = TwoViewBatches(train, model, batch_size, truth=truth, flip=flip, noise=noise, labels=own)
    held_out = TwoViewBatches(validation, model, EVALUATION_ROWS, truth=truth, labels=others)
    watched = None if test is None else TwoViewBatches(test, model, EVALUATION_ROWS, truth=truth)
    return Training(trainer, batches, held_out, watched, epochs)


def _check_views(name: str, views: object) -> None:
    if not isinstance(views, TwoViews):
        problem = f"{name} is {type(views).__name__}, not TwoViews"
        raise TypeError(f"{problem}; read a file of two views with load_two_views")


def _metrics(truth: bool) -> dict[str, Metric]:
    return {"mpjpe": TruthMetric()} if truth else {}
