"""Tables of clips, lifted as `minilift predict` lifts them: one body a person, noise, velocity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bench.strangers.clips import ask
from bench.strangers.frames_tables import GROUPS, group
from bench.strangers.noise import FOCAL
from bench.strangers.protocol import aligned_mm, errors_mm, noisy, one_frame, velocity_mm
from bench.strangers.sets import ACROBATICS, CMU_BVH, FLOOR, LEFT_OUT
from bench.strangers.table import Run, Table, verdict
from bench.strangers.takes import FPS
from bench.strangers.views import ROOT, Seen, joined
from minilift.lift.clip.options import LiftOptions
from minilift.poses.body.body import STIFFNESS, Body
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature

CLIPS = {"CMU: left out and bvh clips": (LEFT_OUT, CMU_BVH), "acrobatics and floor work": (ACROBATICS, FLOOR)}
STILL = "CMU people left out, cameras that stand still"
Options = Callable[[Seen], LiftOptions]


def clip_set(run: Run, names: tuple[str, ...]) -> Seen:
    """The clips of several sets, numbered apart."""
    parts, first = [], 0
    for name in names:
        seen = run.sets.clips(name)
        parts.append(replace(seen, clip=seen.clip + first))
        first = int(parts[-1].clip.max()) + 1
    return joined(parts)


@dataclass(frozen=True)
class Found:
    """What came out of clips."""

    own: np.ndarray
    """(n, 15, 3) in each frame's own unit."""
    metres: np.ndarray
    """(n, 15, 3) from the mid-hip; NaN where no unit was known."""


def lifted(run: Run, seen: Seen, sigma: float, options: Options, name: str) -> Found:
    """Every clip lifted by itself."""
    image = noisy(seen, sigma, run.seed)
    found = Found(np.empty(seen.truth.shape), np.full(seen.truth.shape, np.nan))
    for clip in np.unique(seen.clip):
        run.step(f"{name}, clip {clip}")
        rows = seen.clip == clip
        some = seen.take(rows)
        answer = ask(run.lifter, image[rows], some, options(some))
        found.own[rows] = answer.own
        if answer.metres is not None:
            found.metres[rows] = answer.metres
    return found


def in_metres_mm(found: Found, seen: Seen) -> float:
    """Mean error, mm, of an answer in metres as it is, with its own idea of how large the person is."""
    truth = (seen.truth - ROOT) * seen.scale[:, None, None]
    return float(np.linalg.norm(found.metres - truth, axis=2).mean() * 1000)


def true_lengths(seen: Seen) -> np.ndarray:
    """(15,) metres: the bones' mean lengths over a clip."""
    metres = (seen.truth.astype(np.float64) - ROOT) * seen.scale[:, None, None]
    return COURSE15.bone_lengths(metres + ROOT).mean(axis=0)


def plain(_: Seen) -> LiftOptions:
    """Nothing is known but the focal length."""
    return LiftOptions(focal=FOCAL)


def by_distance(seen: Seen) -> LiftOptions:
    """The camera's distance in every frame."""
    return replace(plain(seen), distance=dict(zip(seen.frame.tolist(), seen.scale.tolist(), strict=True)))


def by_height(seen: Seen) -> LiftOptions:
    """The person's height, that of a person with these bones."""
    return replace(plain(seen), height=float(stature(true_lengths(seen))))


def by_lengths(seen: Seen) -> LiftOptions:
    """Bones measured to 1%: the true mean lengths, each wrong by a factor with that spread."""
    rng = np.random.default_rng([int(seen.clip[0]), len(seen), 99])
    wrong = np.exp(MEASURED * rng.standard_normal(len(STIFFNESS)))
    spread = np.full(len(STIFFNESS), MEASURED)
    return replace(plain(seen), body=Body(true_lengths(seen) * wrong, spread, STIFFNESS, "m", "measured"))


