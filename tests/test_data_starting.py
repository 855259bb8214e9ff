"""minilift data starting: clips mended, people left out, odd folders and archives."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from bvh_texts import POSER, person

from minilift.cli.data import main
from minilift.errors import InputError
from minilift.files import archive
from minilift.poses.clips.cameras import seen
from minilift.poses.clips.cmu import LEFT_OUT, SUBJECTS, UNIT, by_subject, fps_of
from minilift.poses.clips.flips import knee_flips
from minilift.poses.clips.frames import Choices, load_clip
from minilift.poses.clips.starting import DISTANCE, ELEVATION
from minilift.poses.clips.thorax import ABOVE, with_thorax
from minilift.poses.layouts import COURSE15
from minilift.poses.poses import load_poses
from minilift.poses.read.clip import Clip

AT = {joint: row for row, joint in enumerate(COURSE15.joints)}


def text(seed: int, frames: int = 24) -> str:
    return person(POSER, frames, seed, cm=0.01 / UNIT, step=6, fps=120)


@pytest.fixture
def cmu(tmp_path: Path) -> Path:
    """Two people to learn from, one who is left out, and one whom nothing may touch."""
    for number, name in enumerate(("05/05_01", "06/06_01", "08/08_02", "01/01_01")):
        file = tmp_path / "cmu" / f"{name}.bvh"
        file.parent.mkdir(parents=True)
        file.write_text(text(number))
    return tmp_path / "cmu"


def packed(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:xz") as tar:
        tar.add(folder, "cmu")
    return path


def run(*words: object) -> int:
    return main(["starting", *map(str, words)])


def test_sets_of_people_to_learn_from_and_left_out(cmu: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = cmu.parent / "made"
    assert run(cmu, "-o", out, "--people", 7) == 0
    told = capsys.readouterr().out
    assert "3 clips of 3 subjects" in told
    assert f"no clips of the subjects {' '.join(set_of(told))};" in told
    assert not {"05", "06", "08"} & set(set_of(told))
    subjects, clips = (np.load(out / f"train_{name}.npy") for name in ("subjects", "clips"))
    train, val = load_poses(out / "train.npz", need_3d=True), load_poses(out / "val.npz", need_3d=True)
    assert len(subjects) == len(clips) == len(train)
    assert set(subjects.tolist()) == {5, 6, 0}
    assert (subjects == 0).sum() == 7
    assert set(np.load(out / "val_subjects.npy").tolist()) == {8}
    names = json.loads((out / "data.json").read_text())["clips"]
    assert [names["train"][number] for number in np.unique(clips)] == ["05_01", "06_01", "made-up people"]
    assert np.load(out / "train_scale.npy") == pytest.approx(DISTANCE)
    for poses in (train, val):  # upright people: the way from hips to neck says how high the camera stands
        assert poses.joint_3d is not None
        up = np.asarray(poses.joint_3d)[: len(val), AT["neck"]] - (0, 0, -1)
        assert np.degrees(np.arctan2(up[:, 2], up[:, 1])).mean() == pytest.approx(ELEVATION, abs=6)


def set_of(told: str) -> list[str]:
    return told.partition("no clips of the subjects ")[2].partition(";")[0].split()


def test_clips_of_those_left_out_at_30_frames_a_second(cmu: Path) -> None:
    out = cmu.parent / "made"
    assert run(cmu, "-o", out) == 0
    clips = np.load(out / "val_clips_clips.npy")
    assert np.bincount(clips).tolist() == [6] * 4  # 24 frames at 120, by two cameras of each kind
    scale = np.load(out / "val_clips_scale.npy")
    still = [np.ptp(scale[clips == number]) < 1e-6 for number in range(4)]
    assert still == [True, True, False, False]  # those that go along keep their distance


def test_an_archive_gives_the_same_sets(cmu: Path) -> None:
    here = cmu.parent
    alone = here / "alone"
    alone.mkdir()
    packed(cmu, alone / "cmu.tar.xz")
    for number, source in enumerate((cmu, alone, alone / "cmu.tar.xz")):
        assert run(source, "-o", here / f"made{number}") == 0
        names = {"train", "val", "val_clips"}
        assert {file.name for file in (here / f"made{number}").iterdir()} == {
            "data.json",
            *(
                f"{name}{end}"
                for name in names
                for end in (".npz", "_scale.npy", "_subjects.npy", "_clips.npy")
            ),
        }
        for name in names:
            first, second = (
                load_poses(here / folder / f"{name}.npz") for folder in ("made0", f"made{number}")
            )
            np.testing.assert_array_equal(first.joint_2d, second.joint_2d)


@pytest.mark.parametrize(
    ("folders", "problem"),
    [
        ((), "neither folders of subjects"),
        (("01",), "neither folders of subjects"),
        (("08", "49"), "no clips of the subjects to learn from"),
        (("05", "06"), "no clips of the subjects to leave out: folders 08 49 55 87"),
    ],
)
def test_folders_that_will_not_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folders: tuple[str, ...], problem: str
) -> None:
    for folder in folders:
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "a.bvh").write_text(text(1))
    (tmp_path / "in").mkdir(exist_ok=True)
    assert run(tmp_path / "in", "-o", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert problem in told
    assert told.count("\n") == 1
    assert not list(tmp_path.glob("out/*.npz"))


def test_what_is_there_is_not_replaced_unasked(cmu: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = cmu.parent / "made"
    out.mkdir()
    (out / "val_subjects.npy").write_bytes(b"mine")
    assert run(cmu, "-o", out) == 2
    assert "val_subjects.npy: exists already" in capsys.readouterr().err
    assert run(cmu, "-o", out, "--force") == 0


def test_archives_that_are_not_trusted(
    cmu: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evil, content = cmu.parent / "evil.tar.xz", text(1).encode()
    with tarfile.open(evil, "w:xz") as tar:
        for name in ("/05/a.bvh", "../05/b.bvh", "x/05/good.bvh"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("08/link.bvh")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    into = cmu.parent / "into"
    assert archive.unpack(evil, into, lambda name: Path(name.parent.name, name.name)) == 1
    assert [file.name for file in into.rglob("*.*")] == ["good.bvh"]
    whole = packed(cmu, cmu.parent / "cmu.tar.xz")
    (cmu.parent / "cut.tar.xz").write_bytes(whole.read_bytes()[:-200])
    assert run(cmu.parent / "cut.tar.xz", "-o", cmu.parent / "out") == 2
    assert "is no whole archive" in capsys.readouterr().err
    monkeypatch.setattr(archive, "LARGEST", 4096)
    assert run(whole, "-o", cmu.parent / "out") == 2
    assert "unpack what is needed yourself" in capsys.readouterr().err
    assert not list((cmu.parent / "out").iterdir())  # nothing is left behind


def test_subjects_frames_and_order() -> None:
    files = [Path("c/05/05_10.bvh"), Path("c/05/05_2.bvh"), Path("c/10/10_01.bvh"), Path("c/87/a.amc")]
    found = by_subject(files)
    assert {key: [file.stem for file in those] for key, those in found.items()} == {
        "05": ["05_2", "05_10"], "87": ["a"],
    }  # fmt: skip
    assert not set(SUBJECTS) & {"01", "02", "03", "10", "11", "14", "93", "127", "135"}
    assert set(LEFT_OUT) < set(SUBJECTS)
    assert [fps_of("87", files[3]), fps_of("05", files[0]), fps_of("09", files[3])] == [60, None, 120]


NAMES = ("Hips", "Spine", "Spine1", "Neck", "LeftShoulder", "RightShoulder")
ASF = """\
:root
 order rx ry rz
