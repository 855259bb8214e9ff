"""What each ingredient of a recipe is worth: weights of several recipes and seeds, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bench.strangers.protocol import errors_mm, noisy, one_frame, without
from bench.strangers.sets import MOCAP, Sets, validation
from bench.strangers.table import Table
from bench.strangers.views import Seen
from minilift import Lifter
from minilift.errors import InputError

COLUMNS = ("0 px", "2 px", "4 px", "8 px", "any camera", "3 missing", "mocap test")


def recipes(words: Sequence[str]) -> dict[str, list[str]]:
    """NAME=FILE, once for each seed, as files by name in the order given. Raises InputError without a `=`."""
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, file = word.partition("=")
        if not (name and equals and file):
            raise InputError(f"{word}: is not NAME=FILE; give each file of weights with the recipe's name")
        found.setdefault(name, []).append(file)
    return found


def table(
    files: Mapping[str, Sequence[str]], sets: Sets, step: Callable[[str], object], *, mirrored: bool = False
) -> Table:
    """The mean over a recipe's files, the lowest and highest behind it where there are several.

    With `mirrored` each recipe has a second row, of predictions averaged with the mirrored poses. All but
    the last column are of the left-out CMU subjects with the cameras of the validation set, mm, one
    frame. A recipe whose weights cannot do a column has none of it.
    """
    made = Table("What each ingredient is worth, one frame (mm)", ("recipe", "seeds", *COLUMNS))
    for name, weights in files.items():
        for flip in (False, True) if mirrored else (False,):
            rows = []
            for file in weights:
                step(f"{name}: {file}")
                rows.append(measured(Lifter.load(file), sets, flip=flip))
            called = f"{name}, mirrored" if flip else name
            made.add(called, f"{len(rows)}", *(spread(column) for column in zip(*rows, strict=True)))
    made.notes.append("left-out CMU subjects with the cameras of the validation set; mean (lowest-highest)")
    return made


def measured(lifter: Lifter, sets: Sets, *, flip: bool = False) -> list[float]:
    """COLUMNS of one file of weights; NaN for what it cannot do."""

    def error(seen: Seen, image: np.ndarray, sigma_px: float = 0.0) -> float:
        return float(errors_mm(one_frame(lifter, image, sigma_px, flip=flip), seen).mean())

    frames, wide, _ = validation(sets.shared, sets.cache)
    found = [error(frames, noisy(frames, sigma), sigma) for sigma in (0.0, 2.0, 4.0, 8.0)]
    found.append(error(wide, wide.image))
    found.append(error(frames, without(frames.image, 3)) if lifter.takes_missing else np.nan)
    mocap = sets.frames(MOCAP)
    return [*found, error(mocap, mocap.image)]


def spread(values: Sequence[float]) -> str:
    """Mean (lowest-highest)."""
    if any(np.isnan(values)):
        return "-"
    middle = f"{np.mean(values):.1f}"
    return f"{middle} ({min(values):.1f}-{max(values):.1f})" if len(values) > 1 else middle
