"""Pictures of poses: written, right where numbers can tell, and complaining in one line."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import SyntheticPoses, synthesize
from minilift.show.people import turning
from minilift.show.people.image import Intrinsics, read_image
from minilift.show.people.scene import IMAGE_PLANE, MIDDLE, draw_scene, plot_pose, pose_figure
from minilift.show.people.sheets import error_labels, lift_figure, plot_lift, plot_poses
from minilift.show.people.skeletons import LEFT_COLOUR, RIGHT_COLOUR, TRUTH_COLOUR, View, bone_colour, view
from minilift.show.people.turning import plot_turning
from minilift.show.style import check_picture, new_figure, plain

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def _needs_matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="pictures need: pip install 'minilift[plot]'")


@pytest.fixture(scope="module")
def people() -> SyntheticPoses:
    return synthesize(4, seed=0)


# ---- sheets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", MAGIC)
def test_sheet_is_written_by_suffix_and_to_the_same_bytes(
    tmp_path: Path, people: SyntheticPoses, suffix: str
) -> None:
    for name in "ab":
        path = tmp_path / f"{name}.{suffix}"
        plot_poses(people.joint_3d, path, titles=people.activity_names(), columns=3)
        assert path.read_bytes().startswith(MAGIC[suffix])
    first, again = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == again


def test_sheet_names_what_it_shows(tmp_path: Path, people: SyntheticPoses) -> None:
    path = tmp_path / "sheet.svg"
    plot_poses(people.joint_3d[:2], path, titles=["first", "second"], predicted=people.joint_3d[2:])
    text = path.read_text()
    for word in ("first", "second", "left limbs", "right limbs", "truth"):
        assert f"<!-- {word} -->" in text
    plot_poses(people.joint_3d[:2], path)
    assert "<!-- truth -->" not in path.read_text()


@pytest.mark.parametrize("with_truth", [True, False])
def test_lift_is_a_row_of_four_for_each_pose(people: SyntheticPoses, with_truth: bool) -> None:
    truth = people.joint_3d[:2] if with_truth else None
    figure = lift_figure(people.joint_2d[:2], people.joint_3d[2:], truth, ["best: 3 mm", "worst: $9"])
    assert len(figure.axes) == 8
    assert [axes.get_ylabel() for axes in figure.axes[::4]] == ["best: 3 mm", r"worst: \$9"]
    assert [axes.get_title() for axes in figure.axes[:4]] == [
        "input: 2D keypoints", "3D from the camera", "3D from the right", "3D from above",
    ]  # fmt: skip
    for number, axes in enumerate(figure.axes):
        colours = [line.get_color() for line in axes.lines]
        assert colours.count(LEFT_COLOUR) == colours.count(RIGHT_COLOUR) == 6
        assert colours.count(TRUTH_COLOUR) == (15 if with_truth and number % 4 else 0)


def test_labels_have_each_poses_own_millimetres() -> None:
    errors, scale = np.array([0.01, 0.02]), np.array([3.0, 5.0])
    assert error_labels(("best", "worst"), errors, scale) == ["best: 30 mm", "worst: 100 mm"]
    assert error_labels(("best", "worst"), errors, None) == ["best: 0.0100 units", "worst: 0.0200 units"]


def test_left_and_right_have_their_colours() -> None:
    colours = {name: bone_colour(i) for i, name in enumerate(COURSE15.joints)}
    assert colours["left_wrist"] == LEFT_COLOUR != colours["right_wrist"] == RIGHT_COLOUR
    assert colours["head"] not in (LEFT_COLOUR, RIGHT_COLOUR)


def test_view_keeps_up_up_and_turns_to_the_right() -> None:
    left_hand, head, root = [0.5, 0, -1], [0, 0.5, -1], [0, 0, -1]
    np.testing.assert_allclose(
        view(np.array([left_hand, head, root]), 0, 0), [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0]]
    )
    # From the image's right, what was right is near and what was near is on the left.
    seen = view(np.array([left_hand, head, [0, 0, -0.5]]), 90, 0)
    np.testing.assert_allclose(seen, [[0, 0, 0.5], [0, 0.5, 0], [-0.5, 0, 0]], atol=1e-12)
    assert view(np.array(head), 30, 8)[1] > 0.49
    # From above, what is up is near, what is right stays right, and the camera is at the bottom.
    seen = view(np.array([left_hand, head, [0, 0, -0.5]]), 0, 90)
    np.testing.assert_allclose(seen, [[0.5, 0, 0], [0, 0, 0.5], [0, -0.5, 0]], atol=1e-12)


# ---- one pose ----------------------------------------------------------------------------------------


def test_pose_in_detail_says_how_far_and_in_which_pixels(people: SyntheticPoses) -> None:
    given = people.joint_2d[0], people.joint_3d[0]
    figure = pose_figure(*given, metres=3.456, title="row 7")
    assert "row 7" in [text.get_text() for text in figure.texts]
    titles = [axes.get_title(loc="left") + axes.get_title() for axes in figure.axes]
    assert titles == [
        "2D keypoints, f = 1", "3D from the camera", "3D from the right", "3D from above",
        "camera and person, 3.46 m apart",
    ]  # fmt: skip
    camera, image = Intrinsics(1000, 320, 240), np.zeros((480, 640, 3), np.uint8)
    for picture in (None, image):
        axes = pose_figure(*given, camera=camera, image=picture).axes[0]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("x [pixels]", "y [pixels]")
        assert len(axes.images) == (picture is not None)
        assert axes.get_ylim()[0] > axes.get_ylim()[1]  # down the picture y grows
        places = {tuple(point) for line in axes.lines for point in np.array(line.get_data()).T}
        for x, y in people.joint_2d[0].astype(float):
            assert (x * 1000 + 320, 240 - y * 1000) in places


def test_scene_has_its_image_on_the_rays(people: SyntheticPoses) -> None:
    """Every joint's place on the image plane is the point at that depth of its ray, as projection has it."""
    axes, joint_3d = new_figure(4, 4).subplots(), people.joint_3d[1].astype(float)
    draw_scene(axes, people.joint_2d[1], joint_3d, seen_from=View(40, 20))
    drawn = {tuple(np.round(p, 6)) for line in axes.lines for p in np.array(line.get_data()).T}
    on_plane = joint_3d / -joint_3d[:, 2:] * IMAGE_PLANE
    for point in [*joint_3d, *on_plane, np.zeros(3)]:
        seen = view(point, 40, 20, MIDDLE)[:2]
        assert min(np.abs(np.array(other) - seen).max() for other in drawn) < 2e-6


