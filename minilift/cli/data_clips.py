"""`minilift data bvh`: its flags, its files, and what it tells of them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minilift.files import PathLike, file_error
from minilift.poses.clips import UP, Choices, ClipPoses
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import scale_name
from minilift.poses.read.joints.maps import read_maps

_NAMED = 3  # files named in one line of the report


class Report:
    """What was done with the clips, for people."""

    def __init__(self, choices: Choices) -> None:
        self.choices, self.frames, self.kept = choices, 0, 0
        self.rest: list[str] = []
        self.lying: list[str] = []
        self.rates: dict[str, int] = {}
        self.kinds: dict[tuple[str, str], list[np.ndarray]] = {}

    def add(self, clip: ClipPoses) -> None:
        self.frames += clip.of
        self.kept += len(clip.frames)
        if clip.rest is not None:
            self.rest.append(f"{clip.file} ({clip.rest:.2f} m)")
        neck = clip.joints[:, COURSE15.index("neck")].mean(axis=0)
        if neck[1] < np.abs(neck[[0, 2]]).max():
            self.lying.append(clip.file)
        rate = f"{clip.fps:.4g}"
        self.rates[rate] = self.rates.get(rate, 0) + 1
        lengths = COURSE15.bone_lengths(clip.joints - (0, 0, 1)).mean(axis=0)
        self.kinds.setdefault((clip.skeleton, clip.unit), []).append(lengths)

    @property
    def fps(self) -> str:
        """Frames per second of the poses, where all clips have the same."""
        return next(iter(self.rates)) if len(self.rates) == 1 else "F"

    def text(self) -> str:
        lines = []
        for (skeleton, unit), lengths in self.kinds.items():
            lines.append(f"{_count(len(lengths), 'clip')}: skeleton {skeleton}, unit {unit}")
            lines.append(f"  bones in cm: {_bones(np.array(lengths))}")
        if self.rest:
            lines.append(
                f"left out frame 0 where it is a rest pose, that far from frame 1: {_few(self.rest)}"
            )
        if self.lying:
            up = "z" if self.choices.up == "y" else "y"
            where = f"the neck is mostly not above the hips in {_few(self.lying)}"
            lines.append(f"warning: {where}; unless these people lie or bend, give --up {up}")
        rates = ", ".join(f"{rate} ({_count(n, 'clip')})" for rate, n in self.rates.items())
        if len(self.rates) == 1:
            rates = self.fps
        kept = f"kept {self.kept:,} of {self.frames:,} frames, {rates} per second"
        lines.append(f"{kept}; {_count(self.choices.views, 'view')}")
        return "\n".join(lines)


def _bones(lengths: np.ndarray) -> str:
    """Mean lengths in cm, both sides together; with the range over clips where it is over 1 mm."""
    kinds = {"thigh": "knee", "shin": "ankle", "hips": "hip", "upper arm": "elbow", "forearm": "wrist"}
    parts = []
    for name, end in kinds.items():
        rows = [row for row, joint in enumerate(COURSE15.joints) if joint.endswith(f"_{end}")]
        each = lengths[:, rows].mean(axis=1) * (200 if name == "hips" else 100)
        low, high = each.min(), each.max()
        parts.append(f"{name} {low:.1f}" + (f" to {high:.1f}" if high - low > 0.1 else ""))
    return ", ".join(parts)


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'s' * (n != 1)}"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def clips_name(path: PathLike) -> Path:
    """Where the clip numbers of a pose file belong: a_lift.pkl -> a_clips.npy."""
    beside = scale_name(path)
    return beside.with_name(beside.name.removesuffix("_scale.npy") + "_clips.npy")


def bvh_files(paths: Sequence[PathLike]) -> list[Path]:
    """The files that are named, and the *.bvh of folders and what is in them, by name; each once.

    Raises InputError for a folder without any.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() == ".bvh") if path.is_dir() else [path]
        if not inside:
            raise file_error(path, "no .bvh files in this folder; name one that has some")
        for file in inside:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def add_flags(command: argparse.ArgumentParser) -> None:
    """The flags of Choices, and the files."""
    default, flag = Choices(), command.add_argument
    flag("files", nargs="+", metavar="CLIP.bvh", help="clips, or folders of them")
    flag("--views", type=int, default=default.views, help="cameras per frame [%(default)s]")
    flag("--every", type=int, default=1, metavar="N", help="take every Nth frame [%(default)s]")
    flag(
        "--min-move", type=float, default=default.min_move, metavar="M",
        help="drop frames whose joints moved less than M metres, on average, since the last one kept "
        "[%(default)g]",
    )  # fmt: skip
    flag("--keep-first", action="store_true", help="keep frame 0 where it is a rest pose, too")
    flag(
        "--camera", choices=("frame", "clip"), default=default.camera,
        help="frame: another one for each, to train on; clip: one for each view of a clip, going along with "
        "the person, to measure movement [%(default)s]",
    )  # fmt: skip
    for name, what in (("elevation", "degrees above the hips"), ("distance", "metres from the hips")):
        low, high = getattr(default, name)
        flag(
            f"--{name}", type=float, nargs=2, default=(low, high), metavar=("LOW", "HIGH"),
            help=f"of the cameras: {what} [{low:g} {high:g}]",
        )  # fmt: skip
    flag("--seed", type=int, default=default.seed, help="another seed, other cameras [%(default)s]")
    flag("--unit", type=float, metavar="M", help="metres per unit of the files [guessed from the legs]")
    flag("--up", choices=tuple(UP), default=default.up, help="the axis that points up [%(default)s]")
    flag("--map", metavar="FILE.json", help='joints of other skeletons: {"right_hip": "RightUpLeg", ...}')


def choices_of(args: argparse.Namespace) -> Choices:
    """The choices that the flags make. Raises InputError for values that cannot be."""
    maps = read_maps(args.map) if args.map else ()
    return Choices(
        args.views, args.every, args.min_move, args.keep_first, args.camera, tuple(args.elevation),
        tuple(args.distance), args.seed, args.unit, args.up, maps,
    )  # fmt: skip
