"""The benchmark of `minilift predict` on detectors' files: it runs, and measures what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

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


def test_it_runs(tmp_path: Path) -> None:
    kept = tmp_path / "all.json"
    words = ["--clip", "20", "--long", "100", "--rounds", "2", "--threads", "1", "--json", str(kept)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.keypoints", *words], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == json.loads(kept.read_text())
    assert list(found["results"]) == ["clip, 20 frames", "one pose", "long, 10 frames", "long, 100 frames"]
    for name, figures in found["results"].items():
        assert len(figures["seconds"]) == len(figures["peak_bytes"]) == (1 if "long" in name else 2)
        assert min(figures["seconds"]) > 0.05
        assert min(figures["peak_bytes"]) > 2e7
    assert any(line.startswith("| clip, 20 frames") for line in done.stdout.splitlines())
