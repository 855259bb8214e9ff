"""`minilift train --distributed` over MPI: processes that are started, killed and resumed."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from minilift.files.checkpoint import load_checkpoint
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses, save_poses

MPIRUN = shutil.which("mpirun", path=str(Path(sys.executable).parent)) or shutil.which("mpirun")
pytestmark = pytest.mark.skipif(
    find_spec("mpi4py") is None or MPIRUN is None, reason="mpi4py or mpirun is not on this machine"
)
SMALL = ("--data", "people.npz", "--hidden", "24", "--batch-size", "64", "--device", "cpu")
TRAIN = (sys.executable, "-m", "minilift", "train", *SMALL, "--dropout", "0.2")


def surroundings() -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "OPENBLAS_NUM_THREADS": "1"}


def start(*words: str, ranks: int = 2) -> subprocess.Popen[str]:
    command = [str(MPIRUN), "-n", str(ranks)] if ranks else []
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, *words], env=surroundings(), **pipes)


def done(*words: str, ranks: int = 2) -> tuple[int, str, str]:
    process = start(*words, ranks=ranks)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def losses(folder: str) -> list[float]:
    with open(f"{folder}/log.csv", encoding="utf-8") as file:
        return [float(row[name]) for row in csv.DictReader(file) for name in ("train_loss", "val_loss")]


@pytest.fixture(autouse=True)
def _people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    people = synthesize(700, 1)
    save_poses("people.npz", Poses(people.joint_2d, people.joint_3d))


COMPARED = """
import struct
from minilift.distributed import Alone
from minilift.distributed.mpi import MpiGroup
from test_distributed import apart, trained
group = MpiGroup()
found = apart(trained(Alone()), trained(group))
every = [struct.unpack("d", part)[0] for part in group.gather(struct.pack("d", found))]
if group.first:
    print(group.size, max(every) < 1e-12, every)
"""


def test_two_processes_of_mpi_find_the_weights_of_one() -> None:
    status, out, err = done(sys.executable, "-c", COMPARED)
    assert (status, err) == (0, "")
    assert out.startswith("2 True"), out


def test_a_run_of_two_is_that_of_one_and_goes_on_as_one() -> None:
    status, out, _ = done(*TRAIN, "--epochs", "1", "--scheduler", "none", "--out", "two", "--distributed")
    assert status == 0
    assert out.startswith("2 processes (")
    assert out.count("epoch 1/1") == 1  # rank 0 alone speaks
    status, out, _ = done(*TRAIN[:4], "--resume", "--epochs", "2", "--out", "two", ranks=0)
    assert status == 0
    assert done(*TRAIN, "--epochs", "2", "--scheduler", "none", "--out", "one", ranks=0)[0] == 0
    assert losses("two") == pytest.approx(losses("one"), rel=1e-5)


def test_when_one_is_killed_all_end_and_the_checkpoint_is_whole() -> None:
    process = start(*TRAIN, "--epochs", "1000", "--out", "two", "--distributed")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + 60
    while not Path("two/checkpoint.npz").exists() and time.monotonic() < until:
        time.sleep(0.05)
    proxy = children.read_text().split()[0]
    ranks = Path(f"/proc/{proxy}/task/{proxy}/children").read_text().split()
    os.kill(int(ranks[-1]), signal.SIGKILL)
    killed = time.monotonic()
    process.communicate(timeout=30)
    assert time.monotonic() - killed < 30
    assert process.returncode
    assert not [rank for rank in ranks if Path(f"/proc/{rank}").exists()]
    assert load_checkpoint("two/checkpoint.npz")[1]["progress"]["epoch"] >= 1


WEAK = ("--weak", "two-view", "--preset", "two-view", "--data", "people.npz", "--distributed")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*TRAIN, "--epochs", "1", "--data", "none.npz", "--distributed"), "none.npz: no such file"),
        (
            (*TRAIN[:4], *WEAK),
            "--weak two-view: learns in one process alone: what a batch teaches depends on all of its "
            "people, and the network is small; leave --distributed out",
        ),
        ((*TRAIN, "--device", "gpu:99", "--distributed"), "--device gpu:99: "),
    ],
)
def test_what_is_wrong_is_said_once(words: tuple[str, ...], told: str) -> None:
    status, _, err = done(*words)
    assert status == 2
    assert err.count(told) == 1
    assert "Traceback" not in err


def test_processes_of_another_mpi_are_told() -> None:
    other = ("env", "-u", "PMI_RANK", "SLURM_PROCID=0", "SLURM_STEP_NUM_TASKS=4")
    status, _, err = done(*other, *TRAIN, "--distributed", ranks=0)
    assert status == 2
    assert err.startswith("minilift train: error: srun has started 4 processes, of which")
