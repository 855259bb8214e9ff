"""DeepLabCut's CSV: header rows scorer, (individuals,) bodyparts, coords; then a row a frame.

Source: deeplabcut/pose_estimation_pytorch/apis/videos.py (create_df_from_prediction) and
deeplabcut/pose_estimation_tensorflow/predict_videos.py of github.com/DeepLabCut/DeepLabCut: a pandas table
with these levels of columns, written with to_csv. Hand-made labels (CollectedData) have no likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilift.files import file_error, one_line
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.tables import cells

_LEVELS = ("scorer", "individuals", "bodyparts", "coords")


def is_deeplabcut(document: Document) -> bool:
    first = [row[0].lower() for row in document.head[:4] if row]
    return first[:1] == ["scorer"] and "bodyparts" in first and "coords" in first


def read_deeplabcut(document: Document, asked: Asked) -> Raw:
    table = document.table
    names = [row[0].lower() for row in table[:4]]
    depth = 4 if names[1] == "individuals" else 3
    header = {name: row for name, row in zip(names, table[:depth], strict=False) if name in _LEVELS}
    if not {"bodyparts", "coords"} <= header.keys():
        raise file_error(document.path, "has no header rows bodyparts and coords; write the file again")
    coords, rows = header["coords"], table[depth:]
    first = next((i for i, cell in enumerate(coords) if cell.lower() in ("x", "y", "z")), len(coords))
    for level, row in header.items():
        if len(row) != len(coords):
            problem = f"{len(row)} fields in row {level}, {len(coords)} in row coords"
            raise file_error(document.path, f"{problem}; write the file again")
    cells.same_length(document, rows, len(coords), depth)
    values = cells.numbers(document, rows, range(first, len(coords)), depth)
    people = header.get("individuals", [""] * len(coords))
    columns = list(zip(people[first:], header["bodyparts"][first:], coords[first:], strict=True))
    frame = cells.frame_numbers(document, [row[first - 1] for row in rows], depth, first - 1)
    return of_columns(document, columns, values, frame)


def of_columns(
    document: Document, columns: Sequence[tuple[str, str, str]], values: np.ndarray, frame: np.ndarray
) -> Raw:
    """The people of a table whose columns are (individual, body part, coordinate), in CSV or HDF5.

    Raises InputError for tables with a z, and for body parts without x and y.
    """
    place = {column: i for i, column in enumerate(columns)}
    if any(coordinate.lower() == "z" for _, _, coordinate in columns):
        problem = "is 3D already: its coords are x, y and z, as DeepLabCut's triangulation writes them"
        raise file_error(document.path, f"{problem}; give the 2D file of one camera")
    who = list(dict.fromkeys(person for person, _, _ in columns))
    whole = {"x", "y"}
    parts = [
        part
        for part in dict.fromkeys(part for _, part, _ in columns)
        if all(
            whole <= {c for p, b, c in columns if b == part and p == person}
            for person in _with(columns, part)
        )
    ]
    if not parts:
        shown = one_line(", ".join(dict.fromkeys(part for _, part, _ in columns)), 80)
        raise file_error(document.path, f"body parts {shown} have no x and y; write the file again")
    scored = any(coordinate == "likelihood" for _, _, coordinate in columns)
    found = np.full((len(who), len(frame), len(parts), 3), np.nan)
    for p, person in enumerate(who):
        for b, part in enumerate(parts):
            for c, coordinate in enumerate(("x", "y", "likelihood")):
                at = place.get((person, part, coordinate))
                if at is not None:
                    found[p, :, b, c] = values[:, at]
    joints = found.transpose(1, 0, 2, 3).reshape(-1, len(parts), 3)
    return Raw(
        joints[:, :, :2],
        np.repeat(frame, len(who)),
        score=joints[:, :, 2] if scored else None,
        track=None if who == [""] else [one_line(person, 40) for _ in frame for person in who],
        frames=np.unique(frame),
        names=tuple(parts),
    )


def _with(columns: Sequence[tuple[str, str, str]], part: str) -> set[str]:
    return {person for person, body, _ in columns if body == part}
