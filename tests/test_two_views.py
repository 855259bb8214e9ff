"""Files of two views: what is read from them, how their convention is found, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses

from minilift.cli.data import main
from minilift.errors import InputError
from minilift.poses.poses import save_poses
from minilift.poses.views import load_two_views, save_two_views, second_view, triangulated
from minilift.poses.views.make import draw_apart

N = 60
Content = dict[str, Any]


@pytest.fixture(scope="module")
def joint_3d() -> np.ndarray:
    return np.asarray(make_poses(N).joint_3d)


@pytest.fixture
def content(joint_3d: np.ndarray) -> Content:
    return content_of(joint_3d)


def content_of(joint_3d: np.ndarray) -> Content:
    """A file as P2 = R P1 + T has it, its 2D points still to be divided by the focal lengths."""
    rng = np.random.default_rng(0)
    first, other = np.radians(rng.uniform(-10, 25, (2, N)))
    view = second_view(joint_3d, draw_apart(rng, N), first, other, rng.uniform(0.8, 1.3, N))
    focal = [np.tile(f, (N, 1)) for f in ((1.15, 1.14), (1.16, 1.17))]
    return {
        "joint_2d_1": joint_3d[..., :2] / -joint_3d[..., 2:] * focal[0][:, None],
        "joint_2d_2": view.joint_2d * focal[1][:, None],
        "rot": view.rotation.reshape(N, 9), "transl": view.translation.astype(float),
        "focal_len_1": focal[0], "focal_len_2": focal[1],
    }  # fmt: skip


def load(content: Content, folder: Path) -> Any:
    np.savez(folder / "two.npz", **content)
    return load_two_views(folder / "two.npz")


FORMS: dict[str, Any] = {
    "P2 = R P1 + T": lambda r, t: (r, t),
    "P2 = R P1 - T": lambda r, t: (r, -t),
    "P2 = R (P1 - T)": lambda r, t: (r, -np.einsum("nlk,nl->nk", r, t)),
    "P2 = R (P1 + T)": lambda r, t: (r, np.einsum("nlk,nl->nk", r, t)),
    "P2 = R^T P1 + T": lambda r, t: (r.transpose(0, 2, 1), t),
    "P2 = R^T P1 - T": lambda r, t: (r.transpose(0, 2, 1), -t),
    "P2 = R^T (P1 - T)": lambda r, t: (r.transpose(0, 2, 1), -np.einsum("nlk,nl->nk", r, t)),
    "P2 = R^T (P1 + T)": lambda r, t: (r.transpose(0, 2, 1), np.einsum("nlk,nl->nk", r, t)),
}


@pytest.mark.parametrize("divided", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_the_convention_is_found(
    form: str, divided: bool, content: Content, joint_3d: np.ndarray, tmp_path: Path
) -> None:
    rotation, translation = FORMS[form](content["rot"].reshape(N, 3, 3), content["transl"])
    stored = content | {"rot": rotation.reshape(N, 9), "transl": translation}
    if divided:
        stored |= {
            f"joint_2d_{k}": stored[f"joint_2d_{k}"] / stored[f"focal_len_{k}"][:, None] for k in (1, 2)
        }
    views = load(stored, tmp_path)
    assert f"{form} with" in views.convention
    assert ("already" in views.convention) == divided
    np.testing.assert_allclose(views.rotation.reshape(N, 9), content["rot"], atol=1e-6)
    np.testing.assert_allclose(views.translation, content["transl"], atol=1e-6)
    np.testing.assert_allclose(triangulated(views), joint_3d, atol=1e-5)


def test_a_translation_in_metres_and_noise(content: Content, joint_3d: np.ndarray, tmp_path: Path) -> None:
    metres = np.random.default_rng(1).uniform(2, 6, N)
    views = load(content | {"transl": content["transl"] * metres[:, None]}, tmp_path)
    assert views.convention.endswith("transl was in another unit")
    np.testing.assert_allclose(triangulated(views), joint_3d, atol=1e-5)
    rng = np.random.default_rng(2)
    noisy = {k: content[k] + 0.003 * rng.standard_normal((N, 15, 2)) for k in ("joint_2d_1", "joint_2d_2")}
    views = load(content | noisy, tmp_path)
    assert "P2 = R P1 + T with" in views.convention
    assert np.linalg.norm(triangulated(views) - joint_3d, axis=2).mean() < 0.02


def test_what_noise_hides_can_be_said(content: Content, tmp_path: Path) -> None:
    """Few people and much noise: points of focal lengths near 1 may be divided by them or not."""
    rng = np.random.default_rng(2)
    noisy: Content = {f"joint_2d_{k}": content[f"joint_2d_{k}"] for k in (1, 2)}
    noisy = {k: x + 0.01 * rng.standard_normal(x.shape) for k, x in noisy.items()}
    load(content | noisy, tmp_path)
    said, other = (load_two_views(tmp_path / "two.npz", divided=x) for x in (False, True))
    assert "divided by focal_len here" in said.convention
    assert "already" in other.convention
    wanted = noisy["joint_2d_2"] / content["focal_len_2"][:, None]
    np.testing.assert_allclose(said.joint_2d_2, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(other.joint_2d_2, noisy["joint_2d_2"], rtol=1e-5, atol=1e-6)
    names = ("joint_2d_1", "joint_2d_2", "focal_len_1", "focal_len_2")
    load(content | {k: 2 * content[k] for k in names}, tmp_path)
    with pytest.raises(
        InputError, match=r"^divided=yes: the 2D points of .*: joint_2d_1 .* too large by about 2.[34]; leave"
    ):
        load_two_views(tmp_path / "two.npz", divided=True)


def test_what_is_written_is_read(content: Content, joint_3d: np.ndarray, tmp_path: Path) -> None:
    views = load(content | {"joint_3d": joint_3d, "fps": np.ones(1)}, tmp_path)
    assert views.ignored == ("fps",)
    for name in ("a.npz", "a.pkl"):
        save_two_views(tmp_path / name, views)
        again = load_two_views(tmp_path / name)
        for key in ("joint_2d_1", "joint_2d_2", "rotation", "translation", "joint_3d"):
            np.testing.assert_array_equal(getattr(again, key), getattr(views, key))
    mapped = load_two_views(tmp_path / "a.npz", mapped=True)
    np.testing.assert_array_equal(mapped.joint_2d_2[3:5], views.joint_2d_2[3:5])


def _row(key: str, row: int, value: Any) -> Any:
    def change(content: Content) -> Content:
        array = np.array(content[key], float)
        array[row] = value
        return {key: array}

    return change


def _same(content: Content) -> Content:
    return {
        "rot": np.tile(np.eye(3).reshape(9), (N, 1)), "transl": np.zeros((N, 3)),
        "joint_2d_2": content["joint_2d_1"] + 1e-6, "focal_len_2": content["focal_len_1"],
    }  # fmt: skip


def _opposite(content: Content) -> Content:
    image = content["joint_2d_1"] / content["focal_len_1"][:, None]
    back = np.diag([-1.0, 1, -1]).reshape(9)
    return {
        "rot": np.tile(back, (N, 1)), "transl": np.tile([0.0, 0, -2], (N, 1)),
        "joint_2d_2": image * [-1, 1] * content["focal_len_2"][:, None],
    }  # fmt: skip


def _pixels(content: Content) -> Content:
    """All in pixels, but for a second focal length of three times as many."""
    names = ("joint_2d_1", "joint_2d_2", "focal_len_1", "focal_len_2")
    return {k: content[k] * (3000 if k == "focal_len_2" else 1000) for k in names}


WRONG: dict[str, tuple[Any, str]] = {
    "rot is no rotation in row 4: R R^T is off 1 by": (_row("rot", 4, 0.5), "remove those rows"),
    "rot is no rotation in row 3: it mirrors": (
        _row("rot", 3, np.diag([1, 1, -1]).ravel()),
        "negate the axis",
    ),
    "both views are the same in 60 rows": (_same, "remove those rows"),
    "the views are opposite ones in 60 rows": (_opposite, "remove those rows"),
    "people are behind a camera in row 7": (_row("transl", 7, [0, 0, 3]), "check rot"),
    "focal_len_2 is not positive in row 2": (_row("focal_len_2", 2, -1), "in the unit of the 2D"),
    "focal lengths are wrong: focal_len_2 too large by about 3": (_pixels, "in the unit of the 2D"),
    "joint_2d_2 is joint_2d_1 once more in row 5": (
        lambda c: _row("joint_2d_2", 5, c["joint_2d_1"][5])(c),
        "give another view of them",
    ),
    "the rays of both views do not meet in row 8": (
        lambda c: _row("joint_2d_2", 8, -c["joint_2d_2"][8])(c),
        "one moment, or remove",
    ),
    "the rays of both views do not meet: of half the people they miss by": (
        lambda c: {"joint_2d_2": c["joint_2d_2"][::-1]},
        "one moment",
    ),
    "rot has 59 rows for 60 poses": (lambda c: {"rot": c["rot"][:-1]}, "store one a pose"),
    "transl has shape (60, 2), expected (N, 3)": (lambda c: {"transl": c["transl"][:, :2]}, "store it so"),
    "transl has NaN or infinity in row 0": (_row("transl", 0, np.nan), "remove or repair"),
}


@pytest.mark.parametrize("told", WRONG)
def test_what_cannot_be_used_is_one_line(told: str, content: Content, tmp_path: Path) -> None:
    change, remedy = WRONG[told]
    with pytest.raises(InputError) as problem:
        load(content | change(content), tmp_path)
    line = str(problem.value)
    assert told in line
    assert remedy in line
    assert "two.npz: " in line
    assert "\n" not in line


def test_a_missing_second_view(content: Content, tmp_path: Path) -> None:
    del content["joint_2d_2"]
    with pytest.raises(InputError, match=r"no second view: no key joint_2d_2; .* minilift data twoview"):
        load(content, tmp_path)


def test_the_command(joint_3d: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_poses(tmp_path / "one.npz", make_poses(N))
    for name, flags in (("a", []), ("b", []), ("c", ["--seed", "1"]), ("d", ["--noise", "0.003"])):
        out = str(tmp_path / f"{name}.npz")
        assert main(["twoview", str(tmp_path / "one.npz"), "-o", out, *flags]) == 0, capsys.readouterr().err
    exact, noisy = (load_two_views(tmp_path / f"{name}.npz") for name in "ad")
    np.testing.assert_allclose(triangulated(exact), joint_3d, atol=1e-5)
    assert np.std(noisy.joint_2d_2 - exact.joint_2d_2) == pytest.approx(0.003, rel=0.1)
    a, b, c = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert a == b != c


def test_synthetic_people_in_two_views(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "two.npz"
    assert main(["synth", "-n", "30", "--views", "2", "--out", str(out)]) == 0
    views = load_two_views(out)
    assert views.joint_3d is not None
    np.testing.assert_allclose(triangulated(views), views.joint_3d, atol=1e-5)
    assert main(["synth", "-n", "30", "--noise", "0.003", "--out", str(tmp_path / "one.npz")]) == 2
    assert "--noise 0.003: is of two views; add --views 2" in capsys.readouterr().err
