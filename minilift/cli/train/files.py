"""The files of `minilift train`: which it may write, and the poses that it reads or makes."""

from __future__ import annotations

from pathlib import Path

from minilift.errors import ArgumentError, InputError, counted
from minilift.files import check_writable
from minilift.lift.settings import TrainSettings
from minilift.lift.trust import trust_path
from minilift.lift.weights.starting import STARTING
from minilift.poses.info import warn_of_conventions
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses, load_poses, save_poses, save_scale, scale_name, split_poses
from minilift.poses.read.course import files_of
from minilift.show.style import check_picture

SYNTHETIC_POSES = 78_047  # as many as the course's data set has


def check_outputs(settings: TrainSettings) -> None:
    """Refuse names that would overwrite something else, before anything is read, made or written.

    Raises InputError, which names the file or the setting.
    """
    out = Path(settings.out)
    weights = out / settings.weights
    inputs = [*files_of(settings.data), *files_of(settings.test)]
    taken = [out / "log.csv", out / "checkpoint.npz", out / "record.npz", *inputs, *map(scale_name, inputs)]
    resolved = [path.resolve() for path in taken]
    if trust_path(weights).resolve() in resolved:
        problem = f"{trust_path(weights).name} is a file that is needed; choose another"
        raise ArgumentError("weights", settings.weights, problem)
    if settings.weights == STARTING:
        problem = "is the name of the weights that come with minilift; choose another"
        raise ArgumentError("weights", settings.weights, problem)
    if not settings.weights or weights.resolve() in resolved:
        raise ArgumentError("weights", settings.weights, "another file needs that name; choose another")
    for path in (weights, trust_path(weights), *taken[:3]):
        if path.is_dir():
            problem = f"{path} is a folder, where a file is to be written; choose another"
            raise ArgumentError("out", settings.out, problem)
    check_writable(out)
    check_writable(weights.parent)
    if settings.tensorboard:
        check_writable(settings.tensorboard)
    if settings.plot:
        check_picture(settings.plot)
        if Path(settings.plot).resolve() in [*resolved, weights.resolve()]:
            raise ArgumentError("plot", settings.plot, "another file needs that name; choose another")


def read_poses(
    settings: TrainSettings, needed: bool, test_needed: bool, need_3d: bool = True
) -> tuple[Poses, Poses | None]:  # fmt: skip
    """Training and test poses. Where no file is there and none is `needed`, people are made and kept.

    Test poses may be missing unless they are needed, joint_3d unless it is. Raises InputError for a file
    that cannot be used.
    """
    path, test_path = Path(settings.data), Path(settings.test)
    if not path.exists() and not needed:
        if test_path.exists():
            problem = f"not here, though {test_path} is; give the training poses with {{0}}"
            raise ArgumentError("data", settings.data, problem, ("data", "FILE"))
        _make_poses(path, test_path, settings.seed)
    train = load_poses(path, need_3d=need_3d)
    there = any(file.exists() for file in files_of(test_path))
    test = load_poses(test_path, need_3d=need_3d) if there or test_needed else None
    for name, poses in ((path, train), (test_path, test)):
        if poses is not None:
            ignored = f" (ignored: {', '.join(poses.ignored)})" if poses.ignored else ""
            print(f"{name}: {counted(len(poses), 'pose')}{ignored}")
            warn_of_conventions(name, poses)
    return train, test


def _make_poses(path: Path, test_path: Path, seed: int) -> None:
    for scale in map(scale_name, (path, test_path)):
        if scale.exists():
            raise InputError(f"{scale}: here without its poses; move it away, and synthetic people are made")
    print(f"no {path} here: making {SYNTHETIC_POSES:,} synthetic people ...")
    made = synthesize(SYNTHETIC_POSES, seed)
    parts = split_poses(Poses(made.joint_2d, made.joint_3d, made.scale), 0.8, seed)
    for name, poses in zip((path, test_path), parts, strict=True):
        assert poses.scale is not None
        save_poses(name, poses)
        save_scale(scale_name(name), poses.scale)
    print(f"kept them in {path} and {test_path}")
