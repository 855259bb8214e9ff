"""The tree of a clip's joints, and what can be asked of it without a frame."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tree:
    """J names, the row of each joint's parent (-1: none), and offsets (J, 3) from it, in file units."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray

    def above(self, row: int) -> list[int]:
        """The row and what it hangs from, up to the root."""
        found = []
        while row >= 0:
            found.append(row)
            row = self.parents[row]
        return found

    def length(self, top: int, row: int) -> float:
        """The way from a joint down to one that hangs from it, along the bones."""
        way = self.above(row)
        return float(np.linalg.norm(self.offsets[way[: way.index(top)]], axis=1).sum())

    def child(self, row: int) -> int | None:
        """The first joint that hangs from this one, away from it."""
        children = (child for child, parent in enumerate(self.parents) if parent == row)
        return next((child for child in children if np.linalg.norm(self.offsets[child]) > 0), None)
