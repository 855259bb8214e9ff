"""What eval.py finds and prints: every figure against one of its own, the tables, and the flags."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT as FOLDER
from conftest import make_poses

from minilift import Lifter, LiftModel, Poses, load_poses
from minilift.cli import eval as eval_module
from minilift.cli.eval import main
from minilift.evaluation.baselines import LinearRegression, MeanPose, NearestNeighbour
from minilift.evaluation.figures import Figures
from minilift.evaluation.uncertainty import bootstrap
from minilift.poses import metrics
from minilift.poses.bones import PAIRED, asymmetry, bone_errors
from minilift.poses.layouts import COURSE15, JOINTS, ROOT
from minilift.poses.motion import jitter, mpjve
from minilift.poses.poses import save_poses, save_scale
from minilift.show.text import table

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
N = 90
CLIPS = np.repeat(np.arange(30), 3)


def predictions(scale: bool = True) -> tuple[np.ndarray, Poses]:
    """Predictions of 90 poses, and the poses; each has a scale of its own."""
    poses, rng = make_poses(N, seed=1), np.random.default_rng(2)
    metres = np.linspace(3, 5, N, dtype=np.float32) if scale else None
    predicted = poses.joint_3d + 0.01 * rng.standard_normal((N, 15, 3)).astype(np.float32)
    return predicted, Poses(poses.joint_2d, poses.joint_3d, metres)


def measured(predicted: np.ndarray, poses: Poses, cuts: Any = (), clips: Any = None, **options: Any) -> Any:
    figures = Figures(**options)
    for rows in np.split(np.arange(len(poses)), cuts):
        part = poses.take(rows)
        assert isinstance(part.joint_2d, np.ndarray)
        assert isinstance(part.joint_3d, np.ndarray)
        ids = None if clips is None else clips[rows]
        figures.add(predicted[rows], part.joint_2d, part.joint_3d, part.scale, ids)
    return figures.result()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A folder with weights, training and test poses, and metres per unit."""
    monkeypatch.chdir(tmp_path)
    _, poses = predictions()
    model = LiftModel(1, 16)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save("liftModel")
    save_poses("data_test_lift.pkl", poses)
    assert poses.scale is not None
    save_scale("data_test_scale.npy", poses.scale)
    save_poses("data_train_lift.pkl", make_poses(200))
    return tmp_path


