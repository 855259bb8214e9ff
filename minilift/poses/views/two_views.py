"""A set of people, each seen by two cameras."""

from dataclasses import dataclass

import numpy as np

from minilift.files.mapped import MappedRows, Points
from minilift.poses.pose_set import Poses


@dataclass(frozen=True)
class TwoViews:
    """N people from two sides. Both cameras look down their own -Z, X is right, Y up.

    View 1 is as in `Poses`: the mid-hip lies at (0, 0, -1), so that its distance is each person's unit. What
    is at p in view 1 is at R p + t in view 2, in the same unit.
    """

    joint_2d_1: Points
    """(N, 15, 2) float32: x/-z, y/-z in view 1, focal length 1."""
    joint_2d_2: Points
    """(N, 15, 2) float32, likewise in view 2."""
    rotation: np.ndarray
    """(N, 3, 3) float32, R."""
    translation: np.ndarray
    """(N, 3) float32, t."""
    joint_3d: Points | None = None
    """(N, 15, 3) float32 in view 1, or None; to measure errors by, never to train on."""
    convention: str = ""
    """How the file that they come from was understood, for people to read."""
    ignored: tuple[str, ...] = ()
    """Keys of that file that were not used."""

    def __post_init__(self) -> None:
        for name in ("joint_2d_2", "rotation", "translation", "joint_3d"):
            part = getattr(self, name)
            if part is not None and len(part) != len(self.joint_2d_1):
                raise ValueError(f"joint_2d_1 has {len(self.joint_2d_1)} poses, {name} has {len(part)}")

    def __len__(self) -> int:
        return len(self.joint_2d_1)

    def take(self, rows: np.ndarray | slice) -> "TwoViews":
        """The people of these rows (indices, mask or slice), in order; of mapped ones nothing is read."""

        def part(array: Points) -> Points:
            return array.take(rows) if isinstance(array, MappedRows) else array[rows]

        joint_3d = None if self.joint_3d is None else part(self.joint_3d)
        images = part(self.joint_2d_1), part(self.joint_2d_2)
        cameras = self.rotation[rows], self.translation[rows]
        return TwoViews(*images, *cameras, joint_3d, self.convention, self.ignored)

    def first(self) -> Poses:
        """What view 1 alone shows; with joint_3d, where there is one."""
        return Poses(self.joint_2d_1, self.joint_3d)
