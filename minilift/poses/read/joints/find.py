"""Which joints of a clip are the course's, and how those that a skeleton lacks are estimated.

Names are read for their meaning (names.py); where one name can stand for two joints, the tree of joints
decides: hip, knee and ankle hang from one another, and so do shoulder, elbow and wrist.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import pairwise, product
from operator import itemgetter

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.layouts import COURSE15
from minilift.poses.read.joints.families import ARMS, BONE_ENDS, FAMILIES, LEGS, LIMBS, NEVER
from minilift.poses.read.joints.found import FoundJoints, Shares, mean
from minilift.poses.read.joints.names import Meaning, meanings, plain, some
from minilift.poses.read.joints.tree import Tree
from minilift.poses.read.joints.trunk import SPINE, Trunk

_NUMBERED = 50  # later in the order than any name without a number that means nothing: Thigh_04
_HELPERS = 100  # and than any joint of the body
_UNLIKE = 3.5  # bones of a limb; CMU's subject 5 has upper arms 2.3 times as long as the forearms
HEAD = 0.14
"""How far the head's joint lies beyond the neck, of the way from mid-hip to neck: 0.15 in Bandai-Namco's
clips, 0.13 in CMU's on a Poser figure."""


def find_joints(
    path: PathLike, names: Sequence[str], parents: Sequence[int], offsets: np.ndarray, bone_ends: bool = False
) -> FoundJoints:
    """The course's joints in a skeleton: J names, the row of each one's parent (-1: none), offsets (J, 3).

    `bone_ends`: whether a joint is the far end of the bone of its name (ASF), not its beginning (BVH).

    Limbs have to be there. Spine, neck and head are estimated from their neighbours where there are none, and
    `notes` says so. Raises InputError, naming `path`, for a limb that is not found (with the names that look
    closest), for limbs that do not hang together, and where two joints have one name.
    """
    tree = Tree(tuple(names), tuple(parents), np.asarray(offsets, np.float64))
    meant = meanings(names)
    rows: dict[str, int] = {}
    for side, limb in product(("right", "left"), (LEGS, ARMS)):
        found = _limb(path, tree, meant, side, limb, BONE_ENDS if bone_ends else LIMBS)
        rows.update({f"{side}_{part}": row for part, row in zip(limb, found, strict=True)})
    _check_lengths(path, tree, rows)
    shares: Shares = {joint: ((row, 1.0),) for joint, row in rows.items()}
    trunk = Trunk(tree, meant, rows, bone_ends)
    for joint, row in (("neck", trunk.neck), ("head", trunk.head), ("spine", trunk.spine)):
        if row is not None:
            rows[joint], shares[joint] = row, ((row, 1.0),)
    notes = _twins(names, meant, rows) + _estimate(shares, trunk)
    _check_names(path, names, rows)
    toes = tuple(tree.child(rows[f"{side}_ankle"]) for side in ("right", "left"))
    return FoundJoints(family(names), tuple(shares[j] for j in COURSE15.joints), tuple(notes), toes)


def family(names: Sequence[str]) -> str:
    """The name of the skeleton's family; 'of unknown origin' where there is none in FAMILIES."""
    known = {name.lower() for name in names} | {plain(name) for name in names}
    for name, marks in FAMILIES:
        if all(any(fnmatchcase(joint, mark) for joint in known) for mark in marks):
            return name
    return "of unknown origin"


def _limb(
    path: PathLike, tree: Tree, meant: Sequence[Meaning], side: str, limb: Sequence[str],
    table: dict[str, tuple[str, ...]],
) -> tuple[int, ...]:  # fmt: skip
    """Rows of the three joints of a limb: of those whose names fit, the best that hang from one another."""
    fitting = []
    for part in limb:
        ranked = [
            (rank, row)
            for row, m in enumerate(meant)
            if m.side == side and (rank := _rank(m, table[part])) is not None
        ]
        if not ranked:
            raise _missing(path, tree.names, meant, f"{side} {part}", table[part])
        fitting.append(sorted(ranked)[:8])
    chains = [
        (sum(rank for rank, _ in chain), tuple(row for _, row in chain))
        for chain in product(*fitting)
        if _hang([tree.above(row) for _, row in chain])
        and tuple(meant[row].part for _, row in chain) != NEVER
    ]
    if not chains:
        raise _apart(path, tree.names, meant, side, limb, [ranked[0][1] for ranked in fitting], table)
    return min(chains)[1]


_REMEDY = 'say which is which in a map of joints, {"left_knee": "NAME", ...}'


def _rank(meant: Meaning, names: Sequence[str]) -> int | None:
    """How well a name fits, 0 best; None: not at all."""
    helper = _HELPERS * meant.helper
    if meant.part in names:
        return names.index(meant.part) + helper
    bare = meant.part.rstrip("0123456789")
    return names.index(bare) + _NUMBERED + helper if bare in names else None


