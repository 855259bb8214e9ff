"""A clip on one sheet: some of its frames, each with its keypoints and two views of the people in 3D."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minilift.files import PathLike
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.drawing import (
    Scene,
    around,
    draw_legend,
    draw_picture,
    draw_stage,
    frame,
    picture_bounds,
    seen_on_stage,
)
from minilift.show.clip.stage import fit_to_draw
from minilift.show.clip.timeline import spread_over
from minilift.show.people.skeletons import View
from minilift.show.style import INK, LABEL, SMALL, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 6  # frames
VIEWS = {"3D from the front": View(0), "3D from the side": View(70, 14)}
CELL = 1.9  # inches


def write_sheet(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    """Draw at most MOST frames, evenly over the clip, to a .png; returns what it leaves out, a line each.

    Raises InputError where there is no one to show, without matplotlib, and if the file cannot be written.
    """
    people = fit_to_draw(people, path)
    figure = sheet(people)
    save(figure, path)
    total, kind = len(np.unique(people.frame)), "pictures" if people.stills else "frames"
    return (f"{MOST} of {total:,} {kind} are drawn, evenly",) if total > MOST else ()


def sheet(people: LiftedPeople) -> Figure:
    """The figure that write_sheet writes."""
    scene = Scene.of(people.take(np.isfinite(people.joint_3d).all(axis=(1, 2))))
    numbers = spread_over(scene.people, MOST)
    figure = new_figure(max(CELL * len(numbers), 4.2) + 0.4, 2.5 * CELL + 0.9)
    cells = figure.subplots(3, len(numbers), squeeze=False, height_ratios=[0.8, 1, 1])
    whole = picture_bounds(scene)
    reach = max(_reach(scene, scene.rows(number)) for number in numbers)
    for column, number in enumerate(numbers):
        rows = scene.rows(number)
        draw_picture(cells[0, column], scene, rows, 1.6)
        frame(cells[0, column], whole, upside_down=not people.rays)
        cells[0, column].set_title(when(people, number), fontsize=SMALL, color=INK)
        for axes, seen_from in zip(cells[1:, column], VIEWS.values(), strict=True):
            _draw_view(axes, scene, rows, seen_from, reach)
    for row, heading in zip(cells, ("2D keypoints", *VIEWS), strict=True):
        row[0].set_axis_on()
        row[0].tick_params(bottom=False, left=False, labelbottom=False, labelleft=False)
        row[0].set_frame_on(False)
        row[0].set_ylabel(heading, fontsize=LABEL, color=INK)
    draw_legend(figure, scene)
    return figure


def when(people: LiftedPeople, number: int) -> str:
    """Which frame, and when it is."""
    if people.stills:
        return f"picture {number}"
    if people.fps is None:
        return f"frame {number}"
    return f"frame {number}, {(number - int(people.frame.min())) / people.fps:.2f} s"


def _reach(scene: Scene, rows: np.ndarray) -> float:
    """Half of what must be seen to see people from all sides."""
    points = scene.stage.joints[rows].reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    wide = float(np.hypot(high[0] - low[0], high[2] - low[2]))
    return 0.56 * max(wide, float(high[1] - low[1]), scene.stage.height)


def _draw_view(axes: Axes, scene: Scene, rows: np.ndarray, seen_from: View, reach: float) -> None:
    """People in the middle of a square, on their floor."""
    points = scene.stage.joints[rows].reshape(-1, 3)
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    draw_stage(axes, scene, rows, seen_from, middle, 2.2)
    seen = seen_on_stage(points, seen_from)
    left, right, bottom, top = around(seen, 0)
    across, up = 0.5 * (left + right), 0.5 * (bottom + top)
    frame(axes, (across - reach, across + reach, up - reach, up + reach))
