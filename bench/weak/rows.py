"""The rows of the table: what is trained, or predicts without training, on which data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minilift.lift.recipe import make_settings

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


def _steps() -> tuple[str, ...]:
    """Supervised training with the network, the rate and the number of steps of preset two-view. Its batch is
    of people, twice as many images: as many images are seen here."""
    weak = make_settings("two-view")
    return (
        "--head", weak.head, "--hidden", str(weak.hidden), "--blocks", str(weak.blocks),
        "--lr", str(weak.lr), "--batch-size", str(2 * weak.batch_size), "--epochs", str(2 * weak.epochs),
    )  # fmt: skip


TWO = ("--weak", "two-view", "--divided", "no")
ROWS: Mapping[str, Row] = {
    "mean": Row("mean pose (needs 3D)", with_3d=True),
    "flat": Row("flat pose"),
    "triangulation": Row("triangulation (shown both views)"),
    "supervised": Row("supervised, same network and steps", _steps(), with_3d=True),
    "two-view": Row("two views, no 3D", TWO, most=1.10, of="supervised"),
    "mean-noise": Row("mean pose (needs 3D)", noise=NOISE, with_3d=True),
    "flat-noise": Row("flat pose", noise=NOISE),
    "triangulation-noise": Row("triangulation (shown both views)", noise=NOISE),
    "supervised-noise": Row("supervised, same network and steps", _steps(), NOISE, with_3d=True),
    "two-view-noise": Row("two views, no 3D", TWO, NOISE, most=1.15, of="supervised-noise"),
}
