"""Poses that stay in their file: the same numbers, the same training to the bit, and little memory."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_poses
from raw_files import npy, npy_header, npz, zipped

from minilift import Adam, InputError, Lifter, LiftModel, Poses, cal_mpjpe, evaluate, load_poses, run_epoch
from minilift.cli.data import main as data_main
from minilift.cli.eval import main as eval_main
from minilift.cli.train import main as train_main
from minilift.files.checkpoint import load_checkpoint
from minilift.files.mapped import CHUNK, MappedRows, Spool, crc32, shown
from minilift.lift.statistics import mean_std
from minilift.lift.training import lift_training
from minilift.poses import info as info_module
from minilift.poses.poses import find_scale, save_poses, save_scale, scale_fits, split_poses
from minilift.poses.read import course as formats
from minilift.train.batches import hold_out

N = CHUNK + 3000  # more than one chunk
POSES = make_poses(N)
GOOD = {"joint_2d_1": POSES.joint_2d, "joint_3d": POSES.joint_3d}
KINDS = ("a.npz", "a.npy")

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]


@pytest.fixture(params=KINDS)
def path(request: Any, tmp_path: Path) -> Path:
    """A file of all POSES, of either kind."""
    save_poses(tmp_path / request.param, POSES)
    return tmp_path / str(request.param)


def mapped(path: Path) -> Poses:
    poses = load_poses(path, need_3d=True, mapped=True)
    assert isinstance(poses.joint_2d, MappedRows)
    assert isinstance(poses.joint_3d, MappedRows)
    return poses


def same(found: Any, expected: np.ndarray) -> None:
    assert isinstance(found, np.ndarray)
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


# ---- rows in a file ----------------------------------------------------------------------------------

INDICES = {
    "all": slice(None),
    "part": slice(5, 9),
    "backwards": slice(None, None, -7),
    "nothing": slice(4, 4),
    "shuffled": np.random.default_rng(1).permutation(N),
    "repeated": np.array([3, 3, 2, 3, 4, 5]),
    "from the end": np.array([-1, 0, -N, N - 1]),
    "small numbers": np.array([0, 255, 7], np.uint8),
    "mask": np.arange(N) % 3 == 0,
    "one": 17,
    "last": -1,
}


@pytest.mark.parametrize("name", INDICES)
def test_indexing_is_that_of_the_array(name: str, path: Path) -> None:
    poses, index = mapped(path), INDICES[name]
    for rows, array in ((poses.joint_2d, POSES.joint_2d), (poses.joint_3d, POSES.joint_3d)):
        assert (rows.shape, rows.ndim, rows.dtype, len(rows)) == (array.shape, 3, np.float32, N)
        same(rows[index], array[index])
        same(rows.reshape(N, -1)[index], array.reshape(N, -1)[index])
        if name not in ("one", "last"):
            taken, expected = rows.take(index), array[index]
            same(np.asarray(taken), expected)
            half = np.arange(len(expected))[::-2]
            same(taken[half], expected[half])
            same(taken.take(half)[:], expected[half])
            same(taken.take(half)[::3], expected[half][::3])
    taken = poses.take(np.atleast_1d(np.arange(N)[index]))
    assert isinstance(taken.joint_3d, MappedRows)
    same(poses.read(np.atleast_1d(np.arange(N)[index])).joint_3d, np.asarray(taken.joint_3d))


@pytest.mark.parametrize(
    "index", [np.array([N]), np.array([-N - 1]), N, np.ones(3, bool), np.array([[1]]), np.array([0.5])]
)
def test_rows_that_are_not_there(index: Any, path: Path) -> None:
    with pytest.raises(IndexError):
        mapped(path).joint_2d[index]


def test_a_file_that_shrinks_is_an_error_and_not_the_end(path: Path) -> None:
    poses = mapped(path)
    for file in formats.files_of(path):
        os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(InputError, match="has shrunk while it was in use"):
        poses.joint_3d[-5:]


def test_a_disk_that_fails_is_one_line(path: Path) -> None:
    poses = mapped(path)
    poses.joint_3d.file.descriptor = -1
    with pytest.raises(InputError, match=r"a(_3d)?.np[yz]: Bad file descriptor; check the disk"):
        poses.joint_3d[7]


def test_a_file_that_is_replaced_goes_on_as_it_was(path: Path) -> None:
    poses = mapped(path)
    save_poses(path, make_poses(3, seed=9))
    same(poses.joint_3d[:], POSES.joint_3d)


def test_copies_have_a_file_of_their_own_and_all_are_closed(path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    poses = mapped(path)
    copies = copy.deepcopy(poses), pickle.loads(pickle.dumps(poses))
    del poses
    for other in copies:
        same(other.joint_2d[[5, 3]], POSES.joint_2d[[5, 3]])
    del copies, other
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before


def test_spooled_rows_come_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new", (15, 3))
    for start in range(0, N, 999):
        spool.append(POSES.joint_3d[start : start + 999])
    rows = spool.rows()
    del spool
    same(rows[:], POSES.joint_3d)
    assert list((tmp_path / "new").iterdir()) == []
    assert crc32(rows) == crc32(POSES.joint_3d)


@pytest.mark.parametrize("output", ["", "f.npz"])
def test_a_spool_that_fails_names_what_it_is_for(output: str, tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.chdir(tmp_path)
    spool = Spool(".", (15, 3), output)
    with open(os.devnull, "rb", buffering=0) as refuses:
        monkeypatch.setattr(spool, "stream", refuses)
        with pytest.raises(InputError) as caught:
            spool.append(POSES.joint_3d)
    assert str(caught.value).startswith(f"{output or tmp_path}: ")


def test_a_terminal_sees_how_far_it_is(path: Path, monkeypatch: Patch) -> None:
    rows = mapped(path).joint_2d
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    for array in (rows, POSES.joint_2d):
        assert list(shown(array, "looking")) == [slice(0, CHUNK), slice(CHUNK, N)]
    assert type(shown(rows, "looking")).__name__ == "tqdm"
    assert type(shown(POSES.joint_2d, "looking")).__name__ != "tqdm"


# ---- which files, and which are wrong ------------------------------------------------------------------


def test_large_files_are_mapped_and_small_ones_read(path: Path, monkeypatch: Patch) -> None:
    assert not load_poses(path).mapped
    monkeypatch.setattr(formats, "LARGE", 5 << 20)  # both files of the pair together
    assert load_poses(path).mapped
    assert not load_poses(path, mapped=False).mapped
    assert load_poses(path).ignored == ()


@pytest.mark.parametrize("name", ["a.npy", "a_2d.npy", "a_3d.npy"])
def test_a_pair_has_three_names(name: str, tmp_path: Path) -> None:
    save_poses(tmp_path / name, POSES)
    save_scale(tmp_path / "a_scale.npy", np.ones(N))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a_2d.npy", "a_3d.npy", "a_scale.npy"]
    for other in ("a.npy", "a_2d.npy", "a_3d.npy"):
        assert find_scale(tmp_path / other) == tmp_path / "a_scale.npy"
        for by_hand in (None, True):
            same(np.asarray(load_poses(tmp_path / other, True, mapped=by_hand).joint_3d), POSES.joint_3d)
    same(np.load(tmp_path / "a_3d.npy"), POSES.joint_3d)


def test_2d_points_alone_are_enough_to_predict_from(tmp_path: Path) -> None:
    save_poses(tmp_path / "a.npy", POSES)
    save_poses(tmp_path / "a.npy", Poses(POSES.joint_2d))  # the old 3D points go
    for by_hand in (None, True):
        poses = load_poses(tmp_path / "a_2d.npy", mapped=by_hand)
        assert poses.joint_3d is None
        assert poses.take(slice(0, 3)).joint_3d is None
        with pytest.raises(InputError, match=r"a_3d.npy: no such file, and its 3D joints are what training"):
            load_poses(tmp_path / "a.npy", need_3d=True, mapped=by_hand)
    predicted = Lifter(LiftModel(1, 8)).predict(poses.joint_2d)
    same(predicted, Lifter(LiftModel(1, 8)).predict(POSES.joint_2d))


READ_AS_EVER = {
    "compressed": npz(GOOD, np.savez_compressed),
    "float64": npz({key: value.astype(float) for key, value in GOOD.items()}),
    "big endian": npz({key: value.astype(">f4") for key, value in GOOD.items()}),
    "Fortran order": npz({key: np.asfortranarray(value) for key, value in GOOD.items()}),
    "one of them float64": npz({**GOOD, "joint_3d": POSES.joint_3d.astype(float)}),
}


@pytest.mark.parametrize("name", READ_AS_EVER)
def test_what_cannot_be_mapped_is_read_or_says_so(name: str, tmp_path: Path, monkeypatch: Patch) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(READ_AS_EVER[name])
    monkeypatch.setattr(formats, "LARGE", 0)
    same(load_poses(path).joint_3d, POSES.joint_3d)
    reason = "joint_2d_1.npy is compressed" if name == "compressed" else "is not one of little-endian float32"
    with pytest.raises(InputError, match=f"{reason}.*; write float32 arrays with numpy.savez"):
        load_poses(path, mapped=True)
    monkeypatch.setattr(formats, "LARGEST_FILE", 1000)
    with pytest.raises(InputError, match=f"{reason}.*; write float32 arrays with numpy.savez"):
        load_poses(path)


def test_a_pickle_cannot_be_mapped(tmp_path: Path) -> None:
    save_poses(tmp_path / "a.pkl", POSES)
    with pytest.raises(InputError, match=r"a.pkl: a pickle has to fit in memory; write float32 arrays with"):
        load_poses(tmp_path / "a.pkl", mapped=True)


def test_flat_rows_other_keys_and_the_plain_name(tmp_path: Path) -> None:
    flat = {"joint_2d": POSES.joint_2d.reshape(N, 30), "joint_3d": POSES.joint_3d.reshape(N, 45)}
    path = tmp_path / "a.npz"
    path.write_bytes(b"before the zip" + npz({"fps": np.array(30), **flat, "names": np.array(["ab"])}))
    with pytest.raises(InputError, match="a pickle has to fit"):  # by its first bytes it is none of ours
        load_poses(path, mapped=True)
    path.write_bytes(npz({"fps": np.array(30), **flat, "names": np.array(["ab"])}))
    poses = mapped(path)
    same(poses.joint_2d[:], POSES.joint_2d)
    same(poses.joint_3d[:], POSES.joint_3d)
    assert poses.ignored == ("fps", "names")


def changed(key: str, index: Any, value: float) -> dict[str, np.ndarray]:
    array = GOOD[key].copy()
    array[index] = value
    return {**GOOD, key: array}


def stored(array: np.ndarray) -> bytes:
    return npy(npy_header(array.shape), array.tobytes())


def flipped(content: bytes) -> bytes:
    return content[:-2_000_000] + bytes([content[-2_000_000] ^ 1]) + content[-1_999_999:]


BAD: dict[str, tuple[bytes, str]] = {
    "truncated": (npz(GOOD)[:-1000], "is a damaged or incomplete zip file, not a readable .npz file; copy"),
    "a changed bit": (flipped(npz(GOOD)), "the file is damaged (Bad CRC-32 of joint_3d); copy"),
    "a changed bit in flat rows": (
        flipped(npz({key: value.reshape(N, -1) for key, value in GOOD.items()})),
        "the file is damaged (Bad CRC-32 of joint_3d); copy",
    ),
    "NaN in the middle": (
        npz(changed("joint_3d", (CHUNK + 7, 3, 1), np.nan)),
        f"joint_3d has NaN or infinity in row {CHUNK + 7};",
    ),
    "infinity": (npz(changed("joint_2d_1", [1, N - 1], np.inf)), f"infinity in 2 rows (1, {N - 1});"),
    "behind the camera": (
        npz(changed("joint_3d", (CHUNK + 9, 9, 2), 0)),
        f"z >= 0, behind the camera, in row {CHUNK + 9}; remove",
    ),
    "camera looks down +Z": (npz({**GOOD, "joint_3d": -POSES.joint_3d}), "negate z"),
    "3D missing": (npz({"joint_2d_1": POSES.joint_2d}), "no key joint_3d, which training"),
    "2D missing": (npz({"joint_3d": POSES.joint_3d}), "no key joint_2d_1, found joint_3d"),
    "different N": (npz({**GOOD, "joint_3d": POSES.joint_3d[:-1]}), f"{N} poses, joint_3d has {N - 1}"),
    "14 joints": (npz({**GOOD, "joint_3d": POSES.joint_3d[:, :14].copy()}), "joint_3d has 14 joints"),
    "header lies": (
        zipped({"joint_2d_1.npy": npy(npy_header((10**12, 15, 2)))}),
        "its header claims 120000000000000 bytes of data, 0 are there",
    ),
    "header with code": (zipped({"joint_2d_1.npy": npy("__import__('os')")}), "its header does not describe"),
    "header cut": (zipped({"joint_2d_1.npy": b"\x93NUMPY\x01\x00\xff"}), "its header does not describe"),
    "objects": (
        npz({"joint_2d_1": np.full(3, None)}),
        "it holds Python objects, such as a dict, not numbers",
    ),
    "no poses": (npz({key: value[:0] for key, value in GOOD.items()}), "is not one of little-endian float32"),
    "a folder's name": (zipped({"joint_2d_1.npy/": b""}), "a zip file of other things"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_npz_files_are_one_clear_line(name: str, tmp_path: Path) -> None:
    content, expected = BAD[name]
    path = tmp_path / "bad file.npz"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_poses(path, need_3d=True, mapped=True)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("fields", [(20, 24), (20,), (24,), (42,)], ids=["sizes", "one", "other", "place"])
def test_sizes_in_the_zip_that_lie(fields: tuple[int, ...], tmp_path: Path) -> None:
    """The directory says where a member is and how long; none of it is believed."""
    content, path = bytearray(npz({"joint_2d_1": POSES.joint_2d})), tmp_path / "a.npz"
    entry = content.rindex(b"PK\x01\x02")
    for field in fields:
        content[entry + field : entry + field + 4] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.npz: is not a readable .npz file"):
        load_poses(path, mapped=True)


FLAT, DEEP = (stored(GOOD[key]) for key in GOOD)
BAD_PAIRS: dict[str, tuple[bytes | None, bytes | None, str]] = {
    "2D missing": (None, DEEP, "a_2d.npy: no such file (working directory "),
    "3D missing": (FLAT, None, "a_3d.npy: no such file, and its 3D joints are what"),
    "3D empty": (FLAT, b"", "a_3d.npy: the file is empty"),
    "3D truncated": (FLAT, DEEP[:-1], "a_3d.npy: is not a readable .npy file (its header claims "),
    "2D too long": (FLAT + b"x", DEEP, "a_2d.npy: is not a readable .npy file (its header claims "),
    "2D is text": (
        b"1, 2, 3",
        DEEP,
        "a_2d.npy: is a text file that begins '1, 2, 3', not a readable .npy file",
    ),
    "2D twice": (FLAT, FLAT, "a_3d.npy: joint_3d has shape"),
    "different N": (FLAT, stored(POSES.joint_3d[:7]), f"a.npy: joint_2d_1 has {N} poses, joint_3d has 7"),
    "NaN": (
        FLAT,
        stored(changed("joint_3d", (CHUNK + 7, 3, 1), np.nan)["joint_3d"]),
        f"a_3d.npy: joint_3d has NaN or infinity in row {CHUNK + 7};",
    ),
    "float64": (
        FLAT,
        npy(npy_header((7, 45), "<f8"), bytes(8 * 7 * 45)),
        "a.npy: an array (7, 45) of float64",
    ),
}


@pytest.mark.parametrize("name", BAD_PAIRS)
def test_bad_pairs_are_one_clear_line(name: str, tmp_path: Path) -> None:
    *contents, expected = BAD_PAIRS[name]
    for file, content in zip(formats.files_of(tmp_path / "a.npy"), contents, strict=True):
        if content is not None:
            file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_poses(tmp_path / "a.npy", need_3d=True, mapped=True)
    assert str(caught.value).startswith(str(tmp_path / expected.split(": ")[0]))
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["b.pkl", "b.npz", "b.npy"])
def test_saving_mapped_poses_writes_the_same_bytes(name: str, path: Path) -> None:
    written = []
    for poses in (POSES, mapped(path)):
        save_poses(path.parent / "out" / name, poses.take(np.arange(N)[::-1]))
        written.append([file.read_bytes() for file in formats.files_of(path.parent / "out" / name)])
    assert written[0] == written[1]


# ---- training -----------------------------------------------------------------------------------------


def small(data: Poses) -> tuple[LiftModel, Adam]:
    model = LiftModel(1, 16, 0.2, seed=3)
    model.standardise(data.joint_2d, data.joint_3d)
    return model, Adam(model.parameters(), lr=3e-3)


def units(model: LiftModel) -> list[np.ndarray]:
    assert model.before is not None
    assert model.after is not None
    return [model.before.scale, model.before.shift, model.after.scale, model.after.shift]


def test_standardise_has_the_same_bits(path: Path) -> None:
    rows = np.random.default_rng(0).permutation(N)[:-9]
    found, expected = (mean_std(poses.take(rows).joint_3d, 45) for poses in (mapped(path), POSES))
    for here, there in zip(found, expected, strict=True):
        np.testing.assert_array_equal(here, there)
    found, expected = (units(small(poses.take(rows))[0]) for poses in (mapped(path), POSES))
    for here, there in zip(found, expected, strict=True):
        np.testing.assert_array_equal(here, there)


def test_merging_the_chunks_loses_nothing() -> None:
    data = np.random.default_rng(0).standard_normal((3 * CHUNK + 5, 4)) * 1e-3 + [0, 1, 1000, -3]
    data[:CHUNK] += 1  # chunks that differ
    mean, std = mean_std(data, 4)
    exact = data.astype(np.longdouble)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(std, exact.std(axis=0), rtol=1e-11)  # seen 2e-12
    with pytest.raises(ValueError, match=r"shape \(49157, 4\), expected rows of 5 numbers"):
        mean_std(data, 5)


def test_an_epoch_has_the_same_bits(path: Path) -> None:
    results = []
    for poses in (mapped(path), POSES):
        train, test = (poses.take(rows) for rows in hold_out(N, 0.3, 0))
        model, adam = small(train)
        averages = run_epoch(0, train, model, adam, batch_size=1000, progress=False)
        results.append((averages, evaluate(model, test), model.flat.data.copy(), test.mapped))
    assert results[0][:2] == results[1][:2]
    np.testing.assert_array_equal(results[0][2], results[1][2])
    assert [result[3] for result in results] == [True, False]


def test_half_mapped_data_train_too(path: Path) -> None:
    data, weights = mapped(path), []
    for poses in (POSES, Poses(data.joint_2d, POSES.joint_3d), Poses(POSES.joint_2d, data.joint_3d)):
        model, adam = small(poses)
        run_epoch(0, poses, model, adam, batch_size=4000, progress=False)
        weights.append(model.flat.data.copy())
    np.testing.assert_array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[0], weights[2])


def test_a_trainer_has_the_same_bits(path: Path) -> None:
    files = []
    for poses in (mapped(path), POSES):
        out = path.parent / f"mapped {poses.mapped}"
        out.mkdir()
        rows, held_out = hold_out(N, 0.1, 0)
        train, validation = poses.take(rows), poses.take(held_out)
        model, adam = small(train)
        options: dict[str, Any] = {"epochs": 2, "batch_size": 2000, "show": lambda line: None, "bar": False}
        assert lift_training(model, adam, None, train, validation, out=out, **options).fit()
        files.append([(out / "liftModel").read_bytes(), load_checkpoint(out / "checkpoint.npz")[0]])
    assert files[0][0] == files[1][0]
    for key, value in files[0][1].items():
        np.testing.assert_array_equal(value, files[1][1][key], err_msg=key)


def test_the_programs_do_the_same_with_either(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    """train.py and eval.py; and a run that was begun in memory goes on from the file, test poses and all."""
    monkeypatch.chdir(tmp_path)
    save_poses("big.npy", POSES)
    save_poses("test.npy", make_poses(CHUNK + 9, seed=1))
    save_scale("test_scale.npy", np.full(CHUNK + 9, 4))
    flags = ["--data", "big.npy", "--test", "test.npy", "--hidden", "16", "--blocks", "1"]
    flags += ["--batch-size", "4000", "--epochs", "2"]
    found = []
    for limit in (formats.LARGE, 0):
        monkeypatch.setattr(formats, "LARGE", limit)
        out = f"out{limit}"
        assert train_main([*flags, "--out", out]) == 0
        assert "test 0." in capsys.readouterr().out
        assert (
            eval_main(
                [
                    "--weights",
                    f"{out}/liftModel",
                    "--data",
                    "test.npy",
                    "--json",
                    "--save",
                    "p.npz",
                    "--force",
                ]
            )
            == 0
        )
        figures = json.loads(capsys.readouterr().out) | {"weights": ""}
        found.append((Path(out, "liftModel").read_bytes(), figures, Path("p.npz").read_bytes()))
    assert found[0] == found[1]
    figures, test = found[0][1], load_poses("test.npy", mapped=False)
    predicted = Lifter.load(f"{out}/liftModel").predict(test.joint_2d)
    assert figures["mpjpe"] == pytest.approx(cal_mpjpe(predicted, test.joint_3d), rel=1e-9)
    assert figures["mpjpe_mm"] == pytest.approx(4000 * figures["mpjpe"], rel=1e-9)
    assert figures["poses"] == CHUNK + 9
    with np.load("p.npz") as kept:
        np.testing.assert_allclose(kept["joint_3d"], predicted, atol=1e-6)
    assert train_main(["--resume", "--out", "out268435456", "--epochs", "3"]) == 0
    assert "test 0." in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--save", "--plot"])
def test_eval_does_not_write_over_a_pair(flag: str, tmp_path: Path, capsys: Capture) -> None:
    save_poses(tmp_path / "a.npy", make_poses(3))
    for name in ("a_2d.npy", "a_3d.npy"):
        assert eval_main(["--data", str(tmp_path / "a.npy"), flag, str(tmp_path / name)]) == 2
        assert "would overwrite what is read" in capsys.readouterr().err


# ---- minilift data ----------------------------------------------------------------------------


def test_synth_writes_the_same_people_to_every_format(tmp_path: Path, monkeypatch: Patch) -> None:
    from minilift.poses.people.synth import synthesize

    monkeypatch.chdir(tmp_path)
    people = synthesize(5000, 2)
    for name in ("a.npz", "b.npy", "c.pkl"):
        assert data_main(["synth", "-n", "5000", "--seed", "2", "--out", name]) == 0
        poses = load_poses(name, True, f"{name[0]}_scale.npy")
        same(poses.joint_2d, people.joint_2d)
        same(poses.joint_3d, people.joint_3d)
        same(poses.scale, people.scale)
    assert len(list(tmp_path.iterdir())) == 7
    Path("b_scale.npy").unlink()
    assert data_main(["synth", "-n", "5", "--out", "b.npy"]) == 2
    with pytest.raises(ValueError, match="multiple of 4096"):
        synthesize(1, start=5)


def test_info_and_split_of_a_large_file(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    assert data_main(["synth", "-n", "900", "--out", "big.npy"]) == 0
    assert "wrote 900 poses to big_2d.npy and big_3d.npy and big_scale.npy" in capsys.readouterr().out
    assert data_main(["info", "big.npy"]) == 0
    in_memory = capsys.readouterr().out
    monkeypatch.setattr(formats, "LARGE", 0)
    assert data_main(["info", "big.npy"]) == 0
    assert capsys.readouterr().out == in_memory
    monkeypatch.setattr(info_module, "_DESCRIBED", 400)
    assert data_main(["info", "big_3d.npy"]) == 0
    out = capsys.readouterr().out
    assert "big_3d.npy: 900 poses" in out
    assert "below         one pose in 3; all have been checked" in out
    assert "the root depth is 1.0000: as expected" in out
    assert data_main(["split", "big.npy", "--out", "parts"]) == 0
    train, test = "data_train_lift.npz", "data_test_lift.npz"
    assert f"next: minilift train --data {train} --test {test} in parts" in capsys.readouterr().out
    expected = split_poses(load_poses("big.npy", True, "big_scale.npy", mapped=False))
    for name, poses in zip((train, test), expected, strict=True):
        found = load_poses(Path("parts", name), True, Path("parts", name.replace("lift.npz", "scale.npy")))
        same(found.joint_3d[:], poses.joint_3d)
        same(found.scale, poses.scale)
        assert scale_fits(found.joint_3d, found.scale)
    Path("parts", train).replace(train)
    assert data_main(["split", train, "--force"]) == 2
    assert "is what is being split" in capsys.readouterr().err


# ---- memory ---------------------------------------------------------------------------------------------

GATHER = """
import sys
import numpy as np
from minilift import LiftModel, load_poses
from minilift.poses.info import warn_of_conventions
from minilift.train import hold_out
from minilift.lift.run_epoch import training_batches

def peak():
    with open("/proc/self/status") as status:  # ru_maxrss would count what the parent had when it forked
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

before = peak()
poses = load_poses(sys.argv[1], need_3d=True)
assert poses.mapped
warn_of_conventions(sys.argv[1], poses)
train, held_out = (poses.take(rows) for rows in hold_out(len(poses), 0.05, 0))
model = LiftModel(0, 8)
model.standardise(held_out.joint_2d, held_out.joint_3d)
for batch, _ in zip(range(40), training_batches(train, model, 4096).epoch(0, model.ops)):
    pass
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads its memory from /proc")
def test_shuffled_batches_of_a_large_file_stay_small_in_memory(tmp_path: Path) -> None:
    """300 MB from all over which rows are taken: each page of a map would count, and a copy at once."""
    n, part = 1_000_000, make_poses(20_000)
    for file, rows in zip(
        formats.files_of(tmp_path / "big.npy"), (part.joint_2d, part.joint_3d), strict=True
    ):
        with open(file, "wb") as stream:
            stream.write(npy(npy_header((n, *rows.shape[1:]))))
            for _ in range(n // len(rows)):
                stream.write(rows.data)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", GATHER, str(tmp_path / "big.npy")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 80  # MB; seen 32, of which 16 are row numbers
