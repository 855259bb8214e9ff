"""The cost model of training steps: it knows every kernel, and its bytes are those that the kernels touch."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import ROOT, make_poses
from cpu_kernels import why_absent
from fake_cuda import FakeCuda

from bench import gpu_costs, gpu_profile
from bench.gpu_cost import KERNELS, Cost, cost
from bench.gpu_paper import Paper, launches_of
from minilift import LiftModel
from minilift.nn import losses
from minilift.ops.cuda import cupy_core
from minilift.ops.cuda.gpu import Gpu, Launch

CASES: dict[str, dict[str, Any]] = {
    "columns, 32": {"batch": 32},
    "columns, 64": {"batch": 64, "hidden": 128},
    "columns, rays": {"batch": 32, "head": "ray"},
    "columns, flipped": {"batch": 32, "flip": 0.5},
    "rows": {"batch": 50},
    "rows, composed": {"batch": 300, "hidden": 96},
    "rows, rays, mse": {"batch": 40, "head": "ray", "loss": losses.mse},
    "rows, mse": {"batch": 40, "loss": losses.mse},
    "rows, clipped": {"batch": 40, "max_norm": 1e-3},
    "columns, body": {"batch": 32, "body": 1.0, "noise": 0.01},
}
EXACT = [name for name in CASES if name != "columns, body"]  # there hashes decide what is read


def recorded(gpu: Gpu, monkeypatch: pytest.MonkeyPatch, case: str) -> list[Launch]:
    given = dict(CASES[case])
    batch, poses = given.pop("batch"), make_poses(320)
    monkeypatch.setattr(cupy_core, "open_gpu", lambda index: gpu)
    model = LiftModel(2, given.pop("hidden", 64), 0.3, device="gpu", head=given.pop("head", "xyz"))
    model.standardise(poses.joint_2d, poses.joint_3d)
    return launches_of(model, poses, batch, given.pop("loss", losses.mpjpe), **given)


@pytest.mark.skipif(why_absent() is not None, reason=str(why_absent()))
@pytest.mark.parametrize("case", EXACT)
def test_the_bytes_of_every_kernel_are_those_that_it_touches(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = FakeCuda(counts=True)
    for launch in recorded(Gpu(backend), monkeypatch, case):
        said = cost(launch)
        backend.counted = []
        launch.run()
        if not launch.file:
            continue  # a product of cuBLAS
        ((read, written, moved),) = backend.counted
        # A gradient that ReLU stops is not read alone, but a card reads 32 bytes at a time
        least = said.read - launch.args[0].nbytes if "norm_act_drop_backward" in launch.name else said.read
        assert least <= read <= said.read, launch.name
        assert written == said.written, launch.name
        assert said.moved is not None
        # The last block of a kernel may be less than whole
        assert moved == pytest.approx(said.moved - (said.read - read), rel=0.02), launch.name


@pytest.mark.parametrize("case", CASES)
def test_on_paper_a_step_has_the_launches_that_it_has(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper = recorded(Gpu(Paper()), monkeypatch, case)
    costs = [cost(launch) for launch in on_paper]
    assert all(each.read and each.written for each in costs)
    if why_absent():
        pytest.skip("the launches are known; " + str(why_absent()))
    real = recorded(Gpu(FakeCuda()), monkeypatch, case)
    assert [launch.name for launch in on_paper] == [launch.name for launch in real]
    assert costs == [cost(launch) for launch in real]


def test_a_kernel_of_which_nothing_is_known_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stem, *_ = recorded(Gpu(Paper()), monkeypatch, "rows")
    with pytest.raises(KeyError, match=r"nothing is known of what stem of kernels\.cu costs"):
        cost(stem._replace(file="kernels.cu"))
    monkeypatch.setitem(KERNELS, ("stem.cu", "stem"), lambda call: call.write("x"))
    with pytest.raises(AssertionError, match=r"nothing is said of \['bias', 'data_x'"):
        cost(stem)


def test_the_tables_of_the_page_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "gpu.md").read_text(encoding="utf-8")
    for batch in gpu_costs.BATCHES:
        assert gpu_costs.on_paper(batch) in page, f"python -m bench.gpu_costs --batch {batch}"


@pytest.mark.skipif(why_absent() is not None, reason=str(why_absent()))
def test_a_table_with_measured_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's clock: a millisecond for every launch."""
    gpu = Gpu(FakeCuda())
    monkeypatch.setattr(cupy_core, "open_gpu", lambda index: gpu)
    for name, count in {"COPIES": 2, "REPLAYS": 1, "ROUNDS": 1, "WARM": 2}.items():
        monkeypatch.setattr(gpu_profile, name, count)
    rows = [
        row.split("|")[1:-1] for row in gpu_costs.on_the_card(32, 64, gpu_costs.Rates(1e-3, 10)).split("\n")
    ]
    named = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    assert named["kernel"][-3:] == ["us alone", "us in place", "floor's share"]
    assert named["half_forward"][-3:-1] == ["4000", "4000"]
    assert named["all"][-3:-1] == ["18000", "18000"]
    floor, share = float(named["all"][-4]), float(named["all"][-1].rstrip("%"))
    assert share == pytest.approx(floor / 180, abs=0.6)


def test_the_floor_is_the_larger_of_two_times() -> None:
    rates = gpu_costs.Rates(bandwidth=1000, tflops=10)
    assert rates.us(Cost(600_000, 400_000, None, 1)) == pytest.approx(1)
    assert rates.us(Cost(1, 1, None, 30_000_000)) == pytest.approx(3)


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu_costs.main(["--batch", "32", "--hidden", "64"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"\n\| half_forward +\| 4 ", out)
    monkeypatch.setattr(gpu_costs, "no_gpu", lambda: "CuPy finds no CUDA GPU here")
    assert gpu_costs.main(["--measure"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("python -m bench.gpu_costs: CuPy")
    assert told.count("\n") == 1
