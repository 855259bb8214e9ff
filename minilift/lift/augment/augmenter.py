"""Augmentation of training batches: more people, cameras and noise than the data have."""

from __future__ import annotations

from typing import Any

from minilift.lift.augment import cupy_augment, numpy_augment
from minilift.lift.augment.settings import Augmentation
from minilift.lift.augment.tables import JOINTS
from minilift.ops import Array, Ops
from minilift.ops.keys import dropout_key

__all__ = ["Augmentation", "Augmenter"]

STREAM = 1 << 20  # of dropout_key: no layer has such a number


class Augmenter:
    """The augmentation of `Batches` of up to `rows` poses: augment(step, x, y), x (n, 30) and y (n, 45).

    It returns two arrays of its own, valid until the next call. They depend on the poses, the settings, the
    seed and the step, on any device. A hidden joint has `hidden_as` for both coordinates: 0, or NaN for a
    network that takes it. With `levels` x is (n, 45): behind the points is the standard deviation that the
    network is told of each, 0 for a hidden one.

    Of each pose, seen from the root at (0, 0, -1), with all that is turned off left out:
        mix        3 of 4 limbs: bone = |bone| unit(own axes^T (donor's axes donor's bone))
        flip       p = diag(-1, 1, 1) p, left and right exchanged; also x, where it is not projected anew
        body       bone = |bone|^(1-s) new^s unit(bone), joints rebuilt from the root on, s = sqrt(u)
        tumble     p = R p, R uniform over all rotations
        turn       p = Rx(elevation + tilt) Ry(yaw) Rx(-elevation) p
        roll       p = Rz(roll) p,   and with distance p = exp(distance) p
        image      x = (X/-Z, Y/-Z) where any of these but flip is on, else source_x
        noise      x = x + noise normal
        noise_to   the same with sigma_j normal, sigma_j = level exp(UNLIKE u' e_j),
                   level = noise_to (max(u - EXACT, 0) / (1 - EXACT))^2; told sigma_j exp(HEARD (e'_j + e'')),
                   for a share ALIKE of the poses level in place of sigma_j. In half of those with a level the
                   camera, and so the pose, is turned to what seems to be the mid-hip
        outliers   x = x + size normal, size from FAR, log-uniform; for half told is size
        swap       left and right of one of SWAPS exchanged; none of the three where the level is 0
        edge       hidden is what lies beyond a line square to one of EDGES, at up to CUT of the extent
        joint_dropout    x = (0, 0), or NaN, for this share of the joints, each by itself
        joint_dropout_to the same for a share of u^2 times this
        part_dropout     the same for a part: with u < share, number floor(u / share * len(PARTS)) of PARTS
    z is kept below NEAREST. Random numbers are hashes, as those of `Ops.dropout_mask` but with lowbias32's
    last xor-shift, of pose * SLOTS + slot: u = (hash >> 8) 2^-24 + 2^-25, normals by Box-Muller. A pose gets
    mix, flip, body where u < share, and so is a joint hidden. tables.py has slots, tables and limits;
    numpy_augment.py and cupy_augment.py (augment.cu, detector.cu) do the same on the two kinds of device.
    """

    def __init__(
        self, settings: Augmentation, ops: Ops, rows: int, seed: int, hidden_as: float = 0.0,
        levels: bool = False,
    ) -> None:  # fmt: skip
        self.settings, self.ops, self.seed, self.hidden_as = settings, ops, seed, hidden_as
        self.x, self.y = ops.empty((rows, (3 if levels else 2) * JOINTS)), ops.empty((rows, 3 * JOINTS))
        self._augment: Any = numpy_augment.augment if ops.device == "cpu" else cupy_augment.augment

    def key(self, step: int) -> tuple[int, int]:
        """The key of the random numbers of a step."""
        return dropout_key(self.seed, STREAM, step)

    def __call__(self, step: int, x: Array, y: Array) -> tuple[Array, Array]:
        made = self.x[: len(x)], self.y[: len(y)]
        self.apply(self.key(step), x, y, *made)
        return made

    @property
    def row_by_row(self) -> bool:
        """Whether no pose of a batch depends on another, so that `part` can be made alone."""
        return not self.settings.mix and self.ops.device == "cpu"

    def part(self, step: int, x: Array, y: Array, before: int) -> tuple[Array, Array]:
        """What a call makes of the whole batch, of the rows x, y alone, before which so many others come."""
        made = self.x[: len(x)], self.y[: len(y)]
        self._augment(self.ops, x, y, self.settings, self.key(step), *made, self.hidden_as, before)
        return made

    def apply(self, key: tuple[int, int] | Array, x: Array, y: Array, new_x: Array, new_y: Array) -> None:
        """new_x, new_y, other arrays, <- x, y augmented; all are C-contiguous.

        On a GPU, `key` may be an array of two words on the device, as a captured step has it.
        """
        self._augment(self.ops, x, y, self.settings, key, new_x, new_y, self.hidden_as)
