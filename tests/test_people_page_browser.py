"""The page of lifted people in a browser: upright, playing, turning; offline and without an error."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from pages import CHROMIUM, PATIENCE
from walkers import walkers

from minilift.poses.layouts import COURSE15
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.page.page import write_page

pytest.importorskip("playwright.sync_api", reason="driving a browser needs playwright")
image = pytest.importorskip("matplotlib.image", reason="looking at screenshots needs matplotlib")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

FRAMES = 80
LEFT, RIGHT, MIDDLE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x33, 0x33, 0x33)
FIRST, SECOND = (0x00, 0x72, 0xB2), (0xC4, 0x4E, 0x00)  # people


@dataclass
class Browser:
    """A tab with the page, and all that it said or asked for."""

    tab: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def status(self) -> str:
        return str(self.tab.inner_text("#status"))

    def go_to(self, at: int) -> None:
        self.tab.evaluate(
            "at => { const slider = document.getElementById('frame'); slider.value = at;"
            "slider.dispatchEvent(new Event('input')); }",
            at,
        )
        self.tab.wait_for_function(
            "at => document.querySelector('#status').innerText.includes(` ${at + 1} of`)", arg=at
        )

    def pixels(self, canvas: str = "view") -> np.ndarray:
        """A canvas as it is seen, (height, width, 3) from 0 to 255."""
        self.settle()
        seen = image.imread(io.BytesIO(self.tab.locator(f"#{canvas}").screenshot()), "png")
        return np.asarray(np.round(255 * seen[..., :3]))

    def settle(self) -> None:
        """Wait until what was asked for has been drawn."""
        self.tab.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def where(self, colour: tuple[int, int, int], canvas: str = "view") -> np.ndarray:
        """Rows and columns (n, 2) of the pixels of that colour, from the top left."""
        return np.argwhere(np.abs(self.pixels(canvas) - colour).max(axis=2) < 12)


Opened = Callable[..., Browser]


@pytest.fixture(scope="module")
def opened(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens the page of people from the disk, with no network; nothing may be said or asked for."""
    pages: list[Browser] = []

    def opened(people: LiftedPeople, width: int = 1280, **options: Any) -> Browser:
        path = tmp_path_factory.mktemp("clip") / "clip.html"
        write_page(path, people)
        context = chromium.new_context(offline=True, viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(PATIENCE)
        found = Browser(context.new_page())
        found.tab.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
        found.tab.on("pageerror", lambda error: found.said.append(f"error: {error}"))
        found.tab.on("request", lambda request: found.asked.append(request.url))
        found.tab.goto(path.as_uri(), timeout=PATIENCE)
        found.tab.wait_for_function("() => document.querySelector('#status').innerText !== ''")
        pages.append(found)
        return found

    yield opened
    for page in pages:
        assert [words for words in page.said if words.startswith("error")] == []
        assert [address for address in page.asked if not address.startswith("file:")] == []


@pytest.fixture(scope="module")
def shared(opened: Opened) -> Browser:
    return opened(walkers(FRAMES))


@pytest.fixture
def browser(shared: Browser) -> Browser:
    """The page of two walkers at its first frame, seen obliquely, as it is opened."""
    if shared.tab.get_attribute("#play", "aria-pressed") == "true":
        shared.tab.click("#play")
    for box in shared.tab.locator("#viewer input[type=checkbox]").all():
        box.set_checked(box.get_attribute("id") not in ("show-camera", "close"))
    shared.tab.select_option("#follow", "-1")
    shared.tab.select_option("#colours", "people")
    shared.tab.select_option("#speed", "1")
    shared.tab.click("[data-view=oblique]")
    shared.go_to(0)
    return shared


def stands(browser: Browser, canvas: str = "view") -> bool:
    """Whether head and trunk are above the feet, and arms below the head, by the colours of one person."""
    middle, limbs = browser.where(MIDDLE, canvas), np.concatenate(
        [browser.where(LEFT, canvas), browser.where(RIGHT, canvas)]
    )  # fmt: skip
    assert min(len(middle), len(limbs)) > 100
    return bool(middle[:, 0].min() < limbs[:, 0].min() - 5 and limbs[:, 0].max() > middle[:, 0].max() + 30)


def alone(browser: Browser) -> None:
    """Only the person, in the colours of sides."""
    browser.tab.select_option("#colours", "sides")
    browser.tab.uncheck("#show-path")
    browser.tab.uncheck("#show-back")


@pytest.mark.parametrize("axes", ["y-up", "z-up", "camera"])
def test_people_are_upright_in_3d_and_in_2d_whatever_the_axes(opened: Opened, axes: str) -> None:
    browser = opened(walkers(FRAMES, 1, axes=axes))
    alone(browser)
    for view in ("oblique", "camera", "side"):
        browser.tab.click(f"[data-view={view}]")
        assert stands(browser), view
    assert stands(browser, "image")


def test_what_is_upside_down_is_seen_to_be(opened: Opened) -> None:
    people = walkers(FRAMES, 1)
    people.joint_3d[..., 1] *= -1
    people.root[:, 1] *= -1
    browser = opened(people)
    alone(browser)
    assert not stands(browser)


def test_axes_are_the_same_people_on_the_stage_and_their_own_in_the_table(opened: Opened) -> None:
    pictures, tables = [], []
    for axes in ("y-up", "z-up"):
        people = walkers(FRAMES, axes=axes)
        browser = opened(people)
        browser.go_to(30)
        pictures.append(browser.pixels())
        cells = browser.tab.locator("#joints tbody tr:nth-child(9) td").all_inner_texts()
        row = np.flatnonzero((people.frame == 130) & (people.person == 0))[0]
        head = people.joint_3d[row, COURSE15.index("head")]
        np.testing.assert_allclose([float(text) for text in cells[:3]], head, atol=6e-4)
        tables.append(cells[:3])
    assert (np.abs(pictures[0] - pictures[1]) > 8).any(axis=2).mean() < 1e-3
    assert tables[0] != tables[1]


def test_both_people_are_there_in_their_colours(browser: Browser) -> None:
    for canvas in ("view", "image"):
        assert len(browser.where(FIRST, canvas)) > 100
        assert len(browser.where(SECOND, canvas)) > 100


def test_a_box_hides_a_person(browser: Browser) -> None:
    browser.tab.uncheck("#lanes [data-person='1']")
    for canvas in ("view", "image"):
        assert len(browser.where(FIRST, canvas)) > 100
        assert len(browser.where(SECOND, canvas)) < 10
    browser.tab.check("#lanes [data-person='1']")
    assert len(browser.where(SECOND)) > 100


def test_play_moves_the_frame_and_pause_stops_it(browser: Browser) -> None:
    before = browser.pixels()
    browser.tab.click("#play")
    browser.tab.wait_for_function("() => Number(document.getElementById('frame').value) > 6")
    browser.tab.keyboard.press(" ")  # the focus is on the button: it is the button's own key
    browser.settle()
    stopped = browser.status()
    browser.tab.wait_for_timeout(200)
    assert browser.status() == stopped
    assert (np.abs(browser.pixels() - before) > 60).any(axis=2).sum() > 300


def test_it_plays_in_real_time_and_as_fast_as_told(opened: Opened) -> None:
    browser = opened(walkers(250))
    times = {}
    for speed in ("0.5", "2"):
        browser.go_to(0)
        browser.tab.select_option("#speed", speed)
        times[speed] = browser.tab.evaluate("""() => new Promise(done => {
            document.getElementById('play').click();
            let begin = null, from = 0;
            const look = now => {
                const at = Number(document.getElementById('frame').value);
                if (begin === null) [begin, from] = [now, at];
                if (now - begin < 900) return requestAnimationFrame(look);
                document.getElementById('play').click();
                done((at - from) / (now - begin) * 1000);
            };
            requestAnimationFrame(look);
        })""")
    # 12.5 and 50 of 25 frames a second; a busy machine is slower, for a pause of more than 250 ms is cut
    assert 6 < times["0.5"] < 16
    assert 25 < times["2"] < 62


def test_without_loop_it_stops_at_the_end(browser: Browser) -> None:
    browser.tab.uncheck("#loop")
    browser.go_to(FRAMES - 3)
    browser.tab.click("#play")
    browser.tab.wait_for_function(
        "() => document.getElementById('play').getAttribute('aria-pressed') === 'false'"
    )
    browser.settle()
    assert f"{FRAMES} of {FRAMES}" in browser.status()


def test_keys_move_turn_and_zoom(browser: Browser) -> None:
    press = browser.tab.keyboard.press
    browser.tab.focus("#view")
    for key, at in (("ArrowRight", 2), ("PageDown", 12), ("ArrowLeft", 11), ("End", FRAMES), ("Home", 1)):
        press(key)
        browser.settle()
        assert f" {at} of {FRAMES}" in browser.status(), key
    for key in ("Shift+ArrowRight", "Shift+ArrowUp", "+", "3"):
        before = browser.pixels()
        press(key)
        assert (np.abs(browser.pixels() - before) > 60).any(axis=2).sum() > 200, key
    press(" ")
    assert browser.tab.get_attribute("#play", "aria-pressed") == "true"


def test_dragging_turns_and_the_wheel_zooms(browser: Browser) -> None:
    before = browser.pixels()
    box = browser.tab.locator("#view").bounding_box()
    browser.tab.mouse.move(box["x"] + 300, box["y"] + 150)
    browser.tab.mouse.down()
    browser.tab.mouse.move(box["x"] + 400, box["y"] + 160, steps=4)
    browser.tab.mouse.up()
    turned = browser.pixels()
    assert (np.abs(turned - before) > 60).any(axis=2).sum() > 300
    browser.tab.mouse.move(box["x"] + 200, box["y"] + 150)  # let go of: nothing turns any more
    np.testing.assert_array_equal(browser.pixels(), turned)
    browser.tab.mouse.wheel(0, -100)
    browser.tab.wait_for_timeout(100)
    assert len(browser.where(FIRST)) > 1.1 * (np.abs(turned - FIRST).max(axis=2) < 12).sum()


def test_the_eye_can_follow_a_person(browser: Browser) -> None:
    browser.tab.select_option("#follow", "0")
    places = []
    for at in (0, 40, 79):
        browser.go_to(at)
        found = browser.where(FIRST)
        places.append(found[:, 1].mean() / browser.pixels().shape[1])
        assert np.ptp(found[:, 0]) > 200  # pixels high: near
    np.testing.assert_allclose(places, 0.5, atol=0.12)


def test_a_click_on_the_timeline_goes_there(browser: Browser) -> None:
    chart = browser.tab.locator("#strips canvas").first
    box = chart.bounding_box()
    chart.click(position={"x": 8 + 0.25 * (box["width"] - 16), "y": 10})
    browser.settle()
    assert f" {round(0.25 * (FRAMES - 1)) + 1} of {FRAMES}" in browser.status()


def test_a_gap_is_said_and_a_flag_is_seen(opened: Opened, browser: Browser) -> None:
    alone = opened(walkers(FRAMES, 1))
    alone.go_to(25)  # frame 125: in the gap
    assert alone.tab.locator("#nobody").is_visible()
    assert alone.tab.inner_text("#about") == "Not in this frame."
    alone.go_to(47)
    assert "unlike the training data" in alone.tab.inner_text("#about")
    assert len(alone.where((0xB5, 0x17, 0x9E))) > 20  # the word over the head
    lane = alone.tab.get_attribute("#lanes canvas", "aria-label")
    assert lane == "person 0: 68 frames, 1 gap, 6 frames filled, 5 unlike the training data"


def test_placed_joints_are_marked_in_the_table(browser: Browser) -> None:
    browser.go_to(20)  # frame 120: the left knee and ankle are not seen
    sources = browser.tab.locator("#joints tbody td:last-child").all_inner_texts()
    assert [j for j, text in enumerate(sources) if text == "missing"] == [4, 5]
    assert sources[COURSE15.index("spine")] == "estimated"


def test_stills_have_pictures_and_no_time(opened: Opened) -> None:
    browser = opened(walkers(6, stills=True, fps=None))
    assert browser.tab.locator("#play").is_hidden()
    assert browser.status() == "picture 100, 1 of 6"
    browser.tab.click("#next")
    browser.settle()
    assert browser.status() == "picture 101, 2 of 6"
    assert len(browser.where(LEFT)) > 100


def test_a_single_frame_has_nothing_to_play(opened: Opened) -> None:
    browser = opened(walkers(1))
    for what in ("#play", "#previous", "#next", "#pace", "#speed"):
        assert browser.tab.locator(what).is_hidden(), what
    assert opened(walkers(2)).tab.locator("#play").is_visible()


def test_darkness_changes_the_colours(opened: Opened) -> None:
    browser = opened(walkers(FRAMES), color_scheme="dark")
    assert browser.pixels()[3, 3].max() < 60
    assert len(browser.where((0x56, 0xB4, 0xE9))) > 100
    browser.tab.emulate_media(color_scheme="light")
    assert len(browser.where(FIRST)) > 100


@pytest.mark.parametrize("width", [360, 400, 820, 1280])
def test_nothing_needs_sideways_scrolling_or_lies_over_another(opened: Opened, width: int) -> None:
    browser = opened(walkers(FRAMES), width=width)
    assert browser.tab.evaluate("document.documentElement.scrollWidth") <= width
    boxes = browser.tab.evaluate("""() => [...document.querySelectorAll(
        'h1, .lead span, #viewer button, #viewer label, canvas, #status, .signs li, #numbers h2')]
        .filter(element => element.checkVisibility())
        .filter(element => !element.closest('label') || element.tagName === 'LABEL')
        .map(element => [element.getBoundingClientRect(), element.id || element.innerText])
        .map(([box, name]) => [box.left, box.top, box.right, box.bottom, name])""")
    assert len(boxes) > 20
    for i, (left, top, right, bottom, name) in enumerate(boxes):
        assert left >= 0
        assert right <= width + 0.5
        for other in boxes[i + 1 :]:
            across, down = (
                min(right, other[2]) - max(left, other[0]),
                min(bottom, other[3]) - max(top, other[1]),
            )
            assert min(across, down) <= 1, f"{name} and {other[4]}"


def test_play_is_seen_without_scrolling(opened: Opened) -> None:
    box = opened(walkers(FRAMES)).tab.locator("#play").bounding_box()
    assert box["y"] + box["height"] < 700


def test_a_screen_reader_hears_what_is_there(browser: Browser) -> None:
    browser.go_to(10)
    said = browser.tab.inner_text("#aloud")
    assert said.startswith(f"frame 110, 0.40 s, 11 of {FRAMES}. person 0: Expected error")
    assert "person 1: " in said
    nameless = browser.tab.evaluate("""() => [...document.querySelectorAll('button, input, select, canvas')]
        .filter(one => !(one.innerText || one.ariaLabel || one.closest('label')?.innerText))
        .map(one => one.outerHTML)""")
    assert nameless == []
