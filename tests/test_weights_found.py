"""Weights are found wherever people's files have them: nested, renamed, beside other things, of any torch."""

from __future__ import annotations

import argparse
import datetime
import io
import json
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from raw_files import mutations

from minilift.errors import InputError
from minilift.files.safetensors import read_safetensors, write_safetensors
from minilift.files.torch_read import LEGACY
from minilift.files.weights import Found, find_state_dict, load_state_dict, save_state_dict
from minilift.lift.lifter import Lifter
from minilift.lift.model import LiftModel
from minilift.lift.weights.stored import weights_of_lifter

STATE = LiftModel(1, 8, seed=3).state_dict()
OTHER = LiftModel(1, 8, seed=4).state_dict()


def pickled(content: Any) -> bytes:
    """Plain pickles of arrays take the same way as torch's files, and need no torch."""
    return pickle.dumps(content, 4)


def found(content: Any, folder: Path) -> Found:
    (folder / "m").write_bytes(pickled(content))
    return find_state_dict(folder / "m", weights_of_lifter)


def same(state: dict[str, np.ndarray], expected: dict[str, np.ndarray] = STATE) -> None:
    assert list(state) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(state[name], array)


def renamed(prefix: str, state: dict[str, np.ndarray] = STATE) -> dict[str, np.ndarray]:
    return {prefix + name: array for name, array in state.items()}


