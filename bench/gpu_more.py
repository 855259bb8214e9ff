"""What a user of a CUDA GPU waits for: predictions, and a training until 18 mm on motion capture.

`predict` times a prediction from a NumPy array to a NumPy array, the copies to the card and back among it, of
minilift and of torch in eager mode under inference_mode. `train` trains as bench.train does, until the test
MPJPE is at most --target or the epochs are over, and gives the seconds of training and with evaluation.
Tables are Markdown.

examples:
  python -m bench.gpu_more predict
  python -m bench.gpu_more train --data data_train_lift.pkl --test data_test_lift.pkl --epochs 12
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from bench import flags
from bench.report import digits, spread, table

POSES = (1, 64, 1024, 16_384, 131_072)
TARGET = 0.0045  # units: 18 mm, at the 4 m of the set that bench/RESULTS.md describes
MS = 1000.0


def arguments(argv: list[str] | None = None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        "python -m bench.gpu_more", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["predict", "train"])
    parser.add_argument("--device", default="gpu", help="of minilift, and of torch's predictions [gpu]")
    parser.add_argument("--seconds", type=float, default=0.3, help="how long a turn is [0.3]")
    parser.add_argument("--hidden", type=flags.whole(2), default=1024, help="width for `predict` [1024]")
    parser.add_argument("--target", type=float, default=TARGET, help=f"test MPJPE for `train` [{TARGET}]")
    return parser.parse_known_args(argv)


def predictions(device: str, hidden: int, seconds: float) -> str:
    """Milliseconds of a prediction, and the most poses a second."""
    from minilift import Lifter, LiftModel

    lifter = Lifter(LiftModel(2, hidden, device=device))
    sides: dict[str, Callable[[np.ndarray], Any]] = {"minilift": lifter.predict}
    if importlib.util.find_spec("torch") is not None:
        sides["torch eager"] = torch_side(device, hidden)
    rows, best = [["poses", *(f"{name}, ms" for name in sides)]], dict.fromkeys(sides, 0.0)
    for n in POSES:
        points = np.random.default_rng(n).standard_normal((n, 15, 2)).astype(np.float32)
        cells = []
        for name, predict in sides.items():
            times = turns(predict, points, seconds)
            best[name] = max(best[name], n / min(times))
            cells.append(spread(times, MS))
        rows.append([f"{n:,}", *cells])
    rows.append(["most poses a second", *(digits(rate) for rate in best.values())])
    return table(rows)


def torch_side(device: str, hidden: int) -> Callable[[np.ndarray], np.ndarray]:
    import torch

    from bench.torch_net import LiftNet

    there = "cpu" if device == "cpu" else device.replace("gpu", "cuda")
    net = LiftNet(hidden=hidden, dropout=0.1).to(there).eval()

    def predict(points: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(net(torch.from_numpy(points.reshape(len(points), -1)).to(there)).cpu().numpy())

    return predict


def turns(predict: Callable[[np.ndarray], Any], points: np.ndarray, seconds: float) -> list[float]:
    """Seconds of a prediction, of each in a turn; those before it warm up."""
    for _ in range(3):
        predict(points)
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        began = time.perf_counter()
        predict(points)
        times.append(time.perf_counter() - began)
    return times


def training(device: str, target: float, rest: list[str]) -> str:
    """A row for each epoch until the target, each told as it comes; the table has the last."""
    from bench.minilift_side import Train
    from minilift.cli.settings import read_train

    config = asdict(read_train(flags.recipe(rest)).settings) | {"device": device}
    train, seconds, whole, done = Train("", 0, config=config), 0.0, 0.0, 0
    found = {"mpjpe": float("inf")}
    while done < config["epochs"] and found["mpjpe"] > target:
        found = train.epoch(done)
        seconds, whole, done = seconds + found["train"], whole + found["train"] + found["evaluate"], done + 1
        told = f"train {found['train']:.2f} s  evaluate {found['evaluate']:.2f} s"
        print(f"epoch {done:3d}/{config['epochs']}  test MPJPE {found['mpjpe']:.5f}  {told}", flush=True)
    reached = f"{found['mpjpe']:.5f}" + ("" if found["mpjpe"] <= target else ", not the target")
    rows = [["", "epochs", "reached", "seconds of training", "with evaluation"]]
    rows.append([f"minilift, {device}", str(done), reached, f"{seconds:.1f}", f"{whole:.1f}"])
    return f"to a test MPJPE of {target:g}\n\n{table(rows)}"


def main(argv: list[str] | None = None) -> int:
    from minilift.errors import InputError

    args, rest = arguments(argv)
    try:
        if args.what == "predict":
            print(f"milliseconds of a prediction, {args.device}\n")
            print(predictions(args.device, args.hidden, args.seconds))
        else:
            print(training(args.device, args.target, rest))
    except InputError as problem:
        print(f"python -m bench.gpu_more: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
