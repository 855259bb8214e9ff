"""The instructions of a pickle that make plain values: lists, dicts, tuples, numbers, text, bytes.

Those of Python's own unpickler, but for what could take memory or time out of proportion to the file's size.
"""

import collections
import io
import pickle
import struct
from collections.abc import Callable
from typing import Any

from minilift.files.pickles.opaque import LARGEST_INT, Opaque, dict_key, finished

_LONGEST_NUMBER = 400  # digits; int() of a megabyte of digits takes minutes

# EXT*, *BUFFER, DUP and LONG4 are in no file we mean to read.
_AS_THEY_ARE = [
    pickle.PROTO, pickle.FRAME, pickle.MARK, pickle.POP, pickle.POP_MARK, pickle.NONE, pickle.NEWTRUE,
    pickle.NEWFALSE, pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1, pickle.FLOAT,
    pickle.BINFLOAT, pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.UNICODE,
    pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8, pickle.BINBYTES, pickle.SHORT_BINBYTES,
    pickle.BINBYTES8, pickle.EMPTY_TUPLE, pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.BINGET,
    pickle.LONG_BINGET, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE, pickle.GLOBAL, pickle.STACK_GLOBAL,
    pickle.BINPERSID,
]  # fmt: skip


_stop: Callable[[Any], None] = pickle._Unpickler.dispatch[pickle.STOP[0]]


class _Dispatch(dict[int, Callable[[Any], None]]):
    """The instructions that are followed, by their number."""

    def with_more(self, more: dict[int, Callable[[Any], None]]) -> "_Dispatch":
        return _Dispatch({**self, **more})

    def __missing__(self, opcode: int) -> Callable[[Any], None]:
        raise ValueError(
            f"it is no pickle, or uses the pickle instruction {opcode:#04x}, which is not allowed"
        )


def _tuple_of(n: int) -> Callable[[Any], None]:
    """The instruction that makes a tuple of the last n things on the stack."""

    def load(self: "PlainUnpickler") -> None:
        items = self.stack[-n:]
        del self.stack[-n:]
        self._tuple(items)

    return load


# The pure-Python unpickler, because its memo is a dict. The C one's is a table as long as the largest
# index, so that five bytes of LONG_BINPUT make it allocate gigabytes.
class PlainUnpickler(pickle._Unpickler):
    """Reads plain values. What an object that is filled later becomes, it leaves to that object.

    Raises whatever exception a damaged pickle provokes.
    """

    # The parent sets these in load(), where a type checker does not see them.
    stack: list[Any]
    memo: dict[int, Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    readline: Callable[[], bytes]
    pop_mark: Callable[[], list[Any]]

    dispatch = _Dispatch({opcode[0]: pickle._Unpickler.dispatch[opcode[0]] for opcode in _AS_THEY_ARE})

    def __init__(self, content: bytes, start: int = 0) -> None:
        self.file = io.BytesIO(content)
        self.file.seek(start)
        super().__init__(self.file, encoding="latin1")
        # A few bytes can ask for one more copy of a large string or array; an honest file needs two.
        self.budget = 4 * len(content) + (1 << 16)

    def spend(self, size: int) -> None:
        """Count bytes about to be copied; far more than the file itself holds is an attack."""
        self.budget -= size
        if self.budget < 0:
            raise ValueError("it unpacks to far more than its own size")

    def load_stop(self) -> None:
        self.append(finished(self.stack.pop()))
        _stop(self)

    def _extend(self, items: list[Any]) -> None:
        """Put the items into the list on the stack."""
        target: Any = self.stack[-1]
        if isinstance(target, Opaque):
            target = target.filled_as(list)
        if type(target) is not list:
            raise ValueError("items for something that is not a list")
        target.extend(finished(item) for item in items)

    def _fill(self, items: list[Any]) -> None:
        """Put key, value, key, value... into the dict on the stack."""
        target: Any = self.stack[-1]
        if isinstance(target, Opaque):
            target = target.filled_as(dict)
        if type(target) not in (dict, collections.OrderedDict) or len(items) % 2:
            raise ValueError("items for something that is not a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[dict_key(key)] = finished(value)

    def load_append(self) -> None:
        self._extend([self.stack.pop()])

    def load_appends(self) -> None:
        self._extend(self.pop_mark())

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key, value])

    def load_setitems(self) -> None:
        self._fill(self.pop_mark())

    def load_tuple(self) -> None:
        self._tuple(self.pop_mark())

    def _tuple(self, items: list[Any]) -> None:
        self.append(tuple(finished(item) for item in items))

    def load_list(self) -> None:
        items = self.pop_mark()
        self.append([])
        self._extend(items)

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
        if len(line) > 12 or not 0 <= int(line) < LARGEST_INT:
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
        pickle.APPEND[0]: load_append, pickle.APPENDS[0]: load_appends, pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems, pickle.LIST[0]: load_list, pickle.DICT[0]: load_dict,
        pickle.TUPLE[0]: load_tuple, pickle.TUPLE1[0]: _tuple_of(1), pickle.TUPLE2[0]: _tuple_of(2),
        pickle.TUPLE3[0]: _tuple_of(3), pickle.INT[0]: load_int, pickle.LONG[0]: load_int,
        pickle.PUT[0]: load_put, pickle.GET[0]: load_get, pickle.BYTEARRAY8[0]: load_bytearray8,
        pickle.STOP[0]: load_stop,
    }  # fmt: skip
