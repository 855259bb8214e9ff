"""The files of a run that are written while it goes on: in which order, how often, and what a kill leaves."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from test_trainer import CASES, classifier, clouds

from minilift import Adam, Batches, CrossEntropy, InputError, Linear, Sequential, Trainer
from minilift.cli.train import main as train
from minilift.errors import ArgumentError
from minilift.files.checkpoint import load_checkpoint
from minilift.files.runs.every import Every
from minilift.files.runs.writer import Writer
from minilift.files.weights import load_state_dict

# ---- the writer ----------------------------------------------------------------------------------------


class Gate:
    """A job that waits until it is opened."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.open.wait(10)


def test_what_waits_is_written_in_the_order_of_the_names_and_only_the_latest_of_each() -> None:
    writer, gate, done = Writer(["weights", "log", "checkpoint"]), Gate(), list[str]()

    def job(text: str) -> Callable[[], object]:
        return lambda: done.append(text)

    writer.put("log", gate)
    assert gate.entered.wait(10)
    assert not writer.busy("checkpoint")
    writer.put("checkpoint", job("checkpoint 1"))
    writer.put("weights", job("weights 1"))
    writer.put("checkpoint", job("checkpoint 2"))
    writer.put("weights", job("weights 2"))
    assert writer.busy("log")
    assert writer.busy("checkpoint")
    assert done == []
    gate.open.set()
    assert writer.finish() is None
    assert done == ["weights 2", "checkpoint 2"]
    assert not any(map(writer.busy, writer.names))


def test_a_name_that_comes_again_and_again_does_not_keep_the_others_waiting() -> None:
    writer, done = Writer(["weights", "checkpoint"]), list[str]()

    def weights() -> None:
        done.append("weights")
        if len(done) < 9:
            writer.put("weights", weights)

    writer.put("checkpoint", lambda: done.append("checkpoint"))
    writer.put("weights", weights)
    assert writer.finish() is None
    assert done.index("checkpoint") <= 2 < len(done)


def test_what_fails_is_told_once_it_is_known_and_ends_the_writing() -> None:
    writer, gate, done = Writer(["a", "b"]), Gate(), list[str]()

    def failing() -> None:
        gate()
        raise InputError("disk full")

    writer.put("a", failing)
    assert gate.entered.wait(10)
    writer.put("b", lambda: done.append("b"))
    writer.check()
    gate.open.set()
    problem = writer.finish()
    assert str(problem) == "disk full"
    assert done == []
    for again in (writer.check, lambda: writer.put("b", lambda: done.append("b"))):
        with pytest.raises(InputError, match="disk full"):
            again()
    assert done == []


def test_nothing_to_write_starts_no_thread() -> None:
    before = threading.active_count()
    writer = Writer(["a"])
    assert threading.active_count() == before
    assert writer.finish() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_does_not_wait_for_a_thread_that_it_has_not() -> None:
    writer, gate, held = Writer(["a"]), Gate(), Gate()

    def hold() -> None:
        with writer._changed:
            held()

    writer.put("a", gate)
    assert gate.entered.wait(10)
    holder = threading.Thread(target=hold)
    holder.start()
    assert held.entered.wait(10)
    child = os.fork()
    if not child:
        signal.alarm(10)
        os._exit(0 if writer.finish() is None else 1)
    held.open.set()
    gate.open.set()
    assert os.waitpid(child, 0)[1] == 0
    assert writer.finish() is None
    holder.join()


# ---- how often -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "seconds", "epochs"),
    [("30s", 30, 0), ("1.5m", 90, 0), (" 2 H ", 7200, 0), (0.25, 0.25, 0), ("3 epochs", np.inf, 3)],
)
def test_times_and_epochs_are_read(given: Any, seconds: float, epochs: int) -> None:
    assert Every.of(given) == Every(seconds, epochs)


@pytest.mark.parametrize(
    "given", ["", "30", "-1s", "0s", "0epochs", "1.5epochs", "nan", "9" * 99 + "s", "٣s"]
)
def test_what_is_no_time_is_refused_with_the_forms_that_are(given: str) -> None:
    with pytest.raises(ArgumentError, match=r"checkpoint_every=.*; give 30s, 5m, 1h or 1epoch"):
        Every.of(given)
    with pytest.raises(ArgumentError, match="checkpoint_every"):
        classifier(None, checkpoint_every=given)