def test_pose_is_written_over_a_photograph(tmp_path: Path, people: SyntheticPoses) -> None:
    image_of = pytest.importorskip("PIL.Image")
    image_of.fromarray(np.full((30, 40, 3), (9, 8, 7), np.uint8)).save(tmp_path / "photo.png")
    image = read_image(tmp_path / "photo.png")
    assert image.shape == (30, 40, 3)
    assert image[0, 0].tolist() == [9, 8, 7]
    path = tmp_path / "pose.pdf"
    plot_pose(people.joint_2d[0], people.joint_3d[0], path, camera=Intrinsics(50, 20, 15), image=image)
    assert path.read_bytes().startswith(MAGIC["pdf"])


@pytest.mark.parametrize("content", [b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_file_that_is_no_photograph_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.png").write_bytes(content)
    with pytest.raises(InputError, match=r"photo\.png: not a picture .*; name a \.png or \.jpg") as caught:
        read_image(tmp_path / "photo.png")
    assert "\n" not in str(caught.value)


# ---- turning -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "frames"), [(1, 6), (3, 3)])
def test_turning_has_a_frame_for_each_pose_or_angle(
    tmp_path: Path, people: SyntheticPoses, monkeypatch: Patch, count: int, frames: int
) -> None:
    image_of = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(turning, "STILL", 6)
    poses = people.joint_3d[:count]
    for name in ("a.gif", "b.gif"):
        plot_turning(poses, tmp_path / name, truth=poses, fps=10)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    with image_of.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == frames
        assert picture.info["duration"] == 100
        first = np.array(picture.convert("RGB"))
        picture.seek(1)
        assert (np.array(picture.convert("RGB")) != first).any()


def test_turning_to_mp4_needs_ffmpeg(tmp_path: Path, people: SyntheticPoses, monkeypatch: Patch) -> None:
    animation = pytest.importorskip("matplotlib.animation")
    monkeypatch.setattr(animation.FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(InputError, match=r"turn\.mp4: no ffmpeg here; install it, or draw a \.gif"):
        plot_turning(people.joint_3d[:1], tmp_path / "turn.mp4")
    with pytest.raises(InputError, match=r"turn\.png: the name must end in \.gif or \.mp4"):
        plot_turning(people.joint_3d[:1], tmp_path / "turn.png")
    with pytest.raises(InputError, match="there are no poses"):
        plot_turning(people.joint_3d[:0], tmp_path / "turn.gif")


def test_turning_to_mp4_where_there_is_ffmpeg(tmp_path: Path, people: SyntheticPoses) -> None:
    animation = pytest.importorskip("matplotlib.animation")
    if not animation.FFMpegWriter.isAvailable():
        pytest.skip("no ffmpeg on this machine")
    plot_turning(people.joint_3d[:3], tmp_path / "turn.mp4")
    assert (tmp_path / "turn.mp4").read_bytes()[4:8] == b"ftyp"


# ---- what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [
        ("sheet.bmp", 1, r"must end in \.png, \.svg or \.pdf"),
        ("file/sheet.png", 1, "cannot write .*file/sheet.png: .*file is not a folder"),
        ("folder.png", 1, "folder.png: a folder, where a picture is to be written"),
        ("sheet.png", 0, "there are no poses"),
    ],
)
def test_errors_are_one_line(
    tmp_path: Path, people: SyntheticPoses, name: str, count: int, words: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    drawings: list[Callable[[Any], None]] = [
        lambda path: plot_poses(people.joint_3d[:count], path),
        lambda path: plot_lift(people.joint_2d[:count], people.joint_3d[:count], None, path),
    ]
    for draw in drawings:
        with pytest.raises(InputError, match=words) as caught:
            draw(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]


def test_a_failed_drawing_leaves_the_old_picture(
    tmp_path: Path, people: SyntheticPoses, monkeypatch: Patch
) -> None:
    from matplotlib.figure import Figure

    path = tmp_path / "sheet.png"
    path.write_bytes(b"old")

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(InputError, match=r"sheet\.png: No space left on device"):
        plot_poses(people.joint_3d[:1], path)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_matplotlib_the_remedy_is_named(
    tmp_path: Path, people: SyntheticPoses, monkeypatch: Patch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    drawings: list[Callable[[], None]] = [
        lambda: plot_poses(people.joint_3d, tmp_path / "sheet.png"),
        lambda: plot_turning(people.joint_3d, tmp_path / "turn.gif"),
        lambda: check_picture(tmp_path / "sheet.png"),
    ]
    for draw in drawings:
        with pytest.raises(InputError, match=r"pip install 'minilift\[plot\]'"):
            draw()


def test_text_of_a_file_begins_no_formula() -> None:
    assert plain("a$b\n$c") == r"a\$b\n\$c"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = new_figure(2, 2)
        figure.suptitle(plain("$\\frac$"))
        figure.draw_without_rendering()


def test_importing_the_modules_imports_neither_matplotlib_nor_pyplot_later(tmp_path: Path) -> None:
    code = """
import sys, numpy as np
from minilift.cli import plot
from minilift.show.charts import calibration, errors, sweeps, training
from minilift.show.people import image, scene, sheets, turning
assert 'matplotlib' not in sys.modules
import matplotlib
before = matplotlib.rcParams.copy()
turning.STILL = 2
sheets.plot_poses(np.full((1, 15, 3), -1.0) + np.random.default_rng(0).random((1, 15, 3)) / 9, 'a.png')
turning.plot_turning(np.full((1, 15, 3), -1.0) + np.random.default_rng(0).random((1, 15, 3)) / 9, 'a.gif')
assert 'matplotlib.pyplot' not in sys.modules
keys = [key for key in before if key != 'backend']  # which is looked for when it is asked for
assert [key for key in keys if matplotlib.rcParams[key] != before[key]] == []
"""
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path,
        env={"PYTHONPATH": root, "PATH": "", "MPLCONFIGDIR": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
