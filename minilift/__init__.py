"""2D-to-3D human pose lifting, on a small neural-network library with hand-written gradients."""

from minilift.errors import InputError
from minilift.lift.lifter import Lifter
from minilift.lift.model import LiftModel
from minilift.nn import BatchNorm1d, Dropout, Linear, ReLU, Residual, Sequential
from minilift.nn.losses import mpjpe, mse
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
from minilift.poses.metrics import cal_mpjpe
from minilift.poses.poses import Poses, load_poses
from minilift.train.epoch import evaluate, run_epoch

__version__ = "0.1.0"

__all__ = [
    "SGD", "Adam", "AdamW", "BatchNorm1d", "CosineAnnealingLR", "Dropout", "ExponentialLR", "InputError",
    "LiftModel", "Lifter", "Linear", "OneCycleLR", "Poses", "ReLU", "Residual", "Sequential", "StepLR",
    "WarmUpCosineLR", "cal_mpjpe", "evaluate", "load_poses", "mpjpe", "mse", "run_epoch",
]  # fmt: skip
