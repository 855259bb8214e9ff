"""Learning what a body is worth: clips of people left out, lifted as `minilift predict` lifts them."""

from __future__ import annotations

import numpy as np

from minilift.errors import ArgumentError
from minilift.lift.body.fit import FEWEST
from minilift.lift.body.steady import FADES, LASTS
from minilift.lift.clip.bodies import find_bodies, fused
from minilift.lift.clip.calm import calm_rays
from minilift.lift.clip.lift import camera_of, fitted, lift_rows
from minilift.lift.clip.options import LiftOptions
from minilift.lift.clip.place import Lifted, scale_of
from minilift.lift.clip.prepare import prepare
from minilift.lift.lifter import Lifter
from minilift.lift.trust.with_body import BodyErrors, Fitted, calibrated_with_body
from minilift.poses.body.body import STIFFNESS, Body
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import COURSE15, Layout
from minilift.poses.lens.stature import stature
from minilift.poses.metrics import joint_errors
from minilift.poses.poses import Poses

FOCAL, SIZE, FPS = 1000.0, (4000, 4000), 30.0  # pixels of a picture that cuts no one off
MOST_FRAMES = 30  # of a clip, from its middle
MOST_NOISE = 0.01  # units of the image: 10 pixels at FOCAL
MEASURED = 0.01  # relative: the spread of bones that are given
LAYOUT = Layout("course15 and mid-hip", (*COURSE15.joints, "mid_hip"), (*COURSE15.parents, -1))


def errors_with_body(
    lifter: Lifter, poses: Poses, clips: np.ndarray, people: np.ndarray, seed: int = 0
) -> BodyErrors:
    """The errors of poses made to fit a body, found from the clip or measured to MEASURED, exact and noisy.

    `poses` are at 30 frames a second, `clips` (n,) and `people` (n,) say what they belong to, none of whom
    the lifter was trained on. The lifter has its trust already. Raises ArgumentError for too few of them.
    """
    parts: list[tuple[Fitted, np.ndarray, np.ndarray]] = []
    for clip in np.unique(clips):
        rows = np.flatnonzero(clips == clip)
        first = max(len(rows) - MOST_FRAMES, 0) // 2
        rows = rows[first : first + MOST_FRAMES]
        if len(rows) < FEWEST:
            continue
        read = poses.read(rows)
        if read.joint_3d is None:
            raise ArgumentError("clips", "no joint_3d", "the true joints are needed")
        image, truth = np.asarray(read.joint_2d), np.asarray(read.joint_3d)
        rng = np.random.default_rng([seed, int(clip)])
        for sigma in (0.0, MOST_NOISE * rng.random()):
            points = image + sigma * noise(len(rows), rng)
            for body in ("auto", measured(truth, rng)):
                options = LiftOptions(focal=FOCAL, body=body)
                found = _lifted(lifter, points, options)
                if found is not None:
                    parts.append((fitted(found), joint_errors(found.own, truth), people[rows]))
    if not parts:
        told = f"frames, of which no clip has {FEWEST} and a body; give longer clips"
        raise ArgumentError("clips", len(clips), told)
    all_fitted, errors, who = zip(*parts, strict=True)
    together = Fitted(*map(np.concatenate, zip(*all_fitted, strict=True)))
    return calibrated_with_body(together, np.concatenate(errors), np.concatenate(who))


def keypoints_of(image: np.ndarray, root: np.ndarray, frame: np.ndarray) -> Keypoints:
    """One person in a clip: image (n, 15, 2) of focal length 1, NaN if not seen, and the mid-hip (n, 2), as
    pixels of focal length FOCAL."""
    n = len(image)
    points = np.concatenate([image, root[:, None]], axis=1).astype(np.float64)
    xy = points * (FOCAL, -FOCAL) + np.array(SIZE) / 2
    return Keypoints(
        xy=xy, score=None, missing=np.asarray(np.isnan(xy).any(axis=2)), frame=frame.astype(np.int64),
        person=np.zeros(n, np.int64), track=None, track_names=(), layout=LAYOUT, format="made",
        frames=frame.astype(np.int64), size=SIZE, fps=FPS,
    )  # fmt: skip


def noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 15, 2) of variance 1: a part LASTS of it fades by FADES a frame, the rest is new in every frame."""
    lasting, white = rng.standard_normal((2, n, len(COURSE15), 2))
    for at in range(1, n):
        lasting[at] = FADES * lasting[at - 1] + np.sqrt(1 - FADES**2) * lasting[at]
    return np.asarray(np.sqrt(LASTS) * lasting + np.sqrt(1 - LASTS) * white)


def measured(truth: np.ndarray, rng: np.random.Generator) -> Body:
    """The body of true joints (n, 15, 3), every bone wrong by a factor of its own."""
    lengths = COURSE15.bone_lengths(truth)
    mean = (lengths / stature(lengths)[:, None]).mean(axis=0)
    wrong = mean * np.exp(MEASURED * rng.standard_normal(len(COURSE15)))
    spread = np.full(len(COURSE15), MEASURED)
    return Body(wrong / stature(wrong), spread, STIFFNESS, "relative", "measured")


def _lifted(lifter: Lifter, image: np.ndarray, options: LiftOptions) -> Lifted | None:
    """As `lift_keypoints` does it, in each frame's own unit."""
    n = len(image)
    found, person = keypoints_of(image, np.zeros((n, 2)), np.arange(n)), np.zeros(n, np.int64)
    ready = calm_rays(prepare(found, person, camera_of(found, options), options), found, person, options)
    lifted = lift_rows(ready, found.frame, person, lifter, options)
    bodies = find_bodies(lifted, scale_of(lifted, False, options), options)
    return None if bodies is None else fused(lifted, bodies, FPS)
