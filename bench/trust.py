"""How far the trust beside a file of weights holds: on held-out poses, on these changed, and on other files.

    python -m bench.trust --weights liftModel --data data_train_lift.pkl data_test_lift.pkl other.npz

The first line is of the poses that were held out of --data, on which trust was learned and calibrated; the
next are of the same poses with noise, bodies and cameras drawn anew, and with mistakes; then come the files.
AUROC is that of the distance, against the poses held out; AUROC 2, against the first file. Errors are in
units.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from minilift import Lifter, load_poses
from minilift.evaluation.calibration import Calibration
from minilift.evaluation.uncertainty import auroc
from minilift.lift.augment.augmenter import Augmentation, Augmenter
from minilift.ops import get_ops
from minilift.poses.layouts import COURSE15
from minilift.poses.metrics import joint_errors
from minilift.train.batches import hold_out

VARIANTS = {
    "other bodies": Augmentation(body=1.0),
    "cameras 60 degrees off": Augmentation(tilt=60.0),
    "limbs of others": Augmentation(mix=1.0),
    "noise 0.001": Augmentation(noise=0.001),
    "noise 0.005": Augmentation(noise=0.005),
    "noise, bodies, cameras": Augmentation(body=1.0, mix=0.5, tilt=30.0, noise=0.001),
}
Set = tuple[np.ndarray, np.ndarray]


def augmented(image: np.ndarray, truth: np.ndarray, settings: Augmentation) -> Set:
    n = len(image)
    augment = Augmenter(settings, get_ops("cpu"), n, seed=99)
    x, y = augment(0, *(augment.ops.asarray(joints.reshape(n, -1)) for joints in (image, truth)))
    return x.reshape(image.shape), y.reshape(truth.shape)


def mistakes(image: np.ndarray) -> dict[str, np.ndarray]:
    moved = image.copy()
    moved[:, COURSE15.index("left_wrist"), 0] += 0.1
    return {
        "left and right swapped": image[:, COURSE15.mirror],
        "y downwards": image * np.array([1, -1], image.dtype),
        "a wrist 0.1 aside": moved,
        "not root-centred, 0.05": image + np.float32(0.05),
        "pixels": image * np.float32(1000) + np.float32(500),
    }


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.trust")
    parser.add_argument("--weights", default="liftModel")
    parser.add_argument("--data", default="data_train_lift.pkl")
    parser.add_argument("--val-fraction", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    lifter, poses = Lifter.load(args.weights), load_poses(args.data, need_3d=True)
    held = poses.read(hold_out(len(poses), args.val_fraction, args.seed)[1])
    image, truth = np.asarray(held.joint_2d), np.asarray(held.joint_3d)
    sets: dict[str, Set] = {"held out": (image, truth)}
    sets |= {name: augmented(image, truth, settings) for name, settings in VARIANTS.items()}
    sets |= {name: (points, truth) for name, points in mistakes(image).items()}
    for path in args.files:
        other = load_poses(path, need_3d=True)
        sets[path] = np.asarray(other.joint_2d), np.asarray(other.joint_3d)

    heads = ("unlike", "AUROC", "AUROC 2", "error", "expected", "in 90%", "rank r")
    print(f"{'':26s}" + "".join(f"{head:>10s}" for head in heads))
    distances: dict[str, np.ndarray] = {}
    for name, (points, joints) in sets.items():
        begun = time.perf_counter()
        predicted = lifter.predict(points)
        lifted = time.perf_counter()
        found = lifter.trust(points, predicted)
        judged = time.perf_counter()
        distances[name] = found.distance
        calibration = Calibration(len(points))
        interval = found.expected_error, found.low, found.high
        calibration.add(*interval, found.unlike, joint_errors(predicted, joints))
        row = calibration.result()
        first = distances.get(args.files[0]) if args.files else None
        cells = [f"{row['unlike']:10.1%}", f"{auroc(distances['held out'], found.distance):10.4f}"]
        cells.append(f"{'' if first is None else f'{auroc(first, found.distance):.4f}':>10s}")
        cells += [f"{row[key]:10.5g}" for key in ("error", "expected")]
        print(f"{name[-25:]:26s}" + "".join(cells) + f"{row['coverage']:10.1%}{row['spearman']:10.2f}")
    print(f"{len(points):,} poses: lifted in {lifted - begun:.2f} s, judged in {judged - lifted:.2f} s")


if __name__ == "__main__":
    main()
