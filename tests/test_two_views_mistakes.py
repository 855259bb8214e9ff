"""Files of two views with mistakes that many share: each is told as what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import make_poses
from test_two_views import Content, N, content_of, load

from minilift.errors import InputError
from minilift.poses.info import describe
from minilift.poses.poses import load_poses
from minilift.poses.views import save_two_views

DOWN = np.array([1, -1])


@pytest.fixture(scope="module")
def joint_3d() -> np.ndarray:
    return np.asarray(make_poses(N).joint_3d)


@pytest.fixture
def content(joint_3d: np.ndarray) -> Content:
    return content_of(joint_3d)


def refused(content: Content, folder: Path) -> str:
    with pytest.raises(InputError) as problem:
        load(content, folder)
    line = str(problem.value)
    assert "two.npz: " in line
    assert "\n" not in line
    return line


def test_joints_of_other_people_are_refused(content: Content, joint_3d: np.ndarray, tmp_path: Path) -> None:
    line = refused(content | {"joint_3d": joint_3d[::-1]}, tmp_path)
    assert "joint_3d is not what joint_2d_1 shows in " in line
    assert "one order, or leave joint_3d out" in line
    swapped = joint_3d.copy()
    swapped[[4, 9]] = joint_3d[[9, 4]]
    assert "shows in 2 rows (4, 9): " in refused(content | {"joint_3d": swapped}, tmp_path)


def test_joints_in_another_unit_are_refused(content: Content, joint_3d: np.ndarray, tmp_path: Path) -> None:
    line = refused(content | {"joint_3d": 2 * joint_3d}, tmp_path)
    assert "joint_3d has the mid-hip at (" in line
    assert ", -2) in 60 rows (0, 1, 2, 3, 4, ...), expected (0, 0, -1); divide" in line


@pytest.mark.parametrize("noise", [0.003, 0.02])
def test_joints_of_noisy_images_are_taken(
    noise: float, content: Content, joint_3d: np.ndarray, tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    noisy: Content = {f"joint_2d_{k}": content[f"joint_2d_{k}"] for k in (1, 2)}
    noisy = {k: x + noise * rng.standard_normal(x.shape) for k, x in noisy.items()}
    assert load(content | noisy | {"joint_3d": joint_3d}, tmp_path).joint_3d is not None


@pytest.mark.parametrize("keys", [("joint_2d_1", "joint_2d_2"), ("joint_2d_2",), ("joint_2d_1",)])
@pytest.mark.parametrize("noise", [0, 0.003])
def test_y_that_points_down(keys: tuple[str, ...], noise: float, content: Content, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    noisy: Content = {f"joint_2d_{k}": content[f"joint_2d_{k}"] for k in (1, 2)}
    noisy = {k: x + noise * rng.standard_normal(x.shape) for k, x in noisy.items()}
    line = refused(content | noisy | {key: noisy[key] * DOWN for key in keys}, tmp_path)
    assert f"y seems to point down: negate y of {' and '.join(keys)}, for" in line


def _behind_2(content: Content, joint_3d: np.ndarray) -> Content:
    """Camera 2 looks the other way; its images are what x/-z, y/-z then give."""
    turn = np.diag([-1.0, 1, -1])
    rotation, moved = turn @ content["rot"].reshape(N, 3, 3), content["transl"] @ turn
    seen = joint_3d @ rotation.transpose(0, 2, 1) + moved[:, None]
    image = seen[..., :2] / -seen[..., 2:] * content["focal_len_2"][:, None]
    return {"rot": rotation.reshape(N, 9), "transl": moved, "joint_2d_2": image}


def test_people_behind_a_camera_in_every_row(
    content: Content, joint_3d: np.ndarray, tmp_path: Path
) -> None:  # fmt: skip
    line = refused(content | _behind_2(content, joint_3d), tmp_path)
    assert "people are behind camera 2: there the rays" in line
    assert "check rot" in line
    pushed = content["transl"] + [0, 0, 3]
    line = refused(content | {"transl": pushed}, tmp_path)
    assert "by P2 = rot P1 + transl people are behind camera 2 in every row; check rot" in line


@pytest.mark.parametrize("key", ["rot", "transl", "focal_len_1"])
def test_a_camera_that_is_missing(key: str, content: Content, tmp_path: Path) -> None:
    del content[key]
    line = refused(content, tmp_path)
    assert f"no key {key} of the cameras; store " in line
    assert ("ones for points that are divided" in line) == (key == "focal_len_1")
    assert "no second view" not in line


def test_info_tells_of_two_views(content: Content, joint_3d: np.ndarray, tmp_path: Path) -> None:
    views = load(content | {"joint_3d": joint_3d}, tmp_path)
    save_two_views(tmp_path / "two.npz", views)
    table = describe(tmp_path / "two.npz")
    assert "\n  two views     P2 = R P1 + T with rot row by row" in table
    assert "; rays miss by 0.00% of a person; all else here is of view 1\n" in table
    assert "not read" not in table
    assert "ignored       none\n" in table
    first = load_poses(tmp_path / "two.npz")
    assert first.ignored == ("view 2 of a two-view file",)
    load(content, tmp_path)
    np.savez(tmp_path / "bad.npz", **{**content, "joint_2d_2": content["joint_2d_2"][:-1]})
    assert "two views     cannot be used: joint_2d_1 has 60 poses, joint_2d_2 has 59" in describe(
        tmp_path / "bad.npz"
    )
