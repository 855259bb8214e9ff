"""A run that has collapsed is stopped: what it would save is of no use."""

from __future__ import annotations

from typing import Any

from minilift.errors import InputError

GRACE = 1000
"""Steps that a run has to get away from where it began, which is nearly flat."""
PATIENCE = 3
"""Epochs in a row after which it counts as collapsed."""
ENOUGH = 200
"""Poses from which on that can be told: covariances of 30 numbers are compared, seven times as many. Poses
without an error are called useless by one draw of 100 in five, and by none of 200."""
CLEARLY = 0.9
"""Another answer has to be so much less unlike people, or chance may have made it so."""


class Collapsed(InputError):
    """Poses are flat, or front and back are exchanged, or they are worse than that."""


def useless(row: dict[str, Any]) -> str:
    """What is wrong with the poses of an epoch, a row of log.csv; '' where nothing is.

    Poses that are right look from elsewhere as people do. So they are useless if they look less so than flat
    ones, or than they themselves with front and back exchanged.
    """
    gap, flat, flipped = (row[f"val_{name}"] for name in ("gap", "flat", "flipped"))
    if flipped < CLEARLY * min(gap, flat):
        return "front and back are exchanged"
    if gap < flat:
        return ""
    return "from elsewhere they look no more like people than flat ones"


class Guard:
    """A listener that raises `Collapsed` after PATIENCE useless epochs in a row behind GRACE steps."""

    def after_epoch(self, history: list[dict[str, Any]]) -> None:
        latest = history[-PATIENCE:]
        problem = useless(history[-1])
        if len(latest) < PATIENCE or latest[0]["steps"] < GRACE or not all(map(useless, latest)):
            return
        row = history[-1]
        figures = ", ".join(f"{name} {row[f'val_{name}']:.3g}" for name in ("gap", "flat", "flipped"))
        raise Collapsed(
            f"training collapsed: epoch {row['epoch']}, poses of 2D alone: {problem} ({figures}, see "
            "docs/weak.md); start again with another seed, give the mean elevation of the camera if you know "
            "it, or a lower learning rate"
        )
