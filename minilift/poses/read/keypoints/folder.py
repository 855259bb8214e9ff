"""A folder of files of one frame each, as a clip; the frames' numbers are in the files' names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from minilift.errors import ArgumentError, InputError
from minilift.files import PathLike, file_error, one_line
from minilift.poses.read.keypoints.document import JSON, NPY, NPZ, TEXT, Document
from minilift.poses.read.keypoints.formats import Add, Format
from minilift.poses.read.keypoints.identify import identify
from minilift.poses.read.keypoints.raw import Asked, Raw
from minilift.poses.read.keypoints.rows import Rows, clip_of, frame_in_name

_LOOKED_AT = 20  # files from which the format of a folder is told
_SHOWN = 4
_BESIDE = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
    *(".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".wav", ".mp3"),
    *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".xml", ".md", ".rst", ".log", ".html", ".pdf", ".py", ".sh"),
)
"""Endings of what tools and people keep next to keypoints: no frames, and no clips."""
_KINDS = {".json": JSON, ".txt": TEXT, ".csv": TEXT, ".tsv": TEXT, ".npy": NPY, ".npz": NPZ}
_LONGEST = 10_000_000  # frames of a clip; numbers further apart are no count of frames


def files_in(folder: PathLike) -> list[Path]:
    """The files of a folder, by name, but for hidden ones, and pictures and the like next to keypoints.

    What is called as such a file and is none (a link to nothing, a folder) is among them: who reads it is
    told so. Raises InputError where there is none.
    """
    try:
        with os.scandir(folder) as entries:  # ten times as fast as Path.iterdir and is_file
            found = sorted((one.name, _counts(one)) for one in entries if not one.name.startswith("."))
    except OSError as error:
        raise file_error(folder, f"cannot be read ({error.strerror}); check the folder") from None
    here = Path(folder)
    files = [here / name for name, is_file in found if is_file]
    files = [path for path in files if path.suffix.lower() not in _BESIDE] or files
    if not files:
        inside = [name for name, _ in found[:_SHOWN]]
        problem = f"no file in it{', but folders: ' + ', '.join(inside) if inside else ''}"
        raise file_error(folder, f"{problem}; name the folder that has the keypoints")
    return files


def _counts(entry: os.DirEntry[str]) -> bool:
    return entry.is_file() or os.path.splitext(entry.name)[1].lower() in _KINDS


def first_format(files: Sequence[Path], asked: Asked) -> Format:
    """The format of the first file that has one. Raises InputError, of the first file, where none has."""
    problem: InputError | None = None
    for path in files[:_LOOKED_AT]:
        try:
            return identify(Document(path), asked)
        except InputError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def read_frames(name: PathLike, files: Sequence[Path], known: Format, asked: Asked) -> tuple[Raw, list[str]]:
    """The frames of a clip, one a file, as one Raw; and a line for each file that could not be read.

    Raises InputError for several clips in one, other layouts in some files, and where no file can be read.
    """
    of_kind = [path for path in files if _KINDS.get(path.suffix.lower(), known.kinds[0]) in known.kinds]
    numbered, left_out = _numbered(_one_clip(name, of_kind or files, asked))
    bad: list[str] = []
    empty = [frame for path, frame in numbered if known.holes and _is_blank(path)]
    if empty:  # labels of pictures without people
        numbered = [(path, frame) for path, frame in numbered if frame not in set(empty)]
    if known.add is not None:
        found = _at_once(name, numbered, known, known.add)
        if found is not None:
            found.warnings += left_out
            return _finished(found, known, empty), bad
    parts: list[tuple[int, Path, Raw]] = []
    for path, frame in numbered:
        try:
            document = Document(path)
            if _is_empty(document):
                parts.append((frame, path, Raw(np.zeros((0, 0, 2)), np.zeros(0, np.int64))))
                continue
            if document.kind not in known.kinds or not known.fits(document):
                identify(document, replace(asked, format=known.name))
            parts.append((frame, path, known.read(document, asked)))
        except InputError as problem:
            bad.append(str(problem))
    if not parts:
        raise InputError(bad[0])
    joined = _joined(name, parts)
    joined.warnings += left_out
    return _finished(joined, known, empty), bad


def _at_once(name: PathLike, files: list[tuple[Path, int]], known: Format, add: Add) -> Raw | None:
    """All people of all files as one array, some times as fast as an array a file; None where one is bad.

    Which file, and what is wrong with it, reading them one by one tells.
    """
    rows = Rows(name)
    try:
        for path, frame in files:
            document = Document(path)
            if document.kind in known.kinds and known.fits(document):
                add(document, rows, frame)
            elif _is_empty(document):
                rows.frames.append(frame)
            else:
                return None
        return rows.raw()
    except InputError:
        return None


def _is_blank(path: Path) -> bool:
    try:
        return not path.stat().st_size
    except OSError:
        return False  # reading it tells why


def _is_empty(document: Document) -> bool:
    """A frame without people, of a tool that writes a list of them."""
    return document.kind == JSON and document.json == []


def _finished(found: Raw, known: Format, empty: list[int]) -> Raw:
    if empty and found.frames is not None:
        found.frames = np.union1d(found.frames, np.array(empty, np.int64))
    found = found if known.finish is None else known.finish(found)
    if known.holes and not found.stills and found.frames is not None and len(found.frames):
        first, last = int(found.frames.min()), int(found.frames.max())
        if last - first < _LONGEST:
            found.frames = np.arange(first, last + 1)
    return found


def _numbered(files: Sequence[Path]) -> tuple[list[tuple[Path, int]], list[str]]:
    """The files by their number; and a line for each that has none and is left out, such as classes.txt.

    Raises InputError where none of several has one.
    """
    if len(files) == 1:
        return [(files[0], frame_in_name(files[0].name) or 0)], []
    found = [(path, frame_in_name(path.name)) for path in files]
    numbered = [(path, number) for path, number in found if number is not None]
    without = [path for path, number in found if number is None]
    if not numbered:
        problem = "has no number in its name, so that it is no frame; name the files frame_0001 and so on"
        raise file_error(without[0], problem)
    left_out = [
        f"{one_line(path.name, 60)}: no frame, as its name has no number; left out" for path in without
    ]
    return sorted(numbered, key=lambda one: one[1]), left_out


def _one_clip(name: PathLike, files: Sequence[Path], asked: Asked) -> list[Path]:
    """The files of one clip. Several that count their frames apart are refused, or the one asked for
    taken."""
    clips: dict[str, list[Path]] = defaultdict(list)
    numbered = [path for path in files if frame_in_name(path.name) is not None]
    for path in numbered or files:  # one without a number, such as meta.json, is no frame of another clip
        clips[clip_of(path.name)].append(path)
    if asked.clip is not None:
        asked_for, wanted = asked.clip.lower(), list[list[Path]]()
        for same in (str.__eq__, str.__contains__):
            wanted = wanted or [files for clip, files in clips.items() if same(clip.lower(), asked_for)]
        if len(wanted) == 1:
            return wanted[0]
    numbers = [frame_in_name(path.name) for path in numbered or files]
    if len(clips) > 1 and (len(set(numbers)) < len(numbers) or asked.clip is not None):
        shown = ", ".join(
            f"{one_line(clip, 30)} ({len(files)})" for clip, files in list(clips.items())[:_SHOWN]
        )
        which = "is needed" if asked.clip is None else "is not one alone"
        problem = f"{which}: {one_line(str(name))} has {len(clips)} clips in it: {shown}"
        value = "WORDS" if asked.clip is None else asked.clip
        raise ArgumentError("clip", value, f"{problem}; give words of one's name, or its files")
    return list(files)


def _joined(name: PathLike, parts: list[tuple[int, Path, Raw]]) -> Raw:
    full = [(frame, path, raw) for frame, path, raw in parts if len(raw.xy)]
    frames = np.array([frame for frame, _, _ in parts], np.int64)
    if not full:
        return replace(parts[0][2], frames=frames)
    _, first, one = full[0]
    for _, path, raw in full:
        if raw.xy.shape[1] != one.xy.shape[1]:
            here, there = one.xy.shape[1], raw.xy.shape[1]
            problem = f"{first.name} has people of {here} joints and {path.name} of {there}"
            raise file_error(name, f"{problem}: two layouts in one clip; keep one of them")
    count = [len(raw.xy) for _, _, raw in full]

    def stacked(field: str) -> np.ndarray | None:
        columns = [getattr(raw, field) for _, _, raw in full]
        return None if any(column is None for column in columns) else np.concatenate(columns)

    tracks = [raw.track or [None] * len(raw.xy) for _, _, raw in full]
    joined = replace(
        one,
        xy=np.concatenate([raw.xy for _, _, raw in full]),
        frame=np.repeat(np.array([frame for frame, _, _ in full], np.int64), count),
        score=stacked("score"),
        missing=stacked("missing"),
        weight=stacked("weight"),
        track=[one for track in tracks for one in track] if any(any(t) for t in tracks) else None,
        frames=frames,
        notes=list(dict.fromkeys(note for _, _, raw in full for note in raw.notes)),
        warnings=list(dict.fromkeys(line for _, _, raw in full for line in raw.warnings)),
    )
    return _one_unit(joined, full)


def _one_unit(joined: Raw, full: list[tuple[int, Path, Raw]]) -> Raw:
    """The unit that most people of the clip have; those of single frames say less than all of them."""
    units = [raw.unit for _, _, raw in full for _ in range(len(raw.xy))]
    joined.unit = max(sorted(set(units)), key=units.count)
    return joined
