"""Lifted people as BVH: a file each, a skeleton with turns. docs/outputs.md says how Blender opens it.

Source: M. Meredith and S. Maddock, "Motion Capture File Formats Explained", University of Sheffield, 2001.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import numpy as np

from minilift.files import PathLike, write_atomically
from minilift.files.mapped import chunks
from minilift.poses.write.people.motion import Motion, Mover, gaps, motion_of, own_file, whole_bodies
from minilift.poses.write.people.rig import NODES, Rigged, every_frame, rig, rigid
from minilift.poses.write.people.rows import People, Written
from minilift.poses.write.people.turns import euler_zxy, matrices

CENTIMETRES = 100.0
EXACT = 5e-4  # metres: nearer than that, constant bones do
_TURN, _MOVE = "Zrotation Xrotation Yrotation", "Xposition Yposition Zposition"
_END = 0.2  # of the last bone: how much of foot, hand and head is shown beyond the joint


def write_bvh(path: PathLike, people: People) -> Written:
    """Joints exactly where they are: where a person's bones change their lengths, every joint has a position.

    Y is up, lengths are centimetres. Bones are turned as rig.py says. A gap is filled, turning evenly.
    """
    return _write(path, people, keep_lengths=False)


def write_rigid_bvh(path: PathLike, people: People) -> Written:
    """The same with bones of constant length, which is what programs that retarget want."""
    return _write(path, people, keep_lengths=True)


def _write(path: PathLike, people: People, keep_lengths: bool) -> Written:
    motion = whole_bodies(path, motion_of(path, people))
    files, notes = [], ["bvh: y up, centimetres", *motion.notes]
    for mover in motion.movers:
        file = own_file(path, motion, mover)
        rigged = rig(mover)
        moving = rigged.off > EXACT and not keep_lengths
        notes += _notes("bvh-rigid" if keep_lengths else "bvh", mover, rigged, motion, moving)
        whole = every_frame(rigged if moving else rigid(rigged))
        write_atomically(file, partial(_fill, rigged=whole, fps=motion.fps, moving=moving))
        files.append(file)
    return Written(tuple(files), tuple(notes))


def _notes(name: str, mover: Mover, rigged: Rigged, motion: Motion, moving: bool) -> Iterator[str]:
    who = f"{name}, person {mover.person}: "
    if len(motion.movers) > 1:
        yield f"{who}begins at frame {mover.frames[0]}"
    if gaps(mover):
        yield f"{who}{gaps(mover):,} frames without them are filled, turning evenly"
    if moving:
        yield f"{who}bones change their lengths, so every joint has a position of its own"
    elif rigged.off > EXACT:
        yield f"{who}joints are up to {rigged.off * 1000:.0f} mm off, for bones keep their lengths"


def _fill(file: BinaryIO, rigged: Rigged, fps: float, moving: bool) -> None:
    tree = ["HIERARCHY", *_tree(rigged.offsets * CENTIMETRES, 0, moving), "MOTION"]
    tree += [f"Frames: {len(rigged.frames)}", f"Frame Time: {1 / fps:.9g}"]
    file.write(("\n".join(tree) + "\n").encode())
    order = list(_order(0))
    for rows in chunks(len(rigged.frames), 1 << 12):
        columns = []
        for k in order:
            if moving or k == 0:
                columns.append(rigged.places[rows, k] * CENTIMETRES)
            columns.append(euler_zxy(matrices(rigged.turns[rows, k])))
        numbers = np.round(np.concatenate(columns, axis=1), 5) + 0.0  # no -0
        line = " ".join(["%.5f"] * numbers.shape[1]) + "\n"
        file.write("".join([line % tuple(row) for row in numbers.tolist()]).encode())


def _children(k: int) -> list[int]:
    return [child for child, node in enumerate(NODES) if node.parent == k]


def _order(k: int) -> Iterator[int]:
    """The nodes as the file lists them: a node, then all that hangs from it."""
    yield k
    for child in _children(k):
        yield from _order(child)


def _tree(offsets: np.ndarray, k: int, moving: bool, indent: str = "") -> Iterator[str]:
    """The lines of a node and of all that hangs from it."""
    inner, place = indent + "\t", " ".join(f"{x:.5f}" for x in offsets[k] + 0.0)
    yield f"{indent}{'JOINT' if k else 'ROOT'} {NODES[k].name}"
    yield f"{indent}{{"
    yield f"{inner}OFFSET {place}"
    yield f"{inner}CHANNELS {f'6 {_MOVE}' if moving or not k else 3} {_TURN}"
    for child in _children(k):
        yield from _tree(offsets, child, moving, inner)
    if not _children(k):
        end = " ".join(f"{x:.5f}" for x in _END * offsets[k] + 0.0)
        yield from (f"{inner}End Site", f"{inner}{{", f"{inner}\tOFFSET {end}", f"{inner}}}")
    yield f"{indent}}}"
