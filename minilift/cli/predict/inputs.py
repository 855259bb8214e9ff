"""What `minilift predict` is given: keypoints in files and folders, and photos and videos among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from minilift.errors import InputError, counted
from minilift.files import file_error, one_line
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.clips import ENDINGS, Clip, clips_of
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.identify import identify
from minilift.poses.read.keypoints.raw import Asked
from minilift.video.frames.kinds import CAMERA, is_media, kind_of_media

_SHOWN = 5
_OURS = ("_2d.npz", "_2d.part", "_3d.npz", "_3d.html", "_3d.mp4", "_3d.overlay.png")


@dataclass(frozen=True)
class Media(Clip):
    """A photo or a video, whose keypoints are still to be found."""


@dataclass(frozen=True)
class Inputs:
    clips: list[Clip]
    notes: list[str]
    """What of the folders is left out, a line each."""


def inputs_of(paths: Sequence[str], asked: Asked) -> Inputs:
    """The clips of what is named. Raises InputError as `clips_of`, and for photos and videos that are not
    there."""
    media: list[Path] = []
    others: list[str] = []
    notes: list[str] = []
    for name in paths:
        path = Path(name)
        if name and path.is_dir():
            inside, left = _media_in(path, asked)
            media += inside
            notes += left
            others += [] if inside else [name]
        elif name and is_media(path):
            if kind_of_media(path) != CAMERA and not path.exists():
                raise file_error(path, "no such file; check the name")
            media.append(path)
        else:
            others.append(name)
    stems = Counter(path.stem for path in media)
    named = [path.stem if stems[path.stem] == 1 else path.name.replace(".", "_") for path in media]
    found: list[Clip] = clips_of(others, asked) if others else []
    return Inputs([*found, *(_media(name, path) for name, path in zip(named, media, strict=True))], notes)


def _media(name: str, path: Path) -> Media:
    return Media(name, path, partial(_still_to_be_found, path))


def _still_to_be_found(path: Path) -> Keypoints:
    raise AssertionError(f"{path} holds no keypoints")


def _media_in(folder: Path, asked: Asked) -> tuple[list[Path], list[str]]:
    """The photos and videos of a folder without keypoints, and what is said of its other files.

    Of a folder with keypoints they are none: detectors keep their pictures beside them.
    """
    files = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    media = [one for one in files if is_media(one) and one.is_file()]
    names = {one.stem for one in media} | {one.name.replace(".", "_") for one in media}
    ours = {f"{name}{ending}" for name in names for ending in _OURS}
    media = [one for one in media if one.name not in ours]  # what was drawn of another is no input
    others = [one for one in files if one not in media and one.name not in ours]
    if not media:
        return [], []
    if any(_has_keypoints(one, asked) for one in others):
        told = f"beside its keypoints, {counted(len(media), 'picture')} and videos are not looked at"
        return [], [f"{folder}: {told}; name them to have them read"]
    if not others:
        return media, []
    listed = ", ".join(one.name for one in others[:_SHOWN]) + (", ..." if len(others) > _SHOWN else "")
    return media, [f"{folder}: neither pictures nor videos, so left out: {one_line(listed)}"]


def _has_keypoints(path: Path, asked: Asked) -> bool:
    if path.suffix.lower() not in ENDINGS or not path.is_file():
        return False
    try:
        identify(Document(path), asked)
    except InputError:
        return False
    return True
