"""Every figure of an evaluation, from poses that come in parts and need not fit in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minilift.evaluation.baselines import Baseline, FlatPose
from minilift.evaluation.uncertainty import block_size, bootstrap, percentiles
from minilift.poses import metrics
from minilift.poses.bones import PAIRED, sides_differ
from minilift.poses.layouts import COURSE15, JOINTS, ROOT
from minilift.poses.metrics import joint_errors
from minilift.poses.motion import Motion

SHARES = {"50": 50, "75": 75, "90": 90, "95": 95, "99": 99, "max": 100}  # per cent of the poses
FEWEST = 20  # poses, or clips, that make an interval worth printing


class Figures:
    """Add predictions and truths in parts, then ask for `result`.

    Figures are means over poses, so their sums are kept; for percentiles and the interval, one number per
    pose. They are in units of root depth, and where metres per unit are known also in millimetres, each pose
    by its own scale, under names that end in _mm. `threshold`: of PCK and AUC, in millimetres where they are
    known. `fps`: frames per second of the clips. A flat pose is always among the baselines.
    """

    def __init__(
        self, loss: str = "mpjpe", threshold: float | None = None, fps: float | None = None,
        baselines: Mapping[str, Baseline] | None = None,
    ) -> None:  # fmt: skip
        self.loss, self.threshold, self.fps = loss, threshold, fps
        self.baselines: dict[str, Baseline] = {"flat": FlatPose(), **(baselines or {})}
        self.units, self.mm = _InOneUnit(), _InOneUnit()
        self.squared, self.hits = 0.0, np.zeros(1 + metrics.STEPS)
        self.clips: list[np.ndarray] = []

    def add(
        self, predicted: np.ndarray, joint_2d: np.ndarray, truth: np.ndarray,
        scale: np.ndarray | None = None, clips: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Predictions (n, 15, 3), the points they were made from (n, 15, 2), and the truth.

        Metres per unit and clips, both (n,), come with every part or with none.
        """
        errors = joint_errors(predicted, truth)
        each = _of_each(predicted, truth, errors)
        guesses = (baseline.predict(joint_2d) for baseline in self.baselines.values())
        each["baselines"] = np.stack([joint_errors(guess, truth).mean(axis=1) for guess in guesses], axis=1)
        weight = np.ones(len(truth))
        self.units.add(weight, each, predicted, truth, clips)
        if scale is not None:
            weight = 1000 * scale.astype(np.float64)
            self.mm.add(weight, each, predicted, truth, clips)
        if clips is not None:
            self.clips.append(clips)
        self.squared += float(np.square(predicted.astype(np.float64) - truth).mean(axis=(1, 2)).sum())
        limits = np.append(self._threshold(), np.linspace(0, self._threshold(), metrics.STEPS))
        self.hits += len(truth) * metrics.within(errors * weight[:, None], limits)

    def _threshold(self) -> float:
        return self.threshold or (metrics.THRESHOLD_MM if self.mm.n else metrics.THRESHOLD_UNITS)

    @property
    def each(self) -> np.ndarray:
        """The MPJPE of every pose so far, in units: (N,) float32."""
        return np.concatenate(self.units.errors)

    def result(self) -> dict[str, Any]:
        """The figures under the names of docs/metrics.md, fit for JSON. Raises ValueError without poses."""
        n = self.units.n
        if not n:
            raise ValueError("there are no poses to measure; add some first")
        if self.mm.n not in (0, n) or sum(map(len, self.clips)) not in (0, n):
            raise ValueError("scale and clips must come with every part of the poses, or with none")
        groups, over = self._groups()
        found = self.units.figures(self.baselines, groups, self.fps)
        if self.mm.n:
            in_mm = self.mm.figures(self.baselines, groups, self.fps)
            found |= {f"{name}_mm": value for name, value in in_mm.items()}
        return {"poses": n} | found | {
            "ci95_over": over if n >= FEWEST else None,
            "loss_name": self.loss,
            "loss": self.squared / n if self.loss == "mse" else found["mpjpe"],
            "pck": float(self.hits[0] / n),
            "auc": float(self.hits[1:].mean() / n),
            "threshold": self._threshold(),
            "threshold_unit": "mm" if self.mm.n else "units",
        }  # fmt: skip

    def _groups(self) -> tuple[np.ndarray | None, str]:
        """What is resampled for the interval: clips where there are enough, else neighbours."""
        if self.clips:
            clips = np.concatenate(self.clips)
            if len(np.unique(clips)) >= FEWEST:
                return clips, "clips"
        size = block_size(self.units.n)
        return None, f"blocks of {size} poses" if size > 1 else "poses"


