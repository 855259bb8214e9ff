"""RTMO, YOLOX and RTMPose: small networks of the same form, made here, that answer for what they see."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.video.detect import open_detector
from minilift.video.detect.boxes import best, cells, people_of
from minilift.video.detect.simcc import joints, shown
from minilift.video.frame import Frame

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytest.importorskip("PIL")
from onnx_people import constant, rtmo, rtmpose

SPOT = (150, 90)
TWO = np.array([[10, 10, 40, 60, 0.9], [11, 10, 41, 60, 0.8], [44, 5, 60, 60, 0.7], [0, 0, 9, 9, 0.3]])


def picture(colour: tuple[int, int, int], spot: tuple[int, int] = SPOT) -> Frame:
    """A dark picture of 320 x 240 with a spot of 8 x 8 pixels, its middle at `spot`."""
    image = np.zeros((240, 320, 3), np.uint8)
    x, y = spot
    image[y - 4 : y + 4, x - 4 : x + 4] = colour
    return Frame(0, None, image)


def folder(path: Path, finder: bytes, poser: bytes) -> Path:
    path.mkdir()
    (path / "a.onnx").write_bytes(poser)
    (path / "b.onnx").write_bytes(finder)
    return path


def raw(count: int = 84, kinds: int = 1) -> np.ndarray:
    """What the 84 cells of a picture of 64 x 64 say: nothing."""
    answer = np.zeros((1, count, 5 + kinds))
    answer[:, :, 4:] = 0.01
    return answer


def test_rtmo_finds_two_people_and_the_spot(tmp_path: Path) -> None:
    (tmp_path / "rtmo.onnx").write_bytes(rtmo(TWO))
    detector = open_detector("rtmlib", tmp_path / "rtmo.onnx", still=True)
    found = detector(picture((0, 0, 255)))  # blue: it sees BGR
    assert [person.weight for person in found] == pytest.approx([0.9, 0.7])
    for person in found:
        assert person.xy.shape == (17, 2)
        assert np.abs(person.xy - SPOT).max() <= 6  # a pixel of the network's are 5
        assert person.score == pytest.approx(0.75)
        assert not person.missing.any()
    assert detector.layout.name == "coco17"
    assert np.abs(detector(picture((255, 0, 0)))[0].xy - SPOT).max() > 50  # red is no blue


@pytest.mark.parametrize(("count", "name"), [(17, "coco17"), (26, "halpe26"), (133, "coco_wholebody133")])
def test_rtmpose_finds_the_spot_in_the_box(tmp_path: Path, count: int, name: str) -> None:
    """The box is 100 to 220 across and 40 to 200 down, of a network's picture a fifth as large."""
    box = np.array([[[20, 8, 44, 40, 0.9], [21, 8, 44, 40, 0.8], [1, 1, 9, 9, 0.4]]])
    path = folder(tmp_path / "two", constant({"dets": box}), rtmpose(count))
    detector = open_detector("rtmlib", path, still=False)
    assert detector.layout.name == name
    person, *others = detector(picture((255, 0, 0)))
    assert not others
    assert person.weight == pytest.approx(0.9)
    assert np.abs(person.xy - SPOT).max() < 5  # a pixel of the network's are 3.1
    assert person.score == pytest.approx(1, abs=0.01)
    blue = detector(picture((0, 0, 255)))[0]
    assert blue.score.max() < 1e-6  # it sees RGB


def test_a_box_at_the_edge_and_a_spot_in_the_corner(tmp_path: Path) -> None:
    box = np.array([[[-4, -4, 8, 12, 0.9]]])
    path = folder(tmp_path / "two", constant({"dets": box}), rtmpose())
    detector = open_detector("rtmlib", path, still=True)
    assert np.abs(detector(picture((255, 0, 0), (4, 4)))[0].xy - 4).max() < 5
    nowhere = folder(tmp_path / "off", constant({"dets": np.array([[[904, 904, 944, 964, 0.9]]])}), rtmpose())
    assert open_detector("rtmlib", nowhere, still=True)(picture((255, 0, 0)))[0].score.max() < 1e-6


