"""An S3 server, moto, with pages of three keys, and a proxy that answers instead as a test says.

``tests/install-servers.sh`` installs it in ``.servers/moto``. Google's XML interface lists and
reads as S3 does, so that it also stands in for Google Cloud Storage.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote, unquote

import requests

from tests.servers.loopback import serving
from tests.servers.processes import free_port, missing, running

_SERVER = Path(__file__).parents[2] / ".servers/moto/bin/moto_server"
# An owner, whose signature moto does not check: nobody may write over an object otherwise.
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20261129/us-east-1/s3/aws4_request"}
PAGE = 3
"""Keys on a page of a listing."""
Instead = Callable[[str, str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes] | None]
"""From method, path and headers to the answer; None: the server answers."""


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """An S3 server that is up."""

    url: str

    def make(self, bucket: str) -> "BucketOfServer":
        """Return a new bucket."""
        requests.put(f"{self.url}/{bucket}", timeout=30).raise_for_status()
        return BucketOfServer(self, bucket)


@dataclass(frozen=True, slots=True)
class BucketOfServer:
    """A bucket of a server."""

    server: ObjectServer
    name: str

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        url = f"{self.server.url}/{self.name}/{quote(key)}"
        requests.put(url, data=content, headers=SIGNED, timeout=30).raise_for_status()

    def delete(self, key: str) -> None:
        """Remove an object."""
        url = f"{self.server.url}/{self.name}/{quote(key)}"
        requests.delete(url, headers=SIGNED, timeout=30).raise_for_status()


@contextmanager
def object_server(folder: Path, keys: int = PAGE) -> Iterator[ObjectServer]:
    """Run a server with pages of some keys while the block lasts; it forgets everything then."""
    if not _SERVER.exists():
        missing("moto", "tests/install-servers.sh installs it in .servers/moto")
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [str(_SERVER), "-H", "127.0.0.1", "-p", str(port)]
    environment = {"MOTO_S3_DEFAULT_MAX_KEYS": str(keys)}
    with running(command, f"{url}/moto-api/data.json", folder / "moto.log", environment):
        yield ObjectServer(url)


@dataclass(slots=True)
class Front:
    """A proxy before the server."""

    url: str = ""
    instead: Instead = lambda *_: None
    seen: list[str] = field(default_factory=list)
    """Each request, as ``GET /bucket/key``."""
    logins: list[str] = field(default_factory=list)
    """The header with which each request to the store logged in."""
    public: bool = False
    """Whether everybody may read."""
    received: int = 0
    """Bytes of objects that were sent."""

    def listings(self) -> list[str]:
        """Return the prefixes that were listed, each page."""
        asked = (line.partition("?")[2] for line in self.seen if "list-type" in line)
        return [
            unquote(part.partition("=")[2])
            for query in asked
            for part in query.split("&")
            if part.startswith("prefix=")
        ]

    def objects(self) -> set[str]:
        """Return the keys of which something was read."""
        return {
            unquote(line.partition("?")[0].split("/", 2)[2])
            for line in self.seen
            if line.startswith("GET") and "list-type" not in line
        }


@contextmanager
def before(server: ObjectServer) -> Iterator[Front]:
    """Run a proxy while the block lasts."""
    front, session = Front(), requests.Session()

    def serve(handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        front.seen.append(f"{handler.command} {handler.path}")
        headers = dict(handler.headers.items())
        login = handler.headers.get("Authorization")
        if login is not None and handler.command != "POST":
            front.logins.append(login)
        if front.public:
            headers |= SIGNED
        told = front.instead(handler.command, handler.path, headers)
        if told is not None:
            return told[0], dict(told[1]), told[2]
        answer = session.request(
            handler.command, server.url + handler.path, data=body, headers=headers, timeout=30
        )
        kept = {"etag", "last-modified", "content-range", "content-type"}
        sent = {name: text for name, text in answer.headers.items() if name.lower() in kept}
        if handler.command == "HEAD":
            sent["Content-Length"] = answer.headers.get("Content-Length", "0")
        if "list-type" not in handler.path:
            front.received += len(answer.content)
        return answer.status_code, sent, answer.content

    with serving(serve) as url:
        front.url = url
        yield front
        session.close()
