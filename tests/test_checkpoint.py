"""liftModel files pass between PyTorch and minilift unchanged, and checkpoints come back as they went."""

import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from raw_files import parts, torch_file, zipped

from minilift.files.checkpoint import load_checkpoint, save_checkpoint
from minilift.files.weights import load_state_dict, save_state_dict

RNG = np.random.default_rng(0)
STATE = {
    "hidden1.weight": RNG.standard_normal((16, 30)).astype(np.float32),
    "res-block_0.1.running_mean": RNG.standard_normal(16),
    "res-block_0.1.num_batches_tracked": np.array(1951, np.int64),
    "one": np.ones((1, 1), np.float32),
    "none": np.zeros((0, 3), np.float32),
    "turned": RNG.standard_normal((3, 5)).astype(np.float32).T,
    "swapped": RNG.standard_normal(4).astype(">f4"),
}


def same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert type(found[name]) is np.ndarray, name
        assert found[name].shape == array.shape, name
        assert found[name].dtype == array.dtype.newbyteorder("="), name
        assert found[name].flags.c_contiguous, name
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("name", ["liftModel", "weights.safetensors"])
def test_save_and_load_agree(name, tmp_path):
    path = tmp_path / name
    save_state_dict(path, STATE)
    found = load_state_dict(path)
    same({key: found[key] for key in STATE}, STATE)
    assert len(found) == len(STATE)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_the_same_weights_give_the_same_bytes(tmp_path):
    for name in "ab":
        save_state_dict(tmp_path / name, STATE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("dtype", [np.float16, np.int32, bool, complex, "U3"])
def test_other_types_are_not_written(dtype, tmp_path):
    with pytest.raises(ValueError, match="cannot save 'a' of type"):
        save_state_dict(tmp_path / "liftModel", {"a": np.zeros(3, dtype)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mmap", [False, True])
def test_torch_reads_what_we_write(mmap, tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "liftModel"
    save_state_dict(path, STATE)
    found = torch.load(path, weights_only=True, mmap=mmap)
    assert type(found) is OrderedDict
    assert all(tensor.is_contiguous() for tensor in found.values())
    same({name: tensor.numpy() for name, tensor in found.items()}, STATE)


def test_storages_are_aligned_for_memory_mapping(tmp_path):
    path = tmp_path / "liftModel"
    save_state_dict(path, STATE)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            name, extra = struct.unpack_from("<HH", content, info.header_offset + 26)
            assert (info.header_offset + 30 + name + extra) % 64 == 0


def torch_tensors(torch):
    """Tensors as models and scripts hold them, and what minilift should make of each."""
    x = torch.arange(24.0).reshape(4, 6) / 7
    return {
        "plain": x,
        "transposed": x.T,
        "every_second": x[1:, ::2],
        "row": x[2],
        "expanded": torch.ones(1).expand(3, 2),
        "parameter": torch.nn.Parameter(x * 2),
        "double": x.double(),
        "long": torch.tensor(7),
        "int": torch.arange(3, dtype=torch.int32),
        "short": torch.arange(3, dtype=torch.int16),
        "int8": torch.arange(-3, 3, dtype=torch.int8),
        "uint8": torch.arange(3, dtype=torch.uint8),
        "bool": x > 1,
        "half": x.half(),
        "bfloat16": x.bfloat16(),
        "empty": torch.zeros(0, 3),
    }


def as_numpy(tensor):
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype.itemsize == 2 and tensor.is_floating_point() else tensor).numpy()


@pytest.mark.parametrize("order", [OrderedDict, dict])
def test_we_read_what_torch_writes(order, tmp_path):
    torch = pytest.importorskip("torch")
    tensors = order(torch_tensors(torch))
    torch.save(tensors, tmp_path / "liftModel")
    same(
        load_state_dict(tmp_path / "liftModel"), {name: as_numpy(tensor) for name, tensor in tensors.items()}
    )


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_we_read_a_models_weights_inside_a_training_checkpoint(key, prefix, tmp_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    model(torch.zeros(2, 3)).sum().backward()
    optimiser.step()
    state = {prefix + name: tensor for name, tensor in model.state_dict().items()}
    torch.save(
        {"epoch": 3, "loss": np.float64(0.5), "optimiser": optimiser.state_dict(), key: state}, tmp_path / "m"
    )
    same(load_state_dict(tmp_path / "m"), {name: t.numpy() for name, t in model.state_dict().items()})


def test_tensors_from_a_gpu_and_a_big_endian_machine_are_read(tmp_path):
    state = {"a": np.arange(4, dtype=np.float32), "b": np.arange(3.0)}
    members = parts(torch_file(state))
    members["liftModel/data.pkl"] = members["liftModel/data.pkl"].replace(
        b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
    )
    assert b"cuda:0" in members["liftModel/data.pkl"]
    members["liftModel/byteorder"] = b"big"
    members["liftModel/data/0"] = state["a"].astype(">f4").tobytes()
    members["liftModel/data/1"] = state["b"].astype(">f8").tobytes()
    (tmp_path / "m").write_bytes(zipped(members))
    same(load_state_dict(tmp_path / "m"), state)


def test_files_of_early_torch_without_byteorder_are_read(tmp_path):
    members = parts(torch_file(STATE))
    del members["liftModel/byteorder"]
    (tmp_path / "m").write_bytes(zipped(members))
    same(load_state_dict(tmp_path / "m"), STATE)


def test_checkpoint_round_trip(tmp_path):
    path = tmp_path / "checkpoint.npz"
    generator = np.random.default_rng(3)
    meta = {"epoch": 7, "best": 0.004, "rng": generator.bit_generator.state, "name": "grüße", "none": None}
    save_checkpoint(path, STATE, meta)
    arrays, found = load_checkpoint(path)
    same(arrays, STATE)
    assert found == meta
    with np.load(path, allow_pickle=False) as plain:
        np.testing.assert_array_equal(plain["hidden1.weight"], STATE["hidden1.weight"])
    restored = np.random.default_rng(0)
    restored.bit_generator.state = found["rng"]
    assert restored.random() == generator.random()


def test_a_checkpoint_goes_to_exactly_the_name_given(tmp_path):
    save_checkpoint(tmp_path / "checkpoint", {}, {})
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint"]
    with pytest.raises(ValueError, match="'meta' is taken"):
        save_checkpoint(tmp_path / "checkpoint", {"meta": np.zeros(1)}, {})
