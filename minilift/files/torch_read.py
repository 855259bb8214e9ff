"""Read PyTorch's state-dict files without torch and without running what is in them.

The layout is described in torch_write.py; this file reads every variant of it that torch.save produces.
"""

import io
import math
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, one_line
from minilift.files.array_pickle import ArrayUnpickler
from minilift.files.safe_pickle import unpickle

SAVE_AGAIN = "save it with torch.save(model.state_dict(), path)"
_LARGEST_PICKLE = 16 << 20
# What torch.save wrote before 1.6 starts with this number as a pickled long.
_LEGACY = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

_STORAGES = {
    "DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": "u2",
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1",
    "ByteStorage": "u1", "BoolStorage": "b1",
}  # fmt: skip


@dataclass(frozen=True)
class _StorageType:
    dtype: str
    bfloat16: bool = False


@dataclass(frozen=True)
class _Storage:
    data: np.ndarray
    kind: _StorageType


def read_torch(path: PathLike, content: bytes) -> Any:
    """What a torch file holds: dicts of arrays, numbers and text; half and bfloat16 become float32.

    Raises InputError naming the file: another format, damaged, compressed, or a pickle that asks for
    anything but tensors of numbers. Nothing in the file is run and memory stays near the file's own size.
    """
    if _LEGACY in content[:64]:
        raise file_error(path, "is in torch's format of before 1.6; load it in torch and save it again")
    if content[:4] != b"PK\x03\x04":
        raise file_error(path, f"is not a PyTorch weights file; {SAVE_AGAIN}")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        unpickler = _TorchUnpickler(archive, len(content))
    except ValueError as error:
        raise file_error(path, f"{error}; {SAVE_AGAIN}") from None
    # zipfile raises a dozen kinds for a damaged archive.
    except Exception as error:
        raise file_error(
            path, f"is damaged or cut short ({type(error).__name__}); copy or save it again"
        ) from None
    return unpickle(unpickler, path, SAVE_AGAIN)


class _TorchUnpickler(ArrayUnpickler):
    """Adds torch's tensors, as arrays, to what ArrayUnpickler reads."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self.archive = archive
        self.members = {info.filename: info for info in archive.infolist()}
        self.root = _check_members(self.members, size)
        super().__init__(self._read("data.pkl"))
        self.budget = 4 * size  # shared storages and expanded tensors are copied in full
        order = self._read("byteorder") if f"{self.root}/byteorder" in self.members else b"little"
        if order not in (b"little", b"big"):
            raise ValueError("its byteorder is neither little nor big")
        self.swap = (order == b"little") != (sys.byteorder == "little")
        self.storages: dict[str, _Storage] = {}
        self.names["torch._utils._rebuild_tensor_v2"] = self._tensor
        self.names["torch._utils._rebuild_parameter"] = self._parameter
        for name, code in _STORAGES.items():
            self.names[f"torch.{name}"] = _StorageType(code, name == "BFloat16Storage")

    def _read(self, name: str) -> bytes:
        try:
            return self.archive.read(self.members[f"{self.root}/{name}"])
        except KeyError:
            raise ValueError(f"its part {one_line(name, 40)} is missing") from None
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
            raise ValueError(f"its part {one_line(name, 40)} is damaged") from None

    def persistent_load(self, pid: object) -> _Storage:
        """('storage', type, key, location, numel): the location, such as cuda:0, does not matter here."""
        if not isinstance(pid, tuple) or len(pid) != 5 or pid[0] != "storage":
            raise ValueError("a reference that is not a storage")
        _, kind, key, _, count = pid
        if not isinstance(kind, _StorageType) or type(key) is not str or type(count) is not int:
            raise ValueError("a storage of a kind that is not read")
        if key not in self.storages:
            raw = self._read(f"data/{key}")
            dtype = np.dtype(kind.dtype)
            dtype = dtype.newbyteorder("S") if self.swap else dtype
            if len(raw) != count * dtype.itemsize:
                raise ValueError(
                    f"its part data/{one_line(key, 40)} has {len(raw)} bytes, not {count} numbers"
                )
            self.storages[key] = _Storage(np.frombuffer(raw, dtype), kind)
        if self.storages[key].kind != kind:
            raise ValueError(f"its part data/{one_line(key, 40)} has two types")
        return self.storages[key]

    def _tensor(
        self, storage: object, offset: object, size: object, stride: object, *rest: object
    ) -> np.ndarray:
        """A copy of the view of `storage` that torch's offset, size and stride (in elements) describe."""
        if not isinstance(storage, _Storage) or not isinstance(size, tuple) or not isinstance(stride, tuple):
            raise ValueError("a tensor whose parts are out of order")
        numbers = (offset, *size, *stride)
        if (
            len(size) != len(stride)
            or len(size) > 16
            or not all(type(n) is int and 0 <= n < 2**48 for n in numbers)
        ):
            raise ValueError("a tensor of impossible shape")
        count = math.prod(size)
        last = sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if count else -1
        if numbers[0] + last >= len(storage.data):
            raise ValueError("a tensor that reaches beyond its storage")
        self.spend(count * storage.data.itemsize)
        data = storage.data
        view = np.lib.stride_tricks.as_strided(
            data[numbers[0] :], size, [step * data.itemsize for step in stride], writeable=False
        )
        return _native(view, storage.kind.bfloat16)

    def _parameter(self, tensor: object, *rest: object) -> object:
        return tensor


def _native(view: np.ndarray, bfloat16: bool) -> np.ndarray:
    """A contiguous copy in this machine's byte order; the two half formats widened to float32."""
    if bfloat16:  # the upper half of a float32
        return (view.astype(np.uint32) << 16).view(np.float32)
    dtype = (
        np.dtype(np.float32)
        if view.dtype.itemsize == 2 and view.dtype.kind == "f"
        else view.dtype.newbyteorder("=")
    )
    return np.array(view, dtype=dtype, order="C")


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
