"""The checks that were not made, or need not be made, each with the reason."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from gate.backends.prometheus.doctor.slo_check import SloCheck
from gate.backends.prometheus.evidence.births import BirthWitness
from gate.backends.prometheus.evidence.contradiction import ContradictionWitness
from gate.backends.prometheus.evidence.unmatched import UnmatchedWitness
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.query import Role
from gate.measure import Answer, Unmeasured
from gate.measure.diagnosis import Check, CheckResult, SkippedCheck

EXPECTED: Final = (
    Check.METRIC,
    Check.LABELS,
    Check.BOUNDARY,
    Check.ONE_NUMBER,
    Check.WITHIN_TOTAL,
    Check.COUNTED,
    Check.PARTIAL,
    Check.COUNTER,
    Check.BORN,
    Check.CONTRADICTED,
    Check.VALUES,
    Check.MOVING,
    Check.COVERAGE,
    Check.GAPS,
    Check.FRESHNESS,
    Check.REPLICAS,
    Check.SOURCES,
)
"""The checks that each SLO needs; a check that is not made has a reason."""
_REASONS: Final = {
    Check.BOUNDARY: "no boundary of a histogram is named",
    Check.COUNTER: "no increase of a counter is taken",
    Check.VALUES: "no buckets of a histogram are counted",
    Check.MOVING: "no increase of a counter is taken, and no gauge",
}
_NO_METRIC: Final = "no metric is named"
_WITNESSES: Final = (
    (Check.LABELS, UnmatchedWitness, "no label distinguishes bad events from others"),
    (Check.BORN, BirthWitness, "no increase of a counter is taken"),
    (Check.CONTRADICTED, ContradictionWitness, "no label of the total shows how events ended"),
)
"""The witnesses that search for the suspicions of `gate check`, by check."""
_OF_EVIDENCE: Final = frozenset(check for check, _, _ in _WITNESSES)
_ALWAYS: Final = frozenset({Check.COUNTED, Check.PARTIAL, Check.ONE_NUMBER, Check.WITHIN_TOTAL})


def not_applicable(planned: Plan, checks: Sequence[SloCheck]) -> Iterator[SkippedCheck]:
    """Yield the checks that do not apply, because the indicator has no such part."""
    made = {check.check for check in checks} | {Check.GAPS} | _ALWAYS | _OF_EVIDENCE
    for check in EXPECTED:
        if check not in made:
            yield SkippedCheck(check=check, reason=_REASONS.get(check, _NO_METRIC))
    if Role.TOTAL not in planned.parts:
        yield SkippedCheck(check=Check.WITHIN_TOTAL, reason="no total is named")


def looked_for(
    planned: Plan, count: Answer, doubted: Collection[Check]
) -> Iterator[CheckResult | SkippedCheck]:
    """Yield the checks whose suspicions `gate check` searched for and did not find.

    Args:
        planned: the plan with its witnesses.
        count: the count, without which nothing was searched for.
        doubted: the checks with a suspicion.
    """
    if isinstance(count, Unmeasured):
        return
    witnesses = planned.evidence.witnesses if planned.evidence is not None else ()
    for check, kind, reason in _WITNESSES:
        if check in doubted:
            continue
        if any(isinstance(witness, kind) for witness in witnesses):
            yield CheckResult(check=check, examined=planned.query)
        else:
            yield SkippedCheck(check=check, reason=reason)
