"""Tables of clips, lifted as `minilift predict` lifts them: one body a person, noise, velocity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bench.strangers.clips import ask
from bench.strangers.protocol import aligned_mm, errors_mm, noisy, one_frame, velocity_mm
from bench.strangers.sets import ACROBATICS, CMU_BVH, FLOOR, LEFT_OUT
from bench.strangers.table import Run, Table, verdict
from bench.strangers.takes import FPS
from bench.strangers.views import ROOT, Seen, joined
from minilift.lift.clip.options import LiftOptions
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature

CLIPS = {"CMU: left out and bvh clips": (LEFT_OUT, CMU_BVH), "acrobatics and floor work": (ACROBATICS, FLOOR)}
Options = Callable[[Seen], LiftOptions]


def clip_set(run: Run, names: tuple[str, ...]) -> Seen:
    """The clips of several sets, numbered apart."""
    parts, first = [], 0
    for name in names:
        seen = run.sets.clips(name)
        parts.append(replace(seen, clip=seen.clip + first))
        first = int(parts[-1].clip.max()) + 1
    return joined(parts)


def plain(_: Seen) -> LiftOptions:
    return LiftOptions(focal=1000.0)


def lifted(run: Run, seen: Seen, sigma: float, options: Options, name: str) -> np.ndarray:
    """(n, 15, 3) in each frame's own unit: every clip lifted by itself."""
    image = noisy(seen, sigma, run.seed)
    own = np.empty(seen.truth.shape)
    for clip in np.unique(seen.clip):
        run.step(f"{name}, clip {clip}")
        rows = seen.clip == clip
        some = seen.take(rows)
        own[rows] = ask(run.lifter, image[rows], some, options(some)).own
    return own


def ways(run: Run) -> dict[str, tuple[Options, tuple[float, float] | None]]:
    """What is known of a clip, and the most mm for the sets of CLIPS."""

    def distance(seen: Seen) -> LiftOptions:
        return replace(plain(seen), distance=float(np.median(seen.scale)))

    def height(seen: Seen) -> LiftOptions:
        return replace(plain(seen), height=float(stature(true_lengths(seen))))

    return {
        "nothing given": (plain, (32, 38)),
        "the camera's distance known": (distance, (28, 30)),
        "the person's height known": (height, (28, 30)),
    }


def true_lengths(seen: Seen) -> np.ndarray:
    """(15,) metres: the bones' mean lengths over a clip."""
    metres = (seen.truth.astype(np.float64) - ROOT) * seen.scale[:, None, None]
    return COURSE15.bone_lengths(metres + ROOT).mean(axis=0)


def clip_table(run: Run) -> Table:
    table = Table(
        "Clips at 30 frames a second, exact 2D, one body a person (mm)",
        ("what is known", *(f"{name}{what}" for name in CLIPS for what in ("", ": at most", ": PA"))),
    )
    alone: list[object] = []
    for names in CLIPS.values():
        seen = clip_set(run, names)
        found = one_frame(run.lifter, seen.image)
        alone += [float(errors_mm(found, seen).mean()), "", float(aligned_mm(found, seen).mean())]
    table.add("one frame of them", *alone)
    for known, (options, mosts) in ways(run).items():
        cells: list[object] = []
        for (name, names), most in zip(CLIPS.items(), mosts or (None, None), strict=True):
            seen = clip_set(run, names)
            found = lifted(run, seen, 0.0, options, f"{name}, {known}")
            mean = float(errors_mm(found, seen).mean())
            cells += [mean, verdict(mean, most), float(aligned_mm(found, seen).mean())]
        table.add(known, *cells)
    return table


NOISE = {2.0: (48, 40, 34), 4.0: (57, 48, 43), 8.0: (76, 64, 58)}
"""The most mm by sigma: one frame, a clip with nothing given, a clip with lengths measured to 1%."""


def noise_table(run: Run) -> Table:
    table = Table(
        "Noise at f = 1000 (CMU people left out and the CMU clips of bvh, 30 frames a second, mm)",
        (
            "2D",
            "what is known",
            "error",
            "at most",
            "PA",
            "velocity error, mm/s",
            "of one frame's",
            "at most 0.5",
        ),
    )
    seen = clip_set(run, CLIPS["CMU: left out and bvh clips"])
    for sigma in (0.0, *NOISE):
        most = NOISE.get(sigma, (None, None, None))
        found = one_frame(run.lifter, noisy(seen, sigma, run.seed), sigma)
        alone = velocity_mm(found, seen, FPS)
        mean, aligned = float(errors_mm(found, seen).mean()), float(aligned_mm(found, seen).mean())
        table.add(f"{sigma:g} px", "one frame", mean, verdict(mean, most[0]), aligned, alone, "", "")
        for number, known in ((1, "nothing given"),):
            found = lifted(run, seen, sigma, ways(run)[known][0], f"{sigma:g} px, {known}")
            speed = velocity_mm(found, seen, FPS)
            mean, aligned = float(errors_mm(found, seen).mean()), float(aligned_mm(found, seen).mean())
            share = speed / alone
            table.add(
                f"{sigma:g} px", f"a clip, {known}", mean, verdict(mean, most[number]), aligned, speed,
                f"{share:.2f}", "" if not sigma else ("yes" if share <= 0.5 else "NO"),
            )  # fmt: skip
    return table
