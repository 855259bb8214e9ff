"""Names of joints, as files have them: which side and which part of the body a name means."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from minilift.poses.read.joints.families import BONE_ENDS, LIMBS

_SEPARATORS = r"[ _.\-:]"
_PREFIX = re.compile(
    rf"^(?:mixamorig\d*{_SEPARATORS}*|(?:character\d*|actor\d*|bip(?:ed)?\d*|valvebiped|armature|rig|skeleton|"
    rf"def|j_bip(?:_c)?|cc_base|jnt|joint|bone|b|j){_SEPARATORS}+|(?-i:m(?=[A-Z])))",
    re.IGNORECASE,
)
_HELPER = re.compile(rf"^(?:org|mch|ik|fk|ctrl|ctl|wgt|vis){_SEPARATORS}+", re.IGNORECASE)
_SUFFIX = re.compile(rf"{_SEPARATORS}+(?:jnt|joint|bone|bind|def|x)$", re.IGNORECASE)
_TOKENS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SIDES = {
    **dict.fromkeys(("l", "left", "lft", "lf"), "left"),
    **dict.fromkeys(("r", "right", "rgt", "rt"), "right"),
}
_PARTS = frozenset(part for table in (LIMBS, BONE_ENDS) for names in table.values() for part in names)
_SHOWN = 20  # names in a message
_MOSTLY, _FEWEST = 0.8, 4  # this share of so many joints begin with the same word: it says nothing


@dataclass(frozen=True)
class Meaning:
    """A name without what is not the body's: 'Bip01 L Thigh' is ('left', 'thigh')."""

    side: str
    """left, right or nothing."""
    part: str
    """Small letters without separators, numbers without leading zeros: 'upperarm', 'spine1'."""
    helper: bool = False
    """Whether it is of a control of a rig (ORG-, MCH-), not of the body."""


def plain(name: str) -> str:
    """A joint's name without what stands before a colon or a bar (mixamorig:Hips), in small letters."""
    return re.sub("^.*[:|]", "", name).strip().lower()


def meanings(names: Sequence[str]) -> list[Meaning]:
    """What each name means, once the word that most of them begin with is gone: Hero_LeftLeg, Hero_Head."""
    texts = [_bare(re.sub("^.*[:|]", "", name).strip()) for name in names]
    first = Counter(re.split(_SEPARATORS, text)[0] for text in texts if re.search(_SEPARATORS, text))
    word, count = first.most_common(1)[0] if first else ("", 0)
    if count >= max(_FEWEST, _MOSTLY * len(texts)) and word and word.lower() not in _SIDES:
        texts = [re.sub(rf"^{re.escape(word)}{_SEPARATORS}+", "", text) for text in texts]
    return [_meaning(text) for text in texts]


def _bare(text: str) -> str:
    """A name without the prefixes and suffixes that say nothing; not less than nothing."""
    while (shorter := _SUFFIX.sub("", _PREFIX.sub("", text))) not in ("", text):
        text = shorter
    return text


def _meaning(text: str) -> Meaning:
    """Side and part of a name, wherever the side stands: LeftUpLeg, thigh_l, thigh.L, L Thigh.

    A side that is glued to a name in small letters is cut off where the rest is a limb: lfemur, rshoulder.
    """
    helper = bool(_HELPER.match(text))
    text = _HELPER.sub("", text)
    words = [str(int(word)) if word.isdecimal() else word.lower() for word in _TOKENS.findall(text)]
    side = next((word for word in words if word in _SIDES), "")
    if side:
        words.remove(side)
        return Meaning(_SIDES[side], "".join(words), helper)
    part = "".join(words)
    for cut, side in (("left", "left"), ("right", "right"), ("l", "left"), ("r", "right")):
        if part.startswith(cut) and part[len(cut) :] in _PARTS:
            return Meaning(side, part[len(cut) :], helper)
        if len(cut) > 1 and part.endswith(cut):
            return Meaning(side, part.removesuffix(cut), helper)
    return Meaning("", part, helper)


def some(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
