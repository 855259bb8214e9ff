"""train.py and eval.py as a person uses them: as programs, in a folder."""

from __future__ import annotations

import errno
import json
import os
import pickle
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_poses
from test_two_view_loss import two_views

from minilift import Adam, Lifter, LiftModel, Poses, cal_mpjpe, load_poses
from minilift.cli import eval as eval_command
from minilift.cli.eval import main as evaluate
from minilift.cli.settings import read_train
from minilift.cli.train import main as train
from minilift.errors import InputError, as_flag
from minilift.files import only_one
from minilift.files.checkpoint import load_checkpoint, save_checkpoint
from minilift.files.weights import save_state_dict
from minilift.lift import build as build_command
from minilift.lift.build import split_data, with_synthetic
from minilift.lift.recipe import PRESETS, make_settings
from minilift.lift.resume import resumed
from minilift.lift.settings import SETTINGS, TrainSettings
from minilift.poses.info import describe
from minilift.poses.layouts import JOINTS
from minilift.poses.metrics import pa_mpjpe
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import save_poses, save_scale
from minilift.show.people import extremes

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
SMALL = ["--hidden", "16", "--epochs", "2", "--batch-size", "64", "--blocks", "1", "--device", "cpu"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
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


def test_train_then_eval_in_an_empty_folder(folder: Path, monkeypatch: Patch) -> None:
    """As the assignment has it, but for the number of synthetic people."""
    start = "import sys, minilift.cli.train as t, minilift.cli.train.files as f; "
    start += "f.SYNTHETIC_POSES = 500; sys.exit(t.main(sys.argv[1:]))"
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
    assert made.stdout.splitlines()[-1] == "next: minilift eval"
    assert "it/s" in made.stderr  # the bar
    assert names(folder) == [
        "checkpoint.npz", "data_test_lift.pkl", "data_test_scale.npy", "data_train_lift.pkl",
        "data_train_scale.npy", "liftModel", "log.csv",
    ]  # fmt: skip
    assert (len(load_poses("data_train_lift.pkl")), len(load_poses("data_test_lift.pkl"))) == (400, 100)

    done = program("eval.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.search(r"\naverage MPJPE +0\.\d{5} +\d+\.\d +\d+\.\d to \d+\.\d\n", done.stdout)
    assert "(fitted on data_train_lift.pkl: 400 poses)" in done.stdout
    for line in ("average loss (mpjpe)", "PA-MPJPE", "right_hip", "left_wrist"):
        assert line in done.stdout


def test_the_data_that_is_there_is_used_and_left_alone(with_data: Path, capsys: Capture) -> None:
    before = {p.name: p.read_bytes() for p in with_data.iterdir()}
    assert train(SMALL) == 0
    assert "synthetic" not in capsys.readouterr().out
    assert {name: (with_data / name).read_bytes() for name in before} == before


def test_training_without_test_poses_just_does_not_watch_any(with_data: Path) -> None:
    (with_data / "data_test_lift.pkl").unlink()
    assert train(SMALL) == 0
    assert (with_data / "log.csv").read_text().splitlines()[
        0
    ] == "epoch,steps,lr,train_loss,train_mpjpe,val_loss,val_mpjpe,seconds,kept"


def test_the_test_poses_choose_nothing(with_data: Path) -> None:
    assert train(SMALL) == 0
    weights = Path("liftModel").read_bytes()
    save_poses("data_test_lift.pkl", make_poses(50, seed=33))
    assert train(SMALL) == 0
    assert Path("liftModel").read_bytes() == weights


def test_an_earlier_runs_files_are_kept(with_data: Path, capsys: Capture) -> None:
    train(SMALL)
    weights = Path("liftModel").read_bytes()
    assert train([*SMALL, "--seed", "1"]) == 0
    for name in ("liftModel", "log.csv", "checkpoint.npz"):
        assert (
            f"the {name} of an earlier run is kept as {name}.old" in capsys.readouterr().out
            or name != "liftModel"
        )
        assert Path(name + ".old").exists()
    assert Path("liftModel.old").read_bytes() == weights != Path("liftModel").read_bytes()
    second = Path("liftModel").read_bytes()
    assert train([*SMALL, "--seed", "2"]) == 0
    assert "the liftModel of an earlier run is kept as liftModel.old2" in capsys.readouterr().out
    assert [Path(f"liftModel.old{n}").read_bytes() for n in ("", 2)] == [weights, second]


def test_other_places_and_the_next_command(with_data: Path, capsys: Capture) -> None:
    Path("data_test_lift.pkl").rename("mine.pkl")
    assert train([*SMALL, "--out", "runs/a", "--test", "mine.pkl", "--weights", "w.safetensors"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"next: minilift eval --weights {Path('runs/a/w.safetensors')} --data mine.pkl"
    assert names(Path("runs/a")) == ["checkpoint.npz", "log.csv", "w.safetensors"]
    assert evaluate(last.split()[3:]) == 0


# ---- settings --------------------------------------------------------------------------------------

CHANGED: dict[str, list[str]] = {
    "epochs": ["3"], "batch_size": ["32"], "loss": ["mse"], "standardise": [], "val_fraction": ["0.2"],
    "seed": ["1"], "cycle_momentum": [], "optimiser": ["sgd"], "lr": ["0.01"], "betas": ["0.5", "0.9"],
    "momentum": ["0.5"], "weight_decay": ["0.1"], "scheduler": ["cosine"], "step_size": ["1"],
    "gamma": ["0.1"], "clip": ["0.01"], "warm_up": ["0.5"], "head": ["ray"],
    "flip": ["0"], "noise": ["0.01"], "yaw": ["90"], "tilt": ["10"], "distance": ["0.2"], "body": ["1"],
    "mix": ["0.5"], "synthetic": ["0.5"], "joint_dropout": ["0.2"],
    "part_dropout": ["0.5"], "noise_to": ["0.02"], "outliers": ["0.1"], "swap": ["0.5"],
    "elevation": ["30"], "roll": ["20"], "tumble": ["0.5"], "joint_dropout_to": ["0.5"], "edge": ["0.5"],
    "patience": ["1"], "min_delta": ["10"],
    "poses": ["100"], "start": ["liftModel"], "weak": ["two-view"], "divided": ["yes"],
    "labelled": ["0.5"], "norm": ["none"], "mean_elevation": ["20"],
    "step_per": ["batch"], "blocks": ["2"], "hidden": ["8"], "dropout": ["0.5"], "init": ["kaiming_normal"],
}  # fmt: skip
# What only another choice lets a setting act on
NEEDS = {
    "elevation": ["--yaw", "90"],
    "momentum": ["--optimiser", "sgd", "--no-cycle-momentum"],
    "betas": ["--no-cycle-momentum"],
    "warm_up": ["--scheduler", "warmup"],
    "patience": ["--patience", "9", "--min-delta", "10", "--epochs", "4"],
    "min_delta": ["--patience", "1", "--epochs", "4"],
    "step_size": ["--scheduler", "step"],
    "gamma": ["--scheduler", "exponential"],
    "step_per": ["--scheduler", "exponential"],
    "weak": ["--head", "ray"],
    "divided": ["--weak", "two-view", "--head", "ray"],
    "mean_elevation": ["--weak", "one-view", "--head", "ray", "--norm", "none"],
}
OF_TWO_VIEWS = ("weak", "divided")


# tf32 acts on a GPU, sync_batchnorm where several processes train: tests/gpu and test_distributed have theirs
ELSEWHERE = ("tf32", "sync_batchnorm")
ACTING = [name for name, s in SETTINGS.items() if s.group != "files" and name not in ELSEWHERE]


@pytest.mark.parametrize("name", ACTING)
def test_every_setting_changes_something(name: str, with_data: Path, capsys: Capture) -> None:
    if name == "device":
        assert train([*SMALL[:-2], "--device", "nowhere"]) == 2
        told = capsys.readouterr().err
        assert "--device nowhere: unknown; use cpu, gpu, gpu:1 (the second one) or auto" in told
        return
    base = [*SMALL, *NEEDS.get(name, [])]
    if name in OF_TWO_VIEWS:
        _save_two_views("two.npz")
        base += ["--data", "two.npz"]
    flag = ("--no-" if not CHANGED[name] else "--") + name.replace("_", "-")
    assert train(base) == 0
    before = Path("liftModel").read_bytes()
    assert train([*base, flag, *CHANGED[name]]) == 0
    assert Path("liftModel").read_bytes() != before


def _save_two_views(name: str) -> None:
    """People whose 2D points can be taken as divided by the focal lengths, or as to be divided: noise hides
    it."""
    views = two_views(600, noise=0.003)
    focal = np.full((600, 2), 1.04)
    np.savez(
        name, joint_2d_1=1.04 * views.joint_2d_1, joint_2d_2=1.04 * views.joint_2d_2, joint_3d=views.joint_3d,
        rot=views.rotation, transl=views.translation, focal_len_1=focal, focal_len_2=focal,
    )  # fmt: skip


def test_synthetic_people_are_added_to_the_poses_to_train_on(with_data: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--synthetic", "0.5", "--val-fraction", "0.2"]) == 0
    told = capsys.readouterr().out
    assert "720 poses to train on (240 of them synthetic), 120 to validate, 100 to watch" in told
    config, data = TrainSettings(synthetic=0.5), make_poses(600)
    joined = with_synthetic(data, config)
    np.testing.assert_array_equal(joined.joint_2d[:600], data.joint_2d)
    own = synthesize(20_000)  # what a folder without data would get: nobody of them is added
    added = {pose.tobytes() for pose in joined.joint_3d[600:]}
    assert len(added) == 300
    assert not added & {pose.tobytes() for pose in own.joint_3d}
    again = with_synthetic(data, config)
    assert again.joint_3d.tobytes() == joined.joint_3d.tobytes()
    assert with_synthetic(data, TrainSettings()) is data


def test_fewer_poses_to_train_on_and_the_same_to_validate(with_data: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--poses", "100", "--val-fraction", "0.2"]) == 0
    assert "100 poses to train on, 120 to validate, 100 to watch" in capsys.readouterr().out
    data = make_poses(600)
    (all_, held_out), (some, same) = (split_data(data, TrainSettings(poses=n)) for n in (0, 100))
    np.testing.assert_array_equal(same.joint_2d, held_out.joint_2d)
    rows = [next(i for i, pose in enumerate(all_.joint_2d) if (pose == one).all()) for one in some.joint_2d]
    assert len(set(rows)) == 100
    assert (rows[0], rows[-1]) == (0, len(all_) - 1)
    assert set(np.diff(rows)) <= {5, 6}
    np.testing.assert_array_equal(split_data(data, TrainSettings(poses=999))[0].joint_2d, all_.joint_2d)


def test_nothing_is_added_to_poses_that_stay_in_their_file(with_data: Path, capsys: Capture) -> None:
    save_poses("big.npz", make_poses(600))
    mapped = load_poses("big.npz", mapped=True)
    with pytest.raises(InputError, match=r"synthetic=1.0: big\.npz is too large.*give synthetic=0"):
        with_synthetic(mapped, TrainSettings(synthetic=1.0, data="big.npz"))


@pytest.mark.parametrize("head", [["--head", "ray"], ["--preset", "anyone"]])
def test_a_hidden_joint_has_no_ray(head: list[str], with_data: Path, capsys: Capture) -> None:
    flags = [*head, "--joint-dropout", "0.1"]
    fails(train(flags), capsys, "--joint-dropout 0.1: a hidden joint has no ray", "add --head place")
    assert read_train([*flags, "--head", "xyz"]).settings.joint_dropout == 0.1


def test_the_course_preset_is_the_reports() -> None:
    config = read_train(["--preset", "course"]).settings
    assert (config.batch_size, config.lr, config.betas, config.epochs, config.dropout) == (
        32,
        0.1,
        (0.5, 0.999),
        5,
        0.5,
    )
    assert (config.scheduler, config.step_size, config.gamma, config.step_per) == ("step", 200, 0.3, "batch")
    assert not config.standardise
    assert read_train(["--preset", "course", "--lr", "0.01"]).settings.lr == 0.01


def test_adamw_is_not_adam(with_data: Path) -> None:
    """With no decay they are one; with some, adamw's is a step of its own."""
    found = {}
    for decay in ("0", "0.5"):
        for name in ("adam", "adamw"):
            assert train([*SMALL, "--optimiser", name, "--weight-decay", decay]) == 0
            found[name, decay] = Path("liftModel").read_bytes()
    assert found["adam", "0"] == found["adamw", "0"]
    assert found["adam", "0.5"] != found["adamw", "0.5"]
    assert found["adamw", "0.5"] != found["adamw", "0"]


def test_settings_that_do_not_act_are_not_told() -> None:
    told = TrainSettings().describe()
    assert "betas cycled 0.999" in told
    for word in ("optimiser momentum", "gamma", "step size", "step per"):
        assert word not in told
    assert "momentum cycled, weight decay" in read_train(["--optimiser", "sgd"]).settings.describe()
    given = read_train(["--optimiser", "sgd", "--momentum", "0.5"]).settings
    assert not given.cycle_momentum  # a momentum that is asked for is the one that acts
    assert "momentum 0.5, weight decay" in given.describe()
    told = read_train(["--scheduler", "step"]).settings.describe()
    assert "scheduler step, step size 10, gamma 0.5, step per epoch" in told


@pytest.mark.parametrize("command", ["train.py", "eval.py"])
def test_help_teaches(command: str) -> None:
    done = program(command, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_help_of_training_fits_a_screen_and_the_rest_is_in_help_all() -> None:
    short, whole = (program("train.py", word).stdout for word in ("--help", "--help-all"))
    assert max(map(len, f"{short}\n{whole}".splitlines())) <= 80
    assert 24 <= len(short.splitlines()) <= 48
    for name, setting in SETTINGS.items():
        flag = "--" + name.replace("_", "-")
        assert bool(re.search(rf"^  {flag}\b", short, re.M)) == setting.basic, name
        assert re.search(rf"^  {flag}\b", whole, re.M), name
    for name, preset in PRESETS.items():
        assert re.search(rf"^  {name} +{re.escape(preset.purpose)}$", short, re.M)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        *((["--preset", name], name) for name in PRESETS), (["--preset=quick"], "quick"),
        (["--weak", "two-view"], "two-view"), (["--data", "x", "--weak=one-view"], "one-view"),
        (["--weak", "none"], "same-people"), (["--lr", "1"], "same-people"),
    ],
)  # fmt: skip
def test_help_has_the_values_that_a_preset_sets(
    words: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_train([*words, "--help"])
    told = " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        read_train([*words, "--help-all"])
    whole = " ".join(capsys.readouterr().out.split())
    settings = make_settings(name)
    for each in ("epochs", "lr", "hidden", "batch_size"):
        assert re.search(rf"--{each.replace('_', '-')} [NX] [^\[]*\[{getattr(settings, each)}\]", told), each
    assert re.search(rf"--norm \S+ [^\[]*\[{settings.norm}\]", whole)
    assert re.search(r"--betas X X [^\[]*\[{:g} {:g}\]".format(*settings.betas), whole)
    for key, value in PRESETS[name].settings.items():
        assert as_flag(key, value) in told, key


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--batch-size", "1"], "--batch-size 1: must be at least 2"),
        (["--lr", "0"], "--lr 0: must be more than 0"),
        (["--lr", "fast"], "--lr fast: not a number"),
        (["--lr", "nan"], "--lr nan: must be a finite number"),
        (["--dropout", "1.5"], "--dropout 1.5: must be at least 0 and at most 1"),
        (["--epochs", "2.5"], "--epochs 2.5: not a whole number"),
        (["--betas", "0.5", "x"], "--betas 0.5 x: not two numbers"),
        (["--betas", "0.5"], "--betas: expected 2 arguments"),
        (["--optimiser", "adm"], "--optimiser adm: unknown; did you mean adam?"),
        (["--preset", "anyon"], "--preset anyon: unknown; did you mean anyone?"),
        (
            ["--preset", "general"],
            "--preset general: unknown; use one of quick, same-people, anyone, detector, starting, "
            "two-view, one-view, course",
        ),
        (["--epoch", "3"], "--epoch: no such option; did you mean --epochs?"),
        (["poses.pkl"], "poses.pkl"),
    ],
)
def test_bad_calls_are_one_line_and_exit_2(
    flags: list[str], expected: str, folder: Path, capsys: Capture
) -> None:
    fails(train(flags), capsys, expected)
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
    assert out.splitlines()[-1] == f"continue with: python {ROOT / 'train.py'} --resume"
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
    rest = program("train.py", "--resume", "--epochs", "1", cwd=with_data)
    assert rest.returncode == 0
    assert "nothing is left to do; continue with --epochs" in rest.stdout


def test_a_resumed_run_must_be_the_same_run(with_data: Path, capsys: Capture) -> None:
    assert train(SMALL) == 0
    capsys.readouterr()
    assert train(["--resume", "--lr", "0.5"]) == 2
    assert "--lr 0.5: the run to resume has 0.006; leave it out" in capsys.readouterr().err
    assert train(["--resume", "--epochs", "3"]) == 0
    assert "2 of 3 epochs done" in capsys.readouterr().out
    save_poses("data_train_lift.pkl", make_poses(601))
    assert train(["--resume", "--epochs", "4"]) == 2
    assert "not the poses that the run was begun with" in capsys.readouterr().err


# ---- eval ------------------------------------------------------------------------------------------


@pytest.fixture
def with_weights(with_data: Path) -> Path:
    model, poses = LiftModel(1, 16), make_poses(100)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save("liftModel")
    return with_data


def test_json_is_one_object_with_the_right_figures(with_weights: Path, capsys: Capture) -> None:
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


def test_millimetres_weigh_each_pose_by_its_scale(with_weights: Path, capsys: Capture) -> None:
    scale = np.linspace(3.5, 4.5, 100, dtype=np.float32)
    save_scale("metres.npy", scale)
    assert evaluate(["--json", "--scale", "metres.npy"]) == 0
    result = json.loads(capsys.readouterr().out)
    poses = load_poses("data_test_lift.pkl")
    each = cal_mpjpe(Lifter.load("liftModel").predict(poses.joint_2d), poses.joint_3d, avg=False)
    assert result["mpjpe_mm"] == pytest.approx((each * scale).mean() * 1000)
    assert np.mean(list(result["per_joint_mm"].values())) == pytest.approx(result["mpjpe_mm"])
    assert result["pa_mpjpe"] * 3500 < result["pa_mpjpe_mm"] < result["pa_mpjpe"] * 4500
    Path("metres.npy").rename("data_test_scale.npy")  # the name beside the poses is found by itself
    assert evaluate([]) == 0
    out = capsys.readouterr().out
    assert "metres per unit from data_test_scale.npy" in out
    assert f"{result['mpjpe_mm']:.1f}" in out


def test_predictions_are_kept_on_request(with_weights: Path, capsys: Capture) -> None:
    Path("out.npz").write_bytes(b"precious")
    assert evaluate(["--save", "out.npz"]) == 2
    assert "--save out.npz: exists already" in capsys.readouterr().err
    assert Path("out.npz").read_bytes() == b"precious"
    assert evaluate(["--save", "out.npz", "--force"]) == 0
    with np.load("out.npz") as kept:
        found = kept["joint_3d"]
    np.testing.assert_array_equal(
        found, Lifter.load("liftModel").predict(load_poses("data_test_lift.pkl").joint_2d)
    )


def test_a_picture_is_drawn_on_request(with_weights: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    assert evaluate(["--plot", "lift.png"]) == 0
    assert Path("lift.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert capsys.readouterr().out.splitlines()[-1] == "wrote lift.png"


def test_the_best_the_median_and_the_worst_are_drawn(with_weights: Path, monkeypatch: Patch) -> None:
    poses, drawn = load_poses("data_test_lift.pkl"), []
    monkeypatch.setattr(extremes, "plot_lift", lambda *given: drawn.append(given))
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    save_scale("data_test_scale.npy", np.linspace(4, 1, len(poses)))
    assert evaluate(["--plot", "lift.png", "--scale", "data_test_scale.npy"]) == 0
    predicted = Lifter.load("liftModel").predict(poses.joint_2d)
    errors = np.asarray(cal_mpjpe(predicted, poses.joint_3d, avg=False))
    metres = np.linspace(4, 1, 100)
    rows = np.argsort(errors * metres)[[0, 49, 99]]  # the poses that are worst in units are others
    assert rows[2] != np.argmax(errors)
    ((joint_2d, guess, truth, path, labels),) = drawn
    np.testing.assert_array_equal(joint_2d, poses.joint_2d[rows])
    np.testing.assert_array_equal(truth, poses.joint_3d[rows])
    np.testing.assert_allclose(guess, predicted[rows], atol=1e-6)
    mm = 1000 * (errors * metres)[rows]
    assert labels == [f"{name}: {x:.0f} mm" for name, x in zip(("best", "median", "worst"), mm, strict=True)]
    assert path == "lift.png"


def test_charts_of_errors_are_drawn_on_request(with_weights: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    assert evaluate(["--charts", "made/errors.svg"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "wrote made/errors.svg"
    text = Path("made/errors.svg").read_text()
    for words in ("liftModel on data_test_lift.pkl: 100 poses", "error [units]", "by joint (bars: mean)"):
        assert f"<!-- {words} -->" in text
    save_scale("data_test_scale.npy", np.full(100, 4.0))
    assert evaluate(["--charts", "errors.svg", "--scale", "data_test_scale.npy"]) == 0
    assert "<!-- by distance -->" in Path("errors.svg").read_text()


@pytest.mark.parametrize("flag", ["--plot", "--charts"])
def test_pictures_that_cannot_be_drawn_are_told_at_once(
    flag: str, with_weights: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(eval_command, "load_poses", lambda *names, **options: pytest.fail("too late"))
    fails(evaluate([flag, "a.bmp"]), capsys, "a.bmp: the name must end in .png, .svg or .pdf")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    fails(evaluate([flag, "a.png"]), capsys, "pip install 'minilift[plot]'")


def test_weights_of_torch_are_evaluated(with_weights: Path, capsys: Capture) -> None:
    from torch_twin import OriginalLiftModel, torch

    torch.save(OriginalLiftModel(3, 24).state_dict(), "theirs.pt")
    assert evaluate(["--weights", "theirs.pt"]) == 0
    assert "theirs.pt on data_test_lift.pkl: 100 poses" in capsys.readouterr().out


def test_a_reader_that_leaves_early_is_no_error(with_weights: Path) -> None:
    command = f"{sys.executable} {ROOT / 'eval.py'} | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr


# ---- what the user can mend ------------------------------------------------------------------------


def fails(code: int, capsys: Capture, *parts: str) -> None:
    out = capsys.readouterr()
    assert code == 2
    printed = [line.strip() for line in re.split("[\r\n]", out.err)]
    lines = [line for line in printed if line and not line.startswith("epoch")]  # but for the bar
    assert len(lines) == 1, out.err
    assert re.match(r"minilift (train|eval): error: ", lines[0])
    for part in parts:
        assert part in lines[0]


def test_the_gpu_that_is_not_there_is_one_line(with_data: Path, capsys: Capture) -> None:
    before = names(with_data)
    fails(train(["--device", "gpu"]), capsys, "--device gpu", "use --device cpu")
    assert names(with_data) == before
    assert train([*SMALL[:-2], "--device", "auto"]) == 0
    assert re.search(r"^device: (cpu|gpu)", capsys.readouterr().out, re.M)


def test_files_that_are_missing(folder: Path, capsys: Capture) -> None:
    fails(evaluate([]), capsys, "data_test_lift.pkl", "no such file")
    fails(evaluate(["--weights", "liftModel"]), capsys, "liftModel", "no such file", "minilift train")
    fails(train(["--data", "x.pkl"]), capsys, "x.pkl", "no such file")
    fails(train(["--resume"]), capsys, "checkpoint.npz", "no such file")
    save_poses("data_test_lift.pkl", make_poses(10))
    fails(train([]), capsys, "data_train_lift.pkl", "--data FILE")
    fails(train(["--test", "data_test_lift.pkl"]), capsys, "data_train_lift.pkl")
    assert names(folder) == ["data_test_lift.pkl"]


def test_poses_without_the_answer_cannot_be_evaluated(with_weights: Path, capsys: Capture) -> None:
    poses = make_poses(10)
    save_poses("data_test_lift.pkl", type(poses)(poses.joint_2d))
    fails(evaluate([]), capsys, "data_test_lift.pkl", "joint_3d", "evaluation")
    fails(train(SMALL), capsys, "data_test_lift.pkl", "joint_3d")


def test_places_that_cannot_be_written(with_weights: Path, capsys: Capture) -> None:
    Path("file").write_text("in the way")
    fails(train([*SMALL, "--out", "file"]), capsys, "file")
    fails(train([*SMALL, "--out", "file/below"]), capsys, "file")
    fails(evaluate(["--save", "file/out.npz"]), capsys, "file", "not a folder")
    assert Path("file").read_text() == "in the way"


def test_rubbish_instead_of_files(with_data: Path, capsys: Capture) -> None:
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
def test_bad_data_is_one_line_and_changes_nothing(name: str, with_weights: Path, capsys: Capture) -> None:
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


def test_one_pose_is_enough_to_evaluate(with_weights: Path, capsys: Capture) -> None:
    save_poses("data_test_lift.pkl", make_poses(1))
    assert evaluate(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["poses"] == 1


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_poses_to_train_on(n: int, folder: Path, capsys: Capture) -> None:
    save_poses("data_train_lift.pkl", make_poses(n))
    fails(train(SMALL), capsys, "too few")
    assert names(folder) == ["data_train_lift.pkl"]


def test_memory_that_runs_out_is_one_line(with_data: Path, capsys: Capture, monkeypatch: Patch) -> None:
    def no_memory(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(build_command, "LiftModel", no_memory)
    fails(train(SMALL), capsys, "out of memory", "smaller batches")
    monkeypatch.setattr(eval_command.Lifter, "load", no_memory)
    fails(evaluate([]), capsys, "out of memory")


# ---- nothing is lost -------------------------------------------------------------------------------


def test_a_resumed_run_never_makes_data(with_data: Path, capsys: Capture) -> None:
    Path("data_train_lift.pkl").rename("mine.pkl")
    assert train([*SMALL, "--data", "mine.pkl"]) == 0
    Path("mine.pkl").rename("elsewhere.pkl")
    Path("data_test_lift.pkl").unlink()
    before = names(with_data)
    capsys.readouterr()
    fails(train(["--resume", "--epochs", "4"]), capsys, "mine.pkl", "no such file")
    assert names(with_data) == before


def test_a_scale_file_without_its_poses_is_not_overwritten(folder: Path, capsys: Capture) -> None:
    save_scale("data_test_scale.npy", np.ones(3))
    fails(train(SMALL), capsys, "data_test_scale.npy", "move it away")
    assert names(folder) == ["data_test_scale.npy"]


def test_test_poses_may_come_and_go_between_runs(with_data: Path) -> None:
    Path("data_test_lift.pkl").rename("later.pkl")
    assert train(SMALL) == 0
    Path("later.pkl").rename("data_test_lift.pkl")
    assert train(["--resume", "--epochs", "3"]) == 0
    Path("data_test_lift.pkl").unlink()
    assert train(["--resume", "--epochs", "4"]) == 0
    rows = Path("log.csv").read_text().splitlines()
    assert rows[0] == (
        "epoch,steps,lr,train_loss,train_mpjpe,val_loss,val_mpjpe,seconds,kept,test_loss,test_mpjpe"
    )
    assert [row.split(",")[-1] == "" for row in rows[1:]] == [True, True, False, True]


def test_runs_that_get_nowhere_leave_the_earlier_files(
    with_data: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    assert train(SMALL) == 0
    before = {p.name: p.read_bytes() for p in with_data.iterdir()}
    step = Adam.step

    def interrupted(self: Adam) -> None:
        step(self)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Adam, "step", interrupted)
        for _ in range(2):
            assert train([*SMALL, "--seed", "5"]) == 130
    after = {p.name: p.read_bytes() for p in with_data.iterdir()}
    assert after.pop("checkpoint.npz.old") == before["checkpoint.npz"] != after["checkpoint.npz"]
    assert {name: after[name] for name in before if name != "checkpoint.npz"} == {
        name: content for name, content in before.items() if name != "checkpoint.npz"
    }

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    capsys.readouterr()
    fails(train([*SMALL, "--seed", "6"]), capsys, "No space left on device")
    assert Path("liftModel").read_bytes() == before["liftModel"]


@pytest.mark.parametrize(
    "name", ["", "log.csv", "checkpoint.npz", "data_train_lift.pkl", "data_test_scale.npy", "./log.csv"]
)
def test_weights_do_not_take_the_name_of_another_file(name: str, with_data: Path, capsys: Capture) -> None:
    before = {p.name: p.read_bytes() for p in with_data.iterdir()}
    fails(train([*SMALL, "--weights", name]), capsys, "--weights", "choose another")
    assert {p.name: p.read_bytes() for p in with_data.iterdir()} == before


@pytest.mark.parametrize(
    "flags",
    [
        ["--save", "liftModel"],
        ["--save", "./data_test_lift.pkl"],
        ["--plot", "liftModel"],
        ["--charts", "liftModel"],
    ],
)
def test_eval_does_not_overwrite_what_it_reads(flags: list[str], with_weights: Path, capsys: Capture) -> None:
    before = {p.name: p.read_bytes() for p in with_weights.iterdir()}
    fails(evaluate(flags), capsys, flags[0], "would overwrite")
    assert {p.name: p.read_bytes() for p in with_weights.iterdir()} == before


def test_folders_in_the_way_are_told_before_anything_is_done(with_data: Path, capsys: Capture) -> None:
    for name in ("liftModel", "log.csv", "checkpoint.npz"):
        (with_data / "out" / name).mkdir(parents=True)
        fails(train([*SMALL, "--out", "out"]), capsys, name, "a folder")
        assert names(with_data / "out") == [name]
        (with_data / "out" / name).rmdir()


def test_only_one_run_at_a_time_writes_to_a_folder(with_data: Path, capsys: Capture) -> None:
    pytest.importorskip("fcntl", reason="the lock is one of POSIX systems")
    with only_one("."):
        fails(train(SMALL), capsys, "another run is writing")
    assert train(SMALL) == 0


def test_divergence_in_the_last_step_is_not_a_success(
    with_data: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    before = names(with_data)
    flags = [*SMALL, "--scheduler", "none", "--lr", "1e30", "--batch-size", "100000"]
    fails(train(flags), capsys, "training diverged", "no epoch was finished")
    assert names(with_data) == before


# ---- what is said is so ----------------------------------------------------------------------------


def test_the_next_command_is_that_of_the_door_or_the_command(with_data: Path) -> None:
    done = program("train.py", *SMALL, cwd=with_data)
    assert done.stdout.splitlines()[-1] == f"next: python {ROOT / 'eval.py'}"
    command = [sys.executable, "-m", "minilift", "train", *SMALL]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    again = subprocess.run(command, capture_output=True, text=True, cwd=with_data, env=env, timeout=120)
    assert again.stdout.splitlines()[-1] == "next: minilift eval"


def test_next_commands_are_fit_to_paste(with_data: Path, capsys: Capture) -> None:
    assert train([*SMALL, "--out", "my runs"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "next: minilift eval --weights 'my runs/liftModel'"
    assert evaluate(shlex.split(last)[3:]) == 0
    Path("data_test_lift.pkl").unlink()
    assert train(SMALL) == 0
    assert "when data_test_lift.pkl is there" in capsys.readouterr().out.splitlines()[-1]


def test_a_resumed_run_has_its_preset_and_says_when_it_is_stretched(with_data: Path, capsys: Capture) -> None:
    assert train(SMALL) == 0
    capsys.readouterr()
    fails(train(["--resume", "--preset", "course"]), capsys, "--preset course", "leave the flag out")
    assert train(["--resume"]) == 0
    told = capsys.readouterr().out
    assert "nothing is left to do" in told
    assert "wrote" not in told
    assert train(["--resume", "--epochs", "3"]) == 0
    assert "the onecycle schedule is stretched from 2 to 3 epochs" in capsys.readouterr().out


def test_a_moved_run_goes_on_where_it_is(with_data: Path, monkeypatch: Patch) -> None:
    assert train([*SMALL, "--out", "a"]) == 0
    Path("a").rename("b")
    assert train(["--resume", "--out", "b", "--epochs", "3"]) == 0
    monkeypatch.chdir("b")
    files = ["--data", "../data_train_lift.pkl", "--test", "../data_test_lift.pkl"]
    assert train(["--resume", "--epochs", "4", *files]) == 0
    assert names(Path()) == ["checkpoint.npz", "liftModel", "log.csv"]
    assert len(Path("log.csv").read_text().splitlines()) == 5
    settings = {"config": asdict(TrainSettings(out="a", data="mine.pkl"))}
    found = resumed(settings, {"epochs": 9})
    assert (found.out, found.data, found.epochs) == (".", "mine.pkl", 9)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], "not of this version"),
        ({"config": {"hidden": 16}}, "not of this version"),
        ("hidden", "hidden=16: not a whole number"),
        ("lr", "lr=-1.0: must be more than 0"),
        ("scheduler", "scheduler=magic: unknown; use one of"),
    ],
)
def test_settings_out_of_a_file_are_not_trusted(
    settings: Any, expected: str, with_data: Path, capsys: Capture
) -> None:
    assert train(SMALL) == 0
    arrays, meta = load_checkpoint("checkpoint.npz")
    if isinstance(settings, str):
        meta["settings"]["config"][settings] = {"hidden": "16", "lr": -1.0, "scheduler": "magic"}[settings]
    else:
        meta["settings"] = settings
    save_checkpoint("checkpoint.npz", arrays, meta)
    capsys.readouterr()
    fails(train(["--resume"]), capsys, "checkpoint.npz", expected)


def test_only_3d_that_changed_is_noticed(with_data: Path, capsys: Capture) -> None:
    assert train(SMALL) == 0
    poses = make_poses(600)
    poses.joint_3d[5, 5, 0] += 0.01
    save_poses("data_train_lift.pkl", poses)
    capsys.readouterr()
    fails(train(["--resume", "--epochs", "3"]), capsys, "not the poses")


def test_poses_in_other_conventions_are_warned_of(with_weights: Path, capsys: Capture) -> None:
    assert evaluate([]) == 0
    assert capsys.readouterr().err == ""
    poses = make_poses(100)
    for joint_2d, shift, told in (
        (poses.joint_2d * [1, -1], 0, "the 2D points are not x/-z, y/-z"),
        (poses.joint_2d * 1000 + 500, 0, "the 2D points are not x/-z, y/-z"),
        (poses.joint_2d, -1, "the middle of the hips is not at (0.0, 0.0, -1.0)"),
    ):
        save_poses("data_test_lift.pkl", Poses(joint_2d, poses.joint_3d + np.float32([0, 0, shift])))
        assert evaluate(["--json"]) == 0
        printed = capsys.readouterr()
        assert told in printed.err
        assert "minilift data info data_test_lift.pkl" in printed.err
        json.loads(printed.out)


def test_people_who_stand_on_their_heads_are_warned_of(with_weights: Path, capsys: Capture) -> None:
    people, told = synthesize(40, seed=1), "heads are below hips in most of the poses: y seems to point down"
    for sign in (1, -1):
        flip = np.array([1, sign, 1], np.float32)
        save_poses("data_test_lift.pkl", Poses(people.joint_2d * flip[:2], people.joint_3d * flip))
        assert evaluate(["--json"]) == 0
        assert (told in capsys.readouterr().err) == (sign < 0)
        assert (told in describe("data_test_lift.pkl")) == (sign < 0)


def test_a_scale_of_other_poses_gives_no_millimetres(with_weights: Path, capsys: Capture) -> None:
    people = synthesize(200, seed=1)
    save_poses("data_test_lift.pkl", Poses(people.joint_2d, people.joint_3d))
    save_scale("data_test_scale.npy", people.scale)
    assert evaluate(["--json"]) == 0
    assert "mpjpe_mm" in json.loads(capsys.readouterr().out)
    for other in (synthesize(200, seed=2).scale, people.scale[:150]):
        save_scale("data_test_scale.npy", other)
        assert evaluate(["--json"]) == 0
        printed = capsys.readouterr()
        assert "mpjpe_mm" not in json.loads(printed.out)
        assert "warning: no millimetres" in printed.err


def test_weights_that_predict_nonsense_are_an_error(with_weights: Path, capsys: Capture) -> None:
    state = LiftModel(1, 16).state_dict()
    state["output.bias"] = np.full(45, 3e38, np.float32)
    state["output.weight"] = np.full((45, 16), 3e38, np.float32)
    save_state_dict("liftModel", state)
    with np.errstate(over="ignore", invalid="ignore"):
        fails(evaluate(["--json"]), capsys, "liftModel", "too large or undefined")


def test_every_figure_of_the_json(with_weights: Path, capsys: Capture) -> None:
    scale = np.linspace(3.5, 4.5, 100, dtype=np.float32)
    save_scale("data_test_scale.npy", scale)
    assert evaluate(["--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    poses = load_poses("data_test_lift.pkl")
    off = Lifter.load("liftModel").predict(poses.joint_2d).astype(np.float64) - poses.joint_3d
    each = np.linalg.norm(off, axis=2)
    flat = np.linalg.norm(np.dstack([poses.joint_2d, np.full((100, 15), -1)]) - poses.joint_3d, axis=2)
    aligned = pa_mpjpe(off + poses.joint_3d, poses.joint_3d, avg=False)
    for name, errors in (("mpjpe", each.mean(1)), ("flat_mpjpe", flat.mean(1)), ("pa_mpjpe", aligned)):
        assert result[name] == pytest.approx(errors.mean(), rel=1e-6)
        assert result[name + "_mm"] == pytest.approx((errors * scale).mean() * 1000, rel=1e-6)
    assert list(result["per_joint"]) == list(JOINTS)
    assert list(result["per_joint"].values()) == pytest.approx(each.mean(0), rel=1e-6)
    assert list(result["per_joint_mm"].values()) == pytest.approx(
        (each * scale[:, None]).mean(0) * 1000, rel=1e-6
    )


def test_the_rate_follows_the_schedule_that_was_asked_for(with_data: Path) -> None:
    """Ten batches of 57 an epoch. The rate at the end of each epoch is that of the closed form."""

    def rates(*flags: str) -> list[float]:
        assert train([*SMALL, "--epochs", "3", "--batch-size", "57", "--lr", "0.01", *flags]) == 0
        return [float(row.split(",")[2]) for row in Path("log.csv").read_text().splitlines()[1:]]

    half = [0.01 * (1 + np.cos(np.pi * t / 30)) / 2 for t in (10, 20, 30)]
    assert rates("--scheduler", "cosine") == pytest.approx(half, abs=1e-12)
    step = ["--scheduler", "step", "--gamma", "0.5"]
    assert rates(*step, "--step-size", "2") == pytest.approx([0.01, 0.005, 0.005])
    assert rates(*step, "--step-size", "10", "--step-per", "batch") == pytest.approx([0.005, 0.0025, 0.00125])
    assert rates("--scheduler", "exponential", "--gamma", "0.9") == pytest.approx([0.009, 0.0081, 0.00729])
    assert rates("--scheduler", "none") == [0.01] * 3
    cycle = rates("--scheduler", "onecycle")
    assert cycle[0] > cycle[1] > 1e-3
    assert cycle[2] == pytest.approx(0.01 / 25 / 1e4)


def test_validation_poses_do_not_set_the_units(with_data: Path, monkeypatch: Patch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(LiftModel, "standardise", lambda self, joint_2d, joint_3d: seen.append(len(joint_2d)))
    assert train([*SMALL, "--flip", "0"]) == 0
    assert seen == [570]
    assert train(SMALL) == 0  # of augmented poses, a fixed number
    assert seen == [570, 16_384]
