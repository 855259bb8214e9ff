"""The report page, without a browser: its numbers, its poses, and that nothing in it can do harm."""

from __future__ import annotations

import base64
import json
import re
import sys
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from pages import HOSTILE, Outline

from minilift import Lifter, LiftModel, load_poses
from minilift.cli.eval import main
from minilift.poses.layouts import JOINTS, ROOT
from minilift.poses.metrics import cal_mpjpe
from minilift.poses.poses import save_poses, save_scale
from minilift.poses.read import course as formats
from minilift.show.html.document import json_text
from minilift.show.html.numbers import spread
from minilift.show.page import charts, page, tables, trust_charts
from minilift.show.page.packed import pack
from minilift.show.page.page import training_log
from minilift.show.page.words import lead

pytest.importorskip("plotly", reason="the page holds plotly.js: pip install 'minilift[report]'")

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
N = 90


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A folder with weights, training and test poses, metres per unit, and a log; plotly.js is short."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(page, "_plotly", lambda: "/* plotly.js */")
    poses = make_poses(N, seed=1)
    model = LiftModel(1, 16)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save("liftModel")
    save_poses("data_test_lift.pkl", poses)
    save_scale("data_test_scale.npy", np.linspace(3, 5, N))
    save_poses("data_train_lift.pkl", make_poses(200))
    Path("log.csv").write_text("epoch,val_mpjpe\n1,0.02\n2,0.01\n")
    return tmp_path


def report(*flags: str) -> str:
    assert main(["--report", "report.html", *flags]) == 0
    return Path("report.html").read_text(encoding="utf-8")


# ---- the page ------------------------------------------------------------------------------------------


def test_every_number_that_eval_prints_stands_on_the_page(folder: Path, capsys: Capture) -> None:
    text = unescape(re.sub(r"<[^>]*>", " ", report("--baselines", "all")))
    text, printed = text.replace(",", ""), capsys.readouterr().out.split("per bone, mm")[0].replace(",", "")
    numbers = re.findall(r"(?<!\S)-?\d+\.?\d*%?(?!\S)", printed)
    assert len(numbers) > 100
    assert [number for number in numbers if not re.search(rf"(?<![\d.]){re.escape(number)}", text)] == []


@pytest.mark.parametrize(
    "flags", [(), ("--baselines", "flat"), ("--loss", "mse"), ("--flip", "--project"), ("--hide", "0.2")]
)
def test_it_is_made_whatever_is_asked_for(folder: Path, flags: tuple[str, ...]) -> None:
    text = report(*flags)
    assert ("averaged with the prediction for the mirrored pose" in text) == ("--flip" in flags)
    assert ("linear regression" in text) == ("flat" not in flags)
    assert ("20% of the keypoints hidden" in text) == ("--hide" in flags)


@pytest.mark.parametrize("n", [1, 2, 90])
def test_without_a_scale_everything_is_in_units(folder: Path, n: int) -> None:
    save_poses("data_test_lift.pkl", make_poses(n))
    Path("data_test_scale.npy").unlink()
    text = report()
    assert json.loads(Outline(text).scripts["scene"])["metres"] is False
    assert "MPJPE of a pose, units" in text
    assert "mm</th>" not in text
    assert ("too few poses" in text) == (n < 20)


def test_movement_is_there_with_clips(folder: Path) -> None:
    assert 'id="movement"' not in report()
    np.save("clips.npy", np.arange(N) // 3)
    assert "Movement, per second" in report("--clips", "clips.npy", "--fps", "50")


def test_the_same_poses_give_the_same_bytes(folder: Path) -> None:
    first = report()
    assert report() == first


def test_nothing_is_loaded_from_anywhere(folder: Path) -> None:
    outline = Outline(report())
    loading = [
        value for name, value in outline.attributes if name in ("src", "href", "srcset", "data", "action")
    ]
    assert [value for value in loading if not value.startswith("#")] == []
    assert not {tag for tag, *_ in outline.tags} & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
    }
    policy = next(value for name, value in outline.attributes if "default-src" in value)
    assert policy.startswith(
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src"
    )
    assert "http" not in policy


