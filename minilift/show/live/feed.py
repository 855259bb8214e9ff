"""The newest frame, for everyone who watches: who is slow misses frames, and holds up nobody."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple


class Shown(NamedTuple):
    """What is to be shown: `number` rises with every change, `text` is None before the first frame."""

    number: int
    text: str | None
    ended: bool


class Feed:
    """One frame at a time, the newest, from one thread to any number of others."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._shown = Shown(0, None, False)
        self.watched = threading.Event()
        """Set from the first viewer on."""

    def put(self, text: str) -> None:
        """Show this in place of what was shown."""
        self._set(text, False)

    def end(self) -> None:
        """No further frame comes; the last one stays."""
        self._set(self._shown.text, True)

    def _set(self, text: str | None, ended: bool) -> None:
        with self._change:
            self._shown = Shown(self._shown.number + 1, text, ended)
            self._change.notify_all()

    def after(self, number: int, patience: float) -> Shown:
        """What is shown, as soon as it is newer than `number`; the same again after `patience` seconds."""
        until = time.monotonic() + patience
        with self._change:
            while self._shown.number <= number and (left := until - time.monotonic()) > 0:
                self._change.wait(left)
            return self._shown
