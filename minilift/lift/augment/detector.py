"""What detectors make of a pose, for NumPy: noise, mistakes, missing joints; arrays are (joints, ..., n)."""

from __future__ import annotations

import numpy as np

from minilift.lift.augment import tables as table
from minilift.lift.augment.hashes import Draws
from minilift.lift.augment.settings import Augmentation
from minilift.poses.layouts import COURSE15

MIRROR = list(COURSE15.mirror)
HIPS = [row for row, joint in enumerate(COURSE15.joints) if "hip" in joint]
IN_PART, IN_SWAP = (
    np.array([[row in part for part in parts] for row in range(table.JOINTS)])
    for parts in (table.PARTS, table.SWAPS)
)
EDGES = np.array(table.EDGES)


class Errors:
    """What is wrong with the image points of a batch.

    off (joints, 2, n) is added to them, None for nothing. told (joints, n) is what the network hears of it:
    a standard deviation for each joint. `detected` (n,) are the poses that are not exact. The sizes are drawn
    as Augmenter says.
    """

    def __init__(self, draws: Draws, settings: Augmentation) -> None:
        self.off: np.ndarray | None = None
        self.told = np.zeros((table.JOINTS, draws.n), draws.dtype)
        self.detected = np.ones(draws.n, bool)
        if settings.noise or settings.noise_to:
            self.off = draws.normals(table.NOISE, 2 * table.JOINTS).reshape(table.JOINTS, 2, draws.n)
            self.off *= self._levels(draws, settings)[:, None] if settings.noise_to else settings.noise
        if settings.outliers:
            self._outliers(draws, settings.outliers)

    def _levels(self, draws: Draws, settings: Augmentation) -> np.ndarray:
        """The true standard deviation of each joint (joints, n); also sets what is told of it."""
        pose = draws.uniform(table.LEVEL, 6)
        part = np.maximum(pose[0] - table.EXACT, 0) / (1 - table.EXACT)
        level = settings.noise_to * part * part
        self.detected = level > 0
        normal = draws.normals(table.LEVEL + 6, 34)
        common, own, heard = normal[0], normal[2:17], normal[18:33]
        true = level * np.exp(table.UNLIKE * pose[1] * own.clip(-table.CLIP, table.CLIP))
        self.told[:] = np.where(pose[2] < table.ALIKE, level, true)
        self.told *= np.exp(table.HEARD * (heard + common))
        return np.sqrt(true * true + settings.noise**2) if settings.noise else true

    def _outliers(self, draws: Draws, share: float) -> None:
        u = draws.uniform(table.OUTLIER, table.JOINTS)
        chosen = (u < share) & self.detected
        near, far = table.FAR
        size = near * np.exp(np.log(far / near) * draws.uniform(table.OUTLYING, table.JOINTS))
        np.copyto(self.told, size, where=chosen & (u < share / 2))
        away = draws.normals(table.OUTWARD, 2 * table.JOINTS).reshape(table.JOINTS, 2, draws.n)
        away *= np.where(chosen, size, 0)[:, None]
        self.off = away if self.off is None else self.off + away

    def add(self, image: np.ndarray, draws: Draws, settings: Augmentation) -> np.ndarray:
        """Image points (joints, 2, n) with these errors, and left and right exchanged in some."""
        if self.off is not None:
            image += self.off
        if not settings.swap:
            return image
        u, count = draws.u[table.SWAP], len(table.SWAPS)
        which = np.minimum(u / u.dtype.type(settings.swap) * count, count - 1).astype(np.intp)
        swapped = IN_SWAP[:, which] & (u < settings.swap) & self.detected
        self.told = np.where(swapped, self.told[MIRROR], self.told)
        return np.where(swapped[:, None], image[MIRROR], image)


# ---- what is missing -----------------------------------------------------------------------------
def hidden(draws: Draws, settings: Augmentation, image: np.ndarray | None) -> np.ndarray:
    """Which joints (joints, n) the network does not see; `edge` needs the image points (joints, 2, n)."""
    u = draws.uniform(table.HIDDEN, table.JOINTS)
    mine = u < settings.joint_dropout
    if settings.joint_dropout_to:
        share = draws.u[table.LOST]
        mine |= draws.uniform(table.LOSING, table.JOINTS) < settings.joint_dropout_to * share * share
    if settings.part_dropout:
        mine |= _part(draws.u[table.PART], settings.part_dropout)
    if settings.edge and image is not None:
        mine |= _beyond(draws, settings.edge, image)
    return mine


def _part(u: np.ndarray, share: float) -> np.ndarray:
    """Which joints (joints, n) a hidden part has, in poses whose uniform number (n,) is below the share."""
    count = len(table.PARTS)
    which = np.minimum(u / u.dtype.type(share) * count, count - 1).astype(np.intp)
    return np.asarray(IN_PART[:, which] & (u < share))


def _beyond(draws: Draws, share: float, image: np.ndarray) -> np.ndarray:
    """Which joints (joints, n) lie beyond the picture's edge."""
    u, count = draws.u[table.EDGE], len(EDGES)
    which = np.minimum(u / u.dtype.type(share) * count, count - 1).astype(np.intp)
    ahead = EDGES[which].T.astype(image.dtype)  # (2, n): the direction of the edge
    along = image[:, 0] * ahead[0] + image[:, 1] * ahead[1]
    most = along.max(axis=0)
    cut = most - table.CUT * draws.u[table.EDGE + 1] * (most - along.min(axis=0))
    return np.asarray((along > cut) & (u < share))


def aim(pose: np.ndarray, draws: Draws, errors: Errors, gone: np.ndarray | None, told: bool) -> None:
    """In place: Rx(b) Ry(a) about the camera, P (joints, xyz, n).

    Where a hip is hidden (joints, n), a and b are normal with deviation AIM_ERROR. With `told`, in half of
    the poses with errors they bring what seems to be the mid-hip to the middle of the image.
    """
    a, b = np.zeros((2, draws.n), pose.dtype)
    if told and errors.off is not None:
        turned = errors.detected & (draws.one(table.LEVEL + 3) < 0.5)
        seems = np.where(turned, 0.5 * (errors.off[HIPS[0]] + errors.off[HIPS[1]]), 0)
        a, b = seems[0], -seems[1]
    if gone is not None:
        off = gone[HIPS[0]] | gone[HIPS[1]]
        pair = table.AIM_ERROR * draws.normals(table.AIM, 2)
        a, b = np.where(off, pair, [a, b]).astype(pose.dtype)
    x, y, z = pose[:, 0], pose[:, 1], pose[:, 2]
    cos, sin = np.cos(a), np.sin(a)
    pose[:, 0], ahead = cos * x + sin * z, cos * z - sin * x
    cos, sin = np.cos(b), np.sin(b)
    pose[:, 1], pose[:, 2] = cos * y - sin * ahead, sin * y + cos * ahead
