"""The door: keypoints of a file or folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from minilift.files import PathLike, file_error
from minilift.poses.keypoints import Keypoints
from minilift.poses.read.keypoints.document import Document
from minilift.poses.read.keypoints.folder import files_in, first_format, read_frames
from minilift.poses.read.keypoints.identify import identify
from minilift.poses.read.keypoints.numeric.course import stands_for
from minilift.poses.read.keypoints.raw import Asked
from minilift.poses.read.keypoints.settle.assemble import assemble


def load_keypoints(path: PathLike, asked: Asked | None = None) -> Keypoints:
    """The keypoints of a file, or of a folder with a file for each frame.

    Format and layout are found out, unless `asked` says them. Raises InputError naming the file: missing, of
    no known format, broken, 3D already, without people; ArgumentError for what has to be said: a layout that
    the evidence does not tell, a size without which fractions are no pixels.
    """
    asked = asked or Asked()
    if Path(path).is_dir():
        return load_frames(path, files_in(path), asked)
    document = Document(stands_for(path))
    known = identify(document, asked)
    if known.one_frame:
        return load_frames(path, [Path(path)], asked)
    return assemble(known.read(document, asked), path, known.name, asked)


def load_frames(name: PathLike, files: list[Path], asked: Asked) -> Keypoints:
    """A clip whose frames have a file each; `name` is what messages call it.

    Raises InputError as `load_keypoints`, and where the files are clips of their own, not frames.
    """
    known = first_format(files, asked)
    if not known.one_frame:
        if len(files) == 1:
            return load_keypoints(files[0], asked)
        problem = f"its files are clips of their own ({known.name}), not frames of one"
        raise file_error(name, f"{problem}; give one of them, such as {files[0].name}")
    raw, bad = read_frames(name, files, known, asked)
    return replace(assemble(raw, name, known.name, asked), bad=tuple(bad))
