"""The Trainer with networks that are no lifter: a classifier, and two heads on arrays of three axes."""

from __future__ import annotations

import csv
import gzip
import os
import signal
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import IMAGES

from minilift import (
    MSE,
    SGD,
    Adam,
    Batches,
    CrossEntropy,
    Dropout,
    InputError,
    Linear,
    Measure,
    Network,
    PlainStep,
    ReLU,
    Residual,
    Sequential,
    StepLR,
    Trainer,
    accuracy,
)  # fmt: skip
from minilift.ops import NumpyOps
from minilift.train.progress import Watch

Sets = tuple[Batches, Batches]


class TwoHeads(Network):
    """x (n, points, 4) -> y (n, points, 2 + 1)."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        self.children["body"] = Sequential(
            Linear(4, 16, rng=rng), ReLU(), Residual(Linear(16, 16, rng=rng), ReLU(), Dropout(0.1))
        )
        self.children["place"], self.children["weight"] = Linear(16, 2, rng=rng), Linear(16, 1, rng=rng)

    def forward(self, x: Any, train: bool = False) -> Any:
        h = self.children["body"].forward(x, train)
        y = self.buffer("y", (*x.shape[:-1], 3))
        self.ops.copy(self.children["place"].forward(h, train), out=y[..., :2])
        self.ops.copy(self.children["weight"].forward(h, train), out=y[..., 2:])
        return y

    def backward(self, dy: Any) -> Any:
        parts = []
        for name, columns in (("place", slice(0, 2)), ("weight", slice(2, 3))):
            part = self.buffer(f"d{name}", (*dy.shape[:-1], columns.stop - columns.start))
            self.ops.copy(dy[..., columns], out=part)
            parts.append(self.children[name].backward(part))
        both = self.ops.add(parts[0], parts[1], out=self.buffer("dh", parts[0].shape))
        return self.children["body"].backward(both)


def classifier(out: Path | None, width: int = 8, classes: int = 3, **options: Any) -> Trainer:
    rng = np.random.default_rng(1)
    net = Sequential(Linear(width, 32, rng=rng), ReLU(), Dropout(0.2), Linear(32, classes, rng=rng))
    adam, metrics = Adam(net.parameters(), lr=1e-2), {"accuracy": accuracy}
    options = {"watch": "accuracy", "best": "max", "show": lambda line: None, "bar": False, **options}
    schedule = StepLR(adam, 5, 0.5, per="batch")
    return Trainer(net, CrossEntropy(), adam, schedule, metrics=metrics, out=out, **options)


def clouds() -> Sets:
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=500)
    x = rng.standard_normal((500, 8)) + 4 * np.eye(3, 8)[y]
    return Batches(x[:400], y[:400], size=64, seed=3), Batches(x[400:], y[400:], size=30)


def two_heads(out: Path | None, **options: Any) -> Trainer:
    net = TwoHeads()
    sgd = SGD(net.parameters(), lr=0.05, momentum=0.9)
    return Trainer(net, MSE(), sgd, out=out, **{"show": lambda line: None, "bar": False, **options})


def points() -> Sets:
    x = np.random.default_rng(1).standard_normal((300, 5, 4))
    y = np.concatenate([x[..., :2], 0.5 * x[..., 2:3]], axis=-1)
    return Batches(x[:250], y[:250], size=32, seed=1), Batches(x[250:], y[250:], size=64)


CASES: dict[str, tuple[Callable[..., Trainer], Callable[[], Sets]]] = {
    "classifier": (classifier, clouds),
    "two heads on three axes": (two_heads, points),
}


def rows(out: Path) -> list[dict[str, str]]:
    with open(out / "log.csv") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", CASES)
def test_any_network_learns(name: str, tmp_path: Path) -> None:
    make, data = CASES[name]
    train, validation = data()
    trainer = make(tmp_path)
    before = trainer.measure(validation)["loss"]
    assert trainer.fit(train, validation, epochs=10)
    assert trainer.measure(validation)["loss"] < 0.3 * before  # seen 0.12 and 0.06
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "log.csv", "weights.pt"]
    log = rows(tmp_path)
    assert [row["epoch"] for row in log] == [str(n) for n in range(1, 11)]
    best = {"min": min, "max": max}[trainer.watch.best]
    column = f"val_{trainer.watch.metric}"
    assert trainer.progress.best == best(float(row[column]) for row in log)
    again = make(None)
    again.network.load(tmp_path / "weights.pt")
    assert again.measure(validation)[trainer.watch.metric] == trainer.progress.best


@pytest.mark.parametrize("steps", [3, 13])
@pytest.mark.parametrize("name", CASES)
def test_stopped_and_resumed_is_to_the_bit_as_never_stopped(name: str, steps: int, tmp_path: Path) -> None:
    """By a real signal, in the middle of the first or the third epoch."""
    make, data = CASES[name]
    straight, stopped = make(tmp_path / "a"), make(tmp_path / "b")
    assert straight.fit(*data(), epochs=4)
    step = stopped.optimiser.step

    def step_and_signal() -> None:
        step()
        if stopped.optimiser.steps == steps:
            os.kill(os.getpid(), signal.SIGINT)

    stopped.optimiser.step = step_and_signal  # type: ignore[method-assign]
    assert not stopped.fit(*data(), epochs=4)
    assert stopped.optimiser.steps == steps
    resumed = make(tmp_path / "b")
    assert resumed.resume()
    assert resumed.fit(*data(), epochs=4)
    for key, value in straight.network.snapshot().items():
        np.testing.assert_array_equal(resumed.network.snapshot()[key], value, err_msg=key)
    for key, value in straight.optimiser.state_dict().items():
        np.testing.assert_array_equal(resumed.optimiser.state_dict()[key], value, err_msg=key)
    assert [{**row, "seconds": ""} for row in rows(tmp_path / "a")] == [
        {**row, "seconds": ""} for row in rows(tmp_path / "b")
    ]
    assert (tmp_path / "a" / "weights.pt").read_bytes() == (tmp_path / "b" / "weights.pt").read_bytes()


def test_the_program_of_twenty_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The classifier of the pages, on clouds: bar, log, checkpoint and resume."""
    train, validation = clouds()
    net = Sequential(Linear(8, 256), ReLU(), Linear(256, 3))
    trainer = Trainer(
        net, CrossEntropy(), Adam(net.parameters(), lr=1e-3), metrics={"accuracy": accuracy},
        watch="accuracy", best="max", out=tmp_path,
    )  # fmt: skip
    assert not trainer.resume()
    trainer.fit(train, validation=validation, epochs=3)
    told = capsys.readouterr()
    assert "epoch 3/3" in told.err  # the bar
    assert told.out.count("accuracy: train ") == 3
    assert float(rows(tmp_path)[-1]["val_accuracy"]) > 0.9


