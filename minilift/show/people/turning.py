"""A pose, or a sequence of them, that turns before the viewer: .gif, or .mp4 where ffmpeg is there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, one_line, write_atomically
from minilift.show.people.skeletons import View, draw_legend, draw_pose, frame, height
from minilift.show.style import check_picture, new_figure

SUFFIXES = (".gif", ".mp4")
FPS = 20
STILL = 60  # frames of a turn of one pose: three seconds
DOTS = 100  # per inch
SIZE = 3.6, 4.0  # inches


def plot_turning(
    joint_3d: np.ndarray, path: PathLike, truth: np.ndarray | None = None, turns: float = 1.0, fps: int = FPS
) -> None:
    """Draw poses (N, 15, 3), one after the other, while the viewer goes round them `turns` times.

    One pose is turned for three seconds; of more, each is a frame, `fps` a second. Over `truth`, wide and
    grey, where it is given. Raises InputError without poses, for an ending other than .gif and .mp4, without
    matplotlib, for .mp4 without ffmpeg, and if the file cannot be written.
    """
    check_turning(path)
    if not len(joint_3d):
        raise InputError(f"cannot draw {one_line(str(path))}: there are no poses; give at least one")
    from tqdm import tqdm

    poses = np.repeat(joint_3d, STILL, axis=0) if len(joint_3d) == 1 else joint_3d
    under = truth if truth is None or len(truth) == len(poses) else np.repeat(truth, STILL, axis=0)
    angles = 360 * turns * np.arange(len(poses)) / len(poses)
    figure, writer = new_figure(*SIZE), _writer(path, fps)
    draw_legend(figure, with_truth=truth is not None)
    axes = figure.subplots()
    middle = np.array([[0.0, 0.5 * (poses[..., 1].min() + poses[..., 1].max())]])
    reach = 0.66 * max(height(pose) for pose in poses)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "turning" + Path(path).suffix.lower())
        with writer.saving(figure, str(made), DOTS):
            for i in tqdm(range(len(poses)), "drawing", unit="frame", delay=1, leave=False):
                axes.clear()
                draw_pose(axes, poses[i], View(angles[i]), None if under is None else under[i])
                frame(axes, middle, reach)  # the same for every frame, so that nothing wobbles
                writer.grab_frame()
        content = made.read_bytes()
    write_atomically(path, lambda file: file.write(content))


def check_turning(path: PathLike) -> None:
    """Raise InputError unless a moving picture can be drawn there. Called before long work."""
    check_picture(path, SUFFIXES)
    if Path(path).suffix.lower() == ".mp4":
        from matplotlib.animation import FFMpegWriter

        if not FFMpegWriter.isAvailable():
            raise InputError(f"cannot draw {one_line(str(path))}: no ffmpeg here; install it, or draw a .gif")


def _writer(path: PathLike, fps: int) -> Any:
    from matplotlib.animation import FFMpegWriter, PillowWriter

    return PillowWriter(fps) if Path(path).suffix.lower() == ".gif" else FFMpegWriter(fps)
