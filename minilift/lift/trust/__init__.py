"""When to trust a lifter: whether an input is like the training data, and the error to expect of a joint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error, read_bytes, write_atomically
from minilift.files.mapped import chunks, crc32
from minilift.files.npz import read_npz, write_npz
from minilift.lift.starting import weights_file
from minilift.lift.trust.arrays import from_arrays, to_arrays
from minilift.lift.trust.expected import FEATURES, LEVEL, ExpectedError, features
from minilift.lift.trust.familiarity import RATE, Familiarity
from minilift.lift.trust.partial import PARTIAL_FEATURES, Partial, Ranks
from minilift.poses.layouts import COURSE15

__all__ = ["LEVEL", "RATE", "ExpectedError", "Familiarity", "Trust", "TrustModel", "trust_path"]

ROWS = 2048  # poses at a time
MANY_UNLIKE = 0.2  # of the poses, unlike the training data: these are other people or cameras
REMEDY = "make one with: minilift trust"


class Trust(NamedTuple):
    """How far n predictions can be trusted. docs/trust.md says how each is found."""

    unlike: np.ndarray
    """(n,) bool: the input is unlike the training data. Of those that are like it, 1 in 100 is called so."""
    percentile: np.ndarray
    """(n,) 0 to 100: more unusual than so many per cent of poses like the training data."""
    distance: np.ndarray
    """(n,) from the training data, where 1 is usual; goes on where the percentile ends. Infinite for NaN."""
    expected_error: np.ndarray
    """(n, 15) the distance of each predicted joint from the truth, on average, in the units of the poses."""
    low: np.ndarray
    """(n, 15) 90% of the errors lie between this ..."""
    high: np.ndarray
    """(n, 15) ... and this."""


@dataclass(frozen=True)
class TrustModel:
    """What goes with a file of weights: how to judge the inputs and outputs of that very network."""

    familiarity: Familiarity
    errors: ExpectedError
    weights: int
    """`fingerprint` of the weights that it was made for."""
    partial: Partial | None = None
    """The same for poses with joints that were not seen, of a lifter that takes them."""

    def judge(self, image: np.ndarray, joint_3d: np.ndarray) -> Trust:
        """Of inputs (n, 15, 2) and the lifter's plain predictions for them, (n, 15, 3).

        NaN in a point says that the joint was not seen, where there is `partial`; else its pose is infinitely
        far, as is a pose without any joint.
        """
        parts = [self._judge(image[rows], joint_3d[rows]) for rows in chunks(len(image), ROWS)]
        return Trust(*map(np.concatenate, zip(*parts, strict=True))) if parts else _nothing()

    def _judge(self, image: np.ndarray, joint_3d: np.ndarray) -> Trust:
        measured = self.familiarity.measure(image, joint_3d)
        distance = measured.distance
        errors = self.errors(features(image, joint_3d, measured), distance)
        percentile = self.familiarity.percentile(distance)
        found = Trust(distance > self.familiarity.limit, percentile, distance, *errors)
        if self.partial is not None:
            seen = ~np.isnan(image).any(axis=2)
            rows = np.flatnonzero(~seen.all(axis=1) & seen.any(axis=1))
            if len(rows):
                lacking = self.partial.judge(self.familiarity, image[rows], joint_3d[rows], seen[rows])
                for mine, theirs in zip(found, lacking, strict=True):
                    mine[rows] = theirs
        return found

    def save(self, path: PathLike) -> None:
        """Write a .npz, atomically; equal models give equal bytes."""
        arrays = {"weights": np.array([self.weights], np.int64)}
        arrays |= to_arrays(self.familiarity, "familiarity") | to_arrays(self.errors, "errors")
        if self.partial is not None:
            arrays |= to_arrays(self.partial.ranks, "partial") | to_arrays(
                self.partial.errors, "partial_errors"
            )
        write_atomically(path, lambda file: write_npz(file, arrays))

    @classmethod
    def load(cls, path: PathLike) -> TrustModel:
        """What `save` wrote. Raises InputError naming the file."""
        arrays = read_npz(path, read_bytes(path, REMEDY))
        sizes = {"image": 2 * len(COURSE15), "joints": len(COURSE15), "features": FEATURES}
        try:
            weights = arrays["weights"]
            if weights is None or weights.shape != (1,) or weights.dtype.kind not in "iu":
                raise ValueError("weights is not one whole number")
            familiarity = from_arrays(Familiarity, "familiarity", arrays, sizes)
            errors = from_arrays(ExpectedError, "errors", arrays, sizes)
            partial = None
            if any(name.startswith("partial") for name in arrays):
                ranks = from_arrays(Ranks, "partial", arrays, {})
                sizes = {"joints": 2 * len(COURSE15), "features": PARTIAL_FEATURES}
                partial = Partial(ranks, from_arrays(ExpectedError, "partial_errors", arrays, sizes))
            fits = partial is None or partial.sound
            if not (familiarity.typical > 0).all() or not errors.sound or not fits:
                raise ValueError("a spread is not more than 0")
        except (KeyError, ValueError) as problem:
            raise file_error(path, f"does not say when to trust weights ({problem}); {REMEDY}") from None
        return cls(familiarity, errors, int(weights[0]), partial)


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
    return Trust(np.zeros(0, bool), none, none, joints, joints, joints)
