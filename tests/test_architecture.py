"""The structure of the house, read from the source: who may import whom, and what is never imported."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "minilift"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Bottom to top; a module imports from its own room or from rooms below it.
FLOORS = (
    "ops", "params", "nn", "losses optim", "inference", "model", "trust", "lifter", "training", "report",
    "cli", "experiments",
)  # fmt: skip
# Beside the tower: files, poses and pictures of them. Only model and what is above it may look at them.
WING = ("files", "pose", "plots", "data", "checkpoint")
FOR_ALL = "errors"


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            if node.module == "minilift":
                found |= {f"minilift.{alias.name}" for alias in node.names}
    return found


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor(name: str) -> int:
    return next((i for i, names in enumerate(FLOORS) if name in names.split()), -1)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_point_downwards(path: Path) -> None:
    here = room(module_name(path))
    below = {room(name) for name in imports(path) if name.startswith("minilift")} - {here, FOR_ALL, ""}
    if here in ("", FOR_ALL):  # the public names; the exception that all may raise
        return
    if here in WING:
        assert below <= set(WING[: WING.index(here)]), f"{here} imports {below}"
        return
    assert floor(here) >= 0, f"{path} is in no room of the plan"
    for other in below:
        if other in WING:
            assert floor(here) >= floor("model"), f"{here} imports {other}"
        else:
            assert floor(other) < floor(here), f"{here} imports {other}"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_only_some_rooms_may_import(path: Path) -> None:
    here, roots = room(module_name(path)), {name.split(".")[0] for name in imports(path)}
    assert "torch" not in roots
    if here in ("nn", "losses", "optim", "params"):
        assert not roots & {"numpy", "cupy"}, "layers, losses and optimisers are given their operations"
    if "cupy" in roots:
        assert here == "ops"
    if "plotly" in roots:
        assert here == "report"
    if "matplotlib" in roots:
        assert here == "plots"


def test_importing_minilift_loads_nothing_heavy() -> None:
    """What makes `import minilift` slow, or is an extra, waits until it is used."""
    heavy = ["torch", "cupy", "matplotlib", "safetensors", "tqdm", "scipy", "argparse", "unittest"]
    code = f"import sys, minilift; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_the_plan_is_the_file_list() -> None:
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()}
    planned = {name for names in FLOORS for name in names.split()} | set(WING) | {FOR_ALL, "__init__", "py"}
    assert rooms - {"__pycache__", "py.typed"} - planned == set()
