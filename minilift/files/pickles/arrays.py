"""Read pickles of NumPy arrays through stand-ins for the few NumPy names that arrays are pickled with.

NumPy's own _reconstruct and __setstate__ trust what they are told; these check type, shape and length
before a byte is copied. Arrays as NumPy 1 (numpy.core) and NumPy 2 (numpy._core) write them.
"""

from collections.abc import Container
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike, file_error
from minilift.files.npz import checked_array, checked_dtype
from minilift.files.pickles.opaque import Opaque, StandIn
from minilift.files.pickles.safe import HarmfulFile, SafeUnpickler, unpickle
from minilift.files.what import kind_of, wrong_kind

_NDARRAY = "numpy.ndarray"  # only ever an argument of _reconstruct, so a name is enough


class _Dtype(Opaque):
    """numpy.dtype: a checked type string; BUILD brings the byte order. `problem` says why it is not read."""

    def __init__(self, name: object, align: object = False, copy: object = True) -> None:
        super().__init__("a dtype")
        self.dtype, self.problem = np.dtype(object), ""
        try:
            self.dtype = checked_dtype(name)
        except ValueError as problem:
            self.problem = str(problem)
        self.objects = isinstance(name, str) and name.lstrip("|") in ("O", "O8", "O4")

    def build(self, state: Any) -> None:
        if self.problem:
            return
        if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
            raise ValueError("array of records, only plain numbers are read")
        if state[1] not in ("<", ">", "=", "|"):
            raise ValueError("array with an unknown byte order")
        self.dtype = self.dtype.newbyteorder("=" if state[1] == "|" else state[1])


class _Array(StandIn):
    """An ndarray between _reconstruct and BUILD; one of a subclass, such as memmap, is read as an ndarray."""

    def __init__(self, unpickler: "ArrayUnpickler") -> None:
        self.unpickler = unpickler
        self.array: np.ndarray | Opaque | None = None

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("array whose parts are out of order")
        _, shape, dtype, fortran, raw = state
        self.array = self.unpickler.array(raw, dtype, shape, bool(fortran))

    def finished(self) -> Any:
        if self.array is None:
            raise ValueError("array without data")
        return self.array


class _Masked(_Array):
    """A masked array: with NaN for what is masked, where its numbers can be NaN."""

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 7:
            raise ValueError("masked array whose parts are out of order")
        *plain, raw_mask, _ = state
        super().build(tuple(plain))
        mask = self.unpickler.array(raw_mask, _Dtype("b1"), state[1], bool(state[3]))
        if isinstance(self.array, Opaque) or isinstance(mask, Opaque) or not mask.any():
            return
        if self.array is not None and self.array.dtype.kind == "f":
            self.array[mask] = np.nan
        else:
            self.array = Opaque("a masked array of whole numbers")


