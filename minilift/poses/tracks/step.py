"""The step of a clip's frame numbers: 1, or 10 where every tenth frame was kept."""

from __future__ import annotations

import numpy as np

from minilift.poses.few import distinct


def step_of(frame: np.ndarray) -> float:
    """The most common distance of neighbouring frame numbers, the least of several; 1 of less than two."""
    steps, count = np.unique(np.diff(distinct(frame)), return_counts=True)
    return float(steps[count.argmax()]) if len(steps) else 1.0
