"""Events at the cuts of a window are counted again, or their count is in doubt."""

import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus.fetch import largest_result
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.backends.prometheus.seams import (
    ALL,
    MIDDLE,
    NEAR,
    Joined,
    Seam,
    absences,
    joined,
    lost_at_cuts,
    seams_of,
    still_open,
)
from gate.measure import Cause, CountRequest, Counts, Spent
from gate.promql.moving import SECOND
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
)

DAY = timedelta(days=1)
WINDOW = Query(pieces=("sum(increase(x[", "]))"), length=6 * DAY, grain=SECOND, counters=("x", "y"))
REFUSED = QueryError(cause=Cause.BACKEND_ERROR, reason="no")


def value(number: int | None) -> QueryValue:
    return QueryValue(number=None if number is None else Fraction(number))


class Readings:
    """The results of queries; a query without a given result is refused."""

    def __init__(self, readings: Mapping[Query, QueryResult]) -> None:
        self.readings = readings

    def __call__(self, part: Query) -> QueryResult:
        return self.readings.get(part, REFUSED)


def test_pieces_without_any_sample_are_passed_over() -> None:
    newest, empty, oldest = WINDOW.cut(2 * DAY)
    readings = Readings({newest: value(5), empty: value(None), oldest: value(7)})

    assert seams_of([newest, empty, oldest], readings) == (Seam(newest, (oldest,)),)


def seam() -> Seam:
    newer, older = WINDOW.cut(3 * DAY)
    return Seam(newer, (older,))


def test_the_window_across_a_cut_is_longer_the_larger_the_share() -> None:
    lengths = [seam().step(share).length for share in (NEAR, MIDDLE, ALL)]

    assert lengths == [1.5 * DAY, 3 * DAY, 6 * DAY]
    assert seam().step(ALL).text.startswith("(sum(increase(x[518400s]))) - ((sum(increase(x[")
    assert "y[259200s] offset 259200s" in seam().returned(ALL).text


def test_a_series_on_both_sides_of_a_cut_has_its_step_counted() -> None:
    readings = Readings(
        {seam().step(NEAR): value(11), **{query: value(0) for query in absences(seam())}}
    )

    assert joined([seam()], readings) == Joined(steps=Fraction(11))
    assert still_open([seam()], readings, NEAR) == ()


def test_a_cut_whose_step_the_server_does_not_count_stays_open() -> None:
    assert still_open([seam()], Readings({}), NEAR) == (seam(),)


def test_series_that_begin_or_end_at_a_cut_lose_nothing() -> None:
    readings = Readings(
        {
            seam().step(NEAR): value(None),
            **{query: value(3) for query in absences(seam())},
            seam().returned(NEAR): value(None),
        }
    )

    assert joined([seam()], readings) == Joined(steps=Fraction(0))


@pytest.mark.parametrize(
    "answers, steps, lost",
    [
        ({"near": (2, 9), "middle": (40, None)}, 40, 0),
        ({"near": (2, 9), "middle": (3, 9), "all": (50, 0)}, 50, 0),
        ({"near": (2, 9), "middle": (3, 8)}, 3, 8),
        ({"near": (2, 9)}, 2, 9),
        ({"near": (2, None)}, 2, 0),
        ({}, 0, None),
    ],
)
def test_what_a_longer_window_does_not_close_is_in_doubt(
    answers: Mapping[str, tuple[int, int | None]], steps: int, lost: int | None
) -> None:
    shares = {"near": NEAR, "middle": MIDDLE, "all": ALL}
    readings: dict[Query, QueryResult] = {query: value(1) for query in absences(seam())}
    for name, (step, returned) in answers.items():
        readings[seam().step(shares[name])] = value(step)
        readings[seam().returned(shares[name])] = value(returned)
    most = None if lost is None else Fraction(lost)

    assert joined([seam()], Readings(readings)) == Joined(steps=Fraction(steps), lost=most)


