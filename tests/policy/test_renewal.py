"""When a change that a budget forbids will be allowed again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gate.budget.assessment import Assessment
from gate.budget.forecast import Impact, recovery
from gate.measure.history import Series
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.tiers import Tier
from gate.slo.objective import CalendarWindow, Period
from tests.budget.building import AT, MINUTE, MONTH, ROLLING, SATURDAYS, lost, ratio, spend
from tests.policy.building import HALF, found, judged, left, overspent_composite

BLOCK = Verdict.BLOCK
HOUR = timedelta(hours=1)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def renewal(*known: Assessment, change: str = "full-rollout") -> datetime | None:
    judgement = judged(change, *known)
    (finding,) = (one for one in found(judgement, Rule.TIER) if not is_advisory(one))
    assert judgement.allowed_again_at == (finding.until if finding.verdict is BLOCK else None)
    return finding.until


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
    healthy = Tier(name="a", condition=HALF, allow=None, require={"full-rollout": ("shadow",)})
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
