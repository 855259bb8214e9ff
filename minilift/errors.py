"""The exception that stands for "the user can mend this", and how a program tells it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any


class InputError(ValueError):
    """A file, flag or value that the user gave cannot be used.

    Its message is one line that names the file or flag, the value and the remedy. The command-line
    programs print it without a traceback and exit with status 2.
    """


class ArgumentError(InputError):
    """A value that an argument, or a setting, cannot have. It reads `epochs=0: must be at least 1`.

    `problem` may have places {0}, {1}, ... for `others`, pairs of a setting's name and value. A program whose
    user gave flags or other words says them its own way, with `told`.
    """

    def __init__(self, name: str, value: Any, problem: str, *others: tuple[str, Any]) -> None:
        super().__init__(name, value, problem, *others)  # all of them, so that the error can be pickled
        self.name, self.value, self.problem, self.others = name, value, problem, others

    def __str__(self) -> str:
        return self.told(lambda name, value: f"{name}={shown(value)}")

    def told(self, say: Callable[[str, Any], str]) -> str:
        """The message, with every setting and its value in the words that `say` has for them."""
        value, problem = "''" if self.value == "" else self.value, self.problem
        for i, (name, other) in enumerate(self.others):  # not str.format: a file's name may have braces
            problem = problem.replace(f"{{{i}}}", say(name, other))
        return f"{say(self.name, value)}: {problem}"


class OutOfMemory(ArgumentError):
    """A device whose memory does not suffice."""


def shown(value: Any) -> str:
    """A value as messages and help write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return " ".join(v if isinstance(v, str) else f"{v:g}" for v in value)
    return str(value) or "none"


def counted(n: int, thing: str) -> str:
    """`1 pose`, `1,000 poses`; `1 person`, `2 people`."""
    many = "people" if thing == "person" else f"{thing}s"
    return f"{n:,} {thing if n == 1 else many}"


def as_flag(name: str, value: Any) -> str:
    """An argument of the library as the flag that it has on every command line: `--batch-size 1`."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {shown(value)}"


def run_program(name: str, command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a command; what the user can mend becomes one line on stderr and exit status 2.

    While it runs, output that cannot be encoded, or not be written at all, never stops the work.
    """
    outer = sys.stdout, sys.stderr
    _occupy_descriptors()
    out, err = _Output(sys.stdout), _Output(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        status, problem = _run(command, argv)
        out.flush()  # here, where a reader that has gone can still be told from a fault
        if out.problem and not problem:
            status, problem = 2, f"error: cannot write the output ({out.problem}); files are not affected"
        if problem:
            print(f"{name}: {problem}", file=err)
        return status
    except BrokenPipeError:  # `minilift eval | head -3`: the reader has seen enough
        out.silence()
        err.silence()
        return 141
    finally:
        sys.stdout, sys.stderr = outer


def _run(command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> tuple[int, str]:
    """The exit status of a command, and the line to say if it failed."""
    try:
        return command(argv), ""
    except SystemExit as stop:  # argparse, after --help
        return stop.code if isinstance(stop.code, int) else 0, ""
    except KeyboardInterrupt:
        return 130, "stopped; no file was left half written"
    except BrokenPipeError:
        raise
    except ArgumentError as error:
        problem = error.told(as_flag)
    except InputError as error:
        problem = str(error)
    except MemoryError:
        problem = "out of memory; use less data, smaller batches or a smaller network"
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        problem = f"{where}{error.strerror or error}; check the path, its permissions and the space left"
    except RuntimeError as error:  # Path.resolve raises it before Python 3.13
        if not str(error).startswith("Symlink loop"):
            raise
        path = str(error).partition("from ")[2]
        problem = f"{path}: a link that leads back to itself; name the file that is meant"
    if _folder_is_gone():
        problem += "; the working folder does not exist any more: change to another one (cd)"
    return 2, f"error: {problem}"


def _folder_is_gone() -> bool:
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def _occupy_descriptors() -> None:
    """Open the null device where a standard stream is closed.

    Otherwise the next file that is opened gets its number, and whatever is printed ends up in that file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


class _Output:
    """A text stream that replaces what cannot be encoded, and remembers what cannot be written.

    Only a reader that has gone (BrokenPipeError) still raises. Everything else is the stream's own.
    """

    def __init__(self, stream: Any) -> None:
        self.stream: Any = open(os.devnull, "w") if stream is None else stream  # noqa: SIM115
        self.problem = ""
        with suppress(AttributeError, ValueError):  # a stream of another kind, or a closed one
            # Line by line, so that who reads along through a pipe sees the lines when they are made
            self.stream.reconfigure(errors="backslashreplace", line_buffering=True)

    def write(self, text: str) -> int:
        self._try(self.stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._try(self.stream.flush)

    def _try(self, act: Callable[..., Any], *given: str) -> None:
        try:
            act(*given)
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            self.problem = getattr(error, "strerror", None) or str(error)
            self.silence()

    def silence(self) -> None:
        """Point the stream at the null device, for Python flushes it once more at exit."""
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
