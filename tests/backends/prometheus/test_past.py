"""Counting at many instants: what is asked together, and what by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import cast

import pytest
import responses

from gate.backends.prometheus import past
from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.instants import GridInstant, InstantGrid
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_grid import QueryGrid
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.backends.prometheus.shared_steps import SharedSteps
from gate.measure import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.measure.capabilities import PastRun, measure_past
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import (
    AT,
    RATIO,
    VALUES,
    FakePrometheus,
    PlayedSteps,
    backend,
    failure,
    parts_of,
)

DAY = timedelta(days=1)
HOURS = (0, 1, 3, 7, 20)
"""The hours of instants at unequal distances."""


def run_at(at: datetime, *slis: Sli, probe: bool = False) -> PastRun:
    requests = tuple(CountRequest(sli=sli, span=Span(at - DAY, at), probe=probe) for sli in slis)
    return PastRun(requests=requests, at=at)


def counted(answers: Sequence[Sequence[Answer]]) -> list[int]:
    return [int(a.total) for own in answers for a in own if isinstance(a, Counts)]


def test_each_run_looks_back_to_its_own_instant(prometheus: FakePrometheus) -> None:
    prometheus.values = {"x[86400s] offset 86400s": "70", **VALUES}
    runs = [run_at(AT - days * DAY, RATIO) for days in (0, 1, 2)]

    answers = measure_past(backend(), runs)

    assert counted(answers) == [1000, 1000, 70]
    # The first one tells what the server takes; the others are asked at the newest of them.
    assert len(prometheus.queries) == 2
    assert float(prometheus.forms[1]["time"][0]) == (AT - DAY).timestamp()


def test_what_comes_back_is_kept_for_some_runs_at_a_time(
    prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "_AT_ONCE", 2)
    prometheus.values = VALUES

    measure_past(backend(), [run_at(AT - days * DAY, RATIO) for days in range(5)])

    assert len(prometheus.queries) == 3


def test_what_cannot_be_moved_is_counted_at_its_own_instant(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    fixed = Sli(bad="sum(increase(x[$window] @ end()))", total="sum(increase(x[$window]))")

    answers = measure_past(backend(), [run_at(AT - DAY, fixed), run_at(AT, RATIO)])

    assert counted(answers) == [1000, 1000]
    times = [float(form["time"][0]) for form in prometheus.forms]
    assert times == [(AT - DAY).timestamp(), AT.timestamp()]


def test_what_cannot_be_asked_is_reported_for_its_run(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    runs = [run_at(AT - hour * timedelta(hours=1), RATIO, Sli(total="x")) for hour in HOURS]

    answers = measure_past(backend(), runs)

    assert counted(answers) == [1000] * len(runs)
    assert {answer.cause for _, answer in answers if isinstance(answer, Unmeasured)} == {
        Cause.INVALID
    }


def test_no_run_asks_nothing(prometheus: FakePrometheus) -> None:
    assert measure_past(backend(), []) == []
    assert measure_past(backend(), [PastRun(requests=(), at=AT)]) == [[]]
    assert prometheus.queries == []


@pytest.mark.parametrize(("header", "most"), [("X-Other", 80_000), ("X-Server-Hostname", 15_000)])
def test_queries_are_as_long_as_the_server_takes(
    http: responses.RequestsMock, header: str, most: int
) -> None:
    fake = FakePrometheus(values=VALUES)
    http.add_callback(
        responses.POST,
        "https://prometheus.example/api/v1/query",
        callback=lambda request: (200, {header: "host"}, fake(request)[2]),
    )
    runs = [run_at(AT - hours * timedelta(hours=1), RATIO) for hours in range(600)]

    measure_past(backend(), runs)

    longest = max(map(len, fake.queries))
    assert most * 0.9 < longest <= most


def test_instants_at_equal_distances_are_asked_about_at_once(played: PlayedSteps) -> None:
    played.numbers = {"500": "1", "increase(x[": "10"}
    played.points = {"500": ["1", "2", None], "increase(x[": ["20", "30", "40"]}
    runs = [run_at(AT + days * DAY, RATIO) for days in range(4)]

    answers = measure_past(backend(), runs)

    assert counted(answers) == [10, 20, 30, 40]
    assert (len(played.instants), len(played.ranges)) == (1, 1)
    (form,) = played.ranges
    assert float(form["start"]) == (AT + DAY).timestamp()
    assert form["step"] == "86400.000"


@pytest.mark.parametrize("days", [[0, 1, 2], [0, 1, 2, 4], [0, 1, 1, 1]])
def test_a_few_instants_and_others_are_asked_about_by_offsets(
    played: PlayedSteps, days: list[int]
) -> None:
    played.numbers = {"500": "1", "increase(x[": "10"}

    answers = measure_past(backend(), [run_at(AT + day * DAY, RATIO) for day in days])

    assert counted(answers) == [10] * len(days)
    assert played.ranges == []


def parts_with(played: PlayedSteps, words: str) -> set[str]:
    """Return the parts asked about one instant each, of all instants but the first."""
    first = played.instants[0]["time"]
    others = [form["query"] for form in played.instants if form["time"] != first]
    texts = {text for query in others for text in parts_of(query).values()}
    return {text for text in texts if words in text and "count_values" not in text}


@pytest.mark.parametrize(
    ("last_hour", "births", "hours", "born"),
    [
        ("10", None, 1, 0),
        ("0", None, 5, 1),
        ("10", ["0"] * 72, 1, 0),
        # 20 hours after the start: all windows hold it.
        ("10", ["0"] * 60 + ["7"], 5, 1),
    ],
    ids=["all is well", "silent", "born at zero", "born above zero"],
)
def test_evidence_is_put_off_until_an_answer_turns_on_it(
    played: PlayedSteps,
    last_hour: str,
    births: Sequence[str] | None,
    hours: int,
    born: int,
) -> None:
    now = str(AT.timestamp())
    played.numbers = {"delta(": "0", "timestamp(": now, "[3600s]": last_hour, "500": "1"}
    played.numbers = {**played.numbers, "increase(x[": "10", "count(x": "1"}
    played.points = {"count(": ["1"] * 3000}
    if births is not None:
        played.points = {"max_over_time": births, **played.points}
    runs = [run_at(AT + hour * timedelta(hours=1), RATIO, probe=True) for hour in HOURS]

    answers = measure_past(backend(), runs)

    others = len(runs) - 1
    assert counted(answers) == [10] * len(runs)
    assert len(parts_with(played, "[3600s]")) == hours * others
    assert len(parts_with(played, "delta(")) == born * others


class ReadQueries:
    """Results by the text of their query and whether it is on a grid."""

    def __init__(self, results: dict[tuple[str, bool], QueryResult]) -> None:
        self.results = results

    def reading(self, part: Query) -> QueryResult:
        return self.results[part.text, part.grid is not None]


GRID = QueryGrid(AT - 2 * DAY, DAY, 3)
FAILED = QueryError(cause=Cause.BACKEND_ERROR, reason="no")


def second_day(results: dict[tuple[str, bool], QueryResult], *parts: Query) -> GridInstant:
    """Return an instant that has asked the parts."""
    fetch = cast("Fetch", ReadQueries(results))
    grid = InstantGrid(GRID)
    day = GridInstant(AT - DAY, GRID.last, fetch, SharedSteps(fetch), grid)
    for part in parts:
        day.note(part)
    day.decide()
    return day


def test_what_is_on_a_grid_is_read_as_it_was_written() -> None:
    plain, table = (Query(pieces=(t,), length=DAY) for t in ("x", "count by (a) (x)"))
    absent = Query(pieces=("y",), length=DAY)
    by_code = Query(pieces=table.pieces, length=DAY, label="a")
    both = Query.added([plain, absent])
    day = second_day(
        {
            ("x", True): QueryValue(number=None, points=(1.0, 0.1, 3.0)),
            ("y", True): QueryValue(number=None, points=(1.0, None, 3.0)),
            ("count by (a) (x)", True): QueryValue(
                number=None, groups={("b",): (None, 2.0, None), ("c",): (1.0, None, None)}
            ),
        },
        plain,
        absent,
        by_code,
    )

    assert day.reading(plain) == QueryValue(number=Fraction("0.1"))
    assert day.reading(absent) == QueryValue(number=None)
    assert day.reading(by_code) == QueryValue(number=None, numbers={"b": Fraction(2)})
    assert day.reading(both).number == Fraction("0.1")  # type: ignore[union-attr]  # it is read
    assert [*day.again(plain), *day.again(by_code)] == []


@pytest.mark.parametrize(
    "on_grid",
    [
        FAILED,
        QueryValue(number=None, points=(1.0, 2.0, 3.0), warnings=("a store is down",)),
        QueryValue(number=None, points=(1.0, 2.0, 3.0), notes=("no counter",)),
    ],
)
def test_where_a_grid_says_too_little_the_instant_is_asked_about_alone(
    on_grid: QueryResult,
) -> None:
    part = Query(pieces=("x",), length=DAY)
    own = QueryValue(number=Fraction(7))
    day = second_day({("x", True): on_grid, ("x offset 86400s", False): own}, part)

    assert list(day.again(part)) == [part.moved_by(DAY)]
    assert day.reading(part) is own


def test_a_question_with_instants_of_its_own_is_moved() -> None:
    part = Query(pieces=("x",), length=DAY, grid=QueryGrid(AT - 3 * DAY, timedelta(hours=1), 48))
    own = QueryValue(number=None, points=(1.0,) * 48)
    day = second_day({("x offset 86400s", True): own})

    (moved,) = day.queries(part)

    assert (moved.grid and moved.grid.first) == AT - 2 * DAY
    assert day.reading(part) is own
    assert list(day.again(part)) == []


MANY = [Sli(bad=f'x{{m="{place}",code="500"}}', total=f'x{{m="{place}"}}') for place in range(31)]
"""Indicators for which each instant needs more than sixty queries."""


def test_many_questions_about_two_instants_at_no_equal_distance_are_one_range_query(
    played: PlayedSteps,
) -> None:
    played.numbers = {"500": "1", "increase(x": "10"}
    played.points = {"500": ["1", "2"], "increase(x": ["20", "30"]}
    runs = [run_at(AT + day * DAY, *MANY) for day in (0, 1, 3, 4)]

    answers = measure_past(backend(), runs)

    # The first by itself, two together, and what remains.
    totals = [{int(a.total) for a in own if isinstance(a, Counts)} for own in answers]
    assert totals == [{10}, {20}, {30}, {10}]
    (form,) = played.ranges
    times = [(AT + days * DAY).timestamp() for days in (1, 3)]
    assert [float(form["start"]), float(form["end"])] == times


def test_where_long_windows_are_refused_two_instants_are_not_asked_about_together(
    played: PlayedSteps,
) -> None:
    played.numbers = {"500": "1", "increase(x": "10"}
    words = failure("execution", "query processing would load too many samples into memory")
    played.refuse = lambda query: (422, {}, words) if "[86400s]" in query else None
    runs = [run_at(AT + day * DAY, *MANY) for day in (0, 1, 3, 4)]

    answers = measure_past(backend(), runs)

    assert len(counted(answers)) == 4 * 31
    assert played.ranges == []
