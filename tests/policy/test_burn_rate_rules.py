from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.measure import Answer, Cause
from gate.policy.findings import Rule, Verdict
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rule_settings import (
    GOOGLE_30D,
    NAMED_BURN_RATES,
    BurnRateRule,
    Effect,
    ExhaustionRule,
)
from tests.budget.building import HOUR, MINUTE, counts, lost, ratio, spend
from tests.policy.building import found, judged, left, said

ALLOW, WARN, UNDECIDED, BLOCK = Verdict
SHORT = 5 * MINUTE
FAST = BurnRateRule(long=HOUR, short=SHORT, rate=Fraction("14.4"), effect=Effect.BLOCK)
SLOW = BurnRateRule(long=6 * HOUR, short=HOUR, rate=Fraction(6), effect=Effect.WARN)
ON_BACKEND_ERROR = {action: DEFAULT_ACTIONS | {Cause.BACKEND_ERROR: action} for action in Action}


def burn(rate: str | Fraction) -> Answer:
    """A million events at this burn rate of 99.9%."""
    return counts(bad=Fraction(rate) * 1_000, total=1_000_000)


def burning(long: Answer, short: Answer, *, advisory: bool = False) -> Assessment:
    return left("1", windows={HOUR: long, SHORT: short}, advisory=advisory)


@pytest.mark.parametrize(
    "long, short, verdict",
    [
        ("14.4", "14.4", BLOCK),
        ("1000", "1000", BLOCK),
        # One failure fewer in a million.
        ("14.399", "14.4", ALLOW),
        ("14.4", "14.399", ALLOW),
        ("1000", "0", ALLOW),
        ("0", "1000", ALLOW),
        ("0", "0", ALLOW),
    ],
)
def test_a_rule_fires_when_both_windows_burn_at_its_rate_exactly(
    long: str, short: str, verdict: Verdict
) -> None:
    judgement = judged("full-rollout", burning(burn(long), burn(short)), burn_rates=(FAST,))
    assert judgement.verdict is verdict
    assert said(judgement, Rule.BURN_RATE)[0] is verdict


def test_a_rule_that_fires_says_both_rates_and_its_own() -> None:
    judgement = judged("canary", burning(burn("14.409"), burn("2000")), burn_rates=(FAST,))
    (finding,) = found(judgement, Rule.BURN_RATE)
    assert (
        finding.reason
        == "burning at 14.40 over 1h and 2,000.00 over 5m; the burn-rate rule is 14.4"
    )
    assert finding.slo == "availability"


def test_that_no_rule_fires_is_reported_once() -> None:
    calm = dict.fromkeys((HOUR, SHORT), burn("1"))
    known = left("1", "a", windows=calm), left("1", "b", windows=calm)
    judgement = judged("canary", *known, burn_rates=(FAST, FAST))
    assert said(judgement, Rule.BURN_RATE) == (ALLOW, "no burn-rate rule fires")


@pytest.mark.parametrize(
    "effect, change, advisory, verdict",
    [
        (Effect.BLOCK, "full-rollout", False, BLOCK),
        (Effect.WARN, "full-rollout", False, WARN),
        (Effect.BLOCK, "full-rollout", True, WARN),
        (Effect.WARN, "full-rollout", True, WARN),
        (Effect.BLOCK, "rollback", False, ALLOW),
        (Effect.WARN, "rollback", False, ALLOW),
        (Effect.BLOCK, "rollback", True, ALLOW),
    ],
)
def test_what_a_rule_that_fires_does_is_up_to_its_effect_and_the_change(
    effect: Effect, change: str, advisory: bool, verdict: Verdict
) -> None:
    rule = BurnRateRule(long=HOUR, short=SHORT, rate=Fraction(2), effect=effect)
    known = [left("1", "other"), burning(burn("3"), burn("3"), advisory=advisory)]
    judgement = judged(change, *known, burn_rates=(rule,))
    found_verdict, reason = said(judgement, Rule.BURN_RATE)
    assert judgement.verdict is found_verdict is verdict
    assert reason.endswith("; rollback may ship") == (verdict is ALLOW)


@pytest.mark.parametrize("change", ["bug-fix", "reliability-fix", "security-patch", "rollback"])
def test_repairs_ship_during_a_fast_burn_unless_the_rule_says_otherwise(change: str) -> None:
    assert change in FAST.allow
    strict = BurnRateRule(
        long=HOUR, short=SHORT, rate=Fraction(2), effect=Effect.BLOCK, allow=frozenset()
    )
    fast = burning(burn("1000"), burn("1000"))
    assert judged(change, fast, burn_rates=(FAST,)).verdict is ALLOW
    assert judged(change, fast, burn_rates=(strict,)).verdict is BLOCK


