"""Keypoints of a clip in, people in the camera's space out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from minilift.errors import ArgumentError, InputError
from minilift.files.mapped import chunks
from minilift.lift.clip.bodies import Bodies, find_bodies, fused
from minilift.lift.clip.calm import calm_rays
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.place import Lifted, Placement, people_of, scale_of
from minilift.lift.clip.prepare import BLOCK, Prepared, prepare
from minilift.lift.clip.stand_in import stand_in
from minilift.lift.lifter import Lifter
from minilift.lift.trust.with_body import Fitted
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.scale import Scale
from minilift.poses.lifted import LiftedPeople
from minilift.poses.tracks.identify import choose, identify
from minilift.poses.tracks.over_time import over_time

Progress = Callable[[int], object]


def lift_keypoints(
    found: Keypoints, lifter: Lifter, options: LiftOptions | None = None, progress: Progress | None = None
) -> LiftedPeople:
    """Lift every detection of a clip. What comes out is in the order of frames, then of people.

    The keypoints become rays of the camera, turned so that the mid-hip is straight ahead, are lifted and
    turned back. A person's bones have one length over a clip: that sets how far away they are in each frame,
    in units of the first person's median distance, or in metres where a height or distance is known.
    Pictures that have nothing to do with each other have one unit each. `progress` is told how many
    detections are done, part by part. Raises InputError where there is no such person, or predictions are
    not finite.
    """
    options = options or LiftOptions()
    known = identify(found)
    found = replace(found.take(known.rows), notes=(*found.notes, *known.notes))
    person, names = known.person, known.names
    if options.person is not None:
        chosen = choose(options.person, person, names, found.xy, found.missing)
        found, person = found.take(chosen), person[chosen]
    camera = camera_of(found, options)
    ready = prepare(found, person, camera, options)
    if ready.empty.all():
        raise _nobody(found, camera, options)
    exact, ready = ready.rays, calm_rays(ready, found, person, options)
    parts = []
    for rows in chunks(len(found), BLOCK):
        parts.append(lift_rows(ready.take(rows), found.frame[rows], person[rows], lifter, options))
        if progress is not None:
            progress(rows.stop - rows.start)
    lifted = Lifted.joined(parts)
    del parts, ready  # a kilobyte a row each
    scale = scale_of(lifted, found.stills or found.rays, options)
    bodies = find_bodies(lifted, scale, options)
    if bodies is not None:
        lifted, scale = with_body(lifted, bodies, lifter, found.fps), bodies.scale
    if options.project:
        lifted = replace(lifted, own=on_rays(lifted.own, exact))
    placement = Placement.fit(lifted, scale, options)
    people = people_of(lifted, found, camera, placement, names, *_told(bodies, scale))
    return over_time(people, camera, options.fill, options.smooth)


def lift_blocks(
    sample: Keypoints, blocks: Iterator[Keypoints], lifter: Lifter, options: LiftOptions
) -> Iterator[LiftedPeople]:
    """The same for a clip too large for memory: block after block, placed by what `sample` of it shows.

    Blocks are in the order of their frames; a person is the place in the frame. Distances are steadied within
    a block; gaps are not filled, and nothing is smoothed.
    """
    camera = camera_of(sample, options)
    first = _lifted(sample, lifter, camera, options)
    scale = scale_of(first, sample.stills or sample.rays, options)
    bodies = find_bodies(first, scale, options)
    if bodies is not None:
        first, scale = with_body(first, bodies, lifter, sample.fps), bodies.scale
    placement, told = Placement.fit(first, scale, options), _told(bodies, scale)
    for block in blocks:
        lifted = _lifted(block, lifter, camera, options)
        if bodies is not None:
            lifted = with_body(lifted, bodies, lifter, block.fps)
        yield people_of(lifted, block, camera, placement, {}, *told)


def on_rays(own: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Joints (n, 15, 3), each on its ray (n, 15, 2) at the depth that it has; those without a ray stay."""
    moved = own.copy()
    np.multiply(rays, -own[..., 2:], out=moved[..., :2], where=np.isfinite(rays))
    return moved


