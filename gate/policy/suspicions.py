"""The effect of a suspicion about a count: it matters only if it could change the verdict."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from gate.budget.assessment import Assessment, Doubt
from gate.measure import Suspicion
from gate.policy.case import Case
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rounding import VerdictOf
from gate.slo.objective import CompositeSlo
from gate.wording import budget_between


def suspicion_findings(case: Case, verdict_of: VerdictOf) -> Iterator[Finding]:
    """Yield a finding for every suspicion about a count.

    The policy's ``on`` decides about a suspicion that could change the verdict; any other is
    reported and lets the change pass.
    """
    if not any(assessment.suspicions for assessment in case.assessments):
        return
    decisive = _decisive(case, verdict_of)
    for assessment in case.assessments:
        for suspicion in assessment.suspicions:
            between = left_between(assessment)
            parts = filter(None, [suspicion.reason, between, suspicion.remedy])
            doubt = Doubt(cause=suspicion.cause, reason="; ".join(parts))
            if assessment.slo.name in decisive:
                yield case.doubted(assessment, doubt)
            else:
                yield _harmless(assessment, suspicion)


def left_between(assessment: Assessment) -> str | None:
    """Return the bounds of the remaining share that hold whether or not the suspicions are true.

    None without suspicions, and if any number of events may be hidden.
    """
    worst, best = assessment.worst_case, assessment.best_case
    if worst is None or best is None or worst.remaining is None or best.remaining is None:
        return None
    if any(None in {suspicion.hidden, suspicion.doubtful} for suspicion in assessment.suspicions):
        return None
    return budget_between(worst.remaining, best.remaining)


def _harmless(assessment: Assessment, suspicion: Suspicion) -> Finding:
    reason = f"in doubt: {suspicion.reason}; the verdict would be the same: {suspicion.remedy}"
    return Finding(
        rule=Rule.MEASUREMENT, slo=assessment.slo.name, verdict=Verdict.ALLOW, reason=reason
    )


def _decisive(case: Case, verdict_of: VerdictOf) -> Collection[str]:
    """Return the SLOs whose suspicions could change the verdict.

    Each SLO is tried by itself. If none of them changes the verdict alone but all of them together
    do, all matter.
    """
    verdict = verdict_of(case)

    def matters(names: Collection[str]) -> bool:
        return any(verdict_of(other) is not verdict for other in _alternatives(case, names))

    names = [assessment.slo.name for assessment in case.assessments if assessment.suspicions]
    alone = [name for name in names if matters([name])]
    return names if not alone and matters(names) else alone


def _alternatives(case: Case, names: Collection[str]) -> Iterator[Case]:
    """Yield the case with the worst possible budgets of these SLOs, and the case with the best."""
    suspected = [_depends_on(assessment, names) for assessment in case.assessments]
    chosen = list(zip(case.assessments, suspected, strict=True))
    yield replace(case, assessments=[a.worst_case or a if there else a for a, there in chosen])
    yield replace(case, assessments=[a.best_case or a if there else a for a, there in chosen])


def _depends_on(assessment: Assessment, names: Collection[str]) -> bool:
    """Return whether a budget is that of one of these SLOs, or of a composite of one of them."""
    slo = assessment.slo
    members = (
        {member.slo for member in slo.members} if isinstance(slo, CompositeSlo) else {slo.name}
    )
    return not members.isdisjoint(names)
