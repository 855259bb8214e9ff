"""Drawing lifted people with matplotlib: on the stage from any side, and their keypoints in the picture.

One person has the colours of sides, as everywhere; of several, each has a hue, its right side paler. Joints
that no detector saw are rings on broken lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minilift.poses.joint_state import MISSING
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.page.facts import name_of
from minilift.show.clip.projected import projected
from minilift.show.clip.stage import Floor, Stage, build
from minilift.show.people.skeletons import View, bone_colour, view
from minilift.show.style import BLUE, GREEN, GRID, INK, ORANGE, PURPLE, SKY, SMALL, VERMILION, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HUES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
PALE = 0.5  # of the way to white
HEAD = COURSE15.index("head")
PARENTS = [len(COURSE15) if parent < 0 else parent for parent in COURSE15.parents]
CELLS = 8  # of the floor to each side

Bounds = tuple[float, float, float, float]  # left, right, bottom, top


@dataclass(frozen=True)
class Scene:
    """People ready to be drawn: on the stage, in the picture, and in which colours."""

    people: LiftedPeople
    stage: Stage
    back: np.ndarray
    """(n, 16, 2): the joints, projected into the picture."""
    who: tuple[int, ...]
    """The numbers of the people: each has the colour of its place among them."""

    @classmethod
    def of(cls, people: LiftedPeople) -> Scene:
        return cls(people, build(people), projected(people), tuple(int(p) for p in np.unique(people.person)))

    def rows(self, frame: int) -> np.ndarray:
        """The rows of those in a frame whose joints are known."""
        there = np.isfinite(self.stage.joints).all(axis=(1, 2))
        return np.flatnonzero((self.people.frame == frame) & there)

    def hue(self, row: int) -> str:
        return HUES[self.who.index(int(self.people.person[row])) % len(HUES)]

    def colour(self, row: int, joint: int) -> str:
        """The colour of a joint and of its bone."""
        if len(self.who) == 1 or self.people.stills:
            return bone_colour(joint)
        return pale(self.hue(row)) if joint in COURSE15.right else self.hue(row)


def pale(colour: str) -> str:
    """#rrggbb, nearer to white."""
    channels = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(value + PALE * (255 - value)):02x}" for value in channels)


class Bone(NamedTuple):
    near: float
    ends: np.ndarray  # (2, 2)
    colour: str
    placed: bool


def draw_stage(
    axes: Axes, scene: Scene, rows: np.ndarray, seen_from: View, middle: np.ndarray, width: float = 2.4
) -> None:
    """Draw people (rows) on the floor around a point (3,), far limbs first; limbs are `width` points wide."""
    floor = scene.stage.floor or Floor(float(scene.stage.joints[rows][..., 1].min()) if len(rows) else 0.0)
    _draw_floor(axes, floor, middle, scene.stage.height, seen_from)
    bones: list[Bone] = []
    for row in rows:
        seen = seen_on_stage(scene.stage.joints[row], seen_from)
        bones += _bones(scene, row, seen, seen[:, 2])
        _draw_joints(axes, scene, row, seen[:, :2], width)
    _draw_lines(axes, sorted(bones, key=lambda bone: bone.near), width)


def seen_on_stage(points: np.ndarray, seen_from: View) -> np.ndarray:
    """Points (..., 3) of the stage as seen from there: right, up, nearer."""
    return view(points, *seen_from, (0.0, 0.0, 0.0))


def draw_picture(axes: Axes, scene: Scene, rows: np.ndarray, width: float = 2.4) -> None:
    """Draw the keypoints of people (rows), and their projected 3D joints as a thin line over them."""
    people = scene.people
    if people.size is not None:
        across, down = people.size
        axes.plot([0, across, across, 0, 0], [0, 0, down, down, 0], color="#999999", linewidth=0.8, zorder=1)
    for row in rows:
        given = np.concatenate([people.joint_2d[row], people.root_2d[row, None]]).astype(np.float64)
        _draw_lines(axes, _bones(scene, row, given, np.zeros(16)), width)
        _draw_joints(axes, scene, row, given, width)
        ends = scene.back[row][np.stack([PARENTS, np.arange(len(PARENTS))], axis=1)]
        axes.add_collection(
            _lines()(ends[np.isfinite(ends).all(axis=(1, 2))], colors=INK, linewidths=0.7, zorder=5)
        )


def _bones(scene: Scene, row: int, points: np.ndarray, near: np.ndarray) -> list[Bone]:
    placed = np.append(scene.people.state[row] >= MISSING, False)
    found = []
    for joint, parent in enumerate(PARENTS):
        ends = points[[parent, joint], :2]
        if np.isfinite(ends).all():
            broken = bool(placed[joint] or placed[parent])
            found.append(Bone(float(near[joint] + near[parent]), ends, scene.colour(row, joint), broken))
    return found


