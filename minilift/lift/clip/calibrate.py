"""A body from keypoints of a person who holds a known pose: which frames, and what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minilift.errors import ArgumentError, counted
from minilift.lift.body.steady import LASTS
from minilift.lift.clip.lift import camera_of
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.prepare import Prepared, prepare
from minilift.poses.body.body import Body
from minilift.poses.body.calibration import calibrate, measure
from minilift.poses.body.posture import ARMS, held, quiet
from minilift.poses.body.prior import Prior
from minilift.poses.keypoints import Keypoints
from minilift.poses.tracks.identify import LONGEST, choose, identify
from minilift.poses.tracks.step import step_of

GUESSED = 0.25  # of a focal length that nothing was said about: phones have 0.65 times the one assumed
MOST = 10_000  # frames that are looked at, from the first on
_OF_MEDIANS = 1.25  # the standard deviation of a median, by that of a mean


def calibration_body(
    found: Keypoints, known: Prior, options: LiftOptions, pose: str | None = None,
    distance: float | None = None,
) -> Body:  # fmt: skip
    """The bones of one person who stands upright, faces the camera and holds a pose of `posture.ARMS`.

    The pose is recognised, unless `pose` names it. Of a clip the longest stretch counts in which the person
    stands still in it, of pictures the best one. `known` is what is known of the person otherwise, `distance`
    metres from the camera to the mid-hip; of `options`, person, camera, noise and confidence count. Raises
    ArgumentError where the pose is not held, or its bones are no person's.
    """
    if pose is not None and pose not in ARMS:
        raise ArgumentError("pose", pose[:40], f"unknown; use one of {', '.join(ARMS)}")
    who = identify(found)
    found = found.take(who.rows)
    chosen = choose(options.person or LONGEST, who.person, who.names, found.xy, found.missing)
    rows = np.flatnonzero(chosen)[:MOST]
    found, person = found.take(rows), who.person[rows]
    ready = prepare(found, person, camera_of(found, options), replace(options, fill=0))
    rows, name = _held(ready, found, pose)
    rays, sigma = np.nanmedian(ready.rays[rows], axis=0), ready.sigma[rows].mean(axis=0)
    left = sigma * np.sqrt(LASTS + (1 - LASTS) * (_OF_MEDIANS**2 / len(rows) if len(rows) > 1 else 1))
    guessed = not found.rays and options.camera is None and options.focal is None and options.fov is None
    said = measure(rays.astype(np.float64), left, name, GUESSED if guessed else 0.0)
    told = f"{counted(len(rows), 'frame')} from number {int(found.frame[rows[0]])}"
    return calibrate(said, name, known, distance, told)


def _held(ready: Prepared, found: Keypoints, pose: str | None) -> tuple[np.ndarray, str]:
    """The frames that count, and the pose that is held in them."""
    fit = np.flatnonzero(~ready.empty)
    if not len(fit):
        raise ArgumentError("pose", pose or "any", "no joint of the person is seen")
    seen = held(ready.rays[fit], pose)
    good = seen.off <= 1
    if not good.any():
        at = int(np.argmin(seen.off))
        problem = (
            f"is not held: {seen.worst[at]} (frame {int(found.frame[fit[at]])}, the nearest to it); "
            f"stand upright, face the camera, and hold one of {', '.join(ARMS)}"
        )
        raise ArgumentError("pose", pose or "any", problem)
    often = np.bincount(seen.pose[good]).argmax()
    fit = fit[good & (seen.pose == often)]
    name = list(ARMS)[often]
    if found.stills:
        off = seen.off[good & (seen.pose == often)]
        return fit[[int(np.argmin(off))]], name
    rows = quiet(ready.rays[fit], ready.sigma[fit], found.frame[fit], step_of(found.frame))
    return fit[rows], name
