"""What several tests share."""

from __future__ import annotations

import os
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# One thread for each of several test processes: pools of threads that wait in loops for the same cores take
# many times as long. Before NumPy and torch are imported, who read it then.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")

# Whatever else is installed, and was found on this machine: tests of the choice set it themselves
os.environ["MINILIFT_BLAS"] = "openblas"

import numpy as np
import pytest
from pages import CHROMIUM, FLAGS, PATIENCE

from minilift.poses.poses import Poses

# A shell ignores Ctrl-C in what it runs in the background, and so do the programs that this starts
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
MOCAP = ROOT.parent / "shared" / "data" / "mocap"
IMAGES = ROOT.parent / "shared" / "data" / "images"
CMU = ROOT.parent / "shared" / "data" / "cmu" / "cmu.tar.xz"
CMU_TAKES = (
    *("05/05.asf", "05/05_01.bvh", "06/06_01.bvh", "09/09.asf", "09/09_10.amc", "16/16.asf", "16/16_01.amc"),
    *("16/16_15.bvh", "29/29.asf", "29/29_01.bvh", "29/29_03.amc", "49/49_06.bvh", "49/49_08.bvh"),
    *("87/backflip.asf", "87/backflip.amc", "88/acrobatics.asf", "88/acrobatics.amc"),
)


@pytest.fixture(scope="session")
def mocap() -> Path:
    """The folder of real motion capture. It may not be shipped, so it is not everywhere."""
    if not MOCAP.is_dir():
        pytest.skip("the motion-capture data (licensed for local testing only) is not on this machine")
    return MOCAP


@pytest.fixture(scope="session")
def cmu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with CMU_TAKES. The archive takes seconds to unpack, so it is read once for all tests."""
    if not CMU.is_file():
        pytest.skip("CMU's motion capture (not part of the project) is not on this machine")
    folder = tmp_path_factory.mktemp("cmu")
    safe: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(CMU, "r:xz") as archive:
        for member in archive:
            if member.name.removeprefix("cmu/") in CMU_TAKES:
                archive.extract(member, folder, **safe)  # a safe filter, where Python has one
    return folder / "cmu"


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.gpu)])
def gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The Gpu that device='gpu' opens: one whose kernels run on the CPU, and with `-m gpu` a real one too."""
    from minilift import ops
    from minilift.ops.cuda import cupy_core
    from minilift.ops.cuda.gpu import Gpu, open_gpu

    if request.param == "real":
        try:
            return open_gpu(0)
        except ValueError as problem:
            pytest.skip(str(problem))
    from cpu_kernels import why_absent
    from fake_cuda import FakeCuda

    if reason := why_absent():
        pytest.skip(reason)
    found = Gpu(FakeCuda())
    ops.choose_device.cache_clear()
    monkeypatch.setattr(cupy_core, "open_gpu", lambda index: found)
    return found


def make_poses(n: int, seed: int = 0) -> Poses:
    """Poses of a made-up family with 6 degrees of freedom: quick to make, and learnable."""
    rng = np.random.default_rng(seed)
    shape = np.random.default_rng(99).standard_normal((6, 45)) * 0.05
    joint_3d = np.tanh(rng.standard_normal((n, 6)) @ shape).reshape(n, 15, 3)
    joint_3d[:, 3] = -joint_3d[:, 0]  # the hips, with the root in the middle
    joint_3d[..., 2] -= 1
    joint_2d = joint_3d[..., :2] / -joint_3d[..., 2:]
    return Poses(joint_2d.astype(np.float32), joint_3d.astype(np.float32), np.full(n, 4, np.float32))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser that opens pages; tests that ask for it skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="driving a browser needs playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()
