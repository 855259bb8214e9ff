"""Time what passes between processes in a training step, by itself: start it as the training is started.

Given are microseconds: of the gradient vector, and of the two small messages that BatchNorm sends, with the
numbers of the default network or of --hidden and --blocks. All processes begin each together, and a time is
that of the slowest. Nothing is computed between, so this is the exchange by itself.

examples:
  mpirun -n 2 python -m bench.exchange
  torchrun --nproc-per-node 2 -m bench.exchange --rounds 50
"""

from __future__ import annotations

import argparse
import json
import statistics
import struct
import time

import numpy as np

from bench import machine
from bench.report import table
from minilift import LiftModel
from minilift.distributed.group import Group
from minilift.distributed.join import join


def slowest(group: Group, numbers: int, rounds: int) -> list[float]:
    """Seconds of `group.add`, of the process that takes longest, for each round; the first is not counted."""
    array, found = np.ones(numbers, np.float32), []
    for _ in range(rounds + 1):
        array.fill(1)
        group.wait()
        began = time.perf_counter()
        group.add(array)
        mine = struct.pack("d", time.perf_counter() - began)
        found.append(max(struct.unpack("d", part)[0] for part in group.gather(mine)))
        if array[-1] != group.size:
            raise SystemExit(f"a sum of {group.size} ones is {array[-1]}")
    return found[1:]


def main() -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    group = join()
    model = LiftModel(asked.blocks, asked.hidden)
    sizes = {"gradient": model.flat.grad.size, "forward": asked.hidden, "backward": 2 * asked.hidden}
    times = {name: slowest(group, numbers, asked.rounds) for name, numbers in sizes.items()}
    if group.first:
        rows = [["message", "bytes", "median us", "least", "most", "GB/s"]]
        for name, found in times.items():
            middle = statistics.median(found)
            speeds = [f"{1e6 * s:.0f}" for s in (middle, min(found), max(found))]
            rows.append([name, f"{4 * sizes[name]:,}", *speeds, f"{4e-9 * sizes[name] / middle:.2f}"])
        print(table(rows))
        print(f"{group.size} processes, {group.kind}")
        about = {"benchmark": "exchange", "size": group.size, "kind": group.kind}
        print(json.dumps({**about, "machine": machine.describe(), "seconds": times}))
    group.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
