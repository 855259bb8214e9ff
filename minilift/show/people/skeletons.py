"""Drawing one skeleton on axes: in the image, and in 3D by orthographic projection.

Up is up and a metre is a metre in every direction. The person's left is blue, their right vermilion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minilift.poses.layouts import COURSE15, ROOT
from minilift.show.style import BLUE, GRID, INK, LABEL, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEFT_COLOUR, RIGHT_COLOUR, MIDDLE_COLOUR, TRUTH_COLOUR = BLUE, VERMILION, INK, "#C6C6C6"
BONE, TRUTH_WIDTH = 2.4, 7.0  # points


class View(NamedTuple):
    """Where an orthographic viewer stands, in degrees. At azimuth 0 that is with the pose's own camera, at 90
    on the right of its image; `elevation` is how high above."""

    azimuth: float
    elevation: float = 8.0


CAMERA, SIDE, ABOVE = View(0), View(90), View(0, 90)
FROM = {"from the camera": CAMERA, "from the right": SIDE, "from above": ABOVE}


def view(
    points: np.ndarray, azimuth: float, elevation: float = 8.0, centre: Sequence[float] = ROOT
) -> np.ndarray:
    """Return points (..., 3) about `centre` as a viewer sees them: right, up, nearer. Degrees, as in View."""
    a, e = np.radians(azimuth), np.radians(elevation)
    x, y, z = np.moveaxis(np.asarray(points, dtype=np.float64) - np.asarray(centre), -1, 0)
    across, ahead = np.cos(a) * x - np.sin(a) * z, np.sin(a) * x + np.cos(a) * z
    return np.stack([across, np.cos(e) * y - np.sin(e) * ahead, np.sin(e) * y + np.cos(e) * ahead], axis=-1)


def side(joint: int) -> str:
    """left, right or middle: of the person, as a joint of COURSE15 is."""
    return "left" if joint in COURSE15.left else "right" if joint in COURSE15.right else "middle"


def bone_colour(joint: int) -> str:
    """The colour of the bone that ends in a joint."""
    if joint in COURSE15.left:
        return LEFT_COLOUR
    return RIGHT_COLOUR if joint in COURSE15.right else MIDDLE_COLOUR


def draw_bones(axes: Axes, flat: np.ndarray, truth: bool = False, width: float = BONE) -> None:
    """Draw a skeleton from (16, 2 or 3) image points, root last; where depth is given, far bones first."""
    bones = list(enumerate(COURSE15.parents))
    if flat.shape[1] == 3:
        bones.sort(key=lambda bone: float(flat[bone[0], 2] + flat[bone[1], 2]))
    for joint, parent in bones:
        ends = flat[[parent, joint], :2]
        style: dict[str, Any] = {"color": bone_colour(joint), "linewidth": width, "zorder": 3}
        if truth:
            style = {"color": TRUTH_COLOUR, "linewidth": TRUTH_WIDTH, "zorder": 2}
        axes.plot(ends[:, 0], ends[:, 1], solid_capstyle="round", **style)
    if not truth:
        crown = flat[COURSE15.index("head"), :2]
        axes.plot(*crown, "o", color=MIDDLE_COLOUR, markersize=2.5 * width, zorder=4)


def height(pose: np.ndarray) -> float:
    """The length of a leg, trunk and head of a pose (15, 3): drawn by it, people near and far look alike."""
    lengths = dict(zip(COURSE15.joints, COURSE15.bone_lengths(pose[None])[0], strict=True))
    return float(sum(lengths[joint] for joint in ("left_knee", "left_ankle", "spine", "neck", "head")))


def draw_floor(axes: Axes, pose: np.ndarray, seen_from: View, centre: Sequence[float] = ROOT) -> np.ndarray:
    """Draw a level grid at the lowest joint, which shows where up is and how far things are.

    Returns its corners (4, 3) as `view` sees them.
    """
    middle = 0.5 * (pose.min(axis=0) + pose.max(axis=0))
    ground = np.array([middle[0], pose[:, 1].min(), middle[2]])
    ticks = np.linspace(-0.42, 0.42, 5) * height(pose)
    for tick in ticks:
        for start, end in (((tick, ticks[0]), (tick, ticks[-1])), ((ticks[0], tick), (ticks[-1], tick))):
            line = np.array([[start[0], 0, start[1]], [end[0], 0, end[1]]])
            seen = view(line + ground, *seen_from, centre)
            axes.plot(seen[:, 0], seen[:, 1], color=GRID, linewidth=0.7, zorder=1)
    corners = [[x, 0, z] for x in ticks[[0, -1]] for z in ticks[[0, -1]]]
    return view(np.array(corners) + ground, *seen_from, centre)


def draw_pose(axes: Axes, pose: np.ndarray, seen_from: View, truth: np.ndarray | None = None) -> None:
    """Draw a pose (15, 3) on a floor, over the truth in wide grey lines where it is given.

    The frame is the truth's, or else the pose's: 1.24 heights wide and high.
    """
    firm = pose if truth is None else truth
    draw_floor(axes, firm, seen_from)
    if truth is not None:
        draw_bones(axes, view(COURSE15.with_root(truth[None])[0], *seen_from), truth=True)
    seen = view(COURSE15.with_root(pose[None])[0], *seen_from)
    draw_bones(axes, seen)
    frame(axes, seen, 0.62 * height(firm))
    axes.set_axis_off()


def frame(axes: Axes, points: np.ndarray, reach: float) -> None:
    """Show so much to each side of the middle of points (n, 2 or more), to scale."""
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    axes.set_aspect("equal")


def draw_keypoints(axes: Axes, joint_2d: np.ndarray) -> None:
    """Draw 2D keypoints (15, 2) in a frame, as a detector would hand them over; the mid-hip is at 0."""
    draw_bones(axes, np.concatenate([joint_2d, np.zeros((1, 2))]))
    axes.plot(joint_2d[:, 0], joint_2d[:, 1], "o", color=MIDDLE_COLOUR, markersize=3, zorder=4)
    frame(axes, joint_2d, 0.58 * float((joint_2d.max(axis=0) - joint_2d.min(axis=0)).max()))
    axes.set_facecolor("#F6F6F6")
    frame_only(axes)


def frame_only(axes: Axes) -> None:
    """A border without ticks."""
    axes.tick_params(bottom=False, left=False, labelbottom=False, labelleft=False)
    for spine in axes.spines.values():
        spine.set_color("#999999")


def draw_legend(figure: Figure, with_truth: bool) -> None:
    """Say above everything which colour is which."""
    from matplotlib.lines import Line2D

    entries = {"left limbs": (LEFT_COLOUR, BONE), "right limbs": (RIGHT_COLOUR, BONE)}
    if with_truth:
        entries["truth"] = (TRUTH_COLOUR, TRUTH_WIDTH)
    lines = [Line2D([], [], color=colour, linewidth=width) for colour, width in entries.values()]
    figure.legend(
        lines, list(entries), loc="outside upper center", ncols=len(lines), frameon=False, fontsize=LABEL
    )
