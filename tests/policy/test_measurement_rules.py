from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from gate.budget.assessment import Assessment, Doubt
from gate.budget.composite import assess_composite
from gate.measure import Cause
from gate.policy.findings import Rule, Verdict
from gate.policy.policy import DEFAULT_ACTIONS, DEFAULT_GUARDS, Action
from gate.slo.objective import CompositeSlo, Member
from tests.budget.building import counts, lost, ratio, spend
from tests.policy.building import found, judged, left, said

ALLOW, WARN, UNDECIDED, BLOCK = Verdict
VERDICTS = {Action.BLOCK: UNDECIDED, Action.WARN: WARN, Action.ALLOW: ALLOW}


def unmeasured(cause: Cause) -> dict[str, Assessment]:
    member = ratio(lost(cause), name="m")
    slo = CompositeSlo(name="all", members=(Member(slo="m", weight=Fraction(1)),))
    return {
        "ratio": ratio(lost(cause)),
        "spend": spend(lost(cause)),
        "composite": assess_composite(slo, {"m": member}),
    }


@pytest.mark.crossed
@pytest.mark.parametrize("cause, action", list(product(Cause, Action)))
@pytest.mark.parametrize("kind", ["ratio", "spend", "composite"])
def test_what_is_not_measured_is_what_the_policy_says_of_its_cause(
    cause: Cause, action: Action, kind: str
) -> None:
    # Every other cause is judged otherwise.
    other = Action.ALLOW if action is Action.BLOCK else Action.BLOCK
    on = dict.fromkeys(Cause, other) | {cause: action}
    judgement = judged("rollback", unmeasured(cause)[kind], on=on)
    assert judgement.verdict is said(judgement, Rule.MEASUREMENT)[0] is VERDICTS[action]
    assert judgement.allowed_again_at is None


@pytest.mark.parametrize("cause, action", list(product(Cause, Action)))
def test_a_doubt_is_judged_like_what_was_not_measured(cause: Cause, action: Action) -> None:
    on = dict.fromkeys(Cause, Action.BLOCK) | {cause: action}
    doubtful = replace(left("1"), doubts=(Doubt(cause=cause, reason="why"),))
    judgement = judged("rollback", doubtful, on=on)
    assert judgement.verdict is VERDICTS[action]
    assert [finding.rule for finding in judgement.findings if finding.verdict is ALLOW].count(
        Rule.TIER
    ) == 1


@pytest.mark.parametrize(
    "action, who, verdict, way",
    [
        ("block", "", UNDECIDED, None),
        ("warn", "", WARN, "on.stale"),
        ("allow", "", ALLOW, "on.stale"),
        ("block", "exempt", ALLOW, "on.except"),
        ("warn", "exempt", ALLOW, "on.except"),
        ("allow", "exempt", ALLOW, "on.stale"),
        ("block", "advisory", WARN, "advisory"),
        ("warn", "advisory", WARN, "on.stale"),
        ("allow", "advisory", ALLOW, "on.stale"),
        ("block", "advisory, exempt", ALLOW, "on.except"),
    ],
)
@pytest.mark.parametrize("measured", [True, False])
def test_what_passes_although_it_is_not_known_says_what_lets_it_pass(
    measured: bool, action: str, who: str, verdict: Verdict, way: str | None
) -> None:
    advisory = "advisory" in who
    one = left("1", advisory=advisory) if measured else ratio(lost(), advisory=advisory)
    judgement = judged(
        "rollback",
        replace(one, doubts=(Doubt(cause=Cause.STALE, reason="it is old"),)),
        on=DEFAULT_ACTIONS | {Cause.STALE: Action(action)},
        exempt=frozenset({"rollback"}) if "exempt" in who else frozenset(),
    )
    known = "in doubt" if measured else "nothing was measured"
    expected = f"{known}: it is old; the policy allows that ({way})" if way else "it is old"
    assert said(judgement, Rule.MEASUREMENT) == (verdict, expected)


def test_the_exception_is_for_the_classes_that_it_names() -> None:
    exempt = frozenset({"rollback"})
    assert judged("rollback", ratio(lost()), exempt=exempt).verdict is ALLOW
    assert judged("canary", ratio(lost()), exempt=exempt).verdict is UNDECIDED


def test_the_exception_does_not_reach_what_was_measured() -> None:
    known = (ratio(lost(), name="a"), left("0", "b"))
    assert judged("canary", *known, exempt=frozenset({"canary"})).verdict is BLOCK


def test_every_doubt_of_every_slo_is_found() -> None:
    doubtful = ratio(
        counts(bad=0, total=10, warnings=("A", "B"), coverage=Fraction(3, 5)), name="a"
    )
    judgement = judged("canary", ratio(lost(), name="b"), doubtful)
    findings = [(finding.slo, finding.verdict) for finding in found(judgement, Rule.MEASUREMENT)]
    # Partial twice, low coverage, low traffic; the worst come first.
    assert findings == [
        ("b", UNDECIDED),
        ("a", UNDECIDED),
        ("a", UNDECIDED),
        ("a", WARN),
        ("a", WARN),
    ]


def test_the_defaults_block_whatever_was_not_measured_at_all() -> None:
    # The last is about a rule beside the budget, which is measured.
    lenient = {Cause.LOW_TRAFFIC, Cause.LOW_COVERAGE, Cause.NOT_COVERED}
    assert set(DEFAULT_ACTIONS) == set(Cause)
    for cause, action in DEFAULT_ACTIONS.items():
        assert action is (Action.WARN if cause in lenient else Action.BLOCK)
    assert (DEFAULT_GUARDS.max_age.total_seconds(), DEFAULT_GUARDS.min_coverage) == (
        600,
        Fraction(9, 10),
    )
