"""Which format a file has: by its content, and where that does not tell, by its name."""

from pathlib import Path

from minilift.files import PathLike, file_error, read_bytes
from minilift.files.what import wrong_kind
from minilift.poses.read.clip import Clip
from minilift.poses.read.formats import CLIP, CLIP_SUFFIXES, FORMATS, SKELETON, Format

_START = 4096  # bytes


def detect(path: PathLike) -> Format | None:
    """The row of FORMATS that the file fits; None where neither its content nor its name says one.

    Raises InputError where there is no such file, or where it cannot be read.
    """
    start = read_bytes(path, first=_START)
    suffix = Path(path).suffix.lower()
    fitting = [known for known in FORMATS if known.fits(start)]
    named = [known for known in FORMATS if suffix in known.suffixes]
    return next(iter(fitting or named), None)


def read_clip(path: PathLike, skeleton: PathLike | None = None) -> Clip:
    """Read a motion-capture clip of any format; `skeleton` is the .asf of an .amc (None: found beside it).

    Raises InputError naming the file: what it is in place of a clip, and what its reader finds wrong.
    """
    known = detect(path)
    wanted = f"name a clip ({', '.join(CLIP_SUFFIXES)})"
    if known is None:
        with open(path, "rb") as file:
            raise wrong_kind(path, file, "a motion-capture clip", wanted)
    if known.gives == SKELETON:
        raise file_error(path, "is the skeleton of clips, not one of them; name the .amc that moves it")
    if known.gives != CLIP:
        raise file_error(path, f"is a {known.name}, not a motion-capture clip; {wanted}")
    clip: Clip = known.read(path, skeleton) if known.with_skeleton else known.read(path)
    return clip
