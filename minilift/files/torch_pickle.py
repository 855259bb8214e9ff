"""The pickle in PyTorch's files: tensors as arrays. Where their storages lie is up to the container."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from minilift.files import number_types as types
from minilift.files import one_line
from minilift.files.number_types import NumberType
from minilift.files.pickles.arrays import ArrayUnpickler
from minilift.files.pickles.opaque import Opaque

_STORAGES = {
    "DoubleStorage": types.FLOAT64, "FloatStorage": types.FLOAT32, "HalfStorage": types.FLOAT16,
    "BFloat16Storage": types.BFLOAT16, "LongStorage": types.I64, "IntStorage": types.I32,
    "ShortStorage": types.I16, "CharStorage": types.I8, "ByteStorage": types.U8, "BoolStorage": types.BOOL,
}  # fmt: skip
# Newer types have no storage of their own: the tensor names its type, over a storage of bytes
_TYPES = {
    "torch.float8_e4m3fn": types.E4M3, "torch.float8_e5m2": types.E5M2, "torch.uint16": types.U16,
    "torch.uint32": types.U32, "torch.uint64": types.U64,
}  # fmt: skip
# Bytes of a number that is not read, to find the storage after it
_SKIPPED = {
    "torch.ComplexHalfStorage": 4, "torch.ComplexFloatStorage": 8, "torch.ComplexDoubleStorage": 16,
    "torch.QInt8Storage": 1, "torch.QUInt8Storage": 1, "torch.QInt32Storage": 4, "torch.QUInt4x2Storage": 1,
    "torch.QUInt2x4Storage": 1,
}  # fmt: skip
_UNTYPED = ("torch.storage.UntypedStorage", "torch.UntypedStorage")


@dataclass(frozen=True)
class Storage:
    """Numbers of one type, one after the other; `data` is bytes where the type is left to the tensors."""

    data: np.ndarray
    kind: NumberType


# The raw bytes of the storage with this key, which should have so many numbers of so many bytes; or None
# where the file has not been read so far yet.
FetchStorage = Callable[[str, int, int], bytes | None]


class TorchUnpickler(ArrayUnpickler):
    """Adds torch's tensors, as arrays, to what ArrayUnpickler reads; other kinds of tensors are opaque."""

    def __init__(self, content: bytes, size: int, fetch: FetchStorage, swap: bool, start: int = 0) -> None:
        super().__init__(content, start)
        self.budget = 4 * size  # shared storages and expanded tensors are copied in full
        self.fetch = fetch
        self.order: Literal["S", "="] = "S" if swap else "="
        self.storages: dict[str, Storage] = {}
        self.names |= {
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor_of_type,
            "torch._utils._rebuild_parameter": _first,
            "torch._utils._rebuild_parameter_with_state": _first,
            "torch._tensor._rebuild_from_type_v2": self._subclass,
        }
        self.names |= {f"torch.{name}": kind for name, kind in _STORAGES.items()}

    def persistent_load(self, pid: object) -> Storage | Opaque:
        """('storage', type, key, location, numel) and, before torch 1.6, what part of it is meant.

        The location, such as cuda:0, does not matter here.
        """
        if isinstance(pid, tuple) and pid[:1] == ("module",) and len(pid) > 1 and isinstance(pid[1], Opaque):
            return pid[1]  # before 1.6: the class of a module, with its source
        if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
            raise ValueError("a reference that is not a storage")
        _, kind, key, _, count, *view = pid
        if type(key) is not str or type(count) is not int or count < 0:
            raise ValueError("a reference that is not a storage")
        if isinstance(kind, Opaque):
            if kind.what not in _UNTYPED:
                if kind.what in _SKIPPED:
                    self.fetch(key, count, _SKIPPED[kind.what])
                return kind
            kind = types.U8
        if not isinstance(kind, NumberType):
            raise ValueError("a storage of a kind that is not read")
        if key not in self.storages:
            size = np.dtype(kind.stored).itemsize
            raw = self.fetch(key, count, size)
            if raw is None:
                return Opaque("a storage that was not read yet")
            if len(raw) != count * size:
                shown = one_line(key, 40)
                raise ValueError(f"its part data/{shown} has {len(raw)} bytes, not {count} numbers")
            dtype = np.dtype(kind.stored).newbyteorder(self.order)
            self.storages[key] = Storage(np.frombuffer(raw, dtype), kind)
        if self.storages[key].kind != kind:
            raise ValueError(f"its part data/{one_line(key, 40)} has two types")
        return _part(self.storages[key], view[0] if view else None)

    def _tensor(self, storage: object, offset: object, size: object, stride: object, *rest: object) -> Any:
        """A copy of the view of `storage` that torch's offset, size and stride (in elements) describe."""
        if isinstance(storage, Opaque):
            return storage
        if not isinstance(storage, Storage) or not isinstance(size, tuple) or not isinstance(stride, tuple):
            raise ValueError("a tensor whose parts are out of order")
        numbers = (offset, *size, *stride)
        whole = all(type(n) is int and 0 <= n < 2**48 for n in numbers)
        if len(size) != len(stride) or len(size) > 16 or not whole or type(offset) is not int:
            raise ValueError("a tensor of impossible shape")
        count = math.prod(size)
        last = sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if count else -1
        if offset + last >= len(storage.data):
            raise ValueError("a tensor that reaches beyond its storage")
        self.spend(count * storage.data.itemsize)
        steps = [step * storage.data.itemsize for step in stride]
        view = np.lib.stride_tricks.as_strided(storage.data[offset:], size, steps, writeable=False)
        return storage.kind.read(view)

    def _tensor_of_type(
        self, storage: object, offset: object, size: object, stride: object, grad: object, hooks: object,
        kind: object, *rest: object,
    ) -> Any:  # fmt: skip
        """A tensor over a storage of bytes, with its type beside it."""
        if isinstance(storage, Opaque) or not isinstance(kind, Opaque) or kind.what not in _TYPES:
            return storage if isinstance(storage, Opaque) else Opaque("a tensor of a type that is not read")
        number = _TYPES[kind.what]
        dtype = np.dtype(number.stored).newbyteorder(self.order)
        if not isinstance(storage, Storage) or len(storage.data) % dtype.itemsize:
            raise ValueError("a tensor whose parts are out of order")
        return self._tensor(Storage(storage.data.view(dtype), number), offset, size, stride)

    def _subclass(self, make: object, kind: object, args: object, state: object) -> Any:
        """A tensor with attributes, or of a class derived from Tensor."""
        return self.call(make, args)


def _first(tensor: object, *rest: object) -> object:
    return tensor


def _part(storage: Storage, view: object) -> Storage:
    """All of a storage, or the part that is meant: (key, offset, count)."""
    if view is None:
        return storage
    if not isinstance(view, tuple) or len(view) != 3 or not all(type(n) is int for n in view[1:]):
        raise ValueError("a part of a storage that is out of order")
    _, offset, count = view
    if not 0 <= offset <= offset + count <= len(storage.data):
        raise ValueError("a part that reaches beyond its storage")
    return Storage(storage.data[offset : offset + count], storage.kind)
