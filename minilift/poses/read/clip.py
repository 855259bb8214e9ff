"""A motion-capture clip, whatever file it comes from: what every reader of clips gives."""

from dataclasses import dataclass

import numpy as np

LARGEST_CLIP = 256 << 20  # bytes; an hour of 25 joints at 120 frames per second
MOST_JOINTS = 1000  # a body with hands and a face has about 200
MOST_POSITIONS = 1 << 25  # frames times joints, also where a short file announces many of both


@dataclass(frozen=True)
class Clip:
    """J joints, a parent before its children, and F frames of their C channels.

    `kinematics.joint_positions` says where the joints are.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Row of each joint's parent; -1 for the root, which is joint 0."""
    offsets: np.ndarray
    """(J, 3) float64, from the parent, in file units."""
    channels: tuple[tuple[str, ...], ...]
    """For each joint its channels, 'xposition' ... 'zrotation', in the order in which their rotations are
    multiplied: the left one first."""
    frame_time: float
    """Seconds."""
    motion: np.ndarray
    """(F, C) float64: file units and degrees, in the order of `channels`."""
    checksum: int
    """CRC-32 of the file, and of its skeleton file where it has one."""
    axes: np.ndarray | None = None
    """(J, 3, 3) float64: for each joint the rotation C of the axes that its channels turn about (ASF).
    None: the axes of the parent (BVH)."""
    bones: bool = False
    """Whether a joint is the far end of a bone that turns with it (ASF), or where it turns (BVH)."""
    length_unit: float = 1.0
    """What the file divides its lengths by: 0.45 in CMU's .asf files, whose true lengths are in inches."""
    notes: tuple[str, ...] = ()
    """What the reader assumed, repaired or left out, in words."""

    def __len__(self) -> int:
        return len(self.motion)

    @property
    def fps(self) -> float:
        """Frames per second."""
        return 1 / self.frame_time