def _nobody(found: Keypoints, camera: Camera, options: LiftOptions) -> InputError:
    """Why nobody can be lifted: the scores, the camera, or too few joints."""
    best = None if found.score is None else float(np.nanmax(np.where(found.missing, np.nan, found.score)))
    if best is not None and best < options.confidence:
        return ArgumentError("confidence", options.confidence, f"no joint scores above {best:.3g}; lower it")
    if not np.isfinite(camera.rays(found.xy[~found.missing])).any():
        return InputError(f"camera ({camera.source}): no joint is where it could see one; check its numbers")
    seen = ~found.missing if found.score is None else ~found.missing & ~(found.score < options.confidence)
    most = f"{int(seen.sum(axis=1).max())} of {len(found.layout)} at most in one person"
    problem = f"too few joints to lift anybody: {most}"
    return ArgumentError("confidence", options.confidence, f"{problem}; lower it, or use another detector")


def _told(bodies: Bodies | None, scale: Scale) -> tuple[dict[int, dict[str, Any]], tuple[str, ...]]:
    """The bodies fit for a file, and the notes of scale and bodies."""
    if bodies is None:
        return {}, scale.notes
    return {one: body.as_dict() for one, body in bodies.of.items()}, bodies.notes


def camera_of(found: Keypoints, options: LiftOptions) -> Camera:
    """The camera of a clip: the one that was given, or the one that the size of its pictures suggests."""
    if found.rays:
        return Camera.identity()
    seen = found.xy[~found.missing]
    if options.focal is not None:
        return Camera.from_focal(options.focal, found.size, seen)
    if options.fov is not None:
        return Camera.from_fov(options.fov, found.size, seen)
    if options.camera is not None:
        return options.camera.fitted(found.size)
    if found.focal is not None:
        camera = Camera.from_focal(found.focal, found.size, seen)
        return replace(camera, source=f"focal length {found.focal:.0f} px, {found.focal_source}")
    return Camera.assumed(found.size, seen)


def _lifted(found: Keypoints, lifter: Lifter, camera: Camera, options: LiftOptions) -> Lifted:
    ready = prepare(found, found.person, camera, options)
    ready = calm_rays(ready, found, found.person, options)
    return lift_rows(ready, found.frame, found.person, lifter, options)


def lift_rows(
    ready: Prepared, frame: np.ndarray, person: np.ndarray, lifter: Lifter, options: LiftOptions
) -> Lifted:
    """Detections lifted one by one, each in its own unit with the mid-hip at (0, 0, -1), straight ahead."""
    rays = ready.rays if lifter.takes_missing else stand_in(ready.rays)
    rays = np.where(ready.empty[:, None, None], np.float32(0), rays)
    sigma = ready.sigma if lifter.takes_noise else None
    own = lifter.predict(rays, sigma, flip=options.flip, project=options.project)
    if not np.isfinite(own).all():
        raise InputError(f"{lifter.weights}: its predictions are too large or undefined; use other weights")
    expected = unlike = interval = None
    if lifter.has_trust:
        trust = lifter.trust(rays, None if options.flip or options.project else own, sigma)
        expected, unlike = trust.expected_error.astype(np.float32), trust.unlike | ready.empty
        interval = np.stack([trust.low, trust.high], axis=2).astype(np.float32)
    own[ready.empty] = np.nan
    noisy = (ready.sigma > 0)[..., None] & ~np.isnan(ready.rays)
    image = np.where(noisy, own[..., :2] / -own[..., 2:], ready.rays) if lifter.takes_noise else ready.rays
    return Lifted(
        own, ready.rays, image, ready.sigma, ready.turned, ready.joint_2d, ready.root_2d, ready.confidence,
        ready.state, frame, person, expected, unlike, interval,
    )  # fmt: skip


def with_body(lifted: Lifted, bodies: Bodies, lifter: Lifter, fps: float | None) -> Lifted:
    """Poses made to fit their bodies, with the errors to expect then; where the trust file does not know
    them, those of the lifter alone stay."""
    found = fused(lifted, bodies, fps)
    known = lifter.trust_model.body if lifter.has_trust else None
    if known is None or lifted.expected_error is None or lifted.interval is None:
        return found
    error, low, high = known(fitted(found))
    some = np.isfinite(error)
    expected = np.where(some, error, lifted.expected_error).astype(np.float32)
    interval = np.where(some[..., None], np.stack([low, high], axis=2), lifted.interval).astype(np.float32)
    return replace(found, expected_error=expected, interval=interval)


def fitted(found: Lifted) -> Fitted:
    """What the errors to expect of poses that `fused` made go by."""
    assert found.expected_error is not None
    assert found.share is not None
    size = COURSE15.bone_lengths(found.own).mean(axis=1)
    return Fitted.of(found.expected_error, found.share, ~np.isnan(found.rays).any(axis=2), found.sigma, size)
