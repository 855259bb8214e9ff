"""The charts that several examples draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from minilift.examples.options import Options
from minilift.examples.training import Done
from minilift.images.pictures import Pictures
from minilift.images.transforms.compose import Transform
from minilift.show.charts.courses import RED, drawable, plot_before_after, plot_line


def draw_epochs(done: Done, place: Path, title: str, say: Callable[[str], None], part: str = "val") -> None:
    """loss.png and, where it was measured, accuracy.png: after every epoch."""
    if not drawable(say):
        return
    epochs = done.column("epoch")
    plot_line(epochs, done.column(f"{part}_loss"), place / "loss.png", title, "epoch", f"{part} loss")
    if f"{part}_accuracy" in done.rows[0]:
        rate = [100 * r for r in done.column(f"{part}_accuracy")]
        plot_line(epochs, rate, place / "accuracy.png", title, "epoch", f"{part} accuracy (%)", RED)


def draw_running(done: Done, place: Path, settings: str, say: Callable[[str], None]) -> None:
    """running_loss.png and running_accuracy.png: a point after every 100 batches of all epochs."""
    points = np.reshape(done.trace.points, (-1, 3))
    if not len(points) or not drawable(say):
        return
    steps = points[:, 0].tolist()
    plot_line(
        steps, points[:, 1], place / "running_loss.png", f"Running loss for {settings}", "batches", "loss"
    )
    if np.isfinite(points[:, 2]).any():
        rate = 100 * points[:, 2]
        title = f"Validation accuracy for {settings}"
        plot_line(steps, rate, place / "running_accuracy.png", title, "batch", "accuracy (%)", RED)


def draw_augmentation(pictures: Pictures, changes: Mapping[str, Transform], options: Options) -> None:
    """augmentation.png: pictures before and after each of the changes, with the seed of the example."""
    if not drawable(options.say):
        return
    before = pictures.floats()
    after = {name: change(before, np.random.default_rng(options.seed)) for name, change in changes.items()}
    plot_before_after(before, after, options.out / "augmentation.png")
