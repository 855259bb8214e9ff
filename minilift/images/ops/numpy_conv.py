"""Convolution for NumPy: blocks of images through the product of `conv_plan`, on all cores."""

from __future__ import annotations

from math import prod

import numpy as np

from minilift.images.ops.conv_plan import ConvPlan, conv_plan
from minilift.images.ops.windows import Windows
from minilift.ops import Array, Ops


def conv2d(ops: Ops, x: Array, weight: Array, bias: Array | None, windows: Windows, out: Array) -> None:
    plan = conv_plan(windows, len(weight))
    matrix, shift = _matrix(ops, plan, weight), None if bias is None else bias[:, None, None, None]
    count = plan.blocks(len(x), ops.cores)

    def part(i: int) -> None:
        block = _share(len(x), i, count)
        images = block.stop - block.start
        unfolded = _unfold(ops, plan, x[block])
        z = ops.scratch("conv z", (len(matrix), unfolded.shape[1]))
        np.matmul(matrix, unfolded, out=z)
        _fold(z, plan, plan.filters, plan.shifts(plan.folded), plan.length(images))
        found, place = _cells(z, 0, plan, images), out[block].transpose(1, 0, 2, 3)
        if shift is None:
            np.copyto(place, found)
        else:
            np.add(found, shift, out=place)

    ops.run(part, count)


