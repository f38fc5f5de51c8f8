"""The rule ``exhaustion``: a budget that runs out soon at its current burn rate."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.measure import Answer, Cause
from gate.policy.findings import Rule, Verdict
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rule_settings import Effect, ExhaustionRule
from gate.slo.indicator import Slices
from tests.budget.building import AT, DAY, HOUR, MONTH, counts, lost, ratio, spend
from tests.policy.building import found, judged, left, overspent_composite, said

ALLOW, WARN, UNDECIDED, BLOCK = Verdict
SOON = ExhaustionRule(within=3 * DAY)
STRICT = ExhaustionRule(within=3 * DAY, effect=Effect.BLOCK)
NONE_SOON = (ALLOW, "no budget runs out within 3d at its current rate")


def burn(rate: str | Fraction) -> Answer:
    """A million events at this burn rate of 99.9%."""
    return counts(bad=Fraction(rate) * 1_000, total=1_000_000)


def burning(share: str, rate: str, lately: str | None = None, **fields: Any) -> Assessment:
    """A budget with this share left that burns at this rate over a day, and lately at another."""
    return left(share, windows=both(burn(lately or rate), burn(rate)), **fields)


def both(short: Answer, long: Answer) -> dict[timedelta, Answer]:
    """Return the counts over the windows of a rule that looks 3 days ahead."""
    return {6 * HOUR: short, DAY: long}


@pytest.mark.parametrize(
    "share, rate, fires",
    [
        # 60% of 30 days last 18 days at a rate of 1, and 3 days at 6.
        ("0.6", "6", True),
        ("0.6", "5.999", False),
        ("0.6", "1000", True),
        ("0.6", "0", False),
        # In floats 0.14 / 1.4 of 30 days are 3.0000000000000004.
        ("0.14", "1.4", True),
        ("0.14", "1.399", False),
    ],
)
def test_it_fires_where_what_is_left_lasts_no_longer_exactly(
    share: str, rate: str, fires: bool
) -> None:
    verdict, _ = said(judged("canary", burning(share, rate), exhaustion=SOON), Rule.EXHAUSTION)
    assert verdict is (WARN if fires else ALLOW)


@pytest.mark.parametrize(
    "long, short, fires",
    [("6", "6", True), ("6", "5.9", False), ("5.9", "6", False), ("1000", "0", False)],
)
def test_both_windows_must_agree(long: str, short: str, fires: bool) -> None:
    judgement = judged("canary", burning("0.6", long, short), exhaustion=SOON)
    assert said(judgement, Rule.EXHAUSTION)[0] is (WARN if fires else ALLOW)


@pytest.mark.parametrize(
    "within, short, long",
    [
        (3 * DAY, 6 * HOUR, DAY),
        (DAY, 2 * HOUR, 8 * HOUR),
        (HOUR, timedelta(minutes=5), timedelta(minutes=20)),
        (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(hours=100), timedelta(hours=8, minutes=20), timedelta(hours=33, minutes=20)),
    ],
)
def test_the_windows_are_a_twelfth_and_a_third_of_the_time_that_a_budget_must_last(
    within: timedelta, short: timedelta, long: timedelta
) -> None:
    rule = ExhaustionRule(within=within)
    assert (rule.short, rule.long) == (short, long)


def test_without_traffic_there_is_no_rate_to_carry_on_and_no_objection() -> None:
    asleep = left("0.1", "a", windows=both(lost(Cause.NO_TRAFFIC), burn("9")))
    why = "no traffic over 6h: there is no rate for a forecast"
    alone = judged("canary", asleep, exhaustion=STRICT)
    assert said(alone, Rule.EXHAUSTION) == (ALLOW, why)
    together = judged("full-rollout", asleep, burning("0.6", "40"), exhaustion=STRICT)
    reasons = [(f.slo, f.verdict) for f in found(together, Rule.EXHAUSTION)]
    assert reasons == [("availability", BLOCK), ("a", ALLOW)]
    calm = judged("canary", asleep, burning("0.6", "0"), exhaustion=STRICT)
    assert [f.reason for f in found(calm, Rule.EXHAUSTION)] == [NONE_SOON[1], why]


def test_it_says_how_long_at_which_rate_and_that_a_rolling_window_may_last_longer() -> None:
    judgement = judged("full-rollout", burning("0.6", "12", "14"), exhaustion=SOON)
    (finding,) = found(judgement, Rule.EXHAUSTION)
    assert finding.slo == "availability"
    assert finding.reason == (
        "runs out in about 1d12h at the current burn rate of 12.00 over 1d and 14.00 over 6h, or"
        " later as old failures leave the window; the exhaustion rule is 3d"
    )
    assert judgement.verdict is WARN


@pytest.mark.parametrize(
    "rule, change, advisory, verdict",
    [
        (SOON, "full-rollout", False, WARN),
        (STRICT, "full-rollout", False, BLOCK),
        (STRICT, "full-rollout", True, WARN),
        (STRICT, "bug-fix", False, ALLOW),
        (ExhaustionRule(within=3 * DAY, allow=frozenset()), "rollback", False, WARN),
    ],
)
def test_what_it_does_is_up_to_the_rule_and_the_change(
    rule: ExhaustionRule, change: str, advisory: bool, verdict: Verdict
) -> None:
    known = [
        left("1", "other", windows=both(burn("0"), burn("0"))),
        burning("0.6", "40", advisory=advisory),
    ]
    judgement = judged(change, *known, exhaustion=rule)
    found_verdict, reason = said(judgement, Rule.EXHAUSTION)
    assert judgement.verdict is found_verdict is verdict
    assert reason.endswith(f"; {change} may ship") == (verdict is ALLOW)


@pytest.mark.parametrize(
    "days, fires",
    [
        # On 20 November at 14:00 the month has 10 days and 10 hours to go. At a rate of 2 what is
        # left, 60%, lasts 9 days; at 1.5 it lasts 12.
        ("2", True),
        ("1.5", False),
    ],
)
def test_a_calendar_budget_counts_only_where_it_runs_out_before_the_reset(
    days: str, fires: bool
) -> None:
    rule = ExhaustionRule(within=20 * DAY)
    windows = dict.fromkeys((rule.short, rule.long), burn(days))
    judgement = judged("canary", left("0.6", windows=windows, window=MONTH), exhaustion=rule)
    verdict, reason = said(judgement, Rule.EXHAUSTION)
    assert verdict is (WARN if fires else ALLOW)
    assert "old failures" not in reason


def test_money_runs_out_at_the_mean_rate_of_the_period() -> None:
    # 98 of 100 in 19 days and 14 hours: the last 2 are gone in 9 hours and 35 minutes.
    judgement = judged("canary", spend(98), exhaustion=SOON)
    assert said(judgement, Rule.EXHAUSTION) == (
        WARN,
        "runs out in about 9h35m at the current rate; the exhaustion rule is 3d",
    )


@pytest.mark.parametrize("share", ["0", "-0.5"])
def test_of_what_is_gone_already_the_tier_speaks_alone(share: str) -> None:
    judgement = judged("canary", burning(share, "1000"), exhaustion=STRICT)
    assert found(judgement, Rule.EXHAUSTION) == []
    assert judgement.verdict is BLOCK


def test_a_budget_that_was_not_measured_is_reported_once() -> None:
    known = left("1", windows=both(burn("0"), lost()))
    gone = Assessment(slo=known.slo, doubts=(), burn_rates=known.burn_rates)
    judgement = judged("canary", gone, exhaustion=STRICT)
    assert found(judgement, Rule.EXHAUSTION) == []


@pytest.mark.parametrize("action, verdict", [("block", UNDECIDED), ("warn", WARN)])
def test_a_present_rate_that_is_not_known_is_not_a_calm(action: str, verdict: Verdict) -> None:
    on = DEFAULT_ACTIONS | {Cause.BACKEND_ERROR: Action(action)}
    known = left("1", windows=both(burn("0"), lost()))
    judgement = judged("canary", known, exhaustion=SOON, on=on)
    (finding,) = found(judgement, Rule.MEASUREMENT)
    assert judgement.verdict is finding.verdict is verdict
    assert "when it runs out: burn rate over 1d: http://prom answered 503" in finding.reason
    assert found(judgement, Rule.EXHAUSTION) == []


def test_a_rate_that_was_not_requested_is_not_known() -> None:
    judgement = judged("canary", left("1", windows={6 * HOUR: burn("0")}), exhaustion=SOON)
    (finding,) = found(judgement, Rule.MEASUREMENT)
    assert finding.reason == "when it runs out: burn rate over 1d: it was not requested"


def test_what_ships_anyway_does_not_wait_for_the_rate_to_be_known() -> None:
    judgement = judged("rollback", left("1", windows=both(burn("0"), lost())), exhaustion=SOON)
    assert said(judgement, Rule.EXHAUSTION) == (
        ALLOW,
        "when it runs out: burn rate over 1d: http://prom answered 503; rollback may ship",
    )
    assert judgement.verdict is ALLOW


def test_at_the_very_start_of_a_period_no_rate_of_spending_is_known() -> None:
    start = AT.replace(day=1, hour=0)
    judgement = judged("canary", spend(0, at=start), at=start, exhaustion=SOON)
    (finding,) = found(judgement, Rule.MEASUREMENT)
    assert finding.verdict is UNDECIDED
    assert finding.reason == "when it runs out: the period has only just begun"


def test_a_composite_is_forecast_by_its_members() -> None:
    member, composite = overspent_composite()
    judgement = judged("canary", member, composite, exhaustion=SOON)
    assert {one.slo for one in judgement.findings if "runs out" in one.reason} == {member.slo.name}


def test_that_none_runs_out_is_reported_once_and_without_the_rule_nothing_is() -> None:
    known = burning("0.6", "1"), left("0.9", "b", windows=both(burn("1"), burn("1")))
    assert said(judged("canary", *known, exhaustion=SOON), Rule.EXHAUSTION) == NONE_SOON
    assert found(judged("canary", burning("0.6", "1000")), Rule.EXHAUSTION) == []


@given(
    st.fractions(min_value=Fraction(1, 100), max_value=1, max_denominator=1000),
    st.fractions(min_value=0, max_value=100, max_denominator=1000),
    st.integers(1, 60 * 24),
)
def test_it_fires_exactly_where_the_rate_over_that_time_spends_all_that_is_left(
    share: Fraction, rate: Fraction, hours: int
) -> None:
    rule = ExhaustionRule(within=timedelta(hours=hours))
    windows = dict.fromkeys((rule.short, rule.long), burn(rate))
    judgement = judged("canary", left(share, windows=windows), exhaustion=rule)
    spends_it_all = rate * hours / (30 * 24) >= share
    assert said(judgement, Rule.EXHAUSTION)[0] is (WARN if spends_it_all else ALLOW)


@pytest.mark.parametrize(
    "action, verdict", [("block", UNDECIDED), ("warn", WARN), ("allow", ALLOW)]
)
def test_slices_longer_than_its_windows_have_no_present_rate_and_on_decides(
    action: str, verdict: Verdict
) -> None:
    on = DEFAULT_ACTIONS | {Cause.NOT_COVERED: Action(action)}
    slices = Slices(length=8 * HOUR, target=Fraction(1, 2))
    sliced = ratio(counts(bad=0, total=90), slices=slices)

    judgement = judged("canary", sliced, exhaustion=SOON, on=on)

    assert judgement.verdict is said(judgement, Rule.MEASUREMENT)[0] is verdict
    assert "its slices of 8h are longer than 6h, the window" in said(judgement, Rule.MEASUREMENT)[1]
