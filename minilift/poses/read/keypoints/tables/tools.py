"""CSV files of two tools that have no columns for joints: Ultralytics' to_csv(), and ML Kit's samples."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minilift.files import file_error
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows
from minilift.poses.read.keypoints.tables import cells
from minilift.poses.read.keypoints.units import unit_of, zeros

_MLKIT = 2 + 3 * 33  # name, class, x y z of each landmark


def is_ultralytics(document: Document) -> bool:
    return bool(document.head) and {"box", "keypoints"} <= set(document.head[0])


def read_ultralytics(document: Document, asked: Asked) -> Raw:
    """Results.to_csv() of Ultralytics: a row a person, with keypoints as Python writes a dict.

    Source: DataExportMixin.to_csv and Results.summary of github.com/ultralytics/ultralytics; of one picture,
    in pixels, or as fractions with normalize=True. The dict has nothing but names and numbers, so that it is
    JSON once its quotes are.
    """
    header, *rows = document.table
    cells.same_length(document, rows, len(header), 1)
    keypoints, place = Rows(document.path), {name: i for i, name in enumerate(header)}
    for i, row in enumerate(rows):
        found = _dict(document, row[place["keypoints"]], i + 2)
        joints = [[x, y] for x, y in zip(found["x"], found["y"], strict=False)]
        keypoints.add(
            0,
            joints,
            2,
            scores=found.get("visible"),
            track=row[place["track_id"]] if "track_id" in place else None,
            weight=_number(row[place["confidence"]]) if "confidence" in place else None,
        )
    raw = keypoints.raw()
    raw.missing = zeros(raw.xy)
    raw.unit = unit_of(document.path, raw.xy, asked)
    return raw


def _number(cell: str) -> float | None:
    return float(cell) if cell and cells.is_number(cell) else None


def _dict(document: Document, cell: str, row: int) -> dict[str, Any]:
    try:
        found = json.loads(cell.replace("'", '"'))
        if not all(isinstance(found[key], list) for key in ("x", "y")) or len(found["x"]) != len(found["y"]):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        problem = f"row {row}: its keypoints are no dict of lists x and y; write the results with to_json()"
        raise file_error(document.path, problem) from None
    return dict(found)


def is_mlkit(document: Document) -> bool:
    if not document.head or len(document.head[0]) != _MLKIT:
        return False
    row = document.head[0]
    return not cells.is_number(row[0]) and all(cells.is_number(cell) for cell in row[2:])


def read_mlkit(document: Document, asked: Asked) -> Raw:
    """The pose samples of ML Kit's classifier: name, class, then x, y, z of 33 landmarks, in pixels.

    Source: PoseSample.java of github.com/googlesamples/mlkit (vision-quickstart), which reads such files; the
    colab "Pose classification (extended)" of MediaPipe writes it. z is a depth; there are no scores.
    """
    rows = document.table
    cells.same_length(document, rows, _MLKIT, 0)
    places = [2 + 3 * joint + axis for joint in range(33) for axis in (0, 1)]
    xy = cells.numbers(document, rows, places, 0).reshape(len(rows), 33, 2)
    note = "unrelated pictures, numbered as they stand in the file; the third number of each joint is a depth"
    return Raw(
        xy, np.arange(len(rows), dtype=np.int64), missing=zeros(xy), layout="mediapipe33",
        unit=unit_of(document.path, xy, asked), stills=True, notes=[note],
    )  # fmt: skip
