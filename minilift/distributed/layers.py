"""BatchNorm and Dropout over batches that several processes share.

    mean = sum over ranks of sum_i x_ij / N,  var = the same of (x_ij - mean_j)^2 / N     N rows in all
    dx   = weight rstd (dy - S/N - xhat T/N),  S, T the sums over ranks of sum_i dy and sum_i dy xhat

The formulas stand where they do for one process, in `minilift.ops`, which asks `whole_batch` for every sum
over rows. docs/distributed.md derives them.
"""

from __future__ import annotations

from typing import Any

from minilift.distributed.group import Group, Place
from minilift.distributed.whole import WholeBatch
from minilift.errors import ArgumentError
from minilift.nn import BatchNorm1d, Dropout, Network
from minilift.ops import Array, Ops
from minilift.ops.numpy_ops import NumpyOps


class SharedNumpyOps(WholeBatch, NumpyOps):
    """The operations of a network's normalisations and dropouts, whose rows are those of `place`."""

    def _begin(self, ops: NumpyOps) -> None:
        NumpyOps.__init__(self, ops.dtype)
        self._thread = ops._thread
        self._skipped = 0  # elements of the whole batch's dropout mask that come before those here

    def __reduce__(self) -> Any:
        return NumpyOps, (self.dtype,)  # a copy is in no group

    # ---- masks of the whole batch --------------------------------------------------------------
    def _keep(self, p: float, key: tuple[int, int], start: int, out: Any) -> None:
        super()._keep(p, key, self._skipped + start, out)

    def dropout_mask(self, p: float, key: tuple[int, int], out: Array) -> Array:
        self._skipped = self.place.first * (out.size // len(out))
        return super().dropout_mask(p, key, out)

    def norm_act_drop(
        self, x: Array, weight: Array, bias: Array, mean: Array, var: Array, rstd: Array, eps: float,
        p: float, key: tuple[int, int], centred: Array, out: Array,
    ) -> Array:  # fmt: skip
        self._skipped = self.place.first * x.shape[1]
        return super().norm_act_drop(x, weight, bias, mean, var, rstd, eps, p, key, centred, out)

    # ---- gradients of weight and bias, which are sums over all already -------------------------
    def batchnorm_backward(
        self, dy: Array, xhat: Array, rstd: Array, weight: Array, dweight: Array, dbias: Array,
        out: Array,
    ) -> Array:  # fmt: skip
        super().batchnorm_backward(dy, xhat, rstd, weight, dweight, dbias, out)
        self.count_once(dweight, dbias)
        return out

    def norm_act_drop_backward(
        self, dy: Array, centred: Array, y: Array, rstd: Array, weight: Array, p: float, dweight: Array,
        dbias: Array, out: Array,
    ) -> Array:  # fmt: skip
        super().norm_act_drop_backward(dy, centred, y, rstd, weight, p, dweight, dbias, out)
        self.count_once(dweight, dbias)
        return out


def share_layers(network: Network, group: Group, place: Place, sync: bool) -> list[BatchNorm1d]:
    """Let the normalisations and dropouts of a network know that their batches are shared.

    Returns the normalisations. Raises ArgumentError for a layer for which that cannot be done.
    """
    norms = [layer for _, layer in network.modules() if isinstance(layer, BatchNorm1d)]
    for layer in norms:
        if sync and type(layer) is not BatchNorm1d:
            problem = f"no statistics over all processes for {type(layer).__name__}"
            raise ArgumentError("sync_batchnorm", True, f"{problem}; give {{0}}", ("sync_batchnorm", False))
    ops = shared_ops(network.ops, group, place, sync)
    for _, module in network.modules():
        if isinstance(module, BatchNorm1d | Dropout):
            module.ops = ops
    return norms


def shared_ops(ops: Ops, group: Group, place: Place, sync: bool) -> Ops:
    if isinstance(ops, NumpyOps):
        return SharedNumpyOps(ops, group, place, sync)
    from minilift.distributed.cuda_layers import SharedCupyOps

    return SharedCupyOps(ops, group, place, sync)