def as_json(capsys: Capture, *flags: str) -> Any:
    assert main([*flags, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def fails(code: int, capsys: Capture, *parts: str) -> None:
    error = capsys.readouterr().err
    assert code == 2
    assert len(error.splitlines()) == 1
    for part in ("minilift eval: error: ", *parts):
        assert part in error


# ---- the figures ---------------------------------------------------------------------------------------


def of_functions(predicted: Any, truth: Any) -> dict[str, Any]:
    """Figures of whole arrays, from the functions that tests/test_metrics.py checks."""
    lengths, bones = COURSE15.bone_lengths, bone_errors(predicted, truth)
    axes, sides = metrics.per_axis_error(predicted, truth), (asymmetry(predicted), asymmetry(truth))
    each = np.sort(metrics.cal_mpjpe(predicted, truth, avg=False))
    return {
        "mpjpe": metrics.cal_mpjpe(predicted, truth),
        "mpjpe_with_root": metrics.mpjpe_with_root(predicted, truth),
        "pa_mpjpe": metrics.pa_mpjpe(predicted, truth),
        "percentiles": {"50": (each[44] + each[45]) / 2, "max": each[-1]},
        "per_joint": dict(zip(JOINTS, metrics.per_joint_error(predicted, truth), strict=True)),
        "per_axis": dict(zip("xyz", axes.mean(axis=0), strict=True)),
        "per_joint_axis": {
            j: dict(zip("xyz", row, strict=True)) for j, row in zip(JOINTS, axes, strict=True)
        },
        "per_bone": {
            bone: {
                "true": lengths(truth)[:, i].mean(),
                "error": bones[:, i].mean(),
                "absolute": abs(bones[:, i]).mean(),
            }
            for i, bone in enumerate(COURSE15.bones)
        },
        "asymmetry": {
            bone: {"predicted": sides[0][:, i].mean(), "true": sides[1][:, i].mean()}
            for i, bone in enumerate(PAIRED)
        },
    }


def same(found: Any, expected: Any, where: str = "") -> None:
    """Numbers of nested dicts; what `expected` leaves out is not looked at."""
    if isinstance(expected, dict):
        for name in expected:
            same(found[name], expected[name], f"{where} {name}")
        return
    assert isinstance(found, float), where
    assert found == pytest.approx(float(expected), rel=1e-6, abs=1e-12), where  # float32's percentiles


@pytest.mark.parametrize("cuts", [(), (1, 40, 41), tuple(range(1, N))], ids=["whole", "four", "singly"])
def test_every_figure_in_both_units_and_any_parts(cuts: Any) -> None:
    predicted, poses = predictions()
    found = measured(predicted, poses, cuts, CLIPS)
    truth, scale = np.asarray(poses.joint_3d), 1000 * np.asarray(poses.scale, np.float64)[:, None, None]
    same(found, of_functions(predicted, truth) | {"n_mpjpe": metrics.n_mpjpe(predicted, truth)})
    # About the root, in millimetres: the pose of a person of flesh and blood
    mm, true_mm = ((points - ROOT) * scale + ROOT for points in (predicted, truth))
    in_mm = of_functions(mm, true_mm) | {"n_mpjpe": metrics.n_mpjpe(mm, true_mm)}
    in_mm |= {"velocity_error": mpjve(mm, true_mm, CLIPS), "jitter": jitter(mm, CLIPS)}
    in_mm["true_jitter"] = jitter(true_mm, CLIPS)
    same(found, {f"{name}_mm": value for name, value in in_mm.items()})
    same(found, {"velocity_error": mpjve(predicted, truth, CLIPS), "jitter": jitter(predicted, CLIPS)})
    same(found, {"pck": metrics.pck(mm, true_mm, 150), "auc": metrics.auc(mm, true_mm, 150)})
    flat = np.concatenate([poses.joint_2d, np.full((N, 15, 1), -1)], axis=2)
    same(found, {"flat_mpjpe": metrics.cal_mpjpe(flat, truth), "loss": found["mpjpe"]})
    assert (found["threshold"], found["threshold_unit"], found["poses"]) == (150, "mm", N)


def test_loss_threshold_and_rate_are_those_asked_for() -> None:
    predicted, poses = predictions(scale=False)
    truth = np.asarray(poses.joint_3d)
    found = measured(predicted, poses, (50,), CLIPS, loss="mse", threshold=0.02, fps=25)
    same(found, {"loss": np.square(predicted.astype(np.float64) - truth).mean()})
    same(found, {"pck": metrics.pck(predicted, truth, 0.02), "auc": metrics.auc(predicted, truth, 0.02)})
    same(found, {"velocity_error": 25 * mpjve(predicted, truth, CLIPS)})
    same(found, {"jitter": 625 * jitter(predicted, CLIPS), "true_jitter": 625 * jitter(truth, CLIPS)})
    assert (found["threshold"], found["threshold_unit"]) == (0.02, "units")
    assert not [name for name in found if name.endswith("_mm")]
    assert measured(predicted, poses)["threshold"] == 0.03


def test_a_standing_person_does_not_move_when_the_camera_does() -> None:
    """In millimetres, about the root: nobody moves who only comes nearer and goes farther."""
    pose, root = np.asarray(make_poses(1).joint_3d), np.array(ROOT, np.float32)
    scale = np.where(np.arange(N) % 2, 2, 6).astype(np.float32)
    truth = (pose - root) / scale[:, None, None] + root
    poses = Poses(truth[..., :2] / -truth[..., 2:], truth, scale)
    found = measured(truth, poses, clips=np.zeros(N, int))
    assert found["true_jitter"] > 0.01
    assert found["true_jitter_mm"] < 0.01  # of float32; seen 3e-4


def test_the_interval_is_over_clips_where_there_are_enough() -> None:
    predicted, poses = predictions()
    each = metrics.cal_mpjpe(predicted, np.asarray(poses.joint_3d), avg=False)
    for clips, groups, over in (
        (None, None, "blocks of 3 poses"), (CLIPS, CLIPS, "clips"), (CLIPS // 2, None, "blocks of 3 poses"),
    ):  # fmt: skip
        found = measured(predicted, poses, (40,), clips)
        assert found["ci95_over"] == over
        np.testing.assert_allclose(found["mpjpe_ci95"], bootstrap(each, groups), rtol=1e-6)
        assert found["mpjpe_ci95_mm"][0] < found["mpjpe_mm"] < found["mpjpe_ci95_mm"][1]
    few = measured(predicted[:19], poses.take(slice(0, 19)))
    assert (few["mpjpe_ci95"], few["mpjpe_ci95_mm"], few["ci95_over"]) == (None, None, None)
    assert measured(predicted[:20], poses.take(slice(0, 20)))["ci95_over"] == "poses"


def test_what_cannot_be_measured_is_refused() -> None:
    predicted, poses = predictions()
    with pytest.raises(ValueError, match="no poses to measure"):
        Figures().result()
    with pytest.raises(ValueError, match="no poses to compare"):
        measured(predicted[:0], poses.take(slice(0, 0)))
    assert poses.scale is not None
    assert poses.joint_3d is not None
    for extra in ({"scale": poses.scale}, {"clips": CLIPS}):
        figures = Figures()
        figures.add(predicted, poses.joint_2d, np.asarray(poses.joint_3d))
        figures.add(predicted, poses.joint_2d, np.asarray(poses.joint_3d), **extra)
        with pytest.raises(ValueError, match="with every part"):
            figures.result()


# ---- the tables ----------------------------------------------------------------------------------------


def printed(result: dict[str, Any], note: str = "") -> dict[str, list[str]]:
    """The tables' rows by label."""
    text = table({"weights": "w", "data": "d", "train": None, **result}, note)
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r" $|nan|None", text, re.MULTILINE)
    rows = (re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in text.splitlines() if line)
    return {label: re.split(r"(?<!to)\s+(?!to)", cells[0]) if cells else [] for label, *cells in rows}


@pytest.mark.parametrize("scale", [True, False], ids=["mm", "units"])
def test_the_tables_hold_the_figures_and_fit_a_terminal(scale: bool) -> None:
    predicted, poses = predictions(scale)
    predicted[..., 0] += 0.003  # so that no two figures are alike by chance
    found = measured(predicted, poses, clips=CLIPS, fps=25)
    rows = printed(found | {"fps": 25, "train": "t.pkl", "train_poses": 1234})
    unit, number = ("_mm", "{:.1f}") if scale else ("", "{:.5f}")

    def pair(*path: str) -> list[str]:
        cells = []
        for ending, digits in (("", "{:.5f}"), ("_mm", "{:.1f}"))[: 1 + scale]:
            value = found[path[0] + ending]
            cells.append(digits.format(value[path[1]] if len(path) > 1 else value))
        return cells

    interval = " to ".join(map(number.format, found["mpjpe_ci95" + unit]))
    assert rows["average MPJPE"] == [*pair("mpjpe"), interval]
    assert rows["average loss (mpjpe)"] == [f"{found['loss']:.5f}"]
    assert rows["MPJPE with the root counted"] == pair("mpjpe_with_root")
    assert rows["PA-MPJPE"] == pair("pa_mpjpe")
    assert rows["N-MPJPE"] == pair("n_mpjpe")
    limit = "150 mm" if scale else "0.03 units"
    assert rows[f"PCK, within {limit}"] == [f"{found['pck']:.1%}"]
    assert rows[f"AUC, up to {limit}"] == [f"{found['auc']:.1%}"]
    times = found["flat_mpjpe"] / found["mpjpe"]
    assert rows["flat pose, at the root's z"] == [*pair("flat_mpjpe"), f"{times:.2f}"]
    assert "(fitted on t.pkl: 1,234 poses)" in rows
    for name, ending in (("units", ""), ("mm", "_mm"))[: 1 + scale]:
        expected = [
            ("{:.1f}" if ending else "{:.5f}").format(v) for v in found["percentiles" + ending].values()
        ]
        assert rows[f"below, {name}"] == expected
    assert rows["velocity error (MPJVE)"] == pair("velocity_error")
    assert rows["jitter, per second^2"] == pair("jitter")
    assert rows["the truth's jitter"] == pair("true_jitter")
    for joint in JOINTS:
        axes = found["per_joint_axis" + unit][joint].values()
        assert rows[joint] == [*pair("per_joint", joint), *map(number.format, axes)]
    assert rows["all"] == [*pair("mpjpe"), *map(number.format, found["per_axis" + unit].values())]
    bones = found["per_bone" + unit]
    neck = [number.format(bones["spine-neck"][key]) for key in ("true", "error", "absolute")]
    assert rows["spine-neck"] == neck
    knees = [bones[f"{side}_hip-{side}_knee"] for side in ("left", "right")]
    cells = [(knees[0][key] + knees[1][key]) / 2 for key in ("true", "error", "absolute")]
    cells += found["asymmetry" + unit]["hip-knee"].values()
    assert rows["hip-knee"] == list(map(number.format, cells))
    assert len([row for row in rows if re.fullmatch("[a-z]+-[a-z]+", row)]) == 9


def test_few_poses_have_no_interval() -> None:
    predicted, poses = predictions()
    result = measured(predicted[:3], poses.take(slice(0, 3)))
    assert len(printed(result)["average MPJPE"]) == 2
    assert "interval" not in table({"train": None, **result})


def test_a_perfect_prediction_has_no_ratio() -> None:
    _, poses = predictions()
    rows = printed(measured(np.asarray(poses.joint_3d), poses))
    assert rows["flat pose, at the root's z"][2:] == []
    assert rows["average MPJPE"] == ["0.00000", "0.0", "0.0 to 0.0"]


# ---- eval.py -------------------------------------------------------------------------------------------


def test_the_baselines_of_eval_are_those_of_the_library(folder: Path, capsys: Capture) -> None:
    train, test = load_poses("data_train_lift.pkl"), load_poses("data_test_lift.pkl")
    found = as_json(capsys, "--baselines", "all")
    assert train.joint_3d is not None
    for name, kind in (("mean", MeanPose), ("linear", LinearRegression), ("nearest", NearestNeighbour)):
        guess = kind().fit(train.joint_2d, train.joint_3d).predict(np.asarray(test.joint_2d))
        errors = metrics.cal_mpjpe(guess, np.asarray(test.joint_3d), avg=False)
        same(found["baselines"], {name: errors.mean()})
        same(found["baselines_mm"], {name: (1000 * errors * np.load("data_test_scale.npy")).mean()})
    assert found["baselines"]["flat"] == found["flat_mpjpe"]
    assert (found["train"], found["train_poses"]) == ("data_train_lift.pkl", 200)
    assert list(as_json(capsys)["baselines"]) == ["flat", "mean", "linear"]
    found = as_json(capsys, "--baselines", "flat")
    assert (list(found["baselines"]), found["train"]) == (["flat"], None)


def test_training_poses_elsewhere(folder: Path, capsys: Capture) -> None:
    Path("data_train_lift.pkl").rename("mine.pkl")
    assert main([]) == 0
    assert (
        "(no data_train_lift.pkl here to fit others on; name one with --train FILE)"
        in capsys.readouterr().out
    )
    found = as_json(capsys)
    assert (found["train"], found["train_poses"], list(found["baselines"])) == (None, None, ["flat"])
    assert main(["--train", "mine.pkl"]) == 0
    assert "(fitted on mine.pkl: 200 poses)" in capsys.readouterr().out
    fails(main(["--train", "yours.pkl"]), capsys, "yours.pkl", "no such file")


def test_training_poses_that_nobody_named_are_no_error(
    folder: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    assert main(["--data", "data_train_lift.pkl"]) == 0
    assert "(these are training poses; name others" in capsys.readouterr().out
    monkeypatch.setattr(eval_module, "UNASKED", 1000)
    assert main([]) == 0
    assert "to fit others on it: --train data_train_lift.pkl)" in capsys.readouterr().out
    assert main(["--train", "data_train_lift.pkl"]) == 0
    assert "(fitted on data_train_lift.pkl" in capsys.readouterr().out
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    Path("data_train_lift.pkl").write_bytes(b"rubbish")
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"warning: no baselines fitted \(data_train_lift.pkl: .*\)\n", err)
    assert "linear" not in out
    fails(main(["--train", "data_train_lift.pkl"]), capsys, "data_train_lift.pkl")


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--train", "data_test_lift.pkl"], ("--train data_test_lift.pkl", "what is measured")),
        (["--train", "./data_test_lift.pkl"], ("--train ./data_test_lift.pkl", "what is measured")),
        (["--train", "t.pkl", "--baselines", "flat"], ("--train t.pkl", "--baselines flat", "leave one")),
        (["--fps", "25"], ("--fps 25", "--clips")),
        (["--clips", "none.npy"], ("none.npy", "no such file")),
        (["--save", "data_train_lift.pkl"], ("--save", "would overwrite")),
        (["--clips", "c.npy", "--plot", "c.npy"], ("--plot", "would overwrite")),
        (["--train", "a_2d.npy", "--save", "a_3d.npy"], ("--save", "would overwrite")),
    ],
)
def test_flags_that_cannot_be(
    flags: list[str], parts: tuple[str, ...], folder: Path, capsys: Capture
) -> None:
    fails(main(flags), capsys, *parts)


