"""One body a person: found from a clip or given, and the poses of every frame made to fit it.

What a frame's unit is comes from the body, too: `Scale` has its lengths. The least squares of
`minilift.lift.body.fuse` may move joints off their rays by as much as the keypoints are uncertain. Where they
are noisy and the lifter was told so, it is the lifter's own points that the poses are held to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.body.fit import FEWEST, fit_body
from minilift.lift.body.fuse import fuse, spread_without
from minilift.lift.clip.calm import calm_depths
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.place import Lifted
from minilift.poses.body.body import Body
from minilift.poses.body.prior import prior
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.scale import Scale
from minilift.poses.lens.stature import stature

MOST_PEOPLE = 100  # those in the most frames; the others are lifted frame by frame
SCALE = 0.01  # of the logarithm of a frame's unit, steadied: how well the bones of the lifter tell it
LOOSE = 1.5  # what image points are less sure by than they were told to be: their noise lasts over frames
_PARENTS = np.array(COURSE15.parents)
_LIMBS = [
    row for row, name in enumerate(COURSE15.joints) if name.endswith(("knee", "ankle", "elbow", "wrist"))
]
_USUAL = {
    "hip": 0.008, "knee": 0.02, "ankle": 0.025, "spine": 0.01, "neck": 0.012, "head": 0.012,
    "shoulder": 0.012, "elbow": 0.018, "wrist": 0.022,
}  # fmt: skip
DEPTH_SPREAD = np.array([_USUAL[joint.rpartition("_")[2]] for joint in COURSE15.joints])
"""(15,) units: how far off a lifter's depth of a joint is from its parent's, where no trust file tells."""
_LEAST = 0.008
_DEVIATION = 1.25  # of a normal distribution: the standard deviation by the mean of |x|


@dataclass(frozen=True)
class Bodies:
    """The bodies of a clip's people, in metres or relative, and the scale that they set."""

    of: Mapping[int, Body]
    scale: Scale
    notes: tuple[str, ...] = ()


def depth_spread(lifted: Lifted) -> np.ndarray:
    """(n, 15): how far off depths are from the parent's, by the error that the lifter expects.

    Of two joints with errors e_p and e_j along one limb, what the child has on top of the parent's is
    sqrt(e_j^2 - e_p^2), and never less than half of its own.
    """
    if lifted.expected_error is None:
        return np.broadcast_to(DEPTH_SPREAD, lifted.state.shape)
    error = lifted.expected_error.astype(np.float64)
    whole = np.concatenate([error, np.zeros((len(error), 1))], axis=1)
    above = error**2 - whole[:, _PARENTS] ** 2
    spread = _DEVIATION * np.sqrt(np.maximum(above, 0.25 * error**2))
    return np.where(np.isfinite(spread), np.maximum(spread, _LEAST), DEPTH_SPREAD)


def find_bodies(lifted: Lifted, scale: Scale, options: LiftOptions) -> Bodies | None:
    """The bodies of the people of a clip, or of a sample of one; None where none are asked for or found.

    Raises ArgumentError for a body where the pictures are no clip.
    """
    if options.body == "none":
        return None
    if scale.each is not None:
        if isinstance(options.body, Body):
            problem = "needs a clip, and these are single pictures; leave it out"
            raise ArgumentError("body", options.body.source, problem)
        return None
    people, counts = np.unique(lifted.person, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_PEOPLE]
    found: dict[int, Body] = {}
    spread = depth_spread(lifted)
    known = options.known or prior(options.height, unit="relative")
    for one in people[order].tolist():
        rows = np.flatnonzero(lifted.person == one)
        if isinstance(options.body, Body):
            found[one] = options.body
            continue
        body = fit_body(lifted.own[rows], spread[rows], lifted.seen[rows], known, lifted.sigma[rows])
        if body is not None:
            found[one] = body
    if not found:
        return None
    return _scaled(found, lifted, scale, options)


def _scaled(found: dict[int, Body], lifted: Lifted, scale: Scale, options: LiftOptions) -> Bodies:
    """Lengths in the clip's unit: by height, distance, a body in metres, or the first person's distance."""
    lengths = {one: body.lengths / stature(body.lengths) for one, body in found.items()}
    first = next(one for one in lifted.person.tolist() if one in found)
    given, unit = options.body, scale.unit
    if options.height is not None:
        tall = options.height
    elif isinstance(given, Body) and given.unit == "m" and options.metres is None:
        tall, unit = given.height, "m"
    else:
        rows = lifted.person == first
        alone = Scale({first: lengths[first]}, lengths[first], unit, None)
        depth = alone.depths(lifted.own[rows], lifted.seen[rows], lifted.person[rows])
        tall = (options.metres or 1.0) / float(np.nanmedian(depth))
    wanted = {one: tall * row for one, row in lengths.items()}
    others = np.asarray(np.median(list(wanted.values()), axis=0))
    notes = scale.notes
    if unit != scale.unit:
        notes = (f"scale: metres, by the body ({tall:.2f} m tall)",)
    bodies = {one: body.in_metres(tall) if unit == "m" else body for one, body in found.items()}
    told = _told(bodies[first], int((lifted.person == first).sum()), isinstance(given, Body), len(found))
    return Bodies(bodies, replace(scale, lengths=wanted, others=others, unit=unit), (*notes, told))


def fused(lifted: Lifted, bodies: Bodies, fps: float | None = None) -> Lifted:
    """The same detections, each the pose that fits keypoints, the lifter's depths and the body best."""
    own = np.array(lifted.own, np.float64)
    depth = bodies.scale.over_time(lifted.own, lifted.seen, lifted.person, lifted.frame, fps)
    spread = depth_spread(lifted)
    share = np.full(lifted.state.shape, np.nan)
    for one, body in bodies.of.items():
        rows = np.flatnonzero((lifted.person == one) & np.isfinite(depth))
        if len(rows) < FEWEST:
            continue
        found = fuse(
            lifted.image[rows], own[rows], spread[rows], bodies.scale.lengths[one] / depth[rows, None],
            body.together, LOOSE * lifted.sigma[rows], SCALE, uncertain=True,
        )  # fmt: skip
        alone = spread_without(lifted.image[rows], spread[rows], LOOSE * lifted.sigma[rows])
        share[rows] = np.asarray(found.spread) / alone
        moves = lifted.sigma[rows].any()
        own[rows] = calm_depths(found.joint_3d, lifted.frame[rows], fps) if moves else found.joint_3d
    own = np.where(np.isfinite(own), own, lifted.own)
    return replace(lifted, own=own.astype(np.float32), share=share)


def _told(body: Body, frames: int, given: bool, people: int) -> str:
    """How sure the first body is, in a line."""
    limbs = float(np.sqrt((body.spread[_LIMBS] ** 2).mean()))
    whose = f" of the first of {people} people" if people > 1 and not given else ""
    how = f"given ({body.source})" if given else f"found from {frames:,} frames"
    moved = "joints may lie off their keypoints by as much as those are uncertain"
    return f"body{whose}: {how}, limbs +/- {limbs:.1%}; {moved}"
