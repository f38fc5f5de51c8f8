"""Native histograms, which have no buckets to select, on a real Prometheus."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.measure.capabilities import cohorts_of, history_of
from gate.measure.cohorts import CohortRequest, Cohorts
from gate.measure.history import Measured, Series, SeriesRequest
from gate.slo.indicator import Histogram, Sli
from gate.slo.objective import RollingWindow, Span
from tests.live.asking import LIMITS, measure
from tests.presets.native import write_native
from tests.presets.pages import END, EVERY_MINUTE, MINUTES
from tests.servers.metrics import prometheus

BUCKETS = (50, 20, 15, 10)
"""A minute's requests: up to 1 s, 2 s, 4 s and 8 s."""
FLAGS = ("--web.enable-remote-write-receiver", "--enable-feature=native-histograms")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("native")
    first = END - timedelta(minutes=EVERY_MINUTE[-1])
    times = [int((first + timedelta(minutes=minute)).timestamp()) for minute in EVERY_MINUTE]
    with prometheus(folder, folder / "data", flags=FLAGS) as server:
        series = [
            ({"__name__": "ttft_seconds", "job": "native", "pod": "a"}, BUCKETS),
            ({"__name__": "ttft_seconds", "job": "native", "pod": "b"}, BUCKETS),
            ({"__name__": "ttft_seconds", "job": "idle", "pod": "a"}, (0, 0)),
        ]
        write_native(server.url, series, times)
        yield server.url


def answer(url: str, job: str, threshold: str) -> Answer:
    selector = f'ttft_seconds{{job="{job}"}}'
    asked = Histogram(good=selector, total=selector, threshold=Fraction(threshold), unit="s")
    span = RollingWindow(timedelta(minutes=MINUTES)).counted(END)
    request = CountRequest(sli=Sli(histogram=asked), span=span, probe=True)
    (found,) = measure(url, [request], END)
    return found


@pytest.mark.parametrize(("threshold", "bad"), [("2", 25), ("4", 10), ("8", 0)])
def test_a_native_histogram_is_counted_up_to_the_threshold(
    url: str, threshold: str, bad: int
) -> None:
    found = answer(url, "native", threshold)

    assert isinstance(found, Counts), found
    assert float(found.bad / MINUTES) == pytest.approx(2 * bad, abs=1e-6)
    assert float(found.total / MINUTES) == pytest.approx(2 * sum(BUCKETS))
    assert "counted by a native histogram" in found.evidence.notes[0]


def test_a_native_histogram_is_distinguished_by_its_labels(url: str) -> None:
    selector = 'ttft_seconds{job="native"}'
    asked = Histogram(good=selector, total=selector, threshold=Fraction(2), unit="s")
    step = timedelta(minutes=5)
    steps = timedelta(minutes=MINUTES) // step
    request = CohortRequest(
        sli=Sli(histogram=asked),
        span=Span(END - steps * step, END),
        step=step,
        by=("pod",),
        most=20,
    )
    teller = cohorts_of(open_backend(PrometheusSettings(url=url), LIMITS))
    assert teller is not None

    (found,) = teller.cohorts([request])

    assert isinstance(found, Cohorts), found
    assert set(found.groups) == {("a",), ("b",)}
    for group in found.groups.values():
        assert group.total == pytest.approx([5 * sum(BUCKETS)] * steps)
        assert group.bad == pytest.approx([5 * 25] * steps)


def test_a_native_histogram_without_events_is_no_traffic(url: str) -> None:
    found = answer(url, "idle", "2")

    assert isinstance(found, Unmeasured), found
    assert found.cause is Cause.NO_TRAFFIC


def test_the_mean_of_a_native_histogram_is_its_sum_by_its_count(url: str) -> None:
    selector = 'ttft_seconds{job="native"}'
    asked = Histogram(good=selector, total=selector, threshold=Fraction(2), unit="s")
    span = RollingWindow(timedelta(minutes=MINUTES)).counted(END)
    history = history_of(open_backend(PrometheusSettings(url=url), LIMITS))
    assert history is not None
    request = SeriesRequest(sli=Sli(histogram=asked), span=span, step=span.length, mean=True)
    (found,) = history.history([request])

    assert isinstance(found, Series), found
    assert isinstance(found.measured, Measured)
    # Each request of the two pods took a second, says the sum that is written with them.
    events = 2 * sum(BUCKETS) * MINUTES
    assert found.measured.sums == pytest.approx([events])
    assert found.measured.events == pytest.approx([events])
