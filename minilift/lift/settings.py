"""The settings of a training run: one description of each, from which everything else about them is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from minilift.errors import shown
from minilift.lift.model import HEADS
from minilift.lift.setting import WEAK, Setting, augmenting, came, check_together, described, of_files
from minilift.lift.weights.starting import STARTING
from minilift.nn.init import NAMES as INITIALISERS

# Of the settings in a checkpoint. To add a setting, raise it, and give the setting `since=VERSION` and, in
# `before`, what runs had until then. Version 0 is that of checkpoints which do not say theirs.
VERSION = 7

LOSSES, ADAMS, NORMS = ("mpjpe", "mse", "relative"), ("adam", "adamw"), ("batch", "none")
ENDING, DROPPING = ("onecycle", "cosine", "warmup"), ("step", "exponential")


@dataclass(frozen=True)
class TrainSettings:
    """Settings of one training run. The defaults are the preset `same-people`.

    Raises ArgumentError for a value out of bounds, and for settings that contradict each other.
    """

    data: str = of_files("data_train_lift.pkl", "training poses", resumable=True, basic=True, metavar="FILE")
    test: str = of_files(
        "data_test_lift.pkl", "poses to measure after each epoch", resumable=True, basic=True, metavar="FILE"
    )
    out: str = of_files(
        ".", "folder for weights, log.csv, checkpoint.npz", resumable=True, basic=True, metavar="DIR"
    )
    weights: str = of_files(
        "liftModel", "name of the weights file; .safetensors at its end gives that format", metavar="NAME"
    )
    plot: str = of_files(
        "", "draw charts of the run: .png, .svg or .pdf", since=1, resumable=True, basic=True, metavar="FILE"
    )
    tensorboard: str = of_files(
        "", "write event files for TensorBoard here, after each epoch", since=1, resumable=True, metavar="DIR"
    )
    checkpoint_every: str = of_files(
        "30s", "time between checkpoints: 30s, 5m, 1h; or 1epoch", since=7, resumable=True, metavar="TIME"
    )

    epochs: int = described(56, "training", "passes over the data", low=1, resumable=True, basic=True)
    batch_size: int = described(256, "training", "poses in a step", low=2, basic=True)
    loss: str = described("mpjpe", "training", "relative: by each person's size", choices=LOSSES)
    weak: str = described(
        "none", "training", "learn without 3D, by the preset of that name",
        choices=WEAK, neutral="none", since=5, before="none", basic=True,
    )  # fmt: skip
    labelled: float = came(
        5, 0.0, "training",
        "share of the poses whose 3D is learned from, too, where others are learned without; with weak none "
        "the only ones; 0 for none, or all", low=0, high=1, metavar="SHARE",
    )  # fmt: skip
    divided: str = described(
        "find", "training", "whether 2D points of two views are divided by the focal lengths already",
        choices=("find", "yes", "no"), acts_with=("weak", ("two-view",)), since=5, before="find",
    )  # fmt: skip
    mean_elevation: str = described(
        "find", "training", "degrees that cameras of one view look down on average, or find: without labels",
        acts_with=("weak", ("one-view",)), since=5, before="find", metavar="DEG",
    )  # fmt: skip
    standardise: bool = described(
        True, "training", "scale what the network sees to mean 0 and standard deviation 1"
    )
    synthetic: float = came(
        1, 0.0, "training", "synthetic people to add, per pose of the data; half of them move freely",
        low=0, high=100,
    )  # fmt: skip
    poses: int = came(
        1, 0, "training", "train on this number of poses, evenly picked; 0 for all", low=0, metavar="N"
    )
    val_fraction: float = described(
        0.05, "training", "share of the training poses held out to choose the best epoch", low=0.001, high=0.5
    )
    patience: int = described(
        0, "training",
        "stop after this number of epochs without a better validation MPJPE, 0 for never; with a schedule "
        "that ends with the run (onecycle, cosine, warmup) that is before its rate has fallen",
        low=0, neutral=0, since=1, before=0, resumable=True, metavar="EPOCHS",
    )  # fmt: skip
    min_delta: float = described(
        0.0, "training", "with patience: units by which it must be better to count",
        low=0, neutral=0.0, since=1, before=0.0, resumable=True,
    )  # fmt: skip
    seed: int = described(
        0, "training", "random seed: the same one, the same result", low=0, high=2**32 - 1, basic=True
    )
    device: str = described(
        "auto", "training", "cpu, gpu, gpu:1 (the second), auto", resumable=True, result=False, basic=True
    )
    tf32: bool = came(
        1, False, "training", "let a GPU multiply with 10 bits of mantissa: faster with large batches",
        resumable=True,
    )  # fmt: skip
    sync_batchnorm: bool = came(
        6, True, "training", "of several processes: let BatchNorm see all rows of a batch", resumable=True
    )
    optimiser: str = described(
        "adam", "optimiser", "how gradients move the weights", choices=("adam", "adamw", "sgd")
    )
    lr: float = described(
        6e-3, "optimiser", "learning rate; a one-cycle's highest", low=0, open_low=True, basic=True
    )
    betas: tuple[float, float] = described(
        (0.9, 0.999), "optimiser", "decay rates of Adam's two averages",
        low=0, high=1, open_high=True, acts_with=("optimiser", ADAMS),
    )  # fmt: skip
    momentum: float = described(
        0.9, "optimiser", "momentum of SGD", low=0, high=1, open_high=True, acts_with=("optimiser", ("sgd",))
    )
    weight_decay: float = described(
        0.0, "optimiser", "L2 added to gradients; adamw: a step of its own", low=0
    )
    clip: float = came(
        1, 0.0, "optimiser", "scale gradients of a larger norm down to this; 0 for never", low=0
    )

    scheduler: str = described(
        "onecycle", "schedule", "learning-rate schedule; onecycle, cosine and warmup end with the run",
        choices=(*ENDING, *DROPPING, "none"),
    )  # fmt: skip
    warm_up: float = described(
        0.05, "schedule", "share of the steps in which a warmup schedule rises, before half a cosine",
        low=0, high=1, acts_with=("scheduler", ("warmup",)), since=1, before=0.05,
    )  # fmt: skip
    cycle_momentum: bool = described(
        True, "schedule",
        "let a onecycle move the first beta or the momentum too, 0.95 to 0.85 to 0.95; off if one is given",
        acts_with=("scheduler", ("onecycle",)),
    )  # fmt: skip
    step_size: int = described(
        10, "schedule", "batches or epochs between drops of a step schedule",
        low=1, acts_with=("scheduler", ("step",)),
    )  # fmt: skip
    gamma: float = described(
        0.5, "schedule", "factor of each drop (step) or of every batch or epoch (exponential)",
        low=0, high=1, open_low=True, acts_with=("scheduler", DROPPING),
    )  # fmt: skip
    step_per: str = described(
        "epoch", "schedule", "what the step and exponential schedules count",
        choices=("batch", "epoch"), acts_with=("scheduler", DROPPING),
    )  # fmt: skip

    blocks: int = described(2, "network", "residual blocks", low=0, high=100, basic=True)
    hidden: int = described(1024, "network", "width of the hidden layers", low=1, high=65536, basic=True)
    dropout: float = described(0.0, "network", "share of units dropped in training", low=0, high=1)
    norm: str = described("batch", "network", "none: no BatchNorm", choices=NORMS, since=5, before="batch")
    head: str = described(
        "xyz", "network", "ray: depths on rays; place: and missing joints",
        choices=HEADS, since=1, before="xyz", basic=True,
    )  # fmt: skip
    init: str = described("uniform", "network", "initial weights", choices=INITIALISERS)
    start: str = described(
        "", "network", "weights to fine-tune", since=4, before="", metavar="WEIGHTS", alone=STARTING,
        basic=True,
    )  # fmt: skip

    flip: float = augmenting(0.5, "share of the poses that are mirrored", 1)
    noise: float = augmenting(
        0.0, "standard deviation added to 2D points (0.001: one pixel at f = 1000)", float("inf")
    )
    noise_to: float = augmenting(
        0.0, "the same, drawn for each pose between 0 and this, and told to a network with head place",
        float("inf"), since=3,
    )  # fmt: skip
    outliers: float = augmenting(0.0, "share of the 2D points that are far off", 1, since=3)
    swap: float = augmenting(
        0.0, "share of the poses with left and right limbs exchanged in the image", 1, since=3
    )
    yaw: float = augmenting(0.0, "turn the camera around the person by up to this many degrees", 180)
    tilt: float = augmenting(0.0, "raise or lower the camera by up to this many degrees", 90)
    elevation: float = described(
        7.5, "augmentation", "degrees that the camera of the data looks down on average, for yaw and tilt",
        low=-90, high=90, neutral=7.5, since=3, before=7.5,
    )  # fmt: skip
    roll: float = augmenting(0.0, "turn the camera about its axis by up to this many degrees", 180, since=3)
    tumble: float = augmenting(0.0, "share of the poses turned any way: lying, upside down", 1, since=3)
    distance: float = augmenting(0.0, "scale the distance of the camera by up to exp of this", 1.5)
    body: float = augmenting(0.0, "share of the poses with bones of other lengths", 1)
    mix: float = augmenting(0.0, "share of the poses with limbs of other poses", 1)
    joint_dropout: float = augmenting(
        0.0, "share of the keypoints hidden, for 2D poses that lack some (heads xyz, place)", 1,
        metavar="SHARE",
    )  # fmt: skip
    joint_dropout_to: float = augmenting(
        0.0, "the same, drawn for each pose between 0 and this", 1, metavar="SHARE", since=3
    )
    edge: float = augmenting(0.0, "share of the poses that are cut off at the picture's edge", 1, since=3)
    part_dropout: float = augmenting(
        0.0, "share of the poses with a whole part hidden: legs, an arm, a side", 1, metavar="SHARE", since=2
    )

    def __post_init__(self) -> None:
        for name, setting in SETTINGS.items():
            object.__setattr__(self, name, setting.check(getattr(self, name)))
        check_together(self)

    def acts(self, name: str) -> bool:
        """Whether a setting has any effect, with its value and those that the others have."""
        setting = SETTINGS[name]
        neutral = setting.neutral is not None and getattr(self, name) == setting.neutral
        return self._is_asked(setting) and not neutral

    def _is_asked(self, setting: Setting) -> bool:
        """Whether the other setting that this one depends on, if any, has a value that lets it act."""
        return setting.acts_with is None or getattr(self, setting.acts_with[0]) in setting.acts_with[1]

    def acting(self) -> dict[str, Any]:
        """The settings that act on the weights, fit for JSON: what tells one run from another.

        Those that only another choice would bring to life are left out, and so are newer settings with the
        value that runs had before these came: what was found then stays good.
        """
        found = {}
        for name, setting in SETTINGS.items():
            value = getattr(self, name)
            unchanged = setting.since and value == setting.before
            if setting.result and not unchanged and self._is_asked(setting):
                found[name] = list(value) if isinstance(value, tuple) else value
        return found

    def describe(self) -> str:
        """The settings that act, in a few lines, by group; files are left out."""
        groups: dict[str, list[str]] = {}
        for name, setting in SETTINGS.items():
            if setting.group != "files" and self.acts(name):
                groups.setdefault(setting.group, []).append(f"{name.replace('_', ' ')} {self._acting(name)}")
        return "\n".join(f"  {group:10s} {', '.join(items)}" for group, items in groups.items())

    def _acting(self, name: str) -> str:
        if name in ("betas", "momentum") and self.scheduler == "onecycle" and self.cycle_momentum:
            return f"cycled {self.betas[1]:g}" if name == "betas" else "cycled"
        return shown(getattr(self, name))

    def as_stored(self) -> dict[str, Any]:
        """What a checkpoint keeps of them, by name."""
        return {"version": VERSION, "config": asdict(self)}


SETTINGS: Mapping[str, Setting] = {
    f.name: replace(f.metadata["setting"], name=f.name, default=f.default) for f in fields(TrainSettings)
}
