"""The settings of a training run: every flag of train.py, its default, and the presets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any

from minilift.cli.parser import Parser, number
from minilift.cli.presets import DESCRIPTION, EPILOGUE, PRESETS
from minilift.errors import InputError
from minilift.lift.model import HEADS
from minilift.nn.init import NAMES as INITIALISERS


def _flag(default: Any, group: str, help: str, **options: Any) -> Any:
    return field(default=default, metadata={"group": group, "help": help, **options})


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
    plot: str = _flag(
        "", "files", "draw charts of the run into this .png, .svg or .pdf, anew after each epoch"
    )
    tensorboard: str = _flag(
        "", "files", "write event files for TensorBoard into this folder, after each epoch", metavar="DIR"
    )
    epochs: int = _flag(56, "training", "passes over the data", type=number(int, 1))
    batch_size: int = _flag(256, "training", "poses in a step", type=number(int, 2))
    loss: str = _flag("mpjpe", "training", "what is minimised", choices=("mpjpe", "mse"))
    standardise: bool = _flag(
        True,
        "training",
        "let the network see data of mean 0 and deviation 1",
        action=argparse.BooleanOptionalAction,
    )
    synthetic: float = _flag(
        0.0,
        "training",
        "add synthetic people to train on, so many for each pose of the data; half of them move freely",
        type=number(float, 0, 100),
    )
    poses: int = _flag(
        0,
        "training",
        "train on so many of the poses, evenly picked; 0 for all",
        type=number(int, 0),
        metavar="N",
    )
    val_fraction: float = _flag(
        0.05,
        "training",
        "share of the training poses held out to choose the best epoch",
        type=number(float, 0.001, 0.5),
    )
    patience: int = _flag(
        0, "training", "stop after so many epochs without a better validation MPJPE, 0 for never; with a "
        "schedule that ends with the run (onecycle, cosine, warmup) that is before its rate has fallen",
        type=number(int, 0), metavar="EPOCHS",
    )  # fmt: skip
    min_delta: float = _flag(
        0.0, "training", "with --patience: units by which it must be better to count", type=number(float, 0)
    )
    seed: int = _flag(0, "training", "same seed, same machine, same result", type=number(int, 0, 2**32 - 1))
    device: str = _flag("auto", "training", "cpu, gpu, gpu:1 (the second), or auto: a GPU where there is one")
    tf32: bool = _flag(
        False,
        "training",
        "let a GPU multiply with 10 bits of mantissa: faster with large batches",
        action=argparse.BooleanOptionalAction,
    )
    optimiser: str = _flag("adam", "optimiser", "adam, adamw or sgd", choices=("adam", "adamw", "sgd"))
    lr: float = _flag(
        6e-3,
        "optimiser",
        "learning rate; the highest one of a one-cycle",
        type=number(float, 0, open_low=True),
    )
    betas: tuple[float, float] = _flag(
        (0.9, 0.999),
        "optimiser",
        "decay rates of Adam",
        type=number(float, 0, 1, open_high=True),
        nargs=2,
    )
    momentum: float = _flag(0.9, "optimiser", "of SGD", type=number(float, 0, 1, open_high=True))
    weight_decay: float = _flag(
        0.0, "optimiser", "added to the gradient (L2); of adamw, a step of its own", type=number(float, 0)
    )
    clip: float = _flag(
        0.0, "optimiser", "scale gradients of a larger norm down to this; 0 for never", type=number(float, 0)
    )
    scheduler: str = _flag(
        "onecycle", "schedule", "of the learning rate; onecycle, cosine and warmup end with the run",
        choices=("onecycle", "cosine", "warmup", "step", "exponential", "none"),
    )  # fmt: skip
    warm_up: float = _flag(
        0.05,
        "schedule",
        "share of the steps in which --scheduler warmup rises, before half a cosine",
        type=number(float, 0, 1),
    )
    cycle_momentum: bool = _flag(
        True,
        "schedule",
        "let a onecycle move the first beta or the momentum too, 0.95 to 0.85 to 0.95; off if one is given",
        action=argparse.BooleanOptionalAction,
    )
    step_size: int = _flag(10, "schedule", "steps between drops of --scheduler step", type=number(int, 1))
    gamma: float = _flag(
        0.5,
        "schedule",
        "factor of a drop (step) or of every step (exponential)",
        type=number(float, 0, 1, open_low=True),
    )
    step_per: str = _flag(
        "epoch", "schedule", "what a step of step and exponential is", choices=("batch", "epoch")
    )
    blocks: int = _flag(2, "network", "residual blocks", type=number(int, 0, 100))
    flip: float = _flag(0.5, "augmentation", "share of the poses that is mirrored", type=number(float, 0, 1))
    noise: float = _flag(
        0.0, "augmentation", "standard deviation added to 2D points (0.001: one pixel at f = 1000)",
        type=number(float, 0),
    )  # fmt: skip
    yaw: float = _flag(
        0.0, "augmentation", "turn the camera around the person by up to so many degrees",
        type=number(float, 0, 180),
    )  # fmt: skip
    tilt: float = _flag(
        0.0, "augmentation", "and raise or lower it by up to so many", type=number(float, 0, 90)
    )
    distance: float = _flag(
        0.0, "augmentation", "move it by a factor of up to exp of this", type=number(float, 0, 1)
    )
    body: float = _flag(
        0.0, "augmentation", "share of the poses with bones of other lengths", type=number(float, 0, 1)
    )
    mix: float = _flag(0.0, "augmentation", "share with limbs of other poses", type=number(float, 0, 1))
    joint_dropout: float = _flag(
        0.0, "augmentation", "share of the keypoints hidden, for 2D poses that lack some (--head xyz only)",
        type=number(float, 0, 1), metavar="SHARE",
    )  # fmt: skip
    head: str = _flag(
        "xyz", "network", "xyz: 45 outputs, as in the assignment; ray: 15 depths, on rays through the image",
        choices=HEADS,
    )  # fmt: skip
    hidden: int = _flag(1024, "network", "width of the hidden layers", type=number(int, 1, 65536))
    dropout: float = _flag(0.0, "network", "share of units dropped in training", type=number(float, 0, 1))
    init: str = _flag("uniform", "network", "initial weights", choices=INITIALISERS)

    def __post_init__(self) -> None:
        if self.min_delta and not self.patience:
            raise InputError(f"--min-delta {self.min_delta:g}: is for --patience; give that, or leave it out")
        if self.joint_dropout and self.head == "ray":
            raise InputError(
                f"--joint-dropout {self.joint_dropout:g}: a hidden joint has no ray for --head ray to put it "
                "on; add --head xyz"
            )


def train_parser() -> Parser:
    """The parser of train.py: one flag for each field, absent from the result unless given."""
    parser = Parser("minilift train", DESCRIPTION, EPILOGUE)
    parser.add_argument("--preset", choices=tuple(PRESETS), help="settings to start from [default]")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.npz in the --out folder")
    groups: dict[str, Any] = {}
    for f in fields(TrainConfig):
        options = dict(f.metadata)
        name = options.pop("group")
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        options["help"] += f" [{shown(f.default)}]"
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


# Settings that act only with certain values of another one
ONLY_WITH = {
    "betas": ("optimiser", ("adam", "adamw")),
    "momentum": ("optimiser", ("sgd",)),
    "cycle_momentum": ("scheduler", ("onecycle",)),
    "warm_up": ("scheduler", ("warmup",)),
    "step_size": ("scheduler", ("step",)),
    "gamma": ("scheduler", ("step", "exponential")),
    "step_per": ("scheduler", ("step", "exponential")),
}


def describe(config: TrainConfig) -> str:
    """The settings that act, in a few lines, by group."""
    groups: dict[str, list[str]] = {}
    for f in fields(config):
        other, values = ONLY_WITH.get(f.name, (f.name, (getattr(config, f.name),)))
        silent = not getattr(config, f.name) and (
            f.name in ("tf32", "clip", "synthetic", "poses", "patience", "min_delta")
            or f.metadata["group"] == "augmentation"
        )
        if getattr(config, other) in values and not silent:
            groups.setdefault(f.metadata["group"], []).append(f"{name_of(f)} {_acting(config, f)}")
    return "\n".join(f"  {name:10s} {', '.join(items)}" for name, items in groups.items() if name != "files")


def _acting(config: TrainConfig, f: Field[Any]) -> str:
    cycled = config.scheduler == "onecycle" and config.cycle_momentum
    if cycled and f.name in ("betas", "momentum"):
        return f"cycled {config.betas[1]:g}" if f.name == "betas" else "cycled"
    return shown(getattr(config, f.name))


def name_of(f: Field[Any]) -> str:
    return f.name.replace("_", " ")


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else str(value) or "none"
