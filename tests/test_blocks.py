"""Models with blocks of one's own: trained, measured and lifted with layer by layer."""

from __future__ import annotations

import copy
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, Lifter, LiftModel, evaluate, run_epoch
from minilift.files.weights import load_state_dict
from minilift.lift.blocks import usual_block
from minilift.lift.fast.choose import fast_step
from minilift.lift.fast.folded import FoldedLift, LayeredLift
from minilift.lift.fast.step import TrainStep
from minilift.lift.training import lift_training
from minilift.nn import ReLU, losses
from minilift.optim import OneCycleLR
from minilift.studies.designs.block import USUAL, Block
from minilift.train.step import PlainStep

OWN = Block("linear relu norm dropout linear dropout", shortcut=True)
SAME = Block(f"{USUAL} {USUAL}")
POSES = make_poses(300)


def make(block: Any = OWN, dtype: str = "float64", **options: Any) -> LiftModel:
    return LiftModel(2, 24, 0.3, seed=3, dtype=dtype, make_block=block, **options)


def trained(model: LiftModel, epochs: int = 2) -> LiftModel:
    adam = Adam(model.parameters(), 1e-2)
    schedule = OneCycleLR(adam, 1e-2, epochs * (len(POSES) // 50))
    for epoch in range(epochs):
        run_epoch(epoch, POSES, model, adam, schedule, 50, progress=False)
    return model


def test_the_usual_blocks_layer_by_layer_are_the_fast_ones() -> None:
    fast, slow = trained(make(None)), trained(make(SAME))
    assert (fast.usual, slow.usual) == (True, False)
    for name, value in fast.state_dict().items():
        # Adam makes steps of the rounding in the gradients of the dead biases, and running means see them
        dead = name.endswith((".0.bias", ".4.bias", "running_mean"))
        noise = 1e-6 if dead else 1e-12  # worst seen 1.5e-9 and 9.2e-16
        np.testing.assert_allclose(slow.state_dict()[name], value, rtol=0, atol=noise, err_msg=name)
    assert evaluate(slow, POSES).mpjpe == pytest.approx(evaluate(fast, POSES).mpjpe, rel=1e-7)  # seen 6.6e-11


def test_dropout_and_relu_may_change_places() -> None:
    """A mask is 0 or positive, and relu(m x) = m relu(x): to the bit, so in training, too."""
    one, other = (trained(make(Block(f"{half} {half}"))) for half in (USUAL, "linear norm dropout relu"))
    assert all(
        np.array_equal(v, other.state_dict()[k]) for k, v in one.state_dict().items() if "res" not in k
    )
    # The other layers have other numbers
    assert one.flat.data.tobytes() == other.flat.data.tobytes()
    third = trained(make(Block(" ".join(["linear dropout norm relu"] * 2))))
    assert third.flat.data.tobytes() != one.flat.data.tobytes()


@pytest.mark.parametrize("head", ["xyz", "ray"])
def test_the_gradient_of_a_model_with_blocks_of_its_own(head: str) -> None:
    """Of loss = sum of y c for a random c, along random directions; in float64."""
    rng = np.random.default_rng(0)
    model = make(Block("linear norm relu linear", shortcut=False), head=head)
    model.standardise(POSES.joint_2d, POSES.joint_3d)
    x, cotangent = rng.standard_normal((16, 30)), rng.standard_normal((16, 45))

    def loss() -> float:
        return float((model.forward(x, train=True) * cotangent).sum())

    loss()
    model.backward(cotangent)
    gradient, start = model.flat.grad.copy(), model.flat.data.copy()
    for _ in range(5):
        direction = rng.standard_normal(start.shape)
        direction /= np.linalg.norm(direction)
        ends = []
        for step in (1e-6, -1e-6):
            model.flat.data[...] = start + step * direction
            ends.append(loss())
        model.flat.data[...] = start
        numeric, analytic = (ends[0] - ends[1]) / 2e-6, float((gradient * direction).sum())
        assert numeric == pytest.approx(analytic, rel=1e-5)  # worst seen 2.7e-8


@pytest.mark.parametrize("n", [0, 1, 2, 700])
def test_its_prediction_is_the_models_of_that_time(n: int) -> None:
    model = trained(make())
    lifter, x = Lifter(model), np.random.default_rng(0).standard_normal((n, 15, 2))
    expected = model.forward(x.reshape(n, 30)).copy().reshape(n, 15, 3)
    np.testing.assert_allclose(lifter.predict(x), expected, rtol=0, atol=1e-12)
    trained(model)
    np.testing.assert_allclose(lifter.predict(x), expected, rtol=0, atol=1e-12)


def test_several_threads_predict_one_after_the_other() -> None:
    inside: list[int] = []

    class Watched(ReLU):
        def forward(self, x: Any, train: bool = False) -> Any:
            inside.append(1)
            time.sleep(0.02)  # long enough for another thread to come in
            assert len(inside) == 1
            inside.pop()
            return super().forward(x, train)

    lifter, x = Lifter(make(lambda *_: Watched(ops=_[-1]))), np.ones((400, 15, 2))
    expected, found = lifter.predict(x), {}

    def predict(i: int) -> None:
        found[i] = lifter.predict(x[i:])

    threads = [threading.Thread(target=predict, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        np.testing.assert_allclose(found[i], expected[i:], rtol=0, atol=1e-12)


def test_what_does_the_work() -> None:
    usual, places, own = make(None), make(None, head="place", levels=True), make()
    assert make(usual_block).usual
    fused = TrainStep, FoldedLift
    for model, step, predictor in ((usual, *fused), (places, *fused), (own, PlainStep, LayeredLift)):
        for one in (model, copy.deepcopy(model)):
            adam = Adam(one.parameters())
            assert type(fast_step(one, losses.mpjpe, adam)) is step
            assert type(one.predictor()) is predictor


def test_a_trainer_keeps_its_best_weights(tmp_path: Path) -> None:
    model = make(dtype="float32")
    model.standardise(POSES.joint_2d, POSES.joint_3d)
    adam = Adam(model.parameters(), 1e-2)
    train, validation = POSES.take(slice(200)), POSES.take(slice(200, 300))
    training = lift_training(
        model, adam, None, train, validation, epochs=6, batch_size=50, out=tmp_path, show=lambda _: None,
        bar=False,
    )  # fmt: skip
    assert training.fit()
    again = make(dtype="float32")
    again.load_state_dict(load_state_dict(tmp_path / "liftModel"))
    assert evaluate(again, validation).mpjpe == pytest.approx(training.trainer.progress.best, rel=1e-5)
    with pytest.raises(ValueError, match="weights do not fit the model: missing"):
        LiftModel.from_state_dict(load_state_dict(tmp_path / "liftModel"))


def test_a_block_says_what_it_is_made_of() -> None:
    assert [type(layer).__name__ for layer in make().children["res-block_1"].children.values()] == [
        "Linear", "ReLU", "BatchNorm1d", "Dropout", "Linear", "Dropout",
    ]  # fmt: skip
    assert type(make(Block("linear", shortcut=False)).children["res-block_0"]).__name__ == "Sequential"
    assert len({layer.stream for layer in make().dropouts}) == 4
    with pytest.raises(KeyError, match="lineal"):
        make(Block("lineal"))
