"""The weights that come with the package: found by their name, used where none are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses

from bench.starting.pack import pack
from minilift import InputError, Lifter, LiftModel
from minilift.cli.eval import main as evaluate
from minilift.cli.info import main as info
from minilift.cli.predict import main as predict
from minilift.cli.train import main as train
from minilift.cli.trust import main as trust
from minilift.files.safetensors import read_safetensors
from minilift.files.weights import save_state_dict
from minilift.lift.trust import fingerprint, trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.lift.weights import starting
from minilift.lift.weights.starting import STARTING, half, starting_weights, weights_file, weights_here
from minilift.poses.poses import save_poses

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
LARGEST = 20_000_000  # bytes


@pytest.fixture
def place(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A working folder with poses and no weights."""
    monkeypatch.chdir(tmp_path)
    save_poses(tmp_path / "poses.npz", make_poses(600))
    return tmp_path


def small(path: Path, seed: int = 0) -> Lifter:
    """A lifter of few units, kept with its trust."""
    poses, model = make_poses(600), LiftModel(1, 16, seed=seed)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save(path)
    lifter = Lifter.load(path)
    fit_trust(lifter, poses.take(np.arange(300)), poses.take(np.arange(300, 600))).save(trust_path(path))
    return lifter


# ---- the file ---------------------------------------------------------------------------------------------


def test_they_are_in_the_package_small_in_float16_and_trusted() -> None:
    path = starting_weights()
    assert path.stat().st_size + trust_path(STARTING).stat().st_size < LARGEST
    header = path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")]
    kinds = {name: row["dtype"] for name, row in json.loads(header).items()}
    assert {kind for name, kind in kinds.items() if name.endswith("0.weight")} == {"F16"}
    lifter = Lifter.load()
    assert lifter.weights == STARTING
    assert lifter.model.dtype == "float32"
    assert lifter.trust_model.weights == fingerprint(read_safetensors(path, path.read_bytes()))
    assert lifter.takes_missing
    assert lifter.takes_noise
    assert np.isfinite(lifter.predict(make_poses(3).joint_2d)).all()


def test_half_rounds_matrices_alone_and_refuses_what_it_cannot_hold() -> None:
    state = LiftModel(1, 8).state_dict()
    state["res-block_0.1.running_var"][:] = 1e-9
    found = half(state)
    assert {name: str(array.dtype) for name, array in found.items() if array.ndim == 2} == dict.fromkeys(
        (name for name, array in state.items() if array.ndim == 2), "float16"
    )
    assert (found["res-block_0.1.running_var"] == np.float32(1e-9)).all()
    state["output.weight"][0, 0] = 70000
    with pytest.raises(ValueError, match=r"output\.weight.*too large for float16"):
        half(state)


def test_a_run_is_packed_with_its_trust(tmp_path: Path) -> None:
    lifter = small(tmp_path / "liftModel")
    told = pack(tmp_path, tmp_path / "out")
    assert "joints moved by" in told
    packed, points = Lifter.load(tmp_path / "out" / "liftModel"), make_poses(50, 3).joint_2d
    moved = np.abs(packed.predict(points) - lifter.predict(points)).max()
    assert 0 < moved < 2e-3
    assert packed.has_trust
    assert (tmp_path / "out" / "liftModel").stat().st_size < (tmp_path / "liftModel").stat().st_size
    small(tmp_path / "other", seed=1)
    shutil.copy(trust_path(tmp_path / "other"), trust_path(tmp_path / "liftModel"))
    with pytest.raises(ValueError, match="is not of these weights"):
        pack(tmp_path, tmp_path / "out")


def test_weights_of_other_units_are_not_packed(tmp_path: Path, monkeypatch: Patch) -> None:
    small(tmp_path / "liftModel")
    monkeypatch.setattr("bench.starting.pack.half", lambda state: {k: a * 0.9 for k, a in state.items()})
    with pytest.raises(ValueError, match="rounding moves joints by"):
        pack(tmp_path, tmp_path / "out")


# ---- the name ---------------------------------------------------------------------------------------------


