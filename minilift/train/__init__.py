"""Training: one epoch (`run_epoch`), the evaluation, and the `Trainer` that strings epochs together."""

from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.train.epoch import Averages, batches_per_epoch, evaluate, hold_out, run_epoch
from minilift.train.trainer import Diverged, Trainer, of_kind

__all__ = [
    "Augmentation",
    "Augmenter",
    "Averages",
    "Diverged",
    "Trainer",
    "batches_per_epoch",
    "evaluate",
    "hold_out",
    "of_kind",
    "run_epoch",
]
