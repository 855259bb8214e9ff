"""What a file of poses holds, and whether it keeps the course's conventions, as a table to read."""

import sys
from pathlib import Path

import numpy as np

from minilift.errors import InputError, counted
from minilift.files import PathLike, one_line
from minilift.files.mapped import Points, blocks
from minilift.poses.layouts import COURSE15, ROOT
from minilift.poses.layouts.sides import upside_down
from minilift.poses.poses import Poses, find_scale, load_poses, load_scale
from minilift.poses.read.course import KEYS, SECOND_VIEW, files_of, has_second_view, read_keys
from minilift.poses.read.detect import detect
from minilift.poses.read.formats import CLIP, SKELETON

_EXACT = 1e-5  # float32 projections of float32 points agree to about 1e-7
_DESCRIBED = 100_000  # poses of a mapped file: enough for the table
_TURNED = "heads are below hips in most of the poses: y seems to point down"
_HIPS = (COURSE15.index("right_hip"), COURSE15.index("left_hip"))


def describe(path: PathLike) -> str:
    """The table for a file of poses or a clip. Raises InputError where load_poses or place_clip does."""
    known = detect(files_of(path)[0])
    if known is not None and known.gives in (CLIP, SKELETON):
        from minilift.poses.clips.info import describe_clip

        return describe_clip(path)
    return describe_poses(path)


