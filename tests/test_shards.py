"""A folder of pose files is one set, and large ones stay in their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.files.shards import ShardedRows
from minilift.poses.poses import Poses, load_poses, save_poses


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Path, Poses]:
    """Three shards of 5, 1 and 6 poses, and all of them as one set."""
    rng = np.random.default_rng(0)
    joint_3d = rng.uniform(-0.2, 0.2, (12, 15, 3)).astype(np.float32) - np.float32([0, 0, 1])
    joint_2d = joint_3d[..., :2] / -joint_3d[..., 2:]
    for name, rows in (("a.npz", slice(5)), ("b.npy", slice(5, 6)), ("c.npz", slice(6, 12))):
        save_poses(tmp_path / "shards" / name, Poses(joint_2d[rows], joint_3d[rows]))
    (tmp_path / "shards" / "notes.txt").write_text("passed over")
    return tmp_path / "shards", Poses(joint_2d, joint_3d)


@pytest.mark.parametrize("mapped", [None, True])
def test_shards_are_one_set(folder: tuple[Path, Poses], mapped: bool | None) -> None:
    path, whole = folder
    found = load_poses(path, mapped=mapped)
    assert found.mapped == bool(mapped)
    assert np.array_equal(found.joint_2d, whole.joint_2d)
    assert np.array_equal(np.asarray(found.joint_3d), whole.joint_3d)


def test_rows_are_read_from_the_shard_that_has_them(folder: tuple[Path, Poses]) -> None:
    path, whole = folder
    rows = load_poses(path, mapped=True).joint_3d
    assert isinstance(rows, ShardedRows)
    index = np.array([11, 0, 5, 4, 6, 5, -1])
    assert np.array_equal(rows[index], np.asarray(whole.joint_3d)[index])
    assert np.array_equal(rows[3:8], np.asarray(whole.joint_3d)[3:8])
    some = rows.take(np.arange(12)[::2])
    assert np.array_equal(some[np.array([3, 0])], np.asarray(whole.joint_3d)[[6, 0]])
    two = some.take([5, 1]).reshape(2, -1)
    assert np.array_equal(two[:], np.asarray(whole.joint_3d)[[10, 2]].reshape(2, 45))
    with pytest.raises(IndexError):
        rows[np.array([12])]


def test_what_is_no_set_is_named(folder: tuple[Path, Poses], tmp_path: Path) -> None:
    path, whole = folder
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: is a folder without files of poses"):
        load_poses(tmp_path / "empty")
    save_poses(path / "d.npz", Poses(whole.joint_2d))
    with pytest.raises(InputError, match=r"d\.npz: no key joint_3d, which others in the folder have"):
        load_poses(path)
    with pytest.raises(InputError, match=r"d\.npz: .*joint_3d"):
        load_poses(path, need_3d=True)
