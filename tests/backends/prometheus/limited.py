"""A server of steady counters that limits queries in the way, and in the words, of real servers."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

from tests.backends.prometheus.played import AT, failure, parts_of, success
from tests.servers.loopback import serving

TOTAL = 2.0
"""Events a second of a counter."""
BAD = 0.01
"""The share of requests with a code of 500."""
SCRAPE = 60
SERIES = 20
"""Behind each selector."""
_RANGE = re.compile(r"\[(\d+)(ms|s)(?::(\d+)s)?\](?: offset (\d+)s)?")
_INCREASE = re.compile(r"sum\(increase\(([^\[]*)\[(\d+)(ms|s)\](?: offset \d+s)?\)\)")


@dataclass(frozen=True, slots=True)
class Asked:
    """The costs of a query for the server: what it would read, send and hold."""

    query: str

    @property
    def ranges(self) -> list[tuple[float, float]]:
        """Length of each range, and how long before the instant it ends, in seconds."""
        return [
            (int(length) / (1000 if unit == "ms" else 1), int(offset or 0))
            for length, unit, _, offset in _RANGE.findall(self.query)
        ]

    @property
    def longest(self) -> float:
        return max((length for length, _ in self.ranges), default=0.0)

    @property
    def reach(self) -> float:
        """From the earliest instant of all ranges to the last."""
        ends = [offset for _, offset in self.ranges]
        starts = [length + offset for length, offset in self.ranges]
        return max(starts, default=0.0) - min(ends, default=0.0)

    @property
    def samples(self) -> float:
        return sum(length for length, _ in self.ranges) / SCRAPE * SERIES

    @property
    def most_samples(self) -> float:
        """The number of samples of the longest range."""
        return self.longest / SCRAPE * SERIES

    @property
    def parts(self) -> int:
        return len(parts_of(self.query))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit of a server: the queries that it refuses, and its message."""

    exceeded: Callable[[Asked], bool]
    status: int
    words: str
    plain: bool = False
    """The words are no JSON: a proxy's."""


@dataclass(slots=True)
class Limited:
    """A server that is up."""

    limit: Limit | None
    most_at_once: int = 1000
    methods: Mapping[str, int] = field(default_factory=dict)
    """The status with which a method is refused."""
    url: str = ""
    requests: int = 0
    targets: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(
        self, request: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        form = dict(parse_qsl(urlsplit(request.path).query) + parse_qsl(body.decode()))
        with self._lock:
            self.requests += 1
            self._now += 1
            crowded = self._now > self.most_at_once
            self.targets.append(request.path)
            self.forms.append(form)
        try:
            if request.command in self.methods:
                return self.methods[request.command], {}, b"this method is not allowed here"
            if crowded:
                return 429, {}, b"too many outstanding requests"
            if self.most_at_once < 1000:
                time.sleep(0.02)
            return self._answer(Asked(form["query"]))
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        limit = self.limit
        if limit is not None and limit.exceeded(asked):
            words = limit.words if limit.plain else failure("execution", limit.words)
            return limit.status, {}, words.encode()
        series: list[dict[str, object]] = [
            {"metric": {"gate_part": mark} if mark else {}, "value": [AT.timestamp(), value]}
            for mark, text in parts_of(asked.query).items()
            if (value := _value(text)) is not None
        ]
        return 200, {"Content-Type": "application/json"}, success(series).encode()


def _value(text: str) -> str | None:
    if "timestamp(" in text:
        return str(AT.timestamp())
    if re.search(r" unless |delta\(|count by|\(0 \* |=\"\"", text):
        return None
    if text == "vector(1)":
        return "1"
    if text.startswith("count("):
        return str(SERIES)
    if text.startswith("count_over_time"):
        length, unit, step, _ = _RANGE.findall(text)[0]
        return str(round(int(length) / (1000 if unit == "ms" else 1) / int(step)))
    numbers = _INCREASE.sub(_increase, text).replace(" or vector(0)", "")
    assert re.fullmatch(r"[-0-9.() ]+", numbers), text
    return str(eval(numbers))


def _increase(match: re.Match[str]) -> str:
    selector, length, unit = match.groups()
    rate = BAD if "500" in selector else TOTAL
    return str(int(length) / (1000 if unit == "ms" else 1) * rate)


@contextmanager
def limited(limit: Limit | None = None, **settings: object) -> Iterator[Limited]:
    """Run a server with a limit while the block lasts."""
    server = Limited(limit, **settings)  # type: ignore[arg-type]  # each test knows its settings
    with serving(server.serve) as url:
        server.url = url
        yield server
