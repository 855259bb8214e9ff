"""CIFAR-10 by dense layers alone and under 20 MB, as a contest asks: search, rules and leaderboard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from minilift.examples.checks import check_shape
from minilift.examples.conv_nets import slides_cnn
from minilift.examples.course import leaderboard, parameters, percent, rule_check, table, write_results
from minilift.examples.curves import draw_augmentation, draw_epochs
from minilift.examples.options import Options
from minilift.examples.training import Done, Task, fit
from minilift.images import transforms as t
from minilift.images.layers import Flatten
from minilift.images.made import made_things
from minilift.images.pictures import Pictures
from minilift.images.read.cifar import read_cifar10
from minilift.nn import Linear, Module, ReLU, Sequential
from minilift.nn.losses import cross_entropy
from minilift.nn.metrics import accuracy
from minilift.ops import Ops, get_ops
from minilift.optim import Adam
from minilift.train import Batches, Diverged, Measure

DATA = "folder of CIFAR-10's python batches, or the one above"
DEFAULTS = Options(net="dense", epochs=65, lr=5e-4, batch_size=2048)
NETS = ("dense", "slides-cnn", "slides-cnn-softmax")
OWN: dict[str, dict[str, Any]] = {name: {"epochs": 30, "lr": 2e-3, "batch_size": 128} for name in NETS[1:]}
"""What the others have in place of the defaults: the slides say nothing about the training of their best."""
MADE = 5000, 1000  # synthetic pictures, to train on (a tenth of them to validate) and to test with
WIDEST = {2: 1600, 3: 1170, 4: 980, 5: 870}  # hidden units with which so many layers stay under 20 MB
EPOCHS = {512: 57, 1024: 50, 2048: 65}  # of a trial with that batch size
LOWEST, HIGHEST = 2.5e-4, 9e-4  # learning rate


@dataclass(frozen=True)
class Shape:
    """Of a dense network: its Linear layers, and their units but for the last."""

    num_layers: int = 3
    n_hidden: int = 725


class Sets(NamedTuple):
    train: Pictures
    val: Pictures
    test: Pictures


def load(options: Options) -> Sets:
    if options.data:
        whole, test = (read_cifar10(options.data, part) for part in ("train", "test"))
        check_shape(options.data, (whole, test), (3, 32, 32))
    else:
        options.say(f"no data: {MADE[0]:,} synthetic things, which say nothing about CIFAR-10")
        whole, test = (made_things(n, options.seed + i) for i, n in enumerate(MADE))
    return Sets(*whole.split(0.1, options.seed), test)


def build(net: str, shape: Shape, inputs: int, ops: Ops, seed: int) -> Sequential:
    """One of the slides' networks, or Linear and ReLU alone: no normalisation, no dropout."""
    if net in OWN:
        return slides_cnn(net.endswith("softmax"), ops, seed)
    rng, layers, width = ops.generator(seed), list[Module]([Flatten(ops=ops)]), inputs
    for _ in range(shape.num_layers - 1):
        layers += [Linear(width, shape.n_hidden, rng=rng, ops=ops), ReLU(ops=ops)]
        width = shape.n_hidden
    return Sequential(*layers, Linear(width, 10, rng=rng, ops=ops))


def augmentation() -> t.Compose:
    """The slides' list, without what they have switched off."""
    noise = t.RandomChoice([t.RandomSpeckle(0.2, p=0.5), t.SaltAndPepper(p=0.5)])
    return t.Compose([t.ToTensor(), t.RandomHorizontalFlip(0.5), t.RandomTranslation(p=0.5), noise])


