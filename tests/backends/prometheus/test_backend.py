"""What is asked and what comes of it, against a Prometheus that is played."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus.batches import put_together, take_apart
from gate.backends.prometheus.part import Part
from gate.slo.measurement import (
    Cause,
    CountRequest,
    Counts,
    EmptySlice,
    Sli,
    Slices,
    Spent,
    Unmeasured,
)
from gate.slo.window import Span
from tests.backends.prometheus.played import (
    AT,
    MONTH,
    FakePrometheus,
    HttpAnswer,
    ask,
    backend,
    failure,
    parts_of,
    success,
)

RATIO = Sli(bad='x{code="500"}', total="x")
VALUES: dict[str, str | None] = {
    "timestamp(": str(AT.timestamp()),
    "count(": "720",
    "500": "3",
    "x": "1000",
}
FIVE = Slices(length=timedelta(minutes=5), target=Fraction(9, 10))


def span(**length: float) -> Span:
    return Span(AT - timedelta(**length), AT)


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


def test_no_query_is_longer_than_victoria_metrics_takes(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    slis = [Sli(bad=f'x{{a="{"ü" * n}"}}', total="x") for n in range(1, 400)]
    backend().measure([CountRequest(sli=sli, span=MONTH) for sli in slis], AT)

    assert max(len(query.encode()) for query in prometheus.queries) <= 12_100


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


def test_good_is_not_asked_for_when_bad_and_total_are_there(prometheus: FakePrometheus) -> None:
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
        (Sli(total="sum(x)", bad="x"), "total: it has neither $window"),
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


def test_partial_answer_of_victoria_metrics_is_a_warning(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    prometheus.more = {"isPartial": True}
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.evidence.warnings == ("a part of the storage did not answer",)


# Freshness and coverage


def test_probe_tells_the_newest_sample_and_the_coverage(prometheus: FakePrometheus) -> None:
    newest = AT - timedelta(seconds=15)
    prometheus.values = {**VALUES, "timestamp(": str(newest.timestamp()), "count(": "360"}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == newest
    assert answer.evidence.coverage == Fraction(1, 2)
    assert len(prometheus.queries) == 1
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


def test_coverage_of_a_window_without_a_step_cannot_be_had(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    at = AT + timedelta(minutes=2)
    asked = CountRequest(sli=RATIO, span=Span(at - timedelta(minutes=1), at), probe=True)
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


def test_sample_time_that_is_no_time_is_invalid(prometheus: FakePrometheus) -> None:
    prometheus.values = {**VALUES, "timestamp(": "1e29"}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID


def test_freshness_that_cannot_be_had_is_not_passed_over(prometheus: FakePrometheus) -> None:
    prometheus.values = {**VALUES, "timestamp(": "NaN"}
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Unmeasured)
    assert answer.reason == "freshness: the value is NaN, which is no count"


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


def test_constant_has_no_freshness_and_says_so(prometheus: FakePrometheus) -> None:
    prometheus.values = {"vector": "5"}
    answer = ask(Sli(spent="vector(5 * $window)"), probe=True)

    assert isinstance(answer, Spent)
    assert answer.evidence.newest is None
    assert "no metric is named" in answer.evidence.notes[0]


# Timeslices


SLICE_PARTS: dict[str, str | None] = {"sum_over_time": "12", "count_over_time": "8000"}


@pytest.mark.parametrize(
    "sli, seen, bad",
    [
        (
            RATIO,
            "count_over_time((sum(sum(increase(x[300s]))) > 0)[2591999999ms:300s])",
            'sum_over_time((((sum(sum(increase(x{code="500"}[300s]))) or vector(0))'
            " / (sum(sum(increase(x[300s]))) > 0)) > bool 0.100000000001)[2591999999ms:300s])",
        ),
        (
            Sli(good="g", total="x"),
            "count_over_time((sum(sum(increase(x[300s]))) > 0)[2591999999ms:300s])",
            "sum_over_time(((sum(sum(increase(g[300s]))) / (sum(sum(increase(x[300s]))) > 0))"
            " < bool 0.899999999999)[2591999999ms:300s])",
        ),
        (
            Sli(good="x", bad="b500"),
            "count_over_time((((sum(sum(increase(x[300s]))) or vector(0))"
            " + (sum(sum(increase(b500[300s]))) or vector(0))) > 0)[2591999999ms:300s])",
            "sum_over_time((((sum(sum(increase(b500[300s]))) or vector(0))"
            " / ((sum(sum(increase(x[300s]))) + (sum(sum(increase(b500[300s]))) or vector(0)))"
            " > 0)) > bool 0.100000000001)[2591999999ms:300s])",
        ),
    ],
)
def test_slices_are_counted_in_the_same_query(
    prometheus: FakePrometheus, sli: Sli, seen: str, bad: str
) -> None:
    prometheus.values = {**SLICE_PARTS, "(g[": "900", **VALUES}
    answer = ask(sli, slices=FIVE)

    assert isinstance(answer, Counts)
    assert answer.total == 8000
    assert answer.bad == 12
    assert answer.evidence.notes == ("640 slices without events: left-out",)
    assert len(prometheus.queries) == 1
    assert f"slices: {seen}\n" in answer.evidence.query
    assert f"bad slices: {bad}" in answer.evidence.query


def test_slices_are_not_judged_when_events_are_not_countable(prometheus: FakePrometheus) -> None:
    prometheus.values = {**SLICE_PARTS, "(g[": None, **VALUES}
    answer = ask(Sli(good="g", total="x"), slices=FIVE)

    assert isinstance(answer, Unmeasured)
    assert "good: nothing came back" in answer.reason


@pytest.mark.parametrize("empty", list(EmptySlice))
def test_window_without_events_is_all_empty_slices(
    prometheus: FakePrometheus, empty: EmptySlice
) -> None:
    prometheus.values = {"over_time": None, "500": None, "x": "0"}
    slices = Slices(length=timedelta(minutes=5), target=Fraction(9, 10), empty=empty)
    answer = ask(RATIO, slices=slices)

    if isinstance(answer, Counts):
        assert answer.total == 8640
        assert answer.bad == {EmptySlice.GOOD: 0, EmptySlice.BAD: 8640}[empty]
    else:
        assert isinstance(answer, Unmeasured)
        assert answer.cause is Cause.NO_TRAFFIC
        assert empty is EmptySlice.LEFT_OUT


def test_gauge_is_judged_by_its_mean_per_slice(prometheus: FakePrometheus) -> None:
    prometheus.values = SLICE_PARTS
    answer = ask(Sli(gauge="min(up{$labels})", labels={"job": "a"}), slices=FIVE)

    assert isinstance(answer, Counts)
    assert answer.total == 8000
    assert answer.bad == 12
    assert 'avg_over_time((min(up{job="a"}))[299999ms:60s]) < bool' in answer.evidence.query


# Taking apart


def refuse_with(piece: str, status: int, words: str) -> Callable[[str], HttpAnswer | None]:
    """Refuse every query that contains a piece of text."""
    return lambda query: (status, {}, words) if piece in query else None


def test_one_wrong_expression_does_not_spoil_the_others(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    prometheus.refuse = refuse_with("oops", 400, failure("bad_data", "1:5: parse error: oops"))
    asked = [CountRequest(sli=RATIO, span=span(days=n)) for n in range(1, 30)]
    wrong = CountRequest(sli=Sli(total="x", bad="sum(oops(x[$window]))"), span=MONTH)
    *right, last = backend().measure([*asked, wrong], AT)

    assert all(isinstance(answer, Counts) for answer in right)
    assert isinstance(last, Unmeasured)
    assert last.cause is Cause.BACKEND_ERROR
    assert "bad: https://prometheus.example: 400 Bad Request: bad_data: 1:5: parse" in last.reason
    assert "sum(oops(x[2592000s]))" in prometheus.queries


TOO_MANY = "query processing would load too many samples into memory in query execution"


@pytest.mark.parametrize(
    "status, words",
    [
        (422, failure("execution", TOO_MANY)),
        (503, failure("timeout", "query timed out in expression evaluation")),
        (422, failure("422", "too many points; cannot exceed -search.maxPointsPerTimeseries")),
        (422, failure("execution", "the query exceeded the maximum number of chunks")),
        (413, "too large"),
    ],
)
def test_window_too_large_for_one_query_is_counted_in_halves(
    prometheus: FakePrometheus, status: int, words: str
) -> None:
    prometheus.values = VALUES
    prometheus.refuse = refuse_with("[2592000s]", status, words)
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.total == 2000
    assert answer.bad == 6
    assert any("counted in pieces" in note for note in answer.evidence.notes)
    assert "sum(increase(x[1296000s] offset 1296000s))" in prometheus.queries


def test_ratio_is_never_counted_in_halves(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    prometheus.refuse = refuse_with("avg(", 422, failure("execution", TOO_MANY))
    answer = ask(Sli(total="x", bad="avg(increase(x[$window]))"))

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert TOO_MANY in answer.reason
    assert len(prometheus.queries) == 3


def test_halving_ends_when_nothing_is_small_enough(prometheus: FakePrometheus) -> None:
    prometheus.refuse = refuse_with("sum(", 422, failure("execution", TOO_MANY))
    answer = ask(Sli(spent="x"))

    assert isinstance(answer, Unmeasured)
    assert TOO_MANY in answer.reason
    assert len(prometheus.queries) == 63


def test_when_nobody_is_let_in_the_rest_is_not_even_asked(prometheus: FakePrometheus) -> None:
    prometheus.refuse = refuse_with("sum(", 401, "who are you?")
    asked = [CountRequest(sli=Sli(bad="x" * n, total="x"), span=MONTH) for n in range(1, 1000)]
    answers = backend(parallel=1).measure(asked, AT)

    assert {answer.cause for answer in answers if isinstance(answer, Unmeasured)} == {
        Cause.BACKEND_ERROR
    }
    assert len(answers) == 999
    assert len(prometheus.queries) == 1


def test_scalar_is_told_from_a_count(prometheus: FakePrometheus) -> None:
    def scalars(query: str) -> HttpAnswer | None:
        if "label_replace(scalar(" in query:
            return 400, {}, failure("bad_data", 'expected type instant vector, got "scalar"')
        if query.startswith("scalar("):
            return 200, {}, success([]).replace('"vector"', '"scalar"')
        return None

    prometheus.values, prometheus.refuse = VALUES, scalars
    answer = ask(Sli(total="scalar(sum(increase(x[$window])))", bad="x"))

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID
    assert "wrap it in vector(...)" in answer.reason


def test_batches_are_cut_by_bytes_and_pieces_by_number() -> None:
    parts = [Part(pieces=("ü" * 1000, str(n)), length=timedelta(seconds=n)) for n in range(20)]
    batches = put_together([*parts, *parts])

    assert [part for batch in batches for part in batch] == parts
    assert [len(batch) for batch in batches] == [5, 5, 5, 5]
    assert [len(piece) for piece in take_apart(tuple(parts), 8)] == [3, 3, 3, 3, 3, 3, 2]
    assert [len(piece) for piece in take_apart(tuple(parts), 1)] == [10, 10]
    assert put_together([]) == []
