"""The command that learns when to trust weights that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minilift.cli.config import TrainConfig
from minilift.cli.parser import Parser
from minilift.errors import InputError, run_program
from minilift.files import keep_old, only_one
from minilift.lift.lifter import Lifter
from minilift.lift.trust import TrustModel, trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.poses.poses import load_poses
from minilift.train.epoch import hold_out

NAME = "minilift trust"
DESCRIPTION = """\
Learn when to trust a trained lifter, and keep it beside the weights: liftModel.trust.npz.

train.py does so by itself at the end of a run; this is for weights that are there already. The poses must be
those that the weights were trained on, and --seed and --val-fraction those of the run, so that the poses held
out are held out here, too: errors on poses that the network has learned by heart are too small. From then on
Lifter.load("liftModel").trust(joint_2d) answers, and eval.py has a block on it. docs/trust.md explains it.
"""
EPILOGUE = """\
examples:
  minilift trust                            liftModel, trained on data_train_lift.pkl
  minilift trust --weights old/liftModel --data poses.npz --seed 1
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(NAME, _trust, argv)


def _trust(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    if not 0 < args.val_fraction <= 0.5 or args.seed < 0:
        problem = f"--val-fraction {args.val_fraction:g} --seed {args.seed}"
        raise InputError(
            f"{problem}: give more than 0 and up to 0.5, and 0 or more; those of the training run"
        )
    path = trust_path(args.weights)
    lifter, poses = Lifter.load(args.weights, device=args.device), load_poses(args.data, need_3d=True)
    rows, held_out = hold_out(len(poses), args.val_fraction, args.seed)
    found = fit_trust(lifter, poses.take(rows), poses.take(held_out), args.seed)
    with only_one(path.parent):
        keep_trust(found, path)
    print(f"wrote {path}, from {len(held_out):,} poses held out of {args.data}")
    return 0


def keep_trust(found: TrustModel, path: Path) -> None:
    """Write what was learned; what an earlier run left there is kept with the ending .old."""
    if path.exists():
        keep_old(path)
        print(f"the {path.name} of an earlier run is kept as {path.name}.old")
    found.save(path)


def _parser() -> Parser:
    parser = Parser(NAME, DESCRIPTION, EPILOGUE)
    standard = TrainConfig()
    parser.add_argument("--weights", default=standard.weights, help=f"weights file [{standard.weights}]")
    parser.add_argument(
        "--data", default=standard.data, help=f"poses that they were trained on [{standard.data}]"
    )
    parser.add_argument(
        "--val-fraction", type=float, default=standard.val_fraction,
        help=f"share that was held out in the training [{standard.val_fraction:g}]",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=standard.seed, help=f"of the training [{standard.seed}]")
    parser.add_argument("--device", default="auto", help="cpu, gpu, gpu:1 or auto [auto]")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