@pytest.mark.parametrize(
    "lost, numbers, hidden, doubtful",
    [
        ({Role.BAD: 5}, {Role.TOTAL: 100, Role.BAD: 10}, 5, 0),
        # 10 of 100 and 100 more good ones are 10 of 200: as if 5 were bad.
        ({Role.TOTAL: 100}, {Role.TOTAL: 100, Role.BAD: 10}, 0, 5),
        ({Role.TOTAL: 7, Role.GOOD: 4}, {Role.TOTAL: 100, Role.GOOD: 90}, 7, 4),
        ({Role.GOOD: 90}, {Role.GOOD: 90, Role.BAD: 10}, 0, 5),
        ({Role.SPENT: 3}, {Role.SPENT: 9}, 3, 0),
        ({Role.BAD: None}, {Role.TOTAL: 100, Role.BAD: 10}, None, 0),
        ({Role.TOTAL: None}, {Role.TOTAL: 100, Role.BAD: 10}, 0, None),
    ],
)
def test_what_is_lost_counts_by_what_it_would_have_been(
    lost: dict[str, int | None],
    numbers: dict[Role, int],
    hidden: int | None,
    doubtful: int | None,
) -> None:
    (suspicion,) = lost_at_cuts(
        {role: None if loss is None else Fraction(loss) for role, loss in lost.items()},
        {role: Fraction(number) for role, number in numbers.items()},
    )

    assert suspicion.cause is Cause.LOST
    assert (suspicion.hidden, suspicion.doubtful) == (hidden, doubtful)


def test_where_nothing_is_lost_nothing_is_in_doubt() -> None:
    assert lost_at_cuts({}, {Role.TOTAL: Fraction(5)}) == ()
    assert lost_at_cuts({"coverage": None}, {Role.TOTAL: Fraction(5)}) == ()


def test_of_pieces_the_largest_number_counts_where_they_do_not_add_up() -> None:
    assert largest_result(value(3), value(5)) == value(5)
    assert largest_result(value(None), value(5)) == value(5)
    assert largest_result(value(None), value(None)) == value(None)
    assert largest_result(REFUSED, value(5)) == REFUSED
    assert largest_result(value(5), REFUSED) == REFUSED


# Asked of a server

TOO_LONG: HttpAnswer = (422, {}, failure("execution", "no more than 15d"))


def too_long(query: str) -> HttpAnswer | None:
    lengths = map(int, re.findall(r"\[(\d+)s\]", query))
    return TOO_LONG if max(lengths, default=0) > 15 * 86_400 else None


LOST: Mapping[str, str | None] = {"max_over_time": "4", " unless ": "1", " - ((": "2"}


def test_a_loss_at_a_cut_is_a_suspicion_where_evidence_is_wanted(
    prometheus: FakePrometheus,
) -> None:
    prometheus.values, prometheus.refuse = {**LOST, **VALUES}, too_long
    answer = ask(RATIO, probe=True)

    assert isinstance(answer, Counts)
    (suspicion,) = [s for s in answer.evidence.suspicions if s.cause is Cause.LOST]
    # Three pieces of at most 15 d less 10 minutes have two cuts, of two counters each.
    assert suspicion.hidden == 2 * 4
    assert answer.bad == 3 * 3 + 2 * 2
    assert "at most 16" in suspicion.reason


def test_without_evidence_there_is_no_suspicion(prometheus: FakePrometheus) -> None:
    prometheus.values, prometheus.refuse = {**LOST, **VALUES}, too_long
    answer = ask(Sli(spent="x"))

    assert isinstance(answer, Spent)
    assert answer.amount == 3 * 1000 + 2 * 2
    assert answer.evidence.suspicions == ()


def test_what_is_absent_in_all_pieces_stays_absent(prometheus: FakePrometheus) -> None:
    prometheus.values = {**VALUES, "500": None}
    prometheus.refuse = too_long
    answer = ask(RATIO)

    assert isinstance(answer, Counts)
    assert answer.bad == 0
    assert any("no 'bad' series found" in note for note in answer.evidence.notes)


def test_what_was_learnt_holds_for_the_next_call(prometheus: FakePrometheus) -> None:
    prometheus.values, prometheus.refuse = {" unless ": "0", " - ((": "0", **VALUES}, too_long
    server = backend()
    server.measure([CountRequest(sli=RATIO, span=MONTH)], AT)
    refused = len([query for query in prometheus.queries if too_long(query)])
    other = Sli(bad='y{code="500"}', total="yx")
    (answer,) = server.measure([CountRequest(sli=other, span=MONTH)], AT)

    assert isinstance(answer, Counts)
    assert refused == 2
    assert len([query for query in prometheus.queries if too_long(query)]) == refused
