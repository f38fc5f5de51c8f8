"""The rule that nothing may break: a pass must be proved."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.impact import Impact
from gate.measure import Answer, Cause, Unmeasured
from gate.policy.case import Case
from gate.policy.changes import BUILT_IN_CHANGES
from gate.policy.findings import Rule, Verdict, worst
from gate.policy.judge import allowed_now, judge
from gate.policy.policy import Action
from gate.policy.rule_settings import GOOGLE_30D, Freeze
from gate.slo.objective import Bound, CompositeSlo, Member
from tests.budget.building import (
    AT,
    MONTH,
    ROLLING,
    counts,
    counts_of,
    evidence,
    lost,
    ratio,
    spend,
)
from tests.policy.building import DONE, policy_of

# A case has many parts: drawing one takes its time on a busy machine.
patient = settings(suppress_health_check=[HealthCheck.too_slow])
SEVERITY = list(Verdict)
PASSING = {Verdict.ALLOW, Verdict.WARN}
BURN_WINDOWS = sorted({window for rule in GOOGLE_30D for window in (rule.long, rule.short)})
changes = st.sampled_from(sorted(BUILT_IN_CHANGES))
unmeasured = st.sampled_from(Cause).map(lost)
on_tables = st.fixed_dictionaries({cause: st.sampled_from(Action) for cause in Cause})
measured = counts_of(st.integers(1, 10**6)).flatmap(
    lambda answer: st.builds(
        evidence,
        newest=st.sampled_from([None, AT, AT - timedelta(hours=1)]),
        coverage=st.sampled_from([None, Fraction(1), Fraction(1, 2)]),
        warnings=st.sampled_from([(), ("a part is missing",)]),
    ).map(lambda known: replace(answer, evidence=known))
)
answers: st.SearchStrategy[Answer] = measured | unmeasured
windows: st.SearchStrategy[dict[timedelta, Answer]] = st.just({}) | st.fixed_dictionaries(
    dict.fromkeys(BURN_WINDOWS, counts_of(st.integers(1, 1000)) | unmeasured)
)
impacts = st.none() | st.just(Impact(canary=Fraction(1, 10)))


@st.composite
def assessments(draw: st.DrawFn, advisory: bool = False) -> tuple[Assessment, ...]:
    """Up to four ratio SLOs, perhaps an allowance, perhaps a composite of all ratio SLOs."""
    impact = draw(impacts)
    ratios = [
        ratio(
            draw(answers),
            draw(windows),
            impact=impact,
            name=f"slo-{place}",
            objective=draw(st.sampled_from(["0.9", "0.99", "0.999"])),
            window=draw(st.sampled_from([ROLLING, MONTH])),
            sampled=draw(st.none() | st.sampled_from(Bound)),
            advisory=advisory and draw(st.booleans()),
        )
        for place in range(draw(st.integers(1, 4)))
    ]
    known = list(ratios)
    if draw(st.booleans()):
        known.append(spend(draw(unmeasured | st.integers(0, 150))))
    if draw(st.booleans()):
        members = tuple(Member(slo=one.slo.name, weight=Fraction(1, 2)) for one in ratios)
        slo = CompositeSlo(name="all", members=members)
        known.append(assess_composite(slo, {one.slo.name: one for one in ratios}))
    return tuple(known)


def verdict(case: Case, **fields: Any) -> Verdict:
    """Return the verdict of the policy, with these fields changed, when all is satisfied."""
    policy = replace(case.policy, **fields)
    return judge(replace(case, policy=policy, satisfied=DONE)).verdict


@st.composite
def cases(draw: st.DrawFn, advisory: bool = False) -> Case:
    known = draw(assessments(advisory))
    policy = policy_of(
        known,
        on=draw(on_tables),
        burn_rates=draw(st.sampled_from([(), GOOGLE_30D])),
        freezes=draw(
            st.just(())
            | st.just((Freeze(start=AT, end=AT + timedelta(1), reason="r", allow=frozenset()),))
        ),
    )
    return Case(policy=policy, assessments=known, change=draw(changes), at=AT)


@patient
@given(cases())
def test_what_was_not_measured_never_passes_where_the_policy_blocks_it(case: Case) -> None:
    blocking = [
        doubt
        for one in case.assessments
        for doubt in one.doubts
        if case.policy.on[doubt.cause] is Action.BLOCK
    ]
    if blocking:
        assert verdict(case) not in PASSING
    not_told = [one for one in case.assessments if not one.measured]
    assert all(one.doubts for one in not_told)


@patient
@given(cases())
def test_a_pass_means_that_every_budget_is_measured_or_the_policy_lets_its_cause_pass(
    case: Case,
) -> None:
    strict = dict.fromkeys(Cause, Action.BLOCK)
    if verdict(case, on=strict) in PASSING:
        assert all(one.measured and not one.doubts for one in case.assessments)


@patient
@given(cases())
def test_a_burn_rate_that_is_not_known_never_passes_where_the_policy_blocks_it(
    case: Case,
) -> None:
    for one in case.assessments:
        burns = one.burn_rates
        for rule in case.policy.burn_rates if burns else ():
            pair = [burns[rule.long], burns[rule.short]]
            unknown = [burn for burn in pair if isinstance(burn, Unmeasured)]
            slower = any(isinstance(burn, Fraction) and burn < rule.rate for burn in pair)
            if not slower and any(case.policy.on[b.cause] is Action.BLOCK for b in unknown):
                assert verdict(case) not in PASSING


@patient
@given(cases(advisory=True))
def test_the_verdict_is_the_worst_finding_and_the_worst_come_first(case: Case) -> None:
    judgement = judge(case)
    verdicts = [finding.verdict for finding in judgement.findings]
    assert judgement.verdict is worst(verdicts)
    places = [SEVERITY.index(verdict) for verdict in verdicts]
    assert places == sorted(places, reverse=True)
    assert judgement.allowed_again_at is None or judgement.verdict not in PASSING
    assert judgement.allowed_again_at is None or judgement.allowed_again_at > AT


@patient
@given(cases(), cases())
def test_one_more_slo_never_makes_a_verdict_milder(case: Case, other: Case) -> None:
    more = tuple(
        replace(one, slo=replace(one.slo, name=f"more-{one.slo.name}")) for one in other.assessments
    )
    both = replace(case, assessments=(*case.assessments, *more))
    assert SEVERITY.index(verdict(both)) >= SEVERITY.index(verdict(case))


@patient
@given(cases(), st.sampled_from(Cause), st.sampled_from(Action))
def test_a_stricter_word_for_a_cause_never_makes_a_verdict_milder(
    case: Case, cause: Cause, action: Action
) -> None:
    order = [Action.ALLOW, Action.WARN, Action.BLOCK]
    table = {**case.policy.on, cause: action}
    milder, stricter = sorted([case.policy.on[cause], action], key=order.index)
    mild = verdict(case, on={**table, cause: milder})
    strict = verdict(case, on={**table, cause: stricter})
    assert SEVERITY.index(strict) >= SEVERITY.index(mild)


@patient
@given(cases(advisory=True))
def test_what_is_allowed_now_is_what_would_ship_now(case: Case) -> None:
    allowed = allowed_now(case)
    assert list(allowed) == sorted(allowed)
    for change in BUILT_IN_CHANGES:
        alone = judge(replace(case, change=change)).verdict
        assert (change in allowed) == (alone in PASSING)


@patient
@given(st.lists(unmeasured, min_size=1, max_size=3), changes)
def test_by_default_nothing_ships_that_was_not_measured(
    causes: list[Unmeasured], change: str
) -> None:
    known = tuple(ratio(answer, name=f"slo-{place}") for place, answer in enumerate(causes))
    case = Case(policy=policy_of(known), assessments=known, change=change, at=AT)
    lenient = {Cause.LOW_TRAFFIC, Cause.LOW_COVERAGE, Cause.NOT_COVERED}
    only_lenient = {answer.cause for answer in causes} <= lenient
    assert judge(case).verdict is (Verdict.WARN if only_lenient else Verdict.UNDECIDED)


@patient
@given(changes)
def test_no_budget_at_all_is_undecided(change: str) -> None:
    case = Case(policy=policy_of(()), assessments=(), change=change, at=AT)
    judgement = judge(case)
    assert (judgement.verdict, judgement.findings) == (Verdict.UNDECIDED, ())
    assert allowed_now(case) == ()


def test_an_allowed_change_has_the_finding_that_proves_it() -> None:
    known = ratio(counts(bad=1, total=10**6))
    judgement = judge(Case(policy=policy_of([known]), assessments=[known], change="canary", at=AT))
    assert [(f.rule, f.verdict) for f in judgement.findings] == [(Rule.TIER, Verdict.ALLOW)]
