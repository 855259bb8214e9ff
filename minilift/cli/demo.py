"""`minilift demo`: from nothing to a trained lifter, its error and a picture, in a minute or so."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minilift.cli.parser import Parser, number
from minilift.errors import run_program
from minilift.evaluation import Report, evaluate_lifter, fit_baselines
from minilift.evaluation.baselines import NAMES
from minilift.extras import installed, missing
from minilift.files import check_writable, file_error, only_one, write_atomically
from minilift.lift.build import build_model, build_trainer, split_data
from minilift.lift.lifter import Lifter
from minilift.lift.settings import TrainSettings
from minilift.lift.trust import trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.poses.people.synth import synthesize
from minilift.poses.poses import Poses, save_poses, save_scale, scale_name, split_poses
from minilift.show.people.sheets import error_labels, plot_lift
from minilift.show.people.sketch import sketch_lift

PROGRAM = "minilift demo"
MARK = "demo.txt"  # what tells the folder of an earlier demo from others
DRAWN = {"one of the best": 0.05, "the median": 0.5, "one of the worst": 0.98}  # ranks of the errors

DESCRIPTION = """\
See a lifter learn, in a minute or so and without any data.

Makes synthetic people, lifts them with the starting weights, trains a small network on nothing but such
people, compares its error with theirs and with that of simpler predictors on people that it has not seen, and
draws some of them. Everything goes into one folder, where minilift eval and minilift predict find the small
network and the poses; for keypoints of your own the starting weights are the ones to take.
"""

EXAMPLES = """\
examples:
  minilift demo
  minilift demo --out /tmp/demo --seed 1
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(PROGRAM, _demo, argv)


def _parser() -> Parser:
    parser = Parser(PROGRAM, DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "--out", default="minilift-demo", metavar="DIR", help="folder to write to [minilift-demo]"
    )
    parser.add_argument("--device", default="auto", help="cpu, gpu, gpu:1 or auto [auto]")
    parser.add_argument(
        "--seed", type=number(int, 0, 2**32 - 1), default=0, help="other people and weights [0]"
    )
    parser.add_argument(
        "--people", type=number(int, 5000, 10**6), default=50_000, metavar="N", further=True,
        help="how many people; a tenth of them is kept for the test [50000]",
    )  # fmt: skip
    parser.add_argument(
        "--epochs", type=number(int, 1), default=12, further=True, help="passes over the people [12]"
    )
    parser.add_argument(
        "--hidden", type=number(int, 1, 65536), default=256, further=True, help="width of the network [256]"
    )
    return parser


def _demo(argv: Sequence[str] | None) -> int:
    args, began = _parser().parse_args(argv), time.monotonic()
    out = Path(args.out)
    _check_folder(out)
    settings = TrainSettings(
        epochs=args.epochs, hidden=args.hidden, seed=args.seed, device=args.device, lr=8e-3, out=args.out
    )
    model = build_model(settings)
    with only_one(out):
        _write_text(out / MARK, "An unfinished minilift demo.\n")
        people, test = _people(args, out)
        starting = evaluate_lifter(Lifter.load(device=args.device), test).figures["mpjpe_mm"]
        off = f"are {starting:.1f} mm off on {len(test):,} of them"
        print(f"the starting weights, which come with minilift, {off}")
        print(f"training a small lifter on {len(people):,} of them; {len(test):,} are kept for the test")
        training = build_trainer(settings, model, people, None, out)
        trainer = training.trainer
        if not training.fit():
            print("\nstopped; run minilift demo again to start over")
            return 128 + trainer.signal
        lifter = Lifter.load(trainer.weights_path)
        fit_trust(lifter, *split_data(people, settings), args.seed).save(trust_path(trainer.weights_path))
        report = evaluate_lifter(lifter, test, baselines=fit_baselines(people))
        told = _told(report, starting)
        print(f"\n{told}\n")
        picture = _draw(out, report)
        _write_text(out / MARK, told + "\n")
    print(f"done in {time.monotonic() - began:.0f} s; the picture is {picture}")
    if picture.suffix == ".svg":
        print(f"(any browser shows it; {missing('matplotlib', 'a .png with more views')})")
    print(_next(out))
    return 0


def _check_folder(out: Path) -> None:
    """Raise InputError unless the folder can be written and holds nothing but an earlier demo."""
    check_writable(out)
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise file_error(out, "holds other files; choose a new folder with --out")


def _people(args: argparse.Namespace, out: Path) -> tuple[Poses, Poses]:
    """Synthetic people to train on and to test with, kept where the other commands look for them."""
    from tqdm import tqdm

    print(f"making {args.people:,} synthetic people")
    with tqdm(total=args.people, unit="people", delay=1, leave=False, disable=None) as bar:
        made = synthesize(args.people, args.seed, bar.update)
    people, test = split_poses(Poses(made.joint_2d, made.joint_3d, made.scale), 0.9, args.seed)
    for poses, name in ((people, TrainSettings.data), (test, TrainSettings.test)):
        assert poses.scale is not None
        save_poses(out / name, poses)
        save_scale(scale_name(out / name), poses.scale)
    return people, test


def _told(report: Report, starting: float) -> str:
    """A table of errors in mm: those of simpler predictors, of the starting weights and of the lifter."""
    simpler = sorted(report.figures["baselines_mm"].items(), key=lambda row: -row[1])
    rows = [(NAMES[name], error) for name, error in simpler]
    rows += [("the starting weights", starting), ("this lifter", report.figures["mpjpe_mm"])]
    lines = [
        f"mean distance of a joint from the truth, on {len(report.poses):,} people that it has not seen:"
    ]
    return "\n".join(lines + [f"  {name:26} {error:6.1f} mm" for name, error in rows])


def _draw(out: Path, report: Report) -> Path:
    """Draw three people, by the rank of their error: a .png with matplotlib, without it an .svg."""
    assert report.mm is not None
    order = np.argsort(report.mm, kind="stable")
    rows = order[[int(share * (len(order) - 1)) for share in DRAWN.values()]]
    people = report.poses.read(rows)
    labels = error_labels(tuple(DRAWN), report.each[rows], people.scale)
    shown = np.asarray(people.joint_2d), report.lifted(rows), np.asarray(people.joint_3d)
    if installed("matplotlib"):
        picture = out / "minilift-demo.png"
        plot_lift(*shown, picture, labels)
    else:
        picture = out / "minilift-demo.svg"
        sketch_lift(*shown, picture, labels)
    return picture


def _next(out: Path) -> str:
    return f"""
next:  cd {shlex.quote(str(out))}
       minilift eval                                       every figure: by joint, axis, percentile
       minilift predict data_test_lift.pkl -o joints.npz   3D joints for a file of keypoints
       minilift help train                                 train a lifter on your own poses"""


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))
