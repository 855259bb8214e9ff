"""A person's bones from a clip: what all frames say together that none can say alone.

A network gives every bone a vector (across, dz) whose part along the line of sight is a guess with a standard
deviation s. In frame t the length l_tj of bone j satisfies, with the frame's unit d_t (its distance to the
root),

    L_j^2 = d_t^2 (across^2 + zeta^2),    zeta ~ N(dz, s):    E L_j^2 = d_t^2 (across^2 + dz^2 + s^2)

so that the plain length of the network's bone is too short: it forgets that what is uncertain is, on average,
longer than it looks. A network whose s is partly a mistake of the whole clip, rather than of each frame, gets
half of that back (HALF, measured on people left out of its training). Every frame votes with the inverse of
the variance of its square,

    v_tj = d_t^4 (4 dz^2 s^2 + 2 s^4) + (FLOOR L^2)^2

and a vote far from the others counts less (Cauchy's weights), for a limb that is lifted the wrong way round.
Lengths and units are found by turns: d_t is the mean of L_j / l_tj with
weights as in `minilift.poses.lens.scale`, and one factor over all stays free. What the frames say together
is not better than the network's own habit: COMMON is added to the spread of every bone. Then it is weighed
against what is known of people's bones, `minilift.poses.body.prior`.

That habit a picture can tell. It shows across without a guess, and a bone looks as long as it is where it
lies across the view. So a second length of a limb, which turns every way, is the quantile HIGH over frames of

    d_t (|across| - s_c),    s_c^2 = sigma_j^2 + sigma_p^2

for noise pushes a high quantile up by about its standard deviation. With g the logarithm of the second length
by the first, the first is multiplied by exp(w g), the mean of w g over left and right, and

    w = ACROSS / (1 + mean(s_c^2) / (NOISY l)^2) / (1 + (log(c) / NEVER)^4 if g < 0)

where c is the same quantile of |across| / |(across, dz)|: a limb that is never across the view shows that it
is longer than what is seen, and does not show that it is shorter than thought.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minilift.lift.body.tree import PARENTS
from minilift.poses.body.body import Body
from minilift.poses.body.prior import Prior, observe, sources
from minilift.poses.few import evenly
from minilift.poses.layouts import COURSE15

HALF = 0.5
FLOOR = 0.03  # of a squared length: what no frame is better than
COMMON = 0.03  # of a length: what all frames are wrong by together
FEWEST = 10  # frames; of fewer nothing is said
MOST = 3000  # frames that are looked at, evenly picked
UNEVEN = 3.0  # standard deviations by which left and right must differ to be told apart
HIGH = 0.98  # of the frames; it and the next three are measured on people left out of the training
ACROSS = 0.8
NOISY = 0.05  # of a bone's length: noise that halves the weight
NEVER = 0.15  # of the logarithm of a cosine: what halves the weight of a length shorter than thought
_ROUNDS = 12
_NEAR = 0.3  # as there: how far off the frame's median a bone counts a quarter
_ALONG = 0.1  # as in poses.lens.scale: a bone that lies across the view says most about the unit


def fit_body(
    own: np.ndarray, depth_spread: np.ndarray, seen: np.ndarray, known: Prior,
    sigma: np.ndarray | float = 0.0,
) -> Body | None:  # fmt: skip
    """One person's body from n frames; None where fewer than FEWEST are lifted.

    own           (n, 15, 3) the network's poses, in units of the distance to the root at (0, 0, -1)
    depth_spread  (n, 15): standard deviation of its depth of a joint relative to the parent, in these units
    seen          (n, 15) bool: joints that the picture shows
    known         what is known of the person otherwise: it sets how long the bones are together
    sigma         (n, 15) or a number: standard deviation of image points, at focal length 1

    Left and right are taken to be alike where they differ by less than UNEVEN standard deviations.
    """
    fit = np.flatnonzero(np.isfinite(own).all(axis=(1, 2)))
    if len(fit) < FEWEST:
        return None
    some = fit[evenly(len(fit), MOST)]
    noise = np.broadcast_to(np.asarray(sigma, np.float64), own.shape[:2])[some]
    votes = _Votes.of(own[some], depth_spread[some], seen[some], noise)
    lengths, spread = votes.lengths(np.ones(len(some)))
    for _ in range(_ROUNDS):
        units = votes.units(lengths)
        units = units / np.median(units)
        lengths, spread = votes.lengths(units)
    source = sources(f"{len(fit):,} frames", known.source)
    found = _weighed(known, lengths, spread)
    return Body.of(replace(found, mean=found.mean + votes.habit(found.lengths)), source)


class _Votes(NamedTuple):
    """What n frames say of bones, each in its own unit; arrays are (n, 15)."""

    square: np.ndarray
    variance: np.ndarray
    plain: np.ndarray
    across: np.ndarray
    noise: np.ndarray
    """Standard deviation of a coordinate of `across`."""
    weight: np.ndarray
    """Of a bone in its frame's unit; 0 where an end was not seen."""

    @classmethod
    def of(cls, own: np.ndarray, depth_spread: np.ndarray, seen: np.ndarray, sigma: np.ndarray) -> _Votes:
        whole = COURSE15.with_root(np.asarray(own, np.float64))
        bone = whole[:, :-1] - whole[:, list(PARENTS)]
        dz, s = bone[..., 2], np.broadcast_to(depth_spread, bone.shape[:2])
        plain = (bone**2).sum(axis=2)
        square = plain + HALF * s**2
        variance = 4 * dz**2 * s**2 + 2 * s**4 + (FLOOR * square) ** 2
        ends = seen & np.where(np.array(PARENTS) < 0, True, seen[:, list(PARENTS)])
        counted = np.where(ends.any(axis=1, keepdims=True), ends, True)
        weight = counted / (dz**2 / np.maximum(plain, 1e-12) + _ALONG)
        across = np.hypot(bone[..., 0], bone[..., 1])
        noise = np.hypot(sigma, np.where(np.array(PARENTS) < 0, 0, sigma[:, list(PARENTS)]))
        return cls(square, variance, np.sqrt(plain), across, noise, weight)

    def lengths(self, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(15,) lengths in the unit of `units` (n,), and their relative standard deviations; NaN for a bone
        that no frame shows."""
        square = self.square * units[:, None] ** 2
        trust = (self.weight > 0) / (self.variance * units[:, None] ** 4)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (trust * square).sum(axis=0) / trust.sum(axis=0)
            for _ in range(_ROUNDS):
                robust = trust / (1 + (square - mean) ** 2 * trust / 9)
                mean = (robust * square).sum(axis=0) / robust.sum(axis=0)
            off = (robust * (square - mean) ** 2).sum(axis=0) / robust.sum(axis=0)
            count = (self.weight > 0).sum(axis=0)
            # neighbouring frames are not independent: their number counts by its root
            error = np.sqrt(off) / (2 * mean) / np.sqrt(np.sqrt(np.maximum(count, 1)))
        return np.sqrt(mean), np.hypot(error, COMMON)

    def units(self, lengths: np.ndarray) -> np.ndarray:
        """(n,): how large the frames' units are, where bones have these lengths."""
        known = np.where(np.isfinite(lengths), lengths, 0)
        ratio = known / np.maximum(self.plain, 1e-9)
        off = ratio / np.maximum(np.median(ratio, axis=1), 1e-9)[:, None] - 1
        weight = self.weight * known**2 / (1 + (off / _NEAR) ** 2) ** 2
        return np.asarray((weight * ratio).sum(axis=1) / weight.sum(axis=1))

    def habit(self, lengths: np.ndarray) -> np.ndarray:
        """(15,) logarithms: what limbs of these lengths are to be multiplied by, for what is seen of them."""
        units, counted = self.units(lengths)[:, None], self.weight > 0
        noise = np.where(counted, self.noise * units, 0)
        some = np.maximum(counted.sum(axis=0), 1)
        highest = self._highest(self.across * units - noise)
        gap = np.log(np.maximum(highest, 1e-9) / lengths)
        never = np.log(np.maximum(self._highest(self.across / np.maximum(self.plain, 1e-9)), 1e-9)) / NEVER
        weight = ACROSS / (1 + (noise**2).sum(axis=0) / some / (NOISY * lengths) ** 2)
        move = gap * np.where(gap < 0, weight / (1 + never**4), weight)
        return np.asarray(np.where(_LIMB, 0.5 * (move + move[list(COURSE15.mirror)]), 0.0))

    def _highest(self, values: np.ndarray) -> np.ndarray:
        """(15,) the quantile HIGH of values (n, 15) where the picture shows the bone; 0 if it never does."""
        counted = self.weight > 0
        shown = np.where(counted | ~counted.any(axis=0), np.where(counted, values, 0.0), np.nan)
        return np.asarray(np.nanquantile(shown, HIGH, axis=0))


def _weighed(known: Prior, lengths: np.ndarray, spread: np.ndarray) -> Prior:
    """Frames and prior together: frames say how bones compare, not how long they are together."""
    logs = np.log(lengths)
    for left, right in _PAIRS:
        apart = abs(logs[left] - logs[right])
        if apart < UNEVEN * np.hypot(spread[left], spread[right]):
            logs[[left, right]] = 0.5 * (logs[left] + logs[right])
    rows = np.flatnonzero(np.isfinite(logs))
    first, others = rows[0], rows[1:]
    pick = np.eye(len(logs))[others] - np.eye(len(logs))[first]
    noise = np.diag(spread[others] ** 2) + spread[first] ** 2
    return observe(known, pick, logs[others] - logs[first], noise)


_PAIRS = [(joint, other) for joint, other in enumerate(COURSE15.mirror) if joint < other]
_LIMB = np.array([name.endswith(("knee", "ankle", "elbow", "wrist")) for name in COURSE15.joints])