@pytest.mark.parametrize("flag", ["--threshold", "--fps"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "many"])
def test_numbers_that_cannot_be(flag: str, value: str, capsys: Capture) -> None:
    fails(main([flag, value]), capsys, f"{flag} {value}: ")


@pytest.mark.parametrize(
    ("clips", "parts"),
    [
        (np.zeros(N - 1, int), (f"shape ({N - 1},) of int64", f"expected ({N},)")),
        (np.zeros((N, 1), int), (f"shape ({N}, 1)",)),
        (np.zeros(N), ("of float64", "whole numbers")),
        (np.arange(N) % 2, ("in pieces", "sort the poses")),
    ],
)
def test_clips_that_cannot_be(
    clips: np.ndarray, parts: tuple[str, ...], folder: Path, capsys: Capture
) -> None:
    np.save("clips.npy", clips)
    fails(main(["--clips", "clips.npy"]), capsys, "clips.npy", *parts)


def test_clips_give_velocity_and_jitter(folder: Path, capsys: Capture) -> None:
    assert "velocity_error" not in as_json(capsys)
    np.save("clips.npy", CLIPS.astype(np.uint8))
    found = as_json(capsys, "--clips", "clips.npy", "--fps", "50")
    test = load_poses("data_test_lift.pkl")
    predicted = Lifter.load("liftModel").predict(test.joint_2d)
    same(found, {"velocity_error": 50 * mpjve(predicted, np.asarray(test.joint_3d), CLIPS)})
    assert (found["fps"], found["ci95_over"]) == (50, "clips")
    assert main(["--clips", "clips.npy"]) == 0
    assert "movement, per frame" in capsys.readouterr().out
    np.save("clips.npy", np.arange(N))
    assert "velocity_error" not in as_json(capsys, "--clips", "clips.npy")


