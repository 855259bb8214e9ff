"""The one table of the files that sets of poses are written to. A new format is a file here and a row."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minilift.files import PathLike
from minilift.poses.pose_set import Poses
from minilift.poses.write.course import write_pair, write_pickle, write_zip


@dataclass(frozen=True)
class Format:
    """A kind of file: what people call it, how its name ends, and what writes it."""

    name: str
    suffixes: tuple[str, ...]
    write: Callable[[PathLike, Poses], None]


FORMATS = (
    Format("pickle", (".pkl", ".pickle"), write_pickle),
    Format(".npz", (".npz",), write_zip),
    Format("pair of .npy files", (".npy",), write_pair),
)
"""The first one is that of names which end otherwise."""

SUFFIXES = tuple(suffix for known in FORMATS for suffix in known.suffixes)


def format_of(path: PathLike) -> Format:
    """The format that the name of a file asks for."""
    suffix = Path(path).suffix.lower()
    return next((known for known in FORMATS if suffix in known.suffixes), FORMATS[0])
