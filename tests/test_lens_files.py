"""Camera files of every kind give the camera that is in them; others give one line that says why not."""

from __future__ import annotations

import contextlib
import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.poses.lens.camera import Camera
from minilift.poses.lens.files import load_camera
from minilift.poses.lens.texts import LARGEST

OPENCV_YAML = """%YAML:1.0
---
calibration_Time: "Thu 01 Jan 1970 00:00:00"
image_width: 1280
image_height: 720
flags: 0
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 1.0000000000000000e+03, 0., 6.3000000000000000e+02, 0.,
       1.0100000000000000e+03, 3.5500000000000000e+02, 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 5
   cols: 1
   dt: d
   data: [ -.2, 5.e-02, 1.e-03, -5.e-04, 1.e-02 ]
avg_reprojection_error: 2.4e-01
"""

OPENCV_XML = """<?xml version="1.0"?>
<opencv_storage>
<!-- made by hand -->
<image_width>1280</image_width>
<image_height>720</image_height>
<camera_matrix type_id="opencv-matrix">
  <rows>3</rows>
  <cols>3</cols>
  <dt>d</dt>
  <data>
    1000. 0. 630. 0. 1010. 355. 0. 0. 1.</data></camera_matrix>
<distortion_coefficients type_id="opencv-matrix">
  <rows>1</rows>
  <cols>5</cols>
  <dt>d</dt>
  <data>
    -0.2 0.05 0.001 -0.0005 0.01</data></distortion_coefficients>
</opencv_storage>
"""

ROS_YAML = """image_width: 1280
image_height: 720
camera_name: head_camera
camera_matrix:
  rows: 3
  cols: 3
  data: [1000.0, 0.0, 630.0, 0.0, 1010.0, 355.0, 0.0, 0.0, 1.0]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.2, 0.05, 0.001, -0.0005, 0.01]
projection_matrix:
  rows: 3
  cols: 4
  data: [980.0, 0.0, 630.0, 0.0, 0.0, 990.0, 355.0, 0.0, 0.0, 0.0, 1.0, 0.0]
"""

LISTS_YAML = """# made by a script
image_size: [1280, 720]
K:
- [1000.0, 0.0, 630.0]
- [0.0, 1010.0, 355.0]
- - 0.0
  - 0.0
  - 1.0
dist: [[-0.2, 0.05, 0.001, -0.0005, 0.01]]  # k1 k2 p1 p2 k3
"""

POSE2SIM = """[cam_01]
name = "cam_01"
size = [ 1280.0, 720.0]
matrix = [ [ 1000.0, 0.0, 630.0], [ 0.0, 1010.0, 355.0], [ 0.0, 0.0, 1.0]]
distortions = [ -0.2, 0.05, 0.001, -0.0005]
rotation = [ 0.9, 0.9, -1.3]
translation = [ 0.2, 1.1, 5.1]
fisheye = false

[cam_02]
name = "cam_02"
size = [ 1280.0, 720.0]
matrix = [ [ 1100.0, 0.0, 640.0], [ 0.0, 1100.0, 360.0], [ 0.0, 0.0, 1.0]]
distortions = [ 0.0, 0.0, 0.0, 0.0]
fisheye = false

[metadata]
adjusted = false
error = 0.0
"""

OPENCV_JSON = {
    "image_width": 1280,
    "image_height": 720,
    "camera_matrix": {
        "type_id": "opencv-matrix", "rows": 3, "cols": 3, "dt": "d",
        "data": [1000.0, 0.0, 630.0, 0.0, 1010.0, 355.0, 0.0, 0.0, 1.0],
    },
    "distortion_coefficients": {
        "type_id": "opencv-matrix", "rows": 1, "cols": 5, "dt": "d",
        "data": [-0.2, 0.05, 0.001, -0.0005, 0.01],
    },
}  # fmt: skip
LENS = {"k1": -0.2, "k2": 0.05, "p1": 0.001, "p2": -0.0005, "k3": 0.01}
FLAT = {"fx": 1000, "fy": 1010, "cx": 630, "cy": 355, "width": 1280, "height": 720, **LENS}
MATRIX = {
    "K": [[1000, 0, 630], [0, 1010, 355], [0, 0, 1]],
    "dist": [-0.2, 0.05, 0.001, -0.0005, 0.01],
    "size": [1280, 720],
}
PANOPTIC = {"cameras": [{"name": "00_00", **MATRIX}, {"name": "00_01", **MATRIX}]}

