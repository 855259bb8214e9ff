"""A device array in host memory that refuses every silent crossing between host and device.

It is stricter than CuPy's: what CuPy refuses it refuses, and also what CuPy does slowly and without a word
(ufuncs that allocate, indexing by host arrays, copies to fit a dtype). Every read by the host is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NoReturn, Protocol

import numpy as np

ALIGNMENT = 512  # bytes, as of CuPy's memory pool
GUARD = 256  # bytes before and behind each array that nobody may write
NAN_BYTE = 0xFF  # repeated, NaN in every float type


class Backend(Protocol):
    """What an array needs of the device it lies on."""

    host_reads: int

    def allocate(self, nbytes: int) -> Memory: ...
    def enqueue(self, name: str, action: Callable[[], None], memories: Sequence[Memory]) -> None: ...
    def refuse_while_capturing(self, what: str) -> None: ...


class Memory:
    """One allocation of `nbytes` bytes at an address divisible by 512, with guards around it."""

    def __init__(self, backend: Backend, nbytes: int) -> None:
        self.backend, self.nbytes = backend, nbytes
        room = np.full(nbytes + 2 * GUARD + ALIGNMENT, NAN_BYTE, np.uint8)
        start = GUARD + -(room.ctypes.data + GUARD) % ALIGNMENT
        self.bytes = room[start : start + nbytes]
        self.guards = room[start - GUARD : start], room[start + nbytes : start + nbytes + GUARD]
        self.address: int = room.ctypes.data + start

    def intact(self) -> bool:
        """Whether nothing was written just outside since the last call."""
        whole = True
        for guard in self.guards:
            whole &= bool((guard == NAN_BYTE).all())
            guard.fill(NAN_BYTE)
        return whole


def empty(backend: Backend, shape: int | tuple[int, ...], dtype: Any) -> DeviceArray:
    """A new array that holds NaN, or 0xA5 in every byte where the dtype has no NaN."""
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    memory = backend.allocate(int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
    memory.bytes.fill(NAN_BYTE if dtype.kind in "fc" else 0xA5)
    return DeviceArray(memory, memory.bytes.view(dtype).reshape(shape))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)  # no bool, and no np.float64, which is a float too


def _checked_key(key: Any) -> tuple[Any, ...]:
    """An index made of numbers and slices, which gives a view; with `...`, so that NumPy gives no scalar."""
    keys = key if isinstance(key, tuple) else (key,)
    for k in keys:
        if not (k is None or k is Ellipsis or isinstance(k, (slice, np.integer)) or type(k) is int):
            raise TypeError(f"device arrays are indexed by numbers and slices, not by {type(k).__name__}")
    return keys if any(k is Ellipsis for k in keys) else (*keys, Ellipsis)


class DeviceArray:
    """`shape`, `dtype`, views, `get`, `set` and `fill` as cupy.ndarray has them; all else is refused."""

    __slots__ = ("__weakref__", "_host", "_memory")
    __array_ufunc__ = None  # NumPy refuses it in every ufunc, and lets `host + dev` come to __radd__
    __hash__ = None  # type: ignore[assignment]
    __iter__ = None  # an element at a time is never what a device is for

    def __init__(self, memory: Memory, host: np.ndarray) -> None:
        self._memory, self._host = memory, host

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    size = property(lambda self: self._host.size)
    ndim = property(lambda self: self._host.ndim)
    nbytes = property(lambda self: self._host.nbytes)
    strides = property(lambda self: self._host.strides)
    itemsize = property(lambda self: self._host.itemsize)

    @property
    def flags(self) -> SimpleNamespace:
        flags = self._host.flags
        return SimpleNamespace(c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous)

    @property
    def data(self) -> SimpleNamespace:
        return SimpleNamespace(ptr=self._host.ctypes.data)

    def __len__(self) -> int:
        return len(self._host)

    def __repr__(self) -> str:
        return f"<DeviceArray {self.shape} {self.dtype}>"  # no values: to print them is to wait for a GPU

    # ---- views ---------------------------------------------------------------------------------
    @property
    def T(self) -> DeviceArray:
        return DeviceArray(self._memory, self._host.T)

    def reshape(self, *shape: Any) -> DeviceArray:
        host = self._host.reshape(*shape)
        if self.size and not np.shares_memory(host, self._host):
            raise ValueError(f"reshape of {self.shape} with strides {self.strides} to {shape} would copy")
        return DeviceArray(self._memory, host)

    def __getitem__(self, key: Any) -> DeviceArray:
        return DeviceArray(self._memory, self._host[_checked_key(key)])

    # ---- writing on the device: recorded in a capture --------------------------------------------
    def fill(self, value: float) -> None:
        if not _is_number(value):
            raise TypeError(f"fill takes a Python number, not {type(value).__name__}")
        if type(value) is float and self.dtype.kind in "iu":
            raise TypeError(f"fill of {self.dtype} with the float {value} would round it")
        host = self._host
        self._memory.backend.enqueue("fill", lambda: host.fill(value), [self._memory])

    def __setitem__(self, key: Any, value: Any) -> None:
        target = self[key]
        if not isinstance(value, DeviceArray):
            if isinstance(value, np.ndarray):
                raise TypeError("a host array is assigned to a device array: upload it, with set()")
            target.fill(value)
            return
        if (target.shape, target.dtype) != (value.shape, value.dtype):
            raise TypeError(f"{value!r} is assigned to {target!r}: shapes and dtypes must be equal")
        to, source = target._host, value._host
        memories = [target._memory, value._memory]
        self._memory.backend.enqueue("copy", lambda: np.copyto(to, source), memories)

    # ---- crossing to and from the host, openly ---------------------------------------------------
    def get(self, stream: Any = None, out: np.ndarray | None = None) -> np.ndarray:
        self._memory.backend.refuse_while_capturing("get()")
        self._memory.backend.host_reads += 1
        if out is None:
            return np.array(self._host, order="C")
        if (out.shape, out.dtype) != (self.shape, self.dtype) or not out.flags.c_contiguous:
            raise ValueError(f"get() of {self!r} needs a C-contiguous out of the same shape and dtype")
        out[...] = self._host
        return out

    def set(self, host: np.ndarray, stream: Any = None) -> None:
        self._memory.backend.refuse_while_capturing("set()")
        if not isinstance(host, np.ndarray):
            raise TypeError(f"only a numpy.ndarray can be set, not {type(host).__name__}")
        if host.dtype != self.dtype:
            raise TypeError(f"{host.dtype} array cannot be set to {self.dtype} array")
        if host.shape != self.shape:
            raise ValueError(f"an array of shape {host.shape} cannot be set to one of shape {self.shape}")
        if not self._host.flags.c_contiguous:
            raise RuntimeError("cannot set a non-contiguous array")
        self._host[...] = host

    def item(self) -> Any:
        return self.get().item()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    # ---- arithmetic: what setting up may do, never a step ----------------------------------------
    def _apply(self, ufunc: np.ufunc, other: Any, out: DeviceArray | None = None) -> DeviceArray:
        if not _is_number(other):
            kind = type(other).__name__
            raise TypeError(f"{ufunc.__name__} of a device array and {kind}: here only Python numbers mix")
        out = empty(self._memory.backend, self.shape, self.dtype) if out is None else out
        source, to = self._host, out._host
        memories = [self._memory, out._memory]
        self._memory.backend.enqueue(ufunc.__name__, lambda: ufunc(source, other, out=to), memories)
        return out

    def __add__(self, other: Any) -> DeviceArray:
        return self._apply(np.add, other)

    def __mul__(self, other: Any) -> DeviceArray:
        return self._apply(np.multiply, other)

    def __iadd__(self, other: Any) -> DeviceArray:
        return self._apply(np.add, other, self)

    def __imul__(self, other: Any) -> DeviceArray:
        return self._apply(np.multiply, other, self)

    __radd__, __rmul__ = __add__, __mul__

    # ---- refused -------------------------------------------------------------------------------
    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __array_function__(self, function: Any, *args: Any) -> NoReturn:
        raise TypeError(f"numpy.{function.__name__} called with a device array")


def _refuse(name: str) -> None:
    def refused(self: DeviceArray, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{name} of {self!r}: device arrays are worked on by the project's kernels only")

    setattr(DeviceArray, name, refused)


for _name in (
    "sub", "truediv", "floordiv", "mod", "pow", "matmul", "rsub", "rtruediv", "rpow", "rmatmul", "isub",
    "itruediv", "imatmul", "ipow", "eq", "ne", "lt", "le", "gt", "ge", "neg", "abs", "index", "complex",
    "copy", "deepcopy", "reduce_ex", "contains",
):  # fmt: skip
    _refuse(f"__{_name}__")
for _name in ("astype", "copy", "sum", "mean", "dot", "take", "ravel", "tolist", "argmax", "max", "min"):
    _refuse(_name)