def test_every_rule_that_fires_is_found_and_the_worst_decides() -> None:
    known = left("1", windows={SHORT: burn("20"), HOUR: burn("20"), 6 * HOUR: burn("6")})
    judgement = judged("canary", known, burn_rates=(SLOW, FAST))
    assert [f.verdict for f in found(judgement, Rule.BURN_RATE)] == [BLOCK, WARN]
    assert judgement.verdict is BLOCK


@pytest.mark.parametrize(
    "action, verdict", [("block", UNDECIDED), ("warn", WARN), ("allow", ALLOW)]
)
@pytest.mark.parametrize(
    "long, short, windows",
    [
        (lost(), burn("20"), ["1h"]),
        (burn("20"), lost(), ["5m"]),
        (lost(), lost(), ["1h", "5m"]),
        # One that is known to be slower settles it.
        (lost(), burn("1"), []),
        (burn("1"), lost(), []),
        # Without traffic in one of its windows it cannot fire.
        (lost(), lost(Cause.NO_TRAFFIC), []),
        (lost(Cause.NO_TRAFFIC), lost(Cause.NO_TRAFFIC), []),
    ],
)
def test_a_burn_rate_that_is_not_known_is_what_the_policy_says_of_its_cause(
    long: Answer, short: Answer, windows: list[str], action: str, verdict: Verdict
) -> None:
    judgement = judged(
        "canary",
        burning(long, short),
        burn_rates=(FAST,),
        on=ON_BACKEND_ERROR[Action(action)],
    )
    untold = found(judgement, Rule.MEASUREMENT)
    assert [finding.verdict for finding in untold] == [verdict] * len(windows)
    about = [f"burn rate over {window}: http://prom answered 503" for window in windows]
    passing = "nothing was measured: {}; the policy allows that (on.backend_error)"
    expected = about if action == "block" else [passing.format(reason) for reason in about]
    assert [finding.reason for finding in untold] == expected
    assert judgement.verdict is (verdict if windows else ALLOW)
    assert bool(found(judgement, Rule.BURN_RATE)) == (not windows)


def test_windows_without_traffic_are_reported_to_have_no_burn_rate_and_let_a_change_pass() -> None:
    idle = lost(Cause.NO_TRAFFIC)
    asleep = left("1", "a", windows={HOUR: burn("1"), SHORT: idle})
    off = left("1", "b", windows={HOUR: idle, SHORT: idle})
    awake = left("1", "c", windows={HOUR: burn("1"), SHORT: burn("1")})

    judgement = judged("canary", asleep, off, burn_rates=(FAST,))
    calm, first, second = found(judgement, Rule.BURN_RATE)
    assert calm.reason == "no burn-rate rule fires of those that have traffic in their windows"
    why = "no traffic over {}: there is no burn rate, and no rule on it can fire"
    assert (first.slo, first.reason) == ("a", why.format("5m"))
    assert (second.slo, second.reason) == ("b", why.format("5m and 1h"))
    assert judgement.verdict is ALLOW

    (only,) = found(judged("canary", off, burn_rates=(FAST,)), Rule.BURN_RATE)
    assert only.slo == "b"

    fast = left("1", "d", windows={HOUR: burn("20"), SHORT: burn("20")})
    blocked = judged("canary", awake, asleep, fast, burn_rates=(FAST,))
    assert [(f.slo, f.verdict) for f in found(blocked, Rule.BURN_RATE)] == [
        ("d", BLOCK),
        ("a", ALLOW),
    ]


def test_a_policy_without_burn_rate_rules_says_nothing_of_windows_without_traffic() -> None:
    asleep = left("1", windows={HOUR: lost(Cause.NO_TRAFFIC)})
    assert found(judged("canary", asleep), Rule.BURN_RATE) == []


def test_budgets_without_burn_rates_say_nothing_of_them() -> None:
    for known in (spend(0), left("1")):
        assert found(judged("canary", known, burn_rates=(FAST,)), Rule.BURN_RATE) == []


def test_how_fast_an_allowance_is_spent_is_not_a_matter_of_rules_on_events() -> None:
    spending = replace(spend(0), burn_rates={HOUR: Fraction(1000)})
    calm = left("1", windows=dict.fromkeys((HOUR, SHORT), burn("1")))

    judgement = judged("canary", spending, calm, burn_rates=(FAST,))
    assert said(judgement, Rule.BURN_RATE)[0] is ALLOW


