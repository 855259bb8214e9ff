"""The command-line programs: `train.py` and `eval.py` are their front doors."""

from __future__ import annotations

import argparse


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of descriptions, and leaves room for the flags."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=110)
