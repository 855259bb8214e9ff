"""Sweeps: every run made once, whatever happens on the way, and tables that say what the runs gave."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from test_cli import CHANGED, NEEDS

from minilift import Poses
from minilift.cli.eval import main as evaluate
from minilift.cli.main import main as command_line
from minilift.cli.settings import read_train
from minilift.cli.study import main
from minilift.cli.train import main as train
from minilift.errors import InputError
from minilift.lift.settings import SETTINGS, TrainSettings
from minilift.ops.threads import limited, team
from minilift.poses.people.synth import SyntheticPoses, synthesize
from minilift.poses.poses import load_poses, save_poses, save_scale
from minilift.studies.designs.grids import ablation, grid
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.designs.words import read_axes, read_settings
from minilift.studies.results.tables import table, write_between
from minilift.studies.runs import sweep as sweep_module
from minilift.studies.runs.evaluations import read_evaluation
from minilift.studies.runs.key import Run
from minilift.studies.runs.store import Store
from minilift.train.trainer import Trainer

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
TINY = ["--set", "hidden=16", "--set", "blocks=1", "--set", "batch-size=64", "--set", "device=cpu"]
ONE = [*TINY, "--set", "epochs=1", "--seeds", "1", "--jobs", "1", "--threads", "1"]
FOUR = ["--grid", "lr=0.001,0.01", "--grid", "dropout=0,0.1"]


@pytest.fixture(scope="module")
def people() -> SyntheticPoses:
    return synthesize(400)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: Patch, people: SyntheticPoses) -> Path:
    """With 400 synthetic people, 320 to train on and 80 to test."""
    monkeypatch.chdir(tmp_path)
    made = people
    poses = Poses(made.joint_2d, made.joint_3d, made.scale)
    save_poses("data_train_lift.pkl", poses.take(slice(320)))
    save_poses("data_test_lift.pkl", poses.take(slice(320, 400)))
    save_scale("data_test_scale.npy", made.scale[320:])
    return tmp_path


@pytest.fixture
def made(monkeypatch: Patch) -> list[Run]:
    """The runs that were really made, in this process."""
    found: list[Run] = []

    def counted(run: Run, *arguments: Any) -> Any:
        found.append(run)
        return execute(run, *arguments)

    execute = sweep_module.execute
    monkeypatch.setattr(sweep_module, "execute", counted)
    return found


def records(folder: str = "experiments") -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))}


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "minilift", "study", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=env, start_new_session=True, **pipes)


def wait_for(there: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not there():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def needs_joblib() -> None:
    pytest.importorskip("joblib", reason="several runs at once need: pip install 'minilift[studies]'")


# ---- one run ---------------------------------------------------------------------------------------


def test_a_run_is_that_of_train_and_its_figures_are_those_of_eval(folder: Path, capsys: Capture) -> None:
    settings = {"hidden": "16", "blocks": "1", "epochs": "8", "flip": "0.5", "lr": "0.5", "seed": "1"}
    settings |= {"batch-size": "32", "scheduler": "none"}  # so that the last epoch is not the best
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
    assert train(["--device", "cpu", *flags]) == 0
    sets = [word for n, v in settings.items() if n != "seed" for word in ("--set", f"{n}={v}")]
    assert main([*sets, "--set", "device=cpu", "--seeds", "2", "--jobs", "1"]) == 0
    found = next(record for record in records().values() if record["seed"] == 1)
    (figures,) = found["results"].values()
    log = [line.split(",") for line in Path("log.csv").read_text().splitlines()]
    column = log[0].index("val_mpjpe")
    assert [row["val_mpjpe"] for row in found["history"]] == [float(row[column]) for row in log[1:]]
    assert found["best_epoch"] < 8
    assert found["best_epoch"] == 1 + int(np.argmin([row["val_mpjpe"] for row in found["history"]]))
    for name, flags in (("plain", []), ("flip", ["--flip"]), ("project", ["--project"])):
        capsys.readouterr()
        assert evaluate(["--json", "--device", "cpu", *flags]) == 0
        told = json.loads(capsys.readouterr().out)
        for figure, value in figures[name].items():
            assert value == pytest.approx(told[figure], rel=1e-6)  # float32 rounding of folded weights
    assert set(figures["plain"]) == {"mpjpe", "pa_mpjpe", "mpjpe_mm", "pa_mpjpe_mm"}


def test_nothing_is_written_but_the_results(folder: Path, capsys: Capture) -> None:
    before = sorted(path.name for path in folder.iterdir())
    assert main(ONE) == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted([*before, "experiments"])
    assert [path.suffix for path in Path("experiments").iterdir()] == [".json"]


def test_rows_and_scales_of_evaluations(folder: Path) -> None:
    whole, first, last = (read_evaluation(f"a=data_test_lift.pkl{rows}") for rows in ("", ":0:30", ":-50:"))
    assert [len(part.load()) for part in (whole, first, last)] == [80, 30, 50]
    assert len({part.key for part in (whole, first, last)}) == 3
    np.testing.assert_array_equal(last.load().joint_2d, load_poses("data_test_lift.pkl").joint_2d[30:])
    shutil.copy("data_test_lift.pkl", "other.pkl")  # the same poses, but nobody knows their scale
    assert read_evaluation("b=other.pkl").scale is None
    assert read_evaluation("b=other.pkl").key != whole.key
    shutil.copy("data_test_scale.npy", "other_scale.npy")
    assert read_evaluation("b=other.pkl").key == whole.key
    for text in ("other.pkl", "a=other.pkl:80:", "a=other.pkl:5:5", "a=missing.pkl"):
        with pytest.raises(InputError, match=r"other\.pkl|missing\.pkl"):
            read_evaluation(text)


# ---- the hash --------------------------------------------------------------------------------------


def key(*flags: str, data: tuple[int, ...] = (3, 1, 2)) -> str:
    return Run(read_train(list(flags)).settings, data).key


ACTING = [name for name, setting in SETTINGS.items() if setting.result]


@pytest.mark.parametrize("name", ACTING)
def test_every_setting_that_acts_changes_the_hash(name: str) -> None:
    flag = name.replace("_", "-")
    values = {**CHANGED, "tf32": [], "sync_batchnorm": [], "blocks": ["3"]}[
        name
    ]  # more blocks than the preset, not than a small one
    off = isinstance(getattr(TrainSettings, name), bool) and getattr(TrainSettings, name)
    flags = [f"--no-{flag}" if off else f"--{flag}", *values]
    base = NEEDS.get(name, [])
    assert key(*base) != key(*base, *flags)


def test_what_does_not_act_does_not_change_it() -> None:
    assert key() == key("--out", "x", "--weights", "w", "--data", "d.pkl", "--device", "cpu")
    assert key() == key("--momentum", "0.5", "--cycle-momentum") == key("--gamma", "0.1", "--warm-up", "0.3")
    assert len({key(), key(data=(3, 1, 3)), key(data=(4, 1, 2))}) == 3
    assert "synthetic" not in TrainSettings().acting()  # runs from before it came are still good
    assert TrainSettings(synthetic=0.5).acting()["synthetic"] == 0.5


def test_other_data_are_another_run(folder: Path, made: list[Run]) -> None:
    assert main(ONE) == 0
    poses = load_poses("data_train_lift.pkl")
    save_poses("data_train_lift.pkl", poses.take(slice(1, None)))
    assert main(ONE) == 0
    assert len(made) == len(records()) == 2


# ---- nothing is made twice -------------------------------------------------------------------------


def test_a_sweep_goes_on_where_it_was(folder: Path, made: list[Run], capsys: Capture) -> None:
    assert main([*ONE, "--grid", "lr=0.001"]) == 0
    assert "1 run, 0 of them done" in capsys.readouterr().out
    assert main([*ONE, *FOUR]) == 0  # of which dropout 0 with lr 0.001 is the one above
    assert "4 runs, 1 of them done; 3 epochs to train" in capsys.readouterr().out
    assert len(made) == 4
    assert main([*ONE, *FOUR]) == 0
    assert len(made) == 4
    assert main([*ONE, *FOUR, "--seeds", "2"]) == 0
    assert len(made) == len(records()) == 8


def test_other_evaluations_are_added_to_a_run(folder: Path, made: list[Run]) -> None:
    assert main(ONE) == 0
    half = [*ONE, "--eval", "half=data_test_lift.pkl::40"]
    assert main(half) == 0
    (record,) = records().values()
    assert len(record["results"]) == 2
    assert main(ONE) == main(half) == 0
    assert len(made) == 2


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_sweep_is_continued(jobs: str, folder: Path, capsys: Capture) -> None:
    if jobs == "2":
        needs_joblib()
    flags = [*TINY, *FOUR, "--set", "epochs=40", "--seeds", "1", "--jobs", jobs, "--threads", "1"]
    process = start(*flags)
    wait_for(records, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = {path: path.stat().st_mtime_ns for path in Path("experiments").glob("*.json")}
    assert 1 <= len(before) < 4
    assert main(flags) == 0
    told = capsys.readouterr().out
    assert f"4 runs, {len(before)} of them done" in told
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(records()) == 4


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_says_how_to_go_on(jobs: str, folder: Path) -> None:
    if jobs == "2":
        needs_joblib()
    flags = [*TINY, *FOUR, "--set", "epochs=200", "--seeds", "1", "--jobs", jobs, "--threads", "1"]
    process = start(*flags)
    wait_for(records, process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    done = len(records())
    assert f"stopped: {done} of 4 runs are done" in out
    assert out.splitlines()[-1] == f"continue with: minilift study {' '.join(flags)}"
    assert "Traceback" not in err
    assert 1 <= done < 4
    assert not list(Path("experiments").glob(".*"))


def test_ctrl_c_in_the_last_epoch_of_a_run_keeps_it_and_stops(folder: Path, monkeypatch: Patch) -> None:
    """Nothing is left to train in that run, so the Trainer says it is finished; the sweep is not."""
    finish = Trainer._finish_epoch

    def interrupted(trainer: Trainer, *arguments: Any) -> None:
        finish(trainer, *arguments)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Trainer, "_finish_epoch", interrupted)
    assert main([*TINY, *FOUR, "--set", "epochs=1", "--seeds", "1", "--jobs", "1"]) == 130
    assert len(records()) == 1


def test_the_same_bits_however_many_at_once(folder: Path) -> None:
    needs_joblib()
    flags = [*TINY, *FOUR, "--set", "epochs=2", "--seeds", "1", "--threads", "1"]
    assert main([*flags, "--jobs", "1", "--out", "one"]) == 0
    assert main([*flags, "--jobs", "2", "--out", "two"]) == 0
    alone, together = records("one"), records("two")
    assert len(alone) == 4
    for name, record in alone.items():
        other = together[name]
        assert record["results"] == other["results"]
        assert [{**row, "seconds": 0} for row in record["history"]] == [
            {**row, "seconds": 0} for row in other["history"]
        ]
        assert record["machine"]["threads"] == other["machine"]["threads"] == 1


def test_a_process_can_be_held_to_fewer_threads() -> None:
    before = team().size
    with limited(1):
        assert team().size == 1
    assert team().size == before
    with limited(99):
        assert team().size == before


# ---- what goes wrong -------------------------------------------------------------------------------


def test_a_run_that_diverges_is_told_and_stops_nothing(
    folder: Path, made: list[Run], capsys: Capture
) -> None:
    flags = [*ONE, "--grid", "lr=1e30,0.01", "--set", "scheduler=none", "--set", "standardise=no"]
    assert main(flags) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| lr 1e30 | diverged |" in lines
    assert any(re.fullmatch(r"\| lr 0\.01 \| \d+\.\d\d \|", line) for line in lines)
    assert main(flags) == 0
    assert len(made) == 2
    lost = [record for record in records().values() if record["diverged"]]
    assert [record["results"] for record in lost] == [{}]


def test_without_joblib_one_at_a_time(folder: Path, capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert main([*ONE, "--jobs", "2"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert "running 2 at once needs joblib: pip install 'minilift[studies]'" in told[0]
    monkeypatch.setattr(sweep_module, "cores", lambda: 4)
    assert main([*TINY, "--set", "epochs=1", "--seeds", "1"]) == 0
    assert "one run at a time; running 4 at once needs joblib: pip install" in capsys.readouterr().err
    assert len(records()) == 1


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--set", "lr"], "--set lr: give NAME=VALUE"),
        (["--set", "lrr=1"], "--set lrr=1: no setting of a study; use one of epochs, "),
        (["--set", "ep=1"], "--set ep=1: no setting"),
        (["--set", "seed=1"], "--set seed=1: no setting"),
        (["--set", "tensorboard=x"], "--set tensorboard=x: no setting"),
        (["--set", "lr=0"], "--set lr=0: must be more than 0"),
        (["--set", "standardise=maybe"], "--set standardise=maybe: must be yes or no"),
        (["--set", "betas=0.5"], "--set betas=0.5: not two numbers"),
        (["--set", "head=cone"], "--set head=cone: unknown; use one of xyz, ray"),
        (["--set", "lr=1", "--set", "lr=2"], "lr is given twice"),
        (["--grid", "dropout=0,2"], "--grid dropout=2: must be at least 0 and at most 1"),
        (["--grid", "lr=1,1"], "a value comes twice"),
        (["--grid", "lr=1", "--grid", "lr=2"], "lr is given twice"),
        (["--grid", "lr=1", "--set", "lr=2"], "--set lr: is varied by --grid"),
        (["--study", "ablation", "--grid", "lr=1"], "--grid lr=1: --study ablation says what is varied"),
        (["--study", "ablation", "--epochs", "1", "2", "3"], "--epochs 1 2 3: the study has 2 groups"),
        (["--study", "ablation", "--epochs", "1", "--set", "epochs=2"], "--epochs says it too"),
        (["--preset", "quick", "--epochs", "1"], "--epochs 1: is for studies; give --set epochs=1"),
        (["--preset", "quick", "--eval", "a=data_test_lift.pkl:90:"], "no rows of 80"),
        (["--preset", "quick", "--eval", "x"], "--eval x: give NAME=FILE"),
        (["--preset", "quick", "--data", "missing.pkl"], "missing.pkl: no such file"),
        (["--preset", "quick", "--table", "none.md"], "none.md: no such file"),
        (["--preset", "quick", "--table", "empty.md"], "empty.md: 0 places for a table"),
        (["--preset", "quick", "--jobs", "0"], "--jobs 0: must be at least 1"),
        (["--preset", "fast"], "--preset fast: unknown; use one of quick"),
        (["--studies", "lr"], "--studies: no such option; did you mean --study?"),
        (["--study", "ablatio"], "--study ablatio: unknown; did you mean ablation?"),
        (["--set", "min_delta=0.1"], "min_delta=0.1: needs patience, which is 0; give patience=5"),
        (["--preset", "two-view"], "--preset two-view: a study trains with 3D; leave it out"),
        (["--set", "weak=two-view", "--set", "head=ray"], "weak=two-view: a study trains with 3D"),
    ],
)
def test_wrong_flags_are_one_line(
    flags: list[str], expected: str, folder: Path, made: list[Run], capsys: Capture
) -> None:
    Path("empty.md").write_text("nothing here\n")
    assert main(flags) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert expected in told
    assert not made


def test_two_sweeps_do_not_share_a_folder_at_once(folder: Path, capsys: Capture) -> None:
    from minilift.files import only_one

    with only_one("experiments"):
        assert main(ONE) == 2
    assert "another run is writing to this folder" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", "other key", "other results", "[" * 100_000])
def test_a_damaged_result_is_one_line(damage: str, folder: Path, capsys: Capture) -> None:
    assert main(ONE) == 0
    (path,) = Path("experiments").iterdir()
    record = json.loads(path.read_text())
    changed = {"other key": {"key": "0"}, "other results": {"results": {"x": {"plain": {"mpjpe": "1"}}}}}
    text = json.dumps({**record, **changed[damage]}) if damage in changed else damage
    path.write_text(text)
    capsys.readouterr()
    assert main(ONE) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert path.name in told


def test_a_worker_sees_that_the_data_were_changed(folder: Path) -> None:
    run = Run(replace(TrainSettings(), epochs=1, hidden=16, device="cpu"), (1, 2, 3))
    with pytest.raises(InputError, match=r"data_train_lift\.pkl: was changed"):
        sweep_module.execute(run, [], 1, folder)


# ---- studies and tables ----------------------------------------------------------------------------


def test_the_ablation_changes_one_thing_at_a_time() -> None:
    default, general = ablation({"hidden": "16"}, [4, 7])
    for group, epochs in ((default, 4), (general, 7)):
        base = group.variants[0].settings.acting()
        assert base["hidden"] == 16
        assert base["epochs"] == epochs
        seen = [(str(variant.settings.acting()), variant.predictions) for variant in group.variants]
        assert len(set(seen)) == len(seen)
    of = {variant.label: variant.settings for variant in default.variants + general.variants}
    assert len(of) == len(default.variants + general.variants) - 1  # "without mirrored poses" is in both
    assert not of["without standardising"].standardise
    assert of["StepLR: 0.003, times 0.3 after each quarter"].step_size == 1
    assert of["without synthetic people, as many steps"].epochs == 14
    assert of["preset same-people, as many steps"].head == "xyz"
    assert [v.predictions for v in default.variants[-2:]] == ["project", "flip"]
    assert [group.variants[0].settings.epochs for group in ablation({}, [])] == [
        read_train(["--preset", name]).settings.epochs for name in ("same-people", "anyone")
    ]
    assert all(v.settings.epochs == 3 for v in ablation({"epochs": "3"}, [])[0].variants)
    (group,) = ablation({"flip": "0"}, [])[:1]  # what is out already is no row
    assert "without mirrored poses" not in [variant.label for variant in group.variants]


def test_a_grid_is_all_combinations() -> None:
    words = read_settings("set", ["epochs=2", "standardise=no"])
    axes = read_axes("grid", ["lr=0.001, 0.01", "betas=0.9 0.99,0.5 0.9"])
    (group,) = grid("same-people", words, axes)
    assert [v.label for v in group.variants] == [
        "lr 0.001, betas 0.9 0.99", "lr 0.001, betas 0.5 0.9", "lr 0.01, betas 0.9 0.99",
        "lr 0.01, betas 0.5 0.9",
    ]  # fmt: skip
    config = group.variants[-1].settings
    assert (config.lr, config.betas, config.epochs, config.standardise) == (0.01, (0.5, 0.9), 2, False)
    assert not config.cycle_momentum  # as train.py: betas that are asked for act


def test_tables_against_numbers_of_our_own(folder: Path, capsys: Capture) -> None:
    Path("page.md").write_text("# Page\n\n<!-- table: grid -->\nold\n<!-- end -->\n\nafter\n")
    shutil.copy("data_test_lift.pkl", "bare.pkl")
    flags = [*TINY, "--set", "epochs=1", "--seeds", "3", "--jobs", "1", "--grid", "lr=0.001,0.01"]
    sets = ["--eval", "test=data_test_lift.pkl", "--eval", "bare=bare.pkl", "--table", "page.md"]
    assert main([*flags, *sets]) == 0
    told = capsys.readouterr().out
    keys = [read_evaluation(text).key for text in ("a=data_test_lift.pkl", "b=bare.pkl")]
    expected = []
    for lr in (0.001, 0.01):
        cells = [f"| lr {lr} "]
        for key_, figure, digits in zip(keys, ("mpjpe_mm", "mpjpe"), (2, 5), strict=True):
            alike = [r for r in records().values() if r["config"]["lr"] == lr]
            values = [r["results"][key_]["plain"][figure] for r in alike]
            assert len(values) == 3
            cells.append(f"| {np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f} ")
        expected.append("".join(cells) + "|")
    page = Path("page.md").read_text()
    assert "|  | test, mm | bare, units |" in page
    assert "over 3 seeds." in page
    for line in expected:
        assert line in told
        assert line in page
    assert page.startswith("# Page\n\n<!-- table: grid -->\n")
    assert page.endswith("<!-- end -->\n\nafter\n")
    assert "old" not in page
    write_between(Path("page.md"), "grid", "new")
    assert Path("page.md").read_text() == "# Page\n\n<!-- table: grid -->\n\nnew\n\n<!-- end -->\n\nafter\n"


def test_differences_are_from_the_first_row(folder: Path) -> None:
    evaluation = read_evaluation("test=data_test_lift.pkl")
    names = ("base", "other", "lost", "partly", "missing")
    variants = {name: Variant(name, TrainSettings(lr=0.1 + i)) for i, name in enumerate(names)}
    variants["flipped"] = replace(variants["base"], label="flipped", predictions="flip")

    def record(value: float, flip: float = 0.0, diverged: bool = False) -> dict[str, Any]:
        figures = {"plain": {"mpjpe_mm": value}, "flip": {"mpjpe_mm": flip}}
        return {"results": {} if diverged else {evaluation.key: figures}, "diverged": diverged}

    base, other = [20.0, 22.5, 21.25], [30.5, 30.75, 34.0]
    found: dict[Any, Any] = {(variants["base"], i): record(v, v - 1.5) for i, v in enumerate(base)}
    found |= {(variants["flipped"], i): record(v, v - 1.5) for i, v in enumerate(base)}
    found |= {(variants["other"], i): record(v) for i, v in enumerate(other)}
    found |= {(variants["lost"], i): record(50.0, diverged=i == 1) for i in range(3)}
    found |= {(variants["partly"], 0): record(25.0)}
    text = table(Group("t", tuple(variants.values())), found, [evaluation], range(3), "mpjpe")
    assert text.splitlines()[2:8] == [
        f"| base | {statistics.mean(base):.2f} ± {statistics.stdev(base):.2f} |",
        f"| other | {np.mean(other):.2f} ± {np.std(other, ddof=1):.2f} (+10.50) |",
        "| lost | diverged, 1 of 3 |",
        "| partly | 25.00, 1 of 3 seeds |",
        "| missing | not run yet |",
        "| flipped | 19.75 ± 1.25 (-1.50) |",
    ]


def test_a_listing_tells_what_is_done(folder: Path, capsys: Capture, made: list[Run]) -> None:
    assert main([*ONE, "--grid", "lr=0.001"]) == 0
    capsys.readouterr()
    assert main([*ONE, "--grid", "lr=0.001,0.01", "--seeds", "2", "--list"]) == 0
    told = capsys.readouterr().out.splitlines()
    name = next(iter(records()))
    assert told[1] == f"  x-  {name}      1 epoch  lr 0.001"
    assert told[2].startswith("  --  ")
    assert main([*ONE, "--grid", "lr=0.001,0.01", "--seeds", "2", "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        "4 runs, 1 of them done; 3 epochs to train, 1 at once, on 1 thread each\n"
    )
    assert len(made) == 1


def test_the_ablation_on_tiny_data(folder: Path, capsys: Capture, made: list[Run]) -> None:
    assert main(["--study", "ablation", *ONE]) == 0
    told = capsys.readouterr().out
    groups = ablation(read_settings("set", ["hidden=16", "epochs=1"]), [])
    rows = [line for line in told.splitlines() if line.startswith("| ") and " ± " not in line]
    assert len(rows) == sum(len(group.variants) for group in groups) + 2  # and two heads
    assert "not run yet" not in told
    assert "diverged" not in told
    assert (
        len(made) == len(records()) == sum(len(g.variants) for g in groups) - 2
    )  # two from the base's weights


@pytest.mark.parametrize("command", ["study", "trust"])
def test_help_fits_a_screen(command: str, capsys: Capture) -> None:
    for word, most in (("--help", 40), ("--help-all", 100)):
        assert command_line([command, word]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) <= most
        assert max(map(len, lines)) <= 80
        assert "examples:" in lines


def test_store_keeps_what_a_run_was_measured_on_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    record: dict[str, Any] = {
        "key": "a" * 16, "training": 1, "seed": 0, "data": [1], "config": {}, "epochs": 1, "diverged": False,
        "best_epoch": 1, "history": [], "results": {"x": {"plain": {"mpjpe": 0.5}}}, "seconds": 1.0,
        "machine": {},
    }  # fmt: skip
    store.save(record)
    store.save({**record, "results": {"y": {"plain": {"mpjpe": 0.25}}}})
    found = store.done("a" * 16, ["x", "y"])
    assert found is not None
    assert found["results"] == {"x": {"plain": {"mpjpe": 0.5}}, "y": {"plain": {"mpjpe": 0.25}}}
    assert store.done("a" * 16, ["z"]) is None
    assert store.done("b" * 16, []) is None
