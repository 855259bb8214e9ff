"""One pass, one report: what a program gets without a command line, and what is said of unlike people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import InputError, Lifter, LiftModel, Poses
from minilift.cli.eval import main
from minilift.evaluation import Options, Report, evaluate_lifter, fit_baselines
from minilift.evaluation.errors import measure
from minilift.evaluation.evaluate import NotFinite, hidden_keypoints
from minilift.evaluation.figures import Figures
from minilift.files import mapped
from minilift.lift.trust import trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.poses.metrics import cal_mpjpe
from minilift.poses.poses import save_poses
from minilift.show.text import advice, report_text

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
N = 90
TEST = make_poses(N, seed=1)


def lifter(head: str = "xyz") -> Lifter:
    model = LiftModel(1, 16, head=head)
    model.standardise(TEST.joint_2d, TEST.joint_3d)
    return Lifter(model)


@pytest.fixture(scope="module", params=["xyz", "ray"])
def trusted(request: pytest.FixtureRequest) -> Lifter:
    """A lifter with a trust model, fitted on the family of poses that TEST is of."""
    found, people = lifter(request.param), make_poses(1500)
    found.trust_model = fit_trust(found, people.take(slice(1000)), people.take(slice(1000, 1500)))
    return found


def unlike() -> Poses:
    """The same people, many times as large and upside down, as no pose of the training data is."""
    turn = np.array([50, -50, 1], np.float32)
    truth = np.asarray(TEST.joint_3d) * turn
    return Poses(np.asarray(TEST.joint_2d) * turn[:2], truth, TEST.scale)


# ---- one pass, one report ------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [Options(), Options(flip=True, loss="mse"), Options(project=True)])
@pytest.mark.parametrize("size", [mapped.CHUNK, 7])
def test_the_report_has_what_the_pass_found(
    options: Options, size: int, tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(mapped.chunks, "__defaults__", (size,))
    model, clips = lifter(), np.repeat(np.arange(30), 3)
    baselines = fit_baselines(make_poses(200), ["mean", "nearest"], "train.pkl")
    report = evaluate_lifter(
        model,
        TEST,
        options,
        clips=clips,
        baselines=baselines,
        details=True,
        keep=tmp_path / "p.npz",
        data="test.pkl",
    )
    predicted = model.predict(TEST.joint_2d, flip=options.flip, project=options.project)
    truth = np.asarray(TEST.joint_3d)
    figures = Figures(options.loss, baselines=baselines.fitted)
    figures.add(predicted, np.asarray(TEST.joint_2d), truth, TEST.scale, clips)
    same(report.figures, figures.result() | {"fps": None})
    np.testing.assert_allclose(report.arrays["joint_3d"], predicted, atol=1e-6)
    np.testing.assert_allclose(report.each, cal_mpjpe(predicted, truth, avg=False), rtol=1e-5)
    assert report.mm is not None
    np.testing.assert_allclose(report.mm, 4000 * report.each, rtol=1e-6)
    np.testing.assert_allclose(report.lifted(np.array([70, 2])), predicted[[70, 2]], atol=1e-6)
    for name, array in vars(measure(predicted, truth, TEST.scale, clips)).items():
        np.testing.assert_allclose(getattr(report.errors, name), array, rtol=1e-4, atol=1e-5)
    told = json.loads(report.json())
    assert (told["weights"], told["data"]) == (None, "test.pkl")
    assert (told["train"], told["train_poses"]) == ("train.pkl", 200)
    assert told["mpjpe_mm"] == report.figures["mpjpe_mm"]
    assert list(told["baselines"]) == ["flat", "mean", "nearest"]
    assert report.trust is None
    assert report.notes == ()


def same(found: Any, expected: Any, where: str = "") -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for name in expected:
            same(found[name], expected[name], f"{where} {name}")
    elif isinstance(expected, (float, list)):
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-8), where
    else:
        assert found == expected, where


def test_what_was_not_asked_for_is_not_kept() -> None:
    report = evaluate_lifter(lifter(), TEST)
    assert report.errors is None
    assert report.arrays == {}
    assert report.train_poses is None
    assert evaluate_lifter(lifter(), Poses(TEST.joint_2d, TEST.joint_3d)).mm is None


@pytest.mark.parametrize("n", [1, 19])
def test_few_poses_and_views_of_a_report_without_files(n: int) -> None:
    report = evaluate_lifter(lifter(), TEST.take(slice(n)))
    count = "1 pose" if n == 1 else f"{n} poses"
    assert report_text(report).startswith(f"lifter on poses: {count}, on the cpu\n")
    assert report.figures["mpjpe_ci95"] is None


def test_hidden_keypoints_are_always_the_same_and_make_no_word_on_trust(trusted: Lifter) -> None:
    hidden = hidden_keypoints(0.3, N)
    np.testing.assert_array_equal(hidden, hidden_keypoints(0.3, N))
    assert hidden.mean() == pytest.approx(0.3, abs=0.04)
    if trusted.model.head == "ray":
        with pytest.raises(InputError, match="missing=True"):
            evaluate_lifter(trusted, TEST, Options(hide=0.3))
        return
    points = np.where(hidden[..., None], np.float32(np.nan), TEST.joint_2d)
    report = evaluate_lifter(trusted, TEST, Options(hide=0.3))
    each = cal_mpjpe(trusted.predict(points, missing=True), TEST.joint_3d, avg=False)
    np.testing.assert_allclose(report.each, each, rtol=1e-5)
    assert report.trust is None
    assert evaluate_lifter(trusted, TEST).trust is not None


# ---- what cannot be ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured", "kind", "words"),
    [
        (lambda: evaluate_lifter(lifter(), Poses(TEST.joint_2d)), InputError, "no joint_3d"),
        (lambda: evaluate_lifter(lifter(), TEST.take(slice(0))), ValueError, "no poses to measure"),
        (lambda: evaluate_lifter(lifter(), TEST, clips=np.zeros(3, int)), ValueError, r"shape \(3,\)"),
        (lambda: evaluate_lifter(lifter(), TEST, clips=np.arange(N) % 2), ValueError, "in pieces"),
        (lambda: Options(hide=1.5), ValueError, r"hide=1\.5 must be from 0 to 1"),
        (lambda: Options(loss="l1"), ValueError, "loss='l1' must be"),
        (lambda: Options(threshold=0), ValueError, "threshold=0 must be more than 0"),
        (lambda: Options(fps=float("inf")), ValueError, "fps=inf must be"),
        (lambda: fit_baselines(TEST, ["median"]), ValueError, "no baseline is called 'median'; choose among"),
        (lambda: fit_baselines(Poses(TEST.joint_2d)), ValueError, "no joint_3d"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    measured: Callable[[], Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        measured()


def test_predictions_without_end_are_refused() -> None:
    model = LiftModel(1, 16)
    state = model.state_dict()
    state["output.bias"] = np.full(45, np.inf, np.float32)
    model.load_state_dict(state)
    with pytest.raises(NotFinite, match="the lifter: its predictions are too large or undefined"):
        evaluate_lifter(Lifter(model), TEST)


# ---- people unlike the training data -------------------------------------------------------------------


def test_unlike_people_get_one_line_of_advice_and_like_ones_none(trusted: Lifter) -> None:
    report = evaluate_lifter(trusted, unlike())
    assert report.trust is not None
    assert report.trust["unlike"] > 0.5
    *_, empty, last = report_text(report).split("\n")
    assert (empty, last) == ("", advice(report))
    assert last.startswith(f"{report.trust['unlike']:.0%} of these poses are unlike the training data (1% is")
    assert last.endswith("--weights starting")
    assert advice(replace(report, weights="starting")) == ""
    like = evaluate_lifter(trusted, TEST)
    assert like.trust is not None
    assert like.trust["unlike"] < 0.1
    assert advice(like) == ""
    assert "--weights starting" not in report_text(like)


@pytest.mark.parametrize(
    ("unlike", "n", "expected"), [(0.2, 100, False), (0.21, 100, True), (1.0, 4, False), (1.0, 5, True)]
)
def test_some_unlike_poses_are_no_other_people(unlike: float, n: int, expected: bool) -> None:
    def none(rows: np.ndarray) -> np.ndarray:
        raise AssertionError

    report = Report(
        TEST.take(np.arange(n) % N), {}, np.zeros(n), none, trust={"unlike": unlike, "rate": 0.01}
    )
    assert report.people_are_unlike is expected
    assert bool(advice(report)) is expected
    assert not Report(TEST, {}, np.zeros(N), none).people_are_unlike


def test_eval_says_it_beside_its_json(
    trusted: Lifter, tmp_path: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.chdir(tmp_path)
    trusted.save("liftModel")
    trusted.trust_model.save(trust_path("liftModel"))
    save_poses("unlike.npz", unlike())
    save_poses("like.npz", TEST)
    for name, said in (("unlike.npz", 1), ("like.npz", 0)):
        assert main(["--data", name]) == 0
        out, err = capsys.readouterr()
        assert (out.count("--weights starting"), err) == (said, "")
        assert main(["--data", name, "--json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["poses"] == N
        assert (err.count("--weights starting"), err.count("\n")) == (said, said)
