"""Digits of several resolutions: resized for one network, or as they are for another with global pooling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minilift.examples.checks import check_folders, hold_out
from minilift.examples.conv_nets import accuracy_check, fixed_net, variable_net
from minilift.examples.course import parameters, percent, table, write_results
from minilift.examples.curves import draw_running
from minilift.examples.options import Options
from minilift.examples.training import Task, fit
from minilift.images.batches import Padded, Several
from minilift.images.made import made_digits_of_sizes
from minilift.images.pictures import Pictures
from minilift.images.read.folder import read_folder
from minilift.nn import Sequential
from minilift.nn.losses import cross_entropy
from minilift.nn.metrics import accuracy
from minilift.ops import Ops, get_ops
from minilift.optim import Adam
from minilift.train import Batches, Measure

DATA = "folder with train/ and test/, each with one folder of pictures for each class"
DEFAULTS = Options(net="max", epochs=3, lr=1e-3, batch_size=16)
MADE = 3000, 600  # synthetic pictures, to train on (a fifth of them to validate) and to test with
CHECKED = 64  # validation pictures of each resolution that every point of the curve is measured on


@dataclass(frozen=True)
class Variant:
    """How pictures of several sizes reach a network, and which.

    side    to which all are resized for the network of fixed size; 0 leaves them as they are
    pool    of the network for any size
    how     "sets": a loader for each resolution, their batches mixed; "in turn": one set after the other;
            "padded": any pictures in a batch, with zeros up to the largest; "single": one picture a step
    """

    side: int = 0
    pool: str = "max"
    how: str = "sets"


NETS = {
    "max": Variant(), "mean": Variant(pool="mean"),
    "max-in-turn": Variant(how="in turn"), "mean-in-turn": Variant(pool="mean", how="in turn"),
    "resized-28": Variant(side=28), "resized-64": Variant(side=64),
    "padded": Variant(how="padded"), "single": Variant(how="single"),
}  # fmt: skip
Sets = list[Pictures]


def load(options: Options, side: int) -> tuple[Sets, Sets, Sets]:
    """To train on, to validate (a fifth of each resolution) and to test with: a set for each resolution."""
    size = (side, side) if side else None
    if options.data:
        from tqdm import tqdm

        with tqdm(unit="pictures", delay=2, leave=False, disable=None) as bar:
            whole, test = (
                read_folder(Path(options.data) / p, 1, size, bar.update) for p in ("train", "test")
            )
        check_folders(options.data, whole, test)
    else:
        options.say(f"no data: {MADE[0]:,} synthetic digits, which say nothing about MNIST")
        whole, test = (_made(n, options.seed + i, side) for i, n in enumerate(MADE))
    return (*hold_out(whole, 0.2, options.seed), test)


def _made(n: int, seed: int, side: int) -> Sets:
    sets = made_digits_of_sizes(n, seed)
    if not side:
        return sets
    step = [np.arange(side) * s.shape[1] // side for s in sets]  # the nearest pixel
    pixels = [s.pixels[:, :, at[:, None], at] for s, at in zip(sets, step, strict=True)]
    return [Pictures(np.concatenate(pixels), np.concatenate([s.labels for s in sets]), sets[0].classes)]


def batches_of(sets: Sets, variant: Variant, size: int, seed: int) -> Batches:
    """The pictures as the variant has them."""
    if variant.how in ("padded", "single"):
        pictures = [picture for part in sets for picture in part.pixels]
        labels = np.concatenate([part.labels for part in sets])
        return Padded(pictures, labels, size if variant.how == "padded" else 1, seed)
    parts = [Batches(part.floats(), part.labels, size, seed) for part in sets]
    return Several(parts, mixed=variant.how == "sets")


def nearest_width(target: int, ops: Ops) -> int:
    """Q15: how many maps the last convolution needs for about as many parameters as `target`."""
    count = {n: parameters(variable_net(n, "max", ops, 0)) for n in range(64, 97)}
    return min(count, key=lambda n: abs(count[n] - target))


def build(variant: Variant, ops: Ops, seed: int) -> Sequential:
    if variant.side:
        return fixed_net(variant.side, ops, seed)
    return variable_net(nearest_width(parameters(fixed_net(28, ops, 0)), ops), variant.pool, ops, seed)


def run(options: Options) -> dict[str, Any]:
    """Train one variant; weights that are best on the validation pictures are tested."""
    variant, ops, out = NETS[options.net], get_ops(options.device), options.out / options.net
    sets = load(options, variant.side)
    found = ", ".join(f"{len(part):,} of {part.shape[1]} x {part.shape[2]}" for part in sets[0])
    network = build(variant, ops, options.seed)
    options.say(f"{network}\n{parameters(network):,} parameters\nto train on: {found} pixels\n")
    batches = batches_of(sets[0], variant, options.batch_size, options.seed)
    val, test = (batches_of(part, variant, 250, 0) for part in sets[1:])
    few = batches_of([part.take(slice(CHECKED)) for part in sets[1]], variant, 64, 0)
    sample = ops.asarray(sets[1][0].take(slice(64)).floats())
    task = Task(
        network, Adam(network.parameters(), lr=options.lr), batches, sample, val, watch="accuracy",
        best="max", check=accuracy_check(network, cross_entropy, few),
    )  # fmt: skip
    done = fit(task, options, out)
    network.load(out / "weights.pt")
    scores = Measure(network, cross_entropy, {"accuracy": accuracy})(test)
    options.say(f"Test Error:\n Accuracy: {percent(scores['accuracy'])}, Avg loss: {scores['loss']:.6f}\n")
    told = f"batch_size = {batches.size}, epochs = {options.epochs}, and lr = {options.lr:g}"
    draw_running(done, out, f"{options.net}, {told}", options.say)
    rates = done.column("val_accuracy")
    return {
        "net": options.net, "epochs": len(done.rows), "parameters": parameters(network),
        "first_val_accuracy": rates[0], "val_accuracy": max(rates), "test_accuracy": scores["accuracy"],
        "seconds": round(done.seconds, 2), "synthetic": not options.data,
    }  # fmt: skip


def study(options: Options) -> dict[str, Any]:
    """Q12 to Q17: all variants but single pictures, whose steps take longest."""
    found = []
    for net in (net for net in NETS if net != "single"):
        options.say(f"\n== {net} ==")
        found.append(run(replace(options, net=net)))
    parts = {"first_val": "validation after 1 epoch", "val": "best validation", "test": "test"}
    head = ["variant", "parameters", *parts.values(), "training"]
    rows = []
    for r in found:
        rates = (percent(r[f"{part}_accuracy"]) for part in parts)
        rows.append([r["net"], f"{r['parameters']:,}", *rates, f"{r['seconds']:.0f} s"])
    text = table(head, rows)
    write_results(options.out, text, {"runs": found})
    options.say(f"\n{text}")
    return {"runs": found}
