"""Tables of keypoints, made by hand as people and tools write them: read right, or refused in a line."""

from __future__ import annotations

from pathlib import Path

import keypoint_tables as texts
import numpy as np
import pytest

from minilift.errors import ArgumentError, InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked

SIZE = Asked(size=(1000, 800))


def load(tmp_path: Path, name: str, content: str | bytes, asked: Asked | None = None) -> Keypoints:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_keypoints(path, asked)


def check(found: Keypoints, frames: int, scores: bool = True, shift: float = 0.0) -> None:
    assert found.layout.name == "coco17"
    for row, frame in enumerate(found.frame - found.frame[0]):
        np.testing.assert_allclose(found.xy[row], texts.person(int(frame), shift)[:, :2], atol=2e-3)
        if scores:
            assert found.score is not None
            np.testing.assert_allclose(found.score[row], texts.person(int(frame))[:, 2], atol=1e-3)
    assert len(found) == frames
    assert scores or found.score is None


# ---- wide ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("style", ["plain", "spaced", "capitals", "camel", "short", "letter"])
@pytest.mark.parametrize("header", ["{name}_{part}", "{name}.{part}", "{part}_{name}", "{name} {part}"])
def test_wide_names(tmp_path: Path, style: str, header: str) -> None:
    found = load(tmp_path, "clip.csv", texts.wide(3, header, style))
    assert found.format == "csv-wide"
    check(found, 3)


@pytest.mark.parametrize(
    "word", ["score", "conf", "confidence", "likelihood", "prob", "visibility", "c", "v"]
)
def test_words_for_the_score(tmp_path: Path, word: str) -> None:
    check(load(tmp_path, "clip.csv", texts.wide(2, parts=f"x y {word}")), 2)


def test_wide_without_scores(tmp_path: Path) -> None:
    check(load(tmp_path, "clip.csv", texts.wide(2, parts="x y")), 2, scores=False)


@pytest.mark.parametrize("column", ["Frame", "frame_id", "frameNo", "frame #", "image_id", "", "idx"])
def test_words_for_the_frame(tmp_path: Path, column: str) -> None:
    content = texts.wide(3, first=41).replace("frame,", f"{column},", 1)
    assert load(tmp_path, "clip.csv", content).frames.tolist() == [41, 42, 43]


def test_frames_by_the_names_of_pictures(tmp_path: Path) -> None:
    content = texts.wide(3).replace("frame,", "image,", 1)
    for frame in range(3):
        content = content.replace(f"\n{frame},", f"\nrun2/img_{frame + 7:04}.jpg,")
    assert load(tmp_path, "clip.csv", content).frames.tolist() == [7, 8, 9]


def test_separators_marks_and_line_ends(tmp_path: Path) -> None:
    plain = texts.wide(3)
    semicolon = plain.replace(",", ";").replace(".", ",")
    for content in (
        plain.replace(",", "\t").encode(), semicolon.encode(), ("\ufeff" + plain).encode(),
        plain.replace("\n", "\r\n").encode(), plain.replace(",", "\t").encode("utf-16"),
        plain.replace(",", " , ").encode(), semicolon.replace("\n", ";\n").encode(),
    ):  # fmt: skip
        check(load(tmp_path, "clip.csv", content), 3)


def test_no_header(tmp_path: Path) -> None:
    rows = texts.wide(3).splitlines()[1:]
    check(load(tmp_path, "a.csv", "\n".join(row.partition(",")[2] for row in rows)), 3)
    check(load(tmp_path, "b.csv", "\n".join(row.partition(",")[2].replace(",", " ") for row in rows)), 3)
    decimal = "\n".join(row.partition(",")[2].replace(",", ";").replace(".", ",") for row in rows)
    check(load(tmp_path, "c.csv", decimal), 3)
    counted = load(tmp_path, "d.csv", texts.wide(3, first=20).partition("\n")[2])
    check(counted, 3)
    assert counted.frames.tolist() == [20, 21, 22]


