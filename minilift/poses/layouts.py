"""Layouts: which joints a set of poses has, in which order, and how the course's joints are made of them.

A layout is a row of LAYOUTS. COURSE15, the joints of the course's files, is one of the rows; whatever needs a
number of joints asks its layout, `len(layout)`. To add one, write a row and its test follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from minilift.errors import InputError

ROOT = (0.0, 0.0, -1.0)
"""Where the mid-hip lies in every sample: it is fixed, so the files do not store it."""

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
    made_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """For a joint of COURSE15 that this layout lacks: the joints whose mean it is. "root" is the mid-hip, and
    stands in it as any other joint does; without it, the root is the mean of both hips."""

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
        """For each row, the row of the joint on the other side: x[:, mirror] swaps left and right."""
        names = []
        for name in self.joints:
            side, _, rest = name.partition("_")
            names.append(f"{_OTHER[side]}_{rest}" if side in _OTHER else name)
        return tuple(self.joints.index(name) for name in names)

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

    def weights(self, joint: str) -> np.ndarray:
        """The share (J,) of each of this layout's joints in a joint of COURSE15, or in "root"; sum 1."""
        found = np.zeros(len(self))
        if joint in self.joints:
            found[self.index(joint)] = 1
            return found
        parts = self.made_of.get(joint, ("left_hip", "right_hip") if joint == "root" else ())
        if not parts:
            raise InputError(f"skeleton '{self.name}' does not say how {joint} is made; it has {self.joints}")
        return np.asarray(sum(self.weights(part) for part in parts) / len(parts))

    def to_course(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The joints of COURSE15 (N, 15, d) and the root (N, d) from points (N, J, d) of this layout.

        Every one is a joint or a mean of joints, so it holds in the image as in space (up to perspective).
        Raises ValueError for another number of joints.
        """
        points = np.asarray(points)
        if points.ndim != 3 or points.shape[1] != len(self):
            raise ValueError(f"expected {len(self)} joints ('{self.name}'), got shape {points.shape}")
        shares = np.stack([self.weights(joint) for joint in (*COURSE15.joints, "root")])
        made = np.einsum("cj,njd->ncd", shares.astype(np.result_type(points, np.float32)), points)
        return made[:, :-1], made[:, -1]

    def from_root(self, points: np.ndarray) -> np.ndarray:
        """Points (N, J, d) as seen from the root, the middle of their hips."""
        shares = self.weights("root")
        used = np.flatnonzero(shares)
        root = (shares[used][:, None] * points[:, used]).sum(axis=1, keepdims=True)
        return np.asarray(points - root)


COURSE15 = Layout(
    name="course15",
    joints=(
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "spine",
        "neck",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
    ),
    parents=(-1, 0, 1, -1, 3, 4, -1, 6, 7, 7, 9, 10, 7, 12, 13),
)
"""The one place that knows the joint order of the course's files."""

H36M17 = Layout(
    name="h36m17",
    joints=("root", *COURSE15.joints[:8], "nose", *COURSE15.joints[8:]),
    parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
)
"""Human3.6M as papers use it: the course's joints, the root among them, and the nose between neck and head.

Source: common/h36m_dataset.py of VideoPose3D (github.com/facebookresearch/VideoPose3D), once static joints
are gone; its joint 9 is called Neck/Nose there.
"""

COCO17 = Layout(
    name="coco17",
    joints=(
        "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
        "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
        "right_knee", "left_ankle", "right_ankle",
    ),
    parents=(-1, 0, 0, 1, 2, -1, -1, 5, 6, 7, 8, -1, -1, 11, 12, 13, 14),
    made_of={
        "neck": ("left_shoulder", "right_shoulder"),
        "spine": ("root", "neck"),
        "head": ("left_ear", "right_ear"),
    },
)  # fmt: skip
"""What most 2D detectors give. Its hips lie higher and wider than those of Human3.6M, and the ears below the
top of the head.

Source: Lin et al., "Microsoft COCO", arXiv:1405.0312; the order is that of cocodataset.org's annotations.
"""

LAYOUTS = {layout.name: layout for layout in (COURSE15, H36M17, COCO17)}

JOINTS = COURSE15.joints
