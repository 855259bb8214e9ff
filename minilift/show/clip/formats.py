"""The one table of the files that lifted people are drawn to. A new one is a file here and a row."""

from collections.abc import Callable
from dataclasses import dataclass

from minilift.files import PathLike
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.moving import write_moving
from minilift.show.clip.page.page import write_page
from minilift.show.clip.sheet import write_sheet


@dataclass(frozen=True)
class Format:
    """A kind of picture: its name, how files of it end, what is in it, what writes it."""

    name: str
    suffix: str
    about: str
    write: Callable[[PathLike, LiftedPeople], tuple[str, ...]]
    """Returns what is left out or stated, a line each."""
    library: str | None = None
    """The module of the optional library, for `minilift.extras.require`; None: nothing but NumPy."""


FORMATS = (
    Format("html", ".html", "interactive page: 3D and 2D on a timeline, in any browser", write_page),
    Format("png", ".png", "one sheet with six frames of the clip, 2D and 3D", write_sheet, "matplotlib"),
    Format("gif", ".gif", "moving picture, 2D and 3D", write_moving, "matplotlib"),
)