def test_blank_words_and_zeros_are_missing(tmp_path: Path) -> None:
    lines = texts.wide(4).splitlines()
    for row, (x, y) in enumerate([("", ""), ("nan", "NaN"), ("None", "null"), ("0", "0.0")], 1):
        cells = lines[row].split(",")
        cells[1 + 3 * 9 : 3 + 3 * 9] = x, y
        lines[row] = ",".join(cells)
    found = load(tmp_path, "clip.csv", "\n".join(lines))
    assert found.missing[:, 9].all()
    assert found.missing.sum() == 4


def test_people_of_a_wide_table(tmp_path: Path) -> None:
    head, *rows = texts.wide(2).splitlines()

    def table(column: str, people: tuple[str, str]) -> str:
        lines = [f"{column},{head}", *(f"{who},{row}" for row in rows for who in people)]
        return "\n".join(lines)

    found = load(tmp_path, "a.csv", table("track_id", ("9", "4")))
    assert found.track_names == ("9", "4")
    assert found.person.tolist() == [0, 1, 0, 1]
    assert load(tmp_path, "b.csv", table("person", ("0", "1"))).track is None  # which, not who
    assert load(tmp_path, "c.csv", table("person", ("Ann", "Bob"))).track_names == ("Ann", "Bob")


def test_numbered_columns(tmp_path: Path) -> None:
    for pattern in ("x{n},y{n},v{n}", "kp{n}_x,kp{n}_y,kp{n}_score", "{n}_x,{n}_y,{n}_conf"):
        for start in (0, 1):
            columns = ",".join(pattern.format(n=n) for n in range(start, 17 + start))
            rows = [",".join(f"{v:.3f}" for v in texts.person(frame).ravel()) for frame in range(3)]
            check(load(tmp_path, "clip.csv", "\n".join([columns, *rows])), 3)


def test_fractions_need_a_size(tmp_path: Path) -> None:
    rows = [texts.person(frame) / [1000, 800, 1] for frame in range(3)]
    lines = [
        texts.wide(1).splitlines()[0],
        *(f"{i}," + ",".join(map(str, r.ravel())) for i, r in enumerate(rows)),
    ]
    with pytest.raises(ArgumentError, match="fractions"):
        load(tmp_path, "clip.csv", "\n".join(lines))
    check(load(tmp_path, "clip.csv", "\n".join(lines), SIZE), 3)


def test_three_coordinates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3D already"):
        load(tmp_path, "clip.csv", texts.wide(2, parts="x y z"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.replace("120.000", "left", 1), r"row 2, column 3: 'left' is no number"),
        (lambda t: t + "3,1,2\n", r"row 5 has 3 fields, the first one 52"),
        (lambda t: t.replace("\n1,", "\nlater,", 1), r"row 3: 'later' says no frame"),
        (lambda t: t.partition("\n")[0] + "\n", r"no person in any of its 0 frames"),
    ],
)
def test_broken_wide_tables(tmp_path: Path, change: object, told: str) -> None:
    assert callable(change)
    with pytest.raises(InputError, match=told):
        load(tmp_path, "clip.csv", change(texts.wide(3)))


# ---- long ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("style", ["plain", "spaced", "capitals", "camel", "short", "letter"])
def test_long(tmp_path: Path, style: str) -> None:
    found = load(tmp_path, "clip.csv", texts.long(3, style=style))
    assert found.format == "csv-long"
    check(found, 3)


def test_long_in_any_order(tmp_path: Path) -> None:
    head, *rows = texts.long(3, people=2).splitlines()
    given = load(tmp_path, "a.csv", "\n".join([head, *rows]))
    mixed = load(tmp_path, "b.csv", "\n".join([head, *np.random.default_rng(0).permutation(rows)]))
    assert given.track_names == ("7", "6")
    for name in ("7", "6"):
        one, other = (k.take(k.track == k.track_names.index(name)) for k in (given, mixed))
        np.testing.assert_array_equal(one.xy, other.xy)


