"""Data that a GPU cannot hold: they come batch by batch, to the same bits, and nobody waits for a copy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from fake_cuda import FakeCuda
from test_trainer import classifier, clouds

from minilift import Batches, InputError, LiftModel, Trainer, run_epoch
from minilift.files.npz import map_npy
from minilift.lift.run_epoch import pose_batches
from minilift.ops import get_ops
from minilift.ops.cuda.cupy_core import CupyCore
from minilift.optim import Adam
from minilift.train.step import Sums

Patch = pytest.MonkeyPatch


@pytest.fixture(params=["late", "hasty"])
def backend(request: pytest.FixtureRequest, gpu: Any) -> Any:
    """Copies are done when they are waited for, or as soon as they are asked for."""
    if isinstance(gpu.backend, FakeCuda):
        gpu.backend.hasty = request.param == "hasty"
    elif request.param == "hasty":
        pytest.skip("a real GPU copies when it does")
    return gpu.backend


def far(monkeypatch: Patch, change: Callable[[int], bool] = lambda nbytes: False) -> None:
    monkeypatch.setattr(CupyCore, "holds", lambda self, nbytes: change(nbytes))


def content(batches: Batches) -> list[np.ndarray]:
    """All batches of an epoch from the second one on, and of an evaluation, one after the other."""
    ops = get_ops("gpu")
    found = []
    for pairs in (batches.epoch(3, ops, first=1), batches.in_order(ops), batches.epoch(4, ops)):
        for x, y in pairs:
            found += [ops.to_host(x), ops.to_host(y)]
    return found


@pytest.mark.parametrize("classes", [False, True])
def test_the_batches_are_those_of_data_on_the_device(classes: bool, backend: Any, monkeypatch: Patch) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(256, size=(53, 3, 2)).astype(np.uint8)
    y = rng.integers(9, size=53) if classes else rng.standard_normal((53, 4))
    expected = content(Batches(x, y, 10, seed=1))
    assert Batches(x, y, 10).resident(get_ops("gpu"))
    far(monkeypatch)
    batches = Batches(x, y, 10, seed=1)
    assert not batches.resident(get_ops("gpu"))
    for _ in range(2):
        found = content(batches)
        assert [a.dtype for a in found] == [a.dtype for a in expected]
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_one_may_be_on_the_device_and_the_other_not(backend: Any, monkeypatch: Patch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((53, 30)), rng.standard_normal((53, 2))
    expected = content(Batches(x, y, 10))
    far(monkeypatch, lambda nbytes: nbytes < 1000)
    for a, b in zip(content(Batches(x, y, 10)), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_training_has_the_same_bits(backend: Any, monkeypatch: Patch) -> None:
    found = []
    for holds in (True, False):
        far(monkeypatch, lambda nbytes, holds=holds: holds)  # type: ignore[misc]
        made = classifier(None)
        net = made.network.to("gpu")
        trainer = Trainer(
            net, made.measure.sums.loss, Adam(net.parameters(), lr=1e-2), bar=False, show=lambda line: None,
            metrics=made.measure.sums.metrics,
        )  # fmt: skip
        assert trainer.fit(*clouds(), epochs=2)
        found.append((net.snapshot(), [row | {"seconds": 0} for row in trainer.progress.history]))
    assert found[0][1] == found[1][1]
    for key, value in found[0][0].items():
        np.testing.assert_array_equal(found[1][0][key], value, err_msg=key)


def test_a_lifter_learns_and_says_that_it_goes_launch_after_launch(
    backend: Any, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    far(monkeypatch)
    poses = make_poses(300)
    model = LiftModel(1, 32, device="gpu")
    model.standardise(poses.joint_2d, poses.joint_3d)
    adam, losses = Adam(model.parameters(), lr=3e-3), []
    for epoch in range(5):
        losses.append(run_epoch(epoch, poses, model, adam, batch_size=30, progress=False).loss)
    assert losses[-1] < 0.7 * losses[0]
    assert "without CUDA graphs: the data stay on the host, too large for the GPU" in capsys.readouterr().err


def test_a_third_of_what_is_free_may_be_taken_for_good(backend: Any) -> None:
    if not isinstance(backend, FakeCuda):
        pytest.skip("a real GPU has as much memory as it has")
    model = LiftModel(1, 8, device="gpu")
    backend.limit = backend.pool_bytes() + 3 * 100 * 45 * 4
    assert model.ops.holds(100 * 45 * 4)
    assert not model.ops.holds(100 * 45 * 4 + 4)
    assert not pose_batches(make_poses(101), model).resident(model.ops)
    assert get_ops("cpu").holds(1 << 60)


def test_nobody_waits_and_nothing_is_made_batch_by_batch(backend: Any, monkeypatch: Patch) -> None:
    if not isinstance(backend, FakeCuda):
        pytest.skip("counted by the stand-in")
    far(monkeypatch)
    rng = np.random.default_rng(0)
    batches, ops = Batches(rng.standard_normal((640, 30)), rng.standard_normal((640, 4)), 10), get_ops("gpu")
    for _ in batches.epoch(0, ops):
        pass
    uploads, before = [], (backend.syncs, backend.host_reads, backend.allocations)
    monkeypatch.setattr(backend, "upload", lambda host, out: uploads.append(host.nbytes))
    backend.sends = 0
    for _ in batches.epoch(1, ops):
        pass
    assert (backend.syncs, backend.host_reads, backend.allocations) == before
    assert backend.sends == 2 * 64
    assert uploads == []


def test_the_running_loss_is_that_of_a_moment_ago(gpu: Any) -> None:
    ops = get_ops("gpu")
    sums = Sums(ops, lambda *given: None)  # type: ignore[arg-type,return-value]
    sums.restore(4, {"loss": 2.0})
    reads, found = getattr(gpu.backend, "host_reads", 0), sums.glance()
    assert found in (None, 0.5)
    if isinstance(gpu.backend, FakeCuda):
        assert found is None
        ops.copy([100.0], out=sums.totals["loss"])
        sums.batches = 5
        assert sums.glance() == 0.5  # as it was when it was asked for
        assert sums.glance() is None
        assert sums.glance() == 20
        assert gpu.backend.host_reads == reads
    sums.glance()
    sums.restore()
    assert sums.glance() in (None, 0.0)  # nothing of before


def test_the_running_loss_of_a_cpu_is_that_of_now() -> None:
    sums = Sums(get_ops("cpu"), lambda *given: None)  # type: ignore[arg-type,return-value]
    sums.restore(4, {"loss": 2.0})
    assert sums.glance() == 0.5
    assert sums.glance() == 0.5


# ---- from a file, on a CPU -------------------------------------------------------------------------------


def fetching() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("minilift-ahead")]


def mapped(path: Path) -> Batches:
    np.save(path, np.arange(4000, dtype=np.float32).reshape(2000, 2))
    rows = map_npy(path)
    return Batches(rows, rows, 10)


def test_a_file_that_shrinks_ends_the_epoch_in_one_line(tmp_path: Path) -> None:
    batches, ops, seen = mapped(tmp_path / "rows.npy"), get_ops("cpu"), list[int]()

    def through() -> None:
        for i, _ in enumerate(batches.epoch(0, ops)):
            seen.append(i)
            if i == 5:
                (tmp_path / "rows.npy").write_bytes(b"")

    with pytest.raises(InputError, match="shrunk while it was in use"):
        through()
    assert 5 <= seen[-1] < 8
    assert fetching() == []


def test_an_epoch_that_is_left_leaves_no_thread(tmp_path: Path) -> None:
    batches, ops = mapped(tmp_path / "rows.npy"), get_ops("cpu")
    epoch = batches.epoch(0, ops)
    next(epoch)
    assert fetching() != []
    epoch.close()  # type: ignore[attr-defined]
    assert fetching() == []


def test_a_batch_stays_while_the_next_is_fetched(tmp_path: Path) -> None:
    batches, ops = mapped(tmp_path / "rows.npy"), get_ops("cpu")
    order = batches.order(0, ops)
    for i, (x, y) in enumerate(batches.epoch(0, ops)):
        first = x.copy()
        for _ in range(100):  # the other thread gets its turn
            threading.Event().wait(1e-5)
        np.testing.assert_array_equal(x, first)
        np.testing.assert_array_equal(x[:, 0] / 2, order[10 * i : 10 * i + 10])
        np.testing.assert_array_equal(y, x)
