"""One epoch over poses, in training or evaluation: the course's `run_epoch`, on the framework's parts."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minilift.errors import InputError
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.fast.choose import fast_step
from minilift.lift.model import LiftModel
from minilift.nn import losses
from minilift.optim import Optimiser, Schedule
from minilift.poses.poses import Poses
from minilift.train.batches import Batches
from minilift.train.epoch import train_epoch
from minilift.train.measure import Measure
from minilift.train.progress import Recorder
from minilift.train.step import Loss, LossMetric, Metric

EVALUATION_ROWS = 1024
SPLITS = ("train", "val", "valid", "validation", "test", "eval")


class Averages(NamedTuple):
    """Means over the poses of an epoch: the loss, and the MPJPE in the data's units."""

    loss: float
    mpjpe: float


def mpjpe_metric() -> dict[str, Metric]:
    """What is measured of every lifter, whatever it is trained on."""
    return {"mpjpe": LossMetric(losses.mpjpe)}


def pose_batches(data: Poses, model: LiftModel, size: int = EVALUATION_ROWS) -> Batches:
    """Poses as rows of a model, x (N, 2J) and y (N, 3J), as evaluation takes them.

    Raises TypeError for data that are no poses, InputError for poses without joint_3d or of another width
    than the model's.
    """
    if not isinstance(data, Poses):
        raise TypeError(f"give poses as load_poses returns them, not a {type(data).__name__}")
    if data.joint_3d is None:
        raise InputError("the data has no joint_3d; training and evaluation need it")
    if not len(data):
        raise InputError("the data holds no poses; training and evaluation need some")
    widths = data.joint_2d[0].size, data.joint_3d[0].size
    if widths != (model.input_nodes, model.joint_nodes):
        raise InputError(
            f"poses of {widths[0]} and {widths[1]} numbers do not fit a model from {model.input_nodes} "
            f"to {model.joint_nodes}"
        )
    x: Any = data.joint_2d.reshape(len(data), -1)
    y: Any = data.joint_3d.reshape(len(data), -1)
    return Batches(x, y, size, model.seed)


def training_batches(
    data: Poses, model: LiftModel, size: int = 64, augmentation: Augmentation | None = None
) -> Batches:
    """The same for training, changed as `augmentation` says.

    What is random in it depends on the model's seed and the number of the step. Raises InputError also for
    too few poses for a batch of 2, and for joint dropout before head "ray".
    """
    found = pose_batches(data, model, size)
    if augmentation is not None and augmentation.hides and model.head == "ray":
        names = ("joint_dropout", "joint_dropout_to", "part_dropout", "edge")
        shares = ", ".join(f"{name} {share:g}" for name in names if (share := getattr(augmentation, name)))
        hidden = f"{shares}: a hidden joint has no ray"
        raise InputError(f"{hidden} for head 'ray' to put it on; use LiftModel(head='place')")
    if found.size < 2:
        raise InputError(
            f"training needs at least 2 poses in a batch, got {found.size} of {len(found)} poses; "
            "give more data or a larger batch_size"
        )
    if augmentation is not None and augmentation.active:
        hidden_as = math.nan if model.head == "place" else 0.0
        made_for = found.size, model.seed, hidden_as, model.takes_noise
        found.augment = Augmenter(augmentation, model.ops, *made_for)
    return found


def run_epoch(
    epoch_no: int, data: Poses, model: LiftModel, optimiser: Optimiser | None = None,
    scheduler: Schedule | None = None, batch_size: int = 64, split: str = "train", *,
    loss: Loss = losses.mpjpe, progress: bool = True, augmentation: Augmentation | None = None,
    recorder: Recorder | None = None,
) -> Averages:  # fmt: skip
    """Train for one epoch, or evaluate; returns the epoch's average (loss, mpjpe).

    split='train': shuffled batches, changed as `augmentation` says, dropout and batch statistics on, a step
    of the optimiser for each, and of the scheduler after each batch or after the epoch as its `per` says. The
    other SPLITS evaluate: the poses as they are, no dropout, running statistics, every pose counted once; the
    optimiser and scheduler are then not used. A `recorder` looks at the gradients of the first steps.
    Raises ValueError for another split or a batch_size below 1, and what `training_batches` raises.
    """
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is unknown; use one of {', '.join(SPLITS)}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if split != "train":
        return evaluate(model, data, loss=loss)
    if optimiser is None:
        raise ValueError("run_epoch(split='train') needs an optimiser")
    batches = training_batches(data, model, batch_size, augmentation)
    step = fast_step(model, loss, optimiser, mpjpe_metric())
    return Averages(**train_epoch(epoch_no, batches, step, scheduler, bar=progress, recorder=recorder))


def evaluate(model: LiftModel, data: Poses, *, loss: Loss = losses.mpjpe) -> Averages:
    """Average loss and MPJPE over every pose, each counted once. Raises what `pose_batches` raises."""
    return Averages(**Measure(model, loss, mpjpe_metric())(pose_batches(data, model)))
