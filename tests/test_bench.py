"""The benchmarks run, measure the same work on both sides, and say what they did."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_poses

from minilift import LiftModel
from minilift.files.weights import save_state_dict
from minilift.poses.poses import save_poses

torch = pytest.importorskip("torch", reason="the benchmarks compare with torch: pip install torch==2.13.0")
pytest.importorskip("threadpoolctl", reason="the benchmarks print the BLAS: pip install threadpoolctl")

SMALL = ["--hidden", "32", "--threads", "1"]
BRIEF = ["--rounds", "1", "--seconds", "0", "--steps", "2"]


def program(name: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, **options)


def bench(name: str, *arguments: str, **options: Any) -> dict[str, Any]:
    """What the last line says, after a look at what all of them say."""
    done = program(name, *arguments, **options)
    assert done.returncode == 0, done.stderr
    *text, line = done.stdout.splitlines()
    assert any(row.startswith("| ") for row in text)
    found = json.loads(line)
    assert found["benchmark"] == name
    header = found["header"]
    assert {"cpu", "cores", "ram_gib", "system", "python", "commit", "date", "inherited"} <= header.keys()
    assert {"numpy", "blas", "blas_version", "architecture", "threads"} <= header["minilift"].keys()
    assert {"torch", "blas", "instruction_set", "threads", "default_adam"} <= header["torch"].keys()
    assert header["minilift"]["threads"] == header["torch"]["threads"] == 1
    assert found["settings"]["threads"] == 1
    return found


def check_ratios(ratios: dict[str, Any], best: str, default: str, rounds: dict[str, list[float]]) -> None:
    for key, name in (("best", best), ("default", default)):
        assert ratios[key]["against"] == name
        assert ratios[key]["ratio"] == pytest.approx(rounds[name][0] / rounds["minilift"][0])


def test_layers_for_images() -> None:
    names = ["Conv2d 16x1x28x28, first layer", "MLP 784-256-512-10, batch 64"]
    found = bench("conv", "--threads", "1", *BRIEF, "--torch", "1", "all", "--cases", *names)
    assert [result["case"] for result in found["results"]] == names
    for result in found["results"]:
        assert all(seconds > 0 for rounds in result["seconds"].values() for seconds in rounds)
        best = min(("torch 1", "torch all"), key=lambda name: result["seconds"][name])
        check_ratios(result["ratios"], best, "torch all", result["seconds"])
    assert "no such case" in program("conv", "--cases", "Conv3d").stderr


def test_the_shares_of_an_epoch_add_up() -> None:
    done = program("shares", "--people", "600", "--epochs", "3", "--set", "hidden=16", "blocks=1")
    assert done.returncode == 0, done.stderr
    *text, line = done.stdout.splitlines()
    found = json.loads(line)["results"]
    whole = found.pop("whole")
    assert sum(found.values()) == pytest.approx(whole)
    assert all(seconds > 0 for seconds in found.values())
    assert "| **outside steps and evaluation** |" in "".join(text)
    assert "no such setting: hiden" in program("shares", "--set", "hiden=16").stderr


def test_step_and_the_environment_of_its_contenders(tmp_path: Path) -> None:
    hobbled = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"}
    kept = tmp_path / "all.json"
    arguments = [*SMALL, *BRIEF, "--batches", "8", "--torch", "loop", "fused", "--plain", "--json", str(kept)]
    found = bench("step", *arguments, env=hobbled)
    assert json.loads(kept.read_text()) == found
    for side in ("minilift", "torch"):
        assert not hobbled.keys() & found["header"][side]["environment"].keys()
    assert found["header"]["inherited"].items() >= hobbled.items()
    (result,) = found["results"]
    times = result["seconds"]
    assert set(times) == {"minilift", "minilift plain", "torch loop", "torch fused"}
    best = min(("torch loop", "torch fused"), key=lambda name: times[name][0])
    check_ratios(result["ratios"], best, "torch loop", times)
    assert 0 < result["share"]["done"] == result["share"]["written"]  # nothing is composed for 8 rows


def test_predict_and_the_coretype_that_is_asked_for() -> None:
    arguments = ["--torch", "eager", "traced", "--batches", "1", "8", "--cold-runs", "1"]
    found = bench("predict", *SMALL, *BRIEF, *arguments, "--coretype", "Haswell")
    assert found["header"]["minilift"]["environment"]["OPENBLAS_CORETYPE"] == "Haswell"
    assert found["settings"]["coretype"] == "Haswell"
    assert [result["batch"] for result in found["results"]] == [1, 8]
    assert all(result["ratios"]["default"]["against"] == "torch eager" for result in found["results"])
    cold = found["cold_start"]
    check_ratios(cold["ratios"], "torch", "torch", cold["seconds"])


def test_train(tmp_path: Path) -> None:
    save_poses(tmp_path / "train.pkl", make_poses(60))
    save_poses(tmp_path / "test.pkl", make_poses(20, seed=1))
    recipe = ["--data", "train.pkl", "--test", "test.pkl", "--batch-size", "8", "--epochs", "2"]
    found = bench("train", *SMALL, *recipe, "--torch", "loop", "--target", "10", cwd=tmp_path)
    result = found["results"]
    assert result["reached"] == ["minilift", "torch loop"]
    assert all(len(epochs) == 1 for epochs in result["epochs"].values())  # the target is an easy one
    seconds = {name: [value] for name, value in result["train_seconds"].items()}
    check_ratios(result["ratios"], "torch loop", "torch loop", seconds)
    assert found["config"]["epochs"] == 2


def test_memory() -> None:
    arguments = ["--rounds", "1", "--poses", "20", "--batch-size", "8", "--torch", "fused"]
    result = bench("memory", *SMALL, *arguments)["results"]
    for name, (peak,) in result["peak_bytes"].items():
        assert 1e7 < result["imported_bytes"][name][0] <= peak
    assert result["ratios"]["default"] is None  # the loop did not take part
    assert result["ratios"]["best"]["ratio"] > 1


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_both_sides_have_the_same_network(blocks: int, tmp_path: Path) -> None:
    from bench.torch_net import load_net, mpjpe
    from minilift.nn.losses import mpjpe as ours

    model = LiftModel(blocks, 32)
    x = np.random.default_rng(0).standard_normal((8, 30), dtype=np.float32)
    model.forward(x, train=True)  # running statistics that are not 0 and 1
    save_state_dict(tmp_path / "liftModel", model.state_dict())
    with torch.no_grad():
        theirs = load_net(str(tmp_path / "liftModel"))(torch.from_numpy(x))
    found = model.forward(x)
    np.testing.assert_allclose(theirs.numpy(), found, atol=1e-5)
    y = np.zeros_like(found)
    assert mpjpe(theirs, torch.from_numpy(y)).item() == pytest.approx(ours(found, y)[0], rel=1e-5)


def test_the_products_are_those_of_the_network() -> None:
    from bench.roofline import _linear, _pair, _step

    def multiplications(products: Any) -> int:
        return sum(a.shape[0] * a.shape[1] * b.shape[1] for a, b, _ in products)

    n, hidden = 100, 32
    assert multiplications(_step([_linear(n, hidden, hidden)])) == 3 * n * hidden**2
    # Twice forward and twice backward with 30 columns, and three products of the weights' own
    assert multiplications(_step([_pair(n, hidden)])) == 4 * n * hidden * 30 + 3 * hidden**2 * 30
    weight, first, x = (np.ones(shape) for shape in ((hidden, hidden), (hidden, 30), (n, 30)))
    shapes = [out.shape for _, _, out in _step([_pair(n, hidden)])]
    assert shapes[0] == (weight @ first).shape
    assert shapes[2] == (x @ (weight @ first).T).shape


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("step", ["--batches", "1"], "1 must be at least 2"),
        ("step", ["--seconds", "-1"], "-1 must be at least 0"),
        ("predict", ["--torch", "fused"], "invalid choice: 'fused'"),
        ("memory", ["--json", "nowhere/all.json"], "--json nowhere/all.json: No such file or directory"),
        ("train", ["--data", "none.pkl"], "--data none.pkl: no such file"),
        ("train", ["--scheduler", "cosine"], "knows onecycle and step"),
    ],
)
def test_wrong_arguments(name: str, arguments: list[str], says: str, tmp_path: Path) -> None:
    done = program(name, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr.splitlines()[-1]


def test_a_dead_worker_is_told_and_leaves_nobody_waiting(tmp_path: Path) -> None:
    broken = tmp_path / "train.pkl"
    broken.write_bytes(b"no poses")
    done = program("train", "--data", str(broken), "--test", str(broken), "--torch", "loop")
    assert done.returncode == 1
    assert re.match(r"minilift: its process ended with status 1: .*train\.pkl", done.stderr.splitlines()[-1])