RNG_STATE = np.arange(5056, dtype=np.uint8)
NESTED: dict[str, Any] = {
    "plain": STATE,
    "beside numbers": {"model": STATE, "epoch": 3, "loss": np.float32(0.1), "best": np.array(0.1)},
    "beside a random state": {"model": STATE, "rng_state": RNG_STATE},
    "beside losses": {"state_dict": STATE, "losses": [np.float64(1.0), np.float64(0.5)], "lr": [0.1, 0.01]},
    "beside an array": {"net": STATE, "history": np.random.default_rng(0).standard_normal((30, 8))},
    "in the same dict": {**STATE, "epoch": 3, "rng": RNG_STATE, "note": "a", "optimizer": {"lr": 0.1}},
    "deep": {"a": {"b": {"c": [{"weights": STATE}]}}},
    "a tuple": (3, STATE),
    "a dict of modules": {
        "hidden1": {"weight": STATE["hidden1.weight"], "bias": STATE["hidden1.bias"]},
        **{name: array for name, array in STATE.items() if not name.startswith("hidden1")},
    },
    "odd keys": {1: {(2, 3): {b"four": {None: STATE}}}},
    "Lightning": {
        "epoch": 9, "global_step": 100, "pytorch-lightning_version": "2.0", "state_dict": renamed("model."),
        "loops": {"fit_loop": {"state_dict": {}}}, "callbacks": {"best": np.array(1.0)},
        "optimizer_states": [{"state": {0: {"step": np.array(1.0), "exp_avg": STATE["hidden1.weight"] * 2}}}],
        "lr_schedulers": [], "hyper_parameters": argparse.Namespace(lr=1e-3),
    },
    "with objects": {
        "model": STATE, "args": argparse.Namespace(lr=0.1), "when": datetime.datetime(2024, 1, 1),
        "seen": {1, 2}, "dtype": np.dtype("f4"), "path": Path("a"), (1, 2): 3,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
def test_weights_are_found_in_any_nesting(name: str, tmp_path: Path) -> None:
    same(found(NESTED[name], tmp_path).state)


PREFIXES = [
    "module.", "model.", "_orig_mod.", "net.", "network.", "lifter.", "generator.", "model_pos.",
    "_orig_mod.module.", "module._orig_mod.", "_orig_mod.model.", "model._orig_mod.", "module.module.",
    "module.module.module.", "model.module._orig_mod.net.", "anything.of.the.kind.", "pose-lifter_2.",
    "_forward_module.module.",
]  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_any_stack_of_prefixes_is_stripped(prefix: str, tmp_path: Path) -> None:
    got = found({"state_dict": renamed(prefix), "epoch": 3}, tmp_path)
    same(got.state)
    assert got.place == f"state_dict.{prefix[:-1]}"


@pytest.mark.parametrize(
    "prefix", [p for p in PREFIXES if "." in p and "anything" not in p and "pose-" not in p]
)
def test_known_prefixes_are_stripped_for_any_network(prefix: str, tmp_path: Path) -> None:
    state = {"layer.weight": np.ones((2, 3), np.float32), "layer.bias": np.ones(2, np.float32)}
    (tmp_path / "m").write_bytes(pickled({"epoch": 3, "net": renamed(prefix, state)}))
    same(load_state_dict(tmp_path / "m"), state)


def test_a_layers_own_name_is_no_prefix_without_a_network_to_fit(tmp_path: Path) -> None:
    state = {"fc.weight": np.ones((2, 3), np.float32), "fc.bias": np.ones(2, np.float32)}
    (tmp_path / "m").write_bytes(pickled(state))
    same(load_state_dict(tmp_path / "m"), state)


@pytest.mark.parametrize(
    "inner", ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]
)
def test_wrappers_in_the_middle_of_names_are_left_out(inner: str, tmp_path: Path) -> None:
    state = {name.replace("res-block_0.", f"res-block_0.{inner}."): array for name, array in STATE.items()}
    assert list(state) != list(STATE)
    same(found({"model": state}, tmp_path).state)


def test_strangers_are_left_out_and_named(tmp_path: Path) -> None:
    averaged = {"n_averaged": np.array(7), **renamed("module."), "criterion.weight": np.ones(15)}
    got = found({"ema": averaged, "epoch": 3, "optimizer": {"lr": 0.1, "betas": (0.9, 0.99)}}, tmp_path)
    same(got.state)
    expected = (
        "epoch 3", "optimizer (dict of 2)", "ema.n_averaged int64 ()", "ema.criterion.weight float64 (15,)",
    )  # fmt: skip
    assert sorted(got.ignored) == sorted(expected)
    lifter = Lifter.load(tmp_path / "m")
    assert lifter.note.startswith("not used: epoch 3, ")
    assert "n_averaged" in lifter.note


def test_a_plain_file_leaves_nothing_to_note(tmp_path: Path) -> None:
    save_state_dict(tmp_path / "m", STATE)
    assert Lifter.load(tmp_path / "m").note == ""


@pytest.mark.parametrize("average", ["ema", "model_ema", "swa_state", "averaged_model", "teacher"])
@pytest.mark.parametrize("first", [False, True])
def test_of_two_that_fit_the_plain_ones_are_taken_and_the_others_told(
    average: str, first: bool, tmp_path: Path
) -> None:
    both = {average: OTHER, "model": STATE} if first else {"model": STATE, average: OTHER}
    got = found(both, tmp_path)
    same(got.state)
    assert (got.place, got.others) == ("model", (repr(average),))
    assert f"the weights under 'model' are used, not '{average}'" in got.note


def test_of_equals_the_one_nearest_to_the_top_and_then_the_first_is_taken(tmp_path: Path) -> None:
    assert found({"b": {"c": OTHER}, "a": STATE, "d": OTHER}, tmp_path).place == "a"
    assert found({"z": STATE, "y": OTHER}, tmp_path).place == "z"


def test_the_same_weights_under_two_names_are_no_choice(tmp_path: Path) -> None:
    for again in (STATE, dict(STATE)):
        got = found({"last": STATE, "best": again}, tmp_path)
        same(got.state)
        assert got.others == ()
    shared = {**OTHER, "output.bias": STATE["output.bias"]}
    assert found({"last": STATE, "best": shared}, tmp_path).others == ("'best'",)


def test_what_does_not_fit_is_told_with_what_was_found_and_what_would(tmp_path: Path) -> None:
    without = {name: array for name, array in STATE.items() if name != "res-block_0.4.bias"}
    with pytest.raises(InputError) as caught:
        found({"optimizer": {"a.b": np.ones(3)}, "model": renamed("module.", without)}, tmp_path)
    message = str(caught.value)
    assert message.startswith(
        f"{tmp_path / 'm'}: 'res-block_0.4.bias' is missing; found optimizer.a.b (3,), "
    )
    assert "model.module.hidden1.weight (8, 30)" in message
    assert message.endswith("; save it with torch.save(model.state_dict(), path)")


def test_a_file_that_names_the_same_things_without_end_is_read_in_no_time(tmp_path: Path) -> None:
    nest: Any = {"a": STATE["hidden1.bias"]}
    for _ in range(60):
        nest = {"a": nest, "b": nest}
    nest["self"] = nest
    assert found({"model": STATE, "nest": nest}, tmp_path).place == "model"
    long = {".".join("a" * 20_000): STATE["hidden1.bias"] for _ in range(2)}
    assert found({"model": STATE, **long}, tmp_path).place == "model"


# ---- files of PyTorch -------------------------------------------------------------------------------


def saved(content: Any, folder: Path, legacy: bool = False) -> Path:
    torch = pytest.importorskip("torch")
    torch.save(content, folder / "m", _use_new_zipfile_serialization=not legacy)
    return folder / "m"


def tensors(state: dict[str, np.ndarray] = STATE) -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    return OrderedDict((name, torch.from_numpy(array.copy())) for name, array in state.items())


@pytest.mark.parametrize("legacy", [False, True])
def test_a_training_checkpoint_of_torch(legacy: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.role = "scale"
    tensor = torch.zeros(2)
    tensor.role = "shift"
    content = {
        "model": tensors(), "epoch": 3, "loss": torch.tensor(0.1), "rng_state": torch.get_rng_state(),
        "size": torch.Size([1, 2]), "dtype": torch.float16, "device": torch.device("cpu"), "p": parameter,
        "t": tensor, "complex": torch.zeros(2, dtype=torch.complex64), "losses": [np.float64(1.0)],
        "optimizer": torch.optim.Adam([torch.nn.Parameter(torch.zeros(3))]).state_dict(),
        "set": {1}, "rng": ("MT19937", np.arange(624, dtype=np.uint32), 1),
    }  # fmt: skip
    same(find_state_dict(saved(content, tmp_path, legacy), weights_of_lifter).state)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_model_that_was_saved_whole_is_read_without_its_code(legacy: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    half = [(nn.Linear(16, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1)) for _ in range(2)]
    parts = {"hidden1": nn.Linear(30, 16), "res-block_0": nn.Sequential(*half[0], *half[1])}
    model = nn.Sequential(OrderedDict(**parts, output=nn.Linear(16, 45)))
    expected = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    for whole in (model, {"net": torch.nn.DataParallel(model), "epoch": 3}):
        same(find_state_dict(saved(whole, tmp_path, legacy), weights_of_lifter).state, expected)


def test_averaged_compiled_and_parallel_models(tmp_path: Path) -> None:
    from torch_twin import OriginalLiftModel, torch

    model = OriginalLiftModel(1, 16)
    expected = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    for wrapped in (torch.optim.swa_utils.AveragedModel(model), torch.nn.DataParallel(model)):
        path = saved(wrapped.state_dict(), tmp_path)
        same(find_state_dict(path, weights_of_lifter).state, expected)


@pytest.mark.parametrize("protocol", range(6))
def test_a_state_dict_that_was_pickled(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(pickle.dumps(tensors(), protocol))
    same(find_state_dict(tmp_path / "m", weights_of_lifter).state)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "uint16", "uint32"])
def test_types_that_numpy_or_torch_lacked(dtype: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    bits = torch.arange(256 if "8" in dtype else 65536 if "16" in dtype else 1000).to(torch.int64)
    if dtype.startswith("float8"):
        tensor = bits.to(torch.uint8).view(getattr(torch, dtype))
    elif "float" in dtype:
        tensor = bits.to(torch.int16).view(getattr(torch, dtype))
    else:
        tensor = bits.to(getattr(torch, dtype))
    path = saved({"a": tensor.reshape(2, -1), "turned": tensor.reshape(4, -1).T}, tmp_path)
    expected = tensor.float().numpy() if "float" in dtype else tensor.numpy()
    state = load_state_dict(path) if "float" in dtype else find_state_dict(path).state
    np.testing.assert_array_equal(state["a"], expected.reshape(2, -1))
    np.testing.assert_array_equal(state["turned"], expected.reshape(4, -1).T)
    assert state["a"].dtype == expected.dtype


def legacy_file(
    order: list[str] | None = None, count: int = 4, said: int | None = None, end: int = 0
) -> bytes:
    """By hand, as torch 1.5 wrote {"w": FloatTensor [[0, 1], [2, 3]]}; every part free to be wrong."""

    def plain(value: Any) -> bytes:
        return pickle.dumps(value, 2)[2:-1]

    storage = b"(" + plain("storage") + b"ctorch\nFloatStorage\n" + plain("94") + plain("cuda:0")
    storage += plain(count) + b"NtQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + plain(0) + plain((2, 2)) + plain((2, 1))
    tensor += b"\x89ccollections\nOrderedDict\n)RtR"
    content = b"\x80\x02" + LEGACY + pickle.dumps(1001, 2)
    content += pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}, 2)
    content += (
        b"\x80\x02}" + plain("w") + tensor + b"s." + pickle.dumps(["94"] if order is None else order, 2)
    )
    content += struct.pack("<q", count if said is None else said) + np.arange(4, dtype="<f4").tobytes()
    return content[: len(content) - end]


def test_the_format_of_before_1_6(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(legacy_file())
    same(load_state_dict(tmp_path / "m"), {"w": np.array([[0, 1], [2, 3]], np.float32)})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (legacy_file(order=[]), "does not list the storages that its tensors refer to"),
        (legacy_file(order=["94", "95"]), "does not list the storages"),
        (legacy_file(said=5), "its part data/94 is not of 4 numbers"),
        (legacy_file(count=5), "is cut short"),
        (legacy_file(count=3), "a tensor that reaches beyond its storage"),
        (legacy_file(count=2**40), "is cut short"),
        (legacy_file(end=1), "is cut short"),
        (legacy_file(end=17), "is cut short"),
        (legacy_file().replace(b"94", b"9\n"), "data/9"),
    ],
)
def test_bad_files_of_before_1_6(content: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(content)
    if expected == "data/9":  # a name with a line break is as good as another
        assert list(load_state_dict(tmp_path / "m")) == ["w"]
        return
    with pytest.raises(InputError) as caught:
        load_state_dict(tmp_path / "m")
    assert str(caught.value).startswith(f"{tmp_path / 'm'}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()


def test_every_truncation_of_a_file_of_before_1_6_is_told(tmp_path: Path) -> None:
    content = legacy_file()
    for length in range(1, len(content)):
        (tmp_path / "m").write_bytes(content[:length])
        with pytest.raises(InputError):
            load_state_dict(tmp_path / "m")


def test_mutated_files_of_before_1_6_give_tensors_or_an_input_error(tmp_path: Path) -> None:
    read = 0
    for content in mutations(np.random.default_rng(0), [legacy_file()], 2000):
        (tmp_path / "m").write_bytes(content)
        try:
            state = load_state_dict(tmp_path / "m")
        except InputError:
            continue
        read += 1
        assert sum(array.nbytes for array in state.values()) <= 4 * len(content)
    assert 20 < read < 1900


# ---- safetensors ------------------------------------------------------------------------------------


def safetensors_file(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "float64", "uint8"])
def test_the_librarys_files_are_read(dtype: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    tensor = torch.arange(-6.0, 6.0).reshape(3, 4).abs().to(getattr(torch, dtype))
    state = {"a.weight": tensor, "empty": tensor[:0], "one": tensor[1, 2]}
    library.save_file({name: t.clone() for name, t in state.items()}, tmp_path / "w", {"format": "pt"})
    got = load_state_dict(tmp_path / "w")  # told by its content, whatever it is called
    for name, tensor in state.items():
        np.testing.assert_array_equal(got[name], tensor.double().numpy())
    assert got["a.weight"].dtype == (np.float32 if "float" in dtype and dtype != "float64" else dtype)


def test_what_we_write_is_the_librarys_to_the_byte() -> None:
    library = pytest.importorskip("safetensors.numpy")
    rng = np.random.default_rng(0)
    state = {
        "b.1": rng.standard_normal((3, 2)).astype(np.float32), 'a"ü\n': np.arange(3), "c": np.array(7),
        "d": np.zeros((0, 3)), "e": rng.standard_normal(5), "res-block_0.0.w": np.ones((2, 2), np.float32),
    }  # fmt: skip
    file = io.BytesIO()
    write_safetensors(file, state)
    assert file.getvalue() == library.save(state)


@pytest.mark.parametrize("turned", [np.ones((2, 3), np.float32).T, np.arange(3, dtype=">f4")])
def test_arrays_in_any_order_are_written(turned: np.ndarray) -> None:
    file = io.BytesIO()
    write_safetensors(file, {"a": turned})
    np.testing.assert_array_equal(read_safetensors("w", file.getvalue())["a"], turned)


ROW = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
BAD_SAFETENSORS: dict[str, tuple[bytes, str]] = {
    "header beyond the end": (struct.pack("<Q", 1 << 60) + b"{}", "its header should be"),
    "no JSON": (safetensors_file(b"{hello"), "is not a readable safetensors file"),
    "a list": (safetensors_file(b"[1]       "), "its header is no table of tensors"),
    "brackets without end": (safetensors_file(b'{"a":' + b"[" * 100_000), "is not a readable safetensors"),
    "a number without end": (
        safetensors_file(b'{"a":' + b"9" * 100_000 + b"}"),
        "not a readable safetensors",
    ),
    "no description": (safetensors_file({"a": 3}), "'a' is not described"),
    "no place": (safetensors_file({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)), "'a' is not described"),
    "negative shape": (safetensors_file({"a": {**ROW, "shape": [-2]}}, bytes(8)), "an impossible shape"),
    "overflowing shape": (
        safetensors_file({"a": {**ROW, "shape": [2**61] * 9}}, bytes(8)),
        "is not a readable safetensors file",
    ),
    "fractions": (safetensors_file({"a": {**ROW, "shape": [2.0]}}, bytes(8)), "an impossible shape"),
    "truth for a number": (safetensors_file({"a": {**ROW, "shape": [True]}}, bytes(8)), "an impossible"),
    "another type": (safetensors_file({"a": {**ROW, "dtype": "F4"}}, bytes(8)), "'a' is of type 'F4'"),
    "a strange type": (
        safetensors_file({"a": {**ROW, "dtype": ["F32"]}}, bytes(8)),
        "'a' is of type ['F32']",
    ),
    "shape and place differ": (
        safetensors_file({"a": {**ROW, "shape": [3]}}, bytes(8)),
        "(3,) needs 12 bytes",
    ),
    "overlap": (safetensors_file({"a": ROW, "b": ROW}, bytes(8)), "its tensors overlap, or leave gaps"),
    "gap": (safetensors_file({"a": {**ROW, "data_offsets": [4, 12]}}, bytes(12)), "overlap, or leave gaps"),
    "cut short": (safetensors_file({"a": ROW}, bytes(7)), "its tensors need 8 bytes, 7 are there"),
    "too long": (safetensors_file({"a": ROW}, bytes(9)), "its tensors need 8 bytes, 9 are there"),
    "a name with a line break": (safetensors_file({"a\n\x1b": 3}), "is not described"),
}


@pytest.mark.parametrize("name", BAD_SAFETENSORS)
def test_bad_safetensors(name: str, tmp_path: Path) -> None:
    content, expected = BAD_SAFETENSORS[name]
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_state_dict(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()


def test_mutated_safetensors_give_tensors_or_an_input_error() -> None:
    file = io.BytesIO()
    write_safetensors(file, {"a": np.ones((2, 3)), "b": np.arange(4), "c": np.ones(5, np.float32)})
    read = 0
    for content in mutations(np.random.default_rng(0), [file.getvalue()], 3000):
        try:
            read_safetensors("w", content)
            read += 1
        except InputError:
            pass
    assert 20 < read < 2900
