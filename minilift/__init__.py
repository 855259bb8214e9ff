"""2D-to-3D human pose lifting, on a small neural-network library with hand-written gradients."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minilift.errors import InputError
    from minilift.lift.clip.lift import lift_keypoints
    from minilift.lift.clip.options import LiftOptions
    from minilift.lift.lifter import Lifter
    from minilift.lift.live import Live
    from minilift.lift.model import LiftModel
    from minilift.lift.run_epoch import evaluate, run_epoch
    from minilift.lift.weak.two_view.training import run_epoch_weak
    from minilift.nn import BatchNorm1d, Dropout, Linear, Network, ReLU, Residual, Sequential
    from minilift.nn.losses import (
        MPJPE,
        MSE,
        BCEWithLogits,
        CrossEntropy,
        bce_with_logits,
        cross_entropy,
        mpjpe,
        mse,
    )
    from minilift.nn.metrics import accuracy
    from minilift.optim import (
        SGD,
        Adam,
        AdamW,
        CosineAnnealingLR,
        ExponentialLR,
        OneCycleLR,
        StepLR,
        WarmUpCosineLR,
    )
    from minilift.poses.lifted import LiftedPeople
    from minilift.poses.metrics import cal_mpjpe
    from minilift.poses.poses import Poses, load_poses
    from minilift.poses.read.keypoints.load import load_keypoints
    from minilift.poses.views import load_two_views
    from minilift.train import Batches, Measure, PlainStep, Trainer

__version__ = "0.1.0"

__all__ = [
    "MPJPE", "MSE", "SGD", "Adam", "AdamW", "BCEWithLogits", "BatchNorm1d", "Batches",
    "CosineAnnealingLR", "CrossEntropy", "Dropout", "ExponentialLR", "InputError", "LiftModel",
    "LiftOptions", "LiftedPeople", "Lifter", "Linear", "Live", "Measure", "Network", "OneCycleLR",
    "PlainStep", "Poses", "ReLU", "Residual", "Sequential", "StepLR", "Trainer", "WarmUpCosineLR", "accuracy",
    "bce_with_logits", "cal_mpjpe", "cross_entropy", "evaluate", "lift_keypoints", "load_keypoints",
    "load_poses", "load_two_views", "mpjpe", "mse", "run_epoch", "run_epoch_weak",
]  # fmt: skip

# Where the names live. A module is imported when one of its names is first asked for: all of them together
# take longer than NumPy does, and `minilift --help` needs none.
_HOMES = {
    "minilift.errors": ("InputError",),
    "minilift.lift.clip.lift": ("lift_keypoints",),
    "minilift.lift.clip.options": ("LiftOptions",),
    "minilift.lift.lifter": ("Lifter",),
    "minilift.lift.live": ("Live",),
    "minilift.lift.model": ("LiftModel",),
    "minilift.lift.run_epoch": ("evaluate", "run_epoch"),
    "minilift.lift.weak.two_view.training": ("run_epoch_weak",),
    "minilift.nn": ("BatchNorm1d", "Dropout", "Linear", "Network", "ReLU", "Residual", "Sequential"),
    "minilift.nn.losses": (
        "MPJPE", "MSE", "BCEWithLogits", "CrossEntropy", "bce_with_logits", "cross_entropy", "mpjpe", "mse",
    ),
    "minilift.nn.metrics": ("accuracy",),
    "minilift.optim": (
        "SGD", "Adam", "AdamW", "CosineAnnealingLR", "ExponentialLR", "OneCycleLR", "StepLR",
        "WarmUpCosineLR",
    ),
    "minilift.poses.lifted": ("LiftedPeople",),
    "minilift.poses.metrics": ("cal_mpjpe",),
    "minilift.poses.poses": ("Poses", "load_poses"),
    "minilift.poses.read.keypoints.load": ("load_keypoints",),
    "minilift.poses.views": ("load_two_views",),
    "minilift.train": ("Batches", "Measure", "PlainStep", "Trainer"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(home), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
