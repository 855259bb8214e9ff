"""The restricted unpickler: reads every array pickle there is, runs nothing, and survives rubbish."""

import argparse
import datetime
import decimal
import enum
import fractions
import io
import os
import pickle
import struct
import time
import tracemalloc
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from raw_files import mutations

from minilift.errors import InputError
from minilift.files.pickles.arrays import read_pickle
from minilift.files.pickles.opaque import Opaque

REMEDY = "write it again"
VALUES = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "big_endian": np.arange(4, dtype=">f8"),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(10)[::2],
    "bool": np.array([True, False]),
    "half": np.array([1.5], np.float16),
    "empty": np.zeros((0, 15, 3), np.float32),
    "zero_d": np.array(7, np.int64),
    "text": np.array(["ab", "c"]),
    "bytes_text": np.array([b"ab", b"c"]),
    "scalar": np.float32(2.5),
    "int": -(2**40),
    "long": 2**200,
    "none": None,
    "flags": [True, False, ()],
    "string": "grüße",
    "nested": {"a": [1, 2.5, {"b": (1, 2, 3, 4)}]},
    "ordered": OrderedDict(a=1),
    "bytes": b"\x00\xff",
}


def read(content: bytes):
    return read_pickle("some.pkl", content, REMEDY)


def same(a, b):
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and a.dtype == b.dtype and a.shape == b.shape and (a == b).all()
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("module", ["numpy._core", "numpy.core"])
def test_reads_what_numpy_writes(protocol, module):
    content = pickle.dumps(VALUES, protocol)
    if protocol < 4:  # later ones count the bytes of a name
        content = content.replace(b"numpy._core", module.encode())
    found = read(content)
    assert found.keys() == VALUES.keys()
    assert [key for key in VALUES if not same(VALUES[key], found[key])] == []
    assert found["float32"].flags.writeable
    assert found["fortran"].flags.c_contiguous


def test_reads_an_array_that_is_in_the_file_twice_or_alone():
    array = np.arange(5.0)
    first, second = read(pickle.dumps([array, array]))
    assert first is second
    assert same(array, read(pickle.dumps(array)))


@pytest.mark.parametrize("name", [b"numpy._core.multiarray", b"numpy.core.multiarray"])
def test_reads_both_module_names_in_protocol_4(name):
    content = pickle.dumps(np.arange(3.0), 4)
    written = np.arange(0).__reduce__()[0].__module__.encode()
    content = content.replace(bytes([len(written)]) + written, bytes([len(name)]) + name)
    assert name in content
    size = struct.pack("<Q", len(content) - 11)  # the frame counts its bytes
    assert same(np.arange(3.0), read(content[:3] + size + content[11:]))


def test_reads_a_python_2_pickle():
    """As Python 2.7 with numpy 1.16 wrote {'a': array([1., 2.], dtype=float32)} in protocol 0."""
    content = (
        b"(dp0\nS'a'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nS'b'\np5\n"
        b"tp6\nRp7\n(I1\n(I2\ntp8\ncnumpy\ndtype\np9\n(S'f4'\np10\nI0\nI1\ntp11\nRp12\n(I3\nS'<'\np13\nNNN"
        b"I-1\nI-1\nI0\ntp14\nbI00\nS'\\x00\\x00\\x80?\\x00\\x00\\x00@'\np15\ntp16\nbsS'n'\nL3L\ns."
    )
    found = read(content)
    assert same(np.array([1, 2], np.float32), found["a"])
    assert found["n"] == 3


class Runs:
    """Pickles to a call of any function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


CALLS = {
    "os.system": Runs(os.system, "touch was_run"),
    "os.mkdir": Runs(os.mkdir, "was_run"),
    "builtins.eval": Runs(eval, "open('was_run', 'w')"),
    "builtins.open": Runs(open, "was_run", "w"),
    "builtins.getattr": Runs(getattr, "a", "join"),
    "numpy.load": Runs(np.load, "was_run"),
    "pathlib.Path": Runs(Path, "was_run"),
}
ONLY_HARMFUL = ("os.system", "os.mkdir", "builtins.eval", "builtins.open")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", CALLS)
def test_runs_nothing(name, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"joint_2d_1": CALLS[name]}, protocol)
    with pytest.raises(InputError) as caught:
        read_pickle("some.pkl", content, REMEDY, ("joint_2d_1",))
    message = str(caught.value)
    assert message.startswith("some.pkl: ")
    assert ("refused: it asks to load" in message) == (name in ONLY_HARMFUL)
    assert name.split(".")[1] in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ONLY_HARMFUL])
def test_what_is_not_needed_is_not_made_either(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Runs, "__init__", None)
    found = read_pickle("some.pkl", pickle.dumps({"a": CALLS[name], "b": 1}), REMEDY, ("b",))
    assert type(found["a"]) is Opaque
    assert found["b"] == 1
    assert list(tmp_path.iterdir()) == []


def test_the_call_would_have_run_in_plain_pickle(tmp_path, monkeypatch):
    """The test above can fail: the same bytes do make the folder."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(CALLS["os.mkdir"]))
    assert (tmp_path / "was_run").is_dir()


