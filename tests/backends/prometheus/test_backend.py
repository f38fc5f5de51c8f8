"""Queries and their results, against a simulated Prometheus."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus.backend import PrometheusBackend
from gate.measure import Cause, CountRequest, Counts, Spent, Unmeasured
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.prometheus.played import (
    AT,
    MONTH,
    RATIO,
    VALUES,
    FakePrometheus,
    ask,
    backend,
    parts_of,
    span,
)


def test_one_query_carries_the_whole_run(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    asked = [
        CountRequest(sli=Sli(bad=f'x{{a="{i}",code="500"}}', total=f'x{{a="{i}"}}'), span=window)
        for i in range(8)
        for window in (MONTH, span(hours=1), span(minutes=5), span(hours=6), span(minutes=30))
    ]
    answers = backend().measure(asked, AT)

    assert [float(a.total) for a in answers if isinstance(a, Counts)] == [1000.0] * 40
    assert [float(a.bad) for a in answers if isinstance(a, Counts)] == [3.0] * 40
    assert len(prometheus.queries) == 1
    assert len(parts_of(prometheus.queries[0])) == 80


def test_every_query_of_a_run_has_the_same_instant_and_a_timeout(
    prometheus: FakePrometheus,
) -> None:
    prometheus.values = VALUES
    at = datetime(2026, 1, 1, 0, 0, 0, 250000, tzinfo=UTC)
    asked = [CountRequest(sli=Sli(bad="x" * n, total="x"), span=MONTH) for n in range(1, 400)]
    backend().measure(asked, at)

    assert len(prometheus.forms) > 2
    assert {form["time"][0] for form in prometheus.forms} == {"1767225600.250"}
    assert all(form["timeout"][0].removesuffix("ms").isdecimal() for form in prometheus.forms)


def test_within_another_time_it_is_the_same_backend(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    first = backend()
    assert isinstance(first, PrometheusBackend)
    second = first.within(timedelta(seconds=2))

    second.measure([CountRequest(sli=RATIO, span=MONTH)], AT)

    assert (second.client, second.limits) == (first.client, first.limits)
    (form,) = prometheus.forms
    assert int(form["timeout"][0].removesuffix("ms")) <= 1000


def test_no_query_is_longer_than_victoria_metrics_takes(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    slis = [Sli(bad=f'x{{a="{"ü" * n}"}}', total="x") for n in range(1, 400)]
    backend().measure([CountRequest(sli=sli, span=MONTH) for sli in slis], AT)

    assert max(len(query.encode()) for query in prometheus.queries) <= 16 * 1024


def test_equal_expressions_are_asked_once(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    backend().measure([CountRequest(sli=RATIO, span=MONTH)] * 3, AT)

    assert len(parts_of(prometheus.queries[0])) == 2


def test_nothing_to_ask_asks_nothing(prometheus: FakePrometheus) -> None:
    assert backend().measure([], AT) == []
    assert isinstance(ask(RATIO, span(milliseconds=900)), Unmeasured)
    assert prometheus.queries == []


def test_period_that_began_only_now_has_no_data(prometheus: FakePrometheus) -> None:
    answer = ask(RATIO, Span(AT, AT))

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.NO_DATA
    assert "began only now" in answer.reason
    assert not prometheus.queries


def test_window_is_the_span_in_whole_seconds(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    answer = ask(RATIO, span(seconds=90.9))

    assert isinstance(answer, Counts)
    assert answer.evidence.query == (
        'total: sum(increase(x[90s]))\nbad: sum(increase(x{code="500"}[90s]))'
    )


def test_good_is_not_requested_when_bad_and_total_are_there(prometheus: FakePrometheus) -> None:
    prometheus.values = {"good": "1", "500": "3", "x": "1000"}
    answer = ask(Sli(good="good", bad='x{code="500"}', total="x"))

    assert isinstance(answer, Counts)
    assert answer.bad == 3
    assert "good" not in prometheus.queries[0]


def test_spent_is_an_amount(prometheus: FakePrometheus) -> None:
    prometheus.values = {"cost": "12.5"}
    answer = ask(Sli(spent="cost_total"))

    assert isinstance(answer, Spent)
    assert answer.amount == Fraction(25, 2)


@pytest.mark.parametrize(
    "sli, words",
    [
        (Sli(total="x"), "total with good or bad"),
        (Sli(bad="x"), "total with good or bad"),
        (Sli(series="x"), "total with good or bad"),
        (Sli(gauge="up"), "can only be judged by timeslices"),
        (Sli(total="sum(x)", bad="x"), "total: it has no $window"),
        (Sli(total="x", bad="sum(x[$window]"), "bad: a closing ) is missing"),
    ],
)
def test_indicator_that_cannot_be_asked_is_invalid(
    prometheus: FakePrometheus, sli: Sli, words: str
) -> None:
    answer = ask(sli)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID
    assert words in answer.reason
    assert not prometheus.queries


def test_absent_total_is_no_data_and_shows_the_query(prometheus: FakePrometheus) -> None:
    answer = ask(RATIO)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.NO_DATA
    assert answer.query is not None
    assert answer.query.startswith("total: sum(increase(x[2592000s]))")
    assert len(prometheus.queries) == 1


def test_warnings_and_infos_reach_the_evidence(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    prometheus.more = {"warnings": ["store a is down"], "infos": ["x is no counter"]}
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.evidence.warnings == ("store a is down",)
    assert answer.evidence.notes == ("x is no counter",)


def test_remark_of_promql_among_the_warnings_is_a_note(prometheus: FakePrometheus) -> None:
    remark = "PromQL info: metric might not be a counter"
    prometheus.values, prometheus.more = VALUES, {"warnings": [remark, "store a is down"]}
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.evidence.warnings == ("store a is down",)
    assert answer.evidence.notes == (remark,)


@pytest.mark.parametrize(
    "more, words",
    [
        ({"isPartial": True}, "a part of the storage did not answer"),  # VictoriaMetrics
        ({"warnings": "store a is down"}, "store a is down"),
        ({"warnings": {"store": "a"}}, "{'store': 'a'}"),
    ],
)
def test_warning_in_another_form_is_one_all_the_same(
    prometheus: FakePrometheus, more: dict[str, object], words: str
) -> None:
    prometheus.values, prometheus.more = VALUES, more
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.evidence.warnings == (words,)


@pytest.mark.parametrize("empty", [None, [], False])
def test_no_warning_is_none_in_any_form(prometheus: FakePrometheus, empty: object) -> None:
    prometheus.values, prometheus.more = VALUES, {"warnings": empty, "isPartial": False}
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.evidence.warnings == ()


@pytest.mark.parametrize(
    "values, words",
    [
        ({}, "total: nothing came back"),
        ({"x": "0"}, "total is 0"),
        ({**VALUES, "timestamp(": None, "max_over": None}, "freshness: no sample"),
    ],
)
def test_nothing_in_a_partial_answer_is_partial_and_not_nothing(
    prometheus: FakePrometheus, values: dict[str, str | None], words: str
) -> None:
    prometheus.values = {"max_over": None, **values}
    prometheus.more = {"warnings": ["store a is down"]}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.PARTIAL
    assert answer.reason.startswith(f"partial answer: store a is down; {words}")


def test_wrong_number_in_a_partial_answer_stays_invalid(prometheus: FakePrometheus) -> None:
    prometheus.values, prometheus.more = {"x": "NaN"}, {"warnings": ["store a is down"]}
    answer = ask(RATIO)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID


SUM = "sum(increase(a[$window])) + sum(increase(b[$window]))"
EITHER = "(sum(increase(a[$window])) or vector(0)) + (sum(increase(b[$window])) or vector(0))"
RENAMED = "sum(increase(a[$window])) or sum(increase(b[$window]))"


def test_a_sum_of_failures_that_is_absent_may_have_lost_some_and_is_not_a_zero(
    prometheus: FakePrometheus,
) -> None:
    # In PromQL nothing comes of a + b while b is absent, whatever a has counted.
    prometheus.values = {"increase(a": None, **VALUES}
    found = ask(Sli(bad=SUM, total="x"))

    assert isinstance(found, Unmeasured)
    assert found.cause is Cause.NO_DATA
    assert found.reason.endswith("write each as (... or vector(0))")


@pytest.mark.parametrize("bad", [RENAMED, "a"])
def test_failures_under_any_one_name_that_are_absent_are_none(
    prometheus: FakePrometheus, bad: str
) -> None:
    prometheus.values = {"increase(a": None, **VALUES}
    found = ask(Sli(bad=bad, total="x"))

    assert isinstance(found, Counts)
    assert found.bad == 0


@pytest.mark.parametrize(("bad", "measured"), [(SUM, False), (EITHER, True)])
def test_in_slices_a_sum_of_failures_must_not_be_able_to_be_absent_for_a_while(
    prometheus: FakePrometheus, bad: str, measured: bool
) -> None:
    prometheus.values = {"sum_over_time": "12", "count_over_time": "8000", "a[": "1", **VALUES}
    slices = Slices(length=timedelta(minutes=5), target=Fraction(9, 10))
    found = ask(Sli(bad=bad, total="x"), slices=slices)

    assert isinstance(found, Counts) is measured


@pytest.mark.parametrize(
    ("recorded", "objective"),
    [("0.995", Fraction("0.995")), (None, None), (("0.99", "0.995"), None), ("NaN", None)],
)
def test_what_another_tool_promises_is_reported_where_it_is_known(
    prometheus: FakePrometheus, recorded: str | tuple[str, ...] | None, objective: Fraction | None
) -> None:
    prometheus.values = {"promised": recorded, **VALUES}
    sli = Sli(bad='x{code="500"}', total="x", objective="promised{$labels}", notes=("rough",))

    answer = ask(sli, probe=True)

    assert isinstance(answer, Counts)
    assert answer.bad == Fraction(3)
    assert answer.evidence.objective == objective
    assert answer.evidence.notes == ("rough",)


def test_a_subquery_counts_no_step_at_its_start_twice(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    ask(Sli(bad='sum_over_time(x{code="500"}[$window:5m])', total="x"), span(hours=1))

    assert 'sum_over_time(x{code="500"}[3599999ms:5m])' in prometheus.queries[0]
    assert "increase(x[3600s])" in prometheus.queries[0]
