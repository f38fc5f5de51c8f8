"""Suspicions about a count: only what could change the verdict stops a change."""

from datetime import timedelta
from fractions import Fraction

import pytest

from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.measure import Answer, Cause, Spent, Suspicion
from gate.policy.findings import Rule, Verdict
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rule_settings import NAMED_BURN_RATES
from gate.policy.suspicions import left_between
from gate.slo.objective import CompositeSlo, Member
from tests.budget.building import HOUR, MINUTE, counts, evidence, lost, ratio, spend
from tests.policy.building import found, judged


def suspicion(
    hidden: int | None = 0, doubtful: int | None = 0, cause: Cause = Cause.BORN
) -> Suspicion:
    """About a count of which the budget allows 1,000 bad events."""
    return Suspicion(
        cause=cause,
        reason="3 counters began above zero",
        remedy="export them at zero from the start",
        hidden=None if hidden is None else Fraction(hidden),
        doubtful=None if doubtful is None else Fraction(doubtful),
    )


def suspected(*suspicions: Suspicion, bad: int = 100, name: str = "availability") -> Assessment:
    """A budget of 1,000 bad events in 1,000,000; 90% of it is left."""
    return ratio(counts(bad=bad, total=1_000_000, suspicions=suspicions), name=name)


def composite(*members: Assessment) -> Assessment:
    """A composite that weighs its members equally."""
    parts = tuple(Member(slo=member.slo.name, weight=Fraction(1, 2)) for member in members)
    slo = CompositeSlo(name="all", members=parts)
    return assess_composite(slo, {member.slo.name: member for member in members})


@pytest.mark.parametrize(
    ("hidden", "verdict"),
    [(399, Verdict.ALLOW), (401, Verdict.UNDECIDED), (None, Verdict.UNDECIDED)],
)
def test_hidden_failures_matter_from_the_number_on_that_changes_the_tier(
    hidden: int | None, verdict: Verdict
) -> None:
    assert judged("model-update", suspected(suspicion(hidden))).verdict is verdict


def test_a_suspicion_is_reported_with_its_number_and_its_remedy() -> None:
    (finding,) = found(judged("model-update", suspected(suspicion(None))), Rule.MEASUREMENT)
    assert finding.reason == "3 counters began above zero; export them at zero from the start"
    assert finding.verdict is Verdict.UNDECIDED


def test_a_suspicion_that_changes_nothing_is_reported_and_lets_the_change_pass() -> None:
    (finding,) = found(judged("model-update", suspected(suspicion(1))), Rule.MEASUREMENT)
    assert finding.verdict is Verdict.ALLOW
    assert "the verdict would be the same" in finding.reason


def test_only_what_is_suspected_has_two_ends() -> None:
    assert left_between(suspected()) is None
    assert left_between(suspected(suspicion(None))) is None
    assert left_between(suspected(suspicion(399))) == "between 50.1% and 90.0% is left"


def test_a_class_that_every_tier_allows_ships_whatever_is_hidden() -> None:
    assert judged("rollback", suspected(suspicion(None))).verdict is Verdict.ALLOW


def test_the_policy_may_let_a_suspicion_pass() -> None:
    on = DEFAULT_ACTIONS | {Cause.BORN: Action.WARN}
    assert judged("model-update", suspected(suspicion(None)), on=on).verdict is Verdict.WARN


def test_several_suspicions_about_one_count_add_up() -> None:
    assessment = suspected(suspicion(250), suspicion(250, cause=Cause.LOST))
    assert judged("model-update", assessment).verdict is Verdict.UNDECIDED


def test_a_block_says_that_failures_may_have_been_none() -> None:
    judgement = judged("model-update", suspected(suspicion(doubtful=900), bad=950))
    assert judgement.verdict is Verdict.BLOCK
    (finding,) = found(judgement, Rule.MEASUREMENT)
    assert finding.verdict is Verdict.UNDECIDED


def test_a_block_that_doubtful_failures_cannot_turn_says_so() -> None:
    judgement = judged("model-update", suspected(suspicion(doubtful=10), bad=950))
    (finding,) = found(judgement, Rule.MEASUREMENT)
    assert finding.verdict is Verdict.ALLOW


def test_hidden_failures_may_all_lie_in_a_burn_rate_window() -> None:
    hidden = suspicion(390)
    main = counts(bad=100, total=1_000_000, suspicions=(hidden,))
    windows: dict[timedelta, Answer] = {
        HOUR: counts(bad=0, total=5_000),
        5 * MINUTE: counts(bad=0, total=500),
        6 * HOUR: counts(bad=0, total=30_000),
        30 * MINUTE: counts(bad=0, total=2_500),
        24 * HOUR: counts(bad=0, total=120_000),
        2 * HOUR: counts(bad=0, total=10_000),
        72 * HOUR: lost(),
    }
    rules = NAMED_BURN_RATES["google-30d"]
    assert judged("model-update", ratio(main, windows)).verdict is Verdict.ALLOW
    judgement = judged("model-update", ratio(main, windows), burn_rates=rules)
    assert judgement.verdict is Verdict.UNDECIDED


def test_what_may_have_been_spent_matters() -> None:
    def spent(hidden: int | None) -> Assessment:
        doubted = evidence(suspicions=(suspicion(hidden),))
        return spend(Spent(amount=Fraction(40), evidence=doubted))

    assert judged("model-update", spent(5)).verdict is Verdict.ALLOW
    assert judged("model-update", spent(11)).verdict is Verdict.UNDECIDED
    assert judged("model-update", spent(None)).verdict is Verdict.UNDECIDED


def test_suspicions_that_matter_only_through_a_composite_matter() -> None:
    members = suspected(suspicion(700), name="a", bad=0), suspected(name="b", bad=400)
    assert judged("canary", *members).verdict is Verdict.ALLOW
    assert judged("model-update", *members, composite(*members)).verdict is Verdict.UNDECIDED


def test_suspicions_that_matter_only_together_all_matter() -> None:
    members = [suspected(suspicion(450), name=name, bad=0) for name in ("a", "b")]
    weights = tuple(Member(slo=name, weight=Fraction(3, 5)) for name in ("a", "b"))
    both = assess_composite(
        CompositeSlo(name="all", members=weights),
        {member.slo.name: member for member in members},
    )
    judgement = judged("model-update", *members, both)
    assert judgement.verdict is Verdict.UNDECIDED
    assert {finding.slo for finding in found(judgement, Rule.MEASUREMENT)} == {"a", "b"}


def test_a_suspicion_about_an_advisory_budget_changes_no_verdict() -> None:
    main = counts(bad=100, total=1_000_000, suspicions=(suspicion(None),))
    judgement = judged("model-update", ratio(main, advisory=True), suspected(name="b"))
    assert judgement.verdict in {Verdict.ALLOW, Verdict.WARN}