def test_a_pixel_of_the_piece_is_where_the_joint_says_it_is() -> None:
    """In a picture whose red is the column and whose green is the row."""
    image = np.zeros((200, 250, 3), np.uint8)
    image[:, :, 0], image[:, :, 1] = np.arange(250), np.arange(200)[:, None]
    where = np.array([30.0, 20.0, 120.0, 160.0])
    seen = shown(image, where, 64, 48) * (58.395, 57.12, 57.375) + (123.675, 116.28, 103.53)
    columns, rows = 30 + 2.5 * np.arange(48), 20 + 2.5 * np.arange(64)
    assert np.abs(seen[:, :, 0] - columns).max() < 0.6
    assert np.abs(seen[:, :, 1] - rows[:, None]).max() < 0.6
    across, down = np.eye(48)[[7]], np.eye(64)[[9]]
    xy, score = joints(across, down, where)
    assert xy[0] == pytest.approx([columns[7], rows[9]])
    assert score[0] == 1


def test_boxes_of_the_cells_and_of_kinds(tmp_path: Path) -> None:
    corners, sizes = cells(64, 64)
    assert corners.shape == (84, 2)
    assert sizes[[0, 63, 64, 83], 0].tolist() == [8, 8, 16, 32]
    answer = raw(kinds=2)
    answer[0, 70] = [0.5, 0.25, np.log(2), np.log(3), 0.9, 0.9, 0.1]  # the third row of the cells of 16
    answer[0, 71] = [0.5, 0.25, 0, 0, 0.9, 0.1, 0.9]  # of another kind
    boxes, score = people_of(answer[0], 64, 64) or (None, None)
    assert boxes is not None
    assert score is not None
    middle = (corners[70] + (0.5, 0.25)) * 16
    assert boxes[70] == pytest.approx([middle[0] - 16, middle[1] - 24, middle[0] + 16, middle[1] + 24])
    assert best(boxes, score, 0.5, 0.45).tolist() == [70]
    assert people_of(answer[0, :80], 64, 64) is None
    assert people_of(answer[0, :, :4], 64, 64) is None
    kinds = {"dets": np.array([[[20, 8, 44, 40, 0.9], [0, 0, 20, 40, 0.8]]]), "labels": np.array([[2, 0]])}
    path = folder(tmp_path / "kinds", constant(kinds), rtmpose())
    assert [one.weight for one in open_detector("rtmlib", path, still=True)(picture((255, 0, 0)))] == [
        pytest.approx(0.8)
    ]
    path = folder(tmp_path / "cells", constant({"raw": answer}), rtmpose())
    assert [one.weight for one in open_detector("rtmlib", path, still=True)(picture((255, 0, 0)))] == [
        pytest.approx(0.81)
    ]


def test_the_same_area_is_kept_once() -> None:
    assert best(TWO[:, :4], TWO[:, 4], 0.5, 0.45).tolist() == [0, 2]
    assert best(TWO[:, :4], TWO[:, 4], 0.5, 0.99).tolist() == [0, 1, 2]
    assert best(TWO[:, :4] * np.nan, TWO[:, 4], 0.5, 0.45).tolist() == []
    assert best(TWO[:0, :4], TWO[:0, 4], 0.5, 0.45).tolist() == []


def test_the_zip_file_as_it_is_fetched(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rtmo.zip", "w") as file:
        file.writestr("20231211/rtmo/end2end.onnx", rtmo(TWO))
        file.writestr("20231211/rtmo/pipeline.json", "{}")
    (tmp_path / "rtmo.onnx").write_bytes(rtmo(TWO))
    zipped, plain = (
        open_detector("rtmlib", tmp_path / name, still=True) for name in ("rtmo.zip", "rtmo.onnx")
    )
    assert zipped.name == plain.name
    assert np.array_equal(zipped(picture((0, 0, 255)))[0].xy, plain(picture((0, 0, 255)))[0].xy)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2)])
