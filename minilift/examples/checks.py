"""What the networks of the examples ask of real data, said in one line where it is not so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilift.errors import ArgumentError
from minilift.examples.conv_nets import CLASSES
from minilift.files import file_error
from minilift.images.pictures import Pictures, PointPictures
from minilift.nn import BatchNorm1d, Network

FEWEST = 10  # pictures, so that some can be held out
SMALLEST = 8  # pixels of a side, which three poolings of 2 make 1


def check_shape(path: str, sets: Sequence[Pictures], shape: tuple[int, int, int]) -> None:
    """Raises InputError unless there are some and all have this shape: channels, height, width."""
    for pictures in sets:
        check_enough(path, len(pictures))
        if pictures.shape != shape:
            has, wanted = (" x ".join(map(str, s)) for s in (pictures.shape, shape))
            raise file_error(path, f"pictures of {has}, these networks take {wanted}; give that set")


def check_enough(path: str, count: int) -> None:
    if count < FEWEST:
        raise file_error(path, f"{count} pictures are too few to train or to test with; give {FEWEST}")


def check_folders(path: str, train: Sequence[Pictures], test: Sequence[Pictures]) -> None:
    """Raises InputError where both parts have not the same classes, more than ten, or tiny pictures."""
    ours, theirs = train[0].classes, test[0].classes
    if ours != theirs:
        odd = sorted(set(ours) ^ set(theirs))[0]
        raise file_error(path, f"class {odd} is in one of train and test alone; give both the same folders")
    if len(ours) > CLASSES:
        raise file_error(path, f"{len(ours)} class folders, the network has {CLASSES}; leave some out")
    check_enough(path, sum(map(len, train)))
    smallest = min(min(pictures.shape[1:]) for pictures in (*train, *test))
    if smallest < SMALLEST:
        raise file_error(path, f"a picture {smallest} pixels wide or high; at least {SMALLEST} are needed")


def check_points(path: str, sets: Sequence[PointPictures], smallest: int) -> None:
    """Raises InputError where the tables are not of the same points and size, or the pictures too small."""
    first = sets[0]
    for other in sets[1:]:
        if (other.names, other.pixels.shape[1:]) != (first.names, first.pixels.shape[1:]):
            raise file_error(path, "the tables have other points or sizes of pictures; give those of one set")
    check_enough(path, len(first))
    if first.pixels.shape[2] < smallest:
        side = first.pixels.shape[2]
        raise file_error(path, f"pictures of {side} x {side} pixels; at least {smallest} are needed")


def check_steps(network: Network, size: int) -> None:
    """Raises ArgumentError where a step has one picture, over which a unit has no variance to divide by."""
    if size == 1 and any(type(layer) is BatchNorm1d for _, layer in network.modules()):
        raise ArgumentError("batch_size", 1, "batch norm needs more than one picture; give 2 or more")


def hold_out(sets: Sequence[Pictures], share: float, seed: int) -> tuple[list[Pictures], list[Pictures]]:
    """Of every resolution a share to validate; of those with a single picture, that share of them.

    Raises ValueError where that leaves either part empty.
    """
    several = [s.split(share, seed) for s in sets if len(s) > 1]
    single = [s for s in sets if len(s) == 1]
    order = np.random.default_rng(seed).permutation(len(single))
    count = round(share * len(single))
    train = [a for a, _ in several] + [single[i] for i in sorted(order[count:])]
    val = [b for _, b in several] + [single[i] for i in sorted(order[:count])]
    if not train or not val:
        raise ValueError(f"{sum(map(len, sets))} pictures are too few to hold some out")
    return train, val
