"""The examples: they learn, say what the course says, resume to the bit, and refuse in one line."""

from __future__ import annotations

import json
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from picture_files import idx_pair

from minilift.cli.main import main
from minilift.errors import ArgumentError
from minilift.examples import cifar10, curves, fashion_mnist
from minilift.examples.course import converged, leaderboard, parameters, rule_check, summary
from minilift.examples.options import Options
from minilift.files.weights import load_state_dict
from minilift.ops import get_ops

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    monkeypatch.setattr(fashion_mnist, "MADE", (600, 200))
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
    assert (run / "loss.png").stat().st_size > 1000
    assert (run / "mean_gradient.png").exists()


def small(**options: Any) -> Options:
    return Options("base", 2, 0.1, 50, data="set", say=quiet, device="cpu", **options)


def write_set(n: int = 250) -> None:
    Path("set").mkdir(exist_ok=True)
    for part, seed in (("train", 0), ("t10k", 1)):
        images, labels, _, _ = idx_pair(n, 28, seed)
        Path(f"set/{part}-images-idx3-ubyte.gz").write_bytes(images)
        Path(f"set/{part}-labels-idx1-ubyte.gz").write_bytes(labels)


def test_a_stopped_run_resumes_to_the_bit_with_its_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    write_set()
    monkeypatch.setattr(fashion_mnist, "drawable", lambda say: False)
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
        a, b = (np.load(Path(run) / "base lr 0.1" / name) for run in ("whole", "parts"))
        for key in a.files:
            if a[key].dtype.kind == "f":
                np.testing.assert_array_equal(a[key], b[key], err_msg=f"{name} {key}")
    with pytest.raises(ArgumentError, match=r"seed=4: the run in .* was begun with 0"):
        fashion_mnist.run(small(out=Path("parts"), resume=True, seed=4))


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
        widths = [3072, *[shape.n_hidden] * (shape.num_layers - 1), 10]
        assert sum((a + 1) * b for a, b in pairwise(widths)) < 5e6
    assert {shape.num_layers for _, shape in points} == {2, 3, 4, 5}
    assert points[7] == cifar10.draw_point(cifar10.DEFAULTS, 7)
    sizes = {
        n: cifar10.build(cifar10.Shape(n, w), 3072, get_ops("cpu"), 0) for n, w in cifar10.WIDEST.items()
    }
    assert [parameters(net) for net in sizes.values()] == [4932810, 4977190, 4944110, 4955530]


def test_rules_and_leaderboard() -> None:
    network = cifar10.build(cifar10.Shape(), 3072, get_ops("cpu"), 0)
    assert rule_check(network, 0.5).endswith("\n\npassed")
    assert "| accuracy | at least 50% | 49.99% | no |" in rule_check(network, 0.4999)
    large = cifar10.build(cifar10.Shape(2, 1700), 3072, get_ops("cpu"), 0)
    assert "| size | under 20 MB | 21.0 MB | no |" in rule_check(large, 0.6)
    lines = leaderboard(0.58).splitlines()
    assert lines[2] == "| 1 | w1251 | 68.91 | yes |"
    assert lines[5] == "| 4 | this network | 58.00 | yes |"
    assert len(lines) == 13


BAD = [
    (["fashion-mnist", "--data", "none"], "--data none: no such file or folder"),
    (["fashion-mnist", "--data", "empty"], "train-images-idx3-ubyte.gz is not in this folder"),
    (["fashion-mnist", "--net", "wide"], "--net wide: unknown; did you mean wider?"),
    (["fashion-mnist", "--lr", "0"], "--lr 0: must be more than 0"),
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
