"""`minilift eval`: how far a lifter's joints lie from the true ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from minilift.cli.parser import Parser, number, tell_device
from minilift.errors import InputError, run_program
from minilift.evaluation import Baselines, Options, Report, evaluate_lifter, fit_baselines
from minilift.evaluation.inputs import load_clips, load_with_scale
from minilift.files import check_writable, write_atomically
from minilift.files.npz import write_npz
from minilift.lift.lifter import Lifter
from minilift.lift.trust import trust_path
from minilift.lift.weights.starting import STARTING, USUAL, weights_here
from minilift.poses.info import warn_of_conventions
from minilift.poses.poses import load_poses
from minilift.poses.read.course import files_of
from minilift.show.charts.errors import plot_errors
from minilift.show.people.extremes import plot_extremes
from minilift.show.style import check_picture
from minilift.show.text import advice, report_text

PROGRAM = "minilift eval"
DATA, TRAIN = "data_test_lift.pkl", "data_train_lift.pkl"
UNASKED = 64 << 20  # bytes of training poses that are read without --train; the course's 18 MB take 0.2 s
BASELINES: dict[str, tuple[str, ...]] = {
    "flat": (),
    "quick": ("mean", "linear"),
    "all": ("mean", "linear", "nearest"),
}

DESCRIPTION = """\
Measure a trained lifter on test poses.

Prints its error (MPJPE: mean per-joint position error) with an interval, the other figures that papers give,
what simpler predictors reach, and the errors by percentile, joint, axis and bone. docs/metrics.md defines
every figure.
"""
MORE = """\
The network is rebuilt from the shapes of the weights, which may come from minilift train or from
torch.save(model.state_dict(), ...). The unit is the camera's distance to the middle of the hips. With metres
per unit, from --scale or from data_test_scale.npy next to the poses, millimetres are printed too. Where there
is a liftModel.trust.npz, the report says how good the errors are that the lifter expects (docs/trust.md).
The keypoints that --hide hides are the same ones every time. Baselines are fitted on the training poses of
this folder, where they are there and have less than 64 MB, or on those of --train.
"""

EXAMPLES = """\
examples:
  minilift eval                                    liftModel, data_test_lift.pkl
  minilift eval --data mine.npz --scale mine.npy   other poses, and millimetres
  minilift eval --clips clips.npy --fps 50         how well it moves
  minilift eval --json | jq .mpjpe                 for machines
  minilift eval --report report.html               everything on one page
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _evaluate, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES, MORE)
    add, positive = parser.add_argument, number(float, 0, open_low=True)
    add("--weights", metavar="FILE", help=f"trained weights [{USUAL}, or {STARTING}]")
    add("--data", default=DATA, metavar="FILE", help=f"poses with their truth [{DATA}]")
    add("--scale", metavar="FILE.npy", help="metres per unit of each pose [next to the data]")
    add("--device", default="auto", help="cpu, gpu, gpu:1 or auto [auto]")
    add("--json", action="store_true", help="print one JSON object and nothing else")
    how = "predictions"
    add("--flip", action="store_true", group=how, help="average with the mirrored pose, half as fast")
    add("--project", action="store_true", group=how, help="move joints onto the rays of their 2D points")
    add(
        "--hide", type=number(float, 0, 1), default=0.0, metavar="SHARE", group=how,
        help="hide this share of the 2D keypoints [0]",
    )  # fmt: skip
    what = "figures"
    add(
        "--baselines", choices=tuple(BASELINES), default="quick", group=what,
        help="flat pose; quick: also mean pose and linear regression; all: also nearest neighbour [quick]",
    )  # fmt: skip
    add("--train", metavar="FILE", group=what, help=f"poses to fit baselines on [{TRAIN}]")
    add("--clips", metavar="FILE.npy", group=what, help="clip number of each pose, to measure movement")
    add("--fps", type=positive, metavar="F", group=what, help="frames per second of the clips")
    add(
        "--threshold", type=positive, metavar="T", group=what, further=True,
        help="limit for PCK and AUC: in mm, or without a scale in units [150, or 0.03]",
    )  # fmt: skip
    add(
        "--loss", choices=("mpjpe", "mse"), default="mpjpe", group=what, further=True,
        help="the loss to average [mpjpe]",
    )  # fmt: skip
    out = "files to write"
    add("--report", metavar="FILE.html", group=out, help="one page with figures, charts and a 3D viewer")
    add("--charts", metavar="FILE", group=out, help="charts of the errors: .png, .svg or .pdf")
    add("--plot", metavar="FILE", group=out, help="best, median and worst pose: .png, .svg or .pdf")
    add("--save", metavar="FILE.npz", group=out, help="predicted joint_3d, and the errors to expect")
    add("--force", action="store_true", group=out, further=True, help="let --save replace a file")
    return parser


