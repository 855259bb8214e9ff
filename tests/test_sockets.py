"""Processes that meet over TCP, as torchrun starts them."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_mpi import _people, losses, surroundings  # noqa: F401  (the fixture makes the poses)

from minilift.distributed import Group, Lost, meeting
from minilift.distributed.join import join
from minilift.distributed.sockets import SocketGroup
from minilift.errors import InputError


def free_port() -> int:
    """One that nothing listens at, nor at the next."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def ring(size: int, work: Callable[[Group], Any], job: int = 3) -> list[Any]:
    """work(group) in each of `size` threads; what each has returned, or the exception that it raised."""
    port, found = free_port(), [None] * size

    def one(rank: int) -> None:
        try:
            found[rank] = work(SocketGroup(rank, size, "localhost", port, job))
        except Exception as problem:
            found[rank] = problem  # type: ignore[call-overload]

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


@pytest.mark.parametrize("size", [1, 2, 5])
def test_what_passes_round_the_ring(size: int) -> None:
    def work(group: Group) -> bool:
        for n in (1, 3, 1000, 300_000):  # fewer than processes, and more than fits into a system's buffers
            array = np.arange(n, dtype=np.float64) * (group.rank + 1)
            group.add(array)
            assert np.array_equal(array, np.arange(n) * (size * (size + 1) / 2))
        several = np.ones((3, 4), np.float32)
        group.add(several)
        assert (several == size).all()
        assert group.gather(bytes([group.rank, 9])) == [bytes([rank, 9]) for rank in range(size)]
        group.wait()
        assert group.agreed(group.rank + 40) == 40
        group.close()
        return True

    assert ring(size, work) == [True] * size


def test_sums_have_the_same_bits_everywhere() -> None:
    def work(group: Group) -> bytes:
        array = np.random.default_rng(group.rank).standard_normal(1001).astype(np.float32)
        group.add(array)
        group.close()
        return array.tobytes()

    assert len(set(ring(3, work))) == 1


def test_one_that_goes_is_missed_by_all() -> None:
    def work(group: Any) -> None:
        if group.rank == 1:
            group.left.close()
            group.right.close()
            return
        try:
            group.add(np.ones(1000))
        finally:
            group.left.close()
            group.right.close()

    found = ring(3, work)
    assert found[1] is None
    assert all(isinstance(problem, Lost) for problem in (found[0], found[2]))
    assert "is gone" in str(found[2])


def test_strangers_are_turned_away_and_the_missing_are_waited_for_in_vain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(meeting, "PATIENCE", 1.0)
    port = free_port()
    problems: list[Exception] = []

    def host() -> None:
        try:
            SocketGroup(0, 2, "localhost", port, 1)
        except Lost as problem:
            problems.append(problem)

    thread = threading.Thread(target=host)
    thread.start()
    with pytest.raises(Lost):
        SocketGroup(1, 2, "localhost", port, 2)  # of another job
    thread.join(10)
    assert f"2 processes have not met at localhost:{port} within 1 s" in str(problems[0])


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    place = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(free_port())}
    group = join({**place, "RANK": "0", "WORLD_SIZE": "1"})
    assert (group.kind, group.rank, group.size) == ("TCP", 0, 1)
    with pytest.raises(InputError, match="rank 2 of 2 processes"):
        join({**place, "RANK": "2", "WORLD_SIZE": "2"})
    with pytest.raises(InputError, match="MASTER_PORT=a: not the number of a port"):
        join({**place, "RANK": "0", "WORLD_SIZE": "1", "MASTER_PORT": "a"})
    for rank, size in (("x", "2"), ("-1", "2"), ("0", "two")):  # each would train alone
        with pytest.raises(InputError, match=f"^RANK={rank}, WORLD_SIZE={size}: not a rank and a number"):
            join({**place, "RANK": rank, "WORLD_SIZE": size})
    monkeypatch.setattr("minilift.distributed.join.installed", lambda module: False)
    assert join({**place, "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}).kind == "TCP"


def test_torchrun_starts_it() -> None:
    pytest.importorskip("torch.distributed.run", reason="torchrun comes with torch")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", str(free_port()), "-m", "minilift", "train", "--distributed"]
    command += ["--data", "people.npz", "--hidden", "24", "--epochs", "1", "--batch-size", "64"]
    done = subprocess.run(
        [*command, "--device", "cpu", "--out", "two"], env=surroundings(), capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 processes (TCP), 1 core for each")
    assert len(losses("two")) == 2