def test_names_of_files_are_text(folder: Path) -> None:
    plain = Outline(report())
    (folder / "<").mkdir()
    weights, data = folder / HOSTILE, folder / "<" / "script><script>alert(1)<!--.pkl"  # has </script> in it
    Path("liftModel").rename(weights)
    Path("data_test_lift.pkl").rename(data)
    Path("data_test_scale.npy").rename("scale.npy")
    text = report("--weights", HOSTILE, "--data", "</" + data.name, "--scale", "scale.npy")
    outline = Outline(text)
    assert outline.tags == plain.tags
    assert outline.scripts.keys() == plain.scripts.keys()
    assert text.count("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#x27; $lead") >= 2
    json.loads(outline.scripts["figures"])


def test_json_cannot_end_its_script() -> None:
    value = {"</script><!--": ["</SCRIPT>"]}
    assert "<" not in json_text(value)
    assert json.loads(json_text(value)) == value


# ---- the poses -----------------------------------------------------------------------------------------


def unpacked(n: int, packed: str) -> list[np.ndarray]:
    """rows, errors, scale, reach_3d, reach_2d, predicted, truth, joint_2d, as pack's docstring has them."""
    data, at, arrays = base64.b64decode(packed), 0, []
    shapes = [("<i4", ())] + [("<f4", ())] * 4 + [("<i2", (15, 3))] * 2 + [("<i2", (15, 2))]
    for kind, shape in shapes:
        count = n * int(np.prod(shape))
        arrays.append(np.frombuffer(data, kind, count, at).reshape(n, *shape))
        at += count * np.dtype(kind).itemsize
    assert at == len(data)
    return arrays


def test_packed_poses_are_those_that_went_in() -> None:
    poses, rng = make_poses(N), np.random.default_rng(0)
    assert isinstance(poses.joint_3d, np.ndarray)
    predicted = poses.joint_3d + rng.normal(0, 0.02, (N, 15, 3)).astype(np.float32)
    predicted[7] *= 1e6  # one that is wild must not cost the others anything
    rows, errors = rng.permutation(N), rng.random(N)
    about, packed = pack(rows, errors, predicted, poses)
    found = unpacked(N, packed)
    np.testing.assert_array_equal(found[0], rows)
    np.testing.assert_array_equal(found[1], errors.astype(np.float32))
    np.testing.assert_array_equal(found[2], np.float32(4))
    for steps, reach, expected in (
        (found[5], found[3], predicted - np.array(ROOT)),
        (found[6], found[3], poses.joint_3d - np.array(ROOT)),
        (found[7], found[4], poses.joint_2d),
    ):
        each = reach[:, None, None].astype(float) / 32767
        assert (np.abs(steps * each - expected) <= 0.5001 * each).all()
    others = np.delete(found[3], 7)
    assert others.max() < 2
    assert about["n"] == N
    assert about["sides"][0] == "right"
    truth = 4 * (poses.joint_3d - np.array(ROOT))  # in metres
    assert about["reach"] == pytest.approx(np.percentile(np.abs(truth).max(axis=(1, 2)), 99))


def test_the_viewer_has_the_poses_in_order_of_their_error(folder: Path) -> None:
    text = report("--save", "predictions.npz")
    outline = Outline(text)
    rows, errors, scale, reach, _, predicted, *_ = unpacked(N, outline.scripts["packed"])
    saved, poses = np.load("predictions.npz")["joint_3d"], make_poses(N, seed=1)
    assert isinstance(poses.joint_3d, np.ndarray)
    each = 1000 * np.linspace(3, 5, N) * cal_mpjpe(saved, poses.joint_3d, avg=False)
    assert (np.diff(errors) >= 0).all()
    assert sorted(rows) == list(range(N))
    np.testing.assert_allclose(errors, each[rows], rtol=1e-5)
    np.testing.assert_allclose(scale, np.linspace(3, 5, N)[rows], rtol=1e-6)
    shown = predicted * (reach / 32767)[:, None, None] + ROOT
    np.testing.assert_allclose(shown, saved[rows], atol=5e-5)


def test_of_many_poses_some_are_shown_and_the_page_says_so(folder: Path, monkeypatch: Patch) -> None:
    assert "All 90 poses" in report()
    monkeypatch.setattr(page, "MOST", 20)
    text = report()
    assert "20 of the 90 poses" in text
    rows, errors, *_ = unpacked(20, Outline(text).scripts["packed"])
    assert len(set(rows)) == 20
    histogram = json.loads(Outline(text).scripts["figures"])[1]["data"][0]
    assert sum(histogram["y"]) == N  # figures are of all poses
    assert errors[-1] == pytest.approx(json.loads(Outline(text).scripts["figures"])[2]["data"][0]["y"][-1])


