"""How much of a window must have data, where it has none, and what is said of it."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.budget.assess import assess_ratio
from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.coverage import Guards, coverage_cause
from gate.measure import Cause, Spent
from gate.measure.coverage import Gaps
from gate.slo.objective import CompositeSlo, Member, RollingWindow, Span
from tests.budget.building import (
    AT,
    BERLIN,
    DAY,
    GUARDS,
    MONTH,
    counts,
    evidence,
    ratio,
    ratio_slo,
    spend,
)

LOW, MOSTLY = Cause.LOW_COVERAGE, Cause.MOSTLY_UNCOVERED
PLENTY = 1_000_000


def late(share: str) -> Gaps:
    """All that is missing is before the data."""
    missing = 1 - Fraction(share)
    return Gaps(late=missing, holes=Fraction(0), since=AT - 30 * DAY + 30 * DAY * float(missing))


def hole(share: str) -> Gaps:
    """All that is missing is a hole of the days before the last two."""
    missing = 1 - Fraction(share)
    end = AT - 2 * DAY
    return Gaps(
        late=Fraction(0),
        holes=missing,
        longest=Span(end - 30 * DAY * float(missing), end),
        usual=missing,
    )


def covered(share: str, gaps: Gaps | None = None, bad: int = 1, **fields: object) -> Assessment:
    answer = counts(bad=bad, total=PLENTY, coverage=Fraction(share), gaps=gaps)
    return ratio(answer, **fields)  # type: ignore[arg-type]


def the_doubt(budget: Assessment) -> tuple[Cause, str]:
    (doubt,) = budget.doubts
    return doubt.cause, doubt.reason


@pytest.mark.parametrize(
    "share, begun_late, with_a_hole",
    [
        ("1", None, None),
        # A hole counts twice: 95% less 5% is 90%.
        ("0.95", None, None),
        ("0.94", None, LOW),
        ("0.89", LOW, LOW),
        ("0.75", LOW, LOW),
        ("0.74", LOW, MOSTLY),
        ("0.5", LOW, MOSTLY),
        ("0.49", MOSTLY, MOSTLY),
        ("0", MOSTLY, MOSTLY),
    ],
)
def test_a_hole_weighs_twice_what_a_late_start_weighs(
    share: str, begun_late: Cause | None, with_a_hole: Cause | None
) -> None:
    assert coverage_cause(Fraction(share), late(share), GUARDS) is begun_late
    assert coverage_cause(Fraction(share), None, GUARDS) is begun_late
    assert coverage_cause(Fraction(share), hole(share), GUARDS) is with_a_hole


def test_the_bounds_are_the_policys() -> None:
    lenient = Guards(max_age=DAY, min_coverage=Fraction(3, 10))
    strict = Guards(max_age=DAY, min_coverage=Fraction(1), coverage_floor=Fraction(99, 100))
    assert coverage_cause(Fraction(3, 10), None, lenient) is None
    assert coverage_cause(Fraction(29, 100), None, lenient) is MOSTLY
    assert coverage_cause(Fraction(995, 1000), None, strict) is LOW
    assert coverage_cause(Fraction(989, 1000), None, strict) is MOSTLY


def test_a_young_service_is_reported_what_was_measured_what_to_write_and_when_it_is_enough() -> (
    None
):
    # Three of 30 days, so that another twelve make half of the window.
    assert the_doubt(covered("0.1", late("0.1"))) == (
        MOSTLY,
        "only 3d of 30d are measured (10%; coverage_floor is 50%); the data begin on 2026-11-17"
        " 14:00 UTC; enough of it will be covered from 2026-12-02 14:00 UTC on; a shorter window"
        " needs less; to let it pass anyway, set on: {mostly_uncovered: warn}",
    )


def test_a_hole_is_reported_with_its_time_and_no_day_is_promised() -> None:
    cause, reason = the_doubt(covered("0.7", hole("0.7")))
    assert cause is MOSTLY
    assert reason == (
        "only 21d of 30d are measured (70%; coverage_floor is 50%); 30% is missing between data,"
        " which counts twice: the longest gap is 2026-11-09 14:00 to 2026-11-18 14:00 UTC (9d);"
        " choose a shorter window; to let it pass anyway, set on: {mostly_uncovered: warn}"
    )
    assert the_doubt(covered("0.9", hole("0.9"))) == (
        LOW,
        "only 90% of the window has data; min_coverage is 90%; 10% is missing between data,"
        " which counts twice: the longest gap is 2026-11-15 14:00 to 2026-11-18 14:00 UTC (3d)",
    )


def test_of_a_calendar_period_more_is_covered_and_more_has_passed_each_second() -> None:
    # 470 hours have passed; 200 of them are covered: 70 hours later it is 270 of 540.
    share = str(Fraction(200, 470))
    _, reason = the_doubt(covered(share, window=MONTH))
    assert (
        f"enough of it will be covered from {AT + timedelta(hours=70):%Y-%m-%d %H:%M} UTC on"
        in reason
    )
    # 100 of 470: 270 hours more, and the month has 250 left.
    _, reason = the_doubt(covered(str(Fraction(100, 470)), window=BERLIN))
    assert "wait for the next period, or choose another window" in reason


def test_a_floor_of_everything_is_never_reached_again_within_a_period() -> None:
    strict = Guards(max_age=DAY, min_coverage=Fraction(1), coverage_floor=Fraction(1))
    answer = counts(bad=0, total=PLENTY, coverage=Fraction(99, 100))
    budget = assess_ratio(ratio_slo(window=MONTH), answer, {}, at=AT, guards=strict)
    assert "wait for the next period" in the_doubt(budget)[1]


def test_what_is_left_is_not_known_where_little_was_measured_unless_it_is_gone() -> None:
    assert covered("0.1").uncovered == "3d of 30d"
    assert covered("0.5").uncovered is None
    assert covered("1").uncovered is None
    gone = covered("0.1", bad=1_000)
    assert gone.remaining == 0
    assert gone.uncovered is None
    assert covered("0.1", bad=999).uncovered == "3d of 30d"
    assert ratio(counts(bad=1, total=PLENTY, coverage=None)).uncovered is None


def test_money_too() -> None:
    some = Spent(amount=Fraction(1), evidence=evidence(coverage=Fraction(1, 10)))
    budget = spend(some)
    assert (budget.doubts[0].cause, budget.uncovered) == (MOSTLY, "1d23h of 19d14h")


def test_a_composite_is_not_known_where_a_member_is_not() -> None:
    slo = CompositeSlo(
        name="all",
        members=(Member(slo="a", weight=Fraction(1)), Member(slo="b", weight=Fraction(1))),
    )
    parts = {"a": covered("1", name="a"), "b": covered("0.1", name="b")}
    assert assess_composite(slo, parts).uncovered == "3d of 30d"
    assert assess_composite(slo, {**parts, "b": parts["a"]}).uncovered is None


@pytest.mark.parametrize("minutes, says", [(20, "20m of 30d"), (2, "2m of 30d")])
def test_twenty_minutes_are_shown_as_such(minutes: int, says: str) -> None:
    budget = covered(str(Fraction(minutes, 30 * 24 * 60)), window=RollingWindow(30 * DAY))
    assert budget.uncovered == says


def test_a_hole_over_which_the_counters_went_on_counts_once() -> None:
    bridged = replace(hole("0.7"), counted=True)
    cause, reason = the_doubt(covered("0.7", bridged))
    assert cause is LOW
    assert (
        "30% is missing between data, across which the counters kept counting: the longest"
        in reason
    )
