"""Tables of single frames: sets, distances, elevations, missing joints, subjects, activities, baselines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.strangers.protocol import aligned_mm, errors_mm, noisy, one_frame, without
from bench.strangers.sets import ACROBATICS, ANY, BANDAI, CMU_BVH, FLOOR, LEFT_OUT, MOCAP, USUAL
from bench.strangers.table import Run, Table, mm, verdict
from bench.strangers.views import Seen, joined
from minilift.errors import InputError
from minilift.evaluation.baselines import FlatPose, NearestNeighbour
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import load_poses

GROUPS: dict[str, tuple[tuple[str, ...], float | None]] = {
    MOCAP: ((MOCAP,), 31),
    "CMU: left out and bvh clips": ((LEFT_OUT, CMU_BVH), 40),
    "acrobatics and floor work": ((ACROBATICS, FLOOR), 46),
}
"""The sets of the figures that are demanded, and the most for one frame."""
OUTLIER = 0.1
PARTS = (LEFT_OUT, CMU_BVH, BANDAI, ACROBATICS, FLOOR)


def group(run: Run, names: tuple[str, ...]) -> Seen:
    """Several one-frame sets as one, views counted alike."""
    return joined([run.sets.frames(name) for name in names])


def one_frame_table(run: Run) -> Table:
    table = Table(
        "One frame, exact 2D, nothing given (mm, mean over joints and views)",
        ("set", "poses", "error", "at most", "PA", "along z", "median pose"),
    )
    rows = [(name, names, most) for name, (names, most) in GROUPS.items()]
    rows += [(f"- {name}", (name,), None) for name in PARTS]
    for name, names, most in rows:
        run.step(name)
        seen = group(run, names)
        found = one_frame(run.lifter, seen.image)
        errors = errors_mm(found, seen)
        depth = (np.abs(found[..., 2] - seen.truth[..., 2]) * 1000 * seen.scale[:, None]).mean()
        each = float(np.median(errors.mean(axis=1)))
        mean, aligned = float(errors.mean()), float(aligned_mm(found, seen).mean())
        table.add(name, f"{len(seen):,}", mean, verdict(mean, most), aligned, float(depth), each)
    return table


def distance_table(run: Run) -> Table:
    table = Table("Distance of the camera (CMU people left out, exact 2D, mm)", ("distance", "error", "PA"))
    means = []
    for metres in (2.0, 5.0, 10.0, 20.0):
        run.step(f"{metres:g} m")
        seen = run.sets.frames(LEFT_OUT, replace(USUAL, distance=(metres, metres)))
        found = one_frame(run.lifter, seen.image)
        means.append(float(errors_mm(found, seen).mean()))
        table.add(f"{metres:g} m", means[-1], float(aligned_mm(found, seen).mean()))
    ratio = max(means) / min(means)
    table.notes.append(f"largest over smallest: {ratio:.2f}; at most 1.20: {'yes' if ratio <= 1.2 else 'NO'}")
    return table


def elevation_table(run: Run) -> Table:
    table = Table(
        "Elevation of the camera (CMU people left out, 1.5 to 20 m, exact 2D, mm)",
        ("degrees", "poses", "error", "PA"),
    )
    run.step("any camera")
    seen = run.sets.frames(LEFT_OUT, ANY)
    found = one_frame(run.lifter, seen.image)
    errors, aligned = errors_mm(found, seen).mean(axis=1), aligned_mm(found, seen)
    for low, high in ((-30, -10), (-10, 25), (25, 45), (45, 60), (-30, 60)):
        rows = (seen.elevation >= low) & (seen.elevation < high)
        name = f"{low} to {high}"
        table.add(name, f"{rows.sum():,}", float(errors[rows].mean()), float(aligned[rows].mean()))
    return table


def missing_table(run: Run) -> Table:
    table = Table("Missing joints (exact 2D, mm)", ("set", "missing", "error", "times all seen", "at most"))
    if not run.lifter.takes_missing:
        table.notes.append(f"not possible: head {run.lifter.model.head!r} takes no missing joints")
        return table
    for name in (LEFT_OUT, CMU_BVH, MOCAP):
        seen, whole = run.sets.frames(name), 0.0
        for count in (0, 1, 3, 5, 7):
            run.step(f"{name}, {count} missing")
            image = without(seen.image, count, run.seed) if count else seen.image
            mean = float(errors_mm(one_frame(run.lifter, image), seen).mean())
            whole = whole or mean
            most = verdict(mean / whole, 1.5) if count == 3 else ""
            table.add(name, f"{count}", mean, f"{mean / whole:.2f}", most)
    return table


def mistakes_table(run: Run) -> Table:
    """What detectors get wrong, and what the picture's edge cuts off."""
    table = Table(
        f"Mistakes of detectors ({LEFT_OUT}, exact 2D but for them, mm)", ("mistake", "error", "times exact")
    )
    if not (run.lifter.takes_missing and run.lifter.takes_noise):
        table.notes.append("not possible: the weights take no missing joints, or no noise levels")
        return table
    run.step("mistakes")
    seen = run.sets.frames(LEFT_OUT)
    whole = float(errors_mm(one_frame(run.lifter, seen.image), seen).mean())
    table.add("none", whole, "1.00")
    for name, image, sigma in mistakes(seen.image, run.seed):
        mean = float(errors_mm(run.lifter.predict(image, sigma=sigma), seen).mean())
        table.add(name, mean, f"{mean / whole:.2f}")
    return table