def _share(n: int, i: int, count: int) -> slice:
    """Part i of n, cut into so many."""
    return slice(i * n // count, (i + 1) * n // count)


def conv2d_backward(
    ops: Ops, dy: Array, x: Array, weight: Array, dweight: Array, dbias: Array | None, windows: Windows,
    out: Array | None,
) -> None:  # fmt: skip
    plan = conv_plan(windows, len(weight))
    matrix = _matrix(ops, plan, weight)
    blocks = plan.blocks(len(x), ops.cores)
    jobs = min(blocks, 2 * ops.cores)
    sums = ops.scratch("conv sums", (jobs, *matrix.shape))
    biases = ops.scratch("conv biases", (jobs, plan.filters))

    def part(job: int) -> None:
        sums[job].fill(0)
        biases[job].fill(0)
        product = ops.scratch("conv product", matrix.shape)
        column = ops.scratch("conv column", (plan.filters,))
        mine = _share(blocks, job, jobs)
        for i in range(mine.start, mine.stop):
            block = _share(len(x), i, blocks)
            dz, grid = _spread(ops, plan, dy[block])
            np.add.reduce(grid, axis=1, out=column)
            np.add(biases[job], column, out=biases[job])
            np.matmul(dz, _unfold(ops, plan, x[block]).T, out=product)
            np.add(sums[job], product, out=sums[job])
            if out is not None:
                _to_pixels(ops, plan, matrix, dz, out[block])

    ops.run(part, jobs)
    np.add.reduce(sums, axis=0, out=sums[0])
    _from_matrix(ops, plan, sums[0], dweight)
    if dbias is not None:
        np.add.reduce(biases, axis=0, out=dbias)


def _unfold(ops: Ops, plan: ConvPlan, x: Array) -> np.ndarray:
    """X' of a block, (shifts channels, length)."""
    images, pitch = len(x), plan.grid[1]
    shifts = plan.shifts(plan.unfolded)
    length = plan.length(images) + plan.shifts(plan.folded)[-1]
    whole = max(length + shifts[-1], images * plan.grid[0] * pitch)
    grid = ops.scratch("conv grid", (plan.channels, whole))
    grid.fill(0)
    cells = grid[:, : images * plan.grid[0] * pitch].reshape(len(plan.pixels), -1, images, *plan.grid)
    for phase, place in zip(plan.pixels, cells, strict=True):
        (down, right), (row, column) = phase.cells, phase.pixels
        np.copyto(place[:, :, down, right], x[:, :, row, column].transpose(1, 0, 2, 3))
    if len(shifts) == 1:
        return grid[:, :length]
    out = ops.scratch("conv unfolded", (*plan.unfolded, plan.channels, length))
    step = grid.itemsize
    shape, strides = out.shape, (pitch * step, step, whole * step, step)
    np.copyto(out, np.ndarray(shape, grid.dtype, grid, strides=strides))
    return out.reshape(-1, length)


def _fold(z: np.ndarray, plan: ConvPlan, rows: int, shifts: list[int], length: int) -> None:
    """sum over b of z_b(q + b), into the first rows of z."""
    total = z[:rows, :length]
    for i, shift in enumerate(shifts[1:], start=1):
        np.add(total, z[i * rows : (i + 1) * rows, shift : shift + length], out=total)


def _spread(ops: Ops, plan: ConvPlan, dy: Array) -> tuple[np.ndarray, np.ndarray]:
    """dZ_(b, o)(q) = dY_o(q - b), and dY with zeros between, from which it is made."""
    images, shifts, pitch = len(dy), plan.shifts(plan.folded), plan.grid[1]
    most, length = shifts[-1], plan.length(images) + shifts[-1]
    grid = ops.scratch("conv dy", (plan.filters, most + length))
    grid.fill(0)
    np.copyto(_cells(grid, most, plan, images), dy.transpose(1, 0, 2, 3))
    if len(shifts) == 1:
        return grid, grid
    out = ops.scratch("conv z", (*plan.folded, plan.filters, length))
    step = grid.itemsize
    strides = -pitch * step, -step, grid.strides[0], step
    np.copyto(out, np.ndarray(out.shape, grid.dtype, grid, most * step, strides))
    return out.reshape(-1, length), grid


def _to_pixels(ops: Ops, plan: ConvPlan, matrix: np.ndarray, dz: np.ndarray, dx: Array) -> None:
    """dX' = M^T dZ, its copies added up, and the pixels out of the vector."""
    images, length, shifts = len(dx), dz.shape[1], plan.shifts(plan.unfolded)
    cells = images * plan.grid[0] * plan.grid[1]
    whole = max(length + shifts[-1], cells)
    spread = ops.scratch("conv unfolded", (matrix.shape[1], whole))
    np.matmul(matrix.T, dz, out=spread[:, :length])
    total = spread[: plan.channels]
    total[:, length:].fill(0)
    for i, shift in enumerate(shifts[1:], start=1):
        own = total[:, shift : shift + length]
        np.add(own, spread[i * plan.channels : (i + 1) * plan.channels, :length], out=own)
    if plan.strided:
        dx.fill(0)  # there may be pixels that no window sees
    grid = total[:, :cells].reshape(len(plan.pixels), -1, images, *plan.grid)
    for phase, place in zip(plan.pixels, grid, strict=True):
        (down, right), (row, column) = phase.cells, phase.pixels
        np.copyto(dx[:, :, row, column].transpose(1, 0, 2, 3), place[:, :, down, right])


def _cells(rows: np.ndarray, first: int, plan: ConvPlan, images: int) -> np.ndarray:
    """The elements that count: a view (filters, images, height, width) of rows, from column `first` on."""
    step, (height, pitch) = rows.itemsize, plan.grid
    strides = rows.strides[0], height * pitch * step, pitch * step, step
    return np.ndarray((plan.filters, images, *plan.places), rows.dtype, rows, first * step, strides)


# ---- M ---------------------------------------------------------------------------------------------------
def _matrix(ops: Ops, plan: ConvPlan, weight: Array) -> np.ndarray:
    """M, (folded shifts filters, unfolded shifts channels): the weights in another order."""
    columns = prod(plan.unfolded) * plan.channels
    out = ops.scratch("conv matrix", (prod(plan.folded) * plan.filters, columns))
    padded = _padded(ops, plan, weight.shape)
    if padded is not None:
        np.copyto(padded[:, :, : weight.shape[2], : weight.shape[3]], weight)
        weight = padded
    kernel = _kernel(plan, out)
    np.copyto(kernel, weight.reshape(kernel.shape))
    return out


def _from_matrix(ops: Ops, plan: ConvPlan, matrix: np.ndarray, dweight: Array) -> None:
    kernel, padded = _kernel(plan, matrix), _padded(ops, plan, dweight.shape)
    if padded is None:
        np.copyto(dweight.reshape(kernel.shape), kernel)
        return
    np.copyto(padded.reshape(kernel.shape), kernel)
    np.copyto(dweight, padded[:, :, : dweight.shape[2], : dweight.shape[3]])


def _kernel(plan: ConvPlan, matrix: np.ndarray) -> np.ndarray:
    """M as (filters, channels of the image, rows, phases of rows, columns, phases of columns)."""
    shape = *plan.folded, plan.filters, *plan.unfolded, *plan.phases, -1
    turned = matrix.reshape(shape).transpose(2, 7, 0, 3, 5, 1, 4, 6)
    down = _one_of(turned, 2)
    return _one_of(down, 4)


def _one_of(x: np.ndarray, axis: int) -> np.ndarray:
    """x without one of two axes, a tap's shift folded or unfolded: the other has all of them."""
    return x[(slice(None),) * (axis + (x.shape[axis] > 1)) + (0,)]


def _padded(ops: Ops, plan: ConvPlan, shape: tuple[int, ...]) -> np.ndarray | None:
    """Room for a kernel whose size is a multiple of the stride, the rest of it 0; None where it is one."""
    kernel = tuple(t * p for t, p in zip(plan.taps, plan.phases, strict=True))
    if kernel == shape[2:]:
        return None
    out = ops.scratch("conv padded", (*shape[:2], *kernel))
    out.fill(0)
    return out
