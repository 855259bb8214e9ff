"""What eval.py does at the least, in torch: the cold start that bench.predict compares it with.

    python -m bench.torch_eval

Reads liftModel and data_test_lift.pkl from the current folder and prints the average MPJPE.
"""

from __future__ import annotations

import pickle

import torch

from bench.torch_net import load_net, mpjpe


def main() -> None:
    with open("data_test_lift.pkl", "rb") as file:
        poses = pickle.load(file)
    x, y = (torch.from_numpy(poses[key]).flatten(1) for key in ("joint_2d_1", "joint_3d"))
    net = load_net("liftModel")
    with torch.inference_mode():
        print(f"average MPJPE {mpjpe(net(x), y).item():.7f}")


if __name__ == "__main__":
    main()
