"""Reading log.csv, the row per epoch that train.py keeps beside the weights."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from minilift.errors import InputError
from minilift.files import read_bytes

Log = dict[str, list[float | None]]

LARGEST = 16 << 20  # bytes: 200,000 epochs


def read_log(path: Path) -> Log:
    """The columns by name, None where a cell is empty or no number; {} where there is no log, or it is none.

    The log is beside the point of an evaluation, so that a damaged one is left out and never stops it.
    """
    try:
        text = read_bytes(path, first=LARGEST).decode()
        rows = list(csv.DictReader(io.StringIO(text)))
    except (InputError, ValueError, csv.Error):
        return {}
    names = rows[0].keys() if rows else ()
    if "epoch" not in names or None in names:
        return {}
    return {name: [_number(row[name]) for row in rows] for name in names}


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
