"""The optional libraries: named in one place, installed by the extras of setup.cfg, missed in one line."""

from __future__ import annotations

import ast
import configparser
from pathlib import Path

import pytest
from conftest import ROOT

from minilift import extras
from minilift.errors import InputError


def declared() -> dict[str, str]:
    """The extras of setup.cfg, each with the text of its requirements."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return dict(parser["options.extras_require"])


@pytest.mark.parametrize("module", extras.LIBRARIES)
def test_every_library_is_brought_by_its_extra(module: str) -> None:
    name, extra = extras.LIBRARIES[module]
    wanted = {"PIL": "matplotlib", "av": "\nav>="}.get(module, name.lower())  # the first needs Pillow
    assert wanted in declared()[extra].lower()


@pytest.mark.parametrize("path", sorted((ROOT / "minilift").rglob("*.py")), ids=lambda path: path.stem)
def test_whoever_imports_one_says_what_is_missing(path: Path) -> None:
    """A library that may be missing is imported by `load`, or where `require` has been; but for types."""
    tree = ast.parse(path.read_text())
    typing = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ]
    only_types = {id(inner) for node in typing for inner in ast.walk(node)}
    found = set()
    for node in ast.walk(tree):
        if id(node) not in only_types and isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            found |= {name.partition(".")[0] for name in names} & extras.LIBRARIES.keys()
    room = str(path.relative_to(ROOT / "minilift").parent)
    assert found <= ALLOWED.get(room, set()), f"{path} imports {found}: use minilift.extras.load"


# Rooms that stand behind `require`, or have words of their own for what is missing
ALLOWED = {
    "ops/cuda": {"cupy"},
    "show": {"matplotlib"},
    "show/people": {"matplotlib"},
    "show/charts": {"matplotlib"},
    "show/clip": {"matplotlib"},
    "show/live": {"PIL"},
    "cli/predict": {"distributed"},
    "show/page": {"plotly"},
}


def test_a_missing_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.LIBRARIES, "nowhere", ("Nowhere", "plot"))
    told = r"^drawing needs Nowhere: pip install 'minilift\[plot\]'$"
    with pytest.raises(InputError, match=told):
        extras.load("nowhere.at_all", "drawing")
    with pytest.raises(InputError, match=told):
        extras.require("nowhere", "drawing")
    with pytest.raises(InputError, match=r"pip install 'minilift\[video\]'$"):
        extras.require("nowhere", "drawing", "video")
    assert not extras.installed("nowhere")


def test_a_library_that_is_there_and_lacks_something_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "half.py").write_text("import nothing_of_the_kind")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(extras.LIBRARIES, "half", ("Half", "plot"))
    with pytest.raises(ModuleNotFoundError, match="nothing_of_the_kind"):
        extras.load("half", "drawing")
