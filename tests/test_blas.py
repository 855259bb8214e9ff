"""A second BLAS: its products for arrays as they lie, on any threads; which library is chosen, and kept.

Where MKL is not installed, NumPy's own OpenBLAS stands in for it, through its C interface.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import make_poses
from process_groups import together

from minilift import Adam, Lifter, LiftModel
from minilift.cli.info import main as info
from minilift.cli.train import main as train
from minilift.errors import InputError
from minilift.lift.fast import folded
from minilift.lift.resume import began_with
from minilift.lift.training import Training, lift_training, widest
from minilift.ops import NumpyOps, numpy_core
from minilift.ops.blas import choose as choosing
from minilift.ops.blas import mkl, trial
from minilift.ops.blas.bundled import blas
from minilift.ops.blas.cblas import Cblas
from minilift.ops.blas.choose import Choice, choose, multiplied_by
from minilift.ops.threads import Team
from minilift.poses.poses import save_poses

TEAMS = {size: Team(size) for size in (1, 2, 4)}
TOLERANCE = {"float32": 2e-4, "float64": 1e-11}  # worst seen 4e-5 and 6e-14


def stand_in() -> Cblas | None:
    """NumPy's OpenBLAS as a library like any other."""
    libraries = Path(np.__file__).parents[1] / "numpy.libs"
    for path in sorted(libraries.glob("*openblas*")):
        try:
            return Cblas(ctypes.CDLL(str(path)), "scipy_cblas_{}gemm64_")
        except (OSError, AttributeError):
            continue
    return None


def real() -> Cblas | None:
    try:
        return mkl.load_mkl(mkl.find_mkl()[0])
    except InputError:
        return None


@pytest.fixture(params=["OpenBLAS", "MKL"])
def gemm(request: pytest.FixtureRequest) -> Cblas:
    found = stand_in() if request.param == "OpenBLAS" else real()
    if found is None:
        pytest.skip(f"{request.param} is not here with a C interface")
    return found


@pytest.fixture
def openblas() -> Cblas:
    if (found := stand_in()) is None:
        pytest.skip("NumPy's BLAS has no C interface here")
    return found


# ---- products ----------------------------------------------------------------------------------------------


def lying(x: np.ndarray) -> dict[str, np.ndarray]:
    """The same matrix as it may lie in memory, where BLAS takes it so."""
    rows, columns = x.shape
    wide = np.full((rows + 2, columns + 5), np.nan, x.dtype)
    wide[1:-1, 2:-3] = x
    high = np.full((columns + 1, rows + 4), np.nan, x.dtype)
    high[:-1, 3:-1] = x.T
    return {
        "rows": x.copy(), "columns": np.asfortranarray(x), "of more": wide[1:-1, 2:-3],
        "of more, turned": high[:-1, 3:-1].T, "every other row": np.repeat(x, 2, axis=0)[::2],
    }  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("m", "k", "n"), [(2, 2, 2), (33, 70, 5), (64, 9, 130)])
def test_products_of_arrays_as_they_lie(m: int, k: int, n: int, dtype: str, gemm: Cblas) -> None:
    rng = np.random.default_rng(m)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    expected = a.astype(np.float64) @ b.astype(np.float64)
    for first in lying(a).values():
        for second in lying(b).values():
            for out in lying(np.full((m, n), np.nan, dtype)).values():  # what is in out is not read
                assert gemm.matmul(first, second, out)
                np.testing.assert_allclose(out, expected, rtol=0, atol=TOLERANCE[dtype])


def test_nothing_around_the_result_is_written(gemm: Cblas) -> None:
    whole = np.full((20, 30), 7.0, np.float32)
    a, b = np.ones((10, 4), np.float32), np.ones((4, 12), np.float32)
    assert gemm.matmul(a, b, whole[5:15, 9:21])
    assert (whole[5:15, 9:21] == 4).all()
    assert whole.sum() == 7 * (600 - 120) + 4 * 120


def unaligned(x: np.ndarray) -> np.ndarray:
    raw = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    raw[...] = x
    return raw


