"""The evaluation command: how far a lifter's joints lie from the true ones."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from minilift.cli import HelpFormatter
from minilift.data.formats import files_of
from minilift.data.info import warn_of_conventions
from minilift.data.poses import Poses, find_scale, load_poses, load_scale, scale_fits
from minilift.errors import InputError, run_program
from minilift.files import check_writable, write_atomically
from minilift.files.mapped import Spool, shown
from minilift.files.npz import write_npz
from minilift.lifter import Lifter
from minilift.pose.metrics import cal_mpjpe, pa_mpjpe, per_joint_error
from minilift.pose.skeleton import JOINTS

DESCRIPTION = """\
Measure a trained lifter on test poses.

Reads liftModel and data_test_lift.pkl from the current folder. The network is rebuilt from the shapes of
the weights, which may come from train.py or from torch.save(model.state_dict(), ...). Prints the average
MPJPE (mean per-joint position error), the average loss, the error of every joint, and PA-MPJPE (what is left
of the error after the best rotation, scale and shift). The unit is the camera's distance to the root; with
metres per unit, from --scale or from data_test_scale.npy beside the poses, millimetres are printed too.
"""

EPILOGUE = """\
examples:
  python eval.py                                  liftModel on data_test_lift.pkl
  python eval.py --data mine.npz --scale mine.npy   other poses, and millimetres
  python eval.py --json | jq .mpjpe               for machines
  python eval.py --save predictions.npz           keep joint_3d as predicted
  python eval.py --plot lift.png                  see three of them
"""


def main(argv: Sequence[str] | None = None) -> int:
    return run_program("eval.py", _evaluate, argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "eval.py", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=HelpFormatter
    )
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
        "--loss", choices=("mpjpe", "mse"), default="mpjpe", help="the loss to average [mpjpe]"
    )
    parser.add_argument("--device", default="auto", help="cpu, gpu or auto [auto]")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--save", metavar="FILE.npz", help="write the predicted joints as joint_3d (N, 15, 3)"
    )
    parser.add_argument(
        "--plot", metavar="FILE", help="draw an easy, a middling and a hard pose to a .png or .svg"
    )
    return parser


def _evaluate(argv: Sequence[str] | None) -> int:
    args = _parser().parse_args(argv)
    _check_outputs(args)
    lifter = Lifter.load(args.weights, device=args.device)
    poses, scale_path = _poses(args)
    warn_of_conventions(args.data, poses)
    predicted = Spool(Path(args.save).parent, (len(JOINTS), 3)) if args.save else None
    measured, errors = [], []
    for rows in shown(poses.joint_2d, "predicting"):
        part = poses.read(rows)
        joint_3d = lifter.predict(part.joint_2d)
        if not np.isfinite(joint_3d).all():
            problem = "its predictions are too large or undefined"
            raise InputError(f"{args.weights}: {problem}; train again, with a lower --lr")
        measured.append(measure(joint_3d, part, args.loss))
        if args.plot:
            errors.append(cal_mpjpe(joint_3d, np.asarray(part.joint_3d), avg=False))
        if predicted is not None:
            predicted.append(joint_3d)
    result = {"weights": args.weights, "data": args.data, **together(measured)}
    if predicted is not None:
        arrays = {"joint_3d": predicted.rows()}
        write_atomically(args.save, lambda file: write_npz(file, arrays))
    if args.plot:
        plot(lifter, poses, np.concatenate(errors), args.plot)
    if args.json:
        print(json.dumps(result, allow_nan=False))
        return 0
    print(f"{args.weights} on {args.data}: {len(poses):,} poses, on the {lifter.model.ops.device}")
    if poses.ignored:
        print(f"ignored keys: {', '.join(poses.ignored)}")
    if poses.scale is not None:
        print(f"metres per unit from {scale_path}")
    print(table(result))
    for path in filter(None, (args.save, args.plot)):
        print(f"wrote {path}")
    return 0


def _check_outputs(args: argparse.Namespace) -> None:
    """Refuse to write over what is read, before anything is read."""
    names = (args.weights, *files_of(args.data), args.scale)
    inputs = [Path(name).resolve() for name in names if name]
    for flag, name in (("--save", args.save), ("--plot", args.plot)):
        if name and Path(name).resolve() in inputs:
            raise InputError(f"{flag} {name}: would overwrite what is read; choose another name")
        if name:
            check_writable(Path(name).parent)


def _poses(args: argparse.Namespace) -> tuple[Poses, Path | str | None]:
    """The poses with their scale: the one asked for, or the one beside them if it can be theirs."""
    if args.scale:
        return load_poses(args.data, need_3d=True, scale=args.scale), args.scale
    poses, beside = load_poses(args.data, need_3d=True), find_scale(args.data)
    if beside is None or poses.joint_3d is None:
        return poses, None
    try:
        scale = load_scale(beside, len(poses))
        problem = (
            "" if scale_fits(poses.joint_3d, scale) else f"{beside}: legs would differ too much in length"
        )
    except InputError as error:
        problem = str(error)
    if problem:
        print(f"warning: no millimetres, for the scale is of other poses ({problem})", file=sys.stderr)
        return poses, None
    return replace(poses, scale=scale), beside


def measure(predicted: np.ndarray, poses: Poses, loss: str = "mpjpe") -> dict[str, Any]:
    """Every figure of the report; in units of root depth, and in millimetres where the scale is known."""
    truth = np.asarray(poses.joint_3d)
    flat = np.concatenate([np.asarray(poses.joint_2d), np.full_like(truth[..., :1], -1)], axis=-1)
    aligned = pa_mpjpe(predicted, truth, avg=False)
    result = {"poses": len(poses), **_errors(predicted, truth, flat), "pa_mpjpe": float(np.mean(aligned))}
    squared = float(np.square(predicted.astype(np.float64) - truth).mean())
    result |= {"loss_name": loss, "loss": squared if loss == "mse" else result["mpjpe"]}
    if poses.scale is not None:
        millimetres = 1000 * poses.scale.astype(np.float64)
        in_mm = _errors(*(points * millimetres[:, None, None] for points in (predicted, truth, flat)))
        result |= {f"{name}_mm": value for name, value in in_mm.items()}
        result["pa_mpjpe_mm"] = float(np.mean(aligned * millimetres))
    return result


def _errors(predicted: np.ndarray, truth: np.ndarray, flat: np.ndarray) -> dict[str, Any]:
    """What is measured in the unit of the poses (N, 15, 3), whichever that is."""
    return {
        "mpjpe": cal_mpjpe(predicted, truth),
        "flat_mpjpe": cal_mpjpe(flat, truth),
        "per_joint": dict(zip(JOINTS, per_joint_error(predicted, truth).tolist(), strict=True)),
    }


def together(measured: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of all poses from those of their parts: each pose counts as much as any other."""
    n = sum(part["poses"] for part in measured)

    def mean(key: str, values: list[Any]) -> Any:
        if key == "loss_name":
            return values[0]
        if isinstance(values[0], dict):
            return {name: mean(name, [value[name] for value in values]) for name in values[0]}
        return sum(value * (part["poses"] / n) for value, part in zip(values, measured, strict=True))

    return {key: mean(key, [part[key] for part in measured]) for key in measured[0]} | {"poses": n}


