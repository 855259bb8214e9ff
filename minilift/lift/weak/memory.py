"""Whether a device has memory for a training without 3D, found by trying it on made-up people."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from minilift.lift.build import build_model
from minilift.lift.settings import TrainSettings
from minilift.lift.training import Training
from minilift.lift.weak.one_view.training import build_one_view
from minilift.lift.weak.two_view.build import build_two_view
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses
from minilift.poses.views import TwoViews, second_view

SOME = 1024  # people that are made; more are the same ones again


def try_without_3d(settings: TrainSettings, rows: int, batch: int) -> None:
    """A step of `batch` people out of `rows`, and the evaluation of those held out. Raises OutOfMemory."""
    settings = replace(settings, batch_size=batch, start="", poses=0)
    training = _training(settings, math.ceil(rows / (1 - settings.val_fraction)))
    for _ in training.trainer.step.epoch(0, training.train):
        break
    training.trainer.measure(training.validation)


def _training(settings: TrainSettings, count: int) -> Training:
    model, people = build_model(settings), synthesize(min(count, SOME), settings.seed)
    again = np.arange(count) % len(people)
    if settings.weak == "one-view":
        many = Poses(people.joint_2d[again], people.joint_3d[again])
        return build_one_view(settings, model, many, None, None, show=lambda line: None, bar=False)
    level, apart = np.zeros(len(people)), np.full(len(people), math.pi / 2)
    other = second_view(people.joint_3d, apart, level, level, np.ones(len(people)))
    views = TwoViews(people.joint_2d, other.joint_2d, other.rotation, other.translation, people.joint_3d)
    return build_two_view(settings, model, views.take(again), None, None)
