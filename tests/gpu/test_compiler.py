"""Compiled kernels in the user's cache folder: made once, made anew where they are damaged or outdated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nvrtc
import pytest

from minilift.ops.cuda.compiler import Compiler, cache_folder
from minilift.ops.cuda.gpu import module_source


class Programs:
    """A compiler with CuPy's names, which counts, and whose code is what it was asked for."""

    def __init__(self, version: tuple[int, int] = (12, 9)) -> None:
        self.version, self.made = version, 0

    def getVersion(self) -> tuple[int, int]:
        return self.version

    def getSupportedArchs(self) -> tuple[int, ...]:
        return 60, 90

    def createProgram(self, source: str, name: str, headers: Any, includes: Any) -> dict[str, Any]:
        return {"source": source, "name": name}

    def compileProgram(self, program: dict[str, Any], options: tuple[str, ...]) -> None:
        self.made += 1
        program["code"] = f"{program['source']} {options}".encode()
        if "wrong" in program["source"]:
            raise OSError("NVRTC_ERROR_COMPILATION (6)")

    def getCUBIN(self, program: dict[str, Any]) -> bytes:
        return bytes(program["code"])

    def getProgramLog(self, program: dict[str, Any]) -> str:
        return f"{program['name']}(3): error:\n  identifier is undefined\n"

    def destroyProgram(self, program: dict[str, Any]) -> None:
        del program["source"]


def test_a_kernel_is_compiled_once(tmp_path: Path) -> None:
    programs = Programs()
    first = Compiler(programs, "90", tmp_path).cubin("some code", "kernels.cu", ("-DREAL=float",))
    assert first.parent == tmp_path / "sm_90-nvrtc12.9"
    assert first.read_bytes() == b"some code ('-arch=sm_90', '-std=c++17', '-ftz=true', '-DREAL=float')"
    assert Compiler(programs, "90", tmp_path).cubin("some code", "kernels.cu", ("-DREAL=float",)) == first
    assert programs.made == 1
    assert [path.name for path in first.parent.iterdir()] == [first.name]  # no half files


@pytest.mark.parametrize(
    ("architecture", "version", "source", "options"),
    [
        ("60", (12, 9), "some code", ("-DREAL=float",)),
        ("90", (13, 0), "some code", ("-DREAL=float",)),
        ("90", (12, 9), "other code", ("-DREAL=float",)),
        ("90", (12, 9), "some code", ("-DREAL=double",)),
    ],
)
def test_what_is_other_is_compiled_anew(
    architecture: str, version: tuple[int, int], source: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    first = Compiler(Programs(), "90", tmp_path).cubin("some code", "kernels.cu", ("-DREAL=float",))
    programs = Programs(version)
    found = Compiler(programs, architecture, tmp_path).cubin(source, "kernels.cu", options)
    assert (programs.made, found != first) == (1, True)
    assert first.exists()


@pytest.mark.parametrize("damage", [b"", b"some", b"other code of someone else"])
def test_a_damaged_file_is_made_anew(damage: bytes, tmp_path: Path) -> None:
    programs = Programs()
    compiler = Compiler(programs, "90", tmp_path)
    path = compiler.cubin("some code", "kernels.cu", ())
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert compiler.cubin("some code", "kernels.cu", ()).read_bytes() == whole
    assert programs.made == 2


def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    found = Compiler(Programs(), "90", tmp_path / "file").cubin("some code", "kernels.cu", ())
    assert found.read_bytes().startswith(b"some code")
    assert tmp_path not in found.parents


def test_what_the_compiler_says_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        Compiler(Programs(), "90", tmp_path).cubin("wrong code", "kernels.cu", ())
    told = "NVRTC_ERROR_COMPILATION (6): kernels.cu(3): error: identifier is undefined"
    assert str(caught.value) == told
    assert not list(tmp_path.rglob("*.cubin"))


def test_a_card_newer_than_the_compiler_is_known_as_such() -> None:
    assert Compiler(Programs(), "90").knows()
    assert not Compiler(Programs(), "130").knows()


def test_the_folder_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "minilift" / "kernels"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "minilift" / "kernels"


class Real(Programs):
    """NVIDIA's own, by the names that CuPy has for it."""

    def compileProgram(self, program: dict[str, Any], options: tuple[str, ...]) -> None:
        architecture, *others = options
        assert architecture.startswith("-arch=")
        code = nvrtc.compile_cubin(
            program["source"], program["name"], architecture.removeprefix("-arch="), tuple(others)
        )
        program["code"] = code


def test_the_kernels_are_compiled_by_it(tmp_path: Path) -> None:
    if reason := nvrtc.why_absent():
        pytest.skip(reason)
    compiler = Compiler(Real(), "90", tmp_path)
    path = compiler.cubin(module_source("updates.cu"), "updates.cu", ("-DREAL=float",))
    assert path.read_bytes()[:4] == b"\x7fELF"
