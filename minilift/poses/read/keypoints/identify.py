"""Which format a document has: by its content, or as the user says; and what it is if it has none."""

from __future__ import annotations

import difflib
import io

from minilift.errors import ArgumentError
from minilift.files import file_error
from minilift.files.what import wrong_kind
from minilift.poses.read.keypoints.document import JSON, Document
from minilift.poses.read.keypoints.formats import FORMATS, Format
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.read.keypoints.refused import REFUSED

_SHORT = {"movenet": "movenet-npy", "coco": "coco-result", "yolo": "yolo-txt", "mmpose": "mmpose1"}


def format_named(name: str) -> Format:
    """The format of that name. Raises ArgumentError for a name that is none."""
    known = {row.name: row for row in FORMATS}
    wanted = _SHORT.get(name.lower(), name.lower())
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, 1)
        meant = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
        raise ArgumentError("format", name, f"unknown; {meant}")
    return known[wanted]


def identify(document: Document, asked: Asked) -> Format:
    """The row of FORMATS. Raises InputError for what is refused by name, or of no known format."""
    for kind in REFUSED:
        if document.kind in kind.kinds and kind.fits(document):
            raise file_error(document.path, kind.problem)
    if document.kind == JSON:
        _ = document.json  # broken JSON says where
    if asked.format is not None:
        wanted = format_named(asked.format)
        if document.kind not in wanted.kinds or not _may_be(wanted, document):
            problem = f"is no {wanted.name} file ({wanted.about})"
            raise file_error(document.path, f"{problem}; leave format out, or give another")
        return wanted
    for known in FORMATS:
        if document.kind in known.kinds and known.fits(document):
            return known
    remedy = "docs/your-keypoints.md lists the formats; minilift reads keypoints of 2D detectors"
    if document.kind == JSON:
        raise file_error(document.path, f"is JSON without keypoints of a known format; {remedy}")
    raise wrong_kind(document.path, io.BytesIO(document.content), "a file of 2D keypoints", remedy)


def _may_be(wanted: Format, document: Document) -> bool:
    """A format that is asked for fits, or it is one of arrays, whose shape its reader judges."""
    return wanted.fits(document) or wanted.name.endswith("npy")
