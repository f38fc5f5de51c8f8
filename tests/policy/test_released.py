"""After exhaustion: what reviewed incidents took stops no change, where the policy says so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.impact import Impact
from gate.history.records import RecordStatus
from gate.measure import Unmeasured
from gate.policy.case import SloIncidents
from gate.policy.findings import Rule, Verdict
from gate.policy.requirements import Claim
from gate.policy.rule_settings import PostmortemRule
from gate.slo.calendar import Period
from gate.slo.objective import Bound, CalendarWindow, CompositeSlo, Member, RollingWindow
from tests.budget.building import AT, DAY, HOUR, MINUTE, counts, lost, ratio
from tests.policy.building import CAUTION, EXHAUSTED, HEALTHY, found, said
from tests.policy.past import NOON, RULE, STEP, WINDOW, Bad, day, looked_back, record

ALLOW, WARN, UNDECIDED, BLOCK = Verdict
RELEASES = replace(RULE, records=(record(NOON),), excuse_reviewed=True)
OUTAGE: Bad = {NOON: 400}
"""138.9% of the budget of 288."""


def ordinary(count: int) -> dict[datetime, float | None]:
    """Return single failures, one in five minutes, which are no incident."""
    return {AT - DAY + place * STEP: 1 for place in range(count)}


def tier(
    *days: tuple[Assessment, SloIncidents | Unmeasured],
    rule: PostmortemRule = RELEASES,
    change: str = "full-rollout",
) -> tuple[Verdict, str]:
    return said(looked_back(change, *days, rule=rule), Rule.TIER)


def test_a_block_by_what_reviewed_incidents_took_becomes_a_warning_that_says_so() -> None:
    judgement = looked_back("full-rollout", day({**OUTAGE, **ordinary(72)}), rule=RELEASES)
    verdict, reason = said(judgement, Rule.TIER)
    assert judgement.verdict is verdict is WARN
    # 400 + 72 of 288 are 163.9%; without the 400, 75%.
    assert reason == (
        "its budget is overspent by 63.9%; tier exhausted (10% or less) does not allow"
        " full-rollout; but 138.8% of the budget went in INC-42, reviewed and remediated: without"
        " it 75.0% would be left (tier healthy)"
    )


def test_what_is_left_is_never_altered() -> None:
    judgement = looked_back("full-rollout", day(OUTAGE), rule=RELEASES)
    assert judgement.worst is not None
    assert judgement.worst.remaining == 1 - Fraction(400, 288)
    assert judgement.tier is not None
    assert judgement.tier.name == "exhausted"


def test_without_the_key_nothing_changes() -> None:
    quiet = replace(RELEASES, excuse_reviewed=False)
    verdict, reason = tier(day(OUTAGE), rule=quiet)
    assert verdict is BLOCK
    assert "INC-42" not in reason


@pytest.mark.parametrize("others, verdict", [(143, WARN), (144, BLOCK)])
def test_what_would_be_left_must_be_in_a_tier_that_allows_the_change_exactly(
    others: int, verdict: Verdict
) -> None:
    # Of 288, 144 are half; more than half must be left.
    assert tier(day({**OUTAGE, **ordinary(others)}))[0] is verdict


def test_a_class_that_its_tier_allows_without_the_incidents_is_released_alone() -> None:
    some = day({**OUTAGE, **ordinary(200)})
    assert tier(some, change="canary")[0] is WARN
    assert tier(some)[0] is BLOCK


def test_a_class_that_must_do_something_first_there_is_not_released() -> None:
    asking = replace(HEALTHY, require={"model-update": (Claim(name="shadow"),)})
    tiers = (asking, CAUTION, EXHAUSTED)
    verdicts = {
        change: said(looked_back(change, day(OUTAGE), rule=RELEASES, tiers=tiers), Rule.TIER)[0]
        for change in ("model-update", "full-rollout")
    }
    assert verdicts == {"model-update": BLOCK, "full-rollout": WARN}


@pytest.mark.parametrize(
    "flaws",
    [{"cause": None}, {"remediation": None}, {"status": RecordStatus.RESOLVED}, {"end": NOON}],
)
def test_only_a_complete_reviewed_record_that_overlaps_excuses(flaws: dict[str, object]) -> None:
    rule = replace(RELEASES, records=(record(NOON - HOUR, **({"end": AT} | flaws)),))
    assert tier(day(OUTAGE), rule=rule)[0] is BLOCK


def test_an_incident_that_goes_on_excuses_nothing() -> None:
    rule = replace(RELEASES, records=(record(AT - HOUR),))
    assert tier(day({AT - STEP: 400}), rule=rule)[0] is BLOCK


def test_what_the_history_does_not_know_of_is_not_excused() -> None:
    # The count has 144 more than the history: they happened at some other time.
    _, told = day(OUTAGE)
    known, _ = day({**OUTAGE, **ordinary(144)})
    assert tier((known, told))[0] is BLOCK
    assert tier((day({**OUTAGE, **ordinary(143)})[0], told))[0] is WARN


def test_of_an_unknown_past_nothing_is_excused() -> None:
    known, _ = day(OUTAGE)
    assert tier((known, lost()))[0] is BLOCK


def test_only_what_went_within_the_slos_own_window_is_excused() -> None:
    # Over 12 hours 144 may fail. The reviewed incident was before; 150 have failed since.
    before = NOON - 11 * HOUR
    since: Bad = {NOON - 8 * HOUR + place * STEP: 3 for place in range(50)}
    _, told = day({before: 400, **since})
    overspent = ratio(counts(bad=150, total=144_000), window=RollingWindow(12 * HOUR))
    rule = replace(RELEASES, records=(record(before),))
    assert tier((overspent, told), rule=rule)[0] is BLOCK


def test_of_an_incident_across_midnight_a_calendar_day_excuses_the_part_since_then() -> None:
    # 14 of 24 hours have passed: 168,000 events, of which 288 may fail in the whole day.
    midnight = AT.replace(hour=0)
    bad: Bad = {midnight - STEP: 900, midnight: 300}
    window = CalendarWindow(Period.DAY, UTC)
    _, told = day(bad, window=window)
    today = ratio(counts(bad=300, total=168_000), window=window)
    rule = replace(RELEASES, records=(record(midnight - HOUR / 2),))
    verdict, reason = tier((today, told), rule=rule)
    assert verdict is WARN
    assert "104.1% of the budget went in INC-42" in reason
    assert "without it 100.0% would be left" in reason


def test_every_budget_that_forbids_the_change_must_be_excused() -> None:
    fine, other = day(OUTAGE, "a"), day({**OUTAGE, **ordinary(200)}, "b")
    blocked = looked_back("full-rollout", fine, other, rule=RELEASES)
    assert {one.slo: one.verdict for one in found(blocked, Rule.TIER)} == {"a": BLOCK, "b": BLOCK}
    warned = looked_back("full-rollout", fine, day({NOON + STEP: 300}, "b"), rule=RELEASES)
    worst, other_slo = found(warned, Rule.TIER)
    assert (worst.slo, worst.verdict, other_slo.slo, other_slo.verdict) == ("a", WARN, "b", WARN)
    assert "138.8% of the budget went in INC-42" in worst.reason
    assert "104.1% of the budget went in INC-42" in other_slo.reason


def test_two_incidents_are_excused_together() -> None:
    twice: Bad = {NOON: 200, NOON - 6 * HOUR: 200}
    records = record(NOON), record(NOON - 6 * HOUR, id="INC-41")
    verdict, reason = tier(day(twice), rule=replace(RELEASES, records=records))
    assert verdict is WARN
    assert "went in INC-41 and INC-42, reviewed" in reason
    assert tier(day(twice))[0] is BLOCK  # 88 of 288 would be left, which is not half


def test_a_sampled_budget_is_compared_with_the_tiers_by_its_bound() -> None:
    point = day({**OUTAGE, **ordinary(143)}, sampled=Bound.POINT)
    worse = day({**OUTAGE, **ordinary(143)}, sampled=Bound.PESSIMISTIC)
    assert tier(point)[0] is WARN
    assert tier(worse)[0] is BLOCK


def test_the_stated_impact_counts_as_spent_without_the_incident_too() -> None:
    _, told = day(OUTAGE)
    # All of the traffic fails for a minute: 200 of the 288 that may.
    impact = Impact(canary=Fraction(1), failures=Fraction(1), detect=MINUTE)
    costly = ratio(counts(bad=400, total=288_000), window=WINDOW, impact=impact)
    assert costly.stated_cost == Fraction(200, 288)
    assert tier((costly, told))[0] is BLOCK
    assert "without it 30.5% would be left" in tier((costly, told), change="canary")[1]


def test_a_budget_that_only_the_impact_overspends_has_nothing_to_excuse() -> None:
    _, told = day({})
    impact = Impact(canary=Fraction(1), failures=Fraction(1), detect=2 * MINUTE)
    costly = ratio(counts(bad=0, total=288_000), window=WINDOW, impact=impact)
    assert tier((costly, told))[0] is BLOCK


def composite(*members: Assessment, weights: Mapping[str, int]) -> Assessment:
    slo = CompositeSlo(
        name="all",
        members=tuple(Member(slo=name, weight=Fraction(w)) for name, w in weights.items()),
    )
    return assess_composite(slo, {one.slo.name: one for one in members})


def test_a_composite_is_excused_by_what_its_members_lost() -> None:
    a, b = day({NOON: 120}, "a"), day({NOON: 60, **ordinary(40)}, "b")
    whole = composite(a[0], b[0], weights={"a": 2, "b": 2})
    # 2 x 120 + 2 x 100 of 288; without the incidents 2 x 40 of 288 are gone.
    judgement = looked_back("full-rollout", a, b, (whole, lost()), rule=RELEASES)
    verdict, reason = said(judgement, Rule.TIER)
    assert verdict is WARN
    assert "125.0% of the budget went in INC-42" in reason
    assert "without it 72.2% would be left" in reason


@given(st.integers(0, 400), st.integers(0, 250))
def test_a_change_is_released_exactly_where_the_rest_leaves_enough(outage: int, rest: int) -> None:
    verdict, _ = tier(day({NOON: outage, **ordinary(rest)}))
    left, without = 1 - Fraction(outage + rest, 288), 1 - Fraction(rest, 288)
    half = Fraction(1, 2)
    if left > half:
        assert verdict is ALLOW
    elif outage >= 18 and without > half:  # 18 of 3,000 in 15 minutes burn at 6
        assert verdict is WARN
    else:
        assert verdict is BLOCK
