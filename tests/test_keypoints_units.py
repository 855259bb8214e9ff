"""Coordinates about the middle of the picture: which of two ways they were divided, and what is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from keypoint_tables import person

from minilift.errors import ArgumentError, InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints import blocks
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked

CLIP = np.array([person(frame) for frame in range(4)])
W, H = 1600, 900
SIZE = Asked(size=(W, H))
SCORES = CLIP[..., 2:]
BY_WIDTH = np.concatenate([(2 * CLIP[..., :2] - [W, H]) / W, SCORES], axis=2)
SIGNED = np.concatenate([2 * CLIP[..., :2] / [W, H] - 1, SCORES], axis=2)
BOTH = {"width": BY_WIDTH, "signed": SIGNED}


def load(folder: Path, array: np.ndarray, asked: Asked | None = None) -> Keypoints:
    np.save(folder / "clip.npy", array)
    return load_keypoints(folder / "clip.npy", asked)


@pytest.mark.parametrize("unit", BOTH)
@pytest.mark.parametrize("numbers", [2, 3])
def test_about_the_middle_is_not_3d(tmp_path: Path, unit: str, numbers: int) -> None:
    found = load(tmp_path, BOTH[unit][..., :numbers], SIZE)
    np.testing.assert_allclose(found.xy, CLIP[..., :2])
    assert (found.score is None) == (numbers == 2)
    other = {"width": "signed", "signed": "width"}[unit]
    assert any(f"unit {other} says otherwise" in note for note in found.notes)
    with pytest.raises(ArgumentError, match=r"size.*fractions of the pictures' size, about their middle"):
        load(tmp_path, BOTH[unit][..., :numbers])


@pytest.mark.parametrize("unit", BOTH)
def test_in_a_table_too(tmp_path: Path, unit: str) -> None:
    names = [f"{part}{joint}" for joint in range(17) for part in "xy"]
    rows = [",".join(["frame", *names])]
    rows += [f"{frame},{','.join(map(str, row.ravel()))}" for frame, row in enumerate(BOTH[unit][..., :2])]
    (tmp_path / "clip.csv").write_text("\n".join(rows))
    np.testing.assert_allclose(load_keypoints(tmp_path / "clip.csv", SIZE).xy, CLIP[..., :2])


def test_what_is_out_of_the_picture_tells(tmp_path: Path) -> None:
    """Of a round shape proportions say nothing; with y beyond height / width it can't be by the width."""
    low = BOTH["signed"] + [0, 0.9 - SIGNED[..., 1].max(), 0]
    found = load(tmp_path, low, SIZE)
    np.testing.assert_allclose(found.xy, (low[..., :2] + 1) / 2 * [W, H])


def test_where_nothing_tells_it_is_asked(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, (4, 17))
    heap = np.stack([0.2 * np.cos(angles), 0.2 * 4 / 3 * np.sin(angles)], axis=2)
    asked = Asked(size=(W, H), layout="coco17")
    with pytest.raises(ArgumentError, match=r"unit=NAME: is needed.*\(signed\), or .*\(width\)"):
        load(tmp_path, heap, asked)
    found = load(tmp_path, heap, Asked(size=(W, H), layout="coco17", unit="width"))
    np.testing.assert_allclose(found.xy, (heap * W + [W, H]) / 2)


def test_the_user_knows_better(tmp_path: Path) -> None:
    found = load(tmp_path, SIGNED, Asked(size=(W, H), unit="width"))
    np.testing.assert_allclose(found.xy, (SIGNED[..., :2] * W + [W, H]) / 2)
    small = CLIP[..., :2] / 1000  # pixels of a tiny picture, say
    np.testing.assert_allclose(load(tmp_path, small, Asked(unit="pixels")).xy, small)
    rays = {"joint_2d": np.random.default_rng(0).normal(0, 0.1, (3, 15, 2)), "joint_3d": np.zeros((3, 15, 3))}
    np.savez(tmp_path / "rays.npz", **rays)
    with pytest.raises(ArgumentError, match="unit=pixels"):
        load_keypoints(tmp_path / "rays.npz", Asked(unit="pixels"))


def test_places_about_the_hips_are_refused(tmp_path: Path) -> None:
    about = (CLIP[..., :2] - CLIP[:, 11:13, :2].mean(axis=1, keepdims=True)) / 500
    with pytest.raises(InputError, match="the hips are at 0, 0 in every frame"):
        load(tmp_path, about, SIZE)


@pytest.mark.parametrize("third", [(-0.3, 0.4), (0.2, 1.7)], ids=["both signs", "heights"])
def test_3d_is_still_3d(tmp_path: Path, third: tuple[float, float]) -> None:
    depth = np.random.default_rng(0).uniform(*third, SCORES.shape)
    with pytest.raises(InputError, match="it is 3D already"):
        load(tmp_path, np.concatenate([SIGNED[..., :2], depth], axis=2), SIZE)


def test_blocks_of_a_large_file_have_one_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LARGE", 0)
    array = np.concatenate([BY_WIDTH, BY_WIDTH * [0.05, 0.05, 1]]).astype(np.float32)
    np.save(tmp_path / "clip.npy", array)
    parts = list(blocks.load_blocks(tmp_path / "clip.npy", SIZE, rows=4))
    assert len(parts) == 2
    expected = (array[..., :2] * W + [W, H]) / 2
    np.testing.assert_allclose(np.concatenate([part.xy for part in parts]), expected, atol=1e-3)
