"""Tables of trust: whether 90% intervals hold 90%, and what the expected error is good for."""

from __future__ import annotations

import numpy as np

from bench.strangers.clip_tables import CLIPS, Options, by_lengths, clip_set, plain, without_body
from bench.strangers.clips import ask
from bench.strangers.frames_tables import GROUPS, PARTS, group
from bench.strangers.protocol import errors_mm, noisy, one_frame, told, without
from bench.strangers.sets import BANDAI, LEFT_OUT
from bench.strangers.table import Run, Table, mm
from bench.strangers.views import Seen
from minilift.lift.trust import Trust

HOLDS = (0.88, 0.92)
LEVELS = (0.0, 2.0, 4.0, 8.0)
MISSING = 3
WAYS = {
    "a clip, no body": without_body, "a clip, nothing": plain, "a clip, bones to 1%": by_lengths,
}  # fmt: skip


def judged(run: Run, seen: Seen, sigma: float, image: np.ndarray | None = None) -> tuple[np.ndarray, Trust]:
    """Errors (n, 15) mm, and trust in mm, of one frame with noise, or with points `image` (n, 15, 2)."""
    image = noisy(seen, sigma, run.seed) if image is None else image
    found = one_frame(run.lifter, image, sigma)
    trust = run.lifter.trust(image, found, told(run.lifter, sigma))
    unit = (1000 * seen.scale)[:, None]
    known = trust._replace(
        expected_error=trust.expected_error * unit, low=trust.low * unit, high=trust.high * unit
    )
    return errors_mm(found, seen), known


def intervals_table(run: Run) -> Table:
    table = Table(
        "90% intervals and trust",
        ("set", "what is known", "2D", "error", "expected", "in 90% interval", "88 to 92%", "unlike",
         "rank r", "drop 10%", "drop 30%"),
    )  # fmt: skip
    if not run.lifter.has_trust:
        table.notes.append(f"not possible: {run.lifter.weights} has no trust file of its own")
        return table
    sets = {name: names for name, (names, _) in GROUPS.items()} | {
        f"- {LEFT_OUT}": (LEFT_OUT,), f"- {BANDAI}": (BANDAI,),
    }  # fmt: skip
    for name, names in sets.items():
        seen = group(run, names)
        for sigma in LEVELS:
            run.step(f"{name}, {sigma:g} px")
            errors, trust = judged(run, seen, sigma)
            ends = np.stack([trust.low, trust.high], axis=2)
            called = (name, "one frame", f"{sigma:g} px")
            _add(table, called, errors, trust.expected_error, ends, f"{trust.unlike.mean():.1%}")
    for name, names in CLIPS.items():
        seen = clip_set(run, names)
        for known, options in WAYS.items():
            for sigma in LEVELS:
                called = (name, known, f"{sigma:g} px")
                _add(table, called, *_of_clips(run, seen, sigma, options, ", ".join(called)), "")
    table.notes.append("drop 10%, 30%: the error of the poses that stay when those of the largest expected "
                       "error go, mm")  # fmt: skip
    return table


def _add(
    table: Table, called: tuple[str, str, str], errors: np.ndarray, expected: np.ndarray, ends: np.ndarray,
    unlike: str,
) -> None:  # fmt: skip
    """A row, of errors and expected errors (n, 15) and intervals (n, 15, 2) in mm."""
    inside = float(((errors >= ends[..., 0]) & (errors <= ends[..., 1])).mean())
    pose, guess = errors.mean(axis=1), expected.mean(axis=1)
    kept = [mm(float(pose[guess <= np.quantile(guess, 1 - drop)].mean())) for drop in (0.1, 0.3)]
    table.add(
        *called, float(pose.mean()), float(guess.mean()), f"{inside:.1%}",
        "yes" if HOLDS[0] <= inside <= HOLDS[1] else "NO", unlike, f"{spearman(pose, guess):.2f}", *kept,
    )  # fmt: skip


def _of_clips(
    run: Run, seen: Seen, sigma: float, options: Options, called: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors and expected errors (n, 15) and intervals (n, 15, 2), mm, of clips lifted one by one."""
    image, parts = noisy(seen, sigma, run.seed), []
    for clip in np.unique(seen.clip):
        run.step(f"{called}, clip {clip}")
        rows = seen.clip == clip
        some = seen.take(rows)
        answer = ask(run.lifter, image[rows], some, options(some))
        assert answer.expected is not None
        assert answer.interval is not None
        unit = (1000 * some.scale)[:, None]
        parts.append((errors_mm(answer.own, some), answer.expected * unit, answer.interval * unit[..., None]))
    errors, expected, ends = (np.concatenate(column) for column in zip(*parts, strict=True))
    return errors, expected, ends


def unlike_table(run: Run) -> Table:
    """Whether the percentile rises with the error, and what is called unlike."""
    table = Table(
        "Percentile and unlike, one frame",
        ("set", "2D", "error", "expected", "in 90% interval", "lowest tenth", "highest tenth", "unlike"),
    )
    if not run.lifter.has_trust:
        table.notes.append(f"not possible: {run.lifter.weights} has no trust file of its own")
        return table
    for name in PARTS:
        run.step(name)
        seen = run.sets.frames(name)
        some = without(seen.image, MISSING, run.seed) if run.lifter.takes_missing else None
        ways = [(f"{sigma:g} px" if sigma else "exact", sigma, None) for sigma in (0.0, 4.0, 8.0)]
        ways += [(f"{MISSING} of 15 joints missing", 0.0, some)] if some is not None else []
        for way, sigma, image in [*ways, ("y downwards", 0.0, seen.image * np.array([1, -1], np.float32))]:
            errors, trust = judged(run, seen, sigma, image)
            pose, inside = errors.mean(axis=1), (trust.low <= errors) & (errors <= trust.high)
            low, high = (pose[part].mean() for part in _ends(trust.percentile))
            table.add(
                name, way, float(pose.mean()), float(trust.expected_error.mean()), f"{inside.mean():.1%}",
                float(low), float(high), f"{trust.unlike.mean():.1%}",
            )  # fmt: skip
    table.notes.append("tenths of the poses by their percentile: their mean errors, mm")
    return table


def _ends(percentile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the tenth with the lowest percentiles, and of that with the highest."""
    parts = np.array_split(np.argsort(percentile, kind="stable"), 10)
    return parts[0], parts[-1]


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
