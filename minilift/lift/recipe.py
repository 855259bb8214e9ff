"""Presets: settings for a purpose, and how single settings are changed on top of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from minilift.errors import ArgumentError, InputError
from minilift.lift.settings import TrainSettings
from minilift.lift.weights.stored import ends_of, read_weights


@dataclass(frozen=True)
class Preset:
    """What a preset is for, in one line; more about it; and what it changes of the defaults."""

    purpose: str
    about: str
    settings: Mapping[str, Any]


PRESETS: Mapping[str, Preset] = {
    "quick": Preset(
        "a first result in about a minute",
        "A tenth of the epochs of same-people, at a higher learning rate.",
        {"epochs": 5, "lr": 8e-3, "flip": 0.0},
    ),
    "same-people": Preset(
        "least error on the people of the training data (default)",
        "Standardised data, a one-cycle learning rate, batches of 256, mirrored poses; 10 minutes on two "
        "cores for 62,000 poses.",
        {},
    ),
    "anyone": Preset(
        "people, skeletons and cameras that the data lack",
        "One synthetic person for each pose, bones of other lengths for most, limbs of other poses, cameras "
        "all around, noise, and depths on rays; one and a half times the steps of same-people.",
        {
            "epochs": 42, "scheduler": "warmup", "synthetic": 1.0, "head": "ray", "noise": 0.001,
            "yaw": 180.0, "tilt": 15.0, "distance": 0.3, "body": 0.7, "mix": 0.5,
        },
    ),
    "detector": Preset(
        "keypoints of detectors, with joints that are missing",
        "As anyone, with noise that the network is told of, outliers, sides exchanged, and joints, whole "
        "parts and what is beyond the picture hidden: what is exact lies on its ray, what is not is placed.",
        {
            "epochs": 42, "synthetic": 1.0, "head": "place", "yaw": 180.0, "distance": 0.3, "roll": 10.0,
            "body": 1.0, "mix": 0.5, "noise_to": 0.012, "outliers": 0.02, "swap": 0.02, "edge": 0.1,
            "joint_dropout_to": 0.4, "part_dropout": 0.2,
        },
    ),
    "starting": Preset(
        "weights for any people and any camera, to start from",
        "As detector, for people seen by a camera 15 degrees up and 5.477 m away, as minilift data starting "
        "makes them: cameras from 30 degrees below to 60 above, 1.5 to 20 m away, lying and upside-down "
        "people; no synthetic ones but those of the data.",
        {
            "epochs": 60, "loss": "relative", "head": "place", "yaw": 180.0, "tilt": 45.0, "elevation": 15.0,
            "roll": 15.0, "distance": 1.295, "tumble": 0.1, "body": 1.0, "mix": 0.5, "noise_to": 0.012,
            "outliers": 0.02, "swap": 0.02, "edge": 0.1, "joint_dropout_to": 0.4, "part_dropout": 0.15,
        },
    ),
    "two-view": Preset(
        "learning from two images of each person, without 3D",
        "Depths on rays that agree with the other image. Half the width of same-people, which learns as much "
        "in the same time; an epoch has twice the images.",
        {"weak": "two-view", "epochs": 20, "hidden": 512, "head": "ray"},
    ),
    "one-view": Preset(
        "learning from one image of each person, without 3D",
        "Depths on rays that look like people from elsewhere, too, as a discriminator of images sees it; "
        "a quarter of the width and half the epochs of same-people, without BatchNorm.",
        {
            "weak": "one-view", "epochs": 28, "lr": 1e-3, "betas": (0.5, 0.999),
            "clip": 5.0, "scheduler": "cosine", "hidden": 256, "head": "ray", "norm": "none",
        },
    ),
    "course": Preset(
        "the settings of the original course report",
        "Batches of 32, raw data, dropout 0.5, betas 0.5 and 0.999, and a rate of 0.1 that StepLR(200, 0.3) "
        "cuts after every 200 batches, so that it is gone within the first of 5 epochs.",
        {
            "epochs": 5, "batch_size": 32, "standardise": False, "lr": 0.1, "betas": (0.5, 0.999),
            "scheduler": "step", "step_size": 200, "gamma": 0.3, "step_per": "batch", "dropout": 0.5,
            "flip": 0.0,
        },
    ),
}  # fmt: skip
DEFAULT = "same-people"
FINE = {"lr": 1e-3, "noise_to": 0.012}
"""What fine-tuning has where nothing is said: a rate that keeps what the weights know and, for weights that
take noise levels, the noise of preset detector."""


def make_settings(preset: str = DEFAULT, changes: Mapping[str, Any] | None = None) -> TrainSettings:
    """A preset with some settings changed.

    A beta or momentum that is asked for is the one that acts: with one of them among the changes,
    `cycle_momentum` is off unless it is there too. Raises InputError for a preset that does not exist, and
    ArgumentError as TrainSettings does.
    """
    if preset not in PRESETS:
        near = difflib.get_close_matches(preset, PRESETS, 1)
        meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(PRESETS)}"
        raise InputError(f"preset={preset}: unknown; {meant}")
    changed = dict(changes or {})
    own, asked = (part.get("weak", "none") for part in (PRESETS[preset].settings, changed))
    if own != "none" and asked not in ("none", own):
        raise ArgumentError(
            "weak", asked, "{0} is for another way to learn; leave one of both out", ("preset", preset)
        )
    if {"betas", "momentum"} & changed.keys():
        changed.setdefault("cycle_momentum", False)
    return TrainSettings(**{**PRESETS[preset].settings, **changed})


RULES = {"linear": 1.0, "sqrt": 0.5}
"""How a learning rate may follow the number of poses in a step: as which power of it."""


def scaled_lr(settings: TrainSettings, preset: str, rule: str) -> float:
    """The preset's learning rate for the batches of `settings`, k times as large as the preset's: k lr
    (linear) or sqrt(k) lr.

    Linear for SGD: k steps in one (Goyal et al., arXiv:1706.02677, section 2.1), which holds until batches
    are large, and needs a schedule that warms up. The root for Adam, which divides by the noise of its
    gradients: Malladi et al., "On the SDEs and scaling rules for adaptive gradient algorithms",
    arXiv:2205.10287.
    """
    usual = make_settings(preset)
    return float(f"{usual.lr * (settings.batch_size / usual.batch_size) ** RULES[rule]:.6g}")


def begun_with(settings: TrainSettings, given: Mapping[str, Any]) -> TrainSettings:
    """The settings of a run that starts from the weights `settings.start`: of their shape, and gentler.

    Blocks, width, head and norm are those of the weights, and FINE applies where `given`, the settings that
    were asked for by name, has nothing else. Raises ArgumentError where it contradicts the weights, and
    InputError for a file without weights.
    """
    state, _ = read_weights(settings.start)
    ends = ends_of(state["hidden1.weight"].shape[1], len(state["output.weight"]))
    blocks = {m[1] for name in state if (m := re.match(r"res-block_(\d+)", name))}
    own = {"blocks": len(blocks), "hidden": len(state["hidden1.weight"]), "head": ends.get("head", "xyz")}
    own["norm"] = "none" if "slope" in state else "batch"
    for name, value in own.items():
        if given.get(name, value) != value:
            raise ArgumentError(name, given[name], "the weights to start from have {0}", (name, value))
    if settings.weak != "none" and own["head"] != "ray":
        problem = f"these weights have head {own['head']}, and {{0}} learns depths on rays; give others"
        raise ArgumentError("start", settings.start, problem, ("weak", settings.weak))
    own["lr"] = given.get("lr", FINE["lr"])
    if ends.get("levels"):
        own["noise_to"] = given.get("noise_to", settings.noise_to or FINE["noise_to"])
        if not own["noise_to"]:
            problem = "the weights to start from take noise levels, so some must be drawn; give {0}"
            raise ArgumentError("noise_to", 0, problem, ("noise_to", FINE["noise_to"]))
    elif own["head"] == "place" and settings.noise_to:
        problem = "the weights to start from take no noise levels; give {0}"
        raise ArgumentError("noise_to", settings.noise_to, problem, ("noise_to", 0))
    return replace(settings, **own)
