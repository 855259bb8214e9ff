"""Arrays of keypoints, made by hand: every shape, names in .npz, objects that are read without being made."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keypoint_more import BOTH, JOINTS, boxed, hdf5, npz
from keypoint_tables import person

from minilift.errors import ArgumentError, InputError
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints import blocks
from minilift.poses.read.keypoints.load import load_keypoints
from minilift.poses.read.keypoints.raw import Asked

SIZE = Asked(size=(1000, 800))
CLIP = np.array([person(frame) for frame in range(4)])


def load(tmp_path: Path, array: np.ndarray, asked: Asked | None = None) -> Keypoints:
    np.save(tmp_path / "clip.npy", array)
    return load_keypoints(tmp_path / "clip.npy", asked)


@pytest.mark.parametrize(
    "array",
    [
        CLIP, CLIP[..., :2], CLIP.astype(np.float32), CLIP[:, None], CLIP.reshape(4, 51),
        CLIP[..., :2].reshape(4, 34), CLIP.reshape(4, 1, 51), np.asfortranarray(CLIP), CLIP.astype(">f8"),
        CLIP[..., :2].round().astype(np.int16), CLIP[..., :2].round().astype(">i4"),
    ],
    ids=lambda array: f"{array.shape} {array.dtype.str}",
)  # fmt: skip
def test_shapes(tmp_path: Path, array: np.ndarray) -> None:
    found = load(tmp_path, array)
    assert (found.format, found.layout.name, len(found)) == ("npy", "coco17", 4)
    np.testing.assert_allclose(found.xy, CLIP[..., :2], atol=0.51 if array.dtype.kind == "i" else 1e-3)
    assert (found.score is None) == (array.shape[-1] in (2, 34))


def test_one_picture_and_several_people(tmp_path: Path) -> None:
    assert load(tmp_path, CLIP[0]).frames.tolist() == [0]
    two = np.stack(
        [CLIP, np.where(np.arange(4)[:, None, None] == 2, np.nan, CLIP + np.array([300, 0, 0]))], axis=1
    )
    found = load(tmp_path, two)
    assert found.frame.tolist() == [0, 0, 1, 1, 2, 3, 3]  # NaN throughout: nobody
    assert found.frames.tolist() == [0, 1, 2, 3]


def test_missing(tmp_path: Path) -> None:
    array = CLIP[..., :2].copy()
    array[0, 9], array[1, 9], array[2, 9] = np.nan, 0, np.inf
    assert load(tmp_path, array).missing.nonzero()[0].tolist() == [0, 1, 2]


def test_fractions_and_movenet(tmp_path: Path) -> None:
    fractions = CLIP / [1000, 800, 1]
    np.testing.assert_allclose(load(tmp_path, fractions, SIZE).xy, CLIP[..., :2])
    with pytest.raises(ArgumentError, match="fractions"):
        load(tmp_path, fractions)
    turned = fractions[..., [1, 0, 2]]
    with pytest.raises(ArgumentError, match=r"format=NAME: is needed.*y is before x; give movenet-npy"):
        load(tmp_path, turned, SIZE)
    for array in (turned[:, None, None], turned):
        found = load(tmp_path, array, Asked(size=(1000, 800), format="movenet"))
        np.testing.assert_allclose(found.xy, CLIP[..., :2])
    padded = turned.copy()
    padded[..., 0] = (CLIP[..., 1] + 100) / 1000
    found = load(tmp_path, padded[:, None, None], Asked(size=(1000, 800), padded=True))
    np.testing.assert_allclose(found.xy, CLIP[..., :2])


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (CLIP[..., [0, 1, 1]], "it is 3D already"),
        (np.random.default_rng(0).normal(size=(9, 17, 3)), "3D already"),
        (np.random.default_rng(0).normal(size=(9, 17, 2)), "3D already"),
        (np.ones((5, 19, 3)), "19 joints, and no layout has so many"),
        (np.ones((5, 53)), "53 numbers a row are no joints"),
        (np.ones((2, 2, 2, 17, 3)), "an array of shape"),
        (np.ones(7), "an array of shape"),
        (np.zeros((0, 17, 2)), "no person in any"),
        (np.full((4, 17, 2), np.nan), "not one joint"),
        (np.array([["a"] * 34]), "not of numbers"),
        (np.array([{}]), "Python objects"),
        (np.ones((4, 17, 2)) * 1j, "only plain numbers"),
    ],
)
def test_what_is_none(tmp_path: Path, array: np.ndarray, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load(tmp_path, array)


def test_one_of_several_cameras(tmp_path: Path) -> None:
    both = np.zeros((2, 4, 17, 3))
    both[0, ..., :2], both[1, ..., :2] = CLIP[..., :2], CLIP[..., :2] + [50, 5]
    with pytest.raises(ArgumentError, match=r"clip=NUMBER: is needed.*2 cameras; give 0 to 1"):
        load(tmp_path, both)
    np.testing.assert_allclose(load(tmp_path, both, Asked(clip="1")).xy, both[1, ..., :2])


# ---- npz -----------------------------------------------------------------------------------------------
def load_npz(tmp_path: Path, asked: Asked | None = None, **arrays: Any) -> Keypoints:
    (tmp_path / "clip.npz").write_bytes(npz(**arrays))
    return load_keypoints(tmp_path / "clip.npz", asked)


def test_names_in_a_npz(tmp_path: Path) -> None:
    about = {"fps": 25.0, "size": np.array([1000, 800]), "frames": np.array([3, 4, 9, 10])}
    found = load_npz(tmp_path, keypoints=CLIP[..., :2], keypoint_scores=CLIP[..., 2:], **about)
    assert (found.format, found.fps, found.size) == ("npz-keypoints-scores", 25.0, (1000, 800))
    assert found.frames.tolist() == [3, 4, 9, 10]
    mixed = np.random.default_rng(0).permutation(17)
    found = load_npz(tmp_path, kpts=CLIP[:, mixed], joint_names=np.array(JOINTS)[mixed])
    np.testing.assert_array_equal(found.xy, CLIP[..., :2])


def test_people_of_every_frame_as_objects(tmp_path: Path) -> None:
    frames = np.empty(3, object)
    frames[:] = [CLIP[:2], np.zeros((0, 17, 3)), CLIP[2:3]]
    found = load_npz(tmp_path, keypoints=frames)
    assert found.frame.tolist() == [0, 0, 2]
    np.testing.assert_array_equal(found.xy, CLIP[:3, :, :2])


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"keypoints": CLIP, "scores": np.ones((4, 16))}, "do not fit"),
        ({"keypoints_3d": CLIP}, "3D already: it holds keypoints_3d"),
        ({"a": CLIP, "b": CLIP}, "holds a, b; call the array"),
        (
            {"joint_3d": CLIP, "axes": np.array("camera"), "unit": np.array("m")},
            "what minilift predict wrote",
        ),
        ({"keypoints": boxed({"a": 1})}, "no array of numbers"),
        ({"positions_2d": boxed({"S1": {"a": "b"}})}, "no dict of subjects"),
    ],
)
def test_what_no_npz_of_keypoints_is(tmp_path: Path, arrays: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_npz(tmp_path, **arrays)


def test_subjects_actions_and_cameras(tmp_path: Path) -> None:
    data = {
        "S9": {"Walking": [CLIP[..., :2], CLIP[..., :2] + 7], "Walking 1": [CLIP[..., :2] + 9]},
        "S11": {"Walking": np.stack([CLIP[..., :2] + 11])},
    }
    whole = {"positions_2d": boxed(data), "metadata": boxed({"layout_name": "coco"})}
    with pytest.raises(InputError, match="holds 4 clips: S9 Walking 0, S9 Walking 1, S9 Walking 1 0, S11"):
        load_npz(tmp_path, **whole)
    for clip, more in (("S9 Walking 1", 7), ("s9 walking 1 0", 9), ("S11", 11), ("S9 Walking 0", 0)):
        found = load_npz(tmp_path, Asked(clip=clip), **whole)
        np.testing.assert_allclose(found.xy, CLIP[..., :2] + more)
    with pytest.raises(InputError, match=r"clip=S5: is none of them: .* holds 4 clips"):
        load_npz(tmp_path, Asked(clip="S5"), **whole)


class Harmful:
    def __reduce__(self) -> Any:
        return os.mkdir, ("minilift_pickle_ran",)


@pytest.mark.parametrize("key", ["positions_2d", "keypoints", "anything"])
def test_no_code_of_a_pickle_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"posix\.mkdir.*not run|nt\.mkdir.*not run"):
        load_npz(tmp_path, **{key: boxed({"S1": {"walk": [Harmful()]}})})
    assert [path.name for path in tmp_path.iterdir()] == ["clip.npz"]


def test_a_small_zip_of_a_large_array(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.zeros((1, 17, 2)))
    header = file.getvalue()[:128].replace(b"(1, 17, 2), }  ", b"(900000, 17, 2), }  "[:15])
    with zipfile.ZipFile(tmp_path / "clip.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("keypoints.npy", header + bytes(120 << 20))
    with pytest.raises(InputError, match=r"claim to hold"):
        load_keypoints(tmp_path / "clip.npz")


def test_hdf5_of_other_things(tmp_path: Path) -> None:
    path = tmp_path / "clip.h5"
    for content, told in (
        (hdf5(tracks=np.ones((1, 2, 3, 4)), node_names=np.array([b"a"])), "do not fit 1 nodes"),
        (hdf5(tracks=np.ones(3), node_names=np.array([b"a"])), "no tracks"),
        (hdf5(other=np.ones(3)), "HDF5"),
        (hdf5(node_names=np.ones(3), tracks=np.ones(3))[:900], "damaged HDF5"),
        (hdf5(bodyparts=np.ones(3)), "no table of DeepLabCut"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=told):
            load_keypoints(path)


# ---- the course's files, and large ones ----------------------------------------------------------------
def test_rays_of_the_course(tmp_path: Path) -> None:
    rays = np.random.default_rng(0).uniform(-0.4, 0.4, (5, 15, 2)).astype(np.float32)
    rays[1, 3] = np.nan
    np.save(tmp_path / "people_2d.npy", rays)
    np.savez(tmp_path / "people.npz", joint_2d_1=rays, joint_3d=np.ones((5, 15, 3)))
    for name in ("people_2d.npy", "people.npy", "people.npz"):
        found = load_keypoints(tmp_path / name)
        assert (found.format, found.layout.name, found.rays, found.stills) == (
            "course",
            "course15",
            True,
            True,
        )
        np.testing.assert_array_equal(found.xy, rays)
        assert found.missing.sum() == 1
    with pytest.raises(
        InputError, match="layout"
    ):  # fifteen joints in pixels: MPI's, or the course's in rays
        load(tmp_path, np.abs(rays) * 900, Asked(layout="coco17"))


@pytest.mark.parametrize("suffix", [".npy", ".npz", "scores.npz"])
def test_a_large_array_comes_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setattr(blocks, "LARGE", 1000)
    array = np.array([person(frame) for frame in range(25)], np.float32)
    path = tmp_path / f"clip{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".npz":
        np.savez(path, keypoints=array)
    else:
        np.savez(path, keypoints=array[:, None, :, :2], scores=array[:, None, :, 2])
    found, whole = list(blocks.load_blocks(path, rows=10)), load_keypoints(path)
    assert [len(part) for part in found] == [10, 10, 5]
    assert whole.score is not None
    np.testing.assert_array_equal(np.concatenate([part.xy for part in found]), whole.xy)
    np.testing.assert_array_equal(np.concatenate([part.score for part in found]), whole.score)  # type: ignore[misc]
    np.testing.assert_array_equal(np.concatenate([part.frame for part in found]), whole.frame)
    assert {(part.format, part.layout.name) for part in found} == {(whole.format, "coco17")}


def test_blocks_of_rays_and_of_what_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LARGE", 1000)
    rays = np.random.default_rng(0).uniform(-0.4, 0.4, (25, 15, 2)).astype(np.float32)
    np.save(tmp_path / "people_2d.npy", rays)
    parts = list(blocks.load_blocks(tmp_path / "people.npy", rows=10))
    assert [part.frame[0] for part in parts] == [0, 10, 20]
    assert all(part.rays for part in parts)
    np.testing.assert_array_equal(np.concatenate([part.xy for part in parts]), rays)
    np.save(tmp_path / "doubles.npy", np.array([person(frame) for frame in range(25)]))
    (whole,) = blocks.load_blocks(tmp_path / "doubles.npy", rows=10)
    assert len(whole) == 25
    assert BOTH.shape == (2, 17, 3)
