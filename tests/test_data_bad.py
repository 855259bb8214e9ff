"""Pose and scale files that cannot be used: one line each that says what to do."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from conftest import make_poses
from raw_files import npy, npy_header, npz, zipped

from minilift.errors import InputError
from minilift.poses.poses import load_poses, load_scale

POSES = make_poses(8)
GOOD = {"joint_2d_1": POSES.joint_2d, "joint_3d": POSES.joint_3d}


def changed(key, index, value, dtype=np.float32):
    array = GOOD[key].astype(dtype)
    array[index] = value
    return {**GOOD, key: array}


BAD = {
    "random bytes": (np.random.default_rng(5).bytes(5000), "write it again as a dict"),
    "text": (b"joint_2d_1, joint_3d\n1, 2\n", "write it again as a dict"),
    "truncated pickle": (pickle.dumps(GOOD)[:-1000], "cut short"),
    "truncated npz": (npz(GOOD)[:-1000], "not a readable .npz file"),
    "npz with a changed byte": (npz(GOOD).replace(GOOD["joint_3d"][3, 3].tobytes(), b"x" * 12), "Bad CRC-32"),
    "list": (pickle.dumps([1, 2]), "holds a list, not a dict"),
    "array": (pickle.dumps(POSES.joint_2d), "holds a ndarray, not a dict"),
    "wrong keys": (
        pickle.dumps({"x": 1, "y": 2}),
        "no key joint_2d_1, found x, y; name the 2D points joint_2d_1",
    ),
    "no keys": (pickle.dumps({}), "no key joint_2d_1, found nothing"),
    "wrong keys, npz": (npz({"x": np.ones(3)}), "no key joint_2d_1, found x;"),
    "different N": (
        pickle.dumps({**GOOD, "joint_3d": POSES.joint_3d[:7]}),
        "joint_2d_1 has 8 poses, joint_3d has 7",
    ),
    "no poses": (pickle.dumps({k: v[:0] for k, v in GOOD.items()}), "joint_2d_1 holds no poses (N = 0)"),
    "no poses, list": (pickle.dumps({"joint_2d_1": []}), "joint_2d_1 holds no poses (N = 0)"),
    "14 joints": (
        pickle.dumps({**GOOD, "joint_3d": POSES.joint_3d[:, :14]}),
        "joint_3d has 14 joints, expected 15",
    ),
    "14 joints, flat": (
        pickle.dumps({"joint_2d_1": np.zeros((3, 28))}),
        "joint_2d_1 has 14 joints, expected 15",
    ),
    "16 joints": (
        pickle.dumps({"joint_2d_1": np.zeros((3, 16, 2))}),
        "has 16 joints, expected 15; drop the root",
    ),
    "16 joints, list": (pickle.dumps({"joint_2d_1": np.zeros((3, 16, 2)).tolist()}), "has 16 joints"),
    "one pose without N": (
        pickle.dumps({"joint_2d_1": np.zeros(30)}),
        "has shape (30,), expected (N, 15, 2)",
    ),
    "3D points as 2D": (pickle.dumps({"joint_2d_1": np.zeros((3, 15, 3))}), "has shape (3, 15, 3), expected"),
    "NaN": (
        pickle.dumps(changed("joint_2d_1", (4, 2, 1), np.nan)),
        "joint_2d_1 has NaN or infinity in row 4;",
    ),
    "infinity": (
        pickle.dumps(changed("joint_3d", [1, 2, 3, 4, 6, 7], np.inf)),
        "joint_3d has NaN or infinity in 6 rows (1, 2, 3, 4, 6, ...);",
    ),
    "NaN, npz": (npz(changed("joint_3d", 0, np.nan)), "joint_3d has NaN or infinity in row 0;"),
    "too large for float32": (
        pickle.dumps(changed("joint_2d_1", 5, 1e39, np.float64)),
        "joint_2d_1 is too large for float32 in row 5",
    ),
    "number too large for float64": (
        pickle.dumps({"joint_2d_1": [[10**400] * 30]}),
        "things that are not numbers",
    ),
    "behind the camera": (
        pickle.dumps(changed("joint_3d", (2, 9, 2), 0)),
        "z >= 0, behind the camera, in row 2; rem",
    ),
    "camera looks down +Z": (
        pickle.dumps({**GOOD, "joint_3d": -POSES.joint_3d}),
        "8 rows (0, 1, 2, 3, 4, ...); negate z",
    ),
    "flags": (pickle.dumps({"joint_2d_1": np.zeros((3, 15, 2), bool)}), "joint_2d_1 holds bool values"),
    "words": (pickle.dumps({"joint_2d_1": np.full((3, 15, 2), "a")}), "joint_2d_1 holds <U1 values"),
    "objects": (
        pickle.dumps({"joint_2d_1": np.full((3, 15, 2), None)}),
        "array of type 'O8', only plain numbers",
    ),
    "complex": (pickle.dumps({"joint_2d_1": np.zeros((3, 15, 2), complex)}), "array of type 'c16'"),
    "a number": (pickle.dumps({"joint_2d_1": 3}), "joint_2d_1 is of type int; store a numpy array"),
    "nothing": (pickle.dumps({"joint_2d_1": None}), "joint_2d_1 is of type NoneType"),
    "ragged list": (pickle.dumps({"joint_2d_1": [[1.0] * 30, [1.0] * 28]}), "rows are not alike"),
    "list of words": (pickle.dumps({"joint_2d_1": [["a"] * 30]}), "rows are not alike lists of numbers"),
    "list in itself": (b"}S'joint_2d_1'\n]q\x00h\x00as.", "rows are not alike"),
    "small file, huge list": (pickle.dumps({"joint_2d_1": [[0] * 5000] * 5000}), "rows are not alike"),
    "small file, huge nested list": (
        pickle.dumps({"joint_2d_1": [[[0] * 5000] * 200] * 5000}),
        "rows are not alike",
    ),
    "npz with objects": (npz({"joint_2d_1": np.full(3, None)}), "not a readable .npz file"),
    "npz with a folder": (zipped({"joint_2d_1.npy/": b""}), "a zip file of other things"),
    "npz with text": (zipped({"joint_2d_1.npy": b"hello"}), "no .npy header"),
    "npz with code for a header": (
        zipped({"joint_2d_1.npy": npy("__import__('os').mkdir('was_run')")}),
        "its header does not describe one plain array",
    ),
    "npz with a lying shape": (
        zipped({"joint_2d_1.npy": npy(npy_header((10**12, 15, 2)))}),
        "its header claims 120000000000000 bytes of data, 0 are there",
    ),
    "npz with an overflowing shape": (
        zipped({"joint_2d_1.npy": npy(npy_header((2**62, 15, 2)))}),
        "its header claims",
    ),
    "npz with an endless header": (
        zipped({"joint_2d_1.npy": npy("(" * 100_000, version=2)}),
        "its header is too long",
    ),
    "zip bomb": (
        zipped(
            {"joint_2d_1.npy": npy(npy_header((700_000, 15, 2)), bytes(84_000_000))},
            zipfile.ZIP_DEFLATED,
        ),
        "bytes claim to hold 84000",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_clear_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, expected = BAD[name]
    path = tmp_path / "bad file.pkl"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_poses(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_says_where_it_was_sought_and_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_poses("none.pkl")
    assert str(caught.value).startswith(f"none.pkl: no such file (working directory {tmp_path});")
    assert "minilift data synth" in str(caught.value)


def saved(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


BAD_SCALES = {
    "other length": (saved(np.ones(7)), "scale has shape (7,) of float64, expected (8,) numbers"),
    "two columns": (saved(np.ones((8, 1))), "scale has shape (8, 1)"),
    "one number": (saved(np.ones(())), "scale has shape ()"),
    "zero": (saved(np.array([1, 1, 0, 1, 1, 1, 1, 1])), "not positive in row 2"),
    "negative": (saved(np.array([1, -1, 1, 1, 1, 1, 1, -1])), "not positive in 2 rows (1, 7)"),
    "NaN": (saved(np.array([1, 1, 1, np.nan, 1, 1, 1, 1])), "scale has NaN or infinity in row 3"),
    "words": (saved(np.full(8, "a")), "scale has shape (8,) of <U1"),
    "objects": (saved(np.full(8, None), allow_pickle=True), "not a readable .npy file"),
    "cut short": (saved(np.ones(8))[:-1], "not a readable .npy file (its header claims 64 bytes of data, 63"),
    "random bytes": (np.random.default_rng(6).bytes(100), "not a readable .npy file (no .npy header)"),
    "an npz": (npz({"scale": np.ones(8)}), "not a readable .npy file"),
    "empty": (b"", "the file is empty"),
}


@pytest.mark.parametrize("name", BAD_SCALES)
def test_bad_scale_files(name, tmp_path):
    content, expected = BAD_SCALES[name]
    path = tmp_path / "scale.npy"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_scale(path, 8)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()


def test_root_relative_poses_get_the_right_remedy(tmp_path):
    relative = make_poses(20).joint_3d + np.float32([0, 0, 1])
    path = tmp_path / "p.pkl"
    for joint_3d, remedy in ((relative, "move it to (0, 0, -1)"), (np.abs(relative) + 1, "negate z")):
        path.write_bytes(pickle.dumps({"joint_2d_1": np.zeros((20, 15, 2)), "joint_3d": joint_3d}))
        with pytest.raises(InputError) as caught:
            load_poses(path)
        assert remedy in str(caught.value)
