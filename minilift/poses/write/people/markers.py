"""Lifted people as files of markers, for biomechanics: TRC (OpenSim, Pose2Sim) and C3D. A file a person.

Markers have the names that Pose2Sim and its models for OpenSim use. A frame without the person, or a joint
without a place, is a gap: empty cells in TRC, residual -1 in C3D.
Source: OpenSim's documentation, "Marker (.trc) Files"; the C3D file format, c3d.org.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minilift.extras import load
from minilift.files import PathLike, file_error, write_atomically
from minilift.files.mapped import chunks
from minilift.poses.layouts import COURSE15
from minilift.poses.write.people.motion import Mover, gaps, motion_of, own_file
from minilift.poses.write.people.rows import People, Written, head_of

MARKERS = tuple(
    "Hip" if name == "root" else "".join(
        {"left": "L", "right": "R"}.get(word, word.capitalize()) for word in name.split("_")
    )
    for name in ("root", *COURSE15.joints)
)  # fmt: skip
"""Hip (the mid-hip), RHip, RKnee, RAnkle, LHip, ..., Spine, Neck, Head, ..., RWrist."""

MOST_C3D = 65535  # frames: the header has 16 bits for the number of the last


def write_trc(path: PathLike, people: People) -> Written:
    """Y up and metres; frame numbers and times are those of the input."""
    motion = motion_of(path, people)
    notes = ["trc: y up, metres", *motion.notes]
    files = []
    for mover in motion.movers:
        file = own_file(path, motion, mover)
        write_atomically(file, partial(_trc, name=file.name, mover=mover, fps=motion.fps))
        files.append(file)
        notes += _told("trc", mover)
    return Written(tuple(files), tuple(notes))


def write_c3d(path: PathLike, people: People) -> Written:
    """Millimetres; z up where the people's axes are z-up, y up otherwise, as POINT:X_SCREEN and Y_SCREEN say.

    Raises InputError where ezc3d is missing, and for frame numbers that a C3D file has no room for.
    """
    ezc3d = load("ezc3d", "writing .c3d")
    up = "z" if head_of(people).axes == "z-up" else "y"
    motion = motion_of(path, people, up)
    notes = [f"c3d: {up} up, millimetres", *motion.notes]
    files = []
    for mover in motion.movers:
        file = own_file(path, motion, mover)
        if not 0 <= mover.frames[0] <= mover.frames[-1] < MOST_C3D:
            problem = (
                f"frames {mover.frames[0]} to {mover.frames[-1]}, and C3D counts from 0 to {MOST_C3D - 1}"
            )
            raise file_error(file, f"{problem}; write trc, or cut the clip")
        content = _c3d(ezc3d, file, mover, motion.fps, up)
        write_atomically(file, lambda out, content=content: out.write(content))  # type: ignore[misc]
        files.append(file)
        notes += _told("c3d", mover)
    return Written(tuple(files), tuple(notes))


def _told(kind: str, mover: Mover) -> list[str]:
    missing = gaps(mover)
    return [f"{kind}, person {mover.person}: {missing:,} frames without them are gaps"] if missing else []


def _whole(mover: Mover, rows: slice) -> np.ndarray:
    """(f, 16, 3) for frames `rows` of all from the first to the last, NaN where there is nothing."""
    numbers = np.arange(mover.frames[0] + rows.start, mover.frames[0] + rows.stop)
    found = np.full((len(numbers), *mover.points.shape[1:]), np.nan)
    at = np.searchsorted(mover.frames, numbers)
    there = mover.frames[np.minimum(at, len(mover.frames) - 1)] == numbers
    found[there] = mover.points[at[there]]
    return found


def _trc(file: BinaryIO, name: str, mover: Mover, fps: float) -> None:
    first, rate = int(mover.frames[0]), f"{fps:.9g}"
    axes = "\t".join(f"{axis}{number}" for number in range(1, len(MARKERS) + 1) for axis in "XYZ")
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{mover.span}\t{len(MARKERS)}\tm\t{rate}\t{first}\t{mover.span}",
        "Frame#\tTime\t" + "\t\t\t".join(MARKERS) + "\t\t",
        f"\t\t{axes}",
        "",
    ]
    file.write(("\n".join(lines) + "\n").encode())
    text = "\t".join(["%.6f"] * 3 * len(MARKERS))
    for rows in chunks(mover.span, 1 << 12):
        points = np.round(_whole(mover, rows).reshape(rows.stop - rows.start, -1), 6) + 0.0
        for number, row in enumerate(points.tolist(), first + rows.start):
            cells = (text % tuple(row)).replace("nan", "")
            file.write(f"{number}\t{number / fps:.9g}\t{cells}\n".encode())


def _c3d(ezc3d: Any, file: Path, mover: Mover, fps: float, up: str) -> bytes:
    points = _whole(mover, slice(0, mover.span)) * 1000
    seen = np.isfinite(points).all(axis=2)
    made = ezc3d.c3d()
    rows = np.ones((4, len(MARKERS), mover.span))
    rows[:3] = points.transpose(2, 1, 0)
    made["parameters"]["POINT"]["RATE"]["value"] = [fps]
    made["parameters"]["POINT"]["LABELS"]["value"] = list(MARKERS)
    made["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    made.add_parameter("POINT", "X_SCREEN", ["+X"])
    made.add_parameter("POINT", "Y_SCREEN", [f"+{up.upper()}"])
    made["header"]["points"]["first_frame"] = int(mover.frames[0])
    made["data"]["points"] = rows
    made["data"]["meta_points"]["residuals"] = np.where(seen.T[None], 0.0, -1.0)
    with tempfile.TemporaryDirectory() as folder:  # the library writes to names only
        place = Path(folder) / file.name
        made.write(str(place))
        return place.read_bytes()
