"""Many poses on one sheet: a pose in a cell, or a row for each with its input and three views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, one_line
from minilift.show.people.skeletons import FROM, View, draw_keypoints, draw_legend, draw_pose
from minilift.show.style import INK, LABEL, TITLE, new_figure, plain, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_poses(
    joint_3d: np.ndarray,
    path: PathLike,
    titles: Sequence[str] | None = None,
    predicted: np.ndarray | None = None,
    columns: int = 5,
    azimuth: float = 20.0,
) -> None:
    """Draw a sheet of poses (N, 15, 3), one per cell, to a .png, .svg or .pdf file.

    With `predicted` (N, 15, 3) the truth lies wide and grey below the coloured prediction. `azimuth`
    (degrees) is how far to the right of each pose's own camera the viewer stands. Raises InputError if
    there is nothing to draw, without matplotlib, or if the file cannot be written.
    """
    count = _some(joint_3d, path)
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    figure = new_figure(1.9 * columns, 2.1 * rows + 0.4)
    for i, axes in enumerate(figure.subplots(rows, columns, squeeze=False).ravel()):
        if i >= count:
            axes.set_axis_off()
            continue
        if predicted is None:
            draw_pose(axes, joint_3d[i], View(azimuth))
        else:
            draw_pose(axes, predicted[i], View(azimuth), truth=joint_3d[i])
        if titles is not None:
            axes.set_title(plain(titles[i]), fontsize=LABEL, color=INK)
    draw_legend(figure, with_truth=predicted is not None)
    save(figure, path)


def plot_lift(
    joint_2d: np.ndarray, predicted: np.ndarray, truth: np.ndarray | None, path: PathLike,
    labels: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """Draw one row per person: the 2D input (N, 15, 2), then the 3D prediction (N, 15, 3) from three sides.

    Where `truth` (N, 15, 3) is given it lies wide and grey below the prediction. `labels` stand left of the
    rows: `error_labels`. Raises InputError as plot_poses does.
    """
    save(lift_figure(joint_2d, predicted, truth, labels, path), path)


def lift_figure(
    joint_2d: np.ndarray, predicted: np.ndarray, truth: np.ndarray | None,
    labels: Sequence[str] | None = None, path: PathLike = "lift",
) -> Figure:  # fmt: skip
    """The figure that plot_lift writes; `path` is what an error names."""
    count = _some(predicted, path)
    figure = new_figure(9.0, 2.3 * count + 0.7)
    cells = figure.subplots(count, 4, squeeze=False)
    for i, row in enumerate(cells):
        draw_keypoints(row[0], joint_2d[i])
        for axes, side in zip(row[1:], FROM.values(), strict=True):
            draw_pose(axes, predicted[i], side, truth=None if truth is None else truth[i])
        if labels is not None:
            row[0].set_ylabel(plain(labels[i]), fontsize=LABEL, color=INK)
    headings = ("input: 2D keypoints", *(f"3D {name}" for name in FROM))
    for axes, heading in zip(cells[0], headings, strict=True):
        axes.set_title(heading, fontsize=TITLE, color=INK)
    draw_legend(figure, with_truth=truth is not None)
    return figure


def error_labels(names: Sequence[str], errors: np.ndarray, scale: np.ndarray | None) -> list[str]:
    """Labels of rows: each name with its pose's MPJPE, from `errors` in units (N,) and metres per unit."""
    if scale is None:
        return [f"{name}: {error:.4f} units" for name, error in zip(names, errors, strict=True)]
    return [f"{name}: {mm:.0f} mm" for name, mm in zip(names, 1000 * errors * scale, strict=True)]


def _some(poses: np.ndarray, path: PathLike) -> int:
    if not len(poses):
        raise InputError(f"cannot draw {one_line(str(path))}: there are no poses; give at least one")
    return len(poses)
