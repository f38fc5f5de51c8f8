"""When a change that a budget forbids will be allowed again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import sqrt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gate.budget.assessment import Assessment
from gate.budget.forecast import recovery
from gate.budget.impact import Impact
from gate.measure.history import Series
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.requirements import Claim
from gate.policy.tiers import Tier
from gate.slo.calendar import Period
from gate.slo.objective import Bound, CalendarWindow
from tests.budget.building import AT, MINUTE, MONTH, ROLLING, SATURDAYS, counts, lost, ratio, spend
from tests.policy.building import HALF, found, judged, left, overspent_composite

BLOCK = Verdict.BLOCK
HOUR = timedelta(hours=1)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def renewal(*known: Assessment, change: str = "full-rollout") -> datetime | None:
    judgement = judged(change, *known)
    findings = [one for one in found(judgement, Rule.TIER) if not is_advisory(one)]
    ends = [one.until for one in findings]
    latest = None if None in ends else max(end for end in ends if end is not None)
    blocked = findings[0].verdict is BLOCK
    assert judgement.allowed_again_at == (latest if blocked else None)
    return latest


def is_advisory(finding: Finding) -> bool:
    return finding.reason.endswith("(advisory)")


@pytest.mark.parametrize(
    "known, until",
    [
        ((left("0", window=MONTH),), DECEMBER),
        ((left("0", "a", window=MONTH), left("1", "b")), DECEMBER),
        ((left("0", "a", window=MONTH), left("0", "b", advisory=True)), DECEMBER),
        ((left("0", "a", window=MONTH), ratio(lost(), name="b", advisory=True)), DECEMBER),
        ((spend(150),), DECEMBER),
        (
            (
                left("0", "a", window=MONTH),
                spend(150, window=CalendarWindow(Period.QUARTER, ZoneInfo("Asia/Kolkata"))),
            ),
            datetime(2026, 12, 31, 18, 30, tzinfo=UTC),
        ),
        ((spend(150, window=SATURDAYS),), datetime(2026, 11, 21, 17, tzinfo=UTC)),
        # What only rolls, a composite, and a change that costs too much: not certain.
        ((left("0"),), None),
        ((left("0", "a", window=MONTH), left("0", "b", window=ROLLING)), None),
        (overspent_composite(), None),
        ((left("0", window=MONTH, impact=Impact(detect=30 * MINUTE)),), None),
        ((left("0", window=MONTH, impact=Impact(detect=MINUTE)),), DECEMBER),
        ((left("1"),), None),
    ],
)  # fmt: skip
def test_a_budget_that_forbids_says_when_it_renews_where_that_is_certain(
    known: tuple[Assessment, ...], until: datetime | None
) -> None:
    assert renewal(*known) == until


def test_a_renewed_budget_that_asks_for_something_first_promises_nothing() -> None:
    healthy = Tier(
        name="a", condition=HALF, allow=None, require={"full-rollout": (Claim(name="shadow"),)}
    )
    forbidding = Tier(name="b", condition=None, allow=frozenset())
    never = Tier(name="c", condition=HALF, allow=frozenset())
    for tiers in ((healthy, forbidding), (never, forbidding)):
        judgement = judged("full-rollout", left("0", window=MONTH), tiers=tiers)
        assert (judgement.verdict, judgement.allowed_again_at) == (BLOCK, None)


def recovering(share: str, *bad: float, **fields: Any) -> Assessment:
    """A rolling budget with so much left, whose failures leave hour by hour."""
    series = Series(total=(1000.0,) * len(bad), bad=bad, query="asked")
    return replace(left(share, **fields), recovery=recovery(series, AT, HOUR))


def test_a_rolling_budget_is_back_when_enough_failures_have_left() -> None:
    # Overspent by a tenth: of 1.1 budgets half is left once 6 of 11 failures have gone.
    known = recovering("-0.1", 1, 2, 3, 5)

    (finding,) = found(judged("full-rollout", known), Rule.TIER)
    assert finding.until == AT + 4 * HOUR  # 5/11 of 1.1 is just half, and above half is asked for
    assert finding.if_calm
    (canary,) = found(judged("canary", known), Rule.TIER)
    assert canary.until == AT + 2 * HOUR


def test_the_latest_of_several_counts_and_one_unknown_leaves_it_open() -> None:
    first, second = recovering("0", 1, 0, 0, name="a"), recovering("0", 0, 0, 1, name="b")

    assert renewal(first, second) == AT + 3 * HOUR
    assert renewal(first, left("0", "c")) is None


def test_a_recovered_budget_that_would_not_let_it_pass_promises_nothing() -> None:
    never = Tier(name="a", condition=HALF, allow=frozenset())
    last = Tier(name="b", condition=None, allow=frozenset())
    judgement = judged("full-rollout", recovering("0", 1, 2), tiers=(never, last))

    assert (judgement.verdict, judgement.allowed_again_at) == (BLOCK, None)


def test_something_else_that_stops_the_change_leaves_the_time_open() -> None:
    judgement = judged("full-rollout", left("0", "a", window=MONTH), ratio(lost(), name="b"))
    assert judgement.verdict is BLOCK
    assert judgement.allowed_again_at is None


def test_at_the_pace_of_the_last_week_it_is_back_later_or_never() -> None:
    # Half a budget is consumed: 400 in the first of 600 hours, 1 in each of the last 100.
    known = recovering("0.5", 400, *[0] * 499, *[1] * 100)
    judgement = judged("full-rollout", known)

    assert judgement.allowed_again_at == AT + HOUR
    assert judgement.paced
    # 100 in 168 hours go on: the 400 leave at once.
    assert judgement.allowed_again_at_pace == AT + HOUR
    chronic = judged("full-rollout", recovering("0.4", *[1] * 600))
    # Of 60% that are consumed 10 leave in a hundred hours, and as much comes.
    assert chronic.allowed_again_at == AT + 101 * HOUR
    assert (chronic.paced, chronic.allowed_again_at_pace) == (True, None)


def test_the_pace_of_one_budget_is_not_told_where_another_one_is_not_known() -> None:
    judgement = judged("full-rollout", recovering("0", 1, 2, name="a"), left("0", "b"))

    assert (judgement.allowed_again_at, judgement.paced) == (None, False)
    assert judgement.allowed_again_at_pace is None


def test_a_reset_is_certain_whatever_the_pace() -> None:
    judgement = judged("full-rollout", left("0", window=MONTH))

    assert (judgement.allowed_again_at, judgement.paced) == (DECEMBER, False)


def sampled(bad: int, total: int, *by_hour: float) -> Assessment:
    """A sample at 98% by its pessimistic end, whose bad ones leave hour by hour."""
    known = ratio(counts(bad=bad, total=total), objective="0.98", sampled=Bound.PESSIMISTIC)
    series = Series(total=(1.0,) * len(by_hour), bad=by_hour, query="asked")
    return replace(known, recovery=recovery(series, AT, HOUR))


def wilson_high(bad: float, total: int) -> float:
    z = 1.959964
    centre = (bad + z * z / 2) / (total + z * z)
    half = z / (total + z * z) * sqrt(bad * (total - bad) / total + z * z / 4)
    return centre + half


def test_the_interval_of_a_sample_is_taken_anew_at_each_step() -> None:
    known = sampled(6, 700, 2, 0, 3, 1)

    left_over = [float(share) for _, share in known.recovering()]
    there = [4, 4, 1, 0]
    assert left_over == pytest.approx([1 - wilson_high(bad, 700) / 0.02 for bad in there])
    # Even without a bad one no more than that is proved.
    assert left_over[-1] < 0.75
    # At the pace of these four hours, 6 more come in them.
    asked: set[float] = set()

    def suits(low: Fraction, high: Fraction) -> bool:
        asked.update({float(low)} if low == high else ())
        return low < high  # a stretch may have what is looked for, and no step has it

    assert known.back_at(suits, paced=True) is None
    expected = [1 - wilson_high(bad, 700) / 0.02 for bad in (7, 6, 5.5)]
    assert sorted(asked) == pytest.approx(expected, rel=1e-5)


def test_without_a_sample_what_is_left_follows_the_failures() -> None:
    known = ratio(counts(bad=6, total=1200), objective="0.98")

    assert known.left_with(Fraction(1)) == known.remaining == Fraction(3, 4)
    assert known.left_with(Fraction(1, 3)) == Fraction(11, 12)


def test_an_optimistic_end_is_taken_anew_too() -> None:
    known = ratio(counts(bad=6, total=700), objective="0.98", sampled=Bound.OPTIMISTIC)

    assert known.left_with(Fraction(0)) == 1
    assert known.left_with(Fraction(1)) == pytest.approx(float(known.compared or 0))
    assert known.samples_for(Fraction(1, 2)) is None


def test_where_no_failure_proves_too_little_it_is_reported_how_many_samples_it_takes() -> None:
    # None of 200 is bad: by Wilson up to 1.88% may be, which leaves 5.8% of the budget.
    judgement = judged("full-rollout", sampled(0, 200, 0, 0))

    assert (judgement.verdict, judgement.allowed_again_at) == (BLOCK, None)
    needed = judgement.needs_samples
    assert needed is not None
    # Above half of the budget is a share below 1%: z^2 / (n + z^2) < 0.01.
    assert wilson_high(0, needed) < 0.01 <= wilson_high(0, needed - 1)
    assert judged("full-rollout", sampled(0, needed, 0, 0)).verdict is not BLOCK
    assert judged("full-rollout", sampled(0, needed - 1, 0, 0)).verdict is BLOCK


@pytest.mark.parametrize(
    "known",
    [
        (left("0"),),
        (left("0", window=MONTH),),
        (sampled(30, 700, 30, 0),),
        (ratio(counts(bad=6, total=200), objective="0.98", sampled=Bound.POINT),),
        overspent_composite(),
    ],
)
def test_what_has_samples_enough_or_is_not_a_sample_needs_none(
    known: tuple[Assessment, ...],
) -> None:
    assert judged("full-rollout", *known).needs_samples is None


def test_where_no_tier_allows_the_change_no_number_of_samples_does() -> None:
    never = Tier(name="a", condition=HALF, allow=frozenset())
    last = Tier(name="b", condition=None, allow=frozenset())
    judgement = judged("full-rollout", sampled(0, 200, 0), tiers=(never, last))

    assert judgement.needs_samples is None


def test_an_impact_that_costs_the_whole_budget_is_not_paid_by_samples() -> None:
    impact = Impact(detect=800 * MINUTE)
    known = ratio(
        counts(bad=0, total=200), objective="0.98", sampled=Bound.PESSIMISTIC, impact=impact
    )

    assert known.stated_cost is not None
    assert judged("full-rollout", known).needs_samples is None
