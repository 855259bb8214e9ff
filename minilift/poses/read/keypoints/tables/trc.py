"""Sports2D's TRC of pixels: a format of 3D markers that holds 2D keypoints.

Source: Sports2D/process.py of github.com/davidpagnon/Sports2D (make_trc_with_trc_data): NAME_px_person00.trc
has pixels, y down, with Z 0; its header says Units m all the same. NAME_m_person00.trc has metres, which are
no keypoints.
"""

from __future__ import annotations

import numpy as np

from minilift.files import file_error, one_line
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.tables import cells

_METRES = 20.0  # no person walks further from the origin of a laboratory


def is_trc(document: Document) -> bool:
    return document.start.lstrip(b"\xef\xbb\xbf").startswith(b"PathFileType")


def read_trc(document: Document, asked: Asked) -> Raw:
    table = document.table
    if len(table) < 6 or "Frame#" not in table[3][:1]:
        raise file_error(document.path, "is a TRC file without frames; write it again")
    names = [name for name in table[3][2:] if name]
    if not names:
        raise file_error(document.path, "is a TRC file without markers; write it again")
    rows = [
        row + [""] * (2 + 3 * len(names) - len(row)) for row in table[5:]
    ]  # blanks at the end are left out
    values = cells.numbers(document, rows, range(2, 2 + 3 * len(names)), 5).reshape(len(rows), -1, 3)
    sizes = np.abs(values[..., :2][np.isfinite(values[..., :2])])
    flat = not np.nan_to_num(values[..., 2]).any()
    named = "_px_" in document.path.name or any("_px_" in cell for cell in table[0])
    if not flat or not (named or (len(sizes) and np.median(sizes) > _METRES)):
        raise file_error(
            document.path,
            "is a TRC file, which is 3D already: markers in metres or millimetres; of Sports2D's files, give "
            "the one of pixels, with _px_ in its name",
        )
    frame = cells.frame_numbers(document, [row[0] for row in rows], 5, 0)
    return Raw(
        values[..., :2],
        frame,
        names=tuple(one_line(name, 40) for name in names),
        fps=_rate(table[2]),
        notes=["a TRC file of pixels, as Sports2D writes it"],
    )


def _rate(row: list[str]) -> float | None:
    rate = float(row[0]) if row and cells.is_number(row[0]) and row[0] else 0.0
    return rate if 0 < rate < 1e6 else None
