"""What the columns of a table mean, by the many names that people give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

X, Y, Z, SCORE, THREE_D = "x", "y", "z", "score", "3d"

_PARTS = {
    X: "x xpos px", Y: "y ypos py", Z: "z depth",
    SCORE: "visibility visible vis v score scores confidence conf likelihood prob probability c p s presence",
    THREE_D: "error ncams",
}  # fmt: skip
_PART = {name: part for part, names in _PARTS.items() for name in names.split()}
_RANK = {name: i for i, name in enumerate(_PARTS[SCORE].split())}  # of two scores, the first in this order

_FRAMES = """
    frame frames frameid frameno framenumber framenum frameidx frameindex framecount nframe fnum imageid
    imageno imageidx imagenumber image imagename imgid img file filename index idx unnamed0
"""
_IDENTITIES = """
    personid trackid track trackingid idtrack objectid objid playerid subjectid individual individuals id pid
    humanid skeletonid bodyid instanceid identity
"""
_PEOPLE = "person personidx personindex human instance skeleton body detection subject player poseid pose"
_JOINTS = """
    joint jointname jointid jointidx jointindex keypoint keypointname keypointid keypointidx kp kpt kptid kpid
    kptname landmark landmarkid landmarkname landmarkidx landmarkindex bodypart bodyparts part partname marker
    node point pointname name
"""
_SECONDS = "time timestamp times timesec timesecs timeseconds timestamps timestampsec seconds sec t"
_MILLISECONDS = "timems timestampms timemsec timemilliseconds milliseconds msec"
_WEIGHTS = "instancescore personscore bboxscore detscore boxscore boxconfidence"
_IGNORED = {"px", "pixel", "pixels"}


@dataclass
class Columns:
    """Places of the columns of a table, None where there is none.

    `joints` has the places of the parts (x, y, z, score) of every joint, by its name; "" is the joint of a
    long table, whose name stands in the column `joint`.
    """

    frame: int | None = None
    person: int | None = None
    identity: bool = False
    """Whether `person` says who it is, not only which in this frame."""
    joint: int | None = None
    time: int | None = None
    milliseconds: bool = False
    """Whether `time` is in milliseconds by its name, not in seconds."""
    weight: int | None = None
    joints: dict[str, dict[str, int]] = field(default_factory=dict)
    twice: str = ""
    """The name of a column of a joint that is there twice."""

    @property
    def parts(self) -> set[str]:
        return {part for places in self.joints.values() for part in places}

    @property
    def numbered(self) -> bool:
        """Whether joints have numbers for names."""
        return all(name.isdigit() for name in self.joints)


def columns_of(header: Sequence[str]) -> Columns:
    """What a header says. Columns with names of no known meaning are left out."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]
    found = Columns()
    found.frame = _first(plain, _FRAMES)
    if found.frame is None and plain[:1] == [""]:  # the index that pandas writes
        found.frame = 0
    found.person = _first(plain, _IDENTITIES)
    found.identity = found.person is not None
    if found.person is None:
        found.person = _first(plain, _PEOPLE)
    found.joint = _first(plain, _JOINTS)
    found.weight = _first(plain, _WEIGHTS)
    found.time = _first(plain, _SECONDS)
    if found.time is None:
        found.time = _first(plain, _MILLISECONDS)
        found.milliseconds = found.time is not None
    named = {found.frame, found.person, found.joint, found.weight, found.time}
    ranks: dict[tuple[str, str], int] = {}
    words: set[tuple[str, str]] = set()
    for place, name in enumerate(header):
        joint, word = _split(name)
        if place in named or joint is None:
            continue
        part, rank = _PART[word], _RANK.get(word, 0)
        found.twice = found.twice or (name if (joint, word) in words else "")
        words.add((joint, word))
        if part not in (places := found.joints.setdefault(joint, {})) or rank < ranks[joint, part]:
            places[part], ranks[joint, part] = place, rank
    found.joints = {joint: places for joint, places in found.joints.items() if X in places and Y in places}
    return found


def _first(plain: Sequence[str], names: str) -> int | None:
    """The place of the first of the names that there is."""
    return next((plain.index(name) for name in names.split() if name in plain), None)


def _split(name: str) -> tuple[str | None, str]:
    """A column's joint and the word for its part: nose_x, l.eye.prob, leftEyeY, x_nose, x1, 12_y."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name[:80])
    words = [w for w in re.split(r"[^a-z0-9]+", spaced.lower()) if w and w not in _IGNORED]
    if not words:
        return None, ""
    for at, rest in ((-1, words[:-1]), (0, words[1:])):
        if words[at] in _PART:
            return _joint(rest), words[at]
    numbered = re.fullmatch(r"([a-z]+)(\d+)|(\d+)([a-z]+)", "".join(words))
    if numbered:
        word, number = numbered[1] or numbered[4], numbered[2] or numbered[3]
        if word in _PART:
            return str(int(number[:9])), word
    return None, ""


def _joint(words: Sequence[str]) -> str:
    """A joint's name; only its number where it has nothing else: kp_3, joint3, 3."""
    name = "_".join(words)
    number = re.fullmatch(r"(?:kp|kpt|keypoint|joint|landmark|point|p|j|part)?_?(\d{1,9})", name)
    return str(int(number[1])) if number else name
