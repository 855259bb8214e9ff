"""CUDA C++ kernels compiled for the CPU (cuda_shim.h) and called as cupy.RawKernel is, arguments checked."""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from fake_array import DeviceArray, Memory

HERE = Path(__file__).parent
CHECKS = "-fsanitize=alignment,null,bounds,integer-divide-by-zero"  # cuda_builtins.h says what they call
# A call for every read and write, but none for functions, which fibers leave by jumps
COUNTS = ("-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0")
FLAGS = (
    "-std=c++17", "-O2", "-w", "-fPIC",
    "-U_FORTIFY_SOURCE",  # longjmp from stack to stack
    "-fvisibility=hidden",  # or the templates of two modules would share their static arrays
    "-ffp-contract=off",  # or the CPU at hand would decide what is rounded
    "-fno-strict-aliasing",  # a float4 may point at floats, as for nvcc
)  # fmt: skip

BUILDING = threading.Lock()  # two threads with a device each may want the same file at once

# `__global__`, `void` and `__launch_bounds__(...)` in any order, the name, the parameters
KERNEL = re.compile(
    r'extern\s*"C"\s+((?:__global__|void|__launch_bounds__\s*\((?:[^()]|\([^()]*\))*\)|\s)+?)\b'
    r"(?!void\b|__)(\w+)\s*\(([^()]*)\)"
)
BOUNDS = re.compile(r"__launch_bounds__\s*\(((?:[^(),]|\([^()]*\))*)")
NAMED = re.compile(r"^\s*//\s*kernels:(.*)$", re.MULTILINE)


class Device(Protocol):
    """What a kernel needs of the device it is launched on."""

    reverse: bool  # whether threads and blocks run in the opposite order
    counted: list[tuple[int, int, int]] | None  # of each launch: see count_bytes.h; None: nothing is counted

    def enqueue(self, name: str, action: Callable[[], None], memories: Sequence[Memory]) -> None: ...


def why_absent() -> str | None:
    """Why kernels cannot run on this machine's CPU, or None where they can."""
    if not sys.platform.startswith("linux"):
        return "the CPU stand-in for CUDA needs Linux"
    return None if shutil.which("g++") else "the CPU stand-in for CUDA needs g++"


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="minilift-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _gxx(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run(["g++", *arguments], input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"g++ says:\n{done.stderr[:4000]}")
    return done.stdout


