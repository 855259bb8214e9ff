"""Joints that were not seen: the head that places them, its training, and its weights in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift import Adam, Lifter, LiftModel
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.lift.augment.tables import AIM_ERROR, PARTS
from minilift.lift.build import build_model
from minilift.lift.rays.place import Given, Place, Reliability
from minilift.lift.recipe import make_settings
from minilift.lift.run_epoch import run_epoch
from minilift.nn import Module
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses

N, J = 12, 4


def points(rng: Any, missing: float = 0.4) -> np.ndarray:
    """Image points (N, 2J) of which some were not seen."""
    x = rng.standard_normal((N, J, 2))
    x[rng.random((N, J)) < missing] = np.nan
    return x.reshape(N, 2 * J)


class Alone(Module):
    """One layer, or two in a row, of a single input: the others are fixed."""

    def __init__(self, forward: Any, backward: Any) -> None:
        super().__init__(get_ops("cpu", "float64"))
        self.forward, self.backward = forward, backward  # type: ignore[method-assign]


def alone(x: np.ndarray, o: np.ndarray, levels: bool) -> list[tuple[Module, np.ndarray]]:
    """Each layer as a function of each of its inputs in turn, and where: points with sigmas (N, 3J), o."""
    ops = get_ops("cpu", "float64")
    relied, given, place = Reliability(J, ops=ops), Given(levels, ops=ops), Place(ops=ops)
    r = relied.forward(x).copy()
    points = np.array(relied.points)
    dr, dpoints = np.empty_like(r), np.empty_like(points)

    def of_r(layer: Any, dy: np.ndarray) -> np.ndarray:
        layer.backward(dy, dr) if layer is given else layer.backward(dy, None, dr)
        return dr

    def of_points(dy: np.ndarray) -> np.ndarray:
        place.backward(dy, dpoints)
        return dpoints

    layers: list[tuple[Any, Any, np.ndarray]] = [
        (lambda p: given.forward(p, r), given.backward, points),
        (lambda o: place.forward(points, r, o), place.backward, o),
        (lambda p: place.forward(p, r, o), of_points, points),
    ]
    if levels:
        layers += [
            (relied.forward, lambda dy: relied.backward(dy, np.zeros_like(points)), x),
            (lambda r: given.forward(points, r), lambda dy: of_r(given, dy), r),
            (lambda r: place.forward(points, r, o), lambda dy: of_r(place, dy), r),
        ]
    return [(Alone(*both), at) for *both, at in layers]


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_gradients_are_derivatives(seed: int, levels: bool) -> None:
    """Central differences along a random direction, with a random cotangent, in float64."""
    rng = np.random.default_rng(seed)
    x = points(rng)
    if levels:
        x = np.concatenate([x, rng.uniform(0.001, 0.1, (N, J))], axis=1)
    model = LiftModel(1, 16, 0.0, input_nodes=2 * J, head="place", levels=levels, seed=seed, dtype="float64")
    model.standardise(rng.standard_normal((50, 2 * J)), rng.standard_normal((50, 3 * J)) - 1)
    for layer, at in [*alone(x, rng.standard_normal((N, 3 * J)), levels), (model, x)]:
        cotangent = rng.standard_normal(layer.forward(at).shape)
        dx = layer.backward(cotangent).copy()
        direction = rng.standard_normal(at.shape)
        if levels and at is x:
            direction[:, 2 * J :] *= 0.01
        if at.shape == (N, J):  # what was not seen has no reliability to be changed
            direction[at == 0] = 0
        eps = 1e-6
        there, back = (float((layer.forward(at + s * eps * direction) * cotangent).sum()) for s in (1, -1))
        numeric, analytic = (there - back) / (2 * eps), float(np.nansum(dx * direction))
        assert np.isfinite(dx).all()
        assert abs(numeric - analytic) < 1e-5 * max(abs(numeric), abs(analytic))  # worst seen 2e-8


@pytest.mark.parametrize("levels", [False, True])
def test_all_gradients_equal_torchs(levels: bool) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    x = points(rng)
    if levels:
        x = np.concatenate([x, rng.choice([0, 0.004, 0.05], (N, J))], axis=1)
    model = LiftModel(0, 8, 0.0, input_nodes=2 * J, head="place", levels=levels, dtype="float64")
    y = model.forward(x, train=True).copy()
    dy = rng.standard_normal(y.shape)
    dx = model.backward(dy).copy()

    ours = dict(model.named_parameters())
    theirs = {name: torch.tensor(p.data.copy(), requires_grad=True) for name, p in ours.items()}
    given = torch.tensor(x, requires_grad=True)
    image, sigma = given[:, : 2 * J], given[:, 2 * J :] if levels else torch.zeros(N, J).double()
    seen = ~torch.isnan(image)
    filled = torch.where(seen, image, torch.zeros_like(image)).reshape(N, J, 2)
    size = torch.ones(N, 1).double()
    if levels:
        size = ((filled**2).sum((1, 2)) / seen[:, ::2].sum(1)).sqrt()[:, None]
    own = sigma / size
    r = torch.where(seen[:, ::2], 0.03 / (0.03 + own), torch.zeros_like(sigma))
    w = torch.where(seen[:, ::2], 1 / (1 + (own / 0.3) ** 2), torch.zeros_like(sigma))
    columns = [(filled / size[..., None] * w[..., None]).reshape(N, 2 * J), w]
    columns += [r, torch.log(size)] if levels else []
    h = torch.cat(columns, 1) @ theirs["hidden1.weight"].T + theirs["hidden1.bias"]
    o = (h @ theirs["output.weight"].T + theirs["output.bias"]).reshape(N, J, 3)
    g = torch.where(seen[:, ::2], own / (0.3 + own), torch.ones_like(sigma))
    if levels:
        o = o * size[..., None] - torch.tensor([0.0, 0.0, 1.0]).double()
    at = w[..., None] * filled + g[..., None] * o[..., :2]
    there = torch.cat([-at * o[..., 2:], o[..., 2:]], 2).reshape(N, 3 * J)
    there.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, there.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(dx, torch.nan_to_num(given.grad).numpy(), atol=1e-11, rtol=1e-11)
    for name, p in ours.items():
        np.testing.assert_allclose(p.grad, theirs[name].grad.numpy(), atol=1e-12, err_msg=name)


def small(n: int = 3000) -> tuple[LiftModel, Poses]:
    people = synthesize(n, seed=5)
    model = LiftModel(1, 64, 0.0, head="place", seed=1)
    model.standardise(people.joint_2d, people.joint_3d)
    return model, Poses(people.joint_2d, people.joint_3d)


def hidden(image: np.ndarray, share: float = 0.2) -> np.ndarray:
    image = np.array(image)
    image[np.random.default_rng(0).random(image.shape[:2]) < share] = np.nan
    return image


def test_what_was_seen_lies_on_its_ray_and_what_was_not_is_finite() -> None:
    model, people = small(300)
    image = hidden(np.asarray(people.joint_2d))
    seen = ~np.isnan(image[..., 0])
    joints = Lifter(model).predict(image)
    assert np.isfinite(joints).all()
    again = joints[..., :2] / -joints[..., 2:]
    np.testing.assert_allclose(again[seen], image[seen], atol=2e-6)
    nothing = Lifter(model).predict(np.full((2, 15, 2), np.nan))
    assert np.isnan(nothing).all()


def test_the_network_takes_what_was_not_seen_for_what_it_is() -> None:
    """A joint that was not seen has no place, wherever one may stand."""
    model, people = small(50)
    lifter, image = Lifter(model), np.array(people.joint_2d)
    image[:, 11, 0] = np.nan  # one coordinate alone says that too
    other = image.copy()
    other[:, 11] = np.nan
    np.testing.assert_array_equal(lifter.predict(image), lifter.predict(other))


def test_weights_come_back_from_a_file(tmp_path: Path) -> None:
    model, people = small(100)
    image = hidden(np.asarray(people.joint_2d))
    Lifter(model).save(tmp_path / "w")
    lifter = Lifter.load(tmp_path / "w")
    assert (lifter.model.head, lifter.takes_missing, lifter.model.input_nodes) == ("place", True, 30)
    state = lifter.model.state_dict()
    assert state["hidden1.weight"].shape == (64, 45)
    assert state["output.weight"].shape == (45, 64)
    np.testing.assert_allclose(lifter.predict(image), Lifter(model).predict(image), atol=2e-5)


@pytest.mark.parametrize("n", [1, 2, 15, 300])
def test_the_fast_prediction_is_that_of_the_layers(n: int) -> None:
    model, people = small(300)
    image = hidden(np.asarray(people.joint_2d))[:n]
    layered = model.forward(image.reshape(n, 30)).reshape(n, 15, 3)
    np.testing.assert_allclose(Lifter(model).predict(image), layered, atol=5e-6)


def test_mirrored_and_averaged() -> None:
    model, people = small(100)
    image = hidden(np.asarray(people.joint_2d))
    lifter = Lifter(model)
    other = image[:, COURSE15.mirror] * np.array([-1, 1], np.float32)
    mirrored = lifter.predict(other)[:, COURSE15.mirror] * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(
        lifter.predict(image, flip=True), (lifter.predict(image) + mirrored) / 2, atol=1e-6
    )


def test_training_learns_to_place_joints() -> None:
    """Against the same network trained on whole poses and given the mean for what it lacks."""
    errors = {}
    held_out = synthesize(1000, seed=9)
    image, truth = hidden(np.asarray(held_out.joint_2d)), np.asarray(held_out.joint_3d)
    gone = np.isnan(image[..., 0])
    for head, dropout in (("place", 0.2), ("xyz", 0.0)):
        people = synthesize(4000, seed=5)
        model = LiftModel(1, 64, 0.0, head=head, seed=1)
        model.standardise(people.joint_2d, people.joint_3d)
        adam = Adam(model.parameters(), lr=3e-3)
        data = Poses(people.joint_2d, people.joint_3d)
        for epoch in range(8):
            run_epoch(
                epoch, data, model, adam, batch_size=128, progress=False,
                augmentation=Augmentation(joint_dropout=dropout),
            )  # fmt: skip
        filled = image if head == "place" else np.where(gone[..., None], data.joint_2d.mean(axis=0), image)
        off = np.linalg.norm(Lifter(model).predict(filled) - truth, axis=2)
        errors[head] = off[gone].mean(), off[~gone].mean()
    assert errors["place"][0] < 0.75 * errors["xyz"][0]  # measured: 0.57
    assert errors["place"][1] < 0.85 * errors["xyz"][1]  # measured: 0.75


def test_parts_are_hidden_together_as_often_as_asked() -> None:
    people = synthesize(4000, seed=5)
    augment = Augmenter(Augmentation(part_dropout=0.3), get_ops("cpu"), 4000, 0, float("nan"))
    x, _ = augment(0, *(augment.ops.asarray(a.reshape(4000, -1)) for a in (people.joint_2d, people.joint_3d)))
    gone = np.isnan(x.reshape(4000, 15, 2)).any(axis=2)
    assert abs(gone.any(axis=1).mean() - 0.3) < 0.03
    found = {tuple(np.flatnonzero(row).tolist()) for row in gone if row.any()}
    assert found == {tuple(sorted(part)) for part in PARTS}


def test_the_root_is_only_guessed_where_hips_are_hidden() -> None:
    """Then the camera looks past it, by some 0.015 on each axis, and image and joints still agree."""
    people = synthesize(4000, seed=5)
    augment = Augmenter(Augmentation(part_dropout=1.0, yaw=1e-3), get_ops("cpu"), 4000, 0, float("nan"))
    x, y = augment(0, *(augment.ops.asarray(a.reshape(4000, -1)) for a in (people.joint_2d, people.joint_3d)))
    image, pose = x.reshape(4000, 15, 2), y.reshape(4000, 15, 3)
    hips = [COURSE15.joints.index(f"{side}_hip") for side in ("right", "left")]
    root = pose[:, hips].mean(axis=1)
    off = root[:, :2] / -root[:, 2:]
    gone = np.isnan(image[:, hips, 0]).any(axis=1)
    assert 0.3 < gone.mean() < 0.6
    assert np.abs(off[~gone]).max() < 2e-3
    np.testing.assert_allclose(off[gone].std(axis=0), AIM_ERROR, rtol=0.1)
    np.testing.assert_allclose(np.linalg.norm(root, axis=1), 1, atol=2e-3)
    seen = ~np.isnan(image[..., 0])
    np.testing.assert_allclose(image[seen], (pose[..., :2] / -pose[..., 2:])[seen], atol=1e-5)


def test_the_preset_for_detectors() -> None:
    settings = make_settings("detector")
    assert (settings.head, settings.joint_dropout_to, settings.part_dropout) == ("place", 0.4, 0.2)
    assert build_model(replace(settings, hidden=8)).takes_noise
    assert settings.synthetic == make_settings("anyone").synthetic
