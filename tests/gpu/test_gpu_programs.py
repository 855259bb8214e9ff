"""train.py and eval.py on a GPU, moving between CPU and GPU, and what is said where there is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_poses

from minilift import ops
from minilift.cli import info as what_is_there
from minilift.cli.eval import main as evaluate
from minilift.cli.train import main as train
from minilift.errors import InputError
from minilift.files.checkpoint import load_checkpoint
from minilift.lift.fast.self_test import self_test
from minilift.ops.cuda import backend, driver
from minilift.poses.poses import save_poses
from minilift.train.trainer import Trainer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_poses("data_train_lift.pkl", make_poses(700))
    save_poses("data_test_lift.pkl", make_poses(100, seed=1))
    return tmp_path


SMALL = ["--hidden", "64", "--batch-size", "32", "--epochs", "3"]


def log() -> np.ndarray:
    return np.genfromtxt("log.csv", delimiter=",", names=True)


def test_train_and_eval(gpu: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train([*SMALL, "--device", "cpu"]) == 0
    expected = log()
    assert train([*SMALL, "--device", "gpu"]) == 0
    assert "device: gpu\n" in capsys.readouterr().out
    for name in ("train_loss", "val_mpjpe", "test_mpjpe"):
        np.testing.assert_allclose(log()[name], expected[name], rtol=1e-4, err_msg=name)
    assert evaluate(["--device", "gpu"]) == 0
    assert "on the gpu" in capsys.readouterr().out


@pytest.mark.parametrize("devices", ["gpu gpu gpu", "gpu cpu gpu", "cpu gpu cpu"])
def test_a_run_moves_between_devices(gpu: Any, folder: Path, devices: str) -> None:
    """An epoch on each: the checkpoint knows no device. On one device, the bits are those of one run.

    Between two, rounding may put an activation within 1e-6 of 0 on the other side, and from that step on the
    losses differ by some 1e-4.
    """
    first, *others = devices.split()
    same = ["--hidden", "64", "--batch-size", "32", "--scheduler", "step"]
    assert train([*same, "--epochs", "3", "--device", first]) == 0
    expected = log()
    assert train([*same, "--epochs", "1", "--device", first]) == 0
    for epochs, device in enumerate(others, 2):
        assert train(["--resume", "--epochs", str(epochs), "--device", device]) == 0
    tolerance = 2e-3 if others[0] != first else 0
    for name in ("train_loss", "val_mpjpe", "test_mpjpe"):
        np.testing.assert_allclose(log()[name], expected[name], rtol=tolerance, err_msg=name)


def test_ctrl_c_in_the_middle_of_an_epoch(gpu: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU was given before the signal is done, counted and saved; the run goes on from there."""
    assert train([*SMALL, "--device", "gpu"]) == 0
    expected = log()
    real = Trainer._epoch

    def epoch(self: Trainer, *arguments: Any) -> bool:
        self.signals.number = 2 if self.progress.epoch == 1 and not self.progress.batch else 0
        return real(self, *arguments)

    monkeypatch.setattr(Trainer, "_epoch", epoch)
    assert train([*SMALL, "--device", "gpu"]) == 130
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("minilift.ops.cuda.cupy_core.open_gpu", lambda index: gpu)
    assert train(["--resume", "--device", "gpu"]) == 0
    np.testing.assert_array_equal(log()["val_mpjpe"], expected["val_mpjpe"])


