"""A picture of lifted people without matplotlib: a small .svg, drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from minilift.files import PathLike, write_atomically
from minilift.poses.layouts import COURSE15
from minilift.show.people.skeletons import (
    CAMERA,
    LEFT_COLOUR,
    RIGHT_COLOUR,
    SIDE,
    TRUTH_COLOUR,
    bone_colour,
    view,
)
from minilift.show.style import INK

CELL, MARGIN, TOP = 220, 24, 64  # pixels
HEADINGS = ("input: 2D keypoints", "3D from the camera", "3D from the right")
LEGEND = (("left limbs", LEFT_COLOUR), ("right limbs", RIGHT_COLOUR), ("truth", TRUTH_COLOUR))


def sketch_lift(
    joint_2d: np.ndarray, predicted: np.ndarray, truth: np.ndarray, path: PathLike, labels: Sequence[str]
) -> None:
    """Draw one row per person into an .svg: the 2D input (N, 15, 2) and the prediction (N, 15, 3), two views.

    The truth (N, 15, 3) lies wide and grey below it. Raises InputError where the file cannot be written.
    """
    width, height = len(HEADINGS) * CELL, TOP + len(predicted) * CELL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13" fill="{INK}">',
        '<rect width="100%" height="100%" fill="white"/>',
        *_head(),
    ]
    for row, label in enumerate(labels):
        image = np.concatenate([joint_2d[row], np.zeros((1, 2))])
        cells = [[(image, False)]]
        for side in (CAMERA, SIDE):
            both = ((truth[row], True), (predicted[row], False))
            cells.append([(view(COURSE15.with_root(pose[None])[0], *side), below) for pose, below in both])
        for column, drawn in enumerate(cells):
            parts += _cell(drawn, column * CELL, TOP + row * CELL)
        parts.append(_text(MARGIN / 2, TOP + row * CELL + 12, label, "start"))
    content = "\n".join([*parts, "</svg>\n"]).encode()
    write_atomically(path, lambda file: file.write(content))


def _head() -> list[str]:
    """The legend, and what each column shows."""
    parts = []
    for i, (name, colour) in enumerate(LEGEND):
        x = (i + 0.5) * CELL
        parts.append(f'<path d="M{x - 70:.1f} 16h24" stroke="{colour}" stroke-width="4"/>')
        parts.append(_text(x - 40, 20, name, "start"))
    return parts + [_text((i + 0.5) * CELL, 48, heading) for i, heading in enumerate(HEADINGS)]


def _cell(drawn: list[tuple[np.ndarray, bool]], left: float, top: float) -> list[str]:
    """Skeletons of (16, 2 or 3) points, y up, on one scale that lets the first of them fill the cell."""
    first = drawn[0][0][:, :2]
    low, high = first.min(axis=0), first.max(axis=0)
    scale = (CELL - 2 * MARGIN) / float((high - low).max())
    middle = np.array([left, top]) + CELL / 2
    parts = []
    for points, below in drawn:
        flat = middle + (points[:, :2] - (low + high) / 2) * np.array([scale, -scale])
        for joint, parent in enumerate(COURSE15.parents):
            (x1, y1), (x2, y2) = flat[parent], flat[joint]
            colour, thick = (TRUTH_COLOUR, 9) if below else (bone_colour(joint), 3)
            parts.append(
                f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="{thick}" '
                'stroke-linecap="round"/>'
            )
        if not below:
            x, y = flat[COURSE15.index("head")]
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    return parts


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
