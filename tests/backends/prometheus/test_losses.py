"""Events lost while nothing was scraped, and the evidence of a counter after it."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.measure import Cause, Counts, Spent, Suspicion
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, MONTH, RATIO, VALUES, FakePrometheus, ask

RENEWED = "last_over_time(x[1d] offset 3600s)"
MISSING = "offset 691200s"
BESIDE = "sum_over_time(("
HOLE: Mapping[str, str | None] = {RENEWED: "1", MISSING: "12", BESIDE: "1000", "count(": "700"}
"""12 of 720 hours are missing at times at which there are data on other days."""
RECORDED = Sli(bad="sum(sum_over_time(bad[$window]))", total="sum(sum_over_time(x[$window]))")


def suspicions(
    prometheus: FakePrometheus,
    values: Mapping[str, str | None],
    sli: Sli = RATIO,
    span: Span = MONTH,
) -> tuple[Suspicion, ...]:
    prometheus.values = {**values, **{k: v for k, v in VALUES.items() if k not in values}}
    answer = ask(sli, span, probe=True)
    assert isinstance(answer, Counts), answer
    return answer.evidence.suspicions


def test_a_hole_after_which_counters_began_anew_hides_what_is_usual_in_that_time(
    prometheus: FakePrometheus,
) -> None:
    (suspicion,) = suspicions(prometheus, HOLE)

    assert suspicion.cause is Cause.LOST
    assert suspicion.hidden == Fraction(1000 * 12, 700)
    assert suspicion.reason == (
        "nothing was scraped for 12h of the window, and counters began anew after it: about 17"
        " events are usual in that time"
    )


@pytest.mark.parametrize("answers", [{BESIDE: "987"}, {BESIDE: "1000"}, {BESIDE: None}])
def test_what_the_steps_do_not_add_up_to_may_be_less_than_is_usual(
    prometheus: FakePrometheus, answers: Mapping[str, str | None]
) -> None:
    # 12 hours of 1.41 events each are usual; 13 are not four fifths of them.
    (suspicion,) = suspicions(prometheus, {**HOLE, **answers})
    assert suspicion.hidden == Fraction(1000 * 12, 700)


def test_where_no_step_follows_another_nothing_is_known_of_what_is_usual(
    prometheus: FakePrometheus,
) -> None:
    follows = "(count(x) and count(x offset 3600s))["
    (suspicion,) = suspicions(prometheus, {follows: None, **HOLE})
    assert suspicion.cause is Cause.LOST


def test_the_steps_of_a_short_window_have_too_few_samples_to_add_up(
    prometheus: FakePrometheus,
) -> None:
    day = Span(AT - timedelta(days=1), AT)
    values = {"last_over_time(": "1", MISSING: "12", BESIDE: "500", "count(": "700"}
    found = suspicions(prometheus, values, span=day)
    assert [s.hidden for s in found if s.cause is Cause.LOST] == [Fraction(1000 * 12, 700)]


@pytest.mark.parametrize(
    "answers",
    [
        {RENEWED: None},
        {MISSING: None},
        {MISSING: "1"},
        {MISSING: "12", "count(": "480"},
        {BESIDE: "986"},
    ],
)
def test_a_hole_that_counters_bridge_or_that_is_there_every_day_hides_nothing(
    prometheus: FakePrometheus, answers: Mapping[str, str | None]
) -> None:
    assert suspicions(prometheus, {**HOLE, **answers}) == ()


def test_what_is_added_up_of_samples_has_none_of_a_hole(prometheus: FakePrometheus) -> None:
    values = {MISSING: "12", "count(": "700", "bad[": "3"}
    (suspicion,) = suspicions(prometheus, values, RECORDED)

    assert "what is added up has none of it" in suspicion.reason
    assert not any(RENEWED in query for query in prometheus.queries)


def test_where_no_step_is_missing_no_second_question_is_asked(prometheus: FakePrometheus) -> None:
    assert suspicions(prometheus, {"count(": "719"}) == ()
    assert len(prometheus.queries) == 1


def test_what_was_spent_in_a_hole_is_lost_as_well(prometheus: FakePrometheus) -> None:
    prometheus.values = {**VALUES, "delta(": None, **HOLE, "x": "7000"}
    prometheus.values = {"delta(": None, **HOLE, **prometheus.values, BESIDE: "7000"}
    answer = ask(Sli(spent="x"), MONTH, probe=True, amount=True)

    assert isinstance(answer, Spent)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.hidden == Fraction(7000 * 12, 700)
    assert "about 120 is spent as usual" in suspicion.reason
