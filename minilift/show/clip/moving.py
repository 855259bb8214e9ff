"""A clip as a moving .gif: the keypoints on the left, the people in 3D on the right."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minilift.extras import load
from minilift.files import PathLike, write_atomically
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.drawing import (
    Bounds,
    Scene,
    around,
    draw_legend,
    draw_picture,
    draw_stage,
    frame,
    picture_bounds,
    seen_on_stage,
)
from minilift.show.clip.sheet import when
from minilift.show.clip.stage import fit_to_draw
from minilift.show.clip.timeline import Timeline, ordinal, timeline
from minilift.show.people.skeletons import View
from minilift.show.style import INK, LABEL, check_picture, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 150  # frames
FASTEST = 25  # of them a second: some viewers slow down what is faster
SIZE, DOTS = (7.6, 3.4), 90  # inches, and pixels of each
COLOURS = 64  # of a frame
LONGEST = 60_000  # milliseconds of a frame: a .gif has 16 bits for hundredths of a second
ASSUMED, STILL = 25.0, 1.0  # frames a second of a clip that does not say; seconds of a still
SEEN_FROM = View(35, 12)


def write_moving(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    """Draw a clip to a .gif in its own time; returns what it leaves out, a line each.

    Of more than MOST frames, or more than FASTEST a second, every second, third ... is drawn. Raises
    InputError where there is no one to show, without matplotlib, and if the file cannot be written.
    """
    people = fit_to_draw(people, path)
    check_picture(path, (".gif",))
    from tqdm import tqdm

    scene = Scene.of(people.take(np.isfinite(people.joint_3d).all(axis=(1, 2))))
    shown = timeline(scene.people, len(people))
    every, seconds, notes = _pace(shown, people)
    numbers = shown.frames[::every]
    drawn = tqdm(_drawn(scene, numbers), "drawing", len(numbers), unit="frame", delay=2, leave=False)
    first, *others = drawn
    # a .gif counts time in hundredths of a second: rounded so that no error adds up
    ends = np.round(100 * seconds * np.arange(1, len(numbers) + 1))
    lasts = [int(each) for each in np.minimum(10 * np.diff(ends, prepend=0), LONGEST)]
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=others, loop=0, duration=lasts)
    write_atomically(path, lambda file: file.write(content.getvalue()))
    return (*shown.notes, *notes)


def _pace(shown: Timeline, people: LiftedPeople) -> tuple[int, float, tuple[str, ...]]:
    """Every how many frames one is drawn, how many seconds it stays, and what to say of it."""
    known = shown.seconds or (STILL if people.stills else 1 / ASSUMED)
    every = -(-len(shown.frames) // MOST)
    if not people.stills:
        every = max(every, math.ceil(1 / (known * FASTEST) - 1e-6))
    notes = []
    if shown.seconds is None and not people.stills:
        notes.append(f"it plays as if there were {ASSUMED:g} frames a second")
    if every > 1:
        count = len(shown.frames[::every])
        notes.append(f"every {ordinal(every)} frame is drawn: {count:,} of {len(shown.frames):,}")
    return every, every * known if not people.stills else known, tuple(notes)


def _drawn(scene: Scene, numbers: np.ndarray) -> Iterator[Any]:
    """The pictures, one after the other, all of one size and scale."""
    figure = new_figure(*SIZE)
    draw_legend(figure, scene)
    left, right = figure.subplots(1, 2)
    for axes, heading in ((left, "2D keypoints"), (right, "3D")):
        axes.set_title(heading, fontsize=LABEL, color=INK)
    bounds, whole = _stage_bounds(scene), picture_bounds(scene)
    low, high = scene.stage.low, scene.stage.high
    for number in numbers:
        rows = scene.rows(int(number))
        for axes in (left, right):
            for artist in (*axes.collections, *axes.lines):
                artist.remove()
        draw_picture(left, scene, rows, 2.0)
        frame(left, whole, upside_down=not scene.people.rays)
        points = scene.stage.joints[rows].reshape(-1, 3)
        if scene.stage.floor is None and len(rows):
            low, high = points.min(axis=0), points.max(axis=0)
            bounds = around(seen_on_stage(points, SEEN_FROM), 0.12)
        draw_stage(right, scene, rows, SEEN_FROM, 0.5 * (low + high), 2.2)
        frame(right, bounds)
        right.set_title(f"3D, {when(scene.people, int(number))}", fontsize=LABEL, color=INK)
        yield _pixels(figure)
        figure.set_layout_engine("none")  # what it has found for the first picture holds for all


def _stage_bounds(scene: Scene) -> Bounds:
    """What of the stage is shown: nearly all that anyone ever reaches."""
    seen = seen_on_stage(scene.stage.joints.reshape(-1, 3), SEEN_FROM)[:, :2]
    return around(np.percentile(seen, (0.5, 99.5), axis=0), 0.06)


def _pixels(figure: Figure) -> Any:
    """The figure as a picture of few colours, which Pillow writes small."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = load("PIL.Image", "drawing a .gif").fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    return image.quantize(COLOURS, dither=0)
