"""What a Trainer refuses, and that it does so before anything has changed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import (
    MSE,
    SGD,
    Adam,
    AdamW,
    Batches,
    CrossEntropy,
    Dropout,
    InputError,
    Linear,
    Network,
    PlainStep,
    Sequential,
    Trainer,
    WarmUpCosineLR,
)  # fmt: skip
from minilift.files.checkpoint import load_checkpoint
from minilift.nn.params import Parameter
from minilift.optim import Optimiser
from minilift.train import LossMetric

X = np.random.default_rng(0).standard_normal((60, 4)).astype(np.float32)
DATA = Batches(X, X, size=16)


def made(out: Path | None = None, adam: type[Optimiser] = Adam, width: int = 4, **options: Any) -> Trainer:
    rng = np.random.default_rng(1)
    net = Sequential(Linear(4, width, rng=rng), Linear(width, 4, rng=rng))
    options = {"metrics": {"mse": LossMetric(MSE())}, "show": lambda line: None, "bar": False, **options}
    return Trainer(net, MSE(), adam(net.parameters(), lr=0.1), out=out, **options)  # type: ignore[call-arg]


def test_a_copy_leaves_the_training_of_its_original_alone() -> None:
    plain, copied = made(), made()
    shallow, deep = copy.copy(copied.network), copy.deepcopy(copied.network)
    before = deep.forward(X).copy()
    for trainer in (plain, copied):
        trainer.fit(DATA, epochs=2)
    expected = plain.network.forward(X)
    assert np.abs(expected - before).max() > 0.01
    np.testing.assert_array_equal(copied.network.forward(X), expected)
    np.testing.assert_array_equal(shallow.forward(X), expected)
    np.testing.assert_array_equal(deep.forward(X), before)


@pytest.mark.parametrize("change", ["to", "second network"])
def test_a_network_that_moved_is_not_trained_in_silence(change: str) -> None:
    trainer = made()
    net = trainer.network
    assert isinstance(net, Sequential)
    if change == "to":
        net.to("cpu", "float64")
    else:
        Sequential(net[0], Linear(4, 2)).parameters()
    for work in (
        lambda: trainer.fit(DATA, epochs=1),
        lambda: next(trainer.step.epoch(0, DATA)),
        lambda: trainer.step(X, X),
    ):
        with pytest.raises(ValueError, match=r"make it anew from network\.parameters\(\), and then its step"):
            work()
    assert trainer.optimiser.steps == 0


def test_a_copied_trainer_is_refused_and_the_original_goes_on() -> None:
    trainer = made()
    with pytest.raises(ValueError, match="anew"):
        copy.deepcopy(trainer).fit(DATA, epochs=1)
    before = trainer.network.flat.data.copy()
    assert trainer.fit(DATA, epochs=1)
    assert (trainer.network.flat.data != before).any()


def test_the_check_takes_no_layer_from_the_network_that_has_it() -> None:
    body = Linear(4, 4)
    one, two = Sequential(body, Linear(4, 4)), Sequential(body, Linear(4, 4))
    first, second = PlainStep(one, MSE(), SGD(one.parameters())), PlainStep(two, MSE(), SGD(two.parameters()))
    with pytest.raises(ValueError, match="anew"):
        first(X, X)
    before = body.weight.data.copy()
    second(X, X)
    assert (body.weight.data != before).any()


def stop_after(trainer: Trainer, steps: int) -> None:
    step = trainer.optimiser.step

    def step_and_ask() -> None:
        step()
        if trainer.optimiser.steps == steps:
            trainer.signals.number = 2

    trainer.optimiser.step = step_and_ask  # type: ignore[method-assign]


def test_after_a_signal_the_next_fit_goes_to_the_end() -> None:
    trainer = made()
    stop_after(trainer, 2)
    assert not trainer.fit(DATA, epochs=3)
    assert trainer.fit(DATA, epochs=3)
    assert trainer.optimiser.steps == 9


def test_the_rest_of_an_epoch_is_of_the_same_batches(tmp_path: Path) -> None:
    trainer = made(tmp_path)
    stop_after(trainer, 2)
    trainer.fit(DATA, epochs=2)
    for other in (Batches(X, X, size=8), Batches(X, X, size=16, seed=1), Batches(X[:50], X[:50], size=16)):
        again = made(tmp_path)
        assert again.resume()
        with pytest.raises(InputError, match="epoch 1 was begun with batches of rows 60, size 16, seed 0"):
            again.fit(other, epochs=2)
    again.fit(DATA, epochs=1)
    last = made(tmp_path)
    last.resume()
    assert last.fit(Batches(X, X, size=8, seed=1), epochs=2)  # the epoch is at its end


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"watch": "mse"}, "watches loss min, not mse min"),
        ({"best": "max"}, "watches loss min, not loss max"),
        ({"metrics": {"new": LossMetric(MSE())}, "watch": "new"}, "watches loss min, not new min"),
        ({"adam": AdamW}, "it is of Adam, the optimiser is AdamW"),
        ({"adam": SGD}, "it is of Adam, the optimiser is SGD"),
        ({"width": 5}, "not a checkpoint of this network"),
    ],
)
def test_a_checkpoint_of_something_else_changes_nothing(
    other: dict[str, Any], message: str, tmp_path: Path
) -> None:
    made(tmp_path).fit(DATA, epochs=1)
    trainer = made(tmp_path, **other)
    before = trainer.network.flat.data.copy()
    with pytest.raises(InputError, match=message):
        trainer.resume()
    np.testing.assert_array_equal(trainer.network.flat.data, before)
    assert (trainer.progress.epoch, trainer.optimiser.steps) == (0, 0)


def test_a_damaged_checkpoint_changes_nothing_and_one_without_names_is_taken(tmp_path: Path) -> None:
    made(tmp_path).fit(DATA, epochs=1)
    arrays, meta = load_checkpoint(tmp_path / "checkpoint.npz")
    trainer = made()
    before = trainer.network.flat.data.copy()
    for lost in ("optimiser.v.0", "network.1.bias"):
        with pytest.raises(InputError, match="not a checkpoint"):
            trainer.restore({k: v for k, v in arrays.items() if k != lost}, meta)
        np.testing.assert_array_equal(trainer.network.flat.data, before)
    assert not trainer.optimiser.state_dict()["m.0"].any()
    meta = {k: v for k, v in meta.items() if k not in ("watch", "batches", "optimiser")}
    with pytest.raises(InputError, match="has not measured new"):
        made(metrics={"new": LossMetric(MSE())}, watch="new").restore(arrays, meta)
    trainer.restore(arrays, meta)
    assert trainer.progress.epoch == 1


class Masks(Network):
    def __init__(self) -> None:
        super().__init__()
        self.children = {"a": Dropout(0.5), "b": Dropout(0.5)}

    def forward(self, x: Any, train: bool = False) -> Any:
        return self.children["b"].forward(self.children["a"].forward(x, train), train)


def test_dropouts_of_a_network_without_parameters_draw_different_masks() -> None:
    net = Masks()
    assert net.parameters() == []  # what whoever trains a network asks for
    kept = (net.forward(np.ones((1000, 8)), train=True) != 0).mean()
    assert 0.22 < kept < 0.28


def test_a_dropout_added_late_has_a_stream_of_its_own() -> None:
    net = Sequential(Linear(4, 4), Dropout(0.5))
    adam = Adam(net.parameters())
    net.children["2"] = Dropout(0.5)
    PlainStep(net, MSE(), adam)
    assert [net[i].stream for i in (1, 2)] == [0, 1]  # type: ignore[attr-defined]


def test_what_cannot_be_written_is_told_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "log.csv").mkdir(parents=True)
    for out, message in ((tmp_path / "file", "file: "), (tmp_path / "out", "log.csv: is not a regular file")):
        trainer = made(out)
        with pytest.raises(InputError, match=message):
            trainer.fit(DATA, epochs=1)
        assert trainer.optimiser.steps == 0
    trainer = made(tmp_path / "new", settings={"a": object()})
    with pytest.raises(ValueError, match="settings must be what JSON can say"):
        trainer.fit(DATA, epochs=1)
    assert trainer.optimiser.steps == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "log.csv"}, "weights must be a file name of its own"),
        ({"weights": "./checkpoint.npz"}, "weights must be"),
        ({"weights": ""}, "weights must be"),
        ({"patience": -1}, "patience must be at least 0"),
        ({"patience": 1.5}, "patience must be a whole number"),
        ({"min_delta": -0.1}, "min_delta must be"),
        ({"min_delta": float("nan")}, "min_delta must be"),
        ({"metrics": {"loss": LossMetric(MSE())}}, "'loss' is the name of the loss"),
    ],
)
def test_options_without_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(**options)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflows are what is asked for
def test_a_training_that_diverged_tells_the_rate_that_its_schedule_began_with() -> None:
    x = np.random.default_rng(0).standard_normal((60, 4))
    network = Sequential(Linear(4, 4), Linear(4, 4))
    optimiser = SGD(network.parameters(), lr=1e20)
    schedule = WarmUpCosineLR(optimiser, total_steps=3)  # after the epoch the rate is 0
    trainer = Trainer(network, MSE(), optimiser, schedule, show=lambda line: None, bar=False)
    with pytest.raises(InputError, match=r"use a lower learning rate \(it was 1e\+20\)"):
        trainer.fit(Batches(x, x, size=20), epochs=1)


def test_epochs_size_and_network_must_be_what_they_are_called() -> None:
    for epochs in (2.5, True, -1):
        with pytest.raises(ValueError, match="epochs must be"):
            made().fit(DATA, epochs=epochs)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size must be a whole number"):
        Batches(X, X, size=2.5)  # type: ignore[arg-type]
    layer = Linear(4, 4)
    with pytest.raises(TypeError, match="network is a Linear, which is no Network; wrap it in Sequential"):
        Trainer(layer, MSE(), Adam(layer.parameters()))  # type: ignore[arg-type]


def test_a_loss_or_metric_that_adds_nothing_is_refused() -> None:
    net = Sequential(Linear(4, 4))
    adam = Adam(net.parameters())
    with pytest.raises(ValueError, match="must write grad, add to total"):
        PlainStep(net, lambda pred, target, ops, grad, total: (1.0, grad), adam)(X, X)
    with pytest.raises(ValueError, match="must write grad, add to total"):
        PlainStep(net, lambda pred, target, ops, grad, total: (total, pred - target), adam)(X, X)
    with pytest.raises(ValueError, match=r"metric 'm': .* not float"):
        PlainStep(net, MSE(), adam, {"m": lambda pred, target, ops, total: 0.5})(X, X)
    assert adam.steps == 0


@pytest.mark.parametrize("kind", [np.int64, np.uint8, bool])
def test_classes_of_two_axes_train_a_classifier(kind: Any) -> None:
    x = np.random.default_rng(0).standard_normal((64, 5, 4))
    y = (x[..., 0] > 0).astype(kind)
    net = Sequential(Linear(4, 2, rng=np.random.default_rng(0)))
    trainer = Trainer(net, CrossEntropy(), Adam(net.parameters(), lr=0.1), show=lambda line: None, bar=False)
    trainer.fit(Batches(x, y, size=16, classes=True), Batches(x, y, size=30, classes=True), epochs=20)
    assert trainer.progress.best < 0.2
    with pytest.raises(ValueError, match="classes=True"):
        trainer.fit(Batches(x, y, size=16), epochs=21)
    flat = Sequential(Linear(4, 2))
    PlainStep(flat, CrossEntropy(), Adam(flat.parameters()))(
        *next(Batches(x[:, 0], y[:, 0]).epoch(0, flat.ops))
    )
    with pytest.raises(ValueError, match="classes must be whole numbers"):
        Batches(x, x, classes=True)


def test_the_summary_counts_a_networks_own_parameters() -> None:
    class Scaled(Sequential):
        parameter_names = ("gain",)

        def __init__(self) -> None:
            super().__init__(Linear(4, 4))
            self.gain = Parameter(self.ops.ones((7,)), self.ops)

    lines = Scaled().summary().splitlines()
    assert lines[2].split() == ["(Scaled)", "7"]
    assert lines[-1].startswith("27 trainable parameters")
