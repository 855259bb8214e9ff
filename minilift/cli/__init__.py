"""The command-line programs: `train.py` and `eval.py` are their front doors."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from minilift.errors import InputError


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of descriptions, and leaves room for the flags."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=110)


def run(program: str, command: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a command; what the user can mend becomes one line on stderr and exit status 2."""
    try:
        return command(argv)
    except InputError as error:
        print(f"{program}: error: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print(
            f"{program}: error: out of memory; use a smaller --batch-size or --hidden, or less data",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone: `eval.py | head -3`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        print(f"{program}: error: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        return 2
