"""Lifted people as a .npz of plain arrays, and read back: docs/outputs.md lists its keys."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from minilift.files import PathLike, file_error, read_bytes, write_atomically
from minilift.files.mapped import chunks
from minilift.files.npz import read_npz, write_npy
from minilift.poses.body.body import Body
from minilift.poses.joint_state import ESTIMATED
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import AT_ONCE, COLUMNS, OPTIONAL, People, Written, column_of, head_of

_UNKNOWN = {"expected_error": np.nan, "unlike": False}
"""What these have where the weights do not say: the two keys are always there."""

_TEXTS = ("axes", "unit", "layout", "format")


def write_npz_people(path: PathLike, people: People) -> Written:
    """Write them block by block: memory does not grow with the rows. No pickle, equal people equal bytes."""
    head = head_of(people)

    def fill(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name in COLUMNS:
                if name in OPTIONAL and name not in _UNKNOWN and getattr(head, name) is None:
                    continue
                kind, row = COLUMNS[name]
                parts = column_of(people, name) if getattr(head, name) is not None else _unknown(people, name)
                _write_column(archive, name, kind, (len(people), *row), parts)
                if name == "state":
                    masks = (state > ESTIMATED for state in column_of(people, name))
                    _write_column(archive, "mask", "|b1", (len(people), *row), masks)
            for name, value in _settings(head).items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                    write_npy(member, value)

    write_atomically(path, fill)
    unknown = [name for name in _UNKNOWN if getattr(head, name) is None]
    told = f"not known of these weights: {' and '.join(unknown)}, so expected_error is NaN and unlike false"
    return Written((Path(path),), (told,) if unknown else ())


def read_people(path: PathLike) -> LiftedPeople:
    """The people of a file that `write_npz_people` wrote, to the same bits.

    Raises InputError for a file that has not these keys, shapes and types.
    """
    content: dict[str, Any] = dict(read_npz(path, read_bytes(path)))
    missing = [name for name in (*COLUMNS, *_TEXTS, "known", "camera") if name not in content]
    missing = [name for name in missing if name not in OPTIONAL]
    if missing:
        raise file_error(path, f"no key {missing[0]}, so it holds no lifted people; give a file of predict")
    n = len(content["frame"]) if content["frame"].ndim else 0
    known = [str(name) for name in content["known"].ravel()]
    arrays: dict[str, Any] = {}
    for name, (kind, row) in COLUMNS.items():
        if name in OPTIONAL and name not in known:
            arrays[name] = None
            continue
        array = content.get(name)
        if array is None or array.shape != (n, *row) or array.dtype != np.dtype(kind):
            found = "nothing" if array is None else f"{array.shape} of {array.dtype}"
            expected = f"{(n, *row)} of {np.dtype(kind)}"
            raise file_error(path, f"{name} is {found}, not {expected}; write the file again")
        arrays[name] = array
    try:
        return LiftedPeople(**arrays, **_read_settings(content))
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RecursionError) as problem:
        raise file_error(path, f"settings that cannot be read ({problem}); write the file again") from None


def _unknown(people: People, name: str) -> Iterator[np.ndarray]:
    for rows in chunks(len(people), AT_ONCE):
        yield np.full((rows.stop - rows.start, *COLUMNS[name][1]), _UNKNOWN[name])


def _write_column(
    archive: zipfile.ZipFile, name: str, kind: str, shape: tuple[int, ...], parts: Iterator[np.ndarray]
) -> None:
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
        header = {"descr": kind, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(cast(BinaryIO, member), header)
        for part in parts:
            member.write(np.ascontiguousarray(part, kind).tobytes())


def _settings(head: LiftedPeople) -> dict[str, np.ndarray]:
    """All that is no column: text as arrays of text, what has a structure as JSON."""
    camera = head.camera
    lens = [[camera.get("fx"), 0, camera.get("cx")], [0, camera.get("fy"), camera.get("cy")], [0, 0, 1]]
    return {
        "joint_names": np.array(head.joint_names),
        "joint_parents": np.array(COURSE15.parents, "<i8"),
        **{name: np.array(getattr(head, name)) for name in _TEXTS},
        "fps": np.array(np.nan if head.fps is None else head.fps, "<f8"),
        "size": np.array(head.size or (), "<i8"),
        "to_camera": np.asarray(head.to_camera, "<f8"),
        "camera_matrix": np.array(lens, "<f8"),
        "distortion": np.array(camera.get("distortion", np.zeros(5)), "<f8"),
        "stills": np.array(head.stills),
        "rays": np.array(head.rays),
        "camera": np.array(json.dumps(camera)),
        "people": np.array(json.dumps({str(k): v for k, v in head.people.items()})),
        "body": np.array(json.dumps({str(k): v for k, v in head.body.items()})),
        "media": np.array(head.media or ""),
        "notes": np.array(head.notes, "U" if head.notes else "<U1"),
        "warnings": np.array(head.warnings, "U" if head.warnings else "<U1"),
        "known": np.array([name for name in OPTIONAL if getattr(head, name) is not None] or [""]),
    }


def _read_settings(content: Mapping[str, np.ndarray]) -> dict[str, Any]:
    size = tuple(int(side) for side in content["size"].ravel())
    fps, camera = float(content["fps"]), json.loads(str(content["camera"]))
    people = json.loads(str(content["people"]))
    body = json.loads(str(content["body"])) if "body" in content else {}
    body = {int(number): Body.from_dict(one).as_dict() for number, one in body.items()}
    if len(size) not in (0, 2) or not isinstance(camera, dict) or content["to_camera"].shape != (3, 4):
        raise ValueError("size, camera or to_camera")
    return {
        **{name: str(content[name]) for name in _TEXTS},
        "fps": None if np.isnan(fps) else fps,
        "size": size or None,
        "to_camera": content["to_camera"].astype(np.float64),
        "stills": bool(content["stills"]),
        "rays": bool(content["rays"]),
        "camera": camera,
        "people": {int(number): str(name) for number, name in people.items()},
        "body": body,
        "media": str(content["media"]) or None if "media" in content else None,
        "notes": tuple(str(line) for line in content["notes"].ravel()),
        "warnings": tuple(str(line) for line in content["warnings"].ravel()),
    }
