"""Walking and running: joint angles over the gait cycle as short Fourier series."""

import numpy as np

from minilift.poses.people.body import ANGLES

# Degrees every 10% of the cycle from one heel strike to the next, rounded. Walking follows the mean curves at
# natural cadence of Winter, The Biomechanics and Motor Control of Human Gait (1987); running those of
# Novacheck, The biomechanics of running, Gait and Posture 7 (1998). A hip angle here is the thigh's from
# straight down.
_WALK_HIP = (20, 17, 10, 2, -6, -11, -5, 9, 19, 22)
_WALK_KNEE = (5, 17, 18, 12, 7, 12, 35, 62, 54, 22)
_RUN_HIP = (34, 29, 18, 4, -7, -5, 12, 33, 46, 45)
_RUN_KNEE = (18, 36, 42, 34, 24, 48, 82, 92, 66, 30)
_HARMONICS = 4


def _series(samples: tuple[int, ...]) -> np.ndarray:
    """Return the complex Fourier coefficients 0 to _HARMONICS of one period."""
    coefficients = np.fft.rfft(samples)[: _HARMONICS + 1] / len(samples)
    coefficients[1:] *= 2
    return coefficients


_CURVES = {
    "walking": (_series(_WALK_HIP), _series(_WALK_KNEE)),
    "running": (_series(_RUN_HIP), _series(_RUN_KNEE)),
}


def _evaluate(series: np.ndarray, turn: np.ndarray, effort: np.ndarray) -> np.ndarray:
    """Return the curve at exp(2 pi i phase) = `turn`, its swing about the mean times `effort`."""
    total = np.zeros_like(turn)
    for coefficient in series[:0:-1]:
        total = (total + coefficient) * turn
    return np.asarray(series[0].real + effort * total.real)


def gait_angles(kind: str, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return (A, n) angles of n people "walking" or "running", each at a random moment and effort.

    The left leg is half a cycle behind the right. Arms swing with the opposite leg (walking about 25
    degrees back and 10 forward: Murray, Am. J. Phys. Med. 46, 1967); pelvis and shoulders turn against
    each other by a few degrees.
    """
    running = kind == "running"
    effort = rng.uniform(0.7, 1.25, n)
    turn = np.exp(2j * np.pi * rng.random(n))
    angles = np.zeros((len(ANGLES), n))
    row = {name: angles[i] for i, name in enumerate(ANGLES)}
    hip, knee = _CURVES[kind]
    lean = rng.uniform(4, 14, n) * effort if running else rng.uniform(-2, 5, n)
    row["pelvis_pitch"][:] = 0.6 * lean
    row["spine_flex"][:] = 0.4 * lean + 2
    row["head_flex"][:] = 8 - 0.5 * lean
    row["pelvis_turn"][:] = (7 if running else 5) * effort * turn.real
    row["spine_twist"][:] = (-18 if running else -11) * effort * turn.real
    bent = rng.uniform(70, 110, n) if running else rng.uniform(8, 40, n)
    swing, back = (32, -8) if running else (18, -5)
    for side, phase in (("right", turn), ("left", -turn)):
        row[f"{side}_hip_flex"][:] = _evaluate(hip, phase, effort) + row["pelvis_pitch"]
        row[f"{side}_hip_abduct"][:] = 2 if running else 3
        row[f"{side}_hip_rotate"][:] = 4
        row[f"{side}_knee_flex"][:] = _evaluate(knee, phase, effort)
        row[f"{side}_shoulder_flex"][:] = back - swing * effort * phase.real
        row[f"{side}_shoulder_abduct"][:] = 14 if running else 8
        row[f"{side}_shoulder_rotate"][:] = -22 if running else -12
        row[f"{side}_elbow_flex"][:] = bent - (12 if running else 8) * phase.real
    return angles
