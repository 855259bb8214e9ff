"""Motion-capture clips in BVH files: reading them.

A BVH file has a tree of joints (HIERARCHY) and a row of numbers per frame (MOTION), the joints' channels in
the order in which the file lists them. Channels are angles in degrees and lengths in the file's own unit.
Files come from anybody: every fault in one is an InputError of one line that names the file and its line.

Source: M. Meredith and S. Maddock, "Motion Capture File Formats Explained", University of Sheffield, 2001.
"""

import re
import zlib
from array import array
from dataclasses import dataclass, field

import numpy as np

from minilift.files import PathLike
from minilift.poses.read.clip import MOST_JOINTS, MOST_POSITIONS, Clip
from minilift.poses.read.text import Lines, seconds_of

_KINDS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in "xyz")
_SITE = -1  # the end of a limb: a place without a name or channels


def read_bvh(path: PathLike) -> Clip:
    """Read a BVH file: any line ends and blanks, keywords in any case, any order of rotations.

    Raises InputError with file and line: several roots, a broken tree, unknown or repeated channels, numbers
    that are none, not finite or over LARGEST_NUMBER, a frame time that cannot be understood (`seconds_of`),
    other frames than are announced, anything cut short; and for files over LARGEST_CLIP, MOST_JOINTS or
    MOST_POSITIONS.
    """
    lines = Lines(path, "a .bvh")
    tree = _hierarchy(lines)
    frames, frame_time, taken = _announced(lines)
    width = sum(map(len, tree.channels))
    if not width:
        raise lines.error("no joint has channels, so nothing moves; export the clip again")
    if frames * len(tree.names) > MOST_POSITIONS:
        problem = f"{frames} frames of {len(tree.names)} joints, at most {MOST_POSITIONS} together are read"
        raise lines.error(f"{problem}; cut the clip into shorter ones")
    motion = _motion(lines, frames, width)
    channels = tuple(map(tuple, tree.channels))
    offsets = np.array(tree.offsets, dtype=np.float64)
    return Clip(
        tuple(tree.names),
        tuple(tree.parents),
        offsets,
        channels,
        frame_time,
        motion,
        zlib.crc32(lines.content),
        notes=taken,
    )


