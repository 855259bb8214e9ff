"""Why the rays of two views do not meet: mistakes that many files share, each tried."""

from dataclasses import replace

import numpy as np

from minilift.poses.layouts import ROOT
from minilift.poses.views.convention import FARTHEST, Convention, Stored, conventions, find_convention
from minilift.poses.views.triangulate import meet

FAR_BETTER = 0.5
"""Rays that miss by less than this of what they missed by before show what was wrong."""
ON_LINES = 0.05
"""Of a person's size in the image: by less points are off the lines that the other view asks for."""
MOST = 0.9  # of the joints: those of all people, with some that noise puts elsewhere
_NEGATED = (
    ((True, True), "joint_2d_1 and joint_2d_2"),
    ((False, True), "joint_2d_2"),
    ((True, False), "joint_2d_1"),
)


def upside_down(stored: Stored, found: Convention, divided: bool | None) -> str:
    """The image points whose y has to be negated for the rays to meet far better than as `found`; empty
    where that does not help."""
    for which, names in _NEGATED:
        images = [x * (1, -1) if wrong else x for x, wrong in zip(stored.images, which, strict=True)]
        other = find_convention(replace(stored, images=(images[0], images[1])), divided)
        if other.miss < FAR_BETTER * min(found.miss, FARTHEST):
            return names
    return ""


def behind_camera(stored: Stored, divided: bool | None) -> int:
    """The camera, 1 or 2, that people are behind: lines through their image points meet, but not in front of
    it. 0 where they do not show it."""
    size = np.sqrt(np.mean([(x.astype(np.float64) ** 2).sum(axis=2).mean(axis=1) for x in stored.images]))
    tried = [one for one in conventions() if divided is None or one.undivided != divided]
    best = min(tried, key=lambda one: float(np.median(stored.image_miss(one))))
    if np.median(stored.image_miss(best)) > ON_LINES * size:
        return 0
    met = meet(*stored.points(best), *best.cameras(stored.rotation, stored.translation))
    for camera, depth in ((2, met.depth_2), (1, met.depth)):
        if met.known.any() and (depth[met.known] <= 0).mean() > MOST:
            return camera
    return 0


def all_behind(stored: Stored) -> bool:
    """Whether the cameras as they are written, P2 = rot P1 + transl, have every mid-hip behind camera 2."""
    turn, moved = next(conventions()).cameras(stored.rotation, stored.translation)
    return bool(((turn @ np.array(ROOT) + moved)[:, 2] >= 0).all())
