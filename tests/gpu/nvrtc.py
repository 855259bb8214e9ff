"""NVIDIA's run-time compiler, which makes machine code for any GPU on a machine without one.

It is in the package nvidia-cuda-nvrtc-cu12, and in every CUDA toolkit.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

NAMES = ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so")


class CompileError(RuntimeError):
    """The compiler's log."""


def _candidates() -> list[str]:
    """Where the library may be: in an installed package, else wherever the loader looks."""
    package = PathFinder.find_spec("nvidia")  # a namespace of many packages
    places = [Path(place) for place in (package.submodule_search_locations or ())] if package else []
    folders = [place / folder / "lib" for place in places for folder in ("cuda_nvrtc", "cu13")]
    found = [str(folder / name) for folder in folders for name in NAMES if (folder / name).is_file()]
    return [*found, *filter(None, [ctypes.util.find_library("nvrtc")]), *NAMES]


@cache
def _library() -> ctypes.CDLL | None:
    for name in _candidates():
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        return library
    return None


def why_absent() -> str | None:
    """Why nothing can be compiled for GPUs here, or None."""
    return None if _library() else "libnvrtc is missing: pip install nvidia-cuda-nvrtc-cu12"


def _call(function: str, *arguments: object) -> None:
    library = _library()
    if library is None:
        raise RuntimeError(why_absent())
    status = getattr(library, function)(*arguments)
    if status:
        raise CompileError(f"{function}: {library.nvrtcGetErrorString(status).decode()}")


def versions() -> tuple[int, int]:
    """Of the compiler: 12 and 9 for CUDA 12.9."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    _call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
    return major.value, minor.value


def _text(program: ctypes.c_void_p, what: str) -> bytes:
    """What nvrtcGet`what` writes into memory of the size that nvrtcGet`what`Size names."""
    size = ctypes.c_size_t()
    _call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
    memory = ctypes.create_string_buffer(max(size.value, 1))
    _call(f"nvrtcGet{what}", program, memory)
    return memory.raw[: size.value]


def compile_cubin(source: str, name: str, arch: str, options: tuple[str, ...] = ()) -> bytes:
    """The machine code of `source` for `arch` ("sm_80"), an ELF file. Raises CompileError with the log.

    `options` are added to those that CuPy always passes: -ftz=true, and the default -fmad=true.
    """
    program, none = ctypes.c_void_p(), ctypes.c_void_p()
    _call("nvrtcCreateProgram", ctypes.byref(program), source.encode(), name.encode(), 0, none, none)
    try:
        flags = [option.encode() for option in (f"-arch={arch}", "-ftz=true", *options)]
        try:
            _call("nvrtcCompileProgram", program, len(flags), (ctypes.c_char_p * len(flags))(*flags))
        except CompileError as problem:
            log = _text(program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
            raise CompileError(f"{problem} ({arch})\n{log}") from None
        return _text(program, "CUBIN")
    finally:
        _call("nvrtcDestroyProgram", ctypes.byref(program))
