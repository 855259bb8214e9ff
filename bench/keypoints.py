"""Measure `minilift predict` on detectors' files: whole processes, their time and their peak memory.

    python -m bench.keypoints
    python -m bench.keypoints --long 100000 --rounds 3        in half a minute

clip       one person in 10,000 frames: a COCO results .json in, .npz out
one pose   one frame of OpenPose in, .npz out: mostly the start of Python
long       one person in a tenth of 1,000,000 frames, and in all of them: .npz in, .npz out

The files are made anew, the weights are untrained ones of the default size. Memory is the most that the
process ever had (resource.getrusage, ru_maxrss). The last line is all of it as JSON. With the defaults it
takes some two minutes and 1 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import flags, machine, report

SIZE = "1920x1080"
JOINTS = 17


def make(kind: str, frames: int, name: str) -> None:
    """A file of one person who walks to and fro and waves, its numbers rounded as detectors do."""
    import numpy as np

    path = Path(name)
    rng = np.random.default_rng(0)
    x = [0, 12, -12, 25, -25, 90, -90, 120, -120, 130, -130, 55, -55, 60, -60, 62, -62]
    y = [0, -12, -12, -8, -8, 90, 90, 200, 200, 290, 290, 310, 310, 480, 480, 640, 640]
    body, phase = np.stack([x, y], axis=1), rng.uniform(0, 6, (JOINTS, 1))
    t = np.arange(frames)[:, None, None]
    place = np.stack([960 + 300 * np.sin(0.01 * t), 200 + 3 * np.sin(0.4 * t)], axis=-1)[:, :, 0]
    xy = np.round(place + body + 8 * np.sin(0.15 * t + phase), 2)
    score = np.round(rng.uniform(0.5, 0.99, (frames, JOINTS)), 3)
    if kind == "npz":
        np.savez(path, keypoints=xy.astype(np.float32), scores=score.astype(np.float32))
        return
    rows = np.concatenate([xy, score[..., None]], axis=2).reshape(frames, -1).tolist()
    if kind == "coco":
        people = [
            {"image_id": i, "category_id": 1, "keypoints": row, "score": 0.9} for i, row in enumerate(rows)
        ]
        path.write_text(json.dumps(people))
    else:  # openpose, 51 numbers: COCO's order, as other detectors write this format
        path.write_text(json.dumps({"version": 1.3, "people": [{"pose_keypoints_2d": rows[0]}]}))


def made(kind: str, frames: int, path: Path, env: dict[str, str]) -> Path:
    """In a process of its own: this one stays small, for a child's peak on Linux begins with its parent's."""
    code = "import sys; from bench.keypoints import make; make(sys.argv[1], int(sys.argv[2]), sys.argv[3])"
    subprocess.run([sys.executable, "-c", code, kind, str(frames), str(path)], env=env, check=True)
    return path


def run(path: Path, out: Path, weights: Path, env: dict[str, str]) -> tuple[float, int]:
    """Seconds and peak bytes of `minilift predict`, a process from its start to its end."""
    command = [sys.executable, "-m", "minilift", "predict", str(path), "-o", str(out), "--force"]
    command += ["--weights", str(weights), "--size", SIZE]
    began = time.perf_counter()
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stderr is not None
    told = child.stdout.read() + child.stderr.read()  # a few lines: neither pipe fills up
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{told}\nminilift predict ended with status {child.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - began, used.ru_maxrss * scale


def arguments() -> argparse.Namespace:
    head, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "python -m bench.keypoints", description=head, epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("--clip", type=flags.whole(1), default=10_000, help="frames of the clip [10000]")
    parser.add_argument("--long", type=flags.whole(10), default=1_000_000, help="frames [1000000]")
    parser.add_argument("--rounds", type=flags.whole(1), default=5, help="of clip and one pose [5]")
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
    results: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        weights = here / "liftModel"
        save = "import sys, minilift as m; m.Lifter(m.LiftModel()).save(sys.argv[1])"
        subprocess.run([sys.executable, "-c", save, str(weights)], env=env, check=True)
        work = {
            f"clip, {args.clip:,} frames": ("coco", args.clip, "clip.json", args.rounds),
            "one pose": ("openpose", 1, "pose_000000000000_keypoints.json", args.rounds),
            f"long, {args.long // 10:,} frames": ("npz", args.long // 10, "short.npz", 1),
            f"long, {args.long:,} frames": ("npz", args.long, "long.npz", 1),
        }
        for name, (kind, frames, file, rounds) in work.items():
            path = made(kind, frames, here / file, env)
            figures = [run(path, here / "out.npz", weights, env) for _ in range(rounds)]
            results[name] = {"seconds": [s for s, _ in figures], "peak_bytes": [float(b) for _, b in figures]}
            path.unlink()
    rows = [["`minilift predict`", "seconds", "peak MB"]]
    rows += [
        [name, report.spread(found["seconds"]), report.spread(found["peak_bytes"], 1e-6)]
        for name, found in results.items()
    ]
    print(report.table(rows))
    report.finish("keypoints", header, args, results)


if __name__ == "__main__":
    flags.run(main)
