"""What a motion-capture clip holds, as a table to read."""

import numpy as np

from minilift.files import PathLike, one_line
from minilift.poses.clips.frames import Choices, Placed, place_clip, rest_pose
from minilift.poses.layouts import COURSE15
from minilift.poses.read.detect import detect

_TO_HEAD = [COURSE15.index(joint) for joint in ("spine", "neck", "head")]
_LEGS = [row for row, joint in enumerate(COURSE15.joints) if joint.endswith(("knee", "ankle"))]


def describe_clip(path: PathLike, choices: Choices | None = None) -> str:
    """The table for one clip. Raises InputError where place_clip does."""
    placed = place_clip(path, choices or Choices())
    clip, known = placed.clip, detect(path)
    joints = COURSE15.from_root(placed.world)
    lengths = COURSE15.bone_lengths(joints - (0, 0, 1))
    mean = lengths.mean(axis=0)
    height = mean[_TO_HEAD].sum() + mean[_LEGS].sum() / 2
    seconds = len(clip) * clip.frame_time
    lines = [
        f"{one_line(str(path))}: {known.name if known else 'clip'}, {len(clip):,} frames, {clip.fps:.4g} per "
        f"second, {seconds:.4g} s",
        f"  skeleton      {placed.found.skeleton}; {len(clip.names)} joints",
        *_joint_lines(placed),
        f"  unit          {placed.unit}: {placed.metres:.6g} m",
        f"  height        {height:.2f} m from the ankles to the head's joint, along the bones",
        f"  estimated     {'; '.join(placed.found.notes) or 'nothing'}",
        f"  assumed       {'; '.join(clip.notes) or 'nothing'}",
        f"  ignored       {_ignored(placed, joints)}",
    ]
    lines += [f"  warning       {text}" for text in placed.warnings]
    lines += ["", f"  {'bone':27}{'mean cm':>9}{'spread':>9}"]
    rows = zip(COURSE15.bones, 100 * mean, 100 * lengths.std(axis=0), strict=True)
    lines += [f"  {bone:27}{cm:9.1f}{spread:9.2f}" for bone, cm, spread in rows]
    return "\n".join(lines)


def _joint_lines(placed: Placed) -> list[str]:
    """The course's joints and the clip's names for them, three a line; estimated ones are not there."""
    names = placed.clip.names
    found = [
        f"{joint} = {one_line(names[share[0][0]], 30)}"
        for joint, share in zip(COURSE15.joints, placed.found.shares, strict=True)
        if len(share) == 1
    ]
    rows = [", ".join(found[first : first + 3]) for first in range(0, len(found), 3)]
    return [f"  {'joints' if not number else '':14}{row}" for number, row in enumerate(rows)]


def _ignored(placed: Placed, joints: np.ndarray) -> str:
    """Joints that are not used, and frames before the movement."""
    used = {row for share in placed.found.shares for row, _ in share}
    parts = [f"{len(placed.clip.names) - len(used)} joints of the file"]
    count, far = rest_pose(joints, placed.clip.fps)
    if count:
        what = "the first frame" if count == 1 else f"the first {count} frames"
        parts.append(f"{what}, {far:.2f} m from the next one on average: a rest pose")
    return ", ".join(parts)
