"""Budgets of platforms that tell a share, or time, and no events."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.impact import Impact
from gate.measure import Answer, Cause, Granted, Share, Suspicion
from gate.slo.objective import Bound, CalendarWindow, Denominator, RollingWindow
from tests.budget.building import (
    AT,
    HOUR,
    MINUTES,
    MONTH,
    ROLLING,
    counts,
    known,
    objectives,
    ratio,
    share,
    shares,
)

errors = st.fractions(Fraction(1, 10**7), Fraction(1, 100), max_denominator=10**7)


@given(
    bad=shares,
    error=errors,
    objective=objectives,
    window=st.sampled_from([ROLLING, MONTH]),
    denominator=st.sampled_from(Denominator),
)
def test_what_is_left_of_a_share_is_that_of_counts_with_an_error_in_proportion(
    bad: Fraction,
    error: Fraction,
    objective: Fraction,
    window: RollingWindow | CalendarWindow,
    denominator: Denominator,
) -> None:
    promise: dict[str, Any] = {"objective": objective, "window": window, "denominator": denominator}
    many = 10**14

    rounded = ratio(share(bad, error), **promise)
    exact, worse = (
        ratio(counts(bad=share_of * many, total=many), **promise)
        for share_of in (bad, min(bad + error, Fraction(1)))
    )

    assert rounded.remaining == exact.remaining
    assert rounded.error_ratio == bad
    assert (rounded.total, rounded.bad) == (None, None)
    assert rounded.rounding is not None
    assert rounded.rounding[0] == worse.remaining
    assert known(rounded.worst_case.remaining if rounded.worst_case else None) == worse.remaining


def test_a_share_that_is_exact_has_one_end() -> None:
    settled = ratio(Share(bad=Fraction(1, 1000), error=Fraction(0), evidence=EVIDENCE))

    assert (settled.rounding, settled.rounded, settled.worst_case) == (None, False, None)


EVIDENCE = counts(bad=1, total=2).evidence


def test_a_rounded_burn_rate_has_an_error_in_proportion() -> None:
    assessment = ratio(counts(bad=0, total=10**6), {HOUR: share("0.002", "0.0005")})

    assert assessment.burn_rates == {HOUR: Fraction(2)}
    assert assessment.burn_errors == {HOUR: Fraction(1, 2)}
    assert assessment.worst_case is not None
    assert assessment.worst_case.burn_rates == {HOUR: Fraction("2.5")}


def test_what_follows_from_what_is_left_is_reported_for_the_worse_end() -> None:
    windows: dict[timedelta, Answer] = {HOUR: counts(bad=1, total=1000)}
    assessment = ratio(share("0.0005", "0.0001"), windows, sla=Fraction("0.998"))

    # 40% of 30 days at a burn rate of 1, and 0.06% of the 0.2% that the contract allows.
    assert assessment.forecast is not None
    assert assessment.forecast.exhausted_at == AT + timedelta(days=12)
    assert assessment.sla_remaining == Fraction("0.7")


@pytest.mark.parametrize(
    ("fields", "word"), [({"slices": MINUTES}, "timeslices"), ({"sampled": Bound.POINT}, "sampled")]
)
def test_what_needs_counts_cannot_be_made_of_a_share(fields: dict[str, Any], word: str) -> None:
    assessment = ratio(share("0.0005", "0.0001"), **fields)

    (doubt,) = assessment.doubts
    assert doubt.cause is Cause.INVALID
    assert doubt.reason == (
        f"{word} needs counts, and only a share is known (0.05% bad, give or take 0.01%); remove"
        f" {word}"
    )


@pytest.mark.parametrize(
    "answer",
    [share("0.0001", "0.00001"), counts(bad=10, total=2_592_000, granted=Granted.SECONDS)],
    ids=["share", "seconds"],
)
def test_how_many_events_there_were_is_doubted_only_where_the_policy_asks(answer: Answer) -> None:
    assert ratio(answer).doubts == ()

    (doubt,) = ratio(answer, min_events=1000).doubts
    assert doubt.cause is Cause.LOW_TRAFFIC
    assert doubt.reason.endswith(": whether there were 1,000 events is unknown")


def test_few_seconds_are_not_few_events() -> None:
    # A monitor that is an hour old; 99.99% of events would need 10,000.
    hour = counts(bad=0, total=3600, granted=Granted.SECONDS)

    assert ratio(hour, objective="0.9999").doubts == ()


def test_suspicions_of_a_share_are_about_any_part_of_it() -> None:
    doubt = Suspicion(
        cause=Cause.LOST, reason="r", remedy="m", hidden=Fraction(3), doubtful=Fraction(2)
    )

    assessment = ratio(share("0.5", "0.1", suspicions=(doubt,)), objective="0.5")

    assert assessment.worst_case is not None
    assert assessment.best_case is not None
    assert known(assessment.worst_case.remaining) == -1
    assert known(assessment.best_case.remaining) == 1


def test_a_stated_impact_on_time_makes_all_of_it_bad() -> None:
    # 2,592 s may be bad; a failure of a tenth of the requests of a canary for 10 minutes may make
    # all of the 600 s bad.
    impact = Impact(canary=Fraction(1, 10), failures=Fraction(1, 2), detect=timedelta(minutes=10))
    answer = counts(bad=0, total=2_592_000, granted=Granted.SECONDS)

    assessment = ratio(answer, impact=impact)
    harmless = ratio(answer, impact=replace(impact, failures=Fraction(0)))

    assert assessment.stated_cost == Fraction(600, 2592)
    assert harmless.stated_cost == 0


def test_no_canary_is_surely_small_enough_for_time_that_is_too_short() -> None:
    impact = Impact(detect=timedelta(hours=1))
    answer = counts(bad=0, total=2_592_000, granted=Granted.SECONDS)

    assessment = ratio(answer, impact=impact)

    assert assessment.price is not None
    assert assessment.price.largest_canary == 0


def test_the_warnings_of_rounded_windows_are_those_of_the_answer() -> None:
    windows: dict[timedelta, Answer] = {HOUR: share("0", "0.1", warnings=("shard 3 is away",))}

    assessment = ratio(counts(bad=0, total=10**6), windows)

    assert [doubt.cause for doubt in assessment.doubts] == [Cause.PARTIAL]