def find_kernels(source: str, defines: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """Of each kernel in `source`: its launch bounds as C text ("1024" for none), and its parameters' names.

    They are looked for after the preprocessor, which leaves CUDA's words alone but writes out macros.
    """
    plain = _gxx("-E", "-P", "-w", "-x", "c++", "-DCPU_SHIM=1", *defines, "-", text=source)
    found: dict[str, tuple[str, list[str]]] = {}
    for qualifiers, name, parameters in KERNEL.findall(plain):
        if "__global__" in qualifiers:
            bounds = BOUNDS.search(qualifiers)
            names = [p.replace("*", " ").split()[-1] for p in parameters.split(",") if p.strip()]
            found[name] = bounds.group(1) if bounds else "1024", [] if names == ["void"] else names
    named = {name for line in NAMED.findall(source) for name in line.replace(",", " ").split()}
    missing = sorted(named - found.keys())
    if missing:
        raise RuntimeError(f'no extern "C" __global__ function {missing}, which a comment names')
    return found


@cache
def build(text: str, sanitize: bool, counts: bool = False) -> Path:
    """A shared library of C++ `text`, compiled once in a session."""
    stem = _folder() / hashlib.sha1(text.encode()).hexdigest()[:16]  # of the text alone: counts is in it
    source, binary, library = (stem.with_suffix(ending) for ending in (".cpp", ".o", ".so"))
    source.write_text(text, encoding="utf-8")
    more = *([CHECKS] if sanitize else []), *(COUNTS if counts else ())
    _gxx("-c", *FLAGS, *more, "-o", str(binary), str(source))
    _gxx("-shared", "-o", str(library), str(binary))  # apart, so as to take in no library of the checks
    return library


@cache
def _compile(
    source: str, name: str, defines: tuple[str, ...], counts: bool
) -> tuple[Path, dict[str, list[str]]]:
    kernels = find_kernels(source, defines)
    text = f'#include "{HERE / "cuda_shim.h"}"\n'
    if counts:
        text += f'#include "{HERE / "count_bytes.h"}"\n'
    for define in defines:  # here, where they cannot change what the system's headers mean
        text += "#define {} {}\n".format(*(define[2:] + "=1").split("=")[:2])
    text += f'#line 1 "{name}"\n{source}\n#line 1 "exports of {name}"\n'
    text += "".join(f"SHIM_KERNEL({kernel}, ({bounds}))\n" for kernel, (bounds, _) in kernels.items())
    return build(text, True, counts), {kernel: names for kernel, (_, names) in kernels.items()}


class Module:
    """What cupy.RawModule is: source and options in, kernels by name out."""

    def __init__(self, device: Device, source: str, name: str, options: tuple[str, ...]) -> None:
        counts = device.counted is not None
        defines = tuple(o for o in options if o.startswith("-D"))
        with BUILDING:
            path, self.kernels = _compile(source, name, defines, counts)
        self.device, self.library = device, ctypes.PyDLL(str(path))  # PyDLL: one thread at a time
        self.library.shim_error.restype = ctypes.c_char_p

    def get_function(self, name: str) -> Kernel:
        if name not in self.kernels:
            raise AttributeError(f"no kernel {name!r} in this module; it has {sorted(self.kernels)}")
        return Kernel(self, name)


class Kernel:
    """Called as (grid, block, args): see `FakeCuda.compile` for what args may be."""

    def __init__(self, module: Module, name: str) -> None:
        self.module, self.name, self.parameters = module, name, module.kernels[name]
        self._launch = getattr(module.library, f"launch_{name}")
        signature = getattr(module.library, f"signature_{name}")
        signature.restype = ctypes.c_char_p
        self.types = re.findall("P?.", signature().decode())
        self.most_threads = int(getattr(module.library, f"bounds_{name}")())

    def __call__(self, grid: Sequence[int], block: Sequence[int], args: Sequence[Any]) -> None:
        sizes = self._shape("grid", grid), self._shape("block", block)
        self._check_limits(*sizes)
        if len(args) != len(self.types):
            raise TypeError(f"{self.name}: takes {len(self.types)} arguments, got {len(args)}")
        held = [self._convert(i, arg) for i, arg in enumerate(args)]
        arrays = [arg for arg in args if isinstance(arg, DeviceArray)]
        areas = sorted({(array.data.ptr, array.nbytes) for array in arrays})
        memories = [array._memory for array in arrays]
        run = self._run if self.module.device.counted is None else partial(self._counted, areas)
        self.module.device.enqueue(self.name, lambda: run(sizes, held), memories)

    def _counted(self, areas: list[tuple[int, int]], sizes: Any, held: list[Any]) -> None:
        """`_run`, with the bytes of these areas that it touches."""
        numbers, found = ctypes.c_uint64 * len(areas), (ctypes.c_uint64 * 3)()
        self.module.library.counts_begin(len(areas), *(numbers(*each) for each in zip(*areas, strict=True)))
        self._run(sizes, held)
        self.module.library.counts_end(found)
        assert self.module.device.counted is not None
        self.module.device.counted.append((found[0], found[1], found[2]))

    def _run(self, sizes: tuple[tuple[int, ...], tuple[int, ...]], held: list[Any]) -> None:
        three, pointers = ctypes.c_uint * 3, ctypes.c_void_p * max(len(held), 1)
        self.module.library.shim_reverse(int(self.module.device.reverse))
        addresses = pointers(*(ctypes.addressof(value) for value in held))
        if self._launch(addresses, three(*sizes[0]), three(*sizes[1])):
            raise RuntimeError(f"{self.name}: {self.module.library.shim_error().decode()}")

    def _shape(self, what: str, sizes: Sequence[int]) -> tuple[int, ...]:
        if not isinstance(sizes, tuple) or not 1 <= len(sizes) <= 3:
            raise TypeError(f"{self.name}: {what} must be a tuple of one to three numbers, got {sizes!r}")
        if any(not isinstance(size, (int, np.integer)) or size < 1 for size in sizes):
            raise ValueError(f"{self.name}: {what} {sizes} must hold whole numbers of at least 1")
        return (*(int(size) for size in sizes), 1, 1)[:3]

    def _check_limits(self, grid: tuple[int, ...], block: tuple[int, ...]) -> None:
        threads = block[0] * block[1] * block[2]
        if grid[0] >= 2**31 or max(grid[1:]) > 65535 or threads > 1024 or block[2] > 64:
            raise ValueError(f"{self.name}: grid {grid} or block {block} is larger than CUDA allows")
        if threads > self.most_threads:
            bounds = f"__launch_bounds__({self.most_threads})"
            raise ValueError(f"{self.name}: a block of {threads} threads, but the kernel has {bounds}")

    def _convert(self, i: int, arg: Any) -> Any:
        """The argument as the ctypes object that holds its bytes."""
        kind, place = self.types[i], f"{self.name}: argument {i}"
        if i < len(self.parameters):
            place += f" ({self.parameters[i]})"
        if kind.startswith("P"):
            if arg is None:
                return ctypes.c_void_p(None)
            if not isinstance(arg, DeviceArray):
                raise TypeError(f"{place} is a pointer: a device array or None, not {type(arg).__name__}")
            if kind != "PV" and np.dtype(kind[1]) != arg.dtype:
                raise TypeError(f"{place} points to {np.dtype(kind[1])}, but the array holds {arg.dtype}")
            if not arg.flags.c_contiguous:
                raise TypeError(f"{place} has strides {arg.strides}, which a kernel does not see")
            return ctypes.c_void_p(arg.data.ptr)
        wanted = np.dtype(kind)
        if not isinstance(arg, np.generic) or arg.dtype != wanted:
            raise TypeError(f"{place} takes numpy.{wanted}, not {type(arg).__name__} ({arg!r})")
        return np.ctypeslib.as_ctypes_type(wanted)(arg.item())
