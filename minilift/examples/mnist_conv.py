"""MNIST by a convolutional network of 29,066 parameters, plain and on augmented pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minilift.errors import ArgumentError
from minilift.examples.checks import check_shape
from minilift.examples.conv_nets import accuracy_check, fixed_net
from minilift.examples.course import parameters, percent, summary, table, write_results
from minilift.examples.curves import draw_augmentation, draw_running
from minilift.examples.options import Options
from minilift.examples.training import Task, fit
from minilift.images import transforms as t
from minilift.images.layers import Conv2d
from minilift.images.made import made_digits
from minilift.images.pictures import Pictures
from minilift.images.read.idx import read_mnist
from minilift.images.transforms.compose import Transform
from minilift.nn.losses import cross_entropy
from minilift.nn.metrics import accuracy
from minilift.ops import get_ops
from minilift.optim import Adam, CosineAnnealingLR
from minilift.train import Batches, Measure

DATA = "folder of the four IDX files (.gz or not) of MNIST"
DEFAULTS = Options(net="plain", epochs=1, lr=1e-3, batch_size=16)
NETS: dict[str, Transform | None] = {
    "plain": None,
    "perspective": t.RandomPerspective(0.2, p=1.0),
    "affine": t.RandomAffine((0.0, 30.0), (0.1, 0.3), (1.0, 1.5)),
    "rotation": t.RandomRotation(30.0),
    "policy": t.AutoAugment(),
}
"""One network each, and what it changes of the training pictures: test pictures stand for what comes."""
MADE = 6000, 1000  # synthetic pictures, to train on (a sixth of them to validate) and to test with
CHECKED = 1000  # validation pictures that every point of the curve is measured on
PHOTOS = ((3, 1024, 768), (3, 1920, 1080))  # Q10: channels, and the two sides


def load(options: Options) -> tuple[Pictures, Pictures, Pictures]:
    """Pictures to train on (50,000 of the 60,000), to validate and to test with."""
    if options.data:
        whole, test = read_mnist(options.data), read_mnist(options.data, "t10k")
        check_shape(options.data, (whole, test), (1, 28, 28))
    else:
        options.say(f"no data: {MADE[0]:,} synthetic digits, which say nothing about MNIST")
        whole, test = (made_digits(n, options.seed + i) for i, n in enumerate(MADE))
    return (*whole.split(1 / 6, options.seed), test)


def train(options: Options, sets: tuple[Pictures, Pictures, Pictures]) -> dict[str, Any]:
    """One network: Adam, cross-entropy, batches of 16. Returns its scores."""
    ops, change, out = get_ops(options.device), NETS[options.net], options.out / options.net
    network = fixed_net(sets[0].shape[1], ops, options.seed)
    augment = None if change is None else t.Augment(change, options.seed, ops)
    batches = Batches(sets[0].floats(), sets[0].labels, options.batch_size, options.seed, augment)
    val, test = (Batches(part.floats(), part.labels, 250) for part in sets[1:])
    few = Batches(val.x[:CHECKED], val.y[:CHECKED], 250)
    optimiser = Adam(network.parameters(), lr=options.lr)
    task = Task(
        network, optimiser, batches, ops.asarray(val.x[:256]), val, watch="accuracy", best="max",
        check=accuracy_check(network, cross_entropy, few),
        scheduler=CosineAnnealingLR(optimiser, options.epochs * batches.steps, per="batch"),
    )  # fmt: skip
    done = fit(task, options, out)
    network.load(out / "weights.pt")
    found = Measure(network, cross_entropy, {"accuracy": accuracy})(test)
    options.say(f"Test Error:\n Accuracy: {percent(found['accuracy'])}, Avg loss: {found['loss']:.6f}\n")
    told = f"batch_size = {options.batch_size}, epochs = {options.epochs}, and lr = {options.lr:g}"
    draw_running(done, out, told, options.say)
    return {
        "net": options.net, "epochs": len(done.rows), "parameters": parameters(network),
        "val_accuracy": max(done.column("val_accuracy")), "test_accuracy": found["accuracy"],
        "seconds": round(done.seconds, 2), "synthetic": not options.data,
    }  # fmt: skip


def run(options: Options) -> dict[str, Any]:
    """One epoch on plain pictures, or with the change that `net` names."""
    sets = load(options)
    network = fixed_net(sets[0].shape[1], get_ops(options.device), options.seed)
    options.say(f"{network}\n{summary(network, sets[0].shape)}\n{len(sets[0]):,} pictures to train on\n")
    draw(options, sets[1])
    return train(options, sets)


def draw(options: Options, pictures: Pictures) -> None:
    """Digits before and after every change."""
    changes = {name: change for name, change in NETS.items() if change is not None}
    draw_augmentation(pictures.take(slice(10)), changes, options)


def study(options: Options) -> dict[str, Any]:
    """Q8 and Q9: every change of the training pictures, judged on test pictures as they are. Q10: sizes."""
    sets = load(options)
    draw(options, sets[1])
    found = []
    for net in NETS:
        options.say(f"\n== {net} ==")
        found.append(train(replace(options, net=net), sets))
    text = f"{accuracies(found)}\n\n{photo_sizes()}"
    write_results(options.out, text, {"runs": found})
    options.say(f"\n{text}")
    return {"runs": found}


def accuracies(found: list[dict[str, Any]]) -> str:
    rows = [
        [r["net"], percent(r["val_accuracy"]), percent(r["test_accuracy"]), f"{r['seconds']:.0f} s"]
        for r in found
    ]  # fmt: skip
    return table(["training pictures", "validation accuracy", "test accuracy", "training"], rows)


def photo_sizes() -> str:
    """Q10: 16 kernels of 5 x 5 on 3 channels, padding 1, stride 2; 8 channels do not fit 3."""
    layer = Conv2d(3, 16, 5, stride=2, padding=1)
    rows: list[list[Any]] = [[shape, layer.output_shape(shape)] for shape in PHOTOS]
    shape = (8, *PHOTOS[0][1:])
    try:
        layer.output_shape(shape)
    except ArgumentError as problem:
        rows.append([shape, f"impossible: {problem}"])
    return table(["input (channels, sides)", "output of Conv2d(3, 16, 5, stride=2, padding=1)"], rows)
