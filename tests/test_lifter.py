"""The lifter's network: its shape, its files, and that torch agrees about both."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Adam, InputError, Lifter, LiftModel, Poses, cal_mpjpe, run_epoch
from minilift.files.weights import load_state_dict, save_state_dict

TREE = """\
LiftModel(
  (hidden1): Linear(in_features=30, out_features=1024, bias=True)
  (res-block_0): Residual(
    (0): Linear(in_features=1024, out_features=1024, bias=True)
    (1): BatchNorm1d(1024, eps=1e-05, momentum=0.1)
    (2): ReLU()
    (3): Dropout(p=0.5)
    (4): Linear(in_features=1024, out_features=1024, bias=True)
    (5): BatchNorm1d(1024, eps=1e-05, momentum=0.1)
    (6): ReLU()
    (7): Dropout(p=0.5)
  )
  (res-block_1): Residual(
    (0): Linear(in_features=1024, out_features=1024, bias=True)
    (1): BatchNorm1d(1024, eps=1e-05, momentum=0.1)
    (2): ReLU()
    (3): Dropout(p=0.5)
    (4): Linear(in_features=1024, out_features=1024, bias=True)
    (5): BatchNorm1d(1024, eps=1e-05, momentum=0.1)
    (6): ReLU()
    (7): Dropout(p=0.5)
  )
  (output): Linear(in_features=1024, out_features=45, bias=True)
)"""


def trained(seed: int = 0) -> LiftModel:
    """A small model that is not in its initial state: standardised, and with moved running statistics."""
    model, poses = LiftModel(2, 32, seed=seed), make_poses(64, seed)
    model.standardise(poses.joint_2d, poses.joint_3d)
    for _ in range(3):
        model.forward(poses.joint_2d.reshape(64, 30), train=True)
    return model


def test_the_tree_and_the_table() -> None:
    model = LiftModel(dropout=0.5)
    assert str(model) == TREE
    lines = model.summary().splitlines()
    assert lines[-1] == "4,284,461 trainable parameters, 17.1 MB as float32"
    assert [line.split()[-1] for line in lines[2:4]] == ["31,744", "1,049,600"]
    assert "res-block_1.5 (BatchNorm1d)" in model.summary()
    assert len(lines) == 2 + 18 + 2
    assert lines[-3].split() == ["output", "(Linear)", "(n,", "45)", "46,125"]


def test_defaults_are_the_assignments() -> None:
    model = LiftModel(1, 8, 0.25, 6)
    assert (model.n_blocks, model.hidden_layer, model.output_nodes) == (1, 8, 6)
    assert [layer.p for layer in LiftModel(hidden_layer=4).dropouts] == [0.1] * 4


def test_same_seed_same_weights_another_seed_others() -> None:
    a, b, c = (LiftModel(1, 16, seed=s).flat.data for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_standardising_shows_the_layers_mean_0_and_deviation_1() -> None:
    model, poses = LiftModel(1, 16), make_poses(500)
    flat = np.concatenate([poses.joint_2d.reshape(500, 30)[:, :29], np.full((500, 1), 3, np.float32)], axis=1)
    model.standardise(flat, poses.joint_3d)
    assert model.before is not None
    seen = model.before.forward(flat)
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(seen[:, :29].std(axis=0), 1, atol=1e-4)
    assert np.isfinite(model.forward(flat)).all()


def test_the_saved_weights_hold_the_change_of_units() -> None:
    model, poses = trained(), make_poses(100, seed=5)
    x = poses.joint_2d.reshape(100, 30)
    plain = LiftModel.from_state_dict(model.state_dict())
    assert plain.before is plain.after is None
    np.testing.assert_allclose(plain.forward(x), model.forward(x), rtol=0, atol=1e-5)  # worst seen 1.2e-7


@pytest.mark.parametrize(("blocks", "hidden"), [(0, 8), (1, 8), (3, 24), (12, 4)])
def test_any_shape_is_rebuilt_from_the_weights_alone(blocks: int, hidden: int, tmp_path: Path) -> None:
    model = LiftModel(blocks, hidden)
    save_state_dict(tmp_path / "w", model.state_dict())
    found = Lifter.load(tmp_path / "w").model
    assert (found.n_blocks, found.hidden_layer) == (blocks, hidden)
    x = np.ones((2, 30), np.float32)
    np.testing.assert_array_equal(found.forward(x), model.forward(x))


def test_predict_takes_one_pose_or_many_in_both_shapes() -> None:
    lifter, poses = Lifter(trained()), make_poses(5000)
    whole = lifter.predict(poses.joint_2d)  # more than one chunk
    assert whole.shape == (5000, 15, 3)
    np.testing.assert_array_equal(lifter.predict(poses.joint_2d.reshape(5000, 30).astype(np.float64)), whole)
    np.testing.assert_allclose(lifter.predict(poses.joint_2d[4321].tolist()), whole[4321], atol=1e-6)
    assert lifter.predict(np.zeros((0, 15, 2))).shape == (0, 15, 3)
    with pytest.raises(ValueError, match=r"expected 2D joints of shape \(N, 15, 2\), got \(5, 17, 2\)"):
        lifter.predict(np.zeros((5, 17, 2)))


def test_snapshot_brings_everything_back() -> None:
    model, other = trained(), LiftModel(2, 32, seed=9)
    x = make_poses(32).joint_2d.reshape(32, 30)
    other.restore(model.snapshot())
    other.seed = model.seed
    for layer in other.dropouts:
        layer.seed = model.seed
    np.testing.assert_array_equal(other.forward(x, train=True), model.forward(x, train=True))
    np.testing.assert_array_equal(other.forward(x), model.forward(x))
    with pytest.raises(ValueError, match="has shape"):
        LiftModel(2, 16).restore(model.snapshot())


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"]
)
def test_a_copy_of_a_model_is_a_model_of_its_own(copied: Any) -> None:
    model, poses = trained(), make_poses(64)
    other = copied(model)
    before = model.flat.data.copy()
    np.testing.assert_array_equal(other.flat.data, before)
    run_epoch(0, poses, other, Adam(other.parameters(), lr=0.01), progress=False)
    np.testing.assert_array_equal(model.flat.data, before)
    moved = Lifter(other).predict(poses.joint_2d) - Lifter(model).predict(poses.joint_2d)
    assert np.abs(moved).max() > 1e-3
    stayed = [
        name
        for (name, p), q in zip(other.named_parameters(), model.parameters(), strict=True)
        if np.array_equal(p.data, q.data)
    ]
    # the biases in front of a normalisation, which have no effect
    assert stayed == [f"res-block_{i}.{j}.bias" for i in range(2) for j in (0, 4)]


def test_masks_follow_the_seed_of_the_model() -> None:
    x, drawn = np.ones((8, 30)), []
    for seed in (1, 1, 2):
        model = LiftModel(1, 16, 0.5, seed=seed)
        model.forward(x, train=True)
        drawn.append(model.dropouts[0].mask.copy())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_a_float64_model_predicts_in_float64() -> None:
    model, x = LiftModel(1, 8, dtype="float64"), np.random.default_rng(0).standard_normal((5, 30))
    found = Lifter(model).predict(x).reshape(5, 45)
    np.testing.assert_allclose(found, model.forward(x), rtol=0, atol=1e-14)


def test_standardise_takes_only_data_that_fits() -> None:
    model, poses = LiftModel(1, 8), make_poses(10)
    with pytest.raises(ValueError, match=r"data of shape \(10, 15, 3\), expected rows of 30 numbers"):
        model.standardise(poses.joint_3d, poses.joint_3d)
    with pytest.raises(ValueError, match="9 poses in 2D, 10 in 3D"):
        model.standardise(poses.joint_2d[:9], poses.joint_3d)
    with pytest.raises(ValueError, match="-1 blocks of width 8"):
        LiftModel(-1, 8)


# ---- bad weights -----------------------------------------------------------------------------------


def _without(key: str) -> dict[str, np.ndarray]:
    state = trained().state_dict()
    del state[key]
    return state


def _with(key: str, value: np.ndarray) -> dict[str, np.ndarray]:
    return {**trained().state_dict(), key: value}


def _one_nan(n: int) -> np.ndarray:
    weight = np.ones((n, n), np.float32)
    weight[3, 4] = np.nan
    return weight


BAD = {
    "no output": (lambda: _without("output.weight"), "no matrix 'output.weight'"),
    "a missing bias": (lambda: _without("res-block_1.4.bias"), "'res-block_1.4.bias' is missing"),
    "a missing matrix": (lambda: _without("res-block_0.4.weight"), "'res-block_0.4.weight' is missing"),
    "a layer too many": (
        lambda: _with("res-block_0.8.weight", np.ones((32, 32), np.float32)),
        "'res-block_0.8.weight' is no part of a LiftModel",
    ),
    "a third block in part": (
        lambda: _with("res-block_7.0.bias", np.ones(32, np.float32)),
        "'res-block_2.0.weight'",
    ),
    "a misshapen vector": (
        lambda: _with("res-block_0.1.weight", np.ones(31, np.float32)),
        "'res-block_0.1.weight' has shape (31,), expected (32,)",
    ),
    "ends that do not fit": (
        lambda: _with("output.weight", np.ones((45, 31), np.float32)),
        "do not fit together",
    ),
    "another task's ends": (
        lambda: _with("hidden1.weight", np.ones((32, 28), np.float32)),
        "28 to 45 numbers",
    ),
    "no matrix": (lambda: _with("hidden1.weight", np.ones(3, np.float32)), "no matrix 'hidden1.weight'"),
    "one nan": (lambda: _with("res-block_0.0.weight", _one_nan(32)), "'res-block_0.0.weight' has values"),
    "a negative variance": (
        lambda: _with("res-block_0.1.running_var", -np.ones(32, np.float32)),
        "negative variance",
    ),
    "nan": (
        lambda: _with("output.bias", np.full(45, np.nan, np.float32)),
        "'output.bias' has values that no training gives",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_weights_that_do_not_fit_are_told_in_one_line(name: str, tmp_path: Path) -> None:
    make, expected = BAD[name]
    path = tmp_path / "liftModel"
    save_state_dict(path, make())
    with pytest.raises(InputError) as error:
        Lifter.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


# ---- torch -----------------------------------------------------------------------------------------


def test_torch_writes_and_we_predict_the_same(tmp_path: Path) -> None:
    from torch_twin import OriginalLiftModel, torch

    torch.manual_seed(0)
    theirs, poses = OriginalLiftModel(2, 64), make_poses(200)
    x = torch.from_numpy(poses.joint_2d.reshape(200, 30))
    theirs.train()(x)
    torch.save(theirs.state_dict(), tmp_path / "liftModel")
    with torch.no_grad():
        expected = theirs.eval()(x).numpy().reshape(200, 15, 3)
    ours = Lifter.load(tmp_path / "liftModel").predict(poses.joint_2d)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5)  # worst seen 1.2e-7


def test_we_write_and_the_original_script_gets_our_mpjpe(tmp_path: Path) -> None:
    from torch_twin import OriginalLiftModel, torch

    model, poses = trained(), make_poses(200, seed=7)
    save_state_dict(tmp_path / "liftModel", model.state_dict())
    theirs = OriginalLiftModel(2, 32)
    theirs.load_state_dict(torch.load(tmp_path / "liftModel", weights_only=True))
    with torch.no_grad():
        predicted = theirs.eval()(torch.from_numpy(poses.joint_2d.reshape(200, 30)))
    ours = Lifter(model).predict(poses.joint_2d)
    np.testing.assert_allclose(predicted.numpy().reshape(200, 15, 3), ours, rtol=0, atol=1e-5)
    truth = torch.from_numpy(poses.joint_3d)
    their_mpjpe = (predicted.reshape(-1, 15, 3) - truth).norm(dim=2).mean().item()
    assert their_mpjpe == pytest.approx(cal_mpjpe(ours, poses.joint_3d), rel=1e-5)


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "_orig_mod."])
def test_wrapped_models_and_those_of_old_torch_are_read(prefix: str, tmp_path: Path) -> None:
    state = trained().state_dict()
    short = {prefix + key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    save_state_dict(tmp_path / "w", short)
    found = Lifter.load(tmp_path / "w").model.state_dict()
    assert found["res-block_1.5.num_batches_tracked"] == 0
    np.testing.assert_array_equal(found["output.weight"], state["output.weight"])


def test_text_in_a_weights_file_is_told(tmp_path: Path) -> None:
    from torch_twin import torch

    torch.save({"hidden1.weight": np.array(["a"])}, tmp_path / "w")
    with pytest.raises(InputError, match=r"holds no tensors of numbers, found hidden1.weight <U1 \(1,\)"):
        Lifter.load(tmp_path / "w")


def test_keys_and_shapes_are_the_originals() -> None:
    from torch_twin import OriginalLiftModel

    expected = {key: tuple(value.shape) for key, value in OriginalLiftModel().state_dict().items()}
    found = {key: value.shape for key, value in LiftModel().state_dict().items()}
    assert list(found.items()) == list(expected.items())


def test_safetensors_go_out_and_in(tmp_path: Path) -> None:
    model = trained()
    Lifter(model).save(tmp_path / "w.safetensors")
    state = load_state_dict(tmp_path / "w.safetensors")
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(state[key], value)
    assert Lifter.load(tmp_path / "w.safetensors").model.n_blocks == 2


# ---- heads, and what prediction may do besides ------------------------------------------------------


def seen(poses: np.ndarray) -> np.ndarray:
    return poses[..., :2] / -poses[..., 2:]


def some_lifter(head: str = "xyz", n: int = 60) -> tuple[Lifter, Poses]:
    poses = make_poses(n)
    model = LiftModel(1, 32, seed=1, head=head)
    model.standardise(poses.joint_2d, poses.joint_3d)
    return Lifter(model), poses


def test_joints_on_rays_project_onto_the_image() -> None:
    lifter, poses = some_lifter("ray")
    np.testing.assert_allclose(seen(lifter.predict(poses.joint_2d)), poses.joint_2d, atol=1e-6)
    xyz, _ = some_lifter()
    assert np.abs(seen(xyz.predict(poses.joint_2d)) - poses.joint_2d).max() > 1e-3


def test_a_head_of_depths_is_known_again_from_its_weights(tmp_path: Path) -> None:
    lifter, poses = some_lifter("ray")
    lifter.save(tmp_path / "liftModel")
    again = Lifter.load(tmp_path / "liftModel")
    assert again.model.head == "ray"
    assert again.model.output_nodes == 15
    expected = lifter.predict(poses.joint_2d)
    np.testing.assert_allclose(again.predict(poses.joint_2d), expected, atol=1e-6)
    model_alone = lifter.model.forward(poses.joint_2d.reshape(60, 30)).reshape(60, 15, 3)
    np.testing.assert_allclose(expected, model_alone, atol=1e-6)


def test_projecting_keeps_the_depths_and_meets_the_image() -> None:
    lifter, poses = some_lifter()
    plain, projected = (lifter.predict(poses.joint_2d, project=project) for project in (False, True))
    np.testing.assert_array_equal(projected[..., 2], plain[..., 2])
    np.testing.assert_allclose(seen(projected), poses.joint_2d, atol=1e-6)
    one = lifter.predict(poses.joint_2d[0], project=True)
    np.testing.assert_allclose(one, projected[0], atol=1e-6)


@pytest.mark.parametrize("head", ["xyz", "ray"])
def test_flipping_averages_with_the_mirror_image(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "minilift.lift.lifter.chunks", lambda n: [slice(i, i + 7) for i in range(0, n, 7)]
    )  # several parts
    lifter, poses = some_lifter(head)
    sides = np.array([-1, 1])
    mirror = [3, 4, 5, 0, 1, 2, 6, 7, 8, 12, 13, 14, 9, 10, 11]
    other = lifter.predict((poses.joint_2d * sides)[:, mirror])[:, mirror] * np.array([-1, 1, 1])
    expected = (lifter.predict(poses.joint_2d) + other) / 2
    flipped = lifter.predict(poses.joint_2d, flip=True)
    np.testing.assert_allclose(flipped, expected, atol=1e-6)
    # Of a mirrored pose it is the mirrored answer
    turned = lifter.predict((poses.joint_2d * sides)[:, mirror].astype("f4"), flip=True)
    np.testing.assert_allclose(turned[:, mirror] * np.array([-1, 1, 1]), flipped, atol=1e-6)


def unseen(poses: Poses) -> tuple[np.ndarray, np.ndarray]:
    """The poses' points with a NaN in one coordinate or both of every fifth, and which are left."""
    points = np.array(poses.joint_2d)
    flat = points.reshape(-1, 2)
    flat[::5, 0] = np.nan
    flat[5::10] = np.nan
    flat[::15, 1] = 0.1
    flat[0] = 0.1, np.nan
    points[7] = np.asarray(poses.joint_2d)[7]  # a pose that lacks nothing
    return points, ~np.isnan(points).any(axis=2)