def test_the_threshold_is_a_flag(folder: Path, capsys: Capture) -> None:
    found = [as_json(capsys, "--threshold", str(limit)) for limit in (100, 200)]
    assert found[0]["pck"] < found[1]["pck"]
    assert [one["threshold"] for one in found] == [100, 200]
    assert main(["--threshold", "80"]) == 0
    assert "PCK, within 80 mm" in capsys.readouterr().out


def test_every_key_of_the_json_is_documented(folder: Path, capsys: Capture) -> None:
    np.save("clips.npy", CLIPS)
    found = as_json(capsys, "--clips", "clips.npy", "--baselines", "all")
    page = (FOLDER / "docs" / "metrics.md").read_text()
    documented = set(re.findall(r"`(\w+)`", page[page.index("## The JSON") :]))
    assert {name.removesuffix("_mm") for name in found} <= documented
    assert all(math.isfinite(value) for value in found.values() if isinstance(value, float))


def test_real_people_are_told_from_the_flat_and_the_mean(mocap: Path, folder: Path, capsys: Capture) -> None:
    flags = ["--data", str(mocap / "data_test_lift.pkl"), "--train", str(mocap / "data_train_lift.pkl")]
    found = as_json(capsys, *flags, "--baselines", "all")
    in_mm = {name: round(value, 1) for name, value in found["baselines_mm"].items()}
    assert in_mm == {"flat": 108.6, "mean": 188.2, "linear": 51.9, "nearest": 63.4}
    assert found["asymmetry_mm"]["hip-knee"]["true"] < 0.01
    assert found["per_bone_mm"]["left_hip-left_knee"]["true"] == pytest.approx(391, abs=1)


