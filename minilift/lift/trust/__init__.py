"""When to trust a lifter: whether an input is like the training data, and the error to expect of a joint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error, read_bytes, write_atomically
from minilift.files.mapped import chunks, crc32
from minilift.files.npz import read_npz, write_npz
from minilift.lift.trust.arrays import from_arrays, to_arrays
from minilift.lift.trust.expected import FEATURES, LEVEL, LEVELS, Expectation, ExpectedError, Seen
from minilift.lift.trust.familiarity import RATE, Familiarity, Ranks
from minilift.lift.trust.with_body import BodyErrors
from minilift.lift.weights.starting import weights_file
from minilift.poses.layouts import COURSE15

__all__ = [
    "LEVEL",
    "LEVELS",
    "RATE",
    "BodyErrors",
    "ExpectedError",
    "Familiarity",
    "Trust",
    "TrustModel",
    "trust_path",
]

ROWS = 2048  # poses at a time
MANY_UNLIKE = 0.2  # of the poses, unlike the training data: these are other people or cameras
REMEDY = "make one with: minilift trust"
VERSION = 3  # of the file


class Trust(NamedTuple):
    """How far n predictions can be trusted. docs/trust.md says how each is found."""

    unlike: np.ndarray
    """(n,) bool: a larger error is to be expected than of usual poses, or the input is farther from what it
    knows than they are. Of usual poses 1 in 100 is called so."""
    percentile: np.ndarray
    """(n,) 0 to 100: so many per cent of usual poses have a smaller expected error for their size."""
    distance: np.ndarray
    """(n,) from the training data, where 1 is usual. Infinite for NaN."""
    expected_error: np.ndarray
    """(n, 15) the distance of each predicted joint from the truth, on average, in the units of the poses."""
    low: np.ndarray
    """(n, 15) 90% of the errors lie between this ..."""
    high: np.ndarray
    """(n, 15) ... and this."""
    bin: np.ndarray
    """(n,) the number of the group of poses that its interval was calibrated on."""


@dataclass(frozen=True)
class TrustModel:
    """What goes with a file of weights: how to judge the inputs and outputs of that very network."""

    familiarity: Familiarity
    errors: ExpectedError
    ranks: Ranks
    weights: int
    """`fingerprint` of the weights that it was made for."""
    body: BodyErrors | None = None
    """Of poses that are made to fit a body; None where no clips of people left out were at hand."""

    def judge(self, image: np.ndarray, joint_3d: np.ndarray, sigma: np.ndarray | None = None) -> Trust:
        """Of inputs (n, 15, 2) and the lifter's plain predictions for them, (n, 15, 3), which it made with
        `sigma` (n, 15), the standard deviations of the points.

        NaN in a point says that the joint was not seen, where the lifter takes that; else its pose is
        infinitely far, as is a pose without any joint.
        """
        parts = [
            self._judge(image[rows], joint_3d[rows], None if sigma is None else sigma[rows])
            for rows in chunks(len(image), ROWS)
        ]
        return Trust(*map(np.concatenate, zip(*parts, strict=True))) if parts else _nothing()

    def _judge(self, image: np.ndarray, joint_3d: np.ndarray, sigma: np.ndarray | None) -> Trust:
        seen_as = Seen.of(self.familiarity, image, joint_3d, sigma)
        found = self.errors(seen_as)
        low, high = self.errors.interval(found, seen_as.seen)
        percentile = self.ranks.percentile(found.score, seen_as.distance)
        unlike = self.ranks.unlike(found.score, seen_as.distance)
        return Trust(unlike, percentile, seen_as.distance, found.error, low, high, found.bin)

    def interval(self, found: Trust, seen: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Between which errors (n, 15), (n, 15) `level`, one of LEVELS, of them lie, for what `judge` found
        of poses whose joints `seen` (n, 15) were seen."""
        return self.errors.interval(Expectation(found.expected_error, found.distance, found.bin), seen, level)

    def save(self, path: PathLike) -> None:
        """Write a .npz, atomically; equal models give equal bytes."""
        arrays = {"version": np.array([VERSION], np.int64), "weights": np.array([self.weights], np.int64)}
        for name, part in self._parts().items():
            arrays |= to_arrays(part, name)
        write_atomically(path, lambda file: write_npz(file, arrays))

    @classmethod
    def load(cls, path: PathLike) -> TrustModel:
        """What `save` wrote. Raises InputError naming the file."""
        arrays = read_npz(path, read_bytes(path, REMEDY))
        sizes = {"image": 2 * len(COURSE15), "joints": len(COURSE15), "features": FEATURES}
        try:
            if _number(arrays, "weights") and "version" not in arrays:
                raise ValueError("it is of an earlier version")
            if (version := _number(arrays, "version")) != VERSION:
                raise ValueError(f"it is of version {version}, this minilift reads {VERSION}")
            familiarity = from_arrays(Familiarity, "familiarity", arrays, sizes)
            errors = from_arrays(ExpectedError, "errors", arrays, sizes)
            ranks = from_arrays(Ranks, "ranks", arrays, {})
            body = from_arrays(BodyErrors, "body", arrays, {}) if "body.factor" in arrays else None
            if not (familiarity.typical > 0).all() or not errors.sound or (body and not body.sound):
                raise ValueError("a spread is not more than 0")
            if any((np.diff(usual) < 0).any() for usual in vars(ranks).values()):
                raise ValueError("its ranks do not rise")
        except (KeyError, ValueError) as problem:
            raise file_error(path, f"does not say when to trust weights ({problem}); {REMEDY}") from None
        return cls(familiarity, errors, ranks, _number(arrays, "weights"), body)

    def _parts(self) -> dict[str, Any]:
        parts = {"familiarity": self.familiarity, "errors": self.errors, "ranks": self.ranks}
        return parts if self.body is None else parts | {"body": self.body}


