"""Streams and places as machines have them: no traceback, no lost work, whatever the output and the folder.

One process runs many commands, one after the other: a start for each would take a minute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, make_poses

from minilift import Lifter, LiftModel
from minilift.cli.main import COMMANDS
from minilift.poses.poses import save_poses

RUN = """
import importlib, json, os, sys
from minilift.cli.main import COMMANDS, main
results, statuses = open("statuses", "w"), []
{start}
for words in json.loads(sys.argv[1]):
    {before}
    statuses.append(main(words))
json.dump(statuses, results)
results.close()
"""
SMALL = ["--hidden", "16", "--epochs", "1", "--blocks", "1", "--device", "cpu"]
NAME = "поза"  # "pose", in letters that neither ASCII nor cp1252 has
WEIGHTS = ["--weights", "вага"]


def run(
    commands: Sequence[Sequence[str]], folder: Path, shell: str = "", start: str = "", before: str = "pass",
    **env: str,
) -> tuple[list[int], str, str]:  # fmt: skip
    """The exit statuses of commands in a folder, and what they printed, on streams set up by `shell`.

    `start` is Python to run first, and `before` ahead of every command.
    """
    code = RUN.format(start=start, before=before)
    words = [sys.executable, "-c", code, json.dumps([list(words) for words in commands])]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {shell}', "sh", *words], capture_output=True, cwd=folder, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )  # fmt: skip
    told = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, told
    assert "Traceback" not in told[0] + told[1]
    assert "Exception ignored" not in told[1]
    statuses: list[int] = json.loads((folder / "statuses").read_text())
    return statuses, *told


def errors(told: str) -> list[str]:
    return [line for line in told.splitlines() if "error: " in line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with poses and weights, under names with other letters."""
    place = tmp_path / NAME
    place.mkdir()
    poses, model = make_poses(600), LiftModel(1, 16)
    model.standardise(poses.joint_2d, poses.joint_3d)
    Lifter(model).save(place / "вага")
    save_poses(place / f"{NAME}.npz", poses)
    return place


POSES = f"{NAME}.npz"
GOOD = {
    "train": ["train", "--data", POSES, "--test", POSES, "--out", "дані", *SMALL],
    "predict": ["predict", POSES, "-o", "ліс.npz", *WEIGHTS],
    "eval": ["eval", "--data", POSES, "--save", "збережено.npz", *WEIGHTS],
    "data": ["data", "split", POSES, "--out", "частини"],
    "trust": ["trust", "--data", POSES, "--val-fraction", "0.4", *WEIGHTS],
    "study": ["study", "--data", POSES, "--eval", f"{NAME}={POSES}", "--set", "epochs=1", "--list"],
    "info": ["info"],
    "inspect": ["inspect", POSES],
    "body": ["body", "--height", "1.7", "-o", "тіло.json"],
    "examples": ["examples", "fashion-mnist", "--help"],
    "explain": ["explain", POSES, *WEIGHTS],
    "playground": ["playground", "-o", "гра.html", "--only", *WEIGHTS],
    "export": ["export", "--help"],
    "demo": ["demo", "--help"],  # these two only print: the one takes long, the other needs matplotlib
    "plot": ["plot", "training", "--help"],
}
"""A call of every subcommand that succeeds in the folder."""
MADE = (
    "дані/liftModel",
    "гра.html",
    "ліс.npz",
    "збережено.npz",
    "частини/data_train_lift.pkl",
    "вага.trust.npz",
)


def test_the_calls_are_of_every_subcommand() -> None:
    assert set(GOOD) == set(COMMANDS)
    assert all(words[0] == name for name, words in GOOD.items())


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_the_output_cannot_show_is_replaced(encoding: str, folder: Path) -> None:
    statuses, out, err = run(list(GOOD.values()), folder, PYTHONIOENCODING=encoding)
    assert statuses == [0] * len(GOOD), err
    assert all((folder / name).exists() for name in MADE)
    assert f"{NAME.encode('ascii', 'backslashreplace').decode()}.npz: 600 poses" in out
    missing = "нема.npz"
    wrong = [["predict", missing, "-o", "a.npz", *WEIGHTS], ["eval", "--data", missing, *WEIGHTS], ["дані"]]
    statuses, out, err = run(wrong, folder, PYTHONIOENCODING=encoding)
    assert (statuses, out) == ([2] * 3, "")
    assert len(err.splitlines()) == 3


