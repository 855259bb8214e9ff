"""The safetensors format: 8 bytes with the length of a header, a JSON header, and the numbers.

It is short and will not change (github.com/huggingface/safetensors, "Format"), so that a library for it is
not worth an extra to install: what is written here is the library's to the byte.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from minilift.files import PathLike, file_error, one_line
from minilift.files import number_types as types
from minilift.files.number_types import NumberType

_LARGEST_HEADER = 100_000_000  # bytes: the library's own limit
_METADATA = "__metadata__"
_READ: dict[str, NumberType] = {
    "F64": types.FLOAT64, "F32": types.FLOAT32, "F16": types.FLOAT16, "BF16": types.BFLOAT16,
    "F8_E4M3": types.E4M3, "F8_E5M2": types.E5M2, "I64": types.I64, "I32": types.I32, "I16": types.I16,
    "I8": types.I8, "U64": types.U64, "U32": types.U32, "U16": types.U16, "U8": types.U8, "BOOL": types.BOOL,
}  # fmt: skip
_WRITTEN = {
    "i8": "I64",
    "f8": "F64",
    "f4": "F32",
    "f2": "F16",
}  # in the order in which the library lays them down


def read_safetensors(path: PathLike, content: bytes) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file; half, bfloat16 and float8 become float32.

    Raises InputError naming the file: damaged, cut short, a type that is not read.
    """
    try:
        length = int.from_bytes(content[:8], "little")
        if len(content) < 10 or length > min(len(content) - 8, _LARGEST_HEADER):
            raise ValueError(f"its header should be {length} bytes long, {len(content)} are there in all")
        header = json.loads(content[8 : 8 + length])
        if not isinstance(header, dict):
            raise ValueError("its header is no table of tensors")
        data = memoryview(content)[8 + length :]
        rows = [(name, row) for name, row in header.items() if name != _METADATA]
        _check_places([_place(name, row) for name, row in rows], len(data))
        return {name: _array(name, row, data) for name, row in rows}
    # json: RecursionError for brackets in brackets
    except (ValueError, RecursionError) as problem:
        shown = one_line(str(problem), 160)
        raise file_error(path, f"is not a readable safetensors file ({shown}); save it again") from None


def write_safetensors(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write float16, float32, float64 and int64 arrays; equal arrays give equal bytes."""
    order = list(_WRITTEN)
    plain = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in plain.items():
        if array.dtype.str[1:] not in _WRITTEN or name == _METADATA:
            raise ValueError(f"cannot save {name!r} of type {array.dtype}; use float16 to float64, or int64")
    names = sorted(plain, key=lambda name: (order.index(plain[name].dtype.str[1:]), name))
    header, at = {}, 0
    for name in names:
        array = plain[name]
        place = [at, at + array.nbytes]
        kind = _WRITTEN[array.dtype.str[1:]]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": place}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of 8
    file.write(len(text).to_bytes(8, "little") + text)
    for name in names:
        file.write(np.asarray(plain[name], plain[name].dtype.newbyteorder("<"), order="C").tobytes())


def _place(name: str, row: Any) -> tuple[int, int]:
    """Where the numbers of a tensor begin and end."""
    place = row.get("data_offsets") if isinstance(row, dict) else None
    shape = row.get("shape") if isinstance(row, dict) else None
    if not isinstance(place, list) or len(place) != 2 or not isinstance(shape, list) or len(shape) > 16:
        raise ValueError(f"{name!r} is not described")
    if not all(type(n) is int and 0 <= n < 2**62 for n in (*place, *shape)):
        raise ValueError(f"{name!r} has an impossible shape or place")
    kind = row.get("dtype")
    if not isinstance(kind, str) or kind not in _READ:
        raise ValueError(f"{name!r} is of type {kind!r}, which is not read")
    size = math.prod(shape) * np.dtype(_READ[kind].stored).itemsize
    if place[1] - place[0] != size:
        raise ValueError(f"{name!r} of shape {tuple(shape)} needs {size} bytes, not {place[1] - place[0]}")
    return place[0], place[1]


def _check_places(places: list[tuple[int, int]], size: int) -> None:
    """The tensors lie one after the other and fill the file, so that none is copied twice."""
    at = 0
    for begin, end in sorted(places):
        if begin != at:
            raise ValueError("its tensors overlap, or leave gaps")
        at = end
    if at != size:
        raise ValueError(f"its tensors need {at} bytes, {size} are there")


def _array(name: str, row: dict[str, Any], data: memoryview) -> np.ndarray:
    kind, (begin, end) = _READ[row["dtype"]], row["data_offsets"]
    stored = np.frombuffer(data[begin:end], np.dtype(kind.stored).newbyteorder("<"))
    return kind.read(stored.reshape(row["shape"]))
