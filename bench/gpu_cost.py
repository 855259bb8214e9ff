"""What each kernel of a captured training step has to read, write and compute: from its source and arguments.

    read, written   bytes of memory, each byte once however often the kernel asks for it: its floor
    moved           bytes that go to and from the processors, through the last cache: those of each block once
    flops           2 for each multiplication and addition of a product; the rest is a few for each number

What of `read` lies in the last cache already costs no time of the memory. cuBLAS keeps its tiles to itself,
so of its products nothing is known but the floor. The stand-in for a GPU counts what its kernels touch, and
tests/gpu/test_gpu_cost.py holds these formulas against it; a kernel that is not here is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minilift.ops.cuda.gpu import FOLDER, Launch

WORD = 4  # bytes of a float, an int and a u32
ADAM = 5 * WORD  # the numbers that Adam reads of a step's row


class Cost(NamedTuple):
    read: int
    written: int
    moved: int | None
    flops: int


class Call:
    """A launch whose arguments have the names that the kernel gives them, and what has been said of it."""

    def __init__(self, launch: Launch) -> None:
        self.launch, names = launch, parameters(launch.file)[_stem(launch.name)]
        self.args: dict[str, Any] = dict(zip(names, launch.args, strict=True))
        self.blocks = int(np.prod(launch.grid))
        self.unsaid = {name for name, value in self.args.items() if getattr(value, "shape", None)}
        self.read_bytes = self.written_bytes = self.moved = self.flops = 0

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.args[name].shape)

    def number(self, name: str) -> float:
        return float(self.args[name])

    def has(self, name: str) -> bool:
        return self.args[name] is not None

    def read(self, *names: str, of: int | None = None, times: int = 1, moved: int | None = None) -> None:
        """The arrays are read, or `of` bytes of each; wholly by `times` blocks, or `moved` bytes by all."""
        for name in filter(self.has, names):
            self.unsaid.discard(name)
            size = int(self.args[name].nbytes) if of is None else of
            self.read_bytes += size
            self.moved += size * times if moved is None else moved

    def write(self, *names: str) -> None:
        for name in filter(self.has, names):
            self.unsaid.discard(name)
            self.written_bytes += int(self.args[name].nbytes)
            self.moved += int(self.args[name].nbytes)

    def update(self, *names: str) -> None:
        self.read(*names)
        self.write(*names)

    def add_to_total(self) -> None:
        """As the function of this name in common.cu."""
        sums, total, finished = 8 * self.blocks, 8, WORD
        self.unsaid -= {"partial", "finished", "total"}
        self.read_bytes += sums + total + finished
        self.written_bytes += sums + total + finished
        self.moved += 2 * sums + 2 * total + 2 * finished * self.blocks

    def cost(self) -> Cost:
        assert not self.unsaid, f"nothing is said of {sorted(self.unsaid)} of {self.launch.name}"
        return Cost(self.read_bytes, self.written_bytes, self.moved, self.flops)


# ---- by columns: columns.cu, columns_update.cu -----------------------------------------------------


def column_stem(c: Call) -> None:
    (inputs, rows), targets, width = c.shape("x"), len(c.args["y"]), len(c.args["h"])
    wide, values = width // 8, rows * inputs * WORD  # the blocks that compute; the others copy
    c.read("data_x", of=values, moved=(wide + 1) * values)
    c.read("data_y", of=rows * targets * WORD)
    c.read("order", of=rows * WORD, times=c.blocks)
    if c.has("order"):
        c.read("numbers", of=WORD, times=c.blocks)
    c.unsaid.discard("numbers")
    c.read("scale", "shift", times=wide + 1)
    c.read("weight", "bias")
    c.write("points", "x", "y", "h")
    c.flops = 2 * rows * inputs * width


def half_forward(c: Call) -> None:
    c.read("weight", "bias", "gamma", "beta", "skip")
    c.read("x", times=c.blocks)
    c.read("key", of=2 * WORD, times=c.blocks)
    c.write("y", "xhat", "rstd")
    c.update("running_mean", "running_var")
    c.flops = 2 * c.shape("weight")[0] * c.shape("x")[0] * c.shape("x")[1]


def head(c: Call) -> None:
    c.read("weight", "bias", "scale", "shift", "target")
    c.read("x", times=c.blocks)
    if "points" in c.args:
        c.read("points")
    c.write("gradient")
    c.add_to_total()
    c.flops = 2 * c.args["weight"].size * c.shape("x")[1]


def half_backward(c: Call) -> None:
    c.read("above", "shortcut", "gamma", "beta", "xhat", "rstd")
    c.read("dz", times=c.blocks)
    c.read("key", of=2 * WORD, times=c.blocks)
    c.write("kept_dx", "out", "dgamma", "dbeta")
    c.flops = 2 * c.args["above"].size * c.shape("dz")[1]


def weight_adam(c: Call) -> None:
    c.read("dz", "x", times=c.launch.grid[0])
    c.read("numbers", of=ADAM, times=c.blocks)
    c.update("weight", "m", "v")
    c.flops = 2 * c.args["weight"].size * c.shape("dz")[1]


def narrow_gradient(c: Call) -> None:
    (features, rows), columns = c.shape("dz"), len(c.args["x"])
    elements = np.arange(features * (columns + 1))
    seen = np.stack([elements // 256, elements // (columns + 1), elements % (columns + 1)])
    of_dz, of_x = (np.unique(seen[[0, i]], axis=1) for i in (1, 2))  # each block's rows of them
    row = rows * WORD
    c.read("dz", moved=row * of_dz.shape[1])
    c.read("x", moved=row * int((of_x[1] < columns).sum()))
    c.write("dweight", "dbias")
    c.flops = 2 * features * columns * rows


def rest_adam(c: Call) -> None:
    size = int(np.asarray(c.args["counts"].get()).sum()) * WORD
    c.read("w", "g", "m", "v", of=size)
    c.read("starts", "counts")
    c.read("numbers", of=ADAM, times=c.blocks)
    c.written_bytes += 3 * size
    c.moved += 3 * size


# ---- by rows: stem.cu, kernels.cu, losses.cu, updates.cu, and what else a step may have ---------------


def row_stem(c: Call) -> None:
    (n, inputs), targets, width = c.shape("x"), c.shape("y")[1], c.shape("h")[1]
    across, down = c.launch.grid
    c.read("data_x", of=n * inputs * WORD, times=across)
    c.read("data_y", of=n * targets * WORD)
    c.read("order", of=n * WORD, times=across)
    if c.has("order"):
        c.read("numbers", of=WORD, times=c.blocks)
    c.unsaid.discard("numbers")
    c.read("scale", "shift", times=c.blocks)
    c.read("weight", "bias", times=down)
    c.write("points", "x", "y", "h")
    c.flops = 2 * n * inputs * width


def norm_act_drop(c: Call) -> None:
    c.read("x", "weight", "bias", "skip", "shift", "more_shift")
    c.read("key", of=2 * WORD, times=c.blocks)
    c.write("sum", "centred", "y", "mean", "var", "rstd")
    c.update("running_mean", "running_var")


def norm_act_drop_backward(c: Call) -> None:
    c.read("dy", "centred", "y", "rstd", "weight")
    c.write("dweight", "dbias", "out")


def loss(c: Call) -> None:
    c.read("pred", "target")
    c.read("bias", "scale", "shift", times=c.blocks)
    c.write("grad")
    c.add_to_total()


def adam(c: Call) -> None:
    c.read("g")
    c.read("numbers", of=ADAM, times=c.blocks)
    c.update("w", "m", "v")


def gather(c: Call) -> None:
    c.read("rows", of=int(c.args["out"].nbytes))
    c.read("order", of=len(c.args["out"]) * WORD)
    c.read("numbers", of=WORD, times=c.blocks)
    c.write("out")


def scale_to_norm(c: Call) -> None:
    c.read("sums", times=c.blocks)
    c.update("x")


def augment(c: Call) -> None:
    reshapes = any(c.number(n) for n in ("yaw", "tilt", "roll", "tumbled", "distance", "body", "mix"))
    c.read("source_y")
    c.read("key", of=2 * WORD, times=c.blocks)
    c.write("y")
    if not reshapes:
        c.read("source_x")
        c.write("x")
    c.unsaid -= {"source_x", "x"}


def detect(c: Call) -> None:
    c.read("y")
    c.read("key", of=2 * WORD, times=c.blocks)
    if c.number("projects"):
        c.write("x", "y")
    else:
        c.update("x")


def pointwise(reads: str, writes: str, rows: str = "") -> Callable[[Call], None]:
    """A kernel that touches every number of its arrays once; `rows` serve all rows of them."""

    def said(c: Call) -> None:
        c.read(*reads.split())
        c.write(*writes.split())
        for name in rows.split():
            c.read(name, times=1 if c.shape(name) == c.shape("out") else c.blocks)

    return said


KERNELS: dict[tuple[str, str], Callable[[Call], None]] = {
    ("columns.cu", "stem"): column_stem,
    ("columns.cu", "half_forward"): half_forward,
    ("columns.cu", "head_mpjpe"): head,
    ("columns.cu", "head_rays"): head,
    ("columns.cu", "half_backward"): half_backward,
    ("columns_update.cu", "weight_adam"): weight_adam,
    ("columns_update.cu", "narrow_gradient"): narrow_gradient,
    ("columns_update.cu", "rest_adam"): rest_adam,
    ("stem.cu", "stem"): row_stem,
    ("kernels.cu", "norm_act_drop_"): norm_act_drop,
    ("kernels.cu", "norm_act_drop_backward_"): norm_act_drop_backward,
    ("kernels.cu", "sum_rows"): pointwise("x", "out"),
    ("kernels.cu", "gather"): gather,
    ("kernels.cu", "add"): pointwise("a", "out", rows="b"),
    ("kernels.cu", "multiply"): pointwise("a", "out", rows="b"),
    ("kernels.cu", "affine"): pointwise("x", "out", rows="scale shift"),
    ("losses.cu", "mpjpe"): loss,
    ("losses.cu", "mse"): loss,
    ("updates.cu", "adam"): adam,
    ("updates.cu", "squares"): pointwise("x", "sums"),
    ("updates.cu", "scale_to_norm"): scale_to_norm,
    ("rays.cu", "rays"): pointwise("points depth", "out"),
    ("rays.cu", "rays_backward"): pointwise("dy points depth", "dpoints ddepth"),
    ("augment.cu", "augment"): augment,
    ("detector.cu", "detect"): detect,
}


def cost(launch: Launch) -> Cost:
    """Raises KeyError for a kernel that is not known."""
    if not launch.file:
        a, b, out, accumulate = launch.args
        read = a.nbytes + b.nbytes + (out.nbytes if accumulate else 0)
        return Cost(read, out.nbytes, None, 2 * a.shape[0] * a.shape[1] * b.shape[1])
    name = Path(launch.file).name, _stem(launch.name)
    if name not in KERNELS:
        raise KeyError(f"nothing is known of what {launch.name} of {name[0]} costs: bench/gpu_cost.py")
    call = Call(launch)
    KERNELS[name](call)
    return call.cost()


def _stem(kernel: str) -> str:
    """Without the number of one that is made for several sizes."""
    return re.sub(r"_\d+$", "_", kernel)


@cache
def parameters(file: str) -> dict[str, list[str]]:
    """The names of the parameters of each kernel of a .cu file."""
    source = (FOLDER / file).read_text(encoding="utf-8").replace("\\\n", " ").replace("##KEPT", "")
    found = re.findall(r"(\w+)\s*\(([^()]*)\)\s*\{", source[source.index("__global__") :])
    return {name: re.findall(r"(\w+)\s*(?:,|$)", text) for name, text in found}
