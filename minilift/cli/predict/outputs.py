"""Which files `minilift predict` writes: planned, and refused, before anything is read or lifted."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minilift.cli.predict.inputs import Media
from minilift.errors import InputError
from minilift.extras import require
from minilift.files import check_writable, file_error
from minilift.lift.trust import trust_path
from minilift.poses.read.course import files_of
from minilift.poses.read.keypoints.clips import Clip
from minilift.poses.write.people.formats import PEOPLE_FORMATS, PeopleFormat
from minilift.show.clip.formats import FORMATS as DRAWN

FORMATS: dict[str, PeopleFormat] = {row.name: row for row in (*PEOPLE_FORMATS, *DRAWN)}
DEFAULT = "npz html"
_SUFFIXES = sorted(
    ((ending, row) for row in FORMATS.values() for ending in (row.suffix, *row.others)),
    key=lambda pair: len(pair[0]),
    reverse=True,
)


@dataclass(frozen=True)
class File:
    """A file to be written, and its format."""

    path: Path
    format: PeopleFormat


def plan(args: argparse.Namespace, clips: Sequence[Clip]) -> list[list[File]]:
    """For every clip the files that it gets.

    Raises InputError for names that cannot be, files that are there already or are read, and for optional
    libraries that are not installed.
    """
    named = _format_of(args.out)
    wanted = list(dict.fromkeys(args.to or ([] if named else DEFAULT.split())))
    formats = [FORMATS[name] for name in wanted]
    if named is not None and named not in formats:
        formats.insert(0, named)
    for one in formats:
        if one.library:
            require(one.library, f"{one.suffix} output")
    if named is not None and len(clips) > 1:
        problem = f"is one file, and there are {len(clips)} clips"
        raise InputError(f"--out {args.out}: {problem}; name a folder")
    files = []
    for clip in clips:
        stem = _stem(args.out, named, clip)
        files.append([File(Path(f"{stem}{one.suffix}"), one) for one in formats])
    _check_kept(args, [clip for clip in clips if isinstance(clip, Media)])
    _check(args, files)
    return files


def _format_of(out: str | None) -> PeopleFormat | None:
    """The format that OUT asks for; none for a folder. Raises InputError for an ending of no format."""
    if out is None or out.endswith(("/", "\\")) or Path(out).is_dir():
        return None
    found = next((row for ending, row in _SUFFIXES if Path(out).name.lower().endswith(ending)), None)
    if found is None and Path(out).suffix:
        known = ", ".join(dict.fromkeys(row.suffix for row in FORMATS.values()))
        raise InputError(f"--out {out}: the name must end in {known}; or in / for a folder")
    return found


def _stem(out: str | None, named: PeopleFormat | None, clip: Clip) -> Path:
    """The name of a clip's files without an ending."""
    if out is None:
        return Path(f"{clip.name}_3d")
    if named is None:
        return Path(out) / clip.name
    ending = next(ending for ending, _ in _SUFFIXES if Path(out).name.lower().endswith(ending))
    return Path(out[: len(out) - len(ending)])


def kept_path(out: str | None, clip: Clip) -> Path:
    """Where what was found in a photo or a video is kept, beside its other files."""
    named = _format_of(out)
    stem = Path(clip.name) if out is None else _stem(out, named, clip)
    return Path(f"{stem}_2d.npz")


def _check_kept(args: argparse.Namespace, media: Sequence[Media]) -> None:
    """What was found before is not thrown away unasked: it may have taken hours."""
    for clip in media:
        path = kept_path(args.out, clip)
        for there in (path, path.with_suffix(".part")):
            if there.exists() and not (args.force or args.resume):
                remedy = "--resume takes it and goes on from there, --force begins anew"
                raise file_error(there, f"exists already, found before in {clip.path}; {remedy}")


def _check(args: argparse.Namespace, files: list[list[File]]) -> None:
    inputs = [file for name in args.input for file in (name, *files_of(name))]
    read = {Path(name).resolve() for name in (*inputs, args.weights, trust_path(args.weights))}
    seen: set[Path] = set()
    for file in (file for clip in files for file in clip):
        path = file.path
        if path.resolve() in read:
            raise InputError(f"--out {path}: would overwrite what is read; choose another name")
        if path in seen:
            raise InputError(f"--out {path}: two clips would have this name; lift them one by one")
        if path.is_dir():
            raise file_error(path, "a folder, where a file is to be written; choose another name")
        there = file.format.there(path)
        if there and not (args.force or args.resume):
            raise file_error(there[0], "exists already; choose another --out, or --force to replace it")
        check_writable(path.parent, f"--out {path}")
        seen.add(path)
