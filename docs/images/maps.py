"""Draw docs/images/conv.svg, norm.svg and drop.svg: what layers on maps do that layers on rows do not.

Run `python docs/images/maps.py` in the folder of the README.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

CELL, TOP = 16, 34  # pixels: of a square, and above the drawings of a panel
PLAIN, BLUE, ORANGE, BLACK = "#f2f2f2", "#7fa8e0", "#f0a868", "#333333"
KERNEL = ("#d1495b", "#edae49", "#00798c")  # one weight each
Paint = Callable[[int, int], str]  # of row and column


def text(x: float, y: float, words: str, size: int = 12) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{BLACK}">{words}</text>'


def grid(x: float, y: float, rows: int, columns: int, paint: Paint, cell: int = CELL) -> str:
    return "".join(
        f'<rect x="{x + cell * c:g}" y="{y + cell * r:g}" width="{cell}" height="{cell}" '
        f'fill="{paint(r, c)}" stroke="#999999" stroke-width="0.7"/>'
        for r in range(rows)
        for c in range(columns)
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0) -> str:
    ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'


def filter_panel(x: float) -> list[str]:
    """A window of 3 x 3 on 6 x 6 pixels, and the number that it gives."""
    parts = [grid(x, TOP, 6, 6, lambda r, c: BLUE if 1 <= r < 4 and 2 <= c < 5 else PLAIN)]
    parts.append(grid(x + 140, TOP + CELL, 4, 4, lambda r, c: ORANGE if (r, c) == (1, 2) else PLAIN))
    for row in (1, 4):  # from the window's right corners to the output
        parts.append(line(x + 5 * CELL, TOP + row * CELL, x + 140 + 2 * CELL, TOP + 2.5 * CELL, BLUE))
    return [*parts, text(x, 20, "a filter slides: 9 weights, 16 places")]


def weights_panel(x: float, dense: bool) -> list[str]:
    """Six inputs below, four outputs above, and a line for each weight; equal colours are one weight."""
    parts = []
    low, high = TOP + 5.5 * CELL, TOP + CELL
    for out in range(4):
        for at in range(6) if dense else range(out, out + 3):
            colour = "#aaaaaa" if dense else KERNEL[at - out]
            parts.append(
                line(x + 24 * at + 8, low, x + 24 * (out + 1) + 8, high, colour, 0.8 if dense else 2)
            )
    dots = [(x + 24 * at + 8, low) for at in range(6)] + [(x + 24 * (o + 1) + 8, high) for o in range(4)]
    parts += [f'<circle cx="{a:g}" cy="{b:g}" r="5" fill="{BLACK}"/>' for a, b in dots]
    words = "Linear: 24 weights" if dense else "convolution: 3 weights, shared"
    return [*parts, text(x, 20, words)]


def norm_panel(x: float, maps: bool) -> list[str]:
    """The numbers that share a mean and a variance."""
    if not maps:
        parts = [grid(x + 40, TOP, 4, 5, lambda r, c: BLUE if c == 1 else PLAIN)]
        return [
            *parts,
            text(x, TOP + 40, "rows"),
            text(x + 40, 116, "columns"),
            text(x, 20, "BatchNorm1d: a column"),
        ]
    parts = []
    for n in range(3):
        for c in range(3):
            colour = BLUE if c == 1 else PLAIN
            parts.append(grid(x + 55 + 52 * c, TOP + 40 * n, 4, 5, lambda r, k, f=colour: f, 8))
    words = text(x, TOP + 60, "images"), text(x + 55, TOP + 128, "channels")
    return [*parts, *words, text(x, 20, "BatchNorm2d: a channel of all images")]


def drop_panel(x: float, maps: bool) -> list[str]:
    """What becomes 0 in the three maps of an image."""
    zero = np.random.default_rng(3).random((3, 5, 6)) < 1 / 3
    parts = []
    for c in range(3):
        gone = np.full((5, 6), c == 1) if maps else zero[c]
        parts.append(grid(x + 80 * c, TOP, 5, 6, lambda r, k, g=gone: BLACK if g[r, k] else PLAIN, 12))
    words = "Dropout2d: whole maps" if maps else "Dropout: single numbers, whose neighbours say the same"
    return [*parts, text(x, 20, words)]


def write(name: str, width: int, height: int, parts: list[str]) -> None:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    path = Path(__file__).parent / f"{name}.svg"
    path.write_text("\n".join([head, ground, *parts, "</svg>", ""]), encoding="utf-8")


if __name__ == "__main__":
    write("conv", 700, 140, [*filter_panel(10), *weights_panel(270, True), *weights_panel(490, False)])
    write("norm", 480, 172, [*norm_panel(10, False), *norm_panel(220, True)])
    write("drop", 640, 104, [*drop_panel(10, False), *drop_panel(375, True)])
