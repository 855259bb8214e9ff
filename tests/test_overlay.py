"""People drawn over their photo or video: as many frames at the same times, whole files or none."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from walkers import walkers

from minilift.cli.main import main
from minilift.errors import InputError
from minilift.poses.lifted import LiftedPeople
from minilift.poses.write.people.rows import PeopleSpool
from minilift.show.clip.overlay import mp4
from minilift.show.clip.overlay.sizes import Sizes
from minilift.show.clip.overlay.write import photo_path, write_overlay

av = pytest.importorskip("av", reason="videos need PyAV")
image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")

BLUE = (0x00, 0x72, 0xB2)
PALE = 200  # a ground on which drawn limbs are told


def write_clip(path: Path, size: tuple[int, int], times: list[Fraction]) -> Path:
    """A video whose n-th frame is pale, but for a square at the top left that grows darker with n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p" if size[0] % 2 == 0 else "yuv444p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
        for n, at in enumerate(times):
            picture = np.full((size[1], size[0], 3), PALE, np.uint8)
            picture[:40, :40] = 180 - 4 * n
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = int(at * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    """Pictures and times of a video."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [float(frame.time) for frame in frames]


def walker(frames: int) -> LiftedPeople:
    """One person who is in every frame."""
    people = walkers(frames)
    return people.take(people.person == 0)


def on(people: LiftedPeople, media: Path, size: tuple[int, int]) -> LiftedPeople:
    """The same people, numbered from 0, in pictures of another size."""
    assert people.size is not None
    scale = min(size[0] / people.size[0], size[1] / people.size[1])
    camera = {name: scale * value if name in ("fx", "fy", "cx", "cy") else value
              for name, value in people.camera.items()}  # fmt: skip
    return replace(
        people, joint_2d=scale * people.joint_2d, root_2d=scale * people.root_2d, camera=camera, size=size,
        frame=people.frame - 100, media=str(media),
    )  # fmt: skip


EVEN = [Fraction(n, 25) for n in range(30)]
UNEVEN = [Fraction(n, 25) + Fraction(n % 3, 100) for n in range(30)]


@pytest.mark.parametrize(("size", "times"), [
    ((1280, 720), EVEN), ((1280, 720), UNEVEN), ((540, 960), EVEN), ((1279, 719), EVEN), ((320, 240), EVEN),
], ids=["hd", "variable-rate", "portrait", "odd", "small"])  # fmt: skip
def test_a_video_keeps_its_frames_and_times(
    size: tuple[int, int], times: list[Fraction], tmp_path: Path
) -> None:
    media = write_clip(tmp_path / "clip.mp4", size, times)
    people = on(walkers(30), media, size)
    done = write_overlay(tmp_path / "out.mp4", people)
    assert done.files == (tmp_path / "out.mp4",)
    assert done.notes == ()
    pictures, stamps = read(done.files[0])
    np.testing.assert_allclose(stamps, [float(one) for one in times], atol=1e-5)
    sizes = Sizes.of(*size)
    assert {picture.shape for picture in pictures} == {(sizes.whole[1], sizes.whole[0], 3)}
    squares = [picture[6:30, 6:30].mean() for picture in pictures]
    np.testing.assert_allclose(squares, 180 - 4 * np.arange(30), atol=4)  # each frame has its own picture
    for n in (0, 13, 29):
        flat = sizes.scale * people.joint_2d[people.frame == n]
        limbs = 0.5 * (flat[:, 0] + flat[:, 1])  # the right thigh
        for x, y in np.round(limbs[np.isfinite(limbs).all(axis=1)]).astype(int):
            red, _, blue = pictures[n][y, x].astype(int)
            assert red > blue + 60, (n, x, y)  # vermilion


def test_frames_without_people_are_drawn_without(tmp_path: Path) -> None:
    media = write_clip(tmp_path / "clip.mp4", (1280, 720), EVEN)
    people = on(walker(30), media, (1280, 720))
    people = people.take((people.frame > 5) & (people.frame != 12) & (people.frame < 20))
    pictures, _ = read(write_overlay(tmp_path / "out.mp4", people).files[0])
    assert len(pictures) == 30
    drawn = [bool((np.abs(picture[50:, :1270].astype(int) - PALE) > 60).any()) for picture in pictures]
    assert drawn == [5 < n < 20 and n != 12 for n in range(30)]


def test_people_beyond_the_end_are_told(tmp_path: Path) -> None:
    media = write_clip(tmp_path / "clip.mp4", (1280, 720), EVEN[:20])
    done = write_overlay(tmp_path / "out.mp4", on(walker(30), media, (1280, 720)))
    assert len(read(done.files[0])[0]) == 20
    assert [line.partition(":")[0] for line in done.notes] == ["10 frames with people not drawn"]


def test_people_before_the_beginning_are_told(tmp_path: Path) -> None:
    media = write_clip(tmp_path / "clip.mp4", (1280, 720), EVEN[:10])
    people = on(walker(10), media, (1280, 720))
    done = write_overlay(tmp_path / "out.mp4", replace(people, frame=people.frame - 3))
    assert [line.partition(":")[0] for line in done.notes] == ["3 frames with people not drawn"]


def test_a_photo_becomes_a_png(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    image.fromarray(np.full((720, 1280, 3), PALE, np.uint8)).save(photo)
    people = on(walkers(3), photo, (1280, 720))
    people = replace(people.take(people.frame == 0), stills=True)
    done = write_overlay(tmp_path / "walk.mp4", people)
    assert done.files == (tmp_path / "walk.overlay.png",) == (photo_path(tmp_path / "walk.mp4"),)
    first = done.files[0].read_bytes()
    picture = np.asarray(image.open(io.BytesIO(first)))
    assert picture.shape[:2] == Sizes.of(1280, 720).whole[::-1]
    assert np.argwhere(np.abs(picture[:, :1280].astype(int) - BLUE).max(axis=2) < 5).shape[0] > 300
    assert (picture[:25, :200] == PALE).all()
    assert write_overlay(tmp_path / "walk.mp4", people).files[0].read_bytes() == first


def test_without_a_video_the_ground_is_plain(tmp_path: Path) -> None:
    people = walkers(30, 2)
    people = people.take(people.frame % 3 == 1)  # every third frame, from 100 on
    pictures, stamps = read(write_overlay(tmp_path / "out.mp4", people).files[0])
    np.testing.assert_allclose(stamps, 3 / 25 * np.arange(len(pictures)), atol=1e-5)
    assert len(pictures) == len(np.unique(people.frame))
    assert np.ptp(pictures[0][:30, :200]) < 12


@pytest.mark.parametrize(("changes", "said"), [
    ({"size": None}, "size=WxH: is needed for .*out.mp4, .*; give size=1280x720, or media=FILE"),
    ({"rays": True}, "the keypoints are rays"),
])  # fmt: skip
def test_without_a_ground_it_says_what_to_give(changes: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        write_overlay(tmp_path / "out.mp4", replace(walkers(5), **changes))
    assert list(tmp_path.iterdir()) == []


def test_another_size_or_nobody_is_refused(tmp_path: Path) -> None:
    media = write_clip(tmp_path / "clip.mp4", (640, 360), EVEN[:5])
    people = replace(walkers(5), media=str(media))
    with pytest.raises(InputError, match=r"clip\.mp4: has pictures of 640x360 pixels, the keypoints are of"):
        write_overlay(tmp_path / "out.mp4", people)
    nobody = replace(people, joint_3d=np.full_like(people.joint_3d, np.nan))
    with pytest.raises(InputError, match="no one to show"):
        write_overlay(tmp_path / "out.mp4", nobody)
    assert [one.name for one in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_spool_gives_the_same_video(tmp_path: Path) -> None:
    people = walkers(30)
    spool = PeopleSpool(tmp_path / "spool")
    for first in range(0, len(people), 9):
        spool.add(people.take(slice(first, first + 9)))
    files = [write_overlay(tmp_path / name, one).files[0].read_bytes()
             for name, one in (("a.mp4", people), ("b.mp4", spool), ("c.mp4", people))]  # fmt: skip
    assert files[0] == files[2]
    one, other = (read(tmp_path / name)[0] for name in ("a.mp4", "b.mp4"))
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):  # float32 on disk: the last bit of a place
        assert np.abs(a.astype(int) - b).mean() < 0.1


def test_without_h264_it_is_mpeg_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4, "TICKS", {"no-such-codec": 1, "mpeg4": mp4.TICKS["mpeg4"]})
    path = write_overlay(tmp_path / "out.mp4", walkers(20)).files[0]
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    pictures, stamps = read(path)
    np.testing.assert_allclose(stamps, np.arange(20) / 25, atol=1e-4)
    blue = np.abs(pictures[3][:, :1280].astype(int) - BLUE).max(axis=2) < 40
    assert blue.sum() > 300


# ---- whole files, or none ------------------------------------------------------------------------------


class Stopped(Exception):
    pass


def test_what_goes_wrong_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"the old one")
    for problem in (Stopped("halfway"), KeyboardInterrupt(), OSError(28, "No space left on device")):
        drawn = 0
        whole = mp4.Mp4.add

        def add(
            self: Any, picture: np.ndarray, time: float, problem: Any = problem, whole: Any = whole
        ) -> None:
            nonlocal drawn
            drawn += 1
            if drawn == 15:
                raise problem
            whole(self, picture, time)

        with monkeypatch.context() as patch:
            patch.setattr(mp4.Mp4, "add", add)
            with pytest.raises((type(problem), InputError)):
                write_overlay(path, walkers(30))
        assert path.read_bytes() == b"the old one"
        assert [one.name for one in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("last", [False, True])
def test_a_disk_that_is_full_is_told(last: bool) -> None:
    """The encoder's own thread meets it, or who closes the file: with the index of frames at its end."""

    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            if b"moov" in bytes(data) if last else self.tell() > 2000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    def fill() -> None:
        noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3)).astype(np.uint8)
        with mp4.Mp4(Full(), (1280, 720), 25) as video:
            for n in range(60):
                video.add(noise, n / 25)

    with pytest.raises(OSError, match="No space left"):
        fill()


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals are those of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_stopped_from_outside_no_half_file_has_the_name(sent: int, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from walkers import walkers\n"
        "from minilift.show.clip.overlay.write import write_overlay\n"
        f"write_overlay({str(tmp_path / 'out.mp4')!r}, walkers(4000))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=env, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + 60
    while not any(one.stat().st_size > 0 for one in tmp_path.iterdir()) and time.monotonic() < end:
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(sent)
    assert run.wait(60) != 0
    left = [one.name for one in tmp_path.iterdir()]
    assert "out.mp4" not in left
    assert sent == signal.SIGKILL or left == []


# ---- the command ---------------------------------------------------------------------------------------


def keypoints(folder: Path, frames: int, first: int = 0, size: tuple[int, int] = (1280, 720)) -> Path:
    """COCO's results of somebody who walks."""
    people = on(walker(frames), Path("x"), size)
    rows = []
    for k in range(len(people)):
        flat = people.joint_2d[k]
        hips, knees, ankles = (flat[[a, b]] for a, b in ((3, 0), (4, 1), (5, 2)))
        shoulders, elbows, wrists = (flat[[a, b]] for a, b in ((9, 12), (10, 13), (11, 14)))
        face = flat[8] + np.array([[0, 0], [3, -3], [-3, -3], [6, 0], [-6, 0]])
        joints = np.concatenate([face, shoulders, elbows, wrists, hips, knees, ankles])
        seen = np.isfinite(joints).all(axis=1)
        values = np.column_stack([np.nan_to_num(joints), 0.9 * seen]).ravel().tolist()
        rows.append(
            {"image_id": int(people.frame[k]) + first, "category_id": 1, "keypoints": values, "score": 1}
        )
    (folder / "walk.json").write_text(json.dumps(rows))
    return folder / "walk.json"


@pytest.mark.parametrize("first", [0, 1])
def test_predict_draws_over_the_video_that_is_named(
    first: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", (1280, 720), EVEN)
    keypoints(tmp_path, 30, first)
    assert main(["predict", "walk.json", "--media", "clip.mp4", "--to", "overlay", "html"]) == 0
    said = capsys.readouterr().out
    assert f"frame {first} of the keypoints is taken for the first of clip.mp4" in said
    assert "wrote walk_3d.mp4, walk_3d.html" in said
    pictures, stamps = read(tmp_path / "walk_3d.mp4")
    np.testing.assert_allclose(stamps, np.arange(30) / 25, atol=1e-5)
    assert len(json.loads((tmp_path / "walk_3d.html").read_text().split('id="pictures">')[1]
                          .split("</script>")[0])["at"]) == 30  # fmt: skip
    thigh = 0.5 * (walker(30).joint_2d[10, 0] + walker(30).joint_2d[10, 1])
    red, _, blue = pictures[10][round(thigh[1]), round(thigh[0])].astype(int)
    assert red > blue + 60
    assert main(["predict", "walk.json", "--to", "overlay", "--size", "1280x720"]) == 2
    assert "walk_3d.mp4: exists already" in capsys.readouterr().err


@pytest.mark.parametrize(("frames", "size", "said"), [
    (80, (1280, 720), "--media clip.mp4: has about 30 frames, the keypoints have one of number 79"),
    (30, (5120, 2880), "--media clip.mp4: its pictures have 1280x720 pixels"),
])  # fmt: skip
def test_a_video_that_they_are_not_of_is_refused(
    frames: int, size: tuple[int, int], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", (1280, 720), EVEN)
    keypoints(tmp_path, frames, 0, size)
    assert main(["predict", "walk.json", "--media", "clip.mp4", "-o", "out/walk.mp4"]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_video_of_one_frame_is_said_to_have_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", (1280, 720), EVEN[:1])
    keypoints(tmp_path, 30)
    assert main(["predict", "walk.json", "--media", "clip.mp4", "-o", "out/walk.mp4"]) == 2
    assert "--media clip.mp4: has about 1 frame, the keypoints have" in capsys.readouterr().err


def test_a_video_is_of_one_clip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", (1280, 720), EVEN[:3])
    keypoints(tmp_path, 3)
    (tmp_path / "other.json").write_text((tmp_path / "walk.json").read_text())
    assert main(["predict", "walk.json", "other.json", "--media", "clip.mp4", "-o", "out/"]) == 2
    assert "--media clip.mp4: names the video of one file of keypoints" in capsys.readouterr().err
    assert main(["predict", "walk.json", "--media", "none.mp4", "-o", "out/"]) == 2
    assert "none.mp4" in capsys.readouterr().err
