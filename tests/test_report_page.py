"""The report page in a browser: it draws, turns, zooms and scrubs, offline and without an error."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import CHROMIUM, PATIENCE

from minilift.evaluation.figures import Figures
from minilift.evaluation.report import Report as EvaluationReport
from minilift.poses.layouts import ROOT
from minilift.poses.metrics import joint_errors
from minilift.poses.people.synth import SyntheticPoses, synthesize
from minilift.poses.poses import Poses
from minilift.show.page.page import write_report

pytest.importorskip("playwright.sync_api", reason="driving a browser needs playwright")
pytest.importorskip("plotly", reason="the page holds plotly.js: pip install 'minilift[report]'")
image = pytest.importorskip("matplotlib.image", reason="looking at screenshots needs matplotlib")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

N = 200
CAMERA, LEFT_LIMBS, JOINTS = 1, 5, 7  # traces of the 3D view
LEFT, RIGHT = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)
NO_WEBGL = """
const context = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : context.call(this, kind, ...rest);
};
"""


@dataclass
class Report:
    """A page, and what must be seen in it: errors (N, 15) in mm, and the order of the poses."""

    path: Path
    errors: np.ndarray
    order: np.ndarray
    people: SyntheticPoses
    predicted: np.ndarray

    def mpjpe(self, rank: int) -> str:
        return f"{self.errors[self.order[rank]].mean():.1f} mm"

    def joints(self, rank: int) -> np.ndarray:
        return self.errors[self.order[rank]]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The page of synthetic people whose predictions are off by more and more, in no order."""
    people, rng = synthesize(N, seed=0), np.random.default_rng(0)
    offsets = rng.normal(size=(N, 15, 3)) * np.linspace(0.001, 0.03, N)[rng.permutation(N), None, None]
    predicted = (people.joint_3d + offsets).astype(np.float32)
    poses = Poses(people.joint_2d, people.joint_3d, people.scale)
    figures = Figures()
    figures.add(predicted, people.joint_2d, people.joint_3d, people.scale)
    errors = 1000 * people.scale[:, None] * joint_errors(predicted, people.joint_3d)
    order = np.argsort(errors.mean(axis=1), kind="stable")
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, EvaluationReport(poses, figures.result(), figures.each, lambda rows: predicted[rows]))
    return Report(path, errors, order, people, predicted)


@dataclass
class Browser:
    """A tab with the page, and all that it said or asked for."""

    tab: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def eye(self) -> np.ndarray:
        eye = self.tab.evaluate("document.getElementById('view').layout.scene.camera.eye")
        return np.array([eye[axis] for axis in "xyz"])

    def status(self) -> str:
        return str(self.tab.inner_text("#status"))

    def wait_for(self, words: str) -> None:
        self.tab.wait_for_function(
            "words => document.querySelector('#status').innerText.includes(words)", arg=words
        )

    def wait_for_colour(self, left: str) -> None:
        """Wait until that is the colour of the left limbs."""
        self.tab.wait_for_function(
            "left => document.getElementById('view').data[5].line.color === left", arg=left
        )

    def go_to(self, rank: int) -> None:
        self.tab.evaluate(
            "rank => { const slider = document.getElementById('rank'); slider.value = rank;"
            "slider.dispatchEvent(new Event('input')); }",
            rank,
        )
        self.wait_for(f"Pose {rank + 1} of {N}")

    def joints(self) -> np.ndarray:
        return np.array(
            [float(text) for text in self.tab.locator("#joint-errors td:nth-child(2)").all_inner_texts()]
        )

    def coordinates(self, trace: int) -> np.ndarray:
        """What a trace of the 3D view holds, (n, 3): x, depth from the camera on, height; NaN parts lines."""
        code = "k => [...'xyz'].map(axis => [...document.getElementById('view').data[k][axis]])"
        return np.array(self.tab.evaluate(code, trace), np.float64).T

    def pixels(self) -> np.ndarray:
        """The 3D view as it is seen, (height, width, 3) from 0 to 255."""
        seen = image.imread(io.BytesIO(self.tab.locator("#view").screenshot()), "png")
        return np.round(255 * seen[..., :3])

    def coloured(self, colour: tuple[int, int, int]) -> int:
        """How many pixels have nearly that colour."""
        return int((np.abs(self.pixels() - colour).max(axis=2) < 24).sum())


Opened = Callable[..., Browser]


@pytest.fixture(scope="module")
def opened(chromium: Any, report: Report) -> Opened:
    """Opens the page from the disk, with no network."""

    def opened(script: str = "", **options: Any) -> Browser:
        context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 900}, **options)
        context.set_default_timeout(PATIENCE)
        if script:
            context.add_init_script(script)
        found = Browser(context.new_page())
        found.tab.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
        found.tab.on("pageerror", lambda error: found.said.append(f"error: {error}"))
        found.tab.on("request", lambda request: found.asked.append(request.url))
        found.tab.goto(report.path.as_uri(), timeout=PATIENCE)
        found.wait_for("Pose")
        return found

    return opened


@pytest.fixture(scope="module")
def shared(opened: Opened) -> Browser:
    return opened()


