"""A training run from two views, put together from its settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.build import (
    SEEN,
    begin_with,
    build_optimiser,
    build_scheduler,
    fingerprint_of,
    labelled,
    split_rows,
)
from minilift.lift.model import LiftModel
from minilift.lift.settings import TrainSettings
from minilift.lift.training import Training
from minilift.lift.weak.two_view.rows import in_second_view
from minilift.lift.weak.two_view.training import two_view_training
from minilift.poses.few import evenly
from minilift.poses.poses import Poses
from minilift.poses.views import TwoViews, triangulated
from minilift.train.batches import batches_per_epoch

OFF = 0.5  # units from the mid-hip: nobody's joint is further in depth, only an error of triangulation


def build_two_view(
    settings: TrainSettings, model: LiftModel, data: TwoViews, test: TwoViews | None, out: Path | None, *,
    resumed: bool = False,
) -> Training:  # fmt: skip
    """As `build_trainer`, of people in two views. joint_3d sets nothing: the model's units are those of
    triangulated joints. It is learned from for the share `labelled` alone. Raises InputError likewise."""
    if settings.labelled and data.joint_3d is None:
        problem = f"{settings.data} has no joint_3d to learn from; leave it out"
        raise ArgumentError("labelled", settings.labelled, problem)
    train, validation = (data.take(rows) for rows in split_rows(len(data), settings))
    if settings.standardise:
        some = train.take(evenly(len(train), SEEN))
        joints = with_triangulated(some)
        seen = np.concatenate([np.asarray(x) for x in (joints.joint_2d, some.joint_2d_2)])
        found = np.asarray(joints.joint_3d)
        model.standardise(seen, np.concatenate([found, in_second_view(found, some)]))
    begin_with(settings, model, resumed)
    optimiser = build_optimiser(settings, model)
    steps = settings.epochs * batches_per_epoch(len(train), settings.batch_size)
    labels = [labelled(len(part), settings) for part in (train, validation)] if settings.labelled else None
    print_of = fingerprint_of(data.joint_2d_1, data.joint_2d_2, data.joint_3d if settings.labelled else None)
    return two_view_training(
        model, optimiser, build_scheduler(settings, optimiser, steps), train, validation, test,
        epochs=settings.epochs, batch_size=settings.batch_size, flip=settings.flip, noise=settings.noise,
        labels=labels, out=out, weights=settings.weights, patience=settings.patience,
        min_delta=settings.min_delta,
        settings={**settings.as_stored(), "data": print_of}, checkpoint_every=settings.checkpoint_every,
    )  # fmt: skip


def with_triangulated(views: TwoViews) -> Poses:
    """View 1 with triangulated joints in place of known ones: labels for whatever needs some."""
    joints = triangulated(views)
    depth = np.clip(joints[..., 2:], -1 - OFF, OFF - 1)
    return Poses(views.joint_2d_1, np.concatenate([-np.asarray(views.joint_2d_1) * depth, depth], axis=2))
