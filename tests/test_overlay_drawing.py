"""Drawing over pictures: smooth lines where they should be, in the colours of sides, and signs of doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from walkers import walkers

from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople

pytest.importorskip("PIL", reason="words on pictures need Pillow")

from minilift.poses.write.people.rows import PeopleSpool
from minilift.show.clip.overlay.letters import tag, wide, write
from minilift.show.clip.overlay.painter import UNLIKE, Painter
from minilift.show.clip.overlay.rows import PALEST, Rows, by_frame, rows_of, sample_of
from minilift.show.clip.overlay.sizes import LARGEST, LOWEST, Sizes
from minilift.show.clip.overlay.strokes import Dash, dot, stroke
from minilift.show.clip.stage import build

LEFT, RIGHT, MIDDLE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x33, 0x33, 0x33)
GREY = 120


def plain(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def near(picture: np.ndarray, colour: tuple[int, int, int], off: int = 12) -> np.ndarray:
    """Where a picture has that colour, (H, W) bool."""
    return np.asarray(np.abs(picture.astype(int) - colour).max(axis=2) <= off)


@pytest.mark.parametrize("angle", [0, 17, 45, 60, 90, 133, 180, 270, 301])
@pytest.mark.parametrize("dash", [None, Dash(13, 22)])
def test_a_line_covers_what_is_near_it(angle: float, dash: Dash | None) -> None:
    """Against the distance of every pixel of the picture from it; one end may lie outside."""
    picture, colour, width = plain(90, 130), (255, 0, 10), 9.0
    start = np.array([60.3, 40.6])
    ends = np.stack([start, start + 70 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])])
    stroke(picture, ends, width, colour, dash=dash)
    y, x = np.mgrid[:90, :130]
    points = np.stack([x, y], axis=-1) - start
    ahead = (ends[1] - ends[0]) / 70
    along = points @ ahead
    off = np.linalg.norm(points - np.clip(along, 0, 70)[..., None] * ahead, axis=-1)
    cover = np.clip(width / 2 + 0.5 - off, 0, 1)
    if dash is not None:
        away = np.abs((along + dash.period / 2) % dash.period - dash.period / 2)  # from the middle of a dash
        cover = np.minimum(cover, np.clip(dash.drawn / 2 + 0.5 - away, 0, 1))
    expected = GREY + cover[..., None] * (np.array(colour) - GREY)
    assert np.abs(picture - expected).max() < 1  # seen: 0.51, the rounding
    assert (cover == 1).sum() > 150


def test_half_a_colour_covers_half() -> None:
    picture = plain(20, 20)
    dot(picture, np.array([10.0, 10.0]), 5, (220, 20, 120), alpha=0.5)
    assert picture[10, 10].tolist() == [170, 70, 120]


@pytest.mark.parametrize("ends", [
    [[np.nan, 1], [2, 3]], [[np.inf, 1], [2, 3]], [[1e9, 0], [0, 0]], [[-50, -50], [-20, -40]],
    [[300, 5], [900, 5]],
])  # fmt: skip
def test_what_is_nowhere_or_outside_is_not_drawn(ends: Any) -> None:
    picture = plain(20, 30)
    stroke(picture, np.array(ends, np.float64), 4, (255, 255, 255))
    assert (picture == GREY).all()


def test_words_are_cut_off_at_the_edges() -> None:
    for x, y in ((-10, 3), (90, 3), (5, -8), (5, 38), (-500, 0), (0, 500)):
        picture = plain(45, 100)
        write(picture, "frame 12", x, y, 20, (0, 0, 0))
        assert (picture != GREY).any() == (abs(x) < 400 and abs(y) < 400)
    assert wide("frame 12", 40) > 1.8 * wide("frame 12", 20)


def test_a_tag_stays_inside() -> None:
    for x, y in ((-40, -40), (400, 300), (50, 20)):
        picture = plain(60, 120)
        tag(picture, "12", x, y, 20, (10, 20, 30))
        assert near(picture, (10, 20, 30), 0).sum() > 200
        assert near(picture, (255, 255, 255), 40).any()


@pytest.mark.parametrize("size", [
    (1920, 1080), (1080, 1920), (1279, 719), (1, 1), (20_000, 3), (3, 20_000), (8000, 6000), (320, 240),
])  # fmt: skip
def test_sizes_are_even_and_bounded(size: tuple[int, int]) -> None:
    sizes = Sizes.of(*size)
    width, height = sizes.whole
    assert width % 2 == 0
    assert height % 2 == 0
    assert max(sizes.picture) <= LARGEST
    assert width == sizes.picture[0] + sizes.panel
    assert height == max(sizes.picture[1] + sizes.picture[1] % 2, LOWEST)
    assert 2 * sizes.view[1] < height
    if size[1] >= 480 and max(size) <= LARGEST:
        assert sizes.picture == size


# ---- people --------------------------------------------------------------------------------------------


def drawn(people: LiftedPeople, frame: int, **options: Any) -> tuple[np.ndarray, Rows, Painter]:
    """The drawing of a frame on grey, who is in it, and who drew it."""
    stage = build(sample_of(people))
    assert people.size is not None
    several = len(np.unique(people.person)) > 1
    painter = Painter(people.size, stage, False, several, True, **options)
    rows = next(rows for number, rows in by_frame(people, stage.height) if number == frame)
    return painter.draw(plain(*people.size[::-1]), rows, f"frame {frame}").copy(), rows, painter


def middle_of(rows: Rows, k: int, joint: str) -> np.ndarray:
    """The middle of the bone that ends in a joint, in pixels."""
    at = COURSE15.index(joint)
    return np.asarray(0.5 * (rows.flat[k, at] + rows.flat[k, COURSE15.parents[at]]))


def test_bones_are_where_the_keypoints_are_in_the_colours_of_sides() -> None:
    people = walkers(30, 1)
    picture, rows, _ = drawn(people, 115)
    limbs = {
        "left_elbow": LEFT,
        "left_wrist": LEFT,
        "right_knee": RIGHT,
        "right_ankle": RIGHT,
        "neck": MIDDLE,
    }
    for joint, colour in limbs.items():
        x, y = np.round(middle_of(rows, 0, joint)).astype(int)
        assert near(picture, colour)[y, x], joint
        assert near(picture[y - 40 : y + 40, x - 40 : x + 40], (255, 255, 255)).any(), joint  # its rim
    outside = picture[:, :1280].copy()
    x, y = np.round(rows.flat[0]).astype(int).T
    outside[y.min() - 90 : y.max() + 15, x.min() - 40 : x.max() + 40] = GREY
    assert (outside == GREY).all()


def test_in_3d_left_is_left_and_the_two_sides_differ() -> None:
    people = walkers(30, 1)
    picture, _, painter = drawn(people, 110)
    top, (width, height) = painter.sizes.px(46), painter.sizes.view
    first = picture[top : top + height, 1280 : 1280 + width]
    second = picture[2 * top + height : 2 * (top + height), 1280 : 1280 + width]
    for view in (first, second):
        feet = np.concatenate([np.argwhere(near(view, colour))[:, 0] for colour in (LEFT, RIGHT)])
        head = np.argwhere(near(view, MIDDLE))[:, 0]
        assert min(len(feet), len(head)) > 100
        assert head.min() < feet.min() - 5 < feet.max() - 40
    # Walking away or towards: from one side and from the other, left and right of the picture change places
    sides = [np.argwhere(near(view, RIGHT))[:, 1].mean() - np.argwhere(near(view, LEFT))[:, 1].mean()
             for view in (first, second)]  # fmt: skip
    assert abs(sides[0] - sides[1]) > 3


def test_what_was_not_seen_is_broken_where_the_3d_joint_falls() -> None:
    people = walkers(30, 2)
    people = people.take(people.person == 0)
    picture, rows, _ = drawn(people, 120)  # the left knee and ankle are not seen
    knee, ankle = (COURSE15.index(name) for name in ("left_knee", "left_ankle"))
    assert np.isnan(people.joint_2d[people.frame == 120][0, [knee, ankle]]).all()
    assert rows.placed[0, [knee, ankle]].all()
    shin = rows.flat[0, ankle] - rows.flat[0, knee]
    line = rows.flat[0, knee] + np.linspace(0.15, 0.85, 200)[:, None] * shin
    x, y = np.round(line).astype(int).T
    blue = near(picture, LEFT, 30)[y, x]
    assert 0.3 < blue.mean() < 0.8
    assert np.count_nonzero(np.diff(blue.astype(int))) > 4
    x, y = np.round(rows.flat[0, knee]).astype(int)
    assert near(picture, (255, 255, 255))[y, x]  # a ring


def test_doubt_is_pale_in_3d_and_people_unlike_are_tagged() -> None:
    people = walkers(30, 1)
    people = replace(people, state=np.zeros_like(people.state), joint_2d=np.nan_to_num(people.joint_2d))
    shades = []
    for error in (0.01, 0.4):
        assert people.expected_error is not None
        unsure = replace(people, expected_error=np.full_like(people.expected_error, error))
        picture, rows, _ = drawn(unsure, 110)
        assert rows.firm == pytest.approx(1.0 if error < 0.1 else PALEST)
        panel = picture[60:300, 1290:]
        shades.append(near(panel, LEFT).sum())
        assert not near(picture, UNLIKE, 2).any()
    assert shades[0] > 200
    assert shades[1] == 0
    picture, _, _ = drawn(replace(people, unlike=np.ones(len(people), bool)), 110)
    assert near(picture[:, :1280], UNLIKE, 2).sum() > 300


def test_several_people_have_their_numbers_over_their_heads() -> None:
    people = walkers(30, 2)
    picture, rows, _ = drawn(people, 110)
    for k in range(2):
        x, y = np.round(rows.flat[k, COURSE15.index("head")]).astype(int)
        assert near(picture[y - 90 : y - 12, x - 8 : x + 9], MIDDLE, 4).sum() > 200
    nobody = rows.part(slice(0, 0))
    stage = build(sample_of(people))
    assert people.size is not None
    painter = Painter(people.size, stage, False, True, True)
    alone = painter.draw(plain(720, 1280), nobody, "")
    assert (alone[:, :1280] == GREY).all()


@pytest.mark.parametrize("following", [False, True])
def test_people_who_go_far_are_followed(following: bool) -> None:
    people = walkers(60, 1)
    if following:
        away = np.linspace(0, 40, len(people), dtype=np.float32)[:, None] * [1, 0, 0]
        people = replace(people, root=people.root + away, joint_3d=people.joint_3d + away[:, None])
    picture, _, painter = drawn(people, int(people.frame[-1]))
    assert painter._views[0].follows == following
    view = picture[painter.sizes.px(46) :, 1280:][: painter.sizes.view[1]]
    high = np.ptp(np.argwhere(near(view, LEFT))[:, 0])
    assert high > 60  # pixels: they are seen, and not as a speck


def test_a_spool_is_drawn_as_people_in_memory_are(tmp_path: Any) -> None:
    people = walkers(60, 2)
    spool = PeopleSpool(tmp_path)
    for first in range(0, len(people), 7):  # blocks that cut frames in two
        spool.add(people.take(slice(first, first + 7)))
    pairs = zip(by_frame(people, 1.7), by_frame(spool, 1.7), strict=True)
    for (number, rows), (other, same) in pairs:
        assert number == other
        for one, two in zip(rows, same, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-3)
    assert len(sample_of(spool)) == len(people)


def test_blocks_that_cut_a_frame_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilift.poses.write.people.rows.AT_ONCE", 5)
    people = walkers(30, 2)
    found = list(by_frame(people, 1.7))
    assert [number for number, _ in found] == sorted(set(people.frame.tolist()))
    assert [len(rows.person) for _, rows in found] == np.unique(people.frame, return_counts=True)[1].tolist()
    monkeypatch.setattr("minilift.show.clip.overlay.rows.SAMPLE", 10)
    assert 10 <= len(sample_of(people)) <= 20


def test_rows_without_3d_are_still_drawn_in_2d() -> None:
    people = walkers(5, 1)
    joints = people.joint_3d.copy()
    joints[2] = np.nan
    rows = rows_of(replace(people, joint_3d=joints), 1.7)
    assert np.isnan(rows.joints[2]).all()
    assert np.isfinite(rows.flat[2, COURSE15.index("head")]).all()
    assert np.isfinite(rows.joints[[0, 1, 3, 4]]).all()
