"""train.py and eval.py as a person uses them: as programs, in a folder."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_poses

from minilift import Lifter, LiftModel, cal_mpjpe, load_poses
from minilift.cli import eval as eval_command
from minilift.cli import train as train_command
from minilift.cli.config import MAY_CHANGE, PRESETS, TrainConfig, describe, parse_train
from minilift.cli.eval import main as evaluate
from minilift.cli.train import main as train
from minilift.data.poses import save_poses, save_scale

SMALL = ["--hidden", "16", "--epochs", "2", "--batch-size", "64", "--blocks", "1", "--device", "cpu"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def with_data(folder: Path) -> Path:
    save_poses("data_train_lift.pkl", make_poses(600))
    save_poses("data_test_lift.pkl", make_poses(100, seed=1))
    return folder


def program(name: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- the main job ----------------------------------------------------------------------------------


def test_train_then_eval_in_an_empty_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the assignment has it, but for the number of synthetic people."""
    start = "import sys, minilift.cli.train as t; t.SYNTHETIC_POSES = 500; sys.exit(t.main(sys.argv[1:]))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [sys.executable, "-c", start, *SMALL],
        capture_output=True,
        text=True,
        cwd=folder,
        env=env,
        timeout=120,
    )
    assert made.returncode == 0, made.stderr
    assert "no data_train_lift.pkl here: making 500 synthetic people" in made.stdout
    assert re.search(r"best validation MPJPE 0\.\d+ units, epoch \d of 2", made.stdout)
    assert made.stdout.splitlines()[-1] == "next: python eval.py"
    assert "it/s" in made.stderr  # the bar
    assert names(folder) == [
        "checkpoint.npz", "data_test_lift.pkl", "data_test_scale.npy", "data_train_lift.pkl",
        "data_train_scale.npy", "liftModel", "log.csv",
    ]  # fmt: skip
    assert (len(load_poses("data_train_lift.pkl")), len(load_poses("data_test_lift.pkl"))) == (400, 100)

    done = program("eval.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.search(r"average MPJPE +0\.\d{5} +\d+\.\d\n", done.stdout)
    for line in ("average loss (mpjpe)", "PA-MPJPE", "right_hip", "left_wrist"):
        assert line in done.stdout


def test_the_data_that_is_there_is_used_and_left_alone(
    with_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {p.name: p.read_bytes() for p in with_data.iterdir()}
    assert train(SMALL) == 0
    assert "synthetic" not in capsys.readouterr().out
    assert {name: (with_data / name).read_bytes() for name in before} == before


def test_training_without_test_poses_just_does_not_watch_any(with_data: Path) -> None:
    (with_data / "data_test_lift.pkl").unlink()
    assert train(SMALL) == 0
    assert (with_data / "log.csv").read_text().splitlines()[
        0
    ] == "epoch,steps,lr,train_loss,train_mpjpe,val_mpjpe,seconds"


def test_the_test_poses_choose_nothing(with_data: Path) -> None:
    assert train(SMALL) == 0
    weights = Path("liftModel").read_bytes()
    save_poses("data_test_lift.pkl", make_poses(50, seed=33))
    assert train(SMALL) == 0
    assert Path("liftModel").read_bytes() == weights


def test_an_earlier_runs_files_are_kept(with_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(SMALL)
    weights = Path("liftModel").read_bytes()
    assert train([*SMALL, "--seed", "1"]) == 0
    assert "kept as liftModel.old, log.csv.old, checkpoint.npz.old" in capsys.readouterr().out
    assert Path("liftModel.old").read_bytes() == weights != Path("liftModel").read_bytes()


def test_other_places_and_the_next_command(with_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("data_test_lift.pkl").rename("mine.pkl")
    pytest.importorskip(
        "safetensors", reason="the optional format needs: pip install 'minilift[safetensors]'"
    )
    assert train([*SMALL, "--out", "runs/a", "--test", "mine.pkl", "--weights", "w.safetensors"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"next: python eval.py --weights {Path('runs/a/w.safetensors')} --data mine.pkl"
    assert names(Path("runs/a")) == ["checkpoint.npz", "log.csv", "w.safetensors"]
    assert evaluate(last.split()[3:]) == 0


# ---- settings --------------------------------------------------------------------------------------

CHANGED: dict[str, list[str]] = {
    "epochs": ["3"], "batch_size": ["32"], "loss": ["mse"], "standardise": [], "val_fraction": ["0.2"],
    "seed": ["1"], "optimiser": ["sgd"], "lr": ["0.01"], "betas": ["0.5", "0.9"], "momentum": ["0.5"],
    "weight_decay": ["0.1"], "scheduler": ["cosine"], "step_size": ["1"], "gamma": ["0.1"],
    "step_per": ["batch"], "blocks": ["2"], "hidden": ["8"], "dropout": ["0.5"], "init": ["kaiming_normal"],
}  # fmt: skip
# What only another choice lets a setting act on
NEEDS = {
    "momentum": ["--optimiser", "sgd", "--scheduler", "none"],
    "betas": ["--scheduler", "none"],
    "step_size": ["--scheduler", "step"],
    "gamma": ["--scheduler", "exponential"],
    "step_per": ["--scheduler", "exponential"],
}


@pytest.mark.parametrize("name", [f.name for f in fields(TrainConfig) if f.metadata["group"] != "files"])
def test_every_setting_changes_something(
    name: str, with_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if name == "device":
        assert train([*SMALL[:-2], "--device", "nowhere"]) == 2
        assert "--device nowhere: unknown; use cpu, gpu or auto" in capsys.readouterr().err
        return
    base = [*SMALL, *NEEDS.get(name, [])]
    flag = "--no-standardise" if name == "standardise" else "--" + name.replace("_", "-")
    assert train(base) == 0
    before = Path("liftModel").read_bytes()
    assert train([*base, flag, *CHANGED[name]]) == 0
    assert Path("liftModel").read_bytes() != before


def test_the_report_preset_is_the_reports() -> None:
    config, _, _ = parse_train(["--preset", "report"])
    assert (config.batch_size, config.lr, config.betas, config.epochs, config.dropout) == (
        32,
        0.1,
        (0.5, 0.999),
        5,
        0.5,
    )
    assert (config.scheduler, config.step_size, config.gamma, config.step_per) == ("step", 200, 0.3, "batch")
    assert not config.standardise
    assert parse_train(["--preset", "report", "--lr", "0.01"])[0].lr == 0.01
    assert set(PRESETS["report"]) <= {f.name for f in fields(TrainConfig)}


def test_settings_that_do_not_act_are_not_told() -> None:
    told = describe(TrainConfig())
    assert "betas 0.9 0.999" in told
    for word in ("momentum", "gamma", "step size", "step per"):
        assert word not in told
    assert "momentum 0.9, weight decay" in describe(parse_train(["--optimiser", "sgd"])[0])
    assert "scheduler step, step size 10, gamma 0.5, step per epoch" in describe(
        parse_train(["--scheduler", "step"])[0]
    )


@pytest.mark.parametrize("command", ["train.py", "eval.py"])
def test_help_teaches(command: str) -> None:
    done = program(command, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120
    if command == "train.py":
        for f in fields(TrainConfig):
            assert "--" + f.name.replace("_", "-") in done.stdout


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--batch-size", "1"], "argument --batch-size: 1 must be at least 2"),
        (["--lr", "0"], "argument --lr: 0 must be more than 0"),
        (["--lr", "fast"], "argument --lr: invalid number value: 'fast'"),
        (["--lr", "nan"], "argument --lr: nan must be more than 0"),
        (["--dropout", "1.5"], "argument --dropout: 1.5 must be at least 0 and at most 1"),
        (["--epochs", "2.5"], "argument --epochs: invalid whole number value: '2.5'"),
        (["--preset", "best"], "invalid choice: 'best'"),
    ],
)
def test_wrong_flags_exit_2(
    flags: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        train(flags)
    assert stop.value.code == 2
    assert expected in capsys.readouterr().err
    assert names(folder) == []


# ---- interruption ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_saves_and_resume_goes_on(number: int, status: int, with_data: Path, tmp_path: Path) -> None:
    flags = [*SMALL[:2], "--epochs", "400", *SMALL[4:]]
    running = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=with_data,
    )
    for line in running.stdout or []:
        if line.startswith("epoch"):
            break
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == status, err
    assert "Traceback" not in err
    assert out.splitlines()[-1] == "go on with: python train.py --resume"
    done = len(Path("log.csv").read_text().splitlines()) - 1
    assert 1 <= done < 400
    again = program("train.py", "--resume", "--epochs", str(done + 2), cwd=with_data)
    assert again.returncode == 0, again.stderr
    assert f"resuming checkpoint.npz: {done} of {done + 2} epochs done" in again.stdout
    epochs = [line.split(",")[0] for line in Path("log.csv").read_text().splitlines()[1:]]
    assert epochs == [str(i + 1) for i in range(done + 2)]


def test_a_killed_run_leaves_whole_files(with_data: Path) -> None:
    flags = ["--hidden", "256", "--epochs", "400", "--batch-size", "64", "--device", "cpu"]
    running = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *flags], stdout=subprocess.PIPE, text=True
    )
    for line in running.stdout or []:
        if line.startswith("epoch  "):
            break
    time.sleep(0.2)
    running.kill()
    running.communicate(timeout=60)
    assert Lifter.load("liftModel").model.hidden_layer == 256
    assert program("train.py", "--resume", "--epochs", "2", cwd=with_data).returncode == 0


def test_a_resumed_run_must_be_the_same_run(with_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(SMALL) == 0
    capsys.readouterr()
    assert train(["--resume", "--lr", "0.5"]) == 2
    assert "--lr 0.5: the run to resume has 0.002; leave the flag out" in capsys.readouterr().err
    assert train(["--resume", "--epochs", "3"]) == 0
    assert "2 of 3 epochs done" in capsys.readouterr().out
    save_poses("data_train_lift.pkl", make_poses(601))
    assert train(["--resume", "--epochs", "4"]) == 2
    assert "not the poses that the run was begun with" in capsys.readouterr().err
    assert set(MAY_CHANGE) <= {f.name for f in fields(TrainConfig)}


# ---- eval ------------------------------------------------------------------------------------------


@pytest.fixture
def with_weights(with_data: Path) -> Path:
    model, poses = LiftModel(1, 16), make_poses(100)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save("liftModel")
    return with_data


def test_json_is_one_object_with_the_right_figures(
    with_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(["--json", "--loss", "mse"]) == 0
    result = json.loads(capsys.readouterr().out)
    poses = load_poses("data_test_lift.pkl")
    predicted = Lifter.load("liftModel").predict(poses.joint_2d)
    assert result["poses"] == 100
    assert result["mpjpe"] == pytest.approx(cal_mpjpe(predicted, poses.joint_3d))
    assert result["loss"] == pytest.approx(np.square(predicted - poses.joint_3d).mean(), rel=1e-5)
    assert np.mean(list(result["per_joint"].values())) == pytest.approx(result["mpjpe"])
    assert len(result["per_joint"]) == 15
    assert result["pa_mpjpe"] < result["mpjpe"]
    assert "mpjpe_mm" not in result


def test_millimetres_weigh_each_pose_by_its_scale(
    with_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scale = np.linspace(2, 6, 100, dtype=np.float32)
    save_scale("metres.npy", scale)
    assert evaluate(["--json", "--scale", "metres.npy"]) == 0
    result = json.loads(capsys.readouterr().out)
    poses = load_poses("data_test_lift.pkl")
    each = cal_mpjpe(Lifter.load("liftModel").predict(poses.joint_2d), poses.joint_3d, avg=False)
    assert result["mpjpe_mm"] == pytest.approx((each * scale).mean() * 1000)
    assert np.mean(list(result["per_joint_mm"].values())) == pytest.approx(result["mpjpe_mm"])
    assert result["pa_mpjpe"] * 2000 < result["pa_mpjpe_mm"] < result["pa_mpjpe"] * 6000
    Path("metres.npy").rename("data_test_scale.npy")  # the name beside the poses is found by itself
    assert evaluate([]) == 0
    out = capsys.readouterr().out
    assert "metres per unit from data_test_scale.npy" in out
    assert f"{result['mpjpe_mm']:.1f}" in out


def test_predictions_are_kept_on_request(with_weights: Path) -> None:
    assert evaluate(["--save", "out.npz"]) == 0
    with np.load("out.npz") as kept:
        found = kept["joint_3d"]
    np.testing.assert_array_equal(
        found, Lifter.load("liftModel").predict(load_poses("data_test_lift.pkl").joint_2d)
    )


def test_a_picture_is_drawn_on_request(with_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    assert evaluate(["--plot", "lift.png"]) == 0
    assert Path("lift.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert capsys.readouterr().out.splitlines()[-1] == "wrote lift.png"


def test_weights_of_torch_are_evaluated(with_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from torch_twin import OriginalLiftModel, torch

    torch.save(OriginalLiftModel(3, 24).state_dict(), "theirs.pt")
    assert evaluate(["--weights", "theirs.pt"]) == 0
    assert "theirs.pt on data_test_lift.pkl: 100 poses" in capsys.readouterr().out


def test_a_reader_that_leaves_early_is_no_error(with_weights: Path) -> None:
    command = f"{sys.executable} {ROOT / 'eval.py'} | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr


# ---- what the user can mend ------------------------------------------------------------------------


def fails(code: int, capsys: pytest.CaptureFixture[str], *parts: str) -> None:
    out = capsys.readouterr()
    assert code == 2
    lines = out.err.strip().splitlines()
    assert len(lines) == 1, out.err
    assert re.match(r"(train|eval)\.py: error: ", lines[0])
    for part in parts:
        assert part in lines[0]


def test_the_gpu_that_is_not_there_is_one_line(with_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = names(with_data)
    fails(train(["--device", "gpu"]), capsys, "--device gpu", "use --device cpu")
    assert names(with_data) == before
    assert train([*SMALL[:-2], "--device", "auto"]) == 0
    assert re.search(r"^device: (cpu|gpu)", capsys.readouterr().out, re.M)


def test_files_that_are_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fails(evaluate([]), capsys, "liftModel", "no such file", "python train.py")
    fails(train(["--data", "x.pkl"]), capsys, "x.pkl", "no such file")
    fails(train(["--resume"]), capsys, "checkpoint.npz", "no such file")
    save_poses("data_test_lift.pkl", make_poses(10))
    fails(train([]), capsys, "data_train_lift.pkl", "--data FILE")
    fails(train(["--test", "data_test_lift.pkl"]), capsys, "data_train_lift.pkl")
    assert names(folder) == ["data_test_lift.pkl"]


def test_poses_without_the_answer_cannot_be_evaluated(
    with_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poses = make_poses(10)
    save_poses("data_test_lift.pkl", type(poses)(poses.joint_2d))
    fails(evaluate([]), capsys, "data_test_lift.pkl", "joint_3d", "evaluation")
    fails(train(SMALL), capsys, "data_test_lift.pkl", "joint_3d")


def test_places_that_cannot_be_written(with_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("in the way")
    fails(train([*SMALL, "--out", "file"]), capsys, "file")
    fails(train([*SMALL, "--out", "file/below"]), capsys, "file")
    fails(evaluate(["--save", "file/out.npz"]), capsys, "file/out.npz")
    assert Path("file").read_text() == "in the way"


def test_rubbish_instead_of_files(with_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("liftModel", "checkpoint.npz"):
        Path(name).write_bytes(os.urandom(1000))
    fails(evaluate([]), capsys, "liftModel")
    fails(train(["--resume"]), capsys, "checkpoint.npz")
    Path("data_train_lift.pkl").write_bytes(b"cos\nsystem\n(S'touch executed'\ntR.")
    fails(train([]), capsys, "data_train_lift.pkl", "os.system")
    assert not Path("executed").exists()


def _arrays(**changes: Any) -> bytes:
    poses = make_poses(10)
    return pickle.dumps({"joint_2d_1": poses.joint_2d, "joint_3d": poses.joint_3d, **changes})


def _nan() -> np.ndarray:
    joint_3d = make_poses(10).joint_3d.copy()
    joint_3d[[3, 7], 0, 0] = np.nan
    return joint_3d


BAD_DATA: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("empty",)),
    "cut short": (_arrays()[:1000], ("cut short",)),
    "random bytes": (bytes(range(256)) * 9, ()),
    "other keys": (pickle.dumps({"points": np.ones((3, 15, 2))}), ("no key joint_2d_1", "found points")),
    "fewer truths": (_arrays(joint_3d=np.zeros((9, 15, 3)) - 1), ("10 poses", "9")),
    "14 joints": (_arrays(joint_3d=np.zeros((10, 14, 3)) - 1), ("joint_3d has 14 joints, expected 15",)),
    "16 joints": (_arrays(joint_2d_1=np.zeros((10, 16, 2))), ("joint_2d_1 has 16 joints", "drop the root")),
    "nan": (_arrays(joint_3d=_nan()), ("joint_3d has NaN or infinity in 2 rows (3, 7)",)),
    "no poses": (_arrays(joint_2d_1=np.zeros((0, 15, 2))), ("N = 0",)),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_one_line_and_changes_nothing(
    name: str, with_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, parts = BAD_DATA[name]
    for command, path in ((train, "data_train_lift.pkl"), (evaluate, "data_test_lift.pkl")):
        Path(path).write_bytes(content)
        before = {p.name: p.read_bytes() for p in with_weights.iterdir()}
        fails(command([]), capsys, path, *parts)
        assert {p.name: p.read_bytes() for p in with_weights.iterdir()} == before


@pytest.mark.parametrize("dtype", ["int64", "float64", ">f4"])
def test_other_number_types_are_fine(dtype: str, with_weights: Path) -> None:
    joint_3d = np.where(np.arange(3) == 2, -1, np.zeros((10, 15, 3))).astype(dtype)
    Path("data_test_lift.pkl").write_bytes(
        pickle.dumps({"joint_2d_1": np.zeros((10, 15, 2), dtype), "joint_3d": joint_3d})
    )
    assert evaluate([]) == 0


def test_one_pose_is_enough_to_evaluate(with_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_poses("data_test_lift.pkl", make_poses(1))
    assert evaluate(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["poses"] == 1


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_poses_to_train_on(n: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_poses("data_train_lift.pkl", make_poses(n))
    fails(train(SMALL), capsys, "too few")
    assert names(folder) == ["data_train_lift.pkl"]


def test_memory_that_runs_out_is_one_line(
    with_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(train_command, "LiftModel", no_memory)
    fails(train(SMALL), capsys, "out of memory", "--batch-size")
    monkeypatch.setattr(eval_command.Lifter, "load", no_memory)
    fails(evaluate([]), capsys, "out of memory")
