"""When to give up: early stopping on the validation error."""

from __future__ import annotations

from collections.abc import Iterable


def epochs_without_gain(errors: Iterable[float], min_delta: float) -> int:
    """Epochs since the error was last less, by more than `min_delta`, than it had been when that last was so.

    The count of algorithm 7.1 in Goodfellow, Bengio and Courville, "Deep Learning" (2016), looked at after
    every epoch, with a least gain: small steps count once they add up to more than `min_delta`.
    """
    best, waited = float("inf"), 0
    for error in errors:
        best, waited = (error, 0) if error < best - min_delta else (best, waited + 1)
    return waited
