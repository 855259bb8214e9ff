"""Which files of the folders that people name are clips."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from minilift.errors import counted
from minilift.files import PathLike, file_error
from minilift.poses.read.formats import CLIP_SUFFIXES

_MACOS = "__MACOSX"  # of archives that were packed there


def clip_files(paths: Sequence[PathLike]) -> tuple[list[Path], list[str]]:
    """The files that are named, and the clips in folders and what is in them, by name; each file once.

    Links are followed, and no folder is entered twice. What macOS leaves beside files is passed over, and so
    are the .bvh of takes whose .amc is there, too. The second part says how many. Raises InputError for a
    folder without any clip.
    """
    found: dict[str, Path] = {}
    passed: Counter[str] = Counter()
    for path in map(Path, paths):
        inside = sorted(_clips_in(path, passed)) if path.is_dir() else [path]
        if not inside:
            kinds = " or ".join(CLIP_SUFFIXES)
            raise file_error(path, f"no {kinds} files in this folder; name one that has some")
        for file in inside:
            found.setdefault(os.path.realpath(file), file)
    return list(found.values()), [
        "passed over " + what.format(counted(n, "file")) for what, n in passed.items()
    ]


def _clips_in(folder: Path, passed: Counter[str]) -> Iterator[Path]:
    entered: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if name != _MACOS)
        if (real := os.path.realpath(place)) in entered:
            folders.clear()
            continue
        entered.add(real)
        stems = {
            Path(name).stem.lower() for name in names if name.lower().endswith(".amc") and name[:2] != "._"
        }
        for name in names:
            file = Path(place, name)
            if name.startswith("._") or name == ".DS_Store":
                passed["{} that macOS left there (._NAME, .DS_Store)"] += 1
            elif file.suffix.lower() == ".bvh" and file.stem.lower() in stems:
                passed["{} of takes (.bvh) that are there as .amc, too"] += 1
            elif file.suffix.lower() in CLIP_SUFFIXES:
                yield file
