"""Read PyTorch's files without torch and without running what is in them.

torch_write.py describes the zip files that torch.save has written since version 1.6; this file reads every
variant of them, and what torch.save wrote before.
"""

import io
import pickle
import struct
import sys
import zipfile
from collections.abc import Mapping
from typing import Any

from minilift.files import PathLike, file_error, one_line
from minilift.files.pickles.safe import SafeUnpickler, unpickle
from minilift.files.torch_pickle import TorchUnpickler
from minilift.files.what import SAVE_AGAIN, kind_of, wrong_kind

_LARGEST_PICKLE = 16 << 20
_MAGIC = 0x1950A86A20F9469CFC6C  # the first of the pickles in a file of before 1.6 is this number
LEGACY = pickle.dumps(_MAGIC, 2)[2:]


def read_torch(path: PathLike, content: bytes) -> Any:
    """What a torch file holds: dicts of arrays, numbers and text; half, bfloat16 and float8 become float32.

    Objects of other classes are Opaque, with what was in them. Raises InputError naming the file: another
    format, damaged, compressed, a pickle that claims more than is there or asks for what only does harm.
    Nothing in the file is run and memory stays near the file's own size.
    """
    if LEGACY in content[:64]:
        return _read_legacy(path, content)
    kind = kind_of(content).name
    if kind == "pickle":
        return _read_pickle(path, content)
    if kind not in ("torch", "torchscript"):
        raise wrong_kind(path, content, "a PyTorch weights file", "name a file of weights, such as liftModel")
    try:
        unpickler = _Archive(content).unpickler()
    except ValueError as error:
        raise file_error(path, f"{error}; {SAVE_AGAIN}") from None
    # zipfile raises a dozen kinds for a damaged archive.
    except Exception as error:
        raise file_error(
            path, f"is damaged or cut short ({type(error).__name__}); copy or save it again"
        ) from None
    return unpickle(unpickler, path, SAVE_AGAIN)


def _read_pickle(path: PathLike, content: bytes) -> Any:
    """What pickle.dump made of a state dict: each storage is a file of before 1.6 in itself."""
    unpickler = TorchUnpickler(content, len(content), lambda *_: None, swap=False)

    def storage(raw: object) -> Any:
        if not isinstance(raw, bytes) or LEGACY not in raw[:64]:
            raise ValueError("a storage that is no file of its own")
        unpickler.spend(len(raw))
        return _read_legacy(path, raw)

    unpickler.names["torch.storage._load_from_bytes"] = storage
    return unpickle(unpickler, path, SAVE_AGAIN)


class _Archive:
    """A zip file of torch, whose members are looked at only as far as they are asked for."""

    def __init__(self, content: bytes) -> None:
        self.archive, self.size = zipfile.ZipFile(io.BytesIO(content)), len(content)
        self.members = {info.filename: info for info in self.archive.infolist()}
        self.root = _check_members(self.members, self.size)

    def unpickler(self) -> TorchUnpickler:
        order = self._read("byteorder") if f"{self.root}/byteorder" in self.members else b"little"
        if order not in (b"little", b"big"):
            raise ValueError("its byteorder is neither little nor big")
        swap = (order == b"little") != (sys.byteorder == "little")
        return TorchUnpickler(self._read("data.pkl"), self.size, self._storage, swap)

    def _storage(self, key: str, count: int, size: int) -> bytes:
        return self._read(f"data/{key}")

    def _read(self, name: str) -> bytes:
        try:
            return self.archive.read(self.members[f"{self.root}/{name}"])
        except KeyError:
            raise ValueError(f"its part {one_line(name, 40)} is missing") from None
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
            raise ValueError(f"its part {one_line(name, 40)} is damaged") from None


def _check_members(members: Mapping[str, zipfile.ZipInfo], size: int) -> str:
    """The archive's top folder, or ValueError for what is no plain state-dict file."""
    roots = [
        name[: -len("/data.pkl")] for name in members if name.endswith("/data.pkl") and name.count("/") == 1
    ]
    if len(roots) != 1:
        raise ValueError("is a zip file without torch weights (no data.pkl)")
    if f"{roots[0]}/constants.pkl" in members:
        raise ValueError("is a TorchScript archive, not a state dict")
    # Stored, not overlapping, inside the file: then no member can unpack to more than is there.
    if any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
        raise ValueError("has compressed parts, torch never writes those")
    if sum(info.file_size for info in members.values()) > size:
        raise ValueError("claims to hold more than its own size")
    if members[f"{roots[0]}/data.pkl"].file_size > _LARGEST_PICKLE:
        raise ValueError(f"has a description of over {_LARGEST_PICKLE} bytes")
    return roots[0]


def _read_legacy(path: PathLike, content: bytes) -> Any:
    """The format of before 1.6: pickles of a magic number, a version, facts on the machine, the object and
    the keys of its storages; then, in the order of the keys, of each its count in 8 bytes and its numbers.

    The storages come after the pickle that refers to them, which is therefore read twice: first to learn
    how wide the numbers of each storage are.
    """
    at = 0
    head = []
    for _ in range(3):
        unpickler = SafeUnpickler(content, at)
        head.append(unpickle(unpickler, path, SAVE_AGAIN))
        at = unpickler.file.tell()
    machine = head[2] if isinstance(head[2], dict) else {}
    swap = bool(machine.get("little_endian", True)) != (sys.byteorder == "little")
    widths: dict[str, tuple[int, int]] = {}

    def note(key: str, count: int, size: int) -> None:
        if widths.setdefault(key, (count, size)) != (count, size):
            raise ValueError(f"its part data/{one_line(key, 40)} has two types")

    first = TorchUnpickler(content, len(content), note, swap, at)
    unpickle(first, path, SAVE_AGAIN)
    keys = SafeUnpickler(content, first.file.tell())
    order = unpickle(keys, path, SAVE_AGAIN)
    try:
        storages = _legacy_storages(content, keys.file.tell(), order, widths, swap)
    except ValueError as problem:
        raise file_error(path, f"{problem}; copy or save it again") from None
    second = TorchUnpickler(content, len(content), lambda key, count, size: storages[key], swap, at)
    return unpickle(second, path, SAVE_AGAIN)


def _legacy_storages(
    content: bytes, at: int, order: Any, widths: Mapping[str, tuple[int, int]], swap: bool
) -> dict[str, bytes]:
    """The bytes of each storage, or ValueError where the file does not hold them."""
    if not isinstance(order, list) or set(widths) != {key for key in order if type(key) is str}:
        raise ValueError("does not list the storages that its tensors refer to")
    found: dict[str, bytes] = {}
    native = "<" if (sys.byteorder == "little") != swap else ">"
    for key in order:
        count, size = widths[key]
        stored = content[at : at + 8]
        if len(stored) < 8 or at + 8 + count * size > len(content):
            raise ValueError("is cut short")
        if struct.unpack(f"{native}q", stored)[0] != count:
            raise ValueError(f"its part data/{one_line(key, 40)} is not of {count} numbers")
        found[key] = content[at + 8 : at + 8 + count * size]
        at += 8 + count * size
    return found
