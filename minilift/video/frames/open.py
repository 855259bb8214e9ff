"""The door: a photo, a video or a camera by its name."""

from __future__ import annotations

import os
from pathlib import Path

from minilift.extras import Later
from minilift.files import PathLike, file_error, read_bytes
from minilift.video.frame import Frames
from minilift.video.frames.kinds import CAMERA, PHOTO, kind_of_media

_photo, _video, _camera = (Later(f"minilift.video.frames.{name}") for name in ("photo", "video", "camera"))


def open_frames(path: PathLike) -> Frames:
    """A photo, a video file, or the camera of that number, `camera:0`.

    Raises InputError naming the file: missing, broken, without pictures, in a form that cannot be read, and
    where the library that reads it is not installed.
    """
    kind = kind_of_media(path)
    if kind == CAMERA:
        camera: Frames = _camera.Camera(int(os.fspath(path).partition(":")[2]))
        return camera
    read_bytes(path, first=1)  # says what is wrong with a path that is no file
    if not kind:
        raise file_error(path, "is neither a picture nor a video; give one, such as clip.mp4 or photo.jpg")
    if kind == PHOTO and not (Path(path).suffix.lower() == ".gif" and _photo.moves(path)):
        photo: Frames = _photo.Photo(path)
        return photo
    video: Frames = _video.Video(path)
    return video
