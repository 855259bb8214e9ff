"""What stands in a pickle's place for objects that are filled later, or that are not read at all."""

from typing import Any

from minilift.files import one_line

LARGEST_INT = 1 << 32  # larger dict keys and memo indices could be chosen to collide in the hash table
_LONGEST_NAME = 1000  # characters of a module and a name

# No file of data has a use for these. Nothing would run; but who reads the file here might open it elsewhere.
_HARMFUL = frozenset({
    "asyncio", "ctypes", "ftplib", "http", "importlib", "nt", "os", "pdb", "pip", "popen2", "posix", "pty",
    "pydoc", "runpy", "shutil", "smtplib", "socket", "subprocess", "urllib", "webbrowser",
})  # fmt: skip
_HARMFUL_BUILTINS = frozenset({
    "__import__", "compile", "delattr", "eval", "exec", "execfile", "file", "globals", "input", "open",
})  # fmt: skip


class Harmful(ValueError):
    """A name that no file of data has a use for."""


class StandIn:
    """What a pickle gets in place of an object that is made empty first and filled by BUILD later."""

    def build(self, state: Any) -> None:
        """Take the object's state, or raise ValueError."""
        raise NotImplementedError

    def finished(self) -> Any:
        """The object to put into the list or dict that holds it, or ValueError."""
        return self


class Opaque(StandIn):
    """An object that is not read: `what` says which. It was never made; only what it was filled with is kept.

    `state`, where there is one, is the dict of its attributes. A class that is filled as a dict or a list is
    (defaultdict, deque, EasyDict, ...) becomes that dict or list.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.state: dict[Any, Any] | None = None
        self.items: dict[Any, Any] | list[Any] | None = None

    def build(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) == 2:  # attributes, and those in slots
            state = state[0] if isinstance(state[0], dict) else state[1]
        self.state = state if isinstance(state, dict) else None

    def filled_as(self, kind: type) -> Any:
        """The dict or list that it is filled as."""
        if self.items is None:
            self.items = kind()
        return self.items

    def finished(self) -> Any:
        return self if self.items is None else self.items


def finished(value: Any) -> Any:
    """A value as a list, dict or tuple holds it."""
    return value.finished() if isinstance(value, StandIn) else value


def dict_key(key: Any) -> Any:
    """A dict key that is quick to hash; for any other one (a tuple, say) an object that stands for it."""
    if isinstance(key, bytes):
        return key.decode("latin1")
    # Nested tuples can take exponential time to hash, and large numbers can be chosen to collide.
    if type(key) in (str, bool, type(None)) or (type(key) is int and abs(key) < LARGEST_INT):
        return key
    return Opaque(f"a key of type {type(key).__name__}")


def reconstructor(cls: object, base: object, state: object) -> Opaque:
    """How protocols 0 and 1 make an object of a class."""
    return Opaque(cls.what if isinstance(cls, Opaque) else "an object of no class")


def object_named(module: str, name: str) -> Opaque:
    """What stands for a name without a stand-in. Raises Harmful for one that can only do harm."""
    if len(module) + len(name) > _LONGEST_NAME:
        raise ValueError("a name of absurd length")
    full, top = one_line(f"{module}.{name}", 80), module.partition(".")[0]
    if top in _HARMFUL or (top in ("builtins", "__builtin__", "io", "_io") and name in _HARMFUL_BUILTINS):
        raise Harmful(f"it asks to load {full!r}, which is not allowed and was not run")
    return Opaque(full)
