"""Points in faces by a convolutional network whose output are coordinates; both kinds of dropout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minilift.examples.checks import check_points
from minilift.examples.course import parameters, summary, table, write_results
from minilift.examples.curves import draw_epochs
from minilift.examples.options import Options
from minilift.examples.training import Task, fit
from minilift.files import file_error
from minilift.images.layers import BatchNorm2d, Conv2d, Dropout2d, Flatten, MaxPool2d
from minilift.images.made import made_faces
from minilift.images.pictures import PointPictures, as_floats
from minilift.images.read.points_csv import read_points_csv
from minilift.images.transforms.points import MirrorAndMove, mirrored_names
from minilift.nn import BatchNorm1d, Dropout, Linear, Module, ReLU, Sequential
from minilift.nn.losses import mse
from minilift.ops import Ops, get_ops
from minilift.optim import Adam, WarmUpCosineLR
from minilift.show.charts.courses import drawable, plot_points
from minilift.train import Batches

DATA = "folder with training, val and test, each a .csv or .zip in the form of Kaggle's facial keypoints"
DEFAULTS = Options(net="conv", epochs=40, lr=1e-3, batch_size=64)
NETS = ("conv", "dropout", "dropout2d", "plain")
MADE = 800, 100, 100  # synthetic faces to train on, to validate and to test with
CHANNELS = 16, 32, 64, 128


def load(options: Options) -> list[PointPictures]:
    """To train on, to validate and to test with. Rows that lack a point are left out, and counted."""
    if not options.data:
        options.say(f"no data: {MADE[0]:,} synthetic faces, which say nothing about real ones")
        return [made_faces(n, options.seed + i) for i, n in enumerate(MADE)]
    found = [read_points_csv(_file(options.data, part)) for part in ("training", "val", "test")]
    check_points(options.data, found, 2 ** len(CHANNELS))
    for part, faces in zip(("training", "val", "test"), found, strict=True):
        options.say(f"{part}: {len(faces):,} faces, {faces.ignored:,} without all points left out")
    return found


def _file(folder: str, part: str) -> Path:
    for path in (Path(folder) / f"{part}{end}" for end in (".zip", ".csv")):
        if path.exists():
            return path
    raise file_error(folder, f"neither {part}.zip nor {part}.csv is in this folder; give one that has them")


def units(points: np.ndarray, side: int) -> np.ndarray:
    """(N, P, 2) pixels as (N, 2 P), from -1 at one edge of the picture to 1 at the other."""
    return np.reshape((points - side / 2) / (side / 2), (len(points), -1)).astype(np.float32)


def pixels(pred: np.ndarray, side: int) -> np.ndarray:
    return np.reshape(pred, (len(pred), -1, 2)) * (side / 2) + side / 2


def build(net: str, shape: tuple[int, ...], points: int, ops: Ops, seed: int) -> Sequential:
    """Four convolutions, each with half the resolution of the one before, and two Linear layers."""
    rng, layers, (inputs, side) = ops.generator(seed), list[Module](), shape[:2]
    for outputs in CHANNELS:
        layers += [Conv2d(inputs, outputs, 3, padding=1, rng=rng, ops=ops)]
        layers += [] if net == "plain" else [BatchNorm2d(outputs, ops=ops)]
        layers += [ReLU(ops=ops), MaxPool2d(2, ops=ops)]
        if net == "dropout2d":
            layers.append(Dropout2d(0.1, seed=seed, ops=ops))
        inputs, side = outputs, side // 2
    layers += [Flatten(ops=ops), Linear(inputs * side * side, 256, rng=rng, ops=ops)]
    # Thousands of inputs move a unit so far in one step of Adam that nearly all of its ReLUs would die
    layers += [] if net == "plain" else [BatchNorm1d(256, ops=ops)]
    layers.append(ReLU(ops=ops))
    if net == "dropout":
        layers.append(Dropout(0.25, seed=seed, ops=ops))
    return Sequential(*layers, Linear(256, 2 * points, rng=rng, ops=ops))


def both_ways(network: Sequential, names: tuple[str, ...]) -> Callable[[np.ndarray], np.ndarray]:
    """The points (N, 2 P) of faces: the mean of what the network finds in them and in their mirror images."""
    predict, ops, swap = network.predictor(), network.ops, mirrored_names(names)

    def found(x: np.ndarray) -> np.ndarray:
        plain, mirror = (ops.to_host(predict(ops.asarray(part))).copy() for part in (x, x[..., ::-1]))
        turned = mirror.reshape(len(x), -1, 2)[:, swap] * [-1, 1]
        return (plain + turned.reshape(plain.shape)) / 2

    return found


def evaluate_model(predict: Callable[[np.ndarray], np.ndarray], x: np.ndarray, y: np.ndarray) -> float:
    """The course's score, 1 / (2 MSE), over pictures one by one: any function of a picture has one."""
    errors = [float(np.mean((predict(x[i : i + 1]) - y[i]) ** 2)) for i in range(len(x))]
    return 1 / (2 * float(np.mean(errors)))


