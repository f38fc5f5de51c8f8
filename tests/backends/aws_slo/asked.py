"""Asking the fake of Application Signals as the gate does, without the command around it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from gate.backends.aws_login import AwsAccess
from gate.backends.aws_slo.platform import AwsSloPlatform
from gate.backends.aws_slo.settings import AwsSloSettings
from gate.backends.logins import SigV4Login
from gate.backends.platforms.backend import PlatformBackend
from gate.http import Clock
from gate.measure import Answer, CountRequest, Definition, Limits, Share, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.loopback import Handle, serving
from tests.servers.application_signals import REGION, ApplicationSignals, Event, FakeSlo

AT = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "Chat availability"
SECRET = "s3cr3t-of-the-login"

HASTY = Clock(sleep=lambda _: None)
"""A clock with which nobody waits."""


def events(bad: int, *, hours: int = 720, each: int = 1000) -> list[Event]:
    """Return one event an hour until `AT`, of which the last ones have a bad request each."""
    return [(AT - timedelta(hours=hour), each, int(hour < bad)) for hour in range(hours)]


@contextmanager
def backend(
    handle: Handle, clock: Clock | None = None, **settings: Any
) -> Iterator[PlatformBackend]:
    """Yield the backend over a service while the block lasts."""
    with serving(handle) as port:
        url = f"http://127.0.0.1:{port}"
        login = SigV4Login(
            region=REGION, service="application-signals", access_key="AKIA", secret_key=SECRET
        )
        access = AwsAccess(login=login, url=url, shown="the fake")
        own = AwsSloSettings(access=access, **{"retries": 0, **settings})
        limits = Limits(timeout=timedelta(seconds=20))
        yield PlatformBackend(AwsSloPlatform(own, limits, clock or HASTY))


def request(name: str = NAME, *, at: datetime = AT, main: bool = True) -> CountRequest:
    """Return a question about an SLO's own window; or of a burn rate's, which is an hour."""
    length = timedelta(days=30) if main else timedelta(hours=1)
    return CountRequest(sli=Sli(slo=name), span=Span(at - length, at), probe=main)


def ask(
    service: ApplicationSignals, *names: str, at: datetime = AT, main: bool = True, **settings: Any
) -> list[Answer]:
    """Return the answers for SLOs of these names; without any, for all that the account has."""
    asked = names or tuple(slo.name for slo in service.slos)
    with backend(service, **settings) as opened:
        requests = [request(name, at=at, main=main) for name in asked]
        answers: list[Answer] = opened.measure(requests, at)
        return answers


def share(answer: Answer) -> Share:
    """Return an answer that must be a share."""
    assert isinstance(answer, Share), answer
    return answer


def unmeasured(answer: Answer | Definition) -> Unmeasured:
    """Return an answer that must not be a number."""
    assert isinstance(answer, Unmeasured), answer
    return answer


def within(answer: Answer, truth: Fraction) -> bool:
    """Return whether the true share is where an answer says."""
    return abs(share(answer).bad - truth) <= share(answer).error


def define(service: ApplicationSignals, names: Sequence[str], **settings: Any) -> list[Any]:
    """Return what the service defines under each name."""
    with backend(service, **settings) as opened:
        definitions: list[Any] = opened.definitions([Sli(slo=name) for name in names])
        return definitions


def only(slo: FakeSlo | None = None, **spoiled: Any) -> ApplicationSignals:
    """Return a service with one SLO, by default with 29 of 720 failed requests in its budget."""
    own = slo or FakeSlo(name=NAME, events=events(29))
    return ApplicationSignals([own], **spoiled)
