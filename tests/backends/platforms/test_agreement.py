"""The same events, counted by a real Prometheus and told by each platform: what is left agrees.

Counts agree exactly, and a rounded share within the interval that it states. A platform joins with
a function that serves random cases by its fake, and one line in `PLATFORMS`.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.backends import Settings, open_backend
from gate.backends.aws_login import AwsAccess
from gate.backends.aws_slo.settings import AwsSloSettings
from gate.backends.datadog.settings import STATUS, DatadogSettings
from gate.backends.elastic.platform import ElasticPlatform
from gate.backends.elastic.settings import ElasticSettings
from gate.backends.google_slo.settings import GoogleSloSettings
from gate.backends.logins import SigV4Login
from gate.backends.platforms.backend import PlatformBackend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.http import Clock
from gate.measure import Backend, Cause, CountRequest, Counts, Limits, Share, Unmeasured
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.cloudwatch.asking import asking
from tests.backends.loopback import Handle, serving
from tests.backends.prometheus.played import AT
from tests.servers.application_signals import REGION, ApplicationSignals, rolling
from tests.servers.application_signals import FakeSlo as AwsSlo
from tests.servers.cloudwatch import FakeCloudWatch, key_of
from tests.servers.datadog import API_KEY, APP_KEY, Event, FakeDatadog
from tests.servers.datadog import FakeSlo as DatadogSlo
from tests.servers.elastic import Kibana, KibanaSlo
from tests.servers.google_monitoring import FakeMonitoring, Sample, Samples
from tests.servers.google_monitoring import FakeSlo as GoogleSlo
from tests.servers.metrics import backfill, prometheus

pytestmark = [pytest.mark.slow]
MINUTE = timedelta(minutes=1)
SLICED = "elastic timeslices"
EACH = 200
"""Random cases of each platform, and of each way in which it answers."""
FEWER = 50
"""The number of examples of timeslices, whose events a Prometheus has to add up in each hour."""
LIMITS = Limits(timeout=timedelta(seconds=60))


@dataclass(frozen=True, slots=True)
class Burst:
    """Events of one minute."""

    at: datetime
    total: int
    bad: int


@dataclass(frozen=True, slots=True)
class Random:
    """An SLO, and all that happened in its window."""

    name: str
    days: int
    objective: Fraction
    bursts: Sequence[Burst]
    slices: Slices | None = None
    """Given: slices of time are counted, in seconds by the platform."""

    @property
    def truth(self) -> tuple[int, int]:
        """Return total and bad, events or slices, as the bursts have them."""
        if self.slices is None:
            return sum(b.total for b in self.bursts), sum(b.bad for b in self.bursts)
        good = dict[int, list[int]]()
        for burst in self.bursts:
            counts = good.setdefault((AT - burst.at) // self.slices.length, [0, 0])
            counts[0] += burst.total - burst.bad
            counts[1] += burst.total
        bad = sum(Fraction(part, whole) < self.slices.target for part, whole in good.values())
        return len(good), bad

    @property
    def span(self) -> Span:
        return Span(AT - timedelta(days=self.days), AT)

    def left(self, bad_share: Fraction) -> Fraction:
        """Return what is left of the budget."""
        return 1 - bad_share / (1 - self.objective)


def random_case(platform: str, number: int) -> Random:
    """Return a case that is always the same one for its name.

    Nothing happens within ten minutes of a bound of the window, which may belong to it or not.
    """
    seed = random.Random(f"{platform} {number}")
    days = seed.choice([7, 30])
    quarters = seed.sample(range(1, days * 96 - 1), seed.choice([1, 2, 5, 20]))
    worst = seed.choice([0, 0.001, 0.01, 0.3, 1])
    bursts = list[Burst]()
    for quarter in sorted(quarters, reverse=True):
        total = seed.choice([1, 7, 1000, seed.randrange(1, 1_000_000)])
        bad = total if worst == 1 else min(round(total * worst * seed.random()), total)
        bursts.append(Burst(AT - (quarter * 15 + 7) * MINUTE, total, bad))
    objective = Fraction(seed.choice(["0.9", "0.99", "0.995", "0.999", "0.9999"]))
    slices = Slices(length=60 * MINUTE, target=Fraction(95, 100)) if platform == SLICED else None
    return Random(f"{platform} {number}", days, objective, bursts, slices)


@contextmanager
def opened(handle: Handle, settings: Callable[[str], Settings]) -> Iterator[Backend]:
    with serving(handle) as port:
        yield open_backend(settings(f"http://127.0.0.1:{port}"), LIMITS)


@contextmanager
def elastic(cases: Sequence[Random], *, snapshots: bool = True) -> Iterator[Backend]:
    slos = [
        KibanaSlo(
            id=f"slo-number-{place}",
            name=case.name,
            target=float(case.objective),
            duration=f"{case.days}d",
            timeslice=None if case.slices is None else "1h",
            events={"*": [(b.at, float(b.total - b.bad), float(b.total)) for b in case.bursts]},
        )
        for place, case in enumerate(cases)
    ]
    with serving(Kibana(slos, now=AT, snapshots=snapshots)) as port:
        settings = ElasticSettings(url=f"http://127.0.0.1:{port}", api_key="a-key-of-kibana")
        # An older Kibana is asked about now only.
        yield PlatformBackend(ElasticPlatform(settings, 60.0, Clock(now=lambda: AT)))


def older_elastic(cases: Sequence[Random]) -> AbstractContextManager[Backend]:
    return elastic(cases, snapshots=False)


def datadog(cases: Sequence[Random], endpoint: str = "history") -> AbstractContextManager[Backend]:
    slos = [
        DatadogSlo(
            id=f"{place:032x}",
            name=case.name,
            targets={f"{case.days}d": float(case.objective * 100)},
            events=[Event(b.at.timestamp(), b.total, b.bad) for b in case.bursts],
        )
        for place, case in enumerate(cases)
    ]
    return opened(
        FakeDatadog(slos=slos),
        lambda url: DatadogSettings(
            api_key=API_KEY, application_key=APP_KEY, url=url, endpoint=endpoint
        ),
    )


def datadog_status(cases: Sequence[Random]) -> AbstractContextManager[Backend]:
    return datadog(cases, STATUS)


def google(cases: Sequence[Random]) -> AbstractContextManager[Backend]:
    slos = [
        GoogleSlo(
            display_name=case.name,
            id=f"slo-{place}",
            goal=float(case.objective),
            period={"rollingPeriod": f"{case.days * 86400}s"},
            samples=Samples(Sample(b.at, good=b.total - b.bad, bad=b.bad) for b in case.bursts),
        )
        for place, case in enumerate(cases)
    ]
    return opened(
        FakeMonitoring(slos),
        lambda url: GoogleSloSettings(project="acme-prod", url=url, bearer="a-token-of-google"),
    )


def aws(cases: Sequence[Random]) -> AbstractContextManager[Backend]:
    slos = [
        AwsSlo(
            name=case.name,
            goal=rolling(case.days, float(case.objective * 100)),
            events=[(b.at, b.total, b.bad) for b in case.bursts],
        )
        for case in cases
    ]
    login = SigV4Login(
        region=REGION,
        service="application-signals",
        access_key="AKIA-of-a-test",
        secret_key="a-secret-of-a-test",
    )
    return opened(
        ApplicationSignals(slos),
        lambda url: AwsSloSettings(access=AwsAccess(login=login, url=url, shown=url)),
    )


@contextmanager
def cloudwatch(cases: Sequence[Random]) -> Iterator[Backend]:
    fake = FakeCloudWatch(now=lambda: AT)
    for case in cases:
        for metric in ("All", "Bad"):
            counts = ((b.at, b.total if metric == "All" else b.bad) for b in case.bursts)
            fake.publish(key_of("Chat", metric, Case=case.name), counts)
    with asking(fake) as backend:
        yield backend


Serve = Callable[[Sequence[Random]], AbstractContextManager[Backend]]
PLATFORMS: dict[str, tuple[Serve, type[Counts | Share]]] = {
    "elastic": (elastic, Counts),
    SLICED: (elastic, Counts),
    "older elastic": (older_elastic, Share),
    "datadog": (datadog, Counts),
    "datadog status": (datadog_status, Share),
    "google-slo": (google, Counts),
    "aws-slo": (aws, Share),
    "cloudwatch": (cloudwatch, Counts),
}
"""How each answers, and with what."""
CASES = {
    name: [random_case(name, number) for number in range(FEWER if name == SLICED else EACH)]
    for name in PLATFORMS
}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Counts]:
    """Return what a real Prometheus counts of every case: a sample has the events of a minute."""
    folder = tmp_path_factory.mktemp("agreement")
    write(folder / "events.om", [case for cases in CASES.values() for case in cases])
    backfill(folder / "events.om", folder / "blocks")
    every = [case for cases in CASES.values() for case in cases]
    with prometheus(folder / "server", folder / "blocks") as server:
        backend = open_backend(PrometheusSettings(url=server.url), LIMITS)
        answers = backend.measure([request(case, promql(case)) for case in every], AT)
    counts = [answer for answer in answers if isinstance(answer, Counts)]
    return {case.name: answer for case, answer in zip(every, counts, strict=True)}


def promql(case: Random) -> Sli:
    def selected(metric: str) -> str:
        return f'sum(sum_over_time({metric}{{slo="{case.name}"}}[$window]))'

    return Sli(bad=selected("bad_events"), total=selected("all_events"))


def indicator(platform: str, case: Random) -> Sli:
    """Return how a policy names a case: as an SLO, or by its metrics."""
    if platform != "cloudwatch":
        return Sli(slo=case.name)
    bad, total = (f'Chat {metric}{{Case="{case.name}"}}' for metric in ("Bad", "All"))
    return Sli(bad=bad, total=total)


def request(case: Random, sli: Sli) -> CountRequest:
    return CountRequest(sli=sli, span=case.span, slices=case.slices)


def write(path: Path, cases: Sequence[Random]) -> None:
    """Write OpenMetrics."""
    with path.open("w", encoding="utf-8") as file:
        for metric in ("all_events", "bad_events"):
            file.write(f"# TYPE {metric} gauge\n")
            for case in cases:
                for burst in case.bursts:
                    value = burst.total if metric == "all_events" else burst.bad
                    labels = f'{{slo="{case.name}"}}'
                    file.write(f"{metric}{labels} {value} {burst.at.timestamp():.0f}\n")
        file.write("# EOF\n")


def test_there_are_a_thousand_cases_of_all_kinds() -> None:
    cases = [case for some in CASES.values() for case in some]
    truths = [case.truth for case in cases]
    bad = [Fraction(bad, total) for total, bad in truths]

    assert len(cases) >= 1000
    assert sum(share == 0 for share in bad) > 100
    assert sum(share == 1 for share in bad) > 100
    spent = [case.left(share) for case, share in zip(cases, bad, strict=True)]
    assert sum(0 < left < 1 for left in spent) > 100
    assert sum(left < 0 for left in spent) > 100


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_a_platform_tells_is_what_prometheus_counts(
    platform: str, counted: dict[str, Counts]
) -> None:
    serve, kind = PLATFORMS[platform]
    cases = CASES[platform]
    requests = [
        CountRequest(sli=indicator(platform, case), span=case.span, probe=True) for case in cases
    ]
    with serve(cases) as backend:
        answers = backend.measure(requests, AT)

    for case, answer in zip(cases, answers, strict=True):
        own = counted[case.name]
        assert [own.total, own.bad] == [*case.truth], case
        if grants_nothing(platform, case, own.total):
            assert isinstance(answer, Unmeasured)
            assert answer.cause is Cause.NO_TRAFFIC
            continue
        assert isinstance(answer, kind), (case, answer)
        truth = case.left(own.bad / own.total)
        if isinstance(answer, Share):
            low, high = (case.left(answer.bad + error) for error in (answer.error, -answer.error))
            assert low <= truth <= high, (case, answer)
        else:
            unit = 1 if case.slices is None else Fraction(case.slices.length.total_seconds())
            assert (answer.total, answer.bad) == (own.total * unit, own.bad * unit), (case, answer)
            assert case.left(answer.bad / answer.total) == truth


def grants_nothing(platform: str, case: Random, total: Fraction) -> bool:
    """Return whether a budget of whole requests is 0, of which no share can be told."""
    own = sum(burst.bad for burst in case.bursts)
    return platform == "aws-slo" and not own and (1 - case.objective) * total < 1