class Settings(dict):
    """A dict as configuration libraries have them: filled as a dict, with attributes too."""


class Plain:
    """An object with attributes, arrays among them."""

    def __init__(self):
        self.weight = np.arange(3.0)


class Slots:
    __slots__ = ("a",)


@dataclass
class Record:
    when: datetime.datetime
    where: Path


class Colour(enum.Enum):
    RED = 1


def harmless():
    """What stands in people's files beside the arrays."""
    slots = Slots()
    slots.a = 1
    records = np.array([(1, 2.0)], [("x", "i4"), ("y", "f8")])
    return {
        "set": {1, 2}, "frozenset": frozenset("ab"), "counter": Counter("abca"), "complex": 1j,
        "defaultdict": defaultdict(list, a=[1]), "deque": deque([1, 2]), "range": range(3),
        "slice": slice(1, 2), "bytearray": bytearray(b"ab"), "object": object(),
        "datetime": datetime.datetime(2024, 1, 2), "timedelta": datetime.timedelta(3),
        "date": datetime.datetime.now(datetime.timezone.utc), "uuid": uuid.UUID(int=5),
        "decimal": decimal.Decimal("1.5"), "fraction": fractions.Fraction(1, 3), "path": Path("a/b"),
        "namespace": argparse.Namespace(lr=0.1), "class": Plain(), "type": Plain, "function": np.sum,
        "settings": Settings(a=1), "slots": slots, "record": Record(datetime.datetime(2024, 1, 2), Path("c")),
        "enum": Colour.RED, "dtype": np.dtype("f4"), "dtype of records": records.dtype,
        "records": records, "recarray": records.view(np.recarray), "record of numpy": records[0],
        "when": np.array(["2024-01-01"], "M8[D]"), "moment": np.datetime64("2024-01-01"),
        "complex array": np.array([1j]), "long double": np.array([1], np.longdouble),
        "objects": np.array([{"a": 1}, None], object), "ragged": np.array([[1], [1, 2]], object),
        "masked whole numbers": np.ma.array([1, 2], mask=[True, False]),
        "random": np.random.default_rng(0), "old random": np.random.RandomState(0).get_state(),
        "exception": ValueError("a"), (1, 2): 3, (1, (2, 3)): np.zeros(2), 1.5: 2, None: 4, True: 5,
        frozenset([1]): 6, b"bytes": 7, "empty ma": np.ma.masked,
    }  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("key", harmless(), ids=str)
def test_a_harmless_entry_does_not_stand_in_the_way(key, protocol):
    if key == "slots" and protocol < 2:
        pytest.skip("this protocol cannot write it")
    joint_2d = np.arange(60, dtype=np.float32).reshape(2, 15, 2)
    content = pickle.dumps({"before": joint_2d, key: harmless()[key], "after": joint_2d + 1}, protocol)
    found = read_pickle("some.pkl", content, REMEDY, ("before", "after"))
    assert len(found) == 3
    assert same(found["before"], joint_2d)
    assert same(found["after"], joint_2d + 1)


def numbers_in_disguise():
    """Arrays of numbers of another class or type, and what they are as plain arrays."""
    x = np.arange(6.0).reshape(2, 3)
    rows = np.empty(2, object)
    rows[:] = list(x)
    return {
        "memmap": (x.view(np.memmap), x),
        "matrix": (x.view(np.matrix), x),
        "recarray of plain numbers": (x.view(np.recarray), x),
        "masked, nothing hidden": (np.ma.array(x), x),
        "masked": (np.ma.array(x, mask=x > 4), np.where(x > 4, np.nan, x)),
        "masked, Fortran order": (np.ma.array(x, mask=x > 4, order="F"), np.where(x > 4, np.nan, x)),
        "objects": (x.astype(object), x),
        "whole numbers": (np.array([[1, 2], [3, 4]], object), np.array([[1, 2], [3, 4]])),
        "an array of rows": (rows, x),
        "fortran objects": (np.asfortranarray(x.astype(object)), x),
        "memory order": (np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2), None),
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", numbers_in_disguise())
def test_numbers_in_disguise_are_read(name, protocol):
    given, expected = numbers_in_disguise()[name]
    expected = given if expected is None else expected
    found = read(pickle.dumps({"a": given}, protocol))["a"]
    assert type(found) is np.ndarray
    assert found.dtype == expected.dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("key", ["set", "when", "records", "complex array", "objects", "ragged", "class"])
