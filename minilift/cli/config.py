"""The settings of a training run: every flag of train.py, its default, and the presets."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from minilift.cli import HelpFormatter
from minilift.errors import InputError
from minilift.nn.init import NAMES as INITIALISERS
from minilift.training import of_kind


def _flag(default: Any, group: str, help: str, **options: Any) -> Any:
    return field(default=default, metadata={"group": group, "help": help, **options})


def _number(
    kind: type, low: float, high: float = math.inf, open_low: bool = False, open_high: bool = False
) -> Any:
    """An argparse type: a number within bounds, with an error that names them."""

    def parse(text: str) -> Any:
        value = kind(text)
        fits = (low < value if open_low else low <= value) and (value < high if open_high else value <= high)
        if not fits or not math.isfinite(value):
            bounds = f"{'more than' if open_low else 'at least'} {low:g}"
            bounds += f" and {'less than' if open_high else 'at most'} {high:g}" if high != math.inf else ""
            raise argparse.ArgumentTypeError(f"{text} must be {bounds}")
        return value

    parse.__name__ = "number" if kind is float else "whole number"  # what argparse calls a malformed value
    return parse


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training run. The defaults are the preset `default`."""

    data: str = _flag(
        "data_train_lift.pkl", "files", "training poses: .pkl, .npz, or one of NAME_2d.npy and NAME_3d.npy"
    )
    test: str = _flag("data_test_lift.pkl", "files", "poses to watch; never used to choose weights")
    out: str = _flag(".", "files", "folder for the weights, log.csv and checkpoint.npz")
    weights: str = _flag(
        "liftModel", "files", "name of the weights file; one that ends in .safetensors gets that format"
    )
    epochs: int = _flag(26, "training", "passes over the data", type=_number(int, 1))
    batch_size: int = _flag(256, "training", "poses in a step", type=_number(int, 2))
    loss: str = _flag("mpjpe", "training", "what is minimised", choices=("mpjpe", "mse"))
    standardise: bool = _flag(
        True,
        "training",
        "let the network see data of mean 0 and deviation 1",
        action=argparse.BooleanOptionalAction,
    )
    val_fraction: float = _flag(
        0.05,
        "training",
        "share of the training poses held out to choose the best epoch",
        type=_number(float, 0.001, 0.5),
    )
    seed: int = _flag(0, "training", "same seed, same machine, same result", type=_number(int, 0, 2**32 - 1))
    device: str = _flag("auto", "training", "cpu, gpu, gpu:1 (the second), or auto: a GPU where there is one")
    tf32: bool = _flag(
        False,
        "training",
        "let a GPU multiply with 10 bits of mantissa: faster with large batches",
        action=argparse.BooleanOptionalAction,
    )
    optimiser: str = _flag("adam", "optimiser", "adam or sgd", choices=("adam", "sgd"))
    lr: float = _flag(
        2e-3,
        "optimiser",
        "learning rate; the highest one of a one-cycle",
        type=_number(float, 0, open_low=True),
    )
    betas: tuple[float, float] = _flag(
        (0.9, 0.999),
        "optimiser",
        "decay rates of Adam",
        type=_number(float, 0, 1, open_high=True),
        nargs=2,
    )
    momentum: float = _flag(0.9, "optimiser", "of SGD", type=_number(float, 0, 1, open_high=True))
    weight_decay: float = _flag(0.0, "optimiser", "L2 penalty added to the gradient", type=_number(float, 0))
    scheduler: str = _flag(
        "onecycle", "schedule", "of the learning rate; onecycle and cosine end with the run",
        choices=("onecycle", "cosine", "step", "exponential", "none"),
    )  # fmt: skip
    cycle_momentum: bool = _flag(
        True,
        "schedule",
        "let a onecycle move the first beta or the momentum too, 0.95 to 0.85 to 0.95; off if one is given",
        action=argparse.BooleanOptionalAction,
    )
    step_size: int = _flag(10, "schedule", "steps between drops of --scheduler step", type=_number(int, 1))
    gamma: float = _flag(
        0.5,
        "schedule",
        "factor of a drop (step) or of every step (exponential)",
        type=_number(float, 0, 1, open_low=True),
    )
    step_per: str = _flag(
        "epoch", "schedule", "what a step of step and exponential is", choices=("batch", "epoch")
    )
    blocks: int = _flag(2, "network", "residual blocks", type=_number(int, 0, 100))
    hidden: int = _flag(1024, "network", "width of the hidden layers", type=_number(int, 1, 65536))
    dropout: float = _flag(0.1, "network", "share of units dropped in training", type=_number(float, 0, 1))
    init: str = _flag("uniform", "network", "initial weights", choices=INITIALISERS)


PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "report": {
        "epochs": 5,
        "batch_size": 32,
        "standardise": False,
        "lr": 0.1,
        "betas": (0.5, 0.999),
        "scheduler": "step",
        "step_size": 200,
        "gamma": 0.3,
        "step_per": "batch",
        "dropout": 0.5,
    },
}