def _evaluate(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    chosen, args.weights = not args.weights, args.weights or weights_here()
    _check(args)
    lifter = Lifter.load(args.weights, device=args.device)
    tell_device(args.device)
    if lifter.note:
        print(f"note: {args.weights}: {lifter.note}", file=sys.stderr)
    if args.hide and lifter.model.head == "ray":
        problem = "puts joints onto the rays of their keypoints, and a hidden one has none"
        raise InputError(f"--hide {args.hide:g}: {args.weights} {problem}; train with --head xyz")
    if args.scale:
        poses, scale_path = load_poses(args.data, need_3d=True, scale=args.scale), args.scale
    else:
        poses, scale_path = load_with_scale(args.data)
    if chosen and args.weights == STARTING:
        print(f"note: no {USUAL} here; these are the starting weights", file=sys.stderr)
    clips = load_clips(args.clips, len(poses)) if args.clips else None
    warn_of_conventions(args.data, poses)
    report = evaluate_lifter(
        lifter, poses, Options(args.flip, args.project, args.hide, args.loss, args.threshold, args.fps),
        clips=clips, baselines=_baselines(args), details=bool(args.charts),
        keep=args.save or None, data=args.data, scale_path=scale_path,
    )  # fmt: skip
    for note in report.notes:
        print(f"warning: {note}", file=sys.stderr)
    _show(args, report)
    return 0


def _show(args: argparse.Namespace, report: Report) -> None:
    """Write the files that were asked for, and print the report."""
    if args.save:
        write_atomically(args.save, lambda file: write_npz(file, report.arrays))
    if args.plot:
        plot_extremes(report, args.plot)
    if report.errors is not None:
        plot_errors(report.errors, args.charts, report.title)
    if args.report:
        from minilift.show.page.page import write_report

        write_report(args.report, report)
    if args.json:
        print(report.json())
        if told := advice(report):
            print(f"note: {told}", file=sys.stderr)
        return
    print(report_text(report))
    for path in filter(None, (args.save, args.plot, args.charts, args.report)):
        print(f"wrote {path}")


def _baselines(args: argparse.Namespace) -> Baselines:
    """The baselines that were asked for. Training poses that were not named may be missing, or unfit."""
    path, names = args.train or TRAIN, BASELINES[args.baselines]
    if not names:
        return Baselines()
    if not args.train:
        if not Path(path).is_file():
            return Baselines(note=f"(no {path} here to fit others on; name one with --train FILE)")
        if _same_files(path, args.data):
            return Baselines(note="(these are training poses; name others to fit on with --train FILE)")
        if (size := Path(path).stat().st_size) > UNASKED:
            return Baselines(note=f"({path} has {size >> 20:,} MB; to fit others on it: --train {path})")
    try:
        train = load_poses(path, need_3d=True)
    except InputError as error:
        if args.train:
            raise
        print(f"warning: no baselines fitted ({error})", file=sys.stderr)
        return Baselines()
    return fit_baselines(train, names, path)


def _check(args: argparse.Namespace) -> None:
    """Refuse flags that contradict each other, or would write over what is read, before anything is read."""
    if args.report:
        from minilift.show.page.page import require_plotly

        require_plotly()
    if args.fps and not args.clips:
        raise InputError(f"--fps {args.fps:g}: says nothing without --clips FILE.npy; give that, too")
    if args.train and args.baselines == "flat":
        raise InputError(f"--train {args.train}: --baselines flat fits nothing; leave one of them out")
    if args.train and _same_files(args.train, args.data):
        raise InputError(f"--train {args.train}: is what is measured; name the training poses")
    names = (
        args.weights, trust_path(args.weights), *files_of(args.data), *files_of(args.train or TRAIN),
        args.scale, args.clips,
    )  # fmt: skip
    inputs = [Path(name).resolve() for name in names if name]
    for flag, name in (
        ("--save", args.save), ("--plot", args.plot), ("--charts", args.charts), ("--report", args.report)
    ):  # fmt: skip
        if name and Path(name).resolve() in inputs:
            raise InputError(f"{flag} {name}: would overwrite what is read; choose another name")
        if flag == "--save" and name and Path(name).exists() and not args.force:  # it may be data
            remedy = "choose another name, or --force to replace it"
            raise InputError(f"--save {name}: exists already; {remedy}")
        if name:
            check_writable(Path(name).parent, f"{flag} {name}")
            if flag in ("--plot", "--charts"):
                check_picture(name)


def _same_files(path: str, other: str) -> bool:
    """Whether two sets of poses share a file."""
    first, second = ({file.resolve() for file in files_of(name)} for name in (path, other))
    return bool(first & second)
