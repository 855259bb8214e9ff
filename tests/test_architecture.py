"""The structure of the house, read from the source: who may import whom, and what is never imported."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from minilift.errors import counted

PACKAGE = ROOT / "minilift"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Who may import whom: a room imports from itself and from rooms that stand before it in its line.
ORDER = (
    ("ops", "nn", "optim", "train", "lift", "evaluation", "show", "studies", "cli"),
    ("lift", "distributed", "cli"),
    ("files", "nn"),  # a network saves and loads itself
    ("files", "poses", "lift"),
    ("poses", "video", "show"),
    ("train", "images", "examples", "cli"),
    ("show", "examples"),
)
# The exception that all may raise, the optional libraries, and the user's cache folder
FOR_ALL = {"errors", "extras", "cache"}


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


def below(name: str) -> set[str]:
    """The rooms that a room may import from."""
    found: set[str] = set()
    for line in ORDER:
        if name in line:
            found |= set(line[: line.index(name)])
    return found.union(*(below(other) for other in found))


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_point_downwards(path: Path) -> None:
    here = room(module_name(path))
    if here in {"", "__main__", *FOR_ALL}:  # the public names, and the door
        return
    assert any(here in line for line in ORDER), f"{path} is in no room of the plan"
    others = {room(name) for name in imports(path) if name.startswith("minilift")} - {
        here,
        *FOR_ALL,
        "",
        "__version__",
    }
    up = others - below(here)
    assert not up, f"{here} imports {up}"


FRAMEWORK = ("ops", "nn", "optim", "train")
OF_PEOPLE = re.compile(r"(?<![a-z])(poses?|joints?|limbs?|keypoints?|skeletons?)(?![a-z])", re.IGNORECASE)
SAYS_JOINT = PACKAGE / "nn" / "losses" / "mpjpe_loss.py"  # the mean per-joint position error: what that is


def test_the_framework_does_not_know_people() -> None:
    files = [path for name in FRAMEWORK for path in (PACKAGE / name).rglob("*.*")]
    sources = [path for path in files if path.suffix in (".py", ".cu") and path != SAYS_JOINT]
    found = {str(path): OF_PEOPLE.findall(path.read_text()) for path in sources}
    assert {path: words for path, words in found.items() if words} == {}
    assert OF_PEOPLE.findall(SAYS_JOINT.read_text())  # the check checks


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_only_some_rooms_may_import(path: Path) -> None:
    here, roots = room(module_name(path)), {name.split(".")[0] for name in imports(path)}
    assert "torch" not in roots
    if here in ("nn", "optim"):
        assert not roots & {"numpy", "cupy"}, "layers, losses and optimisers are given their operations"
    if "cupy" in roots:
        assert here == "ops"
    if roots & {"plotly", "matplotlib"}:
        assert here == "show"


def test_importing_minilift_loads_nothing_heavy() -> None:
    """What makes `import minilift` slow, or is an extra, waits until it is used."""
    heavy = ["torch", "cupy", "matplotlib", "safetensors", "tqdm", "scipy", "argparse", "unittest"]
    code = f"import sys, minilift; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_the_plan_is_the_file_list() -> None:
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()}
    planned = {name for line in ORDER for name in line} | FOR_ALL | {"__init__", "__main__", "py"}
    assert rooms - {"__pycache__", "py.typed", "starting"} - planned == set()  # the last is of data alone


# ---- sizes ---------------------------------------------------------------------------------------------

FILE, FUNCTION = 250, 50  # lines


def too_long() -> dict[str, int]:
    """Files and functions over the limits, and by how many lines."""
    found = {}
    for path in PACKAGE.rglob("*.*"):
        if path.suffix not in (".pyc", ".npz"):
            found[path.relative_to(ROOT).as_posix()] = len(path.read_text().splitlines()) - FILE
    for path in SOURCES:
        text, name = path.read_text(), path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                found[f"{name}: {node.name}"] = node.end_lineno - node.lineno + 1 - FUNCTION
    return {name: over for name, over in found.items() if over > 0}


def test_files_and_functions_fit_the_head() -> None:
    assert too_long() == {}


def test_the_core_can_be_read_in_a_day() -> None:
    """All lines of ops, nn, optim and train but those of ops/cuda, which is the GPU, and of ops/blas: which
    library multiplies is the machine's affair, and the results are the same but for rounding."""
    core = [path for path in SOURCES if room(module_name(path)) in ("ops", "nn", "optim", "train")]
    of_machines = {PACKAGE / "ops" / "cuda", PACKAGE / "ops" / "blas"}
    read = [path for path in core if not of_machines & set(path.parents)]
    assert len(read) > 30
    assert sum(len(path.read_text().splitlines()) for path in read) <= 3600


@pytest.mark.parametrize(("n", "text"), [(0, "0 poses"), (1, "1 pose"), (1000, "1,000 poses")])
def test_counts_are_said_in_the_singular_and_the_plural(n: int, text: str) -> None:
    assert counted(n, "pose") == text
    assert counted(n, "person") == text.replace("poses", "people").replace("pose", "person")


def test_no_module_makes_plurals_of_its_own() -> None:
    """`minilift.errors.counted` does."""
    own = [path.name for path in SOURCES if re.search(r"""\{['"]s['"] (?:if|\*)""", path.read_text())]
    assert own == []


# Whole commands that a message tells people to paste
COMMANDS_TO_PASTE = ("minilift train --preset anyone", "minilift trust --weights", " --weights ")


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_messages_of_the_library_name_arguments_not_flags(path: Path) -> None:
    """Who calls it from a program has no flags; the command line translates (minilift.errors.as_flag)."""
    if room(module_name(path)) in ("cli", "studies", "errors"):
        return
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            text = node.value
            for command in COMMANDS_TO_PASTE:
                text = text.replace(command, "")
            flags = [word for word in text.split() if word.startswith("--") and word.strip("-()[],;:")]
            assert not [flag for flag in flags if flag[2:3].isalpha()], f"{path}: {node.value!r}"
            assert "train.py" not in text, f"{path}: {node.value!r}"
            assert "eval.py" not in text, f"{path}: {node.value!r}"
