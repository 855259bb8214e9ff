"""A pickle machine that cannot run code: every instruction is checked, left out, or replaced.

A pickle is a program: its GLOBAL instruction imports any name and REDUCE calls it. Here GLOBAL looks up a
table of stand-ins and REDUCE calls nothing else; any other name, and what is made by calling it, becomes an
`Opaque`, so that one object of no interest does not stand in the way of the arrays beside it. Protocols 0 to
5, written by Python 2 or 3.
"""

import collections
import pickle
import struct
from typing import Any

from minilift.errors import InputError
from minilift.files import PathLike, file_error, one_line
from minilift.files.pickles.opaque import Harmful, Opaque, StandIn, dict_key, object_named, reconstructor
from minilift.files.pickles.plain import PlainUnpickler


class SafeUnpickler(PlainUnpickler):
    """Reads plain values and what `names` maps to stand-ins; every other object is opaque.

    Raises whatever exception a damaged pickle provokes; `unpickle` turns that into an InputError.
    """

    def __init__(self, content: bytes, start: int = 0) -> None:
        super().__init__(content, start)
        self.names: dict[str, object] = {
            "collections.OrderedDict": self._ordered,
            "copy_reg._reconstructor": reconstructor,
            "copyreg._reconstructor": reconstructor,
        }

    def find_class(self, module: str, name: str) -> Any:
        short = len(module) + len(name) < 100
        found = self.names.get(f"{module}.{name}") if short else None
        return object_named(module, name) if found is None else found

    def load_reduce(self) -> None:
        args, func = self.stack.pop(), self.stack.pop()
        self.append(self.call(func, args))

    def call(self, func: object, args: Any) -> Any:
        """What a stand-in gives; of an opaque name an opaque object, without the arguments."""
        if isinstance(func, Opaque):
            return Opaque(func.what)
        if not callable(func) or not any(func is allowed for allowed in self.names.values()):
            raise ValueError("it calls something that is not a function")
        return func(*args)

    def _ordered(self, pairs: object = ()) -> Any:
        """An OrderedDict; Python 2 gives its items as a list of pairs."""
        ordered: collections.OrderedDict[Any, Any] = collections.OrderedDict()
        pairs = pairs if isinstance(pairs, list) else []
        self.spend(16 * len(pairs))
        for pair in pairs:
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                raise ValueError("an OrderedDict whose items are not pairs")
            ordered[dict_key(pair[0])] = pair[1]
        return ordered

    def load_newobj(self) -> None:
        del self.stack[-1]  # the arguments
        self._new(self.stack.pop())

    def load_newobj_ex(self) -> None:
        del self.stack[-2:]
        self._new(self.stack.pop())

    def load_inst(self) -> None:
        module, name = (self.readline()[:-1].decode("ascii") for _ in range(2))
        self.pop_mark()
        self._new(self.find_class(module, name))

    def load_obj(self) -> None:
        self._new(self.pop_mark()[0])

    def _new(self, cls: object) -> None:
        if not isinstance(cls, Opaque):
            raise ValueError("an object of something that is not a class")
        self.append(Opaque(cls.what))

    def load_empty_set(self) -> None:
        self.append(Opaque("a set"))

    def load_additems(self) -> None:
        self.pop_mark()
        if not isinstance(self.stack[-1], Opaque):
            raise ValueError("items for something that is not a set")

    def load_frozenset(self) -> None:
        self.pop_mark()
        self.append(Opaque("a frozenset"))

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, StandIn):
            target.build(state)
        elif type(target) is not collections.OrderedDict:  # there: torch's _metadata, not needed
            raise ValueError("it sets the state of something that is not an object")

    dispatch = PlainUnpickler.dispatch.with_more({
        pickle.EMPTY_SET[0]: load_empty_set, pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset, pickle.NEWOBJ[0]: load_newobj, pickle.OBJ[0]: load_obj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex, pickle.INST[0]: load_inst, pickle.REDUCE[0]: load_reduce,
        pickle.BUILD[0]: load_build,
    })  # fmt: skip


class HarmfulFile(InputError):
    """A pickle that would do harm in a program that runs pickles."""


def unpickle(unpickler: SafeUnpickler, path: PathLike, remedy: str) -> Any:
    """What the unpickler reads; every failure is an InputError naming `path`."""
    try:
        return unpickler.load()
    except InputError:
        raise
    except (EOFError, pickle.UnpicklingError, struct.error, IndexError, UnicodeError):
        raise file_error(path, f"the pickle is damaged or cut short; {remedy}") from None
    except Harmful as error:
        raise HarmfulFile(str(file_error(path, f"refused: {error}; {remedy}"))) from None
    except ValueError as error:
        raise file_error(path, f"refused: {one_line(str(error), 160)}; {remedy}") from None
    # Rubbish opcodes end in any exception: TypeError, KeyError, MemoryError, RecursionError, OverflowError...
    except Exception as error:
        raise file_error(path, f"the pickle is damaged ({type(error).__name__}); {remedy}") from None
