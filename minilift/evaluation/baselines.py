"""Predictors that take no training to speak of: what a lifter must beat before its error means anything.

Each has fit(joint_2d (N, 15, 2), joint_3d (N, 15, 3)), which returns the predictor, and predict(joint_2d),
which gives float32 (n, 15, 3). Any number of joints will do. What is fitted on may be an array or MappedRows,
and is read a few MB at a time. Raises ValueError for no poses, for numbers that differ, and before fit.
`fit_baselines` fits several of them by name, for an evaluation to compare a lifter with.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from minilift.files import PathLike
from minilift.files.mapped import Points, shown
from minilift.poses.layouts import ROOT
from minilift.poses.nearest import NearestRows
from minilift.poses.poses import Poses

NAMES = {
    "flat": "flat pose, at the root's z",
    "mean": "mean pose",
    "linear": "linear regression",
    "nearest": "nearest neighbour in 2D",
}
"""What tables and charts call them."""

Fitted = TypeVar("Fitted")


class Baseline(Protocol):
    def fit(self, joint_2d: Points, joint_3d: Points) -> "Baseline": ...

    def predict(self, joint_2d: np.ndarray) -> np.ndarray: ...


class FlatPose:
    """Every joint at the root's depth, where its ray meets that plane: (x, y, -1). Nothing is fitted."""

    def fit(self, joint_2d: Points, joint_3d: Points) -> "FlatPose":
        return self

    def predict(self, joint_2d: np.ndarray) -> np.ndarray:
        depth = np.full((*joint_2d.shape[:2], 1), ROOT[2], np.float32)
        return np.concatenate([joint_2d.astype(np.float32, copy=False), depth], axis=2)


class MeanPose:
    """The mean of the training poses, whatever the image shows."""

    def __init__(self) -> None:
        self.mean: np.ndarray | None = None

    def fit(self, joint_2d: Points, joint_3d: Points) -> "MeanPose":
        total = np.zeros(joint_3d.shape[1:])
        for rows in _parts(joint_2d, joint_3d):
            total += joint_3d[rows].sum(axis=0, dtype=np.float64)
        self.mean = total / len(joint_3d)
        return self

    def predict(self, joint_2d: np.ndarray) -> np.ndarray:
        mean = _fitted(self.mean)
        return np.tile(mean.astype(np.float32), (len(joint_2d), 1, 1))


class LinearRegression:
    """Least squares with an intercept, from the 2J numbers of a pose to its 3J.

    The normal equations, summed in float64 over parts: with z = (x - x0, 1, y - y0), x0 and y0 means of the
    first part, sum z z^T holds X^T X and X^T Y, and X^T X W = X^T Y. The shift keeps the digits, and so does
    scaling X^T X to a diagonal of ones. What the poses leave open (fewer than 2J + 1 of them, points that
    hang together) is set by the smallest weights: directions below 1e-6 of the largest singular value of the
    scaled X count as open, for the points are known to float32's 1e-7 only.
    """

    def __init__(self) -> None:
        self.weights: np.ndarray | None = None  # (2J + 1, 3J)

    def fit(self, joint_2d: Points, joint_3d: Points) -> "LinearRegression":
        gram: np.ndarray | None = None
        for rows in _parts(joint_2d, joint_3d):
            x, y = (_flat(points[rows]) for points in (joint_2d, joint_3d))
            if gram is None:
                self.x0, self.y0, self.joint = x.mean(axis=0), y.mean(axis=0), joint_3d.shape[1:]
                gram = np.zeros((x.shape[1] + 1 + y.shape[1],) * 2)
            z = np.concatenate([x - self.x0, np.ones((len(x), 1)), y - self.y0], axis=1)
            gram += z.T @ z
        inputs, gram = len(self.x0) + 1, _fitted(gram)
        size = np.sqrt(np.diag(gram)[:inputs])
        size[size == 0] = 1
        scaled = gram[:inputs] / size[:, None]
        solved = np.linalg.lstsq(scaled[:, :inputs] / size, scaled[:, inputs:], rcond=1e-12)[0]
        self.weights = solved / size[:, None]
        return self

    def predict(self, joint_2d: np.ndarray) -> np.ndarray:
        weights = _fitted(self.weights)
        y = (_flat(joint_2d) - self.x0) @ weights[:-1] + (weights[-1] + self.y0)
        return y.astype(np.float32).reshape(len(joint_2d), *self.joint)


class NearestNeighbour:
    """The 3D joints of the training pose whose 2D points are nearest, by Euclidean distance."""

    def __init__(self) -> None:
        self.known: NearestRows | None = None

    def fit(self, joint_2d: Points, joint_3d: Points) -> "NearestNeighbour":
        """Keeps the arrays, not copies of them."""
        _check(joint_2d, joint_3d)
        self.known, self.joint_3d = NearestRows(joint_2d), joint_3d
        return self

    def predict(self, joint_2d: np.ndarray) -> np.ndarray:
        found = self.nearest(joint_2d)
        return self.joint_3d[found]

    def nearest(self, joint_2d: np.ndarray) -> np.ndarray:
        """The number of the nearest training pose for each pose (n,); of equally near ones the first."""
        return _fitted(self.known).nearest(joint_2d)


KINDS: dict[str, type[Baseline]] = {
    "mean": MeanPose,
    "linear": LinearRegression,
    "nearest": NearestNeighbour,
}
"""Those that are fitted, by name."""


@dataclass(frozen=True)
class Baselines:
    """Fitted baselines, and what they were fitted on."""

    fitted: Mapping[str, Baseline] = field(default_factory=dict)
    source: PathLike | None = None
    """The file of those poses; None where they have none."""
    poses: int | None = None
    """How many they were."""
    note: str = ""
    """Why there are none, in a few words."""


def fit_baselines(
    train: Poses, names: Iterable[str] = ("mean", "linear"), source: PathLike | None = None
) -> Baselines:
    """Fit the baselines of these names (`KINDS`) on training poses; `source` is the file of the poses.

    Raises ValueError for other names, and for poses without joint_3d.
    """
    if train.joint_3d is None:
        raise ValueError("the training poses have no joint_3d; give poses that have it")
    fitted: dict[str, Baseline] = {}
    for name in names:
        if name not in KINDS:
            raise ValueError(f"no baseline is called {name!r}; choose among {', '.join(KINDS)}")
        fitted[name] = KINDS[name]().fit(train.joint_2d, train.joint_3d)
    return Baselines(fitted, source, len(train))


def _parts(joint_2d: Points, joint_3d: Points) -> Iterable[slice]:
    """The rows of a few MB at a time, once it is clear that there are some."""
    _check(joint_2d, joint_3d)
    return shown(joint_2d, "fitting")


def _check(joint_2d: Points, joint_3d: Points) -> None:
    if not len(joint_2d) or len(joint_2d) != len(joint_3d):
        raise ValueError(f"cannot fit on {len(joint_2d)} poses in 2D and {len(joint_3d)} in 3D")


def _flat(points: np.ndarray) -> np.ndarray:
    """float64 (n, the numbers of a pose)."""
    return points.reshape(len(points), math.prod(points.shape[1:])).astype(np.float64)


def _fitted(what: Fitted | None) -> Fitted:
    if what is None:
        raise ValueError("this baseline has seen no poses yet; call fit first")
    return what
