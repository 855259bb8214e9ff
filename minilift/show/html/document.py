"""Parts of a page that is one file: texts of the package, and values inside script elements.

A page loads nothing, and its Content-Security-Policy forbids it to. What comes from the user is escaped by
`html.escape` in HTML, and by `json_text` in scripts.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
"""The page's own scripts and styles, pictures made of its data, and nothing from anywhere else."""

ROOM = "minilift.show.html"


def text(room: str, *names: str) -> str:
    """The files of a room of the package, one after the other."""
    return "\n".join((files(room) / name).read_text(encoding="utf-8") for name in names)


def json_text(value: Any) -> str:
    """JSON that can stand within a script element: `</script>` and `<!--` cannot occur in it."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
