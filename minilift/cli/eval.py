"""The evaluation command: how far a lifter's joints lie from the true ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from minilift.cli.eval_flags import BASELINES, TRAIN, check_flags, eval_parser, same_files
from minilift.errors import InputError, run_program
from minilift.evaluation.baselines import Baselines, fit_baselines
from minilift.evaluation.evaluate import evaluate_lifter
from minilift.evaluation.inputs import load_clips, with_scale_beside
from minilift.evaluation.report import Options, Report
from minilift.files import write_atomically
from minilift.files.npz import write_npz
from minilift.lift.lifter import Lifter
from minilift.poses.info import warn_of_conventions
from minilift.poses.poses import load_poses
from minilift.show.charts.errors import plot_errors
from minilift.show.people.extremes import plot_extremes
from minilift.show.text import advice, report_text

UNASKED = 64 << 20  # bytes of training poses that are read without --train; the course's 18 MB take 0.2 s


def main(argv: Sequence[str] | None = None) -> int:
    return run_program("minilift eval", _evaluate, argv)


def _evaluate(argv: Sequence[str] | None) -> int:
    args = eval_parser().parse_args(argv)
    check_flags(args)
    lifter = Lifter.load(args.weights, device=args.device)
    if lifter.note:
        print(f"note: {args.weights}: {lifter.note}", file=sys.stderr)
    if args.hide and lifter.model.head == "ray":
        problem = "puts joints onto the rays of their keypoints, and a hidden one has none"
        raise InputError(f"--hide {args.hide:g}: {args.weights} {problem}; train with --head xyz")
    if args.scale:
        poses, scale_path = load_poses(args.data, need_3d=True, scale=args.scale), args.scale
    else:
        poses, scale_path = with_scale_beside(args.data)
    clips = load_clips(args.clips, len(poses)) if args.clips else None
    warn_of_conventions(args.data, poses)
    report = evaluate_lifter(
        lifter, poses, Options(args.flip, args.project, args.hide, args.loss, args.threshold, args.fps),
        clips=clips, baselines=_baselines(args), details=bool(args.charts),
        keep=Path(args.save).parent if args.save else None, data=args.data, scale_path=scale_path,
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
        if same_files(path, args.data):
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
