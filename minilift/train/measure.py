"""The evaluation loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from minilift.nn.network import Network
from minilift.ops import Array
from minilift.train.batches import Batches
from minilift.train.step import Loss, Metric, Sums


class Measure:
    """Loss and metrics of a network over a whole data set, each row counted once however the batches fall.

        measure = Measure(network, loss, {"accuracy": accuracy})
        found = measure(Batches(x, y, size=1024))       # {"loss": ..., "accuracy": ...}

    Evaluation mode, rows as they are, in order. Sums stay on the device and are read at the end. Nothing of
    the network changes.
    """

    def __init__(self, network: Network, loss: Loss, metrics: Mapping[str, Metric] | None = None) -> None:
        self.network, self.sums = network, Sums(network.ops, loss, metrics)

    def predictor(self) -> Callable[[Array], Array]:
        return self.network.predictor()

    def __call__(self, batches: Batches) -> dict[str, float]:
        predict, sums, rows, size = self.predictor(), self.sums, len(batches), batches.size
        found = dict.fromkeys(sums.totals, 0.0)
        sums.restore()
        for x, y in batches.in_order(self.network.ops):
            if len(x) != size:  # a batch of fewer rows has another weight
                found, size = weighted(found, sums, size), len(x)
                sums.restore()
            sums.add(predict(x), y)
        found = weighted(found, sums, size)
        return {name: value / rows for name, value in found.items()}


def weighted(found: dict[str, float], sums: Sums, rows: int) -> dict[str, float]:
    """What has been found so far and, of each batch in `sums`, its mean times its number of rows."""
    return {name: found[name] + value * rows for name, value in sums.read().items()}
