"""The discriminator's side of a step: which images are of the data, and which of turned predictions?

It is a classifier of two classes, and its loss the cross-entropy. With s = l_real - l_fake that is the usual

    L_D = 1/(2n) sum_real softplus(-s) + 1/(2n) sum_fake softplus(s),     L_G = 1/n sum_fake softplus(-s)

(Goodfellow et al., arXiv:1406.2661, with the loss of the generator that does not saturate, section 3).

No row sees another. So the gradients of both losses by a fake image are multiples of the same vector:

    dL_D/ds = sigma(s) / (2n),   dL_G/ds = -sigma(-s) / n,   dL_G/du = -2 exp(-s) dL_D/du

and one pass back through the discriminator serves both.
"""

from __future__ import annotations

import numpy as np

from minilift.lift.model import LiftModel
from minilift.lift.weak.one_view import operations
from minilift.ops import Array

NOISE = 0.02
"""What is added to the images, in standard deviations of the data: no sharp edge shall tell them apart."""
STREAM = 5  # of random numbers


class Judge:
    """One pass of the discriminator over real and fake images, forward and back."""

    def __init__(self, network: LiftModel, unit: float, weight: float, seed: int) -> None:
        self.network, self.ops, self.seed = network, network.ops, seed
        self.noise, self.weight = NOISE * unit, weight
        self._classes: Array | None = None
        self.share = 0.0
        """Of the latest images, the share that was told right."""

    def classes(self, n: int) -> Array:
        """0 for n real images, then 1 for as many fake ones."""
        if self._classes is None or len(self._classes) != 2 * n:
            self._classes = self.ops.asindex(np.repeat([0, 1], n))
        return self._classes

    def __call__(
        self, step: int, real: Array, fake: Array, total: Array, own: Array, accuracy: Array
    ) -> Array:  # fmt: skip
        """Real and fake images (n, 2J). Adds `weight` L_G to total, L_D to own and the share told right to
        `accuracy`. The gradients of the discriminator are those of L_D; returns that of weight L_G by the
        fake images. Waits for the device."""
        ops, (n, columns) = self.ops, real.shape
        both = ops.scratch("both images", (2 * n, columns))
        ops.copy(real, out=both[:n])
        ops.copy(fake, out=both[n:])
        drawn = ops.generator((self.seed, step, STREAM)).standard_normal(both.shape, dtype=np.float32)
        noise = ops.scratch("image noise", both.shape)
        ops.copy((self.noise * drawn).astype(ops.dtype), out=noise)
        ops.add(both, noise, out=both)
        scores, classes = self.network.forward(both, True), self.classes(n)
        grad = ops.scratch("dscores", scores.shape)
        ops.cross_entropy(scores, classes, grad, own)
        ops.accuracy(scores, classes, accuracy)
        told = np.argmax(ops.to_host(scores), axis=1) == np.repeat([0, 1], n)
        self.share = float(told.mean())
        dimages = self.network.backward(grad)
        out = ops.scratch("dfake", fake.shape)
        operations.turned_against(ops, scores[n:], dimages[n:], self.weight, total, out)
        return out
