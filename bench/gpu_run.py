"""How `bench.gpu` goes through its parts: in which order, for how long, and on after a failure.

The card belongs to one process, `bench.gpu_side`. It can die (a signal, an illegal access, after which its
context is lost) or hang in a kernel. Then it is ended, who was at work gets the blame, and a new one goes on.
"""

from __future__ import annotations

import argparse
import select
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from bench import gpu_report
from bench.contenders import Contender, Worker
from bench.gpu_plan import COMPILED, OURS, Budget, checks, plan
from bench.report import digits

PART = 8.0  # seconds that an epoch, or the kernels of a batch, may take
GRACE = 5.0  # seconds over the budget before the process is ended
KERNELS = ((32, "columns"), (32, "rows"), (1024, "rows"))  # batches and paths


class Died(Exception):
    """The process is gone, or of no more use. `trace` is the end of what it said."""

    def __init__(self, why: str, trace: str = "") -> None:
        super().__init__(why[:300])
        self.trace = trace[-3000:]


class Side(Protocol):
    def get(self, task: str, limit: float, **arguments: Any) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Process(Worker):
    """The process of `bench.gpu_side`, with a limit to how long an answer may take."""

    def __init__(self, args: argparse.Namespace, limit: float) -> None:
        contender = Contender("the GPU's process", "bench.gpu_side", "all")
        settings = {"device": "cpu", "hidden": 64} if args.rehearse else {"device": "cuda", "hidden": 1024}
        super().__init__(contender, "Gpu", args, settings)
        self.get("", limit)

    def get(self, task: str, limit: float, **arguments: Any) -> dict[str, Any]:
        """An answer within `limit` seconds; without a task, the one that says it is ready."""
        self.limit = limit
        try:
            return self.ask(task, **arguments) if task else self.answer()
        except SystemExit as problem:
            raise Died(str(problem).splitlines()[-1], str(problem)) from None

    def answer(self) -> Any:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], self.limit)[0]:
            self.process.kill()
            raise Died(f"no answer within {self.limit:.0f} s")
        return super().answer()

    def close(self) -> None:
        self.process.kill()
        with suppress(subprocess.TimeoutExpired):  # a card that hangs can hold it
            self.process.communicate(timeout=10)
        self.stderr.close()


