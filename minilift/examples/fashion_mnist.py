"""Fashion-MNIST by dense networks: learning rates, convergence, depth against width, first gradients."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from minilift.examples.checks import check_shape
from minilift.examples.course import converged, parameters, percent, summary, table, write_results
from minilift.examples.options import Options
from minilift.examples.training import Done, Task, fit
from minilift.images.batches import InOrder
from minilift.images.layers import Flatten
from minilift.images.made import made_garments
from minilift.images.pictures import Pictures
from minilift.images.read.idx import GARMENTS, read_mnist
from minilift.nn import Linear, Module, ReLU, Sequential
from minilift.ops import Ops, get_ops
from minilift.optim import SGD
from minilift.show.charts.courses import BLACK, BLUE, RED, drawable, plot_line
from minilift.train import Diverged

DATA = "folder of the four IDX files (.gz or not) of Fashion-MNIST"
DEFAULTS = Options(net="base", epochs=10, lr=0.1, batch_size=64)
NETS = {
    "base": (784, 256, 512, 10),
    "deeper": (784, 256, 512, 1024, 2048, 10),
    "wider": (784, 1024, 2048, 10),
}
RATES = (1.0, 0.1, 0.01, 0.001)
MADE = 6000, 1000  # synthetic pictures, to train on and to test with
STEADY = 0.005  # converged: the accuracy stays within half a point


def load(options: Options) -> tuple[Pictures, Pictures]:
    """Training and test pictures: those of the folder, or synthetic ones."""
    if options.data:
        found = [read_mnist(options.data, part, GARMENTS) for part in ("train", "t10k")]
        check_shape(options.data, found, (1, 28, 28))
        return found[0], found[1]
    options.say(f"no data: {MADE[0]:,} synthetic garments, which say nothing about Fashion-MNIST")
    return made_garments(MADE[0], options.seed), made_garments(MADE[1], options.seed + 1)


def build(net: str, ops: Ops, seed: int) -> Sequential:
    """Flatten, and Linear layers with a ReLU between any two, with torch's initial weights."""
    rng, sizes = ops.generator(seed), NETS[net]
    layers: list[Module] = [Flatten(ops=ops)]
    for inputs, outputs in pairwise(sizes):
        layers += [Linear(inputs, outputs, rng=rng, ops=ops), ReLU(ops=ops)]
    return Sequential(*layers[:-1])


def train(options: Options, sets: tuple[Pictures, Pictures]) -> tuple[Sequential, Done]:
    """One experiment: plain SGD, batches in the order of the file, the test set measured every epoch."""
    network = build(options.net, get_ops(options.device), options.seed)
    batches = [InOrder(part.floats(), part.labels, options.batch_size) for part in sets]
    sample = network.ops.asarray(sets[1].take(slice(512)).floats())
    optimiser = SGD(network.parameters(), lr=options.lr)
    task = Task(network, optimiser, batches[0], sample, test=batches[1])
    return network, fit(task, options, options.out / f"{options.net} lr {options.lr:g}")


def draw(options: Options, done: Done) -> None:
    """The course's four curves."""
    if not drawable(options.say):
        return
    place, epochs = options.out / f"{options.net} lr {options.lr:g}", done.column("epoch")
    title = f"Lr: {options.lr:g}, Epochs: {len(epochs)}, {options.net}"
    loss, rate = done.column("test_loss"), [100 * r for r in done.column("test_accuracy")]
    plot_line(epochs, loss, place / "loss.png", title, "epoch", "loss", BLUE)
    plot_line(epochs, rate, place / "accuracy.png", title, "epoch", "accuracy (%)", RED)
    if len(epochs) > 1:
        change = np.diff(loss)
        plot_line(epochs[1:], change, place / "loss_gradient.png", title, "epoch", "loss gradient", BLACK)
    signed, size = done.trace.signed, [size for size, _ in done.trace.gradients]
    for name, values in (("mean gradient", signed), ("mean size of gradient", size)):
        path = place / f"{name.replace(' ', '_')}.png"
        plot_line(range(1, len(values) + 1), values, path, f"{name} curve", "steps", name)


def scores(options: Options, network: Sequential, done: Done) -> dict[str, Any]:
    last, dead = done.rows[-1], list(done.trace.layers.values())[-1]["dead"]
    return {
        "net": options.net, "lr": options.lr, "epochs": int(last["epoch"]), "synthetic": not options.data,
        "test_accuracy": last["test_accuracy"], "test_loss": last["test_loss"],
        "train_loss": last["train_loss"], "converged": converged(done.column("test_accuracy"), STEADY),
        "least_loss_epoch": int(np.nanargmin(done.column("test_loss"))) + 1,
        "dead": dead, "parameters": parameters(network), "seconds": round(done.seconds, 2),
    }  # fmt: skip


def run(options: Options) -> dict[str, Any]:
    """One network at one learning rate, with its summary and its curves. Returns the scores."""
    sets = load(options)
    shape = (options.batch_size, *sets[0].shape)
    options.say(f"Shape of X [N, C, H, W]: {list(shape)}\nShape of y: [{shape[0]}] {sets[0].labels.dtype}")
    network = build(options.net, get_ops(options.device), options.seed)
    options.say(f"Using {network.device} device\n{network}\n{summary(network, sets[0].shape)}\n")
    network, done = train(options, sets)
    draw(options, done)
    return scores(options, network, done)


def study(options: Options) -> dict[str, Any]:
    """The paper's tables: four learning rates with the base network; depth and width at 0.01."""
    sets, found = load(options), []
    for net, lr in [*(("base", rate) for rate in RATES), ("deeper", 0.01), ("wider", 0.01)]:
        one = replace(options, net=net, lr=lr)
        options.say(f"\n== {net}, learning rate {lr:g} ==")
        try:
            network, done = train(one, sets)
        except Diverged as problem:
            options.say(str(problem))
            found.append({"net": net, "lr": lr, "diverged": str(problem)})
            continue
        draw(one, done)
        found.append(scores(one, network, done))
    text = "\n\n".join([rates_table(found), nets_table(found)])
    write_results(options.out, text, {"runs": found})
    options.say(f"\n{text}")
    return {"runs": found}


def rates_table(found: list[dict[str, Any]]) -> str:
    """Q1.1 to Q1.3: a rate of 1 diverges or kills its ReLUs; what it does not do is overfit."""
    rows = [
        [f"{r['lr']:g}", "diverged", "", "", ""] if "diverged" in r else
        [f"{r['lr']:g}", percent(r["test_accuracy"], 1), r["converged"], f"{r['train_loss']:.4f}",
         ", ".join(f"{100 * d:.0f}%" for d in r["dead"])]
        for r in found if r["net"] == "base"
    ]  # fmt: skip
    epochs = max((r["epochs"] for r in found if "epochs" in r), default=0)
    head = ["learning rate", f"test accuracy after {epochs} epochs", "converged at epoch", "training loss",
            "units that are 0 for every picture, by layer"]  # fmt: skip
    return table(head, rows)


def nets_table(found: list[dict[str, Any]]) -> str:
    """Q1.4 and Q1.6."""
    rows = [
        [r["net"], f"{r['parameters']:,}", percent(r["test_accuracy"], 1), f"{r['test_loss']:.3f}",
         r["least_loss_epoch"], f"{r['seconds']:.0f} s"]
        for r in found if r["lr"] == 0.01 and "diverged" not in r
    ]  # fmt: skip
    head = ["network, lr 0.01", "parameters", "test accuracy", "test loss", "least at epoch", "training"]
    return table(head, rows)
