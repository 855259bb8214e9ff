"""The measuring sets, made by code from the shared data and kept as arrays in a cache outside the project."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.strangers import takes as reading
from bench.strangers import views as seeing
from bench.strangers.takes import Take
from bench.strangers.views import Cameras, Seen, by_clip, by_frame

USUAL = Cameras()
ANY = Cameras(elevation=(-30.0, 60.0), distance=(1.5, 20.0))
VALIDATION = 1000
"""Added to the seed of the cameras of the validation set: no view of it is in a test set."""


def validation(shared: Path, cache: Path) -> tuple[Seen, Seen, Seen]:
    """Left-out subjects alone: one frame, one frame by any camera, and clips."""
    usual, wide = Cameras(seed=VALIDATION), Cameras(ANY.elevation, ANY.distance, VALIDATION)

    def takes() -> list[Take]:
        return reading.cmu_left_out(reading.unpacked(shared, cache))

    return (
        kept(cache, "val_frames", lambda: by_frame(takes(), usual, 4)),
        kept(cache, "val_any", lambda: by_frame(takes(), wide, 4)),
        kept(cache, "val_clips", lambda: by_clip(moving(takes()), usual, 1)),
    )


def moving(takes: list[Take], least: float = 0.2) -> list[Take]:
    """Those whose joints move, as seen from the hips, at `least` metres a second on average.

    Of left-out subject 49 a third of all frames is balancing on the spot: the same pose a hundred times.
    """
    return [take for take in takes if take.speed >= least]


def kept(cache: Path, name: str, make: Callable[[], Seen]) -> Seen:
    """The set from the cache, or made and put there. The code that makes sets is part of the file's name."""
    path = cache / f"{name}_{_recipe():08x}.npz"
    if not path.is_file():
        made = make()
        cache.mkdir(parents=True, exist_ok=True)
        arrays = {field: getattr(made, field) for field in made.__dataclass_fields__}
        arrays["label"] = arrays["label"].astype("U")
        with open(path, "wb") as file:
            np.savez(file, **arrays)
    with np.load(path) as arrays:
        return Seen(**{field: arrays[field] for field in Seen.__dataclass_fields__})


def _recipe() -> int:
    """A number of the code that sets are made with."""
    crc = 0
    for module in (reading, seeing):
        crc = zlib.crc32(Path(str(module.__file__)).read_bytes(), crc)
    return zlib.crc32(Path(__file__).read_bytes(), crc)
