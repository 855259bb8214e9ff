"""The exception that stands for "the user can mend this", and how a program tells it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence


class InputError(ValueError):
    """A file, flag or value that the user gave cannot be used.

    Its message is one line that names the file or flag, the value and the remedy. The command-line
    programs print it without a traceback and exit with status 2.
    """


def run_program(name: str, command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a command; what the user can mend becomes one line on stderr and exit status 2."""
    try:
        status = command(argv)
        sys.stdout.flush()  # here, where a reader that has gone can still be told from a fault
        return status
    except InputError as error:
        problem = str(error)
    except MemoryError:
        problem = "out of memory; use less data, or a smaller --batch-size or --hidden"
    except KeyboardInterrupt:
        print(f"{name}: stopped; no file was left half written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `eval.py | head -3`: nobody reads on, and nobody wants to hear of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except OSError as error:
        problem = f"{error.filename or 'output'}: {error.strerror}"
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what cannot be printed is not tried again at exit
    print(f"{name}: error: {problem}", file=sys.stderr)
    return 2
