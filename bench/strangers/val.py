"""The quick measure to steer by: people left out, one frame, noise, missing joints.

No test set is looked at.
"""

from __future__ import annotations

from pathlib import Path

from bench.strangers.protocol import aligned_mm, errors_mm, noisy, one_frame, without
from bench.strangers.sets import validation
from minilift import Lifter

LEVELS = (0.0, 2.0, 4.0, 8.0)
MISSING = 3


def report(lifter: Lifter, shared: Path, cache: Path) -> str:
    """Errors on the left-out subjects' validation set, mm, as lines of text."""
    frames, wide, _ = validation(shared, cache)
    lines = [f"validation: left-out CMU subjects, {len(frames):,} poses (mm, mean over joints and views)"]
    for sigma in LEVELS:
        found = one_frame(lifter, noisy(frames, sigma), sigma)
        mean, aligned = errors_mm(found, frames).mean(), aligned_mm(found, frames).mean()
        lines.append(f"  {sigma:g} px {mean:8.1f}  PA {aligned:.1f}")
    found = one_frame(lifter, wide.image)
    lines.append(f"  any camera, 0 px {errors_mm(found, wide).mean():8.1f}  ({len(wide):,} poses)")
    if lifter.takes_missing:
        found = one_frame(lifter, without(frames.image, MISSING))
        lines.append(f"  {MISSING} of 15 missing {errors_mm(found, frames).mean():8.1f}")
    else:
        lines.append(f"  {MISSING} of 15 missing: not possible, head {lifter.model.head!r} takes all joints")
    for label in sorted(set(frames.label)):
        rows = (frames.label == label).nonzero()[0]
        some = frames.take(rows)
        one = errors_mm(one_frame(lifter, some.image), some).mean()
        lines.append(f"  {label:24s} {one:8.1f}  ({len(rows):,} poses)")
    return "\n".join(lines)
