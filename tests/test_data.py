"""Pose files: everything sensible is read, everything else is one line that says what to do."""

import pickle
import warnings

import numpy as np
import pytest
from conftest import make_poses
from raw_files import npz

from minilift.errors import InputError
from minilift.poses.poses import find_scale, load_poses, save_poses, save_scale, split_poses

POSES = make_poses(8)
GOOD = {"joint_2d_1": POSES.joint_2d, "joint_3d": POSES.joint_3d}


ACCEPTED = {
    "as written": GOOD,
    "float64": {key: value.astype(np.float64) for key, value in GOOD.items()},
    "big endian": {key: value.astype(">f4") for key, value in GOOD.items()},
    "Fortran order": {key: np.asfortranarray(value) for key, value in GOOD.items()},
    "flat": {"joint_2d_1": POSES.joint_2d.reshape(8, 30), "joint_3d": POSES.joint_3d.reshape(8, 45)},
    "lists": {key: value.tolist() for key, value in GOOD.items()},
    "flat lists": {key: value.reshape(8, -1).tolist() for key, value in GOOD.items()},
    "tuples": {key: tuple(map(tuple, value.reshape(8, -1).tolist())) for key, value in GOOD.items()},
    "list of arrays": {key: list(value) for key, value in GOOD.items()},
    "list of flat float32 scalars": {key: [list(v.ravel()) for v in value] for key, value in GOOD.items()},
    "plain name": {"joint_2d": POSES.joint_2d, "joint_3d": POSES.joint_3d},
    "any order of keys": {"joint_3d": POSES.joint_3d, "joint_2d_1": POSES.joint_2d},
}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name, protocol, tmp_path):
    path = tmp_path / "poses.pkl"
    path.write_bytes(pickle.dumps(ACCEPTED[name], protocol))
    poses = load_poses(path, need_3d=True)
    for found, expected in ((poses.joint_2d, POSES.joint_2d), (poses.joint_3d, POSES.joint_3d)):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        assert found.flags.writeable
    assert len(poses) == 8
    assert poses.scale is None
    assert poses.ignored == ()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_accepts_npz_under_any_name(save, tmp_path):
    path = tmp_path / "poses.pkl"
    path.write_bytes(npz({**ACCEPTED["float64"], "joint_3d": np.asfortranarray(POSES.joint_3d)}, save))
    np.testing.assert_array_equal(load_poses(path).joint_3d, POSES.joint_3d)


def test_integers_are_read_as_numbers(tmp_path):
    path = tmp_path / "poses.pkl"
    whole = {"joint_2d_1": np.arange(60).reshape(2, 15, 2), "joint_3d": -np.ones((2, 15, 3), np.int16)}
    path.write_bytes(pickle.dumps(whole))
    poses = load_poses(path)
    np.testing.assert_array_equal(poses.joint_2d.ravel(), np.arange(60, dtype=np.float32))
    assert poses.joint_3d.dtype == np.float32


def test_one_pose_is_enough_to_read(tmp_path):
    save_poses(tmp_path / "one.pkl", POSES.take(slice(0, 1)))
    assert len(load_poses(tmp_path / "one.pkl", need_3d=True)) == 1


@pytest.mark.parametrize("write", [pickle.dumps, npz])
def test_other_keys_are_reported_and_ignored(write, tmp_path):
    path = tmp_path / "poses"
    path.write_bytes(write({"names": np.array(["ab"]), **GOOD, "fps": np.array(30)}))
    assert load_poses(path).ignored == ("names", "fps")


def test_both_names_of_the_2d_points(tmp_path):
    path = tmp_path / "poses.pkl"
    path.write_bytes(pickle.dumps({"joint_2d": POSES.joint_2d + 1, **GOOD}))
    poses = load_poses(path)
    np.testing.assert_array_equal(poses.joint_2d, POSES.joint_2d)
    assert poses.ignored == ("joint_2d",)


def test_a_file_without_3d_is_read_unless_3d_is_needed(tmp_path):
    path = tmp_path / "poses.pkl"
    path.write_bytes(pickle.dumps({"joint_2d_1": POSES.joint_2d}))
    assert load_poses(path).joint_3d is None
    with pytest.raises(InputError, match="no key joint_3d, which training and evaluation need"):
        load_poses(path, need_3d=True)