@pytest.mark.parametrize("options", [{}, {"flip": True}])
def test_missing_keypoints_are_lifted_as_the_root(options: dict[str, bool]) -> None:
    lifter, poses = some_lifter()
    points, given = unseen(poses)
    before = points.copy()
    found = lifter.predict(points, missing=True, **options)
    np.testing.assert_array_equal(points, before)
    expected = lifter.predict(np.where(given[..., None], points, 0), **options)
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found).all()
    flat = lifter.predict(points.reshape(60, 30).astype("f8"), missing=True, **options)
    np.testing.assert_array_equal(flat, found)
    assert lifter.predict(points[:0], missing=True, **options).shape == (0, 15, 3)
    one = lifter.predict(points[1], missing=True, **options)
    np.testing.assert_allclose(one, found[1], atol=1e-6)
    # without the word, a pose that lacks something has no answer
    without = lifter.predict(points, **options)
    np.testing.assert_array_equal(np.isnan(without).any(axis=(1, 2)), ~given.all(axis=1))


@pytest.mark.parametrize("flip", [False, True])
def test_where_nothing_is_missing_nothing_changes(flip: bool) -> None:
    lifter, poses = some_lifter()
    plain, asked = (lifter.predict(poses.joint_2d, flip=flip, missing=missing) for missing in (False, True))
    np.testing.assert_array_equal(asked, plain)


