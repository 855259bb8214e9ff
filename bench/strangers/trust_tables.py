"""Tables of trust: whether 90% intervals hold 90%, and what the expected error is good for."""

from __future__ import annotations

import numpy as np

from bench.strangers.frames_tables import GROUPS, group
from bench.strangers.protocol import errors_mm, noisy, one_frame, told
from bench.strangers.sets import BANDAI, LEFT_OUT
from bench.strangers.table import Run, Table, mm
from bench.strangers.views import Seen
from minilift.lift.trust import Trust

HOLDS = (0.88, 0.92)


def judged(run: Run, seen: Seen, sigma: float) -> tuple[np.ndarray, Trust]:
    """Errors (n, 15) mm, and trust in mm, of one frame with noise."""
    image = noisy(seen, sigma, run.seed)
    found = one_frame(run.lifter, image, sigma)
    trust = run.lifter.trust(image, found, told(run.lifter, sigma))
    unit = (1000 * seen.scale)[:, None]
    known = trust._replace(
        expected_error=trust.expected_error * unit, low=trust.low * unit, high=trust.high * unit
    )
    return errors_mm(found, seen), known


def intervals_table(run: Run) -> Table:
    table = Table(
        "90% intervals and trust, one frame",
        ("set", "2D", "error", "expected", "in 90% interval", "88 to 92%", "unlike", "rank r", "drop 10%",
         "drop 30%"),
    )  # fmt: skip
    if not run.lifter.has_trust:
        table.notes.append(f"not possible: {run.lifter.weights} has no trust file of its own")
        return table
    sets = {name: names for name, (names, _) in GROUPS.items()} | {
        f"- {LEFT_OUT}": (LEFT_OUT,), f"- {BANDAI}": (BANDAI,),
    }  # fmt: skip
    for name, names in sets.items():
        seen = group(run, names)
        for sigma in (0.0, 2.0, 4.0, 8.0):
            run.step(f"{name}, {sigma:g} px")
            errors, trust = judged(run, seen, sigma)
            inside = float(((errors >= trust.low) & (errors <= trust.high)).mean())
            pose, expected = errors.mean(axis=1), trust.expected_error.mean(axis=1)
            kept = [
                mm(float(pose[expected <= np.quantile(expected, 1 - drop)].mean())) for drop in (0.1, 0.3)
            ]
            table.add(
                name, f"{sigma:g} px", float(pose.mean()), float(expected.mean()), f"{inside:.1%}",
                "yes" if HOLDS[0] <= inside <= HOLDS[1] else "NO", f"{trust.unlike.mean():.1%}",
                f"{spearman(pose, expected):.2f}", *kept,
            )  # fmt: skip
    table.notes.append("drop 10%, 30%: the error of the poses that stay when those of the largest expected "
                       "error go, mm")  # fmt: skip
    return table


def reliability_table(run: Run) -> Table:
    table = Table(
        "Reliability: error by the error that was expected (0 and 4 px together, mm)",
        ("set", *(f"{low}-{low + 20}%" for low in range(0, 100, 20))),
    )
    if not run.lifter.has_trust:
        table.notes.append(f"not possible: {run.lifter.weights} has no trust file of its own")
        return table
    for name, (names, _) in GROUPS.items():
        run.step(name)
        seen = group(run, names)
        both = [judged(run, seen, sigma) for sigma in (0.0, 4.0)]
        errors = np.concatenate([errors for errors, _ in both]).ravel()
        expected = np.concatenate([trust.expected_error for _, trust in both]).ravel()
        parts = np.array_split(np.argsort(expected), 5)
        table.add(name, *(f"{expected[rows].mean():.0f}: {errors[rows].mean():.0f}" for rows in parts))
    table.notes.append(
        "each cell is one fifth of the joints, in the order of the expected error: expected: found"
    )
    return table


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """The correlation of ranks."""
    ranks = [np.argsort(np.argsort(values)).astype(np.float64) for values in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
