"""The fastest training step that there is for a model."""

from __future__ import annotations

from collections.abc import Mapping

from minilift.lift.fast.captured import CapturedStep
from minilift.lift.fast.step import TrainStep
from minilift.lift.model import LiftModel
from minilift.optim import Optimiser
from minilift.train.step import Loss, Metric, PlainStep, Step


def fast_step(
    model: LiftModel, loss: Loss, optimiser: Optimiser, metrics: Mapping[str, Metric] | None = None
) -> Step:
    """Layer by layer for a model with blocks of its own, else fused; on a GPU as a graph where it can be."""
    on_gpu = hasattr(model.ops, "gpu")
    kind = CapturedStep if on_gpu else TrainStep if model.usual else PlainStep
    return kind(model, loss, optimiser, metrics)
