"""Training: any network and loss, from a batch to a checkpoint. `Trainer` strings it all together."""

from minilift.train.batches import Batches, batches_per_epoch, hold_out
from minilift.train.epoch import train_epoch
from minilift.train.measure import Measure
from minilift.train.progress import Diverged, of_kind
from minilift.train.step import LossMetric, PlainStep, Step
from minilift.train.trainer import Trainer

__all__ = [
    "Batches",
    "Diverged",
    "LossMetric",
    "Measure",
    "PlainStep",
    "Step",
    "Trainer",
    "batches_per_epoch",
    "hold_out",
    "of_kind",
    "train_epoch",
]
