"""What was lost while nothing was scraped, and what a counter tells after it."""

from collections.abc import Mapping
from fractions import Fraction

import pytest

from gate.measure import Cause, Counts, Spent, Suspicion
from gate.slo.indicator import Sli
from tests.backends.prometheus.played import MONTH, RATIO, VALUES, FakePrometheus, ask

RENEWED = "last_over_time(x[1d] offset 3600s)"
MISSING = "offset 691200s"
HOLE: Mapping[str, str | None] = {RENEWED: "1", MISSING: "12", "count(": "700"}
"""12 of 720 hours are missing at times at which there are data on other days."""
RECORDED = Sli(bad="sum(sum_over_time(bad[$window]))", total="sum(sum_over_time(x[$window]))")


def suspicions(
    prometheus: FakePrometheus, values: Mapping[str, str | None], sli: Sli = RATIO
) -> tuple[Suspicion, ...]:
    prometheus.values = {**values, **{k: v for k, v in VALUES.items() if k not in values}}
    answer = ask(sli, MONTH, probe=True)
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


@pytest.mark.parametrize(
    "answers",
    [{RENEWED: None}, {MISSING: None}, {MISSING: "1"}, {MISSING: "12", "count(": "480"}],
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
    prometheus.values = {"delta(": None, **HOLE, **prometheus.values}
    answer = ask(Sli(spent="x"), MONTH, probe=True, amount=True)

    assert isinstance(answer, Spent)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.hidden == Fraction(7000 * 12, 700)
    assert "about 120 is spent as usual" in suspicion.reason
