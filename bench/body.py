"""How many poses a second are steadied and fused with a body: `python -m bench.body`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from bench.machine import describe
from minilift.lift.body.fuse import fuse
from minilift.lift.body.steady import steady
from minilift.poses.layouts import COURSE15
from minilift.poses.people.synth import synthesize


def rate(work: Callable[[], object], poses: int, times: int = 3) -> str:
    """Poses a second, the best of some times; and a second of one core, whatever else the machine does."""
    taken, busy = [], []
    for _ in range(times):
        start, cpu_start = time.perf_counter(), time.process_time()
        work()
        taken.append(time.perf_counter() - start)
        busy.append(time.process_time() - cpu_start)
    return f"{poses / min(taken):8,.0f} poses a second, {poses / min(busy):8,.0f} a second of one core"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--poses", type=int, default=4096)
    n = parser.parse_args().poses
    rng = np.random.default_rng(0)
    truth = np.asarray(synthesize(n, 0).joint_3d, np.float64)
    rays = truth[..., :2] / -truth[..., 2:] + rng.normal(0, 0.004, (*truth.shape[:2], 2))
    net = truth.copy()
    net[..., 2] += rng.normal(0, 0.015, truth.shape[:2])
    net[..., :2] = rays * -net[..., 2:]
    lengths, depth = COURSE15.bone_lengths(truth), np.full(len(COURSE15), 0.02)
    sigma, frame = np.full(truth.shape[:2], 0.004), np.arange(n)
    print(f"{n:,} poses; {describe()['cpu']}; NumPy {np.__version__}")
    for name, loose in (("scale known", 0.0), ("scale unknown", 0.03)):
        done = rate(lambda loose=loose: fuse(rays, net, depth, lengths, 0.02 + 0 * depth, 0.004, loose), n)  # type: ignore[misc]
        print(f"fuse, {name:14s} {done}")
    print(f"steady               {rate(lambda: steady(rays, sigma, frame, 30.0), n)}")


if __name__ == "__main__":
    main()
