"""Several processes with a GPU each, here threads with stand-ins: the weights of one, by every way."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from cpu_kernels import why_absent
from fake_cuda import FakeCuda
from fake_nccl import NcclError
from process_groups import together
from test_distributed import apart, trained

from minilift import LiftModel
from minilift.distributed import Alone, Group, cores
from minilift.distributed.device import ByHost, CudaMpi, DeviceGroup, Nccl
from minilift.distributed.group import Lost
from minilift.ops.cuda import choose, cupy_core, driver
from minilift.ops.cuda.gpu import Gpu


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> list[Gpu]:
    """Two GPUs."""
    if reason := why_absent():
        pytest.skip(reason)
    found = [Gpu(FakeCuda(index=i)) for i in range(2)]
    monkeypatch.setattr(cupy_core, "open_gpu", lambda index: found[index])
    return found


def without_nccl(cards: list[Gpu]) -> None:
    for card in cards:
        card.backend.xp.cuda.nccl.available = False


def on_gpu(group: Group, **options: Any) -> Any:
    return trained(group, device=f"gpu:{group.rank}", fast=False, **options)


@pytest.mark.parametrize("way", ["NCCL", "host"])
@pytest.mark.parametrize(
    "options",
    [{}, {"sgd": True, "size": 23}, {"augmented": True}, {"clip": 0.05}, {"head": "ray"}],
    ids=["adam", "unequal parts", "augmented", "clipped", "rays"],
)
def test_the_weights_are_those_of_one_gpu(cards: list[Gpu], way: str, options: dict[str, Any]) -> None:
    if way == "host":
        without_nccl(cards)
    one = on_gpu(Alone(), **options)
    for other in together(2, partial(on_gpu, **options)):
        assert apart(one, other) < 1e-11  # worst seen 2.8e-12: Adam's first steps make much of little
        for ours, theirs in zip(other.progress.history, one.progress.history, strict=True):
            for name in ("train_loss", "train_mpjpe", "val_loss", "val_mpjpe"):
                assert ours[name] == pytest.approx(theirs[name], rel=1e-12)
    sums = [card.backend.launches.count("allReduce") for card in cards]
    # in every one of 4 or 3 steps of 2 epochs: 3 sums for each of 4 normalisations, and the gradients
    steps = 2 * (100 // options.get("size", 24))
    assert sums == ([13 * steps] * 2 if way == "NCCL" else [0, 0])


def test_two_processes_on_one_card_find_the_weights_of_one(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `-m gpu` on a real one, by pinned memory of the host."""
    monkeypatch.setattr(cupy_core, "open_gpu", lambda index: gpu)
    run = partial(trained, device="gpu", fast=False)
    one = run(Alone())
    for other in together(2, run):
        assert apart(one, other) < 1e-10


def test_the_weights_are_those_of_the_cpu(cards: list[Gpu]) -> None:
    one = trained(Alone(), fast=False)
    for other in together(2, on_gpu):
        assert apart(one, other) < 1e-9


def test_all_gpus_have_the_same_bits(cards: list[Gpu]) -> None:
    first, other = together(2, partial(on_gpu, dtype="float32"))
    assert apart(first, other) == 0.0


def test_without_common_statistics_little_passes(cards: list[Gpu]) -> None:
    one, other = together(2, partial(on_gpu, sync=False))
    assert apart(one, other) == 0.0
    # the gradients of 8 steps, and 2 statistics of 4 normalisations at the end of each epoch
    assert cards[0].backend.launches.count("allReduce") == 8 + 2 * 8


def joined(group: Group, cards: list[Gpu], then: Callable[[DeviceGroup, Any], Any]) -> Any:
    """then(group, ops), of a GPU for each."""
    ops: Any = LiftModel(1, 8, device=f"gpu:{group.rank}").ops
    return then(DeviceGroup(group, ops.gpu), ops)


@pytest.mark.parametrize("way", [Nccl, ByHost])
def test_arrays_of_both_kinds(cards: list[Gpu], way: type) -> None:
    if way is ByHost:
        without_nccl(cards)

    def passed(group: DeviceGroup, ops: Any) -> list[Any]:
        assert type(group.way) is way
        here = np.array([1.0 + group.rank, 5.0])
        there, whole = ops.asarray([[group.rank, 2.5]]), ops.asarray(np.full((3, 2), group.rank - 7.0))
        group.add(here)
        group.add(there)
        group.copy_first(whole)
        group.add(there)
        found = [here, ops.to_host(there), ops.to_host(whole)]
        group.close()
        return found

    for here, there, whole in together(2, lambda group: joined(group, cards, passed)):
        assert here.tolist() == [3, 10]
        assert there.tolist() == [[2, 10]]
        assert (whole == -7).all()


