"""Processes that know one address become a ring of connections."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable

from minilift.distributed.group import Lost

PATIENCE = 30.0  # seconds to wait for all processes to come
SILENCE = 20  # seconds after which a machine that answers nothing counts as gone
HELLO = struct.Struct("!8sIIIH")  # a word, job, size, rank, and the port at which this process listens
WORD = b"minilift"
NEIGHBOUR = struct.Struct("!15sH")  # IPv4 address as text, empty for the machine of rank 0; port
HERE = ("localhost", "127.0.0.1")


class Meeting:
    """`size` processes that come together at rank 0's `address` and `port`.

    `job` is a number that those of one run share: others are turned away. Raises Lost where not all of them
    come within PATIENCE seconds.
    """

    def __init__(self, rank: int, size: int, address: str, port: int, job: int) -> None:
        self.rank, self.size, self.address, self.port, self.job = rank, size, address, port, job
        self.until = time.monotonic() + PATIENCE

    def ring(self) -> tuple[socket.socket, socket.socket]:
        """Connections from the process before this one, and to the one after it."""
        try:
            return self._ring()
        except OSError as problem:
            reason = problem.strerror or str(problem) or type(problem).__name__
            raise Lost(
                f"{self.size} processes have not met at {self.address}:{self.port} within {PATIENCE:.0f} s "
                f"({reason}); see that all are started, and that the port is free"
            ) from None

    def _ring(self) -> tuple[socket.socket, socket.socket]:
        place = "127.0.0.1" if self.address in HERE else ""
        with socket.create_server((place, 0 if self.rank else self.port)) as door:
            if self.rank == 0:
                guests = self._welcome(door, range(1, self.size))
                places = {rank: (_seen(guest), port) for rank, (guest, port) in guests.items()}
                for rank, (guest, _) in guests.items():
                    address, port = places.get(rank + 1, ("", self.port))
                    guest.sendall(NEIGHBOUR.pack(address.encode(), port))
                    guest.close()
                neighbour = places[1]
            else:
                with self._call((self.address, self.port), door) as host:
                    address_sent, port = NEIGHBOUR.unpack(received(host, NEIGHBOUR.size))
                neighbour = address_sent.rstrip(b"\0").decode("ascii", "replace"), port
            right = self._call((neighbour[0] or self.address, neighbour[1]), door)
            before = (self.rank - 1) % self.size
            left = self._welcome(door, [before])[before][0]
        for end in (left, right):
            _prepare(end)
        return left, right

    def _left(self) -> float:
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        return seconds

    def _call(self, place: tuple[str, int], door: socket.socket) -> socket.socket:
        """A connection to whoever listens there, as soon as somebody does."""
        while True:
            try:
                found = socket.create_connection(place, timeout=self._left())
                break
            except (ConnectionRefusedError, socket.gaierror):
                if self._left() < 0.2:
                    raise
                time.sleep(0.1)
        found.sendall(HELLO.pack(WORD, self.job, self.size, self.rank, door.getsockname()[1]))
        return found

    def _welcome(self, door: socket.socket, ranks: Iterable[int]) -> dict[int, tuple[socket.socket, int]]:
        """Connections from these ranks, and where they listen; whoever else calls is turned away."""
        missing, found = set(ranks), {}
        while missing:
            door.settimeout(self._left())
            guest, _ = door.accept()
            guest.settimeout(min(5.0, self._left()))
            try:
                word, job, size, rank, port = HELLO.unpack(received(guest, HELLO.size))
            except (OSError, Lost):
                word, job, size, rank, port = b"", 0, 0, 0, 0
            if (word, job, size) != (WORD, self.job, self.size) or rank not in missing:
                guest.close()
                continue
            missing.remove(rank)
            guest.settimeout(self._left())
            found[rank] = guest, port
        return found


def received(end: socket.socket, size: int) -> bytes:
    """So many bytes from a connection. Raises Lost where it ends before."""
    found = bytearray()
    while len(found) < size:
        part = end.recv(size - len(found))
        if not part:
            raise Lost("the connection to another process has ended")
        found += part
    return bytes(found)


def _seen(guest: socket.socket) -> str:
    """The address from which somebody has called, as others can use it."""
    address: str = guest.getpeername()[0]
    return "" if address.startswith("127.") else address


def _prepare(end: socket.socket) -> None:
    """Small messages at once, and no waiting for a machine that is gone."""
    end.settimeout(None)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": SILENCE // 2, "TCP_KEEPINTVL": SILENCE // 4, "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": SILENCE * 1000,
    }  # fmt: skip
    for name, value in options.items():  # as far as the system has them
        if hasattr(socket, name):
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    end.setblocking(False)
