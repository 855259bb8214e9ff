"""A lifter as ONNX: another runtime gives the same joints, and the file says what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift import Lifter, LiftModel, Linear, extras
from minilift.cli.main import main
from minilift.errors import InputError
from minilift.lift import onnx as onnx_file
from minilift.lift.model import HEADS
from minilift.lift.onnx import IR, OPSET, difference, to_onnx
from minilift.poses.layouts import COURSE15

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
Capture = pytest.CaptureFixture[str]
POSES = make_poses(300)


def lived(
    head: str = "xyz", blocks: int = 2, width: int = 24, levels: bool = False, slope: float | None = None
) -> LiftModel:
    """A model whose every array is as after a training: norms that have seen data, units of the data."""
    model = LiftModel(blocks, width, head=head, levels=levels, seed=3, slope=slope)
    rng, state = np.random.default_rng(0), model.state_dict()
    for name, array in state.items():
        if name.endswith("running_var"):
            state[name] = rng.uniform(0.2, 3, array.shape).astype(np.float32)
        elif array.dtype == np.float32 and array.ndim == 1 and name != "slope":
            state[name] = rng.normal(0.3, 0.5, array.shape).astype(np.float32)
    model.load_state_dict(state)
    model.standardise(POSES.joint_2d, POSES.joint_3d)
    return model


def run(content: bytes, points: np.ndarray, **more: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"joint_2d": points, **more})[0])


def image(n: int, head: str) -> np.ndarray:
    points = np.random.default_rng(n).normal(0, 0.15, (n, 15, 2)).astype(np.float32)
    if head == "place":
        points[np.random.default_rng(1).random((n, 15)) < 0.3] = np.nan
    return points


# ---- the graph ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("blocks", "width"), [(2, 24), (0, 7), (1, 1), (3, 130)])
def test_another_runtime_gives_the_same_joints(head: str, blocks: int, width: int) -> None:
    model = lived(head, blocks, width)
    content, lifter = to_onnx(model), Lifter(model)
    for n in (1, 7, 1000):
        points = image(n, head)
        expected = lifter.predict(points)
        seen = ~np.isnan(points).all(axis=(1, 2))
        assert np.isfinite(expected[seen]).all()
        assert np.abs(run(content, points) - expected)[seen].max() < 1e-5  # 2e-6
    assert run(content, image(0, head)).shape == (0, 15, 3)
    assert difference(content, model) < 1e-5


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_networks_without_batch_norm_are_the_same_in_another_runtime(head: str, slope: float) -> None:
    """As training from one view makes them; negative values must reach the answer for the slope to tell."""
    model = lived(head, slope=slope)
    content, points = to_onnx(model), image(300, head)
    expected = Lifter(model).predict(points)
    seen = ~np.isnan(points).all(axis=(1, 2))
    assert np.abs(run(content, points) - expected)[seen].max() < 1e-5 * np.abs(expected[seen]).max()
    other = Lifter(lived(head, slope=0.2 - slope)).predict(points)
    assert np.abs(other - expected)[seen].max() > 1e-3
    kinds = {node.op_type for node in onnx.load_from_string(content).graph.node}
    assert kinds & {"Relu", "LeakyRelu", "BatchNormalization"} == {"LeakyRelu" if slope else "Relu"}


@pytest.mark.parametrize(("blocks", "width"), [(2, 24), (0, 7)])
def test_another_runtime_is_told_of_noise(blocks: int, width: int) -> None:
    """A second input, for weights with levels; of joints that were not seen it may be anything."""
    model = lived("place", blocks, width, levels=True)
    content, lifter = to_onnx(model), Lifter(model)
    for n in (1, 7, 1000):
        points = image(n, "place")
        sigma = np.random.default_rng(n).choice([0, 0.001, 0.01, 0.1], (n, 15)).astype(np.float32)
        expected = lifter.predict(points, sigma)
        seen = ~np.isnan(points).all(axis=(1, 2))
        sigma[np.isnan(points[..., 0])] = np.nan
        assert np.abs(run(content, points, sigma=sigma) - expected)[seen].max() < 1e-5
        exact = run(content, points, sigma=np.zeros_like(sigma))
        assert np.abs(exact - lifter.predict(points))[seen].max() < 1e-5
    assert np.abs(exact - expected)[seen].max() > 1e-3  # sigma does something
    assert difference(content, model) < 1e-5
    file = onnx.load_from_string(content)
    assert [value.name for value in file.graph.input] == ["joint_2d", "sigma"]
    assert "standard deviation" in {entry.key: entry.value for entry in file.metadata_props}["sigma"]


def test_the_default_size_is_written_with_three_products_of_four() -> None:
    """hidden1 and the first Linear of the first block are one matrix of 30 columns."""
    model = LiftModel()
    content = to_onnx(model)
    assert difference(content, model) < 1e-5
    assert 3 * 1024**2 * 4 < len(content) < 3.2 * 1024**2 * 4


@pytest.mark.parametrize("head", HEADS)
def test_the_file_is_valid_old_enough_and_says_what_it_is(head: str) -> None:
    file = onnx.load_from_string(to_onnx(lived(head), "CC0, as an example"))
    onnx.checker.check_model(file, full_check=True)
    assert [(entry.domain, entry.version) for entry in file.opset_import] == [("", OPSET)]
    assert file.ir_version == IR
    assert not {node.op_type for node in file.graph.node} & {"BatchNormalization", "Dropout"}
    shapes = {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*file.graph.input, *file.graph.output)
    }
    assert shapes == {"joint_2d": ["batch", 15, 2], "joint_3d": ["batch", 15, 3]}
    told = {entry.key: entry.value for entry in file.metadata_props}
    assert json.loads(told["joint_names"]) == list(COURSE15.joints)
    assert json.loads(told["parents"]) == list(COURSE15.parents)
    assert told["licence"] == "CC0, as an example"
    assert told["head"] == head
    assert ("NaN" in told["missing"]) == (head == "place")
    assert file.producer_name == "minilift"


def test_equal_weights_give_equal_files() -> None:
    assert to_onnx(lived("ray")) == to_onnx(lived("ray"))
    assert "licence" not in {entry.key for entry in onnx.load_from_string(to_onnx(lived())).metadata_props}


def test_what_cannot_be_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def block(width: int, dropout: float, init: str, rng: Any, ops: Any) -> Linear:
        return Linear(width, width, init=init, rng=rng, ops=ops)

    with pytest.raises(InputError, match="blocks of its own cannot be written as ONNX"):
        to_onnx(LiftModel(1, 8, make_block=block))
    with pytest.raises(InputError, match="the weights lift 17 joints; give weights for 15"):
        to_onnx(LiftModel(1, 8, output_nodes=51, input_nodes=34))
    monkeypatch.setattr(onnx_file, "LARGEST", 1000)
    with pytest.raises(InputError, match=r"[\d,]+ bytes of weights, and ONNX takes 1,000; use a narrower"):
        to_onnx(lived())


def test_a_file_that_is_no_onnx_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^onnxruntime refuses the file: [^\n]+$"):
        difference(b"nothing of the kind", lived())


# ---- the command -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Lifter(lived("ray")).save("liftModel")
    return tmp_path


def test_the_command_writes_and_checks(folder: Path, capsys: Capture) -> None:
    Path("text").write_text("for everyone")
    assert main(["export", "out/model.onnx", "--licence", "text"]) == 0
    printed = capsys.readouterr().out
    assert "wrote out/model.onnx, 0.0 MB: joint_2d (batch, 15, 2) to joint_3d (batch, 15, 3)" in printed
    assert "onnxruntime gives the same joints; the largest difference is " in printed
    points = image(5, "ray")
    found = run(Path("out/model.onnx").read_bytes(), points)
    assert np.abs(found - Lifter.load("liftModel").predict(points)).max() < 1e-5


def test_without_weights_here_the_starting_ones_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "model.onnx"]) == 0
    assert "weights: the starting ones (there is no liftModel here)" in capsys.readouterr().out


def test_a_file_is_replaced_with_force_only(folder: Path, capsys: Capture) -> None:
    Path("model.onnx").write_text("precious")
    assert main(["export", "model.onnx"]) == 2
    assert (
        "model.onnx: exists already; choose another name, or --force to replace it" in capsys.readouterr().err
    )
    assert Path("model.onnx").read_text() == "precious"
    assert main(["export", "model.onnx", "--force"]) == 0
    assert Path("model.onnx").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["folder.onnx"], "folder.onnx: a folder, where a file is to be written"),
        (["model.onnx", "--weights", "model.onnx"], "would overwrite what is read"),
        (["model.onnx", "--licence", "bytes"], "bytes: no text in UTF-8; give the text of a licence"),
        (["model.onnx", "--licence", "long"], "long: larger than 1,048,576 bytes"),
        (["model.onnx", "--weights", "other"], "other: the weights lift 17 joints; give weights for 15"),
    ],
)
def test_bad_calls_are_one_line(words: list[str], told: str, folder: Path, capsys: Capture) -> None:
    Path("folder.onnx").mkdir()
    Path("bytes").write_bytes(b"\xff\xfe\x00")
    Path("long").write_bytes(b" " * ((1 << 20) + 1))
    Lifter(LiftModel(1, 8, output_nodes=51, input_nodes=34)).save("other")
    assert main(["export", *words]) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert not Path("model.onnx").exists()


def test_a_file_that_answers_otherwise_is_not_kept(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = to_onnx(lived("xyz"))
    monkeypatch.setattr("minilift.cli.export.to_onnx", lambda model, licence: other)
    assert main(["export", "model.onnx"]) == 2
    assert "off, so the file was not kept" in capsys.readouterr().err
    assert not Path("model.onnx").exists()


def test_without_the_libraries(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "installed", lambda name: name != "onnxruntime")
    assert main(["export", "model.onnx"]) == 0
    assert "not checked: onnxruntime is not installed" in capsys.readouterr().out
    monkeypatch.setattr(extras, "installed", lambda name: False)
    assert main(["export", "model.onnx", "--force"]) == 2
    assert "writing ONNX needs onnx: pip install 'minilift[onnx]'" in capsys.readouterr().err
