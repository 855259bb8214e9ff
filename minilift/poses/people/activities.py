"""Draw what people do: joint angles about the key poses, gestures and gait curves, with correlated noise."""

import difflib
import math
from collections.abc import Mapping

import numpy as np

from minilift.errors import InputError
from minilift.poses.people.body import ANGLES, ARMS, LEGS, LIMITS, clip_to_limits
from minilift.poses.people.gait import gait_angles
from minilift.poses.people.gestures import GESTURES
from minilift.poses.people.keyposes import TRACKS
from minilift.poses.people.shares import ACTIVITIES, EVERYDAY

_GAITS = ("walking", "running")

_SPREAD = {
    "pelvis_pitch": 3,
    "pelvis_roll": 1.5,
    "pelvis_turn": 3,
    "spine_flex": 5,
    "spine_side": 3,
    "spine_twist": 5,
    "head_flex": 9,
    "head_side": 5,
    "head_twist": 18,
    "hip_flex": 3,
    "hip_abduct": 3,
    "hip_rotate": 5,
    "knee_flex": 5,
    "shoulder_flex": 7,
    "shoulder_abduct": 5,
    "shoulder_rotate": 9,
    "elbow_flex": 9,
}
"""Standard deviation, in degrees, of each angle about its key pose."""


def _noise_factor() -> np.ndarray:
    """Return (A, A): times white noise it gives angle noise with the right spread and correlations.

    Left and right limbs share half their variance; a back that bends more carries the head higher; feet
    stay put: the hips take back the pelvis's pitch and half the knee's bend.
    """
    spread = [_SPREAD[name] if name in _SPREAD else _SPREAD[name.partition("_")[2]] for name in ANGLES]
    correlation = np.eye(len(ANGLES))
    for right in range(LEGS.start, ARMS.stop, 2):
        correlation[right, right + 1] = correlation[right + 1, right] = 0.5
    factor = np.array(spread)[:, None] * np.linalg.cholesky(correlation)
    row = {name: factor[i] for i, name in enumerate(ANGLES)}
    row["head_flex"] -= 0.5 * row["spine_flex"]
    for side in ("right", "left"):
        row[f"{side}_hip_flex"] += row["pelvis_pitch"] + 0.5 * row[f"{side}_knee_flex"]
    return factor


_NOISE = _noise_factor()
_HINGES = [i for i, name in enumerate(ANGLES) if name.endswith(("knee_flex", "elbow_flex"))]

# Rows of tracks: those of key poses, then one for each gait.
_TRACK_NAMES = [track.activity for track in TRACKS] + list(_GAITS)
_TRACK_ACTIVITY = np.array([ACTIVITIES.index(name) for name in _TRACK_NAMES], dtype=np.int8)
_TRACK_FREE = np.array([track.free for track in TRACKS] + [0.2, 0.0])
_TRACK_LOOSE = np.array([track.loose for track in TRACKS] + [1.0, 1.0])
_KEYS = np.concatenate([track.keys for track in TRACKS]).T.copy()
_LAST_KEY = np.cumsum([len(track.keys) for track in TRACKS]) - 1
_FIRST_KEY = np.concatenate([[0], _LAST_KEY[:-1] + 1])
_GESTURE_ARMS = np.stack([gesture.arms for gesture in GESTURES], axis=1)
_GESTURE_LOOSE = np.array([gesture.loose for gesture in GESTURES])
_GESTURE_CUMULATIVE = np.cumsum([gesture.weight for gesture in GESTURES])


def _track_cumulative(shares: Mapping[str, float]) -> np.ndarray:
    """Return the running sum of the chances of each track. Raises InputError for shares that are none."""
    for name, share in shares.items():
        if name not in ACTIVITIES:
            near = difflib.get_close_matches(name, ACTIVITIES, 1) or ACTIVITIES
            raise InputError(f"activity {name!r}: there is none of that name; use {', '.join(near)}")
        if not 0 <= share < math.inf:
            raise InputError(f"activity {name!r}: a share of {share}; choose 0 or more")
    weight = np.array([track.weight for track in TRACKS] + [1.0] * len(_GAITS))
    total = np.bincount(_TRACK_ACTIVITY, weights=weight)
    common = np.array([shares.get(name, 0.0) for name in ACTIVITIES])
    if not common.any():
        raise InputError("activities: all shares are 0; choose one above 0")
    return np.cumsum(weight * (common / total)[_TRACK_ACTIVITY])