A, B = np.ones((6, 4), np.float32), np.ones((4, 8), np.float32)
REFUSED: dict[str, Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]] = {
    "rows upside down": lambda: (A[::-1], B, np.zeros((6, 8), np.float32)),
    "columns backwards": lambda: (A, B[:, ::-1], np.zeros((6, 8), np.float32)),
    "every other column": lambda: (A, np.ones((4, 16), np.float32)[:, ::2], np.zeros((6, 8), np.float32)),
    "one row for all": lambda: (np.broadcast_to(A[0], A.shape), B, np.zeros((6, 8), np.float32)),
    "one column for all": lambda: (A, np.broadcast_to(B[:, :1], B.shape), np.zeros((6, 8), np.float32)),
    "one number for a row": lambda: (
        np.broadcast_to(np.ones((6, 1), "f4"), (6, 4)),
        B,
        np.zeros((6, 8), "f4"),
    ),
    "columns from the right": lambda: (np.asfortranarray(A)[:, ::-1], B, np.zeros((6, 8), np.float32)),
    "every other column of out": lambda: (A, B, np.zeros((6, 16), np.float32)[:, ::2]),
    "another type": lambda: (A.astype(np.float64), B, np.zeros((6, 8), np.float32)),
    "whole numbers": lambda: (A.astype(int), B.astype(int), np.zeros((6, 8), int)),
    "bytes in the other order": lambda: tuple(x.astype(">f4") for x in (A, B, np.zeros((6, 8)))),  # type: ignore[return-value]
    "between addresses": lambda: (unaligned(A), B, np.zeros((6, 8), np.float32)),
    "no rows": lambda: (A[:0], B, np.zeros((0, 8), np.float32)),
    "nothing to add": lambda: (A[:, :0], B[:0], np.zeros((6, 8), np.float32)),
    "one row": lambda: (A[:1], B, np.zeros((1, 8), np.float32)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_blas_cannot_take_goes_to_numpy(name: str, openblas: Cblas, monkeypatch: Any) -> None:
    a, b, out = REFUSED[name]()
    assert not openblas.matmul(a, b, out)
    assert not out.any()
    monkeypatch.setattr(numpy_core, "LARGE", 0)
    ops = NumpyOps(a.dtype.name if a.dtype.kind == "f" else "float32")
    with multiplied_by(ops, openblas):
        np.testing.assert_array_equal(ops.matmul(a, b, out=out), np.matmul(a, b))


def test_a_result_is_not_laid_over_its_factors_or_what_cannot_be_written(openblas: Cblas) -> None:
    square = np.ones((8, 8), np.float32)
    other = square.copy()
    assert not openblas.matmul(square, other, square)
    assert not openblas.matmul(other, square, square)
    assert not openblas.matmul(square.T, other, square.T)
    fixed = np.zeros((8, 8), np.float32)
    fixed.flags.writeable = False
    assert not openblas.matmul(square, other, fixed)
    assert (square == 1).all()


def test_a_product_has_the_same_bits_wherever_its_arrays_begin(gemm: Cblas) -> None:
    """And each time that it is asked for: of OpenBLAS, where arrays begin on a cache line as ours do."""
    rng, found = np.random.default_rng(0), []
    a, b = rng.standard_normal((70, 300)), rng.standard_normal((300, 90))
    for shift in (0, 0, *((1, 3, 8) if gemm is real() else ())):
        arrays = []
        for shape, values in ((a.shape, a), (b.shape, b), ((70, 90), 0)):
            room = NumpyOps("float32").empty((int(np.prod(shape)) + 16,))
            arrays.append(room[shift : shift + int(np.prod(shape))].reshape(shape))
            arrays[-1][...] = values
        assert gemm.matmul(*arrays)
        found.append(arrays[2].copy())
    assert all((one == found[0]).all() for one in found)


class Counted:
    """A library that counts its calls."""

    def __init__(self, inner: Cblas) -> None:
        self.inner, self.shapes = inner, []

    def matmul(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> bool:
        self.shapes.append((*a.shape, b.shape[1]))
        return self.inner.matmul(a, b, out)


@pytest.mark.parametrize("size", TEAMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_dense_layer_by_it(dtype: str, size: int, gemm: Cblas, monkeypatch: Any) -> None:
    """However its products are shared, and with few rows, which NumPy's BLAS would get piece by piece."""
    monkeypatch.setattr(numpy_core, "team", lambda: TEAMS[size])
    ops, rng, counted = NumpyOps(dtype), np.random.default_rng(size), Counted(gemm)
    for rows, m, k in ((30, 256, 320), (128, 256, 384), (700, 96, 200)):
        x, w, b, dy = (rng.standard_normal(shape) for shape in ((rows, k), (m, k), (m,), (rows, m)))
        here = [ops.asarray(array) for array in (x, w, b, dy)]
        y, dw, db, dx = (ops.empty(shape) for shape in ((rows, m), (m, k), (m,), (rows, k)))
        with multiplied_by(ops, counted), ops.parallel():  # type: ignore[arg-type]
            ops.linear(*here[:3], out=y)
            ops.linear_backward(here[3], here[0], here[1], dw, db, out=dx)
        for found, wanted in ((y, x @ w.T + b), (dw, dy.T @ x), (db, dy.sum(axis=0)), (dx, dy @ w)):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=5 * TOLERANCE[dtype])
    assert len(counted.shapes) >= 9
    assert ops.gemm is None


def test_small_products_are_left_to_numpy(openblas: Cblas) -> None:
    ops, counted = NumpyOps("float32"), Counted(openblas)
    with multiplied_by(ops, counted):  # type: ignore[arg-type]
        ops.matmul(ops.ones((64, 64)), ops.ones((64, 64)), out=ops.empty((64, 64)))
        assert counted.shapes == []
        ops.matmul(ops.ones((128, 128)), ops.ones((128, 128)), out=ops.empty((128, 128)))
    assert counted.shapes == [(128, 128, 128)]


def test_what_it_has_multiplied_is_not_multiplied_again() -> None:
    """Nor cut into the pieces that OpenBLAS likes."""
    shapes = []

    def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> bool:
        shapes.append((*a.shape, b.shape[1]))
        out[...] = 7
        return True

    ops = NumpyOps("float32")
    with multiplied_by(ops, SimpleNamespace(matmul=matmul)), pytest.MonkeyPatch.context() as patch:  # type: ignore[arg-type]
        patch.setattr(numpy_core, "blas", lambda: SimpleNamespace(unpacked=True))
        y = ops.linear(ops.ones((64, 320)), ops.ones((256, 320)), None, out=ops.empty((64, 256)))
    assert (y == 7).all()
    assert shapes == [(64, 320, 256)]


def test_threads_may_multiply_at_once(gemm: Cblas) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((200, 200)).astype(np.float32) for _ in range(2))
    outs = [np.empty((200, 200), np.float32) for _ in range(24)]
    with blas().one_thread():
        assert gemm.matmul(a, b, outs[0])
        TEAMS[4].run(lambda i: gemm.matmul(a, b, outs[i]) and None, 24)
    assert all((out == outs[0]).all() for out in outs)


def test_it_runs_without_the_interpreter_lock(gemm: Cblas) -> None:
    a = np.ones((1500, 1500), np.float32)
    out, ticks, done = np.empty_like(a), 0, threading.Event()

    def work() -> None:
        gemm.matmul(a, a, out)
        done.set()

    with blas().one_thread():
        thread = threading.Thread(target=work)
        thread.start()
        while not done.wait(0.0005):
            ticks += 1
        thread.join()
    assert ticks >= 5  # of some 30 ms


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_multiplies_too(gemm: Cblas, monkeypatch: Any) -> None:
    monkeypatch.setattr(numpy_core, "team", lambda: TEAMS[2])
    ops, a = NumpyOps("float32"), np.ones((512, 512), np.float32)

    def right() -> bool:
        with multiplied_by(ops, gemm), ops.parallel():
            return bool((ops.matmul(a, a, out=np.empty_like(a)) == 512).all())

    assert right()
    child = os.fork()
    if child == 0:  # nothing of pytest's may run here
        os._exit(0 if right() else 1)
    timer = threading.Timer(20, os.kill, (child, signal.SIGKILL))
    timer.start()
    _, status = os.waitpid(child, 0)
    timer.cancel()
    assert os.waitstatus_to_exitcode(status) == 0


def test_operations_are_copied_without_it(openblas: Cblas) -> None:
    import pickle

    ops = NumpyOps("float32")
    with multiplied_by(ops, openblas):
        assert pickle.loads(pickle.dumps(ops)).gemm is None


# ---- the choice --------------------------------------------------------------------------------------------


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, openblas: Cblas) -> SimpleNamespace:
    """A machine with an MKL, a cache folder of its own and nothing asked for; `ratio` is what trials find."""
    state = SimpleNamespace(ratio=1.5, trials=[], folder=tmp_path / "minilift" / "blas", gemm=openblas)

    def speed_ratio(ops: NumpyOps, gemm: Cblas, rows: int, width: int) -> float:
        state.trials.append((ops.dtype, rows, width))
        return state.ratio

    monkeypatch.delenv("MINILIFT_BLAS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(choosing, "blas", lambda: SimpleNamespace(threads=2, kernel="SkylakeX"))
    monkeypatch.setattr(choosing, "find_mkl", lambda: (Path("libmkl_rt.so.2"), "2025.1"))
    monkeypatch.setattr(choosing, "load_mkl", lambda path: openblas)
    monkeypatch.setattr(choosing, "speed_ratio", speed_ratio)
    return state


@pytest.mark.parametrize(
    ("ratio", "library"), [(1.5, "mkl"), (1.06, "mkl"), (1.04, "openblas"), (0.5, "openblas")]
)
def test_the_faster_library_is_taken_and_kept(ratio: float, library: str, found: Any) -> None:
    found.ratio = ratio
    for _ in range(3):
        choice = choose(NumpyOps("float32"), 64, 1024)
        assert (choice.library, choice.gemm is not None) == (library, library == "mkl")
        assert f"64 x 1024 on {NumpyOps().cores} thread" in choice.why
        assert f"had {ratio:.2f} times" in choice.why
        found.ratio = 1 / ratio  # another trial would find the other one faster
    assert found.trials == [("float32", 64, 1024)]
    (path,) = found.folder.iterdir()  # and nothing half written
    assert json.loads(path.read_text())["ratio"] == ratio


def test_other_shapes_types_and_machines_have_trials_of_their_own(found: Any, monkeypatch: Any) -> None:
    choose(NumpyOps("float32"), 64, 1024)
    choose(NumpyOps("float64"), 64, 1024)
    choose(NumpyOps("float32"), 32, 1024)
    choose(NumpyOps("float32"), 4096, 3000)  # as the largest of a trial
    choose(NumpyOps("float32"), 256, 1024)
    assert found.trials == [
        ("float32", 64, 1024),
        ("float64", 64, 1024),
        ("float32", 32, 1024),
        ("float32", 256, 1024),
    ]
    monkeypatch.setattr(NumpyOps, "cores", 7)
    choose(NumpyOps("float32"), 64, 1024)
    monkeypatch.setattr(choosing, "cpu_model", lambda: "another one")
    choose(NumpyOps("float32"), 64, 1024)
    monkeypatch.setattr(choosing, "find_mkl", lambda: (Path("libmkl_rt.so.2"), "2026.0"))
    choose(NumpyOps("float32"), 64, 1024)
    monkeypatch.setenv("MKL_ENABLE_INSTRUCTIONS", "AVX2")
    choose(NumpyOps("float32"), 64, 1024)
    assert len(found.trials) == 8


def test_small_networks_are_left_alone(found: Any) -> None:
    assert choose(NumpyOps(), 64, 64).library == "openblas"
    assert found.trials == []


DAMAGED = [
    b"", b"{", b"\xff\xfe", b"[" * 4000, b"3", b"[]", b"{}", b'{"key": "KEY", "ratio": "1.5"}',
    b'{"key": "KEY"}', b'{"key": "KEY", "ratio": NaN}', b'{"key": "KEY", "ratio": -1.0}',
    b'{"key": "KEY", "ratio": 1e999}', b'{"key": "of another machine", "ratio": 0.1}',
    b" " * 5000 + b'{"key": "KEY", "ratio": 0.1}',
]  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_made_anew(content: bytes, found: Any) -> None:
    choose(NumpyOps("float32"), 64, 1024)
    (path,) = found.folder.iterdir()
    key = json.loads(path.read_text())["key"]
    path.write_bytes(content.replace(b"KEY", json.dumps(key)[1:-1].encode()))
    assert choose(NumpyOps("float32"), 64, 1024).library == "mkl"
    assert len(found.trials) == 2
    assert json.loads(path.read_text()) == {"key": key, "ratio": 1.5}
    assert list(found.folder.iterdir()) == [path]


def test_where_nothing_can_be_kept_nothing_flips(found: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """A file where the folder should be: no trial counts that another run could not find again."""
    (tmp_path / "minilift").write_text("a file")
    choice = choose(NumpyOps("float32"), 64, 1024)
    assert (choice.library, choice.gemm) == ("openblas", None)
    assert "cache folder" in choice.why
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert choose(NumpyOps("float32"), 64, 1024).library == "openblas"


def test_what_another_process_has_found_first_counts(found: Any, monkeypatch: Any) -> None:
    def slow(ops: NumpyOps, gemm: Cblas, rows: int, width: int) -> float:
        monkeypatch.setattr(choosing, "speed_ratio", lambda *_: 0.7)
        assert choose(NumpyOps("float32"), 64, 1024).library == "openblas"  # meanwhile, elsewhere
        return 1.5

    monkeypatch.setattr(choosing, "speed_ratio", slow)
    assert choose(NumpyOps("float32"), 64, 1024).library == "openblas"


def test_without_hard_links_a_choice_is_kept_as_well(found: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "not permitted")))
    assert [choose(NumpyOps("float32"), 64, 1024).library for _ in range(2)] == ["mkl", "mkl"]
    assert len(found.trials) == 1


def test_the_environment_decides(found: Any, monkeypatch: Any) -> None:
    for word, library in (("openblas", "openblas"), (" MKL ", "mkl"), ("auto", "mkl"), ("", "mkl")):
        monkeypatch.setenv("MINILIFT_BLAS", word)
        assert choose(NumpyOps(), 64, 1024).library == library
    assert len(found.trials) == 1
    monkeypatch.setenv("MINILIFT_BLAS", "atlas")
    with pytest.raises(InputError, match=r"^MINILIFT_BLAS=atlas: is no library; use auto, openblas or mkl$"):
        choose(NumpyOps(), 64, 1024)


def test_a_run_that_is_continued_keeps_its_library(found: Any, monkeypatch: Any) -> None:
    for library in ("mkl", "openblas"):
        assert choose(NumpyOps(), 64, 1024, library).library == library
    assert found.trials == []
    monkeypatch.setenv("MINILIFT_BLAS", "openblas")
    assert choose(NumpyOps(), 64, 1024, "mkl").library == "openblas"
    assert [began_with(stored) for stored in ({"blas": "mkl"}, {"blas": [3]}, {})] == [
        "mkl",
        "openblas",
        "openblas",
    ]


def test_without_mkl_it_is_openblas_and_asking_for_mkl_is_one_line(found: Any, monkeypatch: Any) -> None:
    def absent(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(choosing, "find_mkl", mkl.find_mkl)
    monkeypatch.setattr(mkl.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(metadata, "distribution", absent)
    choice = choose(NumpyOps(), 64, 1024)
    assert (choice.library, choice.gemm) == ("openblas", None)
    assert choice.why == "a second BLAS to choose from needs MKL: pip install 'minilift[mkl]'"
    monkeypatch.setenv("MINILIFT_BLAS", "mkl")
    with pytest.raises(
        InputError, match=r"^MINILIFT_BLAS=mkl: a second BLAS .* pip install 'minilift\[mkl\]'$"
    ):
        choose(NumpyOps(), 64, 1024)


def test_an_mkl_that_is_not_whole_is_never_loaded(found: Any, monkeypatch: Any, tmp_path: Path) -> None:
    """libmkl_rt ends the process where it does not find the others."""
    files = [Path("libmkl_core.so.2"), Path("libmkl_rt.so.2"), Path("libmkl_sequential.so.2")]
    wheel = SimpleNamespace(version="2025.1", files=files, locate_file=lambda file: tmp_path / file)
    monkeypatch.setattr(mkl.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(metadata, "distribution", lambda name: wheel)
    for file in files:
        with pytest.raises(InputError, match=r"MKL 2025\.1 is not whole"):
            mkl.find_mkl()
        (tmp_path / file).write_bytes(b"no library")
    assert mkl.find_mkl() == (tmp_path / "libmkl_rt.so.2", "2025.1")
    monkeypatch.setattr(choosing, "find_mkl", mkl.find_mkl)
    monkeypatch.setattr(choosing, "load_mkl", mkl.load_mkl)
    choice = choose(NumpyOps(), 64, 1024)
    assert choice.library == "openblas"
    assert choice.why.startswith("MKL cannot be used (")
    monkeypatch.setattr(mkl.platform, "machine", lambda: "aarch64")
    with pytest.raises(InputError, match="alone"):
        mkl.find_mkl()


@pytest.mark.parametrize("layer", [1, 0])
def test_it_has_no_threads_and_equal_bits_or_it_is_left_alone(layer: int, monkeypatch: Any) -> None:
    """Another library of the process may have started it with threads."""
    said: list[tuple[str, int]] = []

    def set_layer(wanted: int) -> int:
        said.append(("layer", wanted))
        return layer

    library = SimpleNamespace(
        MKL_Set_Threading_Layer=set_layer, MKL_CBWR_Set=lambda mode: said.append(("bits", mode)),
        cblas_sgemm_64=SimpleNamespace(), cblas_dgemm_64=SimpleNamespace(),
    )  # fmt: skip
    monkeypatch.setattr(ctypes, "CDLL", lambda path: library)
    load = mkl.load_mkl.__wrapped__
    if layer == 1:
        assert isinstance(load(Path("libmkl_rt.so.2")), Cblas)
    else:
        with pytest.raises(InputError, match="in use in this process by another library"):
            load(Path("libmkl_rt.so.2"))
    assert said == [("layer", mkl.SEQUENTIAL), ("bits", mkl.REPRODUCIBLE)]


def test_a_blas_that_is_not_of_numpys_wheels_is_left_alone(found: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(choosing, "blas", lambda: SimpleNamespace(threads=None, kernel=""))
    assert choose(NumpyOps(), 64, 1024).library == "openblas"
    assert found.trials == []


def test_a_trial_times_both_sides_alike(openblas: Cblas, monkeypatch: Any) -> None:
    """By a clock that charges what the library does: the ratio is that of the medians."""
    now = [0.0]
    costs = {True: 0.002, False: 0.003}  # the other library's, and NumPy's
    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(trial.time, clock, lambda: now[0])
    turns: list[bool] = []

    def linear(self: NumpyOps, *args: Any, **kwargs: Any) -> None:
        turns.append(self.gemm is openblas)
        now[0] += costs[turns[-1]] * (50 if len(turns) == 3 else 1)  # a disturbance

    monkeypatch.setattr(NumpyOps, "linear", linear)
    ops = NumpyOps("float32")
    assert trial.speed_ratio(ops, openblas, 8, 32) == pytest.approx(1.5)
    assert turns.count(True) == turns.count(False) <= trial.MOST + 1
    assert turns[:6] == [False, True, True, False, False, True]  # warm, then in turns
    assert ops.gemm is None


def test_a_trial_of_a_library_against_itself(openblas: Cblas) -> None:
    assert 0.3 < trial.speed_ratio(NumpyOps("float32"), openblas, 64, 256) < 3  # 0.9 to 1.2 seen


def test_the_machine_is_told_by_more_than_a_vague_name(monkeypatch: Any) -> None:
    text = "vendor_id\t: Maker\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: CPU\nstepping\t: 1\n\nmodel: 3"
    monkeypatch.setattr(Path, "read_text", lambda self, errors: text)
    assert choosing.cpu_model() == "Maker 26 2 1 CPU"


def test_the_machines_page_says_which_and_why(found: Any, capsys: Any, monkeypatch: Any) -> None:
    assert info([]) == 0
    assert "products  MKL: in a trial at 64 x 1024" in (text := capsys.readouterr().out)
    assert "1.50 times the speed of OpenBLAS" in text
    monkeypatch.setenv("MINILIFT_BLAS", "openblas")
    assert info([]) == 0
    assert "MINILIFT_BLAS says so\n" in capsys.readouterr().out
    monkeypatch.setenv("MINILIFT_BLAS", "none")
    assert info([]) == 2
    assert capsys.readouterr().err == (
        "minilift info: error: MINILIFT_BLAS=none: is no library; use auto, openblas or mkl\n"
    )


# ---- networks ----------------------------------------------------------------------------------------------


def training(
    out: Path | None = None, epochs: int = 2, width: int = 160, told: list[str] | None = None
) -> Training:
    poses = make_poses(400)
    model = LiftModel(1, width, 0.1, seed=1)
    return lift_training(
        model, Adam(model.parameters(), 1e-3), None, poses, make_poses(60, seed=1), epochs=epochs,
        batch_size=100, out=out, show=(told if told is not None else []).append, bar=False,
    )  # fmt: skip


def weights_of(made: Training) -> np.ndarray:
    return np.asarray(made.trainer.network.flat.data)


def test_training_takes_the_chosen_library_and_tells_it(found: Any, monkeypatch: Any) -> None:
    told: list[str] = []
    one, other = training(told=told), training()
    counted = Counted(found.gemm)
    monkeypatch.setattr(choosing, "load_mkl", lambda path: counted)
    assert one.fit()
    assert other.fit()
    np.testing.assert_array_equal(weights_of(one), weights_of(other))
    assert (100, 160, 160) in counted.shapes
    assert one.trainer.network.ops.gemm is None  # type: ignore[attr-defined]
    assert told[0].startswith("products by MKL: in a trial at 100 x 160")
    assert one.trainer.settings["blas"] == "mkl"
    assert found.trials == [("float32", 100, 160)]
    assert widest(one.trainer.network) == 160


def test_the_weights_are_those_of_openblas_but_for_rounding(found: Any, monkeypatch: Any) -> None:
    with_it, without = training(), training()
    assert with_it.fit()
    monkeypatch.setenv("MINILIFT_BLAS", "openblas")
    assert without.fit()
    assert without.trainer.settings["blas"] == "openblas"
    apart = np.abs(weights_of(with_it) - weights_of(without)).max()
    assert apart < 2e-3  # of steps of 1e-3: Adam makes whole ones of the noise in some biases


def test_a_run_that_is_resumed_ends_with_the_bits_of_a_whole_one(found: Any, tmp_path: Path) -> None:
    whole = training(tmp_path / "whole", epochs=3)
    assert whole.fit()
    half = training(tmp_path / "half", epochs=1)
    assert half.fit()
    found.ratio = 0.5
    for path in found.folder.iterdir():  # and a new trial would choose the other one
        path.unlink()
    rest = training(tmp_path / "half", epochs=3)
    assert rest.trainer.resume()
    rest.began_with = "mkl"
    assert rest.fit()
    np.testing.assert_array_equal(weights_of(rest), weights_of(whole))
    assert len(found.trials) == 1


def test_the_command_resumes_with_the_library_that_it_began_with(
    found: Any, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    save_poses("data.npz", make_poses(400))
    flags = [
        "--data",
        "data.npz",
        "--hidden",
        "160",
        "--blocks",
        "1",
        "--batch-size",
        "100",
        "--device",
        "cpu",
    ]
    flags += ["--no-standardise", "--scheduler", "none"]
    assert train([*flags, "--epochs", "1", "--out", "half"]) == 0
    assert train([*flags, "--epochs", "2", "--out", "whole"]) == 0
    assert "products by MKL: in a trial at 100 x 160" in capsys.readouterr().out
    found.ratio = 0.5
    for path in found.folder.iterdir():
        path.unlink()
    assert train(["--resume", "--epochs", "2", "--out", "half"]) == 0
    assert "products by MKL: the run began with it" in capsys.readouterr().out
    assert (tmp_path / "half" / "liftModel").read_bytes() == (tmp_path / "whole" / "liftModel").read_bytes()
    monkeypatch.setenv("MINILIFT_BLAS", "openblas")  # asked for, it is another library all the same
    assert train(["--resume", "--epochs", "3", "--out", "half"]) == 0
    assert "products by OpenBLAS: MINILIFT_BLAS says so" in capsys.readouterr().out
    monkeypatch.setenv("MINILIFT_BLAS", "blis")
    assert train([*flags, "--out", "other"]) == 2
    assert "minilift train: error: MINILIFT_BLAS=blis: is no library" in capsys.readouterr().err


def test_what_a_run_began_with_and_is_gone_is_told(found: Any, monkeypatch: Any) -> None:
    def absent() -> Any:
        raise InputError("it is not here")

    monkeypatch.setattr(choosing, "find_mkl", absent)
    told: list[str] = []
    made = training(epochs=1, told=told)
    made.began_with = "mkl"
    assert made.fit()
    assert told[0] == "products by OpenBLAS: it is not here"


@pytest.mark.parametrize("haves", [(), (0,), (1,), (0, 1)])
def test_all_processes_take_it_or_none_does(haves: tuple[int, ...], found: Any, monkeypatch: Any) -> None:
    """Where one has not got it, the others leave it."""
    ranks: dict[int, int] = {}
    counted = Counted(found.gemm)

    def of_this_thread(ops: NumpyOps, rows: int, width: int, began_with: str) -> Choice:
        assert (rows, width) == (50, 160)
        has = ranks[threading.get_ident()] in haves
        return Choice("mkl", "a trial", counted) if has else Choice("openblas", "none here")

    def one(group: Any) -> str:
        ranks[threading.get_ident()] = group.rank
        made = training(epochs=1)
        made.processes, made.agree = group.size, group.all
        assert made.fit()
        return str(made.trainer.settings["blas"])

    monkeypatch.setattr("minilift.lift.training.choose", of_this_thread)
    assert together(2, one) == ["mkl" if haves == (0, 1) else "openblas"] * 2
    assert bool(counted.shapes) == (haves == (0, 1))


@pytest.mark.parametrize("told", [False, True])
def test_lifting_very_many_takes_it(told: bool, found: Any, monkeypatch: Any) -> None:
    counted = Counted(found.gemm)
    monkeypatch.setattr(choosing, "load_mkl", lambda path: counted)
    model = LiftModel(1, 160, seed=3, head="place" if told else "xyz", levels=told)
    lifter, points = Lifter(model), make_poses(600).joint_2d
    sigma = 0.01 if told else None
    few = lifter.predict(points, sigma)
    assert counted.shapes == found.trials == []
    monkeypatch.setattr(folded, "MANY", 500 * 160**2)
    for _ in range(2):
        np.testing.assert_allclose(lifter.predict(points, sigma), few, atol=1e-5)
    assert len([shape for shape in counted.shapes if shape[1:] == (160, 160)]) >= 2
    assert found.trials == [("float32", 256, 160)]
    assert (lifter.predict(points[:400], sigma) == lifter.predict(points[:400], sigma)).all()
    np.testing.assert_array_equal(
        Lifter(model).predict(points[:400], sigma), lifter.predict(points[:400], sigma)
    )
