"""Damaged, foreign and hostile weights files: one clear line each, in little time and memory."""

import pickle
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from raw_files import mutations, npz, parts, tensor_pickle, torch_file, zipped

from minilift.errors import InputError
from minilift.files.checkpoint import load_checkpoint
from minilift.files.weights import load_state_dict

STATE = {
    "hidden1.weight": np.random.default_rng(0).standard_normal((16, 30)).astype(np.float32),
    "hidden1.bias": np.zeros(16, np.float32),
    "res-block_0.1.num_batches_tracked": np.array(1951, np.int64),
}


def written(state=STATE):
    return torch_file(state)


def with_part(name, content, state=STATE):
    return zipped({**parts(written(state)), f"liftModel/{name}": content})


def without_part(name):
    return zipped({key: value for key, value in parts(written()).items() if key != f"liftModel/{name}"})


def tampered(*args, **kwargs):
    return with_part("data.pkl", tensor_pickle(*args, **kwargs), {"a": np.zeros(4, np.float32)})


def test_the_tampered_files_below_are_otherwise_sound(tmp_path):
    (tmp_path / "m").write_bytes(tampered((2, 2), (2, 1)))
    np.testing.assert_array_equal(load_state_dict(tmp_path / "m")["a"], np.zeros((2, 2)))


def calls(module, name):
    return with_part("data.pkl", f"c{module}\n{name}\n(S'mkdir was_run'\ntR.".encode())


def oversized():
    """A file whose directory claims a gigabyte for its first part."""
    content = bytearray(written())
    struct.pack_into("<II", content, content.index(b"PK\x01\x02") + 20, 1 << 30, 1 << 30)
    return bytes(content)