def test_long_by_numbers_with_joints_left_out(tmp_path: Path) -> None:
    lines = ["Frame,LandmarkID,X,Y"]
    for frame in range(3):
        for joint in range(33):
            if (frame, joint) != (1, 15):
                lines.append(f"{frame},{joint},{0.3 + 0.01 * joint},{0.2 + 0.02 * joint}")
    found = load(tmp_path, "clip.csv", "\n".join(lines), SIZE)
    assert found.layout.name == "mediapipe33"
    assert found.score is None
    assert found.missing.sum() == 1
    assert found.missing[1, 15]
    np.testing.assert_allclose(found.xy[0, 10], [400, 320])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            texts.long(2).replace("person_id", "colour").replace(",7,", ",red,") * 1 + "1,red,nose,5,5,1\n",
            "twice",
        ),
        (texts.long(2).replace("frame,", "second,", 1), "no column says the frame"),
        ("frame,joint,x,y,z\n" + "".join(f"0,{n},1,2,3\n" for n in texts.COCO), "3D already"),
        ("frame,joint,x,y\n" + "".join(f"0,thing{n},{n},2\n" for n in range(2000)), "2,000 names"),
    ],
)
def test_broken_long_tables(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load(tmp_path, "clip.csv", content)


# ---- tools ---------------------------------------------------------------------------------------------
def test_deeplabcut(tmp_path: Path) -> None:
    found = load(tmp_path, "clip.csv", texts.deeplabcut(3))
    assert (found.format, found.track) == ("dlc-csv", None)
    check(found, 3)
    several = load(tmp_path, "clip.csv", texts.deeplabcut(3, ("ind1", "ind2")))
    assert several.track_names == ("ind1", "ind2")
    check(several.take(several.person == 0), 3)
    check(several.take(several.person == 1), 3, shift=200)
    check(load(tmp_path, "labels.csv", texts.deeplabcut(2, parts="x y")), 2, scores=False)
    with pytest.raises(InputError, match="3D already: its coords are x, y and z"):
        load(tmp_path, "clip.csv", texts.deeplabcut(3, parts="x y z"))
    with pytest.raises(InputError, match="not those of a person"):
        load(tmp_path, "clip.csv", texts.deeplabcut(3).replace("left", "front").replace("right", "hind"))


def test_sleap(tmp_path: Path) -> None:
    head, *rows = texts.wide(3, "{name}.{part}").splitlines()
    content = [head.replace("frame", "track,frame_idx,instance.score", 1)]
    for row in rows:
        frame, _, rest = row.partition(",")
        content.append(f",{frame},0.8,{rest}")
    found = load(tmp_path, "clip.analysis.csv", "\n".join(content))
    assert (found.format, found.track) == ("sleap-csv", None)
    assert found.weight is not None
    assert found.weight.tolist() == [0.8] * 3
    check(found, 3)


def test_ultralytics_csv(tmp_path: Path) -> None:
    x, y, score = texts.person().T.round(3).tolist()
    dicts = f"\"{{'x1': 1.0}}\",\"{{'x': {x}, 'y': {y}, 'visible': {score}}}\""
    check(load(tmp_path, "r.csv", f"name,class,confidence,box,keypoints\nperson,0,0.9,{dicts}\n"), 1)
    for bad in ("__import__('os')", "{'x': [1]}", "{'x': 5, 'y': 6}", "[" * 9000, "{'x': [1], 'y': []}"):
        with pytest.raises(InputError, match="row 2: its keypoints are no dict"):
            load(tmp_path, "r.csv", f'name,box,keypoints\nperson,b,"{bad}"\n')


def test_mlkit(tmp_path: Path) -> None:
    numbers = ",".join(f"{100 + 10 * n},{50 + 20 * n},{-5 * n}" for n in range(33))
    found = load(tmp_path, "samples.csv", f"a.png,up,{numbers}\nb.png,down,{numbers}\n")
    assert (found.format, found.layout.name, found.stills, found.score) == (
        "mlkit-csv",
        "mediapipe33",
        True,
        None,
    )
    np.testing.assert_allclose(found.xy[1, 32], [420, 690])


def test_trc(tmp_path: Path) -> None:
    head = "PathFileType\t4\t(X/Y/Z)\tclip_Sports2D_{unit}_person00.trc\nDataRate\tCameraRate\n25\t25\n"
    head += "Frame#\tTime\t" + "\t\t\t".join(texts.names_of("letter")) + "\n\t\tX1\tY1\tZ1\n\n"
    rows = ""
    for frame in range(3):
        places = np.column_stack([texts.person(frame)[:, :2], np.zeros(17)]).ravel()
        rows += f"{frame + 5}\t0.0\t" + "\t".join(f"{v:g}" for v in places) + "\n"
    found = load(tmp_path, "a.trc", head.format(unit="px") + rows)
    assert (found.format, found.fps) == ("trc-pixels", 25)
    assert found.frames.tolist() == [5, 6, 7]
    check(found, 3, scores=False)
    with pytest.raises(InputError, match="3D already"):
        load(tmp_path, "b.trc", head.format(unit="m") + rows.replace("\t0", "\t0.5"))


# ---- Ultralytics' text files ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tail", "tracks", "weights"),
    [("", (), False), (" 0.93", (), True), (" {who}", ("1", "2"), False), (" 0.93 {who}", ("1", "2"), True)],
)
def test_yolo(tmp_path: Path, tail: str, tracks: tuple[str, ...], weights: bool) -> None:
    found = load(tmp_path, "clip_12.txt", texts.yolo(people=2, tail=tail), SIZE)
    assert (found.format, found.frames.tolist()) == ("yolo-txt", [12])
    assert found.track_names == tracks
    assert (found.weight is not None) == weights
    check(found.take(found.person == 0), 1)
    check(found.take(found.person == 1), 1, shift=200)