def test_the_flag_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert train(["--checkpoint-every", "30"]) == 2
    told = "--checkpoint-every 30: not a time or whole epochs; give 30s, 5m, 1h or 1epoch"
    assert capsys.readouterr().err == f"minilift train: error: {told}\n"


def saves(trainer: Trainer, epochs: int) -> list[tuple[int, int]]:
    """Epoch and batch of every checkpoint of a run."""
    found, save = list[tuple[int, int]](), trainer.save_checkpoint

    def noted() -> None:
        found.append((trainer.progress.epoch, trainer.progress.batch))
        save()

    trainer.save_checkpoint = noted  # type: ignore[method-assign]
    assert trainer.fit(*clouds(), epochs=epochs)
    return found


def test_a_checkpoint_when_it_is_due_and_at_both_ends(tmp_path: Path) -> None:
    """After the first epoch, for until then another run's may lie there; and after the last."""
    assert saves(classifier(tmp_path / "a"), 5) == [(1, 0), (5, 0)]
    assert saves(classifier(tmp_path / "b", checkpoint_every="2epochs"), 5) == [
        (1, 0),
        (2, 0),
        (4, 0),
        (5, 0),
    ]
    often = saves(classifier(tmp_path / "c", checkpoint_every=1e-9), 3)
    assert {(1, 0), (2, 0), (3, 0)} <= set(often)
    assert any(batch for _, batch in often)
    again = classifier(tmp_path / "a")
    assert again.resume()
    assert saves(again, 5) == []  # nothing was left to do
    assert saves(again, 7) == [(7, 0)]


def test_a_signal_after_an_epoch_loses_nothing_of_it(tmp_path: Path) -> None:
    class Stops:
        def after_epoch(self, history: list[dict[str, Any]]) -> None:
            if len(history) == 3:
                os.kill(os.getpid(), signal.SIGINT)

    trainer = classifier(tmp_path, listeners=[Stops()])
    assert not trainer.fit(*clouds(), epochs=9)
    assert load_checkpoint(tmp_path / "checkpoint.npz")[1]["progress"]["epoch"] == 3


# ---- what is written -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_how_it_was_then(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer is held up until training has gone on."""
    make, data = CASES[name]
    trainer, kept, gate, write = make(tmp_path, checkpoint_every=1e-9), {}, Gate(), Writer.put
    steps = trainer.optimiser.step

    def step() -> None:
        steps()
        if trainer.optimiser.steps == 5:
            gate.open.set()

    def put(self: Writer, path: str, job: Callable[[], object]) -> None:
        if path.endswith("checkpoint.npz") and not kept:
            kept.update({k: v.copy() for k, v in trainer.network.snapshot().items()})
            kept["at"] = trainer.optimiser.steps

            def slow() -> None:
                gate()
                job()
                raise InputError("that was all")

            write(self, path, slow)
            assert gate.entered.wait(10)
        else:
            write(self, path, job)

    trainer.optimiser.step = step  # type: ignore[method-assign]
    monkeypatch.setattr(Writer, "put", put)
    with pytest.raises(InputError, match="that was all"):
        trainer.fit(*data(), epochs=9)
    assert trainer.optimiser.steps >= 5 > kept.pop("at") == 1
    arrays, meta = load_checkpoint(tmp_path / "checkpoint.npz")
    assert meta["progress"]["batch"] == 1
    for key, value in kept.items():
        np.testing.assert_array_equal(arrays[f"network.{key}"], value, err_msg=key)


def test_the_folder_is_gone(tmp_path: Path) -> None:
    """A file where it was: not even as root can anything be written."""
    trainer = classifier(tmp_path / "out", checkpoint_every=1e-9)

    class Replaces:
        def after_epoch(self, history: list[dict[str, Any]]) -> None:
            if len(history) == 1:
                while trainer.files.writer is not None and not trainer.files.poll():
                    time.sleep(0.01)
                os.rename(tmp_path / "out", tmp_path / "gone")
                (tmp_path / "out").write_text("")

    trainer.listeners.append(Replaces())
    with pytest.raises(InputError, match=r"out/.*: .*; choose a place that can be written") as problem:
        trainer.fit(*clouds(), epochs=400)
    assert "\n" not in str(problem.value)
    assert trainer.progress.epoch < 400
    assert load_checkpoint(tmp_path / "gone" / "checkpoint.npz")[1]["progress"]["epoch"] <= 1


