"""The cores and the GPUs of a machine, divided among the processes on it."""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from minilift.distributed.group import Group
from minilift.extras import installed
from minilift.ops.threads import blas, limited

MOST = 1024  # cores of a machine


@contextmanager
def fair_share(group: Group) -> Iterator[int]:
    """Within it, this process computes on its share of the machine's cores; gives their number."""
    count = share_of(group, _own_cores())
    with limited(count):
        yield min(count, blas().threads or count)


def share_of(group: Group, own: list[int]) -> int:
    """How many cores a process may take that may run on those of these numbers; 1 at least.

    A core that several processes of the machine may use counts for each of them in part: a launcher that has
    bound processes to cores of their own has divided already.
    """
    mask = bytearray(MOST // 8)
    for core in own:
        mask[core // 8] |= 1 << core % 8
    host = zlib.crc32(socket.gethostname().encode()).to_bytes(4, "little")
    masks = [other[4:] for other in group.gather(host + bytes(mask)) if other[:4] == host]
    users = [sum(other[core // 8] >> core % 8 & 1 for other in masks) for core in own]
    return max(int(sum(1 / n for n in users) + 1e-9), 1)


def card_for(group: Group, device: str) -> str:
    """The device of this process: "gpu" and "auto" are one of its machine's GPUs, for each the next, and
    "auto" is the CPU for all where one of them has none that can be used. Others are as they are."""
    if device not in ("gpu", "auto"):
        return device
    from minilift.ops.cuda.choose import problem_of
    from minilift.ops.cuda.driver import devices

    host = zlib.crc32(socket.gethostname().encode()).to_bytes(4, "little")
    before = group.gather(host)[: group.rank].count(host)
    cards = devices().cards
    index = before % cards if cards else 0
    mine = f"gpu:{index}" if index else "gpu"
    if device == "gpu":
        return mine
    return mine if group.all(bool(cards) and installed("cupy") and not problem_of(mine)) else "cpu"


def _own_cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        found = sorted(os.sched_getaffinity(0))
    else:
        found = list(range(os.cpu_count() or 1))
    return [core for core in found if core < MOST] or [0]