def describe_poses(path: PathLike) -> str:
    """The table for one file of poses. Raises InputError where load_poses does."""
    content = read_keys(path)
    if has_second_view(content):
        content = read_keys(path, keys=(*KEYS, *SECOND_VIEW))
    stored = [f"{one_line(str(key), 40)} {_kind(value)}" for key, value in content.items()]
    poses = load_poses(path)
    ignored = poses.ignored[1:] if has_second_view(content) else poses.ignored  # view 2 is told of below
    beside = find_scale(path)
    scale = None if beside is None else load_scale(beside, len(poses))
    lines = [
        f"{one_line(str(path))}: {counted(len(poses), 'pose')}",
        f"  stored        {', '.join(stored)}",
        f"  ignored       {', '.join(ignored) or 'none'}",
        f"  scale         {_scale_line(beside, scale)}",
        f"  duplicates    {_duplicates(poses):,}",
    ]
    if has_second_view(content):
        lines.append(f"  two views     {_views_line(path)}; all else here is of view 1")
    rows = slice(None)
    if poses.mapped and len(poses) > _DESCRIBED:
        rows = slice(None, None, -(-len(poses) // _DESCRIBED))
        lines.append(f"  below         one pose in {rows.step}; all have been checked")
    joint_2d, joint_3d = _read(poses, rows)
    if joint_3d is not None:
        lines += [_root_line(joint_3d), *_projection_lines(joint_2d, joint_3d)]
    if _upside_down(joint_2d):
        lines.append(f"  up            {_TURNED}; poses have y upwards")
    lines += ["", *_range_lines(joint_2d, joint_3d)]
    if joint_3d is not None:
        lines += ["", *_bone_lines(joint_3d, None if scale is None else scale[rows])]
    return "\n".join(lines)


def warn_of_conventions(path: PathLike, poses: Poses, most: int = 1000) -> None:
    """One line on stderr if the poses are clearly not in the course's conventions; noisy keypoints pass."""
    joint_2d, joint_3d = _read(poses, slice(None, None, -(-len(poses) // most)))
    root: tuple[float, ...] = ROOT[:2]
    hips = joint_2d[:, _HIPS].astype(np.float64).mean(axis=1)
    wrong = []
    if joint_3d is not None:
        hips, root = _middle_of_hips(joint_3d), ROOT
        if _middle(_reprojection_error(joint_2d, joint_3d)) > 0.02:
            wrong.append("the 2D points are not x/-z, y/-z of the 3D points")
    if _middle(np.abs(hips - root).max(axis=1)) > 0.02:
        wrong.append(f"the middle of the hips is not at {root}")
    if _upside_down(joint_2d):
        wrong.append(_TURNED)
    if wrong:
        look = f"see: minilift data info {one_line(str(path))}"
        print(f"warning: {one_line(str(path))}: {' and '.join(wrong)}; {look}", file=sys.stderr)


def _upside_down(joint_2d: np.ndarray) -> bool:
    return upside_down(COURSE15, joint_2d * np.array([1, -1], np.float32), np.isnan(joint_2d).any(axis=2))


def _views_line(path: PathLike) -> str:
    """The convention of a file of two views and how nearly their rays meet, or why it is of no use."""
    from minilift.poses.views import load_two_views  # few files have two

    try:
        return load_two_views(path).convention
    except InputError as problem:
        return f"cannot be used: {str(problem).removeprefix(f'{path}: ')}"


def _middle(values: np.ndarray) -> float:
    """The upper median; numpy.median would first import numpy.ma, a tenth of a short evaluation."""
    return float(np.partition(values, values.size // 2, axis=None)[values.size // 2])


def _read(poses: Poses, rows: slice) -> tuple[np.ndarray, np.ndarray | None]:
    return poses.joint_2d[rows], None if poses.joint_3d is None else poses.joint_3d[rows]


def _reprojection_error(joint_2d: np.ndarray, joint_3d: np.ndarray) -> np.ndarray:
    """(N, 15) distances in the image between the 2D points and the projected 3D points."""
    points = joint_3d.astype(np.float64)
    offset = joint_2d - points[..., :2] / -points[..., 2:]
    return np.asarray(np.sqrt((offset**2).sum(axis=2)))


def _middle_of_hips(joint_3d: np.ndarray) -> np.ndarray:
    """(N, 3): the root, which is not stored, from the two hips, which are."""
    return np.asarray(joint_3d[:, _HIPS].astype(np.float64).mean(axis=1))


def _kind(value: object) -> str:
    if isinstance(value, Points):
        return f"{value.shape} {value.dtype}"
    return "(not read)" if value is None else type(value).__name__


def _scale_line(beside: Path | None, scale: np.ndarray | None) -> str:
    if beside is None or scale is None:
        return "no scale file beside it, lengths in units only"
    return f"{beside.name}: {scale.min():.3f} to {scale.max():.3f} m per unit, mean {scale.mean():.3f}"


def _duplicates(poses: Poses) -> int:
    """By 64-bit hashes: of 10 million different rows two share one with a chance of 3 in a million."""
    hashes = np.fromiter((hash(row.tobytes()) for part in blocks(poses.joint_2d) for row in part), np.int64)
    hashes.sort()
    return int((hashes[1:] == hashes[:-1]).sum())


def _root_line(joint_3d: np.ndarray) -> str:
    """The mid-hip is not stored, but the two hips are: their middle must be the root."""
    middle = _middle_of_hips(joint_3d)
    worst = np.abs(middle - ROOT).max()
    x, y, z = middle.mean(axis=0)
    verdict = "as expected" if worst < _EXACT else f"expected {ROOT}, off by up to {worst:.2g}"
    return f"  mid-hip       mean ({x:.4f}, {y:.4f}, {z:.4f}), so the root depth is {-z:.4f}: {verdict}"


def _projection_lines(joint_2d: np.ndarray, joint_3d: np.ndarray) -> list[str]:
    """The 2D points against x/-z and y/-z; where they differ, the line per axis that explains them."""
    points, image = joint_3d.astype(np.float64), joint_2d.astype(np.float64)
    expected = points[..., :2] / -points[..., 2:]
    error = _reprojection_error(joint_2d, joint_3d)
    line = f"  reprojection  mean {error.mean():.2g}, max {error.max():.2g} (image units)"
    if error.max() < _EXACT:
        return [f"{line}: the 2D points are x/-z, y/-z"]
    lines = [f"{line}: the 2D points are NOT x/-z, y/-z"]
    slopes = []
    for axis, name in enumerate("xy"):
        seen, wanted = image[..., axis].ravel(), expected[..., axis].ravel()
        (slope, shift), *_ = np.linalg.lstsq(
            np.stack([wanted, np.ones_like(wanted)], axis=1), seen, rcond=None
        )
        left = np.sqrt(np.mean((slope * wanted + shift - seen) ** 2))
        lines.append(
            f"    best fit    2D {name} = {slope:.5g} * {name}/-z {shift:+.5g}, left over {left:.2g} (rms)"
        )
        if abs(abs(slope) - 1) > 0.01 or abs(shift) > 0.01:
            lines.append(f"                not normalised: subtract {shift:.5g}, divide by {abs(slope):.5g}")
        slopes.append(slope)
    lines += [
        f"                {name} is flipped: negate it"
        for name, slope in zip("xy", slopes, strict=True)
        if slope < 0
    ]
    return lines


def _range_lines(joint_2d: np.ndarray, joint_3d: np.ndarray | None) -> list[str]:
    columns = [(f"2D {name}", joint_2d[..., axis]) for axis, name in enumerate("xy")]
    if joint_3d is not None:
        columns += [(f"3D {name}", joint_3d[..., axis]) for axis, name in enumerate("xyz")]
    lines = [f"  {'range':22}{'min':>9}{'mean':>9}{'max':>9}"]
    for name, values in columns:
        lines.append(f"  {name:22}{values.min():9.4f}{values.mean(dtype=np.float64):9.4f}{values.max():9.4f}")
    return lines


def _bone_lines(joint_3d: np.ndarray, scale: np.ndarray | None) -> list[str]:
    """Mean and spread (standard deviation) of each bone, and how far left and right differ on average."""
    units = COURSE15.bone_lengths(joint_3d)
    header = f"  {'bone':27}{'mean':>9}{'spread':>9}{'left-right':>12}"
    metres = None if scale is None else units * scale[:, None]
    lines = [header + ("" if metres is None else f"{'mean mm':>10}{'spread mm':>11}")]
    for j, bone in enumerate(COURSE15.bones):
        other = units[:, COURSE15.mirror[j]]
        differ = 100 * np.abs(units[:, j] - other).mean() / max(units[:, j].mean(), 1e-12)
        paired = f"{differ:11.2f}%" if COURSE15.mirror[j] != j else " " * 12
        line = f"  {bone:27}{units[:, j].mean():9.4f}{units[:, j].std():9.4f}{paired}"
        if metres is not None:
            line += f"{1000 * metres[:, j].mean():10.1f}{1000 * metres[:, j].std():11.1f}"
        lines.append(line.rstrip())
    return lines
