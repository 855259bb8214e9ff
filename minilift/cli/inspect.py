"""`minilift inspect`: what a file of keypoints is, what is in it, and what is suspicious about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from minilift.cli.keypoint_flags import add_keypoint_flags, asked_of
from minilift.cli.parser import Parser
from minilift.errors import counted, run_program
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.load import load_keypoints

PROGRAM = "minilift inspect"

DESCRIPTION = """\
Tell what a file or folder of 2D keypoints is: format, layout, people, frames, picture size, scores.

It also says what is suspicious (left and right exchanged, y pointing up, pixels taken for fractions, joints
of another layout) and what to do about it. Nothing is lifted.
"""

EXAMPLES = """\
examples:
  minilift inspect walk_keypoints/
  minilift inspect results.json --layout crowdpose14
  minilift inspect results.json --json --values | jq '.values[0]'
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _inspect, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    parser.add_argument("file", metavar="FILE", help="a file of keypoints, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--values", action="store_true", help="with --json: every joint as it was read")
    add_keypoint_flags(parser)
    return parser


def _inspect(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    found = load_keypoints(args.file, asked_of(args))
    if args.json or args.values:
        print(json.dumps(as_dict(found, args.values), allow_nan=False))
    else:
        print(f"{args.file}\n{described(found)}")
    return 1 if found.bad else 0


def as_dict(found: Keypoints, values: bool = False) -> dict[str, Any]:
    """What is known of keypoints, fit for JSON; with `values` every joint of every person as well.

    `x` and `y` are in pixels, None for a joint without a place; `score` is None where the file has none.
    """
    known = {
        "format": found.format,
        "layout": found.layout.name,
        "joints": list(found.layout.joints),
        "size": None if found.size is None else list(found.size),
        "fps": found.fps,
        "frames": len(found.frames),
        "people": found.people,
        "detections": len(found),
        "frame_numbers": found.frames.tolist(),
        "stills": found.stills,
        "unit": "rays" if found.rays else "pixels",
        "scores": _range(found),
        "missing": round(float(found.missing.mean()), 6) if len(found) else None,
        "notes": list(found.notes),
        "warnings": list(found.warnings),
        "bad": list(found.bad),
    }
    return {**known, "values": _values(found)} if values else known


def _values(found: Keypoints) -> list[dict[str, Any]]:
    joints = found.layout.joints
    rows = []
    for row in range(len(found)):
        name = None if found.track is None else found.track[row]
        about = {
            "frame": int(found.frame[row]),
            "person": int(found.person[row]),
            "track": None if name is None or name < 0 else _id(found.track_names[name]),
        }
        scores = [None] * len(joints) if found.score is None else found.score[row].tolist()
        for joint, place, score, missing in zip(
            joints, found.xy[row].tolist(), scores, found.missing[row].tolist(), strict=True
        ):
            x, y = (_number(part) for part in place)
            rows.append(
                {**about, "joint": joint, "x": x, "y": y, "score": _number(score), "missing": missing}
            )
    return rows


def _id(name: str) -> int | str:
    return int(name) if name.isdecimal() and len(name) < 16 else name


def _number(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _range(found: Keypoints) -> list[float] | None:
    """The lowest, the median and the highest score."""
    known = None if found.score is None else found.score[np.isfinite(found.score)]
    if known is None or not len(known):
        return None
    return [round(float(part), 4) for part in (known.min(), np.median(known), known.max())]


def described(found: Keypoints) -> str:
    """The same for people, some lines."""
    size = "not known" if found.size is None else f"{found.size[0]} x {found.size[1]} pixels"
    scores = _range(found)
    rows = {
        "format": found.format,
        "layout": f"{found.layout.name}, {counted(len(found.layout), 'joint')}",
        "frames": _frames(found),
        "people": f"{found.people}, {_detections(found)}",
        "pictures": size if not found.rays else "none: rays of focal length 1, y up",
        "scores": "none"
        if scores is None
        else "{:g} to {:g}, half of them above {:g}".format(*_ends(scores)),
        "missing": f"{found.missing.mean():.1%} of the joints" if len(found) else "",
    }
    if found.fps:
        rows["fps"] = f"{found.fps:g}"
    lines = [f"  {name:9} {text}" for name, text in rows.items()]
    lines += [f"  note      {text}" for text in found.notes]
    lines += [f"  warning   {text}" for text in found.warnings]
    lines += [f"  bad file  {text}" for text in found.bad]
    if not found.warnings and not found.bad:
        lines.append("  nothing suspicious")
    return "\n".join(lines)


def _ends(scores: list[float]) -> tuple[float, float, float]:
    low, middle, high = scores
    return low, high, middle


def _frames(found: Keypoints) -> str:
    frames, what = found.frames, "pictures" if found.stills else "frames"
    if not len(frames):
        return "none"
    first, last = int(frames[0]), int(frames[-1])
    if found.stills:
        return f"{len(frames):,} {what}"
    holes = last - first + 1 - len(frames)
    empty = len(np.setdiff1d(frames, found.frame))
    parts = [f"{len(frames):,}, from {first} to {last}"]
    if holes:
        parts.append(f"{counted(holes, 'number')} {'is' if holes == 1 else 'are'} not there")
    if empty:
        parts.append(f"{empty:,} without people")
    return "; ".join(parts)


def _detections(found: Keypoints) -> str:
    ids = "without ids of their own" if found.track is None else "with ids"
    return f"{len(found):,} in all frames together, {ids}"
