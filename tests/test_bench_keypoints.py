"""The benchmark of `minilift predict` on detectors' files measures what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.keypoints import make
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked


@pytest.mark.parametrize(
    ("kind", "name", "frames", "told"),
    [
        ("coco", "clip.json", 30, "coco-result"),
        ("openpose", "pose_000000000000_keypoints.json", 1, "openpose"),
        ("npz", "long.npz", 30, "npz-keypoints-scores"),
    ],
)
def test_its_files_are_what_it_says(kind: str, name: str, frames: int, told: str, tmp_path: Path) -> None:
    make(kind, frames, str(tmp_path / name))
    found = load_keypoints(tmp_path / name, Asked(size=(1920, 1080)))
    assert (found.format, found.layout.name, len(found), len(found.frames)) == (
        told,
        "coco17",
        frames,
        frames,
    )
    assert found.score is not None
    assert not found.missing.any()
