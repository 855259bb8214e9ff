"""Which layout points have: by the names of a file's joints, by their number, by what they look like."""

from __future__ import annotations

from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.look import decide, implausible
from minilift.poses.layouts.names import Match, by_names, columns_of
from minilift.poses.layouts.rows import LAYOUTS
from minilift.poses.layouts.sides import doubts

__all__ = ["Match", "by_count", "by_names", "columns_of", "counts", "decide", "doubts", "implausible"]

_ORDER = (
    "coco17", "openpose_coco18", "body25", "halpe26", "mediapipe33", "coco_wholebody133", "mpii16", "mpi15",
    "crowdpose14",
)  # fmt: skip
_NAMED = ("course15", "dlc_full_human14", "sports2d22")
"""What is never a bare array of so many points: their files have a form of their own, or names."""


def by_count(joints: int) -> tuple[Layout, ...]:
    """The layouts with so many joints, the most frequent first."""
    found = [layout for layout in LAYOUTS.values() if len(layout) == joints and layout.name not in _NAMED]
    return tuple(sorted(found, key=lambda x: _ORDER.index(x.name) if x.name in _ORDER else len(_ORDER)))


def counts() -> str:
    """The numbers of joints that are known, for messages."""
    return ", ".join(map(str, sorted({len(layout) for layout in LAYOUTS.values()})))
