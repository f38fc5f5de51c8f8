"""Slices and amounts by step, on real servers: their steps add up to what is counted at once."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import CountRequest, Spent
from gate.measure.capabilities import history_of
from gate.measure.history import Series, SeriesRequest, on_the_clock
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Span
from tests.live.asking import LIMITS, counts, indicator, measure
from tests.servers.history import probe_values, truth
from tests.servers.series import END, LAST, STEP

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
STEPS = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": 60 * MINUTE}
PROBE = Sli(gauge='llm_up{service="probe"}')
ODD = (timedelta(), timedelta(minutes=17), timedelta(minutes=41, seconds=23))
"""Before the end, the instants at which one looks."""


def ask(url: str, request: SeriesRequest) -> Series:
    history = history_of(open_backend(PrometheusSettings(url=url), LIMITS))
    assert history is not None
    (answer,) = history.history([request])
    assert isinstance(answer, Series), answer
    return answer


def added(values: Sequence[float | None]) -> float:
    return sum(value or 0 for value in values)


@pytest.mark.parametrize("late", ODD, ids=str)
@pytest.mark.parametrize("step", STEPS)
def test_a_gauge_is_down_for_as_many_minutes_in_steps_of_any_length(
    url: str, step: str, late: timedelta
) -> None:
    at = END - late
    span = on_the_clock(Span(at - timedelta(days=10), at), STEPS[step])
    slices = Slices(length=MINUTE, target=Fraction(1))

    found = ask(url, SeriesRequest(sli=PROBE, span=span, step=STEPS[step], slices=slices))

    first, last = (LAST - (END - instant) // STEP for instant in (span.start, span.end))
    last -= bool(late % MINUTE)  # the newest minute is not over
    assert added(found.bad) == probe_values()[first + 1 : last + 1].count(0) > 40
    assert added(found.total) == last - first


@pytest.mark.crossed
@pytest.mark.parametrize("late", ODD, ids=str)
@pytest.mark.parametrize(("service", "slice_length"), [("peak", 5), ("peak", 60), ("gap", 60)])
@pytest.mark.parametrize("empty", EmptySlice)
def test_slices_by_step_add_up_to_those_of_the_window(
    url: str, service: str, slice_length: int, empty: EmptySlice, late: timedelta
) -> None:
    at, sli = END - late, indicator(service)
    slices = Slices(length=slice_length * MINUTE, target=Fraction("0.9999"), empty=empty)
    span = on_the_clock(Span(at - timedelta(days=25), at), timedelta(hours=1))
    request = CountRequest(sli=sli, span=span, slices=slices)
    whole = counts(measure(url, [request], at)[0])

    found = ask(url, SeriesRequest(sli=sli, span=span, step=timedelta(hours=1), slices=slices))

    assert (added(found.total), added(found.bad)) == (float(whole.total), float(whole.bad))
    assert whole.bad > 0


@pytest.mark.parametrize("late", ODD, ids=str)
def test_one_hour_slices_hang_on_the_clock(url: str, late: timedelta) -> None:
    """Slices that end in the window are judged, each by the events of its own hour."""
    at = END - late
    slices = Slices(length=timedelta(hours=1), target=Fraction("0.999"))
    span = Span(at - timedelta(days=10), at)
    asked = CountRequest(sli=indicator("peak"), span=span, slices=slices)

    counted = counts(measure(url, [asked], at)[0])

    hours = [END - place * timedelta(hours=1) for place in range(241)]
    ended = [hour for hour in hours if span.start < hour <= span.end]
    shares = [truth("peak", timedelta(hours=1), hour) for hour in ended]
    bad = [one for one in shares if one.bad > Fraction("0.001") * one.total]
    assert (int(counted.total), int(counted.bad)) == (240, len(bad))


@pytest.mark.parametrize("late", [timedelta(), timedelta(minutes=17)], ids=str)
def test_what_was_spent_by_step_adds_up(url: str, late: timedelta) -> None:
    at = END - late
    sli, span = Sli(spent="llm_spend_cents_total"), Span(END - timedelta(days=20), at)
    (whole,) = measure(url, [CountRequest(sli=sli, span=span, amount=True)], at)
    assert isinstance(whole, Spent), whole

    found = ask(url, SeriesRequest(sli=sli, span=span, step=timedelta(hours=6), amount=True))

    assert added(found.bad) == truth("spend", span.length, at).total
    assert found.total == found.bad
    assert float(whole.amount) == pytest.approx(added(found.bad), rel=1e-9)


@pytest.mark.parametrize("late", [timedelta(), timedelta(minutes=17)], ids=str)
@pytest.mark.parametrize("step", STEPS)
def test_samples_are_added_up_once(url: str, step: str, late: timedelta) -> None:
    """An indicator made of samples has each in one step, those on the border, too."""
    at = END - late
    sli = Sli(
        bad='sum(count_over_time(llm_up{service="probe"}[$window]))'
        ' - sum(sum_over_time(llm_up{service="probe"}[$window]))',
        total='sum(count_over_time(llm_up{service="probe"}[$window]))',
    )
    span = on_the_clock(Span(at - timedelta(days=10), at), STEPS[step])

    found = ask(url, SeriesRequest(sli=sli, span=span, step=STEPS[step]))

    first, last = (LAST - (END - instant) // STEP for instant in (span.start, span.end))
    assert added(found.bad) == probe_values()[first + 1 : last + 1].count(0)
    assert added(found.total) == last - first
