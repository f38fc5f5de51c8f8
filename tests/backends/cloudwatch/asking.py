"""A backend that asks a fake CloudWatch, for tests of several modules."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from gate.backends.aws_login import AwsAccess
from gate.backends.cloudwatch.backend import CloudWatchBackend
from gate.backends.cloudwatch.client import CloudWatch
from gate.backends.cloudwatch.settings import CloudWatchSettings
from gate.backends.logins import SigV4Login
from gate.http import Clock
from gate.measure import Answer, CountRequest, Counts, Spent, Unmeasured
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.cloudwatch_cases import BAD, BAD_TEXT, TOTAL, TOTAL_TEXT
from tests.backends.loopback import serving
from tests.servers.cloudwatch import FakeCloudWatch

AT = datetime.fromisoformat("2026-11-29T12:34:56Z")
MONTH = timedelta(days=30)
CHAT = Sli(bad=BAD_TEXT, total=TOTAL_TEXT)
__all__ = ["BAD", "TOTAL", "TOTAL_TEXT"]


def settings(url: str, region: str = "eu-central-1", retries: int = 0) -> CloudWatchSettings:
    login = SigV4Login(region=region, service="monitoring", access_key="key", secret_key="secret")
    access = AwsAccess(login=login, url=url, shown="127.0.0.1")
    return CloudWatchSettings(access=access, retries=retries)


@contextmanager
def asking(
    fake: FakeCloudWatch, region: str = "eu-central-1", retries: int = 0
) -> Iterator[CloudWatchBackend]:
    """Give a backend that asks the fake, and never waits."""
    clock = Clock(now=fake.now, sleep=lambda _: None, jitter=lambda: 0.0)
    with serving(fake) as port:
        server = settings(f"http://127.0.0.1:{port}", region, retries)
        yield CloudWatchBackend(CloudWatch(server, 20.0, clock))


def request(
    sli: Sli = CHAT,
    length: timedelta = MONTH,
    at: datetime = AT,
    *,
    slices: Slices | None = None,
    probe: bool = True,
) -> CountRequest:
    amount = sli.spent is not None
    span = Span(at - length, at)
    return CountRequest(sli=sli, span=span, slices=slices, probe=probe, amount=amount)


def answers(
    fake: FakeCloudWatch,
    requests: Iterable[CountRequest],
    *,
    region: str = "eu-central-1",
    retries: int = 0,
) -> list[Answer]:
    with asking(fake, region, retries) as backend:
        return backend.measure(list(requests), AT)


def counts(fake: FakeCloudWatch, asked_for: CountRequest | None = None) -> Counts:
    (answer,) = answers(fake, [asked_for or request()])
    assert isinstance(answer, Counts), answer
    return answer


def spent(fake: FakeCloudWatch, text: str) -> Spent:
    (answer,) = answers(fake, [request(Sli(spent=text))])
    assert isinstance(answer, Spent), answer
    return answer


def unmeasured(
    fake: FakeCloudWatch, asked_for: CountRequest | None = None, region: str = "eu-central-1"
) -> Unmeasured:
    (answer,) = answers(fake, [asked_for or request()], region=region)
    assert isinstance(answer, Unmeasured), answer
    return answer


def service(
    hours: Iterable[int] = range(720), *, each: float = 100, bad: float = 1
) -> FakeCloudWatch:
    """Return a server with events half a minute into each hour before the instant."""
    fake = FakeCloudWatch(now=lambda: AT)
    # Six minutes ago, before a start that is rounded to five, and at that minute of other hours.
    moments = [AT - timedelta(hours=place, minutes=6) for place in hours]
    fake.publish(TOTAL, ((at, each) for at in moments))
    if bad:
        fake.publish(BAD, ((at, bad) for at in moments[::10]))
    return fake


def whole(answer: Counts) -> tuple[int, int]:
    """Return the total and the bad events, which must be whole numbers."""
    assert (answer.total.denominator, answer.bad.denominator) == (1, 1)
    return int(answer.total), int(answer.bad)
