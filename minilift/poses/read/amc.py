"""Motion-capture clips in .amc files, the Acclaim form: numbers per frame and bone, for a skeleton (.asf).

Source: M. Schafer, "Acclaim Motion File Definition V1.10"; the CMU Graphics Lab's files for what is common.
"""

import re
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error
from minilift.poses.read.amc_frames import Frames
from minilift.poses.read.asf import Skeleton, read_asf
from minilift.poses.read.clip import Clip
from minilift.poses.read.text import Lines

USUAL_RATE = 120.0
"""Frames per second where the file does not say: CMU's, but for a few of its subjects."""

_NAMED = 4  # bones named in one note


def find_skeleton(path: PathLike) -> Path:
    """The .asf file that belongs to an .amc file, in its folder.

    It has the same name, or the one that the first line of the .amc names, or the same beginning up to the
    first - or _ (16_03.amc: 16.asf), or it is the only one. Raises InputError where none or several are left.
    """
    path = Path(path)
    try:
        there = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".asf" and p.name[:2] != "._")
    except OSError:
        there = []
    stem, named = path.stem.lower(), _skeleton_named_in(path)
    for fits in (
        [p for p in there if p.stem.lower() == stem],
        [p for p in there if p.stem.lower() == named],
        [p for p in there if _subject(p) == _subject(path)],
        there,
    ):
        if len(fits) == 1:
            return fits[0]
    if not there:
        raise file_error(path, "no .asf file in its folder; put the skeleton of this take there, or name it")
    raise file_error(path, f"which of {len(there)} .asf files in its folder is its skeleton? name it")


def foreign_skeleton(path: PathLike, skeleton: PathLike) -> list[str]:
    """A warning where the .asf that was named for an .amc seems to be another person's; both files exist.

    It is, where its name begins otherwise and another one belongs to the clip, or both names are of numbers.
    """
    path, named = Path(path), Path(skeleton)
    clip, other = _subject(path), _subject(named)
    if clip == other or named.stem.lower() in (path.stem.lower(), _skeleton_named_in(path)):
        return []
    with suppress(InputError):
        there = find_skeleton(path)
        if there.read_bytes() == named.read_bytes():
            return []
        return [f"the skeleton {named.name} was given, and {there.name} lies next to the clip: whose is it?"]
    if clip.isdecimal() and other.isdecimal():
        return [f"the clip is of subject {clip}, the skeleton {named.name} of subject {other}: check them"]
    return []


def _skeleton_named_in(path: Path) -> str:
    """The name in a first line such as `#!OML:ASF F:\\VICON\\rory3.ASF`, in small letters; "" without one."""
    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        match = re.match(r"#!OML:ASF\s+(\S.*)", file.read(1000).decode("latin1"))
    return re.split(r"[\\/]", match[1].strip())[-1].lower().removesuffix(".asf") if match else ""


def _subject(path: Path) -> str:
    return re.split("[-_]", path.stem.lower())[0]


def read_amc(path: PathLike, skeleton: PathLike | None = None) -> Clip:
    """Read an .amc file with its skeleton, an .asf file (None: `find_skeleton`).

    Numbers are in the order of each bone's `dof`; what has none is 0. A bone that a frame leaves out keeps
    what it had in the frame before. Degrees or radians as the .amc says, or else the .asf. Raises InputError
    with file and line: bones that the skeleton does not have, other counts of numbers, bones that change
    their length or place, and what `find_skeleton` and `read_asf` raise.
    """
    lines = Lines(path, "an .amc", comment="#")
    bones = read_asf(find_skeleton(path) if skeleton is None else skeleton)
    frames = Frames(lines, bones)
    frames.read()
    notes = [*bones.notes, *_missing(bones, frames)]
    rate, note = _rate(frames)
    channels, columns = [], []
    for row in range(len(bones.bones)):
        kinds, numbers = _channels(path, bones, frames, row)
        channels.append(kinds)
        columns += numbers
    axes = np.stack([np.eye(3), *map(bones.turned, bones.bones[1:])])
    motion = np.stack(columns, axis=1) if columns else np.zeros((len(frames.numbers), 0))
    return Clip(
        bones.names, tuple(bones.parents), bones.offsets(), tuple(channels), 1 / rate, motion,
        zlib.crc32(lines.content, bones.checksum), axes, True, bones.length_unit, (*notes, *note),
    )  # fmt: skip


def _channels(
    path: PathLike, skeleton: Skeleton, frames: Frames, row: int
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The channels of a joint, the rotation that is made last first, and a column of numbers for each."""
    bone = skeleton.bones[row]
    kinds, columns = [], []
    name = bone.name.lower()
    for move, numbers in zip(frames.dofs[name], frames.values(name).T, strict=True):
        if move[0] == "r":
            kinds.append(f"{move[1]}rotation")
            columns.append(numbers if frames.degrees else np.degrees(numbers))
        elif row == 0 and move != "l":
            kinds.append(f"{move[1]}position")
            columns.append(numbers + skeleton.position["xyz".index(move[1])])
        elif np.abs(numbers).max() > 1e-9:
            problem = f"bone {bone.name} changes by {move}; only rotations of bones are read"
            raise file_error(path, f"{problem}; export the take with bones of one length")
    kinds, columns = kinds[::-1], columns[::-1]
    if row == 0 and any(bone.axis):  # the orientation of the root, before its motion
        angles = bone.axis if skeleton.degrees else np.degrees(bone.axis)
        for axis in reversed(bone.axis_order):
            kinds.append(f"{axis}rotation")
            columns.append(np.full(len(frames.numbers), angles["xyz".index(axis)]))
    return tuple(kinds), columns


def _missing(skeleton: Skeleton, frames: Frames) -> list[str]:
    counts = [(bone.name, frames.missing(bone.name.lower())) for bone in skeleton.bones if bone.dof]
    left_out = [f"{name} in {count}" for name, count in counts if count]
    if not left_out:
        return []
    more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
    return [f"bones that frames leave out keep their angles: {', '.join(left_out[:_NAMED])}{more}"]


def _rate(frames: Frames) -> tuple[float, list[str]]:
    """Frames per second, and what is odd about the numbers of the frames; they stay in the file's order."""
    steps, notes, every = np.diff(frames.numbers), [], 1
    if len(steps) and (steps == steps[0]).all() and steps[0] > 1:
        every = int(steps[0])
        notes = [f"frames are numbered in steps of {every}"]
    elif odd := int((steps != 1).sum()):
        notes = [f"frame numbers do not go up by one in {odd} places; taken as one after the other"]
    if frames.rate:
        return frames.rate / every, notes
    guess = f"no frame rate in the file: {USUAL_RATE / every:g} frames per second taken, as CMU's have"
    return USUAL_RATE / every, [*notes, guess]
