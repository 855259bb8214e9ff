"""Photos, videos and cameras as upright pictures: rotation, times, colours, and every kind of bad file."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import video_files as made

from minilift.errors import InputError
from minilift.video.frame import LARGEST, Frame, Mark, fingerprint
from minilift.video.frames import camera, is_media, open_frames
from minilift.video.frames.exif import focal_of
from minilift.video.frames.turn import Turn

av = pytest.importorskip("av", reason="PyAV is not installed (the extra video)")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed (the extra video)")

RED, BLUE = 0, 2


def corners(image: np.ndarray) -> str:
    """What is at the upper left, upper right, lower right and lower left: R, B or g."""
    h, w = image.shape[:2]
    found = ""
    for y, x in ((h // 5, w // 5), (h // 5, w - w // 5), (h - h // 5, w - w // 5), (h - h // 5, w // 5)):
        pixel = image[y, x].astype(int)
        found += "g" if np.ptp(pixel) < 60 else "R" if pixel.argmax() == RED else "B"
    return found


# ---- photos ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orientation", "stands"),
    list(enumerate(("RBgg", "BRgg", "ggRB", "ggBR", "RggB", "gRBg", "gBRg", "BggR"), 1)),
)
def test_a_photo_is_turned_as_its_exif_says(orientation: int, stands: str, tmp_path: Path) -> None:
    path = made.write_photo(tmp_path / "a.jpg", made.picture(3), exif={0x0112: orientation})
    with open_frames(path) as photo:
        (frame,) = photo.frames()
    assert photo.size == ((64, 48) if orientation < 5 else (48, 64))
    assert frame.image.shape == (*photo.size[::-1], 3)
    assert frame.image.flags.c_contiguous
    assert (frame.number, frame.time, photo.still) == (0, None, True)
    assert corners(frame.image) == stands
    assert list(photo.frames(1)) == []


FULL_FRAME, IN_MM, HEIGHT = 0xA405, 0x920A, 0xA003
FOCALS: list[tuple[dict[int, Any], tuple[int, int], float | None]] = [
    ({FULL_FRAME: 36}, (3000, 2000), 3000.0),  # the shape of film: the width of 36 mm
    ({FULL_FRAME: 26}, (4032, 3024), 26 * 5040 / np.hypot(36, 24)),  # 4:3, equal diagonals
    ({FULL_FRAME: 26}, (3024, 4032), 26 * 5040 / np.hypot(36, 24)),
    ({IN_MM: 50.0, 0xA20E: 1000.0, 0xA210: 3, 0xA002: 3600, HEIGHT: 2400}, (3600, 2400), 5000.0),
    ({IN_MM: 50.0, 0xA20E: 2540.0, 0xA002: 3600, HEIGHT: 2400}, (1800, 1200), 2500.0),  # in inches; reduced
    ({FULL_FRAME: 26, 0xA002: 4032, HEIGHT: 3024}, (3024, 3024), None),  # cut to a square
    ({FULL_FRAME: 0, IN_MM: 4.2}, (4032, 3024), None),  # 0: not known
    ({FULL_FRAME: 60000}, (4032, 3024), None),
    ({FULL_FRAME: "wide", IN_MM: b"\0", 0xA20E: (1, 2)}, (4032, 3024), None),
    ({}, (4032, 3024), None),
]


@pytest.mark.parametrize(("tags", "size", "focal"), FOCALS)
def test_the_focal_length_in_pixels(tags: dict[int, Any], size: tuple[int, int], focal: float | None) -> None:
    found = focal_of(tags, size)
    assert found.pixels == (None if focal is None else pytest.approx(focal))
    assert (found.source == "") == (focal is None)


def test_a_photo_tells_its_focal_length(tmp_path: Path) -> None:
    path = made.write_photo(tmp_path / "a.jpg", made.picture(0), exif={0x0112: 6, FULL_FRAME: 28})
    photo = open_frames(path)
    assert photo.focal == pytest.approx(28 * 80 / np.hypot(36, 24))
    assert photo.focal_source == "by EXIF: 28 mm of 35 mm film"
    cut = open_frames(made.write_photo(tmp_path / "b.jpg", made.picture(0), exif={FULL_FRAME: 9999}))
    assert cut.focal is None
    assert "of no lens" in cut.notes[0]


COLOURS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "jpeg": ("a.jpg", None, {}),
    "png": ("a.png", None, {}),
    "cmyk": ("a.jpg", "CMYK", {"quality": 100}),
    "cmyk tiff": ("a.tiff", "CMYK", {}),
    "palette": ("a.png", "P", {}),
    "webp": ("a.webp", None, {"lossless": True}),
    "bmp": ("a.bmp", None, {}),
    "ycbcr": ("a.tiff", "YCbCr", {}),
    "no ending": ("a", None, {"format": "png"}),
}


@pytest.mark.parametrize("name", COLOURS)
def test_pictures_of_every_colour_space_are_rgb(name: str, tmp_path: Path) -> None:
    file, mode, options = COLOURS[name]
    path = made.write_photo(tmp_path / file, made.picture(3), mode, **options)
    (frame,) = open_frames(path).frames()
    assert (frame.image.dtype, frame.image.shape) == (np.uint8, (48, 64, 3))
    off = np.abs(frame.image.astype(int) - made.picture(3)).mean()
    assert off < (30 if name == "palette" else 3), off  # a palette of 216 colours


def test_greys_of_8_and_16_bits_and_floats(tmp_path: Path) -> None:
    grey = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    deep = {"8.png": grey, "12.png": grey.astype(np.uint16) * 16, "16.tiff": grey.astype(np.uint16) * 257}
    for name, pixels in {**deep, "f.tiff": grey.astype(np.float32) / 255}.items():
        (frame,) = open_frames(made.write_photo(tmp_path / name, pixels)).frames()
        off = np.abs(frame.image.astype(int) - grey[..., None])
        assert off.max() <= 1, (name, off.max())  # 4080 of 4095 is 254


def test_what_is_see_through_becomes_white(tmp_path: Path) -> None:
    image = np.dstack([made.picture(3), np.full((48, 64), 255, np.uint8)])
    image[:, :32, 3] = 0
    (frame,) = open_frames(made.write_photo(tmp_path / "a.png", image)).frames()
    assert (frame.image[:, :32] == 255).all()
    np.testing.assert_array_equal(frame.image[:, 32:], made.picture(3)[:, 32:])


def test_a_large_picture_is_handed_on_smaller(tmp_path: Path) -> None:
    for name, size in (("a.jpg", (9000, 600)), ("a.png", (600, 9000))):
        path = made.write_photo(tmp_path / name, made.picture(3, size))
        photo = open_frames(path)
        (frame,) = photo.frames()
        assert photo.size == size
        assert max(frame.image.shape) == LARGEST
        assert corners(frame.image) == "RBgg"


def test_a_picture_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"bomb\.png: 20000x20000 pixels, 400 million, and at most 200 mil"):
        open_frames(path)
    assert Image.MAX_IMAGE_PIXELS is not None  # the limit of others is as it was


def test_moving_pictures(tmp_path: Path) -> None:
    """A GIF that moves is a video; of other files with several pictures the first is taken, and told."""
    images = [Image.fromarray(made.picture(number)) for number in range(6)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=100)
    video = open_frames(tmp_path / "a.gif")
    assert not video.still
    assert [round(frame.time or 0, 3) for frame in video.frames()] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    images[0].save(tmp_path / "b.gif")
    assert open_frames(tmp_path / "b.gif").still
    images[0].save(tmp_path / "c.tiff", save_all=True, append_images=images[1:])
    assert open_frames(tmp_path / "c.tiff").notes == ["the first of its 6 pictures"]


def bad_photo(name: str, folder: Path) -> Path:
    whole = made.write_photo(folder / "whole.jpg", made.picture(0, (640, 480))).read_bytes()
    content = {
        "cut off": whole[: len(whole) // 2],
        "text": b"no picture at all",
        "empty": b"",
        "zeros": bytes(5000),
        "heic": b"\0\0\0\x18ftypheic" + bytes(100),
    }
    path = folder / ("a.heic" if name == "heic" else "a.jpg")
    if name == "one pixel":
        return made.write_photo(folder / "a.png", made.picture(0)[:1, :1])
    if name == "folder":
        path.mkdir()
    elif name != "missing":
        path.write_bytes(content[name])
    return path


BAD_PHOTOS = {
    "cut off": "is damaged .*copy it again",
    "text": "is no picture that can be read; save it again",
    "empty": "the file is empty",
    "zeros": "is no picture that can be read",
    "heic": "is an HEIC picture, .*pip install pillow-heif, or save it as JPEG",
    "one pixel": "1x1 pixels are too few",
    "folder": "is a folder",
    "missing": "no such file",
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_a_bad_photo_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilift.video.frames.photo._reads_heif", lambda: False)
    path = bad_photo(name, tmp_path)
    with pytest.raises(InputError, match=BAD_PHOTOS[name]) as caught:
        list(open_frames(path).frames())
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(30))
def test_a_photo_with_random_damage_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    name = ("a.jpg", "a.png", "a.tiff", "a.webp", "a.gif")[seed % 5]
    exif = {} if name == "a.gif" else {"exif": {0x0112: 6, FULL_FRAME: 28}}
    content = bytearray(made.write_photo(tmp_path / name, made.picture(0), **exif).read_bytes())
    for _ in range(1 + seed % 4):
        content[rng.integers(len(content))] = rng.integers(256)
    (tmp_path / name).write_bytes(content)
    for frame in read_or_refused(tmp_path / name):
        assert frame.image.dtype == np.uint8


def read_or_refused(path: Path) -> list[Frame]:
    """The frames of a damaged file; none where it is refused, which is the only error that may come."""
    try:
        return list(open_frames(path).frames())
    except InputError:
        return []


# ---- videos ------------------------------------------------------------------------------------------------

FORMS = {"a.mp4": "libx264", "a.mov": "mpeg4", "a.avi": "mpeg4", "a.mkv": "ffv1", "a.ts": "libx264"}


@pytest.mark.parametrize("name", FORMS)
def test_every_frame_of_a_video_with_its_number_and_time(name: str, tmp_path: Path) -> None:
    path = made.write_video(tmp_path / name, 20, codec=FORMS[name], sound=name == "a.mp4")
    with open_frames(path) as video:
        frames = list(video.frames())
    assert (video.size, video.fps, video.still, video.focal) == ((64, 48), 25.0, False, None)
    assert [frame.number for frame in frames] == list(range(20))
    assert [made.number_of(frame.image) for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.time or 0 for frame in frames], np.arange(20) / 25, atol=1e-3)
    assert all(frame.image.flags.c_contiguous for frame in frames)
    assert video.warnings == []
    assert video.count is None or abs(video.count - 20) <= 1
    assert [frame.number for frame in video.frames(17)] == [17, 18, 19]


def test_a_variable_rate_is_kept(tmp_path: Path) -> None:
    stamps = [0, 1, 2, 5, 6, 7, 11, 12, 13, 14]
    video = open_frames(made.write_video(tmp_path / "a.mp4", 10, stamps=stamps))
    times = [frame.time or 0 for frame in video.frames()]
    np.testing.assert_allclose(times, np.array(stamps) / 25, atol=1e-4)


TURNS = {
    "as it is": ((1, 0, 0, 1), "RBgg"),
    "90 clockwise": ((0, 1, -1, 0), "gRBg"),
    "180": ((-1, 0, 0, -1), "ggRB"),
    "270 clockwise": ((0, -1, 1, 0), "BggR"),
    "mirrored": ((-1, 0, 0, 1), "BRgg"),
    "upside down": ((1, 0, 0, -1), "ggBR"),
    "across": ((0, 1, 1, 0), "RggB"),
    "nothing": ((0, 0, 0, 0), "RBgg"),
    "a little": ((0.9848, 0.1736, -0.1736, 0.9848), "RBgg"),
}


@pytest.mark.parametrize("name", TURNS)
def test_a_video_is_turned_as_its_tag_says(name: str, tmp_path: Path) -> None:
    matrix, stands = TURNS[name]
    video = open_frames(made.turned(made.write_video(tmp_path / "a.mp4", 3), matrix))
    frame = next(video.frames())
    assert corners(frame.image) == stands
    assert video.size == (frame.image.shape[1], frame.image.shape[0])
    told = "its tag says to turn it by 10 degrees, and 0 are done; turn it upright first"
    assert video.warnings == ([told] if name == "a little" else [])


def test_the_turn_of_rubbish_is_none() -> None:
    for matrix in (b"", bytes(36), b"\xff" * 36):
        assert Turn.of_matrix(matrix).apply(made.picture(0)).shape == (48, 64, 3)


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    video = open_frames(made.write_video(tmp_path / "a.mp4", 2, aspect="2:1"))
    assert video.size == (128, 48)
    assert next(video.frames()).image.shape == (48, 128, 3)


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
def test_reading_goes_on_behind_any_frame_to_the_same_bits(name: str, tmp_path: Path) -> None:
    stamps = np.cumsum(np.random.default_rng(0).integers(1, 4, 40)).tolist()
    video = open_frames(made.write_video(tmp_path / name, 40, stamps=stamps))
    whole = list(video.frames())
    for start in (1, 6, 7, 23, 39, 40):
        last = whole[start - 1]
        for seen in (fingerprint(last.image), 1):  # the second is no picture of it: from the beginning then
            rest = list(video.frames(start, Mark(last.time, seen)))
            assert [frame.number for frame in rest] == list(range(start, 40))
            for a, b in zip(rest, whole[start:], strict=True):
                assert a.time == b.time
                np.testing.assert_array_equal(a.image, b.image)


def test_a_frame_is_known_by_its_picture_not_by_its_time_alone(tmp_path: Path) -> None:
    video = open_frames(made.write_video(tmp_path / "a.mp4", 40))
    whole = list(video.frames())
    elsewhere = Mark(whole[10].time, fingerprint(whole[22].image))
    rest = list(video.frames(23, elsewhere))
    assert [made.number_of(frame.image) for frame in rest] == [number % 25 for number in range(23, 40)]
    assert [frame.time for frame in rest] == [frame.time for frame in whole[23:]]


def test_going_on_does_not_decode_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video: Any = open_frames(made.write_video(tmp_path / "a.mp4", 60))
    whole = list(video.frames())
    decoded: list[Any] = []
    inner = video._decoded
    monkeypatch.setattr(
        video, "_decoded", lambda *given: (decoded.append(one) or one for one in inner(*given))
    )
    mark = Mark(whole[49].time, fingerprint(whole[49].image))
    assert len(list(video.frames(50, mark))) == 10
    assert len(decoded) < 25  # 10, and those from the key frame before, of which there is one in six


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_of_a_video_that_is_cut_off_the_whole_frames_are_read(name: str, tmp_path: Path) -> None:
    path = made.write_video(tmp_path / name, 120, codec="mpeg4", faststart="1" if name == "a.mp4" else "")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    video = open_frames(path)
    numbers = [made.number_of(frame.image) for frame in video.frames()]
    assert 30 < len(numbers) < 110
    assert numbers == [number % 25 for number in range(len(numbers))]
    (told,) = video.warnings
    assert "cut off or damaged" in told
    assert f"({len(numbers)} whole frames used)" in told


def bad_video(name: str, folder: Path) -> Path:
    path = folder / "a.mp4"
    if name == "sound":
        return made.write_sound(path)
    if name == "tiny":
        return made.write_video(path, 3, size=(16, 16))
    whole = made.write_video(path, 30).read_bytes()
    content = {
        "cut off": whole[: len(whole) // 2],
        "text": b"no video at all",
        "play list": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
        "zeros": bytes(5000),
        "codec": whole.replace(b"avc1", b"zzz9"),
        "no frames": whole[: whole.index(b"mdat") + 4] + bytes(len(whole)),
    }
    path.write_bytes(content[name])
    return path


BAD_VIDEOS = {
    "cut off": "is cut off: its list of frames, .*copy it again",
    "text": "is no video that can be read",
    "play list": "is no video that can be read",
    "zeros": "is no video that can be read",
    "codec": "nothing here decodes its pictures; convert it",
    "sound": "has no moving pictures in it, only audio; give a video",
    "tiny": "16x16 pixels are too few",
    "no frames": "copy it again",
}


@pytest.mark.parametrize("name", BAD_VIDEOS)
def test_a_bad_video_is_one_line(name: str, tmp_path: Path) -> None:
    path = bad_video(name, tmp_path)
    with pytest.raises(InputError, match=BAD_VIDEOS[name]) as caught:
        list(open_frames(path).frames())
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def all_of(kind: type) -> list[type]:
    return [kind, *(one for below in kind.__subclasses__() for one in all_of(below))]


@pytest.mark.parametrize("kind", all_of(av.FFmpegError))
def test_whatever_the_library_raises_is_one_line(
    kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not all of them are a ValueError or an OSError: the end of a file, a decoder that is not there."""

    def fails(*given: Any, **options: Any) -> Any:
        raise kind(541478725, "End of file", "a.mp4")

    video = open_frames(made.write_video(tmp_path / "a.mp4", 12))
    monkeypatch.setattr(av, "open", fails)
    with pytest.raises(InputError, match=r"a\.mp4: is cut off: .*copy it again"):
        list(video.frames())
    assert camera._by_system(0) is None
    (tmp_path / "b.mkv").write_bytes(b"a header and no more")
    with pytest.raises(InputError, match=r"b\.mkv: is no video that can be read \(.*copy it again"):
        open_frames(tmp_path / "b.mkv")


