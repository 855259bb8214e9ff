"""How a picture is turned and mirrored to stand upright, by the matrix that a video has for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_ONE = float(1 << 16)  # the numbers of the matrix are of 16.16 bits


@dataclass(frozen=True)
class Turn:
    """Mirrored left to right first, then turned clockwise by quarters."""

    quarters: int = 0
    mirrored: bool = False
    over: float = 0.0
    """Degrees, clockwise, that no quarter can do."""

    @classmethod
    def of_matrix(cls, matrix: bytes) -> Turn:
        """Of a display matrix, nine int32 in the machine's order: the stored point (x, y) is shown at
        (a x + c y, b x + d y), y down. One that shows nothing turns nothing."""
        numbers = np.frombuffer(matrix[:36].ljust(36, b"\0"), np.int32) / _ONE
        a, b, c, d = (float(numbers[i]) for i in (0, 1, 3, 4))
        if abs(a * d - b * c) < 1e-6:
            return cls()
        mirrored = a * d - b * c < 0
        if mirrored:
            a, b = -a, -b
        degrees = math.degrees(math.atan2(b, a))
        quarters = round(degrees / 90)
        return cls(quarters % 4, mirrored, degrees - 90 * quarters)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Of a picture of that size, when it stands."""
        return (height, width) if self.quarters % 2 else (width, height)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """A picture (H, W, 3) upright, C-contiguous."""
        if self.mirrored:
            image = image[:, ::-1]
        return np.ascontiguousarray(np.rot90(image, -self.quarters))
