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
    except InputError as error:
        problem = str(error)
    except MemoryError:
        problem = "out of memory; use less data, or a smaller --batch-size or --hidden"
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
