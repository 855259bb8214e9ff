"""The stand-in for libcublas, called as a ctypes library is, on the arrays and the stream of a FakeCuda."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpu_kernels import build

if TYPE_CHECKING:
    from fake_array import Memory
    from fake_cuda import FakeCuda

POINTER, INT = ctypes.c_void_p, ctypes.c_int
GEMM = (
    POINTER, INT, INT, INT, INT, INT, POINTER, POINTER, INT, INT, POINTER, INT, INT, POINTER, POINTER, INT,
    INT, INT, INT,
)  # fmt: skip
FUNCTIONS = {
    "cublasCreate_v2": (POINTER,),
    "cublasDestroy_v2": (POINTER,),
    "cublasSetStream_v2": (POINTER, POINTER),
    "cublasSetWorkspace_v2": (POINTER, POINTER, ctypes.c_size_t),
    "cublasGetVersion_v2": (POINTER, POINTER),
    "cublasSetMathMode": (POINTER, INT),
    "cublasGemmEx": GEMM,
    "fake_check_gemm": GEMM,
}
TYPE_NAMES = {0: ctypes.c_float, 1: ctypes.c_double}  # of cudaDataType


def _plain(argument: Any, declared: bool, function: str) -> int | None:
    """A ctypes argument as a number: the value, or the address that is passed."""
    if argument is None or type(argument) is int:
        if argument is not None and not declared and not -(2**31) <= argument < 2**31:
            raise TypeError(f"{function}: ctypes cuts {argument:#x} to 32 bits; wrap it in c_void_p")
        return argument
    if hasattr(argument, "_obj"):  # byref(x)
        return ctypes.addressof(argument._obj)
    if isinstance(argument, (POINTER, INT, ctypes.c_size_t, ctypes.c_uint)):
        return argument.value
    if isinstance(argument, ctypes._Pointer):
        return ctypes.cast(argument, POINTER).value
    raise TypeError(f"{function}: cannot pass {type(argument).__name__}")


class FakeBlas:
    """cublasGemmEx and what it needs. Refuses memory outside live arrays; in a capture it only records."""

    def __init__(self, cuda: FakeCuda) -> None:
        self._cuda = cuda
        source = Path(__file__).with_name("fake_cublas.cpp").read_text(encoding="utf-8")
        library = ctypes.PyDLL(str(build(source, False)))
        self._typed = {name: library[name] for name in FUNCTIONS}
        for name, function in self._typed.items():
            function.argtypes, function.restype = FUNCTIONS[name], INT

    def __getattr__(self, name: str) -> Function:
        if name not in FUNCTIONS or not name.startswith("cublas"):
            raise AttributeError(f"undefined symbol: {name}")
        function = Function(self, name)
        setattr(self, name, function)  # the same object every time, as of a ctypes library
        return function

    def call(self, name: str, arguments: list[int | None]) -> int:
        cuda = self._cuda
        if name in ("cublasCreate_v2", "cublasDestroy_v2"):
            cuda.refuse_while_capturing(name)
        if name == "cublasSetWorkspace_v2" and arguments[1]:
            cuda.memory_at(arguments[1], arguments[2] or 0)
        if name != "cublasGemmEx":
            return int(self._typed[name](*arguments))
        status = int(self._typed["fake_check_gemm"](*arguments))
        if status == 0:
            memories = self._operands(arguments)
            kind = TYPE_NAMES[arguments[8] or 0]
            held = [kind.from_address(arguments[i] or 0).value for i in (6, 13)]  # alpha, beta: frozen now
            alpha, beta = (kind(value) for value in held)
            frozen = [*arguments]
            frozen[6], frozen[13] = ctypes.addressof(alpha), ctypes.addressof(beta)

            def run(keep: Any = (alpha, beta)) -> None:
                assert self._typed["cublasGemmEx"](*frozen) == 0

            cuda.enqueue("gemm", run, memories)
        return status

    def _operands(self, arguments: list[int | None]) -> list[Memory]:
        """The arrays in which A, B and C lie, wholly."""
        ta, tb, m, n, k = (value or 0 for value in arguments[1:6])
        itemsize = ctypes.sizeof(TYPE_NAMES[arguments[8] or 0])
        a, b = (k, m) if ta else (m, k), (n, k) if tb else (k, n)  # rows, columns as stored
        found = []
        for (rows, columns), pointer, leading in ((a, 7, 9), (b, 10, 12), ((m, n), 14, 16)):
            if rows and columns:
                size = ((columns - 1) * (arguments[leading] or 0) + rows) * itemsize
                found.append(self._cuda.memory_at(arguments[pointer] or 0, size))
        return found


class Function:
    """One function of the library. `argtypes` may be set, and then numbers may be passed as pointers."""

    def __init__(self, blas: FakeBlas, name: str) -> None:
        self._blas, self._name = blas, name
        self.argtypes: Any = None
        self.restype: Any = INT

    def __call__(self, *arguments: Any) -> int:
        expected = len(FUNCTIONS[self._name])
        if len(arguments) != expected:
            raise TypeError(f"{self._name} takes {expected} arguments, got {len(arguments)}")
        declared = self.argtypes is not None
        return self._blas.call(self._name, [_plain(a, declared, self._name) for a in arguments])
