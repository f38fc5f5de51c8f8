from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment, Doubt
from gate.measure import Answer, Cause, Unmeasured
from gate.slo.indicator import Sli
from tests.budget.building import (
    AT,
    HOUR,
    MINUTE,
    MINUTES,
    ROLLING,
    counts,
    known,
    lost,
    objectives,
    ratio,
    spend,
)

PLENTY = 1_000_000


def causes(budget: Assessment) -> list[Cause]:
    return [doubt.cause for doubt in budget.doubts]


def test_a_measured_budget_without_a_doubt_has_none() -> None:
    budget = ratio(counts(bad=1, total=PLENTY))
    assert budget.doubts == ()
    assert budget.measured
    assert budget.query == "up"


@pytest.mark.parametrize("cause", Cause)
def test_what_was_not_measured_has_no_number_and_keeps_its_cause(cause: Cause) -> None:
    for budget in (ratio(lost(cause, "why")), spend(lost(cause, "why"))):
        assert budget.doubts == (Doubt(cause=cause, reason="why"),)
        assert not budget.measured
        assert (budget.consumed, budget.remaining, budget.compared) == (None, None, None)
        assert (budget.total, budget.bad, budget.spent, budget.price) == (None,) * 4
        assert budget.query == "up"
        assert budget.span is not None


@pytest.mark.parametrize(
    "age, stale", [(timedelta(), False), (10 * MINUTE, False), (timedelta(seconds=601), True)]
)
def test_a_sample_older_than_max_age_is_stale(age: timedelta, stale: bool) -> None:
    budget = ratio(counts(bad=1, total=PLENTY, newest=AT - age))
    assert causes(budget) == ([Cause.STALE] if stale else [])
    assert budget.measured


def test_staleness_names_both_ages() -> None:
    (doubt,) = ratio(counts(bad=1, total=PLENTY, newest=AT - timedelta(hours=3))).doubts
    assert doubt.reason == "the newest sample is 3h old; max_age is 10m"


@pytest.mark.parametrize(
    "coverage, says",
    [("1", None), ("0.9", None), ("0.89999", "89.9%"), ("0.51", "51%"), ("0.5", "50%")],
)
def test_a_window_with_too_little_data_is_in_doubt_and_never_rounded_up(
    coverage: str, says: str | None
) -> None:
    budget = ratio(counts(bad=1, total=PLENTY, coverage=Fraction(coverage)))
    reasons = [f"only {says} of the window has data; min_coverage is 90%"] if says else []
    assert [doubt.reason for doubt in budget.doubts] == reasons
    assert causes(budget) == [Cause.LOW_COVERAGE] * len(reasons)


def test_what_cannot_be_known_of_the_samples_is_not_a_doubt() -> None:
    assert ratio(counts(bad=1, total=PLENTY, newest=None, coverage=None)).doubts == ()


def test_every_warning_of_the_backend_is_a_doubt() -> None:
    budget = ratio(counts(bad=1, total=PLENTY, warnings=("store A is down", "B, too")))
    assert budget.doubts == (
        Doubt(cause=Cause.PARTIAL, reason="partial answer: store A is down"),
        Doubt(cause=Cause.PARTIAL, reason="partial answer: B, too"),
    )


def test_a_warning_about_a_burn_rate_window_is_a_doubt_too_and_said_once() -> None:
    partial = counts(bad=0, total=9, warnings=("store A is down",))
    windows: dict[timedelta, Answer] = {5 * MINUTE: partial, HOUR: partial, 6 * HOUR: lost()}
    budget = ratio(counts(bad=1, total=PLENTY), windows)
    assert budget.doubts == (Doubt(cause=Cause.PARTIAL, reason="partial answer: store A is down"),)
    # What came is still shown, and a rule may still fire on it.
    assert budget.burn_rates[HOUR] == 0


def test_no_warning_takes_the_place_of_another() -> None:
    windows: dict[timedelta, Answer] = {
        5 * MINUTE: counts(bad=0, total=9, warnings=("B",)),
        HOUR: counts(bad=0, total=9, warnings=("C", "A")),
    }
    budget = ratio(counts(bad=1, total=PLENTY, warnings=("A",)), windows)
    reasons = [doubt.reason for doubt in budget.doubts]
    assert reasons == ["partial answer: A", "partial answer: B", "partial answer: C"]


@given(objectives)
def test_traffic_is_low_while_one_failure_is_more_than_the_whole_budget(
    objective: Fraction,
) -> None:
    enough = 1 / (1 - objective)
    one_failure = ratio(counts(bad=1, total=enough), objective=objective)
    assert one_failure.remaining == 0
    assert one_failure.doubts == ()
    fewer = ratio(counts(bad=1, total=enough - Fraction(1, 1000)), objective=objective)
    assert known(fewer.remaining) < 0
    assert causes(fewer) == [Cause.LOW_TRAFFIC]


