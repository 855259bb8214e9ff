"""Write PyTorch's state-dict file format without torch.

A zip of stored (never compressed) members: `<name>/data.pkl`, a pickle that describes the tensors, and
`<name>/data/<key>`, the raw bytes of each storage. Layout as torch.save writes it since version 1.6
(torch/serialization.py, caffe2/serialize/inline_container.cc).
"""

import pickle
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

_ROOT = "liftModel"
_ALIGN = 64  # torch places storages so, for memory mapping
_STORAGE = {"f8": b"DoubleStorage", "f4": b"FloatStorage", "i8": b"LongStorage"}


def write_torch(file: BinaryIO, state: Mapping[str, np.ndarray]) -> None:
    """Write float32, float64 and int64 arrays as torch.save would; equal arrays give equal bytes."""
    arrays = {name: _writable(name, array) for name, array in state.items()}
    with zipfile.ZipFile(file, "w") as archive:
        _store(file, archive, "data.pkl", _describe(arrays))
        _store(file, archive, "byteorder", b"little")
        for key, array in enumerate(arrays.values()):
            _store(file, archive, f"data/{key}", array.tobytes())
        _store(file, archive, "version", b"3\n")


def _writable(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.str[1:] not in _STORAGE:
        raise ValueError(f"cannot save {name!r} of type {array.dtype}; use float32, float64 or int64")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _describe(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The pickle of OrderedDict(name -> _rebuild_tensor_v2(storage, offset, size, stride, False, hooks))."""
    ordered = pickle.GLOBAL + b"collections\nOrderedDict\n" + pickle.EMPTY_TUPLE + pickle.REDUCE
    parts = [pickle.PROTO + b"\x02" + ordered + pickle.MARK]
    for key, (name, array) in enumerate(arrays.items()):
        storage = _STORAGE[array.dtype.str[1:]]
        stride = tuple(step // array.itemsize for step in np.empty(array.shape, array.dtype).strides)
        parts += [
            _plain(name), pickle.GLOBAL, b"torch._utils\n_rebuild_tensor_v2\n", pickle.MARK, pickle.MARK,
            _plain("storage"), pickle.GLOBAL, b"torch\n", storage, b"\n", _plain(str(key)), _plain("cpu"),
            _plain(array.size), pickle.TUPLE, pickle.BINPERSID,
            _plain(0), _plain(array.shape), _plain(stride), pickle.NEWFALSE,
            ordered, pickle.TUPLE, pickle.REDUCE,
        ]  # fmt: skip
    return b"".join(parts) + pickle.SETITEMS + pickle.STOP


def _plain(value: object) -> bytes:
    """The opcodes of text, a number or a tuple of them, without the start and the stop of a pickle."""
    return pickle.dumps(value, 2)[2:-1]


def _store(file: BinaryIO, archive: zipfile.ZipFile, name: str, raw: bytes) -> None:
    """Add one stored member whose data start at a multiple of 64 bytes, without a time stamp."""
    info = zipfile.ZipInfo(f"{_ROOT}/{name}")
    info.create_system = 0
    start = file.tell() + 30 + len(info.filename) + 4  # local header, name, head of the extra field
    padding = -start % _ALIGN
    info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding  # torch's own padding field
    archive.writestr(info, raw)
