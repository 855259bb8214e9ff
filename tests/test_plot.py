"""Pictures are written, look right where numbers can tell, and complain in one line."""

import subprocess
import sys

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.pose.plot import plot_lift, plot_poses, view
from minilift.pose.synth import synthesize

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.fixture(autouse=True)
def _needs_matplotlib():
    pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def people():
    return synthesize(4, seed=0)


@pytest.mark.parametrize("suffix", MAGIC)
def test_sheet_is_written_by_suffix(tmp_path, people, suffix):
    path = tmp_path / f"sheet.{suffix}"
    plot_poses(people.joint_3d, path, titles=people.activity_names(), columns=3)
    assert path.read_bytes().startswith(MAGIC[suffix])


def test_sheet_names_what_it_shows(tmp_path, people):
    path = tmp_path / "sheet.svg"
    plot_poses(people.joint_3d[:2], path, titles=["first", "second"], predicted=people.joint_3d[2:])
    text = path.read_text()
    for word in ("first", "second", "left limbs", "right limbs", "truth"):
        assert f"<!-- {word} -->" in text
    plot_poses(people.joint_3d[:2], path)
    assert "<!-- truth -->" not in path.read_text()


@pytest.mark.parametrize("with_truth", [True, False])
def test_lift_is_written(tmp_path, people, with_truth):
    path = tmp_path / "lift.png"
    truth = people.joint_3d[:2] if with_truth else None
    plot_lift(people.joint_2d[:2], people.joint_3d[2:], truth, path)
    assert path.read_bytes().startswith(MAGIC["png"])


def test_view_keeps_up_up_and_turns_to_the_right():
    left_hand, head, root = [0.5, 0, -1], [0, 0.5, -1], [0, 0, -1]
    np.testing.assert_allclose(
        view(np.array([left_hand, head, root]), 0, 0), [[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0]]
    )
    # From the image's right, what was right is near and what was near is on the left.
    seen = view(np.array([left_hand, head, [0, 0, -0.5]]), 90, 0)
    np.testing.assert_allclose(seen, [[0, 0, 0.5], [0, 0.5, 0], [-0.5, 0, 0]], atol=1e-12)
    assert view(np.array(head), 30, 8)[1] > 0.49


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [
        ("sheet.bmp", 1, "must end in .png, .svg or .pdf"),
        ("missing/sheet.png", 1, "cannot write .*missing/sheet.png: No such file"),
        ("sheet.png", 0, "there are no poses"),
    ],
)
def test_errors_are_one_line(tmp_path, people, name, count, words):
    for draw in (
        lambda path: plot_poses(people.joint_3d[:count], path),
        lambda path: plot_lift(people.joint_2d[:count], people.joint_3d[:count], None, path),
    ):
        with pytest.raises(InputError, match=words) as caught:
            draw(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_remedy_is_named(tmp_path, people, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"pip install 'minilift\[plot\]'"):
        plot_poses(people.joint_3d, tmp_path / "sheet.png")


def test_importing_the_module_does_not_import_matplotlib():
    code = "import sys, minilift.pose.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
