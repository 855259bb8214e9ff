"""A layout: which joints a set of poses has, in which order, and how the course's joints are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from minilift.errors import InputError

ROOT = (0.0, 0.0, -1.0)
"""Where the mid-hip lies in every sample: it is fixed, so the files do not store it."""

Means = tuple[str, str, str]

_OTHER = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Layout:
    """Named joints in file order, and for each the joint it hangs from (-1: the root, the mid-hip).

    Names of joints on the person's own left and right begin with `left_` and `right_`, in every layout: sides
    and mirror map are read from them.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    made_of: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)
    """For a joint that goes by another name here, as for names that mislead: the layout's own joints and
    their weights, sum 1. A joint that another one is made of alone is not taken for what its name says."""
    called: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What a kind of file calls its joints, where that says nothing: the joint for each such name."""
    about: str = ""
    """What writes it."""
    means: Means = ("", "", "")
    """What its hips, its neck and its head are, for those who compare joints of different layouts."""

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Return the row of a joint; raise InputError, listing the names, if there is no such joint."""
        if joint not in self.joints:
            raise InputError(
                f"skeleton '{self.name}' has no joint '{joint}'; it has {', '.join(self.joints)}"
            )
        return self.joints.index(joint)

    def _side(self, side: str) -> tuple[int, ...]:
        return tuple(i for i, name in enumerate(self.joints) if name.startswith(side))

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Rows of the person's own left side."""
        return self._side("left_")

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Rows of the person's own right side."""
        return self._side("right_")

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """For each row, the row of the joint on the other side: x[:, mirror] swaps left and right.

        A joint in the middle, or one that has no twin, stays where it is.
        """
        rows = {name: row for row, name in enumerate(self.joints)}
        found = []
        for name in self.joints:
            side, _, rest = name.partition("_")
            found.append(rows.get(f"{_OTHER.get(side, side)}_{rest}", rows[name]))
        return tuple(found)

    @property
    def bones(self) -> tuple[str, ...]:
        """A name for each joint's bone, from its parent to itself: 'left_knee-left_ankle'."""
        return tuple(
            f"{self.joints[parent] if parent >= 0 else 'root'}-{joint}"
            for joint, parent in zip(self.joints, self.parents, strict=True)
        )

    def with_root(self, joint_3d: np.ndarray) -> np.ndarray:
        """Return (N, J + 1, 3): the joints, then the root, so that parent -1 indexes the root."""
        joint_3d = np.asarray(joint_3d)
        if joint_3d.ndim != 3 or joint_3d.shape[1:] != (len(self), 3):
            raise ValueError(f"expected poses of shape (N, {len(self)}, 3), got {joint_3d.shape}")
        root = np.broadcast_to(np.asarray(ROOT, dtype=joint_3d.dtype), (len(joint_3d), 1, 3))
        return np.concatenate([joint_3d, root], axis=1)

    def bone_lengths(self, joint_3d: np.ndarray) -> np.ndarray:
        """Return (N, J) float64: column j is the length of bone j, in the units of `joint_3d` (N, J, 3)."""
        points = self.with_root(joint_3d).astype(np.float64)
        return np.asarray(np.linalg.norm(points[:, :-1] - points[:, list(self.parents)], axis=2))

    def from_root(self, points: np.ndarray) -> np.ndarray:
        """Points (N, J, d) as seen from the root, the middle of their hips."""
        hips = [self.index("left_hip"), self.index("right_hip")]
        return np.asarray(points - (points[:, hips] * 0.5).sum(axis=1, keepdims=True))
