"""The rows of the table: what is trained, or predicts without training, on which data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minilift.lift.recipe import PRESETS, make_settings

NOISE = 0.003


@dataclass(frozen=True)
class Row:
    """One row. `flags` are those of `minilift train`; without any it is a baseline of that name."""

    told: str
    flags: tuple[str, ...] = ()
    noise: float = 0.0
    """Standard deviation of both images, of training and of test."""
    with_3d: bool = False
    """Whether the training file has joint_3d."""
    most: float | None = None
    """Demanded of the mean error: so much, or so many times that of the row `of`."""
    most_pa: float | None = None
    of: str = ""


SHARES = (0.01, 0.1, 1.0)


def _network(times: int) -> tuple[str, ...]:
    """The network and the steps of preset two-view in flags, with so many times its batch and its epochs."""
    weak = make_settings("two-view")
    return (
        "--head", weak.head, "--hidden", str(weak.hidden), "--blocks", str(weak.blocks),
        "--lr", str(weak.lr), "--batch-size", str(times * weak.batch_size),
        "--epochs", str(times * weak.epochs),
    )  # fmt: skip


def _preset(name: str) -> tuple[str, ...]:
    """A preset in flags."""
    words: list[str] = []
    for setting, value in PRESETS[name].settings.items():
        values = value if isinstance(value, tuple) else (value,)
        words += ["--" + setting.replace("_", "-"), *(f"{part}" for part in values)]
    return tuple(words)


SUPERVISED = _network(2)
"""A batch of two views is of people, twice as many images: as many steps, and as many images seen."""
TWO = ("--weak", "two-view", "--divided", "no", *_network(1))
ONE = _preset("one-view")
KNOWN = (*ONE, "--mean-elevation", "7.5")
"""Cameras of the data look down by -10 to 25 degrees."""
ALONE = {
    0.01: ("--batch-size", "32", "--epochs", "200"),
    0.1: ("--batch-size", "128", "--epochs", "80"),
}
"""Of a share of the labels alone: 3,600 steps, in smaller batches for an epoch has few of them."""


def _labels() -> dict[str, Row]:
    """A share of the labels alone, and with training without 3D on the rest; all of them alone are the row
    `supervised`."""
    rows: dict[str, Row] = {}
    for share in SHARES:
        told, flags, alone = f"{share:.0%} of the labels", ("--labelled", f"{share:g}"), "supervised"
        if share in ALONE:
            alone = f"labels-{share:g}"
            rows[alone] = Row(f"{told} alone", (*SUPERVISED, *ALONE[share], *flags), with_3d=True)
        most = 0.75 if share == SHARES[0] else None
        for name, ways, way in (("two-view", "two views", TWO), ("one-view", "one view", KNOWN)):
            row = Row(f"{told}, {ways}", (*way, *flags), with_3d=True, most=most, of=alone)
            rows[f"{name}-labels-{share:g}"] = row
    return rows


ROWS: Mapping[str, Row] = {
    "mean": Row("mean pose (needs 3D)", with_3d=True),
    "flat": Row("flat pose"),
    "triangulation": Row("triangulation (shown both views)"),
    "supervised": Row("supervised, same network and steps", SUPERVISED, with_3d=True),
    "two-view": Row("two views, no 3D", TWO, most=1.10, of="supervised"),
    "mean-noise": Row("mean pose (needs 3D)", noise=NOISE, with_3d=True),
    "flat-noise": Row("flat pose", noise=NOISE),
    "triangulation-noise": Row("triangulation (shown both views)", noise=NOISE),
    "supervised-noise": Row("supervised, same network and steps", SUPERVISED, NOISE, with_3d=True),
    "two-view-noise": Row("two views, no 3D", TWO, NOISE, most=1.15, of="supervised-noise"),
    "one-view": Row("one view, mean elevation given", KNOWN, most=0.0110, most_pa=0.0075),
    "one-view-find": Row("one view, elevation found", ONE, most=0.0140),
    **_labels(),
}
GROUPS: Mapping[str, Sequence[str]] = {
    "two": [name for name in ROWS if "labels" not in name and "one-view" not in name],
    "one": ["flat", "one-view", "one-view-find"],
    "labels": [*(name for name in ROWS if "labels" in name), "supervised"],
}
CURVES: Mapping[str, Mapping[float, str]] = {
    "labels alone": {**{share: f"labels-{share:g}" for share in ALONE}, 1.0: "supervised"},
    "and two views without 3D": {share: f"two-view-labels-{share:g}" for share in SHARES},
    "and one view without 3D": {share: f"one-view-labels-{share:g}" for share in SHARES},
}
"""The rows of each curve over the share of labels."""