class Run:
    """All parts, each on its own: `results` has what they gave. `start` makes the process within a limit."""

    def __init__(
        self, args: argparse.Namespace, start: Callable[[float], Side], budget: Budget,
        after_part: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        self.args, self.start, self.budget, self.after_part = args, start, budget, after_part
        self.names = [*OURS, *(f"torch {variant}" for variant in args.torch)]
        self.side: Side | None = None
        self.doing, self.deaths, self.compiling = "", Counter[str](), 0.0
        self.results: dict[str, Any] = {
            "correct": [], "ceilings": {}, "heats": [], "epoch": {}, "kernels": [], "skipped": [],
            "failures": [], "traces": {},
        }  # fmt: skip

    def close(self) -> None:
        if self.side is not None:
            self.side.close()
        self.side = None

    def get(self, task: str, limit: float, **arguments: Any) -> dict[str, Any]:
        limit = min(limit, self.budget.left() + GRACE)
        if limit <= (GRACE if self.side is None else 0):
            raise Died("the time is up")
        if self.side is None:
            self.side = self.start(limit)
        return self.side.get(task, limit, **arguments)

    def part(self, task: str, limit: float, **arguments: Any) -> dict[str, Any]:
        """An answer, if only {"error": ...}."""
        named = " ".join([task, *(str(value) for value in arguments.values() if value is not None)])
        if self.budget.left() < PART / 2:
            self.results["skipped"].append(f"{named}: no time left")
            return {"error": "no time left"}
        try:
            answer = self.get(task, limit, **arguments)
            if "error" in answer:
                self.check(answer)
        except Died as why:
            self.close()
            answer = {"error": str(why), "trace": why.trace}
        if "error" in answer:
            self.failed(named, answer["error"], answer.pop("trace", ""))
        self.after_part()
        return answer

    def check(self, answer: dict[str, Any]) -> None:
        """After an error: is the card's context still of use?"""
        if "error" in self.get("healthy", 20):
            raise Died(f"{answer['error']} (the card's context is lost with it)", answer.get("trace", ""))

    def failed(self, what: str, why: str, trace: str = "") -> None:
        self.results["failures"].append({"what": what, "why": why})
        self.results["traces"].setdefault(why, trace)

    def everything(self) -> None:
        results, (first, rest) = self.results, plan(self.args.batches, self.args.precision)
        for batch, precision, path in checks(self.args.batches, self.args.precision):
            asked = {"batch": batch, "precision": precision, "path": path}
            results["correct"].append(asked | self.part("correct", 60, **asked))
            if not results["correct"][-1].get("right", True):
                self.failed(f"correct {batch} {precision} {path or ''}", "too far from NumPy")
        if self.args.torch:
            some = {"batches": self.args.batches, "precisions": self.args.precision}
            results["ceilings"] = self.part("ceilings", 60, **some)
        kernels = [pair for pair in KERNELS if pair[0] in self.args.batches]
        parts = (1 + len(kernels)) * PART
        for i, heat in enumerate(first):
            self.heat(*heat, later=parts + self.heats_take(len(first) - i - 1 + len(rest)))
        self.part("drop", 30)
        results["epoch"] = self.part("epoch", 60)
        for batch, path in kernels:
            asked = {"batch": batch, "precision": "fp32", "path": path}
            results["kernels"].append(asked | self.part("kernels", 60, **asked))
        for i, heat in enumerate(rest):
            self.heat(*heat, later=self.heats_take(len(rest) - i - 1))

    def heats_take(self, count: int) -> float:
        """Seconds of so many heats without what is compiled."""
        return count * self.budget.quick * sum(name not in COMPILED for name in self.names)

    # ---- a heat: all contenders at one batch and precision ---------------------------------------------
    def heat(self, batch: int, precision: str, later: float) -> None:
        heat: dict[str, Any] = {
            "batch": batch, "precision": precision, "names": self.names, "seconds": {}, "notes": {},
            "errors": {}, "unavailable": {}, "skipped": {},
        }  # fmt: skip
        self.results["heats"].append(heat)
        began, self.compiling = time.monotonic(), 0.0
        for _ in self.names:  # each of them may end the process
            try:
                self.take_turns(heat, self.build(heat, later))
                break
            except Died as why:
                self.close()
                if self.budget.left() <= 0:
                    break
                self.fail(heat, self.doing, str(why), why.trace)
                self.deaths[self.doing] += 1
                heat["seconds"].clear()
        heat["card"] = gpu_report.card()
        if self.side is not None:
            with suppress(Died):
                self.get("drop", 30)
        took = time.monotonic() - began
        quick = sum(name not in COMPILED for name in heat["seconds"])
        if quick:
            self.budget.quick = (took - self.compiling) / quick
        each = [f"{name} {digits(1 / min(s))}" for name, s in heat["seconds"].items()]
        told = f"{took:.0f} s, {max(self.budget.left(), 0):.0f} s left"
        print(f"batch {batch} {precision}: best steps/s {', '.join(each) or 'none'} ({told})", flush=True)
        self.after_part()

    def build(self, heat: dict[str, Any], later: float) -> list[str]:
        """Make those that can be made; returns their names."""
        built, asked = [], {"batch": heat["batch"], "precision": heat["precision"]}
        for name in self.names:
            if any(name in heat[reason] for reason in ("errors", "unavailable", "skipped")):
                continue
            if self.deaths[name] > 1:
                self.fail(heat, name, "not tried: it has ended the process twice")
            elif why := self.budget.refuses(name, later):
                heat["skipped"][name] = why
            else:
                self.doing, began = name, time.monotonic()
                answer = self.get("build", 150, name=name, seconds=self.args.seconds, **asked)
                took = time.monotonic() - began
                self.compiling += took if name in COMPILED else 0.0
                if "unavailable" in answer:
                    heat["unavailable"][name] = answer["unavailable"]
                elif "error" in answer:
                    self.wrong(heat, name, answer)
                else:
                    heat["notes"][name] = answer["notes"]
                    built.append(name)
                    if name in COMPILED:
                        self.budget.compiled = took
        return built

    def take_turns(self, heat: dict[str, Any], names: list[str]) -> None:
        for number in range(-1, self.args.rounds):  # the round before the first one warms the card up
            if number > 2 and self.budget.left() < 0:
                break
            for name in [name for name in names if name not in heat["errors"]]:
                self.doing = name
                answer = self.get("time", 30, name=name)
                if "error" in answer:
                    heat["seconds"].pop(name, None)
                    self.wrong(heat, name, answer)
                elif number >= 0:
                    heat["seconds"].setdefault(name, []).append(answer["seconds"])

    def wrong(self, heat: dict[str, Any], name: str, answer: dict[str, Any]) -> None:
        self.check(answer)
        self.fail(heat, name, answer["error"], answer.get("trace", ""))

    def fail(self, heat: dict[str, Any], name: str, why: str, trace: str = "") -> None:
        heat["errors"][name] = why
        self.failed(f"batch {heat['batch']} {heat['precision']}, {name}", why, trace)
