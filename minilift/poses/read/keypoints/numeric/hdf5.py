"""HDF5 files of keypoints, through h5py: SLEAP's analysis files, and DeepLabCut's tables of pandas.

Sources: sleap/info/write_tracking_h5.py of github.com/talmolab/sleap; pandas/io/pytables.py of
github.com/pandas-dev/pandas for the tables that DeepLabCut writes with DataFrame.to_hdf.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minilift import extras
from minilift.errors import InputError
from minilift.files import file_error, one_line
from minilift.files.npz import LARGEST_RATIO, SMALL
from minilift.files.pickles.opaque import Opaque
from minilift.files.pickles.safe import SafeUnpickler, unpickle
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.tables.deeplabcut import of_columns

_AGAIN = "export it again"


class _File:
    """An open HDF5 file whose data are all in it: links and data of other files are not followed."""

    def __init__(self, document: Document) -> None:
        self.document = document
        h5py = extras.load("h5py", "reading HDF5 files")
        self.h5py = h5py
        self.file = h5py.File(io.BytesIO(document.content), "r")

    def names(self, group: Any) -> list[str]:
        """The members of a group that are in this file themselves."""
        return [name for name in group if isinstance(group.get(name, getlink=True), self.h5py.HardLink)]

    def array(self, group: Any, name: str) -> np.ndarray | None:
        """A data set as an array, None where there is none. Raises InputError for absurd sizes."""
        if name not in self.names(group):
            return None
        found = group[name]
        if not isinstance(found, self.h5py.Dataset):
            return None
        if found.is_virtual or found.external:
            raise file_error(self.document.path, f"{one_line(name, 40)} lies in another file; {_AGAIN}")
        size = math.prod(found.shape or ()) * found.dtype.itemsize
        if size > max(SMALL, LARGEST_RATIO * len(self.document.content)):
            raise file_error(self.document.path, f"{one_line(name, 40)} claims {size} bytes; {_AGAIN}")
        return np.asarray(found[()])


@contextmanager
def _opened(document: Document) -> Iterator[_File]:
    """Raises InputError for whatever h5py finds wrong with a file."""
    try:
        file = _File(document)
        with file.file:
            yield file
    except InputError:
        raise
    # h5py: OSError, KeyError, RuntimeError, TypeError, ValueError, MemoryError for damaged files
    except Exception as error:
        problem = f"is a damaged HDF5 file ({one_line(str(error), 80)})"
        raise file_error(document.path, f"{problem}; copy or export it again") from None


def is_sleap(document: Document) -> bool:
    return b"node_names" in document.content and b"tracks" in document.content


def is_deeplabcut(document: Document) -> bool:
    return b"bodyparts" in document.content or b"pandas_type" in document.content


def read_sleap(document: Document, asked: Asked) -> Raw:
    """tracks (track, xy, node, frame), or its mirror image (frame, node, xy, track)."""
    with _opened(document) as file:
        here: dict[str, Any] = {
            name: file.array(file.file, name)
            for name in ("tracks", "node_names", "track_names", "point_scores", "instance_scores")
        }
    tracks, names = here["tracks"], here["node_names"]
    if tracks is None or names is None or tracks.ndim != 4 or tracks.dtype.kind != "f" or names.ndim != 1:
        raise file_error(document.path, f"has no tracks (track, xy, node, frame) of nodes; {_AGAIN}")
    nodes = len(names)
    mirrored = tracks.shape[1:3] == (nodes, 2)
    if not mirrored and tracks.shape[1:3] != (2, nodes):
        problem = f"tracks of shape {tracks.shape} do not fit {nodes} nodes"
        raise file_error(document.path, f"{problem}; {_AGAIN}")
    places = tracks.transpose(0, 3, 1, 2) if mirrored else tracks.transpose(3, 0, 2, 1)
    frames, people = places.shape[:2]
    score = _beside(here["point_scores"], mirrored, (frames, people, nodes))
    weight = _beside(here["instance_scores"], mirrored, (frames, people))
    who = _texts(here["track_names"])
    frame = np.repeat(np.arange(frames, dtype=np.int64), people)
    return Raw(
        places.reshape(-1, nodes, 2).astype(np.float64),
        frame,
        score=None if score is None else score.reshape(-1, nodes),
        weight=None if weight is None else weight.reshape(-1),
        track=[name for _ in range(frames) for name in who] if len(who) == people else None,
        frames=np.arange(frames, dtype=np.int64),
        names=tuple(_texts(names)),
    )


def _beside(found: np.ndarray | None, mirrored: bool, shape: tuple[int, ...]) -> np.ndarray | None:
    """Scores (frame, track, ...) of those stored in the order of the tracks, without their xy."""
    if found is None or found.ndim != len(shape) or found.dtype.kind != "f":
        return None
    axes = {3: (0, 2, 1), 2: (0, 1)} if mirrored else {3: (2, 0, 1), 2: (1, 0)}
    turned = found.transpose(axes[found.ndim])
    return turned if turned.shape == shape else None


def _texts(found: np.ndarray | None) -> list[str]:
    if found is None or found.dtype.kind not in "SUO" or found.ndim != 1:
        return []
    return [
        one_line(one.decode(errors="replace") if isinstance(one, bytes) else str(one), 40) for one in found
    ]


def read_deeplabcut(document: Document, asked: Asked) -> Raw:
    """A pandas table: format "table" (DeepLabCut's own), or "fixed" (to_hdf without a word)."""
    with _opened(document) as file:
        for name in file.names(file.file):
            group = file.file[name]
            inside = set(file.names(group)) if isinstance(group, file.h5py.Group) else set()
            if "table" in inside:
                columns, values, frame = _of_table(file, group)
                break
            if "block0_values" in inside:
                columns, values, frame = _of_blocks(file, group)
                break
        else:
            raise file_error(document.path, "has no table of DeepLabCut in it; give its CSV")
    return of_columns(document, [_column(document, column) for column in columns], values, frame)


def _column(document: Document, levels: Any) -> tuple[str, str, str]:
    """(individual, body part, coordinate) of (scorer, (individual,) body part, coordinate)."""
    if not isinstance(levels, (tuple, list)) or len(levels) not in (3, 4):
        raise file_error(document.path, "its columns are not DeepLabCut's (scorer, bodyparts, coords)")
    return ("" if len(levels) == 3 else str(levels[1])), str(levels[-2]), str(levels[-1])


_Table = tuple[list[Any], np.ndarray, np.ndarray]


def _of_table(file: _File, group: Any) -> _Table:
    """Format "table": a compound of the index and blocks of values; attributes have the columns, pickled."""
    rows = file.array(group, "table")
    if rows is None or rows.dtype.names is None:
        raise ValueError("a table without columns")
    columns: list[Any] = []
    blocks: list[np.ndarray] = []
    for name in rows.dtype.names:
        if not name.startswith("values_block_"):
            continue
        block = np.asarray(rows[name], np.float64).reshape(len(rows), -1)
        labels = _unpickled(file, group["table"].attrs[f"{name}_kind"])
        if not isinstance(labels, (list, tuple)) or len(labels) != block.shape[1]:
            raise ValueError("columns that do not fit the values")
        columns += labels
        blocks.append(block)
    return columns, np.concatenate(blocks, axis=1), _frames(file, rows["index"])


def _of_blocks(file: _File, group: Any) -> _Table:
    """Format "fixed": the values of one block, the levels of its columns and their labels."""
    levels: list[list[str]] = []
    for level in range(8):
        names = file.array(group, f"block0_items_level{level}")
        labels = file.array(group, f"block0_items_label{level}")
        if names is None or labels is None:
            break
        known = _texts(names)
        levels.append([known[label] for label in labels])
    values, index = file.array(group, "block0_values"), file.array(group, "axis1")
    if values is None or values.ndim != 2 or index is None:
        raise ValueError("a table without values or index")
    return list(zip(*levels, strict=True)), np.asarray(values, np.float64), _frames(file, index)


def _frames(file: _File, index: np.ndarray) -> np.ndarray:
    if index.dtype.kind not in "iu":
        return np.arange(len(index), dtype=np.int64)
    return index.astype(np.int64)


def _unpickled(file: _File, attribute: Any) -> Any:
    """What PyTables pickled into an attribute: lists, tuples and text, read without running anything."""
    raw = bytes(attribute) if isinstance(attribute, (bytes, np.bytes_)) else bytes(np.asarray(attribute).data)
    found = unpickle(SafeUnpickler(raw), file.document.path, _AGAIN)
    if isinstance(found, Opaque):
        raise ValueError("columns of an unknown kind")
    return found
