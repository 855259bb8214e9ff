"""The one table of the files that lifted people are written to. A new format is a file here and a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minilift.errors import ArgumentError
from minilift.extras import Later
from minilift.files import PathLike
from minilift.poses.write.people.rows import People, Written

bvh, document, gltf, markers, npz, tables = (
    Later(f"minilift.poses.write.people.{name}")
    for name in ("bvh", "document", "gltf", "markers", "npz", "tables")
)


@dataclass(frozen=True)
class PeopleFormat:
    """A kind of file: its name, how the names of its files end, what it is for, and what writes it."""

    name: str
    suffix: str
    about: str
    write: Callable[[PathLike, People], Written]
    each: bool = False
    """Whether every person has a file of their own where there are several: NAME_person0.bvh, ..."""
    others: tuple[str, ...] = ()
    """How the name of its file may end instead, by what is written."""
    library: str = ""
    """The optional library that it needs: a name in minilift.extras.LIBRARIES."""

    def there(self, path: PathLike) -> list[Path]:
        """The files that writing `path` may replace: itself, and where `each`, those of its people."""
        place = Path(path)
        others = (place.with_suffix(ending) for ending in self.others)
        own = re.compile(re.escape(place.stem) + r"_person-?\d+" + re.escape(place.suffix))
        names = place.parent.iterdir() if self.each and place.parent.is_dir() else ()
        found = sorted(other for other in names if own.fullmatch(other.name))
        return [*(one for one in (place, *others) if one.exists()), *found]


PEOPLE_FORMATS = (
    PeopleFormat("npz", ".npz", "arrays, for NumPy", npz.write_npz_people),
    PeopleFormat("csv", ".csv", "a table, a row a person in a frame", tables.write_wide),
    PeopleFormat("csv-long", ".long.csv", "a table, a row a joint", tables.write_long),
    PeopleFormat("json", ".json", "frames, people, joints", document.write_json),
    PeopleFormat("bvh", ".bvh", "a moving skeleton, joints exactly in place", bvh.write_bvh, each=True),
    PeopleFormat(
        "bvh-rigid", ".rigid.bvh", "the same, bones keep their lengths", bvh.write_rigid_bvh, each=True
    ),
    PeopleFormat(
        "glb", ".glb", "glTF: moving skeletons with a body, for Blender and the web", gltf.write_glb
    ),
    PeopleFormat("trc", ".trc", "markers, for OpenSim and Pose2Sim", markers.write_trc, each=True),
    PeopleFormat("c3d", ".c3d", "markers, for biomechanics", markers.write_c3d, each=True, library="ezc3d"),
)


def people_format(name: str) -> PeopleFormat:
    """The format of that name. Raises ArgumentError naming all."""
    found = next((row for row in PEOPLE_FORMATS if row.name == name), None)
    if found is None:
        known = ", ".join(row.name for row in PEOPLE_FORMATS)
        raise ArgumentError("to", name, f"must be one of {known}")
    return found
