"""What points look like: whether they can be of a layout, and which of several layouts they are of.

Every known pair of joints has a length in metres. In the right layout the pairs of a person agree on how many
pixels a metre has, up to foreshortening; in a wrong one a nose is an arm's length from an eye.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilift.poses.few import evenly, median_of_known
from minilift.poses.layouts.layout import Layout
from minilift.poses.layouts.make import ROOTS
from minilift.poses.layouts.rows import LAYOUTS

_LENGTHS = """
hip knee 0.43            knee ankle 0.42         shoulder elbow 0.29     elbow wrist 0.25
eye ear 0.095            ankle heel 0.09         ankle big_toe 0.20      big_toe small_toe 0.09
ankle foot_index 0.20    heel foot_index 0.25    ankle foot 0.13         foot toe 0.07
wrist index 0.09         wrist hand 0.08         ankle toe 0.20          wrist hand_root 0.03
hip big_toe 0.9          shoulder ear 0.27
"""
"""Pairs of joints of one side, and their distance in metres."""
_MIDDLE = """
hips shoulders 0.50      left_shoulder right_shoulder 0.36               left_hip right_hip 0.24
nose eyes 0.05           nose shoulders 0.27     eyes shoulders 0.30     head_top shoulders 0.35
upper_neck head_top 0.235                        head_bottom head_top 0.235
nose head_bottom 0.12    nose head_top 0.17      neck head_top 0.31      chin forehead 0.17
chin shoulders 0.13      head_bottom shoulders 0.11                      upper_neck shoulders 0.11
spine hips 0.21          spine shoulders 0.30    spine1 hips 0.20        head shoulders 0.24
left_eye right_eye 0.062 left_ear right_ear 0.15 chest shoulders 0.25
"""
"""The same for the middle of the body. A part in the plural is the middle of left and right."""
_AT_MOST = """
root hips 0.05           neck shoulders 0.10     thorax shoulders 0.06   nose ears 0.12
left_knee right_knee 0.5 left_ankle right_ankle 0.6                      left_wrist right_wrist 0.8
"""
"""Pairs that may be as near as they like."""

FAR = 1e9  # pixels: what is farther away is no place
_MOST = 2000  # rows that are looked at
_SHORT = 0.5  # what points along the line of sight is short in the picture, and nothing is long
_CAP = 1.6  # a pair that is off by more than a factor of 5 says no more
_FEWEST = 8  # pairs that have to be known
_GOOD, _CLEAR = 0.3, 0.75  # the best layout's misfit, and its share of the next best's
_CLEAR_OF_FEW, _SOME = 0.6, 3  # where there are fewer rows than that
_RARE = ("posetrack17", "posetrack18", "mpi_inf_3dhp17", "h36m16")
_BETTER, _DOUBTFUL = 0.5, 0.1  # another layout's share of a misfit, and that share at least
_LARGE, _LARGE_OF_FEW, _FEW = 0.35, 0.5, 10  # a few rows may all be of one odd pose


def _pairs(layout: Layout) -> list[tuple[tuple[int, ...], tuple[int, ...], float, bool]]:
    found = []
    for table, sides, least in (
        (_LENGTHS, ("left_", "right_"), True),
        (_MIDDLE, ("",), True),
        (_AT_MOST, ("",), False),
    ):
        words = table.split()
        for first, second, metres in zip(words[::3], words[1::3], words[2::3], strict=True):
            for side in sides:
                ends = _rows(layout, side + first), _rows(layout, side + second)
                if all(ends):
                    found.append((*ends, float(metres), least))
    return found


def _rows(layout: Layout, part: str) -> tuple[int, ...]:
    """The rows of a point: a joint, or both joints of a part in the plural."""
    names: tuple[str, ...] = (part,)
    if part == "root":
        names = tuple(name for name in ROOTS if name in layout.joints)[:1]
    elif part in ("hips", "shoulders", "eyes", "ears"):
        names = (f"left_{part[:-1]}", f"right_{part[:-1]}")
    if part == "head" and "head_top" in layout.made_of:
        names = ()
    if part == "head_top" and part in layout.made_of:
        names = tuple(layout.made_of[part])
    return tuple(layout.joints.index(name) for name in names) if set(names) <= set(layout.joints) else ()


def evidence(layout: Layout, xy: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """For every known pair of joints, how far it is from the length that the others give it, in |log|.

    Points (n, J, 2), of which `missing` (n, J) are not there. A pair that no row has gives NaN.
    """
    rows = evenly(len(xy), _MOST)
    gone = missing[rows] | ~(np.abs(xy[rows]) < FAR).all(axis=2)
    places = np.where(gone[..., None], np.nan, xy[rows])
    pairs = _pairs(layout)
    if not pairs:
        return np.zeros(0)
    ends = {end: places[:, end[0]] for a, b, *_ in pairs for end in (a, b)}
    ends |= {end: places[:, list(end)].mean(axis=1) for end in ends if len(end) > 1}
    first, second = np.array([ends[a] for a, *_ in pairs]), np.array([ends[b] for _, b, *_ in pairs])
    metres = np.array([metres for _, _, metres, _ in pairs])
    ratios = np.linalg.norm(first - second, axis=2) / metres[:, None]
    least = np.array([least for *_, least in pairs], bool)
    size = median_of_known(ratios[least], 0)  # pixels a metre, row by row
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(median_of_known(ratios / size, 1))
    found = np.maximum(found, np.where(least, -_SHORT * found, 0))
    return np.minimum(found, _CAP)


def misfit(layout: Layout, xy: np.ndarray, missing: np.ndarray) -> float:
    """How unlike a person these points (n, J, 2) are, taken for this layout; NaN: too few are known.

    The mean of `evidence`. Detections of real people in their own layout have 0.04 to 0.20, and one 0.32, of
    a person whose legs were not in the picture; in another layout 0.15 to 0.69; an animal has 0.41.
    """
    found = evidence(layout, xy, missing)
    known = found[np.isfinite(found)]
    return float(known.mean()) if len(known) >= _FEWEST else float("nan")


def decide(candidates: Sequence[Layout], xy: np.ndarray, missing: np.ndarray) -> Layout | None:
    """The one of the candidates that these points clearly fit best; None where no one does.

    One that hardly comes without names has to fit better than the others to count.
    """
    if len(candidates) == 1:
        return candidates[0]
    misfits = {layout.name: misfit(layout, xy, missing) for layout in candidates}
    if not misfits or np.isnan(list(misfits.values())).any():
        return None
    first = min(candidates, key=lambda layout: misfits[layout.name])
    usual = [layout for layout in candidates if layout.name not in _RARE]
    others = [layout for layout in (candidates if first.name in _RARE else usual) if layout is not first]
    second = min((misfits[layout.name] for layout in others), default=np.inf)
    clear = misfits[first.name] < (_CLEAR if len(xy) >= _SOME else _CLEAR_OF_FEW) * second
    return first if clear and misfits[first.name] < _GOOD else None


def implausible(layout: Layout, xy: np.ndarray, missing: np.ndarray) -> str:
    """Why these points cannot be of this layout, in a few words; empty where they may be."""
    found = misfit(layout, xy, missing)
    others = [other for other in LAYOUTS.values() if len(other) == len(layout)]
    better = decide(others, xy, missing)
    if better is layout or better is None or not misfit(better, xy, missing) < _BETTER * found > _DOUBTFUL:
        better = None
    if better is None and not found > (_LARGE if len(xy) >= _FEW else _LARGE_OF_FEW):
        return ""
    first, second = worst_pair(layout, evidence(layout, xy, missing))
    told = f"taken for {layout.name}, the joints make no person ({first} and {second} do not fit)"
    return f"{told}; they look like {better.name}" if better else told


def worst_pair(layout: Layout, found: np.ndarray) -> tuple[str, str]:
    """The two joints whose distance fits least."""
    a, b, *_ = _pairs(layout)[int(np.nanargmax(found))]
    return _said(layout, a), _said(layout, b)


def _said(layout: Layout, rows: tuple[int, ...]) -> str:
    name = layout.joints[rows[0]]
    return name if len(rows) == 1 else f"the {name.partition('_')[2]}s"
