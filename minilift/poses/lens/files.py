"""Camera files: OpenCV's YAML, XML and JSON, ROS's camera_info, Pose2Sim's and anipose's TOML, plain JSON."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, one_line, read_bytes
from minilift.files.what import kind_of, wrong_kind
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.texts import LARGEST, NotReadable, parsed

# What the entries of a camera are called, in small letters without _ and -
_MATRIX = (
    "cameramatrix",
    "k",
    "matrix",
    "mtx",
    "intrinsics",
    "intrinsicmatrix",
    "intrinsic",
    "cammatrix",
    "intrinsicmat",
)
_LENS = (
    "distortioncoefficients", "distortioncoeffs", "distcoeffs", "distcoef", "distortions", "distortion",
    "dist", "d",
)  # fmt: skip
_WIDTH, _HEIGHT = ("imagewidth", "width", "w", "imgwidth"), ("imageheight", "height", "h", "imgheight")
_SIZE = ("size", "imagesize", "imgsize", "resolution", "framesize", "imsize")
_FOCAL = ("focal", "f", "focallength", "focalpx", "focallengthpx")
_MODEL = ("distortionmodel", "cameramodel", "model", "projection", "cameratype")
_COEFFICIENTS = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
_OTHER_MODELS = ("fisheye", "equidistant", "kannala", "omni", "mei", "ftheta", "thinprism", "division", "fov")
_SHOWN = 20  # names of cameras in a message
_DEEPEST = 4


def load_camera(path: PathLike, size: tuple[int, int] | None = None, camera: str | None = None) -> Camera:
    """The camera of a file, for pictures of `size` (width, height) where that is known.

    Of a file with several, `camera` is the name of one; `path` may end in #NAME instead. Kinds are told by
    the content. Distortion has 4 (k1 k2 p1 p2), 5 (with k3) or 8 (with k4 k5 k6) numbers, as OpenCV orders
    them. Raises InputError for a file that cannot be read, holds no camera or several, another lens model,
    numbers that no camera has, or pictures of another shape than `size`.
    """
    file, _, name = os.fspath(path).rpartition("#")
    if camera is None and file and not Path(path).exists():
        path, camera = file, name
    try:
        tree = parsed(_text(path))
    except NotReadable as problem:
        raise file_error(path, str(problem)) from None
    found = dict(_cameras(tree, "", 0))
    chosen = _chosen(path, found, camera)
    source = one_line(os.path.basename(os.fspath(path))) + (f", {chosen}" if len(found) > 1 else "")
    if not any(word in found[chosen] for word in (*_LENS, *_COEFFICIENTS)):
        source += ", which gives no distortion"
    try:
        made = _camera(found[chosen], source)
    except NotReadable as problem:
        raise file_error(path, str(problem)) from None
    except ArgumentError as problem:
        raise file_error(path, f"{problem.name} {problem.value}: {problem.problem}") from None
    except OverflowError:
        raise file_error(path, "has a number that no camera has; write it again") from None
    return made.fitted(size)


def _text(path: PathLike) -> str:
    content = read_bytes(path, "give the name of a camera file", LARGEST + 1)
    if len(content) > LARGEST:
        raise file_error(path, f"is larger than {LARGEST >> 20} MB, no camera file; give one with one camera")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or kind_of(content).name in _NO_CAMERA:
        raise wrong_kind(path, content, "a camera file", "give OpenCV's YAML or XML, TOML or JSON")
    return text


_NO_CAMERA = ("html", "lfs", "annex", "bvh", "pickle")  # and yet text


def _cameras(tree: Any, name: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings of a tree that describe a camera, by their `name`, or by where they stand."""
    if depth > _DEEPEST:
        return
    if isinstance(tree, dict):
        low = _plain(tree)
        if _matrix_of(low) is not None or "fx" in low or any(word in low for word in _FOCAL):
            own = next(
                (low[key] for key in ("name", "cameraname", "id") if low.get(key) not in (None, "")), None
            )
            yield (str(own) if own is not None and depth else name), low
            return
        for key, value in tree.items():
            yield from _cameras(value, str(key), depth + 1)
    elif isinstance(tree, list):
        for number, value in enumerate(tree[:10_000]):
            yield from _cameras(value, f"{name or 'camera'} {number}", depth + 1)


def _chosen(path: PathLike, found: dict[str, dict[str, Any]], camera: str | None) -> str:
    names = list(found)
    shown = ", ".join(name or "one without a name" for name in names[:_SHOWN])
    if not found:
        problem = "has no camera: no camera_matrix, K, or fx and fy"
        raise file_error(path, f"{problem}; write one as OpenCV does, or as JSON with fx, fy, cx, cy")
    if camera is None and len(found) > 1:
        first = names[0]
        raise file_error(
            path, f"has {len(found)} cameras: {shown}; choose one by its name, as {path}#{first}"
        )
    if camera is not None and camera not in found:
        raise file_error(path, f"has no camera {camera!r}; it has {shown}")
    return names[0] if camera is None else camera


