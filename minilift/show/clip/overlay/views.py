"""The stage seen from two sides, each in a small picture of its own, over a floor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from minilift.show.clip.drawing import seen_on_stage
from minilift.show.clip.overlay.bones import Person
from minilift.show.clip.overlay.rows import Rows
from minilift.show.clip.overlay.strokes import rgb, stroke
from minilift.show.clip.stage import Floor, Stage
from minilift.show.people.skeletons import View
from minilift.show.style import GRID

VIEWS = {"3D from the right": View(50, 12), "3D from the left": View(-50, 12)}
GROUND = (255, 255, 255)
CELLS = 8  # of the floor to each side
BONE = 0.028  # of a person's height
ROOM = 0.14  # of a view, around what is to be seen
FARTHEST = 4.5  # heights across: people who go farther are followed instead
FOLLOWED = 2.4  # heights across of a view that follows
CALM = 0.06  # of the way to where people are, that a view goes in a frame


@dataclass
class Eye:
    """Where a view looks, and the scale that it has."""

    middle: np.ndarray
    """(3,) on the stage."""
    scale: float
    """Pixels of a unit of the stage."""
    shift: np.ndarray = field(default_factory=lambda: np.zeros(2))
    """(2,) units, right and up, from `middle` to the middle of the view."""


class StageView:
    """People from one side. It stands still where they stay within FARTHEST, and follows them otherwise."""

    def __init__(self, seen_from: View, size: tuple[int, int], stage: Stage, still: bool) -> None:
        self.seen_from, self.size, self.stage, self.still = seen_from, size, stage, still
        there = stage.joints[np.isfinite(stage.joints).all(axis=(1, 2))]
        self.eye = self._framed(there, 0.5)
        wide = self._across(there, 0.5)
        self.follows = not still and wide > FARTHEST * stage.height
        if self.follows:
            self.eye = Eye(np.median(there[:, -1], axis=0), min(size) / (FOLLOWED * stage.height))
        self._ground: np.ndarray | None = None
        self._begun = False

    def drawn_on(self, rows: Rows) -> tuple[np.ndarray, list[Person]]:
        """The ground of a frame (h, w, 3), to be drawn on, and the people who are on it."""
        there = np.isfinite(rows.joints).all(axis=(1, 2))
        joints = rows.joints[there]
        if len(joints) and self.still:
            self.eye, self._ground = self._framed(joints, 0.0), None
        elif len(joints) and self.follows:
            aim = joints[:, -1].mean(axis=0)
            self.eye.middle += (CALM if self._begun else 1.0) * (aim - self.eye.middle)
            self._begun, self._ground = True, None
        if self._ground is None:
            self._ground = self._floor(self.stage.floor or self._below(joints))
        seen = self._put(joints)
        width = max(BONE * self.stage.height * self.eye.scale, 2.0)
        people = [
            Person(flat, placed, firm, width)
            for flat, placed, firm in zip(seen, rows.placed[there], rows.firm[there], strict=True)
        ]
        return self._ground.copy(), people

    def _put(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the stage as x, y in pixels of the view, and how near."""
        seen = seen_on_stage(points - self.eye.middle, self.seen_from)
        width, height = self.size
        x = width / 2 + self.eye.scale * (seen[..., 0] - self.eye.shift[0])
        y = height / 2 - self.eye.scale * (seen[..., 1] - self.eye.shift[1])
        return np.stack([x, y, seen[..., 2]], axis=-1)

    def _framed(self, joints: np.ndarray, part: float) -> Eye:
        """An eye that sees all but `part` percent of joints (n, 16, 3) at either end."""
        middle = np.median(joints.reshape(-1, 3), axis=0)
        seen = seen_on_stage(joints.reshape(-1, 3) - middle, self.seen_from)[:, :2]
        low, high = np.percentile(seen, (part, 100 - part), axis=0)
        reach = np.maximum((high - low) * (1 + 2 * ROOM), 0.9 * self.stage.height)
        return Eye(middle, float((np.array(self.size) / reach).min()), 0.5 * (low + high))

    def _across(self, joints: np.ndarray, part: float) -> float:
        seen = seen_on_stage(joints.reshape(-1, 3), self.seen_from)[:, 0]
        low, high = np.percentile(seen, (part, 100 - part))
        return float(high - low)

    def _below(self, joints: np.ndarray) -> Floor:
        return Floor(float(joints[..., 1].min()) if len(joints) else float(self.stage.low[1]))

    def _floor(self, floor: Floor) -> np.ndarray:
        """A grid that fades with the distance from what is looked at."""
        width, height = self.size
        ground = np.full((height, width, 3), GROUND, np.uint8)
        cell = 0.3 * self.stage.height
        cell *= max(1.0, np.ceil(0.75 * max(self.size) / self.eye.scale / (CELLS * cell)))
        steps = np.arange(-CELLS, CELLS)
        for i in range(-CELLS, CELLS + 1):
            at = np.full(len(steps), i)
            for x0, z0, x1, z1 in ((at, steps, at, steps + 1), (steps, at, steps + 1, at)):
                ends = np.stack([np.stack([x0, 0 * at, z0], 1), np.stack([x1, 0 * at, z1], 1)], 1)
                points = cell * (ends + np.round(self.eye.middle / cell) * [1, 0, 1])
                for line, near in zip(self._put(floor.under(points))[..., :2], steps, strict=True):
                    fade = 1 - np.hypot(i, near + 0.5) / CELLS
                    if fade > 0:
                        stroke(ground, line, max(1.0, height / 450), rgb(GRID), float(fade))
        return ground
