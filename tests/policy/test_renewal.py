"""When a change that a budget forbids will be allowed again."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gate.budget.assessment import Assessment
from gate.budget.impact import Impact
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.tiers import Tier
from gate.slo.window import CalendarWindow, Period
from tests.budget.building import MINUTE, MONTH, ROLLING, lost, ratio, spend
from tests.policy.building import HALF, found, judged, left, overspent_composite

BLOCK = Verdict.BLOCK
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


def test_something_else_that_stops_the_change_leaves_the_time_open() -> None:
    judgement = judged("full-rollout", left("0", "a", window=MONTH), ratio(lost(), name="b"))
    assert judgement.verdict is BLOCK
    assert judgement.allowed_again_at is None
