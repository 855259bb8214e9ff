"""The course's joints in a clip, once they are found: how places come from those of the clip's joints."""

from dataclasses import dataclass

import numpy as np

from minilift.poses.layouts import COURSE15

Share = tuple[tuple[int, float], ...]
"""Rows of a clip's joints, and how much of each: a joint of the clip is ((row, 1.0),)."""
Shares = dict[str, Share]

LEG = ("hip", "knee", "ankle")
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
    """What was estimated, in words."""
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

        Forward is from the ankles to the toes, and from the line between hip and ankle to a bent knee. With
        up from mid-hip to neck, left is up x forward.
        """
        if None in self.toes or not len(positions):
            return []
        at = dict(zip(COURSE15.joints, self.place(positions).swapaxes(0, 1), strict=True))
        toes = [positions[:, self.rows.index(toe)] for toe in self.toes if toe is not None]
        ahead, bent = np.zeros((2, len(positions), 3))
        for side, toe in zip(("right", "left"), toes, strict=True):
            hip, knee, ankle = (at[f"{side}_{part}"] for part in LEG)
            ahead += _across(toe - ankle, ankle - knee)  # a child straight below the ankle says nothing
            bent += knee - (hip + ankle) / 2
        up = at["neck"] - (at["left_hip"] + at["right_hip"]) / 2
        across = at["left_hip"] - at["right_hip"]
        by_toes, by_knees = (_swapped(np.cross(up, forward), across) for forward in (ahead, bent))
        if by_toes > MIRRORED and by_knees > 1 - MIRRORED:
            return ["left and right look swapped: toes and knees point backwards; is the file mirrored?"]
        return []

    def described(self, positions: np.ndarray) -> str:
        """One line for people: the skeleton, what was estimated, and what is doubtful."""
        return "; ".join((self.skeleton, *self.notes, *self.doubts(positions)))


def _across(vectors: np.ndarray, along: np.ndarray) -> np.ndarray:
    """The part of vectors (F, 3) that is at right angles to others; nothing where it is the smaller part."""
    unit = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    off = vectors - (vectors * unit).sum(axis=1, keepdims=True) * unit
    clear = np.linalg.norm(off, axis=1) > 0.7 * np.linalg.norm(vectors, axis=1)
    return np.where(clear[:, None], off, 0)


def _swapped(left: np.ndarray, across: np.ndarray) -> float:
    """In how many of the frames that say something `across` (F, 3) points away from the left; 0.5 if none."""
    size = np.linalg.norm(left, axis=1) * np.linalg.norm(across, axis=1)
    cosine = (left * across).sum(axis=1) / np.where(size > 0, size, 1)
    clear = np.abs(cosine) > 0.5
    return float((cosine[clear] < 0).mean()) if clear.any() else 0.5
