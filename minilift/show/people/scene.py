"""One pose in detail: its image, three views of it, and the camera that looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minilift.files import PathLike
from minilift.poses.layouts import COURSE15
from minilift.show.people.image import Intrinsics, draw_on_image
from minilift.show.people.skeletons import (
    FROM,
    View,
    draw_bones,
    draw_floor,
    draw_keypoints,
    draw_legend,
    draw_pose,
    view,
)
from minilift.show.style import GREEN, INK, LABEL, SMALL, TITLE, new_figure, panel, plain, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IMAGE_PLANE = 0.3  # units before the camera: where the frustum's image stands
BESIDE = View(62, 16)  # where the viewer of the whole scene stands
MIDDLE = (0.0, 0.0, -0.5)  # of camera and person
ENDS = ("head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")  # whose rays are drawn


def plot_pose(
    joint_2d: np.ndarray, joint_3d: np.ndarray, path: PathLike, *, truth: np.ndarray | None = None,
    camera: Intrinsics | None = None, image: np.ndarray | None = None, metres: float | None = None,
    title: str = "",
) -> None:  # fmt: skip
    """Draw one pose: keypoints (15, 2), joints (15, 3) from three sides, and the scene with its camera.

    With `camera` the keypoints are in its pixels, over `image` (height, width, 3) if there is one. `metres`
    per unit say how far the camera stood. Where `truth` is given it lies wide and grey below the pose.
    Raises InputError without matplotlib, and if the file cannot be written.
    """
    save(pose_figure(joint_2d, joint_3d, truth, camera, image, metres, title), path)


def pose_figure(
    joint_2d: np.ndarray, joint_3d: np.ndarray, truth: np.ndarray | None = None,
    camera: Intrinsics | None = None, image: np.ndarray | None = None, metres: float | None = None,
    title: str = "",
) -> Figure:  # fmt: skip
    """The figure that plot_pose writes."""
    figure = new_figure(9.0, 5.6)
    cells = figure.subplot_mosaic(
        [["image", *FROM], ["scene"] * 4], width_ratios=[1.4, 1, 1, 1], height_ratios=[1, 1.15]
    )
    if camera is None:
        draw_keypoints(cells["image"], joint_2d)
        cells["image"].set_title("2D keypoints, f = 1", fontsize=TITLE, loc="left", color=INK)
    else:
        panel(cells["image"], "2D keypoints", "x [pixels]", "y [pixels]")
        draw_on_image(cells["image"], joint_2d, camera, image)
    draw_scene(cells["scene"], joint_2d, joint_3d, truth)
    distance = "1 unit" if metres is None else f"{metres:.2f} m"
    cells["scene"].set_title(f"camera and person, {distance} apart", fontsize=TITLE, loc="left", color=INK)
    for name, side in FROM.items():
        draw_pose(cells[name], joint_3d, side, truth)
        cells[name].set_title(f"3D {name}", fontsize=TITLE, color=INK)
    if title:
        figure.suptitle(plain(title), fontsize=LABEL, color=INK, x=0.01, ha="left")
    draw_legend(figure, with_truth=truth is not None)
    return figure


def draw_scene(
    axes: Axes, joint_2d: np.ndarray, joint_3d: np.ndarray, truth: np.ndarray | None = None,
    seen_from: View = BESIDE,
) -> None:  # fmt: skip
    """Draw the camera at the origin as a frustum, its image with the keypoints in it, rays, and the person.

    All in the data's own frame: joint k lies on the ray from (0, 0, 0) through (x_k, y_k, -1).
    """

    def seen(points: np.ndarray) -> np.ndarray:
        return view(points, *seen_from, MIDDLE)

    firm = joint_3d if truth is None else truth
    floor = draw_floor(axes, firm, seen_from, MIDDLE)
    person = seen(COURSE15.with_root(joint_3d[None])[0])
    if truth is not None:
        draw_bones(axes, seen(COURSE15.with_root(truth[None])[0]), truth=True)
    draw_bones(axes, person)
    _draw_rays(axes, seen(np.zeros(3)), person)
    corners = _draw_frustum(axes, joint_2d, seen_from)
    flat = np.concatenate([joint_2d, np.zeros((1, 2))])
    image = np.column_stack([flat, np.full(len(flat), -1.0)]) * IMAGE_PLANE
    draw_bones(axes, seen(image), width=1.2)
    everything = np.concatenate([person[:, :2], corners[:, :2], floor[:, :2]])
    margin = 0.025 * (everything.max(axis=0) - everything.min(axis=0)).max()
    low, high = everything.min(axis=0) - margin, everything.max(axis=0) + margin
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.set_axis_off()


def _draw_rays(axes: Axes, origin: np.ndarray, person: np.ndarray) -> None:
    """From the camera through the image to the ends of the limbs, and the optical axis to the mid-hip."""
    for joint in ENDS:
        ray = np.stack([origin, person[COURSE15.index(joint)]])
        axes.plot(ray[:, 0], ray[:, 1], color=INK, alpha=0.35, linewidth=0.7, zorder=1.5)
    axis = np.stack([origin, person[-1]])
    axes.plot(axis[:, 0], axis[:, 1], "--", color=GREEN, linewidth=1, zorder=1.5)


def _draw_frustum(axes: Axes, joint_2d: np.ndarray, seen_from: View) -> np.ndarray:
    """Draw the pyramid from the camera to its image, which holds the keypoints; returns its corners."""
    reach = 1.15 * float(np.abs(joint_2d).max()) * IMAGE_PLANE
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * reach
    image = np.column_stack([square, np.full(5, -IMAGE_PLANE)])
    corners = view(np.concatenate([image, np.zeros((1, 3))]), *seen_from, MIDDLE)
    axes.fill(corners[:5, 0], corners[:5, 1], color=GREEN, alpha=0.12, linewidth=0, zorder=1)
    axes.plot(corners[:5, 0], corners[:5, 1], color=GREEN, linewidth=1.4, zorder=2)
    for corner in corners[:4]:
        edge = np.stack([corners[5], corner])
        axes.plot(edge[:, 0], edge[:, 1], color=GREEN, linewidth=1.4, zorder=2)
    axes.plot(*corners[5, :2], "o", color=GREEN, markersize=5, zorder=5)
    axes.annotate(
        "camera",
        tuple(corners[5, :2]),
        (0, -13),
        textcoords="offset points",
        ha="center",
        fontsize=SMALL,
        color=INK,
    )
    return corners
