"""Counting at many instants at once gives what counting at each of them gives, on real servers."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import CountRequest, Counts
from gate.measure.capabilities import PastBackend, PastRun, measure_past
from gate.slo.calendar import Period
from gate.slo.indicator import EmptySlice, Histogram, Sli, Slices
from gate.slo.objective import CalendarWindow, RollingWindow
from tests.live.asking import LIMITS, indicator
from tests.servers.series import END

pytestmark = pytest.mark.slow

SERVICES = (
    "peak", "resets", "gap", "young", "idle", "flawless", "born", "born-high", "latency", "stale",
    "unaligned", "misspelt",
)  # fmt: skip
WINDOWS = (timedelta(days=7), timedelta(hours=6), timedelta(hours=1))
INSTANTS = 12
IN_MONTHS = 3
"""The first services, whose months are counted besides."""


def instants(kind: str) -> list[datetime]:
    """Return instants at random, or at equal distances."""
    rng = random.Random("instants")
    if kind == "random":
        return [END - timedelta(seconds=rng.randrange(23 * 86_400)) for _ in range(INSTANTS)]
    if kind == "in order":
        # Some in the same second, as a backtest has them: by neighbours that are asked together.
        ats = [END - timedelta(seconds=23 * 86_400 * rng.random()) for _ in range(INSTANTS - 2)]
        return sorted([*ats, ats[3], ats[5] + timedelta(milliseconds=300)])
    first = END - timedelta(days=22, minutes=17)
    return [first + place * timedelta(hours=43) for place in range(INSTANTS)]


def runs_at(ats: Sequence[datetime]) -> list[PastRun]:
    """Return what runs would ask, of everything that can be counted."""
    slis = [indicator(name) for name in SERVICES]
    bucket = 'llm_request_duration_seconds{service="latency"}'
    slis.append(
        Sli(histogram=Histogram(good=bucket, total=bucket, threshold=Fraction(2), unit="s"))
    )
    slices = Slices(length=timedelta(minutes=5), target=Fraction("0.99"), empty=EmptySlice.BAD)
    minutes = Slices(length=timedelta(minutes=1), target=Fraction(1))
    runs = []
    for at in ats:
        spans = [RollingWindow(window).counted(at) for window in WINDOWS]
        month = CalendarWindow(Period.MONTH, UTC).counted(at)
        requests = [
            CountRequest(sli=sli, span=span, probe=span is spans[0])
            for sli in slis
            for span in spans
        ]
        requests += [CountRequest(sli=sli, span=month, probe=True) for sli in slis[:IN_MONTHS]]
        week = spans[0]
        requests += [
            CountRequest(sli=indicator("peak"), span=week, slices=slices, probe=True),
            CountRequest(
                sli=Sli(gauge='llm_up{service="probe"}'), span=week, slices=minutes, probe=True
            ),
            CountRequest(
                sli=Sli(spent="llm_spend_cents_total"), span=week, amount=True, probe=True
            ),
        ]
        runs.append(PastRun(requests=tuple(requests), at=at))
    return runs


@pytest.mark.variants(1)
@pytest.mark.parametrize("kind", ["random", "in order", "regular"])
def test_each_answer_is_what_the_run_alone_is_reported(url: str, kind: str) -> None:
    backend, runs = open_backend(PrometheusSettings(url=url), LIMITS), runs_at(instants(kind))
    assert isinstance(backend, PastBackend)

    together = measure_past(backend, runs)

    alone = [backend.measure(run.requests, run.at) for run in runs]
    for run, answers, own in zip(runs, together, alone, strict=True):
        for request, answer, expected in zip(run.requests, answers, own, strict=True):
            assert answer == expected, (run.at, request)
    assert sum(isinstance(answer, Counts) for answers in alone for answer in answers) > 200
