"""Training steps of torch on a GPU, in each of the ways that torch has of making them quick.

x and y lie on the device and are the same in every step. That favours torch: minilift gathers a batch from
the data set in each of its steps, and adds up the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from bench.torch_net import LiftNet, mpjpe, train_step
from bench.worker import DROPOUT, LR, random_rows

PRECISIONS = {"fp32": "highest", "tf32": "high"}
ADAMS: dict[str, dict[str, Any]] = {
    "eager": {},
    "fused": {"fused": True},
    "compile": {"fused": True},
    "graph": {"fused": True, "capturable": True},
    "compile-graph": {"fused": True, "capturable": True},
}
WARM = 11  # steps before a capture: what is compiled or allocated at first is there by then


def set_precision(precision: str) -> None:
    """Of all float32 products of torch from here on."""
    torch.set_float32_matmul_precision(PRECISIONS[precision])


def captured(call: Callable[[], object], warm: int = WARM) -> Callable[[], None]:
    """What `call` launches, as a CUDA graph: replays it."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(warm):
            call()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        call()
    return graph.replay


class TorchSteps:
    """run(count) starts so many training steps, wait() waits for them."""

    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    step: Callable[[], None]
    notes: dict[str, Any]

    def __init__(
        self, variant: str, batch: int, precision: str, device: str = "cuda", hidden: int = 1024
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError(f"torch {torch.__version__} finds no CUDA GPU")
        set_precision(precision)
        torch.manual_seed(0)
        self.device, self.net = device, LiftNet(hidden=hidden, dropout=DROPOUT).to(device)
        self.x, self.y = (
            torch.from_numpy(random_rows(batch, *what)).to(device) for what in ((30, 1), (45, 2))
        )
        self.adam = torch.optim.Adam(self.net.parameters(), LR, **ADAMS[variant])
        self.loss, self.step, self.notes = self._loss, self._step, {}
        before = self.error()
        if variant == "compile":
            skips = graph_skips()
            self.loss = torch.compile(self._loss, mode="reduce-overhead", dynamic=False)
            self.step = self._marked_step
        elif variant == "compile-graph":
            self.loss = torch.compile(self._loss, dynamic=False)
        if variant in ("graph", "compile-graph"):
            self.step = captured(self._step)
        self.run(2 * WARM)
        if not self.error() < before:
            raise RuntimeError(f"it does not train: the loss went from {before:.4f} to {self.error():.4f}")
        if variant == "compile" and graph_skips() > skips:
            self.notes["remark"] = f"torch.compile skipped {graph_skips() - skips} of its CUDA graphs"

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return mpjpe(self.net(x), y)

    def _step(self) -> None:
        train_step(self.loss, self.adam, self.x, self.y)

    def _marked_step(self) -> None:
        torch.compiler.cudagraph_mark_step_begin()
        self._step()

    def run(self, count: int) -> None:
        for _ in range(count):
            self.step()

    def wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def error(self) -> float:
        """The loss of the batch, on the way a step takes (dropout on)."""
        with torch.no_grad():
            return self._loss(self.x, self.y).item()


def graph_skips() -> int:
    """How often torch.compile has found that it cannot use a CUDA graph; torch tells it nowhere in public."""
    try:
        from torch._dynamo.utils import counters
    except ImportError:
        return 0
    return int(counters["inductor"]["cudagraph_skips"])
