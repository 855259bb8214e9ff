"""Which clips the files and folders that somebody names are: frames of one file each belong together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from minilift.errors import InputError
from minilift.files import PathLike, file_error
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.folder import files_in, first_format
from minilift.poses.read.keypoints.identify import identify
from minilift.poses.read.keypoints.load import load_frames, load_keypoints
from minilift.poses.read.keypoints.numeric import course
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.read.keypoints.rows import clip_of

ENDINGS = (".json", ".csv", ".tsv", ".txt", ".npy", ".npz", ".h5", ".pkl", ".pbtxt")


@dataclass(frozen=True)
class Clip:
    """A clip that has not been read yet."""

    name: str
    """What files made of it are called."""
    path: Path
    """The file, or the folder of its frames."""
    load: Callable[[], Keypoints]
    """Reads it; raises InputError as `load_keypoints`. It can be pickled, for another process to read it."""


def clips_of(paths: Sequence[PathLike], asked: Asked | None = None) -> list[Clip]:
    """The clips of files and folders, in that order.

    A folder of frames is one clip; a folder of clips is as many as it has files. Files of frames that are
    given one by one, as a shell writes out `walk_*.json`, are one clip for each name. Raises InputError for a
    path that is not there, and for a folder without files.
    """
    asked = asked or Asked()
    found: list[Clip] = []
    frames: dict[tuple[Path, str], list[Path]] = {}
    if any(not os.fspath(path) for path in paths):
        raise InputError("an input without a name was given (an unset variable?); name a file or a folder")
    given = [Path(path) for path in paths]
    for path in given:
        if path.is_dir():
            found += _folder(path, asked)
        elif len(given) > 1 and _is_frame(path, asked, frames):
            frames.setdefault((path.parent, clip_of(path.name)), []).append(path)
        elif not Path(course.stands_for(path)).exists():
            raise file_error(path, "no such file; check the name")
        else:
            found.append(_file(path, asked))
    for (parent, name), files in frames.items():
        found.append(_frames(name or parent.resolve().name, parent, files, asked))
    return found


def _file(path: Path, asked: Asked) -> Clip:
    path = Path(course.stands_for(path))
    name = path.name
    for ending in (*ENDINGS, ".mp4", ".openpifpaf"):
        name = name.removesuffix(ending)
    return Clip(name or path.stem, path, partial(load_keypoints, path, asked))


def _frames(name: str, path: Path, files: list[Path], asked: Asked) -> Clip:
    return Clip(name, path, partial(load_frames, path, files, asked))


def _folder(path: Path, asked: Asked) -> list[Clip]:
    inside = sorted(one for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))
    if inside and not any(one.suffix.lower() in ENDINGS for one in path.iterdir() if one.is_file()):
        return [clip for one in inside if any(one.iterdir()) for clip in _folder(one, asked)]
    files = files_in(path)
    try:
        one_frame = first_format(files, asked).one_frame
    except InputError:
        one_frame = True  # what is wrong with it is told when it is read
    name = path.resolve().name
    if one_frame:
        return [_frames(name, path, files, asked)]
    return [_file(file, asked) for file in files if file.suffix.lower() in ENDINGS]


def _is_frame(path: Path, asked: Asked, frames: dict[tuple[Path, str], list[Path]]) -> bool:
    """Whether a file is one frame of a clip. Of a clip that is known already, no file is looked into."""
    if (path.parent, clip_of(path.name)) in frames:
        return True
    try:
        return identify(Document(path), asked).one_frame
    except InputError:
        return False