def test_what_is_needed_and_cannot_be_had_is_one_line(key):
    content = pickle.dumps({"joint_2d_1": harmless()[key], "other": 1})
    with pytest.raises(InputError, match=r"^some\.pkl: joint_2d_1 is .*, which is not read; write it again$"):
        read_pickle("some.pkl", content, REMEDY, ("joint_2d_1",))


def test_classes_filled_as_dicts_and_lists_are_those():
    filled = {
        "a": Settings(x=np.zeros(2)),
        "b": defaultdict(int, y=1),
        "c": OrderedDict(z=2),
        "d": deque([3]),
    }
    found = read(pickle.dumps(filled))
    assert list(map(type, found.values())) == [dict, dict, OrderedDict, list]
    assert (found["b"], found["d"]) == ({"y": 1}, [3])
    assert same(found["a"]["x"], np.zeros(2))


def test_attributes_are_kept_for_who_looks_for_weights_in_them():
    found = read(pickle.dumps([Plain()]))[0]
    assert type(found) is Opaque
    assert same(found.state["weight"], np.arange(3.0))


def test_an_ordered_dict_of_python_2_is_read():
    """As Python 2.7 writes OrderedDict([("a", 1)]) in protocol 2."""
    content = b"\x80\x02ccollections\nOrderedDict\nq\x00]q\x01]q\x02(U\x01aq\x03K\x01eaq\x04\x85Rq\x05."
    assert same(read(content), OrderedDict(a=1))


def test_an_instance_of_a_class_of_python_2_is_opaque():
    assert read(b"}S'a'\n(isettings\nOptions\nsS'b'\nI1\ns.")["b"] == 1
    assert read(b"}S'a'\n(csettings\nOptions\nosS'b'\nI1\ns.")["b"] == 1


def test_keys_that_would_take_for_ever_to_hash_are_not_hashed():
    begin = time.perf_counter()
    found = read(b"}(" + b"I1\n\x85q\x00" + b"h\x00h\x00\x86q\x00" * 64 + b"I1\nu.")
    assert {type(key) for key in found} == {Opaque}
    assert time.perf_counter() - begin < 1


