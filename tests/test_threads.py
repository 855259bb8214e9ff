"""The team of threads, its hold on BLAS, and memory that starts on a cache line."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from minilift.ops import NumpyOps, numpy_core, threads
from minilift.ops.threads import LARGEST_TEAM, Team, blas, team

PATIENCE = 10.0  # seconds until a test that waits for another thread gives up
TEAMS = {size: Team(size) for size in (1, 2, 4)}

bundled = pytest.mark.skipif(blas().threads is None, reason="NumPy's BLAS here is not a bundled OpenBLAS")


def done_by(team: Team, count: int) -> list[list[str]]:
    """Of every job, the threads that did it."""
    done: list[list[str]] = [[] for _ in range(count)]
    team.run(lambda i: done[i].append(threading.current_thread().name), count)
    return done


def helped(team: Team) -> bool:
    """Whether two jobs of the team go on at once: the first waits for the second."""
    meeting = threading.Barrier(2)
    team.run(lambda i: meeting.wait(PATIENCE) and None, 2)
    return not meeting.broken


def in_threads(count: int, target: Callable[[int], Any]) -> list[Any]:
    """What target(0) ... target(count - 1) give, each on a thread of its own; raises what one raised."""
    found: list[Any] = [None] * count
    problems: list[BaseException] = []

    def call(i: int) -> None:
        try:
            found[i] = target(i)
        except BaseException as problem:
            problems.append(problem)

    started = [threading.Thread(target=call, args=(i,)) for i in range(count)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if problems:
        raise problems[0]
    return found


# ---- the team --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", TEAMS)
def test_every_job_is_done_once(size: int) -> None:
    for count in [*range(21), *range(21)]:
        done = done_by(TEAMS[size], count)
        assert [len(threads) for threads in done] == [1] * count
        if size == 1:
            assert {name for names in done for name in names} <= {threading.current_thread().name}


@pytest.mark.parametrize("size", [2, 4])
def test_as_many_jobs_as_threads_go_on_at_once(size: int) -> None:
    meeting = threading.Barrier(size)
    for _ in range(20):
        TEAMS[size].run(lambda i: meeting.wait(PATIENCE) and None, size)
    assert not meeting.broken


@pytest.mark.parametrize("count", [2, 9])
@pytest.mark.parametrize("whose", ["caller", "helper", "every"])
def test_an_exception_reaches_the_caller_and_the_team_works_on(whose: str, count: int) -> None:
    team, meeting = TEAMS[2], threading.Barrier(2)

    def job(i: int) -> None:
        if i < 2:
            meeting.wait(PATIENCE)  # both threads have a job now
        here = "caller" if threading.current_thread() is threading.main_thread() else "helper"
        if whose in (here, "every"):
            raise LookupError(f"job {i}")

    for _ in range(3):
        with pytest.raises(LookupError, match="job"):
            team.run(job, count)
        assert [len(names) for names in done_by(team, 20)] == [1] * 20
        assert helped(team)


def test_a_run_within_a_run_is_done_by_the_thread_that_asks() -> None:
    team, inner = TEAMS[2], {}

    def job(i: int) -> None:
        inner[i] = (threading.current_thread().name, done_by(team, 3))

    team.run(job, 6)
    assert sorted(inner) == list(range(6))
    for name, done in inner.values():
        assert done == [[name]] * 3
    assert helped(team)


def test_a_team_at_work_for_another_thread_leaves_the_work_to_the_caller() -> None:
    team, inside, enough = TEAMS[2], threading.Event(), threading.Event()

    def hold(i: int) -> None:
        inside.set()
        assert enough.wait(PATIENCE)

    other = threading.Thread(target=team.run, args=(hold, 2))
    other.start()
    try:
        assert inside.wait(PATIENCE)
        start = time.monotonic()
        assert done_by(team, 5) == [[threading.current_thread().name]] * 5
        assert time.monotonic() - start < 0.5  # it does not wait for the team
    finally:
        enough.set()
        other.join()
    assert helped(team)


def test_many_threads_may_ask_at_once() -> None:
    def ask(i: int) -> bool:
        return all(done == [1] * 7 for done in ([len(n) for n in done_by(TEAMS[4], 7)] for _ in range(50)))

    assert in_threads(6, ask) == [True] * 6


def test_helpers_do_not_warn() -> None:
    """The calling thread warns as its user wants; a helper's warning would end the run, or appear twice."""
    big, meeting, seen = np.full(3, 1e300), threading.Barrier(2), []

    def job(i: int) -> None:
        meeting.wait(PATIENCE)
        if threading.current_thread() is not threading.main_thread():
            seen.append(np.square(big))  # overflows

    TEAMS[2].run(job, 2)
    assert np.isinf(seen).all()


