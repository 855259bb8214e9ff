"""What a file of nested dicts holds: its arrays by place and name, and all else in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minilift.files import one_line
from minilift.files.pickles.opaque import Opaque

Place = tuple[str, ...]  # the keys that lead to a dict


class Leaf(NamedTuple):
    """An array of numbers: the dict that it is in, and its name there."""

    place: Place
    name: str
    array: np.ndarray

    @property
    def words(self) -> tuple[str, ...]:
        """Place and name, cut at every dot: a dict of modules and a name with dots in it are the same."""
        return (*self.place, *self.name.split("."))


def leaves(value: Any) -> Iterator[Leaf]:
    """Every array of numbers in dicts, lists and objects with attributes, in the order of the file.

    What is in the file once and named twice is told once, under its first name: else a small file could name
    things without end.
    """
    seen: set[int] = set()
    waiting: list[tuple[Place, Any]] = [((), value)]
    while waiting:
        place, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        inside = []
        for name, item in entries(value):
            if is_numbers(item):
                yield Leaf(place, name, item)
            elif holds(item):
                inside.append(((*place, name), item))
        waiting += reversed(inside)


def entries(value: Any) -> list[tuple[str, Any]]:
    """The names and items of a dict, of the attributes of an object, of a list of such things."""
    if isinstance(value, Opaque):
        value = value.state or {}
        if "_modules" in value:  # a module of PyTorch, saved whole: its state dict is in these three
            parts = [value.get(key) for key in ("_parameters", "_buffers", "_modules")]
            return [pair for part in parts if isinstance(part, dict) for pair in entries(part)]
    if isinstance(value, dict):
        return [(_text(key), item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(str(i), item) for i, item in enumerate(value) if holds(item)]
    return []


def holds(item: Any) -> bool:
    """Whether there may be arrays in it."""
    return isinstance(item, (dict, list, tuple)) or (isinstance(item, Opaque) and item.state is not None)


def is_numbers(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.dtype.kind in "fiub"


def strangers(value: Any, used: Iterable[Leaf]) -> list[str]:
    """What else there is, in a few words each: a dict without a used array in it is told as one thing."""
    chosen = {(leaf.place, leaf.name) for leaf in used}
    opened = {place[:depth] for place, _ in chosen for depth in range(len(place) + 1)}
    found: list[str] = []
    waiting: list[tuple[Place, Any]] = [((), value)]
    while waiting:
        place, value = waiting.pop()
        inside = []
        for name, item in entries(value):
            if is_numbers(item) and (place, name) in chosen:
                continue
            if holds(item) and (*place, name) in opened:
                inside.append(((*place, name), item))
            else:
                found.append(f"{one_line('.'.join((*place, name)), 60)} {describe(item)}")
        waiting += reversed(inside)
    return found


def describe(item: Any) -> str:
    """A value in a few words."""
    if isinstance(item, np.ndarray):
        return f"{item.dtype} {item.shape}"
    if isinstance(item, (dict, list, tuple)):
        return f"({type(item).__name__} of {len(item)})"
    if isinstance(item, Opaque):
        return f"({item.what})"
    if isinstance(item, (bool, int, float, np.generic)) or item is None:
        return one_line(str(item), 30)
    return repr(one_line(item, 30)) if isinstance(item, str) else f"({type(item).__name__})"


def _text(key: Any) -> str:
    return f"({key.what})" if isinstance(key, Opaque) else str(key)
