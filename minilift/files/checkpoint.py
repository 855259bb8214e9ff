"""Training checkpoints: arrays and a JSON text in one .npz, to go on training from."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, read_bytes, write_atomically
from minilift.files.npz import read_npz, write_npz

_META = "meta"


def save_checkpoint(path: PathLike, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write arrays and a JSON-able `meta` as one .npz without pickle, atomically, under exactly this name."""
    members = packed(arrays, meta)
    write_atomically(path, lambda file: write_npz(file, members))


def packed(arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of such a file: those given, and `meta` as it is now, as text."""
    if _META in arrays:
        raise ValueError(f"the array name {_META!r} is taken")
    return {_META: np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays}


def load_checkpoint(path: PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what save_checkpoint wrote: (arrays, meta). Raises InputError naming the file."""
    found = read_npz(path, read_bytes(path, "check the name, or start a new run"))
    arrays = {k: np.asarray(a, a.dtype.newbyteorder("=")) for k, a in found.items() if a is not None}
    try:
        meta = json.loads(arrays.pop(_META).tobytes())
    except (KeyError, ValueError, RecursionError):
        meta = None
    if not isinstance(meta, dict):
        raise file_error(
            path, "is not a training checkpoint (no readable meta); name the checkpoint.npz of a run"
        )
    return arrays, meta
