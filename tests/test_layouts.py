"""Layouts: joints, bones, sides, how the course's joints are made of them; and the camera's conventions."""

import ast

import numpy as np
import pytest
from conftest import ROOT as ROOT_DIR

from minilift.errors import InputError
from minilift.poses.bones import asymmetry, bone_errors, paired
from minilift.poses.camera import project, to_camera
from minilift.poses.joint_state import MISSING, SEEN
from minilift.poses.layouts import COURSE15, JOINTS, LAYOUTS, ROOT
from minilift.poses.layouts.make import make, named_as_it_is
from minilift.poses.lens.orientation import azimuth
from minilift.poses.metrics import cal_mpjpe, pa_mpjpe


def test_joint_order_is_that_of_the_files():
    expected = (
        "right_hip right_knee right_ankle left_hip left_knee left_ankle spine neck head left_shoulder "
        "left_elbow left_wrist right_shoulder right_elbow right_wrist"
    )
    assert " ".join(JOINTS) == expected


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_bone_leads_to_the_root(name):
    layout = LAYOUTS[name]
    assert len(layout.parents) == len(set(layout.joints)) == len(layout)
    for joint in range(len(layout)):
        steps = 0
        while joint >= 0:
            joint, steps = layout.parents[joint], steps + 1
            assert steps <= 12
    assert COURSE15.bones[0] == "root-right_hip"
    assert COURSE15.bones[11] == "left_elbow-left_wrist"


def test_what_hangs_on_what_in_a_hand_and_a_foot():
    layout = LAYOUTS["coco_wholebody133"]
    hangs = {name: layout.joints[row] for name, row in zip(layout.joints, layout.parents, strict=True)}
    way, joint = [], "right_pinky_finger4"
    while joint != "right_elbow":
        joint = hangs[joint]
        way.append(joint)
    finger = [f"right_pinky_finger{i}" for i in (3, 2, 1)]
    assert way == [*finger, "right_hand_root", "right_wrist", "right_elbow"]
    assert (hangs["left_heel"], hangs["left_big_toe"], hangs["face_30"]) == (
        "left_ankle",
        "left_ankle",
        "nose",
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_mirror_swaps_sides_and_is_its_own_inverse(name):
    layout = LAYOUTS[name]
    mirror, n = layout.mirror, len(layout)
    assert [mirror[i] for i in layout.left] == [
        layout.joints.index(layout.joints[i].replace("left", "right")) for i in layout.left
    ]
    assert [mirror[i] for i in mirror] == list(range(n))
    parents = [*layout.parents, -1]
    assert [parents[mirror[i]] for i in range(n)] == [mirror[p] if p >= 0 else -1 for p in layout.parents]


def numbered(name):
    """Every joint at its own row, so that what a joint is made of can be read from the result."""
    layout = LAYOUTS[name]
    rows = np.arange(len(layout), dtype=np.float64)
    return layout, make(layout, np.stack([rows, -rows], axis=1)[None], np.zeros((1, len(layout)), bool))


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_courses_joints_are_found_in_every_layout(name):
    layout, made = numbered(name)
    assert made.joint_2d.shape == (1, 15, 2)
    assert np.isfinite(made.joint_2d).all()
    assert (made.state != MISSING).all()
    np.testing.assert_array_equal(made.joint_2d[..., 0], -made.joint_2d[..., 1])
    for joint, value, state in zip(COURSE15.joints, made.joint_2d[0, :, 0], made.state[0], strict=True):
        if joint in named_as_it_is(layout) and joint not in layout.made_of:
            assert (value, state) == (layout.index(joint), SEEN)
    with pytest.raises(ValueError, match=f"expected {len(layout)} joints"):
        make(layout, np.zeros((2, len(layout) + 1, 2)), np.zeros((2, len(layout) + 1), bool))


# By hand from the tables of the tools' own pages; None: estimated
MADE = {
    "h36m17": ([1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16], 0),
    "h36m16": ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 0),
    "h36m32": ([1, 2, 3, 6, 7, 8, 12, 13, 15, 17, 18, 19, 25, 26, 27], 0),
    "coco17": ([12, 14, 16, 11, 13, 15, None, None, None, 5, 7, 9, 6, 8, 10], 11.5),
    "body25": ([9, 10, 11, 12, 13, 14, None, 1, None, 5, 6, 7, 2, 3, 4], 8),
    "openpose_coco18": ([8, 9, 10, 11, 12, 13, None, 1, None, 5, 6, 7, 2, 3, 4], 9.5),
    "mpi15": ([8, 9, 10, 11, 12, 13, None, 1, None, 5, 6, 7, 2, 3, 4], 9.5),
    "halpe26": ([12, 14, 16, 11, 13, 15, None, 18, None, 5, 7, 9, 6, 8, 10], 19),
    "mpii16": ([2, 1, 0, 3, 4, 5, None, 7, None, 13, 14, 15, 12, 11, 10], 6),
    "mediapipe33": ([24, 26, 28, 23, 25, 27, None, None, None, 11, 13, 15, 12, 14, 16], 23.5),
    "aic14": ([6, 7, 8, 9, 10, 11, None, 13, None, 3, 4, 5, 0, 1, 2], 7.5),
    "crowdpose14": ([7, 9, 11, 6, 8, 10, None, 13, None, 0, 2, 4, 1, 3, 5], 6.5),
    "smpl24": ([2, 5, 8, 1, 4, 7, 6, 12, 15, 16, 18, 20, 17, 19, 21], 0),
    "mpi_inf_3dhp17": ([8, 9, 10, 11, 12, 13, 15, 1, 16, 5, 6, 7, 2, 3, 4], 14),
    "mpi_inf_3dhp28": ([23, 24, 25, 18, 19, 20, 3, 5, 6, 9, 10, 11, 14, 15, 16], 4),
}


