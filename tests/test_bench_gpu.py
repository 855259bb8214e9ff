"""bench.gpu and .ci/gpu, as far as they can be tried without a GPU."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, make_poses

from bench import gpu, gpu_floor, gpu_more, gpu_report
from bench.gpu_plan import COMPILED, OURS, Budget, checks, plan
from bench.gpu_run import Died, Run
from minilift.poses.poses import save_poses

VARIANTS = list(gpu.VARIANTS)


def arguments(*given: str) -> Any:
    return gpu.arguments(list(given))


# ---- the command line ------------------------------------------------------------------------------


def test_defaults_and_duplicates() -> None:
    args = arguments()
    assert (args.batches, args.precision, args.minutes) == ([32, 64, 256, 1024, 4096], ["fp32", "tf32"], 8)
    assert args.torch == VARIANTS
    args = arguments("--batches", "64", "8", "64", "--precision", "tf32", "--torch", "graph", "graph")
    assert (args.batches, args.precision, args.torch) == ([64, 8], ["tf32"], ["graph"])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--batches", "1"], "1 must be at least 2"),
        (["--torch", "loop"], "invalid choice: 'loop'"),
        (["--precision", "fp16"], "invalid choice: 'fp16'"),
        (["--minutes", "0"], "must be more than 0"),
        (["--seconds", "nan"], "must be more than 0"),
    ],
)
def test_wrong_arguments(given: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        arguments(*given)
    assert left.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("class cuda:\n    is_available = staticmethod(lambda: False)", "CuPy finds no CUDA GPU here"),
        ("raise RuntimeError('two of\\nthem')", "CuPy cannot be used here: two of them"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--tiny"]])
def test_no_gpu_is_one_line(code: str, says: str, flags: list[str], tmp_path: Path) -> None:
    (tmp_path / "cupy").mkdir()
    (tmp_path / "cupy" / "__init__.py").write_text(code)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "bench.gpu", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"python -m bench.gpu: {says}\n"


def test_no_cupy_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert gpu.main([]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("python -m bench.gpu: CuPy is not installed")
    assert told.err.count("\n") == 1


def test_the_line_of_json_is_kept_as_it_grows(tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text("an earlier run\n")
    keep = gpu.Kept(str(tmp_path / "all.json"))
    for line in ("a first part, which is long", "both parts"):
        keep(line)
    assert (tmp_path / "all.json").read_text() == "an earlier run\nboth parts\n"
    assert gpu.short({"a": [1.23456789, 7, None]}) == {"a": [1.2346, 7, None]}


# ---- the floor -------------------------------------------------------------------------------------


def test_the_counts_of_a_step() -> None:
    from minilift import LiftModel

    assert gpu_floor.parameters() == 4_284_461
    assert gpu_floor.parameters(64) == sum(p.size for p in LiftModel(hidden_layer=64).parameters())
    assert gpu_floor.flops(1) / 1e6 == pytest.approx(25.565, abs=1e-3)


@pytest.mark.parametrize(  # worked out by hand: rows, GFLOP, MB of a step with a separate Adam and fused
    ("batch", "gflop", "separate", "fused"),
    [
        (32, 0.82, 179, 142), (64, 1.64, 187, 148), (256, 6.54, 234, 179), (1024, 26.2, 423, 305),
        (4096, 104.7, 1178, 808),
    ],
)  # fmt: skip
def test_operations_and_bytes(batch: int, gflop: float, separate: float, fused: float) -> None:
    assert gpu_floor.flops(batch) / 1e9 == pytest.approx(gflop, rel=5e-3)
    assert gpu_floor.step_bytes(batch, fused=False) / 1e6 == pytest.approx(separate, abs=0.6)
    assert gpu_floor.step_bytes(batch) / 1e6 == pytest.approx(fused, abs=0.6)


@pytest.mark.parametrize(
    ("tflops", "wanted"), [(67, [33, 34, 98, 391, 1563]), (450, [33, 34, 42, 71, 233])], ids=["fp32", "tf32"]
)
def test_the_larger_of_two_times(tflops: float, wanted: list[int]) -> None:
    floors = [gpu_floor.floor_us(batch, tflops, 4300) for batch in gpu.BATCHES]
    assert floors == pytest.approx(wanted, rel=0.05)


def test_the_median_of_one() -> None:
    counts: list[int] = []
    assert gpu_floor.seconds_each(counts.append, lambda: None, seconds=1e-9) > 0
    assert counts[:2] == [2, 3]
    assert len(counts) == 7


# ---- order and time --------------------------------------------------------------------------------


def test_small_batches_in_fp32_come_first() -> None:
    first, rest = plan([1024, 32, 64], ["tf32", "fp32"])
    assert first == [(32, "fp32"), (64, "fp32")]
    assert rest == [(1024, "fp32"), (1024, "tf32"), (32, "tf32"), (64, "tf32")]
    assert checks([32, 256], ["fp32"]) == [
        (32, "fp32", "rows"), (32, "fp32", "columns"), (32, "fp32", None), (256, "fp32", None),
    ]  # fmt: skip


def test_what_is_compiled_leaves_time_for_the_others() -> None:
    budget = Budget(100, began=0, clock=lambda: 20.0)
    compiled, quick = COMPILED[0], "torch eager"
    assert budget.left() == 80
    assert budget.refuses(compiled, later=30) == ""
    assert budget.refuses(compiled, later=40) == "40 s left for it"
    assert budget.refuses(quick, later=1000) == ""
    budget.clock = lambda: 99.0
    assert budget.refuses(quick, later=0) == "1 s left for it"


KERNELS = {
    "launches": [{"name": "half", "us": 3.0}, {"name": "half", "us": 5.0}, {"name": "tick", "us": 1.0}]
}
CEILINGS = {"bandwidth_gb_s": 4300.0, "best_tflops": {"fp32": 67.0}, "products_us": {"fp32": {"32": 20.0}}}
NEAR = dict.fromkeys(("loss", "weights", "update", "statistics"), 1e-07)
RIGHT = {"ours": NEAR, "numpy": NEAR, "right": True, "captured": True, "count": 3}
EPOCH = {
    "batch": 64, "poses": 62437, "steps": 975, "steps_per_s": 9750.0, "pool_bytes": 2.5e8, "losses": [2.0],
    "seconds": {"load": 0.05, "first": 0.2, "second": 0.1, "third": 0.1, "from_host": 0.15},
}  # fmt: skip
WELL: dict[str, Any] = {"kernels": KERNELS, "ceilings": CEILINGS, "correct": RIGHT, "epoch": EPOCH}


class Card:
    """A card on which each contender does what `acts` has for it: an error, a death, or a time."""

    def __init__(self, acts: dict[str, Any]) -> None:
        self.acts, self.starts, self.asked = acts, 0, []  # type: ignore[var-annotated]
        self.sick = False

    def start(self, limit: float) -> Card:
        self.starts, self.sick = self.starts + 1, False
        return self

    def close(self) -> None:
        self.asked.append("close")

    def get(self, task: str, limit: float, **arguments: Any) -> dict[str, Any]:
        self.asked.append(" ".join([task, *map(str, arguments.values())]))
        if task in ("about", "drop"):
            return {}
        if task == "healthy":
            return {"error": "illegal access"} if self.sick else {}
        act = self.acts.get(arguments.get("name", task), WELL.get(task, 1e-3))
        if callable(act):
            act = act(task)
        if act == "die":
            raise Died("its process ended with status -11", "the end of what it said")
        if act == "poison":
            self.sick = True
            return {"error": "illegal access", "trace": "where"}
        if isinstance(act, str):
            return {"unavailable": act} if act.startswith("no path") else {"error": act, "trace": "where"}
        if task == "build":
            return {"count": 1, "notes": {"path": "columns", "captured": True}}
        return {"seconds": act} if task == "time" else (act if isinstance(act, dict) else {})


def run(card: Card, *given: str, minutes: float = 60) -> Run:
    args = arguments("--batches", "32", "64", "--precision", "fp32", "--rounds", "3", *given)
    result = Run(args, card.start, Budget(60 * minutes, 0, clock=lambda: 0.0))
    result.everything()
    json.dumps(gpu.short(result.results))
    return result


def causes(result: Run) -> list[tuple[str, str]]:
    return [(each["what"], each["why"]) for each in result.results["failures"]]


def test_all_goes_well() -> None:
    acts = {"minilift": 5e-5, "torch graph": 2e-4, "minilift columns": "no path 'columns': too wide"}
    card = Card(acts)
    result = run(card)
    assert (causes(result), result.results["skipped"], card.starts) == ([], [], 1)
    turns = [asked for asked in card.asked if asked.startswith("time")]
    names = [name for name in (*OURS, *(f"torch {v}" for v in VARIANTS)) if name != "minilift columns"]
    assert turns == [f"time {name}" for name in names] * 8  # 2 batches, a round to warm up and 3 that count
    assert [len(heat["seconds"]["minilift"]) for heat in result.results["heats"]] == [3, 3]
    text = gpu_report.tables(result.results)
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("|")}
    assert [cell.strip() for cell in rows["minilift"].split("|")[2:4]] == ["20000 (20000-20000)"] * 2
    assert "- " in rows["minilift columns"]
    ratios = [row.split("|") for row in text.splitlines() if "torch graph" in row and "fp32" in row]
    assert [cell.strip() for cell in ratios[0][1:9]] == [
        "32", "fp32", "**4.00**", "torch graph", "**20.00**", "50.0 (50.0-50.0)", "33.1", "66%"
    ]  # fmt: skip
    assert "| half   | 2        | 4.00 (3.00-5.00) | 8.00        |" in text
    assert (
        "epoch of 62,437 poses at batch 64, with the bar and its loss: the second 0.100 s (9750 it/s)" in text
    )
    assert "250.0 MB on the device" in text
    assert "minilift columns: no path 'columns': too wide" in text
    assert "correct? batch 32 fp32 rows, graphs, 3 steps: yes; loss 1.0e-07 (1.0e-07)" in text
    assert "FAILED" not in text
    assert "not to be shown" not in text
    result.results["ceilings"] = {"best_tflops": 7}
    assert "not to be shown: AttributeError" in gpu_report.tables(result.results)


def test_an_error_is_a_row_and_not_the_end() -> None:
    card = Card({"torch compile": "RuntimeError: no compiler", "epoch": "KeyError: 'x'"})
    result = run(card)
    assert causes(result) == [
        ("batch 32 fp32, torch compile", "RuntimeError: no compiler"),
        ("batch 64 fp32, torch compile", "RuntimeError: no compiler"),
        ("epoch", "KeyError: 'x'"),
    ]
    assert result.results["traces"] == {"RuntimeError: no compiler": "where", "KeyError: 'x'": "where"}
    assert card.starts == 1
    assert all(len(heat["seconds"]) == 8 for heat in result.results["heats"])
    text = gpu_report.tables(result.results)
    assert "FAILED: RuntimeError: no compiler\n  (batch 32 fp32, torch compile; batch 64" in text


@pytest.mark.parametrize("act", ["die", "poison"])
@pytest.mark.parametrize("when", ["build", "time"])
def test_a_dead_process_costs_only_who_killed_it(act: str, when: str) -> None:
    def minilift(task: str) -> Any:
        return act if task == when else 1e-3

    card = Card({"minilift": minilift})
    result = run(card)
    for heat in result.results["heats"]:
        assert set(heat["errors"]) == {"minilift"}
        assert {len(seconds) for seconds in heat["seconds"].values()} == {3}
        assert len(heat["seconds"]) == 8
    assert card.starts == 3
    assert result.deaths["minilift"] == 2
    again = run(Card({"minilift": minilift}), "--batches", "32", "64", "256")
    assert "ended the process twice" in again.results["heats"][2]["errors"]["minilift"]
    assert gpu_report.tables(again.results).count("failed") >= 3


def test_torch_is_measured_though_all_of_ours_fail() -> None:
    result = run(Card(dict.fromkeys(OURS, "die")))
    for heat in result.results["heats"]:
        assert list(heat["seconds"]) == [f"torch {variant}" for variant in VARIANTS]
        assert list(heat["errors"]) == OURS


def test_a_part_that_kills_the_process() -> None:
    card = Card({"kernels": "die"})
    result = run(card)
    assert [what for what, _ in causes(result)] == ["kernels 32 fp32 columns", "kernels 32 fp32 rows"]
    assert card.starts == 2  # nothing is asked after the last one
    assert "kernels of a step, batch 32, fp32, path rows: failed" in gpu_report.tables(result.results)


def test_when_time_is_short_compiling_is_left_out_and_told() -> None:
    result = run(Card({}), minutes=1)
    for heat in result.results["heats"]:
        assert set(heat["skipped"]) == set(COMPILED)
        assert len(heat["seconds"]) == 7
    assert causes(result) == []
    assert "torch compile skipped, " in gpu_report.tables(result.results)


def test_when_time_is_up_nothing_more_is_begun() -> None:
    card = Card({})
    result = run(card, minutes=1e-3)
    assert not any(asked.startswith(("build", "time", "epoch")) for asked in card.asked)
    assert "epoch: no time left" in result.results["skipped"]
    assert gpu_report.tables(result.results)


# ---- the contenders --------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["eager", "fused"])
def test_torch_trains(variant: str) -> None:
    pytest.importorskip("torch", reason="pip install torch==2.13.0")
    from bench.gpu_torch import TorchSteps

    steps = TorchSteps(variant, 16, "fp32", device="cpu", hidden=32)
    before = steps.error()
    steps.run(100)
    steps.wait()
    assert steps.error() < 0.98 * before
    assert steps.notes == {}
    assert len(steps.x) == 16


def test_torch_has_every_variant() -> None:
    pytest.importorskip("torch", reason="pip install torch==2.13.0")
    from bench.gpu_torch import ADAMS, PRECISIONS

    assert list(ADAMS) == VARIANTS
    assert list(PRECISIONS) == ["fp32", "tf32"]


def test_minilift_has_every_variant() -> None:
    from bench.gpu_ours import VARIANTS as ours

    assert list(ours) == OURS


@pytest.fixture
def fake_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The GPU of tests/gpu: its kernels run on the CPU."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "gpu")
    cpu_kernels = pytest.importorskip("cpu_kernels", reason="tests/gpu is not here")
    if why := cpu_kernels.why_absent():
        pytest.skip(why)
    from fake_cuda import FakeCuda

    from minilift.ops.cuda.gpu import Gpu

    fake = Gpu(FakeCuda())
    monkeypatch.setattr("minilift.ops.cuda.cupy_core.open_gpu", lambda index=0: fake)


@pytest.mark.usefixtures("fake_gpu")
def test_minilift_is_right_and_its_launches_can_be_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import gpu_ours

    monkeypatch.setattr(gpu_ours, "COPIES", 1)
    results = gpu_ours.tiny()
    assert [(r["path"], r["captured"], r["right"]) for r in results] == [
        ("columns", True, True), ("columns", False, True), ("rows", True, True), ("rows", False, True)
    ]  # fmt: skip
    assert max(r["ours"]["update"] for r in results) < 1e-4  # 2e-6
    assert [r.get("graph") for r in results] == [0, None, 0, None]
    assert "NO" not in gpu_report.correct_lines(results)
    data = gpu_ours.made_up(100)
    found = gpu_ours.kernels(data, 32, "fp32", "columns", hidden=64)
    assert len(found["launches"]) > 10
    assert all(each["us"] > 0 for each in found["launches"])
    with pytest.raises(gpu_ours.Unavailable):
        gpu_ours.OurSteps(data, 17, "fp32", {"path": "columns"}, hidden=64)
    steps = gpu_ours.OurSteps(data, 32, "tf32", {"path": "rows"}, hidden=64)
    steps.run(7)  # the epoch has 3 batches
    steps.wait()
    assert steps.next == 1
    assert math.isfinite(steps.sums.averages()["loss"])
    whole = gpu_ours.epoch(batch=32, count=100, hidden=64)
    assert whole["steps"] == 3
    assert whole["pool_bytes"] > 1e6
    assert gpu_report.epoch_line(whole).startswith("epoch of 100 poses at batch 32")


# ---- as programs -----------------------------------------------------------------------------------


def test_a_rehearsal(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="pip install torch==2.13.0")
    kept = tmp_path / "all.json"
    few = ["--batches", "8", "--precision", "fp32", "--torch", "eager", "graph", "--rounds", "2"]
    command = [sys.executable, "-m", "bench.gpu", "--rehearse", *few, "--seconds", "0.001", "--threads", "1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*command, "--json", str(kept)], capture_output=True, text=True, timeout=120, env=env
    )
    assert done.returncode == 1, done.stderr  # what needs a GPU has failed
    *text, line = done.stdout.splitlines()
    found = json.loads(line)
    assert json.loads(kept.read_text()) == found
    assert found["benchmark"] == "gpu"
    assert {"cpu", "python", "commit", "date", "card", "gpu_process"} <= found["header"].keys()
    (heat,) = found["results"]["heats"]
    assert set(heat["seconds"]) == {"torch eager"}
    assert len(heat["seconds"]["torch eager"]) == 2
    assert {"minilift", "torch graph"} <= set(heat["errors"])
    assert any(row.startswith("| torch graph ") and "failed" in row for row in text)


@pytest.fixture
def ci(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """.ci/gpu with programs of these texts in place of the real ones: its exit status, and what it said."""
    if not shutil.which("timeout"):
        pytest.skip("needs timeout")
    (tmp_path / "bin").mkdir()

    def run_it(**programs: str) -> tuple[int, str]:
        for name, text in programs.items():
            path = tmp_path / "bin" / name.replace("_", "-")
            path.write_text(f"#!/bin/bash\n{text}\n")
            path.chmod(0o755)
        env = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "OUT": str(tmp_path / "out")}
        command = [str(ROOT / ".ci" / "gpu"), "--batches", "32"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
        assert (tmp_path / "out" / "gpu.txt").read_text() == done.stdout
        return done.returncode, done.stdout

    return run_it


PYTHON = """case "$*" in
*"-m pytest"*) echo "7 passed in 3.00s" ;;
*"minilift info"*) echo "gpu        a card"; echo "self-test  passed in 2.0 s" ;;
*tiny*) echo tiny ;;
*gpu_costs*) echo "by kernel"; echo; echo "| kernel |"; echo "|---|" ;;
*gpu_more*) echo "asked: $*"; echo "of $2"; echo; echo "| poses |"; echo "|---|"; echo "| 1 |" ;;
*) echo "asked: $*"; echo "steps a second"; echo; echo "| batch |"; echo; echo '{"benchmark": "gpu"}' ;;
esac"""
SANITIZER = 'echo "$2"; echo "========= ERROR SUMMARY: 0 errors"'


def test_ci_says_all_in_a_summary(ci: Callable[..., tuple[int, str]]) -> None:
    status, text = ci(nvidia_smi="echo 'Driver Version: 580.1'", python3=PYTHON, compute_sanitizer=SANITIZER)
    assert status == 0, text
    summary = text.partition("== summary")[2]
    for said in (
        "Driver Version: 580.1",
        "7 passed in 3.00s",
        "memcheck   ERROR SUMMARY: 0 errors",
        "smoke      self-test  passed in 2.0 s",
        "bench ",
        "profile    its tables are in gpu.md",
        "predict ",
    ):
        assert said in summary
    assert "asked: -m bench.gpu --minutes 3.3 --json" in text
    assert "--batches 32" in text
    assert '{"benchmark"' not in text


@pytest.mark.parametrize(
    ("program", "text", "says"),
    [
        ("python3", PYTHON.replace('3.00s"', '3.00s"; exit 1'), "tests      FAILED with status 1"),
        ("python3", PYTHON.replace('"gpu"}\'', '"gpu"}\'; exit 1'), "bench      FAILED with status 1"),
        ("python3", PYTHON.replace("7 passed", "7 skipped"), "tests      FAILED with status 5; 7 skipped in"),
        ("nvidia_smi", "exit 9", "card       FAILED with status 9"),
        ("python3", PYTHON.replace("passed in 2", "FAILED after 2"), "smoke      FAILED with status 5"),
        ("python3", PYTHON.replace('echo "| 1 |"', "exit 3"), "predict    FAILED with status 3"),
        ("compute_sanitizer", "echo '==== ERROR SUMMARY: 2 errors'; exit 9", "9; ERROR SUMMARY: 2 errors"),
        ("compute_sanitizer", "echo 'Device not supported'; exit 1", "does not support this device"),
    ],
)
def test_ci_goes_on_after_a_failure(
    ci: Callable[..., tuple[int, str]], program: str, text: str, says: str
) -> None:
    programs = {"nvidia_smi": "echo", "python3": PYTHON, "compute_sanitizer": SANITIZER}
    status, said = ci(**programs | {program: text})
    assert status == int("FAILED" in said)
    assert says in said.partition("== summary")[2]
    assert "asked: -m bench.gpu" in said


def test_ci_keeps_what_each_stage_said_and_its_tables(
    ci: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data_train_lift.pkl").touch()
    monkeypatch.setenv("MOCAP", str(tmp_path))
    ci(nvidia_smi="echo", python3=PYTHON, compute_sanitizer=SANITIZER)
    out = tmp_path / "out"
    kept = {path.name for path in out.iterdir()}
    stages = ("card", "smoke", "tests", "bench", "profile", "predict", "mocap", "memcheck", "racecheck")
    assert kept == {"gpu.txt", "gpu.md", *(f"gpu-{stage}.txt" for stage in stages)}
    assert f"--data {tmp_path}/data_train_lift.pkl" in (out / "gpu-mocap.txt").read_text()
    made = (out / "gpu.md").read_text()
    assert "`python -m bench.gpu`:\n\nsteps a second\n\n| batch |\n" in made
    assert "`python -m bench.gpu_more predict`:\n\nof bench.gpu_more\n\n| poses |\n|---|\n| 1 |\n" in made
    assert "`python -m bench.gpu_costs --measure`:\n\nby kernel\n\n| kernel |\n|---|\n" in made
    assert "asked" not in made


@pytest.mark.parametrize(
    ("ncu", "says"),
    [
        ('echo \'"ID","dram__bytes_read.sum"\'', "ncu's counts are in gpu-ncu.txt"),
        ("echo '==ERROR== ERR_NVGPUCTRPERM'; exit 1", "ncu may not read this card's counters"),
        ("exit 7", "FAILED with status 7; ncu's counts"),
    ],
)
def test_ci_asks_ncu_where_it_is_there(
    ci: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, ncu: str, says: str
) -> None:
    monkeypatch.setenv("STAGES", "profile")
    status, text = ci(python3=PYTHON, ncu=ncu)
    assert says in text.partition("== summary")[2]
    assert status == int("FAILED" in says)


def test_the_limits_of_ci_stay_below_its_thirteen_minutes() -> None:
    script = (ROOT / ".ci" / "gpu").read_text(encoding="utf-8")
    limits = re.findall(r"^ +(?:if wanted \w+; then )?(?:stage|checked) \w+ (\d+)", script, re.MULTILINE)
    told = re.findall(r"^#   \w+ +(\d+) s ", script, re.MULTILINE)
    assert len(limits) == 10
    assert sum(map(int, limits)) == sum(map(int, told)) <= 780


def test_ci_ends_a_stage_that_hangs_and_runs_those_that_are_wanted(
    ci: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGES", "smoke predict")
    hangs = PYTHON.replace('echo "self-test  passed in 2.0 s"', "exec sleep 50")
    timeout = 'while [ "$1" != "${1#-}" ]; do shift 2; done; shift; exec /usr/bin/timeout -s INT 1 "$@"'
    status, text = ci(python3=hangs, timeout=timeout)
    assert status == 1
    assert "smoke      FAILED: did not end in time; gpu        a card" in text
    assert "predict    its table is in gpu.md" in text
    assert "tests " not in text.partition("== summary")[2]


# ---- what a user waits for -----------------------------------------------------------------------------


def test_predictions_and_a_training_are_timed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu_more, "POSES", (1, 40))
    assert gpu_more.main(["predict", "--device", "cpu", "--hidden", "16", "--seconds", "0.001"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1].strip() for row in rows[4:]] == ["1", "40", "most poses a second"]
    for name in ("train", "test"):
        save_poses(tmp_path / f"{name}.npz", make_poses(200))
    files = ["--data", str(tmp_path / "train.npz"), "--test", str(tmp_path / "test.npz")]
    few = ["train", "--device", "cpu", *files, "--hidden", "16", "--epochs", "2"]
    assert gpu_more.main([*few, "--target", "1e-9"]) == 0
    said = capsys.readouterr().out
    assert said.count("test MPJPE 0.") == 2
    assert ", not the target |" in said
    assert gpu_more.main([*few, "--target", "1e9"]) == 0
    assert "| minilift, cpu | 1      |" in capsys.readouterr().out
    assert gpu_more.main(["train", "--device", "cpu", "--data", "none.pkl"]) == 2
    assert "none.pkl" in capsys.readouterr().err
