"""A server for one page on this machine: the page, and its frames as server-sent events.

It listens on the loopback interface alone. A page of another site can have its own name point there (DNS
rebinding): its requests carry that name as Host, and are refused, as are those that a browser says come from
another site. Nothing is read from the disk, and nothing that a client sends is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from minilift.errors import ArgumentError
from minilift.show.html.document import POLICY
from minilift.show.live.feed import Feed

LOOPBACK = "127.0.0.1"
MOST_VIEWERS = 8
MOST_REQUESTS = 32
"""At once; what is more is closed without an answer."""
PATIENCE = 10.0
"""Seconds for a client to send its request, or to take what it is sent."""
STILL_HERE = 5.0
"""Seconds without a frame, after which a client is sent a word: so one that left is noticed."""
_BUFFER = 1 << 16  # bytes on their way: a slow client sees frames of a second ago, not of a minute
LIVE_POLICY = f"{POLICY}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip


class LiveServer(ThreadingHTTPServer):
    """Serves `page()` and the frames of `feed` at `url`, in threads of its own, between start and close.

    Port 0 is any that is free. Raises ArgumentError for a port that cannot be had.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False  # on Windows it would let two servers share a port
    request_queue_size = 16

    def __init__(self, feed: Feed, page: Callable[[], str], port: int = 0) -> None:
        self.feed, self.page = feed, page
        self._watching, self._lock = 0, threading.Lock()
        self._requests = threading.BoundedSemaphore(MOST_REQUESTS)
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            problem = f"cannot be had ({error.strerror or error}); give another, or leave it out"
            raise ArgumentError("port", port, problem) from None
        self.port = int(self.server_address[1])
        self.hosts = {f"{name}:{self.port}" for name in (LOOPBACK, "localhost", "[::1]")}
        if self.port == 80:
            self.hosts |= {LOOPBACK, "localhost"}

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, name="minilift-live", daemon=True).start()

    def watch(self, by: int) -> bool:
        """Count a viewer who comes (1) or leaves (-1); False for one too many."""
        with self._lock:
            if self._watching + by > MOST_VIEWERS:
                return False
            self._watching += by
            return True

    def close(self) -> None:
        """Viewers are told that it ended; requests that take longer than a second are left to their fate."""
        self.feed.end()
        until = time.monotonic() + 1
        while self._watching and time.monotonic() < until:
            time.sleep(0.01)
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._requests.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._requests.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left, or did not keep its part: nobody needs to know."""


class _Handler(BaseHTTPRequestHandler):
    server: LiveServer
    server_version, sys_version = "minilift", ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            self._refuse(403, "this page is for this machine: open it by the address that minilift printed")
        elif self.path == "/":
            self._page()
        elif self.path == "/events":
            self._events()
        else:
            self._refuse(404, "there is the page at / and nothing else")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _page(self) -> None:
        content = self.server.page().encode()
        self._begin(200, "text/html; charset=utf-8", {"Content-Security-Policy": LIVE_POLICY}, len(content))
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, text: str) -> None:
        content = f"{text}\n".encode()
        self._begin(status, "text/plain; charset=utf-8", {}, len(content))
        if self.command != "HEAD":
            self.wfile.write(content)

    def _begin(self, status: int, kind: str, more: Mapping[str, str], length: int | None = None) -> None:
        self.send_response(status)
        size = {} if length is None else {"Content-Length": str(length)}
        for name, value in {"Content-Type": kind, **size, **_HEADERS, **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def _events(self) -> None:
        """Frames, each as soon as the one before has been taken: what came in between is left out."""
        if self.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            self._refuse(403, "another site asks for this")
            return
        if not self.server.watch(1):
            self._refuse(503, f"{MOST_VIEWERS} watch already; close one of those pages")
            return
        try:
            self.connection.setsockopt(SOL_SOCKET, SO_SNDBUF, _BUFFER)
            self._begin(200, "text/event-stream; charset=utf-8", {})
            if self.command != "HEAD":
                self._frames()
        finally:
            self.server.watch(-1)

    def _frames(self) -> None:
        feed, number = self.server.feed, -1
        feed.watched.set()
        while True:
            shown = feed.after(number, STILL_HERE)
            if shown.number == number:
                self.wfile.write(b": still here\n\n")
                continue
            number = shown.number
            if shown.text is not None:
                self.wfile.write(f"data: {shown.text}\n\n".encode())
            if shown.ended:
                self.wfile.write(b"event: end\ndata: 0\n\n")
                return

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the page says how it is."""
