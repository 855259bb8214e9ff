"""Reading what a training run wrote down: log.csv and record.npz, neither of which is trusted."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, one_line, read_bytes
from minilift.files.npz import read_npz
from minilift.files.what import wrong_kind

Rows = list[dict[str, float]]

# The arrays of a record.npz, and by whose names their columns go
RECORD = {
    "gradient_mean": "", "gradient_norm": "",
    "weight_names": "", "activation_names": "", "relu_names": "",
    "weight_mean": "weight_names", "weight_std": "weight_names",
    "activation_mean": "activation_names", "activation_std": "activation_names", "dead": "relu_names",
}  # fmt: skip


def read_log(path: PathLike) -> Rows:
    """The rows of a log.csv, a dict of numbers each; a cell that is empty is left out.

    Raises InputError naming the file: not there, no table of numbers, no column `epoch`, no rows.
    """
    remedy = "name the log.csv of a training run"
    content = read_bytes(path, remedy)
    try:
        rows = clean_rows(csv.DictReader(io.StringIO(content.decode(), newline="")))
    except (csv.Error, ValueError, TypeError) as error:  # float() raises the last of a row that is too long
        why = one_line(str(error), 80)
        raise wrong_kind(path, content, "a table of numbers", remedy, why, "log") from None
    if not rows:
        raise wrong_kind(path, content, "a table of numbers", remedy, "no epoch was finished", "log")
    return rows


def clean_rows(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Rows of a log as numbers. Raises ValueError for what is none, and for a row without its epoch."""
    found = [{name: float(cell) for name, cell in row.items() if cell not in ("", None)} for row in rows]
    for row in found:
        if not math.isfinite(row.get("epoch", math.nan)):
            raise ValueError("a row without its epoch")
    return found


def read_record(path: PathLike) -> dict[str, np.ndarray]:
    """The arrays of a record.npz, by the names of RECORD, and `epochs`.

    Raises InputError naming the file if it is not there, or if they do not fit together.
    """
    remedy = "name the record.npz of a training run"
    found = read_npz(path, read_bytes(path, remedy))
    try:
        arrays = {name: np.asarray(found[name]) for name in (*RECORD, "epochs")}
    except KeyError as missing:
        raise file_error(path, f"no array {missing}; {remedy}") from None
    for name, array in arrays.items():
        shape: tuple[int, ...] = (array.size,)
        if RECORD.get(name):
            shape = arrays["epochs"].size, arrays[RECORD[name]].size
        kind = "U" if name.endswith("names") else "i" if name == "epochs" else "f"
        if array.shape != shape or array.dtype.kind != kind:
            problem = f"{name} has shape {array.shape} of {array.dtype}, which does not fit the others"
            raise file_error(path, f"{problem}; {remedy}")
    if arrays["gradient_mean"].shape != arrays["gradient_norm"].shape:
        raise file_error(path, f"gradient_mean and gradient_norm are not of the same steps; {remedy}")
    return arrays