def test_pictures_of_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    frame = Frame(0, None, np.full((*size, 3), 90, np.uint8))
    path = folder(tmp_path / "two", constant({"dets": np.array([[[0, 0, 64, 64, 0.9]]])}), rtmpose())
    (tmp_path / "rtmo.onnx").write_bytes(rtmo(TWO))
    for model in (path, tmp_path / "rtmo.onnx"):
        detector = open_detector("rtmlib", model, still=True)
        assert all(np.isfinite(person.xy).all() for person in detector(frame))
        detector.close()


GOOD = {"dets": TWO[None], "keypoints": np.zeros((1, 4, 17, 3))}
BAD = {
    "no onnx": (b"\x08\x07 no network at all", "not an ONNX network, or damaged; fetch it again"),
    "cut": (rtmo(TWO)[:-200], "not an ONNX network, or damaged"),
    "empty": (b"", "the file is empty"),
    "a page": (b"<html>not found</html>", "not an ONNX network, or damaged"),
    "broken zip": (b"PK\x03\x04 and so on", "a damaged .zip file"),
    "grey": (constant(GOOD, colours=1), r"takes input \['batch', 1, 64, 64\].*, not one float picture"),
    "one answer": (constant({"dets": TWO[None]}), r"gives \[1, 4, 5\], not \[1, n, 5\] and \[1, n, J, 3\]"),
    "six numbers": (
        constant({**GOOD, "dets": np.zeros((1, 4, 6))}),
        r"gives \[1, 4, 6\], \[1, 4, 17, 3\], not",
    ),
    "joints": (
        constant({**GOOD, "keypoints": np.zeros((1, 4, 19, 3))}),
        r"gives 19 joints, and the layouts known are 17 \(coco17\), 26",
    ),
    "pose alone": (
        rtmpose(),
        r"gives \[1, 17, 96\], \[1, 17, 128\], not .*; give RTMO, or YOLOX and RTMPose",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_no_such_network(tmp_path: Path, name: str) -> None:
    content, problem = BAD[name]
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(InputError, match=rf"bad\.onnx: .*{problem}") as error:
        open_detector("rtmlib", tmp_path / "bad.onnx", still=True)
    assert "\n" not in str(error.value)


def test_folders_that_are_no_pair(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"detector=rtmlib: has no networks of its own; give model=FILE: RTMO"
    ):
        open_detector("rtmlib", still=True)
    with pytest.raises(InputError, match=r"a folder with 0 \.onnx or \.zip files, not two: YOLOX"):
        open_detector("rtmlib", tmp_path, still=True)
    with pytest.raises(InputError, match=r"none\.onnx: no such file"):
        open_detector("rtmlib", tmp_path / "none.onnx", still=True)
    boxes = constant({"dets": TWO[None]})
    for name, pair in (("boxes", (boxes, boxes)), ("poses", (rtmpose(), rtmpose()))):
        with pytest.raises(InputError, match="neither or both of them are RTMPose"):
            open_detector("rtmlib", folder(tmp_path / name, *pair), still=True)
    wrong = folder(tmp_path / "wrong", constant({"raw": raw(83)}), rtmpose())
    with pytest.raises(InputError, match=r"b\.onnx: gives \[1, 83, 6\], not \[1, n, 5\] or \[1, cells, 6\]"):
        open_detector("rtmlib", wrong, still=True)


def test_a_network_that_fails_while_it_runs(tmp_path: Path) -> None:
    """It leaves the size of the picture open, and cannot take that which RTMO usually has."""
    content = constant({**GOOD, "dets": np.zeros((1, 4, 5))}, side=(64, "width"))
    (tmp_path / "open.onnx").write_bytes(content)
    assert open_detector("rtmlib", tmp_path / "open.onnx", still=True)(picture((0, 0, 255))) == []
    nodes_fail = rtmpose(height=64, width=48).replace(b"row_x", b"row_y")  # reshapes to another size
    path = folder(tmp_path / "fails", constant({"dets": TWO[None]}), nodes_fail)
    with pytest.raises(InputError, match=r"a\.onnx: (ONNX Runtime cannot run it|not an ONNX network)"):
        open_detector("rtmlib", path, still=True)