def plot(lifter: Lifter, poses: Poses, errors: np.ndarray, path: str) -> None:
    """Draw an easy, a middling and a hard pose: a tenth, a half and nine tenths of the way to the worst."""
    from minilift.pose.plot import plot_lift

    order = np.argsort(errors)
    drawn = poses.read(order[[int(share * (len(order) - 1)) for share in (0.1, 0.5, 0.9)]])
    joint_2d, joint_3d = np.asarray(drawn.joint_2d), np.asarray(drawn.joint_3d)
    plot_lift(joint_2d, lifter.predict(joint_2d), joint_3d, path)


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    in_mm = "mpjpe_mm" in result
    rows = [
        ("average MPJPE", result["mpjpe"], result.get("mpjpe_mm")),
        (f"average loss ({result['loss_name']})", result["loss"], None),
        ("PA-MPJPE", result["pa_mpjpe"], result.get("pa_mpjpe_mm")),
        ("for comparison, a flat pose", result["flat_mpjpe"], result.get("flat_mpjpe_mm")),
    ]
    joints = [
        (f"  {name}", value, result.get("per_joint_mm", {}).get(name))
        for name, value in result["per_joint"].items()
    ]

    def line(name: str, value: float, mm: float | None) -> str:
        return f"{name:28s} {value:9.5f}" + (f" {mm:9.1f}" if mm is not None else "")

    head = f"\n{'':28s} {'units':>9s}" + (f" {'mm':>9s}" if in_mm else "")
    return "\n".join([head, *(line(*row) for row in rows), "per joint", *(line(*row) for row in joints)])
