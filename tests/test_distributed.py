"""Several processes train to the weights of one. Here they are threads; test_mpi.py has real ones."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from process_groups import together

from minilift import SGD, Adam, BatchNorm1d, Dropout, LiftModel, Linear, ReLU, Sequential, Trainer
from minilift.distributed import Alone, Group, share
from minilift.distributed.batches import SharedBatches
from minilift.distributed.cores import share_of
from minilift.distributed.group import Place
from minilift.distributed.layers import share_layers
from minilift.errors import ArgumentError, InputError
from minilift.files.mapped import MappedRows
from minilift.images.layers.batchnorm2d import BatchNorm2d
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.fast.step import TrainStep
from minilift.lift.run_epoch import mpjpe_metric
from minilift.nn import losses
from minilift.train import Batches

ROWS, SIZE = 120, 24


def quiet(line: str) -> None:
    return


def data(dtype: str = "float64") -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    y = 0.3 * rng.standard_normal((ROWS, 15, 3)) - [0, 0, 1]
    x = y[..., :2] / -y[..., 2:]
    return x.reshape(ROWS, 30).astype(dtype), y.reshape(ROWS, 45).astype(dtype)


def trained(
    group: Group, *, dtype: str = "float64", fast: bool = True, sgd: bool = False, epochs: int = 2,
    sync: bool = True, augmented: bool = False, mix: float = 0.5, clip: float = 0.0, size: int = SIZE,
    out: Any = None, **shape: Any,
) -> Trainer:  # fmt: skip
    """A lifter after some epochs, as one of a group; with dropout and units."""
    model = LiftModel(2, 20, 0.3, seed=3, dtype=dtype, **shape)
    x, y = data(dtype)
    model.standardise(x.reshape(-1, 15, 2), y.reshape(-1, 15, 3))
    parameters = model.parameters()
    optimiser: Any = Adam(parameters, lr=1e-3, max_norm=clip)
    if sgd:
        optimiser = SGD(parameters, lr=1e-2, momentum=0.9, max_norm=clip)
    metrics = mpjpe_metric()
    step = TrainStep(model, losses.mpjpe, optimiser, metrics) if fast else None
    trainer = Trainer(
        model, losses.mpjpe, optimiser, metrics=metrics, watch="mpjpe", step=step, show=quiet, bar=False,
        out=out if group.first else None,
    )  # fmt: skip
    augmentation = Augmentation(flip=0.5, mix=mix, body=0.5, yaw=180.0, noise=0.001)
    augment = Augmenter(augmentation, model.ops, size, 3) if augmented else None
    batches = Batches(x[:100], y[:100], size, 1, augment)
    if group.size > 1:
        batches = share(trainer, batches, group, sync)
    trainer.fit(batches, Batches(x[100:], y[100:], 8), epochs=epochs)
    return trainer


def apart(one: Trainer, other: Trainer) -> float:
    """The largest difference of weights and running statistics."""
    states = (trainer.network.snapshot() for trainer in (one, other))
    return max(float(np.abs(a - b).max()) for a, b in zip(*(s.values() for s in states), strict=True))


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (2, {}),
        (3, {"sgd": True}),  # 24 rows for 3
        (5, {"size": 23}),  # as many for each as divides up: 4 or 5
        (2, {"fast": False, "sgd": True}),
        (2, {"augmented": True}),
        (3, {"augmented": True, "mix": 0.0}),  # each its rows alone
        (2, {"clip": 0.05}),
        (2, {"size": 90}),  # more than 60 rows each: the stem is composed
        (2, {"head": "ray"}),
        (2, {"slope": 0.01, "fast": False}),
    ],
)
def test_the_weights_are_those_of_one_process(size: int, options: dict[str, Any]) -> None:
    one = trained(Alone(), **options)
    for other in together(size, partial(trained, **options)):
        assert apart(one, other) < 1e-12
        for ours, theirs in zip(other.progress.history, one.progress.history, strict=True):
            for name in ("train_loss", "train_mpjpe", "val_loss", "val_mpjpe"):
                assert ours[name] == pytest.approx(theirs[name], rel=1e-12)


def test_in_float32_the_loss_is_that_of_one_process() -> None:
    one = trained(Alone(), dtype="float32", epochs=5)
    for other in together(2, partial(trained, dtype="float32", epochs=5)):
        losses = [[row["train_loss"] for row in t.progress.history] for t in (one, other)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_all_processes_have_the_same_bits() -> None:
    first, *others = together(3, partial(trained, dtype="float32"))
    for other in others:
        assert apart(first, other) == 0.0


# ---- layers --------------------------------------------------------------------------------------------


def shared_layer(kind: str) -> Any:
    net = Sequential(BatchNorm1d(6) if kind == "norm" else Dropout(0.4, seed=2))
    for p in net.parameters():
        p.data = np.linspace(0.5, 1.5, 6)
    return net.to("cpu", "float64") if kind == "norm" else net


def passed(group: Group, x: Any, dy: Any, kind: str = "norm") -> tuple[Any, ...]:
    """y, dx, gradients and statistics of a layer on this process's rows of x, for dy."""
    net = shared_layer(kind)
    place = Place.of(len(x), group)
    if group.size > 1:
        share_layers(net, group, place, sync=True)
    y = net.forward(x[place.rows], train=True).copy()
    dx = net.backward(dy[place.rows]).copy()
    layer = net[0]
    statistics = (layer.running_mean, layer.running_var) if kind == "norm" else ()
    return y, dx, net.flat.grad.copy(), *statistics


