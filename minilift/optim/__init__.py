"""Optimisers, and schedules for their learning rate."""

from minilift.optim.optimisers import SGD, Adam, AdamW, Optimiser
from minilift.optim.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    OneCycleLR,
    Schedule,
    StepLR,
    WarmUpCosineLR,
)

__all__ = [
    "SGD", "Adam", "AdamW", "CosineAnnealingLR", "ExponentialLR", "OneCycleLR", "Optimiser", "Schedule",
    "StepLR", "WarmUpCosineLR",
]  # fmt: skip
