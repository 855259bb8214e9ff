"""MediaPipe's networks on pictures, where MediaPipe's wheel and LiteRT are installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from minilift.errors import InputError
from minilift.video.detect import open_detector
from minilift.video.detect.mediapipe import MediaPipe, networks
from minilift.video.frame import Frame

pytest.importorskip("ai_edge_litert", reason="LiteRT runs the networks: pip install 'minilift[video]'")
if importlib.util.find_spec("mediapipe") is None:
    pytest.skip("MediaPipe's wheel has the networks: pip install 'minilift[video]'", allow_module_level=True)


def photo(name: str) -> np.ndarray:
    """A picture that the package ultralytics ships."""
    found = importlib.util.find_spec("ultralytics")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the pictures of people are those of the package ultralytics")
    path = Path(found.submodule_search_locations[0]) / "assets" / name
    image = pytest.importorskip("PIL.Image").open(path).convert("RGB")
    return np.asarray(image)


def middles(people: list) -> np.ndarray:  # type: ignore[type-arg]
    """The mid-hips, from left to right."""
    hips = np.array([person.xy[[23, 24]].mean(axis=0) for person in people])
    return hips[np.argsort(hips[:, 0])]


def test_the_people_in_front_of_the_bus() -> None:
    """Both who are whole; of the two whom the edges cut, one has no head and one no more than an arm."""
    found = open_detector(still=True)(Frame(0, None, photo("bus.jpg")))
    assert np.abs(middles(found) - [(125, 642), (285, 620)]).max() < 15
    assert all(person.weight is not None and person.weight > 0.95 for person in found)
    assert all(person.score[[11, 12, 23, 24]].min() > 0.9 for person in found)


def test_half_a_person_has_no_sure_legs() -> None:
    found = open_detector(still=True)(Frame(0, None, photo("zidane.jpg")))
    assert len(found) == 2
    assert all(person.score[25:].max() < 0.2 for person in found)


def test_a_video_is_followed_and_begins_anew_with_the_same_bits() -> None:
    bus, detector = photo("bus.jpg"), open_detector(still=False)
    frames = [Frame(i, i / 30, np.ascontiguousarray(np.roll(bus, 4 * i, axis=1))) for i in range(6)]
    first = [detector(frame) for frame in frames]
    assert all(len(people) == 2 for people in first)
    steps = np.diff([middles(people) for people in first], axis=0)[:, :, 0]
    assert np.abs(steps - 4).max() < 10
    detector.reset()  # type: ignore[attr-defined]
    again = [detector(frame) for frame in frames]
    for one, other in zip(first, again, strict=True):
        assert [(a.xy.tobytes(), a.score.tobytes()) for a in one] == [
            (b.xy.tobytes(), b.score.tobytes()) for b in other
        ]


def test_another_one_goes_on_with_what_it_remembered_to_the_same_bits() -> None:
    bus, first = photo("bus.jpg"), MediaPipe(None, False)
    frames = [Frame(i, i / 30, np.ascontiguousarray(np.roll(bus, 4 * i, axis=1))) for i in range(6)]
    known = b""
    for i, frame in enumerate(frames):
        people = first(frame)
        known = first.remembered() if i == 2 else known
    again = MediaPipe(None, False)
    again.recall(known)
    others = [again(frame) for frame in frames[3:]][-1]
    assert len(people) == len(others) == 2
    assert all(a.xy.tobytes() == b.xy.tobytes() for a, b in zip(people, others, strict=True))
    assert first.remembered() == again.remembered()


def test_the_number_of_threads_changes_no_bit() -> None:
    frame = Frame(0, None, photo("bus.jpg")[300:950, :450])
    one, two = (MediaPipe(None, True, threads)(frame) for threads in (1, 2))
    assert len(one) == 2
    assert all(a.xy.tobytes() == b.xy.tobytes() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (700, 1), (480, 640), (40, 4096)])
def test_pictures_of_nobody(size: tuple[int, int], still: bool) -> None:
    detector = open_detector(still=still)
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    for number, image in enumerate((np.zeros((*size, 3), np.uint8), noise, noise // 100)):
        assert detector(Frame(number, None, image)) == []
    detector.close()


def test_networks_of_a_task_file(tmp_path: Path) -> None:
    """Google's .task is a zip file of the two networks."""
    find, place = networks(None)
    with zipfile.ZipFile(tmp_path / "own.task", "w") as file:
        file.writestr("pose_detector.tflite", find.content)
        file.writestr("pose_landmarks_detector.tflite", place.content)
    own = open_detector(model=tmp_path / "own.task", still=True)
    assert own.name == open_detector(still=True).name
    with zipfile.ZipFile(tmp_path / "swapped.task", "w") as file:
        file.writestr("pose_detector.tflite", place.content)
        file.writestr("pose_landmarks_detector.tflite", find.content)
    with pytest.raises(InputError, match=r"pose_detector\.tflite: takes .*256.*; it is another network"):
        open_detector(model=tmp_path / "swapped.task", still=True)
    for content in (b"\0" * 100, find.content[: len(find.content) // 2]):
        with zipfile.ZipFile(tmp_path / "damaged.task", "w") as file:
            file.writestr("pose_detector.tflite", content)
            file.writestr("pose_landmarks_detector.tflite", content)
        with pytest.raises(InputError, match="not a TensorFlow Lite network, or damaged"):
            open_detector(model=tmp_path / "damaged.task", still=True)


def test_nothing_is_said_and_nothing_heavy_imported() -> None:
    """Of MediaPipe only the files are used: it would bring JAX, and OpenCV, which needs libraries of X11."""
    code = (
        "import sys, numpy as np\n"
        "from minilift.video.detect import open_detector\n"
        "from minilift.video.frame import Frame\n"
        "open_detector(still=True)(Frame(0, None, np.zeros((300, 300, 3), np.uint8)))\n"
        "print([name for name in ('mediapipe', 'cv2', 'jax', 'matplotlib') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
