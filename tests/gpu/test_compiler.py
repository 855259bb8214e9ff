"""Compiled kernels in the user's cache folder: made once, made anew where they are damaged or outdated."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import nvrtc
import pytest

from minilift.cache import cache_folder
from minilift.ops.cuda import compiler
from minilift.ops.cuda.compiler import Compiler, prune
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


DAY = 86_400


def aged(path: Path, days: float, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    when = time.time() - days * DAY
    os.utime(path, (when, when))
    return path


def test_old_kernels_are_deleted_when_a_new_one_is_made(tmp_path: Path) -> None:
    """By age, half files after two days; other files and folders of the user's are none of ours."""
    old = [aged(tmp_path / "sm_60-nvrtc11.0" / name, 61) for name in ("a.cubin", "b.cubin")]
    half = aged(tmp_path / "sm_90-nvrtc12.9" / "c.cubin1.half", 3)
    kept = [
        aged(tmp_path / "sm_90-nvrtc12.9" / "d.cubin", 59),
        aged(tmp_path / "sm_90-nvrtc12.9" / "e.cubin2.half", 0.5),
        aged(tmp_path / "sm_90-nvrtc12.9" / "notes.txt", 900),
        aged(tmp_path / "mine" / "f.cubin", 900),
    ]
    os.utime(old[0].parent, (1, 1))
    new = Compiler(Programs(), "90", tmp_path).cubin("some code", "kernels.cu", ())
    assert new.exists()
    assert not any(path.exists() for path in [*old, half])
    assert all(path.exists() for path in kept)
    prune(tmp_path, time.time() + 3 * DAY)  # a folder that has just been emptied may be about to be filled
    assert not old[0].parent.exists()


def test_of_too_many_those_go_that_were_taken_longest_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "MOST", 250)
    files = [aged(tmp_path / "sm_90" / f"{days}.cubin", days, 100) for days in (40, 30, 20, 1)]
    prune(tmp_path)
    assert [path.exists() for path in files] == [False, False, True, True]
    monkeypatch.setattr(compiler, "MOST", 0)
    prune(tmp_path)
    assert [path.exists() for path in files] == [False, False, False, True]  # perhaps about to be loaded


def test_a_kernel_that_is_taken_is_young_again(tmp_path: Path) -> None:
    programs = Programs()
    path = Compiler(programs, "90", tmp_path).cubin("some code", "kernels.cu", ())
    os.utime(path, (1, 1))
    assert Compiler(programs, "90", tmp_path).cubin("some code", "kernels.cu", ()) == path
    prune(tmp_path)
    assert path.exists()
    assert programs.made == 1


def test_two_processes_prune_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other deletes what this one has found and not yet looked at, or not yet deleted."""
    for i in range(4):
        aged(tmp_path / "sm_90" / f"{i}.cubin", 100)
    stat, unlink = Path.stat, Path.unlink

    def gone_before_stat(self: Path, **given: Any) -> Any:
        if self.name == "1.cubin":
            unlink(self, missing_ok=True)
        return stat(self, **given)

    def gone_before_unlink(self: Path, missing_ok: bool = False) -> None:
        os.unlink(self)
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "stat", gone_before_stat)
    monkeypatch.setattr(Path, "unlink", gone_before_unlink)
    prune(tmp_path)
    assert list(tmp_path.rglob("*.cubin")) == []


@pytest.mark.parametrize("damage", [b"", b"some", b"other code of someone else"])
def test_a_damaged_file_is_made_anew(damage: bytes, tmp_path: Path) -> None:
    programs = Programs()
    kept = Compiler(programs, "90", tmp_path)
    path = kept.cubin("some code", "kernels.cu", ())
    whole = path.read_bytes()
    path.write_bytes(damage)
    assert kept.cubin("some code", "kernels.cu", ()).read_bytes() == whole
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
    assert cache_folder("kernels") == tmp_path / "minilift" / "kernels"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder("kernels") == tmp_path / "home" / ".cache" / "minilift" / "kernels"


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
    path = Compiler(Real(), "90", tmp_path).cubin(
        module_source("updates.cu"), "updates.cu", ("-DREAL=float",)
    )
    assert path.read_bytes()[:4] == b"\x7fELF"
