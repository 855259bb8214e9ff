"""Every format of keypoints: a small file is read for what it is, and no damage to it gives a traceback."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keypoint_more import MORE
from keypoint_texts import GOLDEN as TEXTS
from keypoint_texts import Golden, place

from minilift.errors import InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.formats import FORMATS
from minilift.poses.read.keypoints.load import load_keypoints

NAMES = [known.name for known in FORMATS]
GOLDEN = {**TEXTS, **MORE}


def load(folder: Path, golden: Golden, content: bytes | None = None) -> Keypoints:
    path = folder / golden.name
    path.write_bytes(golden.content if content is None else content)
    return load_keypoints(path, golden.asked)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_small_file_of_each_format_is_read(name: str, tmp_path: Path) -> None:
    golden = GOLDEN[name]
    found = load(tmp_path, golden)
    assert (found.format, found.layout.name) == (name, golden.layout)
    assert tuple(found.frames) == golden.frames
    assert len(found) == len(golden.frames)
    assert found.people == 1
    assert found.warnings == found.bad == ()
    row, joint = len(found) - 1, found.layout.joints.index(golden.joint)
    if not found.rays:
        np.testing.assert_allclose(found.xy[row, joint], place(golden.joint, row), atol=1e-3)
    assert not found.missing.any()
    if golden.score is None:
        assert found.score is None
    else:
        assert found.score is not None
        np.testing.assert_allclose(found.score, golden.score, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_each_format_has_a_small_file(name: str) -> None:
    """So that the tests above and below know it; tests/keypoint_texts.py has them."""
    assert name in GOLDEN


# ---- damage --------------------------------------------------------------------------------------------
DEEP: Any = 1.0
for _ in range(60):
    DEEP = [DEEP]
RUBBISH: tuple[Any, ...] = (
    None, "", "text", "12.5", -1, 0, 1e300, -1e300, 10**400, float("nan"), float("inf"), True, False, [], {},
    [[]], [{}], [None], {"": {}}, DEEP, [1, [2, [3]]], [1] * 1000, {"x": "y"}, "\ud800", "../../etc/passwd",
    1 << 63,
)  # fmt: skip


def children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


def damaged(value: Any, chance: random.Random) -> Any:
    """A copy in which one thing somewhere is rubbish, gone, doubled or exchanged with its neighbour."""
    value = copy.deepcopy(value)
    at, parent, key = value, None, None
    while (keys := children(at)) and (parent is None or chance.random() < 0.75):
        parent, key = at, chance.choice(keys)
        at = parent[key]
    if parent is None:
        return copy.deepcopy(chance.choice(RUBBISH))
    kind = chance.randrange(4)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(at))
    elif kind == 2:
        other = chance.choice(children(parent))
        parent[key], parent[other] = parent[other], parent[key]
    else:
        parent[key] = copy.deepcopy(chance.choice(RUBBISH))
    return value


def bytes_damaged(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    end = min(len(content), at + chance.choice((1, 2, 40)))
    inside = chance.choice(
        (b"", b"\0", b"-", b"9e9", b"nan", b"\xff\xfe", b"[", b",", b"\n", b"text", b"1 1")
    )
    return chance.choice((content[:at], content[:at] + inside + content[end:], content[at:]))


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def survives(folder: Path, golden: Golden, content: bytes) -> None:
    """It is read, or refused in one line that names the file."""
    try:
        found = load(folder, golden, content)
    except InputError as error:
        problem = str(error)
    else:
        assert 0 < len(found) == len(found.xy) == len(found.frame) == len(found.missing)
        assert np.isfinite(found.xy[~found.missing]).all()
        return
    assert "\n" not in problem
    assert len(problem) < 1000
    assert golden.name.split(".")[0] in problem or "layout" in problem


@pytest.mark.parametrize("name", GOLDEN)
def test_no_damage_gives_a_traceback(name: str, tmp_path: Path) -> None:
    golden, chance = GOLDEN[name], random.Random(f"damage to {name}")
    for _ in range(60):
        survives(tmp_path, golden, bytes_damaged(golden.content, chance))


JSON_NAMES = [
    name for name, golden in GOLDEN.items() if golden.name.endswith(".json") and name != "openpifpaf-video"
]


@pytest.mark.parametrize("name", JSON_NAMES)
def test_no_rubbish_within_json_gives_a_traceback(name: str, tmp_path: Path) -> None:
    golden, chance = GOLDEN[name], random.Random(f"rubbish in {name}")
    whole = json.loads(golden.content)
    for _ in range(120):
        value = damaged(whole, chance)
        for _ in range(chance.randrange(3)):
            value = damaged(value, chance)
        survives(tmp_path, golden, as_bytes(value))
