"""What one view needs besides the geometry, on the device that the operations are of."""

from __future__ import annotations

from minilift.lift.weak.one_view import cupy_one_view, numpy_one_view
from minilift.ops import Array, Ops

FARTHEST = 30.0
"""Of a discriminator that is surer than exp(30) to 1, the gradient does not grow any more."""


def turned_against(ops: Ops, scores: Array, dimages: Array, weight: float, total: Array, out: Array) -> Array:
    """The generator's loss and gradient out of the discriminator's.

    scores (n, 2) of fake images, real and fake, s their difference; dimages (n, C) the gradient by the images
    of 1/(2n) sum softplus(s):

        total += weight/n sum softplus(-s),   out = -2 weight exp(-s) dimages,   s at least -FARTHEST
    """
    twin = numpy_one_view if ops.device == "cpu" else cupy_one_view
    twin.turned_against(ops, scores, dimages, weight, total, out, FARTHEST)
    return out
