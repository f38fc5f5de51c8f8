"""The same requests, as logs have them and as a real server has scraped them: one past."""

import json
import random
import shutil
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from gate.backends import Settings, open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.records import Records
from gate.measure import CountRequest, Counts
from gate.measure.capabilities import cohorts_of, history_of
from gate.measure.cohorts import Cohort, CohortRequest, Cohorts
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Span
from tests.live.asking import LIMITS
from tests.servers.metrics import Server, backfill, prometheus
from tests.servers.series import END

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DAYS = 4
START = END - DAYS * 24 * HOUR
SCRAPES = (15, 30, 60)
"""Seconds."""
SELDOM = (360, 420, 600, 1800)
"""Seconds between the scrapes of the busy service that are further apart than steps."""
NOT_SCRAPED = Span(START + 50 * HOUR, START + 53 * HOUR)
"""The time without any scrape of those."""


def asleep_at_night(at: datetime) -> float:
    return 8.0 if 8 <= at.hour < 20 else 0.0


def a_few_a_day(_: datetime) -> float:
    return 0.3


def busy(_: datetime) -> float:
    return 90.0


SERVICES: dict[str, Callable[[datetime], float]] = {
    function.__name__: function for function in (asleep_at_night, a_few_a_day, busy)
}
"""Requests an hour."""


@dataclass(frozen=True, slots=True)
class Request:
    at: float
    """Unix time."""
    failed: bool


def requests_of(service: str) -> Sequence[Request]:
    """Return requests by chance, with one at either end of the time."""
    rng, start = random.Random(service), START.timestamp()
    moments = [start + 1.0, END.timestamp()]
    for hour in range(DAYS * 24):
        rate = SERVICES[service](START + hour * HOUR)
        seconds = rng.expovariate(rate / 3600) if rate else 3600.0
        while seconds < 3600:
            moments.append(round(start + hour * 3600 + seconds, 3))
            seconds += rng.expovariate(rate / 3600)
    return [Request(at, rng.random() < 0.1) for at in sorted(moments)]


def write_log(path: Path, service: str) -> None:
    path.write_text(
        "".join(
            json.dumps({"ts": request.at, "failed": request.failed}) + "\n"
            for request in requests_of(service)
        )
    )


def scraped(at: float) -> bool:
    """Return whether the rarely scraped counters are scraped at a Unix time."""
    return not NOT_SCRAPED.start.timestamp() < at < NOT_SCRAPED.end.timestamp()


