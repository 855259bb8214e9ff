"""Weights in and out: state dicts of PyTorch's and of safetensors' files, found wherever they are in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilift.files import PathLike, file_error, one_line, read_bytes, write_atomically
from minilift.files.safetensors import read_safetensors, write_safetensors
from minilift.files.tree import Leaf, describe, leaves, strangers
from minilift.files.what import SAVE_AGAIN, kind_of

TRAIN_FIRST = "check the name, or train one with: minilift train"
# What DataParallel, Lightning, torch.compile, AveragedModel and people put before every name
WRAPPERS = frozenset({
    "module", "model", "_orig_mod", "net", "network", "lifter", "generator", "model_pos", "backbone",
    "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module",
})  # fmt: skip
INNER = WRAPPERS - {"model", "net", "network", "lifter", "generator", "model_pos", "backbone"}
_SECOND = re.compile(r"(^|[_.])(ema|swa|avg|average[d]?|teacher|target|shadow|old|previous)($|[_.\d])", re.I)
_DEEPEST = 12  # prefixes of more words are not looked for


class Misfit(ValueError):
    """Arrays that are not the weights that were wanted; `near` counts those that were."""

    def __init__(self, problem: str, near: int = 0) -> None:
        super().__init__(problem)
        self.near = near


Wanted = Callable[[Mapping[str, np.ndarray]], Collection[str]]
"""Of arrays by name: the names of those that are the weights. Raises Misfit."""


def exactly(state: Mapping[str, np.ndarray]) -> Wanted:
    """Wants the arrays of a network's `state_dict`: all of its names, in its shapes."""

    def wanted(arrays: Mapping[str, np.ndarray]) -> Collection[str]:
        near = sum(name in arrays for name in state)
        for name, array in state.items():
            if name not in arrays:
                raise Misfit(f"{name!r} is missing", near)
            if arrays[name].shape != array.shape:
                raise Misfit(f"{name!r} has shape {arrays[name].shape}, expected {array.shape}", near)
        return state.keys()

    return wanted


@dataclass(frozen=True)
class Found:
    """Weights, and where in their file they were found."""

    state: dict[str, np.ndarray]
    place: str
    """What was left out before every name: "model.module"; empty where nothing was."""
    ignored: tuple[str, ...]
    """What else the file holds, in a few words each."""
    others: tuple[str, ...]
    """Other places whose arrays would have fitted too."""

    @property
    def note(self) -> str:
        """One line on what a reader should know: of several weights which were taken, what was left out."""
        others = ", ".join(self.others)
        parts = [f"the weights under {self.place!r} are used, not {others}"] if others else []
        if self.ignored:
            more = f" and {len(self.ignored) - 5} more" if len(self.ignored) > 5 else ""
            parts.append(f"not used: {', '.join(self.ignored[:5])}{more}")
        return "; ".join(parts)


def save_state_dict(path: PathLike, state: Mapping[str, np.ndarray]) -> None:
    """Write named float32, float64 or int64 arrays, atomically.

    A name that ends in .safetensors gives that format, every other one PyTorch's, which
    torch.load(path, weights_only=True) opens. Equal arrays give equal bytes.
    """
    from minilift.files.torch_write import write_torch

    write = write_safetensors if Path(path).suffix.lower() == ".safetensors" else write_torch
    write_atomically(path, lambda file: write(file, state))


def load_state_dict(
    path: PathLike, wanted: Wanted | None = None, remedy: str = SAVE_AGAIN
) -> dict[str, np.ndarray]:
    """The weights in a file, as `find_state_dict` finds them."""
    return find_state_dict(path, wanted, remedy).state