@pytest.fixture
def browser(shared: Browser) -> Iterator[Browser]:
    """The page at its middle pose, seen obliquely; whatever a test does, nothing may be said or asked for."""
    shared.tab.click("[data-view=oblique]")
    shared.go_to(N // 2)
    yield shared
    assert [words for words in shared.said if words.startswith("error")] == []
    assert [address for address in shared.asked if not address.startswith(("file:", "blob:", "data:"))] == []
    assert sum(address.startswith("file:") for address in shared.asked) == 1


def test_it_draws_the_person_and_the_charts(browser: Browser) -> None:
    browser.tab.wait_for_function("() => document.querySelectorAll('.chart .main-svg').length > 3")
    assert browser.coloured(LEFT) > 150
    assert browser.coloured(RIGHT) > 150
    assert browser.tab.locator("#image line").count() == 15 + 2
    assert browser.tab.locator("#no-webgl").is_hidden()


@pytest.mark.parametrize("rank", [0, N - 1])
def test_joints_are_where_they_were_predicted_and_the_camera_before_them(
    browser: Browser, report: Report, rank: int
) -> None:
    """In metres about the root, whatever plotly calls its axes: the picture must not be a mirror's."""
    browser.go_to(rank)
    row = report.order[rank]
    x, y, z = report.people.scale[row] * (report.predicted[row] - ROOT).T
    np.testing.assert_allclose(browser.coordinates(JOINTS)[:15], np.stack([x, -z, y], axis=1), atol=2e-4)
    apex = browser.coordinates(CAMERA)[0]
    np.testing.assert_allclose(apex, [0, -report.people.scale[row], 0], rtol=1e-6)


def test_one_view_shows_both_the_person_and_the_camera(browser: Browser) -> None:
    browser.tab.click("[data-view=whole]")
    camera = browser.coordinates(CAMERA)[0]
    ratio = browser.tab.evaluate("document.getElementById('view').layout.scene.aspectratio.y")
    span = browser.tab.evaluate("document.getElementById('view').layout.scene.yaxis.range")
    centre = (
        np.array([0, camera[1] / 2, 0]) * ratio / (span[1] - span[0])
    )  # between them, in lengths of the view
    ahead = centre - browser.eye()
    for end in (np.zeros(3), 2 * centre):
        ray = end - browser.eye()
        angle = np.degrees(np.arccos(ahead @ ray / np.linalg.norm(ahead) / np.linalg.norm(ray)))
        assert 8 < angle < 35  # plotly sees 22.5 degrees up and down, and more to the sides of a wide view


def test_dragging_turns_it(browser: Browser) -> None:
    browser.tab.locator("#view").evaluate("view => view.scrollIntoView()")
    before, seen = browser.eye(), browser.pixels()
    box = browser.tab.locator("#view").bounding_box()
    browser.tab.mouse.move(box["x"] + 300, box["y"] + 250)
    browser.tab.mouse.down()
    browser.tab.mouse.move(box["x"] + 400, box["y"] + 280, steps=4)
    browser.tab.mouse.up()
    browser.tab.mouse.move(box["x"] + 500, box["y"] + 250)  # let go of: nothing turns any more
    after, rate = browser.eye(), 0.008
    assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before))
    turned = np.arctan2(*after[1::-1]) - np.arctan2(*before[1::-1])
    lifted = np.arcsin(after[2] / np.linalg.norm(after)) - np.arcsin(before[2] / np.linalg.norm(before))
    assert [turned, lifted] == pytest.approx([-100 * rate, 30 * rate])  # with the hand
    assert (np.abs(browser.pixels() - seen) > 60).any(axis=2).sum() > 300
    browser.go_to(3)
    np.testing.assert_array_equal(browser.eye(), after)  # the next pose is seen from the same side


def test_the_wheel_zooms(browser: Browser) -> None:
    before = np.linalg.norm(browser.eye())
    browser.tab.locator("#view").hover()
    browser.tab.mouse.wheel(0, -50)
    browser.tab.wait_for_function(
        "far => { const e = document.getElementById('view').layout.scene.camera.eye;"
        "return Math.abs(Math.hypot(e.x, e.y, e.z) / far - Math.exp(-0.1)) < 1e-6; }",
        arg=before,
    )
    after = np.linalg.norm(browser.eye())
    browser.go_to(3)
    assert np.linalg.norm(browser.eye()) == after  # the next pose is seen from as near


def test_buttons_zoom_and_turn(browser: Browser) -> None:
    before = browser.eye()
    browser.tab.click("[data-zoom='0.8']")
    np.testing.assert_allclose(browser.eye(), 0.8 * before, atol=1e-6)
    browser.tab.click("[data-view=camera]")  # straight on: from where the camera stands
    x, y, z = browser.eye()
    assert y < 0
    assert (x, z) == (0, 0)
    browser.tab.click("[data-view=side]")
    assert browser.eye()[0] > 1
    browser.tab.click("[data-view=whole]")
    assert np.linalg.norm(browser.eye()) > np.linalg.norm(before)


