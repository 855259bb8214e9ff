"""The measuring sets, made by code from the shared data and kept as arrays in a cache outside the project."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.strangers import floor, retarget
from bench.strangers import takes as reading
from bench.strangers import views as seeing
from bench.strangers.takes import Take
from bench.strangers.views import Cameras, Seen, by_clip, by_frame, by_still_camera
from minilift import load_poses

USUAL = Cameras()
ANY = Cameras(elevation=(-30.0, 60.0), distance=(1.5, 20.0))
MOCAP, LEFT_OUT, CMU_BVH, BANDAI = (
    "mocap test",
    "CMU people left out",
    "CMU clips of bvh",
    "Bandai-Namco clips",
)
ACROBATICS, FLOOR = "acrobatics on made people", "floor work on made people"
VIEWS = 4
VALIDATION = 1000
"""Added to the seed of the cameras of the validation set: no view of it is in a test set."""


@dataclass(frozen=True)
class Sets:
    """The sets by name, made when they are asked for. `quick`: a part of each, for a look."""

    shared: Path
    cache: Path
    quick: bool = False

    def frames(self, name: str, cameras: Cameras = USUAL) -> Seen:
        """One-frame sets; cameras of mocap are its own."""
        if name == MOCAP:
            return self._part(kept(self.cache, "mocap", lambda: mocap(self.shared)), 8)
        views = VIEWS if name in (LEFT_OUT, CMU_BVH, BANDAI) else 1
        what = zlib.crc32(repr(cameras).encode())
        made = kept(
            self.cache, f"frames_{zlib.crc32(name.encode()):08x}_{what:08x}",
            lambda: by_frame(self._takes(name), cameras, views),
        )  # fmt: skip
        return self._part(made, 6)

    def clips(self, name: str) -> Seen:
        """Clips at 30 frames a second, each seen by cameras that go along."""
        views = 2 if name in (LEFT_OUT, CMU_BVH, BANDAI) else 1
        made = kept(
            self.cache, f"clips_{zlib.crc32(name.encode()):08x}",
            lambda: by_clip(self._takes(name, clips=True), USUAL, views),
        )  # fmt: skip
        return made.take(np.flatnonzero(made.clip % 6 == 0)) if self.quick else made

    def still(self, name: str) -> Seen:
        """Clips at 30 frames a second, seen by cameras that stand still, 4 to 8 m from the way's middle."""
        cameras = Cameras(distance=(4.0, 8.0))
        made = kept(
            self.cache, f"still_{zlib.crc32(name.encode()):08x}",
            lambda: by_still_camera(self._takes(name, clips=True), cameras, 2),
        )  # fmt: skip
        return made.take(np.flatnonzero(made.clip % 6 == 0)) if self.quick else made

    def _part(self, seen: Seen, every: int) -> Seen:
        return seen.take(np.arange(0, len(seen), every)) if self.quick else seen

    def _takes(self, name: str, clips: bool = False) -> list[Take]:
        if name in (CMU_BVH, BANDAI):
            eight = reading.bvh_clips(self.shared)
            return [take for take in eight if (take.subject == "Bandai-Namco") == (name == BANDAI)]
        if name == FLOOR:
            return self._on_people(floor.movements())
        takes = reading.cmu_left_out(reading.unpacked(self.shared, self.cache))
        if name == ACROBATICS:
            return self._on_people([take for take in takes if take.activity in ("cartwheels", "backflip")])
        return moving(takes) if clips else takes

    def _on_people(self, takes: list[Take]) -> list[Take]:
        made = retarget.people(self.shared)
        return [retarget.retargeted(take, bones, who) for who, bones in made.items() for take in takes]


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


def mocap(shared: Path) -> Seen:
    """The mocap test set: one body, styles partly never seen. Raises InputError where it is missing."""
    folder = shared / "data" / "mocap"
    poses = load_poses(folder / "data_test_lift.pkl", need_3d=True, scale=folder / "data_test_scale.npy")
    n = len(poses)
    assert poses.scale is not None
    return Seen(
        np.asarray(poses.joint_2d), np.asarray(poses.joint_3d), np.asarray(poses.scale), np.arange(n),
        np.zeros(n, np.int64), np.full(n, "mocap, test", object), np.full(n, np.nan), np.zeros((n, 2)),
    )  # fmt: skip


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
    for module in (floor, reading, retarget, seeing):
        crc = zlib.crc32(Path(str(module.__file__)).read_bytes(), crc)
    return zlib.crc32(Path(__file__).read_bytes(), crc)