def test_yolo_says_missing_by_zeros_and_visibility(tmp_path: Path) -> None:
    first = texts.yolo().split()
    first[5:7] = "0", "0"  # the nose, whose score stays
    assert load(tmp_path, "a1.txt", " ".join(first), SIZE).missing.sum() == 1
    seen = texts.yolo().split()
    seen[7::3] = ["2"] * 15 + ["1", "0"]
    found = load(tmp_path, "b1.txt", " ".join(seen), SIZE)
    assert (found.score, found.stills) == (None, True)
    assert np.flatnonzero(found.missing[0]).tolist() == [16]


def test_yolo_lines_that_are_there_twice(tmp_path: Path) -> None:
    (warning, *_) = load(tmp_path, "a1.txt", texts.yolo() * 2, SIZE).warnings
    assert "appends" in warning


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("0 0.5 0.5 0.2 0.7\n", "boxes only"),
        (texts.yolo() + "0 0.5 0.5\n", "line 2 has 3 numbers, line 1 has 56"),
        (texts.yolo() + texts.yolo().replace("0.55", "much", 1), "line 2: 'much' is no number"),
    ],
)
def test_broken_yolo(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load(tmp_path, "a1.txt", content, SIZE)


def test_a_header_longer_than_what_tells_the_kind(tmp_path: Path) -> None:
    """DeepLabCut repeats the name of its model in every column of every person."""
    people = tuple(f"person_{i}" for i in range(40))
    content = texts.deeplabcut(2, people).replace("DLC_model", "DLC_Dlcrnetms5_humanFeb1shuffle1_50000")
    assert content.index("coords") > 1 << 16
    found = load(tmp_path, "clip.csv", content)
    assert (found.format, found.people, len(found.track_names)) == ("dlc-csv", 40, 40)
    with pytest.raises(InputError, match=r"is a text file that begins|no layout|no joints"):
        load(tmp_path, "clip.csv", ",".join(f"column{i}" for i in range(200_000)))


def test_twenty_thousand_people_of_one_frame(tmp_path: Path) -> None:
    row = texts.wide(1).splitlines()[1]
    found = load(tmp_path, "clip.csv", texts.wide(1) + f"{row}\n" * 20_000)
    assert (len(found), found.people) == (20_001, 20_001)