def _camera(entries: dict[str, Any], source: str) -> Camera:
    """The camera of entries whose names are in small letters without _ and -."""
    _refuse_other_models(entries)
    matrix = _matrix_of(entries)
    lens = next((entries[word] for word in _LENS if word in entries), None)
    if matrix is not None:
        skew = abs(matrix[0, 1]) / max(abs(matrix[0, 0]), 1e-9)  # old calibrations have a little
        if not (
            skew < 1e-3 and abs(matrix[[1, 2, 2], [0, 0, 1]]).max() < 1e-9 and abs(matrix[2, 2] - 1) < 1e-9
        ):
            raise NotReadable("has a camera matrix that is not [fx 0 cx; 0 fy cy; 0 0 1]; give that one")
        fx, fy, cx, cy = (float(matrix[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))
    else:
        focal = next((entries[word] for word in _FOCAL if word in entries), None)
        pair = focal if isinstance(focal, list) and len(focal) == 2 else [focal, focal]
        fx, fy = (
            _number(name, entries.get(name, value)) for name, value in zip(("fx", "fy"), pair, strict=True)
        )
        cx, cy = _middle(entries)
    size = _size_of(entries)
    if lens is None:
        given = [_number(name, entries.get(name, 0)) for name in _COEFFICIENTS]
    elif isinstance(lens, dict) and "data" not in _plain(lens):
        given = [_number(name, _plain(lens).get(name, 0)) for name in _COEFFICIENTS]
    else:
        given = _numbers("distortion", lens).ravel().tolist()
    return Camera(fx, fy, cx, cy, tuple(given), size, source)


def _middle(entries: dict[str, Any]) -> tuple[float, float]:
    size = _size_of(entries)
    point = entries.get("c", entries.get("principalpoint", entries.get("center")))
    pair: Any = point if isinstance(point, list) and len(point) == 2 else (None, None)
    if size and pair == (None, None):
        pair = (size[0] / 2, size[1] / 2)
    given = [entries.get(name, value) for name, value in zip(("cx", "cy"), pair, strict=True)]
    if None in given:
        raise NotReadable("has a focal length, but neither cx and cy nor the size of the pictures; add them")
    return _number("cx", given[0]), _number("cy", given[1])


def _refuse_other_models(entries: dict[str, Any]) -> None:
    said = [str(entries.get(word, "")) for word in _MODEL]
    for model in said:
        low = model.lower().replace("_", "").replace("-", "").replace(" ", "")
        if any(low.startswith(other) or low.endswith(other) for other in _OTHER_MODELS):
            raise NotReadable(f"has the lens model {one_line(model, 40)}; {_STRAIGHTEN}")
    if entries.get("fisheye") not in (None, False, 0, "false", "False"):
        raise NotReadable(f"has a fisheye lens; {_STRAIGHTEN}")
    if entries.get("xi") not in (None, 0):
        raise NotReadable(f"has an omnidirectional lens (xi); {_STRAIGHTEN}")


_STRAIGHTEN = "undistort its pictures first, and give the camera of the straightened ones"


def _matrix_of(entries: dict[str, Any]) -> np.ndarray | None:
    """The first entry that holds 3 x 3 numbers; another matrix may have one of the names, too."""
    for word in _MATRIX:
        if word in entries:
            try:
                values = _numbers(word, entries[word])
            except NotReadable:
                continue
            if values.size == 9:
                return values.reshape(3, 3)
    return None


def _size_of(entries: dict[str, Any]) -> tuple[int, int] | None:
    pair: Any = next((entries[word] for word in _SIZE if word in entries), None)
    if pair is None:
        pair = [
            next((entries[word] for word in words if word in entries), None) for words in (_WIDTH, _HEIGHT)
        ]
    if isinstance(pair, dict):
        pair = [_plain(pair).get(name) for name in ("width", "height")]
    if not isinstance(pair, list) or len(pair) != 2 or None in pair:
        return None
    width, height = (_number("size", side) for side in pair)
    if not (math.isfinite(width + height) and width == round(width) and height == round(height)):
        raise NotReadable(f"has pictures of {width:g} x {height:g} pixels; give whole numbers")
    return int(width), int(height)


def _plain(tree: dict[str, Any]) -> dict[str, Any]:
    return {str(key).lower().replace("_", "").replace("-", ""): value for key, value in tree.items()}


def _number(name: str, value: Any) -> float:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        told = "is missing" if value is None else f"is {one_line(str(value), 40)!r}, no number"
        raise NotReadable(f"{name} {told}; write it again")
    return float(value)


def _numbers(name: str, value: Any) -> np.ndarray:
    """A matrix as OpenCV, ROS or hand-written files have it: rows, cols and data; or lists."""
    if isinstance(value, dict):
        value = _plain(value).get("data")
    rows = value if isinstance(value, list) else [value]
    flat = [item for row in rows[:100] for item in (row[:100] if isinstance(row, list) else [row])]
    return np.array([_number(name, item) for item in flat])
