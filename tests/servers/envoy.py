"""A real Envoy with a JSON access log, in front of an upstream that does what a header asks for."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import yaml

from tests.servers.litellm import program
from tests.servers.processes import free_port, running

TIMEOUT: Final = 1
"""Seconds after which Envoy gives up on an answer, and cuts a stream."""
DO: Final = "x-do"
"""The header: a status; ``never`` is too late, ``cut`` never ends, ``stream`` takes a while."""
DEAD: Final = "dead"
"""The value of that header by which Envoy takes an upstream that is down."""
_API: Final = "type.googleapis.com/envoy.extensions"
# The keys that Envoy Gateway writes by default, of those that the preset reads.
_LINE: Final = {
    "start_time": "%START_TIME%",
    "x-envoy-origin-path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "duration": "%DURATION%",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """An Envoy that is up."""

    url: str
    log: Path
    """The access log, one JSON object per line."""


@contextmanager
def envoy(folder: Path) -> Iterator[Mesh]:
    """Run an Envoy while the block lasts."""
    command = program("GATE_ENVOY", "envoy", "lib/python3*/site-packages/envoy/_bin/envoy")
    port, admin, log = free_port(), free_port(), folder / "access.jsonl"
    with _upstream() as upstream:
        document = {
            "admin": {"address": _address(admin)},
            "static_resources": {
                "listeners": [_listener(port, log)],
                "clusters": [_cluster("upstream", upstream), _cluster(DEAD, free_port())],
            },
        }
        config = folder / "envoy.yaml"
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        words = [command, "-c", str(config), "--concurrency", "1", "--use-dynamic-base-id"]
        words += ["-l", "warning", "--file-flush-interval-msec", "50"]
        with running(words, f"http://127.0.0.1:{admin}/ready", folder / "log"):
            yield Mesh(url=f"http://127.0.0.1:{port}", log=log)


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}
    assignment = {"cluster_name": name, "endpoints": [endpoint]}
    return {"name": name, "type": "STATIC", "load_assignment": assignment}


def _listener(port: int, log: Path) -> dict[str, Any]:
    dead = {"name": DO, "string_match": {"exact": DEAD}}
    whole = {"timeout": f"{TIMEOUT}s"}
    routes = [
        {"match": {"prefix": "/", "headers": [dead]}, "route": {"cluster": DEAD, **whole}},
        {"match": {"prefix": "/"}, "route": {"cluster": "upstream", **whole}},
    ]
    manager = {
        "@type": f"{_API}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "llm",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_API}.filters.http.router.v3.Router"},
            }
        ],
        "access_log": [
            {
                "name": "file",
                "typed_config": {
                    "@type": f"{_API}.access_loggers.file.v3.FileAccessLog",
                    "path": str(log),
                    "log_format": {"json_format": _LINE},
                },
            }
        ],
    }
    filters = [{"name": "http", "typed_config": manager}]
    return {"address": _address(port), "filter_chains": [{"filters": filters}]}


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Do what the header asks for."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        do = self.headers[DO]
        if do == "never":
            time.sleep(3 * TIMEOUT)
        self.send_response(int(do) if do.isdecimal() else 200)
        if do.isdecimal():
            self.send_header("Content-Length", "2")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(b"{}")
            self.wfile.flush()
            time.sleep({"cut": 3, "stream": 0.5}.get(do, 0) * TIMEOUT)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def _upstream() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