def test_a_policy_without_rules_says_nothing_of_burn_rates() -> None:
    fast = burning(burn("1000"), burn("1000"))
    assert found(judged("canary", fast), Rule.BURN_RATE) == []


@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from([FAST, SLOW]))
def test_a_faster_burn_is_never_judged_milder(tenths: int, more: int, rule: BurnRateRule) -> None:
    def verdict(rate: Fraction) -> Verdict:
        windows = dict.fromkeys((rule.long, rule.short), burn(rate))
        return judged("canary", left("1", windows=windows), burn_rates=(rule,)).verdict

    slow, fast = Fraction(tenths, 2), Fraction(tenths + more, 2)
    order = list(Verdict)
    assert order.index(verdict(slow)) <= order.index(verdict(fast))


def test_the_named_rules_block_where_the_workbook_pages_and_warn_where_it_files_a_ticket() -> None:
    assert NAMED_BURN_RATES == {"google-30d": GOOGLE_30D}
    rules = [(rule.long, rule.short, rule.rate, rule.effect) for rule in GOOGLE_30D]
    # https://sre.google/workbook/alerting-on-slos/, "Multiwindow, Multi-Burn-Rate Alerts".
    assert rules == [
        (HOUR, 5 * MINUTE, Fraction(144, 10), Effect.BLOCK),
        (6 * HOUR, 30 * MINUTE, Fraction(6), Effect.BLOCK),
        (24 * HOUR, 2 * HOUR, Fraction(3), Effect.WARN),
        (timedelta(days=3), 6 * HOUR, Fraction(1), Effect.WARN),
    ]


@pytest.mark.parametrize("action", [Action.WARN, Action.ALLOW])
def test_a_fast_burn_blocks_although_the_budget_could_not_be_measured(action: Action) -> None:
    known = ratio(lost(), {HOUR: burn("20"), SHORT: burn("20")})
    judgement = judged("canary", known, burn_rates=(FAST,), on=ON_BACKEND_ERROR[action])
    assert judgement.verdict is BLOCK
    assert said(judgement, Rule.BURN_RATE)[0] is BLOCK


@pytest.mark.parametrize("short", [lost(), burn("0")])
def test_nothing_more_is_reported_about_the_burn_of_a_budget_that_was_not_measured(
    short: Answer,
) -> None:
    known = ratio(lost(), {HOUR: burn("20"), SHORT: short})
    judgement = judged("canary", known, burn_rates=(FAST,))
    assert found(judgement, Rule.BURN_RATE) == []
    assert judgement.verdict is UNDECIDED


def test_a_burn_rate_that_is_not_known_for_another_cause_is_judged_by_that_cause() -> None:
    lenient = DEFAULT_ACTIONS | {Cause.NO_DATA: Action.ALLOW}
    known = ratio(lost(Cause.NO_DATA), {HOUR: lost(), SHORT: lost()})
    judgement = judged("canary", known, burn_rates=(FAST,), on=lenient)
    assert judgement.verdict is UNDECIDED


@pytest.mark.parametrize(
    "action, verdict", [("block", UNDECIDED), ("warn", ALLOW), ("allow", ALLOW)]
)
def test_that_an_allowance_has_no_burn_rate_is_reported_and_only_a_block_in_on_decides(
    action: str, verdict: Verdict
) -> None:
    on = DEFAULT_ACTIONS | {Cause.NOT_COVERED: Action(action)}
    known = burning(burn("1"), burn("1")), spend(1)

    judgement = judged("canary", *known, burn_rates=(FAST,), on=on)

    assert judgement.verdict is said(judgement, Rule.MEASUREMENT)[0] is verdict
    assert "burn rates: an allowance has none" in said(judgement, Rule.MEASUREMENT)[1]
    assert said(judgement, Rule.BURN_RATE) == (ALLOW, "no burn-rate rule fires")


def test_where_exhaustion_looks_at_an_allowance_nothing_is_reported_about_its_burn_rate() -> None:
    on = DEFAULT_ACTIONS | {Cause.NOT_COVERED: Action.BLOCK}
    watched = judged(
        "canary", spend(1), burn_rates=(FAST,), exhaustion=ExhaustionRule(within=HOUR), on=on
    )

    assert found(watched, Rule.MEASUREMENT) == []
    assert judged("rollback", spend(1), burn_rates=(FAST,), on=on).verdict is ALLOW
    assert judged("canary", spend(1), burn_rates=(), on=on).verdict is ALLOW
