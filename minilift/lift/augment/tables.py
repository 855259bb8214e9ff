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
NORMALS = 16  # and 11 more: a Box-Muller pair in two neighbouring slots
YAW, TILT, DISTANCE = 28, 29, 30
PART = 31  # whether a part is hidden, and which
NOISE = 32  # and 29 more: the pair of x and y, joint after joint
AIM = 62  # and one more: how far the root is from where it is taken to be, in poses whose hips are hidden
HIDDEN = 1 << 30  # and 14 more, joint after joint: behind all other slots of the first 2^24 poses of a batch

PARTS = tuple(
    tuple(row for row, joint in enumerate(COURSE15.joints) if any(word in joint for word in words.split()))
    for words in (
        "ankle", "knee ankle", "hip knee ankle", "left_elbow left_wrist", "right_elbow right_wrist", "wrist",
        "left_", "right_", "head", "spine hip knee ankle",
    )
)  # fmt: skip
"""What detectors miss together: what lies below the picture, behind a table, or behind the person."""

AIM_ERROR = 0.015
"""Radians, the standard deviation of that along each axis: an eighth of a trunk of 0.5 m, seen from 4 m."""

TAKEN = 0.75  # of a mixed pose's limbs, how many are another's
NEAREST = -0.2  # z: no joint comes nearer to the camera than a fifth of its distance from the root
CLIP = 2.5  # standard deviations of a body's factors
TINY = 1e-24  # added to squares of lengths: a bone of length 0 has the direction 0, not NaN

SEGMENTS = ("thigh", "shin", "hip", "low", "high", "head", "shoulder", "upper_arm", "forearm", "drop")
"""Half the hips' distance is `hip`, half the shoulders' is `shoulder`; `low` and `high` are root to spine to
neck. `drop` is no length but what the way from the neck to the middle of the shoulders is multiplied by."""

FACTORS = 14
"""Twelve normal numbers, cut off at CLIP; t = 2u - 1 for the head; max(2u - 1, 0) for the ankle. The first
twelve are: 0 legs against trunk, 1 arms, 2 thigh against shin, 3 hips' width, 4 trunk, 5 where the spine
joint is, 6 shoulders' width, 7 their drop, 8 upper arm against forearm, 9 upper arm, 10 forearm, 11 head."""

_BODY: dict[str, tuple[float, dict[int, float]]] = {
    "thigh": (0.245, {0: 0.025, 2: 0.028}),
    "shin": (0.246, {0: 0.025, 2: -0.028, 13: 0.148}),
    "hip": (0.053, {3: 0.18}),
    "low": (0.133, {0: -0.025, 4: 0.05, 5: 0.16}),
    "high": (0.169, {0: -0.025, 4: 0.05, 5: -0.125}),
    "head": (0.0793, {12: 0.76, 11: 0.04}),
    "shoulder": (0.079, {6: 0.2}),
    "upper_arm": (0.167, {0: 0.015, 1: 0.025, 8: 0.02, 9: 0.035}),
    "forearm": (0.145, {0: 0.015, 1: 0.025, 8: -0.02, 10: 0.035}),
    "drop": (1.0, {7: 0.4}),
}
MEANS = tuple(_BODY[name][0] for name in SEGMENTS)
LOADINGS = tuple(tuple(_BODY[name][1].get(k, 0.0) for k in range(FACTORS)) for name in SEGMENTS)
"""A body is segment_i = MEANS_i exp(sum_k LOADINGS_ik factor_k), as a fraction of an average person's stature
(drop: a factor). docs/augmentation.md has the sources. The middle of each range lies between people and
skeletons of data sets; the spread is people's together with that of what data sets call the joint."""
