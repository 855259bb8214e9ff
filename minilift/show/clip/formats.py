"""The one table of the files that lifted people are drawn to. A new one is a file here and a row."""

from collections.abc import Callable
from pathlib import Path

from minilift.files import PathLike
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.formats import PeopleFormat
from minilift.poses.write.people.rows import People, Written


def _page(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    from minilift.show.clip.page.page import write_page

    return write_page(path, people)


def _sheet(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    from minilift.show.clip.sheet import write_sheet

    return write_sheet(path, people)


def _moving(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    from minilift.show.clip.moving import write_moving

    return write_moving(path, people)


def _overlay(path: PathLike, people: People) -> Written:
    from minilift.show.clip.overlay.write import write_overlay

    return write_overlay(path, people)


def _drawn(
    draw: Callable[[PathLike, LiftedPeople], tuple[str, ...]],
) -> Callable[[PathLike, People], Written]:
    """What draws people who are in memory, as the writer of a format; of more, it says that it draws none."""

    def write(path: PathLike, people: People) -> Written:
        if not isinstance(people, LiftedPeople):
            return Written((), (f"no {Path(path).name}: too many people for a picture of them",))
        return Written((Path(path),), draw(path, people))

    return write


# Each is imported when it draws: who asks what there is does not wait for that
FORMATS = (
    PeopleFormat("html", ".html", "interactive page: 3D and 2D on a timeline, in any browser", _drawn(_page)),
    PeopleFormat(
        "png",
        ".png",
        "a sheet with six frames of the clip, 2D and 3D",
        _drawn(_sheet),
        library="matplotlib",
    ),
    PeopleFormat("gif", ".gif", "moving picture, 2D and 3D", _drawn(_moving), library="matplotlib"),
    PeopleFormat(
        "overlay",
        ".mp4",
        "keypoints over the video or photo, 3D beside it",
        _overlay,
        others=(".overlay.png",),
        library="av",
    ),
)
