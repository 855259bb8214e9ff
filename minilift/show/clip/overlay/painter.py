"""One drawing: the picture with its keypoints, the people from two sides, and what the signs mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from minilift.extras import load
from minilift.poses.layouts import COURSE15
from minilift.show.clip.overlay.bones import COLOURS, MIDDLE, WHITE, Person, dashes, draw_people, draw_person
from minilift.show.clip.overlay.letters import EXTRA, PURPOSE, tag, wide, write
from minilift.show.clip.overlay.rows import PALEST, Rows
from minilift.show.clip.overlay.sizes import HEADING, MARGIN, Sizes
from minilift.show.clip.overlay.strokes import FARTHEST, rgb, stroke
from minilift.show.clip.overlay.views import VIEWS, StageView
from minilift.show.clip.stage import Stage
from minilift.show.style import GRID

PLAIN = (236, 239, 242)  # where there is no picture
UNLIKE = rgb("#b5179e")  # as on the page
THICKEST, SHARE = 9.0, 0.022  # of a bone: pixels, and part of how high a person is in the picture
SKULL = 0.75  # of the way from neck to head: so far above the head, a face is not hidden
HEAD, NECK = COURSE15.index("head"), COURSE15.index("neck")
LEFT, RIGHT = (next(iter(side)) for side in (COURSE15.left, COURSE15.right))


class Painter:
    """Draws frame after frame onto the same array."""

    def __init__(self, size: tuple[int, int], stage: Stage, still: bool, tags: bool, doubt: bool) -> None:
        """`size` is the picture's; `still`: pictures have nothing to do with each other; `tags`: people are
        numbered; `doubt`: expected errors are known."""
        self.sizes = sizes = Sizes.of(*size)
        self.tags = tags
        width, height = sizes.whole
        self._canvas = np.full((height, width, 3), PLAIN, np.uint8)
        self._views = [StageView(one, sizes.view, stage, still) for one in VIEWS.values()]
        self._panel = self._canvas[:, sizes.picture[0] :]
        self._legend = self._signs(doubt)

    def draw(self, image: np.ndarray | None, rows: Rows, words: str) -> np.ndarray:
        """The drawing (H, W, 3) uint8 of a frame; the next call draws over it.

        `image` is the picture (h, w, 3) uint8, and `words` stand at the top.
        """
        self._show(image)
        people = [self._in_picture(rows, k) for k in range(len(rows.person))]
        for person in sorted(people, key=lambda one: one.width):  # the nearest last
            draw_person(self._canvas, person)
        for k, person in enumerate(people):
            self._tag(self._canvas[:, : self.sizes.picture[0]], person, rows, k)
        self._heading(words)
        there: list[int] = np.flatnonzero(np.isfinite(rows.joints).all(axis=(1, 2))).tolist()
        top = self.sizes.px(HEADING)
        for view in self._views:
            ground, seen = view.drawn_on(rows)
            draw_people(ground, seen)
            for k, person in zip(there, seen, strict=True):
                self._tag(ground, person, rows, k)
            self._panel[top : top + len(ground), : self.sizes.panel] = ground
            top += self.sizes.view[1] + self.sizes.px(HEADING)
        self._panel[-len(self._legend) :] = self._legend  # limbs that leave the picture end at its edge
        return self._canvas

    def _show(self, image: np.ndarray | None) -> None:
        width, height = self.sizes.picture
        if image is None:
            self._canvas[:, :width] = PLAIN
            return
        self._canvas[height:, :width] = PLAIN
        if image.shape[:2] != (height, width):
            module: Any = load("PIL.Image", PURPOSE, EXTRA)
            image = np.asarray(module.fromarray(image).resize((width, height), module.Resampling.BILINEAR))
        self._canvas[:height, :width] = image

    def _in_picture(self, rows: Rows, k: int) -> Person:
        flat = self.sizes.scale * rows.flat[k]
        seen = flat[np.isfinite(flat).all(axis=1)]
        high = float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0
        thick = min(max(SHARE * high, self.sizes.px(2.5)), self.sizes.px(THICKEST))
        return Person(flat, rows.placed[k], np.ones(len(COURSE15)), float(thick))

    def _tag(self, picture: np.ndarray, person: Person, rows: Rows, k: int) -> None:
        """The number of a person over the head, and whether the pose is unlike the training data."""
        unlike = bool(rows.unlike[k])
        parts = [str(rows.person[k])] * self.tags + ["unlike"] * unlike
        seen = person.flat[np.isfinite(person.flat).all(axis=1)]
        if not parts or not len(seen):
            return
        x, y = (float(value) for value in seen[int(seen[:, 1].argmin()), :2])
        skull = float(np.linalg.norm(person.flat[HEAD, :2] - person.flat[NECK, :2]))
        y -= max(2.2 * person.width, SKULL * np.nan_to_num(skull))
        if max(abs(x), abs(y)) < FARTHEST:
            tag(picture, " ".join(parts), round(x), round(y), self.sizes.text, UNLIKE if unlike else MIDDLE)

    def _heading(self, words: str) -> None:
        """What each view is, and at the right of the first, which frame."""
        top, size = self.sizes.px(HEADING), self.sizes.text
        at, step = (top - round(1.3 * size)) // 2, self.sizes.view[1] + top
        self._panel[:top] = WHITE
        for k, title in enumerate(VIEWS):
            self._panel[k * step : k * step + top] = WHITE
            write(self._panel, title, self.sizes.px(MARGIN), k * step + at, size, MIDDLE)
        left = self.sizes.panel - wide(words, size) - self.sizes.px(MARGIN)
        write(self._panel, words, max(left, 0), at, size, MIDDLE)

    def _signs(self, doubt: bool) -> np.ndarray:
        """What stands below the views: which colour is which side, and how doubt looks."""
        sizes, size = self.sizes, self.sizes.text
        width, height = sizes.panel, sizes.whole[1] - 2 * (sizes.view[1] + sizes.px(HEADING))
        legend = np.full((height, width, 3), WHITE, np.uint8)
        legend[: sizes.px(1.5)] = rgb(GRID)
        thick, long, x = sizes.px(7), sizes.px(46), sizes.px(MARGIN)

        def sign(row: int, left: int, words: str, joint: int, firm: float = 1.0, broken: bool = False) -> int:
            """A line and what it means; returns where it ends."""
            middle = (2 * row + 1) * height // 6
            ends = np.array([[left + thick, middle], [left + long - thick, middle]], np.float64)
            stroke(legend, ends, thick, COLOURS[joint], firm, dashes(thick) if broken else None)
            write(legend, words, left + long + x // 2, middle - round(0.65 * size), size, MIDDLE)
            return left + long + 2 * x + wide(words, size)

        sign(0, sign(0, x, "left", LEFT), "right", RIGHT)
        sign(1, x, "not seen: placed", LEFT, broken=True)
        if doubt:
            sign(2, x, "uncertain: large expected error", LEFT, PALEST)
        return legend
