"""What the pages say is what the code does: their programs run, their quotes and links are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT

from minilift import nn
from minilift.images import layers

PAGES = [page for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if page.exists()]
# A comment before, a python block, a text block after: only the middle one must be there
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?```python\n(?P<code>.*?)^```\n(?:\n*```text\n(?P<output>.*?)^```)?",
    re.MULTILINE | re.DOTALL,
)
BLOCKS = {
    f"{page.name}:{block.string.count(chr(10), 0, block.start('code')) + 1}": block
    for page in PAGES
    for block in BLOCK.finditer(page.read_text(encoding="utf-8"))
}
RUN = [name for name, block in BLOCKS.items() if not block["mark"]]
QUOTES = [name for name, block in BLOCKS.items() if (block["mark"] or "").startswith("from ")]


def test_the_marks_are_known_and_there_are_blocks_of_both_kinds() -> None:
    assert {b["mark"].split()[0] for b in BLOCKS.values() if b["mark"]} <= {"no-run", "from"}
    assert len(RUN) > 5
    assert len(QUOTES) > 5


@pytest.mark.parametrize("name", RUN)
def test_a_program_prints_what_the_page_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCKS[name]["code"], name, "exec", dont_inherit=True), {"__name__": "__main__"})
    if BLOCKS[name]["output"] is not None:
        assert capsys.readouterr().out == BLOCKS[name]["output"]


@pytest.mark.parametrize("name", QUOTES)
def test_every_quoted_line_stands_in_the_file(name: str) -> None:
    block = BLOCKS[name]
    source = (ROOT / block["mark"].removeprefix("from ")).read_text(encoding="utf-8").splitlines()
    quoted = [line.strip() for line in block["code"].splitlines() if line.strip() not in ("", "...")]
    assert [line for line in quoted if line not in {s.strip() for s in source}] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_layer_has_a_page() -> None:
    titles = " ".join(page.read_text(encoding="utf-8").split("\n", 1)[0] for page in PAGES)
    names = [name for name in (*nn.__all__, *layers.__all__) if name != "Module"]
    assert [name for name in names if not re.search(rf"\b{name}\b", titles)] == []