GOOD = {
    "cv.yml": (OPENCV_YAML, None),
    "cv.xml": (OPENCV_XML, None),
    "ros.yaml": (ROS_YAML, None),
    "lists.yaml": (LISTS_YAML, None),
    "cv.json": (json.dumps(OPENCV_JSON), None),
    "flat.json": (json.dumps(FLAT), None),
    "matrix.json": (json.dumps(MATRIX), None),
    "nested.json": (json.dumps({"camera": {**MATRIX, "dist": LENS}}), None),
    "panoptic.json": (json.dumps(PANOPTIC), "00_01"),
    "no-ending": (OPENCV_YAML, None),
}


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", GOOD)
def test_every_kind_of_file_gives_the_same_camera(tmp_path: Path, name: str) -> None:
    text, camera = GOOD[name]
    found = load_camera(written(tmp_path, name, text), (1280, 720), camera)
    assert (found.fx, found.fy, found.cx, found.cy) == (1000, 1010, 630, 355)
    assert found.distortion == (-0.2, 0.05, 0.001, -0.0005, 0.01)
    assert found.size == (1280, 720)
    assert name in found.source


toml = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 has no tomllib; the extra `camera` brings one"
)


@toml
def test_a_toml_of_several_cameras_asks_which(tmp_path: Path) -> None:
    path = written(tmp_path, "Calib.toml", POSE2SIM)
    with pytest.raises(InputError, match=r"Calib.toml: has 2 cameras: cam_01, cam_02; choose one .*#cam_01"):
        load_camera(path)
    found = load_camera(path, camera="cam_01")
    assert (found.fx, found.cy, found.distortion) == (1000, 355, (-0.2, 0.05, 0.001, -0.0005, 0.0))
    assert found.source == "Calib.toml, cam_01"
    assert load_camera(f"{path}#cam_02").fx == 1100
    with pytest.raises(InputError, match="has no camera 'cam_03'; it has cam_01, cam_02"):
        load_camera(f"{path}#cam_03")
    odd = written(tmp_path, "a#b.toml", POSE2SIM)  # a name with # in it is the file's own
    assert load_camera(odd, camera="cam_02").fx == 1100


def test_a_camera_for_another_size_is_scaled_or_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "cam.yml", OPENCV_YAML)
    half = load_camera(path, (640, 360))
    assert (half.fx, half.cy, half.size) == (500, 177.5, (640, 360))
    assert "scaled by 0.5 to 640x360" in half.source
    with pytest.raises(InputError, match="pictures of 1280x720, and these have 720x1280"):
        load_camera(path, (720, 1280))
    unsized = written(tmp_path, "k.json", json.dumps({"fx": 900, "fy": 900, "cx": 960, "cy": 540}))
    assert load_camera(unsized, (1920, 1080)).size == (1920, 1080)
    with pytest.raises(InputError, match=r"640x480: its principal point \(960, 540\) lies outside"):
        load_camera(unsized, (640, 480))


def test_what_is_left_out_is_the_middle_and_no_distortion(tmp_path: Path) -> None:
    path = written(tmp_path, "f.json", json.dumps({"focal": 800, "size": [640, 480]}))
    found = load_camera(path)
    assert (found.fx, found.fy, found.cx, found.cy) == (800, 800, 320, 240)
    assert not any(found.distortion)
    assert found.source == "f.json, which gives no distortion"
    with pytest.raises(InputError, match=r"fx 1.2: is too short for pixels: a share of the picture's width"):
        load_camera(written(tmp_path, "k.json", '{"fx": 1.2, "fy": 1.2, "cx": 0.5, "cy": 0.5}'))
    with pytest.raises(InputError, match="neither cx and cy nor the size"):
        load_camera(written(tmp_path, "f2.json", '{"focal": 800}'))


def test_eight_coefficients_are_the_rational_model(tmp_path: Path) -> None:
    lens = [-0.3, 0.1, 1e-3, 1e-3, 0.02, 0.15, -0.05, 0.01]
    path = written(tmp_path, "c.json", json.dumps({**MATRIX, "dist": lens}))
    assert load_camera(path).distortion == tuple(lens)
    # OpenCV writes 14 where flags ask for it; what is unused is 0
    path = written(tmp_path, "c.json", json.dumps({**MATRIX, "dist": [*lens, 0, 0, 0, 0, 0, 0]}))
    assert load_camera(path).distortion == tuple(lens)


def test_what_a_camera_says_of_itself_is_a_camera_file(tmp_path: Path) -> None:
    camera = Camera(1000, 1010, 640, 360, (-0.2, 0.05, 0, 0, 0), (1280, 720), "given")
    again = load_camera(written(tmp_path, "c.json", json.dumps(camera.as_dict())))
    assert {**again.as_dict(), "source": ""} == {**camera.as_dict(), "source": ""}


