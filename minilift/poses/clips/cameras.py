"""Motion-capture clips as poses, seen through made-up cameras."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from minilift.files import PathLike, file_error
from minilift.files.mapped import Spool
from minilift.poses.camera import project, to_camera
from minilift.poses.clips.frames import Choices, ClipPoses, load_clip
from minilift.poses.layouts import COURSE15
from minilift.poses.pose_set import Poses


def seen(clip: ClipPoses, view: int, choices: Choices) -> tuple[np.ndarray, np.ndarray]:
    """The clip through one more camera: joint_3d (n, 15, 3) float32, and metres per unit (n,) float32.

    With camera "frame" each frame of the file has a camera of its own, uniform in azimuth, elevation and
    distance; with "clip" the first of them goes along with the person; with "static" it stands still, as far
    from the whole path of the hips. They depend on the seed, the view and the bytes of the file, not on the
    other files, nor on which of its frames are chosen (but for the path of a static one).
    """
    rng = np.random.default_rng([choices.seed, clip.checksum, view])
    drawn = rng.random((clip.of, 3))
    drawn = drawn[clip.frames] if choices.camera == "frame" else np.tile(drawn[0], (len(clip.frames), 1))
    (low, high), (near, far) = np.radians(choices.elevation), choices.distance
    azimuth, elevation = np.pi * (2 * drawn[:, 0] - 1), low + (high - low) * drawn[:, 1]
    distance = near + (far - near) * drawn[:, 2]
    reach = float(np.linalg.norm(clip.joints, axis=2).max(initial=0))
    if reach >= near:
        problem = f"a joint is {reach:.2f} m from the hips, so it can lie behind a camera at {near:g} m"
        raise file_error(clip.file, f"{problem}; give a larger distance, or check unit and joints")
    if choices.camera == "static":
        azimuth, elevation, distance = standing(clip.root, azimuth, elevation, distance)
    return to_camera(clip.joints, azimuth, elevation, distance).astype(np.float32), distance.astype(
        np.float32
    )


def standing(
    root: np.ndarray, azimuth: np.ndarray, elevation: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Azimuth and elevation in radians, and distance, all (n,), of a camera that stands still, as seen from
    the moving root (n, 3), in metres.

    From the middle of the path it stands in the given direction, by the given distance beyond the path's
    farthest point, so that nobody comes nearer. Of the given arrays (n,) the first row counts.
    """
    middle = (root.min(axis=0) + root.max(axis=0)) / 2
    far = float(distance[0] + np.linalg.norm(root - middle, axis=1).max())
    level = np.cos(elevation[0])
    direction = np.array([np.sin(azimuth[0]) * level, np.sin(elevation[0]), np.cos(azimuth[0]) * level])
    away = middle + far * direction - root
    apart = np.linalg.norm(away, axis=1)
    return np.arctan2(away[:, 0], away[:, 2]), np.arcsin((away[:, 1] / apart).clip(-1, 1)), apart


def import_clips(
    files: Sequence[PathLike], choices: Choices, out: PathLike, done: Callable[[ClipPoses], object]
) -> tuple[Poses, np.ndarray]:
    """Poses of clips, in the order clip, view, time, and the number (N,) of each pose's clip and view.

    They go through a file without a name in the folder of `out`; `done` is called with each clip. Raises
    InputError for a file that cannot be used.
    """
    joint_2d, joint_3d = (Spool(Path(out).parent, (len(COURSE15), dims), out) for dims in (2, 3))
    scale: list[np.ndarray] = []
    for file in files:
        clip = load_clip(file, choices)
        for view in range(choices.views):
            points, metres = seen(clip, view, choices)
            joint_3d.append(points)
            joint_2d.append(project(points))
            scale.append(metres)
        done(clip)
    numbers = np.repeat(np.arange(len(scale), dtype=np.int32), [len(part) for part in scale])
    return Poses(joint_2d.rows(), joint_3d.rows(), np.concatenate(scale)), numbers
