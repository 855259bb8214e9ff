"""Lifted people as glTF, in one binary file (.glb): skeletons with turns, and a simple body to see.

The file is JSON and one buffer of numbers, so no library is needed for it.
Source: Khronos, "glTF 2.0 Specification", 2021.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minilift.files import PathLike, write_atomically
from minilift.poses.write.people.motion import motion_of, whole_bodies
from minilift.poses.write.people.rig import NODES, Rigged, rig
from minilift.poses.write.people.rows import People, Written, head_of

_FLOAT, _SHORT, _BYTE = 5126, 5123, 5121  # componentType
_KINDS = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_ARRAY, _ELEMENTS = 34962, 34963  # target of a bufferView
_STILL = 1e-4  # metres: a joint that moves less against its parent has no channel for it
_WAIST = 0.2  # where along a bone its body is thickest
_SIDES = (("right", (0.835, 0.369, 0.0)), ("left", (0.0, 0.447, 0.698)), ("middle", (0.45, 0.45, 0.45)))
"""Okabe and Ito's vermilion and blue, as in every picture of people here; grey is neither side."""


@dataclass
class _File:
    """The parts of a glTF document, and its buffer."""

    nodes: list[dict[str, Any]] = field(default_factory=list)
    skins: list[dict[str, Any]] = field(default_factory=list)
    meshes: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    samplers: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def array(self, values: np.ndarray, kind: int, target: int | None = None, bounds: bool = False) -> int:
        """The number of a new accessor of rows (n, k), or of numbers (n,)."""
        dtype = {_FLOAT: "<f4", _SHORT: "<u2", _BYTE: "u1"}[kind]
        plain = np.ascontiguousarray(values, dtype)
        raw = plain.tobytes()
        raw += bytes(-len(raw) % 4)
        view = {"buffer": 0, "byteOffset": self.size, "byteLength": plain.nbytes}
        self.views.append(view | ({"target": target} if target else {}))
        self.parts.append(raw)
        self.size += len(raw)
        width = 1 if plain.ndim == 1 else plain.shape[1]
        row: dict[str, Any] = {"bufferView": len(self.views) - 1, "componentType": kind}
        row |= {"count": len(plain), "type": _KINDS[width]}
        if bounds:  # of the float32 numbers, exactly
            columns = plain.reshape(len(plain), width)
            row |= {"min": columns.min(axis=0).tolist(), "max": columns.max(axis=0).tolist()}
        self.accessors.append(row)
        return len(self.accessors) - 1

    def move(self, node: int, path: str, times: int, values: np.ndarray) -> None:
        """Animate a node: `path` is rotation or translation."""
        self.samplers.append(
            {"input": times, "output": self.array(values, _FLOAT), "interpolation": "LINEAR"}
        )
        target = {"node": node, "path": path}
        self.channels.append({"sampler": len(self.samplers) - 1, "target": target})


def write_glb(path: PathLike, people: People) -> Written:
    """Everybody in one file: y up, metres, time 0 at the first frame of all.

    Joints are exactly where they are: turns as rig.py says, and positions where bones change their length.
    Between frames, and in gaps, a viewer turns evenly; before and after theirs, people stand still.
    """
    motion = whole_bodies(path, motion_of(path, people))
    names, file = head_of(people).people, _File()
    first = min(int(mover.frames[0]) for mover in motion.movers)
    tops: list[int] = []
    for mover in motion.movers:
        label = f"person{mover.person}"
        extras = {"person": mover.person, "name": names.get(mover.person, label)}
        tops += _person(file, rig(mover), label, extras, (mover.frames - first) / motion.fps)
    content = _glb(file, tops, ["glTF: y up, metres", *motion.notes])
    write_atomically(path, lambda out: out.write(content))
    notes = [f"glb: y up, metres; time 0 is frame {first}", *motion.notes]
    if len({(mover.frames[0], mover.frames[-1]) for mover in motion.movers}) > 1:
        notes.append("glb: people who come later or go earlier stand still meanwhile")
    return Written((Path(path),), tuple(notes))


