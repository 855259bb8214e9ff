"""Intel's MKL, as the wheel `mkl` of PyPI brings it: without threads of its own, for ours share the work."""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import lru_cache
from pathlib import Path

from minilift.errors import InputError
from minilift.extras import missing
from minilift.ops.blas.cblas import Cblas

SEQUENTIAL = 1  # of mkl_service.h: a product runs on the thread that calls
REPRODUCIBLE = 2  # MKL_CBWR_AUTO: the same bits wherever in memory arrays begin
SYMBOL = "cblas_{}gemm_64"  # sizes of 64 bits, whichever interface the library is set to
NEEDED = ("libmkl_core", "libmkl_sequential")  # without them libmkl_rt would end the process


def find_mkl() -> tuple[Path, str]:
    """The library's file and its version; it is not loaded. Raises InputError that says what is missing."""
    from importlib import metadata  # here: it takes longer to import than the rest of training's start

    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise InputError("MKL is used on Linux and x86-64 alone")
    try:
        wheel = metadata.distribution("mkl")
    except metadata.PackageNotFoundError:
        raise InputError(missing("mkl", "a second BLAS to choose from")) from None
    for file in wheel.files or ():
        if file.name.startswith("libmkl_rt.so"):
            path = Path(str(wheel.locate_file(file))).resolve()
            ending = path.name.removeprefix("libmkl_rt")
            if path.exists() and all((path.parent / f"{name}{ending}").exists() for name in NEEDED):
                return path, wheel.version
    raise InputError(f"MKL {wheel.version} is not whole; remove and install it: pip uninstall mkl")


@lru_cache
def load_mkl(path: Path) -> Cblas:
    """Its products, each on the thread that calls. Raises InputError where they cannot be had.

    What else in the process uses this library, and was there first, has chosen its threads: then it is left.
    """
    try:
        library = ctypes.CDLL(str(path))
        layer = library.MKL_Set_Threading_Layer(SEQUENTIAL)
        library.MKL_CBWR_Set(REPRODUCIBLE)
        products = Cblas(library, SYMBOL)
    except (OSError, AttributeError) as problem:
        said = " ".join(str(problem).split())
        raise InputError(f"MKL cannot be used ({said}); install mkl 2024 or newer") from None
    if layer != SEQUENTIAL:
        raise InputError("MKL is in use in this process by another library, with threads of its own")
    return products
