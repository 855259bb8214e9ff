"""Skeletons in .asf files, the Acclaim form of motion capture; amc.py reads what moves them.

An .asf file has bones end to end. A bone begins where its parent ends, is `length` long in `direction`, and
turns about axes of its own, which `axis` gives. Its joint is here its far end, under the bone's name.

Sources: M. Schafer, "Acclaim Skeleton File Definition V1.10", 1994, and "Acclaim Format - ASF line Details"
(graphics.cs.cmu.edu), which says that all rotations are made one after the other about fixed axes.
"""

import math
import re
import zlib
from dataclasses import dataclass, field

import numpy as np

from minilift.files import PathLike
from minilift.poses.read.clip import MOST_JOINTS
from minilift.poses.read.kinematics import rotation
from minilift.poses.read.text import Lines

ROOT = "root"
MOVES = ("tx", "ty", "tz", "rx", "ry", "rz", "l")
"""Degrees of freedom: along and about an axis, and the length of a bone."""


@dataclass
class Bone:
    """A bone as it stands in the file; the root has the same parts."""

    name: str = ""
    direction: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    length: float = 0.0
    axis: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    """Angles, in the unit of the file."""
    axis_order: str = "xyz"
    dof: tuple[str, ...] = ()
    """Of MOVES, in the order of the numbers in the .amc file, in which they are applied, too."""


@dataclass
class Skeleton:
    """J joints: the root, then the far ends of the bones, a parent before its children."""

    bones: list[Bone]
    parents: list[int]
    position: list[float]
    """Of the root: what its translation is added to."""
    degrees: bool
    length_unit: float
    checksum: int
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(bone.name for bone in self.bones)

    def offsets(self) -> np.ndarray:
        """(J, 3) float64: the bones, in file units, as they are when no angle is given."""
        out = np.zeros((len(self.bones), 3))
        for row, bone in enumerate(self.bones):
            size = math.hypot(*bone.direction)
            if size:
                out[row] = np.array(bone.direction) / size * bone.length
        out[0] = self.position
        return out

    def turned(self, bone: Bone) -> np.ndarray:
        """(3, 3): the rotation that `axis` of a bone, or `orientation` of the root, stands for."""
        angles = bone.axis if self.degrees else np.degrees(bone.axis)
        return rotation(dict(zip("xyz", angles, strict=True)), bone.axis_order)


def read_asf(path: PathLike) -> Skeleton:
    """Read an .asf file. Keywords in any case; commas and parentheses are blanks, # begins a comment.

    Limits, masses, skins and keywords that are not known are passed over. Raises InputError with file and
    line: bones that are not described, or twice; a tree that is none; numbers that are none.
    """
    lines = Lines(path, "an .asf", comment="#")
    parser = _Parser(lines)
    for text in lines:
        parser.line(re.sub("[,()]", " ", text).split())
    return parser.skeleton()