@pytest.mark.parametrize("flags", [(), ("--flip",), ("--project",)])
def test_hidden_keypoints_are_measured(flags: tuple[str, ...], folder: Path, capsys: Capture) -> None:
    """As from a file in which the same keypoints are gone, of all predictors."""
    poses, options = load_poses("data_test_lift.pkl"), {flag[2:]: True for flag in flags}
    hidden = np.random.default_rng(0).random((N, 15), np.float32) < 0.2
    assert hidden.mean() == pytest.approx(0.2, abs=0.04)
    points = np.where(hidden[..., None], np.float32(np.nan), poses.joint_2d)
    predicted = Lifter.load("liftModel").predict(points, missing=True, **options)
    found = as_json(capsys, *flags, "--hide", "0.2")
    assert found["hide"] == 0.2
    assert found["mpjpe"] == pytest.approx(
        np.linalg.norm(predicted - poses.joint_3d, axis=2).mean(), rel=1e-6
    )
    train = load_poses("data_train_lift.pkl")
    fitted = LinearRegression().fit(train.joint_2d, train.joint_3d).predict(np.nan_to_num(points))
    expected = np.linalg.norm(fitted - poses.joint_3d, axis=2).mean()
    assert found["baselines"]["linear"] == pytest.approx(expected, rel=1e-6)
    whole = as_json(capsys, *flags)
    assert whole["hide"] == 0
    assert whole["mpjpe"] != found["mpjpe"]
    assert as_json(capsys, *flags, "--hide", "0") == whole