@pytest.mark.parametrize("name", MADE)
def test_what_joints_are_made_of(name):
    _, made = numbered(name)
    wanted, root = MADE[name]
    for joint, value, expected in zip(COURSE15.joints, made.joint_2d[0, :, 0], wanted, strict=True):
        assert expected is None or value == expected, joint
    assert made.root[0, 0] == root


def test_the_root_of_a_pose_is_where_the_files_put_it():
    pose = COURSE15.with_root(np.zeros((2, len(COURSE15), 3)))
    assert pose[:, -1].tolist() == [list(ROOT)] * 2


def test_bone_lengths_start_at_the_root():
    pose = np.tile(np.array([0.0, 0.0, -1.0]), (2, 15, 1))
    pose[:, 0] += (-0.1, 0, 0)
    pose[:, 1] += (-0.1, -0.4, 0)
    lengths = COURSE15.bone_lengths(pose)
    assert lengths.shape == (2, 15)
    np.testing.assert_allclose(lengths[:, :3], [[0.1, 0.4, np.hypot(0.1, 0.4)]] * 2)
    assert np.all(lengths[:, 3:] == 0)


@pytest.mark.parametrize("shape", [(15, 3), (2, 14, 3), (2, 15, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected poses of shape \(N, 15, 3\), got"):
        COURSE15.bone_lengths(np.zeros(shape))


def test_unknown_joint_lists_the_known_ones():
    with pytest.raises(InputError, match="no joint 'nose'; it has right_hip"):
        COURSE15.index("nose")


# A point one metre to the person's left, up, or ahead, and where it must appear: image right is +x.
VIEWS = [
    (0, 0, (1, 0, 0), (1, 0, 0)),  # facing the camera, the left hand is on the image's right
    (0, 0, (0, 0, 1), (0, 0, 1)),  # what is ahead of a person facing the camera is nearer to it
    (180, 0, (1, 0, 0), (-1, 0, 0)),  # from behind, the left hand is on the image's left
    (90, 0, (1, 0, 0), (0, 0, 1)),  # from the person's left, the left hand is near
    (90, 0, (0, 0, 1), (-1, 0, 0)),  # and the person looks to the image's left
    (0, 90, (0, 1, 0), (0, 0, 1)),  # from above, the head is near
    (0, 30, (0, 1, 0), (0, np.cos(np.pi / 6), 0.5)),
]


@pytest.mark.parametrize(("azimuth", "elevation", "point", "seen"), VIEWS)
def test_camera_handedness(azimuth, elevation, point, seen):
    joints = np.array(point, dtype=np.float64)[None, None]
    got = to_camera(joints, np.radians([azimuth]), np.radians([elevation]), np.array([4.0]))
    np.testing.assert_allclose(got[0, 0], np.array(seen) / 4 + (0, 0, -1), atol=1e-15)


def test_root_is_exactly_at_minus_one():
    joints = np.zeros((50, 1, 3))
    rng = np.random.default_rng(0)
    seen = to_camera(joints, rng.uniform(-4, 4, 50), rng.uniform(-1, 1, 50), rng.uniform(2.5, 6, 50))
    assert np.all(seen == (0, 0, -1))


def test_projection():
    np.testing.assert_array_equal(project(np.array([[1.0, -2.0, -4.0]])), [[0.25, -0.5]])
    assert project(np.full((2, 15, 3), -1, dtype=np.float32)).dtype == np.float32


def test_points_behind_the_camera_are_refused():
    with pytest.raises(ValueError, match=r"in front of the camera; got z = 0\.5"):
        project(np.array([[0.0, 0.0, 0.5], [0.0, 0.0, -1.0]]))


# Where the number may stand: the assignment fixed the model's defaults, layouts have rows
MAY_COUNT = {"lift/model.py", "poses/layouts/rows.py"}
# Where it counts other things: frames per second, digits, shifts, places in a stream of random numbers
OTHERWISE = {
    *("poses/read/text.py", "poses/read/keypoints/tables/cells.py", "poses/tracks/follow.py"),
    *("lift/augment/hashes.py", "lift/augment/tables.py"),
}
SHAPES = {"reshape", "zeros", "ones", "empty", "full", "broadcast_to", "Spool"}


def joint_counts(source: str) -> list[int]:
    """The lines of a program where the number of joints stands, or twice or three times it in a shape."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value == len(COURSE15):
            found.append(node.lineno)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in SHAPES:
            flat = {2 * len(COURSE15), 3 * len(COURSE15)}
            inner = [n for arg in node.args for n in ast.walk(arg) if isinstance(n, ast.Constant)]
            found += [n.lineno for n in inner if type(n.value) is int and n.value in flat]
    return sorted(found)


def test_the_search_for_counts_finds_them():
    assert joint_counts("a.reshape(-1, 15, 3)") == joint_counts("np.zeros((n, 45))") == [1]
    assert joint_counts("if shape[1] != 15:\n  x = np.empty((30, 2))") == [1, 2]
    assert joint_counts("angles = (-30, 45, 15.0)  # 15\n'(N, 15)'") == []


@pytest.mark.parametrize("room", ["poses", "lift", "evaluation", "show", "studies", "cli"])
def test_nothing_else_counts_the_joints(room):
    """What needs their number asks a layout. An angle of 15 degrees is written 15.0."""
    for path in sorted((ROOT_DIR / "minilift" / room).rglob("*.py")):
        name = path.relative_to(ROOT_DIR / "minilift").as_posix()
        lines = joint_counts(path.read_text(encoding="utf-8"))
        allowed = name in MAY_COUNT | OTHERWISE
        assert not lines or allowed, f"{name} counts the joints in line {lines}: ask a layout"


def test_bones_and_directions_of_any_layout():
    """A person seen from their left, in each layout: the same azimuth, and bones of their own."""
    rng = np.random.default_rng(0)
    for layout in LAYOUTS.values():
        pose = rng.normal(0, 0.2, (3, len(layout), 3)) + ROOT
        for side, x in (("left", 0.2), ("right", -0.2)):
            for part in ("hip", "shoulder"):
                pose[:, layout.index(f"{side}_{part}")] = (0, 0, -1 + x)
        np.testing.assert_allclose(azimuth(pose, layout), 90)
        longer = ROOT + 1.5 * (pose - ROOT)
        np.testing.assert_allclose(
            bone_errors(longer, pose, layout), 0.5 * layout.bone_lengths(pose), atol=1e-12
        )
        assert asymmetry(pose, layout).shape == (3, len(paired(layout))) == (3, len(layout.left))
        np.testing.assert_allclose(
            asymmetry(pose[:, layout.mirror], layout), asymmetry(pose, layout), atol=1e-12
        )
        assert pa_mpjpe(longer, pose) == pytest.approx(0, abs=1e-12)  # metrics take any number of joints
        assert cal_mpjpe(longer, pose) > 0.01
    assert paired(LAYOUTS["coco17"])[0] == "nose-eye"
