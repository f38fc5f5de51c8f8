"""Rounded shares: the verdict is that of every share that may be true, or undecided."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.impact import Impact
from gate.measure import Answer, Cause, Suspicion
from gate.policy.case import Case
from gate.policy.findings import Rule, Verdict
from gate.policy.judge import allowed_now
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rounding import known_tier
from gate.policy.rule_settings import BurnRateRule, Effect, ExhaustionRule, PostmortemRule
from gate.policy.tiers import Condition, Tier, tier_of
from gate.slo.objective import CompositeSlo, Member
from tests.budget.building import (
    AT,
    HOUR,
    MINUTE,
    MONTH,
    ROLLING,
    counts,
    evidence,
    lost,
    objectives,
    ratio,
    share,
    shares,
    spend,
)
from tests.policy.building import CAUTION, EXHAUSTED, HEALTHY, TIERS, found, judged, policy_of, said

MANY = 10**15
"""Events: so many that traffic is never low."""
PAIR = BurnRateRule(long=HOUR, short=5 * MINUTE, rate=Fraction("14.4"), effect=Effect.BLOCK)


def burning(bad: Answer) -> Assessment:
    """A full budget, and the same answer about both windows of a burn-rate rule."""
    windows = {HOUR: bad, 5 * MINUTE: bad}
    return ratio(counts(bad=0, total=MANY), windows)


# 99.9% allows 0.1% to be bad: at 0.05% half of the budget is left.
@pytest.mark.parametrize(
    ("bad", "error", "verdict"),
    [
        ("0.0004", "0.00005", Verdict.ALLOW),  # 55% to 65%
        ("0.0004", "0.0001", Verdict.UNDECIDED),  # 50% to 70%: more than 50% is asked for
        ("0.0004", "0.00009999", Verdict.ALLOW),
        ("0.0006", "0.0001", Verdict.BLOCK),  # 30% to 50%: all of it is in the tier below
        ("0.0006", "0.00010001", Verdict.UNDECIDED),
        ("0.00045", "0.00015", Verdict.UNDECIDED),
        ("0.5", "0.1", Verdict.BLOCK),
        ("0", "0.00049", Verdict.ALLOW),  # no share is below 0
    ],
)
def test_a_threshold_within_what_may_be_left_is_undecided_and_both_ends_belong_to_it(
    bad: str, error: str, verdict: Verdict
) -> None:
    assert judged("model-update", ratio(share(bad, error))).verdict is verdict


def test_what_cannot_be_told_is_reported_with_both_ends_and_what_to_do() -> None:
    judgement = judged("model-update", ratio(share("0.0005", "0.00003")))

    verdict, reason = said(judgement, Rule.MEASUREMENT)

    assert verdict is Verdict.UNDECIDED
    assert reason.startswith(
        "cannot tell: only a rounded share is known, no counts: 0.05% bad, give or take 0.003%;"
        " between 47.0% and 53.0% of the budget is left, which has the threshold 50% inside;"
    )
    assert judgement.tier is None


def test_what_is_rounded_and_changes_nothing_raises_no_finding() -> None:
    judgement = judged("model-update", ratio(share("0.0001", "0.00003")))

    assert found(judgement, Rule.MEASUREMENT) == []
    assert said(judgement, Rule.TIER) == (
        Verdict.ALLOW,
        "between 87.0% and 93.0% of its budget is left; tier healthy (> 50%) allows model-update",
    )


def test_a_class_that_both_tiers_allow_ships_whichever_it_is() -> None:
    judgement = judged("canary", ratio(share("0.0005", "0.00003")))

    assert judgement.verdict is Verdict.ALLOW
    assert judgement.tier is None, "it is not known"
    assert said(judgement, Rule.TIER)[1] == (
        "between 47.0% and 53.0% of its budget is left: in more than one tier"
    )


def test_a_block_that_only_a_part_of_what_may_be_true_gives_is_undecided() -> None:
    judgement = judged("model-update", ratio(share("0.000505", "0.00003")))

    assert judgement.verdict is Verdict.UNDECIDED, "as it is shown it would block"


@pytest.mark.parametrize(
    ("action", "verdict"), [(Action.WARN, Verdict.WARN), (Action.ALLOW, Verdict.ALLOW)]
)
def test_a_policy_may_take_the_share_as_it_is_shown(action: Action, verdict: Verdict) -> None:
    on = DEFAULT_ACTIONS | {Cause.ROUNDED: action}

    assert judged("model-update", ratio(share("0.0004", "0.0003")), on=on).verdict is verdict
    blocked = judged("model-update", ratio(share("0.0006", "0.0003")), on=on)
    assert blocked.verdict is Verdict.BLOCK


def test_an_exempt_class_ships_where_it_cannot_be_told() -> None:
    assessment = ratio(share("0.0006", "0.0003"))
    exempt = frozenset({"model-update"})

    assert judged("model-update", assessment, exempt=exempt).verdict is Verdict.ALLOW


def test_an_advisory_budget_warns_where_it_cannot_be_told() -> None:
    sure = ratio(counts(bad=0, total=MANY), name="sure")
    advisory = ratio(share("0.0004", "0.0003"), advisory=True)

    judgement = judged("model-update", sure, advisory)

    assert judgement.verdict is Verdict.WARN


def test_a_rounded_budget_that_another_outweighs_does_not_matter() -> None:
    gone = ratio(counts(bad=1, total=100), name="gone")

    assert judged("model-update", gone, ratio(share("0.0005", "0.0003"))).verdict is Verdict.BLOCK


def test_two_rounded_budgets_that_matter_are_both_named() -> None:
    both = [ratio(share("0.0005", "0.00003"), name=name) for name in ("a", "b")]

    judgement = judged("model-update", *both)

    named = [finding.slo for finding in found(judgement, Rule.MEASUREMENT)]
    assert (judgement.verdict, named) == (Verdict.UNDECIDED, ["a", "b"])


def test_a_stated_impact_moves_what_may_be_left() -> None:
    # 1% of all traffic fails for 30 days x 0.1: a share of 0.001 of the window, all of the budget.
    impact = Impact(canary=Fraction("0.01"), detect=timedelta(days=1, hours=12))
    # 0.01 x 36 h / (720 h x 0.001) = 50% of the budget.
    assessment = ratio(share("0.0001", "0.00001"), impact=impact)

    assert assessment.stated_cost == Fraction(1, 2)
    assert judged("model-update", assessment).verdict is Verdict.BLOCK
    _, reason = said(judged("model-update", assessment), Rule.TIER)
    assert reason.startswith(
        "between 39.0% and 41.0% of its budget is left, after the impact of 50.0%;"
    )


@pytest.mark.parametrize(
    ("bad", "error", "verdict"),
    [
        ("0.0140", "0.0003", Verdict.ALLOW),
        ("0.0140", "0.0004", Verdict.UNDECIDED),  # 14.4 is reached at the end
        ("0.0150", "0.0006", Verdict.BLOCK),  # 14.4 to 15.6 fires in any case
        ("0.0150", "0.0007", Verdict.UNDECIDED),
    ],
)
def test_a_rounded_burn_rate_with_the_rule_inside_is_not_calm(
    bad: str, error: str, verdict: Verdict
) -> None:
    judgement = judged("model-update", burning(share(bad, error)), burn_rates=(PAIR,))

    assert judgement.verdict is verdict


def test_a_rounded_burn_rate_is_reported_with_both_ends() -> None:
    judgement = judged("model-update", burning(share("0.014", "0.0005")), burn_rates=(PAIR,))

    assert said(judgement, Rule.MEASUREMENT)[1].startswith(
        "cannot tell: a burn rate is known as a rounded share only; burn rate over 5m: between"
        " 13.50 and 14.50; burn rate over 1h: between 13.50 and 14.50; wait"
    )


def test_a_rounded_burn_rate_matters_beside_a_budget_that_is_not_known() -> None:
    windows = {HOUR: share("0.014", "0.0005"), 5 * MINUTE: share("0.014", "0.0005")}
    on = DEFAULT_ACTIONS | {Cause.BACKEND_ERROR: Action.ALLOW}

    judgement = judged("model-update", ratio(lost(), windows), burn_rates=(PAIR,), on=on)

    assert judgement.verdict is Verdict.UNDECIDED


def test_a_budget_that_may_be_about_to_be_gone_may_run_out_soon() -> None:
    # 0.1% to 0.12% bad is gone; just below, what is left runs out at once. Every tier allows it.
    tiers = (Tier(name="all", condition=None, allow=None),)
    rule = ExhaustionRule(within=3 * HOUR, effect=Effect.BLOCK)
    windows = {rule.short: counts(bad=1, total=1000), rule.long: counts(bad=1, total=1000)}
    assessment = ratio(share("0.0009", "0.0003"), windows)

    judgement = judged("model-update", assessment, tiers=tiers, exhaustion=rule)

    assert judgement.verdict is Verdict.UNDECIDED


def composite(*members: Assessment) -> Assessment:
    parts = tuple(Member(slo=member.slo.name, weight=Fraction(1, 2)) for member in members)
    slo = CompositeSlo(name="all", members=parts)
    return assess_composite(slo, {member.slo.name: member for member in members})


def test_a_composite_is_as_rounded_as_its_members() -> None:
    rounded = ratio(share("0.0004", "0.0001"), name="a")
    exact = ratio(counts(bad=0, total=MANY), name="b")

    whole = composite(rounded, exact)

    # The half of what the one has consumed, 40% give or take 10%.
    assert whole.remaining == Fraction("0.8")
    assert whole.rounding == (Fraction("0.75"), Fraction("0.85"))
    assert composite(exact, exact).rounding is None


def test_a_composite_whose_members_are_too_coarse_cannot_be_told() -> None:
    tiers = (Tier(name="most", condition=Condition(">", Fraction("0.8")), allow=None), EXHAUSTED)
    parts = [ratio(share("0.0001", "0.00005"), name=name) for name in ("a", "b")]
    whole = composite(ratio(share("0.0004", "0.0001"), name="a"), *parts[1:])
    members = (ratio(share("0.0001", "0.00001"), name="a"), parts[1])

    judgement = judged("model-update", *members, whole, tiers=tiers)

    (finding,) = found(judgement, Rule.MEASUREMENT)
    assert (finding.slo, finding.verdict) == ("all", Verdict.UNDECIDED)
    assert "members are known as rounded shares only" in finding.reason


def test_an_amount_has_no_rounding() -> None:
    assert spend(10).rounding is None


@pytest.mark.parametrize(
    ("bad", "tier"),
    [("0.0004", HEALTHY), ("0.00045", None), ("0.0006", CAUTION), ("0.00055", None)],
)
def test_a_tier_is_known_where_all_that_may_be_left_is_in_it(bad: str, tier: Tier | None) -> None:
    assert known_tier(TIERS, ratio(share(bad, "0.00006"))) is tier


def test_of_nothing_measured_no_tier_is_known() -> None:
    assert known_tier(TIERS, ratio(lost())) is None


WINDOWS = st.sampled_from([ROLLING, MONTH])
CHANGES = st.sampled_from(["model-update", "canary", "experiment", "rollback"])
OPERATORS = st.sampled_from([">", ">="])
CLASSES = st.sampled_from([None, frozenset({"canary", "experiment"}), frozenset({"rollback"})])


@st.composite
def any_tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Tiers with any thresholds that allow any classes, the lower ones perhaps more."""
    thresholds = draw(
        st.lists(st.fractions(-3, 1, max_denominator=100), min_size=1, max_size=4, unique=True)
    )
    bands = [
        Tier(
            name=f"tier-{place}",
            condition=Condition(draw(OPERATORS), threshold),
            allow=draw(CLASSES),
            warn=draw(st.sampled_from([frozenset[str](), frozenset({"experiment"})])),
        )
        for place, threshold in enumerate(sorted(thresholds, reverse=True))
    ]
    return (*bands, Tier(name="last", condition=None, allow=draw(CLASSES)))


