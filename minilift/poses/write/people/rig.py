"""A skeleton that turns: from where joints are to how every bone is turned against its parent.

Positions do not say how a bone is turned about itself. What they do say is used: three points give the
pelvis (both hips and the spine) and the chest (spine, neck, and the line through the shoulders) a whole
frame. Every other bone takes its parent's frame along and is turned by the smallest angle that brings it to
where it points, from a rest pose with arms out to the sides: its twist is a convention, not a measurement.

The waist and the two collars are no joints of the answer. They turn what hangs from the root and from the
spine on its own, without which those bones could point only where their frame has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from minilift.poses.layouts import COURSE15
from minilift.poses.write.people.motion import Mover
from minilift.poses.write.people.turns import blend, frame, matrices, quaternions, swing

_X, _Y = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])


@dataclass(frozen=True)
class Node:
    """A joint of the skeleton, or a helper that lies where a joint does."""

    name: str
    parent: int
    at: int
    """Which of the 16 points it lies at: 0 the root, then those of COURSE15."""
    rest: np.ndarray
    """The direction from its parent in the rest pose: facing +Z, the left at +X."""


def _nodes() -> tuple[Node, ...]:
    plan = (
        ("root", "", "root", 0 * _Y),
        *(("right_hip", "root", "", -_X), ("right_knee", "right_hip", "", -_Y)),
        *(("right_ankle", "right_knee", "", -_Y), ("left_hip", "root", "", _X)),
        *(("left_knee", "left_hip", "", -_Y), ("left_ankle", "left_knee", "", -_Y)),
        *(("waist", "root", "root", 0 * _Y), ("spine", "waist", "", _Y), ("neck", "spine", "", _Y)),
        *(("head", "neck", "", _Y), ("left_collar", "spine", "neck", _Y)),
        *(("left_shoulder", "left_collar", "", _X), ("left_elbow", "left_shoulder", "", _X)),
        *(("left_wrist", "left_elbow", "", _X), ("right_collar", "spine", "neck", _Y)),
        *(("right_shoulder", "right_collar", "", -_X), ("right_elbow", "right_shoulder", "", -_X)),
        ("right_wrist", "right_elbow", "", -_X),
    )  # fmt: skip
    names, points = [name for name, *_ in plan], ["root", *COURSE15.joints]
    return tuple(
        Node(name, names.index(parent) if parent else -1, points.index(at or name), rest)
        for name, parent, at, rest in plan
    )


NODES = _nodes()
"""The skeleton, a parent before its children."""

_AT = [node.at for node in NODES]
_AIMS = {
    node.parent: k
    for k, node in enumerate(NODES)
    if node.rest.any() and NODES[node.parent].name not in ("root", "spine")
}
"""For a node that is turned towards one child: that child."""


@dataclass(frozen=True)
class Rigged:
    """One person as turns of a skeleton of N nodes, in f frames."""

    frames: np.ndarray
    """(f,) int64."""
    offsets: np.ndarray
    """(N, 3) metres: every node from its parent in the rest pose, with the median length of its bone."""
    turns: np.ndarray
    """(f, N, 4) quaternions x y z w, against the parent."""
    places: np.ndarray
    """(f, N, 3) metres, in the frame of the parent: `offsets` where bones keep their lengths."""
    off: float
    """Metres: how far a joint is from its place at most, if `offsets` stand for `places`."""


def rig(mover: Mover) -> Rigged:
    """The turns of a person all of whose joints are known in every frame."""
    points = mover.points[:, _AT]
    whole = _whole_turns(points)
    turns, places = np.empty((*points.shape[:2], 4)), np.empty_like(points)
    offsets = np.zeros((len(NODES), 3))
    for k, node in enumerate(NODES):
        if node.parent < 0:
            turns[:, k], places[:, k] = quaternions(whole[k]), points[:, k]
            continue
        back = whole[node.parent].transpose(0, 2, 1)
        turns[:, k] = quaternions(back @ whole[k])
        places[:, k] = np.einsum("fij,fj->fi", back, points[:, k] - points[:, node.parent])
        offsets[k] = node.rest * np.median(np.linalg.norm(places[:, k], axis=1))
    found = Rigged(mover.frames, offsets, turns, places, 0.0)
    return replace(found, off=float(np.linalg.norm(joints_of(rigid(found)) - points, axis=2).max()))


def rigid(rigged: Rigged) -> Rigged:
    """The same with bones that keep their lengths; only the root moves."""
    places = np.broadcast_to(rigged.offsets, rigged.places.shape).copy()
    places[:, 0] = rigged.places[:, 0]
    return replace(rigged, places=places)


def every_frame(rigged: Rigged) -> Rigged:
    """The same in all frames from the first to the last: gaps are filled by turning evenly."""
    frames = np.arange(rigged.frames[0], rigged.frames[-1] + 1)
    if len(frames) == len(rigged.frames):
        return rigged
    after = np.clip(np.searchsorted(rigged.frames, frames), 1, len(rigged.frames) - 1)
    start, end = rigged.frames[after - 1], rigged.frames[after]
    share = (frames - start) / (end - start)
    places = rigged.places[after - 1] + share[:, None, None] * (
        rigged.places[after] - rigged.places[after - 1]
    )
    turns = np.stack(
        [blend(rigged.turns[after - 1, k], rigged.turns[after, k], share) for k in range(len(NODES))], axis=1
    )
    return replace(rigged, frames=frames, turns=turns, places=places)


def joints_of(rigged: Rigged) -> np.ndarray:
    """(f, N, 3): where the nodes are, by forward kinematics."""
    out, whole = np.empty_like(rigged.places), []
    for k, node in enumerate(NODES):
        turn = matrices(rigged.turns[:, k])
        if node.parent < 0:
            out[:, k] = rigged.places[:, k]
            whole.append(turn)
            continue
        before = whole[node.parent]
        out[:, k] = out[:, node.parent] + np.einsum("fij,fj->fi", before, rigged.places[:, k])
        whole.append(before @ turn)
    return out


def _whole_turns(points: np.ndarray) -> list[np.ndarray]:
    """The rotation (f, 3, 3) of every node in space, from where the nodes are (f, N, 3)."""
    at = {node.name: points[:, k] for k, node in enumerate(NODES)}
    found: list[np.ndarray] = []
    for k, node in enumerate(NODES):
        if node.name == "root":
            turn = frame(at["left_hip"] - at["right_hip"], at["spine"] - at["root"], (0, 1))
        elif node.name == "spine":
            turn = frame(at["neck"] - at["spine"], at["left_shoulder"] - at["right_shoulder"], (1, 0))
        elif k in _AIMS:
            aim = _AIMS[k]
            turn = swing(found[node.parent], NODES[aim].rest, points[:, aim] - points[:, k])
        else:  # the end of a limb
            turn = found[node.parent]
        found.append(turn)
    return found