def test_batchnorm_over_the_batch_of_all_by_hand() -> None:
    rng = np.random.default_rng(0)
    x, dy = 3 + 2 * rng.standard_normal((11, 6)), rng.standard_normal((11, 6))
    y, dx, gradients, mean, var = passed(Alone(), x, dy)
    parts = together(3, lambda group: passed(group, x, dy))
    assert np.concatenate([part[0] for part in parts]) == pytest.approx(y, abs=1e-13)
    assert np.concatenate([part[1] for part in parts]) == pytest.approx(dx, abs=1e-13)
    assert np.add.reduce([part[2] for part in parts]) == pytest.approx(gradients, abs=1e-13)
    for part in parts:
        assert part[3] == pytest.approx(mean, rel=1e-14)
        assert part[4] == pytest.approx(var, rel=1e-14)  # unbiased by the rows of all


def test_its_gradient_is_the_derivative_through_the_statistics_of_all() -> None:
    """Rows of one process move the statistics, and so the outputs, of the others."""
    rng = np.random.default_rng(1)
    x, dy, along = (rng.standard_normal((8, 6)) for _ in range(3))
    dx = np.concatenate([part[1] for part in together(2, lambda group: passed(group, x, dy))])
    h = 1e-6
    up, down = (
        sum(
            float((part[0] * dy[rows]).sum())
            for part, rows in zip(
                together(2, lambda group, x=x + sign * h * along: passed(group, x, dy)),  # type: ignore[misc]
                (slice(0, 4), slice(4, 8)), strict=True,
            )
        )
        for sign in (1, -1)
    )  # fmt: skip
    assert (dx * along).sum() == pytest.approx((up - down) / (2 * h), rel=1e-7)


def test_masks_are_those_of_the_whole_batch() -> None:
    x = np.ones((7, 50), np.float32)
    y = passed(Alone(), x, x, "dropout")[0]
    parts = together(3, lambda group: passed(group, x, x, "dropout"))
    assert np.array_equal(np.concatenate([part[0] for part in parts]), y)
    assert 0 < (y == 0).mean() < 1