def _of_each(predicted: np.ndarray, truth: np.ndarray, errors: np.ndarray) -> dict[str, Any]:
    """What is averaged over poses, in units: arrays (n, ...)."""
    bones, true_bones = COURSE15.bone_lengths(predicted), COURSE15.bone_lengths(truth)
    return {
        "mpjpe": errors.mean(axis=1),
        "pa_mpjpe": metrics.pa_mpjpe(predicted, truth, avg=False),
        "n_mpjpe": metrics.n_mpjpe(predicted, truth, avg=False),
        "joints": errors,
        "axes": np.abs(predicted.astype(np.float64) - truth),
        "bones": np.stack([true_bones, bones - true_bones, np.abs(bones - true_bones)], axis=2),
        "sides": np.stack([sides_differ(bones), sides_differ(true_bones)], axis=2),
    }


class _InOneUnit:
    """The sums of what has a unit."""

    def __init__(self) -> None:
        self.n, self.motion = 0, Motion()
        self.sums: dict[str, Any] = {}
        self.errors: list[np.ndarray] = []

    def add(
        self, weight: np.ndarray, each: dict[str, Any], predicted: np.ndarray, truth: np.ndarray,
        clips: np.ndarray | None,
    ) -> None:  # fmt: skip
        """One part; `weight` (n,) turns the units of its poses into this one."""
        self.n += len(weight)
        for name, values in each.items():
            self.sums[name] = self.sums.get(name, 0) + np.tensordot(weight, values, axes=1)
        self.errors.append((weight * each["mpjpe"]).astype(np.float32))
        if clips is not None:  # about the root: the person's own movement, not that of the camera's distance
            about_root = [weight[:, None, None] * (points - ROOT) for points in (predicted, truth)]
            self.motion.add(about_root[0], about_root[1], clips)

    def figures(
        self, baselines: Iterable[str], groups: np.ndarray | None, fps: float | None
    ) -> dict[str, Any]:
        mean = {name: total / self.n for name, total in self.sums.items()}
        errors, mpjpe = np.concatenate(self.errors), float(mean["mpjpe"])
        compared = _named(baselines, mean["baselines"])
        found = {
            "mpjpe": mpjpe,
            "mpjpe_ci95": list(bootstrap(errors, groups)) if self.n >= FEWEST else None,
            "mpjpe_with_root": mpjpe * len(JOINTS) / (len(JOINTS) + 1),
            "pa_mpjpe": float(mean["pa_mpjpe"]),
            "n_mpjpe": float(mean["n_mpjpe"]),
            "flat_mpjpe": compared["flat"],
            "baselines": compared,
            "percentiles": _named(SHARES, percentiles(errors, list(SHARES.values()))),
            "per_axis": _named("xyz", mean["axes"].mean(axis=0)),
            "per_joint": _named(JOINTS, mean["joints"]),
            "per_joint_axis": _rows(JOINTS, "xyz", mean["axes"]),
            "per_bone": _rows(COURSE15.bones, ("true", "error", "absolute"), mean["bones"]),
            "asymmetry": _rows(PAIRED, ("predicted", "true"), mean["sides"]),
        }
        if self.motion.pairs:
            found["velocity_error"] = self.motion.velocity_error * (fps or 1)
        if self.motion.triples:
            found["jitter"] = self.motion.jitter * (fps or 1) ** 2
            found["true_jitter"] = self.motion.true_jitter * (fps or 1) ** 2
        return found


def _named(names: Iterable[str], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _rows(names: Iterable[str], columns: Iterable[str], values: np.ndarray) -> dict[str, dict[str, float]]:
    return {name: _named(columns, row) for name, row in zip(names, values, strict=True)}
