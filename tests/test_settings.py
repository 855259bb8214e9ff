"""The description of the settings: what is read, refused, stored and resumed by it, and its page."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from conftest import ROOT

from minilift.cli.settings import read_train
from minilift.cli.settings_page import RENEW, page
from minilift.errors import ArgumentError, InputError, as_flag
from minilift.lift.recipe import PRESETS, make_settings
from minilift.lift.resume import resumed
from minilift.lift.settings import SETTINGS, VERSION, TrainSettings
from minilift.studies.runs.key import Run

# What checkpoints had before they said their version: the settings of the preset that was called default
UNVERSIONED: dict[str, Any] = {
    "data": "data_train_lift.pkl", "test": "data_test_lift.pkl", "out": ".", "weights": "liftModel",
    "plot": "", "tensorboard": "", "epochs": 56, "batch_size": 256, "loss": "mpjpe", "standardise": True,
    "synthetic": 0.0, "poses": 0, "val_fraction": 0.05, "patience": 0, "min_delta": 0.0, "seed": 0,
    "device": "auto", "tf32": False, "optimiser": "adam", "lr": 0.006, "betas": [0.9, 0.999],
    "momentum": 0.9, "weight_decay": 0.0, "clip": 0.0, "scheduler": "onecycle", "warm_up": 0.05,
    "cycle_momentum": True, "step_size": 10, "gamma": 0.5, "step_per": "epoch", "blocks": 2, "flip": 0.5,
    "noise": 0.0, "yaw": 0.0, "tilt": 0.0, "distance": 0.0, "body": 0.0, "mix": 0.0, "joint_dropout": 0.0,
    "head": "xyz", "hidden": 1024, "dropout": 0.0, "init": "uniform",
}  # fmt: skip
# The presets of then, by the names of today, and the keys of their runs in studies on data (1, 2, 3)
EARLIER: dict[str, tuple[dict[str, Any], str]] = {
    "same-people": ({}, "184125f9f6d777cd"),
    "quick": ({"epochs": 5, "lr": 0.008, "flip": 0.0}, "19b3fb8145f4fed1"),
    "anyone": (
        {
            "epochs": 84, "synthetic": 1.0, "noise": 0.001, "yaw": 180.0, "distance": 0.3, "body": 1.0,
            "mix": 0.5, "head": "ray",
        },
        "873447ceefbb9e3f",
    ),
    "course": (
        {
            "epochs": 5, "batch_size": 32, "standardise": False, "lr": 0.1, "betas": [0.5, 0.999],
            "scheduler": "step", "step_size": 200, "gamma": 0.3, "step_per": "batch", "flip": 0.0,
            "dropout": 0.5,
        },
        "be22bc2fe69b313e",
    ),
}  # fmt: skip
# What presets had of it then and have otherwise today
HAD = {"anyone": {"epochs": 84, "scheduler": "onecycle", "tilt": 0.0, "body": 1.0}}
# What the first checkpoints lacked, and had in its place
LACKED = {
    "start": "", "weak": "none", "divided": "find", "labelled": 0.0, "norm": "batch",
    "mean_elevation": "find",
    "tf32": False, "clip": 0.0, "warm_up": 0.05, "head": "xyz", "flip": 0.0, "noise": 0.0, "yaw": 0.0,
    "tilt": 0.0, "distance": 0.0, "body": 0.0, "mix": 0.0, "synthetic": 0.0, "joint_dropout": 0.0,
    "part_dropout": 0.0, "noise_to": 0.0, "outliers": 0.0, "swap": 0.0, "elevation": 7.5, "roll": 0.0,
    "tumble": 0.0, "joint_dropout_to": 0.0, "edge": 0.0, "plot": "", "tensorboard": "", "patience": 0,
    "min_delta": 0.0, "poses": 0, "sync_batchnorm": True, "checkpoint_every": "30s",
}  # fmt: skip


def test_the_page_is_what_the_description_says() -> None:
    found = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert found == page(), f"docs/settings.md is stale; renew it with: {RENEW}"


def test_the_page_has_every_setting_and_preset() -> None:
    for name in SETTINGS:
        assert f"| `--{name.replace('_', '-')}` | " in page()
    for name in PRESETS:
        assert f"| `{name}` | " in page()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_description_agrees_with_itself(name: str) -> None:
    setting = SETTINGS[name]
    assert setting.check(setting.default) == setting.default
    assert setting.help
    assert bool(setting.since) == (setting.before is not None)
    assert setting.since <= VERSION
    for value in (setting.neutral, setting.before):
        assert value is None or setting.check(value) == value
    if setting.acts_with:
        other, values = setting.acts_with
        assert set(values) < set(SETTINGS[other].choices)


# ---- reading and checking ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"epochs": 0}, "epochs=0: must be at least 1"),
        ({"epochs": 2.0}, "epochs=2.0: not a whole number"),
        ({"epochs": True}, "epochs=yes: not a whole number"),
        ({"lr": float("inf")}, "lr=inf: must be a finite number"),
        ({"lr": 0.0}, "lr=0.0: must be more than 0"),
        ({"lr": "0.1"}, "lr=0.1: not a number"),
        ({"betas": (0.9, 1.0)}, "betas=0.9 1: must be at least 0 and less than 1"),
        ({"betas": (0.9,)}, "betas=0.9: not two numbers"),
        ({"standardise": 1}, "standardise=1: not yes or no"),
        ({"optimiser": "adams"}, "optimiser=adams: unknown; did you mean adam?"),
        ({"scheduler": "magic"}, "scheduler=magic: unknown; use one of onecycle, cosine, warmup, step"),
        ({"data": 3}, "data=3: not text"),
        ({"min_delta": 0.1}, "min_delta=0.1: needs patience, which is 0; give patience=5, or leave it out"),
        (
            {"joint_dropout": 0.1, "head": "ray"},
            "joint_dropout=0.1: a hidden joint has no ray for head=ray to put it on; add head=place",
        ),
    ],
)
def test_the_library_names_the_argument(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        TrainSettings(**given)
    assert str(caught.value).startswith(expected)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_command_line_names_the_flag() -> None:
    told = r"^--joint-dropout 0\.1: .* for --head ray to put it on; add --head place$"
    with pytest.raises(ArgumentError) as caught:
        TrainSettings(joint_dropout=0.1, head="ray")
    assert re.search(told, caught.value.told(as_flag))
    assert ArgumentError("tf32", False, "no {x}").told(as_flag) == "--no-tf32: no {x}"


def test_numbers_of_numpy_become_plain_ones() -> None:
    found = TrainSettings(epochs=np.int64(3), lr=np.float32(0.5), flip=1, betas=[0, 0.5])  # type: ignore[arg-type]
    assert found == TrainSettings(epochs=3, lr=0.5, flip=1.0, betas=(0.0, 0.5))
    assert json.loads(json.dumps(found.as_stored()))["config"]["betas"] == [0.0, 0.5]
    assert (type(found.epochs), type(found.lr), type(found.flip)) == (int, float, float)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("epochs", " 7", 7),
        ("lr", "1e-3", 0.001),
        ("betas", "0.5  0.9", (0.5, 0.9)),
        ("standardise", "No", False),
        ("tf32", "on", True),
        ("data", "my poses.npz", "my poses.npz"),
        ("init", "kaiming_normal", "kaiming_normal"),
    ],
)
def test_text_is_read_as_the_kind_of_the_setting(name: str, text: str, expected: Any) -> None:
    found = SETTINGS[name].read(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_beta_or_momentum_that_is_asked_for_acts() -> None:
    assert make_settings().cycle_momentum
    assert not make_settings(changes={"betas": (0.5, 0.9)}).cycle_momentum
    assert not make_settings(changes={"momentum": 0.5}).cycle_momentum
    assert make_settings(changes={"momentum": 0.5, "cycle_momentum": True}).cycle_momentum
    with pytest.raises(InputError, match="preset=plain: unknown; use one of quick, same-people"):
        make_settings("plain")


# ---- what is stored ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EARLIER)
def test_checkpoints_of_before_are_resumed(name: str) -> None:
    """With the settings that the preset had then, and under the key that its runs had in studies."""
    changes, key = EARLIER[name]
    found = resumed({"config": {**UNVERSIONED, **changes}, "data": [1, 2, 3]}, {})
    assert found == make_settings(name, HAD.get(name))
    assert Run(found, (1, 2, 3)).key == key


def test_checkpoints_of_before_a_setting_came_go_on_as_they_began() -> None:
    assert {name for name, setting in SETTINGS.items() if setting.since} == LACKED.keys()
    lacking = {name: value for name, value in UNVERSIONED.items() if name not in LACKED}
    found = asdict(resumed({"config": lacking}, {}))
    assert {name: found[name] for name in LACKED} == LACKED
    for name in LACKED:  # a checkpoint that has one of them keeps it
        if name in UNVERSIONED and name not in ("min_delta", "joint_dropout", "head"):
            assert (
                asdict(resumed({"config": {**lacking, name: UNVERSIONED[name]}}, {}))[name]
                == (UNVERSIONED[name])
            )


def test_what_is_stored_comes_back() -> None:
    settings = make_settings("anyone", {"out": "runs", "seed": 5})
    stored = json.loads(json.dumps(settings.as_stored()))
    assert stored["version"] == VERSION
    assert resumed(stored, {"out": "runs"}) == settings
    assert resumed(stored, {}).out == "."  # where the checkpoint lies now


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([], "not of this version"),
        ({}, "not of this version ('config')"),
        ({"config": {"hidden": 16}}, "not of this version ('data')"),
        ({"version": VERSION + 1, "config": UNVERSIONED}, f"newer than {VERSION}"),
        ({"version": "1", "config": UNVERSIONED}, "not of this version"),
        ({"config": {**UNVERSIONED, "colour": "red"}}, "colour"),
        ({"config": {**UNVERSIONED, "lr": -1}}, "lr=-1: must be more than 0"),
        (
            {
                "version": VERSION,
                "config": {k: v for k, v in {**LACKED, **UNVERSIONED}.items() if k != "flip"},
            },
            "not of this version ('flip')",  # a checkpoint of today has all of them
        ),
    ],
)
def test_settings_that_no_run_had_are_refused_in_a_line(stored: Any, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        resumed(stored, {}, "runs/checkpoint.npz")
    assert str(caught.value).startswith("runs/checkpoint.npz: its settings are not of this version (")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_resumed_run_may_change_where_things_are_and_how_long_it_takes() -> None:
    stored = TrainSettings().as_stored()
    others: dict[str, Any] = {
        "data": "d", "test": "t", "out": "o", "device": "gpu", "tf32": True, "epochs": 99, "plot": "a.png",
        "tensorboard": "e", "patience": 3, "min_delta": 0.5, "sync_batchnorm": False,
        "checkpoint_every": "1epoch",
    }  # fmt: skip
    assert {name for name, setting in SETTINGS.items() if setting.resumable} == others.keys()
    found = asdict(resumed(stored, others))
    assert {name: found[name] for name in others} == others
    with pytest.raises(ArgumentError, match=r"lr=0\.5: the run to resume has 0\.006; leave it out"):
        resumed(stored, {"lr": 0.5})
    assert resumed(stored, {"lr": 0.006}) == TrainSettings()


def test_the_learning_rate_may_follow_the_batch_size() -> None:
    def rate(*words: str) -> float:
        return read_train(words).settings.lr

    assert rate("--batch-size", "1024") == 0.006
    assert rate("--batch-size", "1024", "--scale-lr", "linear") == 0.024
    assert rate("--batch-size", "1024", "--scale-lr", "sqrt") == 0.012
    assert rate("--preset", "course", "--batch-size", "8", "--scale-lr", "linear") == 0.025
    for other in (("--lr", "0.1"), ("--start",), ("--resume",)):
        with pytest.raises(InputError, match=r"--scale-lr sqrt: .* out"):
            read_train(["--scale-lr", "sqrt", *other])
