"""The thorax that CMU's clips lose on their way to .bvh, put back from the skeleton beside them."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from minilift.errors import InputError
from minilift.files import PathLike
from minilift.poses.clips.doubts import lacks_thorax
from minilift.poses.read.amc import find_skeleton
from minilift.poses.read.asf import read_asf
from minilift.poses.read.clip import Clip

ABOVE = ("Neck", "LeftShoulder", "RightShoulder")
"""What hangs from the thorax. Their OFFSET, zero in such files, is that of the thorax's far end."""

_LIKE_IT = "Spine1"  # the bone below, nearly as long: 0.2 to 1 cm off where both are known


def with_thorax(path: PathLike, clip: Clip, guess: bool = False) -> Clip:
    """The clip with its thorax, and a note; as it is where it lacks none or nothing says how long it is.

    `thorax` of the .asf that belongs to the file says so: direction times length, in the same unit. Where no
    .asf is there, `guess` takes the OFFSET of Spine1. Without either, neck, head and arms sit 9 to 13 cm too
    low.
    """
    if not lacks_thorax(clip):
        return clip
    bone, source = _of_skeleton(path)
    if bone is None and guess and _LIKE_IT in clip.names:
        bone, source = clip.offsets[clip.names.index(_LIKE_IT)], f"as long as {_LIKE_IT}"
    if bone is None or not bone.any():
        return clip
    offsets = clip.offsets.copy()
    offsets[[clip.names.index(name) for name in ABOVE]] = bone
    note = f"the thorax, which the file lacks, put back: {source}"
    return replace(clip, offsets=offsets, notes=(*clip.notes, note))


def _of_skeleton(path: PathLike) -> tuple[np.ndarray | None, str]:
    """The bone `thorax` (3,) of the .asf beside a file, and where it comes from; None where there is none."""
    with suppress(InputError):  # no .asf, several, or a broken one: then nothing is known
        skeleton = find_skeleton(path)
        bones = read_asf(skeleton)
        names = [name.lower() for name in bones.names]
        if "thorax" in names:
            return bones.offsets()[names.index("thorax")], f"from {Path(skeleton).name}"
    return None, ""