@given(
    bad=shares,
    off=st.tuples(
        st.fractions(Fraction(1, 10**6), Fraction(1, 10), max_denominator=10**6),
        st.fractions(-1, 1, max_denominator=1000),
    ),
    promise=st.fixed_dictionaries({"objective": objectives, "window": WINDOWS}),
    tiers=any_tiers(),
    change=CHANGES,
)
def test_the_verdict_is_that_of_every_share_that_may_be_true_or_undecided(
    bad: Fraction,
    off: tuple[Fraction, Fraction],
    promise: dict[str, Any],
    tiers: Sequence[Tier],
    change: str,
) -> None:
    error, place = off

    def truth(share_of_bad: Fraction) -> Assessment:
        share_of_bad = min(max(share_of_bad, Fraction(0)), Fraction(1))
        counted = counts(bad=share_of_bad * MANY, total=MANY)
        return ratio(counted, **promise)

    rounded = ratio(share(bad, error), **promise)

    verdict = judged(change, rounded, tiers=tiers).verdict

    true = judged(change, truth(bad + place * error), tiers=tiers).verdict
    ends = [truth(bad - error), truth(bad + error)]
    assert verdict in {true, Verdict.UNDECIDED}
    low, high = sorted(end.remaining or Fraction(0) for end in ends)
    assert rounded.rounding == (low, high)
    if verdict is Verdict.UNDECIDED:
        edges = {each.condition.threshold for each in tiers if each.condition}
        inside = sorted({low, high} | {edge for edge in edges if low <= edge <= high})
        points = [*inside, *((one + other) / 2 for one, other in pairwise(inside))]
        allowed = {
            (tier_of(tiers, point).allows(change), change in tier_of(tiers, point).warn)
            for point in points
        }
        assert len(allowed) > 1, "undecided without a reason"


