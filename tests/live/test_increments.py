"""The counts of steps are what was counted between the samples, on real servers."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure.capabilities import history_of
from gate.measure.history import Series, SeriesRequest, on_the_clock
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.live.asking import LIMITS
from tests.live.increments import SCRAPES, Scrape, Scraped, services, write
from tests.servers.fixtures import Data, made_once, serving
from tests.servers.metrics import Server, victoria
from tests.servers.series import END

pytestmark = pytest.mark.slow

STEPS = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "1h": timedelta(hours=1),
    "10h": timedelta(hours=10),
}
LONG = timedelta(hours=40)
LATE = [timedelta(), timedelta(seconds=12), timedelta(minutes=1, seconds=37), timedelta(minutes=44)]
"""Before the end, the instants at which one looks."""


@pytest.fixture(scope="session")
def increments_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return made_once("increments", write, tmp_path_factory)


@pytest.fixture(scope="session")
def increments_prometheus(
    increments_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serving(increments_data, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def increments_victoria(
    increments_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with victoria(tmp_path_factory.mktemp("victoria"), increments_data.text) as server:
        yield server


@pytest.fixture(scope="session", params=["prometheus", "victoria"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"increments_{request.param}")
    return found


def counted(service: str, scrape: Scrape) -> Sli:
    own = f'service="{service}",every="{scrape.every}",phase="{scrape.phase}"'
    return Sli(
        bad=f'sum(increase(hits_total{{{own},code="500"}}[$window]))',
        total=f"sum(increase(hits_total{{{own}}}[$window]))",
    )


def ask(url: str, requests: Sequence[SeriesRequest]) -> list[Series]:
    history = history_of(open_backend(PrometheusSettings(url=url), LIMITS))
    assert history is not None
    answers = history.history(requests)
    assert all(isinstance(answer, Series) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Series)]


def expected(counters: Sequence[Scraped], request: SeriesRequest) -> list[int]:
    """Return what was counted in each step."""
    bounds = [request.end_of(place) for place in range(-1, request.steps)]
    columns = zip(*(counter.counted_by(bounds) for counter in counters), strict=True)
    return [until - before for before, until in pairwise(map(sum, columns))]


def requests_for(slis: Sequence[Sli], step: timedelta, at: datetime) -> list[SeriesRequest]:
    span = on_the_clock(Span(at - LONG, at), step)
    return [SeriesRequest(sli=sli, span=span, step=step) for sli in slis]


@pytest.mark.variants(2)
@pytest.mark.parametrize("step", STEPS)
def test_each_increment_is_in_the_step_of_its_later_sample(server: Server, step: str) -> None:
    cases = {
        (name, scrape): counters
        for scrape in SCRAPES
        for name, counters in services(scrape).items()
    }
    slis = [counted(*case) for case in cases]
    asked = [request for late in LATE for request in requests_for(slis, STEPS[step], END - late)]

    found = ask(server.url, asked)

    of_requests = list(cases.items()) * len(LATE)
    for (case, counters), request, series in zip(of_requests, asked, found, strict=True):
        bad = [counter for counter in counters if 'code="500"' in counter.labels]
        assert [total or 0 for total in series.total] == expected(counters, request), case
        assert [number or 0 for number in series.bad] == expected(bad, request), case