def train(options: Options, shape: Shape, sets: Sets, name: str) -> tuple[Sequential, Done, dict[str, float]]:
    """Adam, augmented pictures; the weights that are best on the validation pictures are tested."""
    ops, normalise, out = get_ops(options.device), t.Normalize.by(sets.train.floats()), options.out / name
    network = build(options.net, shape, int(np.prod(sets.train.shape)), ops, options.seed)
    changed = t.Augment(t.Compose([augmentation(), normalise]), options.seed, ops)
    batches = Batches(sets.train.floats(), sets.train.labels, options.batch_size, options.seed, changed)
    val, test = (Batches(normalise(p.floats()), p.labels, 1000) for p in (sets.val, sets.test))
    task = Task(
        network, Adam(network.parameters(), lr=options.lr), batches, ops.asarray(val.x[:512]), val,
        watch="accuracy", best="max",
    )  # fmt: skip
    done = fit(task, options, out)
    network.load(out / "weights.pt")
    return network, done, Measure(network, cross_entropy, {"accuracy": accuracy})(test)


def run(options: Options) -> dict[str, Any]:
    """The slides' 60% network, three layers of 725 hidden units, or their 68.91% one."""
    return _run(options, Shape(), load(options), options.net)


def _run(options: Options, shape: Shape, sets: Sets, name: str) -> dict[str, Any]:
    network, done, found = train(options, shape, sets, name)
    say, rate = options.say, found["accuracy"]
    say(f"{network}\nTest Error:\n Accuracy: {percent(rate)}, Avg loss: {found['loss']:.6f}\n")
    say(f"{rule_check(network, rate)}\n")
    say(leaderboard(rate) if options.data else "not on the leaderboard: the pictures are synthetic")
    title = f"{name}, lr {options.lr:.3g}, batches of {options.batch_size}"
    draw_epochs(done, options.out / name, title, say)
    draw_augmentation(sets.val.take(slice(8)), {"augmented": augmentation()}, options)
    return {
        "net": name, "lr": options.lr, "batch_size": options.batch_size, "epochs": len(done.rows),
        "num_layers": shape.num_layers, "n_hidden": shape.n_hidden, "parameters": parameters(network),
        "val_accuracy": max(done.column("val_accuracy")), "test_accuracy": rate,
        "seconds": round(done.seconds, 2), "synthetic": not options.data,
    }  # fmt: skip


def draw_point(options: Options, number: int) -> tuple[Options, Shape]:
    """Point `number` of the random search, the same for the same seed: settings, and shape of the network."""
    rng = np.random.default_rng((options.seed, number))
    lr = float(f"{10 ** rng.uniform(np.log10(LOWEST), np.log10(HIGHEST)):.3g}")
    layers, size = int(rng.choice(list(WIDEST))), int(rng.choice(list(EPOCHS)))
    shape = Shape(layers, int(rng.integers(100, WIDEST[layers])))
    epochs = max(1, round(EPOCHS[size] * options.epochs / DEFAULTS.epochs))
    return replace(options, net="dense", lr=lr, batch_size=size, epochs=epochs), shape


def study(options: Options) -> dict[str, Any]:
    """A random search by validation accuracy, and the slides' networks beside it."""
    sets, found = load(options), []
    for number in range(options.trials):
        point, shape = draw_point(options, number)
        options.say(f"\n== trial {number}: {shape}, lr {point.lr:.3g}, batches of {point.batch_size} ==")
        try:
            found.append(_run(point, shape, sets, f"trial {number}"))
        except Diverged as problem:
            options.say(str(problem))
    for net in NETS:
        one = replace(options, net=net, **{**OWN.get(net, {}), "epochs": options.epochs})
        found.append(_run(one, Shape(), sets, net))
    found.sort(key=lambda r: -r["val_accuracy"])
    names = ("net", "lr", "num_layers", "n_hidden", "batch_size", "epochs", "parameters", "seconds")
    head = [*names, "validation accuracy", "test accuracy"]
    rows = [
        [*(r[name] for name in names), *(percent(r[f"{part}_accuracy"]) for part in ("val", "test"))]
        for r in found
    ]
    write_results(options.out, table(head, rows), {"runs": found})
    options.say(f"\n{table(head, rows)}")
    return {"runs": found}
