"""Batches and windows that a server refuses are taken apart, and answered all the same."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
import requests

from gate.backends.prometheus.batches import Cuts, batch_query, batches_of, split_batch
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_grid import QueryGrid
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Cause, CountRequest, Counts, Spent, Unmeasured
from gate.slo.indicator import Sli
from tests.backends.prometheus.played import (
    AT,
    MONTH,
    RATIO,
    VALUES,
    FakePrometheus,
    HttpAnswer,
    ask,
    backend,
    failure,
    span,
    success,
)


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


NOTHING_AT_CUTS: Mapping[str, str | None] = {" unless ": "0", " - ((": "0", **VALUES}
TOO_MANY = "query processing would load too many samples into memory in query execution"


@pytest.mark.parametrize(
    "status, words",
    [
        (422, failure("execution", TOO_MANY)),
        (503, failure("timeout", "query timed out in expression evaluation")),
        (422, failure("execution", "expanding series: context deadline exceeded")),
        (422, failure("422", "too many points; cannot exceed -search.maxPointsPerTimeseries")),
        (422, failure("execution", "the query exceeded the maximum number of chunks")),
        (413, "too large"),
        (504, "no answer from upstream"),
    ],
)
def test_window_too_large_for_one_query_is_counted_in_halves(
    prometheus: FakePrometheus, status: int, words: str
) -> None:
    assert_halved(prometheus, status, words)


def test_window_that_takes_too_long_is_counted_in_halves(
    prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.backends.prometheus.rounds._SLOW", 0.0)
    assert_halved(prometheus, 504, "no answer from upstream")


def assert_halved(prometheus: FakePrometheus, status: int, words: str) -> None:
    prometheus.values = NOTHING_AT_CUTS
    prometheus.refuse = refuse_with("[2592000s]", status, words)
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.total > 1000
    assert answer.bad / answer.total == Fraction(3, 1000)
    assert any("counted in pieces" in note for note in answer.evidence.notes)
    assert answer.evidence.suspicions == ()


def test_batch_that_is_too_slow_is_taken_apart(prometheus: FakePrometheus) -> None:
    def too_slow(query: str) -> None:
        if "label_replace" in query:
            raise requests.ReadTimeout

    prometheus.values, prometheus.refuse = VALUES, too_slow
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.total == 1000
    assert answer.bad == 3


@pytest.mark.parametrize("seconds, least, most", [(10, 3.0, 4.0), (1.5, 0.5, 0.75)])
def test_server_has_half_the_time_for_what_can_be_taken_apart_unless_there_is_too_little(
    prometheus: FakePrometheus, seconds: float, least: float, most: float
) -> None:
    # Of 5 s the server gets 4, of the whole 1.5 s half: it is to give up before we do.
    prometheus.values = VALUES
    backend(seconds).measure([CountRequest(sli=RATIO, span=MONTH)], AT)
    (form,) = prometheus.forms

    assert least <= float(form["timeout"][0].removesuffix("ms")) / 1000 <= most


def test_ratio_is_never_counted_in_halves(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    prometheus.refuse = refuse_with("avg(", 422, failure("execution", TOO_MANY))
    answer = ask(Sli(total="x", bad="avg(increase(x[$window]))"))

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR
    assert TOO_MANY in answer.reason
    assert len(prometheus.queries) == 3


def test_what_is_as_small_as_can_be_and_too_slow_is_asked_once_more_after_the_others(
    prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gate.backends.prometheus.rounds._SLOW", 0.0)
    slow, counted = "avg(increase(x[2592000s]))", "sum(increase(x[2592000s]))"
    late: HttpAnswer = (503, {}, failure("timeout", "query timed out in expression evaluation"))
    prometheus.values = VALUES

    def too_slow_at_first(query: str) -> HttpAnswer | None:
        busy = counted not in prometheus.queries[:-1]
        return late if "label_replace" in query or (query == slow and busy) else None

    prometheus.refuse = too_slow_at_first
    asked = [
        CountRequest(sli=Sli(spent=f"{f}(increase(x[$window]))"), span=MONTH)
        for f in ("avg", "sum")
    ]
    answers = backend(parallel=1).measure(asked, AT)

    assert [type(answer) for answer in answers] == [Spent, Spent]
    assert prometheus.queries[1:] == [slow, counted, slow]


def test_what_stays_too_slow_is_asked_twice_and_no_more(prometheus: FakePrometheus) -> None:
    prometheus.refuse = refuse_with("avg(", 504, "no answer from upstream")
    answer = ask(Sli(spent="avg(increase(x[$window]))"))

    assert isinstance(answer, Unmeasured)
    assert "504 Gateway Timeout" in answer.reason
    assert len(prometheus.queries) == 2


def test_what_a_short_window_does_not_cure_is_given_up(prometheus: FakePrometheus) -> None:
    prometheus.refuse = refuse_with("sum(", 422, failure("execution", TOO_MANY))
    answer = ask(Sli(spent="x"))

    assert isinstance(answer, Unmeasured)
    assert TOO_MANY in answer.reason
    assert len(prometheus.queries) == 2


def test_when_nobody_is_let_in_the_rest_is_not_even_asked(prometheus: FakePrometheus) -> None:
    prometheus.refuse = refuse_with("sum(", 401, "who are you?")
    asked = [CountRequest(sli=Sli(bad="x" * n, total="x"), span=MONTH) for n in range(1, 1000)]
    answers = backend(parallel=1).measure(asked, AT)

    assert {answer.cause for answer in answers if isinstance(answer, Unmeasured)} == {
        Cause.BACKEND_ERROR
    }
    assert len(answers) == 999
    assert len(prometheus.queries) == 1


def test_scalar_is_distinguished_from_a_count(prometheus: FakePrometheus) -> None:
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
    parts = [Query(pieces=("ü" * 1000, str(n)), length=timedelta(seconds=n)) for n in range(20)]
    batches = batches_of([*parts, *parts])

    assert [part for batch in batches for part in batch] == parts
    assert [len(batch) for batch in batches] == [7, 7, 6]
    assert [len(piece) for piece in split_batch(tuple(parts), 8)] == [3, 3, 3, 3, 3, 3, 2]
    assert [len(piece) for piece in split_batch(tuple(parts), 1)] == [10, 10]
    assert batches_of([]) == []


def test_range_queries_are_small_enough_for_the_servers_unions() -> None:
    minute, start = timedelta(minutes=1), datetime(2026, 11, 1, tzinfo=UTC)
    month = [
        Query(pieces=("x", str(n)), length=minute, grid=QueryGrid(start, minute, 43_200))
        for n in range(3)
    ]
    day = [replace(part, grid=QueryGrid(start, minute, 1_440)) for part in month * 20]
    day = [replace(part, offset=n * minute) for n, part in enumerate(day)]

    assert [len(batch) for batch in batches_of(month)] == [1, 1, 1]
    assert [len(batch) for batch in batches_of(day)] == [22, 22, 16]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_parts_of_a_grid_share_a_query_however_many_come_at_a_time(backwards: bool) -> None:
    grids = [
        QueryGrid(AT - hours * timedelta(hours=1), timedelta(hours=9), 2) for hours in range(9)
    ]
    parts = [
        Query(pieces=("x", str(number)), length=timedelta(minutes=number), grid=grid)
        for grid in (reversed(grids) if backwards else grids)
        for number in range(1, 211)
    ]
    cuts = Cuts(
        client=Client(PrometheusSettings(url="https://prometheus.example")),
        limits=ServerLimits(most_bytes=80_000),
    )

    batches = list(cuts.as_they_come(parts, (), 8))

    assert sorted(len(batch) for batch in batches) == [210] * len(grids)
    assert {part for batch in batches for part in batch} == set(parts)


def test_a_union_is_of_halves_of_halves() -> None:
    parts = tuple(Query(pieces=(name,), length=timedelta(1)) for name in "abc")
    a, b, c = (
        f'label_replace({name},"gate_part","{place}","","")' for place, name in enumerate("abc")
    )

    assert batch_query(parts) == f"({a} or ({b} or {c}))"


def test_where_a_part_alone_is_not_let_in_the_rest_is_given_up(
    prometheus: FakePrometheus,
) -> None:
    prometheus.refuse = lambda query: (
        (400, {}, "no") if "label_replace" in query else (401, {}, "who are you?")
    )
    answer = ask(RATIO)

    assert isinstance(answer, Unmeasured)
    assert "401 Unauthorized" in answer.reason
    assert len(prometheus.queries) == 2
