"""Every operation of the CuPy backend against NumPy's: on a stand-in for a GPU, and with -m gpu on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minilift.errors import InputError
from minilift.lift.rays import operations
from minilift.nn import losses
from minilift.nn.metrics import accuracy
from minilift.ops import Ops, get_ops
from minilift.ops.cuda.cupy_ops import CupyOps

TOLERANCE = {"float64": 1e-13, "float32": 1e-5}  # of an array's largest number
KEY = (0x12345678, 0x9ABCDEF0)
# Around the sizes at which another kernel is taken (2048 rows of one or two columns keep the test quick)
ROWS = [2, 31, 32, 33, 64, 65, 256, 257, 1024, 1025, 4096, 4099]


def pair(dtype: str) -> tuple[Ops, Ops]:
    return get_ops("cpu", dtype), get_ops("gpu", dtype)


def both(dtype: str, work: Callable[[Ops, Any], dict[str, Any]]) -> dict[str, Any]:
    """`work` on both backends, with the same random numbers; the results must agree."""
    cpu, gpu = (
        {name: ops.to_host(value) for name, value in work(ops, np.random.default_rng(5)).items()}
        for ops in pair(dtype)
    )
    for name, expected in cpu.items():
        limit = TOLERANCE[dtype] * max(1, np.abs(expected).max())
        np.testing.assert_allclose(gpu[name], expected, rtol=0, atol=limit, err_msg=name)
    return gpu


def outputs(ops: Ops, **shapes: tuple[int, ...]) -> dict[str, Any]:
    """Empty arrays, which hold NaN on the stand-in."""
    return {name: ops.empty(shape) for name, shape in shapes.items()}


def norm_act_drop(ops: Ops, rng: Any, n: int, columns: int, p: float) -> dict[str, Any]:
    x, dy = (ops.asarray(rng.standard_normal((n, columns)) * 2 + 1) for _ in range(2))
    weight, bias = (ops.asarray(rng.standard_normal(columns)) for _ in range(2))
    wide, tall = (n, columns), (columns,)
    out = outputs(
        ops, centred=wide, y=wide, mean=tall, var=tall, rstd=tall, dweight=tall, dbias=tall, dx=wide
    )
    statistics = out["mean"], out["var"], out["rstd"]
    ops.norm_act_drop(x, weight, bias, *statistics, 1e-5, p, KEY, out["centred"], out=out["y"])
    kept = out["centred"], out["y"], out["rstd"]
    ops.norm_act_drop_backward(dy, *kept, weight, p, out["dweight"], out["dbias"], out=out["dx"])
    return out


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n", ROWS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_norm_act_drop_with_any_number_of_rows(gpu: Any, dtype: str, n: int, p: float) -> None:
    columns = 11 if n < 200 else 2
    found = both(dtype, lambda ops, rng: norm_act_drop(ops, rng, n, columns, p))
    if p < 1 and n > 30:
        assert 0 < (found["y"] > 0).mean() < 1


def elementwise(ops: Ops, rng: Any) -> dict[str, Any]:
    a, b = (ops.asarray(rng.standard_normal((9, 6))) for _ in range(2))
    turned, row = ops.asarray(rng.standard_normal((6, 9))).T, ops.asarray(rng.standard_normal(6))
    column = ops.asarray(rng.standard_normal((9, 1)))
    same = (9, 6)
    out = outputs(
        ops, sum=same, row=same, column=same, turned=same, product=same, scaled=same, affine=same, relu=same,
        back=same, mask=same, copied=same, host=same, filled=same, taken=(4, 6), vector=(6,),
        turned_copy=same,
    )  # fmt: skip
    ops.add(a, b, out=out["sum"])
    ops.add(a, row, out=out["row"])
    ops.add(a, column, out=out["column"])
    ops.add(a, turned, out=out["turned"])
    ops.add(row, row, out=out["vector"])
    ops.multiply(a, b, out=out["product"])
    ops.multiply(a, row, out=out["scaled"])
    ops.affine(a, row, row, out=out["affine"])
    ops.relu(a, out=out["relu"])
    ops.relu_backward(b, out["relu"], out=out["back"])
    out |= outputs(ops, leaky=same, leaky_back=same)
    ops.relu(a, out=out["leaky"], slope=0.2)
    ops.relu_backward(b, out["leaky"], out=out["leaky_back"], slope=0.2)
    ops.dropout_mask(0.4, KEY, out=out["mask"])
    ops.copy(a, out=out["copied"])
    ops.copy(turned, out=out["turned_copy"])
    ops.copy(np.arange(54.0).reshape(9, 6), out=out["host"])
    ops.fill(out["filled"], 2.5)
    ops.take(a, ops.asindex([7, 0, 7, 3]), out=out["taken"])
    solid, flat = (ops.asarray(rng.standard_normal(shape)) for shape in ((9, 2, 3), (9,)))
    out |= outputs(ops, taken_solid=(4, 2, 3), taken_flat=(4,), solid_row=(9, 2, 3), solid_sum=(9, 2, 3))
    out |= outputs(ops, solid_affine=(9, 2, 3))
    out["classes"] = ops.zeros((4,), ops.index_dtype)
    ops.take(solid, ops.asindex([7, 0, 7, 3]), out=out["taken_solid"])
    ops.take(flat, ops.asindex([7, 0, 7, 3]), out=out["taken_flat"])
    ops.take(ops.asindex(range(10, 19)), ops.asindex([7, 0, 7, 3]), out=out["classes"])
    ops.add(solid, solid, out=out["solid_sum"])
    ops.multiply(solid, row[:3], out=out["solid_row"])
    ops.affine(solid, row[:3], row[3:], out=out["solid_affine"])
    average = ops.ones((6,))
    ops.running_average(row, 1.5, 0.1, out=average)
    return {**out, "average": average}


def products(ops: Ops, rng: Any) -> dict[str, Any]:
    a, b = ops.asarray(rng.standard_normal((9, 20))), ops.asarray(rng.standard_normal((20, 7)))
    weight, bias = ops.asarray(rng.standard_normal((7, 20))), ops.asarray(rng.standard_normal(7))
    tall, one = ops.asarray(rng.standard_normal((9, 7))), ops.asarray(rng.standard_normal((20, 1)))
    out = outputs(
        ops, plain=(9, 7), left=(20, 7), right=(9, 7), both=(7, 9), part=(7, 4), column=(9, 1), sums=(20,),
        linear=(9, 7), bare=(9, 7), dweight=(7, 20), dbias=(7,), dx=(9, 20), outer=(9, 9),
    )  # fmt: skip
    ops.matmul(a, b, out=out["plain"])
    ops.matmul(a.T, tall, out=out["left"])
    ops.matmul(a, weight.T, out=out["right"])
    ops.matmul(b.T, a.T, out=out["both"])
    ops.matmul(tall.T, a[:, 3:7], out=out["part"])
    ops.matmul(a, one, out=out["column"])
    ops.matmul(out["column"], out["column"].T, out=out["outer"])
    ops.sum_rows(a, out=out["sums"])
    ops.linear(a, weight, bias, out=out["linear"])
    ops.linear(a, weight, None, out=out["bare"])
    ops.linear_backward(tall, a, weight, out["dweight"], out["dbias"], out=out["dx"])
    return out


def normalisation(ops: Ops, rng: Any) -> dict[str, Any]:
    n, columns = 70, 9
    x, dy = (ops.asarray(rng.standard_normal((n, columns)) + mean) for mean in (1, 0))
    weight, bias, mean = (ops.asarray(rng.standard_normal(columns)) for _ in range(3))
    var = ops.asarray(rng.uniform(0.5, 2, columns))
    out = {}
    for mode in ("", "_eval"):
        new = outputs(ops, **dict.fromkeys(("xhat", "y", "dx"), (n, columns)))
        new |= outputs(ops, **dict.fromkeys(("mean", "var", "rstd", "dweight", "dbias"), (columns,)))
        if mode:
            new["mean"], new["var"] = mean, var
        arrays = new["mean"], new["var"], new["rstd"]
        getattr(ops, f"batchnorm{mode}")(x, weight, bias, *arrays, 1e-5, new["xhat"], out=new["y"])
        back = new["xhat"], new["rstd"], weight, new["dweight"], new["dbias"]
        getattr(ops, f"batchnorm{mode}_backward")(dy, *back, out=new["dx"])
        out |= {name + mode: value for name, value in new.items()}
    return out


def updates(ops: Ops, rng: Any) -> dict[str, Any]:
    size = 2_003
    w, g, m, velocity = (ops.asarray(rng.standard_normal(size)) for _ in range(4))
    v, other = ops.asarray(rng.uniform(0, 1, size)), ops.asarray(rng.standard_normal(size))
    for part in (slice(0, 1600), slice(1600, 1603), slice(1603, size)):  # by fours, and ragged
        ops.adam(w[part], g[part], m[part], v[part], (0.9, 0.99), 1e-2, 1e-7, 0.1, 0.05)
    ops.sgd(other, g, velocity, 0.1, 0.9, 0.01)
    ops.sgd(other, g, velocity, 0.1, 0.9, 0.01, nesterov=True)
    ops.sgd(other, g, None, 0.1, 0.0, 0.0)
    clipped, spared = (
        [ops.asarray(rng.standard_normal(n)) for n in (3000, 5)],
        ops.asarray(rng.standard_normal(9)),
    )
    ops.scale_to_norm(clipped, 0.7)
    ops.scale_to_norm([spared], 100.0)
    parts = {"long": clipped[0], "short": clipped[1], "spared": spared}
    return {"w": w, "m": m, "v": v, "other": other, "velocity": velocity, **parts}


def on_rays(ops: Ops, rng: Any) -> dict[str, Any]:
    points, depth = ops.asarray(rng.standard_normal((9, 8))), ops.asarray(rng.standard_normal((9, 4)))
    dy = ops.asarray(rng.standard_normal((9, 12)))
    out = outputs(ops, y=(9, 12), dpoints=(9, 8), ddepth=(9, 4), alone=(9, 4))
    operations.rays(ops, points, depth, out=out["y"])
    operations.rays_backward(ops, dy, points, depth, out["dpoints"], out["ddepth"])
    operations.rays_backward(ops, dy, points, depth, None, out["alone"])
    return out


def placed(ops: Ops, rng: Any) -> dict[str, Any]:
    points = rng.standard_normal((9, 4, 2))
    points[rng.random((9, 4)) < 0.4] = np.nan
    told = np.concatenate([points.reshape(9, 8), rng.uniform(0, 0.1, (9, 4))], axis=1)
    x, o = ops.asarray(told), ops.asarray(rng.standard_normal((9, 12)))
    dy, dplaced = (ops.asarray(rng.standard_normal((9, columns))) for columns in (16, 12))
    out = outputs(
        ops, image=(9, 8), r=(9, 4), filled=(9, 16), dx=(9, 8), dr=(9, 4), y=(9, 12), dpoints=(9, 8),
        more=(9, 4), do=(9, 12), alone=(9, 12), dtold=(9, 12),
    )  # fmt: skip
    image, r = out["image"], out["r"]
    operations.reliability(ops, x, image, out=r)
    operations.given(ops, image, r, out=out["filled"])
    operations.given_backward(ops, dy, image, r, out["dx"], out["dr"])
    operations.place(ops, image, r, o, out=out["y"])
    operations.place_backward(ops, dplaced, image, r, o, out["dpoints"], out["more"], out["do"])
    operations.place_backward(ops, dplaced, image, r, o, None, None, out["alone"])
    operations.reliability_backward(ops, out["dr"], r, out["dx"], out=out["dtold"])
    return out


def loss(name: str, n: int) -> Callable[[Ops, Any], dict[str, Any]]:
    def work(ops: Ops, rng: Any) -> dict[str, Any]:
        pred, target = rng.standard_normal((n, 12)), rng.standard_normal((n, 12))
        pred[1, 3:6] = target[1, 3:6]  # a joint that is right
        out, total = outputs(ops, grad=(n, 12)), ops.zeros((1,), dtype="float64")
        for _ in range(2):
            getattr(ops, name)(ops.asarray(pred), ops.asarray(target), out["grad"], total)
        return {**out, "total": total}

    return work


def classes(n: int, count: int) -> Callable[[Ops, Any], dict[str, Any]]:
    def work(ops: Ops, rng: Any) -> dict[str, Any]:
        pred = rng.standard_normal((n, count)) * 3
        pred[1] = 1e4 * pred[1].round()  # large, and some of them equal
        index = rng.integers(0, count, n)
        out = {**outputs(ops, grad=(n, count)), "total": ops.zeros((1,), dtype="float64")}
        right = ops.zeros((1,), dtype="float64")
        for _ in range(2):
            ops.cross_entropy(ops.asarray(pred), ops.asindex(index), out["grad"], out["total"])
            ops.accuracy(ops.asarray(pred.round()), ops.asindex(index), right)
        yes, no = outputs(ops, grad=(n, count)), ops.zeros((1,), dtype="float64")
        ops.bce_with_logits(ops.asarray(pred), ops.asindex(index), yes["grad"], no)
        return {**out, "right": right, "of classes": yes["grad"], "bce": no}

    return work


WORKS = {
    "elementwise": elementwise,
    "products": products,
    "normalisation": normalisation,
    "updates": updates,
    "rays": on_rays,
    "placed joints": placed,
    "mpjpe": loss("mpjpe", 37),
    "mpjpe of many": loss("mpjpe", 17_000),  # more joints than threads
    "mse": loss("mse", 37),
    "bce_with_logits": loss("bce_with_logits", 37),
    "classes": classes(37, 10),
    "one class": classes(5, 1),
    "more classes than a warp": classes(9, 77),
    "more rows than warps": classes(4_200, 3),
}


@pytest.mark.parametrize("name", WORKS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_operations_agree(gpu: Any, dtype: str, name: str) -> None:
    found = both(dtype, WORKS[name])
    if name.startswith("mpjpe"):
        assert (found["grad"][1, 3:6] == 0).all()


@pytest.mark.parametrize("name", WORKS)
def test_the_order_of_threads_changes_no_bit(gpu: Any, name: str) -> None:
    if not hasattr(gpu.backend, "reversed_threads"):
        pytest.skip("a real GPU chooses the order itself")

    def work() -> dict[str, Any]:
        ops = get_ops("gpu")
        return {k: ops.to_host(v) for k, v in WORKS[name](ops, np.random.default_rng(1)).items()}

    forwards = work()
    with gpu.backend.reversed_threads():
        backwards = work()
    for key, value in forwards.items():
        np.testing.assert_array_equal(value, backwards[key], err_msg=key)


def test_masks_are_those_of_the_cpu_to_the_bit(gpu: Any) -> None:
    for ops in pair("float32"):
        out = ops.empty((300, 250))  # more than 2^16 elements, where NumPy's hash takes up another block
        ops.dropout_mask(0.25, KEY, out=out)
        mask = ops.to_host(out)
        if ops.device == "cpu":
            expected = mask
    np.testing.assert_array_equal(mask, expected)


def test_tf32_rounds_the_factors_and_nothing_else(gpu: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((64, 64)).astype("f4"), rng.standard_normal((64, 64)).astype("f4")
    errors = []
    for tf32 in (False, True):
        ops = get_ops("gpu", tf32=tf32)
        out = ops.empty((64, 64))
        ops.matmul(ops.asarray(a), ops.asarray(b), out=out)
        errors.append(np.linalg.norm(ops.to_host(out) - a.astype("f8") @ b) / np.linalg.norm(a @ b))
    assert errors[0] < 1e-6 < 1e-4 < errors[1] < 1e-3


@pytest.mark.parametrize("name", ["mpjpe", "mse"])
def test_nan_is_not_swallowed(gpu: Any, name: str) -> None:
    """A run that diverges must be seen to."""
    ops = get_ops("gpu")
    pred = np.zeros((4, 3), "f4")
    pred[2] = np.nan
    grad, total = ops.empty((4, 3)), ops.zeros((1,), dtype="float64")
    getattr(ops, name)(ops.asarray(pred), ops.zeros((4, 3)), grad, total)
    assert np.isnan(ops.to_host(total)[0])
    assert np.isnan(ops.to_host(grad)[2]).all()
    out = ops.empty((4, 3))
    ops.relu(ops.asarray(pred), out=out)
    assert np.isnan(ops.to_host(out)[2]).all()


def test_classes_where_a_number_is_missing(gpu: Any) -> None:
    ops = get_ops("gpu")
    pred = np.random.default_rng(0).standard_normal((5, 40)).astype("f4")
    pred[2, 35] = np.nan  # the largest, as for NumPy
    grad, total, right = ops.empty((5, 40)), ops.zeros((1,), "float64"), ops.zeros((1,), "float64")
    index = ops.asindex([0, 1, 35, 40, -1])  # two of them out of range
    losses.cross_entropy(ops.asarray(pred), index, ops, grad, total)
    assert np.isnan(ops.to_host(total)[0])
    assert np.isnan(ops.to_host(grad)).all(axis=1).tolist() == [False, False, True, True, True]
    accuracy(ops.asarray(pred), index, ops, right)
    best = pred.argmax(axis=1)
    assert ops.to_host(right)[0] == (best == [0, 1, 35, 40, -1]).mean() >= 0.2


@pytest.mark.parametrize("work", [losses.cross_entropy, accuracy], ids=["cross_entropy", "accuracy"])
def test_classes_are_checked_where_the_device_is_not_waited_for(gpu: Any, work: Any) -> None:
    ops = get_ops("gpu")
    pred, total = ops.ones((3, 4)), {"total": ops.zeros((1,), "float64")}
    for target, options in (([0, 1, 4], total), (ops.asindex([0, 1, 4]), {})):
        with pytest.raises(ValueError, match="from 0 to 4, where pred has 4"):
            work(pred, target, ops, **options)
    index, reads = (
        ops.asindex([0, 1, 3]),
        gpu.backend.host_reads if hasattr(gpu.backend, "host_reads") else None,
    )
    work(pred, index, ops, **total)
    if reads is not None:
        assert gpu.backend.host_reads == reads
    with pytest.raises(TypeError, match="an index array of float32"):
        ops.asindex(pred)


def test_arrays_go_in_and_out(gpu: Any) -> None:
    ops = get_ops("gpu")
    x = ops.asarray([[1, 2], [3, 4]])
    assert ops.asarray(x) is x
    assert str(x.dtype) == "float32"
    np.testing.assert_array_equal(ops.to_host(ops.asarray(x.T)), [[1, 3], [2, 4]])
    np.testing.assert_array_equal(ops.to_host(7), 7)
    assert ops.to_host(ops.asarray(np.zeros((0, 3)))).shape == (0, 3)
    with pytest.raises(TypeError, match="float64 on the GPU"):
        get_ops("gpu", "float32").asarray(get_ops("gpu", "float64").ones((2,)))
    with pytest.raises(TypeError):
        ops.copy(np.array([1.0 + 2j]), out=ops.ones((1,)))
    with pytest.raises(ValueError, match=r"\(2, 2\) and \(3,\)"):
        ops.add(x, ops.ones((3,)), out=x)
    with pytest.raises(TypeError, match=r"take: float32 \(2, 2\) into float32 \(2, 3\)"):
        ops.take(x, ops.asindex([0, 1]), out=ops.empty((2, 3)))
    with pytest.raises(ValueError, match="does not give"):
        ops.matmul(x, x, out=ops.empty((2, 3)))
    with pytest.raises(ValueError, match="transposed view"):
        ops.matmul(x, x, out=ops.empty((2, 2)).T)


def test_scratch_is_kept_and_grows(gpu: Any) -> None:
    ops = get_ops("gpu")
    first = ops.scratch("a", (4, 5))
    assert ops.scratch("a", (2, 5)).data.ptr == first.data.ptr
    assert ops.scratch("a", (40, 5)).shape == (40, 5)
    assert isinstance(ops, CupyOps)


def test_out_of_memory_is_one_line_with_the_remedy(gpu: Any) -> None:
    if not hasattr(gpu.backend, "limit"):
        pytest.skip("would fill a GPU that others may use")
    gpu.backend.limit = gpu.pool_bytes() + 1000
    with pytest.raises(InputError, match=r"out of memory \(4 MB wanted, 34 MB held\); use smaller batches"):
        get_ops("gpu").empty((1000, 1000))
