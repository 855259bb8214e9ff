"""`minilift data starting`: make what the starting model learns from and is judged by."""

import argparse
import json
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from minilift.cli.data.clip_files import clip_files
from minilift.cli.data.clips import clips_name
from minilift.cli.data.output import check_outputs, save
from minilift.cli.parser import number
from minilift.errors import InputError, counted
from minilift.files import check_writable, file_error, read_bytes, write_atomically
from minilift.files.archive import is_archive, unpack
from minilift.poses.clips.cmu import LEFT_OUT, SUBJECTS, by_subject, lacking, subject_of
from minilift.poses.clips.frames import ClipPoses
from minilift.poses.clips.starting import PeopleSet, clips_of, frames_of, made_people
from minilift.poses.poses import scale_name

SETS = ("train", "val", "val_clips")
RECORD = "data.json"
"""Beside the sets: what they were made of, and which clip has which number."""

DESCRIPTION = f"""\
Make the sets of poses that the starting model is trained on and judged by, of CMU's motion capture: the
subjects {" ".join(SUBJECTS[:11])}
{" ".join(SUBJECTS[11:])} of mocap.cs.cmu.edu, in folders of these names.
What is odd about the files is mended. docs/starting-data.md says more.

Writes train.npz, val.npz (the people left out: {" ".join(LEFT_OUT)}) and val_clips.npz (these, at 30 frames
a second), each with further files: _scale (metres per unit), _subjects and _clips (numbers).
"""

EXAMPLES = """\
examples:
  minilift data starting cmu/ -o data
  minilift data starting cmu.tar.xz -o data --people 5000
"""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "starting",
        help="make what the starting model learns from",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    flag = parser.add_argument
    flag("folder", metavar="CMU_FOLDER", help="the folder of the subjects, or a .tar.xz of it")
    flag("-o", "--out", required=True, metavar="DIR", help="folder to write to")
    flag(
        "--people", type=number(int, 0, 10_000_000), default=0, metavar="N",
        help="add N made-up people to train.npz: floor, sport and the rest [%(default)s]",
    )  # fmt: skip
    flag("--seed", type=number(int, 0), default=0, help="another seed, other cameras [%(default)s]")
    flag("--force", action="store_true", help="replace files that exist")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    make(Path(args.folder), Path(args.out), args.people, args.seed, args.force)
    print(f"next: minilift train --preset starting --data {Path(args.out, 'train.npz')} --out {args.out}")


def make(source: Path, out: Path, people: int, seed: int, force: bool) -> None:
    """Make the sets of SETS in the folder `out`, and say what was found and mended. Raises InputError."""
    check_outputs([file for name in SETS for file in files_of_set(out, name)] + [out / RECORD], force)
    key = key_of(source, people, seed)
    with ExitStack() as stack:
        found = by_subject(_clips(source, out, stack))
        try:
            missing = lacking(found)
        except InputError as problem:
            raise file_error(source, str(problem)) from None
        if missing:
            where = "no clips of the subjects " + " ".join(missing)
            print(f"warning: {source}: {where}; the weights will know fewer people")
        takes = [(subject, file) for subject, files in found.items() for file in files]
        print(f"{counted(len(takes), 'clip')} of {counted(len(found), 'subject')}")
        sets = _sets(takes, people, seed)
    for name, made in sets.items():
        _save(out / f"{name}.npz", made)
    names = {name: list(made.names) for name, made in sets.items()}
    text = json.dumps({"key": key, "clips": names}, indent=1)
    write_atomically(out / RECORD, lambda file: file.write(text.encode()))


def files_of_set(out: Path, name: str) -> list[Path]:
    """The files of one of SETS: poses, scale, subjects and clips."""
    path = out / f"{name}.npz"
    return [path, scale_name(path), _subjects_name(path), clips_name(path)]


def key_of(source: Path, people: int, seed: int) -> str:
    """What the sets depend on, in short: it differs where a file of the source has changed. Raises
    InputError where nothing is there."""
    files = [file for file in sorted(source.rglob("*")) if subject_of(file)] if source.is_dir() else []
    total = 0
    for file in files or [_archive(source)]:
        total = zlib.crc32(read_bytes(file), zlib.crc32(file.name.encode(), total))
    return f"{total:08x} people {people} seed {seed}"


def _archive(source: Path) -> Path:
    """The archive that is meant, by its own name or by its folder's."""
    inside = sorted(filter(is_archive, source.iterdir())) if source.is_dir() else [source]
    if len(inside) != 1:
        names = " ".join(SUBJECTS)
        problem = f"neither folders of subjects ({names}) in it nor one .tar.xz with them"
        raise file_error(source, f"{problem}; name the folder of CMU's clips")
    return inside[0]


def _clips(source: Path, out: Path, stack: ExitStack) -> list[Path]:
    """The clips below a folder, or of an archive, which is unpacked for as long as `stack` is open."""
    if source.is_dir() and any(map(subject_of, source.rglob("*"))):
        return clip_files([source])[0]
    archive = _archive(source)
    if not is_archive(archive):
        raise file_error(archive, "is no .tar.xz; name that, or the folder of the subjects")
    check_writable(out, f"-o {out}")
    out.mkdir(parents=True, exist_ok=True)
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".minilift-", dir=out)))
    if not unpack(archive, place, _place):
        raise file_error(archive, f"no files of the subjects {' '.join(SUBJECTS)}; is it of CMU's clips?")
    return clip_files([place])[0]


def _place(name: PurePosixPath) -> Path | None:
    """Where a file of an archive is unpacked to: the folder of its subject; None for what is not used."""
    return Path(name.parent.name, name.name) if subject_of(name) else None


def _sets(takes: Sequence[tuple[str, Path]], people: int, seed: int) -> Mapping[str, PeopleSet]:
    from tqdm import tqdm

    mended: dict[str, list[str]] = {}  # by what was done: the clips
    left_out = [take for take in takes if take[0] in LEFT_OUT]
    learned = [take for take in takes if take[0] not in LEFT_OUT]
    with tqdm(total=len(takes), unit="clips", desc="reading", delay=1, leave=False, disable=None) as bar:

        def told(clip: ClipPoses) -> None:
            bar.update()
            rest = [f"{counted(clip.left_out, 'frame')} of a rest pose left out"] if clip.left_out else []
            for text in (*(note for note in clip.notes if "thorax" in note), *clip.warnings, *rest):
                mended.setdefault(text, []).append(Path(clip.file).stem)

        train = frames_of(learned, seed, told)
        if people:
            train.add(*made_people(people, seed))
        sets = {
            "train": train.done(), "val": frames_of(left_out, seed, told).done(),
            "val_clips": clips_of(left_out, seed),
        }  # fmt: skip
    for text, clips in mended.items():
        print(f"mended: {text} ({', '.join(clips)})")
    return sets


def _save(path: Path, made: PeopleSet) -> None:
    save(path, made.poses)
    for name, array in ((_subjects_name(path), made.subjects), (clips_name(path), made.clips)):
        write_atomically(name, _saver(array))


def _saver(array: np.ndarray) -> Callable[[Any], object]:
    return lambda file: np.save(file, array, allow_pickle=False)


def _subjects_name(path: Path) -> Path:
    return path.with_name(f"{path.stem}_subjects.npy")
