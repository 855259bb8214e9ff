"""How a convolution becomes one product of matrices with few copies: the sizes of it.

Zeros between the rows of an image make it one vector, in which a step to the right is +1 and a step down is
+pitch. Y_o(q) = sum of W_oc(tap) X_c(q + shift of the tap) is then a sum over whole vectors, and the shift of
a tap may be taken on either side of the product:

    X'_(a, c)(q) = X_c(q + a)                                       a of `unfolded`: copies of X
    Z_(b, o)(q)  = sum over (a, c) of M_(b, o),(a, c) X'_(a, c)(q)
    Y_o(q)       = sum over b of Z_(b, o)(q + b)                    b of `folded`: sums of Z

where every tap's shift is one a + b. With all taps unfolded it is the usual unfold and product, on rows of
channels times kernel area. With the rows of the kernel unfolded and its columns folded, a 3x3 kernel needs a
third of the copies, and no side of the product is short. A stride makes each phase of the image a channel of
its own ("space to depth"), on which the kernel has stride 1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from minilift.images.ops.windows import Pair, Windows

BLOCK = 1 << 18  # elements of X' and Z together that should lie in a core's cache while they are worked on


class Phase(NamedTuple):
    """Which pixels are one channel of the grid, and where they lie in it."""

    pixels: tuple[slice, slice]
    cells: tuple[slice, slice]


class ConvPlan(NamedTuple):
    filters: int
    channels: int  # of the grid: those of the image, for each phase
    grid: Pair  # rows and columns (the pitch) of an image in the vector
    taps: Pair  # of the kernel on the grid
    phases: Pair
    unfolded: Pair  # how many shifts of a: down, to the right
    folded: Pair
    places: Pair
    pixels: tuple[Phase, ...]  # of each phase
    strided: bool

    def shifts(self, of: Pair) -> list[int]:
        return [down * self.grid[1] + right for down in range(of[0]) for right in range(of[1])]

    def length(self, images: int) -> int:
        """Elements of Y that count, from the first to the last."""
        (rows, pitch), (height, width) = self.grid, self.places
        return ((images - 1) * rows + height - 1) * pitch + width

    def rows(self) -> int:
        """Of X' and Z together, each as long as the vector."""
        (a, b), (c, d) = self.unfolded, self.folded
        return a * b * self.channels + c * d * self.filters

    def blocks(self, n: int, cores: int) -> int:
        """How many blocks n images make, as many for each core."""
        each = max(BLOCK // (self.rows() * self.grid[0] * self.grid[1]), 1)
        return min(-(-n // each // cores) * cores, n)


@lru_cache(maxsize=256)
def conv_plan(windows: Windows, filters: int) -> ConvPlan:
    places = windows.places
    phases = tuple(min(s, k) for s, k in zip(windows.stride, windows.kernel, strict=True))
    taps = tuple(-(-k // s) for s, k in zip(windows.stride, windows.kernel, strict=True))
    grid = _grid(windows, 0, places[0], taps[0]), _grid(windows, 1, places[1], taps[1])
    channels = windows.channels * phases[0] * phases[1]
    choices = (taps, (1, 1)), ((taps[0], 1), (1, taps[1])), ((1, 1), taps)
    sizes = [a[0] * a[1] * channels + b[0] * b[1] * filters for a, b in choices]
    unfolded, folded = choices[sizes.index(min(sizes))]
    pixels = tuple(
        Phase(*zip(*(_strip(windows, grid, axis, start) for axis, start in enumerate(phase)), strict=True))
        for phase in ((i, j) for i in range(phases[0]) for j in range(phases[1]))
    )
    strided = windows.stride != (1, 1)
    sizes_on_grid = grid, taps, phases, unfolded, folded, places
    return ConvPlan(filters, channels, *sizes_on_grid, pixels, strided)  # type: ignore[arg-type]


def _grid(windows: Windows, axis: int, places: int, taps: int) -> int:
    """Cells along an axis. Zeros at the end of a row may be those at the start of the next, as many as every
    phase has there; and so may those of images."""
    stride, kernel, padding = windows.stride[axis], windows.kernel[axis], windows.padding[axis]
    firsts = [phase - padding for phase in range(min(stride, kernel))]
    zeros = min(-(min(first, 0) // stride) for first in firsts)
    needed = places + taps - 1
    filled = max((windows.size[axis] - 1 - first) // stride + 1 for first in firsts)
    return max(min(filled, needed), needed - zeros, places)


def _strip(windows: Windows, grid: tuple[int, ...], axis: int, phase: int) -> tuple[slice, slice]:
    """Along an axis, pixels phase - padding + stride i and their i on the grid, as far as both are there."""
    stride, first = windows.stride[axis], phase - windows.padding[axis]
    start = -(min(first, 0) // stride)
    stop = min(grid[axis], (windows.size[axis] - 1 - first) // stride + 1)
    stop = max(start, stop)
    begin = first + stride * start
    return slice(begin, begin + stride * (stop - start), stride), slice(start, stop)
