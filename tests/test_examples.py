"""The examples: they learn, say what the course says, resume to the bit, and refuse in one line."""

from __future__ import annotations

import json
import signal
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_files import idx_pair

from minilift.cli.main import main
from minilift.errors import ArgumentError, InputError
from minilift.examples import (
    cifar10,
    curves,
    facial_keypoints,
    fashion_mnist,
    mnist_conv,
    training,
    variable_resolution,
)
from minilift.examples.checks import check_folders, check_points, check_shape, hold_out
from minilift.examples.conv_nets import fixed_net, slides_cnn, variable_net
from minilift.examples.course import converged, leaderboard, parameters, rule_check, summary
from minilift.examples.options import Options
from minilift.examples.trace import Trace
from minilift.files.npz import read_npz
from minilift.files.weights import load_state_dict
from minilift.images.made import made_digits_of_sizes
from minilift.images.pictures import Pictures, PointPictures
from minilift.images.transforms.points import MirrorAndMove
from minilift.ops import get_ops

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def arrays(path: str | Path) -> dict[str, np.ndarray]:
    return read_npz(path, Path(path).read_bytes())


def quiet(line: str) -> None:
    """Nothing is said."""


# ---- what the papers count -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("net", "layers", "total", "sizes"),
    [
        ("base", ("200,960", "131,584", "5,130"), "337,674", ("0.00", "0.02", "1.29", "1.31")),
        (
            "deeper",
            ("200,960", "131,584", "525,312", "2,099,200", "20,490"),
            "2,977,546",
            ("0.00", "0.06", "11.36", "11.43"),
        ),
        ("wider", ("803,840", "2,099,200", "20,490"), "2,923,530", ("0.00", "0.05", "11.15", "11.21")),
    ],
)
def test_the_summary_has_the_papers_numbers(
    net: str, layers: tuple[str, ...], total: str, sizes: tuple[str, ...]
) -> None:
    lines = summary(fashion_mnist.build(net, get_ops("cpu"), 0), (1, 28, 28)).splitlines()
    linear = [line.split() for line in lines if "Linear" in line]
    assert [words[-1] for words in linear] == list(layers)
    assert linear[0][0] == "Linear-2"
    assert f"Total params: {total}" in lines
    assert tuple(line.split()[-1] for line in lines if "(MB)" in line) == sizes


def test_convergence_is_the_epoch_after_which_nothing_moves() -> None:
    assert converged([0.1, 0.5, 0.8, 0.81, 0.805], 0.011) == 3
    assert converged([0.1, 0.8, 0.5, 0.81], 0.02) == 4
    assert converged([0.7], 0.01) == 1


