"""The head that gives depths: joints on the rays through their image points."""

from minilift.lift.rays.layer import Rays
from minilift.lift.rays.operations import rays, rays_backward

__all__ = ["Rays", "rays", "rays_backward"]
