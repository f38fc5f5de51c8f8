"""A canary deployment: a real nginx splits the traffic between two versions of a small server.

Both versions expose their counters, which a real Prometheus scrapes every second with the label
``track``; of the stable version it has some hours already. A test turns the canary's share and how
often each version fails; `Deployment.counted` is the truth, counted by those who answer.
"""

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.servers.metrics import backfill, prometheus
from tests.servers.processes import binary, free_port, running

STABLE, CANARY = TRACKS = ("stable", "canary")
PAST: Final = {"200": 430_000, "500": 430}
"""The stable version's answers in the hours before, by status, at an even pace."""
_PAST_HOURS, _PAST_STEP = 2, 15
"""How long these hours are, and seconds between two samples of them."""
_CLIENTS: Final = 4
_PAUSE: Final = 0.04
"""Seconds that a client waits between two requests."""
# https://nginx.org/en/docs/http/ngx_http_split_clients_module.html
_NGINX: Final = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/split.conf;
  upstream stable {{ server 127.0.0.1:{stable}; keepalive 8; }}
  upstream canary {{ server 127.0.0.1:{canary}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location = /ready {{ return 204; }}
    location / {{
      proxy_pass http://$track;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""
_SPLIT: Final = 'split_clients "$request_id" $track {{ {share}* stable; }}\n'
_SCRAPES: Final = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: chat
  static_configs:
  - {{targets: ["127.0.0.1:{stable}"], labels: {{track: stable}}}}
  - {{targets: ["127.0.0.1:{canary}"], labels: {{track: canary}}}}
"""


@dataclass(slots=True)
class Version:
    """One of the two that answer."""

    track: str
    past: Mapping[str, int] = field(default_factory=dict)
    """The counts that its counters start with, by status."""
    failing: float = 0.0
    """The share of its answers that are errors."""
    _counts: Counter[str] = field(default_factory=lambda: Counter({"200": 0, "500": 0}))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _draw: random.Random = field(default_factory=lambda: random.Random(16))

    def answer(self) -> int:
        """Answer one request; return its status."""
        with self._lock:
            status = 500 if self._draw.random() < self.failing else 200
            self._counts[str(status)] += 1
        return status

    def counted(self) -> dict[str, int]:
        """Return how many answers of each status there were now, without the past."""
        with self._lock:
            return dict(self._counts)

    def page(self) -> str:
        """Return the page of metrics."""
        lines = [
            f'requests_total{{code="{code}"}} {self.past.get(code, 0) + count}\n'
            for code, count in self.counted().items()
        ]
        return "# TYPE requests_total counter\n" + "".join(lines)


@dataclass(slots=True)
class Deployment:
    """Both versions behind nginx, and the Prometheus that scrapes them."""

    folder: Path
    prometheus: str
    """Its address."""
    versions: dict[str, Version]
    nginx: tuple[str, ...]
    """The command that controls nginx."""

    def shift(self, percent: int) -> None:
        """Send this share of the traffic to the canary, as a deploy does."""
        self.write_split(self.folder / "split.conf", percent)
        subprocess.run([*self.nginx, "-s", "reload"], check=True, capture_output=True, timeout=20)

    def rollback_script(self) -> Path:
        """Write the command that takes the canary's traffic away, and return it."""
        none = self.folder / "none.conf"
        self.write_split(none, 0)
        script = self.folder / "rollback.sh"
        script.write_text(
            "#!/bin/sh\nset -eu\n"
            f"env | grep '^GATE_' > {self.folder}/environment\n"
            f"cp {none} {self.folder}/split.conf\n"
            f"{' '.join(self.nginx)} -s reload\n"
        )
        script.chmod(0o755)
        return script

    def write_split(self, path: Path, percent: int) -> None:
        """Write how nginx splits the traffic."""
        path.write_text(_SPLIT.format(share=f"{percent}% canary; " if percent else ""))

    def counted(self) -> dict[str, dict[str, int]]:
        """Return what each version has answered, by status."""
        return {track: version.counted() for track, version in self.versions.items()}


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    """Run it all under steady load while the block lasts; the canary has no traffic yet."""
    versions = {STABLE: Version(STABLE, PAST), CANARY: Version(CANARY)}
    program, port = binary("nginx"), free_port()
    config = folder / "nginx.conf"
    control = (program, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log"))
    with ExitStack() as stack:
        ports = {track: stack.enter_context(_serving(versions[track])) for track in TRACKS}
        config.write_text(_NGINX.format(folder=folder, port=port, **ports))
        _write_past(folder / "past.om", ports[STABLE])
        backfill(folder / "past.om", folder / "data")
        scraping = _SCRAPES.format(**ports)
        server = stack.enter_context(prometheus(folder / "prometheus", folder / "data", scraping))
        made = Deployment(folder, server.url, versions, control)
        made.write_split(folder / "split.conf", 0)
        stack.enter_context(running(control, f"http://127.0.0.1:{port}/ready", folder / "log"))
        stack.enter_context(_load(port))
        yield made


def _write_past(path: Path, port: int) -> None:
    """Write the past of the stable version as OpenMetrics, up to now."""
    now, steps = int(time.time()), _PAST_HOURS * 3600 // _PAST_STEP
    with path.open("w", encoding="utf-8") as file:
        file.write("# TYPE requests counter\n")
        for code, count in PAST.items():
            labels = f'code="{code}",instance="127.0.0.1:{port}",job="chat",track="{STABLE}"'
            for step in range(steps + 1):
                at = now - (steps - step) * _PAST_STEP
                file.write(f"requests_total{{{labels}}} {count * step // steps} {at}\n")
        file.write("# EOF\n")


def _handler(version: Version) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept

        def do_GET(self) -> None:
            """Show the metrics, or answer as the version does."""
            text, status = "{}", 200
            if self.path == "/metrics":
                text = version.page()
            else:
                status = version.answer()
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Answer


@contextmanager
def _serving(version: Version) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(version))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _load(port: int) -> Iterator[None]:
    """Have clients send requests, one after another each, until the block ends."""
    ended = threading.Event()

    def visit() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        while not ended.wait(_PAUSE):
            # When nginx reloads, it closes the connections that are idle.
            with suppress(OSError, HTTPException):
                connection.request("GET", "/chat")
                connection.getresponse().read()
                continue
            connection.close()
        connection.close()

    threads = [threading.Thread(target=visit) for _ in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
