"""Read pickles of NumPy arrays through stand-ins for the few NumPy names that arrays are pickled with.

NumPy's own _reconstruct and __setstate__ trust what they are told; these check type, shape and length
before a byte is copied. Arrays as NumPy 1 (numpy.core) and NumPy 2 (numpy._core) write them.
"""

from typing import Any

import numpy as np

from minilift.files import PathLike
from minilift.files.npz import checked_array, checked_dtype
from minilift.files.safe_pickle import SafeUnpickler, StandIn, unpickle

_NDARRAY = "numpy.ndarray"  # only ever an argument of _reconstruct, so a name is enough


class _Dtype(StandIn):
    """numpy.dtype: a checked type string; BUILD brings the byte order."""

    def __init__(self, name: object, align: object = False, copy: object = True) -> None:
        self.dtype = checked_dtype(name)

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
            raise ValueError("array of records, only plain numbers are read")
        if state[1] not in ("<", ">", "=", "|"):
            raise ValueError("array with an unknown byte order")
        self.dtype = self.dtype.newbyteorder("=" if state[1] == "|" else state[1])


class _Array(StandIn):
    """An ndarray between _reconstruct and BUILD."""

    def __init__(self, unpickler: "ArrayUnpickler") -> None:
        self.unpickler = unpickler
        self.array: np.ndarray | None = None

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("array whose parts are out of order")
        _, shape, dtype, fortran, raw = state
        self.array = self.unpickler.array(raw, dtype, shape, bool(fortran))

    def finished(self) -> np.ndarray:
        if self.array is None:
            raise ValueError("array without data")
        return self.array


class ArrayUnpickler(SafeUnpickler):
    """Adds NumPy arrays and scalars of plain numbers or text to what SafeUnpickler reads."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.names |= {
            "numpy.ndarray": _NDARRAY,
            "numpy.dtype": _Dtype,
            "_codecs.encode": self._encode,  # protocols 0 to 2 write bytes as text
            "builtins.bytes": _no_bytes,
            "__builtin__.bytes": _no_bytes,
        }
        for core in ("numpy.core", "numpy._core"):
            self.names[f"{core}.multiarray._reconstruct"] = self._reconstruct
            self.names[f"{core}.multiarray.scalar"] = self._scalar
            self.names[f"{core}.numeric._frombuffer"] = self._frombuffer

    def array(self, raw: object, dtype: object, shape: object, fortran: bool) -> np.ndarray:
        """A checked copy of raw bytes (text, where Python 2 wrote them) as an array, or ValueError."""
        if isinstance(raw, str):
            raw = raw.encode("latin1")
        if not isinstance(raw, bytes) or not isinstance(dtype, _Dtype):
            raise ValueError("array whose parts are out of order")
        self.spend(len(raw))
        return checked_array(raw, dtype.dtype, shape, fortran)

    def _reconstruct(self, kind: object, shape: object, typecode: object) -> _Array:
        if kind != _NDARRAY:
            raise ValueError("array of an unknown class")
        return _Array(self)

    def _frombuffer(self, raw: object, dtype: object, shape: object, order: object) -> np.ndarray:
        return self.array(raw, dtype, shape, order == "F")

    def _scalar(self, dtype: object, raw: object) -> Any:
        return self.array(raw, dtype, (), False)[()]

    def _encode(self, text: object, encoding: object) -> bytes:
        if not isinstance(text, str) or encoding != "latin1":
            raise ValueError("text in an encoding other than latin1")
        self.spend(len(text))
        return text.encode("latin1")


def _no_bytes() -> bytes:
    """What protocols 0 to 2 call for b""; the real bytes(n) would allocate n."""
    return b""


def read_pickle(path: PathLike, content: bytes, remedy: str) -> Any:
    """What the pickle `content` of the file `path` holds. Raises InputError naming the file."""
    return unpickle(ArrayUnpickler(content), path, remedy)
