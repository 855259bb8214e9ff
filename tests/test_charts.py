"""Charts of training, errors, sweeps and calibrations: what is on them, in numbers and units."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")

from matplotlib.figure import Figure
from matplotlib.text import Text

from minilift.cli.plot import _quantity, main
from minilift.errors import InputError
from minilift.evaluation.errors import PoseErrors, joined, measure
from minilift.evaluation.uncertainty import bootstrap
from minilift.files.npz import write_npz
from minilift.poses.camera import to_camera
from minilift.poses.layouts import COURSE15, JOINTS, ROOT
from minilift.poses.lens.orientation import azimuth
from minilift.poses.people.synth import synthesize
from minilift.show.charts.calibration import calibration_figure, plot_calibration
from minilift.show.charts.errors import AXES, binned, errors_figure, plot_errors
from minilift.show.charts.sweeps import (
    SPREAD,
    epochs_figure,
    plot_epochs,
    plot_runs,
    plot_sweep,
    runs_figure,
    sweep_figure,
)
from minilift.show.charts.training import plot_training, training_figure
from minilift.show.runs.logs import read_log, read_record
from minilift.show.style import PAGE, SMALL, legend_columns

Capture = pytest.CaptureFixture[str]


def log(epochs: int = 4, mse: bool = False) -> list[dict[str, float]]:
    return [
        {
            "epoch": e, "steps": 10 * e, "lr": 1e-3 / e, "train_loss": 0.03 / e**2 if mse else 0.03 / e,
            "train_mpjpe": 0.03 / e, "val_mpjpe": 0.02 / e + (e == 4), "test_mpjpe": 0.021 / e, "seconds": e,
        }
        for e in range(1, epochs + 1)
    ]  # fmt: skip


def record(steps: int = 100, epochs: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {"gradient_mean": rng.random(steps), "gradient_norm": rng.random(steps)}
    arrays |= {"epochs": np.arange(epochs), "weight_names": np.array(["hidden1", "a.0", "output"])}
    arrays |= {"activation_names": np.array(["hidden1", "a.2", "output"]), "relu_names": np.array(["a.2"])}
    for key in ("weight_mean", "weight_std", "activation_mean", "activation_std"):
        arrays[key] = rng.random((epochs, 3))
    return arrays | {"dead": np.full((epochs, 1), 0.25)}


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def words(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]


def readable(figure: Figure) -> None:
    """All that is written is of 9 points or more, within the figure, on a page no wider than the paper."""
    figure.draw_without_rendering()
    assert figure.get_figwidth() <= PAGE
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text().strip() and text.get_visible():
            assert text.get_fontsize() >= SMALL >= 9, text
            if text.get_window_extent().height and "$" not in text.get_text():
                box = text.get_window_extent().transformed(figure.transFigure.inverted())
                assert box.x0 > -0.01, text
                assert box.x1 < 1.01, text


# ---- training ----------------------------------------------------------------------------------------


def test_training_chart_has_the_logs_numbers() -> None:
    figure = training_figure(log())
    assert titles(figure) == ["MPJPE, which is the loss", "learning rate after each epoch"]
    top, rate = figure.axes
    curves = {str(line.get_label()): np.asarray(line.get_ydata()) for line in top.lines}
    for name, column in (("training", "train"), ("validation", "val"), ("test", "test")):
        np.testing.assert_allclose(curves[name], [row[f"{column}_mpjpe"] for row in log()])
    assert "least: 0.00667, epoch 3" in curves
    assert (top.get_xlabel(), top.get_ylabel()) == ("epoch", "MPJPE [units]")
    np.testing.assert_allclose(rate.lines[0].get_ydata(), [1e-3, 5e-4, 1e-3 / 3, 2.5e-4])
    assert rate.get_ylim()[0] == 0
    readable(figure)


def test_axes_are_logarithmic_only_where_that_helps() -> None:
    rows = [row | {"val_mpjpe": 0.02} for row in log(3)]
    assert training_figure(rows).axes[0].get_yscale() == "linear"
    assert training_figure(rows).axes[0].get_ylim()[0] == 0
    assert training_figure(log(30)).axes[0].get_yscale() == "log"


def test_another_loss_has_a_chart_of_its_own() -> None:
    figure = training_figure(log(mse=True))
    assert titles(figure)[:2] == ["MPJPE", "loss, lines as above"]
    assert figure.axes[1].get_ylabel() == "loss"
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), [0.03 / e**2 for e in (1, 2, 3, 4)])


def test_without_3d_the_loss_is_what_is_drawn() -> None:
    rows = [
        {k: v for k, v in row.items() if "mpjpe" not in k} | {"val_loss": 2.0 / row["epoch"]} for row in log()
    ]
    figure = training_figure(rows)
    assert titles(figure) == ["loss", "learning rate after each epoch"]
    curves = {str(line.get_label()): np.asarray(line.get_ydata()) for line in figure.axes[0].lines}
    np.testing.assert_allclose(curves["validation"], [row["val_loss"] for row in rows])
    assert sum(label.startswith("least: ") for label in curves) == 1


def test_the_epoch_of_the_weights_is_the_one_that_is_marked() -> None:
    """Training without 3D chooses by the loss, whatever the error."""
    rows = [row | {"val_loss": abs(row["epoch"] - 2), "kept": int(row["epoch"] < 3)} for row in log(mse=True)]
    for axes, name in zip(training_figure(rows).axes[:2], ("mpjpe", "loss"), strict=True):
        (ring,) = [line for line in axes.lines if str(line.get_label()).startswith("weights: ")]
        assert ring.get_xydata().tolist() == [[2, rows[1][f"val_{name}"]]]


@pytest.mark.parametrize("known", [True, False])
def test_one_view_has_what_it_is_chosen_by_and_the_elevation(known: bool) -> None:
    rows = one_view_log(known)
    figure = training_figure(rows)
    assert titles(figure) == ["MPJPE"] * known + [
        "validation, seen from elsewhere", "mean elevation of the cameras", "losses in training",
        "images that the discriminator tells", "learning rate after each epoch",
    ]  # fmt: skip
    seen, elevation, learned, told = figure.axes[known : 4 + known]
    for axes, names in (
        (seen, ("val_loss", "val_gap", "val_flat", "val_flipped", "val_cycle")),
        (elevation, ("val_elevation",)),
        (learned, ("train_loss", "train_cycle", "train_discriminator", "train_guide")),
    ):
        for line, name in zip(axes.lines, names, strict=False):
            np.testing.assert_allclose(line.get_ydata(), [row[name] for row in rows])
    assert seen.lines[-1].get_xydata().tolist() == [[2, rows[1]["val_loss"]]]
    np.testing.assert_allclose(told.lines[0].get_ydata(), [100 * row["train_accuracy"] for row in rows])
    readable(figure)


def one_view_log(known: bool) -> list[dict[str, float]]:
    names = ("loss", "gap", "flat", "flipped", "cycle", "elevation")
    rows = []
    for row in log():
        e = row["epoch"]
        kept = {k: v for k, v in row.items() if known or "mpjpe" not in k}
        found = {f"val_{name}": (i + 1.5) / e for i, name in enumerate(names)}
        learned = {f"train_{name}": 1 / e for name in ("loss", "cycle", "discriminator", "guide", "accuracy")}
        rows.append(kept | found | learned | {"kept": int(e < 3)})
    return rows


def test_no_legend_lies_on_what_is_drawn() -> None:
    for figure in (training_figure(log()), training_figure(one_view_log(True), record())):
        figure.draw_without_rendering()
        boxes = [
            (axes.get_window_extent(), made.get_window_extent())
            for axes in figure.axes
            if (made := axes.get_legend())
        ]
        assert boxes
        for inner, box in boxes:
            assert box.y0 > inner.y1 - 2  # pixels: half a line


def test_gradients_and_layers_are_drawn_where_they_are_recorded() -> None:
    given = record()
    figure = training_figure(log(), given)
    assert titles(figure) == [
        "MPJPE, which is the loss", "learning rate after each epoch", "ReLUs that give 0 for every pose",
        "gradient norm, first steps", "mean |gradient|, first steps", "weights: mean", "weights: spread",
        "activations: mean", "activations: spread",
    ]  # fmt: skip
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    np.testing.assert_array_equal(figure.axes[2].lines[0].get_ydata(), [25, 25, 25])
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_ydata(), given["gradient_norm"])
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_xdata(), np.arange(1, 101))
    for axes, key in zip(
        figure.axes[5:], ("weight_mean", "weight_std", "activation_mean", "activation_std"), strict=True
    ):
        for line, values in zip(axes.lines, given[key].T, strict=True):
            np.testing.assert_array_equal(line.get_ydata(), values)
    # A ReLU has the colour of the Linear layer before it, which is not the first
    assert figure.axes[2].lines[0].get_color() == figure.axes[5].lines[1].get_color()
    assert {"hidden1", "a.0", "output"} <= set(words(figure))
    readable(figure)


def test_what_was_not_recorded_leaves_no_hole() -> None:
    assert len(training_figure(log(), record(steps=0)).axes) == 7
    assert len(training_figure(log(), record(epochs=0)).axes) == 4
    assert len(training_figure(log(1), record(steps=1, epochs=1)).axes) == 9
    rows = [{name: value for name, value in row.items() if "test" not in name} for row in log()]
    assert "test" not in [line.get_label() for line in training_figure(rows).axes[0].lines]
    with pytest.raises(InputError, match="cannot draw curves: no epoch was finished"):
        training_figure([])


# ---- errors ------------------------------------------------------------------------------------------


def errors(n: int = 600, scale: bool = True) -> PoseErrors:
    people, rng = synthesize(n, seed=1), np.random.default_rng(2)
    predicted = people.joint_3d + 0.01 * rng.standard_normal(people.joint_3d.shape).astype(np.float32)
    return measure(predicted, people.joint_3d, people.scale if scale else None)


def test_azimuth_is_that_of_the_camera() -> None:
    rng, angles = np.random.default_rng(0), np.radians([-179, -90, 0, 45, 90, 135])
    person = 0.3 * rng.standard_normal((15, 3))
    for joint in ("hip", "shoulder"):
        for side, x in (("left", 0.1), ("right", -0.1)):
            person[JOINTS.index(f"{side}_{joint}")] = [x, 0.4, 0]
    seen = to_camera(np.repeat(person[None], 6, axis=0), angles, np.zeros(6), np.full(6, 4.0))
    np.testing.assert_allclose(azimuth(seen), np.degrees(angles), atol=1e-9)
    from_above = to_camera(np.repeat(person[None], 6, axis=0), angles, np.full(6, 0.2), np.full(6, 4.0))
    np.testing.assert_allclose(azimuth(from_above), np.degrees(angles), atol=5)
    with pytest.raises(ValueError, match=r"expected poses of shape \(N, 15, 3\)"):
        azimuth(seen[0])


def test_errors_are_measured_in_each_poses_own_millimetres() -> None:
    truth = np.zeros((2, 15, 3), np.float32) + np.array(ROOT, np.float32)
    predicted = truth.copy()
    predicted[0, :, 2] += 0.01
    predicted[1, 3, 0] += 0.02
    found = measure(predicted, truth, np.array([3.0, 5.0]))
    np.testing.assert_allclose(found.joints[0], 30, rtol=1e-5)
    np.testing.assert_allclose(found.joints[1], np.eye(15)[3] * 100, rtol=1e-5)
    np.testing.assert_allclose(found.axes, [[0, 0, 30], [100 / 15, 0, 0]], rtol=1e-5)
    np.testing.assert_allclose(found.mpjpe, [30, 100 / 15], rtol=1e-5)
    assert found.unit == "mm"
    in_units = measure(predicted, truth)
    np.testing.assert_allclose(in_units.mpjpe, [0.01, 0.02 / 15], rtol=1e-5)
    assert in_units.unit == "units"


def test_parts_join_to_the_whole() -> None:
    whole = errors(60)
    parts = [
        PoseErrors(*(getattr(whole, name)[rows] for name in vars(whole)))
        for rows in (slice(25), slice(25, 60))
    ]
    for name, array in vars(joined(parts)).items():
        np.testing.assert_array_equal(array, getattr(whole, name))


@pytest.mark.parametrize("scale", [True, False])
def test_error_charts_have_the_right_numbers_and_units(scale: bool) -> None:
    given = errors(scale=scale)
    unit = "mm" if scale else "units"
    figure = errors_figure(given, "liftModel on data")
    expected = ["by joint (bars: mean)", "poses by their error", "along each axis of the camera"]
    expected += ["by the side that the camera sees"] + ["by distance"] * scale
    assert titles(figure) == expected
    by_joint, histogram, by_axis, *rest = figure.axes
    assert by_joint.get_xlabel() == f"error [{unit}]"
    assert histogram.get_xlabel() == f"MPJPE of a pose [{unit}]"
    assert by_axis.get_ylabel() == f"mean |error| [{unit}]"
    assert [axes.get_ylabel() for axes in rest] == [f"MPJPE [{unit}]"] * len(rest)
    bars = [patch.get_width() for patch in by_joint.patches]  # type: ignore[attr-defined]
    np.testing.assert_allclose(bars, given.joints.mean(axis=0), rtol=1e-5)
    assert [label.get_text() for label in by_joint.get_yticklabels()] == [j.replace("_", " ") for j in JOINTS]
    shares = sum(patch.get_height() for patch in histogram.patches)  # type: ignore[attr-defined]
    assert 99 < shares <= 100
    heights = [patch.get_height() for patch in by_axis.patches]  # type: ignore[attr-defined]
    np.testing.assert_allclose(heights, given.axes.mean(axis=0), rtol=1e-5)
    assert [label.get_text() for label in by_axis.get_xticklabels()] == list(AXES.values())
    each = np.sort(given.mpjpe)
    median = f"{np.median(each):.1f} mm" if scale else f"{np.median(each):.4f}"
    assert f"median: {median}" in words(figure)
    readable(figure)


def test_intervals_of_the_joints_are_those_of_the_bootstrap() -> None:
    given = errors()
    lines = errors_figure(given).axes[0].collections[0].get_segments()  # type: ignore[attr-defined]
    for joint in (0, 14):
        ends = bootstrap(given.joints[:, joint], given.groups())
        np.testing.assert_allclose(lines[joint][:, 0], ends, rtol=1e-4)


def test_clips_are_resampled_together_where_there_are_enough() -> None:
    whole = errors(600)
    clips = np.repeat(np.arange(40), 15)
    with_clips = PoseErrors(whole.joints, whole.axes, whole.azimuth, whole.distance, clips)
    np.testing.assert_array_equal(with_clips.groups(), clips)
    few = PoseErrors(whole.joints, whole.axes, whole.azimuth, whole.distance, clips // 4)
    np.testing.assert_array_equal(few.groups(), np.arange(600) // 20)


def test_bins_hold_what_lies_in_them() -> None:
    values, by = np.arange(100.0), np.repeat([0.5, 1.5, 2.0, 7.0], [30, 30, 30, 10])
    middles, means, ends = binned(values, by, np.array([0.0, 1.0, 2.0, 3.0, 7.0]), np.arange(100))
    np.testing.assert_array_equal(middles, [0.5, 1.5, 2.5, 5])
    np.testing.assert_allclose(means, [14.5, 44.5, 74.5, np.nan])  # ten poses are too few
    assert ends[0, 0] < 14.5 < ends[0, 1]
    assert np.isnan(ends[3]).all()
    np.testing.assert_allclose(
        binned(values, by, np.array([1.0, 2.0]), np.arange(100))[1], [59.5]
    )  # the right edge


def test_the_circle_of_directions_is_closed() -> None:
    """An error that depends on the direction alone is drawn where it belongs, the back at both ends."""
    angles = np.repeat(np.arange(-180, 180, 30.0), 40)
    each = 10 + np.abs(angles) / 18
    angles += np.tile([-14, 14], 240)  # to either side of a bin's middle, and of 180
    given = PoseErrors(
        np.repeat(each[:, None], 15, axis=1), np.zeros((480, 3)), angles, np.zeros(0), np.zeros(0, int)
    )
    axes = errors_figure(given).axes[3]
    line = next(line for line in axes.lines if line.get_label() == "mean of a bin")
    np.testing.assert_array_equal(line.get_xdata(), np.arange(-180, 181, 30))
    np.testing.assert_allclose(line.get_ydata(), 10 + np.abs(np.arange(-180, 181, 30)) / 18)
    names = dict(zip(axes.get_xticks(), [label.get_text() for label in axes.get_xticklabels()], strict=True))
    assert names[-180] == "-180\nback"
    assert names[90] == "90\nleft"


@pytest.mark.parametrize("n", [1, 2, 19, 25])
def test_few_poses_are_drawn_without_intervals_and_none_are_refused(n: int) -> None:
    figure = errors_figure(errors(n))
    figure.draw_without_rendering()
    assert len(figure.axes) == 5
    nobody = PoseErrors(np.zeros((0, 15)), np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.zeros(0, int))
    with pytest.raises(InputError, match=r"cannot draw a\.png: there are no poses"):
        plot_errors(nobody, "a.png")


def test_perfect_predictions_are_drawn() -> None:
    truth = synthesize(50).joint_3d
    errors_figure(measure(truth, truth, np.full(50, 4.0))).draw_without_rendering()


# ---- calibration -------------------------------------------------------------------------------------


def test_calibration_is_drawn_against_the_diagonal() -> None:
    expected, real = np.array([0.5, 0.9]), {"a": np.array([0.4, 0.8]), "b": np.array([0.6, 0.95])}
    figure = calibration_figure(expected, real)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(lines["a"].get_ydata(), [40, 80])
    np.testing.assert_allclose(lines["b"].get_xdata(), [50, 90])
    np.testing.assert_allclose(lines["as sure as right"].get_xdata(), lines["as sure as right"].get_ydata())
    assert axes.get_xlabel().endswith("[%]")
    assert axes.get_ylabel().endswith("[%]")
    readable(figure)
    assert "found" in [line.get_label() for line in calibration_figure(expected, [0.5, 0.8]).axes[0].lines]


@pytest.mark.parametrize("real", [[0.5], [50, 90], [0.5, math.nan], [[0.5, 0.9]]])
def test_what_is_no_calibration_is_told(real: Any) -> None:
    with pytest.raises(InputError, match=r"cannot draw calibration: .* all from 0 to 1; give shares"):
        calibration_figure([0.5, 0.9], real)


# ---- sweeps ------------------------------------------------------------------------------------------


def test_a_sweep_over_labels_shows_every_run_and_the_mean() -> None:
    figure = sweep_figure({"relu": [20, 22], "gelu": [18, 19, 23], "one": [21]}, "layer", "MPJPE [mm]")
    (axes,) = figure.axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [sorted(np.asarray(line.get_ydata()).tolist()) for line in dots] == [[20, 22], [18, 19, 23], [21]]
    means = [line.get_ydata()[0] for line in axes.lines if line.get_marker() != "o"]  # type: ignore[index]
    assert means == [21, 20, 21]
    assert len(axes.collections) == 2  # no band for a single run
    low, high = axes.collections[0].get_paths()[0].get_extents().intervaly
    np.testing.assert_allclose([low, high], 21 + np.array([-1, 1]) * np.sqrt(2))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["relu", "gelu", "one"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("layer", "MPJPE [mm]")
    readable(figure)


def test_a_sweep_over_numbers_is_a_curve_with_a_band() -> None:
    figure = sweep_figure({1e-2: [5, 7], 1e-4: [9, 9], 1e-3: [6, 8, 10]}, "learning rate")
    (axes,) = figure.axes
    line = next(line for line in axes.lines if line.get_label() == "mean")
    np.testing.assert_array_equal(line.get_xdata(), [1e-4, 1e-3, 1e-2])
    np.testing.assert_allclose(line.get_ydata(), [9, 8, 6])
    assert axes.get_xscale() == "log"
    extents = axes.collections[0].get_paths()[0].get_extents()
    assert extents.y1 == pytest.approx(10)  # 8 + 2
    assert extents.y0 == pytest.approx(6 - math.sqrt(2))
    assert sweep_figure({1: [1.0], 2: [2.0]}).axes[0].get_xscale() == "linear"
    several = sweep_figure({"wide": {1: [1, 2], 2: [2, 3]}, "narrow": {1: [3, 4]}}).axes[0]
    assert {"wide", "narrow"} <= {line.get_label() for line in several.lines}
    assert len({line.get_color() for line in several.lines if line.get_label() in ("wide", "narrow")}) == 2


def test_curves_of_runs_are_averaged_by_label() -> None:
    runs = {"a": [log(4), log(3)], "b": [[row | {"val_mpjpe": 0.5} for row in log(2)]]}
    figure = runs_figure(runs)
    (axes,) = figure.axes
    curve = {line.get_label(): line for line in axes.lines}["a (2 runs)"]
    np.testing.assert_array_equal(curve.get_xdata(), [1, 2, 3])  # as far as both went
    np.testing.assert_allclose(curve.get_ydata(), [0.02, 0.01, 0.02 / 3])
    assert axes.get_ylabel() == "validation MPJPE [units]"
    readable(figure)


def test_errors_far_apart_share_a_logarithmic_axis_and_few_values_are_its_ticks() -> None:
    (axes,) = sweep_figure({"a": {0.0: [60.0], 0.5: [61.0], 0.9999: [13_000.0]}}).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "0.5", "0.9999"]
    (axes,) = sweep_figure({"a": {float(i): [60.0 + i] for i in range(9)}}).axes
    assert axes.get_yscale() == "linear"
    assert len(axes.get_xticks()) != 9


def test_epochs_of_several_studies_stand_below_each_other() -> None:
    curves = {"lr 1": [{0.0: 1e-3, 1.0: 1e-9}], "lr 2": [{0.0: 2e-3, 1.0: 2e-9}]}
    errors = {"lr 2": [{1: 0.5, 2: 0.25}, {1: 0.7, 2: 0.35, 3: 0.1}]}
    rows = {"one": {"rate": curves, "error": errors}, "two": {"rate": curves, "error": errors}}
    figure = epochs_figure(rows)
    grid = np.array(figure.axes).reshape(2, 2)
    assert [axes.get_title(loc="left") for axes in grid[:, 0]] == ["one", "two"]
    assert [axes.get_ylabel() for axes in grid[1]] == ["rate", "error"]
    assert [axes.get_yscale() for axes in grid[0]] == ["log", "linear"]
    assert grid[0, 0].get_ylim() == grid[1, 0].get_ylim()
    (line,) = grid[0, 1].lines
    np.testing.assert_array_equal(line.get_xdata(), [1, 2])  # as far as both went
    np.testing.assert_allclose(line.get_ydata(), [0.6, 0.3])
    assert line.get_color() == grid[0, 0].lines[1].get_color()  # one label, one colour
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:2] == ["lr 1", "lr 2"]
    readable(figure)


@pytest.mark.parametrize("curve", [{}, {1: math.nan}])
def test_epochs_without_values_are_told(curve: Any) -> None:
    with pytest.raises(InputError, match="cannot draw epochs: a run is missing or has no finite value"):
        epochs_figure({"": {"error": {"a": [curve]}}})


def test_long_names_of_a_legend_stay_on_the_page() -> None:
    names = [f"a rather long name of some variant or other, number {i}" for i in range(13)]
    figure = epochs_figure({"": {"error": {name: [{1: 1.0, 2: 2.0}] for name in names}}})
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert figure.axes[0].get_window_extent().height > 200  # pixels left for the curves
    assert legend_columns(["a run", "mean", SPREAD], 7.5) == 3
    assert legend_columns([], 7.5) == legend_columns(["x" * 200] * 2, 7.5) == 1


def test_a_legend_of_columns_of_unequal_height_stays_in_the_figure() -> None:
    names = ("labels alone", "and two views without 3D", "and one view without 3D")
    figure = sweep_figure({name: {1.0: [1.0, 2.0], 2.0: [2.0, 3.0]} for name in names})
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_a_single_epoch_is_a_dot() -> None:
    one, two = ({1: 1.0}, {1: 1.0, 2: 2.0})
    (axes,) = epochs_figure({"": {"error": {"one": [one], "two": [two]}}}).axes
    assert [line.get_marker() for line in axes.lines] == ["o", "None"]


@pytest.mark.parametrize("values", [{}, {"a": []}, {"a": [1.0, math.nan]}, {1.0: [math.inf]}, {"a": {}}])
def test_sweeps_without_values_are_told(values: Any) -> None:
    with pytest.raises(InputError, match="cannot draw sweep: a run is missing or has no finite value"):
        sweep_figure(values)


@pytest.mark.parametrize("runs", [{}, {"a": []}, {"a": [[]]}, {"a": [[{"epoch": 1, "val_mpjpe": math.nan}]]}])
def test_runs_without_epochs_are_told(runs: Any) -> None:
    with pytest.raises(InputError, match="cannot draw runs: a run is missing or has no finite value"):
        runs_figure(runs)


# ---- files -------------------------------------------------------------------------------------------


def test_every_chart_gives_the_same_svg_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name
        plot_training(log(), folder / "training.svg", record())
        plot_errors(errors(100), folder / "errors.svg")
        plot_calibration([0.5, 0.9], [0.4, 0.9], folder / "calibration.svg")
        plot_sweep({"a": [1, 2], "b": [2, 3]}, folder / "sweep.svg")
        plot_runs({"a": [log(), log()]}, folder / "runs.svg")
        plot_epochs({"": {"error": {"a": [{1: 1.0, 2: 2.0}]}}}, folder / "epochs.svg")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 6
    for name in files:
        content = (tmp_path / "a" / name).read_bytes()
        assert content == (tmp_path / "b" / name).read_bytes(), name
        assert b"<dc:date>" not in content


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with open("log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(log()[0]))
        writer.writeheader()
        writer.writerows(log())
    with open("record.npz", "wb") as file:
        write_npz(file, record())
    return tmp_path


def test_reading_gives_what_was_written(run: Path) -> None:
    assert read_log("log.csv") == log()
    for name, array in read_record("record.npz").items():
        np.testing.assert_array_equal(array, record()[name])


def test_the_command_draws_after_the_fact(run: Path, capsys: Capture) -> None:
    assert main(["training", "log.csv", "--out", "a.svg"]) == 0
    assert main(["training", "log.csv", "--record", "record.npz", "--out", "b.svg"]) == 0
    assert main(["runs", "x=log.csv", "x=log.csv", "log.csv", "--column", "lr", "--out", "c.svg"]) == 0
    assert capsys.readouterr().out == "wrote a.svg\nwrote b.svg\nwrote c.svg\n"
    assert "gradient norm" not in Path("a.svg").read_text()
    assert "<!-- gradient norm, first steps -->" in Path("b.svg").read_text()
    text = Path("c.svg").read_text()
    for label in ("x (2 runs)", run.name, "lr [per step]"):
        assert f"<!-- {label} -->" in text


def test_columns_have_their_units() -> None:
    columns = ["val_mpjpe", "val_elevation", "train_accuracy", "val_gap", "seconds"]
    assert [*map(_quantity, columns)] == [
        "val_mpjpe [units]", "val_elevation [°]", "train_accuracy [share]", "val_gap", "seconds [s]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"epoch,lr\n", "no epoch was finished"),
        (b"epoch,lr\n1,fast\n", "not a table of numbers (could not convert string to float: 'fast')"),
        (b"lr\n0.1\n", "is a text file that begins 'lr', not a table of numbers"),
        (b"epoch,lr\nnan,1\n", "a row without its epoch"),
        (b"epoch,lr\n1,2,3\n", "not a table of numbers"),
        (b"\xff\xfe\x00", "not a table of numbers"),
    ],
)
def test_what_is_no_log_is_told_in_a_line(run: Path, content: bytes, words: str, capsys: Capture) -> None:
    Path("bad.csv").write_bytes(content)
    assert main(["training", "bad.csv"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minilift plot: error: bad.csv: ")
    assert words in error
    assert "name the log.csv of a training run" in error or not content
    assert error.count("\n") == 1
    assert not Path("curves.png").exists()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("gradient_norm", np.zeros(7)),
        ("epochs", np.zeros(3)),
        ("weight_mean", np.zeros((3, 2))),
        ("dead", np.zeros(3)),
        ("relu_names", np.zeros(1)),
        ("weight_std", None),
    ],
)
def test_what_is_no_record_is_told_in_a_line(run: Path, name: str, array: Any, capsys: Capture) -> None:
    arrays = record() | {name: array}
    with open("bad.npz", "wb") as file:
        write_npz(file, {key: value for key, value in arrays.items() if value is not None})
    assert main(["training", "log.csv", "--record", "bad.npz"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minilift plot: error: bad.npz: ")
    assert "name the record.npz of a training run" in error
    assert name in error or name == "gradient_norm"
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("training none.csv", "none.csv: no such file"),
        ("training log.csv --out a.bmp", "must end in .png, .svg or .pdf"),
        ("training a.svg --out a.svg", "would overwrite what is read"),
        ("runs log.csv --column loss", "log.csv: no column 'loss', found epoch, steps, lr"),
    ],
)
def test_misuse_of_the_command_is_told(run: Path, arguments: str, words: str, capsys: Capture) -> None:
    assert main(arguments.split()) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_names_out_of_files_draw_no_formulas(run: Path) -> None:
    given = record() | {"weight_names": np.array(["$x", "a\nb", "output"])}
    assert {r"\$x", r"a\nb"} <= set(words(training_figure(log(), given)))
    words(sweep_figure({"$a": [1], "$\\frac$": [2]}))


def test_the_joints_lie_in_their_order() -> None:
    assert len(errors_figure(errors(30)).axes[0].patches) == len(COURSE15)