@pytest.mark.parametrize("streams", [">&-", "<&- >&- 2>&-"])
def test_closed_output_loses_no_work(streams: str, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    statuses, _, err = run(list(GOOD.values()), folder, shell=streams)
    assert statuses == [0] * len(GOOD), err
    assert all((folder / name).exists() for name in MADE)
    assert {path: path.read_bytes() for path in before} == before  # nothing was printed into a file
    with np.load(folder / "ліс.npz") as found:
        assert found["joint_3d"].shape == (600, 15, 3)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a device of Linux")
def test_output_to_a_full_disk_loses_no_work_and_is_told(folder: Path) -> None:
    full = "os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
    statuses, _, err = run(list(GOOD.values()), folder, before=full)
    assert statuses == [2] * len(GOOD), err
    assert all((folder / name).exists() for name in MADE)
    assert len(errors(err)) == len(GOOD)
    for line in errors(err):
        assert line.endswith("cannot write the output (No space left on device); files are not affected")


def test_a_working_folder_that_is_gone_is_said(folder: Path) -> None:
    """What needs nothing of it still works; all else is one line that names the cause."""
    gone = f"os.makedirs({str(folder / 'gone')!r}, exist_ok=True); os.chdir({str(folder / 'gone')!r})"
    gone += "; os.rmdir(os.getcwd())"
    needy = [GOOD[name] for name in ("train", "predict", "eval", "data", "trust", "study")]
    needy += [["demo"], ["plot", "training", "log.csv"]]
    statuses, out, err = run(needy, folder, before=gone)
    assert (statuses, out) == ([2] * len(needy), "")
    assert len(err.splitlines()) == len(needy), err
    for line in err.splitlines():
        assert "the working folder does not exist any more: change to another one (cd)" in line
    whole = [str(folder / POSES), "-o", str(folder / "out.npz"), "--weights", str(folder / "вага")]
    statuses, out, err = run([["predict", *whole], ["info"], ["train", "--help"]], folder, before=gone)
    assert (statuses, err) == ([0, 0, 0], "")
    assert (folder / "out.npz").exists()


def test_a_link_that_leads_to_itself_is_one_line(folder: Path) -> None:
    for name, to in (("loop.npz", "loop.npz"), ("loop", "loop"), ("loop.csv", "pool"), ("pool", "loop.csv")):
        (folder / name).symlink_to(to)
    commands = [
        ["train", "--data", "loop.npz", *SMALL], ["train", "--data", POSES, "--out", "loop", *SMALL],
        ["predict", "loop.npz", "-o", "a.npz", *WEIGHTS], ["predict", POSES, "-o", "loop.npz", *WEIGHTS],
        ["predict", POSES, "-o", "a.npz", "--weights", "loop"],
        ["eval", "--data", "loop.npz", *WEIGHTS], ["eval", "--weights", "loop"],
        ["data", "info", "loop.npz"], ["data", "split", POSES, "--out", "loop"],
        ["data", "twoview", "loop.npz", "-o", "a.npz"],
        ["data", "clips", "loop", "--out", "a.npz"], ["data", "starting", "loop", "-o", "made"],
        ["trust", "--weights", "loop", "--data", POSES],
        ["trust", "--data", "loop.npz", *WEIGHTS], ["study", "--data", "loop.npz", "--list"],
        ["plot", "training", "loop.csv"], ["demo", "--out", "loop"],
    ]  # fmt: skip
    statuses, _, err = run(commands, folder)
    assert statuses == [2] * len(commands), dict(zip(map(str, commands), statuses, strict=True))
    assert len(errors(err)) == len(commands), err
    assert all("loop" in line for line in errors(err)), err


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of folders are those of POSIX systems")
def test_a_folder_that_cannot_be_written_is_one_line(folder: Path) -> None:
    kept, data = folder / "only to read", "data_train_lift.pkl"
    kept.mkdir()
    save_poses(kept / data, make_poses(600))
    (kept / "liftModel").write_bytes((folder / "вага").read_bytes())
    (kept / "statuses").touch()
    kept.chmod(0o555)
    commands = [
        ["train", *SMALL], ["predict", data, "-o", "a.npz"], ["eval", "--data", data, "--save", "a.npz"],
        ["data", "split", data, "--out", "new"], ["data", "synth"], ["trust", "--val-fraction", "0.4"],
        ["study", "--set", "epochs=1", "--seeds", "1", "--eval", f"a={data}"], ["demo"],
    ]  # fmt: skip
    # Permissions do not count for root, so root becomes another user, who may not be allowed to read Python's
    # own folders: everything is imported before
    start = (
        "import contextlib, pkgutil, minilift, numpy.ma, tqdm, tqdm.auto, unicodedata; ''.encode('cp437')\n"
    )
    start += "for module in pkgutil.walk_packages(minilift.__path__, 'minilift.'):\n"
    start += "    with contextlib.suppress(ImportError):\n"
    start += "        if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
    statuses, _, err = run(commands, kept, start=start + "os.geteuid() or os.setuid(65534)")
    assert statuses == [2] * len(commands), err
    assert len(errors(err)) == len(commands), err
    assert all("Permission denied" in line for line in errors(err)), err
    assert sorted(path.name for path in kept.iterdir()) == [data, "liftModel", "statuses"]
