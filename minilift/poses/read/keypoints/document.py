"""A file opened once: what kind of content it has, parsed without trust."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, read_bytes
from minilift.files.npz import read_npy
from minilift.files.what import kind_of

JSON, TEXT, NPY, NPZ, HDF5, PICKLE, OTHER = "json", "text", "npy", "npz", "hdf5", "pickle", "other"

_MAGIC = ((b"\x93NUMPY", NPY), (b"PK\x03\x04", NPZ), (b"\x89HDF\r\n\x1a\n", HDF5), (b"\x80", PICKLE))
_START = 1 << 16  # bytes that tell the kind; most files of one frame have less
_HEAD = 6  # rows that tell the format of a table: DeepLabCut's header has four
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Document:
    """A file and what is in it. `kind` is told by its `start`; the rest is read when it is asked for.

    Raises InputError as `read_bytes` does; so do the properties, where the content is not what it looks like.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = path if isinstance(path, Path) else Path(path)
        self.start = read_bytes(path, first=_START)
        self.kind = self._kind()

    def _kind(self) -> str:
        for beginning, kind in _MAGIC:
            if self.start.startswith(beginning):
                return kind
        if self.start[:1] in (b"{", b"[") and self.start[1:2] != b"\0":
            return JSON
        start = _decoded(self.start[:4096]).lstrip()
        if "\0" in start:
            return OTHER
        if start[:1] in ("{", "["):
            return JSON
        old = self.start[:1] in b"(}]c" and kind_of(self.start).name == "pickle"
        return PICKLE if old else TEXT

    @cached_property
    def content(self) -> bytes:
        return self.start if len(self.start) < _START else read_bytes(self.path)

    @cached_property
    def json(self) -> Any:
        """The value of a JSON document; of JSON lines, a list with one value a line (`lines` is then true).

        Raises InputError with line and column where it is broken, or nested too deeply.
        """
        self.lines = False
        text = _decoded(self.content)
        try:
            return json.loads(text)
        except RecursionError:
            raise file_error(self.path, "is nested too deeply; write plain JSON") from None
        except ValueError as error:
            found = self._json_lines(text)
            if found is None:
                problem = f"is broken JSON{_place(error)}"
                raise file_error(self.path, f"{problem}; write or copy it again") from None
            self.lines = True
            return found

    lines = False
    """Whether `json` is one JSON value a line."""

    @staticmethod
    def _json_lines(text: str) -> list[Any] | None:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            return None

    @cached_property
    def text(self) -> str:
        return _decoded(self.content)

    @cached_property
    def delimiter(self) -> str:
        """What stands between the fields of a table: the first of tab ; , that line 1 has, or blank.

        In that order, for where the comma is the decimal mark there is one in every field.
        """
        first = next((line for line in _decoded(self.start).splitlines() if line.strip()), "")
        return next((mark for mark in "\t;," if mark in first), " ")

    @cached_property
    def head(self) -> list[list[str]]:
        """The first rows of `table`, those of `start`; to tell a format by."""
        text = _decoded(self.start)
        if len(self.start) == _START:
            text = text[: text.rfind("\n") + 1]
        if len(self.start) == _START and text.count("\n") < _HEAD:  # long rows, as of many people at once
            text = "\n".join(self.text.split("\n", _HEAD)[:_HEAD])
        return self._rows(text)

    @cached_property
    def table(self) -> list[list[str]]:
        """Rows of cells without blanks around them; where no comma separates, decimal commas are points."""
        return self._rows(self.text)

    def _rows(self, text: str) -> list[list[str]]:
        if self.delimiter == " ":
            return [line.split() for line in text.splitlines() if line.strip()]
        try:
            rows: Sequence[Sequence[str]] = list(csv.reader(io.StringIO(text), delimiter=self.delimiter))
        except csv.Error as error:
            raise file_error(self.path, f"is no table ({error}); write it again as CSV") from None
        decimal = self.delimiter != ","
        return [[_plain(cell, decimal) for cell in row] for row in rows if any(cell.strip() for cell in row)]

    @cached_property
    def array(self) -> np.ndarray:
        """The array of a .npy file."""
        return read_npy(self.path)


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in _UTF16 else "utf-8-sig"
    return content.decode(encoding, errors="replace")


def _place(error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):  # Python reads no whole number of so many digits
        return f" (a number in it has more than {sys.get_int_max_str_digits():,} digits)"
    return f" at line {error.lineno}, column {error.colno} ({error.msg.lower()})"


def _plain(cell: str, decimal_comma: bool) -> str:
    cell = cell.strip()
    return cell.replace(",", ".") if decimal_comma and cell.count(",") == 1 else cell
