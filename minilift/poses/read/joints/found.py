"""The course's joints in a clip, once they are found: how places come from those of the clip's joints."""

from dataclasses import dataclass

import numpy as np

from minilift.poses.layouts import COURSE15

Share = tuple[tuple[int, float], ...]
"""Rows of a clip's joints, and how much of each: a joint of the clip is ((row, 1.0),)."""
Shares = dict[str, Share]

MIRRORED = 0.8  # of the frames with a clear answer


def mean(first: Share, other: Share, second: float = 0.5) -> Share:
    """A point on the line through two: `second` of the other, and the rest of the first."""
    total: dict[int, float] = {}
    for share, weight in ((first, 1 - second), (other, second)):
        for row, part in share:
            total[row] = total.get(row, 0.0) + weight * part
    return tuple(total.items())


@dataclass(frozen=True)
class FoundJoints:
    """For each joint of COURSE15 its share of a clip's joints, and what people should know about it."""

    skeleton: str
    """Name of the family, or of the map."""
    shares: tuple[Share, ...]
    notes: tuple[str, ...] = ()
    """What was estimated, and where the choice was close."""
    toes: tuple[int | None, ...] = (None, None)
    """Rows of what hangs from the right and the left ankle."""
    metres: float | None = None
    """Per unit of the file, where the map says it."""

    @property
    def rows(self) -> tuple[int, ...]:
        """The clip's joints that are needed, in ascending order; `place` and `doubts` take theirs."""
        needed = {row for share in self.shares for row, _ in share}
        return tuple(sorted(needed | {row for row in self.toes if row is not None}))

    def place(self, positions: np.ndarray) -> np.ndarray:
        """The joints (F, 15, 3) from the positions (F, len(rows), 3) of `rows`, in their unit."""
        column = {row: i for i, row in enumerate(self.rows)}
        made = [sum(part * positions[:, column[row]] for row, part in share) for share in self.shares]
        return np.stack(made, axis=1)

    def doubts(self, positions: np.ndarray) -> list[str]:
        """What the positions (F, len(rows), 3) of `rows` say against the names: sides that look swapped.

        With up from mid-hip to neck and forward from the ankles to the toes, left is up x forward.
        """
        if None in self.toes or not len(positions):
            return []
        joints = self.place(positions)
        at = {joint: joints[:, COURSE15.index(joint)] for joint in COURSE15.joints}
        column = [self.rows.index(toe) for toe in self.toes if toe is not None]
        hips = (at["left_hip"] + at["right_hip"]) / 2
        forward = positions[:, column].sum(axis=1) - at["left_ankle"] - at["right_ankle"]
        across = at["left_hip"] - at["right_hip"]
        left = np.cross(at["neck"] - hips, forward)
        size = np.linalg.norm(left, axis=1) * np.linalg.norm(across, axis=1)
        cosine = (left * across).sum(axis=1) / np.where(size > 0, size, 1)
        clear = np.abs(cosine) > 0.5  # toes that point ahead
        if clear.any() and (cosine[clear] < 0).mean() > MIRRORED:
            return ["left and right look swapped: the toes point backwards; is the file mirrored?"]
        return []

    def described(self, positions: np.ndarray) -> str:
        """One line for people: the skeleton, what was estimated, and what is doubtful."""
        return "; ".join((self.skeleton, *self.notes, *self.doubts(positions)))