# ---- Fashion-MNIST ---------------------------------------------------------------------------------------
def test_fashion_mnist_learns_and_says_what_the_course_says(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(fashion_mnist, "MADE", (600, 200))
    monkeypatch.setattr(fashion_mnist, "plot_line", lambda x, y, path, *texts: drawn.append(path.stem))
    assert main(["examples", "fashion-mnist", "--epochs", "1", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    for words in (
        "600 synthetic garments, which say nothing about Fashion-MNIST",
        "Shape of X [N, C, H, W]: [64, 1, 28, 28]",
        "Shape of y: [64] int64", "Using cpu device", "Total params: 337,674", "Epoch 1\n------",
        "  [    0/  600]", "Test Error:\n Accuracy: ", "%, Avg loss: ", "Done!\nTime Taken: ",
    ):  # fmt: skip
        assert words in out
    run = Path("examples/fashion-mnist/base lr 0.1")
    state = load_state_dict(run / "weights.pt", lambda found: found, "")
    torch = pytest.importorskip("torch")
    theirs = torch.load(run / "weights.pt", weights_only=True)
    assert {name: tuple(value.shape) for name, value in theirs.items()} == {
        name: value.shape for name, value in state.items()
    }
    assert drawn == ["loss", "accuracy", "mean_gradient", "mean_size_of_gradient"]


def small(**options: Any) -> Options:
    return Options("base", 2, 0.1, 50, data="set", say=quiet, device="cpu", **options)


def write_set(n: int = 250) -> None:
    Path("set").mkdir(exist_ok=True)
    for part, seed in (("train", 0), ("t10k", 1)):
        images, labels, _, _ = idx_pair(n, 28, seed)
        Path(f"set/{part}-images-idx3-ubyte.gz").write_bytes(images)
        Path(f"set/{part}-labels-idx1-ubyte.gz").write_bytes(labels)


def test_the_time_of_a_run_is_that_of_all_its_epochs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write_set()
    monkeypatch.setattr(fashion_mnist, "drawable", lambda say: False)
    began = time.perf_counter()
    found = fashion_mnist.run(small(out=Path("timed")))
    took = time.perf_counter() - began
    rows = (Path("timed") / "base lr 0.1" / "log.csv").read_text().splitlines()
    assert found["seconds"] == float(rows[-1].split(",")[rows[0].split(",").index("seconds")])
    assert 0 < found["seconds"] < took


def test_a_stopped_run_resumes_to_the_bit_with_its_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    write_set()
    monkeypatch.setattr(fashion_mnist, "drawable", lambda say: False)
    monkeypatch.setattr(training, "Trace", partial(training.Trace, every=3))  # it is stopped between points
    fashion_mnist.run(small(out=Path("whole")))
    step = fashion_mnist.SGD.step
    count = 0

    def stopping(self: Any) -> None:
        nonlocal count
        count += 1
        if count == 8:  # in the middle of the second epoch
            signal.raise_signal(signal.SIGINT)
        step(self)

    with monkeypatch.context() as patch:
        patch.setattr(fashion_mnist.SGD, "step", stopping)
        with pytest.raises(KeyboardInterrupt):
            fashion_mnist.run(small(out=Path("parts")))
    fashion_mnist.run(small(out=Path("parts"), resume=True))
    names = ("checkpoint.npz", "record.npz")
    for name in names:
        a, b = (arrays(Path(run) / "base lr 0.1" / name) for run in ("whole", "parts"))
        for key in a:
            if a[key].dtype.kind == "f":
                np.testing.assert_array_equal(a[key], b[key], err_msg=f"{name} {key}")
    with pytest.raises(ArgumentError, match=r"seed=4: the run in .* was begun with 0"):
        fashion_mnist.run(small(out=Path("parts"), resume=True, seed=4))


def test_a_point_of_the_running_loss_is_of_a_hundred_batches_over_epochs_and_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_set()
    monkeypatch.setattr(fashion_mnist, "drawable", lambda say: False)
    losses: list[float] = []
    step, stop, before = Trace.step, 0, 0.0

    def watched(self: Trace, done: int) -> None:
        nonlocal before
        step(self, done)
        assert self.sums is not None
        total = self.sums.read()["loss"]
        losses.append(total - (before if self.sums.batches > 1 else 0.0))
        before = total
        if done == stop:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trace, "step", watched)
    options = replace(small(out=Path("parts")), batch_size=2)  # 125 batches in an epoch
    for stop in (150, 0):
        with pytest.raises(KeyboardInterrupt) if stop else nullcontext():
            fashion_mnist.run(replace(options, resume=not stop))
    points = arrays("parts/base lr 0.1/record.npz")["points"]
    means = [np.mean(losses[:100]), np.mean(losses[100:200])]
    assert points[:, 0].tolist() == [100, 200]
    np.testing.assert_allclose(points[:, 1], means, rtol=1e-9)


def test_the_study_makes_the_papers_tables(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "drawable", lambda say: False)
    monkeypatch.setattr(fashion_mnist, "RATES", (1.0, 0.1, 0.01))
    write_set(100)
    words = ["--data", "set", "--epochs", "1", "--study", "--json", "--device", "cpu", "--out", "o"]
    assert main(["examples", "fashion-mnist", *words]) == 0
    out, err = capsys.readouterr()
    runs = json.loads(out)["runs"]
    assert [(r["net"], r["lr"]) for r in runs[:2]] == [("base", 1.0), ("base", 0.1)]
    assert [r.get("parameters") for r in runs[-2:]] == [2977546, 2923530]
    text = Path("o/tables.md").read_text()
    assert text in err
    assert ("| 1 | diverged |" in text) == ("diverged" in runs[0])
    assert text.count("\n| ") == 7
    assert json.loads(Path("o/scores.json").read_text())["runs"] == runs


# ---- CIFAR-10 --------------------------------------------------------------------------------------------
def test_cifar10_searches_and_checks_the_rules(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "MADE", (300, 100))
    monkeypatch.setattr(curves, "drawable", lambda say: False)
    monkeypatch.setattr(cifar10, "EPOCHS", {32: 1, 64: 1})
    monkeypatch.setattr(cifar10, "NETS", ("dense",))
    words = ["--epochs", "1", "--batch-size", "90", "--trials", "2", "--study", "--json", "--device", "cpu"]
    assert main(["examples", "cifar10", *words]) == 0
    out, err = capsys.readouterr()
    runs = json.loads(out)["runs"]
    assert sorted(r["net"] for r in runs) == ["dense", "trial 0", "trial 1"]
    assert [r["val_accuracy"] for r in runs] == sorted((r["val_accuracy"] for r in runs), reverse=True)
    assert [r["parameters"] for r in runs if r["net"] == "dense"] == [2761535]
    assert "| size | under 20 MB | 11.0 MB | yes |" in err
    assert "| layers | dense layers only | dense | yes |" in err
    assert Path("examples/cifar10/tables.md").read_text().count("\n| ") == 3


def test_points_of_the_search_are_within_the_slides_ranges() -> None:
    points = [cifar10.draw_point(cifar10.DEFAULTS, i) for i in range(200)]
    for options, shape in points:
        assert 2.5e-4 <= options.lr <= 9e-4
        assert options.epochs == {512: 57, 1024: 50, 2048: 65}[options.batch_size]
        assert dense_parameters(shape) < 5e6
    assert {shape.num_layers for _, shape in points} == {2, 3, 4, 5}
    assert points[7] == cifar10.draw_point(cifar10.DEFAULTS, 7)
    widest = [dense_parameters(cifar10.Shape(*pair)) for pair in cifar10.WIDEST.items()]
    assert widest == [4932810, 4977190, 4944110, 4955530]


def dense_parameters(shape: cifar10.Shape) -> int:
    widths = [3072, *[shape.n_hidden] * (shape.num_layers - 1), 10]
    return sum((a + 1) * b for a, b in pairwise(widths))


def test_rules_and_leaderboard() -> None:
    network = cifar10.build("dense", cifar10.Shape(), 3072, get_ops("cpu"), 0)
    assert rule_check(network, 0.5).endswith("\n\npassed")
    assert "| accuracy | at least 50% | 49.99% | no |" in rule_check(network, 0.4999)
    large = cifar10.build("dense", cifar10.Shape(2, 1700), 3072, get_ops("cpu"), 0)
    assert "| size | under 20 MB | 21.0 MB | no |" in rule_check(large, 0.6)
    lines = leaderboard(0.58).splitlines()
    assert lines[2] == "| 1 | w1251 | 68.91 | yes |"
    assert lines[5] == "| 4 | this network | 58.00 | yes |"
    assert len(lines) == 13


def test_the_slides_network_has_their_parameters() -> None:
    ops = get_ops("cpu")
    network = slides_cnn(False, ops, 0)
    assert parameters(network) == 49483
    assert type(slides_cnn(True, ops, 0)[-1]).__name__ == "Softmax"
    one, two = (network(np.full((n, 3, 32, 32), 0.5, np.float32)).copy() for n in (1, 2))
    assert one.shape == (1, 10)
    np.testing.assert_allclose(one[0], two[1], atol=1e-6)
    text = rule_check(network, 0.6891)
    assert "| layers | dense layers only | AvgPool2d, BatchNorm2d, Conv2d, Squeeze | no |" in text
    assert text.endswith("not passed")


# ---- convolutions ----------------------------------------------------------------------------------------
def test_nets_have_the_parameters_of_the_paper() -> None:
    ops = get_ops("cpu")
    assert parameters(fixed_net(28, ops, 0)) == 29066
    assert parameters(fixed_net(64, ops, 0)) == 64266
    widths = {64: 23946, 80: 28730, 81: 29029, 82: 29328}
    assert {n: parameters(variable_net(n, "max", ops, 0)) for n in widths} == widths
    assert variable_resolution.nearest_width(29066, ops) == 81


def test_sizes_of_photographs_are_those_of_the_paper() -> None:
    assert "| (3, 1024, 768) | (16, 511, 383) |" in mnist_conv.photo_sizes()
    assert "| (3, 1920, 1080) | (16, 959, 539) |" in mnist_conv.photo_sizes()
    assert (
        "| (8, 1024, 768) | impossible: in_channels=3: the images have 8 channels; "
        in mnist_conv.photo_sizes()
    )


def test_mnist_conv_learns_and_compares_augmentations(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist_conv, "MADE", (240, 60))
    monkeypatch.setattr(mnist_conv, "NETS", {n: mnist_conv.NETS[n] for n in ("plain", "rotation")})
    monkeypatch.setattr(curves, "drawable", lambda say: False)
    words = ["--epochs", "4", "--lr", "0.003", "--batch-size", "8", "--json", "--device", "cpu", "--out", "o"]
    assert main(["examples", "mnist-conv", "--study", *words]) == 0
    out, err = capsys.readouterr()
    plain, turned = json.loads(out)["runs"]
    assert (plain["parameters"], turned["net"]) == (29066, "rotation")
    assert plain["test_accuracy"] > 0.8
    assert "which say nothing about MNIST" in err
    points = np.asarray(arrays("o/plain/record.npz")["points"])
    assert points[:, 0].tolist() == [100]
    assert 0 < points[0, 2] <= 1
    assert Path("o/tables.md").read_text().count("\n| ") == 6


@pytest.mark.parametrize("net", ["mean", "max-in-turn", "padded", "single", "resized-28"])
def test_variable_resolution_trains_every_way(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variable_resolution, "MADE", (90, 30))
    monkeypatch.setattr(curves, "drawable", lambda say: False)
    options = replace(variable_resolution.DEFAULTS, net=net, epochs=1, say=quiet, device="cpu", out=Path("o"))
    found = variable_resolution.run(options)
    assert found["parameters"] == (29066 if net == "resized-28" else 29029)
    assert 0 <= found["test_accuracy"] <= 1
    steps = {"mean": 3, "max-in-turn": 3, "padded": 4, "single": 72, "resized-28": 4}
    assert arrays(f"o/{net}/checkpoint.npz")["optimiser.steps"] == steps[net]


def test_folders_that_do_not_fit_are_one_line_of_the_command(capsys: Capture) -> None:
    image_of = pytest.importorskip("PIL.Image")
    for part, names in (("train", "01"), ("test", "02")):
        for name in names:
            place = Path("set") / part / name
            place.mkdir(parents=True)
            for i in range(6):
                image_of.fromarray(np.zeros((9, 9), np.uint8)).save(place / f"{i}.png")
    assert main(["examples", "variable-resolution", "--data", "set", "--device", "cpu"]) == 2
    assert "set: class 1 is in one of train and test alone; " in capsys.readouterr().err


def test_variable_resolution_reads_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    image_of = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(curves, "drawable", lambda say: False)
    for part, n in (("train", 60), ("test", 12)):
        for pictures in made_digits_of_sizes(n, n, (32, 40)):
            for i, (pixels, label) in enumerate(zip(pictures.pixels, pictures.labels, strict=True)):
                place = Path("set") / part / str(label)
                place.mkdir(parents=True, exist_ok=True)
                image_of.fromarray(pixels[0]).save(place / f"{pictures.shape[1]}-{i}.png")
    said: list[str] = []
    options = replace(variable_resolution.DEFAULTS, epochs=1, data="set", device="cpu", say=said.append)
    variable_resolution.run(options)
    assert any("24 of 32 x 32, 24 of 40 x 40 pixels" in line for line in said)


# ---- facial keypoints ------------------------------------------------------------------------------------
def test_facial_keypoints_score_and_draw(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(facial_keypoints, "plot_points", lambda *shown: drawn.append(shown))
    monkeypatch.setattr(facial_keypoints, "MADE", (48, 8, 8))
    monkeypatch.setattr(facial_keypoints, "CHANNELS", (4, 8))
    monkeypatch.setattr(curves, "drawable", lambda say: False)
    words = ["--net", "dropout2d", "--epochs", "2", "--batch-size", "16", "--json", "--device", "cpu"]
    assert main(["examples", "facial-keypoints", *words]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["test_score"] > 1
    assert "\nScore: " in err
    pixels, true, found, titles, path = drawn[0]
    assert (pixels.shape, true.shape, found.shape, len(titles)) == ((8, 1, 96, 96), (8, 15, 2), (8, 15, 2), 8)
    assert path == Path("examples/facial-keypoints/dropout2d/faces.png")


def test_the_score_is_that_of_the_course() -> None:
    x, y = np.zeros((4, 1, 8, 8), np.float32), np.full((4, 6), 0.5, np.float32)
    y[0] = 0.1
    expected = 1 / (2 * np.mean([0.01, 0.25, 0.25, 0.25]))
    assert facial_keypoints.evaluate_model(lambda image: np.zeros((1, 6)), x, y) == pytest.approx(expected)
    points = np.array([[[0.0, 96.0], [48.0, 60.0]]])
    np.testing.assert_allclose(facial_keypoints.units(points, 96), [[-1, 1, 0, 0.25]])
    np.testing.assert_allclose(facial_keypoints.pixels(facial_keypoints.units(points, 96), 96), points)


def test_faces_in_training_keep_their_points() -> None:
    ops, names = get_ops("cpu"), ("left_eye", "right_eye", "nose_tip")
    x = np.zeros((200, 1, 32, 32), np.float32)
    at = {"left_eye": (20, 12), "right_eye": (12, 13), "nose_tip": (17, 18)}
    for level, (column, row) in zip((0.3, 0.6, 0.9), at.values(), strict=True):
        x[:, 0, row, column] = level
    points = np.array([list(at.values())] * 200, np.float32) + 0.5
    before = x.copy()
    images, y = MirrorAndMove(names, 6, 3, ops)(7, x, facial_keypoints.units(points, 32))
    np.testing.assert_array_equal(x, before)
    found = facial_keypoints.pixels(y, 32)
    column, row = np.rint(found - 0.5).astype(int).transpose(2, 0, 1)
    levels = images[np.arange(200)[:, None], 0, row, column]
    np.testing.assert_allclose(levels[:, 2], 0.9)
    mirrored = levels[:, 0] > 0.5  # the eye that is the left one now was the right one
    np.testing.assert_allclose(levels[mirrored][:, :2], [[0.6, 0.3]] * mirrored.sum(), rtol=1e-6)
    np.testing.assert_allclose(levels[~mirrored][:, :2], [[0.3, 0.6]] * (~mirrored).sum(), rtol=1e-6)
    assert 60 < mirrored.sum() < 140
    assert len(np.unique(found[:, 2], axis=0)) > 100
    again = MirrorAndMove(names, 6, 3, ops)(7, x, facial_keypoints.units(points, 32))
    np.testing.assert_array_equal(again[1], y)


def test_the_mean_of_a_face_and_its_mirror_image() -> None:
    """What is found in a mirror image is the mirror image of what is found."""
    ops, names = get_ops("cpu"), ("left_eye", "right_eye")
    network = facial_keypoints.build("conv", (1, 16, 16), 2, ops, 0)
    x = np.random.default_rng(0).random((5, 1, 16, 16), dtype=np.float32)
    predict = facial_keypoints.both_ways(network, names)
    found, mirror = (predict(part).reshape(5, 2, 2) for part in (x, np.ascontiguousarray(x[..., ::-1])))
    np.testing.assert_allclose(mirror, found[:, ::-1] * [-1, 1], rtol=1e-6)
    plain = network.predictor()(x).reshape(5, 2, 2)
    assert np.abs(plain - found).max() > 1e-3


# ---- what real data may be -------------------------------------------------------------------------------
def pictures_of(n: int, side: int, classes: tuple[str, ...] = ("a", "b")) -> Pictures:
    return Pictures(np.zeros((n, 1, side, side), np.uint8), np.arange(n) % len(classes), classes)


def test_pictures_of_all_different_sizes_are_held_out_too() -> None:
    sets = [pictures_of(1, 8 + i) for i in range(10)]
    train, val = hold_out(sets, 0.2, 3)
    assert (len(train), len(val)) == (8, 2)
    assert sorted(s.shape[1] for s in (*train, *val)) == list(range(8, 18))
    train, val = hold_out([pictures_of(10, 9), pictures_of(1, 8)], 0.2, 3)
    assert ([len(s) for s in train], [len(s) for s in val]) == ([8, 1], [2])
    with pytest.raises(ValueError, match="1 pictures are too few"):
        hold_out([pictures_of(1, 8)], 0.2, 0)


def test_data_that_do_not_fit_the_networks_are_one_line() -> None:
    with pytest.raises(InputError, match="here: pictures of 1 x 9 x 9, these networks take 1 x 28 x 28; "):
        check_shape("here", [pictures_of(10, 9)], (1, 28, 28))
    with pytest.raises(InputError, match="here: 9 pictures are too few"):
        check_shape("here", [pictures_of(9, 28)], (1, 28, 28))
    with pytest.raises(InputError, match="class c is in one of train and test alone"):
        check_folders("here", [pictures_of(3, 9)], [pictures_of(3, 9, ("a", "b", "c"))])
    many = tuple("abcdefghijk")
    with pytest.raises(InputError, match="11 class folders, the network has 10"):
        check_folders("here", [pictures_of(3, 9, many)], [pictures_of(3, 9, many)])
    with pytest.raises(InputError, match="a picture 7 pixels wide or high; at least 8"):
        check_folders("here", [pictures_of(12, 9)], [pictures_of(3, 7)])
    one = PointPictures(np.zeros((1, 1, 16, 16)), np.zeros((1, 1, 2)), ("eye",))
    with pytest.raises(InputError, match="here: 1 pictures are too few"):
        check_points("here", [one, one], 16)
    small, large = (PointPictures(np.zeros((10, 1, s, s)), np.zeros((10, 1, 2)), ("eye",)) for s in (8, 16))
    with pytest.raises(InputError, match="other points or sizes"):
        check_points("here", [large, small], 16)
    with pytest.raises(InputError, match="8 x 8 pixels; at least 16"):
        check_points("here", [small, small], 16)


BAD = [
    (["facial-keypoints", "--data", "empty"], "neither training.zip nor training.csv is in this folder"),
    (["variable-resolution", "--data", "empty"], "empty/train: no such folder"),
    (["mnist-conv", "--data", "empty"], "train-images-idx3-ubyte.gz is not in this folder"),
    (["fashion-mnist", "--data", "none"], "--data none: no such file or folder"),
    (["fashion-mnist", "--data", "empty"], "train-images-idx3-ubyte.gz is not in this folder"),
    (["fashion-mnist", "--net", "wide"], "--net wide: unknown; did you mean wider?"),
    (["fashion-mnist", "--lr", "0"], "--lr 0: must be more than 0"),
    (["fashion-mnist", "--lr", "inf"], "--lr inf: must be a finite number, and more than 0"),
    (["fashion-mnist", "--data", "file"], "file: is not a folder; "),
    (["facial-keypoints", "--batch-size", "1"], "--batch-size 1: batch norm needs more than one picture; "),
    (["fashion"], "'fashion': no such command of minilift examples; did you mean fashion-mnist?"),
    (["fashion-mnist", "--out", "file"], "file is not a folder"),
]


@pytest.mark.parametrize(("words", "told"), BAD)
def test_bad_input_is_one_line(words: list[str], told: str, capsys: Capture) -> None:
    Path("empty").mkdir()
    Path("file").write_text("x")
    assert main(["examples", *words]) == 2
    _, err = capsys.readouterr()
    assert len(err.splitlines()) == 1
    assert told in err
