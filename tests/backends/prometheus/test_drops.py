"""Far fewer events than a week ago, of which more failed."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.measure import Cause, Counts, Suspicion
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.prometheus.played import MONTH, RATIO, VALUES, FakePrometheus, ask, span

FEWER = {"(x[21600s])": "100"}
"""In six hours; it was 1,000 a week ago."""
FAILED = {'x{code="500"}[21600s])': "30"}
HIDDEN = Fraction(3 + 30 * 9, 1000 + 900) * 1000 - 3
"""Were 900 missing of which as many fail as of the hundred, then of 1,000 so many more."""


def suspicions(
    prometheus: FakePrometheus,
    values: Mapping[str, str | None],
    sli: Sli = RATIO,
    time: Span = MONTH,
    **request: object,
) -> list[Suspicion]:
    """Return what is said of lost events."""
    prometheus.values = {"delta(": None, **values, **VALUES}
    answer = ask(sli, time, probe=True, **request)
    assert isinstance(answer, Counts), answer
    return [doubt for doubt in answer.evidence.suspicions if doubt.cause is Cause.LOST]


def test_failures_of_which_only_a_part_may_be_counted_weigh_as_all_would(
    prometheus: FakePrometheus,
) -> None:
    (suspicion,) = suspicions(prometheus, {**FEWER, **FAILED})

    assert suspicion.hidden == HIDDEN
    assert suspicion.reason == (
        "100 events were counted in the last 6h, and 1,000 in that time a week ago; more of them"
        " failed than before, and if only a part is counted, 141 failures are missing"
    )


def test_the_good_of_all_and_the_good_and_bad_tell_the_same(prometheus: FakePrometheus) -> None:
    good = Sli(total="x", good='x{code="200"}')
    values = {**FEWER, 'x{code="200"}[21600s])': "70", 'code="200"': "997"}
    (of_all,) = suspicions(prometheus, values, good)

    apart = Sli(good="x", bad="y")
    values = {"x[21600s])": "70", "x[21600s] offset": "700", "y[21600s])": "30"}
    values |= {"y[21600s] offset": "300", "y": "3", "x[2592000s]": "997"}
    (of_both,) = suspicions(prometheus, values, apart)

    assert of_all.hidden == of_both.hidden == HIDDEN


def test_where_no_more_fail_than_before_it_makes_no_difference(prometheus: FakePrometheus) -> None:
    assert suspicions(prometheus, {**FEWER, 'x{code="500"}[21600s])': "0.3"}) == []


def test_as_many_as_a_week_ago_are_not_asked_about_again(prometheus: FakePrometheus) -> None:
    assert suspicions(prometheus, {"(x[21600s])": "501"}) == []
    assert not any("[43200s]" in query for query in prometheus.queries)


@pytest.mark.parametrize(
    ("time", "request_"),
    [
        (span(hours=6), {}),
        (MONTH, {"slices": Slices(length=timedelta(hours=1), target=Fraction(1, 2))}),
    ],
)
def test_short_windows_and_slices_are_not_compared(
    prometheus: FakePrometheus, time: Span, request_: Mapping[str, object]
) -> None:
    values = {"sum_over_time(": "3", "count_over_time((": "700", **FEWER, **FAILED}

    assert suspicions(prometheus, values, RATIO, time, **request_) == []
    assert not any("[21600s] offset" in query for query in prometheus.queries)