@pytest.mark.skipif(os.name != "posix", reason="sends itself a POSIX signal")
def test_ctrl_c_waits_until_no_helper_is_at_work() -> None:
    team, meeting = TEAMS[2], threading.Barrier(2)
    for _ in range(3):
        finished: list[bool] = []

        def job(i: int, finished: list[bool] = finished) -> None:
            meeting.wait(PATIENCE)
            if threading.current_thread() is threading.main_thread():
                return
            time.sleep(0.01)  # the caller waits for us by now
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.03)  # it has heard of the signal by now
            finished.append(True)

        with pytest.raises(KeyboardInterrupt):
            team.run(job, 2)
        assert finished == [True]
        assert helped(team)


STORM = """
import random, signal, threading, time
import numpy as np
from minilift.ops.threads import Team

def interrupt(number, frame):
    raise KeyboardInterrupt

def job(i):
    helper = threading.current_thread() is not threading.main_thread()
    helping[0] += helper
    for _ in range(4):
        np.add(work, 1)
    done[i] = 1
    helping[0] -= helper

team, work, rng, helping, hits = Team(2), np.zeros(2000), random.Random(1), [0], 0
team.run(lambda i: None, 2)
signal.signal(signal.SIGALRM, interrupt)
end = time.monotonic() + 0.4
while time.monotonic() < end:
    done, whole = [0] * 8, False
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 150e-6))
        team.run(job, 8)
        whole = True
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        hits += 1
    assert not helping[0], "a helper is still at work"
    assert not whole or done == [1] * 8, "a job was left out"
assert hits > 100, hits
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that interrupt here")
def test_an_interrupt_may_come_at_any_moment() -> None:
    """Thousands, while helpers are woken, at work, and waited for: none hangs, or leaves one at work."""
    env = {**os.environ, "PYTHONPATH": str(Path(threads.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", STORM], env=env, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # Python 3.12: we know, and test it
def test_a_forked_child_has_a_team_of_its_own() -> None:
    parent = TEAMS[2]
    assert helped(parent)
    child = os.fork()
    if child == 0:  # nothing of pytest's may run here
        status = 1
        try:
            ok = [len(names) for names in done_by(parent, 20)] == [1] * 20 and helped(parent)
            ops, a = NumpyOps("float32"), np.ones((64, 64), np.float32)
            with ops.parallel():
                ok = ok and float(ops.matmul(a, a, out=np.empty_like(a))[3, 3]) == 64
            status = 0 if ok else 2
        finally:
            os._exit(status)
    deadline = time.monotonic() + 2 * PATIENCE
    pid, status = os.waitpid(child, os.WNOHANG)
    while pid == 0 and time.monotonic() < deadline:
        time.sleep(0.005)
        pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child of a fork waits for threads that it does not have")
    assert os.waitstatus_to_exitcode(status) == 0
    assert helped(parent)


def test_the_processs_team_is_as_large_as_blas_is_but_not_too_large() -> None:
    assert team() is team()
    assert team().size == min(blas().threads or 1, LARGEST_TEAM)


# ---- BLAS held to one thread -----------------------------------------------------------------------


def in_use() -> int:
    found = blas()._get
    assert found is not None
    return found()


@bundled
def test_blas_has_one_thread_within_and_as_many_as_before_after() -> None:
    before = in_use()
    with blas().one_thread():
        assert in_use() == 1
        with blas().one_thread():
            assert in_use() == 1
        assert in_use() == 1
    assert in_use() == before
    with pytest.raises(LookupError), blas().one_thread(), blas().one_thread():
        raise LookupError
    assert in_use() == before
    ops = NumpyOps("float32")
    with ops.parallel():
        assert in_use() == 1
        assert ops._thread.team is team()
    with pytest.raises(LookupError), ops.parallel():
        raise LookupError
    assert in_use() == before
    assert ops._thread.team is None


@bundled
def test_the_last_thread_to_leave_gives_blas_its_threads_back() -> None:
    before, first_in, second_in = in_use(), threading.Event(), threading.Event()
    first_out = threading.Event()

    def hold(i: int) -> list[int]:
        if i == 0:
            with blas().one_thread():
                first_in.set()
                assert second_in.wait(PATIENCE)
            first_out.set()
            return []
        assert first_in.wait(PATIENCE)
        with blas().one_thread():
            second_in.set()
            assert first_out.wait(PATIENCE)
            return [in_use()]

    assert in_threads(2, hold) == [[], [1]]
    assert in_use() == before


@bundled
def test_a_number_of_threads_that_the_user_set_comes_back() -> None:
    found = blas()
    before = in_use()
    assert found._set is not None
    try:
        found._set(before + 1)
        other = in_use()  # OpenBLAS may refuse more than it was built for
        with found.one_thread():
            assert in_use() == 1
        assert in_use() == other
    finally:
        found._set(before)


# ---- operations ------------------------------------------------------------------------------------


class OtherBlas:
    """One whose threads we cannot count or hold, as that of conda, Debian or Apple."""

    threads, unpacked = None, False

    @contextmanager
    def one_thread(self) -> Any:
        yield


@pytest.mark.parametrize("other", [False, True], ids=["this BLAS", "another BLAS"])
@pytest.mark.parametrize("paired", [False, True], ids=["cut", "side by side"])
@pytest.mark.parametrize("size", TEAMS)
def test_products_and_sums_are_right_however_they_are_shared(
    size: int, paired: bool, other: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every operation that shares its work, on shapes that fit no cut."""
    monkeypatch.setattr(numpy_core, "team", lambda: TEAMS[size])
    monkeypatch.setattr(numpy_core, "WORTH_SPLITTING", 1 << 62 if paired else 1)
    monkeypatch.setattr(numpy_core, "WORTH_PAIRING", 1)
    monkeypatch.setattr(numpy_core, "WORTH_TURNING", 1)
    if other:
        monkeypatch.setattr(numpy_core, "blas", OtherBlas)
    monkeypatch.setattr(numpy_core, "CHUNK", 1 << 10)
    ops, rng = NumpyOps("float32"), np.random.default_rng(size)
    with ops.parallel():
        for m, k, n in ((1, 1, 1), (5, 7, 3), (64, 33, 100), (100, 64, 33), (257, 31, 200), (128, 300, 8)):
            a, b, c = rng.standard_normal((m, k)), rng.standard_normal((k, n)), rng.standard_normal(n)
            x, y, z = (ops.asarray(array) for array in (a, b, c))
            close = {"rtol": 0, "atol": 2e-4}  # worst seen 3e-5
            np.testing.assert_allclose(ops.matmul(x, y, out=ops.empty((m, n))), a @ b, **close)
            turned = ops.empty((n, m))
            np.testing.assert_allclose(ops.matmul(y.T, x.T, out=turned), (a @ b).T, **close)
            columns = ops.empty((m, n))
            np.testing.assert_allclose(ops.linear(x, ops.asarray(b.T), z, out=columns), a @ b + c, **close)
            np.testing.assert_allclose(ops.add(columns, z, out=columns), a @ b + 2 * c, **close)
            np.testing.assert_allclose(ops.sum_rows(x, out=ops.empty((k,))), a.sum(axis=0), **close)
            weight, bias, back = ops.empty((n, k)), ops.empty((n,)), ops.empty((m, k))
            ops.linear_backward(columns, x, ops.asarray(b.T), weight, bias, out=back)
            dy = columns.astype(np.float64)
            np.testing.assert_allclose(weight, dy.T @ a, rtol=0, atol=5e-3)  # of sums up to 1e3
            np.testing.assert_allclose(bias, dy.sum(axis=0), rtol=0, atol=5e-3)
            np.testing.assert_allclose(back, dy @ b.T, rtol=0, atol=5e-3)