TWO_TYPES = tensor_pickle((2,), (1,), count=2, kind=b"torch\nLongStorage\n")[4:]
BAD = {
    "claims a gigabyte": (oversized(), "claims to hold more than its own size"),
    "one storage, two types": (
        with_part("data.pkl", tensor_pickle((4,), (1,))[:-2] + TWO_TYPES, {"a": np.zeros(4, np.float32)}),
        "its part data/0 has two types",
    ),
    "random bytes": (np.random.default_rng(1).bytes(3000), "is not a PyTorch weights file"),
    "text": (b"weights", "is a text file that begins 'weights', not a PyTorch weights file; name a file of"),
    "numbers pickled by hand": (pickle.dumps({"a": 1}), "holds no tensors of numbers, found a 1;"),
    "cut short": (
        written()[:-200],
        "is a damaged or incomplete zip file, not a PyTorch weights file; copy or save it again",
    ),
    "cut to the start": (written()[:100], "is a damaged or incomplete zip file"),
    "a changed weight": (
        written().replace(STATE["hidden1.weight"][3].tobytes(), bytes(120)),
        "its part data/0 is damaged",
    ),
    "an npz": (zipped({"a.npy": b""}), "is a .npz file of NumPy arrays, not a PyTorch weights file"),
    "two models": (zipped({"a/data.pkl": b"N.", "b/data.pkl": b"N."}), "without torch weights"),
    "TorchScript": (zipped({"a/data.pkl": b"N.", "a/constants.pkl": b"N."}), "is a TorchScript archive"),
    "missing storage": (without_part("data/0"), "its part data/0 is missing"),
    "missing description": (without_part("data.pkl"), "is a zip file of other things (liftModel/byteorder, "),
    "empty description": (with_part("data.pkl", b""), "the pickle is damaged or cut short"),
    "strange byte order": (with_part("byteorder", b"middle"), "byteorder is neither little nor big"),
    "storage too short": (with_part("data/0", bytes(100)), "its part data/0 has 100 bytes, not 480 numbers"),
    "os.system": (calls("os", "system"), "it asks to load 'os.system', which is not allowed and was not run"),
    "builtins.eval": (calls("builtins", "eval"), "it asks to load 'builtins.eval'"),
    "torch.load": (calls("torch", "load"), "holds no tensors of numbers, found (torch.load)"),
    "whole model without weights": (calls("__main__", "LiftModel"), "found (__main__.LiftModel)"),
    "a tensor alone": (with_part("data.pkl", b"I1\n."), "holds no tensors of numbers, found 1;"),
    "no tensors": (with_part("data.pkl", b"}."), "holds no tensors of numbers, found (dict of 0)"),
    "a number for a tensor": (
        with_part("data.pkl", b"}S'a'\nI1\ns."),
        "holds no tensors of numbers, found a 1;",
    ),
    "compressed": (zipped(parts(written()), zipfile.ZIP_DEFLATED), "has compressed parts"),
    "zip bomb": (
        zipped({"m/data.pkl": b"N.", "m/data/0": bytes(50_000_000)}, zipfile.ZIP_DEFLATED),
        "has compressed parts",
    ),
    "description of megabytes": (with_part("data.pkl", bytes(17 << 20)), "has a description of over"),
    "view beyond the storage": (tampered((5,), (1,)), "reaches beyond its storage"),
    "offset beyond the storage": (tampered((2,), (1,), offset=3), "reaches beyond its storage"),
    "stride beyond the storage": (tampered((2, 2), (3, 1)), "reaches beyond its storage"),
    "negative stride": (tampered((2,), (-1,), offset=1), "a tensor of impossible shape"),
    "negative size": (tampered((-2,), (1,)), "a tensor of impossible shape"),
    "negative offset": (tampered((2,), (1,), offset=-1), "a tensor of impossible shape"),
    "size and stride differ": (tampered((2, 2), (1,)), "a tensor of impossible shape"),
    "size that overflows": (tampered((2**62,) * 4, (0,) * 4), "a tensor of impossible shape"),
    "expanded to terabytes": (tampered((2**40,), (0,)), "it unpacks to far more than its own size"),
    "storage that lies": (tampered((4,), (1,), count=5), "its part data/0 has 16 bytes, not 5 numbers"),
    "storage of another type": (
        tampered((4,), (1,), kind=b"torch\nComplexFloatStorage\n"),
        "holds no tensors of numbers, found a (torch.ComplexFloatStorage)",
    ),
    "storage outside the folder": (tampered((4,), (1,), key="../../x"), "its part data/../../x is missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_clear_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, expected = BAD[name]
    path = tmp_path / "liftModel"
    path.write_bytes(content)
    begin = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        load_state_dict(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == [path]
    assert peak < 8 * len(content) + (1 << 20)
    assert time.perf_counter() - begin < 2


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"liftModel: no such file .*; check the name, or train one with"):
        load_state_dict(tmp_path / "liftModel")


def test_a_tensor_alone_is_no_state_dict(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.zeros(3), tmp_path / "m")
    with pytest.raises(
        InputError, match=r"holds no tensors of numbers, found float32 \(3,\); save it with torch"
    ):
        load_state_dict(tmp_path / "m")


@pytest.mark.parametrize(
    "content", [b"", b"x" * 50, struct.pack("<Q", 1 << 60) + b"{}", b"\x02" + bytes(7) + b"{}"]
)
def test_bad_safetensors_files(content, tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_state_dict(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).isprintable()


def test_mutated_descriptions_give_tensors_or_an_input_error(tmp_path):
    path = tmp_path / "liftModel"
    outcomes = {"read": 0, "refused": 0}
    members = parts(written())
    for content in mutations(np.random.default_rng(0), [members["liftModel/data.pkl"]], 500):
        path.write_bytes(zipped({**members, "liftModel/data.pkl": content}))
        try:
            state = load_state_dict(path)
        except InputError:
            outcomes["refused"] += 1
        else:
            assert sum(array.nbytes for array in state.values()) <= 4 * path.stat().st_size
            outcomes["read"] += 1
    assert outcomes["refused"] > 300
    assert outcomes["read"] > 3  # so the mutations are small enough to reach every part of the reader


def checkpoint(meta):
    return npz({"meta": meta})


def text(value):
    return np.frombuffer(value.encode(), np.uint8)


BAD_CHECKPOINTS = {
    "random bytes": (np.random.default_rng(2).bytes(500), "not a readable .npz file"),
    "cut short": (checkpoint(text("{}"))[:-10], "not a readable .npz file"),
    "a liftModel": (written(), "not a readable .npz file"),
    "no meta": (checkpoint(text("")), "no readable meta"),
    "meta is no object": (checkpoint(text("[1]")), "no readable meta"),
    "meta is no JSON": (checkpoint(text("{'a'")), "no readable meta"),
    "meta is nested too deep": (checkpoint(text("[" * 100_000)), "no readable meta"),
    "meta is pickled": (checkpoint(np.array({"a": 1}, object)), "not a readable .npz file"),
}


@pytest.mark.parametrize("name", BAD_CHECKPOINTS)
def test_bad_checkpoints(name, tmp_path):
    content, expected = BAD_CHECKPOINTS[name]
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()