def test_rows_of_others_are_not_read() -> None:
    class Counted(MappedRows):
        def __init__(self, rows: Any) -> None:
            self.rows, self.shape, self.read = rows, rows.shape, 0

        def __getitem__(self, index: Any) -> Any:
            self.read += len(index)
            return self.rows[index]

    def work(group: Group) -> tuple[int, int]:
        x, y = (Counted(part) for part in data("float32"))
        batches = SharedBatches(Batches(x, y, SIZE, 1), group)
        return sum(len(a) for a, _ in batches.epoch(0, LiftModel(1, 8).ops)), x.read

    assert together(3, work) == [(ROWS // 3, ROWS // 3)] * 3


# ---- what passes ---------------------------------------------------------------------------------------


def test_the_gradient_vector_passes_once_a_step() -> None:
    def sizes(group: Any) -> tuple[list[int], int, int]:
        trainer = trained(group, epochs=1)
        return group.added, trainer.network.flat.grad.nbytes, trainer.optimiser.steps

    for added, vector, steps in together(2, sizes):
        assert steps == 4
        assert added.count(vector) == steps
        # of four normalisations mean, variance and two sums at once, and a line of loss and metric
        assert len(added) == steps * (1 + 4 * 3 + 1) + 1  # and the validation's


def test_without_common_statistics_each_has_its_own_and_keeps_their_mean() -> None:
    one, (first, other) = trained(Alone()), together(2, partial(trained, sync=False))
    assert apart(first, other) == 0.0
    assert apart(one, first) > 1e-3

    def sizes(group: Any) -> list[int]:
        trained(group, epochs=1, sync=False)
        return group.added

    assert len(together(2, sizes)[0]) == 4 * 2 + 8 + 1  # a step's two, running statistics, validation


def test_weights_that_have_come_apart_become_those_of_rank_0() -> None:
    def work(group: Group) -> Trainer:
        trainer = trained(group, epochs=1)
        if group.rank:
            trainer.network.flat.data[7] += 1e-3
        x, y = data()
        trainer.fit(SharedBatches(Batches(x[:100], y[:100], SIZE, 1), group), epochs=2)
        return trainer

    first, other = together(2, work)
    assert np.array_equal(first.network.flat.data, other.network.flat.data)


def test_a_signal_to_one_stops_all_after_the_same_step(tmp_path: Any) -> None:
    def work(group: Group) -> tuple[bool, int, int]:
        model = Sequential(Linear(30, 8), ReLU(), Linear(8, 45))
        trainer = Trainer(
            model, losses.mse, Adam(model.parameters()), show=quiet, bar=False,
            out=tmp_path if group.first else None,
        )  # fmt: skip
        x, y = data("float32")
        batches = share(trainer, Batches(x, y, SIZE, 1), group)
        step = trainer.step

        def asked(done: int) -> None:
            if group.rank == 1 and done == 2:
                trainer.signals.number = 15

        trainer.recorder = type("Recorder", (), {"step": staticmethod(asked), "epoch": asked, "arrays": dict})
        finished = trainer.fit(batches, epochs=9)
        return finished, trainer.signal, step.optimiser.steps

    assert together(2, work) == [(False, 15, 3)] * 2
    assert (tmp_path / "checkpoint.npz").exists()


def test_what_cannot_be_shared_is_refused() -> None:
    class Two(Alone):
        size = 2

    model = LiftModel(1, 8)
    x, y = data("float32")
    trainer = Trainer(model, losses.mpjpe, Adam(model.parameters()), show=quiet)
    with pytest.raises(ArgumentError, match=r"batch_size=3: 2 processes need 4 rows at least"):
        share(trainer, Batches(x, y, 3), Two(), sync=False)

    class Another(TrainStep):
        pass

    trainer.step = Another(model, losses.mpjpe, trainer.optimiser)
    with pytest.raises(InputError, match="Another on Batches: several processes share"):
        share(trainer, Batches(x, y, 8), Two())


def test_images_are_normalised_together_by_nobody() -> None:
    class Two(Alone):
        size = 2

    net = Sequential(BatchNorm2d(3))
    with pytest.raises(ArgumentError, match="no statistics over all processes for BatchNorm2d"):
        share_layers(net, Two(), Place(0, 4, 8), sync=True)
    assert share_layers(net, Two(), Place(0, 4, 8), sync=False) == [net[0]]


def test_cores_are_divided_unless_the_launcher_has_done_so() -> None:
    def shares(*own: list[int]) -> list[int]:
        return together(len(own), lambda group: share_of(group, own[group.rank]))

    assert shares([0, 1, 2, 3], [0, 1, 2, 3]) == [2, 2]
    assert shares([0, 1], [2, 3]) == [2, 2]  # bound
    assert shares([0, 1, 2], [2, 3, 9]) == [2, 2]
    assert shares([0], [0], [0]) == [1, 1, 1]  # more processes than cores
