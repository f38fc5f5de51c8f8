"""A real nginx that writes a JSON access log and whose upstream can be there or not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers.processes import binary, free_port, running

# https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
_CONFIG = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format json escape=json '{{"time":"$time_iso8601","status":$status,"uri":"$uri",'
    '"agent":"$http_user_agent","bytes":$body_bytes_sent,"seconds":$request_time}}';
  access_log {folder}/access.jsonl json;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location = /ready {{ access_log off; return 204; }}
    location /chat {{ proxy_pass http://127.0.0.1:{upstream}; }}
    location /broken {{ proxy_pass http://127.0.0.1:{closed}; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServer:
    """An nginx that is up."""

    url: str
    """``/chat`` is answered by an upstream; that of ``/broken`` is down, which is a 502."""
    log: Path
    """The access log, one JSON object per line."""


@contextmanager
def nginx(folder: Path) -> Iterator[WebServer]:
    """Run an nginx while the block lasts."""
    program, port = binary("nginx"), free_port()
    with _upstream() as upstream:
        config = folder / "nginx.conf"
        text = _CONFIG.format(folder=folder, port=port, upstream=upstream, closed=free_port())
        config.write_text(text, encoding="utf-8")
        command = [program, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
        url = f"http://127.0.0.1:{port}"
        with running(command, f"{url}/ready", folder / "log"):
            yield WebServer(url=url, log=folder / "access.jsonl")


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer a path that ends in a status with that status, any other with 200."""
        last = self.path.rpartition("/")[2]
        body = b'{"choices": []}'
        self.send_response(int(last) if last.isdecimal() else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def _upstream() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