DTYPE = b"cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR"
STATE = b"(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
EMPTY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
MEGABYTE = b"X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20) + b"q\x00"
HOSTILE = {
    "nothing": b"",
    "only a stop": b".",
    "text": b"hello, I am no pickle\n",
    "memo of gigabytes": b"\x80\x02Nr\xff\xff\xff\xff",
    "memo index of a thousand digits": b"Np" + b"9" * 1000 + b"\n.",
    "get of a thousand digits": b"g" + b"9" * 1000 + b"\n.",
    "number of a megabyte": b"I" + b"9" * (1 << 20) + b"\n.",
    "long of a megabyte": b"L" + b"9" * (1 << 20) + b"L\n.",
    "binary long of gigabytes": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "bytearray of terabytes": b"\x80\x05\x96" + struct.pack("<Q", 1 << 42) + b".",
    "bytearray of a quarter of a gigabyte": b"\x80\x05\x96" + struct.pack("<Q", 1 << 28) + b".",
    "bytes of terabytes": b"\x80\x05\x8e" + struct.pack("<Q", 1 << 42) + b".",
    "frame of terabytes": b"\x80\x05\x95" + struct.pack("<Q", 1 << 42) + b".",
    "text of terabytes": b"\x80\x05\x8d" + struct.pack("<Q", 1 << 62) + b".",
    "one string encoded a thousand times": (
        MEGABYTE + (b"c_codecs\nencode\n(h\x00S'latin1'\ntR") * 1000 + b"."
    ),
    "one buffer copied a thousand times": (
        MEGABYTE + (EMPTY + b"(I1\n(I262144\nt" + DTYPE + STATE + b"I00\nh\x00tb") * 1000 + b"."
    ),
    "array larger than its data": EMPTY + b"(I1\n(I1000000\nt" + DTYPE + STATE + b"I00\nS'abcd'\ntb.",
    "array of negative size": EMPTY + b"(I1\n(I-1\nt" + DTYPE + STATE + b"I00\nS'abcd'\ntb.",
    "array of no bytes and too many rows": (
        EMPTY + b"(I1\n(I0\n" + b"L4611686018427387903L\n" * 2 + b"t" + DTYPE + STATE + b"I00\nS''\ntb."
    ),
    "array without data": b"}S'a'\n" + EMPTY + b"s.",
    "array of a class of its own": b"cnumpy.core.multiarray\n_reconstruct\n(S'a'\n(I0\ntS'b'\ntR.",
    "dtype of objects": b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",
    "dtype with fields": DTYPE + b"(I3\nS'<'\nN(S'a'\nt}I-1\nI-1\nI0\ntb.",
    "dtype of a strange order": DTYPE + b"(I3\nS'?'\nNNNI-1\nI-1\nI0\ntb.",
    "codec other than latin1": b"c_codecs\nencode\n(S'a'\nS'rot13'\ntR.",
    "bytes of a length": b"c__builtin__\nbytes\n(I1000000000000\ntR.",
    "call of a string": b"S'a'\n(I1\ntR.",
    "call of the class marker": b"cnumpy\nndarray\n(I1\ntR.",
    "state for a dict": b"}(dS'a'\nI1\nsb.",
    "state for a list": b"](dS'a'\nI1\nsb.",
    "items for a number": b"I1\n(I1\nI2\ne.",
    "items for a string": b"S'a'\n(S'k'\nI2\nu.",
    "odd number of items": b"}(S'k'\nu.",
    "class instance": b"(ios\nsystem\n.",
    "class instance, binary": b"(cos\nsystem\nS'true'\no.",
    "extension": b"\x82\x01.",
    "persistent id": b"P1\n.",
    "persistent id, binary": b"I1\nQ.",
    "out of band buffer": b"\x80\x05\x97.",
    "set": b"\x80\x04\x8f.",
    "items of a set for a list": b"\x80\x04](I1\n\x90.",
    "name of a megabyte, ten thousand times": b"\x80\x04" + MEGABYTE + b"h\x00h\x00\x93" * 10_000 + b".",
    "items of one OrderedDict, ten thousand times": (
        b"\x80\x04("
        + b"]q\x00("
        + b"K\x01K\x02\x86" * 10_000
        + b"e0"
        + b"ccollections\nOrderedDict\nh\x00\x85R" * 10_000
        + b"t."
    ),
    "object array of one array, a thousand times": (
        b"("
        + EMPTY
        + b"(I1\n(I262144\nt"
        + DTYPE
        + STATE
        + b"I00\n"
        + MEGABYTE
        + b"tbq\x010"
        + EMPTY
        + b"(I1\n(I1000\nt"
        + b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR"
        + STATE
        + b"I00\n]("
        + b"h\x01" * 1000
        + b"etbt."
    ),
    "name with escape codes": b"cos\x1b[31m\nsystem\n.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_little_time_and_memory(name):
    content = HOSTILE[name]
    tracemalloc.start()
    begin = time.perf_counter()
    with pytest.raises(InputError) as caught:
        read(content)
    seconds = time.perf_counter() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value).startswith("some.pkl: ")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    assert peak < 12 * len(content) + (1 << 20)
    assert seconds < 2


def test_every_truncation_is_an_input_error():
    content = pickle.dumps({"joint_2d_1": np.arange(30.0)}, 4)
    for length in range(len(content)):
        with pytest.raises(InputError):
            read(content[:length])


def test_mutated_pickles_give_a_value_or_an_input_error():
    seeds = [pickle.dumps(VALUES, protocol) for protocol in range(6)]
    seeds += [pickle.dumps({k: v for k, v in harmless().items() if k != "slots"}, p) for p in range(6)]
    seeds += [content for content in HOSTILE.values() if 0 < len(content) < 1000]
    refused = 0
    for content in mutations(np.random.default_rng(0), seeds, 10_000):
        try:
            read(content)
        except InputError:
            refused += 1
    assert refused > 5000


def test_the_seeds_of_the_mutations_are_pickles():
    assert all(pickle.load(io.BytesIO(pickle.dumps(VALUES, p))).keys() == VALUES.keys() for p in range(6))
