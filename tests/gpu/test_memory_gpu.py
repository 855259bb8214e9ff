"""A GPU whose memory does not suffice: what is said, what fits, and what of the run is kept."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from fake_cuda import FakeCuda

from minilift import LiftModel
from minilift.cli.main import main as command
from minilift.cli.train import main as train
from minilift.files.checkpoint import load_checkpoint
from minilift.lift.fast.memory import fitting_batch, try_with_3d
from minilift.lift.recipe import make_settings
from minilift.lift.weak.memory import try_without_3d
from minilift.ops.cuda.cupy_core import CupyCore
from minilift.poses.poses import save_poses
from minilift.train.trainer import Trainer

Capture = pytest.CaptureFixture[str]
SMALL = ["--hidden", "32", "--blocks", "1", "--epochs", "3", "--device", "gpu"]


@pytest.fixture
def backend(gpu: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    """The stand-in, whose memory can be limited, and poses in the working folder, which stay on it."""
    monkeypatch.setattr(CupyCore, "holds", lambda self, nbytes: True)
    if not isinstance(gpu.backend, FakeCuda):
        pytest.skip("a real GPU has as much memory as it has")
    monkeypatch.chdir(tmp_path)
    save_poses("data_train_lift.pkl", make_poses(700))
    save_poses("data_test_lift.pkl", make_poses(100, seed=1))
    return gpu.backend


def lifting(batch: int) -> None:
    try_with_3d(lambda: LiftModel(1, 32, device="gpu"), 700, batch)


def peak(backend: FakeCuda, batch: int, attempt: Callable[[int], None] = lifting) -> int:
    """Bytes that training with this batch takes at most, and all else that lies there."""
    most, allocate = 0, backend.allocate

    def counted(nbytes: int) -> Any:
        nonlocal most
        found = allocate(nbytes)
        most = max(most, backend.pool_bytes())
        return found

    backend.allocate = counted  # type: ignore[method-assign]
    assert fitting_batch(attempt, 2 * batch) == batch
    gc.collect()
    backend.allocate = allocate  # type: ignore[method-assign]
    return most


def test_the_largest_half_that_fits_is_found(backend: FakeCuda) -> None:
    backend.limit = peak(backend, 100)
    assert fitting_batch(lifting, 800) == 100
    held = backend.pool_bytes()
    backend.limit = held
    assert fitting_batch(lifting, 800) == 0
    assert backend.pool_bytes() == held  # nothing of what was tried is left


def test_the_line_says_which_batch_would_fit(backend: FakeCuda, capsys: Capture) -> None:
    backend.limit = peak(backend, 150)
    assert train([*SMALL, "--batch-size", "600"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("minilift train: error: --device gpu: out of memory (")
    assert told.endswith("; a new run with --batch-size 150 fits; or use --device cpu")
    assert not Path("checkpoint.npz").exists()
    assert train([*SMALL, "--batch-size", "150"]) == 0


@pytest.mark.parametrize("weak", ["one-view", "two-view"])
def test_the_line_says_it_of_trainings_without_3d_too(backend: FakeCuda, capsys: Capture, weak: str) -> None:
    if weak == "two-view":
        assert command(["data", "twoview", "data_train_lift.pkl", "-o", "two.npz"]) == 0
    data = "two.npz" if weak == "two-view" else "data_train_lift.pkl"
    run = ["train", "--preset", weak, *SMALL, "--epochs", "1", "--data", data]
    settings = make_settings(weak, {"hidden": 32, "blocks": 1, "device": "gpu"})
    backend.limit = peak(backend, 75, lambda batch: try_without_3d(settings, 666, batch))
    assert command([*run, "--batch-size", "600"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("minilift train: error: --device gpu: out of memory (")
    assert told.endswith("; a new run with --batch-size 75 fits; or use --device cpu")
    assert command([*run, "--batch-size", "75"]) == 0


def test_out_of_memory_in_the_middle_leaves_the_checkpoint_whole(
    backend: FakeCuda, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Trainer._finish_epoch

    def fuller(self: Trainer, *given: Any) -> None:
        """Another program takes all that is left, and some more, when two epochs are done."""
        finish(self, *given)
        if self.progress.epoch == 2:
            backend.limit = backend.pool_bytes()

    monkeypatch.setattr(Trainer, "_finish_epoch", fuller)
    assert train([*SMALL, "--batch-size", "50", "--checkpoint-every", "1epoch"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "; checkpoint.npz is whole, and --resume goes on from it, where there is more memory; or" in told
    _, meta = load_checkpoint(Path("checkpoint.npz"))
    assert meta["progress"]["epoch"] == 2
    monkeypatch.setattr(Trainer, "_finish_epoch", finish)
    assert train(["--resume", "--device", "cpu"]) == 0


def test_a_checkpoint_of_another_run_is_not_claimed(backend: FakeCuda, capsys: Capture) -> None:
    Path("checkpoint.npz").write_bytes(b"of another run")
    backend.limit = peak(backend, 150)
    os.utime("checkpoint.npz", (1, 1))
    assert train([*SMALL, "--batch-size", "600"]) == 2
    assert "checkpoint.npz" not in capsys.readouterr().err.splitlines()[-1]
    assert np.array_equal(np.fromfile("checkpoint.npz", "S1", 2), np.array([b"o", b"f"]))