def idx(path: Path) -> np.ndarray:
    """The array of a gzipped IDX file: magic number, sizes, unsigned bytes."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">i4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


def test_fashion_mnist(tmp_path: Path) -> None:
    """784-256-10 on a fifth of the images, stopped after an epoch and resumed."""
    folder = IMAGES / "fashion-mnist"
    if not folder.is_dir():
        pytest.skip(f"Fashion-MNIST is not on this machine ({folder.name} beside the project's data)")
    images, labels = (idx(next(folder.glob(f"train-{part}*"))) for part in ("images", "labels"))
    x, y = images.reshape(len(images), -1)[:12_000].astype(np.float32) / 255, labels[:12_000]
    train, validation = Batches(x[:10_000], y[:10_000], size=64), Batches(x[10_000:], y[10_000:], size=256)

    def made(out: str) -> Trainer:
        rng = np.random.default_rng(0)
        net = Sequential(Linear(784, 256, rng=rng), ReLU(), Linear(256, 10, rng=rng))
        options: dict[str, Any] = {"watch": "accuracy", "best": "max", "out": tmp_path / out}
        metrics = {"accuracy": accuracy}
        return Trainer(net, CrossEntropy(), Adam(net.parameters(), lr=1e-3), metrics=metrics, **options)

    for epochs in (1, 2):
        trainer = made("a")
        assert trainer.resume() == (epochs == 2)
        trainer.fit(train, validation, epochs=epochs)
    straight = made("b")
    straight.fit(train, validation, epochs=2)
    np.testing.assert_array_equal(trainer.network.flat.data, straight.network.flat.data)
    assert trainer.progress.best > 0.8  # seen 0.83


# ---- what decides --------------------------------------------------------------------------------------


def test_what_is_watched_decides() -> None:
    history = [{"train_accuracy": 0.9, "val_accuracy": value} for value in (0.5, 0.7, 0.6, 0.65)]
    most = Watch("accuracy", "max", patience=2)
    assert most.better(0.7, than=0.5)
    assert not most.better(0.5, than=0.5)
    assert most.better(0.1, than=float("nan"))
    assert not most.given_up(history[:3])
    assert most.given_up(history)
    assert not Watch("accuracy", "max", patience=3).given_up(history)
    assert Watch("accuracy", "min", patience=3).given_up(history)
    assert not Watch("accuracy", "max").given_up(history)
    assert most.of({"train_accuracy": 0.9}) == 0.9  # nothing is held out


def test_the_best_weights_are_those_of_the_best_epoch_either_way() -> None:
    train, validation = clouds()
    for best in ("min", "max"):
        trainer = classifier(None, best=best)
        trainer.fit(train, validation, epochs=4)
        values = [row["val_accuracy"] for row in trainer.progress.history]
        assert len(set(values)) > 1
        wanted = min(values) if best == "min" else max(values)
        assert trainer.progress.best_epoch == 1 + values.index(wanted)
        kept = [row["epoch"] for row in trainer.progress.history if row["kept"]]
        assert (kept[0], kept[-1]) == (1, trainer.progress.best_epoch)
        assert len(kept) < 4
        net = classifier(None).network
        net.load_state_dict(trainer.best_weights)
        found = Measure(net, CrossEntropy(), {"accuracy": accuracy})(validation)
        assert found["accuracy"] == wanted


def test_patience_ends_the_training() -> None:
    trainer = classifier(None, patience=2, min_delta=1.0)  # no accuracy grows by more than 1
    assert trainer.fit(*clouds(), epochs=50)
    assert trainer.progress.epoch == 3


def test_misuse_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="watch 'top_5' is not measured; use one of loss, accuracy"):
        classifier(None, watch="top_5")
    with pytest.raises(ValueError, match="best must be 'min' or 'max', got 'most'"):
        classifier(None, best="most")
    other = classifier(None)
    with pytest.raises(ValueError, match="step is made of another network, optimiser or metrics"):
        classifier(None, step=other.step)
    plain = PlainStep(other.network, CrossEntropy(), other.optimiser)  # without the accuracy
    with pytest.raises(ValueError, match="step is made of another"):
        Trainer(other.network, CrossEntropy(), other.optimiser, metrics={"accuracy": accuracy}, step=plain)
    classifier(tmp_path).fit(*clouds(), epochs=1)
    with pytest.raises(InputError, match="not a checkpoint of this network"):
        two_heads(tmp_path).resume()
    with pytest.raises(InputError, match="not a checkpoint of this network"):
        classifier(tmp_path, width=7).resume()
    assert not classifier(None).resume()


# ---- steps ---------------------------------------------------------------------------------------------


def test_an_optimiser_of_before_is_refused() -> None:
    net = Sequential(Linear(2, 2))
    adam = Adam(net.parameters())
    PlainStep(net, MSE(), adam)
    whole = Sequential(net, Linear(2, 2))
    with pytest.raises(ValueError, match=r"make it anew from network\.parameters\(\)"):
        PlainStep(whole, MSE(), adam)  # it holds arrays that the network has left
    adam = Adam(whole.parameters())
    whole.to("cpu", "float64")
    with pytest.raises(ValueError, match="anew"):
        PlainStep(whole, MSE(), adam)
    with pytest.raises(ValueError, match="anew"):
        PlainStep(net, MSE(), Adam(Sequential(Linear(2, 2)).parameters()))


def test_a_step_makes_no_array_and_reads_nothing_back() -> None:
    class Deaf(NumpyOps):
        def to_host(self, x: Any) -> np.ndarray:
            raise AssertionError("something was read back within a step")

    ops = Deaf()
    net = Sequential(Linear(512, 256, ops=ops), ReLU(ops=ops), Linear(256, 128, ops=ops), ops=ops)
    step = PlainStep(net, CrossEntropy(), Adam(net.parameters()), {"accuracy": accuracy})
    rng = np.random.default_rng(0)
    batches = Batches(rng.standard_normal((2560, 512)).astype(np.float32), rng.integers(128, size=2560), 256)
    steps, peaks = step.epoch(0, batches), []
    for _ in range(5):  # a thread makes its scratch memory with its first work of a kind: the least counts
        tracemalloc.start()
        next(steps)
        next(steps)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert min(peaks) < 100_000 < 256 * 128 * 4
