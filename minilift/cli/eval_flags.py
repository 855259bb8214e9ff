"""The flags of eval.py, and which of them go together."""

from __future__ import annotations

import argparse
from pathlib import Path

from minilift.cli.parser import Parser, number
from minilift.errors import InputError
from minilift.files import check_writable
from minilift.lift.trust import trust_path
from minilift.poses.read.course import files_of
from minilift.show.style import check_picture

TRAIN = "data_train_lift.pkl"
BASELINES: dict[str, tuple[str, ...]] = {
    "flat": (),
    "quick": ("mean", "linear"),
    "all": ("mean", "linear", "nearest"),
}

DESCRIPTION = """\
Measure a trained lifter on test poses.

Reads liftModel and data_test_lift.pkl from the current folder. The network is rebuilt from the shapes of
the weights, which may come from train.py or from torch.save(model.state_dict(), ...). Prints the average
MPJPE (mean per-joint position error) with an interval, the average loss, the figures that papers give (with
the root counted, PA-MPJPE, N-MPJPE, PCK, AUC), what simpler predictors reach, and the errors by percentile,
joint, axis and bone. The unit is the camera's distance to the root; with metres per unit, from --scale or
from data_test_scale.npy beside the poses, millimetres are printed too. docs/metrics.md defines every figure.
Where there is a liftModel.trust.npz, it says how good the errors are that the lifter expects (docs/trust.md).
"""

EPILOGUE = """\
examples:
  python eval.py                                  liftModel on data_test_lift.pkl
  python eval.py --data mine.npz --scale mine.npy   other poses, and millimetres
  python eval.py --baselines all                  a nearest neighbour for comparison, too
  python eval.py --clips clips.npy --fps 50       how well it moves: poses in order, with a clip number each
  python eval.py --flip                           a little better, at twice the cost
  python eval.py --hide 0.2                       with every fifth keypoint missing
  python eval.py --json | jq .mpjpe               for machines
  python eval.py --save predictions.npz           keep joint_3d as predicted
  python eval.py --plot lift.png                  see the best, the median and the worst of them
  python eval.py --charts errors.png              errors by joint, axis, direction of view and distance
  python eval.py --report report.html             all of it on one page, with the poses in 3D
"""


def eval_parser() -> Parser:
    parser = Parser("minilift eval", DESCRIPTION, EPILOGUE)
    parser.add_argument(
        "--weights", default="liftModel", help="weights file: torch's format, or .safetensors [liftModel]"
    )
    parser.add_argument(
        "--data", default="data_test_lift.pkl", help="poses with joint_2d_1 and joint_3d [data_test_lift.pkl]"
    )
    parser.add_argument(
        "--scale", metavar="FILE.npy", help="metres per unit of each pose [beside --data, where it is]"
    )
    parser.add_argument(
        "--baselines", choices=tuple(BASELINES), default="quick",
        help="flat pose; quick: mean pose, linear regression, too; all: nearest neighbour, too [quick]",
    )  # fmt: skip
    parser.add_argument(
        "--train", metavar="FILE", help=f"poses to fit the baselines on [{TRAIN}, where it is there]"
    )
    parser.add_argument(
        "--threshold",
        type=number(float, 0, open_low=True),
        metavar="T",
        help="of PCK and AUC: mm, or units without [150, or 0.03]",
    )
    parser.add_argument(
        "--clips", metavar="FILE.npy", help="which clip each pose is of, for velocity and jitter"
    )
    parser.add_argument(
        "--fps", type=number(float, 0, open_low=True), metavar="F", help="frames per second of the clips"
    )
    parser.add_argument(
        "--loss", choices=("mpjpe", "mse"), default="mpjpe", help="the loss to average [mpjpe]"
    )
    parser.add_argument(
        "--flip", action="store_true", help="average with the prediction for the mirrored pose"
    )
    parser.add_argument(
        "--project", action="store_true", help="put the joints onto the rays through their 2D points"
    )
    parser.add_argument(
        "--hide", type=number(float, 0, 1), default=0.0, metavar="SHARE",
        help="hide this share of the 2D keypoints, the same ones every time, from all predictors [0]",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="cpu, gpu, gpu:1 or auto [auto]")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--save",
        metavar="FILE.npz",
        help="write the predicted joints as joint_3d (N, 15, 3), and the errors to expect",
    )
    parser.add_argument(
        "--plot", metavar="FILE", help="draw the best, the median and the worst pose to a .png, .svg or .pdf"
    )
    parser.add_argument(
        "--charts", metavar="FILE", help="draw the errors by joint, axis, direction of view and distance"
    )
    parser.add_argument(
        "--report", metavar="FILE.html", help="write one page with figures, charts and a 3D viewer"
    )
    return parser


def check_flags(args: argparse.Namespace) -> None:
    """Refuse flags that contradict each other, or would write over what is read, before anything is read."""
    if args.report:
        from minilift.show.page.page import require_plotly

        require_plotly()
    if args.fps and not args.clips:
        raise InputError(f"--fps {args.fps:g}: says nothing without --clips FILE.npy; give that, too")
    if args.train and args.baselines == "flat":
        raise InputError(f"--train {args.train}: --baselines flat fits nothing; leave one of them out")
    if args.train and same_files(args.train, args.data):
        raise InputError(f"--train {args.train}: is what is measured; name the training poses")
    names = (
        args.weights,
        trust_path(args.weights),
        *files_of(args.data),
        *files_of(args.train or TRAIN),
        args.scale,
        args.clips,
    )
    inputs = [Path(name).resolve() for name in names if name]
    for flag, name in (
        ("--save", args.save), ("--plot", args.plot), ("--charts", args.charts), ("--report", args.report)
    ):  # fmt: skip
        if name and Path(name).resolve() in inputs:
            raise InputError(f"{flag} {name}: would overwrite what is read; choose another name")
        if name:
            check_writable(Path(name).parent)
            if flag in ("--plot", "--charts"):
                check_picture(name)


def same_files(path: str, other: str) -> bool:
    """Whether two sets of poses share a file."""
    first, second = ({file.resolve() for file in files_of(name)} for name in (path, other))
    return bool(first & second)