BAD = {
    "empty": ("", "the file is empty"),
    "blank": ("\n \n", "has nothing in it"),
    "broken JSON": ('{"fx": 1000,', "is broken"),
    "no camera": ('{"people": []}', "has no camera"),
    "a list": ("[1, 2, 3]", "has no camera"),
    "a number": ("7", "is no `name: value`"),
    "NaN": (json.dumps({**FLAT, "fx": float("nan")}), "fx nan"),
    "infinite": (json.dumps({**FLAT, "cx": float("inf")}), "cx inf"),
    "zero focal": (json.dumps({**FLAT, "fy": 0}), "fy 0.0: a focal length in pixels must be more than 0"),
    "negative focal": (json.dumps({**FLAT, "fx": -1000}), "fx -1000"),
    "rays in disguise": (json.dumps({"K": [[1, 0, 0], [0, -1e-9, 0], [0, 0, 1]]}), "fx 1.0: is too short"),
    "negative size": (json.dumps({**FLAT, "width": -1280}), "size"),
    "half pixels": (json.dumps({**FLAT, "width": 1280.5}), "whole numbers"),
    "huge": (json.dumps({**FLAT, "k1": 1e300}), "distortion"),
    "huge integer": ('{"fx": ' + "9" * 400 + "}", "number"),
    "words": (json.dumps({**FLAT, "fx": "wide"}), "fx is 'wide', no number"),
    "true": (json.dumps({**FLAT, "fx": True}), "no number"),
    "missing fy": (json.dumps({"fx": 1000, "cx": 1, "cy": 1}), "fy is missing"),
    "skewed": (json.dumps({**MATRIX, "K": [[1000, 5, 630], [0, 1010, 355], [0, 0, 1]]}), "camera matrix"),
    "a projection": (json.dumps({"P": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]}), "has no camera"),
    "seven": (json.dumps({**MATRIX, "dist": [0.1] * 7}), "has 7 numbers"),
    "thin prism": (json.dumps({**MATRIX, "dist": [0.1] * 12}), "has 12 numbers"),
    "fisheye flag": (json.dumps({**MATRIX, "fisheye": True}), "has a fisheye lens; undistort its pictures"),
    "equidistant": (ROS_YAML.replace("plumb_bob", "equidistant"), "has the lens model equidistant"),
    "OPENCV_FISHEYE": (json.dumps({**MATRIX, "camera_model": "OPENCV_FISHEYE"}), "lens model OPENCV_FISHEYE"),
    "omnidirectional": (json.dumps({**MATRIX, "xi": 1.2}), "omnidirectional"),
    "deep JSON": ('{"a":' * 100_000, "nested too deeply"),
    "deep YAML": ("a: " + "[" * 100_000, "nested too deeply"),
    "deep lines": ("".join(" " * i + "a:\n" for i in range(400)), "nested too deeply"),
    "deep dashes": ("- " * 100_000, "nested too deeply"),
    "deep XML": ("<a>" * 100_000 + "</a>" * 100_000, "nested too deeply"),
    "unclosed": ("camera_matrix: [1, 2, 3", "do not close"),
    "YAML bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "begins with &"),
    "YAML object": ("a: !!python/object/apply:os.system [ls]\n", "has the tag !!python"),
    "XML bomb": ('<!DOCTYPE x [<!ENTITY a "aa">]><x>&a;</x>', "has a document type"),
    "indented": ("a: 1\n     b: 2\n", "line 2 is indented"),
    "too large": ("a: 1\n" * (LARGEST // 5 + 1), "is larger than 1 MB"),
    "binary": (bytes(range(256)) * 4, "no.* camera file"),
    "zeros": (b"\0" * 64, "a camera file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(64), "is a PNG picture, not a camera file"),
    "a pickle": (b"\x80\x04}\x94.", "is a pickle, not a camera file"),
    "a page": ("<!DOCTYPE html><html></html>", "is an HTML page"),
}


@pytest.mark.parametrize("name", BAD)
def test_other_files_say_what_is_wrong(tmp_path: Path, name: str) -> None:
    text, told = BAD[name]
    path = written(tmp_path, "camera", text)
    with pytest.raises(InputError, match=told) as caught:
        load_camera(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_no_beginning_of_a_good_file_crashes(tmp_path: Path) -> None:
    for text in (OPENCV_YAML, OPENCV_XML, json.dumps(OPENCV_JSON), POSE2SIM):
        for length in range(1, len(text), 7):
            with contextlib.suppress(InputError):
                load_camera(written(tmp_path, "part", text[:length]))


@pytest.mark.parametrize("seed", range(8))
def test_damage_gives_a_camera_or_a_line(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    for text in (OPENCV_YAML, OPENCV_XML, LISTS_YAML, json.dumps(FLAT), POSE2SIM, json.dumps(PANOPTIC)):
        for _ in range(25):
            content = bytearray(text.encode())
            for _ in range(rng.choice((1, 1, 2, 10))):
                place = rng.randrange(len(content))
                content[place : place + rng.choice((0, 1, 5))] = rng.choice(
                    (
                        b"",
                        b"\0",
                        b"9",
                        b"[",
                        b"]",
                        b"{",
                        b"\n",
                        b"- ",
                        b"\xff",
                        b"&",
                        b"e999",
                        b"-",
                        b"nan",
                        b": ",
                    )
                )
            path = written(tmp_path, "damaged", bytes(content))
            with contextlib.suppress(InputError):
                camera = load_camera(path)
                assert np.isfinite([camera.fx, camera.fy, camera.cx, camera.cy, *camera.distortion]).all()
                assert camera.fx > 0
                assert camera.fy > 0


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.yml: no such file"):
        load_camera(tmp_path / "nowhere.yml")