@given(
    answers=st.lists(
        st.tuples(shares, st.fractions(0, Fraction(1, 100), max_denominator=10**5)),
        min_size=1,
        max_size=4,
    ),
    places=st.lists(st.fractions(-1, 1, max_denominator=100), min_size=4, max_size=4),
    change=CHANGES,
)
def test_several_rounded_budgets_have_the_verdict_of_all_that_may_be_true_or_none(
    answers: list[tuple[Fraction, Fraction]], places: list[Fraction], change: str
) -> None:
    def truth(bad: Fraction) -> Answer:
        return counts(bad=min(max(bad, Fraction(0)), Fraction(1)) * MANY, total=MANY)

    rounded = [
        ratio(share(bad, error), name=f"slo-{at}", objective="0.9")
        for at, (bad, error) in enumerate(answers)
    ]
    true = [
        ratio(truth(bad + place * error), name=f"slo-{at}", objective="0.9")
        for at, ((bad, error), place) in enumerate(zip(answers, places, strict=False))
    ]

    verdict = judged(change, *rounded).verdict

    assert verdict in {judged(change, *true).verdict, Verdict.UNDECIDED}


def test_the_evidence_of_a_share_is_that_of_its_answer() -> None:
    assert ratio(share("0.1", "0.01")).evidence == evidence()


