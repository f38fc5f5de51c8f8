"""The ladder that every rule goes down, the registry of the rules, and the order of severity."""

from datetime import timedelta
from itertools import pairwise

import pytest

from gate.budget.assessment import Doubt
from gate.measure import Cause
from gate.policy.case import Case
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.judge import RULES
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rule_settings import Effect
from tests.budget.building import AT
from tests.policy.building import left, policy_of

ALLOW, WARN, UNDECIDED, BLOCK = Verdict
SPARED = frozenset({"rollback"})
LATER = AT + timedelta(hours=1)
NO_DATA = Doubt(cause=Cause.NO_DATA, reason="no events were counted")


def case(change: str, action: Action = Action.BLOCK) -> Case:
    budget = left("0.6")
    policy = policy_of([budget], on={**DEFAULT_ACTIONS, Cause.NO_DATA: action})
    return Case(policy=policy, assessments=[budget], change=change, at=AT)


@pytest.mark.parametrize(
    "effect, advisory, verdict",
    [
        (Effect.BLOCK, False, BLOCK),
        (Effect.BLOCK, True, WARN),
        (Effect.WARN, False, WARN),
        (Effect.WARN, True, WARN),
    ],
)
def test_a_rule_that_fires_has_its_effect_and_only_warns_for_an_advisory_slo(
    effect: Effect, advisory: bool, verdict: Verdict
) -> None:
    finding = case("canary").fired(
        Rule.EXHAUSTION,
        "runs out",
        slo="a",
        allow=SPARED,
        effect=effect,
        advisory=advisory,
        until=LATER,
        if_calm=True,
    )

    assert finding == Finding(
        rule=Rule.EXHAUSTION,
        slo="a",
        verdict=verdict,
        reason="runs out",
        until=LATER,
        if_calm=True,
    )


def test_without_an_effect_of_its_own_a_rule_blocks() -> None:
    finding = case("canary").fired(Rule.FREEZE, "frozen", slo=None, allow=SPARED)

    assert (finding.verdict, finding.until, finding.if_calm) == (BLOCK, None, False)


@pytest.mark.parametrize("effect", list(Effect))
def test_a_change_that_the_rule_spares_may_ship_whatever_its_effect(effect: Effect) -> None:
    finding = case("rollback").fired(
        Rule.FREEZE, "frozen", slo=None, allow=SPARED, effect=effect, until=LATER
    )

    assert (finding.verdict, finding.reason) == (ALLOW, "frozen; rollback may ship")
    assert finding.until is None


@pytest.mark.parametrize(
    "action, verdict, reason",
    [
        (Action.BLOCK, UNDECIDED, "chart: no events were counted"),
        (Action.WARN, WARN, "nothing was measured: chart: no events were counted; the policy"),
        (Action.ALLOW, ALLOW, "nothing was measured: chart: no events were counted; the policy"),
    ],
)
def test_a_doubt_has_the_verdict_that_the_policy_gives_its_cause(
    action: Action, verdict: Verdict, reason: str
) -> None:
    judged = case("canary", action)
    finding = judged.doubted(
        judged.assessments[0], NO_DATA, about="chart: ", rule=Rule.CONTROL_CHART, allow=SPARED
    )

    assert (finding.rule, finding.verdict) == (Rule.MEASUREMENT, verdict)
    assert finding.reason.startswith(reason)


def test_a_doubt_about_what_a_rule_needs_spares_the_changes_that_the_rule_spares() -> None:
    judged = case("rollback")
    finding = judged.doubted(
        judged.assessments[0], NO_DATA, about="chart: ", rule=Rule.CONTROL_CHART, allow=SPARED
    )

    assert (finding.rule, finding.verdict) == (Rule.CONTROL_CHART, ALLOW)
    assert finding.reason == "chart: no events were counted; rollback may ship"


def test_every_kind_of_rule_is_registered_in_the_order_of_the_reports() -> None:
    assert list(RULES) == list(Rule)


def test_severity_rises_from_allow_to_block() -> None:
    order = [ALLOW, WARN, UNDECIDED, BLOCK]

    assert all(milder.severity < worse.severity for milder, worse in pairwise(order))
