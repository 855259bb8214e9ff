"""Weights files that pass between this project and PyTorch, and checkpoints to resume training from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import InputError
from minilift.extras import load
from minilift.files import PathLike, file_error, one_line, read_bytes, write_atomically
from minilift.files.npz import read_npz, write_npz
from minilift.files.torch_read import SAVE_AGAIN, read_torch
from minilift.files.torch_write import write_torch

TRAIN_FIRST = "check the name, or train one with: python train.py"
NESTED = ("state_dict", "model_state_dict", "model")  # where training scripts keep the weights
# DataParallel, Lightning and torch.compile put these before every name
WRAPPERS = ("module.", "model.", "_orig_mod.")
_META = "meta"


def save_state_dict(path: PathLike, state: Mapping[str, np.ndarray]) -> None:
    """Write named float32, float64 or int64 arrays, atomically.

    A name that ends in .safetensors gives that format, every other one PyTorch's, which
    torch.load(path, weights_only=True) opens. Equal arrays give equal bytes.
    """
    if _is_safetensors(path):
        arrays = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in state.items()}
        content = _safetensors(path).save(arrays)
        write_atomically(path, lambda file: file.write(content))
    else:
        write_atomically(path, lambda file: write_torch(file, state))


def load_state_dict(path: PathLike) -> dict[str, np.ndarray]:
    """Read the weights of a PyTorch state-dict file (zip format) or of a .safetensors file, without torch.

    Accepted too: weights under one of the keys NESTED, parameters, tensors saved from a GPU, views and
    shared storages, half precision (becomes float32), the prefixes WRAPPERS (dropped).
    Raises InputError naming the file. No code in the file is ever run.
    """
    content = read_bytes(path, TRAIN_FIRST)
    state = _parse_safetensors(path, content) if _is_safetensors(path) else read_torch(path, content)
    if isinstance(state, dict) and not any(isinstance(value, np.ndarray) for value in state.values()):
        state = next((state[key] for key in NESTED if isinstance(state.get(key), dict)), state)
    if not isinstance(state, dict):
        raise file_error(path, f"holds a {type(state).__name__}, not a dict of tensors; {SAVE_AGAIN}")
    for name, value in state.items():
        if type(name) is not str or not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
            shown = one_line(str(name), 60)
            raise file_error(path, f"{shown!r} is of type {type(value).__name__}, not a tensor; {SAVE_AGAIN}")
    if not state:
        raise file_error(path, f"holds no tensors; {SAVE_AGAIN}")
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in state):
            state = {name.removeprefix(wrapper): value for name, value in state.items()}
    return state


def save_checkpoint(path: PathLike, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write arrays and a JSON-able `meta` as one .npz without pickle, atomically, under exactly this name."""
    if _META in arrays:
        raise ValueError(f"the array name {_META!r} is taken")
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    write_atomically(path, lambda file: write_npz(file, {_META: text, **arrays}))


def load_checkpoint(path: PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what save_checkpoint wrote: (arrays, meta). Raises InputError naming the file."""
    found = read_npz(path, read_bytes(path, "check the name, or train without --resume"))
    arrays = {k: np.asarray(a, a.dtype.newbyteorder("=")) for k, a in found.items() if a is not None}
    try:
        meta = json.loads(arrays.pop(_META).tobytes())
    except (KeyError, ValueError, RecursionError):
        meta = None
    if not isinstance(meta, dict):
        raise file_error(
            path, "is not a training checkpoint (no readable meta); name one written by train.py"
        )
    return arrays, meta


def check_format(path: PathLike) -> None:
    """Raise InputError now if `save_state_dict(path, ...)` would lack the library that it needs."""
    if _is_safetensors(path):
        _safetensors(path)


def _is_safetensors(path: PathLike) -> bool:
    return Path(path).suffix.lower() == ".safetensors"


def _safetensors(path: PathLike) -> Any:
    return load("safetensors.numpy", one_line(str(path)))


def _parse_safetensors(path: PathLike, content: bytes) -> Any:
    try:
        return _safetensors(path).load(content)
    except InputError:
        raise
    # The library's own exception class is not one of Python's, and numpy lacks some of its types (KeyError).
    except Exception as error:
        problem = one_line(str(error), 120)
        raise file_error(path, f"is not a readable safetensors file ({problem}); save it again") from None
