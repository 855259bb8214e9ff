"""Batch normalisation."""

from __future__ import annotations

from minilift.nn.module import Module
from minilift.nn.params import Parameter
from minilift.ops import Array, Ops


class BatchNorm1d(Module):
    """Normalise each column over the batch, then scale and shift.

    forward    xhat = (x - mean) rstd,  rstd = 1/sqrt(var + eps)      x, y (n, features); var biased
               y    = weight xhat + bias
               running_* <- (1 - momentum) running_* + momentum *     with the unbiased variance
               in evaluation mean and var are the running ones
    keeps      xhat (n, features), rstd (features,)
    backward   dbias   = sum_rows dy
               dweight = sum_rows dy xhat
               dx      = weight rstd (dy - dbias/n - xhat dweight/n)  in training
               dx      = weight rstd dy                               in evaluation

    mean and var depend on every row of x; those two paths only remove from dy its mean and its component
    along xhat. Training needs two rows: with one, xhat is always 0. Source: Ioffe & Szegedy,
    arXiv:1502.03167; eps, momentum and both variances as torch.nn.BatchNorm1d.
    """

    parameter_names = ("weight", "bias")
    state_names = ("running_mean", "running_var", "num_batches_tracked")

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, *, ops: Ops | None = None
    ) -> None:
        super().__init__(ops)
        if num_features < 1 or not eps > 0 or not 0 <= momentum <= 1:
            raise ValueError(
                f"{type(self).__name__}: num_features {num_features}, eps {eps}, momentum {momentum}; "
                "they must be 1 or more, more than 0, and between 0 and 1"
            )
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        shape = (num_features,)
        self.weight = Parameter(self.ops.ones(shape), self.ops)
        self.bias = Parameter(self.ops.zeros(shape), self.ops)
        self.running_mean, self.running_var = self.ops.zeros(shape), self.ops.ones(shape)
        self.num_batches_tracked = 0
        self.mean, self.var, self.rstd = (self.ops.zeros(shape) for _ in range(3))
        self.xhat: Array | None = None
        self.trained = False

    def forward(self, x: Array, train: bool = False) -> Array:
        x = self._input(x, self.num_features, axes=2)
        n, ops = len(x), self.ops
        if train:
            self.check_rows(n)
        self.xhat, y = self.buffer("xhat", x.shape), self.buffer("y", x.shape)
        self.trained = train
        parameters = self.weight.data, self.bias.data
        if not train:
            statistics = self.running_mean, self.running_var, self.rstd
            return ops.batchnorm_eval(x, *parameters, *statistics, self.eps, self.xhat, out=y)
        ops.batchnorm(x, *parameters, self.mean, self.var, self.rstd, self.eps, self.xhat, out=y)
        self.track(n)
        return y

    def check_rows(self, n: int) -> None:
        if self.ops.whole_batch(n) < 2:
            raise ValueError(f"{self.describe()}: training needs at least 2 rows, got {n}")

    def track(self, n: int) -> None:
        """Take the mean and var of a batch, of which n rows are here, into the running ones."""
        n = self.ops.whole_batch(n)
        self.ops.running_average(self.mean, 1.0, self.momentum, out=self.running_mean)
        self.ops.running_average(self.var, n / (n - 1), self.momentum, out=self.running_var)
        self.num_batches_tracked += 1

    def backward(self, dy: Array) -> Array:
        dy = self._gradient(dy, self.xhat)
        op = self.ops.batchnorm_backward if self.trained else self.ops.batchnorm_eval_backward
        dx = self.buffer("dx", dy.shape)
        return op(dy, self.xhat, self.rstd, self.weight.data, self.weight.grad, self.bias.grad, out=dx)

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps:g}, momentum={self.momentum:g}"