@dataclass
class _Tree:
    """The joints that have been read, and the braces that are open: a row each, _SITE for an end."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    open: list[int] = field(default_factory=list)
    announced: int | None = None  # what the next brace opens


def _hierarchy(lines: Lines) -> _Tree:
    """The tree, from the first line to MOTION."""
    first = next(iter(lines), "the end of the file")
    if first.lower() != "hierarchy":
        raise lines.error(f"'{first[:40]}' where HIERARCHY is expected; is it a BVH file?")
    tree = _Tree()
    for text in lines:
        if text.lower() == "motion":
            if tree.open or tree.announced is not None or not tree.names:
                raise lines.error("MOTION before the tree of joints is closed; copy the file again")
            return tree
        for part in filter(None, map(str.strip, re.split("([{}])", text))):
            _statement(lines, tree, part)
    raise lines.error("the file ends before MOTION; copy it again")


def _statement(lines: Lines, tree: _Tree, text: str) -> None:
    """One statement of the tree: a joint, an end, a brace, an offset or channels."""
    key, _, rest = text.replace("\t", " ").partition(" ")
    key, rest = key.lower(), rest.strip()
    inside = tree.open[-1] if tree.open else None
    if (tree.announced is not None) != (key == "{"):
        expected = "a joint" if key == "{" else "{"
        raise lines.error(f"'{text[:40]}' where {expected} is expected; copy the file again")
    if key == "{":
        tree.open.append(tree.announced if tree.announced is not None else _SITE)
        tree.announced = None
    elif key == "root" or (key == "joint" and inside is not None and inside != _SITE):
        _joint(lines, tree, rest, root=key == "root")
    elif key == "end" and rest.lower() == "site" and inside is not None and inside != _SITE:
        tree.announced = _SITE
    elif key == "}" and inside is not None:
        if inside != _SITE and not tree.offsets[inside]:
            raise lines.error(f"joint {tree.names[inside][:40]} has no OFFSET; export the clip again")
        tree.open.pop()
    elif key == "offset" and inside is not None:
        values = lines.numbers(rest.split(None, 3))
        if len(values) != 3 or (inside != _SITE and tree.offsets[inside]):
            raise lines.error("OFFSET takes three numbers, once for each joint; export the clip again")
        if inside != _SITE:
            tree.offsets[inside] = values
    elif key == "channels" and inside is not None and inside != _SITE:
        _channels(lines, tree, inside, rest.lower().split(None, 7))
    else:
        raise lines.error(f"'{text[:40]}' is not expected here; is it a BVH file?")


def _joint(lines: Lines, tree: _Tree, name: str, root: bool) -> None:
    if root and tree.names:
        raise lines.error(f"a second root, '{name[:40]}'; keep one person per file")
    if len(tree.names) == MOST_JOINTS:
        raise lines.error(f"more than {MOST_JOINTS} joints; leave out what is not the body")
    tree.announced = len(tree.names)
    tree.names.append(name)
    tree.parents.append(-1 if root else tree.open[-1])
    tree.offsets.append([])
    tree.channels.append([])


def _channels(lines: Lines, tree: _Tree, joint: int, words: list[str]) -> None:
    """Channels come in the order of the joints, so a joint's stand before its children."""
    count, kinds = words[:1], words[1:]
    if count != [str(len(kinds))] or len(set(kinds)) < len(kinds) or not set(kinds) <= set(_KINDS):
        problem = f"'CHANNELS {' '.join(words)[:80]}' must be a count and as many different channels"
        raise lines.error(f"{problem}, Xposition to Zrotation; export the clip again")
    if tree.channels[joint] or joint != len(tree.names) - 1:
        raise lines.error("CHANNELS twice, or after a child joint; export the clip again")
    tree.channels[joint] = kinds


def _announced(lines: Lines) -> tuple[int, float, tuple[str, ...]]:
    """Frames and seconds per frame, from the two lines after MOTION, and a note on what was no seconds."""
    found: list[str] = []
    for pattern in (r"frames\s*:\s*(\d{1,9})", r"frame\s*time\s*:\s*(\S+)"):
        text = next(iter(lines), "the end of the file")
        match = re.fullmatch(pattern, text, re.IGNORECASE | re.ASCII)
        if match is None:
            expected = "Frame Time: SECONDS" if found else "Frames: NUMBER"
            raise lines.error(f"expected '{expected}', found '{text[:40]}'; copy it again")
        found.append(match[1])
    frames, written = int(found[0]), lines.numbers(found[1:])[0]
    taken = seconds_of(written)
    if taken is None:
        problem = f"Frame Time: {found[1][:40]} is neither seconds nor, without doubt, frames per second"
        raise lines.error(f"{problem}; write the seconds, 0.0333333 for 30 frames per second")
    if not frames:
        raise lines.error("no frames; record some")
    seconds, meaning = taken
    return frames, seconds, (f"Frame Time: {found[1]} taken for {meaning}",) if meaning else ()


def _motion(lines: Lines, frames: int, width: int) -> np.ndarray:
    """The numbers (frames, width). What is kept grows with what is there, not with what is announced."""
    values, found = array("d"), 0
    for text in lines:
        words = text.split(None, width)
        if len(words) != width:
            count = "more" if len(words) > width else len(words)
            raise lines.error(f"{count} numbers for {width} channels; copy the file again")
        found += 1
        if found > frames:
            raise lines.error(f"more frames than the {frames} announced; correct the number behind 'Frames:'")
        values.extend(lines.numbers(words))
    if found < frames:
        problem = f"{frames} frames are announced, {found} are there"
        raise lines.error(f"{problem}; copy the file again, or correct the number behind 'Frames:'")
    return np.frombuffer(values, np.float64).reshape(frames, width).copy()