class _Parser:
    """What has been read, and the section and bone that are open."""

    def __init__(self, lines: Lines) -> None:
        self.lines, self.section, self.open = lines, "", False
        self.root = Bone(ROOT)
        self.position = [0.0, 0.0, 0.0]
        self.units = {"length": 1.0}
        self.degrees = True
        self.bones: dict[str, Bone] = {}
        self.bone = Bone()
        self.children: dict[str, list[str]] = {}
        self.line_of: dict[str, int] = {}

    def line(self, words: list[str]) -> None:
        if not words:
            return
        key, values = words[0].lower(), words[1:]
        if key.startswith(":"):
            self.section = key
            return
        read = {
            ":units": self._unit,
            ":root": self._root,
            ":bonedata": self._bone,
            ":hierarchy": self._branch,
        }
        if not self.section:
            raise self.lines.error(f"'{key[:40]}' before any keyword such as :bonedata; is it an .asf file?")
        if self.section in read:
            read[self.section](key, values)

    def _numbers(self, key: str, values: list[str], count: int) -> list[float]:
        if len(values) < count:
            raise self.lines.error(f"{key} takes {count} numbers, found {len(values)}; export it again")
        return self.lines.numbers(values[:count])

    def _unit(self, key: str, values: list[str]) -> None:
        if key == "angle":
            if not values or values[0].lower()[:3] not in ("deg", "rad"):
                raise self.lines.error(f"angle {' '.join(values)[:40]}: write deg or rad")
            self.degrees = values[0].lower().startswith("deg")
        elif key == "length":
            (self.units[key],) = self._numbers(key, values, 1)
            if self.units[key] <= 0:
                raise self.lines.error("a unit of length that is not above 0; write 1 for none")

    def _root(self, key: str, values: list[str]) -> None:
        if key == "order":
            self.root.dof = self._moves(values)
        elif key == "axis":
            self.root.axis_order = self._order(values[-1:])
        elif key == "position":
            self.position = self._numbers(key, values, 3)
        elif key == "orientation":
            self.root.axis = self._numbers(key, values, 3)

    def _moves(self, values: list[str]) -> tuple[str, ...]:
        moves = tuple(value.lower() for value in values)
        if not set(moves) <= set(MOVES) or len(set(moves)) < len(moves):
            problem = f"'{' '.join(values)[:60]}' must be different ones of {' '.join(MOVES)}"
            raise self.lines.error(f"{problem}; export it again")
        return moves

    def _order(self, values: list[str]) -> str:
        order = "".join(values).lower()
        if sorted(order) != list("xyz"):
            raise self.lines.error(f"axis order '{order[:40]}' must be XYZ in some order; export it again")
        return order

    def _bone(self, key: str, values: list[str]) -> None:
        if key in ("begin", "end"):
            if self.open == (key == "begin"):
                expected = "end" if self.open else "begin"
                raise self.lines.error(f"'{key}' where {expected} is expected; copy the file again")
            self.open = not self.open
            if key == "begin":
                self.bone = Bone()
            else:
                self._close()
        elif not self.open:
            raise self.lines.error(f"'{key[:40]}' where begin is expected; copy the file again")
        elif key == "name":
            self.bone.name = " ".join(values)
        elif key == "direction":
            self.bone.direction = self._numbers(key, values, 3)
        elif key == "length":
            (self.bone.length,) = self._numbers(key, values, 1)
        elif key == "axis":
            self.bone.axis = self._numbers(key, values, 3)
            self.bone.axis_order = self._order(values[3:] or ["xyz"])
        elif key == "dof":
            self.bone.dof = self._moves(values)

    def _close(self) -> None:
        name = self.bone.name
        if not name or name.lower() in self.bones or name.lower() == ROOT:
            raise self.lines.error(f"a bone needs a name of its own, found '{name[:40]}'; rename it")
        if len(self.bones) == MOST_JOINTS:
            raise self.lines.error(f"more than {MOST_JOINTS} bones; leave out what is not the body")
        if self.bone.length < 0:
            raise self.lines.error(f"bone {name[:40]} is {self.bone.length:g} long; export it again")
        self.bones[name.lower()] = self.bone

    def _branch(self, key: str, values: list[str]) -> None:
        if key in ("begin", "end") and not values:
            return
        for name in map(str.lower, values):
            if name in self.line_of or name == ROOT or name not in self.bones:
                what = "hangs from two others" if name in self.line_of else "is not described in :bonedata"
                raise self.lines.error(f"bone '{name[:40]}' {what}; export it again")
            self.line_of[name] = self.lines.number
            self.children.setdefault(key, []).append(name)

    def skeleton(self) -> Skeleton:
        """The bones in the order of the tree. Raises InputError where there are none below the root."""
        bones, parents = [self.root], [-1]
        waiting = [(name, 0) for name in reversed(self.children.get(ROOT, []))]
        while waiting:
            name, parent = waiting.pop()
            waiting += [(child, len(bones)) for child in reversed(self.children.get(name, []))]
            bones.append(self.bones[name])
            parents.append(parent)
        if len(bones) == 1 or self.open:
            raise self.lines.error("no bones below the root, or the file is cut short; copy it again")
        used = {bone.name.lower() for bone in bones}
        loose = [bone.name for name, bone in self.bones.items() if name not in used]
        notes: tuple[str, ...] = (
            (f"bones not in the hierarchy left out: {', '.join(loose)}",) if loose else ()
        )
        if any(self.root.axis):
            notes += ("the root's orientation is applied before its motion; programs differ on that",)
        if not self.root.dof:
            self.root.dof = MOVES[:6]
            notes += ("no order given for the root; tx ty tz rx ry rz taken",)
        checksum = zlib.crc32(self.lines.content)
        return Skeleton(bones, parents, self.position, self.degrees, self.units["length"], checksum, notes)
