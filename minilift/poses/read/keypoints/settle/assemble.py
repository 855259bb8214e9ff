"""From what a reader found to keypoints: the layout settled, pixels, frames in order, people counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minilift.errors import ArgumentError, counted
from minilift.files import PathLike, file_error, one_line
from minilift.poses.few import distinct
from minilift.poses.keypoints import Keypoints
from minilift.poses.layouts import Layout
from minilift.poses.layouts.find import Match, by_count, by_names, columns_of, counts, decide, implausible
from minilift.poses.layouts.own import layout_named
from minilift.poses.read.keypoints.raw import (
    PIXELS,
    RAYS,
    Asked,
    Raw,
)  # fmt: skip
from minilift.poses.read.keypoints.settle.people import order, tracks, without_doubles
from minilift.poses.read.keypoints.settle.pixels import known_size, pixels
from minilift.poses.read.keypoints.settle.suspicious import outside, suspicious


def assemble(raw: Raw, path: PathLike, format: str, asked: Asked, doubts: bool = True) -> Keypoints:
    """Keypoints of a Raw. Raises InputError, and ArgumentError for what the user has to say.

    Rows are sorted by frame; people without a single joint are left out, their frames are not. Without
    `doubts` nothing is told to be suspicious: that takes five times as long as the rest of one frame.
    """
    if not len(raw.xy):
        raise file_error(path, f"no person in any of its {_frames(raw)}; check the detector")
    raw = _with_columns(raw, path, asked)
    nowhere = ~(np.abs(raw.xy) < _LARGEST).all(axis=2)  # NaN too
    raw = _without_far(raw, nowhere)
    missing = nowhere if raw.missing is None else nowhere | raw.missing
    if missing.all():
        raise file_error(path, f"not one joint was found in its {_frames(raw)}; check the detector")
    layout, notes = _layout(raw, missing, path, asked)
    size = known_size(raw, path, asked)
    rows, person = order(raw, missing)
    xy = pixels(raw, path, size, asked, layout, missing)[rows]
    if asked.size is not None and raw.unit == PIXELS:
        for problem in outside(xy[~missing[rows]], asked.size):
            raise ArgumentError("size", "{}x{}".format(*asked.size), f"{problem} Give that of the pictures")
    track, names = tracks(raw, rows)
    found = Keypoints(
        xy=xy,
        score=None if raw.score is None else _scores(raw.score[rows]),
        missing=missing[rows],
        frame=raw.frame[rows],
        person=person,
        track=track,
        track_names=names,
        layout=layout,
        format=format,
        frames=distinct(raw.frame if raw.frames is None else raw.frames),
        size=None if raw.unit == RAYS else size,
        fps=asked.fps or raw.fps,
        stills=raw.stills,
        weight=None if raw.weight is None else raw.weight[rows],
        rays=raw.unit == RAYS,
        notes=(*raw.notes, *notes),
        warnings=tuple(raw.warnings),
        media=raw.media,
        times=raw.times,
        focal=raw.focal,
        focal_source=raw.focal_source,
    )
    found = without_doubles(found)
    if not doubts:
        return found
    return replace(found, warnings=(*found.warnings, *suspicious(found)))


_LARGEST = 1e9  # of a coordinate: what is larger is no place in a picture


def _without_far(raw: Raw, nowhere: np.ndarray) -> Raw:
    """The same with NaN for joints that are `nowhere` (n, J), and a warning for those with numbers."""
    if not nowhere.any():
        return raw
    far = nowhere & np.isfinite(raw.xy).all(axis=2)
    if raw.missing is not None:
        far &= ~raw.missing
    if far.any():
        first = int(raw.frame[far.any(axis=1)].min())
        told = (
            f"{counted(int(far.sum()), 'joint')} with coordinates of {_LARGEST:g} and more, in frame {first}"
        )
        more = " and others" if len(np.unique(raw.frame[far.any(axis=1)])) > 1 else ""
        raw.warnings.append(
            f"{told}{more}: no places in a picture, taken for missing; look at what wrote them"
        )
    return replace(raw, xy=np.where(nowhere[..., None], np.nan, raw.xy))


def _scores(score: np.ndarray) -> np.ndarray:
    return np.where(np.abs(score) < _LARGEST, score, np.nan).astype(np.float32)


def _frames(raw: Raw) -> str:
    count = len(np.unique(raw.frame)) if raw.frames is None else len(raw.frames)
    return f"{count:,} frames" if count != 1 else "one frame"


# ---- layout --------------------------------------------------------------------------------------------
def _with_columns(raw: Raw, path: PathLike, asked: Asked) -> Raw:
    """The joints in a layout's order, where the file names them."""
    if raw.names is None:
        return raw
    if len(raw.names) != raw.xy.shape[1]:
        problem = f"names {len(raw.names)} joints, and its people have {raw.xy.shape[1]}"
        raise file_error(path, f"{problem}; write the file again")
    match = by_names(raw.names)
    if asked.layout is not None:
        wanted = layout_named(asked.layout)
        columns = columns_of(wanted, raw.names)
        if min(columns) >= 0:
            return _taken(raw, Match(wanted, columns))
        if wanted.called:
            lacking = wanted.joints[columns.index(-1)]
            problem = f"no joint of {one_line(str(path))} is its {lacking}; correct its map"
            raise ArgumentError("layout", asked.layout, problem)
        if match is not None and match.layout.name == wanted.name:
            return _taken(raw, match)
        if len(wanted) != len(raw.names):
            problem = f"has {len(wanted)} joints, and {one_line(str(path))} has {len(raw.names)}"
            raise ArgumentError("layout", asked.layout, f"{problem}; give that of the file")
        return replace(raw, names=None, layout=None)
    if match is None:
        shown = one_line(", ".join(raw.names[:8]), 120)
        problem = f"joints {shown}{', ...' if len(raw.names) > 8 else ''} are not those of a person"
        raise file_error(path, f"{problem}; say which is which in a .json file (docs/layouts.md), as layout")
    return _taken(raw, match)


