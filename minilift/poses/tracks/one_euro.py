"""The 1 euro filter: a low pass whose cutoff rises with the speed, for points in time as they come.

Casiez, Roussel, Vogel: "1 euro filter: a simple speed-based low-pass filter for noisy input in interactive
systems", CHI 2012. For a signal x with time steps T,

    dx  = (x_i - xhat_(i-1)) / T                        the speed,
    dhat_i = a(d_cutoff) dx + (1 - a(d_cutoff)) dhat_(i-1)       smoothed,
    cutoff = min_cutoff + beta |dhat_i|                 Hz,
    xhat_i = a(cutoff) x_i + (1 - a(cutoff)) xhat_(i-1),
    a(f) = 1 / (1 + 1 / (2 pi f T))

Here x is a point, and |dhat| the length of its velocity, so that the answer does not turn with the axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

FORGET = 1.0
"""Seconds without a person after which the filter starts anew."""
_MANY = 1000  # people who are remembered at once


@dataclass
class OneEuro:
    """Smooths points as they come, part by part: what it knows of each person is carried over.

    A little memory for each person, none for frames. Every frame is smoothed from those before it alone.

    The defaults were chosen on CMU's motion capture at 30 frames a second, in torsos. With noise of 15 mm a
    coordinate the error falls from 24 to 17 mm, the jitter to 0.4 of it; with 5 mm, where being late costs
    more than noise, it rises from 8 to 9 mm. (savgol: to 13 and 5 mm, the jitter to 0.2.)
    """

    min_cutoff: float = 1.0
    """Hz, of points at rest: lower is calmer, and later."""
    beta: float = 4.0
    """Hz for each unit length a second: higher follows fast movements sooner."""
    d_cutoff: float = 2.0
    """Hz, of the speed."""
    _known: dict[int, tuple[float, np.ndarray, np.ndarray]] = field(default_factory=dict)

    def __call__(
        self, points: np.ndarray, time: np.ndarray, person: np.ndarray, unit: np.ndarray
    ) -> np.ndarray:
        """Points (n, K, d) smoothed, of `person` (n,) at `time` (n,) in seconds, ascending for each.

        `unit` (n,) is the length, in that of the points, by which speeds are measured: a torso, say. Points
        with NaN stay, and are not remembered.
        """
        out = np.array(points, np.float64)
        broken = np.isnan(out).any(axis=(1, 2))
        for i in np.flatnonzero(~broken):
            now, who = float(time[i]), int(person[i])
            before = self._known.get(who)
            if before is None or not 0 < now - before[0] <= FORGET:
                if len(self._known) >= _MANY:
                    self._forget(now)
                self._known[who] = now, out[i].copy(), np.zeros_like(out[i])
                continue
            last, place, velocity = before
            step = now - last
            share = _share(self.d_cutoff, step)
            velocity = velocity + share * ((out[i] - place) / step - velocity)
            speed = np.sqrt((velocity**2).sum(axis=-1, keepdims=True)) / unit[i]
            out[i] = place + _share(self.min_cutoff + self.beta * speed, step) * (out[i] - place)
            self._known[who] = now, out[i].copy(), velocity
        return out

    def _forget(self, now: float) -> None:
        self._known = {who: known for who, known in self._known.items() if abs(now - known[0]) <= FORGET}


def _share(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """How much of the new value a first-order low pass of this cutoff (Hz) takes."""
    turn = 2 * np.pi * step * cutoff
    return turn / (1 + turn)
