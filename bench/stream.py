"""Measure `minilift predict - --stream`: the time from a line to its answer, and memory over many lines.

    python -m bench.stream                            100,000 lines of one person
    python -m bench.stream --lines 10000 --people 3   in a minute

A process reads frames of people who walk, one line at a time: each is written when the line before has been
answered, and the time until the answer has come counts. Every 500 lines other people come, with other ids,
and one line in a thousand is no frame. Memory is what the process has (VmRSS), at ten points; CPU time is all
that it took from start to end. On a machine that does other work as well, it says more than the clock.

model time is that of the network and its trust file alone, Lifter.predict and Lifter.trust, for one pose and
one thread, as the stream calls them. The last line is all of it as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench import flags, machine, report

SIZE = (1280, 720)
STAY, BAD = 500, 1000
POINTS = 10


def lines(count: int, people: int) -> Iterator[bytes]:
    """Frames in minilift's own schema, of the people of bench.keypoints, side by side."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = [0, 12, -12, 25, -25, 90, -90, 120, -120, 130, -130, 55, -55, 60, -60, 62, -62]
    y = [0, -12, -12, -8, -8, 90, 90, 200, 200, 290, 290, 310, 310, 480, 480, 640, 640]
    body = 0.7 * np.stack([x, y], axis=1)
    phase = rng.uniform(0, 6, (people, len(x), 1))
    for number in range(count):
        if number % BAD == BAD - 1:
            yield b'{"people": [{"keypoints": [1, 2'
            continue
        left = 200 + 150 * np.arange(people)[:, None, None] + 80 * np.sin(0.02 * number)
        xy = body + [0, 120] + left * [1, 0] + 6 * np.sin(0.15 * number + phase)
        xy += rng.normal(0, 1, xy.shape)
        score = rng.uniform(0.5, 0.99, (*xy.shape[:2], 1))
        rows = np.round(np.concatenate([xy, score], axis=2), 2).reshape(people, -1).tolist()
        who = [{"id": f"{number // STAY}-{i}", "keypoints": row} for i, row in enumerate(rows)]
        yield json.dumps({"frame": number, "people": who, "size": SIZE}).encode()


def resident(pid: int) -> float:
    """Megabytes that a process has in memory; NaN where the system does not say."""
    try:
        with open(f"/proc/{pid}/status") as status:
            kilobytes = next(line for line in status if line.startswith("VmRSS")).split()[1]
    except (OSError, StopIteration):
        return float("nan")
    return int(kilobytes) / 1e3


def stream(count: int, people: int, env: dict[str, str]) -> dict[str, Any]:
    """Milliseconds from each line to its answer, and memory and CPU time of the process."""
    command = [sys.executable, "-m", "minilift", "predict", "-", "--stream", "--height", "1.75"]
    child = subprocess.Popen(
        [*command, "--weights", "starting"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    taken, memory, errors = [], [], 0
    for number, line in enumerate(lines(count, people)):
        began = time.perf_counter()
        child.stdin.write(line + b"\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        taken.append(1e3 * (time.perf_counter() - began))
        errors += answer.startswith(b'{"error"')
        if (number + 1) % max(count // POINTS, 1) == 0:
            memory.append(resident(child.pid))
            print(f"{number + 1:9,} lines  {memory[-1]:6.1f} MB", flush=True)
    child.stdin.close()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode or errors != count // BAD:
        raise SystemExit(f"minilift predict ended with status {child.returncode}, {errors} lines were errors")
    cpu = 1e3 * (used.ru_utime + used.ru_stime) / count
    return {"latency_ms": percentiles(taken[1:]), "first_ms": taken[0], "memory_mb": memory, "cpu_ms": cpu}


def model_time(rounds: int = 3000) -> dict[str, Any]:
    """Milliseconds of network and trust for one person, by the clock and in CPU time."""
    import numpy as np

    from minilift import Lifter
    from minilift.ops.threads import limited
    from minilift.poses.people.synth import synthesize

    poses = np.asarray(synthesize(rounds).joint_2d, np.float32)
    lifter, sigma = Lifter.load(), np.full((1, poses.shape[1]), 0.002, np.float32)
    taken = []
    with limited(1):
        lifter.trust(poses[:1], lifter.predict(poses[:1], sigma), sigma)
        cpu = time.process_time()
        for row in range(rounds):
            began = time.perf_counter()
            own = lifter.predict(poses[row : row + 1], sigma)
            lifter.trust(poses[row : row + 1], own, sigma)
            taken.append(1e3 * (time.perf_counter() - began))
        cpu = time.process_time() - cpu
    return {"model_ms": percentiles(taken), "model_cpu_ms": 1e3 * cpu / rounds}


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    found = {f"p{p}": ordered[min(len(ordered) * p // 100, len(ordered) - 1)] for p in (50, 95, 99)}
    return {**found, "max": ordered[-1]}


def arguments() -> argparse.Namespace:
    head, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m bench.stream", description=head, epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--lines", type=flags.whole(10), default=100_000, help="[100000]")
    parser.add_argument("--people", type=flags.whole(1), default=1, help="in each frame [1]")
    parser.add_argument("--threads", type=flags.whole(1), default=machine.usable_cores(), help="[all cores]")
    parser.add_argument("--coretype", metavar="NAME", help="hold NumPy's OpenBLAS to one kernel")
    parser.add_argument("--json", metavar="FILE", help="append the last line, the JSON, to this file too")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    env, header = machine.environment(args.threads, args.coretype), machine.describe()
    print(
        f"{header['cpu']}, {header['usable_cores']} cores; commit {header['commit']}; load {header['load']}\n"
    )
    results = {**stream(args.lines, args.people, env), **model_time()}
    rows = [["milliseconds", "p50", "p95", "p99", "max", "CPU, mean"]]
    for name, key, cpu in (("a line", "latency_ms", "cpu_ms"), ("the model", "model_ms", "model_cpu_ms")):
        rows.append([name, *(f"{value:.2f}" for value in results[key].values()), f"{results[cpu]:.2f}"])
    print(f"\n{report.table(rows)}")
    report.finish("stream", header, args, results)


if __name__ == "__main__":
    flags.run(main)