def _taken(raw: Raw, match: Match) -> Raw:
    columns = list(match.columns)
    return replace(
        raw,
        xy=raw.xy[:, columns],
        score=None if raw.score is None else raw.score[:, columns],
        missing=None if raw.missing is None else raw.missing[:, columns],
        names=match.layout.joints,
    )


def _layout(raw: Raw, missing: np.ndarray, path: PathLike, asked: Asked) -> tuple[Layout, list[str]]:
    joints = raw.xy.shape[1]
    if asked.layout is not None:
        layout = layout_named(asked.layout)
        if len(layout) != joints:
            problem = f"has {len(layout)} joints, and {one_line(str(path))} has {joints}"
            raise ArgumentError("layout", asked.layout, f"{problem}; give that of the file")
        if layout.called and raw.names is None:
            problem = f"is a map of names, and {one_line(str(path))} has none"
            raise ArgumentError("layout", asked.layout, f"{problem}; list its 'joints' in the file's order")
        return layout, []
    if raw.names is not None:
        match = by_names(raw.names)
        assert match is not None  # it was found by these names
        return match.layout, []
    candidates = by_count(joints)
    if raw.layout is not None:
        return _checked(layout_named(raw.layout), candidates, raw, missing)
    if not candidates:
        problem = f"people of {joints} joints, and no layout has so many (known: {counts()})"
        raise file_error(path, f"{problem}; describe yours in a .json file (docs/layouts.md), as layout")
    if len(candidates) == 1:
        return candidates[0], []
    found = _by_evidence(candidates, raw, missing)
    if found is None:
        names = ", ".join(layout.name for layout in candidates)
        problem = f"is needed: the {joints} joints of {one_line(str(path))} may be {names}"
        raise ArgumentError("layout", "NAME", f"{problem}, and they look like neither of them alone")
    others = ", ".join(layout.name for layout in candidates if layout is not found)
    return found, [f"layout: {joints} joints, taken for {found.name} (not {others})"]


_USUAL = ("coco17", "body25", "mpi15")
"""What nearly all files of so many joints have: it takes clear evidence to say otherwise."""


def _by_evidence(candidates: tuple[Layout, ...], raw: Raw, missing: np.ndarray) -> Layout | None:
    """What the look of people says; where it says nothing, the usual one, if they may be that."""
    clear = decide(candidates, raw.xy, missing)
    if clear is not None:
        return clear
    first = candidates[0]
    return first if first.name in _USUAL and not implausible(first, raw.xy, missing) else None


def _checked(
    named: Layout, candidates: tuple[Layout, ...], raw: Raw, missing: np.ndarray
) -> tuple[Layout, list[str]]:
    """The layout that a file names, unless its numbers are clearly those of another."""
    if implausible(named, raw.xy, missing):
        clear = decide(candidates, raw.xy, missing)
        if clear is not None and clear.name != named.name:
            told = f"the file says {named.name}, but its joints lie as those of {clear.name} do"
            raw.warnings.append(f"{told}: taken for that; give layout to decide")
            return clear, []
    return named, []
