"""A set of poses: what a camera saw of N people, and where their joints are."""

from dataclasses import dataclass, field

import numpy as np

from minilift.files.mapped import MappedRows, Points


@dataclass(frozen=True)
class Poses:
    """N people: what the camera saw, and where the joints are.

    The camera is the origin and looks down -Z, X is right, Y up. The mid-hip lies at exactly (0, 0, -1)
    and is not stored, so each sample's unit is its own camera-to-hip distance. Joints are arrays, or
    MappedRows, which stay in their file.
    """

    joint_2d: Points
    """(N, 15, 2) float32: x/-z, y/-z, focal length 1."""
    joint_3d: Points | None = None
    """(N, 15, 3) float32 in units, or None."""
    scale: np.ndarray | None = None
    """(N,) float32 metres per unit, or None."""
    ignored: tuple[str, ...] = field(default=())
    """Keys of the file that were not used."""

    def __post_init__(self) -> None:
        for name, part in (("joint_3d", self.joint_3d), ("scale", self.scale)):
            if part is not None and len(part) != len(self.joint_2d):
                raise ValueError(f"joint_2d has {len(self.joint_2d)} poses, {name} has {len(part)}")

    def __len__(self) -> int:
        return len(self.joint_2d)

    @property
    def mapped(self) -> bool:
        """Whether the joints stay in their file."""
        return isinstance(self.joint_2d, MappedRows)

    def take(self, rows: np.ndarray | slice) -> "Poses":
        """The poses of these rows (indices, mask or slice), in this order; of mapped ones nothing is read."""

        def part(array: Points) -> Points:
            return array.take(rows) if isinstance(array, MappedRows) else array[rows]

        joint_3d = None if self.joint_3d is None else part(self.joint_3d)
        scale = None if self.scale is None else self.scale[rows]
        return Poses(part(self.joint_2d), joint_3d, scale, self.ignored)

    def read(self, rows: np.ndarray | slice) -> "Poses":
        """The poses of these rows, in memory."""
        joint_3d = None if self.joint_3d is None else self.joint_3d[rows]
        scale = None if self.scale is None else self.scale[rows]
        return Poses(self.joint_2d[rows], joint_3d, scale, self.ignored)
