"""People that were found twice: in the same place, or as half of themselves."""

from __future__ import annotations

import numpy as np

from minilift.video.detect.landmarks import LAYOUT, Landmarks

MAIN = [LAYOUT.index("nose")] + [
    LAYOUT.index(f"{side}_{joint}")
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
]
"""The joints that tell people apart."""
_HEAD = 3  # of them: nose and shoulders
_APART = 0.04  # of the square around a person: 10 cm. Two heads are further apart
_BONES = (
    *((0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (1, 7), (2, 8), (1, 8), (2, 7)),
    *((7, 8), (7, 9), (8, 10), (9, 11), (10, 12)),
)
_THICK = 0.06  # of the square: joints so near to the bones of another one lie on the body of it
_ON_IT, _HALF_ON_IT = 0.8, 0.5  # of the joints
_AS_LARGE = 1.4


def different(people: list[Landmarks]) -> list[Landmarks]:
    """Without those whom another one shows already; who was found in more squares stays, then the surer."""
    kept: list[Landmarks] = []
    for one in sorted(people, key=lambda one: (-one.votes, -one.sure)):
        if not any(is_double(one, other) for other in kept):
            kept.append(one)
    return kept


def is_double(one: Landmarks, other: Landmarks) -> bool:
    """Whether the first is the second once more.

    It lies in the same place; or has the same head and shoulders, and another height; or lies on the other
    one's body and is as large; or lies there and was found in less than half as many squares, as the person
    that the networks see in a pair of legs. A child in front of a grown-up is found in as many.
    """
    sizes = [person.region.size for person in (one, other) if person.region is not None]
    if len(sizes) < 2:
        return False
    points, others = one.xy[MAIN], other.xy[MAIN]
    apart = np.sqrt(((points - others) ** 2).sum(axis=1)) / max(sizes)
    if np.median(apart) <= _APART or apart[:_HEAD].mean() <= _APART:
        return True
    seen = points[one.score[MAIN] > 0.5]
    if not len(seen):
        return False
    on_it = float((off_bones(seen, others) <= _THICK * sizes[1]).mean())
    as_large = max(sizes) <= _AS_LARGE * min(sizes)
    fewer, far_fewer = 2 * one.votes < other.votes, 5 * one.votes < other.votes
    return (on_it >= _ON_IT and (as_large or fewer)) or (on_it >= _HALF_ON_IT and far_fewer)


def off_bones(points: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """(n,) how far points (n, 2) are from the nearest bone of a person with these MAIN joints (13, 2)."""
    start, end = joints[[a for a, _ in _BONES]], joints[[b for _, b in _BONES]]
    along = end - start
    share = ((points[:, None] - start) * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-12)
    nearest = start + np.clip(share, 0, 1)[..., None] * along
    return np.asarray(np.sqrt(((points[:, None] - nearest) ** 2).sum(axis=2)).min(axis=1, initial=np.inf))
