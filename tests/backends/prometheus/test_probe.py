"""Freshness and coverage: how far the numbers can be trusted."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import pytest
import responses

from gate.measure import Cause, CountRequest, Counts, Evidence, Unmeasured
from gate.measure.coverage import NO_GAPS
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.prometheus.played import (
    AT,
    MONTH,
    RATIO,
    URL,
    VALUES,
    FakePrometheus,
    PlayedSteps,
    ask,
    backend,
)


def test_probe_tells_the_newest_sample_and_the_coverage(prometheus: FakePrometheus) -> None:
    newest = AT - timedelta(seconds=15)
    values = {"last_over_time(x[": None, "timestamp(": str(newest.timestamp()), "count(": "360"}
    prometheus.values = {**values, **VALUES, **values}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == newest
    assert answer.evidence.coverage == Fraction(1, 2)
    assert len(prometheus.queries) == 2  # and whether anything was lost where there is no sample
    assert "count_over_time(count(x)[2591999999ms:3600s])" in prometheus.queries[0]


def test_coverage_is_never_more_than_all_and_absent_is_none_of_it(
    prometheus: FakePrometheus,
) -> None:
    prometheus.values = {**VALUES, "count(": "721"}
    full = ask(RATIO, probe=True)
    prometheus.values = {**VALUES, "count(": None}
    empty = ask(RATIO, probe=True)

    assert isinstance(full, Counts)
    assert isinstance(empty, Counts)
    assert full.evidence.coverage == 1
    assert empty.evidence.coverage == 0


def test_coverage_of_a_window_without_a_step_is_not_available(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    at = AT + timedelta(seconds=12)
    asked = CountRequest(sli=RATIO, span=Span(at - timedelta(seconds=10), at), probe=True)
    (answer,) = backend().measure([asked], at)

    assert isinstance(answer, Counts)
    assert answer.evidence.coverage is None


def test_old_samples_are_searched_for_in_a_second_round(prometheus: FakePrometheus) -> None:
    newest = AT - timedelta(hours=12)
    prometheus.values = {"max_over": str(newest.timestamp()), **VALUES, "timestamp(": None}
    fresh = CountRequest(sli=Sli(total="y", good="y"), span=MONTH)
    stale, _ = backend().measure([CountRequest(sli=RATIO, span=MONTH, probe=True), fresh], AT)

    assert isinstance(stale, Counts)
    assert stale.evidence.newest == newest
    assert len(prometheus.queries) == 2


def test_samples_of_unknown_age_are_stale(prometheus: FakePrometheus) -> None:
    prometheus.values = {"max_over": None, **VALUES, "timestamp(": None}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.STALE


def test_sample_time_that_is_not_a_time_is_invalid(prometheus: FakePrometheus) -> None:
    prometheus.values = {**VALUES, "timestamp(": "1e29"}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID


def test_freshness_that_are_not_available_is_not_passed_over(prometheus: FakePrometheus) -> None:
    prometheus.values = {**VALUES, "timestamp(": "NaN"}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Unmeasured)
    assert answer.reason == "freshness: the value is NaN, which is not a count"


TWO = "sum(increase(y[$window])) + sum(increase(x[$window]))"
EITHER = "sum(increase(y[$window]) or increase(x[$window]))"


def test_sum_of_two_metrics_is_as_old_as_the_older(prometheus: FakePrometheus) -> None:
    old = AT - timedelta(minutes=4)
    prometheus.values = {"timestamp(y)": str(old.timestamp()), "count(y)": "72", **VALUES}
    answer = ask(Sli(total=TWO, bad="x"), probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == old
    assert answer.evidence.coverage == Fraction(1, 10)


def test_renamed_metric_is_as_fresh_as_its_new_name(prometheus: FakePrometheus) -> None:
    prometheus.values = {"timestamp(y)": None, "count(y)": None, **VALUES}
    answer = ask(Sli(total=EITHER, bad="x"), probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == AT
    assert answer.evidence.coverage == 1
    assert len(prometheus.queries) == 1


@pytest.mark.parametrize(
    "sli, role",
    [
        (Sli(spent="vector(5 * $window)"), "spent"),
        (Sli(total="sum(increase(x[$window]))", bad="vector(0) * $window"), "bad"),
        (Sli(total="sum(increase(x[$window]))", good="vector(9) * $window"), "good"),
        (Sli(gauge="vector(1)"), "gauge"),
    ],
)
def test_what_names_no_metric_measures_nothing(
    prometheus: FakePrometheus, sli: Sli, role: str
) -> None:
    prometheus.values = {"vector": "5", **VALUES}
    slices = Slices(length=timedelta(minutes=1), target=Fraction(1)) if sli.gauge else None
    answer = ask(sli, slices=slices, probe=True)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID
    assert answer.reason.startswith(f"{role}: the expression names no metric")


def test_a_total_may_be_a_fixed_number(prometheus: FakePrometheus) -> None:
    prometheus.values = {"vector": "1000", **VALUES}
    answer = ask(Sli(total="vector(1000) + 0 * $window", bad="x"), probe=True)

    assert isinstance(answer, Counts)
    assert answer.total == 1000


def steps_with_data(there: Callable[[int], bool]) -> PlayedSteps:
    """Answer the hours of a month in which there are data, by their number from 0 on."""
    points = ["60" if there(hour) else None for hour in range(720)]
    return PlayedSteps(points={"count": points})


def covered(
    http: responses.RequestsMock,
    there: Callable[[int], bool],
    sli: Sli,
    window: Span = MONTH,
    **request: object,
) -> Evidence:
    fake = FakePrometheus()
    steps = str(sum(map(there, range(720))))
    fake.values = {"last_over_time(": None, **VALUES, "count(": steps, "old_x": "1000"}
    http.add_callback(responses.POST, URL, callback=fake)
    http.add_callback(responses.POST, f"{URL}_range", callback=steps_with_data(there))
    answer = ask(sli, window, probe=True, **request)
    assert isinstance(answer, Counts), answer
    return answer.evidence


@pytest.mark.parametrize(
    "sli",
    [
        Sli(total="x", bad='x{code="500"}'),
        Sli(total="sum(increase(old_x[$window]) or increase(x[$window]))", bad='x{code="500"}'),
    ],
)
def test_hours_without_data_on_every_day_are_not_a_gap(
    http: responses.RequestsMock, sli: Sli
) -> None:
    evidence = covered(http, lambda hour: hour % 24 >= 9, sli)

    assert evidence.coverage == 1
    assert evidence.gaps == NO_GAPS


@pytest.mark.parametrize(
    "sli",
    [
        Sli(total="x", bad='x{code="500"}'),
        Sli(total=TWO, bad="x"),
        Sli(total="sum(increase(old_x[$window]) or increase(x[$window]))", bad='x{code="500"}'),
    ],
)
def test_scrapes_further_apart_than_the_server_looks_back_cover_their_time(
    http: responses.RequestsMock, sli: Sli
) -> None:
    fake = FakePrometheus(values={"last_over_time(": None, **VALUES, "count(": None})
    steps = PlayedSteps(
        points={"count_over_time(": ["6"] * 300 + [None] * 36 + ["6"] * 384, "count(": [None]}
    )
    http.add_callback(responses.POST, URL, callback=fake)
    http.add_callback(responses.POST, f"{URL}_range", callback=steps)

    answer = ask(sli, probe=True)

    assert isinstance(answer, Counts), answer
    assert answer.evidence.coverage == Fraction(684, 720)
    assert answer.evidence.gaps is not None
    assert answer.evidence.gaps.holes == Fraction(36, 720)


def test_hours_without_data_on_one_day_are_a_hole(http: responses.RequestsMock) -> None:
    evidence = covered(http, lambda hour: not 300 <= hour < 336, RATIO)

    assert evidence.coverage == Fraction(684, 720)
    assert evidence.gaps is not None
    assert evidence.gaps.holes == Fraction(36, 720)


@pytest.mark.parametrize("minutes", [0, 17, 59])
def test_a_hole_has_the_same_bounds_whenever_one_looks(
    http: responses.RequestsMock, minutes: int
) -> None:
    later = timedelta(minutes=minutes)
    window = Span(MONTH.start + later, MONTH.end + later)
    evidence = covered(http, lambda hour: not 300 <= hour < 336, RATIO, window)

    assert evidence.gaps is not None
    start = MONTH.start + timedelta(hours=300)
    assert evidence.gaps.longest == Span(start, start + timedelta(hours=36))


def test_a_hole_over_which_counters_went_on_is_counted_but_not_by_slices(
    http: responses.RequestsMock,
) -> None:
    def there(hour: int) -> bool:
        return not 300 <= hour < 336

    events = covered(http, there, RATIO)
    assert events.gaps is not None
    assert events.gaps.counted
    assert any("the counters went on" in note for note in events.notes)

    slices = Slices(length=timedelta(hours=1), target=Fraction(9, 10))
    judged = covered(http, there, Sli(gauge="x"), slices=slices)
    assert judged.gaps is not None
    assert not judged.gaps.counted
