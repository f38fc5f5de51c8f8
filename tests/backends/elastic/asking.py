"""Kibana's SLOs, asked through the backend on a real socket."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from gate.backends.elastic.platform import ElasticPlatform
from gate.backends.elastic.settings import ElasticSettings
from gate.backends.platforms.backend import PlatformBackend
from gate.http import Clock
from gate.measure import Answer, CountRequest, Definition, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.loopback import Handle, serving
from tests.backends.prometheus.played import AT
from tests.servers.elastic import Kibana

MONTH = Span(AT - timedelta(days=30), AT)


@contextmanager
def backend(kibana: Handle, **settings: Any) -> Iterator[PlatformBackend]:
    """Open the backend of a Kibana; its clock shows the instant at which the tests ask."""
    with serving(kibana) as port:
        values: dict[str, Any] = {
            "url": f"http://127.0.0.1:{port}",
            "api_key": "k3y-of-kibana",
            "retries": 0,
        }
        clock = Clock(now=lambda: AT)
        yield PlatformBackend(ElasticPlatform(ElasticSettings(**values | settings), 20.0, clock))


def request(
    slo: str = "Chat availability", group: str | None = None, *, probe: bool = True
) -> CountRequest:
    return CountRequest(sli=Sli(slo=slo, group=group), span=MONTH, probe=probe)


def measure(
    kibana: Handle, *requests: CountRequest, at: datetime = AT, **settings: Any
) -> Sequence[Answer]:
    with backend(kibana, **settings) as asking:
        return asking.measure(requests or [request()], at)


def answer(kibana: Handle, *, at: datetime = AT, **settings: Any) -> Answer:
    (only,) = measure(kibana, at=at, **settings)
    return only


def refused(kibana: Handle, *requests: CountRequest, **more: Any) -> Unmeasured:
    (only,) = measure(kibana, *requests, **more)
    assert isinstance(only, Unmeasured), only
    return only


def definition(kibana: Kibana, slo: str = "Chat availability") -> Definition | Unmeasured:
    with backend(kibana) as asking:
        (only,) = asking.definitions([Sli(slo=slo)])
    return only
