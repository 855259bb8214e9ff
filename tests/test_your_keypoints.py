"""docs/your-keypoints.md: its commands are commands, its program writes what is read."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from minilift.cli import inspect, predict
from minilift.poses.layouts import LAYOUTS
from minilift.poses.read.keypoints.load import load_keypoints

PAGE = (ROOT / "docs" / "your-keypoints.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(minilift (?:predict|inspect) .*)$", PAGE, re.MULTILINE)
PARSERS = {"predict": predict._parser, "inspect": inspect._parser}
OPTIONS = sorted(set(re.findall(r"`(--[a-z]+[^`]*)`", PAGE)))
OTHERS = (
    "--pose2d",
    "--pose3d",
    "--pose_track",
    "--format cmu",
    "--format open",
    "--format analysis",
    "--preset",
)


def test_the_page_has_a_command_for_every_detector() -> None:
    assert len(COMMANDS) > 12
    assert len(re.findall(r"^### ", PAGE, re.MULTILINE)) == 12


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command: str) -> None:
    _, name, *words = shlex.split(command)
    PARSERS[name]().parse_args(words)


@pytest.mark.parametrize("option", [one for one in OPTIONS if not one.startswith(OTHERS)])
def test_options_are_understood(option: str) -> None:
    """Whole ones; of those that stand without a value, whether there are such."""
    if option.split()[-1].isupper() or option.endswith("WxH"):
        option = option.split()[0]
    parser = PARSERS["predict"]()
    if " " in option or option in ("--level", "--padded"):
        parser.parse_args(["file", *shlex.split(option)])
    else:
        parser.show_further()
        assert option in parser.format_help()


def test_layouts_that_are_named_exist() -> None:
    named = [*re.findall(r"--layout ([a-z0-9_]+)`", PAGE), "crowdpose14", "aic14", "coco17"]
    assert set(named) <= set(LAYOUTS)


class Video:
    """A video of three pictures of 64 x 48 pixels."""

    def __init__(self, name: str) -> None:
        self.left = 3

    def get(self, what: int) -> float:
        return 25.0

    def read(self) -> tuple[bool, Any]:
        self.left -= 1
        return self.left >= 0, np.zeros((48, 64, 3), np.uint8)


class Detector:
    """Two people in the first two pictures, none in the last."""

    def __enter__(self) -> Detector:
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def detect_for_video(self, image: object, milliseconds: int) -> SimpleNamespace:
        def landmark(j: int, person: int) -> SimpleNamespace:
            return SimpleNamespace(x=0.3 + 0.2 * person + 0.01 * j, y=0.1 + 0.02 * j, z=0.4, visibility=0.9)

        people = 2 if milliseconds < 80 else 0
        return SimpleNamespace(pose_landmarks=[[landmark(j, p) for j in range(33)] for p in range(people)])


@pytest.fixture
def mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the two libraries that the program imports."""
    cv2, mp, tasks = ModuleType("cv2"), ModuleType("mediapipe"), ModuleType("mediapipe.tasks.python")
    vars(cv2).update(VideoCapture=Video, CAP_PROP_FPS=5, COLOR_BGR2RGB=4, cvtColor=lambda image, code: image)
    vars(mp).update(Image=lambda kind, data: data, ImageFormat=SimpleNamespace(SRGB=1))
    vision = SimpleNamespace(
        PoseLandmarkerOptions=SimpleNamespace, RunningMode=SimpleNamespace(VIDEO=1),
        PoseLandmarker=SimpleNamespace(create_from_options=lambda options: Detector()),
    )  # fmt: skip
    vars(tasks).update(BaseOptions=SimpleNamespace, vision=vision)
    names = {"cv2": cv2, "mediapipe": mp, "mediapipe.tasks": ModuleType("mediapipe.tasks")}
    for name, module in {**names, "mediapipe.tasks.python": tasks}.items():
        monkeypatch.setitem(sys.modules, name, module)


def test_the_program_for_mediapipe_writes_what_is_read(
    mediapipe: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = next(part for part in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "mediapipe" in part)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "your-keypoints.md", "exec", dont_inherit=True), {"__name__": "__main__"})
    found = load_keypoints("walk.json")
    assert found.layout.name == "mediapipe33"
    assert (found.size, found.fps, len(found), found.people) == ((64, 48), 25, 4, 2)
    np.testing.assert_array_equal(found.frames, [0, 1, 2])
    np.testing.assert_allclose(found.xy[1, 2], [64 * 0.52, 48 * 0.14])
    assert found.score is not None
    assert not found.missing.any()
