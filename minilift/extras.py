"""Imports that wait until they are used: of optional libraries, which may be missing, and of our files."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from minilift.errors import InputError

# What is imported, what people call it, and the extra of setup.cfg that installs it
LIBRARIES = {
    "cupy": ("CuPy", "gpu"),
    "matplotlib": ("matplotlib", "plot"),
    "PIL": ("Pillow", "plot"),
    "plotly": ("plotly", "report"),
    "joblib": ("joblib", "studies"),
    "distributed": ("distributed", "dask"),
    "h5py": ("h5py", "hdf5"),
    "tensorboardX": ("tensorboardX", "tensorboard"),
    "tomli": ("tomli", "camera"),  # TOML files; Python has a reader of its own from 3.11 on
    "mpi4py": ("mpi4py", "mpi"),
    "onnx": ("onnx", "onnx"),
    "ezc3d": ("ezc3d", "c3d"),
    "av": ("PyAV", "video"),
    "mkl": ("MKL", "mkl"),  # no module: a library that minilift.ops.blas loads
    "ai_edge_litert": ("LiteRT", "video"),
    "onnxruntime": ("onnxruntime", "rtmlib"),
}


class Later:
    """A module, imported when one of its functions is first called: a table of many needs one or two."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, function: str) -> Any:
        def call(*given: Any) -> Any:
            return getattr(importlib.import_module(self._name), function)(*given)

        return call


def load(module: str, purpose: str, extra: str = "") -> Any:
    """Import a module of an optional library. `purpose` is what needs it, in a few words; `extra` is what
    installs it, where that is another than LIBRARIES has.

    Raises InputError, with the command that installs it, where the library is missing.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as problem:
        if problem.name is None or problem.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the library is there, and something that it needs is not
        raise InputError(missing(module, purpose, extra)) from None


def require(module: str, purpose: str, extra: str = "") -> None:
    """Raise InputError unless the library is installed; it is not imported yet."""
    if not installed(module):
        raise InputError(missing(module, purpose, extra))


def installed(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def missing(module: str, purpose: str, extra: str = "") -> str:
    """The line that says what to install."""
    name, usual = LIBRARIES[module.partition(".")[0]]
    return f"{purpose} needs {name}: pip install 'minilift[{extra or usual}]'"
