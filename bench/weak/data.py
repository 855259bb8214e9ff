"""The data of the table: two views of the shared motion capture, made by `minilift data twoview`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bench.weak.rows import Row
from minilift.cli.data import main as data_command
from minilift.errors import InputError
from minilift.poses.views import TwoViews, load_two_views, save_two_views

MOCAP = "data/mocap"
SEEDS = {"train": 0, "test": 1}  # of the second cameras


@dataclass(frozen=True)
class Data:
    """Files in a cache, made when they are asked for."""

    shared: Path
    cache: Path

    def train_file(self, row: Row) -> Path:
        """What a row trains on; without joint_3d unless the row is to have it."""
        full = self._made("train", row.noise)
        if row.with_3d:
            return full
        bare = full.with_name(f"{full.stem}_without_3d.npz")
        if not bare.exists():
            save_two_views(bare, replace(load_two_views(full, divided=False), joint_3d=None))
        return bare

    def views(self, part: str, noise: float) -> TwoViews:
        """People of `part`, train or test: both images with noise, joint_3d without."""
        return load_two_views(self._made(part, noise), divided=False)

    def _made(self, part: str, noise: float) -> Path:
        path = self.cache / f"{part}{f'_{noise:g}' if noise else ''}.npz"
        if not path.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            source = self.shared / MOCAP / f"data_{part}_lift.pkl"
            words = ["twoview", str(source), "-o", str(path), "--seed", str(SEEDS[part]), "--force"]
            if data_command([*words, *(["--noise", str(noise)] if noise else [])]):
                raise InputError(f"{path}: could not be made of {source}; see above")
        return path
