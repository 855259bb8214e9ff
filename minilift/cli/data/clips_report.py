"""What `minilift data clips` tells of the clips that it made poses of."""

import re
from collections.abc import Sequence

import numpy as np

from minilift.errors import counted
from minilift.poses.clips.frames import Choices, ClipPoses
from minilift.poses.layouts import COURSE15

_NAMED = 3  # files named in one line of the report


class Report:
    """What was done with the clips, for people."""

    def __init__(self, choices: Choices, passed: Sequence[str] = ()) -> None:
        self.choices, self.passed, self.frames, self.kept = choices, passed, 0, 0
        self.rest: list[str] = []
        self.told: dict[str, tuple[str, list[str]]] = {}  # what files have in common, but for numbers in it
        self.rates: dict[str, int] = {}
        self.kinds: dict[tuple[str, str], list[np.ndarray]] = {}

    def add(self, clip: ClipPoses) -> None:
        self.frames += clip.of
        self.kept += len(clip.frames)
        if clip.left_out:
            self.rest.append(f"{clip.file} ({clip.left_out}, {clip.rest:.2f} m)")
        remedy = f"; if it does, give --up {'z' if self.choices.up == 'y' else 'y'}"
        for text in clip.warnings:
            self._tell(f"warning: {text}{remedy if text.startswith('the axis') else ''}", clip.file)
        for text in clip.notes:
            self._tell(f"note: {text}", clip.file)
        rate = f"{clip.fps:.4g}"
        self.rates[rate] = self.rates.get(rate, 0) + 1
        lengths = COURSE15.bone_lengths(clip.joints - (0, 0, 1)).mean(axis=0)
        self.kinds.setdefault((clip.skeleton, clip.unit), []).append(lengths)

    def _tell(self, text: str, file: str) -> None:
        self.told.setdefault(re.sub(r"\d+", "", text), (text, []))[1].append(file)

    @property
    def fps(self) -> str:
        """Frames per second of the poses, where all clips have the same."""
        return next(iter(self.rates)) if len(self.rates) == 1 else "F"

    def text(self) -> str:
        lines = []
        for (skeleton, unit), lengths in self.kinds.items():
            lines.append(f"{counted(len(lengths), 'clip')}: skeleton {skeleton}, unit {unit}")
            lines.append(f"  bones in cm: {_bones(np.array(lengths))}")
        if self.rest:
            what = "left out the first frames where they are a rest pose (how many, how far the next one is)"
            lines.append(f"{what}: {_few(self.rest)}")
        lines += [f"{text} ({_few(files)})" for text, files in self.told.values()]
        lines += self.passed
        rates = ", ".join(f"{rate} ({counted(n, 'clip')})" for rate, n in self.rates.items())
        if len(self.rates) == 1:
            rates = self.fps
        kept = f"kept {self.kept:,} of {counted(self.frames, 'frame')}, {rates} per second"
        lines.append(f"{kept}; {counted(self.choices.views, 'view')}")
        return "\n".join(lines)


def _bones(lengths: np.ndarray) -> str:
    """Mean lengths in cm, both sides together; with the range over clips where it is over 1 mm."""
    kinds = {"thigh": "knee", "shin": "ankle", "hips": "hip", "upper arm": "elbow", "forearm": "wrist"}
    parts = []
    for name, end in kinds.items():
        rows = [row for row, joint in enumerate(COURSE15.joints) if joint.endswith(f"_{end}")]
        each = lengths[:, rows].mean(axis=1) * (200 if name == "hips" else 100)
        low, high = each.min(), each.max()
        parts.append(f"{name} {low:.1f}" + (f" to {high:.1f}" if high - low > 0.1 else ""))
    return ", ".join(parts)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
