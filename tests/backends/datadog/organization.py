"""An organization of Datadog with SLOs of known truth, and the backend that asks it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from gate.backends.datadog.platform import DatadogPlatform
from gate.backends.datadog.settings import DatadogSettings
from gate.backends.platforms.backend import PlatformHistoryBackend
from gate.http import Clock
from gate.measure import Answer, CountRequest, Counts, Limits, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.servers.datadog import API_KEY, APP_KEY, Body, Event, FakeDatadog, FakeSlo, running

AT = datetime(2026, 1, 1, tzinfo=UTC)
END = int(AT.timestamp())
HOUR, DAY = 3600, 86400
MONTH = timedelta(days=30)
AVAILABILITY, UPTIME, LATENCY = "a" * 32, "b" * 32, "c" * 32
LIMITS = Limits(timeout=timedelta(seconds=20))


def hourly(hours: int = 720, *, bad_every: int = 4, before: int = 0) -> list[Event]:
    """Return 1,000 requests half an hour into each hour; one of them is bad in some of the hours.

    Args:
        hours: how many.
        bad_every: of how many hours one has a bad request.
        before: seconds by which all of them happened earlier.
    """
    return [
        Event(END - before - hour * HOUR - 1, 1000, float(hour % bad_every == 0))
        for hour in reversed(range(hours))
    ]


def availability(**more: Any) -> FakeSlo:
    """Return a metric-based SLO: 180 of 720,000 are bad."""
    given: dict[str, Any] = {"id": AVAILABILITY, "name": "Chat availability", "events": hourly()}
    return FakeSlo(**given | more)


def uptime(**more: Any) -> FakeSlo:
    """Return a monitor-based SLO that was down for 36 minutes, ten days ago."""
    states = [(END - 40 * DAY, 0), (END - 10 * DAY, 1), (END - 10 * DAY + 36 * 60, 0)]
    given: dict[str, Any] = {"id": UPTIME, "name": "Chat uptime", "kind": "monitor"}
    return FakeSlo(**given | {"states": states, "targets": {"30d": 99.0}} | more)


def latency(**more: Any) -> FakeSlo:
    """Return an SLO of time slices, with the states of the monitor."""
    return uptime(id=LATENCY, name="Chat latency", kind="time_slice", **more)


@contextmanager
def backend_of(
    fake: FakeDatadog, *, clock: Clock | None = None, **settings: Any
) -> Iterator[PlatformHistoryBackend]:
    """Serve a fake while the block lasts; give a backend that asks it."""
    given = {"api_key": API_KEY, "application_key": APP_KEY, "retries": 0, **settings}
    with running(fake) as url:
        platform = DatadogPlatform(DatadogSettings(url=url, **given), LIMITS, clock)
        yield PlatformHistoryBackend(platform, platform)


def request(
    slo: str = AVAILABILITY,
    length: timedelta = MONTH,
    *,
    probe: bool = True,
    group: str | None = None,
    at: datetime = AT,
) -> CountRequest:
    """Return a request for the time up to an instant."""
    return CountRequest(sli=Sli(slo=slo, group=group), span=Span(at - length, at), probe=probe)


def measure(fake: FakeDatadog, *requests: CountRequest, **settings: Any) -> list[Answer]:
    """Return the answers to requests, all of one run."""
    with backend_of(fake, **settings) as backend:
        return backend.measure(requests or [request()], AT)


def twisted(twist: Callable[[Body], None], slo: FakeSlo | None = None) -> FakeDatadog:
    """Return an organization whose histories are changed before they are sent.

    Args:
        twist: changes the body of an answer.
        slo: the only one of the organization; None: the metric-based one.
    """

    def on_histories(path: str, body: Body) -> None:
        if path.endswith("/history"):
            twist(body)

    return FakeDatadog(slos=[slo or availability()], twist=on_histories)


def answer_to(twist: Callable[[Body], None], slo: FakeSlo | None = None) -> Answer:
    """Return what is made of a twisted answer about the SLO's own window."""
    wanted = slo or availability()
    (answer,) = measure(twisted(twist, wanted), request(wanted.id))
    return answer


def counts(answer: Answer) -> tuple[float, float]:
    """Return bad and total of an answer that is a count."""
    assert isinstance(answer, Counts), answer
    return float(answer.bad), float(answer.total)


def refused(answer: Answer) -> tuple[str, str]:
    """Return cause and reason of an answer that is none."""
    assert isinstance(answer, Unmeasured), answer
    return str(answer.cause), answer.reason


def asked_windows(fake: FakeDatadog) -> Sequence[tuple[str, int]]:
    """Return the first letter of the id, and the seconds, of each history that was asked for."""
    return [
        (path.split("/")[4][0], int(params["to_ts"]) - int(params["from_ts"]))
        for path, params in fake.requests
        if path.endswith("/history")
    ]
