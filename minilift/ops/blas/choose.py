"""Which library multiplies for a network, and why: asked for, kept from before, or found by a trial."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minilift.cache import cache_folder, write_whole
from minilift.errors import InputError, counted
from minilift.ops.blas.bundled import blas
from minilift.ops.blas.cblas import Cblas
from minilift.ops.blas.mkl import find_mkl, load_mkl
from minilift.ops.blas.trial import speed_ratio

if TYPE_CHECKING:
    from minilift.ops.numpy_core import NumpyCore

VARIABLE = "MINILIFT_BLAS"
LIBRARIES = {"openblas": "OpenBLAS", "mkl": "MKL"}
MARGIN = 1.05  # how much faster MKL must be: less is chance, and one library has fewer surprises than two
ROWS, WIDTH = 256, 1024  # of a trial, at most: with more, both libraries keep the speed that they have here
LARGEST = 4096  # bytes of a kept choice
HOLDS = ("OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")  # variables that change a library's speed
EDITION = 1  # of what is kept: another trial, another number


@dataclass(frozen=True)
class Choice:
    """A library, by its name in LIBRARIES, and why. `gemm` is None for NumPy's own."""

    library: str
    why: str
    gemm: Cblas | None = None


def asked_for() -> str:
    """'auto', 'mkl' or 'openblas', which the environment may say. Raises InputError for another word."""
    word = os.environ.get(VARIABLE, "").strip().lower() or "auto"
    if word not in ("auto", *LIBRARIES):
        raise InputError(f"{VARIABLE}={word}: is no library; use auto, {' or '.join(LIBRARIES)}")
    return word


def choose(ops: NumpyCore, rows: int, width: int, began_with: str = "") -> Choice:
    """The library for the products of a network of this width, in batches of so many rows.

    `began_with` is the one that a run to be continued has used: it goes on with that, to the same bits. A
    trial is made once for a machine, its versions, threads and these shapes, and kept in the user's cache
    folder, so that equal runs choose alike. Where nothing can be kept there is no trial, and no MKL.

    Raises InputError where the environment names no library, or one that is not here.
    """
    asked = asked_for()
    if asked == "openblas":
        return Choice(asked, f"{VARIABLE} says so")
    try:
        path, version = find_mkl()
        if asked == "mkl":
            return Choice(asked, f"{VARIABLE} says so", load_mkl(path))
        if began_with == "mkl":
            return Choice(began_with, "the run began with it", load_mkl(path))
        if began_with:
            return Choice("openblas", "the run began with it")
        return _faster(ops, min(rows, ROWS), min(width, WIDTH), path, version)
    except InputError as problem:
        if asked == "mkl":
            raise InputError(f"{VARIABLE}=mkl: {problem}") from None
        return Choice("openblas", str(problem))


def _faster(ops: NumpyCore, rows: int, width: int, path: Path, version: str) -> Choice:
    from minilift.ops.numpy_core import LARGE

    if blas().threads is None:
        return Choice("openblas", "NumPy's BLAS is not that of its wheels, and is left alone")
    if rows * width * width < LARGE:
        return Choice("openblas", f"{rows} rows of {width} are too few for the choice to matter")
    key = "\n".join([*machine_key(version), f"{ops.cores} threads", ops.dtype, f"{rows} x {width}"])
    ratio = kept(key)
    if ratio is None:
        keep(key, speed_ratio(ops, load_mkl(path), rows, width))
        ratio = kept(key)  # another process may have been first: what it found counts
    if ratio is None:
        place = "a cache folder that can be written"
        return Choice("openblas", f"there is no {place} to keep a trial of MKL in ({VARIABLE}=mkl takes it)")
    shapes = f"{rows} x {width} on {counted(ops.cores, 'thread')}"
    trial = f"in a trial at {shapes} MKL {version} had {ratio:.2f} times"
    if ratio >= MARGIN:
        return Choice("mkl", f"{trial} the speed of OpenBLAS", load_mkl(path))
    return Choice("openblas", f"{trial} its speed")


# ---- what is kept ------------------------------------------------------------------------------------------


def machine_key(mkl: str) -> list[str]:
    """What the speed of two libraries depends on, in lines."""
    held = [f"{name}={os.environ[name]}" for name in HOLDS if name in os.environ]
    openblas = f"kernel {blas().kernel}"
    return [f"edition {EDITION}", cpu_model(), f"NumPy {np.__version__}", openblas, f"MKL {mkl}", *held]


def cpu_model() -> str:
    """Maker, family, model and stepping, and the name, which cloud machines leave vague."""
    facts = {}
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace").partition("\n\n")[0]
        facts = dict(part.partition(":")[::2] for part in text.replace("\t", "").splitlines())
    except OSError:
        pass
    words = [
        facts.get(name, "").strip() for name in ("vendor_id", "cpu family", "model", "stepping", "model name")
    ]
    return " ".join(filter(None, words)) or platform.processor() or platform.machine()


def kept(key: str) -> float | None:
    """The ratio that a trial has found; None where there is none, or where the file is damaged."""
    try:
        with open(_file(key), "rb") as file:
            found = json.loads(file.read(LARGEST))
        ratio = found["ratio"] if found["key"] == key else None
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return ratio if isinstance(ratio, float) and 0 < ratio < math.inf else None


def keep(key: str, ratio: float) -> None:
    """Keep a trial's result, unless one is there. Nothing happens where that cannot be."""
    content = json.dumps({"key": key, "ratio": round(ratio, 4)}, indent=1).encode()
    try:
        write_whole(_file(key), content, replace=False)
        if kept(key) is None:  # a damaged file stood there
            write_whole(_file(key), content)
    except (OSError, RuntimeError):
        return


def _file(key: str) -> Path:
    return cache_folder("blas") / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


# ---- using it ----------------------------------------------------------------------------------------------


@contextmanager
def multiplied_by(ops: NumpyCore, gemm: Cblas | None) -> Iterator[None]:
    """Within it, large products of these operations are another library's."""
    before, ops.gemm = ops.gemm, gemm
    try:
        yield
    finally:
        ops.gemm = before
