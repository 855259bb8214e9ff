"""The live page's server: for this machine alone, the newest frame for everyone, of bounded size."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_frames import LIFTER, TALL, camera, frames, people
from pages import HOSTILE, Outline
from test_live_stream import started

from minilift import LiftOptions
from minilift.cli.main import main
from minilift.errors import ArgumentError
from minilift.lift.live import Live
from minilift.poses.joint_state import ESTIMATED
from minilift.poses.layouts import COURSE15, LAYOUTS
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.projected import projected
from minilift.show.live import server as served
from minilift.show.live.feed import Feed
from minilift.show.live.page import MOST, frame_text, live_page
from minilift.show.live.picture import picture_url
from minilift.show.live.server import MOST_REQUESTS, MOST_VIEWERS, LiveServer

TRUTH = people(10)


@pytest.fixture
def server() -> Iterator[LiveServer]:
    made = LiveServer(Feed(), lambda: live_page("camera:0"))
    made.start()
    yield made
    made.close()


def asked(
    server: LiveServer, path: str = "/", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


class Viewer:
    """A browser's EventSource, without the browser."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", "/events")
        self.answer = self.connection.getresponse()

    def event(self) -> list[str]:
        """The lines of the next event; none where there will be no further one."""
        found = []
        while (text := self.answer.readline().decode()) not in ("\n", ""):
            found.append(text.rstrip("\n"))
        return found

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def lifted() -> list[LiftedPeople]:
    options = LiftOptions(height=TALL, camera=camera(TRUTH), smooth="one-euro", axes="y-up")
    return list(Live(LIFTER, options).run(frames(TRUTH)))


def test_the_page_is_one_file_with_a_policy_that_lets_it_ask_its_server_alone(server: LiveServer) -> None:
    status, headers, text = asked(server)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    outline = Outline(text)
    assert not [value for name, value in outline.attributes if name in ("src", "href")]
    assert [value for name, value in outline.attributes if name == "http-equiv"] == [
        "Content-Security-Policy"
    ]
    assert 'new EventSource("/events")' in outline.scripts["code"]
    assert asked(server, method="HEAD")[::2] == (200, "")


@pytest.mark.parametrize("title", [HOSTILE, "a\nb\x1b[1m", "x" * 1000])
def test_a_title_of_anything_is_words(title: str) -> None:
    text = live_page(title)
    assert "<img src=x" not in text
    assert "\x1b" not in text
    assert len(text) == pytest.approx(len(live_page("")), abs=400)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost:{port}.evil.example",
        "",
        "0.0.0.0:{port}",
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(host: str, server: LiveServer) -> None:
    for path in ("/", "/events"):
        status, _, text = asked(server, path, Host=host.format(port=server.port))
        assert status == 403
        assert "open it by the address that minilift printed" in text
    for good in ("127.0.0.1:{}", "localhost:{}", "LOCALHOST:{}", "[::1]:{}"):
        assert asked(server, Host=good.format(server.port))[0] == 200


