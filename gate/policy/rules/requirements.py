"""The rule about requirements: checked by evidence, or stated if that is enough."""

from collections.abc import Iterator
from typing import Final

from gate.policy.case import Case
from gate.policy.findings import Finding, Rule
from gate.policy.requirements import (
    CheckedRequirement,
    Claim,
    Requirement,
    RequirementResult,
    RequirementState,
)

_UNCHECKED: Final = RequirementResult(
    state=RequirementState.UNDECIDED, reason="it was not checked here; run gate check for it"
)


def findings(case: Case) -> Iterator[Finding]:
    """Yield for each requirement of the tier whether the change meets it."""
    for checked_requirement in checked(case):
        result = checked_requirement.result
        reason = f"{checked_requirement.requirement.name}: {result.reason}"
        verdict = result.state.verdict
        yield Finding(rule=Rule.REQUIREMENT, slo=None, verdict=verdict, reason=reason)


def checked(case: Case) -> Iterator[CheckedRequirement]:
    """Yield each requirement of the tier with its result.

    A statement never meets a requirement that can be checked. A requirement that was not checked is
    undecided.
    """
    for requirement in case.obligations:
        yield CheckedRequirement(requirement, _result(case, requirement))


def _result(case: Case, requirement: Requirement) -> RequirementResult:
    result = case.past.evidence.get(requirement)
    if result is not None:
        return result
    return _claim(case, requirement) if isinstance(requirement, Claim) else _UNCHECKED


def _claim(case: Case, claim: Claim) -> RequirementResult:
    """Return the result of a claim under the policy."""
    stated, name = case.satisfied.get(claim.name), claim.name
    if stated is not None and case.policy.claims:
        reason = f"claimed, not verified: {stated}"
        return RequirementResult(
            state=RequirementState.CLAIMED, reason=reason, facts={"claim": stated}
        )
    if stated is not None:
        reason = (
            f"it is only claimed ({stated}), and the policy refuses claims: say in the policy how"
            " it is checked, or add claims: allowed"
        )
        return RequirementResult(
            state=RequirementState.NOT_MET, reason=reason, facts={"claim": stated}
        )
    if case.policy.claims:
        reason = f"required first; when it is done, state it as met: {name}=URL"
    else:
        reason = (
            "required first, and nothing checks it: say in the policy how it is checked, or add"
            " claims: allowed"
        )
    return RequirementResult(state=RequirementState.NOT_MET, reason=reason)