@pytest.mark.parametrize(
    "total, min_events, says",
    [
        (999, None, "999 events are fewer than 1,000 (one failure is more than the whole budget)"),
        # Counts over time are not whole: never "1,000 are fewer than 1,000".
        (
            999.9,
            None,
            "999 events are fewer than 1,000 (one failure is more than the whole budget)",
        ),
        (1_000, None, None),
        (49, 50, "49 events are fewer than 50 (min_events)"),
        (50, 50, None),
        (1, 0, None),
    ],
)
def test_low_traffic_says_how_many_events_there_are_and_must_be(
    total: float, min_events: int | None, says: str | None
) -> None:
    budget = ratio(counts(bad=0, total=total), min_events=min_events)
    assert [doubt.reason for doubt in budget.doubts] == ([says] if says else [])


def test_time_is_never_low_traffic() -> None:
    assert ratio(counts(bad=0, total=1), slices=MINUTES).doubts == ()


@given(st.sampled_from(Cause), st.sampled_from(Cause))
def test_a_burn_rate_that_is_not_known_is_no_zero_be_it_for_want_of_traffic(
    short: Cause, long: Cause
) -> None:
    budget = ratio(counts(bad=1, total=PLENTY), {MINUTE: lost(short), HOUR: lost(long)})
    for window, cause in ((MINUTE, short), (HOUR, long)):
        burn = budget.burn_rates[window]
        assert isinstance(burn, Unmeasured)
        assert burn.cause is cause


def test_the_span_is_what_was_counted() -> None:
    assert ratio(counts(bad=1, total=PLENTY)).span == ROLLING.counted(AT)


SLICED = Sli(bad="b", total="t", sliced=True)


def test_slices_are_at_most_as_many_as_events_and_so_too_few_sooner() -> None:
    (doubt,) = ratio(counts(bad=0, total=999), sli=SLICED).doubts

    assert doubt.cause is Cause.LOW_TRAFFIC
    assert doubt.reason.startswith("999 slices with events are fewer than 1,000")
    assert ratio(counts(bad=0, total=1000), sli=SLICED).doubts == ()


def test_how_many_events_there_were_does_not_follow_from_slices() -> None:
    (doubt,) = ratio(counts(bad=0, total=PLENTY), sli=SLICED, min_events=10).doubts

    assert doubt.cause is Cause.LOW_TRAFFIC
    assert doubt.reason == "only ratios are recorded: whether there were 10 events is unknown"


@pytest.mark.parametrize("recorded", ["0.999", "0.9990000000000001"])
def test_the_same_objective_is_not_a_note(recorded: str) -> None:
    budget = ratio(counts(bad=1, total=PLENTY, objective=Fraction(recorded)))
    assert budget.evidence is not None
    assert budget.evidence.notes == ()


def test_another_objective_is_a_note_and_changes_no_number() -> None:
    budget = ratio(counts(bad=1, total=PLENTY, objective=Fraction("0.995")))

    assert budget.evidence is not None
    (note,) = budget.evidence.notes
    assert "has the objective 99.5%; the budget is that of the policy's, 99.9%" in note
    assert budget.consumed == Fraction(1, 1000)
    assert budget.doubts == ()


@pytest.mark.parametrize(
    ("minutes", "cause"), [(0, Cause.NO_TRAFFIC), (10, Cause.NO_TRAFFIC), (11, Cause.NO_DATA)]
)
def test_a_silence_of_events_is_no_traffic_until_the_newest_is_too_old(
    minutes: int, cause: Cause
) -> None:
    answer = counts(bad=1, total=10_000, newest=AT - minutes * MINUTE)
    silent = replace(lost(Cause.NO_DATA), silent=True)
    windows: dict[timedelta, Answer] = {
        HOUR: silent,
        2 * HOUR: lost(Cause.NO_DATA),
        3 * HOUR: counts(bad=0, total=10),
    }

    burns = ratio(answer, windows).burn_rates

    assert burns[HOUR] == replace(silent, cause=cause)
    assert burns[2 * HOUR] == lost(Cause.NO_DATA)
    assert burns[3 * HOUR] == 0


def test_a_silence_stays_unknown_where_it_is_not_known_how_old_the_newest_event_is() -> None:
    silent = replace(lost(Cause.NO_DATA), silent=True)

    assert ratio(counts(bad=1, total=10, newest=None), {HOUR: silent}).burn_rates[HOUR] == silent
