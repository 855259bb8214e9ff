"""What is varied: a study is a few groups of variants, each held beside the first of its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from minilift.cli.config import TrainConfig
from minilift.cli.presets import PRESETS
from minilift.studies.designs.block import Block
from minilift.studies.settings import Words, acting, make_config


@dataclass(frozen=True)
class Variant:
    """A row of a table: settings, and how their weights predict (a name of PREDICTIONS).

    Variants of one label and different columns stand beside each other in its row. `block` is what the
    network is made of, if not the usual blocks.
    """

    label: str
    config: TrainConfig
    predictions: str = "plain"
    column: str = ""
    block: Block | None = None


@dataclass(frozen=True)
class Group:
    """Variants under a heading; `compared` where the first is what the others are held beside.

    `measured` is what is to be said of a table with columns.
    """

    title: str
    variants: tuple[Variant, ...]
    compared: bool = True
    measured: str = ""


def grid(preset: str, words: Words, axes: Mapping[str, Sequence[str]]) -> list[Group]:
    """Every combination of the axes' values, on top of a preset with some settings."""
    variants = []
    for values in product(*axes.values()):
        point = dict(zip(axes, values, strict=True))
        label = ", ".join(f"{name} {value}" for name, value in point.items()) or _base(preset, words)
        variants.append(Variant(label, make_config(preset, {**words, **point})))
    return [Group(_base(preset, words), tuple(variants), compared=False)]


def ablation(words: Words, epochs: Sequence[int]) -> list[Group]:
    """The two presets, with one ingredient taken out or added at a time.

    `epochs` of the group of each; for those left out, the preset's own (or what `words` say).
    """
    own = [dict(words) | ({"epochs": str(n)} if n else {}) for n in [*epochs, 0, 0][:2]]
    return [_of_default(own[0]), _of_general(own[1])]


def _of_default(words: dict[str, str]) -> Group:
    base = make_config("default", words)
    quarter = str(max(base.epochs // 4, 1))
    changes: list[tuple[str, Words]] = [
        ("without standardising", {"standardise": "no"}),
        ("without mirrored poses", {"flip": "0"}),
        ("with dropout 0.1", {"dropout": "0.1"}),
        ("head ray: depths on rays", {"head": "ray"}),
        ("constant learning rate, 0.001", {"scheduler": "none", "lr": "0.001"}),
        (
            "StepLR: 0.003, times 0.3 after each quarter",
            {"scheduler": "step", "lr": "0.003", "gamma": "0.3", "step_per": "epoch", "step_size": quarter},
        ),
        ("warm-up and cosine", {"scheduler": "warmup"}),
        ("AdamW, decay 0.01", {"optimiser": "adamw", "weight_decay": "0.01"}),
        ("gradients clipped at norm 1", {"clip": "1"}),
    ]
    group = _group("default", words, changes)
    added = (
        Variant("predictions put onto the rays", base, "project"),
        Variant("predictions averaged with the mirrored pose's", base, "flip"),
    )
    return replace(group, variants=group.variants + added)


def _of_general(words: dict[str, str]) -> Group:
    base = make_config("general", words)
    # Without synthetic people an epoch has fewer steps, and it is not their number that is to be looked at
    as_many_steps = {"epochs": str(round(base.epochs * (1 + base.synthetic)))}
    changes: list[tuple[str, Words]] = [
        ("without rays: 45 outputs", {"head": "xyz"}),
        ("without other bodies", {"body": "0"}),
        ("without limbs of other poses", {"mix": "0"}),
        ("without other cameras", {"yaw": "0", "tilt": "0", "distance": "0"}),
        ("without noise", {"noise": "0"}),
        ("without mirrored poses", {"flip": "0"}),
        ("without synthetic people, as many steps", {"synthetic": "0", **as_many_steps}),
    ]
    group = _group("general", words, changes)
    default = Variant("preset default, as many steps", make_config("default", {**words, **as_many_steps}))
    return replace(group, variants=(*group.variants, default))


def _group(preset: str, words: Words, changes: Sequence[tuple[str, Words]]) -> Group:
    """The preset and its variants, without those that change nothing of it."""
    base = Variant(_base(preset, words), make_config(preset, words))
    variants = [Variant(label, make_config(preset, {**words, **change})) for label, change in changes]
    varied = [variant for variant in variants if acting(variant.config) != acting(base.config)]
    return Group(base.label, (base, *varied))


def _base(preset: str, words: Words) -> str:
    """A preset in words: its epochs and what else is set."""
    epochs = words.get("epochs", str(PRESETS[preset].get("epochs", TrainConfig.epochs)))
    others = [f"{name} {value}" for name, value in words.items() if name != "epochs"]
    return ", ".join([f"preset {preset}", f"{epochs} epoch{'s' if epochs != '1' else ''}", *others])
