"""What is said where the driver has no card to offer, and which libraries are taken."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from minilift.errors import InputError
from minilift.ops.cuda import backend, driver

BROKEN = "the GPU's driver does not start"
HIDDEN = "CUDA_VISIBLE_DEVICES='7' shows it none; unset it, or name one that nvidia-smi -L lists"


def fake_driver(status: int, cards: int = 0, name: bytes | None = None) -> Any:
    """libcuda, as far as `devices` asks it."""

    def count(address: Any) -> int:
        address._obj.value = cards
        return 0

    def error_name(number: int, address: Any) -> int:
        address._obj.value = name if number == status else b"?"
        return 0

    return SimpleNamespace(cuInit=lambda flags: status, cuDeviceGetCount=count, cuGetErrorName=error_name)


@pytest.mark.parametrize(
    ("library", "visible", "told"),
    [
        (fake_driver(0, 2), None, driver.Found(2)),
        (fake_driver(100), None, driver.Found(0, "the driver finds no GPU")),
        (fake_driver(100), "7", driver.Found(0, f"the driver finds no GPU, for {HIDDEN}")),
        (fake_driver(0, 0), "", driver.Found(0, f"the driver finds no GPU, for {HIDDEN.replace('7', '')}")),
        (
            fake_driver(803, 0, b"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
            "7",
            driver.Found(
                0,
                "the GPU's driver does not start (CUDA_ERROR_SYSTEM_DRIVER_MISMATCH); restart the machine, "
                "whose driver was updated",
            ),
        ),
        (fake_driver(9999), None, driver.Found(0, f"{BROKEN} (status 9999); see nvidia-smi")),
        (None, "7", driver.Found(0, "there is no CUDA GPU, or no driver for it")),
    ],
)  # fmt: skip
def test_why_there_is_no_card(
    library: Any, visible: str | None, told: driver.Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> Any:
        if library is None:
            raise OSError(f"{name}: cannot open shared object file")
        return library

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert driver.devices() == told


def cupy(driver_version: int, of: int = 12090) -> Any:
    runtime = SimpleNamespace(driverGetVersion=lambda: driver_version, runtimeGetVersion=lambda: of)
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))


def test_a_driver_that_is_too_old_is_told_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    old = "; the driver is for CUDA 11.4, CuPy for 12.9: update the driver, or install an older CuPy"
    assert backend._remedy(cupy(11040)) == old
    assert backend._remedy(cupy(0)) == "; NVIDIA's driver is not there"
    assert backend._remedy(cupy(12020)) == ""  # versions of one major number go together
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert backend._remedy(cupy(12020)) == f"; {HIDDEN}"


def libraries(**majors: int) -> Callable[[str], Any]:
    """What ctypes loads: cuBLAS of these versions, by the names of their files."""

    def load(name: str) -> Any:
        key = name.replace(".", "_")
        if key not in majors:
            raise OSError(f"{name}: cannot open shared object file")

        def about(what: int, address: Any) -> int:
            address._obj.value = majors[key] if what == 0 else -1
            return 0

        return SimpleNamespace(cublasGetProperty=about, name=name)

    return load


def test_cublas_is_of_the_cuda_of_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", libraries(libcublas_so_12=12, libcublas_so_13=13))
    for cuda in (12, 13):
        assert backend._libcublas(0, cuda).name == f"libcublas.so.{cuda}"  # type: ignore[attr-defined]
    monkeypatch.setattr(ctypes, "CDLL", libraries(libcublas_so_12=13))
    with pytest.raises(
        InputError, match=r"no cuBLAS library \(.*\); install CuPy with its libraries"
    ) as caught:
        backend._libcublas(0, 12)
    assert "\n" not in str(caught.value)


def test_another_cublas_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(abs_path="libcublas.so.12")
    pathfinder = SimpleNamespace(load_nvidia_dynamic_lib=lambda name: found)
    monkeypatch.setitem(__import__("sys").modules, "cuda.pathfinder", pathfinder)
    monkeypatch.setattr(ctypes, "CDLL", libraries(libcublas_so_12=12))
    with pytest.raises(InputError, match=r"libcublas.so.12 is of CUDA 12, CuPy of CUDA 13"):
        backend._libcublas(0, 13)
    assert backend._libcublas(0, 12).name == "libcublas.so.12"  # type: ignore[attr-defined]
