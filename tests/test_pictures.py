"""Files of pictures: what is read, and one line for what cannot be."""

from __future__ import annotations

import gzip
import io
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import IMAGES
from picture_files import POINTS, cifar, idx, idx_pair, points_csv, zipped_csv
from raw_files import mutations

from minilift.errors import InputError
from minilift.images.pictures import Pictures, PointPictures, padded
from minilift.images.read.cifar import CLASSES, read_batch, read_cifar10
from minilift.images.read.folder import find_pictures, read_folder, read_picture
from minilift.images.read.idx import GARMENTS, read_idx, read_idx_pictures, read_mnist
from minilift.images.read.points_csv import read_points_csv


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(read: Callable[[], object], *told: str) -> None:
    """It raises an InputError of one line that says all of this."""
    with pytest.raises(InputError) as caught:
        read()
    line = str(caught.value)
    assert "\n" not in line
    assert ";" in line, "a remedy"
    for words in told:
        assert words in line


# ---- IDX -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("packed", [False, True])
def test_idx_pictures_are_read_with_their_labels(packed: bool) -> None:
    images, labels, pixels, numbers = idx_pair()
    for part, content in (("train-images-idx3", images), ("train-labels-idx1", labels)):
        Path(f"{part}-ubyte{'.gz' * packed}").write_bytes(content if packed else gzip.decompress(content))
    found = read_mnist(".", "train", GARMENTS)
    np.testing.assert_array_equal(found.pixels[:, 0], pixels)
    np.testing.assert_array_equal(found.labels, numbers)
    assert (found.shape, found.classes[9], found.labels.dtype) == ((1, 5, 5), "Ankle boot", np.int64)
    assert found.floats().dtype == np.float32
    np.testing.assert_allclose(found.floats()[:, 0], pixels / 255, atol=1e-7)


def test_bad_idx_files_are_one_line() -> None:
    images, labels, pixels, _ = idx_pair()
    Path("good").write_bytes(labels)
    plain = idx(pixels)
    cases = {
        "cut.gz": (images[:-20], "damaged or cut short"),
        "torn.gz": (images[:40] + b"\0" * 40 + images[80:], "damaged or cut short"),
        "cut": (plain[:-7], "holds 143 bytes where its header says 6 x 5 x 5 = 150"),
        "long": (plain + b"\0", "holds more bytes"),
        "head": (plain[:9], "cut short within its header"),
        "magic": (b"\1\2" + plain[2:], "not an IDX file (it begins with 01 02"),
        "floats": (plain[:2] + b"\x0d" + plain[3:], "numbers of type 0x0d"),
        "page": (b"<!doctype html><html>404", "an HTML page"),
        "empty": (b"", "the file is empty"),
        "bomb.gz": (gzip.compress(struct.pack(">HBBI", 0, 8, 1, 1 << 30)), "which it cannot hold"),
    }  # fmt: skip
    for name, (content, told) in cases.items():
        Path(name).write_bytes(content)
        refused(lambda name=name: read_idx(name), name, told)  # type: ignore[misc]
    Path("images").write_bytes(images)
    for name, array, told in (
        ("few", np.arange(5), "5 labels for the 6 pictures of images"),
        ("axes", np.zeros((6, 1)), "labels have one"),
        ("classes", np.full(6, 10), "label 10, where the 10 classes are 0 to 9"),
    ):
        Path(name).write_bytes(idx(array))
        refused(lambda name=name: read_idx_pictures("images", name), name, told)  # type: ignore[misc]
    refused(
        lambda: read_idx_pictures("good", "good"),
        "an IDX file of 1 axis, pictures have three (pictures x height x width)",
    )
    refused(lambda: read_mnist("."), "train-images-idx3-ubyte.gz is not in this folder")
    refused(lambda: read_mnist("nowhere"), "nowhere: no such folder")