def find_state_dict(path: PathLike, wanted: Wanted | None = None, remedy: str = SAVE_AGAIN) -> Found:
    """Find the weights in a file of PyTorch (of any version) or of safetensors, without torch.

    They may lie in dicts in dicts, in a module that was saved whole, beside an optimiser and whatever else,
    under names with any prefix. `wanted` says which arrays fit: the names that it gives are taken, and where
    several places fit, plain weights before an average of them, then the place nearest to the top, then the
    first in the file. Without `wanted` the dict with the most arrays is taken, without the prefixes WRAPPERS.
    Tensors from a GPU, views and shared storages are read; half, bfloat16 and float8 become float32.

    Raises InputError naming the file: unreadable, no weights in it, or none that fit (the nearest is told).
    No code in the file is ever run.
    """
    content = read_content(path)
    found = list(leaves(content))
    if not found:
        other = ", ".join(strangers(content, [])[:3]) or describe(content)
        raise file_error(path, f"holds no tensors of numbers, found {one_line(other, 200)}; {remedy}")
    if wanted is None:
        place, state, used = _largest(found)
        return Found(state, place, tuple(strangers(content, used)), ())
    fits = _fitting(path, found, wanted, remedy)
    (place, names), *rest = fits
    taken = {id(leaf.array) for leaf in names.values()}
    others = [repr(other) for other, theirs in rest if taken != {id(x.array) for x in theirs.values()}]
    state = {name: leaf.array for name, leaf in names.items()}
    return Found(state, place, tuple(strangers(content, names.values())), tuple(dict.fromkeys(others)))


def read_content(path: PathLike) -> Any:
    """All that a file of weights holds, as nested dicts of arrays and other values. Raises InputError."""
    content = read_bytes(path, TRAIN_FIRST)
    named_so = Path(path).suffix.lower() == ".safetensors"
    if kind_of(content).name == "safetensors" or (named_so and kind_of(content).name == "unknown"):
        return read_safetensors(path, content)
    from minilift.files.torch_read import read_torch  # pickles: only for a file that has one

    return read_torch(path, content)


def _largest(found: list[Leaf]) -> tuple[str, dict[str, np.ndarray], list[Leaf]]:
    """Of the dicts that have arrays in them that with the most: its place, its arrays by name, and them."""
    places: dict[tuple[str, ...], list[Leaf]] = {}
    for leaf in found:
        places.setdefault(leaf.place, []).append(leaf)

    def merit(place: tuple[str, ...]) -> tuple[int, bool, int]:
        # Counters, random states and losses are no layers
        layers = sum(leaf.array.ndim > 0 and leaf.array.dtype.kind == "f" for leaf in places[place])
        return layers, not _SECOND.search(".".join(place)), -len(place)

    best = max(places, key=merit)  # the first of equals
    used = places[best]
    state = {leaf.name: leaf.array for leaf in used}
    prefix = _wrapper(state)
    dropped: list[str] = []
    while prefix:
        dropped.append(prefix)
        state = {name.removeprefix(f"{prefix}."): array for name, array in state.items()}
        prefix = _wrapper(state)
    return one_line(".".join((*best, *dropped)), 80), state, used


def _wrapper(state: Mapping[str, np.ndarray]) -> str:
    """One of WRAPPERS that stands before the names of all arrays but single numbers (n_averaged, say)."""
    firsts = {name.split(".", 1)[0] if "." in name else "" for name, array in state.items() if array.ndim}
    first = firsts.pop() if len(firsts) == 1 else ""
    return first if first in WRAPPERS else ""


def _fitting(
    path: PathLike, found: list[Leaf], wanted: Wanted, remedy: str
) -> list[tuple[str, dict[str, Leaf]]]:
    """The places that fit, best first, with the arrays that are wanted of each by name, or InputError."""
    nearest: Misfit | None = None
    for drop in (frozenset[str](), INNER):  # names as they are; then without wrappers in their middle
        fits: list[tuple[str, dict[str, Leaf]]] = []
        for place, named in _candidates(found, drop).items():
            try:
                names = wanted({name: leaf.array for name, leaf in named.items()})
            except Misfit as problem:
                nearest = problem if nearest is None or problem.near > nearest.near else nearest
            else:
                fits.append((one_line(".".join(place), 80), {name: named[name] for name in names}))
        if fits:
            return sorted(fits, key=lambda fit: (bool(_SECOND.search(fit[0])), len(fit[0].split("."))))
    some = ", ".join(f"{'.'.join(leaf.words)} {leaf.array.shape}" for leaf in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise file_error(path, f"{nearest}; found {one_line(some, 200)}{more}; {remedy}")


def _candidates(found: list[Leaf], drop: Collection[str]) -> dict[tuple[str, ...], dict[str, Leaf]]:
    """Of every prefix in the file the arrays that have it, by what is left of their names."""
    places: dict[tuple[str, ...], dict[str, Leaf]] = {(): {}}
    for leaf in found:
        words = tuple(word for word in leaf.words if word not in drop)
        for depth in range(min(len(words), _DEEPEST)):
            places.setdefault(words[:depth], {}).setdefault(".".join(words[depth:]), leaf)
    return places