def test_of_many_that_cannot_be_told_the_first_settles_what_ships_now() -> None:
    known = [ratio(share("0.0005", "0.00003"), name=name) for name in ("a", "b")]
    case = Case(policy=policy_of(known), assessments=known, change="canary", at=AT)

    # Both tiers allow a canary, and only the better one all the rest.
    assert allowed_now(case) == ("canary", "config-change", "rollback", "security-patch")


def test_what_ships_now_is_asked_of_suspicions_as_well() -> None:
    doubt = Suspicion(cause=Cause.LOST, reason="r", remedy="m", hidden=Fraction(10**9))
    known = [ratio(counts(bad=0, total=10**6, suspicions=(doubt,)))]
    case = Case(policy=policy_of(known), assessments=known, change="canary", at=AT)

    assert allowed_now(case) == ("rollback",)


@pytest.mark.parametrize(
    ("within", "verdict"), [(HOUR, Verdict.ALLOW), (timedelta(days=20), Verdict.UNDECIDED)]
)
def test_a_budget_that_may_run_out_in_time_is_undecided(
    within: timedelta, verdict: Verdict
) -> None:
    # 60% to 80% of 30 days at a burn rate of 1: 18 to 24 days.
    rule = ExhaustionRule(within=within, effect=Effect.BLOCK)
    windows = {rule.short: counts(bad=1, total=1000), rule.long: counts(bad=1, total=1000)}
    assessment = ratio(share("0.0003", "0.0001"), windows)

    assert judged("model-update", assessment, exhaustion=rule).verdict is verdict


def test_reviewed_incidents_are_tried_with_everything_that_may_be_true() -> None:
    rule = PostmortemRule(
        share=Fraction(1, 5), threshold=Fraction(6), patterns=("incidents/*.yaml",), records=()
    )
    judgement = judged("canary", ratio(share("0.0001", "0.00001")), postmortems=rule)

    assert judgement.verdict is Verdict.UNDECIDED
    assert [f.cause for f in found(judgement, Rule.MEASUREMENT)] == [Cause.NO_DATA]


def test_only_what_matters_is_named() -> None:
    coarse = ratio(share("0.0005", "0.00003"), name="coarse")
    windows = {HOUR: share("0.001", "0.0001"), 5 * MINUTE: share("0.001", "0.0001")}
    slow = ratio(counts(bad=0, total=MANY), windows, name="slow")

    judgement = judged("model-update", coarse, slow, burn_rates=(PAIR,))

    assert [f.slo for f in found(judgement, Rule.MEASUREMENT)] == ["coarse"]


def test_a_rounded_burn_rate_without_a_rule_does_not_matter() -> None:
    assert judged("model-update", burning(share("0.0144", "0.01"))).verdict is Verdict.ALLOW


def test_a_narrow_tier_between_the_ends_is_tried_as_well() -> None:
    # 40% to 65% are left, and only from 58% to 60% an experiment may not ship.
    tiers = (
        Tier(name="most", condition=Condition(">", Fraction("0.6")), allow=None),
        Tier(name="odd", condition=Condition(">", Fraction("0.58")), allow=frozenset({"rollback"})),
        Tier(name="rest", condition=None, allow=None),
    )
    assessment = ratio(share("0.000475", "0.000125"))

    assert judged("experiment", assessment, tiers=tiers).verdict is Verdict.UNDECIDED
    assert judged("rollback", assessment, tiers=tiers).verdict is Verdict.ALLOW
