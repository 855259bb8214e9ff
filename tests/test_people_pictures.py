"""Lifted people on a sheet and in a moving picture: who is drawn, where, and for how long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walkers import walkers

from minilift import extras
from minilift.errors import InputError
from minilift.poses.joint_state import MISSING
from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip import moving
from minilift.show.clip.formats import FORMATS
from minilift.show.clip.sheet import sheet, write_sheet

images = pytest.importorskip("PIL.Image", reason="looking at pictures needs Pillow")
pytest.importorskip("matplotlib", reason="drawing needs matplotlib: pip install 'minilift[plot]'")


def lines(axes: Any, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends (n, 2, 2) and colours (n, 4) of the limbs that were drawn that wide."""
    found = [one for one in axes.collections if one.get_linewidths()[0] == pytest.approx(width)]
    ends = [np.array(one.get_segments()).reshape(-1, 2, 2) for one in found]
    return np.concatenate(ends), np.concatenate([one.get_colors() for one in found])


def heads(axes: Any) -> np.ndarray:
    """Where the heads are on the paper, x and y up."""
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    return np.array([axes.transData.transform(line.get_xydata()[0]) for line in dots])


@pytest.mark.parametrize("axes", ["y-up", "z-up", "camera"])
def test_a_sheet_shows_people_upright_in_every_cell(axes: str) -> None:
    people = walkers(60, axes=axes)
    figure = sheet(people)
    figure.canvas.draw()
    cells = figure.axes
    assert len(cells) == 18
    for number, cell in enumerate(cells):
        count = np.count_nonzero(people.frame == 100 + round(59 * (number % 6) / 5))
        found = heads(cell)
        assert len(found) == count
        ends, _ = lines(cell, 1.6 if number < 6 else 2.2)
        feet = cell.transData.transform(ends.reshape(-1, 2))[:, 1].min()
        assert (found[:, 1] > feet + 40).all()  # pixels
        box = cell.get_window_extent()
        assert (found[:, 1] < box.y1 + 2).all()


def test_one_person_has_the_colours_of_sides_and_several_their_own() -> None:
    one, two = sheet(walkers(10, 1)), sheet(walkers(10, 2))
    for figure, expected in ((one, 3), (two, 4)):  # left, right, middle; full and pale of two people
        _, colours = lines(figure.axes[0], 1.6)
        assert len(np.unique(colours.round(4), axis=0)) == expected
    assert [text.get_text() for text in two.legends[0].get_texts()][:2] == ["person 0", "person 1"]


def test_what_was_not_seen_is_broken_and_ringed() -> None:
    people = walkers(1, 1)
    people.state[0, [COURSE15.index("left_knee"), COURSE15.index("left_ankle")]] = MISSING
    cell = sheet(people).axes[1]
    limbs = next(one for one in cell.collections if one.get_linewidths()[0] == pytest.approx(2.2))
    broken = [style for style in limbs.get_linestyles() if style[1] is not None]
    assert len(limbs.get_segments()) == 15
    assert len(broken) == 2
    rings = [one for one in cell.collections if len(one.get_offsets()) == 2]
    assert len(rings) == 1


def test_a_png_is_written_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    assert write_sheet(tmp_path / "clip.png", walkers(60)) == ("6 of 60 frames are drawn, evenly",)
    assert write_sheet(tmp_path / "few.png", walkers(3)) == ()
    with images.open(tmp_path / "clip.png") as picture:
        assert picture.width > picture.height > 500
    first = (tmp_path / "few.png").read_bytes()
    write_sheet(tmp_path / "few.png", walkers(3))
    assert (tmp_path / "few.png").read_bytes() == first


def test_bare_people_are_drawn_too(tmp_path: Path) -> None:
    """No scores, no size, no camera, stills, some without joints; names with dollars."""
    people = walkers(
        3, camera={}, size=None, fps=None, stills=True, check=None, expected_error=None, unlike=None
    )
    people.joint_3d[2], people.root[2], people.joint_2d[2] = np.nan, np.nan, np.nan
    people = replace(people, people={0: "$x_{", 1: "<b>"})
    for row in [row for row in FORMATS if row.name != "overlay"]:  # which needs the size
        row.write(tmp_path / f"bare{row.suffix}", people)
        row.write(tmp_path / f"clip{row.suffix}", replace(people, stills=False))
        assert (tmp_path / f"bare{row.suffix}").stat().st_size > 5000


def changed(people: LiftedPeople, name: str, value: float, row: Any = 2) -> LiftedPeople:
    array = np.array(getattr(people, name), np.float64)
    array[row] = value
    return replace(people, **{name: array})


