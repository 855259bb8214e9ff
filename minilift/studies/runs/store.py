"""The folder of results: a file of JSON for every run, under the hash of what was run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minilift.errors import InputError
from minilift.files import file_error, read_bytes, write_atomically

Record = dict[str, Any]

KINDS: dict[str, type] = {
    "key": str, "training": int, "seed": int, "data": list, "config": dict, "epochs": int, "diverged": bool,
    "best_epoch": int, "history": list, "results": dict, "seconds": float, "machine": dict,
}  # fmt: skip
REMEDY = "move it away, and the run is made again"


class Store:
    """Records by key. A record is whole or not there: files are replaced at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def load(self, key: str) -> Record | None:
        """The record of a run, or None. Raises InputError for a file that holds none."""
        path = self.path(key)
        if not path.exists():
            return None
        try:
            record = json.loads(read_bytes(path))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as problem:
            raise file_error(path, f"no JSON ({type(problem).__name__}); {REMEDY}") from None
        wrong = "" if isinstance(record, dict) else "not an object"
        for name, kind in KINDS.items():
            wrong = wrong or (
                "" if isinstance(record.get(name), kind) else f"{name} is missing or no {kind.__name__}"
            )
        if wrong or record["key"] != key or not all(map(_is_figures, record["results"].values())):
            raise file_error(path, f"no record of this run ({wrong or 'its key or its results'}); {REMEDY}")
        return dict(record)

    def done(self, key: str, evaluations: Iterable[str]) -> Record | None:
        """The record of a run if it is measured on all of these; one that diverged needs no measures."""
        record = self.load(key)
        if record is None or record["diverged"] or set(evaluations) <= record["results"].keys():
            return record
        return None

    def save(self, record: Record) -> None:
        """Keep a record. What an earlier one of the same run was measured on stays in it."""
        try:
            before = self.load(record["key"])
        except InputError:  # whatever it is, it is in the way
            before = None
        kept = before["results"] if before and not record["diverged"] else {}
        text = json.dumps({**record, "results": {**kept, **record["results"]}}, indent=1, allow_nan=False)
        write_atomically(self.path(record["key"]), lambda file: file.write(text.encode() + b"\n"))


def _is_figures(found: Any) -> bool:
    """Whether the measures on one set of poses look as `measure` makes them."""
    return isinstance(found, dict) and all(
        isinstance(figures, dict)
        and all(isinstance(value, float) and math.isfinite(value) for value in figures.values())
        for figures in found.values()
    )