def mistakes(image: np.ndarray, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Points (n, 15, 2) with one kind of mistake each, and what is told of them, (n, 15)."""
    rng, n = np.random.default_rng(seed), len(image)
    exact, some = np.zeros(image.shape[:2]), np.arange(n)
    joint, way = rng.integers(image.shape[1], size=n), rng.uniform(0, 2 * np.pi, n)
    moved, doubt = image.copy(), exact.copy()
    moved[some, joint] += (OUTLIER * np.stack([np.cos(way), np.sin(way)], axis=1)).astype(image.dtype)
    doubt[some, joint] = OUTLIER
    yield "one joint 100 px off at f = 1000, not told", moved, exact
    yield "the same, told that it may be", moved, doubt
    legs = [row for row, name in enumerate(COURSE15.joints) if name.endswith(("knee", "ankle"))]
    swapped = image.copy()
    swapped[:, legs] = image[:, [COURSE15.mirror[row] for row in legs]]
    yield "knees and ankles of left and right exchanged", swapped, exact
    for name, gone in (("ankles", ("ankle",)), ("knees and ankles", ("knee", "ankle"))):
        cut = image.copy()
        cut[:, [row for row, joint in enumerate(COURSE15.joints) if joint.endswith(gone)]] = np.nan
        yield f"cut off by the picture's edge: {name}", cut, exact


def subjects_table(run: Run) -> Table:
    table = Table("By person and activity (mm)", ("person and activity", "poses", "exact 2D", "PA", "4 px"))
    for name in (LEFT_OUT, CMU_BVH, BANDAI, ACROBATICS, FLOOR):
        run.step(name)
        seen = run.sets.frames(name)
        found = one_frame(run.lifter, seen.image)
        errors, aligned = errors_mm(found, seen).mean(axis=1), aligned_mm(found, seen)
        shaken = errors_mm(one_frame(run.lifter, noisy(seen, 4.0, run.seed), 4.0), seen).mean(axis=1)
        for label, rows in _by_label(seen, name):
            figures = [mm(float(column[rows].mean())) for column in (errors, aligned, shaken)]
            table.add(label, f"{rows.sum():,}", *figures)
    return table


def _by_label(seen: Seen, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """Rows by person and activity; of made people, by person, and then by activity."""
    if name not in (ACROBATICS, FLOOR):
        yield from ((label, seen.label == label) for label in sorted(set(seen.label)))
        return
    for part in (0, 1):
        words = np.array([label.split(", ")[part] for label in seen.label])
        for word in sorted(set(words)):
            yield (word if part else f"made {word}, {name.partition(' on ')[0]}"), words == word


def baselines_table(run: Run) -> Table:
    table = Table(
        "What takes no training (exact 2D, mm)", ("set", "flat pose", "nearest neighbour", "lifter")
    )
    near = None
    if run.train is None:
        table.notes.append("nearest neighbour: name the training poses with --train FILE")
    else:
        poses = load_poses(Path(run.train), need_3d=True)
        if poses.joint_3d is None:
            raise InputError(f"{run.train}: has no 3D joints; give training poses")
        near = NearestNeighbour().fit(np.asarray(poses.joint_2d), np.asarray(poses.joint_3d))
    flat = FlatPose()
    for name, (names, _) in GROUPS.items():
        run.step(name)
        seen = group(run, names)
        cells = [mm(float(errors_mm(flat.predict(seen.image), seen).mean()))]
        cells.append("" if near is None else mm(float(errors_mm(near.predict(seen.image), seen).mean())))
        table.add(name, *cells, float(errors_mm(one_frame(run.lifter, seen.image), seen).mean()))
    return table
