"""The losses, each with its gradient: a class, and an instance of it that is ready to call."""

from minilift.nn.losses.base import Loss
from minilift.nn.losses.bce_loss import BCEWithLogits
from minilift.nn.losses.cross_entropy_loss import CrossEntropy
from minilift.nn.losses.mpjpe_loss import MPJPE
from minilift.nn.losses.mse_loss import MSE

__all__ = [
    "MPJPE", "MSE", "BCEWithLogits", "CrossEntropy", "Loss", "bce_with_logits", "cross_entropy", "mpjpe",
    "mse",
]  # fmt: skip

mpjpe, mse, cross_entropy, bce_with_logits = MPJPE(), MSE(), CrossEntropy(), BCEWithLogits()
