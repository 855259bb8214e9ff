"""The file of a body: JSON, as docs/your-keypoints.md describes it."""

from __future__ import annotations

import json

from minilift.errors import ArgumentError
from minilift.files import PathLike, file_error, one_line, read_bytes, write_atomically
from minilift.poses.body.body import Body

_LARGEST = 1 << 20
_REMEDY = "write it as docs/your-keypoints.md says"


def read_body(path: PathLike) -> Body:
    """Read a body. Raises InputError naming the file, what is wrong in it and what to do."""
    data = read_bytes(path, _REMEDY, first=_LARGEST + 1)
    if len(data) > _LARGEST:
        raise file_error(path, f"has more than {_LARGEST >> 20} MB, so it is no body; {_REMEDY}")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise file_error(path, f"is no JSON ({one_line(str(error), 100)}); {_REMEDY}") from None
    try:
        return Body.from_dict(found)
    except ArgumentError as problem:
        raise file_error(path, f"is no body: {problem}; {_REMEDY}") from None


def write_body(path: PathLike, body: Body) -> None:
    """Write a body as JSON, atomically."""
    text = json.dumps(body.as_dict(), indent=1, allow_nan=False)
    write_atomically(path, lambda file: file.write(text.encode() + b"\n"))
