"""The benchmark of the stream: it runs, and measures what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from bench.stream import BAD, STAY, lines, percentiles, resident
from minilift.poses.read.keypoints.frames import FrameReader


def test_its_lines_are_people_who_come_and_go_and_one_in_a_thousand_is_none() -> None:
    found = list(lines(BAD + 1, 2))
    reader = FrameReader()
    for number in (0, STAY, BAD):
        frame = reader(json.loads(found[number]), "line")
        assert frame.frames.tolist() == [number]
        assert (frame.layout.name, len(frame)) == ("coco17", 2)
        assert frame.track_names == (f"{number // STAY}-0", f"{number // STAY}-1")
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(found[BAD - 1])


def test_percentiles_are_of_all_values() -> None:
    assert percentiles([float(value) for value in range(200)]) == {
        "p50": 100,
        "p95": 190,
        "p99": 198,
        "max": 199,
    }
    assert percentiles([3.0]) == {"p50": 3, "p95": 3, "p99": 3, "max": 3}


def test_it_runs(tmp_path: Path) -> None:
    kept = tmp_path / "all.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench.stream", "--lines", "40", "--people", "2", "--json", str(kept)],
        capture_output=True, text=True, timeout=240, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])["results"]
    assert json.loads(kept.read_text())["results"] == found
    assert len(found["memory_mb"]) == 10
    if sys.platform.startswith("linux"):
        assert 20 < min(found["memory_mb"]) < max(found["memory_mb"]) + 1 < 500
        assert resident(os.getpid()) > 20
    for name in ("latency_ms", "model_ms"):
        assert 0.05 < found[name]["p50"] <= found[name]["p95"] <= found[name]["p99"] <= found[name]["max"]
    assert found["model_cpu_ms"] < found["cpu_ms"]
    assert any(line.startswith("| a line") for line in done.stdout.splitlines())
