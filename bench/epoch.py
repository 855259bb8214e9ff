"""Time an epoch of training over more and more poses: the cost should grow in proportion.

The poses are random numbers. With --mapped they lie in a .npz file, in a temporary folder, and every batch is
read from there. Given are the seconds of an epoch, the microseconds a pose, and the most memory that the
process has had so far. The last line is all of it as JSON.

examples:
  python -m bench.epoch
  python -m bench.epoch --poses 10000000 --batch-size 4096 --hidden 64 --mapped
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import flags, machine
from bench.report import table
from bench.worker import peak_memory, random_rows
from minilift import Adam, LiftModel, Poses, load_poses, run_epoch
from minilift.poses.poses import save_poses


def poses(n: int, mapped: bool, folder: Path) -> Poses:
    joint_2d = random_rows(n, 30, seed=1).reshape(n, 15, 2)
    joint_3d = random_rows(n, 45, seed=2).reshape(n, 15, 3)
    joint_3d[..., 2] = -1 - np.abs(joint_3d[..., 2])  # in front of the camera, or they are refused
    made = Poses(joint_2d, joint_3d)
    if not mapped:
        return made
    save_poses(folder / "poses.npz", made)
    return load_poses(folder / "poses.npz", mapped=True)


def epoch(data: Poses, batch_size: int, hidden: int) -> dict[str, Any]:
    model = LiftModel(hidden_layer=hidden)
    adam, batch_size = Adam(model.parameters()), min(batch_size, len(data))
    few = data.take(np.arange(min(len(data), 4 * batch_size)))
    run_epoch(0, few, model, adam, batch_size=batch_size, progress=False)  # makes the buffers
    began = time.perf_counter()
    run_epoch(1, data, model, adam, batch_size=batch_size, progress=sys.stderr.isatty())
    seconds, steps = time.perf_counter() - began, len(data) // batch_size
    figures = {"poses": len(data), "steps": steps, "seconds": seconds}
    # what is left over after the last whole batch is not used in an epoch
    return figures | {"us_a_pose": seconds / (steps * batch_size) * 1e6, "peak_mb": peak_memory() / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.epoch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    some = flags.whole(2)
    default = [10_000, 100_000, 1_000_000]
    parser.add_argument("--poses", type=some, nargs="+", default=default, metavar="N", help=f"{default}")
    parser.add_argument("--batch-size", type=some, default=1024, help="poses of a step [1024]")
    parser.add_argument("--hidden", type=flags.whole(1), default=1024, help="width of the network [1024]")
    parser.add_argument("--mapped", action="store_true", help="leave the poses in their file")
    args = parser.parse_args()
    if any(name in os.environ for name in machine.HOBBLES):  # NumPy has read them: begin again without
        env = machine.environment(machine.usable_cores(), None)
        os.execve(sys.executable, [sys.executable, "-m", "bench.epoch", *sys.argv[1:]], env)
    here, results = machine.describe(), []
    print(f"{here['cpu']}, {here['usable_cores']} cores, load {here['load']}, commit {here['commit']}\n")
    rows = [["poses", "steps", "seconds", "us a pose", "peak MB"]]
    with tempfile.TemporaryDirectory() as folder:
        for n in args.poses:
            done = epoch(poses(n, args.mapped, Path(folder)), args.batch_size, args.hidden)
            results.append(done)
            figures = (f"{done['seconds']:.2f}", f"{done['us_a_pose']:.2f}", f"{done['peak_mb']:.0f}")
            rows.append([f"{n:,}", str(done["steps"]), *figures])
    print(table(rows))
    print(
        "\n" + json.dumps({"benchmark": "epoch", "header": here, "settings": vars(args), "results": results})
    )


if __name__ == "__main__":
    flags.run(main)
