"""The evidence that a run fetches for requirements, and a proposed policy's part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.check.options import Options, StatedEvidence
from gate.check.run import run_check
from gate.config.load import PolicyFile
from gate.config.proposal import ProposedPolicy
from gate.decision.decision import PolicyDecision
from gate.errors import UsageError
from gate.measure import Backend
from gate.policy.findings import Verdict
from gate.policy.policy import Policy
from gate.policy.requirements import (
    Claim,
    EvaluationRequirement,
    Requirement,
    RequirementResult,
    RequirementState,
    ShadowRequirement,
)
from tests.analysis.memory import AT, Memory, Opening, counts, file, slo

EVALUATED = EvaluationRequirement(name="faithfulness", files=("*.json",), at_least=Fraction(9, 10))
SHADOWED = ShadowRequirement(
    by="deployment",
    candidate="shadow",
    against="live",
    slos=(),
    margin=Fraction(1, 10),
    lasting=timedelta(hours=1),
)
FINE = RequirementResult(state=RequirementState.MET, reason="fine")


def requiring(*required: Requirement) -> PolicyFile:
    read = file("chat", slo("a"))
    first, *rest = read.policy.tiers
    tiers = (replace(first, require={"canary": required}), *rest)
    return replace(read, policy=replace(read.policy, tiers=tiers))


@dataclass(slots=True)
class Evidence:
    """Finds everything fine, and remembers what it was asked for."""

    evaluated: list[str] = field(default_factory=list)
    backends: list[Backend] = field(default_factory=list)

    def evaluations(self, policy: Policy, at: datetime) -> Mapping[Requirement, RequirementResult]:
        assert at == AT
        self.evaluated.append(policy.service)
        return {EVALUATED: FINE}

    def shadows(
        self, _policy: Policy, backend: Backend, at: datetime
    ) -> Mapping[Requirement, RequirementResult]:
        assert at == AT
        self.backends.append(backend)
        return {SHADOWED: FINE}


def decided(read: PolicyFile, memory: Memory, **options: Any) -> PolicyDecision:
    opening = Opening({"chat": memory})
    (policy,) = run_check(
        [read], Options(at=AT, change="canary", **options), open_with=opening
    ).policies
    return policy


def memory() -> Memory:
    return Memory({"a": counts(1e6, 0)})


def test_evaluations_and_shadows_are_checked_for_a_policy_that_requires_them() -> None:
    evidence, backend = Evidence(), memory()
    made = decided(
        requiring(EVALUATED, SHADOWED),
        backend,
        evidence=evidence.evaluations,
        shadows=evidence.shadows,
    )
    assert made.verdict is Verdict.ALLOW
    assert [checked.result for checked in made.judgement.requirements] == [FINE, FINE]
    assert (evidence.evaluated, evidence.backends) == (["chat"], [backend])


def test_nothing_is_checked_for_a_policy_of_claims() -> None:
    evidence = Evidence()
    made = decided(
        requiring(Claim(name="shadow")),
        memory(),
        evidence=evidence.evaluations,
        shadows=evidence.shadows,
        satisfied={"shadow": "URL"},
    )
    assert (made.verdict, made.satisfied) == (Verdict.ALLOW, {"shadow": "URL"})
    assert (evidence.evaluated, evidence.backends) == ([], [])


def test_where_nobody_checks_it_is_undecided() -> None:
    made = decided(requiring(EVALUATED, SHADOWED), memory())
    assert made.verdict is Verdict.UNDECIDED
    states = {checked.result.state for checked in made.judgement.requirements}
    assert states == {RequirementState.UNDECIDED}


def test_a_statement_never_meets_what_is_checked_but_where_it_is_all_there_can_be() -> None:
    stated = {"faithfulness": "URL"}
    with pytest.raises(UsageError, match="is checked by its evidence and cannot be stated as met"):
        decided(requiring(EVALUATED), memory(), satisfied=stated)
    made = decided(
        requiring(EVALUATED), memory(), satisfied=stated, evidence=StatedEvidence(stated)
    )
    assert (made.verdict, made.satisfied) == (Verdict.ALLOW, stated)


def test_a_name_that_is_claimed_and_checked_is_stated_for_the_claim_alone() -> None:
    evidence = Evidence()
    twice = Claim(name="faithfulness")
    read = requiring(EVALUATED)
    first, *rest = read.policy.tiers
    tiers = (first, *(replace(tier, require={"rollback": (twice,)}) for tier in rest))
    read = replace(read, policy=replace(read.policy, tiers=tiers))
    made = decided(read, memory(), evidence=evidence.evaluations, satisfied={"faithfulness": "URL"})
    assert (made.verdict, made.satisfied) == (Verdict.ALLOW, {})


@pytest.mark.parametrize(
    ("required", "verdict"),
    [
        ((EVALUATED,), Verdict.ALLOW),
        ((EVALUATED, SHADOWED), Verdict.ALLOW),
        ((replace(EVALUATED, at_least=Fraction(1, 10)),), Verdict.UNDECIDED),
    ],
)
def test_a_proposed_policy_gets_what_was_found_and_asks_for_nothing(
    required: tuple[Requirement, ...], verdict: Verdict
) -> None:
    evidence, backend = Evidence(), memory()
    becomes = ProposedPolicy(policy=requiring(*required).policy, same_backend=True, sha256="1" * 64)
    made = decided(
        replace(requiring(EVALUATED, SHADOWED), proposed=becomes),
        backend,
        evidence=evidence.evaluations,
        shadows=evidence.shadows,
    )
    assert made.verdict is Verdict.ALLOW
    assert made.proposed is not None
    assert made.proposed.verdict is verdict
    assert (evidence.evaluated, evidence.backends) == (["chat"], [backend])
