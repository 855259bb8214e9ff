"""The head that gives depths: joints on the rays through their image points."""

from minilift.lift.rays.layer import Rays
from minilift.lift.rays.operations import rays, rays_backward
from minilift.lift.rays.place import Given, Place, Reliability
from minilift.lift.rays.placing import Placing
from minilift.lift.rays.size import Sized, Unsized, WithSize

__all__ = [
    "Given",
    "Place",
    "Placing",
    "Rays",
    "Reliability",
    "Sized",
    "Unsized",
    "WithSize",
    "rays",
    "rays_backward",
]
