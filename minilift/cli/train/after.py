"""What `minilift train` says to do with the weights that it has made."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from minilift.errors import InputError
from minilift.lift.settings import TrainSettings
from minilift.poses.poses import load_poses
from minilift.poses.read.course import files_of

OTHERS = "others whose 3D is known"
DOOR = "train.py"  # the program in the project folder that does the same as `minilift train`


def what_next(settings: TrainSettings, weights: Path, with_test: bool) -> str:
    """What to do next, with a command to paste. Errors are measured only of poses whose 3D is known."""
    named = weights_words(weights)
    test = ["--data", settings.test] if settings.test != TrainSettings.test else []
    if settings.weak == "none" or _has_3d(settings.test):
        there = with_test or settings.weak != "none"
        missing = "" if there else f", when {settings.test} is there (or give other poses with --data)"
        return f"{command('eval', *named, *test)}{missing}"
    poses = settings.test if _is_there(settings.test) else settings.data
    lifted = shlex.join(["minilift", "predict", poses, "-o", "joints.npz", *named])  # it has no door
    return f"{lifted}; and of {OTHERS}, how far off joints are: {command('eval', *named)} --data POSES"


def no_trust(weights: Path, path: Path) -> str:
    """Why training without 3D leaves no trust file, and what makes one."""
    fit = shlex.join(["minilift", "trust", *weights_words(weights)])
    problem = "errors are measured against 3D, and the data has none"
    return f"no {path}: {problem}; fit one with {fit} --data POSES, of {OTHERS}"


def weights_words(weights: Path) -> list[str]:
    """The flag that names weights, where they are not those that commands take by themselves."""
    return ["--weights", str(weights)] if weights != Path(TrainSettings.weights) else []


def command(name: str, *words: str) -> str:
    """A command to paste into a shell: of this program's kind, a door or a word of `minilift`."""
    if at_the_door():
        return shlex.join(["python", str(Path(sys.argv[0]).with_name(f"{name}.py")), *words])
    return shlex.join(["minilift", name, *words])


def at_the_door() -> bool:
    return Path(sys.argv[0]).name == DOOR


def _is_there(name: str) -> bool:
    return any(path.exists() for path in files_of(name))


def _has_3d(name: str) -> bool:
    """Whether a file of poses is there to measure errors of."""
    try:
        return _is_there(name) and load_poses(name).joint_3d is not None
    except InputError:
        return False