def run(options: Options) -> dict[str, Any]:
    """Train, take the weights that are best on the validation faces, and score them on the test faces."""
    return _run(options, load(options))


def _run(options: Options, sets: list[PointPictures]) -> dict[str, Any]:
    ops, out, side = get_ops(options.device), options.out / options.net, sets[0].pixels.shape[2]
    network = build(options.net, sets[0].pixels.shape[1:], len(sets[0].names), ops, options.seed)
    options.say(f"{network}\n{summary(network, sets[0].pixels.shape[1:])}\n")
    data = [(as_floats(part.pixels), units(part.points, side)) for part in sets]
    changes = MirrorAndMove(sets[0].names, 6, options.seed, ops)  # by up to 6 pixels in each direction
    train = Batches(*data[0], options.batch_size, options.seed, changes)
    optimiser = Adam(network.parameters(), lr=options.lr)
    task = Task(
        network, optimiser, train, ops.asarray(data[1][0][:64]), Batches(*data[1], 64), loss=mse, metrics={},
        scheduler=WarmUpCosineLR(optimiser, options.epochs * train.steps),
    )  # fmt: skip
    done = fit(task, options, out)
    network.load(out / "weights.pt")
    predict = both_ways(network, sets[0].names)
    scores = [evaluate_model(predict, *part) for part in data[1:]]
    options.say(f"Score: {scores[1]}\n{'' if scores[1] >= 100 else 'not '}passed: at least 100 is asked")
    draw_epochs(done, out, f"{options.net}, lr {options.lr:g}", options.say)
    if drawable(options.say):
        x, true = data[2][0][:8], sets[2].points[:8]
        found = pixels(predict(x), side)
        titles = [f"off by {e:.1f} pixels" for e in np.sqrt(np.mean((found - true) ** 2, axis=(1, 2)))]
        plot_points(x, true, found, titles, out / "faces.png")
    return {
        "net": options.net, "epochs": len(done.rows), "parameters": parameters(network),
        "val_score": scores[0], "test_score": scores[1], "train_loss": done.rows[-1]["train_loss"],
        "seconds": round(done.seconds, 2), "synthetic": not options.data,
    }  # fmt: skip


def study(options: Options) -> dict[str, Any]:
    """What dropout of neurons, of whole maps, and no normalisation do to a convolutional network."""
    sets = load(options)
    found = [_run(replace(options, net=net), sets) for net in NETS]
    whole = ("val_score", "test_score", "seconds")
    rows = [
        [r["net"], f"{r['parameters']:,}", f"{r['train_loss']:.5f}", *(f"{r[name]:.0f}" for name in whole)]
        for r in found
    ]
    head = ["network", "parameters", "training loss", "validation score", "test score", "seconds"]
    text = table(head, rows)
    write_results(options.out, text, {"runs": found})
    options.say(f"\n{text}")
    return {"runs": found}