@pytest.mark.parametrize("unpacked", [False, True])
def test_a_product_by_pieces_is_the_product(unpacked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the kernel would not have it so: a piece is a product like any other."""
    monkeypatch.setattr(numpy_core, "blas", lambda: SimpleNamespace(unpacked=unpacked))
    ops, rng = NumpyOps("float32"), np.random.default_rng(0)
    # Pieces of 32; of 8; not in whole pieces; none small enough; of a few rows
    for m, k, n in ((512, 64, 64), (128, 1024, 96), (130, 1024, 96), (128, 4096, 90), (1024, 30, 96)):
        a, b = ops.asarray(rng.standard_normal((m, k))), ops.asarray(rng.standard_normal((k, n)))
        expected = a.astype(np.float64) @ b
        close = {"rtol": 0, "atol": 1e-5 * np.abs(expected).max()}  # worst seen 2.4e-7
        for first in (a, np.asfortranarray(a)):
            for second in (b, np.asfortranarray(b)):
                for out in (ops.empty((m, n)), ops.empty((n, m)).T):
                    np.testing.assert_allclose(ops.matmul(first, second, out=out), expected, **close)
        few = ops.linear(ops.asarray(b.T), a, None, out=ops.empty((n, m)))
        np.testing.assert_allclose(few, expected.T, **close)
    assert ("rows" in ops._thread.arrays) == unpacked  # the check checks: the two ways were taken
    assert ("turned" in ops._thread.arrays) == unpacked


def test_without_a_hold_on_blas_the_team_is_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "blas", lambda: SimpleNamespace(threads=None))
    assert threads.team.__wrapped__().size == 1


def test_work_is_cut_only_within_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_core, "team", lambda: TEAMS[2])
    ops, meeting = NumpyOps(), threading.Barrier(2)
    ids: list[int] = []
    ops.run(lambda i: ids.append(threading.get_ident()), 6)
    assert set(ids) == {threading.get_ident()}
    with ops.parallel():
        ops.run(lambda i: meeting.wait(PATIENCE) and None, 2)
        with ops.parallel():
            ops.run(lambda i: meeting.wait(PATIENCE) and None, 2)
        ops.run(lambda i: meeting.wait(PATIENCE) and None, 2)
    assert not meeting.broken
    assert ops.cores == 2


def test_every_thread_has_scratch_of_its_own() -> None:
    ops = NumpyOps("float32")
    mine = ops.scratch("rows", (10, 4))
    assert ops.scratch("rows", (10, 4)) is not mine
    assert np.shares_memory(ops.scratch("rows", (5, 2)), mine)
    theirs = in_threads(3, lambda i: ops.scratch("rows", (10, 4)))
    arrays = [mine, *theirs]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["copy", "pickle"]
)
def test_operations_are_copied_without_their_threads(copied: Any, dtype: str) -> None:
    ops = NumpyOps(dtype)
    mine = ops.scratch("rows", (10, 4))
    with ops.parallel():
        other = copied(ops)
    assert (other.dtype, other.device) == (dtype, "cpu")
    assert other._thread.team is None
    assert not np.shares_memory(other.scratch("rows", (10, 4)), mine)
    assert other.empty((3,)).dtype == np.dtype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_start_on_a_cache_line(dtype: str) -> None:
    ops = NumpyOps(dtype)
    for shape in ((1,), (3,), (5, 7), (1000, 3), (0, 4), (64, 1024)):
        for array in (ops.empty(shape), ops.zeros(shape), ops.zeros(shape, dtype="float64")):
            assert array.shape == shape
            assert array.flags.c_contiguous
            assert array.__array_interface__["data"][0] % numpy_core.LINE == 0 or not array.size
        assert not ops.zeros(shape).any()
        assert ops.zeros(shape, dtype="float64").dtype == np.float64
        assert ops.empty(shape).dtype == ops.scratch("rows", shape).dtype == np.dtype(dtype)


TRAINING = """
import numpy as np
from minilift.lift.model import LiftModel
from minilift.lift.run_epoch import evaluate, run_epoch
from minilift.ops.threads import blas, team
from minilift.optim import Adam
from conftest import make_poses

poses, model = make_poses(2000), LiftModel(2, 256, seed=1)
adam = Adam(model.parameters(), 1e-3)
for epoch in range(2):
    run_epoch(epoch, poses, model, adam, batch_size=128, progress=False)
print(blas().threads, team().size, evaluate(model, poses).mpjpe)
"""


@bundled
def test_a_team_of_two_trains_as_one_thread_does() -> None:
    """As a whole process, for the tests may run on one thread each; sums are cut elsewhere, no more."""
    found = {}
    for count in (1, 2):
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        env = {**os.environ, "OPENBLAS_NUM_THREADS": str(count), "PYTHONPATH": paths}
        env.pop("PYTEST_XDIST_WORKER", None)
        done = subprocess.run(
            [sys.executable, "-c", TRAINING], capture_output=True, text=True, env=env, check=True
        )
        threads, size, error = done.stdout.split()
        assert int(threads) == int(size) <= count  # of one core, BLAS uses one
        found[count] = float(error)
    assert found[2] == pytest.approx(found[1], rel=1e-3)