def exact(options: LiftOptions) -> LiftOptions:
    """Points without noise, which needs no looking for."""
    return replace(options, noise=0.0)


def without_body(seen: Seen) -> LiftOptions:
    """Every frame by itself."""
    return replace(plain(seen), body="none")


MEASURED = 0.01
KNOWN: dict[str, tuple[Options, tuple[float, float]]] = {
    "nothing": (plain, (32, 38)),
    "the camera's distance": (by_distance, (28, 30)),
    "the person's height": (by_height, (28, 30)),
    "bones to 1%": (by_lengths, (23, 25)),
}
"""What is known of a clip, and the most mm for the sets of CLIPS."""


def clip_table(run: Run) -> Table:
    table = Table(
        "Clips at 30 frames a second, exact 2D (mm)",
        ("set", "what is known", "error", "at most", "PA", "in metres as it is"),
    )
    for number, (name, names) in enumerate(CLIPS.items()):
        seen = clip_set(run, names)
        own = one_frame(run.lifter, seen.image)
        table.add(
            name, "one frame", float(errors_mm(own, seen).mean()), "", float(aligned_mm(own, seen).mean()), ""
        )
        for known, (options, mosts) in KNOWN.items():
            _add_clips(run, table, seen, (name, known), options, mosts[number])
    seen = run.sets.still(LEFT_OUT)
    _add_clips(run, table, seen, (STILL, "one frame"), without_body, None)
    for known, (options, _) in KNOWN.items():
        _add_clips(run, table, seen, (STILL, known), options, None)
    return table


def bones_table(run: Run) -> Table:
    """Pictures of one person that have nothing to do with each other, the person's bones known."""
    table = Table(
        "Bones measured to 1%, one frame, exact 2D (mm)", ("set", "error", "at most", "PA", "nothing known")
    )
    for (name, (names, _)), most in zip(GROUPS.items(), (18, 23, 25), strict=True):
        seen = group(run, names)
        own = np.empty(seen.truth.shape)
        people = np.array([label.split(", ")[0] for label in seen.label])
        for person in np.unique(people):
            run.step(f"{name}, {person}")
            rows = people == person
            some = seen.take(rows)
            own[rows] = ask(run.lifter, some.image, some, exact(by_lengths(some)), stills=True).own
        mean, alone = float(errors_mm(own, seen).mean()), errors_mm(one_frame(run.lifter, seen.image), seen)
        table.add(name, mean, verdict(mean, most), float(aligned_mm(own, seen).mean()), float(alone.mean()))
    return table


def _add_clips(
    run: Run, table: Table, seen: Seen, called: tuple[str, str], options: Options, most: float | None
) -> None:
    found = lifted(run, seen, 0.0, options, ", ".join(called))
    mean, metres = float(errors_mm(found.own, seen).mean()), in_metres_mm(found, seen)
    aligned = float(aligned_mm(found.own, seen).mean())
    table.add(*called, mean, verdict(mean, most), aligned, "" if np.isnan(metres) else metres)


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
    ways = {"one frame": None, "a clip, nothing": plain, "a clip, bones to 1%": by_lengths}
    for sigma in (0.0, *NOISE):
        alone = 0.0
        for number, (known, options) in enumerate(ways.items()):
            if options is None:
                own = one_frame(run.lifter, noisy(seen, sigma, run.seed), sigma)
            else:
                own = lifted(run, seen, sigma, options, f"{sigma:g} px, {known}").own
            speed = velocity_mm(own, seen, FPS)
            alone = alone or speed
            mean, aligned = float(errors_mm(own, seen).mean()), float(aligned_mm(own, seen).mean())
            most = verdict(mean, NOISE[sigma][number]) if sigma else ""
            share = (
                ["", ""]
                if options is None
                else [f"{speed / alone:.2f}", verdict(speed / alone, 0.5 if sigma else None)]
            )
            table.add(f"{sigma:g} px", known, mean, most, aligned, speed, *share)
    return table