def _number(arrays: Mapping[str, np.ndarray | None], name: str) -> int:
    array = arrays[name]
    if array is None or array.shape != (1,) or array.dtype.kind not in "iu":
        raise ValueError(f"{name} is not one whole number")
    return int(array[0])


def trust_path(weights: PathLike) -> Path:
    """Where the trust of a file of weights, or of "starting", is kept: liftModel -> liftModel.trust.npz."""
    return Path(os.fspath(weights_file(weights)) + ".trust.npz")


def load_trust(weights: PathLike, state: Mapping[str, np.ndarray]) -> TrustModel:
    """The trust beside a file of weights, whose content is `state`.

    Raises InputError where there is none, it is damaged, or it was made for other weights.
    """
    path = trust_path(weights)
    if not path.exists():
        problem = "is missing, and without it there is no telling how far to trust these weights"
        raise file_error(
            path, f"{problem}; minilift train writes it, or {REMEDY} --weights {os.fspath(weights)}"
        )
    found = TrustModel.load(path)
    if found.weights != fingerprint(state):
        problem = f"was made for other weights than {os.fspath(weights)}, and is not used"
        raise file_error(path, f"{problem}; {REMEDY} --weights {os.fspath(weights)}")
    return found


def fingerprint(state: Mapping[str, np.ndarray]) -> int:
    """A number of the weights of a state dict: CRC-32 over names and values, but for batches counted."""
    crc = 0
    for name in sorted(state):
        if not name.endswith("num_batches_tracked"):
            crc = crc32(np.frombuffer(name.encode(), np.uint8), crc)
            crc = crc32(np.asarray(state[name], "<f4"), crc)
    return crc


def check_joints(inputs: int, outputs: int) -> None:
    """Raises InputError unless a model lifts the joints that trust knows, those of the course."""
    if (inputs, outputs) != (2 * len(COURSE15), 3 * len(COURSE15)):
        raise InputError(
            f"trust knows {len(COURSE15)} joints, not a model from {inputs} to {outputs} numbers; "
            "predict without it"
        )


def _nothing() -> Trust:
    none, joints = np.zeros(0), np.zeros((0, len(COURSE15)))
    return Trust(np.zeros(0, bool), none, none, joints, joints, joints, np.zeros(0, np.int64))