@pytest.mark.parametrize("name", ["a.pkl", "a.npz", "a"])
def test_save_and_load_agree(name, tmp_path):
    save_poses(tmp_path / name, POSES)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    poses = load_poses(tmp_path / name)
    np.testing.assert_array_equal(poses.joint_2d, POSES.joint_2d)
    np.testing.assert_array_equal(poses.joint_3d, POSES.joint_3d)
    first = (tmp_path / name).read_bytes()
    save_poses(tmp_path / name, poses)
    assert (tmp_path / name).read_bytes() == first


def test_plain_pickle_reads_what_we_save_without_a_warning(tmp_path):
    """numpy before 1.26 knows only numpy.core; later ones must take that name silently."""
    path = tmp_path / "poses.pkl"
    save_poses(path, POSES)
    content = path.read_bytes()
    assert b"numpy._core" not in content
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pickle.loads(content)
    assert list(found) == ["joint_2d_1", "joint_3d"]
    for key, value in GOOD.items():
        np.testing.assert_array_equal(found[key], value)
        assert found[key].dtype == np.float32


def test_the_courses_files(mocap):
    path = mocap / "data_test_lift.pkl"
    poses = load_poses(path, need_3d=True, scale=find_scale(path))
    assert len(poses) == 15_610
    assert poses.ignored == ()
    assert 2.5 <= poses.scale.min() <= poses.scale.max() <= 6
    projected = poses.joint_3d[..., :2] / -poses.joint_3d[..., 2:]
    np.testing.assert_allclose(projected, poses.joint_2d, atol=1e-7)


def test_split_deals_every_pose_once_the_same_way_each_time():
    poses = make_poses(101)
    train, test = split_poses(poses, 0.8, seed=3)
    assert (len(train), len(test)) == (80, 21)
    both = np.concatenate([train.joint_3d, test.joint_3d])
    assert {pose.tobytes() for pose in both} == {pose.tobytes() for pose in poses.joint_3d}
    rows = [np.flatnonzero((poses.joint_2d == pose).all(axis=(1, 2)))[0] for pose in test.joint_2d]
    np.testing.assert_array_equal(test.joint_3d, poses.joint_3d[rows])
    assert rows != sorted(rows)
    np.testing.assert_array_equal(split_poses(poses, 0.8, seed=3)[0].joint_2d, train.joint_2d)
    assert (split_poses(poses, 0.8, seed=4)[0].joint_2d != train.joint_2d).any()


@pytest.mark.parametrize(("n", "fraction", "first"), [(78_047, 0.8, 62_437), (100, 0.29, 29), (2, 0.5, 1)])
def test_split_sizes(n, fraction, first):
    assert len(split_poses(make_poses(1).take(np.zeros(n, int)), fraction)[0]) == first


@pytest.mark.parametrize(
    ("n", "fraction", "seed"),
    [
        (1, 0.5, 0),
        (8, 0, 0),
        (8, 1, 0),
        (8, 1.5, 0),
        (8, -0.5, 0),
        (8, float("nan"), 0),
        (8, 0.01, 0),
        (8, 0.5, -1),
    ],
)
def test_split_that_leaves_nothing(n, fraction, seed):
    with pytest.raises(InputError, match=r"^(fraction|seed) .* choose "):
        split_poses(make_poses(n), fraction, seed)


def test_scale_files(tmp_path):
    path = tmp_path / "data_test_lift.pkl"
    assert find_scale(path) is None
    save_scale(tmp_path / "data_test_scale.npy", np.arange(1, 9))
    assert find_scale(path) == tmp_path / "data_test_scale.npy"
    save_poses(path, POSES)
    poses = load_poses(path, scale=find_scale(path))
    np.testing.assert_array_equal(poses.scale, np.arange(1, 9, dtype=np.float32))
    np.testing.assert_array_equal(poses.take(np.array([2, 5])).scale, [3, 6])
    assert load_poses(path).scale is None
