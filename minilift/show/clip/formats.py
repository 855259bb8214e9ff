"""The one table of the files that lifted people are drawn to. A new one is a file here and a row."""

from collections.abc import Callable
from dataclasses import dataclass

from minilift.files import PathLike
from minilift.poses.lifted import LiftedPeople


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


def _page(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    from minilift.show.clip.page.page import write_page

    return write_page(path, people)


def _sheet(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    from minilift.show.clip.sheet import write_sheet

    return write_sheet(path, people)


def _moving(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    from minilift.show.clip.moving import write_moving

    return write_moving(path, people)


# Each is imported when it draws: who asks what there is does not wait for that
FORMATS = (
    Format("html", ".html", "interactive page: 3D and 2D on a timeline, in any browser", _page),
    Format("png", ".png", "one sheet with six frames of the clip, 2D and 3D", _sheet, "matplotlib"),
    Format("gif", ".gif", "moving picture, 2D and 3D", _moving, "matplotlib"),
)