def test_hiding_is_said_and_drawn(folder: Path, capsys: Capture, monkeypatch: Patch) -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")
    drawn: list[np.ndarray] = []
    monkeypatch.setattr("minilift.show.people.extremes.plot_lift", lambda *arrays: drawn.extend(arrays[:3]))
    assert main(["--hide", "0.25", "--plot", "a.png", "--save", "p.npz"]) == 0
    assert f"{N} poses, 25% of the keypoints hidden, on the cpu" in capsys.readouterr().out
    saved, poses = np.load("p.npz")["joint_3d"], load_poses("data_test_lift.pkl")
    for points, predicted, _ in zip(*drawn, strict=True):
        row = int(np.flatnonzero((poses.joint_2d == points).all(axis=(1, 2)))[0])
        np.testing.assert_allclose(predicted, saved[row], atol=1e-6)


def test_hiding_needs_a_share_and_a_head_that_can_do_without(folder: Path, capsys: Capture) -> None:
    fails(main(["--hide", "1.5"]), capsys, "--hide 1.5: must be at least 0 and at most 1")
    Lifter(LiftModel(1, 16, head="ray")).save("liftModel")
    fails(main(["--hide", "0.1"]), capsys, "--hide 0.1: liftModel puts joints onto the rays", "--head xyz")


def test_flipped_and_projected_predictions_are_measured(folder: Path, capsys: Capture) -> None:
    found = {flags: as_json(capsys, *flags)["mpjpe"] for flags in ((), ("--flip",), ("--project",))}
    assert len(set(found.values())) == 3
