"""The contract between the layers and the machine that runs them.

Layers, losses and optimisers call these methods and nothing else, so none of them knows whether
NumPy or CuPy does the work. Every method writes into arrays that its caller owns (`out` and the
other arguments named as written), and none of them writes into an input.
"""

from __future__ import annotations

from abc import abstractmethod

from minilift.ops.arrays import Array, ArrayOps

__all__ = ["Array", "Ops"]


class Ops(ArrayOps):
    """What a backend offers. Shapes: n rows (the batch), k columns in, m columns out."""

    # ---- elementwise ---------------------------------------------------------------------------
    @abstractmethod
    def add(self, a: Array, b: Array, out: Array) -> Array:
        """out = a + b, where b may be one row (the last axis) that serves all of a, of any shape, or one
        column of a matrix. `out` may be `a`."""

    @abstractmethod
    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        """out = a * b, where b is as in `add`. `out` may be `a`."""

    @abstractmethod
    def affine(self, x: Array, scale: Array, shift: Array, out: Array) -> Array:
        """out = x * scale + shift, feature by feature: x (..., features)."""

    @abstractmethod
    def relu(self, x: Array, out: Array, slope: float = 0.0) -> Array:
        """out = max(x, slope x), 0 <= slope < 1. `out` may be `x`."""

    @abstractmethod
    def relu_backward(self, dy: Array, y: Array, out: Array, slope: float = 0.0) -> Array:
        """out = dy where y > 0, else slope dy. At x = 0 the derivative is the slope, as torch has it."""

    @abstractmethod
    def dropout_mask(self, p: float, key: tuple[int, int], out: Array) -> Array:
        """out = 0 with probability p, else 1/(1-p), from a hash of `key` and the element's number.

        Element i is kept when hash(i, key) >= p * 2^32: no generator state, the same bits on every
        backend. The hash is the `lowbias32` mixer (C. Wellons, "Prospecting for hash functions",
        2018) with the key's first word on entry and its second between the two multiplications.
        """

    # ---- products and sums ---------------------------------------------------------------------
    @abstractmethod
    def matmul(self, a: Array, b: Array, out: Array) -> Array:
        """out = a b, of matrices or transposed views of them."""

    @abstractmethod
    def sum_rows(self, x: Array, out: Array) -> Array:
        """out_j = sum_i x_ij."""

    # ---- layers --------------------------------------------------------------------------------
    @abstractmethod
    def linear(self, x: Array, weight: Array, bias: Array | None, out: Array) -> Array:
        """out = x weight^T + bias: x (n, k), weight (m, k), bias (m,), out (n, m)."""

    @abstractmethod
    def linear_backward(
        self, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, out: Array | None
    ) -> None:
        """dweight = dy^T x, dbias = column sums of dy, and, unless it is None, out = dx = dy weight.

        From y_ij = sum_k x_ik w_jk + b_j: dL/dw_jk = sum_i dy_ij x_ik, and likewise for b and x.
        """

    @abstractmethod
    def batchnorm(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        """Normalise each column over the rows, then scale and shift.

        mean_j = sum_i x_ij / n,  var_j = sum_i (x_ij - mean_j)^2 / n (biased),  rstd = 1/sqrt(var + eps)
        xhat = (x - mean) rstd,  out = weight xhat + bias.   Writes mean, var, rstd, xhat, out.
        """

    @abstractmethod
    def batchnorm_eval(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        xhat: Array, out: Array,
    ) -> Array:  # fmt: skip
        """The same with given mean and var (the running statistics). Writes rstd, xhat, out."""

    @abstractmethod
    def batchnorm_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array,
    ) -> Array:  # fmt: skip
        """dbias = sum_i dy, dweight = sum_i dy xhat, out = weight rstd (dy - dbias/n - xhat dweight/n).

        mean and var depend on every row of x. Through them dx loses its mean and its component
        along xhat (Ioffe & Szegedy, arXiv:1502.03167, section 3; the formula collects their six).
        """

    @abstractmethod
    def batchnorm_eval_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array,
    ) -> Array:  # fmt: skip
        """The same sums; out = weight rstd dy, because fixed statistics do not depend on x."""

    @abstractmethod
    def running_average(self, new: Array, factor: float, momentum: float, out: Array) -> None:
        """out <- (1 - momentum) out + momentum factor new."""

    @abstractmethod
    def norm_act_drop(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        p: float, key: tuple[int, int], centred: Array, out: Array,
    ) -> Array:  # fmt: skip
        """`batchnorm`, `relu` and the product with `dropout_mask(p, key)` in one.

        centred = x - mean,  out = mask max(centred weight rstd + bias, 0).
        Writes mean, var, rstd, centred, out. `centred` may be `x`.
        """

    @abstractmethod
    def norm_act_drop_backward(
        self, dy: Array, centred: Array, y: Array, rstd: Array, weight: Array, p: float, dweight: Array,
        dbias: Array, out: Array,
    ) -> Array:  # fmt: skip
        """With g = dy/(1-p) where y > 0, else 0: `batchnorm_backward` of g, where xhat = centred rstd.

        `out` must not be `dy`.
        """

    # ---- losses: each adds the batch's loss to `total` (float64, one element, on the device) ----
    @abstractmethod
    def mpjpe(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        """Mean distance of points of three coordinates; pred, target, grad (..., 3J) or (..., J, 3).

        loss = 1/(nJ) sum_ij |pred_ij - target_ij|,  grad_ij = (pred_ij - target_ij) / (nJ |..|),
        and 0 where the distance is 0, as torch.norm has it.
        """

    @abstractmethod
    def mse(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        """loss = mean over all elements of (pred - target)^2,  grad = 2 (pred - target) / size."""

    @abstractmethod
    def cross_entropy(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        """The surprise at the true classes; `minilift.nn.losses.CrossEntropy` has the formulas.

        pred, grad (..., classes), target (...) an index array. The maximum of a row is subtracted first:
        exp then gives at most 1, and the sum at least 1. target must lie from 0 to classes - 1; where it
        does not, a GPU gives NaN.
        """

    @abstractmethod
    def bce_with_logits(self, pred: Array, target: Array, grad: Array, total: Array) -> None:
        """Binary cross-entropy, element by element; `minilift.nn.losses.BCEWithLogits` has the formulas.

        target in the shape of pred, or an index array as for `cross_entropy`.
        """

    @abstractmethod
    def accuracy(self, pred: Array, target: Array, total: Array) -> None:
        """total += the share of rows whose largest pred (first of equals; NaN is largest) is at target."""

    # ---- optimisers: one pass over a flat vector -----------------------------------------------
    @abstractmethod
    def adam(
        self, w: Array, g: Array, m: Array, v: Array, decay: tuple[float, float], size: float,
        eps: float, weight_decay: float, shrink: float = 0.0,
    ) -> None:  # fmt: skip
        """The part of Adam that is done for every element; `minilift.optim.Adam` says what the numbers are.

        g' = g + weight_decay w;  m = decay_m m + g';  v = decay_v v + g'^2
        w <- (1 - shrink) w - size m / (sqrt(v) + eps)
        """

    @abstractmethod
    def scale_to_norm(self, vectors: list[Array], limit: float) -> None:
        """Every vector times min(1, limit / (|all of them| + 1e-6)), in place."""

    @abstractmethod
    def sgd(
        self, w: Array, g: Array, velocity: Array | None, lr: float, momentum: float, weight_decay: float,
        nesterov: bool = False,
    ) -> None:  # fmt: skip
        """g' = g + weight_decay w;  velocity = momentum velocity + g';  w -= lr velocity.

        Without a velocity, w -= lr g'; with `nesterov`, w -= lr (g' + momentum velocity).
        """
