"""A pose looked into, as a picture: the answer from two sides, what moves what, and the depths in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minilift.files import PathLike
from minilift.lift.explain import Explained
from minilift.poses.layouts import COURSE15
from minilift.show.people.skeletons import CAMERA, SIDE, bone_colour, draw_legend, draw_pose
from minilift.show.style import INK, SMALL, TITLE, new_figure, panel, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = [name.replace("_", " ") for name in COURSE15.joints]


def plot_explained(found: Explained, length: float, metres: bool, path: PathLike) -> None:
    """Draw what `explain` found. `length` is a unit in millimetres, or in thousandths of itself where
    `metres` says that it is not known. Raises InputError as `save`."""
    figure = new_figure(11, 8.5)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.25))
    for column, (title, seen_from) in enumerate({"from the camera": CAMERA, "from the right": SIDE}.items()):
        axes = figure.add_subplot(grid[0, column])
        draw_pose(axes, found.joint_3d, seen_from)
        axes.set_title(title, fontsize=TITLE, loc="left", color=INK)
    _depths(figure.add_subplot(grid[1, 0]), found, length, "mm" if metres else "‰ of the distance")
    _moves(figure.add_subplot(grid[1, 1]), found)
    draw_legend(figure, False)
    save(figure, path)


def _depths(axes: Axes, found: Explained, length: float, unit: str) -> None:
    """A bar a bone, the more open the likelier the other sign is, and the expected error of its joint."""
    rows = range(len(COURSE15))
    depth = length * found.depths.depth.astype(float)
    expected = np.zeros(len(rows)) if found.trust is None else length * found.trust.expected_error
    for row in rows:
        odds = float(found.depths.odds[row])
        open_by = 0.0 if np.isnan(odds) else 1.7 * odds
        axes.barh(row, depth[row], color=bone_colour(row), alpha=1 - open_by, height=0.7)
        end, side = (expected[row], "left") if depth[row] >= 0 else (-expected[row], "right")
        if not np.isnan(odds):
            text = f" {100 * odds:.0f}% "
            axes.text(depth[row] + end, row, text, fontsize=SMALL, va="center", ha=side, color=INK)
    if found.trust is not None:
        axes.errorbar(depth, rows, xerr=expected, fmt="none", ecolor=INK, elinewidth=0.8, capsize=2)
    axes.axvline(0, color=INK, linewidth=0.8)
    title = "depth from the joint it hangs from; % for the other sign"
    panel(axes, title, f"nearer to the camera [{unit}]", "", "x")
    axes.set_yticks(rows, WORDS)
    axes.invert_yaxis()
    axes.margins(x=0.12)


def _moves(axes: Axes, found: Explained) -> None:
    """How far each 3D joint goes when a 2D joint is moved: a square for each pair."""
    gains = found.gains
    picture = axes.imshow(gains, cmap="Blues", vmin=0, vmax=float(max(1.0, gains.max())))
    panel(axes, "3D joints (rows) moved by 2D joints (columns)", "", "", "x")
    axes.grid(False)
    ticks = np.arange(len(COURSE15))
    axes.set_xticks(ticks, WORDS, rotation=90)
    axes.set_yticks(ticks, WORDS)
    bar = axes.figure.colorbar(picture, ax=axes, shrink=0.8)
    bar.set_label("distance in space for each in the picture", fontsize=SMALL, color=INK)
