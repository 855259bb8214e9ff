"""What `minilift train` trains on: a table of the ways to learn, with 3D and without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from minilift.cli.train.files import read_poses
from minilift.errors import ArgumentError, counted
from minilift.lift.build import build_trainer
from minilift.lift.model import LiftModel
from minilift.lift.settings import TrainSettings
from minilift.lift.training import Training
from minilift.lift.weak.one_view.training import build_one_view
from minilift.lift.weak.two_view.build import build_two_view, with_triangulated
from minilift.poses.poses import Poses
from minilift.poses.views import TwoViews, load_two_views

MAKE_ONE = "minilift data twoview POSES -o FILE"
DIVIDED = {"find": None, "yes": True, "no": False}


@dataclass(frozen=True)
class Asking:
    """What is asked for: settings, a model to train, and which files have to be there."""

    settings: TrainSettings
    model: LiftModel
    named: bool
    """Whether a file of poses is named, so that none are made."""
    test_named: bool
    resumed: bool
    writes: bool = True
    """Whether this process writes the files of the run."""

    @property
    def out(self) -> Path | None:
        return Path(self.settings.out) if self.writes else None


@dataclass(frozen=True)
class Begun:
    """A run before its first step."""

    training: Training
    poses: Poses
    """All poses of --data, with 3D; triangulated where two views train without it, perhaps without it where
    one view does."""
    watched: int
    """The number of test poses."""


def begin(asking: Asking) -> Begun:
    """Read the data and put the run together. Raises InputError."""
    return WAYS[asking.settings.weak](asking)


def _with_3d(asking: Asking) -> Begun:
    settings = asking.settings
    train, test = read_poses(settings, asking.named, asking.test_named)
    training = build_trainer(settings, asking.model, train, test, asking.out, resumed=asking.resumed)
    return Begun(training, train, len(test) if test else 0)


def _two_views(asking: Asking) -> Begun:
    settings = asking.settings
    views = _read_views(settings, settings.data)
    # the name that a test file has without a word is that of one view
    watched = _read_views(settings, settings.test) if settings.test != TrainSettings.test else None
    training = build_two_view(settings, asking.model, views, watched, asking.out, resumed=asking.resumed)
    return Begun(training, with_triangulated(views), len(watched) if watched else 0)


def _read_views(settings: TrainSettings, name: str) -> TwoViews:
    if not Path(name).exists():
        problem = f"no such file; give one of two views, or make it: {MAKE_ONE}"
        raise ArgumentError("data" if name == settings.data else "test", name, problem)
    views = load_two_views(name, divided=DIVIDED[settings.divided])
    ignored = f" (ignored: {', '.join(views.ignored)})" if views.ignored else ""
    print(f"{name}: {counted(len(views), 'pose')} in two views{ignored}\n  {views.convention}")
    return views


def _one_view(asking: Asking) -> Begun:
    settings = asking.settings
    train, test = read_poses(settings, asking.named, asking.test_named, need_3d=False)
    training = build_one_view(settings, asking.model, train, test, asking.out, resumed=asking.resumed)
    return Begun(training, train, len(test) if test else 0)


WAYS: Mapping[str, Callable[[Asking], Begun]] = {
    "none": _with_3d,
    "two-view": _two_views,
    "one-view": _one_view,
}
"""How each value of the setting `weak` reads its data and builds its run."""
