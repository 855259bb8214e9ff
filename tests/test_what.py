"""Whatever lies in place of a file, the message says what it really is, and what to do."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from raw_files import mutations, npy, npz, zipped

from minilift.errors import InputError
from minilift.files.checkpoint import load_checkpoint
from minilift.files.npz import read_npy
from minilift.files.weights import load_state_dict, save_state_dict
from minilift.files.what import kind_of
from minilift.lift.trust import TrustModel
from minilift.poses.poses import load_poses, load_scale
from minilift.poses.read.amc import read_amc
from minilift.poses.read.bvh import read_bvh
from minilift.show.runs.logs import read_log, read_record

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
ANNEX = b"/annex/objects/SHA256E-s12--abc.pkl\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"


def saved(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.pkl"), io.BytesIO())
    return file.getvalue()


def weights() -> bytes:
    from minilift.files.torch_write import write_torch

    file = io.BytesIO()
    write_torch(file, {"a": np.ones(3, np.float32)})
    return file.getvalue()


# What lies there -> what is said of it by every reader of another kind
FOREIGN: dict[str, tuple[bytes, str]] = {
    "gzip": (gzip.compress(b"a" * 50), "is a gzip-compressed file, not"),
    "bzip2": (bz2.compress(b"a" * 50), "is a bzip2-compressed file, not"),
    "xz": (lzma.compress(b"a" * 50), "is an xz-compressed file, not"),
    "tar": (tarred(), "is a tar archive, not"),
    "LFS pointer": (LFS, "is a Git LFS pointer, not the file that it points to, not"),
    "annex pointer": (ANNEX, "is a git-annex pointer, not the file that it points to, not"),
    "HTML page": (HTML, "is an HTML page, not"),
    "HTML page with blanks before": (b"\xef\xbb\xbf \r\n" + HTML, "is an HTML page, not"),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "is an XML file, not"),
    "JSON": (b'{"message": "Not Found"}', "is a JSON text, not"),
    "other zip": (zipped({"a/b": b"a", "c.jpg": b"b"}), "a zip file of other things (a/b, c.jpg)"),
    "damaged zip": (npz({"a": np.ones(100)})[:-40], "is a damaged or incomplete zip file, not"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(20), "is a PNG picture, not"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(20), "is an HDF5 file, not"),
    "zeros": (bytes(5000), "is a file of zero bytes, not"),
}  # fmt: skip
READERS: dict[str, Callable[[Path], Any]] = {
    "weights": load_state_dict,
    "weights.safetensors": load_state_dict,
    "poses.pkl": load_poses,
    "poses.npz": load_poses,
    "poses_2d.npy": load_poses,
    "scale.npy": lambda path: load_scale(path, 8),
    "checkpoint.npz": load_checkpoint,
    "liftModel.trust.npz": TrustModel.load,
    "record.npz": read_record,
    "log.csv": read_log,
    "clip.bvh": read_bvh,
    "clip.amc": read_amc,
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_really_there_is_told(reader: str, kind: str, tmp_path: Path) -> None:
    content, expected = FOREIGN[kind]
    path = tmp_path / reader
    path.write_bytes(content)
    if reader == "clip.amc":
        (tmp_path / "clip.asf").write_bytes(b":version 1.1\n")
    with pytest.raises(InputError) as caught:
        READERS[reader](path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert expected in message
    assert "; " in message
    assert message.isprintable()


@pytest.mark.parametrize("reader", READERS)
def test_an_empty_file_is_told(reader: str, tmp_path: Path) -> None:
    path = tmp_path / reader
    path.write_bytes(b"")
    with pytest.raises(InputError, match="the file is empty; write or copy it again"):
        READERS[reader](path)


def test_one_of_our_own_files_in_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for content, read, expected in (
        (weights(), load_checkpoint, "is a PyTorch file, not a readable .npz file"),
        (weights(), load_poses, "is a PyTorch file, not a readable .npz file"),
        (saved(np.ones(3)), load_state_dict, "is a .npy file: one NumPy array, not a PyTorch weights file"),
        (saved(np.ones(3)), load_poses, "is a .npy file: one NumPy array, not a pickle or .npz of poses"),
        (npz({"a": np.ones(3)}), load_state_dict, "is a .npz file of NumPy arrays, not a PyTorch"),
        (npz({"a": np.ones(3)}), read_npy, "is a .npz file of NumPy arrays, not a readable .npy file"),
        (b"epoch,steps\n1,2\n", load_poses, "is a training log, not a pickle or .npz of poses"),
        (b"HIERARCHY\nROOT a\n", load_state_dict, "is a BVH motion clip, not a PyTorch weights file"),
        (pickle.dumps({"a": 1}), load_checkpoint, "is a pickle, not a readable .npz file"),
    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read(path)
        assert expected in str(caught.value)


@pytest.mark.parametrize(
    "value", [{"joint_2d_1": np.ones((8, 15, 2))}, np.full(8, None), [1, "a", None]], ids=str
)
def test_an_npy_that_holds_a_dict_is_told(value: Any, tmp_path: Path) -> None:
    for name, read in (("a_scale.npy", lambda path: load_scale(path, 8)), ("a_2d.npy", load_poses)):
        np.save(tmp_path / name, np.array(value, object) if isinstance(value, list) else value)
        with pytest.raises(InputError) as caught:
            read(tmp_path / name)
        assert "it holds Python objects, such as a dict, not numbers" in str(caught.value)
        assert "save a dict of arrays with numpy.savez(name, **arrays)" in str(caught.value)


def test_kinds_that_are_read_are_known(tmp_path: Path) -> None:
    save_state_dict(tmp_path / "w.safetensors", {"a": np.ones(3, np.float32)})
    for content, name in (
        (weights(), "torch"),
        ((tmp_path / "w.safetensors").read_bytes(), "safetensors"),
        (npz({"a": np.ones(3)}), "npz"),
        (saved(np.ones(3)), "npy"),
        *(
            (pickle.dumps({"joint_2d_1": make_poses(2).joint_2d}, protocol), "pickle")
            for protocol in range(6)
        ),
        (b"\xef\xbb\xbfHIERARCHY\r\n", "bvh"),
        (b"  \n hierarchy\n", "bvh"),
        (b"# a comment\n:version 1.10\n", "asf"),
        (b"#!OML:ASF F:\n:FULLY-SPECIFIED\n:DEGREES\n1\n", "amc"),
        (b"epoch,steps,lr\n", "log"),
        ("Größe".encode("utf-16"), "text"),
        ("Größe".encode("cp1252"), "text"),
        (b"", "empty"),
        (b"\0", "zeros"),
        (np.random.default_rng(0).bytes(500), "unknown"),
    ):
        assert kind_of(content).name == name


def test_real_clips_are_known() -> None:
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real clips here")
    for ending in ("bvh",):
        found = sorted(folder.rglob(f"*.{ending}"))
        assert found
        for path in found:
            with open(path, "rb") as file:
                assert kind_of(file).name == ending, path


def test_anything_at_all_is_some_kind_in_no_time() -> None:
    seeds = [content for content, _ in FOREIGN.values() if len(content) < 3000]
    seeds += [weights(), npz({"a": np.ones(3)}), pickle.dumps({"a": 1}), saved(np.ones(3))]
    begin = time.perf_counter()
    for content in mutations(np.random.default_rng(0), seeds, 2000):
        assert kind_of(content).words.isprintable()
    assert time.perf_counter() - begin < 20


HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"


HOSTILE_HEADERS = [
    *(
        "(" * 4000,
        "[" * 4000,
        "-" * 4000,
        "{" * 4000,
        "1+" * 1500 + "1",
        "0x" * 2000,
        "'" * 4001,
        "\\" * 4000,
    ),
    *("{'descr': '<f8'}", "[1]", "__import__('os').mkdir('was_run')", "{[]: 1, 'a': 2}", "{1: 2, 'a': 3}"),
    *(
        HEADER.replace("'<f8'", kind)
        for kind in ("[('a', '<f8')]", "'(2,)<f8'", "'<c16'", "'<M8[s]'", "'<f800'", "3")
    ),
    *(
        HEADER.replace("(2,)", shape)
        for shape in ("(2.0,)", "(True, True)", "(-1, -2)", "2", "(" + "1," * 1500 + ")")
    ),
    HEADER.replace("(2,)", f"({'9' * 3000},)"),
]


@pytest.mark.parametrize("header", HOSTILE_HEADERS, ids=lambda text: text[:60])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_hostile_headers_of_npy_files(header: str, version: int, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").write_bytes(npy(header, bytes(16), version))
    begin = time.perf_counter()
    with pytest.raises(InputError) as caught:
        read_npy("a.npy")
    assert str(caught.value).startswith("a.npy: is not a readable .npy file (")
    assert str(caught.value).isprintable()
    assert time.perf_counter() - begin < 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


@pytest.mark.parametrize("header", [HEADER, HEADER.replace("(2,)", "(2L,)"), HEADER + " " * 60 + "\n"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_headers_of_every_version_and_of_python_2(header: str, version: int, tmp_path: Path) -> None:
    if version == 3 and "L" in header:
        pytest.skip("Python 2 never wrote this version")
    (tmp_path / "a.npy").write_bytes(npy(header, np.arange(2.0).tobytes(), version))
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), [0, 1])


def test_a_zip_in_a_zip_is_told_by_its_names() -> None:
    names = {f"part {i}\n\x1b": b"" for i in range(9)}
    words = kind_of(zipped(names, zipfile.ZIP_DEFLATED)).words
    assert words.startswith("a zip file of other things (part 0")
    assert words.endswith("...)")
    assert words.isprintable()


def test_a_safetensors_file_whose_length_begins_as_a_pickle_is_one(tmp_path: Path) -> None:
    """640 bytes of header: 80 02, as protocol 2 begins."""
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(640)
    path = tmp_path / "liftModel"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert load_state_dict(path)["a"].tolist() == [0]