def _person(
    file: _File, rigged: Rigged, label: str, extras: dict[str, Any], times: np.ndarray
) -> tuple[int, int]:
    """Add nodes, skin, mesh and animation of one person; return the nodes of root and mesh."""
    base = len(file.nodes)
    rest = rigged.offsets.copy()
    rest[0, 1] = -rigged.offsets[1:4, 1].sum()  # stands on the floor: the right leg's lengths
    for k, node in enumerate(NODES):
        children = [base + child for child, other in enumerate(NODES) if other.parent == k]
        row = {"name": f"{label}_{node.name}", "translation": np.round(rest[k], 6).tolist()}
        file.nodes.append(row | ({"children": children} if children else {}))
    clock = file.array(times, _FLOAT, bounds=True)
    for k in range(len(NODES)):
        if any(other.parent == k for other in NODES):  # the ends of limbs never turn
            file.move(base + k, "rotation", clock, rigged.turns[:, k])
        if np.abs(rigged.places[:, k] - rest[k]).max() > _STILL:
            file.move(base + k, "translation", clock, rigged.places[:, k])
    where = _placed(rest)
    back = np.tile(np.eye(4), (len(NODES), 1, 1))
    back[:, :3, 3] = -where
    columns = back.transpose(0, 2, 1).reshape(-1, 16)  # glTF stores matrices by column
    joints = list(range(base, base + len(NODES)))
    file.skins.append(
        {"joints": joints, "skeleton": base, "inverseBindMatrices": file.array(columns, _FLOAT)}
    )
    file.meshes.append({"name": f"{label}_body", "primitives": _body(file, where)})
    number = len(file.meshes) - 1
    file.nodes.append({"name": label, "mesh": number, "skin": number, "extras": extras})
    return base, len(file.nodes) - 1


def _placed(rest: np.ndarray) -> np.ndarray:
    """Where the nodes (N, 3) are in the rest pose."""
    where = rest.copy()
    for k, node in enumerate(NODES):
        if node.parent >= 0:
            where[k] = where[node.parent] + rest[k]
    return where


def _body(file: _File, where: np.ndarray) -> list[dict[str, Any]]:
    """A mesh of double cones, one a bone, that turn with the bone's node: a part for each side."""
    found = []
    for material, (side, _) in enumerate(_SIDES):
        corners, owners = [], []
        for k, node in enumerate(NODES):
            own = next((name for name in ("right", "left") if node.name.startswith(name)), "middle")
            if own == side and np.linalg.norm(where[k] - where[node.parent]) > _STILL and node.parent >= 0:
                corners.append(_cone(where[node.parent], where[k]))
                owners += [node.parent] * len(corners[-1])
        if not corners:
            continue
        points = np.concatenate(corners)
        faces = points.reshape(-1, 3, 3)
        normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        joints = np.zeros((len(points), 4))
        joints[:, 0] = owners
        attributes = {
            "POSITION": file.array(points, _FLOAT, _ARRAY, bounds=True),
            "NORMAL": file.array(np.repeat(normals, 3, axis=0), _FLOAT, _ARRAY),
            "JOINTS_0": file.array(joints, _BYTE, _ARRAY),
            "WEIGHTS_0": file.array(np.tile([1.0, 0, 0, 0], (len(points), 1)), _FLOAT, _ARRAY),
        }
        indices = file.array(np.arange(len(points)), _SHORT, _ELEMENTS)
        found.append({"attributes": attributes, "indices": indices, "material": material})
    return found


def _cone(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The corners (24, 3) of the eight triangles of a double cone from start to end, seen from outside."""
    bone = end - start
    length = float(np.linalg.norm(bone))
    side = np.cross(bone, np.eye(3)[np.abs(bone).argmin()])
    side *= 0.1 * length / np.linalg.norm(side)
    other = np.cross(bone / length, side)
    ring = [start + _WAIST * bone + turn for turn in (side, other, -side, -other)]
    pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    return np.array([c for a, b in pairs for c in (a, b, end)] + [c for a, b in pairs for c in (b, a, start)])


def _glb(file: _File, tops: list[int], notes: list[str]) -> bytes:
    materials = [
        {"name": side, "pbrMetallicRoughness": {"baseColorFactor": [*colour, 1.0], "metallicFactor": 0.0}}
        for side, colour in _SIDES
    ]
    document = {
        "asset": {"version": "2.0", "generator": "minilift", "extras": {"notes": notes}},
        "scene": 0,
        "scenes": [{"nodes": tops}],
        "nodes": file.nodes,
        "skins": file.skins,
        "meshes": file.meshes,
        "materials": materials,
        "animations": [{"name": "people", "samplers": file.samplers, "channels": file.channels}],
        "accessors": file.accessors,
        "bufferViews": file.views,
        "buffers": [{"byteLength": file.size}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + file.size
    chunks = [struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A), text]
    return b"".join([*chunks, struct.pack("<II", file.size, 0x004E4942), *file.parts])