def _hang(ways: Sequence[Sequence[int]]) -> bool:
    """Whether each hangs from the one before: ways up to the root."""
    return all(upper[0] in lower[1:] for upper, lower in pairwise(ways))


def _apart(
    path: PathLike, names: Sequence[str], meant: Sequence[Meaning], side: str, limb: Sequence[str],
    rows: Sequence[int], table: dict[str, tuple[str, ...]],
) -> Exception:  # fmt: skip
    """What is wrong with a limb whose joints do not hang from one another."""
    if rows[0] == rows[1]:  # one joint has the only fitting name of two
        return _missing(path, names, meant, f"{side} {limb[1]}", table[limb[1]])
    called = ", ".join(f"{names[row]} for the {part}" for part, row in zip(limb, rows, strict=True))
    return file_error(path, f"{called} of the {side} do not hang from one another; {_REMEDY}")


def _missing(
    path: PathLike, names: Sequence[str], meant: Sequence[Meaning], joint: str, wanted: Sequence[str]
) -> Exception:
    side = joint.split()[0]
    parts = {
        m.part: name
        for name, m in zip(names, meant, strict=True)
        if m.side == side or (not m.side and m.part in wanted)
    }
    close = [parts[p] for w in wanted for p in get_close_matches(w, parts, n=2, cutoff=0.7)]
    near = f"closest are {', '.join(dict.fromkeys(close[:3]))}" if close else f"its joints: {some(names)}"
    return file_error(path, f"no {joint} among its {len(names)} joints ({near}); {_REMEDY}")


def _check_names(path: PathLike, names: Sequence[str], rows: dict[str, int]) -> None:
    known = [plain(name) for name in names]
    for joint, row in rows.items():
        if known.count(known[row]) > 1:
            raise file_error(
                path, f"two joints are named {names[row]}, and one is the {joint}; rename one of them"
            )


def _check_lengths(path: PathLike, tree: Tree, rows: dict[str, int]) -> None:
    """Bones of a limb are alike, and so are the sides.

    Offsets that are all 0 say nothing: places may stand in the frames alone.
    """
    for limb in (LEGS, ARMS):
        bones = {
            f"{side}_{lower}": tree.length(rows[f"{side}_{upper}"], rows[f"{side}_{lower}"])
            for side in ("right", "left")
            for upper, lower in pairwise(limb)
        }
        longest = max(bones, key=bones.__getitem__)
        shortest = min(bones, key=bones.__getitem__)
        if bones[longest] > _UNLIKE * bones[shortest] > 0 or (bones[longest] > 0 == bones[shortest]):
            lengths = f"{longest} {bones[longest]:.3g}, {shortest} {bones[shortest]:.3g}"
            taken = f"{tree.names[rows[longest]]}, {tree.names[rows[shortest]]}"
            raise file_error(path, f"bones to {lengths} units ({taken}) are not of one body; {_REMEDY}")


def _twins(names: Sequence[str], meant: Sequence[Meaning], rows: dict[str, int]) -> list[str]:
    """Where another name means the same: which was taken."""
    twins = ((joint, row, twin) for joint, row in rows.items() for twin in range(len(names)) if twin != row)
    return [f"{joint}: {names[a]}, not {names[b]}" for joint, a, b in twins if meant[a] == meant[b]]


def _estimate(shares: Shares, trunk: Trunk) -> list[str]:
    """Add what of spine, neck and head is not there; say from what it was estimated."""
    notes = []
    hips = mean(shares["left_hip"], shares["right_hip"])
    if "neck" not in shares:
        shares["neck"] = mean(shares["left_shoulder"], shares["right_shoulder"])
        notes.append("neck estimated: the middle of the shoulders")
    if "spine" not in shares:
        points = [(0.0, hips, "mid-hip"), (1.0, shares["neck"], "neck")]
        points += [(up, ((row, 1.0),), trunk.tree.names[row]) for row, up in trunk.levels.items()]
        low, under, below = max((point for point in points if point[0] < SPINE), key=itemgetter(0))
        high, over, above = min((point for point in points if point[0] >= SPINE), key=itemgetter(0))
        shares["spine"] = mean(under, over, second=(SPINE - low) / (high - low))
        notes.append(
            f"spine estimated: between {below} and {above}, {SPINE:.0%} of the way from mid-hip to neck"
        )
    if "head" not in shares:
        shares["head"] = mean(hips, shares["neck"], second=1 + HEAD)
        notes.append(f"head estimated: {HEAD:.0%} of the way from mid-hip to neck, beyond the neck")
    return notes