def test_cut_off_behind_a_checkpoint_in_the_middle_of_an_epoch(
    gpu: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a kill: what came after it is lost, and done again to the same bits."""
    often = ["--hidden", "64", "--batch-size", "8", "--epochs", "2", "--device", "gpu"]
    assert train(often) == 0
    expected, weights = log(), Path("liftModel").read_bytes()
    real, cut = Trainer.save_checkpoint, []

    def save(self: Trainer) -> None:
        real(self)
        if self.progress.epoch == 1 and self.progress.batch:
            cut.append(self.progress.batch)
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "save_checkpoint", save)
    assert train([*often, "--checkpoint-every", "0.000001s"]) == 130
    assert cut[0] > 0
    monkeypatch.setattr(Trainer, "save_checkpoint", real)
    assert load_checkpoint("checkpoint.npz")[1]["progress"]["batch"] == cut[0]
    assert train(["--resume", "--device", "gpu"]) == 0
    np.testing.assert_array_equal(log()["val_mpjpe"], expected["val_mpjpe"])
    assert Path("liftModel").read_bytes() == weights


def test_the_flag_tf32(gpu: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = "64" if hasattr(gpu.backend, "can_capture") else "1024"  # where products are large, on a card
    small = ["--hidden", hidden, "--epochs", "1", "--batch-size", "300", "--device", "gpu"]
    assert train(small) == 0
    exact = log()["train_loss"]
    assert train([*small, "--tf32"]) == 0
    assert "tf32 yes" in capsys.readouterr().out
    assert log()["train_loss"] != exact
    np.testing.assert_allclose(log()["train_loss"], exact, rtol=1e-2)


@pytest.fixture
def opened(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The GPU that `minilift info` opens, with little to do for the stand-in."""
    monkeypatch.setattr("minilift.ops.cuda.gpu.open_gpu", lambda index: gpu)
    if hasattr(gpu.backend, "can_capture"):
        monkeypatch.setattr("minilift.lift.fast.self_test.STEPS", 1)  # the graphs have as many as ever
        monkeypatch.setattr(self_test, "__defaults__", (0.0, 64))
    return gpu


def test_what_is_there(opened: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert what_is_there.main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("cpu ")
    for name in ("NumPy", "gpu", "cuBLAS", "auto"):
        assert f"\n{name} " in out
    assert re.search(r"\ncompiled +.*columns.cu in \d+\.\d\d s", out)
    assert re.search(r"\nself-test +passed in .* steps of 64 rows a second", out)


def test_a_gpu_that_computes_otherwise_fails_the_self_test(
    opened: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gemm = opened.blas.gemm

    def half(a: Any, b: Any, out: Any, *options: Any) -> None:
        gemm(a, b, out, *options)
        out *= 0.5

    monkeypatch.setattr(opened.blas, "gemm", half)
    assert what_is_there.main([]) == 1
    said = re.search(r"\nself-test +(FAILED after .*)", capsys.readouterr().out)
    assert said
    assert "apart" in said[1]
    assert "from the CPU's" in said[1]


@pytest.mark.parametrize(
    "problem", [RuntimeError("cudaErrorLaunchFailure:\n lost"), InputError("no compiler")]
)
def test_a_self_test_that_ends_early_is_a_line(
    problem: Exception, opened: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> Any:
        raise problem

    monkeypatch.setattr(opened, "launch", breaks)
    assert what_is_there.main(["--json"]) == 1
    told = json.loads(capsys.readouterr().out)[0]["self-test"]
    assert told in ("FAILED: cudaErrorLaunchFailure: lost", "FAILED: no compiler")


# ---- without a GPU -----------------------------------------------------------------------------------


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "devices", lambda: driver.Found(0, "there is no CUDA GPU"))
    ops.choose_device.cache_clear()


def test_auto_without_a_gpu_is_the_cpu(no_gpu: None) -> None:
    assert ops.choose_device() == ("cpu", "there is no CUDA GPU")
    assert ops.get_ops("auto").device == "cpu"


def test_auto_with_a_gpu_and_no_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "devices", lambda: driver.Found(1))
    monkeypatch.setattr("minilift.ops.cuda.choose.installed", lambda name: False)
    ops.choose_device.cache_clear()
    device, reason = ops.choose_device()
    assert device == "cpu"
    assert "pip install 'minilift[gpu]'" in reason
    ops.choose_device.cache_clear()


def test_auto_with_a_gpu_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(index: int) -> Any:
        raise backend.unusable(index, "no cuBLAS library (not found); install it")

    monkeypatch.setattr(driver, "devices", lambda: driver.Found(1))
    monkeypatch.setattr("minilift.ops.cuda.choose.installed", lambda name: True)
    monkeypatch.setattr("minilift.ops.cuda.cupy_core.open_gpu", broken)
    ops.choose_device.cache_clear()
    reason = "the GPU cannot be used: no cuBLAS library (not found); install it"
    assert ops.choose_device() == ("cpu", reason)
    ops.choose_device.cache_clear()


class CUDARuntimeError(RuntimeError):
    """As cupy.cuda.runtime's: none of our own classes."""


# What a card that is there can do when it is opened, and what the user is then told
CANNOT_OPEN = {
    "busy": (CUDARuntimeError("cudaErrorDevicesUnavailable: all CUDA-capable devices are busy"), "are busy"),
    "exclusive": (CUDARuntimeError("cudaErrorDeviceUnavailable: exclusive\nprocess"), "exclusive process"),
    "out of memory": (MemoryError("Out of memory allocating 33,554,432 bytes"), "its memory is full: end"),
    "cublasCreate fails": (RuntimeError("cublasCreate: not initialised (1)"), "cublasCreate: not init"),
    "old driver": (CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver is insufficient"), "driver is"),
    "no such symbol": (AttributeError("libcublas.so.11: undefined symbol"), "undefined symbol"),
    "file": (OSError("libcudart.so.12: cannot open shared object file"), "libcudart.so.12"),
}


@pytest.mark.parametrize(("problem", "told"), CANNOT_OPEN.values(), ids=CANNOT_OPEN)
def test_a_gpu_that_does_not_open(problem: Exception, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes the CPU and says why, `gpu` gives one line: F17."""

    def broken(index: int) -> Any:
        raise problem

    monkeypatch.setattr(driver, "devices", lambda: driver.Found(1))
    monkeypatch.setattr("minilift.ops.cuda.choose.installed", lambda name: True)
    monkeypatch.setattr("minilift.ops.cuda.gpu.Cuda", broken)
    ops.choose_device.cache_clear()
    device, reason = ops.choose_device()
    assert device == "cpu"
    assert reason.startswith("the GPU cannot be used: the GPU does not open (")
    assert told in reason
    assert not reason.endswith(backend.OR_CPU)
    with pytest.raises(InputError, match="does not open") as caught:
        ops.get_ops("gpu:1")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("device=gpu:1: ")
    ops.choose_device.cache_clear()


def test_a_gpu_that_opens_and_then_fails(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise CUDARuntimeError("cudaErrorIllegalAddress:\n an illegal memory access")

    monkeypatch.setattr(driver, "devices", lambda: driver.Found(1))
    monkeypatch.setattr("minilift.ops.cuda.choose.installed", lambda name: True)
    monkeypatch.setattr(gpu, "synchronize", fails)
    ops.choose_device.cache_clear()
    told = "CUDARuntimeError: cudaErrorIllegalAddress: an illegal memory access"
    assert ops.choose_device() == ("cpu", f"the GPU cannot be used: {told}")
    ops.choose_device.cache_clear()


def test_a_program_says_why_auto_is_the_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = "note: --device auto takes the CPU: the card is busy"
    monkeypatch.setattr("minilift.ops.choose_device", lambda: ("cpu", "the card is busy"))
    for cards, device, said in ((1, "auto", True), (0, "auto", False), (1, "cpu", False)):
        found = driver.Found(cards)
        monkeypatch.setattr(driver, "devices", lambda found=found: found)
        assert evaluate(["--device", device, "--weights", "starting"]) == 0
        assert (told in capsys.readouterr().err) is said


def test_auto_with_a_gpu(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "devices", lambda: driver.Found(1))
    monkeypatch.setattr("minilift.ops.cuda.choose.installed", lambda name: True)
    ops.choose_device.cache_clear()
    assert ops.choose_device() == ("gpu", "there is one")
    ops.choose_device.cache_clear()


class Several:
    """Cards by number: one that opens is the Gpu of the tests, another raises what it is told."""

    def __init__(self, gpu: Any, problems: dict[int, Exception], monkeypatch: pytest.MonkeyPatch) -> None:
        self.gpu, self.problems, self.asked = gpu, problems, list[int]()
        monkeypatch.setattr(driver, "devices", lambda: driver.Found(3))
        monkeypatch.setattr("minilift.ops.cuda.choose.installed", lambda name: True)
        monkeypatch.setattr("minilift.cli.info.installed", lambda name: True)
        monkeypatch.setattr("minilift.ops.cuda.cupy_core.open_gpu", self.open)
        ops.choose_device.cache_clear()

    def open(self, index: int) -> Any:
        self.asked.append(index)
        if index in self.problems:
            raise self.problems[index]
        self.gpu.index = index
        return self.gpu


@pytest.fixture
def several(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(gpu, "index", 0)
    yield lambda problems: Several(gpu, problems, monkeypatch)
    ops.choose_device.cache_clear()


BUSY = backend.unusable(0, "the GPU does not open (busy); free it")
FULL_ONE = backend.unusable(1, "the GPU does not open (full); free it")


@pytest.mark.parametrize(
    ("problems", "device", "reason", "asked"),
    [
        ({}, "gpu", "it is the first of 3 GPUs", [0]),
        (
            {0: BUSY}, "gpu:1",
            "it is the first of 3 GPUs that can be used (gpu: the GPU does not open (busy); free it)", [0, 1],
        ),
        (
            {0: BUSY, 1: FULL_ONE, 2: BUSY}, "cpu",
            "none of 3 GPUs can be used: gpu, gpu:2: the GPU does not open (busy); free it; "
            "gpu:1: the GPU does not open (full); free it", [0, 1, 2],
        ),
    ],
)  # fmt: skip
def test_auto_takes_the_first_of_several_that_opens(
    several: Any, problems: dict[int, Exception], device: str, reason: str, asked: list[int]
) -> None:
    cards = several(problems)
    assert ops.choose_device() == (device, reason)
    assert cards.asked == asked
    assert ops.get_ops("auto").device == device


def test_programs_say_which_card_auto_took(
    several: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several({0: BUSY})
    assert evaluate(["--device", "auto", "--weights", "starting"]) == 0
    told = (
        "note: --device auto takes gpu:1: it is the first of 3 GPUs that can be used (gpu: the GPU does not"
    )
    assert told in capsys.readouterr().err


def test_one_of_several_cards_is_tested(
    several: Any, opened: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    several({0: BUSY})
    rows: dict[str, str] = {}
    for given in ([], ["--device", "gpu:2"]):
        assert what_is_there.main([*given, "--json"]) == 0
        (rows,) = json.loads(capsys.readouterr().out)
        assert rows["self-test"].startswith("passed in ")
        assert rows["auto"].startswith("--device auto is gpu:1: it is the first of 3 GPUs that")
        mine = given[-1] if given else "gpu:1"
        others = [name for name in ("gpu", "gpu:1", "gpu:2") if name != mine]
        assert rows["others"] == f"{', '.join(others)}; minilift info --device gpu tests it"
    assert what_is_there.main(["--device", "gpu"]) == 2
    assert capsys.readouterr().err == (
        "minilift info: error: --device gpu: the GPU does not open (busy); free it; or use --device cpu\n"
    )
    assert what_is_there.main(["--device", "cpu", "--json"]) == 0
    assert "gpu" not in json.loads(capsys.readouterr().out)[0]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (
            CUDARuntimeError("cudaErrorMemoryAllocation: out of memory"),
            "its memory is full: end what uses it",
        ),
        (RuntimeError("cublasCreate: out of memory (3)"), "its memory is full: end what uses it"),
        (CUDARuntimeError("cudaErrorDevicesUnavailable: busy"), "busy); free it (nvidia-smi"),
    ],
)
def test_a_full_card_is_told_in_its_own_words(
    problem: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(index: int) -> Any:
        raise problem

    monkeypatch.setattr("minilift.ops.cuda.gpu.Cuda", broken)
    with pytest.raises(InputError) as caught:
        ops.get_ops("gpu:3")
    assert told in str(caught.value)


def test_a_card_without_room_for_the_first_array(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a word of smaller batches: nothing has been asked of it yet."""
    from fake_cuda import FakeCuda

    monkeypatch.setattr("minilift.ops.cuda.gpu.Cuda", lambda index: FakeCuda(limit=1000))
    with pytest.raises(InputError) as caught:
        ops.get_ops("gpu:3")
    told = "device=gpu:3: the GPU does not open (out of memory (34 MB wanted, 0 MB held)); its memory is full"
    assert str(caught.value).startswith(told)
    assert "batch" not in str(caught.value)


@pytest.mark.parametrize("device", ["tpu", "gpu:x", "gpu:-1", "GPU", ""])
def test_unknown_devices(device: str) -> None:
    with pytest.raises(InputError, match="unknown; use cpu, gpu, gpu:1"):
        ops.get_ops(device)


def test_kernels_that_do_not_compile(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def compile(*_: Any) -> Any:
        raise RuntimeError("libnvrtc.so.12:\n not found")

    monkeypatch.setattr(gpu.backend, "compile", compile)
    monkeypatch.setattr(gpu, "_modules", {})
    monkeypatch.setattr(gpu, "_functions", {})
    with pytest.raises(
        InputError, match=r"RuntimeError: libnvrtc.so.12: not found\); install CuPy with its lib"
    ):
        ops.get_ops("gpu").ones((3,))


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=env, check=False)


def without(module: str, tmp_path: Path, text: str) -> dict[str, str]:
    """An environment in which importing a module does what `text` does."""
    (tmp_path / f"{module}.py").write_text(text)
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "raise ModuleNotFoundError('no', name='cupy')",
            "CuPy is not installed; install CuPy with its libraries",
        ),
        ("raise ImportError('libcudart.so: cannot open')", "CuPy does not load (libcudart.so: cannot open)"),
        ("raise AttributeError('numpy.core is gone')", "CuPy does not load (numpy.core is gone)"),
        (
            "class cuda:\n class runtime:\n  class CUDARuntimeError(RuntimeError): pass\n"
            "  def getDeviceCount(): raise cuda.runtime.CUDARuntimeError('cudaErrorNoDevice: none there')",
            "CuPy finds no usable GPU (cudaErrorNoDevice: none there); or use --device cpu",
        ),
        (
            "class cuda:\n class runtime:\n  class CUDARuntimeError(RuntimeError): pass\n"
            "  def getDeviceCount(): return 0",
            "CuPy finds no GPU; or use --device cpu",
        ),
    ],
)
def test_one_line_says_what_is_missing(text: str, told: str, tmp_path: Path) -> None:
    environment = without("cupy", tmp_path, text)
    done = run(str(ROOT / "train.py"), "--device", "gpu", "--out", str(tmp_path), **environment)
    assert done.returncode == 2
    assert done.stderr.startswith("minilift train: error: --device gpu: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_programs_on_a_cpu_import_no_cupy(folder: Path) -> None:
    """CuPy takes half a second to import."""
    environment = without("cupy", folder, "raise SystemExit('cupy was imported')")
    command = [str(ROOT / "train.py"), "--hidden", "8", "--epochs", "1", "--device"]
    for device in ("cpu", "auto"):
        done = run(*command, device, **environment)
        assert done.returncode == 0, done.stderr
    done = run("-c", "import sys, minilift.cli.train as t; print('minilift.ops.cuda' in sys.modules)")
    assert done.stdout.strip() == "False"
