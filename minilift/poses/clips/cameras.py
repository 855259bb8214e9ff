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
    distance; with "clip" the first of them goes along with the person. They depend on the seed, the view and
    the bytes of the file, not on the other files, nor on which of its frames are chosen.
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
    return to_camera(clip.joints, azimuth, elevation, distance).astype(np.float32), distance.astype(
        np.float32
    )


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