def test_another_problem_is_the_one_that_is_raised_and_the_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, gate = list[str](), Gate()
    trainer = classifier(tmp_path, show=lines.append)

    class Fails:
        def after_epoch(self, history: list[dict[str, Any]]) -> None:
            gate.open.set()
            raise ZeroDivisionError

    def full(descriptor: int) -> None:
        gate()
        raise OSError(errno.ENOSPC, "No space left on device")

    trainer.listeners.append(Fails())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ZeroDivisionError):
        trainer.fit(*clouds(), epochs=2)
    assert [line for line in lines if "No space left on device; free some space" in line]
    assert list(tmp_path.iterdir()) == []


def test_all_is_there_when_a_run_ends_by_an_error(tmp_path: Path) -> None:
    trainer = classifier(tmp_path)

    class Fails:
        def after_epoch(self, history: list[dict[str, Any]]) -> None:
            raise ZeroDivisionError

    trainer.listeners.append(Fails())
    with pytest.raises(ZeroDivisionError):
        trainer.fit(*clouds(), epochs=2)
    assert load_checkpoint(tmp_path / "checkpoint.npz")[1]["progress"]["epoch"] == 1
    assert load_state_dict(tmp_path / "weights.pt").keys() == trainer.network.state_dict().keys()
    assert not [thread for thread in threading.enumerate() if thread.name == "minilift-writer"]


# ---- kills ---------------------------------------------------------------------------------------------

PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from test_run_files import long_run
trainer, batches = long_run({out!r})
print("resumed" if trainer.resume() else "begun", flush=True)
trainer.fit(batches, batches, epochs=3)
"""


def long_run(out: str) -> tuple[Trainer, Batches]:
    """Epochs of a hundred steps, checkpoints in their midst, and files that take some time to write."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((1000, 64)).astype(np.float32), rng.integers(8, size=1000)
    net = Sequential(Linear(64, 1500, rng=rng), Linear(1500, 8, rng=rng))
    adam = Adam(net.parameters())
    quiet: dict[str, Any] = {"bar": False, "show": lambda line: None, "checkpoint_every": 0.02}
    return Trainer(net, CrossEntropy(), adam, out=out, **quiet), Batches(x, y, 10)


def stamp(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def test_killed_at_any_moment_and_resumed_it_is_to_the_bit_as_never_killed(tmp_path: Path) -> None:
    straight, batches = long_run(str(tmp_path / "a"))
    assert straight.fit(batches, batches, epochs=3)
    out, rng, middles = tmp_path / "b", np.random.default_rng(1), 0
    program = PROGRAM.format(tests=str(ROOT / "tests"), out=str(out))
    for attempt in range(12):
        before = stamp(out / "checkpoint.npz")
        run = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert run.stdout is not None
        run.stdout.readline()
        while run.poll() is None and stamp(out / "checkpoint.npz") == before:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.1))
        run.kill()
        run.communicate()
        _, meta = load_checkpoint(out / "checkpoint.npz")
        middles += meta["progress"]["batch"] > 0
        if meta["progress"]["best_epoch"]:
            load_state_dict(out / "weights.pt")
        if attempt > 2 and middles:
            break
    assert middles
    resumed, batches = long_run(str(out))
    assert resumed.resume()
    assert resumed.fit(batches, batches, epochs=3)
    np.testing.assert_array_equal(resumed.network.flat.data, straight.network.flat.data)
    np.testing.assert_array_equal(
        resumed.optimiser.state_dict()["m.0"], straight.optimiser.state_dict()["m.0"]
    )
    assert (out / "weights.pt").read_bytes() == (tmp_path / "a" / "weights.pt").read_bytes()
    drop = {"seconds": 0}
    assert [row | drop for row in resumed.progress.history] == [
        row | drop for row in straight.progress.history
    ]