# ---- CIFAR-10 ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_cifar_batches_are_read(protocol: int) -> None:
    place = Path("cifar-10-batches-py")
    place.mkdir()
    for i in range(1, 6):
        (place / f"data_batch_{i}").write_bytes(cifar(3, i, protocol)[0])
    found = read_cifar10(".")
    assert (len(found), found.shape, found.classes) == (15, (3, 32, 32), CLASSES)
    content, pixels, labels = cifar(3, 5)
    np.testing.assert_array_equal(found.pixels[12:].reshape(3, -1), pixels)
    assert found.labels[12:].tolist() == labels
    assert content
    refused(lambda: read_cifar10(place, "test"), "test_batch: no such file")
    refused(lambda: read_cifar10("none"), "none: is not a folder")


class Runs:
    """What a hostile pickle does."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("harm"),)  # type: ignore[return-value]


def test_bad_cifar_batches_are_one_line() -> None:
    content, pixels, labels = cifar()
    cases: dict[str, tuple[bytes, str]] = {
        "cut": (content[:-900], "cut short"),
        "list": (pickle.dumps([1]), "no dict with data and labels"),
        "form": (pickle.dumps({"data": pixels[:, :9], "labels": labels}), "data is uint8 (4, 9), not"),
        "kind": (pickle.dumps({"data": pixels * 1.0, "labels": labels}), "data is float64 (4, 3072)"),
        "few": (pickle.dumps({"data": pixels, "labels": labels[:3]}), "3 labels for 4 pictures"),
        "beyond": (pickle.dumps({"data": pixels, "labels": [0, 1, 2, 10]}), "labels from 0 to 10"),
        "words": (pickle.dumps({"data": pixels, "labels": ["a"] * 4}), "no list of whole numbers"),
        "huge": (pickle.dumps({"data": pixels, "labels": [10**30] * 4}), "no list of whole numbers"),
        "code": (b"cos\nsystem\n(S'touch harm'\ntR.", "refused"),
        "tar.gz": (gzip.compress(content), "a gzip-compressed file, not a pickle of CIFAR-10"),
    }  # fmt: skip
    for name, (raw, told) in cases.items():
        Path(name).write_bytes(raw)
        refused(lambda name=name: read_batch(name), name, told)  # type: ignore[misc]
    Path("runs").write_bytes(pickle.dumps({"data": Runs(), "labels": labels}))
    refused(lambda: read_batch("runs"), "runs")
    assert not Path("harm").exists()


# ---- folders -----------------------------------------------------------------------------------------
def draw(path: str, height: int, width: int, grey: int = 100, mode: str = "L") -> np.ndarray:
    image_of = pytest.importorskip("PIL.Image", reason="pictures need: pip install 'minilift[plot]'")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((height, width), grey, np.uint8)
    pixels[: height // 2] += 50
    image_of.fromarray(pixels).convert(mode).save(path)
    return pixels


def test_a_folder_gives_one_set_for_each_resolution() -> None:
    first = draw("set/cat/2.png", 4, 6)
    draw("set/cat/1.png", 3, 3, 40)
    draw("set/dog/a.PNG", 4, 6, 7)
    Path("set/dog/Thumbs.db").write_bytes(b"no picture")
    Path("set/.hidden").mkdir()
    small, large = read_folder("set")
    assert (small.shape, large.shape, large.labels.tolist()) == ((1, 3, 3), (1, 4, 6), [0, 1])
    assert small.classes == ("cat", "dog")
    np.testing.assert_array_equal(large.pixels[0, 0], first)
    steps: list[int] = []
    [resized] = read_folder("set", channels=3, size=(8, 9), step=steps.append)
    assert (resized.shape, resized.labels.tolist(), sum(steps)) == ((3, 8, 9), [0, 0, 1], 3)
    assert resized.pixels[1].min() >= 100


def test_bad_folders_are_one_line() -> None:
    refused(lambda: find_pictures("none"), "none: no such folder")
    Path("set").mkdir()
    refused(lambda: find_pictures("set"), "set: no class folders in it")
    draw("set/cat/1.png", 3, 3)
    Path("set/dog").mkdir()
    refused(lambda: find_pictures("set"), "dog: no pictures in this class folder")
    good = Path("set/cat/1.png").read_bytes()
    Path("set/dog/2.png").write_bytes(good[:-30])
    refused(lambda: read_folder("set"), "2.png: cannot be read as a picture (damaged or cut short)")
    Path("set/dog/2.png").write_bytes(b"<svg/>")
    refused(
        lambda: read_folder("set"), "2.png: cannot be read as a picture (none of PNG, JPEG, BMP, GIF, PPM)"
    )


def test_pictures_that_unpack_to_too_much_or_have_other_depths_are_refused() -> None:
    image_of = pytest.importorskip("PIL.Image")
    Path("bomb.pgm").write_bytes(b"P5 20000 20000 255\n" + bytes(9))
    refused(lambda: read_picture("bomb.pgm"), "bomb.pgm")
    Path("large.pgm").write_bytes(b"P5 9000 9000 255\n" + bytes(9))
    refused(lambda: read_picture("large.pgm"), "9000 x 9000 pixels, the limit is")
    image_of.fromarray(np.full((2, 2), 40000, np.uint16)).save("deep.png")
    refused(lambda: read_picture("deep.png"), "only 8 bits a channel are read")


# ---- tables of points ----------------------------------------------------------------------------------
@pytest.mark.parametrize("packed", [False, True])
def test_rows_with_missing_points_are_ignored_and_counted(packed: bool) -> None:
    text = points_csv()
    Path("t").write_bytes(zipped_csv(text) if packed else text.replace("\n", "\r\n").encode())
    found = read_points_csv("t")
    assert (found.names, found.ignored, len(found)) == (POINTS, 1, 3)
    np.testing.assert_allclose(found.points[1], [[1, 1.25], [1.5, 1.75]])
    assert found.pixels.shape == (3, 1, 4, 4)
    assert found.pixels[2, 0, 0].tolist() == [120, 121, 122, 123]


def test_bad_tables_are_one_line() -> None:
    text = points_csv()
    zipped = zipped_csv(text)
    cases = {
        "words": (b"a,b\n1,2\n", "words: is not a table of points in pictures"),
        "columns": (text.replace("Image", "Picture").encode(), "no columns NAME_x, NAME_y and Image"),
        "cell": (text.replace("1.25", "x1").encode(), "line 3: could not convert string to float"),
        "short": (text.rsplit(",", 1)[0].encode(), "line 5: cells are missing"),
        "square": (text.replace(" 15", "").encode(), "line 2: a picture of 15 numbers, which is no square"),
        "sizes": ((text + "1,1,1,1,5\n").encode(), "line 6: a picture 1 pixels wide, the first has 4"),
        "letters": (text.replace(" 41", " u1").encode(), "line 3: a picture with something else"),
        "range": (text.replace(" 41", " 256").encode(), "line 3: a picture with numbers beyond 0 to 255"),
        "far": (text.replace("1.25", "1e300").encode(), "line 3: a point at 1e+300, far outside a"),
        "endless": (text.replace("1.25", "-inf").encode(), "line 3: a point at -inf, far outside"),
        "none": (points_csv(2, missing=(0, 1)).encode(), "no row with all points (2 lack some)"),
        "cut.zip": (zipped[:-40], "zip"),
        "flip.zip": (zipped[:60] + b"\xff" * 30 + zipped[90:], "the zip file is damaged"),
        "other.zip": (zipped_csv(text, "a.txt"), "0 tables (.csv)"),
    }  # fmt: skip
    for name, (content, told) in cases.items():
        Path(name).write_bytes(content)
        refused(lambda name=name: read_points_csv(name), name, told)  # type: ignore[misc]


def test_tables_as_other_programs_write_them() -> None:
    text = points_csv()
    plain = read_bytes_as_table(text.encode())
    head, *rows = text.splitlines()
    quoted = ["\ufeff" + ",".join(f'"{name}"' for name in head.split(","))]
    quoted += [f'{row.rsplit(",", 1)[0]},"{row.rsplit(",", 1)[1]}"' for row in rows]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # as macOS packs it
        archive.writestr("training.csv", text)
        archive.writestr("__MACOSX/._training.csv", "Mac OS X")
    for content in ("\r\n".join(quoted).encode(), file.getvalue()):
        found = read_bytes_as_table(content)
        assert (found.names, found.ignored) == (plain.names, plain.ignored)
        np.testing.assert_array_equal(found.points, plain.points)
        np.testing.assert_array_equal(found.pixels, plain.pixels)


def read_bytes_as_table(content: bytes) -> PointPictures:
    Path("table").write_bytes(content)
    return read_points_csv("table")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minilift.images.read.points_csv.SMALL", 1 << 10)
    with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * (4 << 20))
    refused(lambda: read_points_csv("bomb.zip"), "far more than its own size")


# ---- all of them ---------------------------------------------------------------------------------------
def seeds(name: str) -> tuple[Callable[[str], object], list[bytes]]:
    if name == "idx":
        images, labels, pixels, _ = idx_pair()
        return read_idx, [images, labels, idx(pixels)]
    if name == "cifar":
        return read_batch, [cifar(2, protocol=p)[0] for p in (0, 2, 4)]
    if name == "points":
        return read_points_csv, [points_csv().encode(), zipped_csv(points_csv())]
    for mode, ending in (("L", "png"), ("RGB", "jpg"), ("P", "gif"), ("1", "bmp")):
        draw(f"seed.{ending}", 6, 7, mode=mode)
    return read_picture, [path.read_bytes() for path in sorted(Path().glob("seed.*"))]


@pytest.mark.parametrize("name", ["idx", "cifar", "points", "picture"])
def test_damaged_files_are_read_or_refused_and_nothing_else(name: str) -> None:
    read, contents = seeds(name)
    path, told = Path("fuzz"), []
    for content in mutations(np.random.default_rng(5), contents, 200):
        path.write_bytes(content or b"\0")
        try:
            read("fuzz")
        except InputError as error:
            told.append(str(error))
    assert len(told) > 20
    assert not [line for line in told if not re.fullmatch(r"fuzz: .*; .*", line)]


def test_padding_and_splitting() -> None:
    ones = [np.ones((2, h, w), np.uint8) for h, w in ((2, 3), (4, 1))]
    out = padded(ones)
    assert (out.shape, out[0].sum(), out[1].sum()) == ((2, 2, 4, 3), 12, 8)
    assert out[0, :, 2:].sum() == 0
    with pytest.raises(ValueError, match="as many channels"):
        padded([*ones, np.ones((1, 2, 2), np.uint8)])
    whole = Pictures(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1), np.arange(10), tuple("abcdefghij"))
    kept, held = whole.split(0.2, seed=1)
    assert (len(kept), len(held)) == (8, 2)
    assert sorted([*kept.labels, *held.labels]) == list(range(10))
    np.testing.assert_array_equal(held.pixels.ravel(), held.labels)
    by_class = Pictures(np.zeros((1000, 1, 1, 1), np.uint8), np.arange(1000) // 100, tuple("abcdefghij"))
    few = by_class.split(0.2)[1].take(slice(64))
    assert np.bincount(few.labels, minlength=10).min() > 0  # the first few stand for all classes


# ---- the real sets ---------------------------------------------------------------------------------------
@pytest.mark.skipif(
    not IMAGES.is_dir(), reason="the real picture sets (not part of the project) are not here"
)
def test_the_real_sets_are_read() -> None:
    test = read_mnist(IMAGES / "fashion-mnist", "t10k", GARMENTS)
    assert (len(test), test.shape) == (10_000, (1, 28, 28))
    assert np.bincount(test.labels).tolist() == [1000] * 10
    faces = read_points_csv(IMAGES / "faces" / "test.zip")
    assert (faces.pixels.shape, len(faces.names)) == ((426, 1, 96, 96), 15)
    assert faces.names[10] == "nose_tip"
