"""The one table of the files that are read here. A new format is a file in this room and a row below."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minilift.extras import Later
from minilift.poses.read.course import read_course

amc, asf, bvh = (Later(f"minilift.poses.read.{name}") for name in ("amc", "asf", "bvh"))

POSES, CLIP, SKELETON = "poses", "clip", "skeleton"
"""What a file can give: a set of poses (Poses), a motion-capture clip (Clip), the skeleton of clips."""


@dataclass(frozen=True)
class Format:
    """A kind of file: what people call it, how its name ends and its content begins, and what reads it."""

    name: str
    suffixes: tuple[str, ...]
    fits: Callable[[bytes], bool]
    """Whether the first bytes of a file are those of such a file, without doubt."""
    gives: str
    read: Callable[..., Any]
    """Takes the path; raises InputError of one line for what it cannot read."""
    with_skeleton: bool = False
    """Whether `read` also takes the file of a skeleton."""


def _begins(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(beginnings)


def _lines(start: bytes) -> list[bytes]:
    """The lines of a text that are not blank and no comments, without blanks, in small letters."""
    lines = start.removeprefix(b"\xef\xbb\xbf").lower().split(b"\n")
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(b"#")]


def _bvh(start: bytes) -> bool:
    return start.removeprefix(b"\xef\xbb\xbf").split(None, 1)[:1] in ([b"HIERARCHY"], [b"hierarchy"])


def _keywords(*keywords: bytes) -> Callable[[bytes], bool]:
    return lambda start: any(line.split(None, 1)[0] in keywords for line in _lines(start))


FORMATS = (
    Format("BVH clip", (".bvh",), _bvh, CLIP, bvh.read_bvh),
    Format("ASF skeleton", (".asf",), _keywords(b":bonedata", b":root", b":units"), SKELETON, asf.read_asf),
    Format(
        "AMC clip",
        (".amc",),
        _keywords(b":fully-specified", b":degrees", b":radians"),
        CLIP,
        amc.read_amc,
        True,
    ),
    Format(".npz of poses", (".npz",), _begins(b"PK\x03\x04"), POSES, read_course),
    Format("pair of .npy of poses", (".npy",), _begins(b"\x93NUMPY"), POSES, read_course),
    Format("pickle of poses", (".pkl", ".pickle"), _begins(b"\x80"), POSES, read_course),
)

CLIP_SUFFIXES = tuple(suffix for known in FORMATS if known.gives == CLIP for suffix in known.suffixes)