@pytest.mark.parametrize("flip", [False, True])
def test_projecting_leaves_missing_joints_where_they_are(flip: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilift.lift.lifter.chunks", lambda n: [slice(i, i + 7) for i in range(0, n, 7)])
    lifter, poses = some_lifter()
    points, given = unseen(poses)
    free, projected = (
        lifter.predict(points, missing=True, flip=flip, project=project) for project in (False, True)
    )
    np.testing.assert_array_equal(projected[~given], free[~given])
    np.testing.assert_allclose(seen(projected)[given], points[given], atol=1e-6)
    np.testing.assert_array_equal(projected[..., 2], free[..., 2])
    assert np.abs(seen(free) - seen(projected)).max() > 1e-3


def test_a_missing_joint_has_no_ray() -> None:
    lifter, poses = some_lifter("ray")
    with pytest.raises(InputError, match=r"missing=True: a missing keypoint has no ray.*head 'xyz'"):
        lifter.predict(poses.joint_2d, missing=True)


def test_flipping_needs_the_courses_joints() -> None:
    lifter = Lifter(LiftModel(0, 4, output_nodes=6, input_nodes=4))
    with pytest.raises(ValueError, match="of 15 joints, not of 2"):
        lifter.predict(np.zeros((1, 2, 2)), flip=True)


def test_an_unknown_head_is_told() -> None:
    with pytest.raises(ValueError, match="head 'depth' is unknown; use one of xyz, ray"):
        LiftModel(head="depth")
