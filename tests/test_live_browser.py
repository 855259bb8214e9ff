"""The live page in a browser: people move as they come, it can be looked at from all sides, and it ends."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from live_frames import LIFTER, TALL, camera, frames, line, people
from pages import CHROMIUM, HOSTILE, PATIENCE
from test_live_stream import started

from minilift import LiftOptions
from minilift.lift.live import Live
from minilift.poses.lifted import LiftedPeople
from minilift.show.live.feed import Feed
from minilift.show.live.page import frame_text, live_page
from minilift.show.live.picture import picture_url
from minilift.show.live.server import LiveServer

pytest.importorskip("playwright.sync_api", reason="driving a browser needs playwright")
image = pytest.importorskip("matplotlib.image", reason="looking at screenshots needs matplotlib")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

TRUTH = people(60)
GIVEN = frames(TRUTH)
FIRST, SECOND = (0x00, 0x72, 0xB2), (0xC4, 0x4E, 0x00)  # colours of people
LEFT, RIGHT, MIDDLE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x33, 0x33, 0x33)


def lifted(axes: str = "y-up", height: float | None = TALL) -> list[LiftedPeople]:
    options = LiftOptions(height=height, camera=camera(TRUTH), smooth="one-euro", axes=axes)
    return list(Live(LIFTER, options).run(GIVEN))


@dataclass
class Shown:
    """A tab with the page of a server, and all that it said or asked for."""

    tab: Any
    server: LiveServer
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    number: int = 0

    def put(self, answer: LiftedPeople) -> None:
        """Show a frame, and wait until it is drawn."""
        self.number += 1
        self.server.feed.put(frame_text(answer, self.number))
        self.settle()
        self.tab.wait_for_timeout(300)  # figures are told four times a second

    def settle(self) -> None:
        self.tab.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def pixels(self, canvas: str = "view") -> np.ndarray:
        self.settle()
        seen = image.imread(io.BytesIO(self.tab.locator(f"#{canvas}").screenshot()), "png")
        return np.asarray(np.round(255 * seen[..., :3]))

    def where(self, colour: tuple[int, int, int], canvas: str = "view") -> np.ndarray:
        """Rows and columns (n, 2) of the pixels of that colour, from the top left."""
        return np.argwhere(np.abs(self.pixels(canvas) - colour).max(axis=2) < 12)


def watched(tab: Any, server: Any) -> Shown:
    tab.set_default_timeout(PATIENCE)
    found = Shown(tab, server)
    tab.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: found.said.append(f"error: {error}"))
    tab.on("request", lambda request: found.asked.append(request.url))
    return found


@pytest.fixture
def shown(chromium: Any) -> Iterator[Shown]:
    """The page, opened before the first frame; at the end it must have been silent and have asked its server
    alone."""
    server = LiveServer(Feed(), lambda: live_page("camera:0"))
    server.start()
    tab = chromium.new_page(viewport={"width": 1280, "height": 900})
    found = watched(tab, server)
    tab.goto(server.url)
    yield found
    tab.close()
    server.close()
    assert found.said == []
    assert {re.sub(r"[^/]*$", "", url) for url in found.asked} == {server.url}


def test_it_waits_for_the_first_frame_and_shows_those_that_come(shown: Shown) -> None:
    answers = lifted()
    assert shown.tab.inner_text("#lead") == "waiting for the first frame"
    shown.put(answers[0])
    shown.tab.wait_for_selector("#state.live")
    for canvas in ("view", "image"):
        assert len(shown.where(FIRST, canvas)) > 100
        assert len(shown.where(SECOND, canvas)) > 100
    before = shown.pixels()
    for answer in answers[1:12]:
        shown.put(answer)
    assert (np.abs(shown.pixels() - before) > 60).any(axis=2).sum() > 300
    assert "frame 12" in shown.tab.inner_text("#lead")
    assert "2 people" in shown.tab.inner_text("#lead")
    cells = shown.tab.locator("#rows tr").first.locator("th, td").all_inner_texts()
    away = float(
        np.linalg.norm(answers[11].root[0] @ answers[11].to_camera[:, :3].T + answers[11].to_camera[:, 3])
    )
    error = answers[11].expected_error
    assert error is not None
    assert cells == ["person 0", f"{away:.2f} m", f"{1000 * error[0].mean():.0f} mm", "15 of 15", "yes"]


@pytest.mark.parametrize("axes", ["y-up", "z-up", "camera"])
def test_people_are_upright_whatever_the_axes(axes: str, shown: Shown) -> None:
    one = [answer.take(answer.person == 0) for answer in lifted(axes)[:3]]
    for answer in one:
        shown.put(answer)
    assert shown.tab.input_value("#colours") == "sides"
    shown.tab.uncheck("#show-path")
    for view in ("oblique", "camera", "side"):
        shown.tab.click(f"[data-view={view}]")
        middle = shown.where(MIDDLE)
        limbs = np.concatenate([shown.where(LEFT), shown.where(RIGHT)])
        assert min(len(middle), len(limbs)) > 100
        assert middle[:, 0].min() < limbs[:, 0].min() - 5
        assert limbs[:, 0].max() > middle[:, 0].max() + 30


def test_nobody_then_somebody_then_another_unit(shown: Shown) -> None:
    answers = lifted()
    nobody = answers[0].take(np.zeros(0, np.int64))
    shown.put(nobody)
    shown.tab.wait_for_selector("#nobody")
    shown.put(answers[1])
    assert shown.tab.is_hidden("#nobody")
    assert len(shown.where(FIRST)) > 100
    shown.put(nobody)
    assert shown.tab.is_visible("#nobody")
    shown.server.feed.put(frame_text(lifted(height=None)[5], 99))  # the page begins anew
    shown.tab.wait_for_function("() => document.querySelector('#rows').innerText.includes('units')")
    assert len(shown.where(FIRST)) > 100


def test_pause_keys_and_pointer(shown: Shown) -> None:
    answers = lifted()
    for answer in answers[:4]:
        shown.put(answer)
    shown.tab.keyboard.press(" ")
    before = shown.pixels()
    for answer in answers[30:33]:
        shown.put(answer)
    assert shown.tab.inner_text("#state") == "paused"
    assert (shown.pixels() == before).all()
    for key in ("ArrowLeft", "+", "2"):
        last = shown.pixels()
        shown.tab.keyboard.press(key)
        assert (np.abs(shown.pixels() - last) > 60).any(axis=2).sum() > 300
    last = shown.pixels()
    box = shown.tab.locator("#view").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.tab.mouse.move(*middle)
    shown.tab.mouse.down()
    shown.tab.mouse.move(middle[0] + 90, middle[1])
    shown.tab.mouse.up()
    assert (np.abs(shown.pixels() - last) > 60).any(axis=2).sum() > 300
    shown.tab.click("#pause")
    shown.put(answers[33])
    assert shown.tab.inner_text("#state") == "live"
    assert "frame 8" in shown.tab.inner_text("#lead")


def test_the_picture_is_below_the_keypoints(shown: Shown) -> None:
    pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    green = np.zeros((72, 128, 3), np.uint8) + np.array([0, 200, 0], np.uint8)
    answer, url = lifted()[0], picture_url(green)
    shown.put(answer)
    assert shown.tab.is_hidden("#show-picture")
    assert len(shown.where((0, 200, 0), "image")) == 0
    for number in (2, 3):
        shown.server.feed.put(frame_text(answer, number, url))
        shown.tab.wait_for_timeout(300)
    assert len(shown.where((0, 200, 0), "image")) > 20_000
    assert len(shown.where(FIRST, "image")) > 100
    shown.tab.uncheck("#show-picture")
    assert len(shown.where((0, 200, 0), "image")) == 0
    shown.server.feed.put(frame_text(answer, 4, "data:image/jpeg;base64,rubbish"))
    shown.tab.wait_for_function("() => document.querySelector('#lead').innerText.includes('frame 4')")


def test_the_end_is_said_and_the_last_frame_stays(shown: Shown) -> None:
    shown.put(lifted()[0])
    shown.server.feed.end()
    shown.tab.wait_for_function("() => document.querySelector('#state').innerText === 'ended'")
    shown.tab.wait_for_timeout(300)
    assert len(shown.where(FIRST)) > 100
    assert sum(url.endswith("/events") for url in shown.asked) == 1  # it does not ask again


def test_hostile_names_are_words_and_a_phone_shows_all(shown: Shown) -> None:
    answer = lifted()[0]
    shown.put(replace(answer, people={0: HOSTILE, 1: "b" * 60}))
    assert shown.tab.locator("#rows th").first.inner_text().startswith(HOSTILE[:30])
    assert shown.tab.locator("img").count() == 0
    shown.tab.set_viewport_size({"width": 380, "height": 800})
    shown.settle()
    assert shown.tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for canvas in ("view", "image"):
        assert len(shown.where(FIRST, canvas)) > 50


def test_a_stream_is_answered_and_shown(chromium: Any) -> None:
    """The whole command: lines in, lines out, and the page."""
    words = ["predict", "-", "--stream", "--live", "--height", "1.75", "--weights", "starting"]
    with started(*words) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        told = process.stderr.readline().decode()
        found = re.match(r"live: (http://127\.0\.0\.1:\d+/) on this machine; Ctrl-C ends it", told)
        assert found, told
        tab = chromium.new_page(viewport={"width": 1280, "height": 900})
        page = watched(tab, None)
        tab.goto(found[1])
        for one in GIVEN[:20]:
            process.stdin.write(line(one).encode() + b"\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(b'{"frame"')
        tab.wait_for_selector("#state.live")
        assert len(page.where(FIRST)) > 100
        process.stdin.close()
        assert process.wait(60) == 0
        tab.wait_for_function("() => document.querySelector('#state').innerText === 'ended'")
        tab.close()
        assert page.said == []
    assert threading.active_count() < 20
