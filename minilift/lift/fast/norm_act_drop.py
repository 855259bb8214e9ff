"""What training spends its time on, with less to store and fewer passes."""

from __future__ import annotations

from minilift.nn.batchnorm import BatchNorm1d
from minilift.nn.dropout import Dropout
from minilift.nn.module import Module
from minilift.nn.relu import ReLU
from minilift.ops import Array


class NormActDrop(Module):
    """BatchNorm1d, ReLU and Dropout as one layer: the same function, parameters, statistics and masks.

    forward    centred = x - mean,  y = mask max(centred weight rstd s + bias s, 0),  s = 1/(1-p), mask 0 or 1
    keeps      centred, y (n, features), rstd (features,)
    backward   g  = dy where y > 0, else 0       y is 0 too where the mask is: nothing else is kept of it
               dx = weight rstd s (g - sum_rows g/n - centred rstd^2 sum_rows (g centred)/n)
               dbias = s sum_rows g,  dweight = s rstd sum_rows (g centred)

    It borrows the three layers: whatever happens to their parameters or counters happens to its own. In
    evaluation it runs them one by one.
    """

    def __init__(self, norm: BatchNorm1d, relu: ReLU, dropout: Dropout) -> None:
        super().__init__(norm.ops)
        self.norm, self.relu, self.dropout = norm, relu, dropout
        self.children = {"0": norm, "1": relu, "2": dropout}
        self._buffers = norm._buffers  # what it keeps lies where the normalisation's own would
        self.fused = False
        self.y: Array | None = None

    def forward(
        self, x: Array, train: bool = False, shift: Array | None = None, reuse: bool = False
    ) -> Array:
        """`shift` (features,) stands for x + shift, of which only the running mean takes any notice.

        A bias in front of a normalisation is such a shift, so it need not be added to x. With `reuse`,
        centred is written over x, which then must stay until `backward`.
        """
        x, norm = self._input(x, self.norm.num_features, axes=2), self.norm
        self.fused = train
        if not train:
            if shift is not None:
                raise ValueError("NormActDrop: in evaluation, add the shift to x")
            self.y = self.dropout.forward(self.relu.forward(norm.forward(x)))
            return self.y
        norm.check_rows(len(x))
        self.centred = x if reuse else self.buffer("xhat", x.shape)
        self.y = self.buffer("y", x.shape)
        self.ops.norm_act_drop(
            x, norm.weight.data, norm.bias.data, norm.mean, norm.var, norm.rstd, norm.eps,
            self.dropout.p, self.dropout.next_key(), self.centred, out=self.y,
        )  # fmt: skip
        if shift is not None:
            self.ops.add(norm.mean, shift, out=norm.mean)
        norm.track(len(x))
        return self.y

    def backward(self, dy: Array) -> Array:
        dy, norm = self._gradient(dy, self.y), self.norm
        if not self.fused:
            return norm.backward(self.relu.backward(self.dropout.backward(dy)))
        return self.ops.norm_act_drop_backward(
            dy, self.centred, self.y, norm.rstd, norm.weight.data, self.dropout.p, norm.weight.grad,
            norm.bias.grad, out=self.buffer("dx", dy.shape),
        )  # fmt: skip