@pytest.mark.parametrize(("n", "most"), [(1, 5), (5, 5), (6, 5), (1000, 7), (20_001, 20_000)])
def test_spread_takes_the_first_the_last_and_none_twice(n: int, most: int) -> None:
    rows = spread(n, most)
    assert len(rows) == min(n, most)
    assert (rows[0], rows[-1]) == (0, n - 1)
    assert (np.diff(rows) >= 1).all()
    assert np.diff(rows).max(initial=0) <= (n - 1) / max(most - 1, 1) + 1


# ---- words, tables and charts --------------------------------------------------------------------------


def result_of(mpjpe: float = 0.01, linear: float = 0.03) -> dict[str, Any]:
    return {
        "weights": "w", "poses": 3, "mpjpe": mpjpe, "mpjpe_ci95": None, "baselines": {"linear": linear},
        "percentiles": {"50": 0.01, "90": 0.02, "99": 0.03, "max": 0.04},
        "per_joint": dict.fromkeys(JOINTS, 0.01),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mpjpe", "words"),
    [
        (0.01, "3.00 times as much"),
        (0.03, "no better than"),
        (0.04, "no better than"),
        (0.0, "not off at all"),
    ],
)
def test_the_lead_says_what_the_error_means(mpjpe: float, words: str) -> None:
    assert words in lead(result_of(mpjpe))


def test_a_histogram_holds_every_pose_and_marks_percentiles() -> None:
    ordered = np.sort(np.random.default_rng(0).lognormal(size=1000))
    figure = charts.histogram(result_of(), ordered).figure
    counts, bars = np.array(figure["data"][0]["y"]), figure["data"][0]
    assert counts.sum() == 1000
    inside = np.abs(ordered - bars["x"][10]) <= bars["width"] / 2
    assert counts[10] == inside.sum()
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [0.01, 0.02, 0.03]


def test_poses_that_are_all_exact_have_charts_too() -> None:
    for chart in (charts.histogram, charts.sorted_errors):
        json.dumps(chart(result_of(0.0), np.zeros(5)).figure, allow_nan=False)
    result = result_of(0.0) | {"per_joint": dict.fromkeys(JOINTS, 0.0), "baselines": {"flat": 0.0}}
    for axis in (charts.per_joint(result), charts.compared(result)):
        assert axis.figure["layout"]["xaxis"]["range"][1] > 0


def test_ticks_of_a_logarithmic_axis() -> None:
    axis = charts._log_axis("", [0.02, None, 3.0, 0.0])
    assert axis["ticktext"] == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5"]


TRUST = {
    "rate": 0.01, "coverage": 0.912, "spearman": 0.71234, "expected": 0.004, "expected_mm": 16.04, "news": 3,
    "curve": {"expected": [0.001, 0.003], "error": [0.002, 0.004]},
    "curve_mm": {"expected": [1.04, 3.0], "error": [2.0, 4.26]},
    "reliability": {"stated": [0.5, 0.9], "observed": [0.512, 0.875]},
    "risk": {"dropped": [0.0, 0.1], "kept": [0.004, 0.003], "oracle": [0.004, 0.002], "random": [0.004] * 2},
    "risk_mm": {"dropped": [0.0, 0.1], "kept": [16.0, 12.0], "oracle": [16.0, 8.0], "random": [16.0] * 2},
    "per_joint": {"left_hip": {"expected": 0.001, "error": 0.002, "coverage": 0.8765}},
    "per_joint_mm": {"left_hip": {"expected": 1.5, "error": 2.5}},
}  # fmt: skip


