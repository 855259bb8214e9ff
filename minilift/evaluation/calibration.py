"""Whether the errors that were expected are those that came: coverage, and a calibration curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minilift.evaluation.uncertainty import spearman
from minilift.poses.layouts import JOINTS

DROPPED = tuple(range(0, 100, 5))  # per cent of the poses, of the curve of what is kept
GROUPS = 10  # of the curve: as many joints in each
MOST = 1 << 16  # poses that the curve is made of: 8 MB


class Calibration:
    """Gathers expected and real errors, a part of the poses at a time; `result` says how they agree.

    `n` is how many poses there will be. Of more than MOST, evenly spaced ones make the curve; the shares are
    over all.
    """

    def __init__(self, n: int) -> None:
        self.every, self.seen = -(-n // MOST) or 1, 0
        self.unlike, self.inside = 0, np.zeros(len(JOINTS))
        self.held: dict[float, int] = {}
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []

    def add(
        self, expected: np.ndarray, low: np.ndarray, high: np.ndarray, unlike: np.ndarray, errors: np.ndarray,
        scale: np.ndarray | None = None, held: Mapping[float, int] | None = None,
    ) -> None:  # fmt: skip
        """One part: expected errors with their interval, and real ones (n, 15), in units; `unlike` (n,), and
        `scale` (n,) metres per unit. `held` says of how many joints the interval of a level holds it."""
        for level, number in (held or {}).items():
            self.held[level] = self.held.get(level, 0) + number
        rows = slice(-self.seen % self.every, None, self.every)
        weight = None if scale is None else 1000 * scale[rows, None].astype(np.float32)
        self.parts.append((expected[rows].astype(np.float32), errors[rows].astype(np.float32), weight))
        self.unlike += int(unlike.sum())
        self.inside += ((low <= errors) & (errors <= high)).sum(axis=0)
        self.seen += len(errors)

    def result(self) -> dict[str, Any]:
        """The figures of docs/trust.md, fit for JSON. Raises ValueError without poses."""
        if not self.seen:
            raise ValueError("there are no poses to measure; add some first")
        expected, errors = (np.concatenate([part[i] for part in self.parts]) for i in (0, 1))
        found: dict[str, Any] = {
            "unlike": self.unlike / self.seen,
            "coverage": float(self.inside.mean() / self.seen),
        }
        if self.held:
            shares = [number / (self.seen * len(JOINTS)) for number in self.held.values()]
            found["reliability"] = {"stated": list(self.held), "observed": shares}
        found["spearman"] = spearman(expected.ravel(), errors.ravel())
        found |= _agreement(expected, errors, "")
        weights = [part[2] for part in self.parts if part[2] is not None]
        if len(weights) == len(self.parts):
            weight = np.concatenate(weights)
            found |= _agreement(expected * weight, errors * weight, "_mm")
        for joint, row in found["per_joint"].items():
            row["coverage"] = float(self.inside[JOINTS.index(joint)] / self.seen)
        return found


def _risk(expected: np.ndarray, errors: np.ndarray) -> dict[str, list[float]]:
    """The mean error of the poses that are kept when those of the largest expected error (n,) are dropped: a
    risk-coverage curve (Geifman and El-Yaniv, "Selective classification for deep neural networks", NeurIPS
    2017). `oracle` drops those of the largest error, which no lifter can know; dropping at random changes
    nothing."""
    n = len(errors)
    found: dict[str, list[float]] = {"dropped": [share / 100 for share in DROPPED]}
    for name, by in (("kept", expected), ("oracle", errors)):
        means = np.cumsum(errors[np.argsort(by, kind="stable")], dtype=np.float64) / np.arange(1, n + 1)
        found[name] = [float(means[max(round(n * (100 - share) / 100), 1) - 1]) for share in DROPPED]
    found["random"] = [float(errors.mean(dtype=np.float64))] * len(DROPPED)
    return found


def _agreement(expected: np.ndarray, errors: np.ndarray, unit: str) -> dict[str, Any]:
    """Expected and real errors (n, 15): on average, by joint, and by groups of joints in the order of what
    was expected; `gap` is by how much the two differ in a group, on average over the groups."""
    flat, real = expected.ravel(), errors.ravel()
    groups = np.array_split(np.argsort(flat, kind="stable"), GROUPS)
    curve = np.array([[values[group].mean(dtype=np.float64) for group in groups] for values in (flat, real)])
    by_joint = (values.mean(axis=0, dtype=np.float64).tolist() for values in (expected, errors))
    rows = zip(JOINTS, *by_joint, strict=True)
    return {
        f"expected{unit}": float(expected.mean(dtype=np.float64)),
        f"error{unit}": float(errors.mean(dtype=np.float64)),
        f"gap{unit}": float(np.abs(curve[0] - curve[1]).mean()),
        f"curve{unit}": {"expected": curve[0].tolist(), "error": curve[1].tolist()},
        f"risk{unit}": _risk(expected.mean(axis=1), errors.mean(axis=1)),
        f"per_joint{unit}": {joint: {"expected": guess, "error": error} for joint, guess, error in rows},
    }