:bonedata
begin
 name thorax
 direction 0 3 4
 length 2
end
:hierarchy
begin
 root thorax
end
"""


def without_thorax() -> Clip:
    offsets = np.zeros((6, 3))
    offsets[1:3] = (0, 1, 0), (0, 1.5, 0.1)
    return Clip(NAMES, (-1, 0, 1, 2, 2, 2), offsets, ((),) * 6, 0.01, np.zeros((1, 0)), 0)


def test_the_thorax_is_put_back(tmp_path: Path) -> None:
    clip, rows = without_thorax(), [NAMES.index(name) for name in ABOVE]
    assert with_thorax(tmp_path / "a.bvh", clip) is clip  # nothing says how long it is
    guessed = with_thorax(tmp_path / "a.bvh", clip, guess=True)
    np.testing.assert_array_equal(guessed.offsets[rows], [clip.offsets[2]] * 3)
    assert "as long as Spine1" in guessed.notes[-1]
    (tmp_path / "a.asf").write_text(ASF)
    known = with_thorax(tmp_path / "a.bvh", clip, guess=True)
    np.testing.assert_allclose(known.offsets[rows], [(0, 1.2, 1.6)] * 3)  # a unit vector times 2
    assert "from a.asf" in known.notes[-1]
    assert with_thorax(tmp_path / "a.bvh", known) is known
    assert not clip.offsets[rows].any()  # as it was


def walker(bend: float, frames: int = 60) -> np.ndarray:
    """Someone with both knees bent by as much, in degrees: (F, 15, 3) metres."""
    joints = np.zeros((frames, 15, 3))
    for side, x in (("left", 0.1), ("right", -0.1)):
        joints[:, AT[f"{side}_hip"]] = (x, 0, 0)
        joints[:, AT[f"{side}_knee"]] = (x, -0.4, 0)
        shin = np.array([0, -np.cos(np.radians(bend)), -np.sin(np.radians(bend))])  # back is -Z
        joints[:, AT[f"{side}_ankle"]] = (x, -0.4, 0) + 0.4 * shin
    return joints


def test_knees_that_flip_are_found() -> None:
    assert not knee_flips(walker(90), 120).any()
    assert not knee_flips(walker(-10), 120).any()  # overstretched by a little
    assert knee_flips(walker(-40), 120).all()
    jumps = walker(60)
    jumps[20:30, AT["right_knee"]] += (0.2, 0, 0)  # there and back, which is no bend forward
    assert np.flatnonzero(knee_flips(jumps, 120)).tolist() == list(range(19, 31))
    jumps[30:, AT["right_knee"]] += (0.2, 0, 0)  # there, and it stays
    assert np.flatnonzero(knee_flips(jumps, 120)).tolist() == [19, 20]
    assert not knee_flips(jumps, 30).any()  # 6 m/s is possible
    assert knee_flips(jumps[:1], 120).tolist() == [False]


def test_flipped_frames_are_told_and_left_out_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.bvh").write_text(person(POSER, frames=12))
    flips = np.arange(12) % 4 == 1
    monkeypatch.setattr("minilift.poses.clips.frames.knee_flips", lambda joints, fps: flips[: len(joints)])
    kept, left = (load_clip(tmp_path / "a.bvh", Choices(leave_flips=leave)) for leave in (False, True))
    assert len(kept.frames) == 12
    assert left.frames.tolist() == [0, 2, 3, 4, 6, 7, 8, 10, 11]
    assert "in 3 frames, kept" in kept.warnings[-1]
    assert "in 3 frames, left out" in left.warnings[-1]
    for camera in ("clip", "static"):
        with pytest.raises(InputError, match="leave_flips leaves frames at uneven times"):
            Choices(camera=camera, leave_flips=True)


def test_a_static_camera_stands_still(tmp_path: Path) -> None:
    """The place of the camera, from the root of every frame, is one point of the world."""
    (tmp_path / "a.bvh").write_text(person(POSER, frames=30))
    choices = Choices(camera="static", elevation=(10, 20), distance=(3, 4))
    clip = load_clip(tmp_path / "a.bvh", choices)
    assert np.ptp(clip.root[:, 0]) > 0.3  # they walk
    joint_3d, scale = seen(clip, 0, choices)
    place = []
    for pose, joints, metres, root in zip(joint_3d.astype(float), clip.joints, scale, clip.root, strict=True):
        camera = np.linalg.lstsq(joints, (pose - (0, 0, -1)) * metres, rcond=None)[0].T
        place.append(root + camera.T @ (0, 0, metres))
    assert np.ptp(place, axis=0).max() < 1e-4
    assert np.ptp(scale) > 0.01
    assert scale.min() >= 3
