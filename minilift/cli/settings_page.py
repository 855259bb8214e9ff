"""docs/settings.md, made of the description of the settings: `python -m minilift.cli.settings_page FILE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from minilift.cli.settings import flag
from minilift.errors import shown
from minilift.lift.recipe import DEFAULT, PRESETS
from minilift.lift.setting import Setting
from minilift.lift.settings import SETTINGS

RENEW = "python -m minilift.cli.settings_page docs/settings.md"

INTRO = f"""\
<!-- made by {RENEW}; change minilift/lift/settings.py instead -->

# Settings of a training run

Every setting of `minilift train`, by group. `minilift.lift.settings.TrainSettings` has them under the same
names, with `_` for `-`, and so has `minilift study --set NAME=VALUE`. A value that a setting cannot have is
refused in one line that names it. The settings that act are printed when training begins; `checkpoint.npz`
keeps all of them.
"""


def page() -> str:
    """The whole page, in Markdown."""
    groups = dict.fromkeys(setting.group for setting in SETTINGS.values())
    parts = [INTRO, _presets(), *map(_group, groups), ""]
    return "\n".join(parts)


def _presets() -> str:
    lines = ["## Presets", "", "| `--preset` | for | changes |", "|---|---|---|"]
    for name, preset in PRESETS.items():
        changes = ", ".join(f"`{key}` {shown(value)}" for key, value in preset.settings.items())
        lines.append(f"| `{name}` | {preset.purpose}. {preset.about} | {changes or 'none'} |")
    return "\n".join(
        [*lines, "", f"Without `--preset` it is `{DEFAULT}`. Flags change a preset further.", ""]
    )


def _group(name: str) -> str:
    lines = [f"## {name.capitalize()}", "", "| flag | default | values | what it does |", "|---|---|---|---|"]
    for setting in SETTINGS.values():
        if setting.group == name:
            cells = f"`{flag(setting.name)}`", shown(setting.default), values(setting), _told(setting)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def values(setting: Setting) -> str:
    """What a setting may be, in words."""
    if setting.choices:
        return ", ".join(setting.choices)
    kinds = {bool: "yes, no", int: "whole number", float: "number", tuple: "two numbers", str: "text"}
    bounds = setting.bounds()
    return f"{kinds[setting.kind]}, {bounds}" if bounds else kinds[setting.kind]


def _told(setting: Setting) -> str:
    """The help, and when the setting acts."""
    sentences = [setting.help]
    if setting.acts_with:
        other, with_these = setting.acts_with
        sentences.append(f"acts with `{flag(other)}` {' or '.join(with_these)}")
    if setting.resumable:
        sentences.append("a resumed run may change it")
    return "; ".join(sentences)


def main(argv: Sequence[str]) -> None:
    if len(argv) != 1 or argv[0].startswith("-"):
        raise SystemExit("usage: python -m minilift.cli.settings_page FILE.md")
    Path(argv[0]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