@pytest.mark.parametrize(
    "request_text", ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: a\r\n\r\n"]
)
def test_no_host_and_two_are_refused(request_text: str, server: LiveServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(request_text.format(port=server.port).encode())
        assert b" 403 " in client.recv(1000).splitlines()[0]


def test_nothing_but_the_page_is_there_and_nothing_is_taken(server: LiveServer) -> None:
    for path in (
        "/etc/passwd",
        "/../../etc/passwd",
        "//etc/passwd",
        "/live.py",
        "/%2e%2e/",
        "/events/",
        "/?x=1",
    ):
        assert asked(server, path)[0] == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        assert asked(server, method=method)[0] == 501
    assert asked(server, "/events", Sec_Fetch_Site="cross-site")[0] == 403
    assert asked(server, "/events", Sec_Fetch_Site="same-site")[0] == 403


def test_it_listens_on_the_loopback_interface_alone(server: LiveServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.port}/"
    with pytest.raises(ArgumentError, match=f"port={server.port}: cannot be had"):
        LiveServer(Feed(), str, server.port)


def test_viewers_get_frames_as_they_come_and_the_end(server: LiveServer) -> None:
    feed = server.feed
    viewer = Viewer(server.port)
    assert feed.watched.wait(20)
    for text in ("1", "2", "3"):
        feed.put(text)
        assert viewer.event() == [f"data: {text}"]
    late = Viewer(server.port)  # sees the newest at once
    assert late.event() == ["data: 3"]
    feed.end()
    for one in (viewer, late):
        assert one.event() == ["data: 3"]
        assert one.event() == ["event: end", "data: 0"]
        assert one.event() == []
        one.close()


def test_a_slow_viewer_misses_frames_and_holds_up_nobody(server: LiveServer) -> None:
    slow, quick = Viewer(server.port), Viewer(server.port)
    got: list[str] = []

    def watch() -> None:
        while (event := quick.event())[:1] != ["event: end"]:
            got.append(event[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, many = time.monotonic(), 400
    for number in range(many):
        server.feed.put(f"{number:05d}" + "x" * 50_000)
        if number % 20 == 0:
            time.sleep(0.005)
    taken = time.monotonic() - began
    server.feed.end()
    watcher.join(30)
    seen = []
    while (event := slow.event())[:1] != ["event: end"]:
        seen.append(int(event[0][6:11]))
    slow.close()
    quick.close()
    assert taken < 10
    assert got[-1].startswith(f"data: {many - 1:05d}")
    assert seen == sorted(seen)
    assert len(set(seen)) < many / 2  # no more than lay in the buffers
    assert seen[-1] == many - 1


def test_a_viewer_who_left_makes_room_and_too_many_are_refused(server: LiveServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(served, "STILL_HERE", 0.05)
    viewers = [Viewer(server.port) for _ in range(MOST_VIEWERS)]
    status, _, text = asked(server, "/events")
    assert (status, text) == (503, f"{MOST_VIEWERS} watch already; close one of those pages\n")
    assert asked(server)[0] == 200  # the page itself is served
    assert viewers[0].event() == [": still here"]
    viewers.pop().close()
    until = time.monotonic() + 20
    while (status := asked(server, "/events", method="HEAD")[0]) == 503 and time.monotonic() < until:
        time.sleep(0.05)
    assert status == 200
    for viewer in viewers:
        viewer.close()


def test_clients_that_say_nothing_are_bounded_and_let_go(server: LiveServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(served._Handler, "timeout", 0.3)
    idle = [
        socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(MOST_REQUESTS + 5)
    ]
    time.sleep(0.1)
    assert sum(thread.name.startswith("Thread-") for thread in threading.enumerate()) <= MOST_REQUESTS + 2
    for client in idle:
        assert client.recv(100) == b""  # closed: too many, or too slow
        client.close()
    until = time.monotonic() + 20
    status = 0
    while status != 200 and time.monotonic() < until:
        try:
            status = asked(server)[0]
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    assert status == 200


def test_a_frame_is_what_the_drawing_needs_and_strict_json() -> None:
    answer = lifted()[-1]
    found = json.loads(frame_text(answer, 109), parse_constant=pytest.fail)
    assert (found["frame"], found["unit"], found["axes"], found["size"]) == (109, "m", "y-up", [1280, 720])
    assert found["time"] == pytest.approx(109 / 25)
    assert [one["who"] for one in found["people"]] == ["person 0", "person 1"]
    for row, one in enumerate(found["people"]):
        np.testing.assert_allclose(one["joints"][:15], answer.joint_3d[row], atol=1e-4)
        np.testing.assert_allclose(one["joints"][15], answer.root[row], atol=1e-4)
        known = [place is not None for place in one["given"]]
        assert known[:15] == (answer.state[row] <= ESTIMATED).tolist()
        np.testing.assert_allclose(one["back"], projected(answer)[row], atol=0.01)
        assert len(one["expected"]) == 15
    assert 1.4 < found["height"] < 2.1
    assert np.shape(found["camera"]) == (5, 3)


def test_frames_of_nobody_of_nan_and_of_a_crowd() -> None:
    answer = lifted()[-1]
    nobody = json.loads(frame_text(answer.take(np.zeros(0, np.int64)), 3))
    assert nobody["people"] == []
    assert "camera" not in nobody
    lost = replace(answer, joint_3d=np.full_like(answer.joint_3d, np.nan), check=np.array([np.nan, 1]))
    assert json.loads(frame_text(lost, 3))["people"] == []
    many = answer.take(np.zeros(3 * MOST, np.int64))
    assert len(json.loads(frame_text(many, 3))["people"]) == MOST
    named = replace(
        answer, people={0: HOSTILE + "\n" + "y" * 99}, expected_error=None, unlike=None, check=None
    )
    text = frame_text(named, 3)
    assert "\n" not in text  # one line: an event ends with a line
    assert json.loads(text)["people"][0]["expected"] is None


def test_a_picture_goes_with_its_frame() -> None:
    image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")
    green = np.zeros((1440, 2560, 3), np.uint8) + np.array([0, 200, 0], np.uint8)
    url = picture_url(green)
    assert url is not None
    found = json.loads(frame_text(lifted()[0], 3, url))
    kind, _, content = found["picture"].partition(",")
    assert kind == "data:image/jpeg;base64"
    with image.open(io.BytesIO(base64.b64decode(content))) as again:
        assert again.size == (640, 360)
        assert np.abs(np.asarray(again).astype(int) - [0, 200, 0]).max() < 6
    assert json.loads(frame_text(lifted()[0], 3))["picture"] is None


def test_a_lens_of_eight_numbers_is_drawn_too() -> None:
    answer = lifted()[0]
    bent = replace(answer, camera={**answer.camera, "distortion": [0.1, 0, 0, 0, 0, 0.05, 0, 0]})
    assert np.isfinite(projected(bent)).all()
    assert abs(projected(bent) - projected(answer)).max() > 0.1


# ---- the command ---------------------------------------------------------------------------------------
def clip(folder: Path, count: int = 12) -> str:
    """A file of COCO results: two people walk."""
    path = folder / "walk.json"
    found = [
        {"image_id": int(one.frames[0]), "category_id": 1, "keypoints": np.ravel(joints).tolist()}
        for one in frames(people(count, 1))
        for joints in [np.concatenate([in_coco(one.xy[0]), np.full((17, 1), 0.9)], axis=1)]
    ]
    path.write_text(json.dumps(found))
    return str(path)


ABOUT = ("--size", "1280x720", "--layout", "coco17", "--weights", "starting")


def in_coco(xy: np.ndarray) -> np.ndarray:
    """The 15 joints as COCO's 17: the face is where the head is."""
    place = dict(zip(COURSE15.joints, np.nan_to_num(xy), strict=True))
    return np.stack([place.get(name, place["head"]) for name in LAYOUTS["coco17"].joints])


def test_a_clip_is_shown_at_its_own_pace_from_the_first_viewer_on(tmp_path: Path) -> None:
    words = ["predict", clip(tmp_path), "--live", "--fps", "25", *ABOUT]
    with started(*words) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        found = re.match(r"live: http://127.0.0.1:(\d+)/ on", process.stdout.readline().decode())
        assert found
        assert process.stdout.readline() == b"it begins when the page is opened\n"
        viewer = Viewer(int(found[1]))
        events = []
        while (event := viewer.event())[:1] != ["event: end"]:
            events.append(json.loads(event[0].removeprefix("data: ")))
        viewer.close()
        told = process.stdout.read().decode().splitlines()
        assert process.wait(60) == 0, process.stderr.read()
    numbers = [event["frame"] for event in events]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 111
    assert [one["who"] for one in events[-1]["people"]] == ["person 0"]
    assert told[0].startswith(f"{words[1]}: coco-result; coco17; camera: assumed")
    assert told[-1] == "that was all of it"


def test_ctrl_c_ends_what_nobody_watches(tmp_path: Path) -> None:
    with started("predict", clip(tmp_path), "--live", *ABOUT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"live: ")
        assert process.stdout.readline().startswith(b"it begins")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["camera:99"], "camera:99"),
        (["camera:0", "--stream"], "camera:0: a camera gives pictures, and a stream is of keypoints"),
        (["camera:0", "walk.json"], "--live: has 2 inputs; give one"),
        (["-", "--live"], "-: the standard input is read frame by frame; add --stream"),
        (["walk.json", "--port", "8000"], "--port 8000: is of the page that shows people live; add --live"),
        (["walk.json", "--live", "--port", "0"], "--port 0: must be at least 1 and at most 65535"),
        (["walk.json", "--live", "-o", "a.npz"], "--out a.npz: a live page writes no files; leave it out"),
        (["walk.json", "--live", "--resume"], "a live page writes no files; leave it out"),
        (["walk.json", "--live", "--to", "npz", "html"], "--to npz html: a live page writes no files"),
        (["none.json", "--live"], "none.json: no such file"),
        (["camera:x"], "camera:x: is no camera; they have numbers, such as camera:0"),
        (["photos", "--live"], "photos: is a folder of photos and videos; --live shows one video: name it"),
        (["photos/a.jpg", "--stream"], "a.jpg: a photo gives pictures, and a stream is of keypoints; leave"),
        (["clip.mp4", "--stream"], "clip.mp4: a video gives pictures, and a stream is of keypoints; leave"),
        (["walk.json", "--live", "--smooth", "savgol"], "--smooth savgol: looks at frames that are still"),
    ],
)
def test_a_bad_call_is_one_line(
    words: list[str], told: str, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    clip(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"a photo")
    assert main(["predict", *words, "--weights", "starting"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


def test_a_port_that_is_taken_is_one_line(server: LiveServer, tmp_path: Path, capsys: Any) -> None:
    words = ["predict", clip(tmp_path), "--live", *ABOUT]
    assert main([*words, "--port", str(server.port)]) == 2
    assert f"--port {server.port}: cannot be had" in capsys.readouterr().err