def kinds(cards: list[Gpu]) -> set[str]:
    return set(together(2, lambda group: joined(group, cards, lambda g, ops: g.way.kind)))


def test_all_take_the_first_way_that_every_one_has(cards: list[Gpu], monkeypatch: pytest.MonkeyPatch) -> None:
    assert kinds(cards) == {"NCCL 2.21"}
    cards[1].backend.xp.cuda.nccl.available = False  # in one of them
    assert kinds(cards) == {"by way of the host"}
    monkeypatch.setattr(CudaMpi, "there", staticmethod(lambda host, gpu: host.all(True)))
    assert kinds(cards) == {"MPI that knows CUDA"}


def test_two_processes_on_one_card_go_by_the_host(cards: list[Gpu]) -> None:
    cards[1].backend.index = 0  # NCCL would refuse it
    assert kinds(cards) == {"by way of the host"}


@pytest.mark.parametrize("fault", ["get_unique_id", "NcclCommunicator"])
@pytest.mark.parametrize("rank", [0, 1])
def test_where_nccl_does_not_begin_all_go_by_the_host(cards: list[Gpu], fault: str, rank: int) -> None:
    def breaks(*_: Any) -> Any:
        raise NcclError("NCCL_ERROR_SYSTEM_ERROR: no network")

    if fault == "get_unique_id" and rank:
        pytest.skip("rank 0 alone asks for it")
    setattr(cards[rank].backend.xp.cuda.nccl, fault, breaks)
    if fault == "NcclCommunicator":  # the other waits for it in vain, and is told so
        setattr(cards[1 - rank].backend.xp.cuda.nccl, fault, breaks)
    assert kinds(cards) == {"by way of the host"}


def test_mpi_that_knows_cuda_waits_for_the_gpu(cards: list[Gpu], monkeypatch: pytest.MonkeyPatch) -> None:
    """MPI reads the memory at once, so the stream has to be done before; it is given the array itself."""
    monkeypatch.setattr(CudaMpi, "there", staticmethod(lambda host, gpu: host.all(True)))
    without_nccl(cards)

    def passed(group: DeviceGroup, ops: Any) -> Any:
        order: list[Any] = []
        monkeypatch.setattr(ops.gpu, "synchronize", lambda: order.append("waited"))
        monkeypatch.setattr(group.host, "add", lambda array: order.append(array))
        array = ops.asarray([1.0])
        group.add(array)
        return order[0] == "waited" and order[1] is array

    assert together(2, lambda group: joined(group, cards, passed)) == [True, True]


def test_a_library_says_whether_it_knows_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from minilift.distributed import device

    host: Any = SimpleNamespace(mpi=SimpleNamespace(__file__="mpi.so"))
    for name in device.AWARE:
        monkeypatch.delenv(name, raising=False)
    for answer, wanted in ((1, True), (0, False)):
        library = SimpleNamespace(MPIX_Query_cuda_support=lambda answer=answer: answer)
        monkeypatch.setattr(ctypes, "CDLL", lambda path, library=library: library)
        assert device._knows_cuda(host) is wanted
    monkeypatch.setattr(ctypes, "CDLL", lambda path: SimpleNamespace())
    assert not device._knows_cuda(host)
    monkeypatch.setenv("MPICH_GPU_SUPPORT_ENABLED", "1")
    assert device._knows_cuda(host)


def test_a_gpu_that_is_lost_is_a_line(cards: list[Gpu]) -> None:
    def passed(group: DeviceGroup, ops: Any) -> str:
        assert isinstance(group.way, Nccl)
        group.way.all.open = False
        with pytest.raises(Lost, match=r"another GPU cannot be reached \(allReduce on a closed"):
            group.add(ops.asarray([1.0]))
        return "told"

    assert together(2, lambda group: joined(group, cards, passed)) == ["told", "told"]


def test_each_process_of_a_machine_gets_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(device: str, count: int, size: int = 3, broken: str = "none") -> list[str]:
        monkeypatch.setattr(driver, "devices", lambda: driver.Found(count))
        monkeypatch.setattr(cores, "installed", lambda name: True)
        monkeypatch.setattr(choose, "problem_of", lambda name: "busy" if name == broken else "")
        return together(size, lambda group: cores.card_for(group, device))

    assert given("gpu", 4) == ["gpu", "gpu:1", "gpu:2"]
    assert given("auto", 4) == ["gpu", "gpu:1", "gpu:2"]
    assert given("gpu", 2) == ["gpu", "gpu:1", "gpu"]
    assert given("auto", 2, broken="gpu:1") == ["cpu"] * 3
    assert given("auto", 0) == ["cpu"] * 3
    assert given("gpu", 0) == ["gpu"] * 3  # which then says what is missing
    assert given("gpu:1", 4) == ["gpu:1"] * 3
    assert given("cpu", 4) == ["cpu"] * 3