DESCRIPTION = """\
Train a 2D-to-3D human pose lifter.

Reads data_train_lift.pkl (and, to watch, data_test_lift.pkl) from the current folder; where there is none,
it makes synthetic people and keeps them there. Writes liftModel (the weights of the epoch with the lowest
validation error), log.csv and checkpoint.npz. Ctrl-C finishes the batch and saves; --resume goes on.
What an earlier run left there is kept with the ending .old.
"""

EPILOGUE = """\
presets:
  default   standardised data, one-cycle learning rate, batch 256: the best result
  report    the original course report: batch 32, lr 0.1 that StepLR(200, 0.3) cuts after every 200 batches,
            betas 0.5 0.999, dropout 0.5, 5 epochs, raw data. Its rate is gone within the first epoch.

examples:
  python train.py                          the default preset on the data of this folder
  python train.py --epochs 10 --seed 1     shorter, with other initial weights
  python train.py --preset report          what the original report did
  python train.py --resume                 go on where Ctrl-C stopped
"""


def train_parser() -> argparse.ArgumentParser:
    """The parser of train.py: one flag for each field, absent from the result unless given."""
    parser = argparse.ArgumentParser(
        "train.py", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=HelpFormatter
    )
    parser.add_argument("--preset", choices=tuple(PRESETS), help="settings to start from [default]")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.npz in the --out folder")
    groups: dict[str, Any] = {}
    for f in fields(TrainConfig):
        options = dict(f.metadata)
        name = options.pop("group")
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        options["help"] += f" [{_shown(f.default)}]"
        groups[name].add_argument("--" + f.name.replace("_", "-"), default=argparse.SUPPRESS, **options)
    return parser


def parse_train(argv: Sequence[str] | None) -> tuple[TrainConfig, dict[str, Any], bool]:
    """The settings that the command line asks for, those of them that it names, and whether to resume."""
    given = vars(train_parser().parse_args(argv))
    preset, resume = given.pop("preset"), given.pop("resume")
    if preset and resume:
        raise InputError(f"--preset {preset}: a resumed run has its settings; leave the flag out")
    if "betas" in given:
        given["betas"] = tuple(given["betas"])
    if {"betas", "momentum"} & given.keys():
        given.setdefault("cycle_momentum", False)
    return TrainConfig(**{**PRESETS[preset or "default"], **given}), given, resume


# What a resumed run may change: where things are, and how long it goes on
MAY_CHANGE = ("data", "test", "out", "device", "tf32", "epochs")


def resumed(settings: Any, given: dict[str, Any]) -> TrainConfig:
    """The settings of an interrupted run, with those of the command line that may change.

    Raises InputError for a flag that would make it another run, and for a file that no run has written.
    """
    try:
        found = {"tf32": False, **settings["config"], "betas": tuple(settings["config"]["betas"])}
        for f in fields(TrainConfig):
            _check_value(f, found[f.name])
        config = TrainConfig(**found)
    except (TypeError, KeyError, ValueError, argparse.ArgumentTypeError) as problem:
        raise InputError(
            f"checkpoint.npz: its settings are not of this version ({problem}); start anew"
        ) from None
    for name, value in given.items():
        if name not in MAY_CHANGE and value != getattr(config, name):
            flag = "--" + name.replace("_", "-")
            raise InputError(
                f"{flag} {_shown(value)}: the run to resume has {_shown(getattr(config, name))}; "
                f"leave the flag out, or start anew without --resume"
            )
    changed = {name: value for name, value in given.items() if name in MAY_CHANGE}
    # The folder is the one that the checkpoint was found in, wherever the run began
    return replace(config, **{"out": TrainConfig.out, **changed})


def _check_value(f: Field[Any], value: Any) -> None:
    """What argparse would say to a value, for one that comes out of a file."""
    if not of_kind(value, f.default) or value not in f.metadata.get("choices", (value,)):
        raise ValueError(f"{_name(f)} is {value!r}")
    for part in value if isinstance(value, tuple) else (value,):
        f.metadata.get("type", str)(str(part))


# Settings that act only with certain values of another one
ONLY_WITH = {
    "betas": ("optimiser", ("adam",)),
    "momentum": ("optimiser", ("sgd",)),
    "cycle_momentum": ("scheduler", ("onecycle",)),
    "step_size": ("scheduler", ("step",)),
    "gamma": ("scheduler", ("step", "exponential")),
    "step_per": ("scheduler", ("step", "exponential")),
}


def describe(config: TrainConfig) -> str:
    """The settings that act, in a few lines, by group."""
    groups: dict[str, list[str]] = {}
    for f in fields(config):
        other, values = ONLY_WITH.get(f.name, (f.name, (getattr(config, f.name),)))
        if getattr(config, other) in values and (f.name != "tf32" or config.tf32):
            groups.setdefault(f.metadata["group"], []).append(f"{_name(f)} {_acting(config, f)}")
    return "\n".join(f"  {name:10s} {', '.join(items)}" for name, items in groups.items() if name != "files")


def _acting(config: TrainConfig, f: Field[Any]) -> str:
    cycled = config.scheduler == "onecycle" and config.cycle_momentum
    if cycled and f.name in ("betas", "momentum"):
        return f"cycled {config.betas[1]:g}" if f.name == "betas" else "cycled"
    return _shown(getattr(config, f.name))


def _name(f: Field[Any]) -> str:
    return f.name.replace("_", " ")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else str(value)
