"""Whether the errors that were expected are those that came: coverage, and a calibration curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.evaluation.uncertainty import spearman
from minilift.poses.layouts import JOINTS

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
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []

    def add(
        self, expected: np.ndarray, low: np.ndarray, high: np.ndarray, unlike: np.ndarray, errors: np.ndarray,
        scale: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """One part: expected errors with their interval, and real ones (n, 15), in units; `unlike` (n,), and
        `scale` (n,) metres per unit."""
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
        found["spearman"] = spearman(expected.ravel(), errors.ravel())
        found |= _agreement(expected, errors, "")
        weights = [part[2] for part in self.parts if part[2] is not None]
        if len(weights) == len(self.parts):
            weight = np.concatenate(weights)
            found |= _agreement(expected * weight, errors * weight, "_mm")
        for joint, row in found["per_joint"].items():
            row["coverage"] = float(self.inside[JOINTS.index(joint)] / self.seen)
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
        f"per_joint{unit}": {joint: {"expected": guess, "error": error} for joint, guess, error in rows},
    }