def test_the_name_wins_over_a_file_of_that_name(place: Path) -> None:
    small(place / STARTING)
    assert weights_file(STARTING) == starting_weights()
    assert weights_file("./starting") == "./starting"
    assert weights_file(Path(STARTING)) == Path(STARTING)
    assert Lifter.load("starting").model.hidden_layer != 16
    for name in ("./starting", Path(STARTING)):
        assert Lifter.load(name).model.hidden_layer == 16
        assert Lifter.load(name).has_trust
    assert trust_path(STARTING).parent == starting_weights().parent


def test_a_liftModel_in_the_folder_comes_first(place: Path) -> None:
    assert weights_here() == STARTING
    small(place / "liftModel")
    assert weights_here() == "liftModel"


def test_an_installation_without_them_says_what_to_do(
    place: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.setattr(starting.minilift, "__file__", str(place / "__init__.py"))
    with pytest.raises(InputError, match="not in this installation; install minilift again"):
        Lifter.load()
    assert predict(["poses.npz"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert "or name other weights" in told.err


def test_predict_and_eval_use_them_and_say_so(place: Path, capsys: Capture) -> None:
    assert predict(["poses.npz", "-o", "a.npz"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("weights: the starting ones (there is no liftModel here)\n")
    assert predict(["poses.npz", "-o", "b.npz", "--weights", STARTING]) == 0
    assert "weights:" not in capsys.readouterr().out
    with np.load(place / "a.npz") as first, np.load(place / "b.npz") as second:
        assert np.array_equal(first["joint_3d"], second["joint_3d"])
        assert np.array_equal(first["expected_error"], second["expected_error"])
    assert evaluate(["--data", "poses.npz", "--json"]) == 0
    told = capsys.readouterr()
    assert "note: no liftModel here; these are the starting weights\n" in told.err
    assert json.loads(told.out)["weights"] == STARTING
    small(place / "liftModel")
    assert evaluate(["--data", "poses.npz", "--json"]) == 0
    told = capsys.readouterr()
    assert "starting" not in told.err
    assert json.loads(told.out)["weights"] == "liftModel"


def test_info_knows_the_name(capsys: Capture) -> None:
    assert info(["starting", "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)
    assert (facts["file"], facts["kind"]) == ("starting", "weights of a lifter")


def test_export_knows_the_name(place: Path, capsys: Capture) -> None:
    pytest.importorskip("onnx", reason="ONNX needs: pip install 'minilift[onnx]'")
    from minilift.cli.export import main as export

    assert export(["model.onnx", "--weights", STARTING]) == 0
    assert (place / "model.onnx").stat().st_size > 100_000


def test_their_trust_is_learned_on_a_copy(place: Path, capsys: Capture) -> None:
    before = trust_path(STARTING).read_bytes()
    words = ["--weights", STARTING, "--data", "poses.npz", "--val-fraction", "0.4"]
    assert trust(words) == 0
    assert (place / "liftModel").read_bytes() == starting_weights().read_bytes()
    assert Lifter.load("liftModel").has_trust
    assert trust_path(STARTING).read_bytes() == before
    assert trust(words) == 2
    assert "would be copied here as liftModel, which exists" in capsys.readouterr().err


def test_training_does_not_give_its_weights_the_name(place: Path, capsys: Capture) -> None:
    assert train(["--data", "poses.npz", "--weights", STARTING]) == 2
    assert "--weights starting: is the name of the weights that come with minilift" in capsys.readouterr().err


def test_float16_is_written_and_read(tmp_path: Path) -> None:
    state = half(LiftModel(1, 8).state_dict())
    save_state_dict(tmp_path / "w.safetensors", state)
    found = read_safetensors(tmp_path / "w.safetensors", (tmp_path / "w.safetensors").read_bytes())
    assert {str(array.dtype) for array in found.values()} == {"float32", "int64"}
    assert all(np.array_equal(found[name], array) for name, array in state.items())
    library = pytest.importorskip("safetensors.numpy")
    read = library.load_file(tmp_path / "w.safetensors")
    assert all(
        np.array_equal(read[name], array) and read[name].dtype == array.dtype for name, array in state.items()
    )
    assert (tmp_path / "w.safetensors").read_bytes() == library.save(state)
