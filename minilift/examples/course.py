"""What course papers ask of a network besides its accuracy: sizes, rules, when it has converged, tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from minilift.files import write_atomically
from minilift.nn.module import Module
from minilift.nn.network import Network

FLOAT = 4  # bytes
MEGABYTE = 1 << 20


def parameters(network: Network) -> int:
    return sum(p.size for p in network.parameters())


def summary(network: Network, shape: tuple[int, ...]) -> str:
    """The table of torchsummary's summary(model, shape), `shape` being that of one row of input.

    Forward/backward pass size counts every layer's output twice, for the value and its gradient.
    """
    rule, double = "-" * 64, "=" * 64
    lines = [rule, f"{'Layer (type)':>20}  {'Output Shape':>25} {'Param #':>15}", double]
    elements, entered = 0, prod(shape)
    for number, layer in enumerate(_leaves(network), start=1):
        shape = layer.output_shape(shape)
        own = [getattr(layer, name) for name in layer.parameter_names]
        count = sum(prod(p.shape) for p in own if p is not None)
        elements += prod(shape)
        lines.append(f"{f'{type(layer).__name__}-{number}':>20}  {[-1, *shape]!s:>25} {count:>15,}")
    total = parameters(network)
    sizes = {
        "Input size": entered * FLOAT / MEGABYTE,
        "Forward/backward pass size": 2 * elements * FLOAT / MEGABYTE,
        "Params size": total * FLOAT / MEGABYTE,
    }
    lines += [
        double,
        f"Total params: {total:,}",
        f"Trainable params: {total:,}",
        "Non-trainable params: 0",
        rule,
    ]
    lines += [f"{name} (MB): {size:.2f}" for name, size in sizes.items()]
    return "\n".join([*lines, f"Estimated Total Size (MB): {sum(sizes.values()):.2f}", rule])


def _leaves(network: Network) -> list[Module]:
    """The layers that have none inside, in order."""
    return [layer for _, layer in network.modules() if not layer.children]


def converged(values: Sequence[float], threshold: float) -> int:
    """The epoch, counted from 1, from which on no value is further than `threshold` from the last one."""
    last = len(values)
    while last > 1 and abs(values[last - 2] - values[-1]) <= threshold:
        last -= 1
    return last


# The contest of the slides, 17 January 2021
LEADERS = {
    "w1251": 68.91, "w1465": 60.00, "w1567": 59.48, "w1710": 57.48, "w1258": 56.62, "w1232": 56.05,
    "w1829": 55.80, "w1571": 55.43, "w1328": 55.19, "w1337": 54.84,
}  # fmt: skip
PASS, LARGEST, ALLOWED = 50.0, 20.0, ("Flatten", "Linear", "ReLU", "BatchNorm1d", "Dropout")


def rule_check(network: Network, rate: float) -> str:
    """The contest's three rules, a row each: size in MB, kinds of layer, accuracy in percent."""
    size = parameters(network) * FLOAT / 1e6
    others = sorted({type(layer).__name__ for layer in _leaves(network)} - set(ALLOWED))
    rows = [
        ("size", f"under {LARGEST:g} MB", f"{size:.1f} MB", size < LARGEST),
        ("layers", "dense layers only", ", ".join(others) or "dense", not others),
        ("accuracy", f"at least {PASS:g}%", percent(rate), 100 * rate >= PASS),
    ]
    passed = all(row[3] for row in rows)
    told = table(["rule", "asked", "is", "Pass"], [[*row[:3], "yes" if row[3] else "no"] for row in rows])
    return f"{told}\n\n{'passed' if passed else 'not passed'}"


def leaderboard(rate: float) -> str:
    """The slides' table, with this network in its place."""
    scores = sorted([*LEADERS.items(), ("this network", 100 * rate)], key=lambda row: -row[1])
    rows = [
        [i, user, f"{score:.2f}", "yes" if score >= PASS else "no"]
        for i, (user, score) in enumerate(scores, 1)
    ]
    return table(["Rank", "User", "Score", "Pass"], rows)


def percent(rate: float, digits: int = 2) -> str:
    return f"{100 * rate:.{digits}f}%"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown."""
    body = ["| " + " | ".join(map(str, cells)) + " |" for cells in (head, *rows)]
    return "\n".join([body[0], "|---" * len(head) + "|", *body[1:]])


def write_results(out: Path, text: str, scores: Mapping[str, Any]) -> None:
    """tables.md and scores.json of a study."""
    write_atomically(out / "tables.md", lambda file: file.write(f"{text}\n".encode()))
    found = json.dumps(scores, indent=2)
    write_atomically(out / "scores.json", lambda file: file.write(f"{found}\n".encode()))
