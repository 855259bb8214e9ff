"""Where the frames of `minilift predict --live` come from: a camera, a video, or a file of keypoints."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from minilift.cli.predict.flags import detector_of
from minilift.cli.predict.inputs import Media, inputs_of
from minilift.cli.predict.live_flags import CAMERA
from minilift.errors import InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.tracks.smooth import USUAL_FPS


@dataclass
class Source:
    """Frames as they come; `waits`: they may begin when somebody looks, which those of a camera do not."""

    frames: Iterator[tuple[Keypoints, np.ndarray | None]]
    """Keypoints, and the picture (H, W, 3) that they are of, where there is one."""
    waits: bool


@contextlib.contextmanager
def frames_of(args: argparse.Namespace, asked: Asked) -> Iterator[Source]:
    """The frames of the input, at their own pace. Raises InputError where there are none."""
    from minilift.video.frames import is_media, open_frames  # looks at the file

    name = args.input[0]
    if not name.startswith(CAMERA) and not is_media(name):
        yield Source(_in_time(_clip(name, asked)), waits=True)
        return
    from minilift.video.newest import Newest, seen

    with contextlib.ExitStack() as stack:
        frames = stack.enter_context(open_frames(name))
        if frames.still:
            raise InputError(f"{name}: a photo does not move; leave --live out")
        detector = detector_of(args, still=False)
        stack.callback(detector.close)
        newest = Newest(frames, pace=not name.startswith(CAMERA))
        stack.callback(newest.close)
        yield Source(seen(newest, detector, frames.size), waits=not name.startswith(CAMERA))


def _clip(name: str, asked: Asked) -> Keypoints:
    """A file or folder of keypoints. Raises InputError for several clips, and for unrelated pictures."""
    clips = inputs_of([name], asked).clips
    if any(isinstance(clip, Media) for clip in clips):
        raise InputError(f"{name}: is a folder of photos and videos; --live shows one video: name it")
    found = clips[0].load()
    if len(clips) > 1 or found.stills:
        what = f"has {len(clips)} clips" if len(clips) > 1 else "has unrelated pictures"
        raise InputError(f"{name}: {what}; --live shows one clip")
    return found


def _in_time(found: Keypoints) -> Iterator[tuple[Keypoints, None]]:
    """The frames of a clip, each when its time has come."""
    began, first = time.monotonic(), None
    starts = np.searchsorted(found.frame, found.frames)
    ends = np.searchsorted(found.frame, found.frames, side="right")
    for k, number in enumerate(found.frames.tolist()):
        at = number / (found.fps or USUAL_FPS) if found.times is None else float(found.times[k])
        first = at if first is None else first
        time.sleep(max(began + at - first - time.monotonic(), 0))
        part = found.take(slice(int(starts[k]), int(ends[k])))
        yield replace(part, frames=np.array([number]), times=np.array([at])), None
