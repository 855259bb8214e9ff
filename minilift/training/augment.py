"""Augmentation of training batches: more people, cameras and noise than the data have."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from minilift.errors import InputError
from minilift.ops import Array, Ops
from minilift.ops.augment_plan import ROLES, AugmentPlan
from minilift.ops.base import dropout_key
from minilift.pose.skeleton import COURSE15, Skeleton

STREAM = 1 << 20  # of dropout_key: no layer has such a number

_MOST = {"flip": 1.0, "body": 1.0, "mix": 1.0, "yaw": 180.0, "tilt": 90.0, "noise": math.inf, "distance": 1.0}


@dataclass(frozen=True)
class Augmentation:
    """What happens to a training batch, in this order; all of it is off by default. docs/augmentation.md.

    mix        share of the poses that get limbs of other poses of the batch, with their own bone lengths
    flip       share that is mirrored, left and right exchanged
    body       share that gets a body of other proportions, between its own and one drawn
    yaw        degrees: the camera goes round the person by up to so many, to either side
    tilt       degrees: and rises or sinks by up to so many
    elevation  degrees: how high the camera of the data stands on average; the true vertical is so far off
    distance   the camera comes nearer or goes away, by a factor of up to exp(distance) to either side
    noise      standard deviation added to every image coordinate, in the units of joint_2d
    """

    mix: float = 0.0
    flip: float = 0.0
    body: float = 0.0
    yaw: float = 0.0
    tilt: float = 0.0
    elevation: float = 7.5
    distance: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if not 0 <= value <= most or math.isinf(value):
                limit = "of at least 0" if math.isinf(most) else f"from 0 to {most:g}"
                raise InputError(f"augmentation: {name} must be a number {limit}, got {value}")
        if not -90 <= self.elevation <= 90:
            raise InputError(f"augmentation: elevation must be from -90 to 90 degrees, got {self.elevation}")

    @property
    def active(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self) if field.name != "elevation")

    def plan(self, skeleton: Skeleton = COURSE15) -> AugmentPlan:
        """The same for the operations, which know neither degrees nor names of joints."""
        return AugmentPlan(
            order=tuple(skeleton.index(role) for role in ROLES),
            flip=self.flip,
            noise=self.noise,
            yaw=math.radians(self.yaw),
            tilt=math.radians(self.tilt),
            elevation=math.radians(self.elevation),
            distance=self.distance,
            body=self.body,
            mix=self.mix,
        )


class Augmenter:
    """Augments batches of up to `rows` poses. Gather a batch into `sources`, x (rows, 30) and y (rows, 45),
    and call it: what it writes depends on them, the settings, the seed and the step, on any device."""

    def __init__(self, settings: Augmentation, ops: Ops, rows: int, seed: int) -> None:
        self.settings, self.ops, self.seed, self.plan = settings, ops, seed, settings.plan()
        joints = len(COURSE15)
        self.sources: tuple[Array, Array] = ops.empty((rows, 2 * joints)), ops.empty((rows, 3 * joints))

    def key(self, step: int) -> tuple[int, int]:
        """The key of the random numbers of a step."""
        return dropout_key(self.seed, STREAM, step)

    def __call__(self, step: int, x: Array, y: Array) -> None:
        """x (n, 30), y (n, 45) <- the first n poses of `sources`, augmented."""
        n = len(y)
        source_x, source_y = (source[:n] for source in self.sources)
        self.ops.augment(source_x, source_y, self.plan, self.key(step), x, y)
