"""The least that a training step can cost on a GPU: from counts, and from two rates of the card.

floor = max(floating-point operations / rate, bytes / bandwidth)

The counts are of the network of `bench.torch_net` (30 to 1024, 4 times 1024 to 1024, 1024 to 45). The rates
are measured here, through torch: the bandwidth of a copy on the device, bytes read plus bytes written, and
the best rate of a product of matrices, of the step's shapes or of a large square one. It is no law. What
stays in the second cache is not read again: 17 MB of weights may, where a batch is small.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.roofline import N_IN, N_OUT

HIDDEN, INNER = 1024, 4  # the width, and how many Linears go from it to itself
FLOAT = 4  # bytes
COPIED = 1 << 30  # bytes, and as many written: more than a cache holds
SQUARE = 4096  # rows and columns


def parameters(hidden: int = HIDDEN) -> int:
    """Weights and biases of all Linears, and the two vectors of each BatchNorm1d."""
    first, last = (N_IN + 1) * hidden, (hidden + 1) * N_OUT
    return first + INNER * (hidden + 1) * hidden + INNER * 2 * hidden + last


def flops(batch: int, hidden: int = HIDDEN) -> int:
    """Of the products of one step. A Linear from k to m takes 2 n k m forward, as many for dW and for dx.

    The first one makes no dx, for nobody needs the gradient of the batch.
    """
    first, rest = N_IN * hidden, INNER * hidden * hidden + hidden * N_OUT
    return batch * (4 * first + 6 * rest)


def step_bytes(batch: int, hidden: int = HIDDEN, fused: bool = True) -> int:
    """That one step reads and writes, each array counted once for every pass over it.

    Of every parameter: W is read in forward and for dx (2); Adam reads p, m, v and writes them (6). Where dW
    is made in the kernel that uses it, that is all: 8 floats. Otherwise dW is written and read again: 10.

    Of every activation of the 4 inner Linears, in passes over an array (batch, hidden): 15 with a kernel for
    each product, 10 where the normalisation is part of the product. That is 60 or 40 altogether; a batch
    below about 1,024 rows leaves most of it in the second cache.
    """
    each, passes = (8, 10) if fused else (10, 15)
    return FLOAT * (each * parameters(hidden) + INNER * passes * batch * hidden)


def floor_us(batch: int, tflops: float, gb_per_s: float, fused: bool = True) -> float:
    """Microseconds, for a rate in TFLOP/s and a bandwidth in GB/s."""
    return max(flops(batch) / tflops / 1e6, step_bytes(batch, fused=fused) / gb_per_s / 1e3)


def seconds_each(
    run: Callable[[int], object], wait: Callable[[], object], seconds: float = 0.02, rounds: int = 5
) -> float:
    """Median seconds of one: `run(n)` starts n of them, `wait` waits until they are done."""

    def timed(count: int) -> float:
        wait()
        began = time.perf_counter()
        run(count)
        wait()
        return (time.perf_counter() - began) / count

    timed(2)  # the first ones pay for what is made once
    count = math.ceil(min(seconds / timed(3), 10_000))
    return statistics.median(timed(count) for _ in range(rounds))


# ---- measured, through torch -----------------------------------------------------------------------


def ceilings(batches: list[int], precisions: list[str]) -> dict[str, Any]:
    """The bandwidth, and per precision the time of the step's products at each batch and the best rate."""
    from bench.gpu_torch import set_precision

    found: dict[str, Any] = {"bandwidth_gb_s": copy_bandwidth(), "products_us": {}, "best_tflops": {}}
    for precision in precisions:
        set_precision(precision)
        each = {batch: products_seconds(batch) for batch in batches}
        found["products_us"][precision] = {str(batch): s * 1e6 for batch, s in each.items()}
        rates = [flops(batch) / s / 1e12 for batch, s in each.items()]
        found["best_tflops"][precision] = max(*rates, square_rate(), 0.0)
    return found


def copy_bandwidth() -> float:
    """GB/s of a copy from the device to itself."""
    import torch

    source = torch.randn(COPIED // FLOAT, device="cuda")
    target = torch.empty_like(source)

    def run(count: int) -> None:
        for _ in range(count):
            target.copy_(source)

    return 2 * COPIED / seconds_each(run, torch.cuda.synchronize) / 1e9


def square_rate() -> float:
    """TFLOP/s of a large product."""
    import torch

    a, b = (torch.randn(SQUARE, SQUARE, device="cuda") for _ in range(2))
    out = torch.empty_like(a)

    def run(count: int) -> None:
        for _ in range(count):
            torch.mm(a, b, out=out)

    return 2 * SQUARE**3 / seconds_each(run, torch.cuda.synchronize) / 1e12


def products_seconds(batch: int) -> float:
    """Of all products of a step with nothing between them, replayed as one CUDA graph."""
    import torch

    from bench.gpu_torch import captured

    calls = []
    for n_in, n_out in [(N_IN, HIDDEN), *[(HIDDEN, HIDDEN)] * INNER, (HIDDEN, N_OUT)]:
        x, dy, weight = (
            torch.randn(*shape, device="cuda") for shape in ((batch, n_in), (batch, n_out), (n_out, n_in))
        )
        pairs = [(x, weight.T), (dy.T, x), *([(dy, weight)] if n_in != N_IN else [])]
        calls += [(a, b, torch.empty(len(a), b.shape[1], device="cuda")) for a, b in pairs]

    def products() -> None:
        for a, b, out in calls:
            torch.mm(a, b, out=out)

    replay = captured(products, warm=3)

    def run(count: int) -> None:
        for _ in range(count):
            replay()

    return seconds_each(run, torch.cuda.synchronize)
