"""From whatever a file counts in to pixels."""

from __future__ import annotations

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, one_line
from minilift.poses.layouts import Layout
from minilift.poses.layouts.look import misfit
from minilift.poses.layouts.make import ROOTS
from minilift.poses.read.keypoints import raw as units
from minilift.poses.read.keypoints.raw import CENTRED, FRACTION, PIXELS, SIGNED, WIDTH, Asked, Raw

_CLEAR = 0.8  # of the misfit in the other unit: then a person's proportions tell them apart
_FEW = 0.02  # joints outside of the picture
_SAYS = {
    SIGNED: "2 x / width - 1 and 2 y / height - 1",
    WIDTH: "2 x / width - 1 and (2 y - height) / width, as VideoPose3D has them",
}


def known_size(raw: Raw, path: PathLike, asked: Asked) -> tuple[int, int] | None:
    """Width and height of the pictures. Raises ArgumentError where file and user contradict each other."""
    if asked.size is not None and raw.size is not None and asked.size != raw.size:
        (w, h), (width, height) = asked.size, raw.size
        problem = f"{one_line(str(path))} says that its pictures have {width}x{height}"
        raise ArgumentError("size", f"{w}x{h}", f"{problem}; leave it out")
    return asked.size or raw.size


def pixels(
    raw: Raw, path: PathLike, size: tuple[int, int] | None, asked: Asked, layout: Layout, missing: np.ndarray
) -> np.ndarray:
    """x and y (n, J, 2) in pixels; `raw.unit` is then what they were in.

    Raises ArgumentError where that takes the size of the pictures, or what the user knows.
    """
    if asked.unit is not None and raw.unit != asked.unit:
        if raw.unit in (units.RAYS, units.SQUARE):
            problem = f"{one_line(str(path))} is of {raw.unit}, as its format says; leave it out"
            raise ArgumentError("unit", asked.unit, problem)
        raw.unit = asked.unit
    if raw.unit in (PIXELS, units.RAYS):
        return raw.xy
    if size is None:
        signed = raw.unit in (CENTRED, SIGNED, units.SIGNED_INCLUSIVE, WIDTH)
        about = ", about their middle" if signed else ""
        problem = f"is needed: {one_line(str(path))} has fractions of the pictures' size{about}, not pixels"
        raise ArgumentError("size", "WxH", f"{problem}; give width and height, such as 1280x720")
    if raw.unit == CENTRED:
        raw.unit = _centred(raw, path, size, layout, missing)
        other = WIDTH if raw.unit == SIGNED else SIGNED
        raw.notes.append(f"coordinates are taken for {_SAYS[raw.unit]}; unit {other} says otherwise")
    return _converted(raw.xy, raw.unit, np.array(size, np.float64))


def _converted(xy: np.ndarray, unit: str, sides: np.ndarray) -> np.ndarray:
    if unit == FRACTION:
        return xy * sides
    if unit == units.INCLUSIVE:
        return xy * (sides - 1)
    if unit == units.SIGNED_INCLUSIVE:
        return np.asarray((xy + 1) / 2 * (sides - 1))
    if unit == SIGNED:
        return np.asarray((xy + 1) / 2 * sides)
    if unit == WIDTH:
        return np.asarray((xy * sides[0] + sides) / 2)
    assert unit == units.SQUARE
    return np.asarray(xy * sides.max() - (sides.max() - sides) / 2)


def _centred(raw: Raw, path: PathLike, size: tuple[int, int], layout: Layout, missing: np.ndarray) -> str:
    """SIGNED or WIDTH: the one that keeps people in the picture, and in which they have a person's shape.

    Raises ArgumentError where neither tells, and InputError for places about a joint of the person.
    """
    _refuse_about_the_hips(raw, path, layout, missing)
    width, height = size
    seen = np.abs(raw.xy[~missing])
    outside = {SIGNED: (seen > 1).any(axis=1), WIDTH: (seen > (1, height / width)).any(axis=1)}
    few, many = sorted(outside, key=lambda unit: outside[unit].mean())
    if outside[many].mean() > _FEW >= outside[few].mean():
        return few
    sides = np.array(size, np.float64)
    misfits = {unit: misfit(layout, _converted(raw.xy, unit, sides), missing) for unit in _SAYS}
    best, other = sorted(misfits, key=lambda unit: misfits[unit])
    if width != height and not misfits[best] < _CLEAR * misfits[other]:
        problem = f"is needed: coordinates of {one_line(str(path))} may be {_SAYS[SIGNED]} ({SIGNED}), or"
        raise ArgumentError("unit", "NAME", f"{problem} {_SAYS[WIDTH]} ({WIDTH})")
    return best


def _refuse_about_the_hips(raw: Raw, path: PathLike, layout: Layout, missing: np.ndarray) -> None:
    """Raise InputError where the middle of the hips is at 0, 0 in every frame."""
    roots = [layout.joints.index(name) for name in ROOTS if name in layout.joints]
    hips = [row for row, name in enumerate(layout.joints) if name in ("left_hip", "right_hip")]
    middle = raw.xy[:, hips].mean(axis=1)[~missing[:, hips].any(axis=1)]
    still = len(hips) == 2 and len(middle) > 1 and bool((np.abs(middle) < 1e-5).all())
    if still or any(len(raw.xy) > 1 and not raw.xy[:, root].any() for root in roots):
        problem = "the hips are at 0, 0 in every frame: where people are in the picture is lost"
        raise file_error(path, f"{problem}; give the keypoints that it was made of")
