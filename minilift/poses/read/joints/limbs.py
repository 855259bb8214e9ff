"""Arms and legs of a clip's skeleton: three joints that hang from one another, under names that fit."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise, product

from minilift.files import PathLike, file_error
from minilift.poses.read.joints.families import NEVER
from minilift.poses.read.joints.names import Meaning, some
from minilift.poses.read.joints.tree import Tree

_NUMBERED = 50  # later in the order than any name without a number that means nothing: Thigh_04
_HELPERS = 100  # and than any joint of the body
REMEDY = 'say which is which in a map of joints, {"left_knee": "NAME", ...}'


class Limbs:
    """Finds limbs in a tree whose names mean `meant`, by a table of names for each part.

    `given` are rows that somebody named, by the joints of COURSE15: nothing else is looked for there.
    """

    def __init__(
        self, path: PathLike, tree: Tree, meant: Sequence[Meaning], table: Mapping[str, tuple[str, ...]],
        given: Mapping[str, int],
    ) -> None:  # fmt: skip
        self._path, self._tree, self._meant, self._table, self._given = path, tree, meant, table, given

    def rows(self, side: str, limb: Sequence[str]) -> tuple[int, ...]:
        """Rows of the joints of a limb: of those whose names fit, the best that hang from one another.

        Raises InputError where a name fits no joint, and where those that fit do not hang together.
        """
        fitting = [self._fitting(side, part) for part in limb]
        chains = [
            (sum(rank for rank, _ in chain), tuple(row for _, row in chain))
            for chain in product(*fitting)
            if self._is_limb([row for _, row in chain])
        ]
        if not chains:
            raise self._apart(side, limb, [ranked[0][1] for ranked in fitting])
        return min(chains)[1]

    def _fitting(self, side: str, part: str) -> list[tuple[int, int]]:
        """Ranks and rows of the joints that a part can be, the best first."""
        if (row := self._given.get(f"{side}_{part}")) is not None:
            return [(0, row)]
        ranked = [
            (rank, row)
            for row, m in enumerate(self._meant)
            if m.side == side and (rank := _rank(m, self._table[part])) is not None
        ]
        if not ranked:
            raise self._missing(side, part)
        return sorted(ranked)[:8]

    def _is_limb(self, rows: Sequence[int]) -> bool:
        """Whether each hangs from the one before, and what is called so can be a limb."""
        ways = [self._tree.above(row) for row in rows]
        hang = all(upper[0] in lower[1:] for upper, lower in pairwise(ways))
        return hang and tuple(self._meant[row].part for row in rows) != NEVER

    def _apart(self, side: str, limb: Sequence[str], rows: Sequence[int]) -> Exception:
        """What is wrong with joints that do not hang from one another."""
        if rows[0] == rows[1]:  # one joint has the only fitting name of two
            return self._missing(side, limb[1])
        called = ", ".join(f"{self._tree.names[row]} for the {p}" for p, row in zip(limb, rows, strict=True))
        return file_error(self._path, f"{called} of the {side} do not hang from one another; {REMEDY}")

    def _missing(self, side: str, part: str) -> Exception:
        names, wanted = self._tree.names, self._table[part]
        parts = {
            m.part: name
            for name, m in zip(names, self._meant, strict=True)
            if m.side == side or (not m.side and m.part in wanted)
        }
        close = [parts[p] for w in wanted for p in get_close_matches(w, parts, n=2, cutoff=0.7)]
        near = f"closest are {', '.join(dict.fromkeys(close[:3]))}" if close else f"its joints: {some(names)}"
        return file_error(self._path, f"no {side} {part} among its {len(names)} joints ({near}); {REMEDY}")


def _rank(meant: Meaning, names: Sequence[str]) -> int | None:
    """How well a name fits, 0 best; None: not at all."""
    helper = _HELPERS * meant.helper
    if meant.part in names:
        return names.index(meant.part) + helper
    bare = meant.part.rstrip("0123456789")
    return names.index(bare) + _NUMBERED + helper if bare in names else None
