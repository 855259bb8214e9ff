"""What several tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minilift.data import Poses

ROOT = Path(__file__).parents[1]
MOCAP = ROOT.parent / "shared" / "data" / "mocap"


@pytest.fixture(scope="session")
def mocap() -> Path:
    """The folder of real motion capture. It may not be shipped, so it is not everywhere."""
    if not MOCAP.is_dir():
        pytest.skip("the motion-capture data (licensed for local testing only) is not on this machine")
    return MOCAP


def make_poses(n: int, seed: int = 0) -> Poses:
    """Poses of a made-up family with 6 degrees of freedom: quick to make, and learnable."""
    rng = np.random.default_rng(seed)
    shape = np.random.default_rng(99).standard_normal((6, 45)) * 0.05
    joint_3d = np.tanh(rng.standard_normal((n, 6)) @ shape).reshape(n, 15, 3)
    joint_3d[:, 3] = -joint_3d[:, 0]  # the hips, with the root in the middle
    joint_3d[..., 2] -= 1
    joint_2d = joint_3d[..., :2] / -joint_3d[..., 2:]
    return Poses(joint_2d.astype(np.float32), joint_3d.astype(np.float32), np.full(n, 4, np.float32))
