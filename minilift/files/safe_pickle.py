"""A pickle machine that cannot run code: every instruction is checked, left out, or replaced.

A pickle is a program: its GLOBAL instruction imports any name and REDUCE calls it. Here GLOBAL looks up a
table of stand-ins, REDUCE calls nothing else, and what a hostile file could use to take memory or time out
of proportion to its own size is refused. Protocols 0 to 5, written by Python 2 or 3.
"""

import collections
import io
import pickle
import struct
from collections.abc import Callable
from typing import Any

from minilift.errors import InputError
from minilift.files import PathLike, file_error, one_line

_LONGEST_NUMBER = 400  # digits; int() of a megabyte of digits takes minutes
_LARGEST_INT = 1 << 32  # larger dict keys and memo indices could be chosen to collide in the hash table

# EXT*, INST, OBJ, NEWOBJ*, *BUFFER, DUP, LONG4 and the sets are in no file we mean to read.
_AS_THEY_ARE = [
    pickle.PROTO, pickle.FRAME, pickle.MARK, pickle.POP, pickle.POP_MARK, pickle.NONE, pickle.NEWTRUE,
    pickle.NEWFALSE, pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.FLOAT,
    pickle.BINFLOAT, pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.UNICODE,
    pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8, pickle.BINBYTES, pickle.SHORT_BINBYTES,
    pickle.BINBYTES8, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.EMPTY_TUPLE,
    pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.BINGET, pickle.LONG_BINGET, pickle.BINPUT,
    pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.BINPERSID,
]  # fmt: skip


_stop: Callable[[Any], None] = pickle._Unpickler.dispatch[pickle.STOP[0]]


class StandIn:
    """What a pickle gets in place of an object that is made empty first and filled by BUILD later."""

    def build(self, state: Any) -> None:
        """Take the object's state, or raise ValueError."""
        raise NotImplementedError

    def finished(self) -> Any:
        """The object to put into the list or dict that holds it, or ValueError."""
        return self


class _Dispatch(dict[int, Callable[[Any], None]]):
    def __missing__(self, opcode: int) -> Callable[[Any], None]:
        raise ValueError(
            f"it is no pickle, or uses the pickle instruction {opcode:#04x}, which is not allowed"
        )


# The pure-Python unpickler, because its memo is a dict. The C one's is a table as long as the largest
# index, so that five bytes of LONG_BINPUT make it allocate gigabytes.
class SafeUnpickler(pickle._Unpickler):
    """Reads dict, list, tuple, numbers, text, bytes and what `names` maps to stand-ins.

    Raises whatever exception a damaged pickle provokes; `unpickle` turns that into an InputError.
    """

    # The parent sets these in load(), where a type checker does not see them.
    stack: list[Any]
    memo: dict[int, Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]
    pop_mark: Callable[[], list[Any]]

    dispatch = _Dispatch({opcode[0]: pickle._Unpickler.dispatch[opcode[0]] for opcode in _AS_THEY_ARE})

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        # A few bytes can ask for one more copy of a large string or array; an honest file needs two.
        self.budget = 4 * len(content) + (1 << 16)
        self.names: dict[str, object] = {"collections.OrderedDict": collections.OrderedDict}

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in self.names:
            raise ValueError(f"it asks to load {one_line(full, 80)!r}, which is not allowed and was not run")
        return self.names[full]

    def spend(self, size: int) -> None:
        """Count bytes about to be copied; far more than the file itself holds is an attack."""
        self.budget -= size
        if self.budget < 0:
            raise ValueError("it unpacks to far more than its own size")

    def load_reduce(self) -> None:
        args, func = self.stack.pop(), self.stack.pop()
        if not callable(func) or not any(func is allowed for allowed in self.names.values()):
            raise ValueError("it calls something that is not a function")
        if func is collections.OrderedDict and args != ():
            raise ValueError("an OrderedDict with arguments")
        self.append(func(*args))

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, StandIn):
            target.build(state)
        elif type(target) is not collections.OrderedDict:  # there: torch's _metadata, not needed
            raise ValueError("it sets the state of something that is not an array")

    def load_stop(self) -> None:
        self.append(_finished(self.stack.pop()))
        _stop(self)

    def _fill(self, items: list[Any]) -> None:
        """Put key, value, key, value... into the dict on the stack, or the items into the list there."""
        target = self.stack[-1]
        if type(target) is list:
            target.extend(_finished(item) for item in items)
        elif type(target) in (dict, collections.OrderedDict) and len(items) % 2 == 0:
            for key, value in zip(items[::2], items[1::2], strict=True):
                # Nested tuples as keys can take exponential time to hash.
                if type(key) is not str and not (type(key) is int and abs(key) < _LARGEST_INT):
                    raise ValueError(f"a dict key of type {type(key).__name__}")
                target[key] = _finished(value)
        else:
            raise ValueError("items for something that is neither a list nor a dict")

    def load_append(self) -> None:
        self._fill([self.stack.pop()])

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key, value])

    def load_items(self) -> None:
        self._fill(self.pop_mark())

    def load_list(self) -> None:
        items = self.pop_mark()
        self.append([])
        self._fill(items)

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._fill(items)

    def load_int(self) -> None:
        line = self.readline()
        if len(line) > _LONGEST_NUMBER:
            raise ValueError("a number of absurd length")
        special = {b"00\n": False, b"01\n": True}
        self.append(special[line] if line in special else int(line.rstrip(b"L\n"), 0))

    def _memo_index(self) -> int:
        line = self.readline()
        if len(line) > 12 or not 0 <= int(line) < _LARGEST_INT:
            raise ValueError("an impossible memo index")
        return int(line)

    def load_put(self) -> None:
        self.memo[self._memo_index()] = self.stack[-1]

    def load_get(self) -> None:
        self.append(self.memo[self._memo_index()])

    def load_bytearray8(self) -> None:
        # The original allocates the size it is told before it looks whether the file holds that much.
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(self.read(min(size, 1 << 62)))

    dispatch |= {
        pickle.APPEND[0]: load_append, pickle.APPENDS[0]: load_items, pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_items, pickle.LIST[0]: load_list, pickle.DICT[0]: load_dict,
        pickle.INT[0]: load_int, pickle.LONG[0]: load_int, pickle.PUT[0]: load_put, pickle.GET[0]: load_get,
        pickle.BYTEARRAY8[0]: load_bytearray8, pickle.REDUCE[0]: load_reduce, pickle.BUILD[0]: load_build,
        pickle.STOP[0]: load_stop,
    }  # fmt: skip


def unpickle(unpickler: SafeUnpickler, path: PathLike, remedy: str) -> Any:
    """What the unpickler reads; every failure is an InputError naming `path`."""
    try:
        return unpickler.load()
    except InputError:
        raise
    except (EOFError, pickle.UnpicklingError, struct.error, IndexError, UnicodeError):
        raise file_error(path, f"the pickle is damaged or cut short; {remedy}") from None
    except ValueError as error:
        raise file_error(path, f"refused: {one_line(str(error), 160)}; {remedy}") from None
    # Rubbish opcodes end in any exception: TypeError, KeyError, MemoryError, RecursionError, OverflowError...
    except Exception as error:
        raise file_error(path, f"the pickle is damaged ({type(error).__name__}); {remedy}") from None


def _finished(value: Any) -> Any:
    return value.finished() if isinstance(value, StandIn) else value