def test_a_header_and_no_more_is_one_line(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(InputError, match=r"a\.mkv: .*copy it again"):
        open_frames(tmp_path / "a.mkv")


@pytest.mark.parametrize("form", ["#EXTM3U\n#EXTINF:1,\n{}\n", "ffconcat version 1.0\nfile {}\n"])
@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_nothing_is_fetched_that_a_play_list_names(name: str, form: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        (tmp_path / name).write_text(form.format(address))
        with pytest.raises(InputError):
            open_frames(tmp_path / name)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_an_empty_track_has_no_frames(tmp_path: Path) -> None:
    """A file whose list of frames is whole, and of which every frame is rubbish."""
    path = made.write_video(tmp_path / "a.mp4", 12)
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start : start + int.from_bytes(content[start - 8 : start - 4], "big") - 8] = bytes(
        int.from_bytes(content[start - 8 : start - 4], "big") - 8
    )
    path.write_bytes(content)
    with pytest.raises(InputError, match="has no picture that can be decoded"):
        open_frames(path)


@pytest.mark.parametrize("seed", range(12))
def test_a_video_with_random_damage_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    path = made.write_video(tmp_path / ("a.mp4", "a.avi", "a.mkv")[seed % 3], 30, codec="mpeg4")
    content = bytearray(path.read_bytes())
    for at in rng.integers(len(content), size=1 + 5 * (seed % 3)):
        content[at] = rng.integers(256)
    path.write_bytes(content)
    frames = read_or_refused(path)
    times = [frame.time or 0 for frame in frames]
    assert times == sorted(set(times))
    assert len({frame.image.shape for frame in frames}) <= 1


# ---- cameras, and which files are media --------------------------------------------------------------------


def test_a_camera_gives_frames_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "device_of", lambda number: ("testsrc=size=64x48:rate=30", "lavfi"))
    with open_frames("camera:0") as found:
        frames = [frame for _, frame in zip(range(3), found.frames(), strict=False)]
    assert (found.size, found.fps, found.count, found.still) == ((64, 48), 30.0, None, False)
    assert [frame.number for frame in frames] == [0, 1, 2]
    times = [frame.time for frame in frames]
    assert times == sorted(times)  # type: ignore[type-var]
    assert frames[0].image.shape == (48, 64, 3)


def test_no_camera_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "device_of", lambda number: (f"/nowhere/video{number}", "v4l2"))
    monkeypatch.setattr(camera, "_by_opencv", lambda number: None)
    with pytest.raises(InputError, match=r"^camera:7: there is no camera .*such as camera:1$"):
        open_frames("camera:7")


def test_which_files_are_media(tmp_path: Path) -> None:
    made.write_photo(tmp_path / "photo", made.picture(0), format="png")
    made.write_video(tmp_path / "v.mp4", 2).rename(tmp_path / "video")
    (tmp_path / "text").write_text("nothing")
    files = ("a.JPG", "b.mp4", "camera:0", tmp_path / "photo", tmp_path / "video")
    others = ("a.json", "a.npz", "camera:x", tmp_path / "text", tmp_path / "nowhere", tmp_path)
    assert [is_media(path) for path in (*files, *others)] == [True] * len(files) + [False] * len(others)
    with pytest.raises(InputError, match="is neither a picture nor a video"):
        open_frames(tmp_path / "text")


def test_without_the_library_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    path = made.write_video(tmp_path / "a.mp4", 2)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"a\.mp4 needs PyAV: pip install 'minilift\[video\]'$"):
        open_frames(path)