def test_trust_is_shown_as_far_as_it_is_there(folder: Path) -> None:
    numbers, *nested = tables.trust(TRUST)
    assert numbers.rows == [
        ["expected error, mm", "16.0"],
        ["rank correlation of the two", "0.712"],
        ["errors within their interval", "91.2%"],
        ["share called so of poses that are like it", "1.0%"],
        ["news", "3"],
    ]
    assert [table.rows for table in nested] == [
        [["1", "50.0%", "51.2%"], ["2", "90.0%", "87.5%"]],
        [["1", "0.0%", "16.0", "16.0", "16.0"], ["2", "10.0%", "12.0", "8.0", "16.0"]],
        [["1", "1.0", "2.0"], ["2", "3.0", "4.3"]],
        [["left hip", "1.5", "2.5", "87.6%"]],
    ]
    assert nested[2].head == ["", "expected error, mm", "real error, mm"]
    in_units = tables.trust({name: value for name, value in TRUST.items() if not name.endswith("_mm")})
    assert in_units[0].rows[0] == ["expected error, units", "0.00400"]
    assert in_units[3].rows[0] == ["1", "0.00100", "0.00200"]
    drawn = trust_charts.calibration(TRUST)
    assert drawn is not None
    assert (drawn.figure["data"][1]["x"], drawn.figure["data"][1]["y"]) == ([1.04, 3.0], [2.0, 4.26])
    assert trust_charts.calibration({"rate": 0.01}) is None
    held, kept = trust_charts.reliability(TRUST), trust_charts.risk(TRUST)
    assert held is not None
    assert kept is not None
    assert (held.figure["data"][1]["x"], held.figure["data"][1]["y"]) == ([50, 90], [51.2, 87.5])
    assert [line["y"] for line in kept.figure["data"]] == [[16.0, 16.0], [16.0, 12.0], [16.0, 8.0]]
    assert [line["x"] for line in kept.figure["data"]] == [[0, 10]] * 3
    assert trust_charts.reliability({"rate": 0.01}) is trust_charts.risk({"rate": 0.01}) is None


def repr_short(value: object) -> str:
    return repr(value)[:30]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epoch",
        "step,loss\n1,2\n",
        "epoch,val_mpjpe\n1,2,3\n",
        "epoch,val_mpjpe\n1,0.2\n",
        "\x00epoch\n1\n",
        "epoch\n" + "1" * 200_000,
        "epoch,val_mpjpe\n1,x\n",
        b"\xff\xfe",
    ],
    ids=repr_short,
)
def test_a_log_that_is_none_is_left_out(folder: Path, text: str | bytes) -> None:
    Path("log.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert charts.training(training_log(Path("log.csv"))) is None
    assert 'id="training"' not in report()


def test_a_log_has_its_columns_and_gaps(folder: Path) -> None:
    assert 'id="training"' in report()
    Path("log.csv").write_text("epoch,val_mpjpe,test_mpjpe\n1,0.2,\n2,nan,\n")
    drawn = charts.training(training_log(Path("log.csv")))
    assert drawn is not None
    (curve,) = drawn.figure["data"]
    assert (curve["name"], curve["x"], curve["y"]) == ("validation", [1, 2], [0.2, None])


# ---- errors --------------------------------------------------------------------------------------------


def test_without_plotly_the_remedy_comes_before_any_work(
    folder: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    assert main(["--report", "report.html", "--weights", "missing"]) == 2
    error = capsys.readouterr().err
    assert (
        error == "minilift eval: error: the page of a report needs plotly: pip install 'minilift[report]'\n"
    )


def test_it_writes_over_nothing_that_is_read(folder: Path, capsys: Capture) -> None:
    before = Path("data_test_lift.pkl").read_bytes()
    assert main(["--report", "data_test_lift.pkl"]) == 2
    assert "--report data_test_lift.pkl: would overwrite what is read" in capsys.readouterr().err
    assert Path("data_test_lift.pkl").read_bytes() == before


def test_json_stays_alone_on_standard_output(folder: Path, capsys: Capture) -> None:
    assert main(["--report", "report.html", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["poses"] == N
    assert Path("report.html").stat().st_size > 10_000


def test_mapped_poses_give_the_same_page(folder: Path, monkeypatch: Patch) -> None:
    poses = make_poses(N, seed=1)
    save_poses("test.npz", poses)
    flags = ("--data", "test.npz", "--scale", "data_test_scale.npy", "--train", "data_train_lift.pkl")
    in_memory = report(*flags)
    monkeypatch.setattr(formats, "LARGE", 0)
    assert load_poses("test.npz").mapped
    assert report(*flags) == in_memory
