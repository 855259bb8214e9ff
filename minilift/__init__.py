"""2D-to-3D human pose lifting, on a small neural-network library with hand-written gradients."""

from minilift.errors import InputError
from minilift.lift.lifter import Lifter
from minilift.lift.model import LiftModel
from minilift.lift.run_epoch import evaluate, run_epoch
from minilift.nn import BatchNorm1d, Dropout, Linear, Network, ReLU, Residual, Sequential
from minilift.nn.losses import MPJPE, MSE, CrossEntropy, cross_entropy, mpjpe, mse
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
from minilift.poses.metrics import cal_mpjpe
from minilift.poses.poses import Poses, load_poses
from minilift.train import Batches, Measure, PlainStep, Trainer

__version__ = "0.1.0"

__all__ = [
    "MPJPE", "MSE", "SGD", "Adam", "AdamW", "BatchNorm1d", "Batches", "CosineAnnealingLR", "CrossEntropy",
    "Dropout", "ExponentialLR", "InputError", "LiftModel", "Lifter", "Linear", "Measure", "Network",
    "OneCycleLR", "PlainStep", "Poses", "ReLU", "Residual", "Sequential", "StepLR", "Trainer",
    "WarmUpCosineLR", "accuracy", "cal_mpjpe", "cross_entropy", "evaluate", "load_poses", "mpjpe", "mse",
    "run_epoch",
]  # fmt: skip