RUBBISH = {
    "infinite joint": lambda p: changed(p, "joint_3d", np.inf, (2, 3)),
    "joint without depth": lambda p: changed(p, "joint_3d", np.nan, (2, 3, 2)),
    "no root": lambda p: changed(p, "root", np.nan),
    "far off": lambda p: changed(p, "joint_3d", 1e20),
    "all in one point": lambda p: changed(changed(p, "joint_3d", 0, slice(None)), "root", 0, slice(None)),
    "keypoint far off": lambda p: changed(p, "joint_2d", 1e30, (2, 3)),
    "infinite keypoint": lambda p: changed(p, "joint_2d", np.inf, (2, 3)),
    "no keypoints": lambda p: changed(replace(p, size=None), "joint_2d", np.nan, slice(None)),
    "endless errors": lambda p: changed(p, "expected_error", np.inf, slice(None)),
    "no check": lambda p: changed(p, "check", np.nan, slice(None)),
    "huge scores": lambda p: changed(p, "confidence", 1e38),
    "frames far apart": lambda p: replace(p, frame=np.repeat([-5, 0, 2**62, 2**62 + 1], 2)),
    "slow": lambda p: replace(p, fps=1e-6),
    "fast": lambda p: replace(p, fps=1e6),
}


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_drawn_as_far_as_it_goes(name: str, row: Any, tmp_path: Path) -> None:
    """No warning, which would be an error here; in a page no number that JSON does not have."""
    pytest.importorskip(row.library or "numpy", reason="an optional library")
    people = RUBBISH[name](walkers(4, 2))
    if row.name == "overlay" and people.size is None:
        people = replace(people, size=(1280, 720))
    row.write(tmp_path / f"rubbish{row.suffix}", people)
    assert (tmp_path / f"rubbish{row.suffix}").stat().st_size > 5000


def durations(path: Path) -> list[int]:
    with images.open(path) as picture:
        found = []
        for at in range(picture.n_frames):
            picture.seek(at)
            found.append(picture.info["duration"])
    return found


def clip_of(frames: int, **changes: Any) -> LiftedPeople:
    return walkers(frames, 1, **changes)


@pytest.mark.parametrize(
    ("changes", "most", "seconds", "notes"),
    [
        ({"fps": 25.0}, 150, 12 / 25, ()),
        ({"fps": 30.0}, 150, 12 / 30, ("every 2nd frame is drawn: 6 of 12",)),
        ({"fps": 24.0}, 5, 12 / 24, ("every 3rd frame is drawn: 4 of 12",)),
        ({"fps": None}, 150, 12 / 25, ("it plays as if there were 25 frames a second",)),
        ({"fps": None, "stills": True}, 150, 12, ()),
    ],
)
def test_a_gif_keeps_the_time_of_its_clip(
    changes: dict[str, Any], most: int, seconds: float, notes: tuple[str, ...], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(moving, "MOST", most)
    assert moving.write_moving(tmp_path / "clip.gif", clip_of(12, **changes)) == notes
    found = durations(tmp_path / "clip.gif")
    assert sum(found) == pytest.approx(1000 * seconds, abs=10)  # the hundredths that a .gif counts in
    assert len(found) == 12 // (int(notes[0][6]) if notes and notes[0].startswith("every") else 1)


def test_the_people_of_a_gif_move_and_a_gap_is_empty(tmp_path: Path) -> None:
    moving.write_moving(tmp_path / "clip.gif", walkers(30, 1))  # frames 120 on are a gap
    seen = []
    with images.open(tmp_path / "clip.gif") as picture:
        assert picture.info["loop"] == 0
        for at in range(picture.n_frames):
            picture.seek(at)
            seen.append(np.array(picture.convert("RGB"), np.int64))
    blue = [(np.abs(each - (0x00, 0x72, 0xB2)).max(axis=2) < 30)[60:].sum() for each in seen]
    assert len(seen) == 20
    assert 100 < max(blue) < 3 * min(blue)  # no frame is drawn over another
    assert (np.abs(seen[10] - seen[0]) > 60).any(axis=2).sum() > 200


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_no_one_and_no_library_are_errors_of_one_line(
    row: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(row.library or "numpy", reason="an optional library")
    out = tmp_path / f"none{row.suffix}"
    with pytest.raises(InputError, match=r"none\.\w+: there is no one to show; give at least one person"):
        row.write(out, walkers(3).take(slice(0, 0)))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=rf"file/{out.name}: .*choose|{out.name}: .*file is not a folder"):
        row.write(tmp_path / "file" / out.name, walkers(3))
    if row.library:
        monkeypatch.setattr(extras.importlib, "import_module", lambda name: (_ for _ in ()).throw(
            ModuleNotFoundError(name=name)))  # fmt: skip
        needs = {"matplotlib": r"matplotlib: .*\[plot\]", "av": r"PyAV: .*\[video\]"}[row.library]
        with pytest.raises(InputError, match=rf"^drawing.* needs {needs}'$"):
            row.write(out, walkers(3))
    assert not out.exists()