def write_metrics(path: Path) -> None:
    """Write each service's counters as they are scraped, on whole multiples of the interval."""
    first, last = int(START.timestamp()), int(END.timestamp())
    with path.open("w", encoding="utf-8") as file:
        for service in SERVICES:
            for failed in (False, True):
                moments = [r.at for r in requests_of(service) if r.failed is failed]
                for every in (*SCRAPES, *(SELDOM if service == "busy" else ())):
                    name = (
                        f'requests_total{{service="{service}",every="{every}",failed="{failed}"}}'
                    )
                    file.writelines(
                        f"{name} {bisect_right(moments, scrape)} {scrape}\n"
                        for scrape in range(first, last + 1, every)
                        if every in SCRAPES or scraped(scrape)
                    )
        file.write("# EOF\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("past")
    write_metrics(folder / "metrics.om")
    backfill(folder / "metrics.om", folder / "data")
    with prometheus(folder / "server", folder / "data") as running:
        yield running
    shutil.rmtree(folder)


def ask(
    settings: Settings,
    sli: Sli,
    step: timedelta,
    end: datetime,
    slices: Slices | None = None,
) -> Series:
    history = history_of(open_backend(settings, LIMITS))
    assert history is not None
    span = Span(START + HOUR, end)
    (answer,) = history.history(
        [SeriesRequest(sli=sli, span=span, step=step, slices=slices, max_age=5 * MINUTE)]
    )
    assert isinstance(answer, Series), answer
    return answer


def both(folder: Path, service: str, every: int) -> tuple[LogsSettings, Sli]:
    """Return where the logs of a service are, and the indicator of its counters."""
    write_log(folder / "a.jsonl", service)
    logs = LogsSettings(path="a.jsonl", directory=folder, records=Records(timestamp="ts"))
    return logs, counters_of(service, every)


def counters_of(service: str, every: int) -> Sli:
    chosen = f'service="{service}",every="{every}"'
    return Sli(
        bad=f'sum(increase(requests_total{{{chosen},failed="True"}}[$window]))',
        total=f"sum(increase(requests_total{{{chosen}}}[$window]))",
    )


@pytest.mark.crossed
@pytest.mark.parametrize("every", SCRAPES)
@pytest.mark.parametrize("step", [5 * MINUTE, HOUR])
@pytest.mark.parametrize("service", SERVICES)
def test_logs_and_a_prometheus_tell_the_same_of_every_step(
    tmp_path: Path, server: Server, service: str, step: timedelta, every: int
) -> None:
    logs, counters = both(tmp_path, service, every)
    end = END - 2 * MINUTE  # within a step, as most runs are

    of_logs = ask(logs, Sli(bad="failed"), step, end)
    of_server = ask(PrometheusSettings(url=server.url), counters, step, end)

    truth = [0] * len(of_logs.total)
    for request in requests_of(service):
        passed = request.at - (START + HOUR).timestamp()
        if 0 < passed <= (end - START - HOUR).total_seconds():
            truth[int(-(-passed // step.total_seconds())) - 1] += 1
    assert of_logs.total == tuple(map(float, truth))
    assert None not in of_server.total
    assert of_server.total == pytest.approx(of_logs.total, rel=1e-9, abs=1e-6)
    assert of_server.bad == pytest.approx(of_logs.bad, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("seconds", [7, 20, 45])
def test_no_step_between_two_scrapes_is_unknown(server: Server, seconds: int) -> None:
    counters = Sli(
        bad='requests_total{service="busy",every="60",failed="True"}',
        total='requests_total{service="busy",every="60"}',
    )
    step, end = timedelta(seconds=seconds), START + 4 * HOUR
    found = ask(PrometheusSettings(url=server.url), counters, step, end)

    expected = [0.0] * len(found.total)
    for request in requests_of("busy"):
        scraped = -(-request.at // 60) * 60 - (START + HOUR).timestamp()
        if 0 < scraped <= (end - START - HOUR).total_seconds():
            expected[int(-(-scraped // seconds)) - 1] += 1
    first = -(-60 // seconds) - 1  # before it, the series may have been born with that sample
    assert found.total[first:] == tuple(expected[first:])
    assert set(found.total[:first]) <= {None}
    assert None not in found.bad[first:]


@pytest.mark.parametrize("every", SELDOM)
def test_between_regular_scrapes_nothing_is_unknown_and_a_gap_is(
    server: Server, every: int
) -> None:
    counters = counters_of("busy", every)
    step, end, start = 5 * MINUTE, END - 2 * MINUTE, START + HOUR
    seen = ask(PrometheusSettings(url=server.url), counters, step, end)

    first, last = int(START.timestamp()), int(end.timestamp())
    scrapes = [at for at in range(first, last + 1, every) if scraped(at)]
    places = [int(-(-(at - start.timestamp()) // 300)) - 1 for at in scrapes]
    expected = [0.0] * len(seen.total)
    moments = [request.at for request in requests_of("busy")]
    for before, at, place in zip(scrapes[:-1], scrapes[1:], places[1:], strict=True):
        if place >= 0:
            expected[place] += bisect_right(moments, at) - bisect_right(moments, before)
    gap = next((a, b) for a, b in pairwise(places) if (b - a) * step >= HOUR)
    unknown = {*range(gap[0] + 1, gap[1]), *range(places[-1] + 1, len(expected))}
    unknown |= set(range(min(place for place in places if place >= 0)))
    assert {place for place, total in enumerate(seen.total) if total is None} == unknown
    assert {place for place, bad in enumerate(seen.bad) if bad is None} == unknown
    known = [place for place in range(len(expected)) if place not in unknown]
    assert [seen.total[place] for place in known] == [expected[place] for place in known]


@pytest.mark.parametrize("every", SELDOM)
@pytest.mark.parametrize("hours", [24, 26, 72])
@pytest.mark.parametrize("later", [0, 4, 9], ids="{} minutes later".format)
def test_regular_scrapes_cover_a_window_and_a_gap_in_them_does_not(
    server: Server, every: int, hours: int, later: int
) -> None:
    at = END - HOUR + later * MINUTE
    span = Span(at - hours * HOUR, at)
    request = CountRequest(sli=counters_of("busy", every), span=span, probe=True)

    (answer,) = open_backend(PrometheusSettings(url=server.url), LIMITS).measure([request], at)

    assert isinstance(answer, Counts), answer
    evidence = answer.evidence
    assert evidence.coverage is not None
    assert evidence.gaps is not None
    hole = Fraction(3, hours) if span.start < NOT_SCRAPED.start else Fraction()
    assert float(evidence.coverage) == pytest.approx(float(1 - hole), abs=0.01)
    assert float(evidence.gaps.holes) == pytest.approx(float(hole), abs=0.01)
    assert not evidence.gaps.late


@pytest.mark.crossed
@pytest.mark.parametrize("empty", EmptySlice)
@pytest.mark.parametrize("service", SERVICES)
def test_logs_and_a_prometheus_tell_the_same_slices_of_every_step(
    tmp_path: Path, server: Server, service: str, empty: EmptySlice
) -> None:
    logs, counters = both(tmp_path, service, 15)
    slices = Slices(length=5 * MINUTE, target=Fraction(95, 100), empty=empty)
    end = END - 2 * MINUTE

    of_logs = ask(logs, Sli(bad="failed"), HOUR, end, slices)
    of_server = ask(PrometheusSettings(url=server.url), counters, HOUR, end, slices)

    assert of_server.total == of_logs.total
    assert of_server.bad == of_logs.bad
    assert 0 < sum(bad or 0 for bad in of_logs.bad) < sum(total or 0 for total in of_logs.total)


@pytest.mark.crossed
@pytest.mark.parametrize("late", [timedelta(), 7 * MINUTE, 43 * MINUTE], ids=str)
@pytest.mark.parametrize("service", SERVICES)
def test_logs_and_a_prometheus_tell_the_same_of_each_group_in_every_minute(
    tmp_path: Path, server: Server, service: str, late: timedelta
) -> None:
    logs, counters = both(tmp_path, service, 15)
    span = Span(END - 2 * 24 * HOUR, END - HOUR + late)

    def groups(settings: Settings, sli: Sli) -> dict[str, Cohort]:
        teller = cohorts_of(open_backend(settings, LIMITS))
        assert teller is not None
        request = CohortRequest(sli=sli, span=span, step=HOUR, by=("failed",), most=5)
        (answer,) = teller.cohorts([request])
        assert isinstance(answer, Cohorts), answer
        return {value.lower(): cohort for (value,), cohort in answer.groups.items()}

    of_logs = groups(logs, Sli(bad="failed"))
    of_server = groups(PrometheusSettings(url=server.url), counters)

    assert of_logs.keys() == of_server.keys() == {"true", "false"}
    for value, cohort in of_logs.items():
        truth = [0] * len(cohort.total)
        for request in requests_of(service):
            passed = request.at - span.start.timestamp()
            if request.failed is (value == "true") and 0 < passed <= span.length.total_seconds():
                truth[int(-(-passed // 3600)) - 1] += 1
        assert cohort.total == tuple(map(float, truth))
        assert of_server[value].total == pytest.approx(cohort.total, rel=1e-9, abs=1e-6)
        assert of_server[value].bad == pytest.approx(cohort.bad, rel=1e-9, abs=1e-6)