def _lines() -> Any:
    from matplotlib.collections import LineCollection

    return LineCollection


def _draw_lines(axes: Axes, bones: list[Bone], width: float) -> None:
    styles: list[Any] = [(0, (1.2, 1.2)) if bone.placed else "-" for bone in bones]
    lines = _lines()(
        [bone.ends for bone in bones], colors=[bone.colour for bone in bones], linewidths=width,
        linestyles=styles, capstyle="round", zorder=3,
    )  # fmt: skip
    axes.add_collection(lines)


def _draw_joints(axes: Axes, scene: Scene, row: int, flat: np.ndarray, width: float) -> None:
    """Rings where a joint was placed, and the head."""
    placed = scene.people.state[row] >= MISSING
    rings = [scene.colour(row, int(joint)) for joint in np.flatnonzero(placed)]
    x, y = flat[: len(PARENTS)][placed].T
    axes.scatter(x, y, s=(1.6 * width) ** 2, c="white", edgecolors=rings, zorder=4, linewidths=1)
    if np.isfinite(flat[HEAD]).all():
        colour = "white" if placed[HEAD] else scene.colour(row, HEAD)
        axes.plot(*flat[HEAD], "o", color=colour, mec=scene.colour(row, HEAD), ms=2.4 * width, zorder=4)


def _draw_floor(axes: Axes, floor: Floor, middle: np.ndarray, height: float, seen_from: View) -> None:
    """A grid around a point; it fades."""
    cell = 0.3 * height
    lines, shades = [], []
    for i in range(-CELLS, CELLS + 1):
        for j in range(-CELLS, CELLS):
            fade = 1 - np.hypot(i, j + 0.5) / CELLS
            if fade > 0:
                lines += [[[i, 0, j], [i, 0, j + 1]], [[j, 0, i], [j + 1, 0, i]]]
                shades += [fade, fade]
    points = cell * (np.array(lines, np.float64) + np.round(middle / cell) * [1, 0, 1])
    seen = seen_on_stage(floor.under(points), seen_from)[..., :2]
    axes.add_collection(_lines()(seen, colors=GRID, linewidths=0.7, alpha=shades, zorder=1))


def around(points: np.ndarray, margin: float) -> Bounds:
    """The box of points (n, 2 or more), wider by `margin` of its longer side."""
    low, high = np.nanmin(points[:, :2], axis=0), np.nanmax(points[:, :2], axis=0)
    more = margin * (float((high - low).max()) or 1.0)
    return (low[0] - more, high[0] + more, low[1] - more, high[1] + more)


def picture_bounds(scene: Scene) -> Bounds:
    """What of the picture is shown: all of it, or where the keypoints are if its size is not known."""
    people = scene.people
    if people.size is not None:
        return around(np.array([[0, 0], people.size], np.float64), 0.02)
    points = people.joint_2d.reshape(-1, 2)
    there = points[np.isfinite(points).all(axis=1)]
    if not len(there):
        return (0.0, 1.0, 0.0, 1.0)
    return around(np.percentile(there, (0.2, 99.8), axis=0), 0.08)


def frame(axes: Axes, bounds: Bounds, upside_down: bool = False) -> None:
    """Show that much, to scale, with nothing around it; `upside_down` for pixels, whose y runs down."""
    left, right, bottom, top = bounds
    axes.set_xlim(left, right)
    axes.set_ylim(*((top, bottom) if upside_down else (bottom, top)))
    axes.set_aspect("equal")
    axes.set_axis_off()


def draw_legend(figure: Figure, scene: Scene) -> None:
    """Say above everything which colour is whose, and how a placed joint looks."""
    from matplotlib.lines import Line2D

    if len(scene.who) == 1 or scene.people.stills:
        named = {"left limbs": bone_colour(COURSE15.left[0]), "right limbs": bone_colour(COURSE15.right[0])}
    else:
        shown = scene.who[: len(HUES)]
        named = {name_of(scene.people, number): HUES[k] for k, number in enumerate(shown)}
    lines = [Line2D([], [], color=colour, linewidth=2.4) for colour in named.values()]
    lines.append(Line2D([], [], color=INK, linewidth=2, linestyle=(0, (1.2, 1.2)), marker="o", mfc="white"))
    lines.append(Line2D([], [], color=INK, linewidth=0.7))
    figure.legend(
        lines, [*map(plain, named), "not seen", "projected back"], loc="outside upper center",
        ncols=min(len(lines), 6), frameon=False, fontsize=SMALL,
    )  # fmt: skip
