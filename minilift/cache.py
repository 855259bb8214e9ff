"""The user's cache folder: what a program can make again, in files that are whole or not there."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """Where this system keeps such files. Raises RuntimeError for a user without a home."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "minilift" / kind


def write_whole(path: Path, content: bytes, replace: bool = True) -> None:
    """Write a file at once, for two processes may begin together. Raises OSError.

    Without `replace` the first one's file stays.
    """
    import tempfile  # with random and hashlib behind it: only where something is written

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".half")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if replace or not _linked(half, path):
            os.replace(half, path)
    finally:
        with suppress(OSError):
            os.unlink(half)


def _linked(half: str, path: Path) -> bool:
    """Whether the path has a file now, this one or an earlier one; False where there are no hard links."""
    try:
        os.link(half, path)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True
