"""Requirements for a shadow deployment: the requests to the backend, and their results."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from gate.check.shadow_checks import (
    NotComparedError,
    ShadowPart,
    both_deployments,
    checked_pairs,
    doubted_failures,
)
from gate.check.shadow_words import ComparedSlo, result_of, undecided
from gate.history.cohorts import Pair
from gate.history.shadow import ShadowTest, compare_paired, compare_unpaired
from gate.measure import Answer, Backend
from gate.measure.capabilities import cohorts_of, counting, pairs_of
from gate.measure.pairing import PairAnswer
from gate.policy.policy import Policy
from gate.policy.requirements import RequirementResult, ShadowRequirement
from gate.policy.shadows import shadow_slos, shadow_step, why_no_shadow
from gate.slo.objective import Span


def judge_shadows(
    policy: Policy, requirements: Sequence[ShadowRequirement], backend: Backend, at: datetime
) -> dict[ShadowRequirement, RequirementResult]:
    """Return the result of each requirement, from the backend's data up to an instant.

    All requests are sent together: for the evidence of the counts, for the events of both
    deployments, and, if requests are paired, for the outcomes of each request and its copy.

    Args:
        policy: the policy with the SLOs.
        requirements: the requirements of its tiers.
        backend: the backend of the policy. Requests that it cannot answer are undecided.
        at: the instant of the run.
    """
    results, parts = dict[ShadowRequirement, RequirementResult](), list[ShadowPart]()
    for requirement in dict.fromkeys(requirements):
        reason = why_no_shadow(policy.slos, requirement) or _why_not(policy, backend, requirement)
        if reason is None:
            parts += _parts(policy, requirement, at)
        else:
            results[requirement] = undecided(reason)
    compared: dict[ShadowRequirement, list[ComparedSlo]] = {}
    if parts:
        for part, slo in zip(parts, _compare(policy, parts, backend, at), strict=True):
            compared.setdefault(part.requirement, []).append(slo)
    for requirement, slos in compared.items():
        results[requirement] = result_of(requirement, slos)
    return results


def _why_not(policy: Policy, backend: Backend, requirement: ShadowRequirement) -> str | None:
    """Say why the backend of an SLO cannot compare the two; None: each can."""
    for slo in shadow_slos(policy.slos, requirement):
        own, whose = counting(backend, slo.sli), f"the backend {slo.sli.backend}".rstrip()
        if cohorts_of(own) is None:
            return (
                f"{whose} cannot separate requests by {requirement.by}; measure the SLOs with"
                " Prometheus or request logs"
            )
        if requirement.pair_by is not None and pairs_of(own) is None:
            return (
                f"requests can be paired by {requirement.pair_by} only in request logs, which have"
                " single requests; leave out pair_by, or measure the SLOs with a"
                " backend of the type logs"
            )
    return None


def _parts(policy: Policy, requirement: ShadowRequirement, at: datetime) -> Iterator[ShadowPart]:
    step = shadow_step(requirement.lasting)
    span = Span(at - -(-requirement.lasting // step) * step, at)
    for slo in shadow_slos(policy.slos, requirement):
        yield ShadowPart(requirement=requirement, slo=slo, span=span, step=step)


def _compare(
    policy: Policy, parts: Sequence[ShadowPart], backend: Backend, at: datetime
) -> Iterator[ComparedSlo]:
    """Query the backend, which can separate both, and compare each SLO, in order."""
    grouping, pairing = cohorts_of(backend), pairs_of(backend)
    evidence = backend.measure([part.evidence for part in parts], at)
    # Steps are as exact as the whole time only if the backend sees single requests.
    inexact = [
        place
        for place, part in enumerate(parts)
        if pairs_of(counting(backend, part.slo.sli)) is None
    ]
    requests = [*(part.cohorts for part in parts), *(parts[place].whole for place in inexact)]
    cohorts = grouping.cohorts(requests) if grouping else []
    wholes = dict(zip(inexact, cohorts[len(parts) :], strict=False))
    wanted = {
        place: part.pairs(part.requirement.pair_by)
        for place, part in enumerate(parts)
        if part.requirement.pair_by is not None
    }
    answers = pairing.pairs(list(wanted.values())) if pairing and wanted else []
    pairs = dict(zip(wanted, answers, strict=True))
    for place, (part, counts) in enumerate(zip(parts, evidence, strict=True)):
        try:
            whole = [wholes[place]] if place in wholes else []
            both = both_deployments(policy, part, [cohorts[place], *whole])
            yield _compared(policy, part, both, counts, pairs.get(place))
        except NotComparedError as why:
            yield ComparedSlo(slo=part.slo.name, why=str(why))


def _compared(
    policy: Policy, part: ShadowPart, both: Pair, counts: Answer, paired: PairAnswer | None
) -> ComparedSlo:
    doubted = doubted_failures(policy, part, counts)
    test = ShadowTest(
        allowed=float(part.requirement.margin * part.slo.budget),
        effect=float(part.slo.design_effect),
        comparisons=len(shadow_slos(policy.slos, part.requirement)),
        doubted=doubted,
    )
    pairs = None if paired is None else checked_pairs(part, paired)
    comparison = compare_unpaired(both, test) if pairs is None else compare_paired(pairs, test)
    return ComparedSlo(slo=part.slo.name, comparison=comparison, pairs=pairs, doubt=doubted.reason)
