"""The tables of formats that are read and written, and how a file's format is found: by content first."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from asf_texts import BONES, FRAMES
from bvh_texts import TWO
from conftest import make_poses

from minilift.errors import InputError
from minilift.poses.poses import Poses, load_poses, save_poses
from minilift.poses.read import formats as read_formats
from minilift.poses.read.bvh import read_bvh
from minilift.poses.read.detect import detect, read_clip
from minilift.poses.write import formats as write_formats


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arm.asf").write_text(BONES)
    return tmp_path


def content(suffix: str) -> bytes:
    """A file of each kind, under the name of another."""
    if suffix in (".bvh", ".asf", ".amc"):
        return {".bvh": TWO, ".asf": BONES, ".amc": FRAMES}[suffix].encode()
    save_poses(f"made{suffix}", make_poses(4))
    return Path("made_2d.npy" if suffix == ".npy" else f"made{suffix}").read_bytes()


@pytest.mark.parametrize("known", read_formats.FORMATS, ids=lambda known: known.name)
@pytest.mark.parametrize("name", ["x", "x.bvh", "x.pkl", "x.txt"])
def test_content_decides_before_the_name(known: read_formats.Format, name: str) -> None:
    Path(name).write_bytes(content(known.suffixes[0]))
    found = detect(name)
    assert found is not None
    assert found.name == known.name


@pytest.mark.parametrize("known", read_formats.FORMATS, ids=lambda known: known.name)
def test_the_name_decides_where_the_content_does_not(known: read_formats.Format) -> None:
    for suffix in known.suffixes:
        path = Path(f"x{suffix.upper()}")
        path.write_bytes(b"words")
        assert detect(path) is known
    Path("x").write_bytes(b"words")
    assert detect("x") is None


def test_every_suffix_stands_in_one_row() -> None:
    for table in (read_formats.FORMATS, write_formats.FORMATS):
        suffixes = [suffix for known in table for suffix in known.suffixes]
        assert len(set(suffixes)) == len(suffixes)
        assert all(suffix == suffix.lower() for suffix in suffixes)


@pytest.mark.parametrize("suffix", write_formats.SUFFIXES)
def test_what_is_written_is_read_again(suffix: str) -> None:
    poses = make_poses(5)
    save_poses(f"a{suffix}", poses)
    again = load_poses(f"a{suffix}")
    np.testing.assert_array_equal(again.joint_2d, poses.joint_2d)
    np.testing.assert_array_equal(again.joint_3d, poses.joint_3d)
    save_poses(f"a{suffix}", Poses(poses.joint_2d))
    assert load_poses(f"a{suffix}").joint_3d is None


def test_a_new_row_is_all_that_load_poses_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = make_poses(3)
    row = read_formats.Format(
        "mine", (".mine",), lambda start: start == b"mine", "poses", lambda *options: mine
    )
    monkeypatch.setattr("minilift.poses.read.detect.FORMATS", (row, *read_formats.FORMATS))
    Path("a.pkl").write_bytes(b"mine")
    assert load_poses("a.pkl") is mine


@pytest.mark.parametrize(("name", "text"), [("a.pkl", TWO), ("a", FRAMES), ("a.npz", BONES)])
def test_motion_capture_in_place_of_poses_is_told_with_the_remedy(name: str, text: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(
        InputError, match=r"is motion capture \(.*\), not a set of poses; make poses of clips"
    ):
        load_poses(name)


def test_other_files_in_place_of_a_clip_are_told_by_what_they_are() -> None:
    Path("a").write_bytes(gzip.compress(TWO.encode()))
    with pytest.raises(
        InputError, match="a: is a gzip-compressed file, not a motion-capture clip; unpack it"
    ):
        read_clip("a")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_clip_in_the_encoding_of_other_editors(encoding: str) -> None:
    Path("a.bvh").write_bytes(TWO.encode())
    expected = read_bvh("a.bvh")
    Path("a.bvh").write_bytes(TWO.encode(encoding))
    clip = read_clip("a.bvh")
    assert clip.names == expected.names
    np.testing.assert_array_equal(clip.motion, expected.motion)
