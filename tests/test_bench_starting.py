"""python -m bench.starting: four steps, each made once, and what a kill or a change leaves to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bvh_texts import POSER, person

from bench.starting.__main__ import main
from minilift import Lifter
from minilift.poses.clips.cmu import UNIT

FLAGS = "--epochs 1 --hidden 16 --blocks 1 --device cpu"


@pytest.fixture
def cmu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("minilift.poses.clips.starting.LEAST_MOVE", 0.0)  # they hardly move: no knee flips
    for seed, (name, frames) in enumerate((("05", 60), ("08", 110), ("49", 110))):
        (tmp_path / "cmu" / name).mkdir(parents=True)
        text = person(POSER, frames, seed, cm=0.01 / UNIT, step=1.5, fps=120)
        (tmp_path / "cmu" / name / f"{name}_01.bvh").write_text(text)
    return tmp_path / "cmu"


def steps(told: str) -> list[str]:
    lines = [
        line for line in told.splitlines() if line.split(":")[0] in ("data", "training", "trust", "packing")
    ]
    return [line.removesuffix(": done before") for line in lines if "done before" in line]


def test_steps_are_made_once_and_again_where_something_changed(
    cmu: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = cmu.parent / "run"
    words = [str(cmu), "-o", str(out), "--people", "300", "--train", FLAGS]
    assert main(words) == 0, capsys.readouterr().err
    assert steps(capsys.readouterr().out) == []
    lifter = Lifter.load(out / "starting" / "liftModel")
    assert lifter.has_trust
    assert lifter.takes_noise
    assert main(words) == 0
    assert steps(capsys.readouterr().out) == ["data", "training", "trust", "packing"]

    (out / "starting" / "liftModel").unlink()
    assert main(words) == 0
    assert steps(capsys.readouterr().out) == ["data", "training", "trust"]

    done = json.loads((out / "steps.json").read_text())
    del done["training"]  # as a kill leaves it: begun, not done
    (out / "steps.json").write_text(json.dumps(done))
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "resuming" in told
    assert steps(told) == ["data", "trust", "packing"]  # the same weights

    file = cmu / "05" / "05_01.bvh"
    file.write_text(file.read_text().replace("\n", "\n\n", 1))
    assert main([*words[:-1], FLAGS.replace("16", "24")]) == 0
    told = capsys.readouterr().out
    assert steps(told) == []
    assert "resuming" not in told
