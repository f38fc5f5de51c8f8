"""Requirements for a shadow deployment: the requests to the backend, and their results."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends import cohorts_of, counting, pairs_of
from gate.check.shadow_words import (
    ComparedSlo,
    absent,
    missing_value,
    result_of,
    too_many_alone,
    undecided,
)
from gate.dataclass import dataclass
from gate.history.cohorts import FEWEST_STEPS, Arm, Pair, arm, fewest_steps
from gate.history.shadow import (
    Doubted,
    ShadowTest,
    as_counted,
    compare_paired,
    compare_unpaired,
    missing_steps,
)
from gate.measure import Answer, Backend, Cause, CountRequest, Unmeasured
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest
from gate.measure.pairing import PairAnswer, PairRequest, Pairs
from gate.measure.remedies import remedy_of, with_advice
from gate.policy.policy import Policy
from gate.policy.requirements import RequirementResult, ShadowRequirement
from gate.policy.shadows import shadow_slos, shadow_step, why_no_shadow
from gate.slo.objective import RatioSlo, Span
from gate.slo.quantities import format_duration
from gate.wording import instant

_MOST: Final = 1000
"""The maximum number of the label's values that are kept separate: more than a service has
deployments."""
MOST_ALONE: Final = 0.05
"""The maximum share of either side's requests without a pair."""
_CORRECT: Final = "correct by or pair_by, or the indicator of the SLO"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One SLO of one requirement."""

    requirement: ShadowRequirement
    slo: RatioSlo
    span: Span
    step: timedelta

    @property
    def cohorts(self) -> CohortRequest:
        """The history requests about both deployments."""
        by, keep = (self.requirement.by,), self.requirement.candidate
        return CohortRequest(
            sli=self.slo.sli, span=self.span, step=self.step, by=by, most=_MOST, keep=keep
        )

    @property
    def whole(self) -> CohortRequest:
        """The count requests about both deployments over the whole time."""
        return replace(self.cohorts, step=self.span.length)

    @property
    def evidence(self) -> CountRequest:
        """The count request about the whole SLO, which shows how far its counts can be trusted."""
        return CountRequest(sli=self.slo.sli, span=self.span, probe=True)

    def stretch(self, steps: range) -> Span:
        """Return the time of consecutive steps."""
        start = self.span.start
        return Span(start + steps.start * self.step, start + steps.stop * self.step)

    def arm(self, cohort: Cohort, whole: Cohort | None) -> Arm:
        """Return the events of a deployment by step, scaled to those of the whole time if given."""
        events = arm([cohort], self.cohorts.steps)
        return events if whole is None else as_counted(events, *arm([whole], 1).sums)

    def pairs(self, pair_by: str) -> PairRequest:
        """Return the request for the pairs of a request and its copy."""
        return PairRequest(
            sli=self.slo.sli,
            span=self.span,
            step=self.step,
            by=self.requirement.by,
            candidate=self.requirement.candidate,
            against=self.requirement.against,
            pair_by=pair_by,
        )


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
    results, parts = dict[ShadowRequirement, RequirementResult](), list[_Part]()
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


def _parts(policy: Policy, requirement: ShadowRequirement, at: datetime) -> Iterator[_Part]:
    step = shadow_step(requirement.lasting)
    span = Span(at - -(-requirement.lasting // step) * step, at)
    for slo in shadow_slos(policy.slos, requirement):
        yield _Part(requirement=requirement, slo=slo, span=span, step=step)


def _compare(
    policy: Policy, parts: Sequence[_Part], backend: Backend, at: datetime
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
            both = _both(policy, part, [cohorts[place], *whole])
            yield _compared(policy, part, both, counts, pairs.get(place))
        except _NotComparedError as why:
            yield ComparedSlo(slo=part.slo.name, why=str(why))


class _NotComparedError(Exception):
    """Ends the work on one SLO; the message has the reason and the remedy."""


def _refusal(answer: Unmeasured) -> _NotComparedError:
    # The usual cause of a failed grouping or pairing is a wrong label.
    wrong = answer.cause is Cause.INVALID
    hint = _CORRECT if wrong else remedy_of(answer.cause).hint
    reason, advice = with_advice(answer.reason, hint)
    return _NotComparedError(f"{reason}; {advice}")


def _compared(
    policy: Policy, part: _Part, both: Pair, counts: Answer, paired: PairAnswer | None
) -> ComparedSlo:
    doubted = _doubted(policy, part, counts)
    test = ShadowTest(
        allowed=float(part.requirement.margin * part.slo.budget),
        effect=float(part.slo.design_effect),
        comparisons=len(shadow_slos(policy.slos, part.requirement)),
        doubted=doubted,
    )
    pairs = None if paired is None else _checked_pairs(part, paired)
    comparison = compare_unpaired(both, test) if pairs is None else compare_paired(pairs, test)
    return ComparedSlo(slo=part.slo.name, comparison=comparison, pairs=pairs, doubt=doubted.reason)


def _both(policy: Policy, part: _Part, answers: Sequence[CohortAnswer]) -> Pair:
    """Return the events of both, if both were there during the whole time.

    Args:
        policy: the policy with the maximum age of data.
        part: the SLO.
        answers: the answers by step, and for the whole time if that is more exact.
    """
    measured = []
    for answer in answers:
        if isinstance(answer, Unmeasured):
            raise _refusal(answer)
        measured.append(answer.groups)
    values = (part.requirement.candidate, part.requirement.against)
    for value in values:
        if (value,) not in measured[0]:
            others = [name for (name,) in measured[0] if name not in {"", *values}]
            raise _NotComparedError(missing_value(part.requirement, value, others))
    by_step = [measured[0][value,] for value in values]
    grace = policy.guards_of(part.slo).max_age // part.step
    for value, own, other in zip(values, by_step, by_step[::-1], strict=True):
        if runs := missing_steps(own, other, grace):
            spans = [part.stretch(run) for run in runs]
            raise _NotComparedError(absent(part.requirement, value, spans, part.span))
    wholes = [measured[-1].get((value,)) if len(measured) > 1 else None for value in values]
    pair = Pair(*map(part.arm, by_step, wholes))
    _check_steps(fewest_steps([pair.matched()]), part)
    return pair


def _check_steps(steps: int, part: _Part) -> None:
    if steps < FEWEST_STEPS:
        raise _NotComparedError(
            f"cannot tell yet: both have requests in only {steps} of"
            f" {part.span.length // part.step} steps of {format_duration(part.step)}, and"
            f" {FEWEST_STEPS} are needed to see whether failures come in bursts; mirror more"
            " requests, or"
            " write a longer for"
        )


def _doubted(policy: Policy, part: _Part, answer: Answer) -> Doubted:
    """Return the number of doubtful failures; each may be of either deployment."""
    if isinstance(answer, Unmeasured):
        raise _refusal(answer)
    evidence, guards = answer.evidence, policy.guards_of(part.slo)
    if evidence.newest is not None and part.span.end - evidence.newest > guards.max_age:
        raise _NotComparedError(
            f"the newest data is from {instant(evidence.newest)}, and max_age is"
            f" {format_duration(guards.max_age)}; {remedy_of(Cause.STALE).hint}"
        )
    if evidence.warnings:
        warnings = "; ".join(evidence.warnings)
        raise _NotComparedError(f"partial answer: {warnings}; {remedy_of(Cause.PARTIAL).hint}")
    hidden = [suspicion.hidden for suspicion in evidence.suspicions]
    doubtful = [suspicion.doubtful for suspicion in evidence.suspicions]
    return Doubted(
        hidden=_sum(hidden),
        doubtful=_sum(doubtful),
        reason="; ".join(f"{each.reason}; {each.remedy}" for each in evidence.suspicions[:1]),
    )


def _sum(numbers: Sequence[Fraction | None]) -> float | None:
    """Add up; None if one of them is unlimited."""
    return None if None in numbers else float(sum(filter(None, numbers)))


def _checked_pairs(part: _Part, pairs: PairAnswer) -> Pairs:
    """Return the pairs, if they include nearly all requests of both."""
    if isinstance(pairs, Unmeasured):
        raise _refusal(pairs)
    requirement = part.requirement
    sides = ((requirement.candidate, pairs.candidate), (requirement.against, pairs.against))
    for value, side in sides:
        if side.alone > MOST_ALONE * side.events:
            raise _NotComparedError(too_many_alone(requirement, value, side, MOST_ALONE))
    _check_steps(sum(map(bool, pairs.total)), part)
    return pairs
