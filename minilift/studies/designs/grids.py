"""Grids of settings, and the ablation: presets with one ingredient taken out or added at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from minilift.errors import counted
from minilift.lift.recipe import DEFAULT
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.designs.words import Words, settings_of


def grid(preset: str, words: Words, axes: Mapping[str, Sequence[str]]) -> list[Group]:
    """Every combination of the axes' values, on top of a preset with some settings."""
    variants = []
    for values in product(*axes.values()):
        point = dict(zip(axes, values, strict=True))
        label = ", ".join(f"{name} {value}" for name, value in point.items()) or _base(preset, words)
        variants.append(Variant(label, settings_of(preset, {**words, **point})))
    return [Group(_base(preset, words), tuple(variants), compared=False)]


def ablation(words: Words, epochs: Sequence[int]) -> list[Group]:
    """The presets same-people and anyone, with one ingredient taken out or added at a time.

    `epochs` of the group of each; for those left out, the preset's own (or what `words` say).
    """
    own = [dict(words) | ({"epochs": str(n)} if n else {}) for n in [*epochs, 0, 0][:2]]
    return [_of_same_people(own[0]), _of_anyone(own[1])]


def _of_same_people(words: dict[str, str]) -> Group:
    base = settings_of(DEFAULT, words)
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
    group = _group(DEFAULT, words, changes)
    added = (
        Variant("predictions put onto the rays", base, "project"),
        Variant("predictions averaged with the mirrored pose's", base, "flip"),
    )
    return replace(group, variants=group.variants + added)


def _of_anyone(words: dict[str, str]) -> Group:
    base = settings_of("anyone", words)
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
    group = _group("anyone", words, changes)
    other = Variant(f"preset {DEFAULT}, as many steps", settings_of(DEFAULT, {**words, **as_many_steps}))
    return replace(group, variants=(*group.variants, other))


def _group(preset: str, words: Words, changes: Sequence[tuple[str, Words]]) -> Group:
    """The preset and its variants, without those that change nothing of it."""
    base = Variant(_base(preset, words), settings_of(preset, words))
    variants = [Variant(label, settings_of(preset, {**words, **change})) for label, change in changes]
    varied = [variant for variant in variants if variant.settings.acting() != base.settings.acting()]
    return Group(base.label, (base, *varied))


def _base(preset: str, words: Words) -> str:
    """A preset in words: its epochs and what else is set."""
    epochs = words.get("epochs", str(settings_of(preset, {}).epochs))
    others = [f"{name} {value}" for name, value in words.items() if name != "epochs"]
    return ", ".join([f"preset {preset}", counted(int(epochs), "epoch"), *others])
