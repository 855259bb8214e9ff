"""The photo or video on the page of lifted people: small pictures, each of its own frame, within a budget."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import CHROMIUM, PATIENCE, Outline
from walkers import walkers

from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.page import pictures
from minilift.show.clip.page.page import write_page
from minilift.show.clip.timeline import timeline

av = pytest.importorskip("av", reason="videos need PyAV")
image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")

SIZE = (1280, 720)
FRAMES = 60


def grey(frame: int) -> int:
    """How light the picture of a frame is."""
    return 40 + 3 * frame


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video whose frames tell their numbers by how light they are."""
    path = Path(tmp_path_factory.mktemp("media")) / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for n in range(FRAMES):
            shown = np.full((*SIZE[::-1], 3), grey(n), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode())
    return path


def people_on(media: Path) -> LiftedPeople:
    people = walkers(FRAMES)
    return replace(people, frame=people.frame - 100, media=str(media))


def packed(page: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What the page has of pictures, and the pictures."""
    found = json.loads(Outline(page.read_text()).scripts["pictures"])
    return found, [np.asarray(image.open(io.BytesIO(base64.b64decode(one)))) for one in found["jpeg"]]


def test_every_frame_has_its_picture(media: Path, tmp_path: Path) -> None:
    assert write_page(tmp_path / "a.html", people_on(media)) == ()
    found, shown = packed(tmp_path / "a.html")
    assert found["at"] == list(range(FRAMES))
    np.testing.assert_allclose([one.mean() for one in shown], [grey(n) for n in range(FRAMES)], atol=3)
    assert {one.shape for one in shown} == {(360, 640, 3)}
    write_page(tmp_path / "b.html", people_on(media))
    a, b = ((tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert a.replace(b"<title>a:", b"<title>b:").replace(b"<h1>a<", b"<h1>b<") == b


@pytest.mark.parametrize(("budget", "every"), [(150_000, 2), (80_000, 4), (1, 64)])
def test_a_long_clip_keeps_to_its_budget(
    budget: int, every: int, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "BUDGET", budget)
    notes = write_page(tmp_path / "a.html", people_on(media))
    found, shown = packed(tmp_path / "a.html")
    assert found["at"] == list(range(0, FRAMES, every))
    assert sum(len(one) for one in found["jpeg"]) * 3 / 4 <= max(budget, 5000)
    np.testing.assert_allclose([one.mean() for one in shown], [grey(n) for n in found["at"]], atol=3)
    assert [line for line in notes if f"every {every}" in line]


def test_people_in_every_third_frame_have_the_pictures_of_those(media: Path) -> None:
    people = people_on(media)
    people = people.take(people.frame % 3 == 1)
    shown = timeline(people, 1000)
    found = pictures.pictures_of(people, shown)
    light = [np.asarray(image.open(io.BytesIO(one))).mean() for one in found.jpeg]
    np.testing.assert_allclose(light, [grey(int(shown.frames[at])) for at in found.at], atol=3)
    assert len(light) == FRAMES // 3


def test_longer_clips_have_smaller_pictures() -> None:
    picture = np.zeros((720, 1280, 3), np.uint8)
    assert image.open(io.BytesIO(pictures.jpeg_of(picture, 480))).size == (480, 270)
    assert image.open(io.BytesIO(pictures.jpeg_of(picture[:, :3], 480))).size == (2, 480)
    assert image.open(io.BytesIO(pictures.jpeg_of(picture[:40, :30], 480))).size == (30, 40)


@pytest.mark.parametrize("changes", [{"media": None}, {"size": None}, {"rays": True}])
def test_without_a_video_there_are_none(changes: Any, media: Path, tmp_path: Path) -> None:
    assert write_page(tmp_path / "a.html", replace(people_on(media), **changes)) == ()
    assert packed(tmp_path / "a.html")[0] == {"at": [], "jpeg": []}


def test_a_video_that_has_gone_is_told(tmp_path: Path) -> None:
    notes = write_page(tmp_path / "a.html", people_on(tmp_path / "gone.mp4"))
    assert len(notes) == 1
    assert notes[0].startswith("without pictures: ")
    assert "gone.mp4" in notes[0]
    assert "without pictures" in (tmp_path / "a.html").read_text()


# ---- in a browser --------------------------------------------------------------------------------------

browsers = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


def opened(chromium: Any, page: Path, **options: Any) -> Any:
    """A tab with a page, offline; what goes wrong in it is an AssertionError later."""
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 800}, **options)
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    tab.said = []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.goto(page.as_uri(), timeout=PATIENCE)
    return tab


def seen(tab: Any, frame: int, picture: int) -> np.ndarray:
    """The 2D canvas (h, w, 3) at a frame, once the picture of that number is drawn on it."""
    tab.evaluate(
        "at => { const slider = document.getElementById('frame'); slider.value = at;"
        "slider.dispatchEvent(new Event('input')); }",
        frame,
    )
    tab.wait_for_function(
        "([at, shown]) => document.querySelector('#status').innerText.includes(` ${at + 1} of`)"
        " && document.getElementById('image').dataset.frame === String(shown)",
        arg=[frame, picture],
    )
    return np.asarray(image.open(io.BytesIO(tab.locator("#image").screenshot())).convert("RGB")).astype(int)


@browsers
def test_picture_and_skeleton_are_those_of_one_frame(chromium: Any, media: Path, tmp_path: Path) -> None:
    people = people_on(media)
    write_page(tmp_path / "a.html", people)
    tab = opened(chromium, tmp_path / "a.html")
    tab.uncheck("#close")
    tab.uncheck("#show-back")
    tab.select_option("#colours", "sides")
    for frame in (0, 41, 7, 59):
        canvas = seen(tab, frame, frame)
        height, width = canvas.shape[:2]
        scale = min(
            (width - 0.12 * min(width, height)) / SIZE[0], (height - 0.12 * min(width, height)) / SIZE[1]
        )
        corner = np.array([width - scale * SIZE[0], height - scale * SIZE[1]]) / 2
        x, y = np.round(corner + 12).astype(int)
        assert abs(canvas[y, x].mean() - grey(frame)) < 5, frame
        own = people.joint_2d[people.frame == frame]
        thighs = 0.5 * (own[:, 0] + own[:, 1])  # the right ones
        for thigh in thighs[np.isfinite(thighs).all(axis=1)]:
            x, y = np.round(corner + scale * thigh).astype(int)
            near = canvas[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3)
            assert (np.abs(near - (0xD5, 0x5E, 0x00)).max(axis=1) < 30).any(), (frame, near)
    assert tab.said == []


@browsers
def test_a_switch_hides_the_picture(chromium: Any, media: Path, tmp_path: Path) -> None:
    write_page(tmp_path / "a.html", people_on(media))
    tab = opened(chromium, tmp_path / "a.html")
    tab.uncheck("#close")
    middle = seen(tab, 30, 30)
    tab.uncheck("#show-picture")
    tab.wait_for_function("() => document.getElementById('image').dataset.frame === ''")
    hidden = np.asarray(image.open(io.BytesIO(tab.locator("#image").screenshot())).convert("RGB")).astype(int)
    like = np.abs(middle.mean(axis=2) - grey(30)) < 3
    assert like.mean() > 0.3
    assert (np.abs(hidden.mean(axis=2) - grey(30)) < 3).mean() < 0.05
    tab.check("#show-picture")
    assert (np.abs(seen(tab, 30, 30).mean(axis=2) - grey(30)) < 3).mean() > 0.3


@browsers
def test_playing_goes_through_the_pictures(chromium: Any, media: Path, tmp_path: Path) -> None:
    write_page(tmp_path / "a.html", people_on(media))
    tab = opened(chromium, tmp_path / "a.html")
    seen(tab, 0, 0)
    shown = tab.evaluate("""() => new Promise(done => {
        const canvas = document.getElementById('image'), slider = document.getElementById('frame');
        const found = [];
        document.getElementById('play').click();
        const look = () => {
            found.push([Number(slider.value), canvas.dataset.frame]);
            if (slider.value > 50 || found.length > 2000) done(found);
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    })""")
    drawn = [(at, frame) for at, frame in shown if frame != ""]
    assert all(at == int(frame) for at, frame in drawn)  # never that of another frame
    assert len({at for at, _ in drawn}) > 0.5 * len({at for at, _ in shown})
    assert tab.said == []


@browsers
def test_where_a_frame_has_no_picture_the_last_one_stays_and_it_says_so(
    chromium: Any, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "BUDGET", 80_000)  # every fourth
    write_page(tmp_path / "a.html", people_on(media))
    tab = opened(chromium, tmp_path / "a.html")
    tab.uncheck("#close")
    for box in tab.locator("#lanes [data-person]").all():
        box.uncheck()  # nobody but the picture
    own, later = seen(tab, 20, 20), seen(tab, 22, 20)
    corner = np.s_[: own.shape[0] // 2]
    light = [np.abs(one.mean(axis=2)[corner] - grey(20)) < 4 for one in (own, later)]
    assert min(one.sum() for one in light) > 5000
    assert (light[0] & ~light[1]).sum() > 200  # the words
    assert tab.said == []


@browsers
def test_without_a_picture_there_is_no_switch(chromium: Any, tmp_path: Path) -> None:
    write_page(tmp_path / "a.html", walkers(5))
    tab = opened(chromium, tmp_path / "a.html")
    tab.wait_for_function("() => document.querySelector('#status').innerText !== ''")
    assert tab.locator("#show-picture").is_hidden()
    assert tab.said == []


@browsers
def test_a_clip_whose_rate_varies_plays_in_its_own_time(chromium: Any, tmp_path: Path) -> None:
    people = walkers(120)
    people = people.take(people.person == 0)
    at = people.frame - 100
    times = np.where(at < 20, 0.2 * at, 4.0 + 0.01 * (at - 20))  # 5 a second, then 100
    write_page(tmp_path / "a.html", replace(people, times=times))
    scene = json.loads(Outline((tmp_path / "a.html").read_text()).scripts["scene"])
    np.testing.assert_allclose(scene["times"], times, atol=1e-4)
    tab = opened(chromium, tmp_path / "a.html")
    tab.wait_for_function("() => document.querySelector('#status').innerText !== ''")
    moved = []
    for begin in (0, 22):
        moved.append(tab.evaluate("""begin => new Promise(done => {
            const slider = document.getElementById('frame');
            slider.value = begin;
            slider.dispatchEvent(new Event('input'));
            document.getElementById('play').click();
            let start = null;
            const look = now => {
                start ??= now;
                if (now - start < 300) return requestAnimationFrame(look);
                document.getElementById('play').click();
                done(Number(slider.value) - begin);
            };
            requestAnimationFrame(look);
        })""", begin))  # fmt: skip
    # A busy machine looks late, and a pause of more than 250 ms is cut
    assert moved[0] <= 4  # 1 or 2 are due
    assert 16 <= moved[1] <= 90  # 30 are due
    even = replace(people, times=0.04 * at)
    write_page(tmp_path / "b.html", even)
    assert json.loads(Outline((tmp_path / "b.html").read_text()).scripts["scene"])["times"] is None
    assert tab.said == []
