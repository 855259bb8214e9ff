"""Pictures of poses: sheets of skeletons, and rows that show input, prediction and truth side by side.

Skeletons are drawn by orthographic projection on plain axes, so that up is up and a metre is a metre in
every direction. matplotlib is imported when a picture is made, and its global state is not touched.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.errors import InputError
from minilift.pose.skeleton import COURSE15, ROOT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart with every common colour blindness.
LEFT_COLOUR, RIGHT_COLOUR, MIDDLE_COLOUR, TRUTH_COLOUR = "#0072B2", "#D55E00", "#333333", "#C6C6C6"
_FLOOR_COLOUR = "#D8D8D8"


def _new_figure(width: float, height: float) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("drawing needs matplotlib: pip install 'minilift[plot]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: "Figure", path: str | Path) -> None:
    if Path(path).suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"cannot draw {path}: the name must end in .png, .svg or .pdf")
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; choose another place") from error


def view(points: np.ndarray, azimuth: float, elevation: float = 8.0) -> np.ndarray:
    """Return points (..., 3) about the root as an orthographic viewer sees them: right, up, nearer.

    Degrees; at azimuth 0 the viewer stands with the pose's own camera, at 90 on the right of its image.
    """
    a, e = np.radians(azimuth), np.radians(elevation)
    x, y, z = np.moveaxis(np.asarray(points, dtype=np.float64) - ROOT, -1, 0)
    across, ahead = np.cos(a) * x - np.sin(a) * z, np.sin(a) * x + np.cos(a) * z
    return np.stack([across, np.cos(e) * y - np.sin(e) * ahead, np.sin(e) * y + np.cos(e) * ahead], axis=-1)


def _bone_colour(joint: int) -> str:
    if joint in COURSE15.left:
        return LEFT_COLOUR
    return RIGHT_COLOUR if joint in COURSE15.right else MIDDLE_COLOUR


def _draw_bones(axes: "Axes", flat: np.ndarray, truth: bool = False) -> None:
    """Draw a skeleton from (16, 2 or 3) image points, root last; where depth is given, far bones first."""
    bones = list(enumerate(COURSE15.parents))
    if flat.shape[1] == 3:
        bones.sort(key=lambda bone: float(flat[bone[0], 2] + flat[bone[1], 2]))
    for joint, parent in bones:
        ends = flat[[parent, joint], :2]
        style: dict[str, Any] = {"color": _bone_colour(joint), "linewidth": 2.4, "zorder": 3}
        if truth:
            style = {"color": TRUTH_COLOUR, "linewidth": 7, "zorder": 2}
        axes.plot(ends[:, 0], ends[:, 1], solid_capstyle="round", **style)
    if not truth:
        crown = flat[COURSE15.index("head"), :2]
        axes.plot(*crown, "o", color=MIDDLE_COLOUR, markersize=6, zorder=4)


def _height(pose: np.ndarray) -> float:
    """Return the length of a leg, trunk and head: drawn by it, people near and far come out alike."""
    lengths = dict(zip(COURSE15.joints, COURSE15.bone_lengths(pose[None])[0], strict=True))
    return sum(lengths[joint] for joint in ("left_knee", "left_ankle", "spine", "neck", "head"))


def _draw_floor(axes: "Axes", pose: np.ndarray, azimuth: float) -> None:
    """Draw a level grid at the lowest joint, which shows where up is and how far things are."""
    middle = 0.5 * (pose.min(axis=0) + pose.max(axis=0))
    ground = np.array([middle[0], pose[:, 1].min(), middle[2]])
    ticks = np.linspace(-0.42, 0.42, 5) * _height(pose)
    for tick in ticks:
        for start, end in (((tick, ticks[0]), (tick, ticks[-1])), ((ticks[0], tick), (ticks[-1], tick))):
            line = np.array([[start[0], 0, start[1]], [end[0], 0, end[1]]])
            seen = view(line + ground, azimuth)
            axes.plot(seen[:, 0], seen[:, 1], color=_FLOOR_COLOUR, linewidth=0.7, zorder=1)


def _draw_pose(axes: "Axes", pose: np.ndarray, azimuth: float, truth: np.ndarray | None = None) -> None:
    """Draw a pose (15, 3) on a floor, over the truth in wide grey lines where it is given."""
    firm = pose if truth is None else truth
    _draw_floor(axes, firm, azimuth)
    if truth is not None:
        _draw_bones(axes, view(COURSE15.with_root(truth[None])[0], azimuth), truth=True)
    seen = view(COURSE15.with_root(pose[None])[0], azimuth)
    _draw_bones(axes, seen)
    middle = 0.5 * (seen.min(axis=0) + seen.max(axis=0))
    reach = 0.62 * _height(firm)
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _legend(figure: "Figure", with_truth: bool) -> None:
    from matplotlib.lines import Line2D

    entries = {"left limbs": (LEFT_COLOUR, 2.4), "right limbs": (RIGHT_COLOUR, 2.4)}
    if with_truth:
        entries["truth"] = (TRUTH_COLOUR, 7)
    lines = [Line2D([], [], color=colour, linewidth=width) for colour, width in entries.values()]
    figure.legend(
        lines, list(entries), loc="outside upper center", ncols=len(lines), frameon=False, fontsize=11
    )


def plot_poses(
    joint_3d: np.ndarray,
    path: str | Path,
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
    count = len(joint_3d)
    if count == 0:
        raise InputError(f"cannot draw {path}: there are no poses; give at least one")
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    figure = _new_figure(2.2 * columns, 2.4 * rows + 0.4)
    for i, axes in enumerate(figure.subplots(rows, columns, squeeze=False).ravel()):
        if i >= count:
            axes.set_axis_off()
            continue
        if predicted is None:
            _draw_pose(axes, joint_3d[i], azimuth)
        else:
            _draw_pose(axes, predicted[i], azimuth, truth=joint_3d[i])
        if titles is not None:
            axes.set_title(titles[i], fontsize=10)
    _legend(figure, with_truth=predicted is not None)
    _save(figure, path)


def _draw_image(axes: "Axes", joint_2d: np.ndarray) -> None:
    """Draw 2D keypoints (15, 2) in a frame, as a detector would hand them over; the mid-hip is at 0."""
    _draw_bones(axes, np.concatenate([joint_2d, np.zeros((1, 2))]))
    axes.plot(joint_2d[:, 0], joint_2d[:, 1], "o", color=MIDDLE_COLOUR, markersize=3.5, zorder=4)
    middle = 0.5 * (joint_2d.min(axis=0) + joint_2d.max(axis=0))
    reach = 0.58 * float((joint_2d.max(axis=0) - joint_2d.min(axis=0)).max())
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    axes.set_aspect("equal")
    axes.set_facecolor("#F6F6F6")
    axes.tick_params(bottom=False, left=False, labelbottom=False, labelleft=False)
    for spine in axes.spines.values():
        spine.set_color("#999999")


def plot_lift(
    joint_2d: np.ndarray, predicted: np.ndarray, truth: np.ndarray | None, path: str | Path
) -> None:
    """Draw one row per person: the 2D input (N, 15, 2), then the 3D prediction (N, 15, 3) from two sides.

    Where `truth` (N, 15, 3) is given it lies wide and grey below the prediction. Raises InputError as
    plot_poses does.
    """
    count = len(predicted)
    if count == 0:
        raise InputError(f"cannot draw {path}: there are no poses; give at least one")
    figure = _new_figure(9.0, 3.0 * count + 0.6)
    cells = figure.subplots(count, 3, squeeze=False)
    for i, row in enumerate(cells):
        _draw_image(row[0], joint_2d[i])
        for axes, azimuth in zip(row[1:], (-20.0, 70.0), strict=True):
            _draw_pose(axes, predicted[i], azimuth, truth=None if truth is None else truth[i])
    headings = ("input: 2D keypoints", "output: 3D, near the camera", "the same 3D from the side")
    for axes, heading in zip(cells[0], headings, strict=True):
        axes.set_title(heading, fontsize=12)
    _legend(figure, with_truth=truth is not None)
    _save(figure, path)