def _pick(rng: np.random.Generator, cumulative: np.ndarray, n: int) -> np.ndarray:
    """Draw n rows with the given cumulative weights."""
    rows = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    return np.minimum(rows, len(cumulative) - 1)


def _gesture_arms(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return arm rows (8, n) of random gestures, a third of them mixed of two, and how loose each is (n,)."""
    first, second = _pick(rng, _GESTURE_CUMULATIVE, n), _pick(rng, _GESTURE_CUMULATIVE, n)
    arms = _GESTURE_ARMS[:, first]
    swapped = arms.reshape(4, 2, n)[:, ::-1].reshape(8, n)
    arms = np.where(rng.random(n) < 0.5, swapped, arms)
    mixed = rng.random(n) < 0.33
    arms[1::2] = np.where(mixed, _GESTURE_ARMS[1::2, second], arms[1::2])
    loose = _GESTURE_LOOSE[first]
    return arms, np.where(mixed, np.maximum(loose, _GESTURE_LOOSE[second]), loose)


def draw_angles(
    rng: np.random.Generator, n: int, shares: Mapping[str, float] = EVERYDAY
) -> tuple[np.ndarray, np.ndarray]:
    """Return joint angles (A, n) of n people, within the limits, and the activity (n,) of each as int8.

    `shares` says how common each activity is, by its name; what it lacks does not come. Raises InputError for
    other names, and for shares below 0 or all 0.
    """
    track = _pick(rng, _track_cumulative(shares), n)
    keyed = np.minimum(track, len(TRACKS) - 1)
    first, last = _FIRST_KEY[keyed], _LAST_KEY[keyed]
    place = first + rng.random(n) * (last - first)
    start = place.astype(np.intp)
    angles = _KEYS[:, start]
    angles += (_KEYS[:, np.minimum(start + 1, last)] - angles) * (place - start)
    for number, kind in enumerate(_GAITS, start=len(TRACKS)):
        people = np.flatnonzero(track == number)
        angles[:, people] = gait_angles(kind, rng, len(people))
    free = rng.random(n) < _TRACK_FREE[track]
    arms, loose = _gesture_arms(rng, n)
    angles[ARMS] = np.where(free, arms, angles[ARMS])
    noise = _NOISE @ rng.standard_normal(angles.shape)
    noise *= _TRACK_LOOSE[track]
    noise[ARMS] *= np.where(free, loose, 1.0)
    angles += noise
    # A straight knee strays into a slight bend; clipping alone would pile people up at exactly 0.
    angles[_HINGES] = np.abs(angles[_HINGES])
    return clip_to_limits(angles), _TRACK_ACTIVITY[track]


def draw_free_angles(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return joint angles (A, n) of n people who do nothing in particular: anywhere within the limits.

    Every angle is drawn on its own, more often from the middle of its range; a third of the knees and elbows
    are nearly straight. Two thirds of the people are more or less upright, the others bent, tilted or lying.
    """
    low, high = LIMITS[:, :1], LIMITS[:, 1:]
    angles = low + (high - low) * rng.beta(2, 2, (len(ANGLES), n))
    straight = rng.random((len(_HINGES), n)) < 1 / 3
    angles[_HINGES] = np.where(straight, np.abs(rng.normal(0, 12, straight.shape)), angles[_HINGES])
    pitch, roll, turn = (ANGLES.index(f"pelvis_{name}") for name in ("pitch", "roll", "turn"))
    upright = rng.random(n) < 2 / 3
    angles[pitch] = np.where(upright, rng.normal(5, 20, n), rng.uniform(-100, 100, n))
    angles[roll] = rng.normal(0, np.where(upright, 8, 40))
    angles[turn] = rng.normal(0, 15.0, n)
    return clip_to_limits(angles)
