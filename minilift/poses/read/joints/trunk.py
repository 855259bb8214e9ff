"""Spine, neck and head of a clip's skeleton: families differ here more than anywhere else.

A skeleton has one to seven joints between hips and neck, under names that say little about their height. The
one that lies where the course's spine lies is taken, and where none does, a point between two of them. It is
measured along the bones, not in the frames: all clips of one skeleton have the same spine.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from minilift.poses.read.joints.names import Meaning
from minilift.poses.read.joints.tree import Tree

SPINE = 0.38
"""Of the way from mid-hip to neck: 0.42 in Bandai-Namco's clips, 0.35 in CMU's on a Poser figure."""
_NEAR = 0.05  # of that way: a joint as near as this is the spine, else it is a point between two
_NO_HEAD = ("end", "nub", "top", "tip", "site")


class Trunk:
    """Rows of spine, neck and head, None where there is none.

    `rows` are those of the limbs, and of the trunk where somebody named them.
    `levels`: of the joints between mid-hip and neck, how far up they are (0 to 1), in rising order.
    """

    def __init__(
        self, tree: Tree, meant: Sequence[Meaning], rows: Mapping[str, int], bone_ends: bool
    ) -> None:
        self.tree, self._meant, self._rows = tree, meant, rows
        # the first of a name, and a joint of the body before a control of the rig
        order = sorted(range(len(meant)), key=lambda row: (meant[row].helper, row), reverse=True)
        self._middle = {meant[row].part: row for row in order if not meant[row].side}
        self.head = rows.get("head", self._head())
        self.neck = rows.get("neck", self._neck(bone_ends))
        self.levels = self._heights()
        nearest = min(self.levels, key=self._off, default=None)
        self.spine = rows.get(
            "spine", nearest if nearest is not None and self._off(nearest) < _NEAR else None
        )

    def _head(self) -> int | None:
        if self._is_rigify():
            return self._middle["spine6"]
        named = {part: row for part, row in self._middle.items() if part.startswith("head")}
        joints = {part: row for part, row in named.items() if not part.endswith(_NO_HEAD)}
        return joints.get("head", next(iter((joints or named).values()), None))

    def _neck(self, bone_ends: bool) -> int | None:
        """The lowest neck joint, but for skeletons in which that one lies between or below the shoulders."""
        if self._is_rigify():
            return self._middle.get("spine4")
        way = self.tree.above(self.head) if self.head is not None else range(len(self.tree.names))
        necks = [row for row in way if not self._meant[row].side and "neck" in self._meant[row].part]
        if not necks:
            return None
        by_part = {self._meant[row].part: row for row in necks}
        if "lowerneck" in by_part and "upperneck" in by_part:  # CMU's: both are the same place
            return by_part["lowerneck" if bone_ends else "upperneck"]
        if "neck1" in by_part and "lowerback" in self._middle:  # cgspeed's Neck lies where Spine1 is
            return by_part["neck1"]
        return by_part.get("neck", min(necks, key=lambda row: len(self.tree.above(row))))

    def _is_rigify(self) -> bool:
        """Rigify numbers the bones from pelvis to head: spine to spine.006."""
        return "spine6" in self._middle and "head" not in self._middle

    def _heights(self) -> dict[int, float]:
        """For joints between hips and neck: their share of the way from mid-hip to neck, along the bones."""
        above = self.tree.above
        shoulders = [above(self._rows[f"{side}_shoulder"]) for side in ("left", "right")]
        top = (
            self.neck if self.neck is not None else next((r for r in shoulders[0] if r in shoulders[1]), None)
        )
        hips = [above(self._rows[f"{side}_hip"]) for side in ("left", "right")]
        way = above(top) if top is not None else []
        base = next((row for row in way if row in hips[0] and row in hips[1]), None)
        if base is None or base == top:
            return {}
        way = way[: way.index(base)][::-1]  # upwards, without the base
        middle = np.mean([self.tree.offsets[h[: h.index(base)]].sum(axis=0) for h in hips], axis=0)
        first = float(np.linalg.norm(self.tree.offsets[way[0]] - middle))
        heights = {row: first + self.tree.length(way[0], row) for row in way}
        whole = heights[way[-1]]
        if self.neck is None:  # then the middle of the shoulders stands for it
            reach = [self.tree.offsets[s[: s.index(way[-1])]].sum(axis=0) for s in shoulders]
            whole += float(np.linalg.norm(np.mean(reach, axis=0)))
        if whole <= 0:
            return {}
        whole += self._lost_thorax(way)
        inner = way[:-1] if self.neck is not None else way
        return {row: heights[row] / whole for row in inner if heights[row] < whole}

    def _lost_thorax(self, way: Sequence[int]) -> float:
        """The length of a bone that CMU's BVH files lack: their Neck lies where Spine1 is, as far as Spine1
        is from Spine too low."""
        for row in way[1:]:
            if "neck" in self._meant[row].part and not self.tree.offsets[row].any():
                return float(np.linalg.norm(self.tree.offsets[self.tree.parents[row]]))
        return 0.0

    def _off(self, row: int) -> float:
        return abs(self.levels[row] - SPINE)
