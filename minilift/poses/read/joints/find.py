"""Which joints of a clip are the course's, and how those that a skeleton lacks are estimated.

Names are read for their meaning (names.py); where one name can stand for two joints, the tree of joints
decides: hip, knee and ankle hang from one another, and so do shoulder, elbow and wrist.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise, product
from operator import itemgetter

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.layouts import COURSE15
from minilift.poses.read.joints.families import ARMS, BONE_ENDS, FAMILIES, LEGS, LIMBS
from minilift.poses.read.joints.found import FoundJoints, Shares, mean
from minilift.poses.read.joints.limbs import REMEDY, Limbs
from minilift.poses.read.joints.names import Meaning, meanings, plain
from minilift.poses.read.joints.tree import Tree
from minilift.poses.read.joints.trunk import SPINE, Trunk

_UNLIKE = 3.5  # bones of a limb; CMU's subject 5 has upper arms 2.3 times as long as the forearms
HEAD = 0.14
"""How far the head's joint lies beyond the neck, of the way from mid-hip to neck: 0.15 in Bandai-Namco's
clips, 0.13 in CMU's on a Poser figure."""


def find_joints(
    path: PathLike, names: Sequence[str], parents: Sequence[int], offsets: np.ndarray,
    bone_ends: bool = False, given: Mapping[str, int] | None = None,
) -> FoundJoints:  # fmt: skip
    """The course's joints in a skeleton: J names, the row of each one's parent (-1: none), offsets (J, 3).

    `bone_ends`: whether a joint is the far end of the bone of its name (ASF), not its beginning (BVH).
    `given`: rows of joints of COURSE15 that are known already.

    Limbs have to be there. Spine, neck and head are estimated from their neighbours where there are none, and
    `notes` says so. Raises InputError, naming `path`, for a limb that is not found (with the names that look
    closest), for limbs that do not hang together, and where two joints have one name.
    """
    given = given or {}
    tree = Tree(tuple(names), tuple(parents), np.asarray(offsets, np.float64))
    meant = meanings(names)
    limbs = Limbs(path, tree, meant, BONE_ENDS if bone_ends else LIMBS, given)
    rows: dict[str, int] = {}
    for side, limb in product(("right", "left"), (LEGS, ARMS)):
        found = limbs.rows(side, limb)
        rows.update({f"{side}_{part}": row for part, row in zip(limb, found, strict=True)})
    _check_lengths(path, tree, rows)
    shares: Shares = {joint: ((row, 1.0),) for joint, row in rows.items()}
    trunk = Trunk(tree, meant, {**rows, **given}, bone_ends)
    for joint, row in (("neck", trunk.neck), ("head", trunk.head), ("spine", trunk.spine)):
        if row is not None:
            rows[joint], shares[joint] = row, ((row, 1.0),)
    notes = _twins(names, meant, rows, given) + _estimate(shares, trunk)
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
            raise file_error(path, f"bones to {lengths} units ({taken}) are not of one body; {REMEDY}")


def _twins(
    names: Sequence[str], meant: Sequence[Meaning], rows: dict[str, int], given: Mapping[str, int]
) -> list[str]:
    """Where another name means the same: which was taken."""
    own = [(joint, row) for joint, row in rows.items() if joint not in given]
    twins = ((joint, row, twin) for joint, row in own for twin in range(len(names)) if twin != row)
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
