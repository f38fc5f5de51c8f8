"""A proxy on the loopback interface that counts what passes, and can make every answer late."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

import requests

_HOP_BY_HOP = {"connection", "content-encoding", "content-length", "transfer-encoding", "host"}


@dataclass(slots=True)
class Traffic:
    """The traffic that passed: when each request came and when it was answered, in seconds."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, begin: float, end: float, body: bytes) -> None:
        """Add a request."""
        with self._lock:
            self.spans.append((begin, end))
            self.bodies.append(body)

    @property
    def requests(self) -> int:
        """How many there were."""
        return len(self.spans)

    @property
    def round_trips(self) -> int:
        """The longest chain of requests each of which began after the one before had ended."""
        chain, last = 0, float("-inf")
        for begin, end in sorted(self.spans, key=lambda span: span[1]):
            if begin >= last:
                chain, last = chain + 1, end
        return chain

    @property
    def most_at_once(self) -> int:
        """The largest number of requests under way at one time."""
        edges = sorted(
            [(begin, 1) for begin, _ in self.spans] + [(end, -1) for _, end in self.spans]
        )
        now = most = 0
        for _, change in edges:
            now += change
            most = max(most, now)
        return most


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that is up."""

    url: str
    traffic: Traffic


@contextmanager
def counting_proxy(
    target: str, latency: float = 0.0, refuses: Callable[[str], bool] = lambda _: False
) -> Iterator[Proxy]:
    """Forward every request to ``target`` while the block lasts, ``latency`` seconds late.

    What is in a request's form and is to be refused is refused in words that say nothing.
    """
    traffic = Traffic()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def forward(self) -> None:
            begin = time.monotonic()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(latency)
            if refuses(unquote_plus(body.decode())):
                traffic.note(begin, time.monotonic(), body)
                self.send_response(400)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"no")
                return
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
            answer = requests.request(
                self.command, target + self.path, data=body, headers=headers, timeout=120
            )
            traffic.note(begin, time.monotonic(), body)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = forward

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Proxy(url=f"http://127.0.0.1:{server.server_port}", traffic=traffic)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
