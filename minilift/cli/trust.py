"""minilift trust: learn when to trust weights that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minilift.cli.parser import Parser
from minilift.cli.settings import add_setting
from minilift.errors import InputError, run_program
from minilift.files import keep_old, only_one, read_bytes, write_atomically
from minilift.lift.lifter import Lifter
from minilift.lift.settings import TrainSettings
from minilift.lift.starting import STARTING, USUAL, starting_weights
from minilift.lift.trust import TrustModel, trust_path
from minilift.lift.trust.fit import fit_trust
from minilift.poses.poses import load_poses
from minilift.train.batches import hold_out

NAME = "minilift trust"
DESCRIPTION = """\
Learn when to trust a trained lifter, and keep it with the weights, in
liftModel.trust.npz. Training does so by itself at its end; this is for weights
that are there already.

The poses must be those that the weights were trained on, and
--seed and --val-fraction those of the training, so that the same poses are held out: errors
on poses that the network knows by heart are too small. From then on
Lifter.load("liftModel").trust(joint_2d) answers, and minilift eval has a block on
it. docs/trust.md explains it. Of the weights called starting, a copy is made in
this folder, for them to go with.
"""
EXAMPLES = """\
examples:
  minilift trust                 for liftModel, trained on data_train_lift.pkl
  minilift trust --weights old/liftModel --data poses.npz --seed 1
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(NAME, _trust, argv)


def _trust(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    weights = USUAL if args.weights == STARTING else args.weights
    if args.weights == STARTING and Path(weights).exists():
        problem = f"would be copied here as {weights}, which exists"
        raise InputError(f"--weights {STARTING}: {problem}; do it in another folder")
    path = trust_path(weights)
    lifter, poses = Lifter.load(args.weights, device=args.device), load_poses(args.data, need_3d=True)
    rows, held_out = hold_out(len(poses), args.val_fraction, args.seed)
    found = fit_trust(lifter, poses.take(rows), poses.take(held_out), args.seed)
    with only_one(path.parent):
        if args.weights == STARTING:
            content = read_bytes(starting_weights())
            write_atomically(weights, lambda file: file.write(content))
            print(f"wrote {weights}: a copy of the starting weights")
        keep_trust(found, path)
    print(f"wrote {path}, from {len(held_out):,} poses held out of {args.data}")
    return 0


def keep_trust(found: TrustModel, path: Path) -> None:
    """Write what was learned; what an earlier run left there is kept with the ending .old, .old2, ..."""
    if path.exists():
        print(f"the {path.name} of an earlier run is kept as {keep_old(path).name}")
    found.save(path)


def _parser() -> Parser:
    parser = Parser(NAME, DESCRIPTION, EXAMPLES)
    told = {
        "weights": "weights file", "data": "poses that they were trained on",
        "val_fraction": "share that was held out in the training", "seed": "the seed of that training",
        "device": "cpu, gpu, gpu:1 (the second), auto",
    }  # fmt: skip
    for name, help in told.items():
        add_setting(parser, name, help, default=getattr(TrainSettings, name))
    return parser
