"""Draw docs/images/courses.png: the curves of docs/courses.md, out of what the examples have written.

Run `python docs/images/courses.py FOLDER` in the folder of the README, where FOLDER holds the folders that
`minilift examples NAME --out FOLDER/NAME` has filled, one for each name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minilift.files import read_bytes
from minilift.files.npz import read_npz
from minilift.show.runs.logs import read_log
from minilift.show.style import SMALL, new_figure, panel, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FASHION, DIGITS, THINGS, FACES = "fashion-mnist", "variable-resolution", "cifar10", "facial-keypoints"
RATES = ("1", "0.1", "0.01", "0.001")
NETS = ("base", "deeper", "wider")
RESOLUTIONS = {"max": "maximum", "mean": "mean", "resized-28": "resized to 28", "resized-64": "resized to 64"}


def curve(run: Path, name: str) -> tuple[list[float], list[float]]:
    """Epochs, and that column of a run's log.csv."""
    rows = read_log(run / "log.csv")
    return [row["epoch"] for row in rows], [row[name] for row in rows]


def record(run: Path) -> dict[str, np.ndarray]:
    return read_npz(run / "record.npz", read_bytes(run / "record.npz"))


def rates(axes: Axes, folder: Path) -> None:
    for lr in RATES:
        epochs, loss = curve(folder / FASHION / f"base lr {lr}", "test_loss")
        axes.plot(epochs[:10], loss[:10], label=f"lr {lr}", marker="o", markersize=3)
    panel(axes, "Fashion-MNIST, base: learning rates", "epoch", "test loss")
    axes.legend(fontsize=SMALL, loc="center right", frameon=False)


def nets(axes: Axes, folder: Path) -> None:
    for net in NETS:
        axes.plot(*curve(folder / FASHION / f"{net} lr 0.01", "test_loss"), label=net)
    panel(axes, "Fashion-MNIST, lr 0.01: depth and width", "epoch", "test loss")
    axes.set_ylim(0.3, 0.7)
    axes.legend(fontsize=SMALL, loc="upper center", frameon=False)


def gradients(axes: Axes, folder: Path) -> None:
    found = record(folder / FASHION / "base lr 0.01")
    steps = np.arange(1, 101)
    axes.plot(steps, found["gradient_sum"], label="sum of signed means (the paper's)")
    axes.plot(steps, 10 * found["gradient_mean"], label="mean size of a gradient, times 10")
    panel(axes, "Fashion-MNIST, base, lr 0.01: gradients", "step", "")
    axes.legend(fontsize=SMALL, loc="center right", frameon=False)


def running(axes: Axes, folder: Path) -> None:
    for net, told in RESOLUTIONS.items():
        steps, loss, _ = record(folder / DIGITS / net)["points"].T
        axes.plot(steps, loss, label=told)
    axes.set_ylim(0, 1)
    panel(axes, "digits of three sizes: mean over 100 batches", "batch", "training loss")
    axes.legend(fontsize=SMALL, loc="upper right", frameon=False)


def things(axes: Axes, folder: Path) -> None:
    for net, told in {"dense": "dense, 2,761,535", "slides-cnn": "slides' CNN, 49,483"}.items():
        epochs, rate = curve(folder / THINGS / net, "val_accuracy")
        axes.plot(epochs, [100 * r for r in rate], label=f"{told} parameters")
    panel(axes, "CIFAR-10 (JPEG copy)", "epoch", "validation accuracy (%)")
    axes.legend(fontsize=SMALL, loc="lower right", frameon=False)


def faces(axes: Axes, folder: Path) -> None:
    epochs, loss = curve(folder / FACES / "conv", "val_loss")
    axes.plot(epochs, [1 / (2 * mse) for mse in loss])
    axes.axhline(100, color="#999999", linestyle="--", linewidth=1)
    panel(axes, "facial keypoints (100 is asked)", "epoch", "validation score, 1 / (2 MSE)")


def main(folder: Path) -> None:
    figure = new_figure(12, 7)
    parts = (rates, nets, gradients, running, things, faces)
    for part, axes in zip(parts, figure.subplots(2, 3).ravel(), strict=True):
        part(axes, folder)
    save(figure, Path(__file__).with_name("courses.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