@pytest.mark.parametrize("rank", [0, 57, N - 1])
def test_the_slider_shows_the_pose_and_its_numbers(browser: Browser, report: Report, rank: int) -> None:
    before, drawn = browser.coordinates(LEFT_LIMBS), browser.tab.inner_html("#image")
    browser.go_to(rank)
    assert f"MPJPE {report.mpjpe(rank)}" in browser.status()
    assert f"Row {report.order[rank]} of the file" in browser.status()
    np.testing.assert_allclose(
        browser.joints(), report.joints(rank), atol=0.11
    )  # one decimal, and the packing
    assert browser.tab.inner_html("#image") != drawn
    assert not np.array_equal(browser.coordinates(LEFT_LIMBS), before, equal_nan=True)


def test_buttons_jump_to_percentiles(browser: Browser) -> None:
    for share, rank in (("0", 1), ("90", round(0.9 * (N - 1)) + 1), ("100", N)):
        browser.tab.click(f"[data-share='{share}']")
        browser.wait_for(f"Pose {rank} of {N}")
    browser.tab.click("#next")  # nothing is beyond the worst
    browser.tab.click("#previous")
    browser.wait_for(f"Pose {N - 1} of {N}")


def test_keys_go_turn_and_zoom(browser: Browser) -> None:
    press = browser.tab.keyboard.press
    browser.tab.focus("#view")
    press("ArrowRight")
    browser.wait_for(f"Pose {N // 2 + 2} of {N}")
    press("ArrowLeft")
    press("ArrowLeft")
    browser.wait_for(f"Pose {N // 2} of {N}")
    before = browser.eye()
    press("Shift+ArrowRight")
    angle = np.arctan2(*browser.eye()[1::-1]) - np.arctan2(*before[1::-1])
    assert abs(np.degrees(angle)) % 360 == pytest.approx(15, abs=0.01)
    press("+")
    assert np.linalg.norm(browser.eye()) == pytest.approx(0.8 * np.linalg.norm(before), rel=1e-6)
    browser.tab.focus("#rank")
    press("End")
    browser.wait_for(f"Pose {N} of {N}")
    press("Home")
    browser.wait_for(f"Pose 1 of {N}")


def test_scrubbing_keeps_the_view(browser: Browser) -> None:
    browser.tab.click("[data-view=side]")
    before = browser.eye()
    browser.go_to(3)
    np.testing.assert_array_equal(browser.eye(), before)


def test_boxes_hide_and_show(browser: Browser) -> None:
    browser.tab.uncheck("[data-show=prediction]")
    assert browser.coloured(LEFT) < 20
    browser.tab.check("[data-show=prediction]")
    assert browser.coloured(LEFT) > 150


def test_the_sorted_curve_leads_to_its_poses(browser: Browser) -> None:
    chart = browser.tab.locator(".chart").nth(2)
    chart.scroll_into_view_if_needed()
    box = chart.locator(".nsewdrag").bounding_box()
    browser.tab.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    browser.tab.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    browser.tab.wait_for_function(
        "([rank, near]) => Math.abs(document.getElementById('rank').value - rank) < near",
        arg=[0.2 * N, 0.03 * N],
    )


def test_darkness_changes_the_colours_and_nothing_else(browser: Browser) -> None:
    browser.tab.click("[data-view=side]")
    browser.tab.uncheck("[data-show=truth]")
    before = browser.eye()
    browser.tab.emulate_media(color_scheme="dark")
    browser.wait_for_colour("#56b4e9")
    np.testing.assert_array_equal(browser.eye(), before)
    assert browser.tab.evaluate("document.getElementById('view').data[2].visible") is False
    browser.tab.check("[data-show=truth]")
    assert browser.pixels()[5:30, 5:30].max() < 60
    browser.tab.evaluate("dispatchEvent(new Event('beforeprint'))")  # paper is light
    browser.wait_for_colour("#0072b2")
    browser.tab.evaluate("dispatchEvent(new Event('afterprint'))")
    browser.wait_for_colour("#56b4e9")
    browser.tab.emulate_media(color_scheme="light")
    browser.wait_for_colour("#0072b2")
    assert browser.coloured(LEFT) > 150


def test_a_phone_needs_no_sideways_scrolling(browser: Browser) -> None:
    browser.tab.set_viewport_size({"width": 360, "height": 740})
    browser.tab.wait_for_function("() => document.documentElement.scrollWidth <= 360")
    browser.tab.set_viewport_size({"width": 1280, "height": 900})


def test_without_webgl_it_says_so_and_the_rest_works(opened: Opened, report: Report) -> None:
    browser = opened(NO_WEBGL)
    assert "no WebGL" in browser.tab.inner_text("#no-webgl")
    assert browser.tab.locator("#view").is_hidden()
    browser.tab.click("[data-share='100']")
    browser.wait_for(f"MPJPE {report.mpjpe(N - 1)}")
    np.testing.assert_allclose(browser.joints(), report.joints(N - 1), atol=0.11)
    browser.tab.click("[data-view=side]")
    browser.tab.keyboard.press("+")
    assert [words for words in browser.said if words.startswith("error")] == []