class ArrayUnpickler(SafeUnpickler):
    """Adds NumPy arrays and scalars of plain numbers or text to what SafeUnpickler reads."""

    def __init__(self, content: bytes, start: int = 0) -> None:
        super().__init__(content, start)
        self.names |= {
            "numpy.ndarray": _NDARRAY,
            "numpy.ma.core._mareconstruct": self._masked,
            "numpy.dtype": _Dtype,
            "_codecs.encode": self._encode,  # protocols 0 to 2 write bytes as text
            "builtins.bytes": _no_bytes,
            "__builtin__.bytes": _no_bytes,
        }
        for core in ("numpy.core", "numpy._core"):
            self.names[f"{core}.multiarray._reconstruct"] = self._reconstruct
            self.names[f"{core}.multiarray.scalar"] = self._scalar
            self.names[f"{core}.numeric._frombuffer"] = self._frombuffer

    def array(self, raw: object, dtype: object, shape: object, fortran: bool) -> np.ndarray | Opaque:
        """A checked copy of raw bytes (text, where Python 2 wrote them) as an array, or ValueError.

        An Opaque where the numbers are of a kind that is not read.
        """
        if not isinstance(dtype, _Dtype):
            raise ValueError("array whose parts are out of order")
        if dtype.objects and isinstance(raw, list):
            return self._objects(raw, shape, dtype.problem)
        if dtype.problem:
            return Opaque(dtype.problem)
        if isinstance(raw, str):
            raw = raw.encode("latin1")
        if not isinstance(raw, bytes):
            raise ValueError("array whose parts are out of order")
        self.spend(len(raw))
        return checked_array(raw, dtype.dtype, shape, fortran)

    def _objects(self, items: list[Any], shape: object, problem: str) -> np.ndarray | Opaque:
        """An array of Python's numbers, or of arrays of one shape, as an array of numbers."""
        if items and all(map(_is_number, items)):
            self.spend(8 * len(items))
        elif items and _alike(items):
            self.spend(len(items) * items[0].nbytes)
        else:
            return Opaque(problem)
        numbers = np.array(items)
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("array with an impossible shape")
        return numbers.reshape(*shape, *numbers.shape[1:])

    def _reconstruct(self, kind: object, shape: object, typecode: object) -> _Array:
        if kind != _NDARRAY and not isinstance(kind, Opaque):
            raise ValueError("array of an unknown class")
        return _Array(self)

    def _masked(self, kind: object, base: object, shape: object, typecode: object) -> _Masked:
        return _Masked(self)

    def _frombuffer(
        self, raw: object, dtype: object, shape: object, order: object, axes: object = None
    ) -> np.ndarray | Opaque:
        """`axes`: with order "K", the axes in the order in which they lie in memory."""
        found = self.array(raw, dtype, shape, order == "F")
        if order == "K" and axes is not None and isinstance(found, np.ndarray):
            if not isinstance(axes, tuple) or sorted(axes) != list(range(found.ndim)):
                raise ValueError("array with axes in an impossible order")
            found = np.ascontiguousarray(found.transpose(axes))
        return found

    def _scalar(self, dtype: object, raw: object) -> Any:
        found = self.array(raw, dtype, (), False)
        return found if isinstance(found, Opaque) else found[()]

    def _encode(self, text: object, encoding: object) -> bytes:
        if not isinstance(text, str) or encoding != "latin1":
            raise ValueError("text in an encoding other than latin1")
        self.spend(len(text))
        return text.encode("latin1")


def _no_bytes() -> bytes:
    """What protocols 0 to 2 call for b""; the real bytes(n) would allocate n."""
    return b""


def _is_number(value: Any) -> bool:
    if type(value) in (bool, int):
        return abs(value) < 2**63
    return type(value) is float or isinstance(value, np.number)


def _alike(items: list[Any]) -> bool:
    """Whether all of them are arrays of numbers, of one shape and type."""
    kinds = {(i.shape, i.dtype) if type(i) is np.ndarray and i.dtype.kind in "fiub" else None for i in items}
    return len(kinds) == 1 and None not in kinds


def read_pickle(
    path: PathLike, content: bytes, remedy: str, needed: Container[str] = (), wanted: str = "a pickle"
) -> Any:
    """What the pickle `content` of the file `path` holds; what is no plain value or array is an Opaque.

    Raises InputError naming the file: what it is, where it is not what is `wanted`; what is wrong with it;
    and which of the `needed` entries of a dict is an Opaque.
    """
    try:
        found = unpickle(ArrayUnpickler(content), path, remedy)
    except HarmfulFile:
        raise
    except InputError:
        if kind_of(content).name in ("pickle", "unknown"):
            raise
        raise wrong_kind(path, content, wanted, remedy) from None
    if isinstance(found, Opaque):
        raise file_error(path, f"holds {found.what}, which is not read; {remedy}")
    for key, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, Opaque) and key in needed:
            raise file_error(path, f"{key} is {value.what}, which is not read; {remedy}")
    return found
