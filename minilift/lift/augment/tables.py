"""The tables that both backends share: limbs, bodies, and where the random numbers of a pose come from."""

from __future__ import annotations

from minilift.poses.layouts import COURSE15

JOINTS = len(COURSE15)
MIRROR = COURSE15.mirror
LIMBS = ((0, 1, 2), (3, 4, 5), (9, 10, 11), (12, 13, 14))  # two legs, two arms: where it hangs, middle, end

# The random numbers of a pose are hashes of pose * SLOTS + slot; augment.cu has the same slots.
SLOTS = 64
FLIP, MIX = 0, 1
LEGS, ARMS = 2, 7  # and 4 more: both limbs together; taken and donor of the first, then of the second
BODY, SHARE, HEAD, ANKLE = 12, 13, 14, 15
CHILD, ROLL = 16, 17
TUMBLE, EDGE, SWAP, LOST = 18, 22, 24, 25  # 4 of them: whether, and three; 2: whether, and where; 1; 1
YAW, TILT, DISTANCE = 28, 29, 30
PART = 31  # whether a part is hidden, and which
NOISE = 32  # and 29 more: the pair of x and y, joint after joint
AIM = 62  # and one more: how far the root is from where it is taken to be, in poses whose hips are hidden
# Behind the slots of the first 2^24 poses of a batch there are three banks of 64 more for each pose
HIDDEN = 1 << 30  # and 14 more, joint after joint
LOSING = HIDDEN + 16  # and 14 more, for a share that is drawn for the pose
NORMALS = HIDDEN + 32  # and 15 more: a Box-Muller pair in two neighbouring slots
LEVEL = 2 << 30  # the level; how unlike joints are; whether one is told for all; whether turned; 6 pad
OUTLIER = 3 << 30  # and 14 more: which
OUTLYING, OUTWARD = OUTLIER + 15, OUTLIER + 32  # how far, joint after joint; the pair of x and y of each

PARTS = tuple(
    tuple(row for row, joint in enumerate(COURSE15.joints) if any(word in joint for word in words.split()))
    for words in (
        "ankle", "knee ankle", "hip knee ankle", "left_elbow left_wrist", "right_elbow right_wrist", "wrist",
        "left_", "right_", "head", "spine hip knee ankle",
    )
)  # fmt: skip
"""What detectors miss together: what lies below the picture, behind a table, or behind the person."""

SWAPS = tuple(
    tuple(row for row, joint in enumerate(COURSE15.joints) if any(word in joint for word in words.split()))
    for words in (
        "hip knee ankle",
        "knee ankle",
        "ankle",
        "shoulder elbow wrist",
        "elbow wrist",
        "wrist",
        "_",
    )
)
"""What detectors take for the other side's: the last is all of the limbs."""

EDGES = ((0.0, -1.0), (0.0, -1.0), (0.0, -1.0), (0.0, 1.0), (-1.0, 0.0), (1.0, 0.0))
"""Directions of the picture's edge, out of the picture: half of them below, where people are cut most."""

CUT = 0.6  # of a person's extent, the most that lies beyond the edge
EXACT = 1 / 3  # share of the poses whose points are exact: what is learned for them must not be lost
UNLIKE = 0.6  # at most: standard deviation of the logarithm of a joint's noise within a pose
ALIKE = 1 / 3  # share of the poses of which one level is told for all joints
HEARD = 0.2  # error of the logarithm of what is told: of the pose, and of each joint
FAR = 0.02, 0.12  # image units: how far off outliers are, 5 to 30 times 4 pixels at f = 1000

AIM_ERROR = 0.015
"""Radians, the standard deviation of that along each axis: an eighth of a trunk of 0.5 m, seen from 4 m."""

TAKEN = 0.75  # of a mixed pose's limbs, how many are another's
NEAREST = -0.2  # z: no joint comes nearer to the camera than a fifth of its distance from the root
CLIP = 2.5  # standard deviations of a body's factors
TINY = 1e-24  # added to squares of lengths: a bone of length 0 has the direction 0, not NaN

SEGMENTS = ("thigh", "shin", "hip", "low", "high", "head", "shoulder", "upper_arm", "forearm", "drop")
"""Half the hips' distance is `hip`, half the shoulders' is `shoulder`; `low` and `high` are root to spine to
neck. `drop` is no length but what the way from the neck to the middle of the shoulders is multiplied by."""

NORMAL = 16
FACTORS = NORMAL + 3
"""Sixteen normal numbers, cut off at CLIP; t = 2u - 1 for the head; max(2u - 1, 0) for the ankle; and
max(2u - 1, 0)^2 for a child: half are adults. The first eight are what people vary by, PEOPLE, the others
what data sets call a joint: 8 how high and wide the hips, 9 how high the neck, 10 where the spine joint is,
11 how wide the shoulders, 12 their drop, 13 where the elbow, 14 the wrist, 15 the knee."""

PEOPLE: dict[str, tuple[float, ...]] = {
    "thigh": (0.076,),
    "shin": (0.038, 0.050),
    "trunk": (0.026, 0.018, 0.068),
    "head": (0.014, 0.008, 0.013, 0.050),
    "shoulder": (0.043, 0.014, 0.042, -0.002, 0.046),
    "hip": (0.014, 0.015, 0.019, 0.001, -0.001, 0.064),
    "upper_arm": (0.045, 0.027, 0.020, -0.001, 0.003, 0.002, 0.029),
    "forearm": (0.055, 0.029, 0.022, -0.003, 0.012, -0.007, 0.007, 0.036),
}
"""The Cholesky factor of the covariance of the logarithms of these measurements of 6,068 adults of ANSUR II,
men and women together (docs/augmentation.md has which): people who have long legs have short trunks for their
stature, and long forearms go with long upper arms."""
WIDER = 1.1  # than those: soldiers are fit, and of working age

_BODY: dict[str, tuple[float, str, dict[int, float]]] = {
    "thigh": (0.245, "thigh", {8: 0.015, 15: 0.020}),
    "shin": (0.246, "shin", {15: -0.020, 17: 0.148}),
    "hip": (0.053, "hip", {8: 0.16, 18: 0.08}),
    "low": (0.133, "trunk", {8: -0.02, 10: 0.16, 18: 0.15}),
    "high": (0.169, "trunk", {9: 0.08, 10: -0.125, 18: 0.15}),
    "head": (0.0793, "head", {16: 0.70, 9: -0.10, 18: 0.25}),
    "shoulder": (0.088, "shoulder", {11: 0.18, 18: 0.10}),
    "upper_arm": (0.170, "upper_arm", {11: 0.050, 13: 0.020, 18: 0.04}),
    "forearm": (0.140, "forearm", {13: -0.025, 14: 0.090, 18: 0.04}),
    "drop": (1.0, "", {9: 0.25, 12: 0.32}),
}


def _loadings(people: str, definitions: dict[int, float]) -> tuple[float, ...]:
    row = [WIDER * loading for loading in PEOPLE.get(people, ())]
    row += [0.0] * (FACTORS - len(row))
    for factor, loading in definitions.items():
        row[factor] = loading
    return tuple(row)


MEANS = tuple(_BODY[name][0] for name in SEGMENTS)
LOADINGS = tuple(_loadings(*_BODY[name][1:]) for name in SEGMENTS)
"""A body is segment_i = MEANS_i exp(sum_k LOADINGS_ik factor_k), as a fraction of an average person's stature
(drop: a factor). docs/augmentation.md has the sources. The middle of each range lies between people and
skeletons of data sets; the spread is people's together with that of what data sets call the joint."""
