"""What happens to a training batch: the settings of the augmentation, and their limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from minilift.errors import InputError

_MOST = {
    "flip": 1.0, "body": 1.0, "mix": 1.0, "yaw": 180.0, "tilt": 90.0, "noise": math.inf, "distance": 1.5,
    "joint_dropout": 1.0, "part_dropout": 1.0, "roll": 180.0, "tumble": 1.0, "noise_to": math.inf,
    "outliers": 1.0, "swap": 1.0, "edge": 1.0, "joint_dropout_to": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Augmentation:
    """What happens to a training batch, in this order; all of it is off by default. docs/augmentation.md.

    mix        share of the poses that get limbs of other poses of the batch, with their own bone lengths
    flip       share that is mirrored, left and right exchanged
    body       share that gets a body of other proportions, between its own and one drawn
    tumble     share that is turned any way: lying, upside down
    yaw        degrees: the camera goes round the person by up to so many, to either side
    tilt       degrees: and rises or sinks by up to so many
    elevation  degrees: how high the camera of the data stands on average; the true vertical is so far off
    roll       degrees: the camera is turned about its axis by up to so many
    distance   the camera comes nearer or goes away, by a factor of up to exp(distance) to either side
    noise      standard deviation added to every image coordinate, in the units of joint_2d
    noise_to   the same, but drawn for each pose between 0 and this; a third of the poses stay exact. A
               network that takes noise levels is told, with an error of its own
    outliers   share of the joints that are far off; of half of them the network is told
    swap       share of the poses with left and right limbs exchanged in the image
    edge       share that is cut off at the picture's edge: joints beyond it are hidden
    joint_dropout    share of the keypoints that are hidden: the network is given (0, 0), the root's image, or
               NaN if it takes that
    joint_dropout_to   the same, but drawn for each pose between 0 and this
    part_dropout     share of the poses of which a whole part is hidden too: legs, an arm, a side, the head
    """

    mix: float = 0.0
    flip: float = 0.0
    body: float = 0.0
    yaw: float = 0.0
    tilt: float = 0.0
    elevation: float = 7.5
    distance: float = 0.0
    noise: float = 0.0
    joint_dropout: float = 0.0
    part_dropout: float = 0.0
    tumble: float = 0.0
    roll: float = 0.0
    noise_to: float = 0.0
    outliers: float = 0.0
    swap: float = 0.0
    edge: float = 0.0
    joint_dropout_to: float = 0.0

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

    @property
    def angles(self) -> tuple[float, float, float]:
        """yaw, tilt and elevation in radians."""
        return math.radians(self.yaw), math.radians(self.tilt), math.radians(self.elevation)

    @property
    def hides(self) -> bool:
        """Whether keypoints are hidden."""
        return bool(self.joint_dropout or self.loses_hips)

    @property
    def loses_hips(self) -> bool:
        """Whether keypoints are hidden as it happens: then the root can only be guessed in some poses."""
        return bool(self.part_dropout or self.edge or self.joint_dropout_to)

    @property
    def whole(self) -> Augmentation:
        """The same with every joint there, and no error that a network is told of or has to find."""
        nothing = (
            "joint_dropout",
            "part_dropout",
            "edge",
            "joint_dropout_to",
            "noise_to",
            "outliers",
            "swap",
        )
        return replace(self, **dict.fromkeys(nothing, 0.0))

    @property
    def turns(self) -> bool:
        return bool(self.yaw or self.tilt)

    @property
    def moves(self) -> bool:
        """Whether the camera is another one."""
        return bool(self.turns or self.distance or self.roll or self.tumble)

    @property
    def reshapes(self) -> bool:
        """Whether the image must be projected anew: more than a mirror happens to the 3D pose."""
        return bool(self.moves or self.body or self.mix)
