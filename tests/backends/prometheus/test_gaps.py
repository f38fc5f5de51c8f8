"""Where a window has no samples, and whether what happened meanwhile was counted."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.backends.prometheus.gaps import GapQuestion, SeenWindow, gap_question, seen_window
from gate.backends.prometheus.probe import plan_probe
from gate.backends.prometheus.query import Query, QueryGrid, Role
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.measure import Cause
from gate.promql.expression import read_expression
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, MONTH

HOUR = timedelta(hours=1)
HOURS = 720
TOTAL = Query(pieces=("sum(increase(x[", "]))"), length=MONTH.length)
Points = Sequence[float | None]


def answered(
    covered: int | QueryError | None, span: Span = MONTH, **parts: Query
) -> GapQuestion | None:
    """What is asked where the probe counts so many steps with samples."""
    probe = plan_probe([read_expression("sum(increase(x[$window]))", None)], span)
    assert probe is not None

    def readings(_: Query) -> QueryResult:
        if isinstance(covered, QueryError):
            return covered
        return QueryValue(number=None if covered is None else Fraction(covered))

    roles: Mapping[Role, Query] = {Role(role): part for role, part in parts.items()}
    return gap_question(probe, roles or {Role.TOTAL: TOTAL}, span, readings)


def seen(
    points: Points, counted: float, slices: Slices | None = None, **more: object
) -> SeenWindow:
    """What is seen of a month by the hour with these events, of which so many were counted."""
    question = GapQuestion(
        steps=TOTAL,
        grid=QueryGrid(AT - (HOURS - 1) * HOUR, HOUR, HOURS),
        counts=bool(more.get("counts", True)),
    )
    known = HOURS - list(points).count(None)
    return seen_window(
        question,
        points,
        coverage=Fraction(known, HOURS),
        counted=Fraction(counted),
        slices=slices,
    )


def with_a_hole(first: int, after: int, each: float = 100.0) -> list[float | None]:
    return [None if first <= place < after else each for place in range(HOURS)]


@pytest.mark.parametrize("covered", [None, 0, 713, 720, QueryError(cause=Cause.PARTIAL, reason="")])
def test_nothing_is_asked_where_nearly_every_step_has_samples_or_none_has(
    covered: int | QueryError | None,
) -> None:
    assert answered(covered) is None


def test_the_events_of_each_step_are_asked_for() -> None:
    question = answered(480)
    assert question is not None
    assert question.counts
    assert question.steps.text == "sum(increase(x[3600s]))"
    assert question.steps.grid == QueryGrid(AT - 719 * HOUR, HOUR, HOURS)


def test_of_a_gauge_the_presence_is_asked_for() -> None:
    question = answered(480, **{Role.SLICES: TOTAL})
    assert question is not None
    assert not question.counts
    assert question.steps.text == "count(x)"


def test_the_steps_of_a_short_window_have_samples_enough_for_a_rate() -> None:
    short = Span(AT - timedelta(minutes=10), AT)
    question = answered(8, short)
    assert question is not None
    assert question.steps.grid == QueryGrid(AT - timedelta(minutes=5), timedelta(minutes=5), 2)


def test_an_answer_without_any_point_says_nothing() -> None:
    question = answered(480)
    assert question is not None
    empty = QueryValue(number=None, points=(None, None))
    failed = QueryError(cause=Cause.BACKEND_ERROR, reason="down")
    assert question.points(lambda _: empty) is None
    assert question.points(lambda _: failed) is None
    assert question.points(lambda _: QueryValue(number=None, points=(None, 1.0))) == (None, 1.0)


def test_a_hole_that_the_counters_bridge_has_lost_nothing() -> None:
    found = seen(with_a_hole(200, 440), HOURS * 100)
    assert found.coverage == Fraction(2, 3)
    assert found.gaps.holes == 0
    assert found.suspicions == ()
    (note,) = found.notes
    assert note == (
        "no samples from 2025-12-10 08:00 to 2025-12-20 08:00 UTC (10d); the counters went on, so"
        " that the count has all of it"
    )


def test_a_server_may_count_what_happened_in_a_hole_at_its_end() -> None:
    points = with_a_hole(200, 440)
    points[440] = 24_100.0
    assert seen(points, HOURS * 100).suspicions == ()


@pytest.mark.parametrize("over, hidden", [(0, 24_100), (10_000, 14_000)])
def test_a_hole_in_which_processes_restarted_has_lost_what_is_missing_of_the_usual(
    over: int, hidden: int
) -> None:
    found = seen(with_a_hole(200, 440), 480 * 100 + over)
    assert found.gaps.holes == Fraction(1, 3)
    (lost,) = found.suspicions
    assert lost.cause is Cause.LOST
    assert lost.hidden == pytest.approx(hidden, rel=0.01)
    assert lost.within == found.gaps.longest
    assert "(10d), in 33.4 % of the window: " in lost.reason
    assert "where about 24,100 are usual" in lost.reason


def test_of_several_holes_the_longest_is_named_and_all_are_counted() -> None:
    points = with_a_hole(200, 300)
    points[500:510] = [None] * 10
    (lost,) = seen(points, 610 * 100).suspicions
    assert ", and in other holes, in 15.3 % of the window" in lost.reason
    assert lost.hidden == pytest.approx(11_200, rel=0.05)


def test_a_late_start_is_no_loss() -> None:
    found = seen([None] * 648 + [100.0] * 72, 7_200)
    assert (found.suspicions, found.notes) == ((), ())
    assert found.gaps.late == Fraction(9, 10)
    assert found.coverage == Fraction(1, 10)


def test_pods_that_are_away_every_night_leave_no_gap() -> None:
    start = AT - HOURS * HOUR
    nightly = [100.0 if 7 <= (start + place * HOUR).hour < 22 else None for place in range(HOURS)]
    found = seen(nightly, sum(point or 0 for point in nightly))
    assert (found.coverage, found.suspicions, found.notes) == (1, (), ())


@pytest.mark.parametrize(
    "empty, hidden",
    [(EmptySlice.LEFT_OUT, 14_400), (EmptySlice.GOOD, 14_400), (EmptySlice.BAD, None)],
)
def test_slices_of_a_hole_may_have_been_bad(empty: EmptySlice, hidden: int | None) -> None:
    slices = Slices(length=timedelta(minutes=1), target=Fraction(9, 10), empty=empty)
    found = seen(with_a_hole(200, 440), HOURS * 100, slices)
    assert [lost.hidden for lost in found.suspicions] == ([] if hidden is None else [hidden])


def test_where_only_presence_is_known_each_step_of_a_hole_may_have_been_bad() -> None:
    (lost,) = seen(with_a_hole(200, 440, 1.0), 0, counts=False).suspicions
    assert lost.hidden == 240
