"""How often a checkpoint is due: after a time, or after whole epochs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from minilift.errors import ArgumentError

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_WRITTEN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([smh])|(\d{1,9}) ?epochs?", re.ASCII)
FORMS = "30s, 5m, 1h or 1epoch"


@dataclass(frozen=True)
class Every:
    """Of `seconds` and `epochs` one counts; the other is infinite, or 0."""

    seconds: float
    epochs: int = 0

    @classmethod
    def of(cls, given: str | float) -> Every:
        """From a text such as "30s", "5m", "1h" or "2 epochs", or from a number of seconds.

        Raises ArgumentError for another text, and for nothing at all: 0 seconds or epochs.
        """
        if isinstance(given, str):
            written = _WRITTEN.fullmatch(given.strip().lower())
            if not written:
                raise ArgumentError("checkpoint_every", given, f"not a time or whole epochs; give {FORMS}")
            number, unit, epochs = written.groups()
            found = cls(math.inf, int(epochs)) if epochs else cls(float(number) * UNITS[unit])
        else:
            found = cls(float(given))
        if not (0 < found.seconds < math.inf or found.epochs):
            raise ArgumentError("checkpoint_every", given, f"must be more than 0; give {FORMS}")
        return found

    def after(self, seconds: float, epochs: int = 0) -> bool:
        """Whether one is due so many seconds after the last one, at the end of epoch number `epochs`; in the
        middle of an epoch that is 0."""
        return seconds >= self.seconds or bool(self.epochs and epochs and not epochs % self.epochs)
